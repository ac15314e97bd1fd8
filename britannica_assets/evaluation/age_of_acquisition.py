"""Words in the contexts in which children hear them (Chang and Bergen 2022): what BabyLM's age of acquisition needs.

The pipeline fits each word's surprisal over the checkpoints and compares with the age at which children know it; the
surprisals are what is handed in.
"""

import json
from pathlib import Path

from britannica_assets.evaluation.answers import Item
from britannica_assets.evaluation.candidates import Candidate
from britannica_assets.evaluation.evaluation_data import evaluation_folder
from britannica_assets.evaluation.evaluation_files import EvaluationDataError, read_text
from britannica_assets.settings import Settings

AGE_OF_ACQUISITION = "age_of_acquisition"  # the task's name among the answers of checkpoints
FILE = "cdi_childes/cdi_childes.json"  # below the evaluation data


def find_contexts(settings: Settings) -> Path | None:
    """The file of words with contexts; None where it is not there."""
    file = evaluation_folder(settings) / FILE
    return file if file.is_file() else None


def read_contexts(file: Path) -> list[Item]:
    """Each context with its word, which is the UID; words of one letter are left out, as in the pipeline.

    Raises:
        EvaluationDataError: the file is not of the form word → list of objects with `context`.
    """
    try:
        content = json.loads(read_text(file))
        pairs = [(word, entry["context"].strip()) for word, entries in content.items() for entry in entries]
        return [
            Item(word, (Candidate(f"{context} ", word.strip()),), f"{file}, {word!r}")
            for word, context in pairs
            if len(word) > 1
        ]
    except (ValueError, AttributeError, TypeError, KeyError) as error:
        raise EvaluationDataError(f"{file}: no lists of objects with `context` by word ({error!r})") from error
