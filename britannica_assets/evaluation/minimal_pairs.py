"""Minimal pairs: how often a model finds the good sentence of a pair more probable than the bad one.

Scored as the BabyLM 2025 pipeline scores causal models: the log-probability of a sentence is the sum over every token
after the first of `tokenizer(sentence)`. The project's tokenizer puts `<s>` before each text, so that the first word
is scored too. A tie counts as wrong.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import polars as pl

from britannica_assets.evaluation.log_likelihood import log_probabilities

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

RESAMPLES = 1_000
INTERVAL = 0.95
NO_LABEL = "supplement"  # the field and term of files that name none, as BLiMP's supplement

SCORES_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "uid": pl.String,
    "linguistics_term": pl.String,
    "field": pl.String,
    "pairs": pl.Int32,
    "accuracy": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
}


class PairsError(ValueError):
    """The files of minimal pairs cannot be used; the message names file and line."""


@dataclass(frozen=True)
class Paradigm:
    """One file of pairs (good, bad), all of one UID: what BLiMP (Warstadt et al. 2020) calls a paradigm."""

    uid: str
    linguistics_term: str
    field: str
    pairs: tuple[tuple[str, str], ...]


def score_minimal_pairs(
    model: "PreTrainedModel", tokenizer: "PreTrainedTokenizerBase", folder: Path, random: np.random.Generator
) -> pl.DataFrame:
    """Reads and scores the paradigms in `folder`, see `read_paradigms` and `score_paradigms`."""
    return score_paradigms(model, tokenizer, read_paradigms(folder), random)


def read_paradigms(folder: Path) -> list[Paradigm]:
    """Reads `*.jsonl` in `folder`, in the order of their names.

    Raises:
        PairsError: the folder is missing or empty, or a line is malformed.
    """
    files = sorted(folder.glob("*.jsonl"))
    if not files:
        raise PairsError(
            f"{folder} holds no .jsonl file: set BRITANNICA_EVAL_DIR to a folder that has {folder.name} with files of"
            " minimal pairs"
        )
    return [_read_file(file) for file in files]


def _read_file(file: Path) -> Paradigm:
    pairs = []
    first: dict[str, Any] = {}
    # Split at line feeds alone: a sentence may hold other characters that Python takes for line ends.
    for number, line in enumerate(file.read_text(encoding="utf-8").split("\n"), 1):
        if not line.strip():
            continue
        try:
            pair = json.loads(line)
            good, bad = pair["sentence_good"], pair["sentence_bad"]
        except (ValueError, KeyError, TypeError) as error:
            raise PairsError(f"{file}, line {number}: no minimal pair ({error!r}): {line[:80]!r}") from error
        if not (isinstance(good, str) and good and isinstance(bad, str) and bad):
            raise PairsError(f"{file}, line {number}: sentence_good and sentence_bad must be texts: {line[:80]!r}")
        first = first or pair
        pairs.append((good, bad))
    if not pairs:
        raise PairsError(f"{file} holds no pair")
    return Paradigm(
        uid=first.get("UID", file.stem),
        linguistics_term=first.get("linguistics_term", NO_LABEL),
        # The published files write one field in two ways.
        field=first.get("field", NO_LABEL).replace("/", "_"),
        pairs=tuple(pairs),
    )


def score_paradigms(
    model: "PreTrainedModel",
    tokenizer: "PreTrainedTokenizerBase",
    paradigms: Sequence[Paradigm],
    random: np.random.Generator,
) -> pl.DataFrame:
    """Accuracy of `model` on each paradigm, with its 95 % interval by bootstrap over pairs.

    Returns:
        A row a paradigm, with the columns of `SCORES_SCHEMA`.
    """
    sentences = [sentence for paradigm in paradigms for pair in paradigm.pairs for sentence in pair]
    scores = log_probabilities(model, tokenizer, sentences).reshape(-1, 2)
    rows, begin = [], 0
    for paradigm in paradigms:
        number = len(paradigm.pairs)
        right = scores[begin : begin + number, 0] > scores[begin : begin + number, 1]
        begin += number
        low, high = bootstrap_interval(right, random)
        rows.append(
            {
                "uid": paradigm.uid,
                "linguistics_term": paradigm.linguistics_term,
                "field": paradigm.field,
                "pairs": number,
                "accuracy": float(right.mean()),
                "low": low,
                "high": high,
            }
        )
    return pl.DataFrame(rows, schema=SCORES_SCHEMA)


def bootstrap_interval(right: npt.NDArray[np.bool_], random: np.random.Generator) -> tuple[float, float]:
    """The percentile interval of the share of `right` over resampled pairs (Efron 1979).

    A resample's count of right pairs is binomial, so it is drawn as such.
    """
    counts = random.binomial(len(right), right.mean(), size=RESAMPLES)
    low, high = np.quantile(counts / len(right), [(1 - INTERVAL) / 2, (1 + INTERVAL) / 2])
    return float(low), float(high)


def accuracy_by(scores: pl.DataFrame, grouping: str) -> pl.DataFrame:
    """Accuracy (0 to 1) by "field" or "linguistics_term" of the paradigms that have one, the mean over its UIDs.

    Args:
        scores: with the columns of `SCORES_SCHEMA`, and `model`.
        grouping: the column.

    Returns:
        A row a group, in order: `grouping`, paradigms (its UIDs), and a column a model.
    """
    return (
        scores.filter(pl.col("field") != NO_LABEL)
        .group_by(grouping, "model", maintain_order=True)
        .agg(pl.len().alias("paradigms"), pl.col("accuracy").mean())
        .pivot("model", index=[grouping, "paradigms"], values="accuracy")
        .sort(grouping)
    )


def task_averages(scores: pl.DataFrame) -> dict[str, float]:
    """The mean accuracy over UIDs of each task, which the BabyLM challenge reports."""
    return dict(scores.group_by("task").agg(pl.col("accuracy").mean()).sort("task").iter_rows())
