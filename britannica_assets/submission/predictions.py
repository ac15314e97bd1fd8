"""A model's answers as BabyLM's predictions: for each UID the items in their order, with what the model chose."""

import math
from collections.abc import Sequence
from typing import Any

import polars as pl

from britannica_assets.evaluation.answers import Item
from britannica_assets.evaluation.reading_times import PREVIOUS_WORDS, WORDS
from britannica_assets.submission.official_layout import OfficialTask

Predictions = dict[str, dict[str, list[dict[str, Any]]]]  # by UID: {"predictions": [{"id", "pred"}]}
NO_ANSWER = ""  # of a text that the model cannot read


def choice_predictions(items: Sequence[Item], answers: pl.DataFrame, official: OfficialTask) -> Predictions:
    """The likeliest candidate's text, of equally likely ones the first; for wug tests also the first one's share.

    Args:
        items: the task's, in the order of its files.
        answers: one model's to them, with the columns of `ANSWERS_SCHEMA`.
        official: the task's layout.

    Raises:
        ValueError: the answers are of other items.
    """
    found: Predictions = {}
    scores = _scores_by_item(answers)
    for item in items:
        predictions = found.setdefault(item.uid, {"predictions": []})["predictions"]
        number = len(predictions)
        values = scores.get((item.uid, number))
        if values is None or len(values) != len(item.candidates):
            raise ValueError(f"{item.origin}: the model's answers are of other items: score it again")
        prediction: dict[str, Any] = {"id": f"{item.uid}_{number}", "pred": _chosen(item, values, official)}
        if item.target is not None:
            prediction["prob"] = _share_of_first(values)
        predictions.append(prediction)
    return found


def _scores_by_item(answers: pl.DataFrame) -> dict[tuple[str, int], list[float | None]]:
    grouped = answers.sort("uid", "item", "candidate").group_by("uid", "item", maintain_order=True)
    return {
        (row["uid"], row["item"]): row["log_probability"]
        for row in grouped.agg("log_probability").iter_rows(named=True)
    }


def _chosen(item: Item, values: Sequence[float | None], official: OfficialTask) -> str:
    if None in values:
        return NO_ANSWER
    candidate = item.candidates[_likeliest(values)]
    return candidate.text if official.whole_text else candidate.completion


def _likeliest(values: Sequence[float | None]) -> int:
    """The place of the highest value, of equal ones the first."""
    known = [-math.inf if value is None else value for value in values]
    return known.index(max(known))


def _share_of_first(values: Sequence[float | None]) -> float:
    known = [value for value in values if value is not None]
    if len(known) < len(values):
        return math.nan
    largest = max(known)
    return math.exp(known[0] - largest) / sum(math.exp(value - largest) for value in known)


def reading_predictions(answers: pl.DataFrame) -> Predictions:
    """Each word's surprisal, and that of the word before it, NaN where there is none, as the pipeline writes them."""
    surprisals = {
        (uid, item): math.nan if value is None else -value
        for uid, item, value in answers.select("uid", "item", "log_probability").iter_rows()
    }
    words = sorted(item for uid, item in surprisals if uid == WORDS)
    rows = [
        {"id": item, "pred": surprisals[WORDS, item], "prev_pred": surprisals.get((PREVIOUS_WORDS, item), math.nan)}
        for item in words
    ]
    return {"reading": {"predictions": rows}}


def label_predictions(answers: pl.DataFrame, name: str) -> Predictions:
    """The likeliest label of each item of one fine-tuned task, a number."""
    scores = _scores_by_item(answers.filter(pl.col("uid") == name))
    rows = [{"id": f"{uid}_{item}", "pred": _likeliest(values)} for (uid, item), values in sorted(scores.items())]
    return {name: {"predictions": rows}} if rows else {}
