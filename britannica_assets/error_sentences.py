"""Errors as people read them: what happened to which thing, with which value, and the remedy."""

import re

# What the errors of Python, Rust (polars), SQLite and MLflow leave unsaid.
REMEDIES = (
    (
        re.compile(r"Errno 28\b|os error 28\b|disk is full|No space left"),
        "free some space there, or choose a folder on another disk with BRITANNICA_DATA_DIR or BRITANNICA_WORK_DIR",
    ),
    (
        re.compile(r"Errno (?:1|13|30)\b|os error (?:1|13|30)\b|readonly database|unable to open database file"),
        "let this user write there (`ls -ld` shows whose it is), or choose another folder with BRITANNICA_DATA_DIR or"
        " BRITANNICA_WORK_DIR",
    ),
    (
        re.compile(r"Errno (?:17|20)\b|os error (?:17|20)\b"),
        "a file is where a folder should be: move it away, or choose another folder with BRITANNICA_DATA_DIR",
    ),
    (
        re.compile(r"API request to .* failed|Max retries exceeded with url: /api/2\.0/mlflow"),
        "is the MLflow server of MLFLOW_TRACKING_URI up?",
    ),
)
FAULTS = {"AssertionError", "AttributeError", "IndexError", "KeyError", "NameError", "TypeError", "UnboundLocalError"}


def describe_error(kind: str, message: str) -> str:
    """An error's own sentence, with a remedy where one is known; what looks like a fault of ours says so.

    Args:
        kind: the name of the error's class.
        message: what `str` gives of it.
    """
    message = message.strip()
    if kind in FAULTS or not message:
        return f"{kind} {message}: this looks like a fault of britannica_assets; `--debug` shows where"
    return next((f"{message}: {remedy}" for pattern, remedy in REMEDIES if pattern.search(message)), message)
