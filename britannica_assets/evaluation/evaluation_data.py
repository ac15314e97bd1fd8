"""The folder of evaluation data, and what it is: BabyLM's own files by their digests, a part of them, or others."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from britannica_assets.digests import short_digest
from britannica_assets.evaluation.download import DownloadError, download_evaluation_data
from britannica_assets.evaluation.evaluation_files import EvaluationDataError, data_digest, file_digests
from britannica_assets.evaluation.tasks import EvaluationTask
from britannica_assets.files import read_json, write_json
from britannica_assets.settings import Settings

logger = logging.getLogger(__name__)

OFFICIAL = "BabyLM"
OFFICIAL_IN_PART = "BabyLM in part"
UNLABELLED = "other files"
LABEL_FILE = "label.json"
DIGESTS_FILE = Path(__file__).with_name("official_digests.json")  # SHA-256 by task folder and file
SCHEMA_VERSION = 1


@dataclass(frozen=True)
class TaskData:
    """One task's files: their digest, and what they are called: `OFFICIAL`, or a name with a digest."""

    folder: Path
    digest: str
    source: str


@dataclass(frozen=True)
class EvaluationData:
    """The files of the tasks that have any, by task; why the others have none."""

    tasks: dict[str, TaskData]
    missing: dict[str, str] = field(default_factory=dict)


def find_evaluation_data(
    settings: Settings, tasks: Sequence[EvaluationTask], digests_file: Path = DIGESTS_FILE
) -> EvaluationData:
    """The data of `BRITANNICA_EVAL_DIR`, else the public ones, downloaded once.

    A task's files are `OFFICIAL` when their digest is the official one, whatever a label says; `OFFICIAL_IN_PART` when
    each is an official one and some are missing; others are called by the label that `write_label` left, or
    `UNLABELLED`. All but the official bear a digest, that of the files of `tasks` that are not official.

    Raises:
        EvaluationDataError: the folder of a task that is not optional is missing, files cannot be read, or a label
            calls other files official.
        DownloadError: the public data of a task that is not optional cannot be had.
    """
    folder, missing = _folder_with(settings, tasks)
    official = read_json(digests_file, schema_version=SCHEMA_VERSION)
    found = {task.name: (task.folder, task.suffix) for task in tasks if task.name not in missing}
    by_folder = {place: file_digests(folder / place[0], place[1]) for place in set(found.values())}
    digests = {name: by_folder[place] for name, place in found.items()}
    kinds = {task.name: _kind(task, digests[task.name], official, folder) for task in tasks if task.name in digests}
    others = {
        f"{name}/{file}": digest
        for name, files in digests.items()
        if kinds[name] != OFFICIAL
        for file, digest in files.items()
    }
    shown = short_digest(data_digest(others))
    return EvaluationData(
        {
            task.name: TaskData(
                folder / task.folder,
                data_digest(digests[task.name]),
                OFFICIAL if kinds[task.name] == OFFICIAL else f"{kinds[task.name]} ({shown})",
            )
            for task in tasks
            if task.name in digests
        },
        missing,
    )


def evaluation_folder(settings: Settings) -> Path:
    """`BRITANNICA_EVAL_DIR`, or the folder into which the public data are downloaded."""
    return settings.eval_dir or settings.work_path / "evaluation_data"


def write_label(folder: Path, label: str) -> None:
    """Says what the evaluation data in `folder` are called in tables and on the leaderboard."""
    write_json(folder / LABEL_FILE, {"label": label}, schema_version=SCHEMA_VERSION)


def _folder_with(settings: Settings, tasks: Sequence[EvaluationTask]) -> tuple[Path, dict[str, str]]:
    """The folder that holds the tasks' folders, and for each optional task without one the reason."""
    missing: dict[str, str] = {}
    folder = evaluation_folder(settings)
    if settings.eval_dir is None:
        required = [task for task in tasks if not task.optional]
        if required:
            download_evaluation_data(folder, required)
        for task in (task for task in tasks if task.optional and task.digest):
            try:
                download_evaluation_data(folder, [task])
            except DownloadError as error:
                missing[task.name] = str(error)
    for task in tasks:
        if not (folder / task.folder).is_dir() and task.name not in missing:
            reason = f"{folder} has no folder {task.folder}: set BRITANNICA_EVAL_DIR to a folder with {task.folder}"
            if not task.optional:
                raise EvaluationDataError(reason)
            missing[task.name] = reason
    for name, reason in missing.items():
        logger.warning("%s is not scored: %s", name, reason)
    return folder, missing


def _kind(task: EvaluationTask, files: dict[str, str], official: dict[str, dict[str, str]], folder: Path) -> str:
    """`OFFICIAL`, `OFFICIAL_IN_PART`, the folder's label or `UNLABELLED`."""
    if data_digest(files) == task.digest:
        return OFFICIAL
    known = official.get(task.folder, {})
    if all(known.get(name) == digest for name, digest in files.items()):
        return OFFICIAL_IN_PART
    return _read_label(folder)


def _read_label(folder: Path) -> str:
    file = folder / LABEL_FILE
    if not file.exists():
        return UNLABELLED
    label = str(read_json(file, schema_version=SCHEMA_VERSION)["label"])
    if label in (OFFICIAL, OFFICIAL_IN_PART):
        raise EvaluationDataError(
            f"{file} calls the files {label}, but they are not the official ones: give another label"
        )
    return label
