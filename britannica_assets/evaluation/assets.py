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
from britannica_assets.digests import table_digest
from britannica_assets.evaluation import plots
from britannica_assets.evaluation.asset_metadata import (
    best_students,
    describe_checkpoints,
    describe_scores,
    since_the_version_before,
)
from britannica_assets.evaluation.comparison import changes_between_versions
from britannica_assets.evaluation.leaderboard import OURS, build_leaderboard, distillation_gain
from britannica_assets.evaluation.leaderboard_page import write_page
from britannica_assets.evaluation.score_checkpoints import CHECKPOINT_SCORES_SCHEMA, score_checkpoints
from britannica_assets.evaluation.score_models import score_models
from britannica_assets.evaluation.scored_versions import attach_page, scored_versions
from britannica_assets.evaluation.tasks import TASKS, EvaluationTask, tasks_by_asset
from britannica_assets.files import atomic_write
from britannica_assets.partitions import track_partitions
from britannica_assets.plotting import as_markdown_table
from britannica_assets.run_config import NO_RUN_CONFIG
from britannica_assets.settings import Settings
from britannica_assets.storage import asset_path
from britannica_assets.track_models import (
    STUDENT_MODELS,
    registered_model,
    track_models,
)

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
            metadata=describe_scores(settings, result, tasks),
        )

    return scores


score_assets = [build_scores(asset, tasks) for asset, tasks in tasks_by_asset().items()]


@dg.asset(
    group_name=GROUP,
    owners=OWNERS,
    config_schema=NO_RUN_CONFIG,
    kinds={"pytorch", "mlflow", "parquet"},
    code_version="1",
    partitions_def=track_partitions,
    pool="training",
    ins={model: dg.AssetIn() for model in STUDENT_MODELS},
)
def checkpoint_scores(
    context: dg.AssetExecutionContext, settings: dg.ResourceParam[Settings], **models: Path
) -> dg.MaterializeResult[pl.DataFrame]:
    """The students' checkpoints by words seen on BabyLM's fast sets, or on a fixed sample: their learning curves."""
    result = score_checkpoints(
        settings,
        context.partition_key,
        models,
        TASKS,
        asset="checkpoint_scores",
        scale=configuration_name(settings.scale),
        dagster_run_id=context.run.run_id,
    )
    return dg.MaterializeResult(
        value=result.scores,
        data_version=dg.DataVersion(table_digest(result.scores)),
        metadata=describe_checkpoints(settings, context.partition_key, result),
    )


@dg.asset(
    group_name=GROUP,
    owners=OWNERS,
    config_schema=NO_RUN_CONFIG,
    kinds={"polars", "html"},
    code_version="2",
    ins={
        **{asset: dg.AssetIn(metadata={"allow_missing_partitions": True}) for asset in REQUIRED},
        "checkpoint_scores": dg.AssetIn(metadata={"allow_missing_partitions": True, "allow_no_partition": True}),
    },
    deps=[asset for asset in tasks_by_asset() if asset not in REQUIRED],
)
def leaderboard(
    settings: dg.ResourceParam[Settings], checkpoint_scores: dict[str, pl.LazyFrame], **scores: dict[str, pl.LazyFrame]
) -> dg.MaterializeResult[pl.DataFrame]:
    """All tracks' models, every scored version, beside the published results; also as `.html`, `.csv` and `.json`."""
    from britannica_assets.tracking import model_url

    current = pl.concat(
        [of_track for by_track in scores.values() for of_track in by_track.values()], how="diagonal_relaxed"
    ).collect()
    tracks = sorted(set(current["track"]))
    every = scored_versions(settings, tracks, current)
    table = build_leaderboard(every.scores)
    gains = distillation_gain(every.scores, every.outcomes)
    changes = list(changes_between_versions(every.outcomes))
    curves = pl.concat(
        [pl.LazyFrame(schema=CHECKPOINT_SCORES_SCHEMA), *checkpoint_scores.values()], how="diagonal_relaxed"
    ).collect()
    with tempfile.TemporaryDirectory() as folder:
        write_page(
            Path(folder) / PAGE,
            table,
            every,
            gains,
            changes,
            curves=curves,
            version_url=lambda model, version: model_url(settings, registered_model(model), version),
        )
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
            **best_students(table),
            "leaderboard": dg.MetadataValue.md(
                as_markdown_table(table.select(*shown, "bits_per_byte", "evaluation_data", "scorer", "source"))
            ),
            "distillation_gain": dg.MetadataValue.md(as_markdown_table(gains.drop("digest"))),
            "blimp_by_size": dg.MetadataValue.md(plots.blimp_by_size(table)),
            "since_the_version_before": dg.MetadataValue.md(since_the_version_before(changes)),
            "page": dg.MetadataValue.path(str(asset_path(settings, "leaderboard", PAGE))),
        },
    )
