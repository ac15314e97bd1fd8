"""MLflow runs of the platform: one per training or scoring run, tied to Dagster's run, the data and the code."""

import json
import logging
import os
import shlex
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

from britannica_assets.settings import Settings

if TYPE_CHECKING:
    from mlflow import ActiveRun, MlflowClient

log = logging.getLogger(__name__)

MAX_DATASET_DIGEST = 36  # characters, in MLflow's database
MAX_BATCH_PARAMETERS = 100  # MLflow's limit on one call
ARTIFACTS = "mlflow_artifacts"  # the folder of a local store's artifacts, in the data folder


class MovedDataError(OSError):
    """The data folder does not lie where its own MLflow store says; the message names both folders and the remedy."""


@dataclass(frozen=True)
class Origin:
    """What asked for a run: the asset, its track (partition), and Dagster's run ("" when there is none)."""

    asset: str
    track: str
    dagster_run_id: str


@dataclass(frozen=True)
class DataSet:
    """An input of a run: a name, where it lies, the digest of its content, and what it was used for."""

    name: str
    address: str
    digest: str
    context: str  # "training" | "validation" | "scoring"


@contextmanager
def tracked_run(
    settings: Settings,
    origin: Origin,
    *,
    name: str,
    parameters: Mapping[str, Any],
    data_sets: Sequence[DataSet],
    run_id: str | None = None,
) -> Iterator["ActiveRun"]:
    """An active MLflow run in the experiment `britannica/<track>`, marked FAILED if the block raises.

    Args:
        settings: says where MLflow's store is.
        origin: becomes the run's tags, with links to Dagster.
        name: the run's name in the UI.
        parameters: may be nested; `{"a": {"b": 1}}` becomes the parameter `a.b`.
        data_sets: become the run's inputs.
        run_id: an earlier run to go on with, in place of a new one.

    Raises:
        mlflow.exceptions.MlflowException: the store cannot be reached, or `run_id` is unknown.
    """
    import mlflow
    from mlflow.entities import Dataset, DatasetInput, InputTag, Param

    experiment_id = connect(settings, experiment_name(origin.track))
    with mlflow.start_run(run_id=run_id, experiment_id=experiment_id, run_name=None if run_id else name) as run:
        client = mlflow.MlflowClient()
        if run_id is None:
            mlflow.set_tags(_tags(settings, origin))
            flat = [Param(key, str(value)) for key, value in flattened(parameters).items()]
            for start in range(0, len(flat), MAX_BATCH_PARAMETERS):
                client.log_batch(run.info.run_id, params=flat[start : start + MAX_BATCH_PARAMETERS])
            inputs = [
                DatasetInput(
                    Dataset(data.name, data.digest[:MAX_DATASET_DIGEST], "local", json.dumps({"uri": data.address})),
                    [InputTag("mlflow.data.context", data.context), InputTag("sha256", data.digest)],
                )
                for data in data_sets
            ]
            client.log_inputs(run.info.run_id, datasets=inputs)
        elif origin.dagster_run_id:
            mlflow.set_tag("dagster.resumed_by_run_id", origin.dagster_run_id)
        yield run


def experiment_name(track: str) -> str:
    """The MLflow experiment that holds a track's runs."""
    return f"britannica/{track}"


def connect(settings: Settings, experiment: str | None = None) -> str:
    """Points mlflow at the settings' store and returns the id of `experiment`, which is made if need be.

    Without `experiment` only the address is set, and the answer is "".

    Raises:
        MovedDataError: the data folder's own store names another folder as the models' place.
    """
    # MLflow reads this when it is first imported: no reports to its makers from a materialization.
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    import mlflow
    from filelock import FileLock

    logging.getLogger("mlflow").setLevel(logging.WARNING)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    mlflow.set_tracking_uri(settings.tracking_uri)
    local_store = settings.tracking_uri.startswith("sqlite:")
    database = Path(settings.tracking_uri.removeprefix("sqlite:///"))
    if experiment is None and not (local_store and database.exists()):
        return ""
    if local_store:
        database.parent.mkdir(parents=True, exist_ok=True)
    # Two processes that meet an empty SQLite file would both create its tables.
    with FileLock(f"{database}.lock") if local_store else nullcontext():
        client = mlflow.MlflowClient()
        if local_store:
            _check_not_moved(settings, client)
        return "" if experiment is None else _experiment_id(settings, client, experiment, local_store=local_store)


def _experiment_id(settings: Settings, client: "MlflowClient", experiment: str, *, local_store: bool) -> str:
    from mlflow.exceptions import MlflowException

    known = client.get_experiment_by_name(experiment)
    if known is None:
        location = settings.data_path / ARTIFACTS / experiment
        address = str(location) if settings.is_remote else Path(str(location)).as_uri()
        try:
            return str(client.create_experiment(experiment, artifact_location=address if local_store else None))
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
            known = client.get_experiment_by_name(experiment)  # another machine has just made it
    return str(known.experiment_id)


def _check_not_moved(settings: Settings, client: "MlflowClient") -> None:
    """Holds the folders that a store of the data folder's own names against the data folder: they are absolute."""
    if settings.is_remote or settings.mlflow_tracking_uri:
        return
    for experiment in client.search_experiments(filter_string=f"name LIKE '{experiment_name('%')}'"):
        stored = Path(url2pathname(urlsplit(experiment.artifact_location).path))
        own = Path(str(settings.data_path / ARTIFACTS / experiment.name))
        if stored.resolve() != own.resolve():
            former = str(stored).removesuffix(f"/{ARTIFACTS}/{experiment.name}")
            raise MovedDataError(
                f"the data folder is {settings.data_path}, but {settings.tracking_uri} says that its models lie in"
                f" {former}: it was moved or copied. Move it back, or make the old name a link to the new folder:"
                f" ln -s {shlex.quote(str(settings.data_path))} {shlex.quote(former)}"
            )


def run_url(settings: Settings, run_id: str) -> str:
    """The address of a run in the MLflow UI: the tracking server's, or `BRITANNICA_MLFLOW_URL` for a local store."""
    import mlflow

    connect(settings)
    experiment_id = mlflow.MlflowClient().get_run(run_id).info.experiment_id
    return f"{_user_interface(settings)}/#/experiments/{experiment_id}/runs/{run_id}"


def model_url(settings: Settings, registered_model: str, version: int) -> str:
    """The address of a registered model's version in the MLflow UI."""
    return f"{_user_interface(settings)}/#/models/{registered_model}/versions/{version}"


def flattened(parameters: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested mappings as one, keys joined by full stops."""
    flat: dict[str, Any] = {}
    for key, value in parameters.items():
        if isinstance(value, Mapping):
            flat |= flattened(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value
    return flat


@cache
def git_revision() -> str:
    """The code's commit, with `+dirty` when the working tree differs from it; "unknown" outside a git repository."""
    folder = Path(__file__).parent
    try:
        commit = _git(folder, "rev-parse", "HEAD")
        return commit + ("+dirty" if _git(folder, "status", "--porcelain", "--", ".") else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def _git(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def _user_interface(settings: Settings) -> str:
    return settings.tracking_server or settings.mlflow_url


def _tags(settings: Settings, origin: Origin) -> dict[str, str]:
    asset_link = f"{settings.dagster_url}/assets/{origin.asset}?partition={origin.track}"
    revision = git_revision()
    tags = {
        "dagster.asset_key": origin.asset,
        "dagster.partition": origin.track,
        "git.revision": revision,
        "mlflow.source.git.commit": revision.removesuffix("+dirty"),
        "mlflow.note.content": f"[Asset `{origin.asset}`, track `{origin.track}`]({asset_link}) in Dagster.",
    }
    if origin.dagster_run_id:
        link = f"{settings.dagster_url}/runs/{origin.dagster_run_id}"
        tags |= {"dagster.run_id": origin.dagster_run_id, "dagster.run_url": link}
        tags["mlflow.note.content"] += f" [Dagster run `{origin.dagster_run_id}`]({link})."
    return tags
