"""EWoK (Ivanova et al. 2024): which of two targets follows a context, by domain of world knowledge."""

from pathlib import Path

from britannica_assets.evaluation.answers import Item
from britannica_assets.evaluation.candidates import Candidate
from britannica_assets.evaluation.evaluation_files import read_lines


def read_ewok(folder: Path) -> list[Item]:
    """Both targets given the first context.

    BabyLM's files hold each item twice, the second time with contexts and targets swapped, so that both directions
    count by themselves.

    Raises:
        EvaluationDataError: the folder holds no file, or a line is malformed.
    """
    return [
        Item(
            uid=line.text("Domain"),
            candidates=tuple(Candidate(line.text("Context1"), f" {line.text(key)}") for key in ("Target1", "Target2")),
            origin=line.origin,
        )
        for line in read_lines(folder)
    ]
