"""Materializes assets in this process, recorded in the instance that the UI shows: for command line and demo."""

import os
import shutil
import threading
import uuid
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import dagster as dg

INSTANCE_FILE = Path(__file__).with_name("dagster-instance.yaml")


class MaterializationError(RuntimeError):
    """An asset failed; the message is its error, and the run that the UI shows."""


def prepare_home(default_home: Path) -> None:
    """Sets DAGSTER_HOME to `default_home` where it is not set; a new one gets the package's configuration."""
    home = Path(os.environ.setdefault("DAGSTER_HOME", str(default_home.absolute())))
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
) -> None:
    """One run of a job, or of some of its assets, in one partition; prints each asset as it is made.

    Raises:
        MaterializationError: an asset failed.
    """

    def report(asset: str, seconds: float) -> None:
        print(f"  {partition or 'all':<14}{asset:<44}{seconds:6.1f} s", flush=True)

    run_id = str(uuid.uuid4())
    with _follow(instance, run_id, report):
        result = job.execute_in_process(
            run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
            instance=instance,
            asset_selection=assets,
            partition_key=partition,
            run_id=run_id,
            raise_on_error=False,
        )
    if not result.success:
        raise MaterializationError(f"{_first_error(result)}\nThe Dagster UI shows it as run {run_id}")


def _first_error(result: dg.ExecuteInProcessResult) -> str:
    """What the first failed step says, without the stack; each cause was wrapped by Dagster in its own error."""
    for event in result.all_events:
        if event.is_step_failure:
            error = event.step_failure_data.error
            while error is not None and error.cause is not None:
                error = error.cause
            if error is not None:
                return f"{event.step_key}: {error.message.strip().partition(': ')[2] or error.message.strip()}"
    return "the run failed before its first asset"


@contextmanager
def _follow(instance: dg.DagsterInstance, run_id: str, report: Callable[[str, float], object]) -> Iterator[None]:
    """Reports each asset of the run as it is materialized, with its seconds."""
    done = threading.Event()

    def follow() -> None:
        cursor = None
        started: dict[str, float] = {}
        while True:
            last_round = done.is_set()
            connection = instance.get_records_for_run(run_id, cursor=cursor)
            cursor = connection.cursor
            for record in connection.records:
                entry = record.event_log_entry
                event = entry.dagster_event
                if event is None or event.step_key is None:
                    continue
                if event.event_type_value == "STEP_START":
                    started[event.step_key] = entry.timestamp
                elif event.event_type_value == "STEP_SUCCESS":
                    report(event.step_key, entry.timestamp - started[event.step_key])
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
