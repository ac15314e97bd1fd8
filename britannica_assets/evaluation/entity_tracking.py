"""Entity tracking (Kim and Schuster 2023): what a box holds after some operations, a choice of five."""

from pathlib import Path

from britannica_assets.evaluation.answers import Item
from britannica_assets.evaluation.candidates import Candidate
from britannica_assets.evaluation.evaluation_files import read_lines


def read_entity_tracking(folder: Path) -> list[Item]:
    """Each option given the text before it, grouped by file and number of operations.

    Raises:
        EvaluationDataError: the folder holds no file, or a line is malformed.
    """
    items = []
    for line in read_lines(folder):
        operations = line.content.get("numops")
        if not isinstance(operations, int) or isinstance(operations, bool):
            raise line.error(f"numops must be a whole number, it is {operations!r}")
        prefix = line.text("input_prefix")
        items.append(
            Item(
                uid=f"{line.stem}_{operations}_ops",
                candidates=tuple(Candidate(prefix, option) for option in line.texts("options")),
                origin=line.origin,
                field=line.stem,
            )
        )
    return items
