"""Trains one model in a process of its own: `python -m britannica_assets.modeling.train SPECIFICATION.json`.

Started by an asset through Dagster Pipes, or by hand; plain, or under `accelerate launch` on several devices. Stopped
or killed, the same specification goes on from the last complete checkpoint, in the same MLflow run; with a data folder
in an object store on another machine, too.
"""

import logging
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from britannica_assets.files import atomic_write
from britannica_assets.modeling.fit import METRICS_FILE, fit, fit_to_folder
from britannica_assets.modeling.garbage_collection import remove_abandoned, remove_superseded
from britannica_assets.modeling.metric_log import MetricLog
from britannica_assets.modeling.process import (
    EXIT_UNFINISHED,
    UnfinishedError,
    exclusive_lock,
    exit_with_parent,
    is_main_process,
    pipes_logging,
    wait_for_each_other,
)
from britannica_assets.modeling.registry import register
from britannica_assets.modeling.specification import TrainingSpecification
from britannica_assets.modeling.trained_model import TRAINING_FILE, TrainedModel
from britannica_assets.settings import Settings
from britannica_assets.shared_work import Store, shared_work
from britannica_assets.tracking import DataSet, Origin, tracked_run

if TYPE_CHECKING:
    from mlflow import ActiveRun

logger = logging.getLogger("britannica_assets.modeling.train")

METRIC_LOG_FILE = "mlflow_metrics.jsonl"
SERVER_WAIT = 1800.0  # seconds that a finished training waits for the tracking server


def train(specification: TrainingSpecification) -> TrainedModel | None:
    """Trains, validates, writes the model's folder, logs it to MLflow and registers it.

    Where several processes train together the first does all but the training itself; the others return None.

    Raises:
        LockedError, LeaseTakenError: another process, or another machine, trains the same.
        TrackingServerError: MLflow is away at the end, too; the same call registers what was trained.
        NonFiniteLossError, OutOfMemoryError, UnfinishedError: see `fit`.
    """
    settings = Settings(**specification.settings)
    if not is_main_process():
        if settings.is_remote:
            wait_for_each_other()  # the first fetches what another machine stored
        if not (specification.checkpoints / METRICS_FILE).exists():
            fit(specification)
        return None
    specification.work.mkdir(parents=True, exist_ok=True)
    remove_abandoned(specification.work, keep=specification.checkpoints)
    with exclusive_lock(specification.checkpoints), shared_work(settings, specification.checkpoints) as store:
        specification.checkpoints.mkdir(exist_ok=True)
        if settings.is_remote:
            wait_for_each_other()
        if (specification.output / TRAINING_FILE).is_file():
            logger.info("%s: trained and registered before, by a process whose result was lost", specification.asset)
        else:
            _train_and_register(settings, specification, store)
        _remove_checkpoints(specification)
        store()
    remove_superseded(specification.checkpoints, settings)
    return TrainedModel.read(specification.output)


def _train_and_register(settings: Settings, specification: TrainingSpecification, store: Store) -> None:
    file = specification.checkpoints / METRIC_LOG_FILE
    with (
        _training_run(settings, specification) as run,
        MetricLog(file, run.info.run_id, settings.tracking_uri) as log,
    ):
        metrics = fit_to_folder(specification, log.log, store)
        log.flush(SERVER_WAIT)
        register(settings, specification, metrics, run_id=run.info.run_id)


def _remove_checkpoints(specification: TrainingSpecification) -> None:
    for path in specification.checkpoints.iterdir():
        if path.is_file():
            path.unlink()
        elif path != specification.output:
            shutil.rmtree(path)


@contextmanager
def _training_run(settings: Settings, specification: TrainingSpecification) -> Iterator["ActiveRun"]:
    """The training's MLflow run: a new one, or that which a killed process left."""
    run_file = specification.checkpoints / "mlflow_run_id"
    with tracked_run(
        settings,
        Origin(specification.asset, specification.track, specification.dagster_run_id),
        name=f"{specification.asset} {specification.track} {specification.scale}",
        parameters={
            "scale": specification.scale,
            "configuration_digest": specification.configuration_digest,
            "seed": specification.seed,
            "sequence_length": specification.sequence_length,
            **specification.model.model_dump(),
            **({"overrides": specification.overrides} if specification.overrides else {}),
            **({"distillation": specification.distillation.model_dump()} if specification.distillation else {}),
        },
        data_sets=[
            DataSet("train", str(specification.token_ids), specification.data_digests["train"], "training"),
            DataSet("validation", str(specification.token_ids), specification.data_digests["validation"], "validation"),
        ],
        run_id=run_file.read_text(encoding="utf-8") if run_file.exists() else None,
    ) as run:
        with atomic_write(run_file) as temporary:
            temporary.write_text(run.info.run_id, encoding="utf-8")
        yield run


def main(path: Path) -> None:
    """Trains by the specification in `path`, reporting to Dagster where Dagster started this process."""
    specification = TrainingSpecification.model_validate_json(path.read_text(encoding="utf-8"))
    exit_with_parent(path.parent)
    with pipes_logging():
        try:
            train(specification)
        except UnfinishedError as stopped:
            logger.info("%s", stopped)
            sys.exit(EXIT_UNFINISHED)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
