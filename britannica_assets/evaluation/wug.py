"""Wug tests (Hofmann et al. 2024): does a model prefer the form of an invented word that people prefer?"""

import math
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from britannica_assets.evaluation.accuracy import SCORES_SCHEMA
from britannica_assets.evaluation.answers import Item, answer_items
from britannica_assets.evaluation.candidates import Candidate
from britannica_assets.evaluation.evaluation_files import EvaluationDataError, read_lines
from britannica_assets.evaluation.intervals import correlation_interval
from britannica_assets.evaluation.scorer import Scorer


def wug_scorer(uid: str) -> Scorer[list[Item]]:
    """The scorer of a wug test, whose one group of items is called `uid`."""

    def read(folder: Path) -> list[Item]:
        return read_wug(folder, uid)

    return Scorer(read, answer_items, correlation)


def read_wug(folder: Path, uid: str) -> list[Item]:
    """The forms in their prompts, which a tab divides, with the share of people who chose the first.

    Raises:
        EvaluationDataError: the folder holds no file, or a line is malformed.
    """
    items = []
    for line in read_lines(folder):
        forms = line.text("sentences").split("\t")
        if len(forms) < 2 or not all(form.strip() for form in forms):
            raise line.error("sentences must be forms divided by tabs, none blank")
        ratio = line.content.get("ratio")
        if not isinstance(ratio, int | float) or not 0 <= ratio <= 1:
            raise line.error(f"ratio must be a number from 0 to 1, it is {ratio!r}")
        candidates = tuple(Candidate("", form) for form in forms)
        items.append(Item(uid, candidates, line.origin, target=float(ratio)))
    return items


def correlation(items: Sequence[Item], answers: pl.DataFrame) -> pl.DataFrame:
    """Spearman's correlation, times 100, of the model's share of the first form with people's.

    Returns:
        One row of `SCORES_SCHEMA`.

    Raises:
        EvaluationDataError: people's or the model's shares are all the same, so that nothing correlates.
    """
    from scipy.stats import spearmanr

    scores = pl.col("log_probability")
    shares = (
        answers.with_columns((scores - scores.max().over("uid", "item")).exp().alias("weight"))
        .group_by("uid", "item", maintain_order=True)
        .agg((pl.col("weight").first() / pl.col("weight").sum()).alias("share"), pl.col("target").first())
    )
    if min(shares["share"].n_unique(), shares["target"].n_unique()) < 2:
        raise EvaluationDataError(
            f"{items[0].origin}: the shares of the model or of people are all the same: bring more items"
        )
    rho = float(spearmanr(shares["share"].to_numpy(), shares["target"].to_numpy()).statistic)
    low, high = correlation_interval(rho, len(shares))
    row = {
        "uid": shares["uid"][0],
        "linguistics_term": "",
        "field": "",
        "items": len(shares),
        "beyond_context": 0,
        "score": 100 * rho,
        "low": None if math.isnan(low) else 100 * low,
        "high": None if math.isnan(high) else 100 * high,
    }
    return pl.DataFrame([row], schema=SCORES_SCHEMA)
