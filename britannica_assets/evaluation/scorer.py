"""How a task is scored, in three steps: its data are read, a model answers them, and the answers are measured."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import polars as pl

from britannica_assets.evaluation.accuracy import accuracy_by_group
from britannica_assets.evaluation.answers import Item, answer_items

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

Data = TypeVar("Data")


@dataclass(frozen=True)
class Scorer(Generic[Data]):
    """The three steps of a task.

    `read` makes the data of the task's folder; `answer` lets a model and its tokenizer answer them, rows of
    `ANSWERS_SCHEMA`; `measure` gives the figures that follow from data and answers, rows of `SCORES_SCHEMA`.
    """

    read: Callable[[Path], Data]
    answer: "Callable[[PreTrainedModel, PreTrainedTokenizerBase, Data], pl.DataFrame]"
    measure: Callable[[Data, pl.DataFrame], pl.DataFrame]


@dataclass(frozen=True)
class TaskResult:
    """What a model answered in a task, and its figures: rows of `ANSWERS_SCHEMA` and of `SCORES_SCHEMA`."""

    answers: pl.DataFrame
    scores: pl.DataFrame


def choice_scorer(read: Callable[[Path], list[Item]], *, beyond_context: bool = False) -> Scorer[list[Item]]:
    """The scorer of a task whose items have a right candidate, the first.

    Args:
        read: the task's folder to its items.
        beyond_context: see `answer_items`.
    """

    def answer(model: "PreTrainedModel", tokenizer: "PreTrainedTokenizerBase", items: list[Item]) -> pl.DataFrame:
        return answer_items(model, tokenizer, items, beyond_context=beyond_context)

    return Scorer(read, answer, accuracy_by_group)


def read_all(scorers: Mapping[str, Scorer[Any]], folders: Mapping[str, Path]) -> dict[str, Any]:
    """The data of each task; tasks that read the same folder in the same way share them.

    Raises:
        EvaluationDataError: a folder's files cannot be read.
    """
    read: dict[tuple[object, Path], Any] = {}
    for task, scorer in scorers.items():
        if (scorer.read, folders[task]) not in read:
            read[scorer.read, folders[task]] = scorer.read(folders[task])
    return {task: read[scorer.read, folders[task]] for task, scorer in scorers.items()}


def score_all(
    model: "PreTrainedModel",
    tokenizer: "PreTrainedTokenizerBase",
    scorers: Mapping[str, Scorer[Any]],
    data: Mapping[str, Any],
) -> dict[str, TaskResult]:
    """The result of each task; those that share their data and the way of answering are answered once.

    Raises:
        EvaluationDataError: the data cannot be answered, or nothing can be measured.
        BrokenModelError: the model's logits mean nothing.
    """
    answered: dict[tuple[int, object], pl.DataFrame] = {}
    results = {}
    for task, scorer in scorers.items():
        key = (id(data[task]), scorer.answer)
        if key not in answered:
            answered[key] = scorer.answer(model, tokenizer, data[task])
        results[task] = TaskResult(answered[key], scorer.measure(data[task], answered[key]))
    return results
