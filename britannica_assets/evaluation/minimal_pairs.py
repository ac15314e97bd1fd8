"""BLiMP and its supplement: how often a model finds the good sentence of a minimal pair more probable than the bad.

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

SUITES = {"blimp": "blimp_filtered", "supplement": "supplement_filtered"}
RESAMPLES = 1_000
INTERVAL = 0.95

SCORES_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "suite": pl.String,
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
class Phenomenon:
    """One file of pairs, all of one UID: (good, bad)."""

    suite: str
    uid: str
    linguistics_term: str
    field: str
    pairs: tuple[tuple[str, str], ...]


def read_phenomena(folder: Path) -> list[Phenomenon]:
    """Reads `blimp_filtered/*.jsonl` and `supplement_filtered/*.jsonl`, in the order of their names.

    Raises:
        PairsError: a folder is missing or empty, or a line is malformed.
    """
    phenomena = []
    for suite, name in SUITES.items():
        files = sorted((folder / name).glob("*.jsonl"))
        if not files:
            raise PairsError(
                f"{folder / name} holds no .jsonl file: set BRITANNICA_EVAL_DIR to a folder with"
                f" {' and '.join(SUITES.values())}"
            )
        phenomena += [_read_file(suite, file) for file in files]
    return phenomena


def _read_file(suite: str, file: Path) -> Phenomenon:
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
    return Phenomenon(
        suite=suite,
        uid=first.get("UID", file.stem),
        linguistics_term=first.get("linguistics_term", "supplement"),
        # The published files write one field in two ways.
        field=first.get("field", "supplement").replace("/", "_"),
        pairs=tuple(pairs),
    )


def score_phenomena(
    model: "PreTrainedModel", tokenizer: "PreTrainedTokenizerBase", phenomena: Sequence[Phenomenon], *, seed: int
) -> pl.DataFrame:
    """Accuracy of `model` on each phenomenon, with its 95 % interval by bootstrap over pairs.

    Returns:
        A row a phenomenon, with the columns of `SCORES_SCHEMA`.
    """
    sentences = [sentence for phenomenon in phenomena for pair in phenomenon.pairs for sentence in pair]
    scores = log_probabilities(model, tokenizer, sentences).reshape(-1, 2)
    random = np.random.default_rng(seed)
    rows, begin = [], 0
    for phenomenon in phenomena:
        number = len(phenomenon.pairs)
        right = scores[begin : begin + number, 0] > scores[begin : begin + number, 1]
        begin += number
        low, high = bootstrap_interval(right, random)
        rows.append(
            {
                "suite": phenomenon.suite,
                "uid": phenomenon.uid,
                "linguistics_term": phenomenon.linguistics_term,
                "field": phenomenon.field,
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
    """Accuracy (0 to 1) on BLiMP by "field" or "linguistics_term", the mean over its UIDs; the supplement has neither.

    Args:
        scores: with the columns of `SCORES_SCHEMA`, and `model`.
        grouping: the column.

    Returns:
        A row a group, in order: `grouping`, phenomena (its UIDs), and a column a model.
    """
    return (
        scores.filter(pl.col("suite") == "blimp")
        .group_by(grouping, "model", maintain_order=True)
        .agg(pl.len().alias("phenomena"), pl.col("accuracy").mean())
        .pivot("model", index=[grouping, "phenomena"], values="accuracy")
        .sort(grouping)
    )


def suite_averages(scores: pl.DataFrame) -> dict[str, float]:
    """The mean accuracy over UIDs of each suite, which the BabyLM challenge reports."""
    return dict(scores.group_by("suite").agg(pl.col("accuracy").mean()).sort("suite").iter_rows())
