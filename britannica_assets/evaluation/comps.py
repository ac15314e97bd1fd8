"""COMPS (Misra et al. 2023): which of two concepts a property is true of."""

from pathlib import Path

from britannica_assets.evaluation.answers import Item
from britannica_assets.evaluation.candidates import Candidate
from britannica_assets.evaluation.evaluation_files import read_lines


def read_comps(folder: Path) -> list[Item]:
    """The same property given either concept, grouped by file.

    Raises:
        EvaluationDataError: the folder holds no file, or a line is malformed.
    """
    return [
        Item(
            uid=line.stem.removeprefix("comps_").replace("-", "_"),
            candidates=tuple(
                Candidate(f"{line.text(key)} ", line.text("property_phrase"))
                for key in ("prefix_acceptable", "prefix_unacceptable")
            ),
            origin=line.origin,
        )
        for line in read_lines(folder)
    ]
