"""Scores in Dagster: every model of a track on the evaluation tasks, and the leaderboard over all tracks."""

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl

from britannica_assets.code_location import configuration
from britannica_assets.config import configuration_name
from britannica_assets.digests import short_digest, table_digest
from britannica_assets.evaluation import plots
from britannica_assets.evaluation.accuracy import accuracy_by
from britannica_assets.evaluation.comparison import VersionChange, changes_between_versions, compare_groups
from britannica_assets.evaluation.evaluation_data import OFFICIAL
from britannica_assets.evaluation.leaderboard import OURS, build_leaderboard, distillation_gain
from britannica_assets.evaluation.leaderboard_page import write_page
from britannica_assets.evaluation.score_models import ScoringResult, score_models
from britannica_assets.evaluation.scored_versions import attach_page, outcomes_of, scored_versions
from britannica_assets.evaluation.tasks import TASKS, EvaluationTask, tasks_by_asset
from britannica_assets.files import atomic_write
from britannica_assets.partitions import track_partitions
from britannica_assets.plotting import as_markdown_table
from britannica_assets.run_config import NO_RUN_CONFIG
from britannica_assets.settings import Settings
from britannica_assets.storage import asset_path
from britannica_assets.track_models import STUDENT, STUDENT_WITHOUT_TEACHERS, track_models

GROUP = "evaluation"
OWNERS = ["team:britannica"]
PAGE = "leaderboard.html"
REQUIRED = tasks_by_asset([task for task in TASKS if not task.optional])
MODEL_INPUTS = {model.asset: dg.AssetIn() for model in track_models(configuration)}


def build_scores(asset: str, tasks: Sequence[EvaluationTask]) -> dg.AssetsDefinition:
    """The asset of the scores on `tasks`, which are all optional or all not; with the latter goes the perplexity."""
    with_perplexity = not all(task.optional for task in tasks)
    measured = (
        " by paradigm, and validation perplexity and bits per byte."
        if with_perplexity
        else f". Empty where the evaluation data have no folder {tasks[0].folder}."
    )

    @dg.asset(
        name=asset,
        group_name=GROUP,
        owners=OWNERS,
        config_schema=NO_RUN_CONFIG,
        kinds={"pytorch", "mlflow", "parquet"},
        code_version="2",
        partitions_def=track_partitions,
        pool="training",
        ins={**MODEL_INPUTS, "token_ids": dg.AssetIn(), **({"corpus_split": dg.AssetIn()} if with_perplexity else {})},
        description=f"Every model of the track on {', '.join(task.column for task in tasks)}{measured}",
    )
    def scores(
        context: dg.AssetExecutionContext,
        settings: dg.ResourceParam[Settings],
        token_ids: Path,
        **inputs: Any,
    ) -> dg.MaterializeResult[pl.DataFrame]:
        articles: pl.LazyFrame | None = inputs.pop("corpus_split", None)
        result = score_models(
            settings,
            context.partition_key,
            inputs,
            token_ids,
            None
            if articles is None
            else articles.filter(pl.col("split") == "validation").select("volume", "words").collect(),
            tasks,
            asset=asset,
            scale=configuration_name(settings.scale),
            dagster_run_id=context.run.run_id,
        )
        return dg.MaterializeResult(
            value=result.scores,
            data_version=dg.DataVersion(table_digest(result.scores)),
            metadata=_describe(settings, result, tasks),
        )

    return scores


score_assets = [build_scores(asset, tasks) for asset, tasks in tasks_by_asset().items()]


@dg.asset(
    group_name=GROUP,
    owners=OWNERS,
    config_schema=NO_RUN_CONFIG,
    kinds={"polars", "html"},
    code_version="1",
    ins={asset: dg.AssetIn(metadata={"allow_missing_partitions": True}) for asset in REQUIRED},
    deps=[asset for asset in tasks_by_asset() if asset not in REQUIRED],
)
def leaderboard(
    settings: dg.ResourceParam[Settings], **scores: dict[str, pl.LazyFrame]
) -> dg.MaterializeResult[pl.DataFrame]:
    """All tracks' models, every scored version, beside the published results; also as `.html`, `.csv` and `.json`."""
    current = pl.concat(
        [of_track for by_track in scores.values() for of_track in by_track.values()], how="diagonal_relaxed"
    ).collect()
    tracks = sorted(set(current["track"]))
    every = scored_versions(settings, tracks, current)
    table = build_leaderboard(every.scores)
    gains = distillation_gain(every.scores, every.outcomes)
    changes = list(changes_between_versions(every.outcomes))
    with tempfile.TemporaryDirectory() as folder:
        write_page(Path(folder) / PAGE, table, every, gains, changes)
        table.write_csv(Path(folder) / "leaderboard.csv")
        table.write_json(Path(folder) / "leaderboard.json")
        attach_page(settings, tracks, Path(folder))
        for file in sorted(Path(folder).iterdir()):
            with atomic_write(asset_path(settings, "leaderboard", file.name)) as temporary:
                shutil.copy(file, temporary)
    shown = ["model", "track", "version", "seeds", "parameters", "train_words", *(task.name for task in TASKS)]
    return dg.MaterializeResult(
        value=table,
        data_version=dg.DataVersion(table_digest(table)),
        metadata={
            "models": int((table["source"] == OURS).sum()),
            "tracks": ", ".join(tracks),
            **_best_students(table),
            "leaderboard": dg.MetadataValue.md(
                as_markdown_table(table.select(*shown, "bits_per_byte", "evaluation_data", "scorer", "source"))
            ),
            "distillation_gain": dg.MetadataValue.md(as_markdown_table(gains.drop("digest"))),
            "blimp_by_size": dg.MetadataValue.md(plots.blimp_by_size(table)),
            "since_the_version_before": dg.MetadataValue.md(_since_before(changes)),
            "page": dg.MetadataValue.path(str(asset_path(settings, "leaderboard", PAGE))),
        },
    )


def _describe(settings: Settings, result: ScoringResult, tasks: Sequence[EvaluationTask]) -> dict[str, Any]:
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


def _best_students(table: pl.DataFrame) -> dict[str, float]:
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


def _since_before(changes: Sequence[VersionChange]) -> str:
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
