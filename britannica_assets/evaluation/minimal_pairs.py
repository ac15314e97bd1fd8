"""Minimal pairs (BLiMP, Warstadt et al. 2020, and BabyLM's supplement): a good and a bad sentence each."""

from collections.abc import Callable
from pathlib import Path

from britannica_assets.evaluation.accuracy import NO_LABEL
from britannica_assets.evaluation.answers import Item
from britannica_assets.evaluation.candidates import Candidate
from britannica_assets.evaluation.evaluation_files import Line, read_lines


def read_blimp(folder: Path) -> list[Item]:
    """BLiMP's files: the UID stands in each line.

    Raises:
        EvaluationDataError: the folder holds no file, or a line is malformed.
    """
    return _read(folder, lambda line: line.label("UID", line.stem))


def read_supplement(folder: Path) -> list[Item]:
    """The files of BabyLM's supplement: the UID is the file's name.

    Raises:
        EvaluationDataError: the folder holds no file, or a line is malformed.
    """
    return _read(folder, lambda line: line.stem)


def _read(folder: Path, uid_of: Callable[[Line], str]) -> list[Item]:
    return [
        Item(
            uid=uid_of(line),
            candidates=(Candidate("", line.text("sentence_good")), Candidate("", line.text("sentence_bad"))),
            origin=line.origin,
            linguistics_term=line.label("linguistics_term", NO_LABEL),
            # The published files write one field in two ways.
            field=line.label("field", NO_LABEL).replace("/", "_"),
        )
        for line in read_lines(folder)
    ]
