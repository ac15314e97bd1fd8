"""What the checkpoints by words seen are scored on: BabyLM's fast sets where they are there, else a fixed sample.

The fast sets are looked for beside the full ones (`blimp_fast/` in the evaluation data), and in `fast_eval/` beside
their folder, as in BabyLM's download.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from britannica_assets.digests import json_digest, short_digest
from britannica_assets.evaluation.answers import Item
from britannica_assets.evaluation.evaluation_data import TaskData, find_evaluation_data
from britannica_assets.evaluation.evaluation_files import data_digest, file_digests
from britannica_assets.evaluation.scorer import read_all
from britannica_assets.evaluation.tasks import EvaluationTask
from britannica_assets.settings import Settings

FAST_PARENT = "fast_eval"


@dataclass(frozen=True)
class FastSets:
    """By task its files, of which digest and source say what was taken, and its data; why other tasks have none.

    `official` names the tasks whose files are those of a fast set, which alone count for a submission.
    """

    files: dict[str, TaskData]
    data: dict[str, Any]
    official: frozenset[str]
    missing: dict[str, str]


def read_fast_sets(settings: Settings, tasks: Sequence[EvaluationTask]) -> FastSets:
    """The fast set of each task that has one and whose files are there.

    Raises:
        EvaluationDataError: the folder of a task that is not optional is missing, or files cannot be read.
        DownloadError: the public data of a task that is not optional cannot be had.
    """
    by_name = {task.name: task for task in tasks if task.fast is not None}
    full = find_evaluation_data(settings, list(by_name.values()))
    present = {name: by_name[name] for name in full.tasks}
    files = {name: _fast_files(task, full.tasks[name]) for name, task in present.items()}
    data = read_all(
        {name: task.scorer for name, task in present.items()}, {name: found.folder for name, found in files.items()}
    )
    for name, task in present.items():
        if files[name] == full.tasks[name] and task.fast is not None and task.fast.items is not None:
            files[name], data[name] = _sampled(files[name], data[name], task.fast.items)
    official = frozenset(
        name for name, task in present.items() if task.fast and files[name].folder.name == task.fast.folder
    )
    return FastSets(files, data, official, full.missing)


def _fast_files(task: EvaluationTask, full: TaskData) -> TaskData:
    """The task's fast files, or the full ones where there are none."""
    if task.fast is None or task.fast.folder == task.folder:
        return full
    for folder in (full.folder.with_name(task.fast.folder), full.folder.parent.parent / FAST_PARENT / task.fast.folder):
        if folder.is_dir():
            digest = data_digest(file_digests(folder, task.suffix))
            return TaskData(folder, digest, f"{task.fast.folder} ({short_digest(digest)})")
    return full


def _sampled(files: TaskData, items: list[Item], number: int) -> tuple[TaskData, list[Item]]:
    sample = sample_items(items, number)
    if len(sample) == len(items):
        return files, items
    digest = json_digest({"files": files.digest, "items": number})
    return TaskData(files.folder, digest, f"{number} items a group of {files.source}"), sample


def sample_items(items: Sequence[Item], number: int) -> list[Item]:
    """At most so many items of each group (UID), always the same ones, in their order."""
    groups: dict[str, list[int]] = {}
    for place, item in enumerate(items):
        groups.setdefault(item.uid, []).append(place)
    kept = {place for uid, places in groups.items() for place in _lowest(uid, places, number)}
    return [item for place, item in enumerate(items) if place in kept]


def _lowest(uid: str, places: Sequence[int], number: int) -> list[int]:
    """Those whose number within the group has the lowest digest: a draw that no library decides."""

    def rank(within: int) -> bytes:
        return hashlib.sha256(f"{uid} {within}".encode()).digest()

    return [places[within] for within in sorted(range(len(places)), key=rank)[:number]]
