"""The MLflow run of a scoring: what was scored on what, and the tables that came of it."""

import tempfile
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from britannica_assets.evaluation.evaluation_data import TaskData
from britannica_assets.evaluation.scored_versions import ANSWERS_FILE, SCORES_FILE
from britannica_assets.modeling.registry import training_identity
from britannica_assets.modeling.trained_model import TrainedModel
from britannica_assets.settings import Settings
from britannica_assets.tracking import DataSet, Origin, tracked_run

if TYPE_CHECKING:
    from mlflow import ActiveRun


def scoring_run(
    settings: Settings,
    origin: Origin,
    scale: str,
    files: Mapping[str, TaskData],
    trained: Mapping[str, TrainedModel],
    further: Sequence[DataSet] = (),
) -> "AbstractContextManager[ActiveRun]":
    """An active MLflow run that names the evaluation data, the tasks and the models' versions.

    Args:
        settings: say where MLflow's store is.
        origin: what asks for the scores.
        scale: the configuration's name.
        files: what is scored on, by task.
        trained: the models, by asset.
        further: inputs beside `files`.

    Raises:
        mlflow.exceptions.MlflowException: the store cannot be reached.
    """
    return tracked_run(
        settings,
        origin,
        name=f"{origin.asset} {origin.track} {scale}",
        parameters={
            "evaluation_data": ", ".join(dict.fromkeys(found.source for found in files.values())),
            "tasks": ", ".join(files),
            **{f"{name}.version": model.version for name, model in trained.items()},
        },
        data_sets=[
            *(DataSet(name, str(found.folder), found.digest, "scoring") for name, found in files.items()),
            *further,
        ],
    )


def log_tables(
    *, scores: pl.DataFrame, answers: pl.DataFrame | None = None, perplexities: pl.DataFrame | None = None
) -> None:
    """Logs the tables as artifacts of the active run."""
    import mlflow

    with tempfile.TemporaryDirectory() as folder:
        scores.write_parquet(Path(folder) / SCORES_FILE)
        scores.write_csv(Path(folder) / "scores.csv")
        if answers is not None:
            answers.write_parquet(Path(folder) / ANSWERS_FILE, compression="zstd")
        if perplexities is not None:
            perplexities.write_csv(Path(folder) / "perplexity_by_group.csv")
        mlflow.log_artifacts(folder)


def version_columns(
    settings: Settings, track: str, name: str, trained: TrainedModel
) -> dict[str, str | int | date | None]:
    """What tells a model version apart, in the columns of `SCORE_TABLE_SCHEMA`."""
    identity = training_identity(settings, trained.registered_model, trained.version)
    return {
        "track": track,
        "model": name,
        "version": trained.version,
        "seed": identity.seed,
        "recipe": identity.recipe,
        "trained": identity.trained,
    }
