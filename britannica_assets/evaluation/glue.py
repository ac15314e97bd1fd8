"""(Super)GLUE (Wang et al. 2018, 2019) as BabyLM has it: seven tasks of pairs of texts, to fine-tune on."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from britannica_assets.evaluation.accuracy import SCORES_SCHEMA
from britannica_assets.evaluation.evaluation_files import EvaluationDataError, Line, read_lines
from britannica_assets.evaluation.intervals import wilson_interval

SPLITS = ("train", "valid")


@dataclass(frozen=True)
class GlueTask:
    """A task's texts as templates of a line's keys, and how the pipeline trains on it; `f1` chooses the best epoch."""

    first: str
    second: str
    labels: int = 2
    batch_size: int = 32
    epochs: int = 10
    f1: bool = False


GLUE_TASKS = {
    "boolq": GlueTask("{question}", "{passage}", batch_size=16),
    "mnli": GlueTask("{premise}", "{hypothesis}", labels=3),
    "mrpc": GlueTask("{sentence1}", "{sentence2}", f1=True),
    "multirc": GlueTask("Question: {question} Answer: {answer}", "{paragraph}", batch_size=16),
    "qqp": GlueTask("{question1}", "{question2}", f1=True),
    "rte": GlueTask("{sentence1}", "{sentence2}"),
    "wsc": GlueTask('Does "{span2_text}" refer to "{span1_text}" in this passage?', "{text}", epochs=30),
}


@dataclass(frozen=True)
class LabelledPairs:
    """Texts in pairs with their labels, in the order of the file."""

    first: list[str] = field(default_factory=list)
    second: list[str] = field(default_factory=list)
    labels: list[int] = field(default_factory=list)


GlueData = dict[str, dict[str, LabelledPairs]]  # by task and split


def read_glue(folder: Path) -> GlueData:
    """The tasks whose files `TASK.train.jsonl` and `TASK.valid.jsonl` are there; other files are passed over.

    Raises:
        EvaluationDataError: no task is there, one of its two files is missing, or a line is malformed.
    """
    data: GlueData = {}
    for line in read_lines(folder):
        name, _, split = line.stem.rpartition(".")
        if name in GLUE_TASKS and split in SPLITS:
            _add(data.setdefault(name, {}).setdefault(split, LabelledPairs()), GLUE_TASKS[name], line)
    if not data:
        raise EvaluationDataError(f"{folder} holds none of {', '.join(GLUE_TASKS)}: bring TASK.train.jsonl and .valid")
    for name, splits in data.items():
        for split in SPLITS:
            if split not in splits:
                raise EvaluationDataError(f"{folder} holds no {name}.{split}.jsonl: bring it, or remove the other")
    return {name: data[name] for name in GLUE_TASKS if name in data}


def _add(pairs: LabelledPairs, task: GlueTask, line: Line) -> None:
    label = line.content.get("label")
    if not isinstance(label, int) or isinstance(label, bool) or not 0 <= label < task.labels:
        raise line.error(f"label must be a whole number below {task.labels}, it is {label!r}")
    pairs.first.append(task.first.format_map(_Texts(line)))
    pairs.second.append(task.second.format_map(_Texts(line)))
    pairs.labels.append(label)


class _Texts(dict[str, str]):
    """The texts of a line by key; one that is missing is an error that names file and line."""

    def __init__(self, line: Line) -> None:
        super().__init__()
        self.line = line

    def __missing__(self, key: str) -> str:
        return self.line.text(key)


def glue_accuracy(data: Mapping[str, object], answers: pl.DataFrame) -> pl.DataFrame:
    """Accuracy by task: how often the likeliest label is the right one, which is the answers' `target`.

    Returns:
        Rows of `SCORES_SCHEMA`.
    """
    chosen = pl.col("candidate").sort_by("log_probability", descending=True, maintain_order=True).first()
    by_item = answers.group_by("uid", "item", maintain_order=True).agg(
        chosen.cast(pl.Float64).alias("chosen"), pl.col("target").first()
    )
    rows = []
    for (uid,), items in by_item.partition_by("uid", as_dict=True, maintain_order=True).items():
        right = int((items["chosen"] == items["target"]).sum())
        low, high = wilson_interval(right, len(items))
        accuracy = right / len(items)
        figures = {
            "accuracy": accuracy,
            "official_accuracy": accuracy,
            "score": 100 * accuracy,
            "low": low,
            "high": high,
        }
        labels = {"uid": uid, "linguistics_term": "", "field": ""}
        rows.append({**labels, "items": len(items), "ties": 0, "beyond_context": 0, **figures})
    return pl.DataFrame(rows, schema=SCORES_SCHEMA)
