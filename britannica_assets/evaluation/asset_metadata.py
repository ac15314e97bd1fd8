"""What Dagster's UI shows of scores, checkpoints and the leaderboard."""

from collections.abc import Sequence
from typing import Any

import dagster as dg
import polars as pl

from britannica_assets.digests import short_digest
from britannica_assets.evaluation import plots
from britannica_assets.evaluation.accuracy import accuracy_by
from britannica_assets.evaluation.comparison import VersionChange, compare_groups
from britannica_assets.evaluation.evaluation_data import OFFICIAL
from britannica_assets.evaluation.leaderboard import OURS
from britannica_assets.evaluation.learning_curves import learning_curves_plot
from britannica_assets.evaluation.score_checkpoints import CheckpointScores
from britannica_assets.evaluation.score_models import ScoringResult
from britannica_assets.evaluation.scored_versions import outcomes_of
from britannica_assets.evaluation.tasks import TASKS, EvaluationTask
from britannica_assets.plotting import as_markdown, as_markdown_table
from britannica_assets.settings import Settings
from britannica_assets.track_models import STUDENT, STUDENT_WITHOUT_TEACHERS


def describe_scores(settings: Settings, result: ScoringResult, tasks: Sequence[EvaluationTask]) -> dict[str, Any]:
    """What the UI shows of the scores: the averages first, then the tables."""
    from britannica_assets.tracking import run_url

    scores = result.scores
    missing = {f"{task}_not_scored": reason for task, reason in result.missing.items()}
    if result.mlflow_run_id is None or result.answers is None:
        return dict(missing)
    value = pl.coalesce(pl.col("accuracy") * 100, "score").alias("value")
    averages = scores.group_by("model", "task", "source", "digest").agg(value.mean()).sort("model", "task")
    student = scores.filter(pl.col("model") == STUDENT)
    return {
        **missing,
        **_plotted_averages(averages),
        "items": int(student["items"].sum()),
        "ties": int(student["ties"].sum()),
        "beyond_context": int(student["beyond_context"].sum()),
        "evaluation_data": ", ".join(scores["source"].unique().sort()),
        "digests": ", ".join(
            f"{task} {short_digest(digest)}" for task, digest in student.select("task", "digest").unique().iter_rows()
        ),
        "averages": dg.MetadataValue.md(as_markdown_table(averages.pivot("task", index="model", values="value"))),
        **(_describe_pairs(scores, result.answers) if any(task.pairs for task in tasks) else {}),
        **_describe_perplexity(student, result),
        "by_paradigm": dg.MetadataValue.md(
            as_markdown_table(
                scores.with_columns(value).pivot("model", index=["task", "uid"], values="value").sort("task", "uid")
            )
        ),
        "mlflow_run": dg.MetadataValue.url(run_url(settings, result.mlflow_run_id)),
    }


def describe_checkpoints(settings: Settings, track: str, result: CheckpointScores) -> dict[str, Any]:
    """The learning curves, and what they were scored on."""
    from britannica_assets.tracking import run_url

    missing = {f"{task}_not_scored": reason for task, reason in result.missing.items()}
    if result.mlflow_run_id is None:
        reason = "no student of the track has seen a million words"
        return {**missing, "checkpoints": 0, "no_checkpoints": reason}
    plot = learning_curves_plot(result.scores, f"Track {track}")
    return {
        **missing,
        "checkpoints": len(result.scores.select("model", "words_seen").unique()),
        "evaluation_data": ", ".join(result.scores["source"].unique().sort()),
        "learning_curves": dg.MetadataValue.md(as_markdown(plot)),
        "mlflow_run": dg.MetadataValue.url(run_url(settings, result.mlflow_run_id)),
    }


def _plotted_averages(averages: pl.DataFrame) -> dict[str, float]:
    """A number a student and task, which the UI plots over time: under a name of its own on each evaluation data."""
    return {
        f"{row['model']}_{row['task']}"
        + ("" if row["source"] == OFFICIAL else f"_{short_digest(row['digest'])}"): round(row["value"], 2)
        for model in (STUDENT, STUDENT_WITHOUT_TEACHERS)
        for row in averages.filter(pl.col("model") == model).iter_rows(named=True)
    }


def _describe_pairs(scores: pl.DataFrame, answers: pl.DataFrame) -> dict[str, Any]:
    """What the UI shows of minimal pairs."""
    outcomes = outcomes_of(answers)
    ablation, student = (outcomes.filter(pl.col("model") == model) for model in (STUDENT_WITHOUT_TEACHERS, STUDENT))
    return {
        "accuracy_by_phenomenon": dg.MetadataValue.md(plots.accuracy_by_phenomenon(scores)),
        "by_field": _in_per_cent(accuracy_by(scores, "field")),
        "by_linguistic_term": _in_per_cent(accuracy_by(scores, "linguistics_term")),
        "distillation": dg.MetadataValue.md(_moved(compare_groups(ablation, student))),
    }


def _describe_perplexity(student: pl.DataFrame, result: ScoringResult) -> dict[str, Any]:
    if result.perplexities is None:
        return {}
    table = result.perplexities.pivot("model", index=["grouping", "name", "articles"], values="by_word")
    return {
        "student_perplexity_by_word": round(float(student["perplexity_by_word"][0]), 2),
        "student_bits_per_byte": round(float(student["bits_per_byte"][0]), 4),
        "context_length": int(student["context_length"][0]),
        "perplexity_by_word": dg.MetadataValue.md(as_markdown_table(table)),
    }


def _in_per_cent(table: pl.DataFrame) -> dg.MarkdownMetadataValue:
    """A table of accuracies (0 to 1), for the UI."""
    return dg.MetadataValue.md(as_markdown_table(table.with_columns(pl.col(pl.Float64) * 100)))


def best_students(table: pl.DataFrame) -> dict[str, float]:
    """A number a track for the UI's plots over time, of the official data alone where there are any."""
    first = TASKS[0].name
    students = table.filter((pl.col("source") == OURS) & (pl.col("model") == STUDENT), pl.col(first).is_not_null())
    official = (pl.col("evaluation_data") == OFFICIAL).any().over("track")
    best = (
        students.filter((pl.col("evaluation_data") == OFFICIAL) | ~official)
        .group_by("track", "evaluation_data")
        .agg(pl.col(first).max().round(2))
        .sort("track", "evaluation_data")
    )
    return {
        f"{track}_{STUDENT}_{first}" + ("" if data == OFFICIAL else f"_on_{data}"): accuracy
        for track, data, accuracy in best.iter_rows()
    }


def since_the_version_before(changes: Sequence[VersionChange]) -> str:
    """What moved between the last two versions of each model, as Markdown."""
    texts = [
        f"**{model}, {track}, version {earlier} to {later}**\n\n{_moved(comparison)}"
        for track, model, earlier, later, comparison in changes
    ]
    return "\n\n".join(texts) or "No model has been scored in two versions on the same files."


def _moved(comparison: pl.DataFrame) -> str:
    moved = comparison.filter(pl.col("direction") != "").with_columns(
        pl.col("before", "after", "change", "low", "high") * 100
    )
    if moved.is_empty():
        return f"None of {len(comparison)} groups moved (McNemar's exact test, corrected by Holm, p < 0.05)."
    return as_markdown_table(moved)
