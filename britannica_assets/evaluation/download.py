"""The public evaluation data, downloaded once from where the BabyLM pipeline keeps them, and checked by their digest.

The pipeline's README (babylm/evaluation-pipeline-2025) points to the OSF project `ryjfm`; its files are listed by OSF's
API, version 2.
"""

import logging
import shutil
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import requests

from britannica_assets.digests import folder_digest
from britannica_assets.evaluation.tasks import EvaluationTask

logger = logging.getLogger(__name__)

SOURCE = "https://api.osf.io/v2/nodes/ryjfm/files/osfstorage/"
PARENT_FOLDERS = ("evaluation_data", "full_eval")
TIMEOUT = 60  # seconds


class DownloadError(RuntimeError):
    """The public data could not be had; the message says what to set instead."""


def download_evaluation_data(folder: Path, tasks: Sequence[EvaluationTask], source: str = SOURCE) -> Path:
    """The folder with the tasks' public files; downloads them into `folder` unless they are there already.

    Raises:
        DownloadError: the source cannot be reached, lists no such folder, or its files have another digest.
    """
    missing = [task for task in tasks if not (folder / task.folder).is_dir()]
    partial = folder.with_name(f".{folder.name}.{uuid.uuid4().hex}.partial")
    try:
        if missing:
            parent = source
            for name in PARENT_FOLDERS:
                parent = _find_folder(parent, name)
            for task in missing:
                _download_task(task, parent, partial)
        for task in missing:
            folder.mkdir(parents=True, exist_ok=True)
            (partial / task.folder).rename(folder / task.folder)
    except requests.RequestException as error:
        raise DownloadError(
            f"the public evaluation data could not be downloaded ({error}): set BRITANNICA_EVAL_DIR to a folder with"
            f" {', '.join(task.folder for task in tasks)}"
        ) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return folder


def _download_task(task: EvaluationTask, parent: str, partial: Path) -> None:
    target = partial / task.folder
    target.mkdir(parents=True)
    for entry in _entries(_find_folder(parent, task.folder)):
        name = entry["attributes"]["name"]
        if name.endswith(task.suffix):
            logger.info("downloading %s", name)
            (target / Path(name).name).write_bytes(_get(entry["links"]["download"]).content)
    digest = folder_digest(target)
    if digest != task.digest:
        raise DownloadError(
            f"{task.folder} from {parent} has the digest {digest}, not {task.digest}: set BRITANNICA_EVAL_DIR to a"
            " folder whose files you trust"
        )


def _find_folder(parent: str, name: str) -> str:
    for entry in _entries(parent):
        if entry["attributes"]["kind"] == "folder" and entry["attributes"]["name"] == name:
            return str(entry["relationships"]["files"]["links"]["related"]["href"])
    raise DownloadError(f"{parent} lists no folder {name}: set BRITANNICA_EVAL_DIR to a folder with the files")


def _entries(address: str | None) -> Iterator[dict[str, Any]]:
    while address:
        listing = _get(address).json()
        yield from listing["data"]
        address = listing["links"].get("next")


def _get(address: str) -> requests.Response:
    answer = requests.get(address, timeout=TIMEOUT)
    answer.raise_for_status()
    return answer
