"""Scores in Dagster: every model of a track on the evaluation tasks, and the leaderboard over all tracks."""

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl

from britannica_assets.code_location import configuration
from britannica_assets.config import configuration_name, load_configuration
from britannica_assets.digests import table_digest
from britannica_assets.evaluation import plots
from britannica_assets.evaluation.comparison import changes_between_versions, compare_scores, latest_versions
from britannica_assets.evaluation.evaluation_data import OFFICIAL
from britannica_assets.evaluation.leaderboard import OURS, build_leaderboard, distillation_gain
from britannica_assets.evaluation.leaderboard_page import write_page
from britannica_assets.evaluation.minimal_pairs import accuracy_by
from britannica_assets.evaluation.score_models import ScoringResult, score_models
from britannica_assets.evaluation.scored_versions import attach_page, scored_versions
from britannica_assets.evaluation.tasks import TASKS, EvaluationTask, tasks_by_asset
from britannica_assets.files import atomic_write
from britannica_assets.partitions import track_partitions
from britannica_assets.plotting import as_markdown_table
from britannica_assets.settings import Settings
from britannica_assets.storage import asset_path
from britannica_assets.track_models import STUDENT, STUDENT_WITHOUT_TEACHERS, track_models

GROUP = "evaluation"
OWNERS = ["team:britannica"]
MODEL_INPUTS = {model.asset: dg.AssetIn() for model in track_models(configuration)}


def build_scores(asset: str, tasks: Sequence[EvaluationTask]) -> dg.AssetsDefinition:
    """The asset of the scores on `tasks`."""

    @dg.asset(
        name=asset,
        group_name=GROUP,
        owners=OWNERS,
        kinds={"pytorch", "mlflow", "parquet"},
        code_version="1",
        partitions_def=track_partitions,
        pool="training",
        ins=MODEL_INPUTS,
        description=f"Accuracy of every model of the track on {', '.join(task.column for task in tasks)}, by paradigm,"
        " and validation perplexity.",
    )
    def scores(
        context: dg.AssetExecutionContext,
        settings: dg.ResourceParam[Settings],
        token_ids: Path,
        corpus_split: pl.LazyFrame,
        **models: Path,
    ) -> dg.MaterializeResult[pl.DataFrame]:
        result = score_models(
            settings,
            context.partition_key,
            models,
            token_ids,
            corpus_split.filter(pl.col("split") == "validation").select("volume", "words").collect(),
            tasks,
            asset=asset,
            scale=configuration_name(settings.scale),
            seed=load_configuration(settings.scale).seed,
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
    kinds={"polars", "html"},
    code_version="1",
    ins={asset: dg.AssetIn(metadata={"allow_missing_partitions": True}) for asset in tasks_by_asset()},
)
def leaderboard(
    settings: dg.ResourceParam[Settings], **scores: dict[str, pl.LazyFrame]
) -> dg.MaterializeResult[pl.DataFrame]:
    """All tracks' models, every scored version, beside the published results; also `leaderboard.html`."""
    current = pl.concat(
        [of_track for by_track in scores.values() for of_track in by_track.values()], how="diagonal_relaxed"
    ).collect()
    tracks = sorted(set(current["track"]))
    every = scored_versions(settings, tracks, current)
    table = build_leaderboard(every)
    page = asset_path(settings, "leaderboard", "leaderboard.html")
    with tempfile.TemporaryDirectory() as folder:
        drawn = Path(folder) / "leaderboard.html"
        write_page(drawn, table, every)
        attach_page(settings, tracks, drawn)
        with atomic_write(page) as temporary:
            shutil.copy(drawn, temporary)
    return dg.MaterializeResult(
        value=table,
        data_version=dg.DataVersion(table_digest(table)),
        metadata={
            "models": int((table["source"] == OURS).sum()),
            "tracks": ", ".join(tracks),
            **_best_students(table),
            "leaderboard": dg.MetadataValue.md(as_markdown_table(table)),
            "distillation_gain": dg.MetadataValue.md(as_markdown_table(distillation_gain(latest_versions(every)))),
            "blimp_by_size": dg.MetadataValue.md(plots.blimp_by_size(table)),
            "since_the_version_before": dg.MetadataValue.md(_since_before(every)),
            "page": dg.MetadataValue.path(str(page)),
            "dagster/row_count": len(table),
        },
    )


def _describe(settings: Settings, result: ScoringResult, tasks: Sequence[EvaluationTask]) -> dict[str, Any]:
    """What the UI shows of the scores: the averages first, then the tables."""
    from britannica_assets.tracking import run_url

    scores = result.scores
    averages = scores.group_by("model", "task").agg(pl.col("accuracy").mean() * 100).sort("model", "task")
    by_model = {(model, task): accuracy for model, task, accuracy in averages.iter_rows()}
    student = scores.filter(pl.col("model") == STUDENT)
    perplexities = result.perplexities.pivot("model", index=["grouping", "name", "articles"], values="by_word")
    return {
        **{f"{STUDENT}_{task.name}": round(by_model[STUDENT, task.name], 2) for task in tasks},
        **{
            f"{STUDENT_WITHOUT_TEACHERS}_{task.name}": round(by_model[STUDENT_WITHOUT_TEACHERS, task.name], 2)
            for task in tasks
        },
        "pairs": int(student["pairs"].sum()),
        "evaluation_data": scores["source"][0],
        "scale": scores["scale"][0],
        "student_perplexity_by_word": round(float(student["perplexity_by_word"][0]), 2),
        "averages": dg.MetadataValue.md(as_markdown_table(averages.pivot("task", index="model", values="accuracy"))),
        "accuracy_by_phenomenon": dg.MetadataValue.md(plots.accuracy_by_phenomenon(scores)),
        "by_field": _in_per_cent(accuracy_by(scores, "field")),
        "by_linguistic_term": _in_per_cent(accuracy_by(scores, "linguistics_term")),
        "distillation": dg.MetadataValue.md(_distillation_changes(scores)),
        "perplexity_by_word": dg.MetadataValue.md(as_markdown_table(perplexities)),
        "by_paradigm": _in_per_cent(
            scores.pivot("model", index=["task", "uid"], values="accuracy").sort("task", "uid")
        ),
        "mlflow_run": dg.MetadataValue.url(run_url(settings, result.mlflow_run_id)),
        "dagster/row_count": len(scores),
    }


def _in_per_cent(table: pl.DataFrame) -> dg.MarkdownMetadataValue:
    """A table of accuracies (0 to 1), for the UI."""
    return dg.MetadataValue.md(as_markdown_table(table.with_columns(pl.col(pl.Float64) * 100)))


def _best_students(table: pl.DataFrame) -> dict[str, float]:
    """A number a track for the UI's plots over time, on the official data where there is one."""
    students = table.filter((pl.col("source") == OURS) & (pl.col("model") == STUDENT))
    official = (pl.col("evaluation_data") == OFFICIAL).any().over("track")
    comparable = students.filter((pl.col("evaluation_data") == OFFICIAL) | ~official)
    best = comparable.group_by("track").agg(pl.col(TASKS[0].name).max().round(2)).sort("track")
    return {f"{track}_{STUDENT}_{TASKS[0].name}": accuracy for track, accuracy in best.iter_rows()}


def _distillation_changes(scores: pl.DataFrame) -> str:
    """The paradigms on which the student differs from the student without teachers, as Markdown."""
    ablation, student = (scores.filter(pl.col("model") == model) for model in (STUDENT_WITHOUT_TEACHERS, STUDENT))
    return _moved(compare_scores(ablation, student))


def _since_before(scores: pl.DataFrame) -> str:
    texts = [
        f"**{model}, {track}, version {earlier} to {later}**\n\n{_moved(comparison)}"
        for track, model, earlier, later, comparison in changes_between_versions(scores)
    ]
    return "\n\n".join(texts) or "Each model has been scored in one version only."


def _moved(comparison: pl.DataFrame) -> str:
    moved = comparison.filter(pl.col("direction") != "").with_columns(
        pl.col("before", "after", "change", "low", "high") * 100
    )
    if moved.is_empty():
        return f"None of {len(comparison)} paradigms moved beyond the 95 % interval."
    return as_markdown_table(moved)
