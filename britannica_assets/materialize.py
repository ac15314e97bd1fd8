"""Materializes assets in this process, recorded in the instance that the UI shows: for command line and demo."""

import logging
import os
import shutil
import threading
import uuid
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import dagster as dg

from britannica_assets.error_sentences import describe_error
from britannica_assets.progress import RunProgress

INSTANCE_FILE = Path(__file__).with_name("dagster-instance.yaml")
# The errors in which Dagster wraps that of an asset, of reading its input or of storing its output.
DAGSTERS_WRAPPERS = {
    "DagsterExecutionStepExecutionError",
    "DagsterExecutionLoadInputError",
    "DagsterExecutionHandleOutputError",
}


class MaterializationError(RuntimeError):
    """An asset failed; the message is its error, and the run that the UI shows."""


def prepare_home(default_home: Path) -> None:
    """Sets DAGSTER_HOME to `default_home` where it is not set; a new one gets the package's configuration."""
    home = Path(os.environ.get("DAGSTER_HOME") or default_home).expanduser().absolute()
    os.environ["DAGSTER_HOME"] = str(home)  # Dagster takes no relative one
    home.mkdir(parents=True, exist_ok=True)
    if not (home / "dagster.yaml").exists():
        shutil.copy(INSTANCE_FILE, home / "dagster.yaml")


@contextmanager
def open_instance(default_home: Path) -> Iterator[dg.DagsterInstance]:
    """The instance in DAGSTER_HOME, else in `default_home`, prepared as `prepare_home` does."""
    prepare_home(default_home)
    # Dagster prints its own use of its previews, at every training.
    warnings.filterwarnings("ignore", category=dg.PreviewWarning)
    with dg.DagsterInstance.get() as instance:
        yield instance


def materialize(
    instance: dg.DagsterInstance,
    job: dg.JobDefinition,
    *,
    partition: str | None = None,
    assets: Sequence[dg.AssetKey] | None = None,
) -> list[str]:
    """One run of a job, or of some of its assets, in one partition; shows how far it is.

    Returns:
        a line of text for each asset that was made, with its first numbers.

    Raises:
        MaterializationError: an asset failed.
    """
    run_id = str(uuid.uuid4())
    with RunProgress(partition) as progress, _follow(instance, run_id, progress):
        result = job.execute_in_process(
            run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
            instance=instance,
            asset_selection=assets,
            partition_key=partition,
            run_id=run_id,
            raise_on_error=False,
        )
    if not result.success:
        raise MaterializationError(f"{_first_error(instance, result)}\nThe Dagster UI shows it as run {run_id}")
    return [_describe(event) for event in result.get_asset_materialization_events()]


def _describe(event: dg.DagsterEvent) -> str:
    made = event.materialization
    numbers = [
        f"{name.split('/')[-1].replace('_', ' ')} "
        + (f"{value.value:,.5g}" if isinstance(value, dg.FloatMetadataValue) else f"{value.value:,}")
        for name, value in made.metadata.items()
        if isinstance(value, dg.IntMetadataValue | dg.FloatMetadataValue)
    ]
    return f"  {made.partition or 'all':<14}{made.asset_key.to_user_string():<28}{', '.join(numbers[:4])}"


def _first_error(instance: dg.DagsterInstance, result: dg.ExecuteInProcessResult) -> str:
    """What the first failed step says, without the stack."""
    for event in result.all_events:
        if event.is_step_failure:
            error = event.step_failure_data.error
            if error is not None and error.cause is not None and error.cls_name in DAGSTERS_WRAPPERS:
                error = error.cause
            # A step's process reports its own error through Pipes; the step knows of its exit status alone.
            for record in instance.get_records_for_run(result.run_id, of_type=dg.DagsterEventType.ENGINE_EVENT).records:
                reported = record.event_log_entry.get_dagster_event()
                if reported.step_key == event.step_key and reported.engine_event_data.error is not None:
                    error = reported.engine_event_data.error
            if error is not None:
                text = error.message.partition(": ")[2].strip()
                return f"{event.step_key}: {describe_error(error.cls_name or '', text)}"
    return "the run failed before its first asset"


@contextmanager
def _follow(instance: dg.DagsterInstance, run_id: str, progress: RunProgress) -> Iterator[None]:
    """Hands each step of the run that begins or ends, and each message of one, to `progress`."""
    done = threading.Event()

    def follow() -> None:
        cursor = None
        started: dict[str, float] = {}
        while True:
            last_round = done.is_set()
            connection = instance.get_records_for_run(run_id, cursor=cursor)
            cursor = connection.cursor
            for entry in (record.event_log_entry for record in connection.records):
                event, step = entry.dagster_event, entry.step_key
                if step is None:
                    continue
                if event is None:
                    if int(entry.level) >= logging.INFO:
                        progress.logged(step, int(entry.level), entry.user_message)
                elif event.event_type_value == "STEP_START":
                    started[step] = entry.timestamp
                    progress.started(step)
                elif event.event_type_value == "STEP_SUCCESS":
                    progress.finished(step, entry.timestamp - started[step])
            if last_round:
                return
            done.wait(0.3)

    follower = threading.Thread(target=follow)
    follower.start()
    try:
        yield
    finally:
        done.set()
        follower.join()
