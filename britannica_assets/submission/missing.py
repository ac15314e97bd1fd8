"""What a results folder lacks before BabyLM's collation takes it: every file, every UID, each with its number of items.

Collation itself passes over a UID that is missing and stops at one that it does not know; both are named here.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from britannica_assets.submission.official_layout import (
    AOA_FILE,
    MAIN,
    OFFICIAL_TASKS,
    PREDICTIONS_FILE,
    OfficialTask,
    expected_contexts,
    expected_items,
)

SHOWN = 3  # names of a list


@dataclass(frozen=True)
class MissingPart:
    """A part of a submission, what is wrong with it, and what is to be done."""

    part: str
    reason: str


def missing_parts(
    folder: Path, checkpoints: Sequence[str], reasons: Mapping[str, str], track: str
) -> list[MissingPart]:
    """The parts that are missing or not of the size that collation asks for; none for a whole submission.

    Args:
        folder: one model's results.
        checkpoints: the names of the revisions that the track asks for.
        reasons: why predictions were not written, see `write_results`.
        track: named in what is to be done.
    """
    return [
        *_missing_predictions(folder, reasons, track),
        *_missing_checkpoints(folder, checkpoints, reasons, track),
        *_missing_aoa(folder, checkpoints, reasons, track),
    ]


def _missing_predictions(folder: Path, reasons: Mapping[str, str], track: str) -> Iterator[MissingPart]:
    for official in OFFICIAL_TASKS:
        file = folder / MAIN / official.folder / PREDICTIONS_FILE
        if file.is_file():
            wrong = _wrong_sizes(official, file, fast=False)
            if wrong:
                yield MissingPart(official.key, wrong)
        else:
            what = f"bring its files in BRITANNICA_EVAL_DIR and run `britannica score {track}`"
            yield MissingPart(official.key, f"no predictions: {reasons.get(official.key, what)}")


def _missing_checkpoints(
    folder: Path, checkpoints: Sequence[str], reasons: Mapping[str, str], track: str
) -> Iterator[MissingPart]:
    absent = [name for name in checkpoints if not (folder / name).is_dir()]
    if absent:
        yield MissingPart(
            "checkpoints",
            f"{len(absent)} of {len(checkpoints)} have no predictions on the fast sets ({_some(absent)}): train until"
            f" they are reached, bring the fast sets, and run `britannica score {track}`",
        )
    for official in OFFICIAL_TASKS:
        if not official.fast_folder:
            continue
        files = {name: folder / name / official.fast_folder / PREDICTIONS_FILE for name in checkpoints}
        lacking = [name for name, file in files.items() if not file.is_file() and name not in absent]
        reason = reasons.get(f"fast {official.key}")
        if lacking or (reason and len(absent) == len(checkpoints)):
            found = f"no predictions at {_some(lacking or absent)}: {reason or 'score them again'}"
            yield MissingPart(f"fast {official.key}", found)
        wrong = {name: _wrong_sizes(official, file, fast=True) for name, file in files.items() if file.is_file()}
        for sentence in dict.fromkeys(sentence for sentence in wrong.values() if sentence):
            yield MissingPart(f"fast {official.key}", sentence)


def _wrong_sizes(official: OfficialTask, file: Path, *, fast: bool) -> str:
    """How the UIDs and numbers of items differ from those that collation asks for; "" where they do not."""
    expected = expected_items(fast=fast)[official.key]
    content = json.loads(file.read_text(encoding="utf-8"))
    found = {uid.lower(): len(predictions["predictions"]) for uid, predictions in content.items()}
    known = {uid: number for uid, number in found.items() if uid in expected and number != expected[uid]}
    parts = [
        ("are missing", [uid for uid in expected if uid not in found]),
        ("are none of BabyLM's", [uid for uid in found if uid not in expected]),
        ("have another number of items", [f"{uid} {number}, not {expected[uid]}" for uid, number in known.items()]),
    ]
    return "; ".join(f"{len(names)} UIDs {what} ({_some(names)})" for what, names in parts if names)


def _missing_aoa(
    folder: Path, checkpoints: Sequence[str], reasons: Mapping[str, str], track: str
) -> Iterator[MissingPart]:
    what = f"bring cdi_childes in BRITANNICA_EVAL_DIR and run `britannica score {track}`"
    file = folder / MAIN / AOA_FILE
    if not file.is_file():
        yield MissingPart("aoa", f"no surprisals: {reasons.get('aoa', what)}")
        return
    steps = [row["step"] for row in json.loads(file.read_text(encoding="utf-8"))["results"]]
    wrong = {name: steps.count(name) for name in checkpoints if steps.count(name) != expected_contexts()}
    if wrong:
        numbers = [f"{name} {number}" for name, number in wrong.items()]
        yield MissingPart("aoa", f"not {expected_contexts()} surprisals at {len(wrong)} checkpoints ({_some(numbers)})")


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(names[:SHOWN])
    return shown if len(names) <= SHOWN else f"{shown} … {names[-1]}"
