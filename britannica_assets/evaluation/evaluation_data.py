"""The folder of evaluation data, and what it is: BabyLM's own files by their digests, or files with a label."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from britannica_assets.digests import folder_digest
from britannica_assets.evaluation.download import download_evaluation_data
from britannica_assets.evaluation.minimal_pairs import PairsError
from britannica_assets.evaluation.tasks import EvaluationTask
from britannica_assets.files import read_json, write_json
from britannica_assets.settings import Settings

OFFICIAL = "BabyLM"
UNLABELLED = "other files"
LABEL_FILE = "label.json"
SCHEMA_VERSION = 1


@dataclass(frozen=True)
class EvaluationData:
    """Files that models are scored on: where they lie, what they are called, and each task's digest."""

    folder: Path
    source: str
    digests: dict[str, str]


def find_evaluation_data(settings: Settings, tasks: Sequence[EvaluationTask]) -> EvaluationData:
    """The data of `BRITANNICA_EVAL_DIR`, else the public ones, downloaded once.

    Files are `OFFICIAL` when every task's digest is the official one, whatever a label says; others are called by the
    label that `write_label` left, or `UNLABELLED`.

    Raises:
        PairsError: a task's folder is missing, or a label calls other files official.
        DownloadError: the public data cannot be had.
    """
    folder = settings.eval_dir
    if folder is None:
        folder = download_evaluation_data(settings.work_path / "evaluation_data", tasks)
    for task in tasks:
        if not (folder / task.folder).is_dir():
            raise PairsError(
                f"{folder} has no folder {task.folder}: set BRITANNICA_EVAL_DIR to a folder with"
                f" {', '.join(task.folder for task in tasks)}"
            )
    digests = {task.name: folder_digest(folder / task.folder) for task in tasks}
    official = all(task.digest == digests[task.name] for task in tasks)
    return EvaluationData(folder, OFFICIAL if official else _read_label(folder), digests)


def write_label(folder: Path, label: str) -> None:
    """Says what the evaluation data in `folder` are called in tables and on the leaderboard."""
    write_json(folder / LABEL_FILE, {"label": label}, schema_version=SCHEMA_VERSION)


def _read_label(folder: Path) -> str:
    file = folder / LABEL_FILE
    if not file.exists():
        return UNLABELLED
    label = str(read_json(file, schema_version=SCHEMA_VERSION)["label"])
    if label == OFFICIAL:
        raise PairsError(f"{file} calls the files {OFFICIAL}, but they are not the official ones: give another label")
    return label
