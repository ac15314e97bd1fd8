"""Train and validation: whole articles, by word budget, balanced over volumes and lengths, in linear time."""

from typing import Literal

import numpy as np
import polars as pl


class BudgetError(ValueError):
    """The corpus is smaller than the words asked of it; the message gives both figures."""


def split_articles(
    articles: pl.DataFrame, *, train_words: int | Literal["all"], validation_words: int, seed: int
) -> pl.DataFrame:
    """Adds the column `split` ("train" or "validation") and keeps, in their order, the articles that are used.

    Words are counted by white space, as BabyLM counts them. Articles of each volume and length class are shuffled and
    dealt out evenly over one order, so that every stretch of that order resembles the whole; validation is its
    beginning, train what follows. An article that would overrun its budget is passed over.

    Raises:
        BudgetError: the corpus holds fewer words than the two budgets together.
    """
    total = int(articles["words"].sum())
    wanted = validation_words + (1 if train_words == "all" else train_words)
    if total < wanted:
        raise BudgetError(
            f"the corpus holds {total:,} words, the track asks for {wanted:,} ({validation_words:,} to validate and"
            f" {'the rest' if train_words == 'all' else f'{train_words:,}'} to train): materialize more volumes or"
            " lower the track's words in the configuration"
        )
    order = _balanced_order(articles, seed)
    words = articles["words"].to_numpy()
    validation, rest = _take(order, words, validation_words)
    train = rest if train_words == "all" else _take(rest, words, train_words)[0]
    if len(train) == 0 or len(validation) == 0:
        raise BudgetError(
            f"no article fits the budgets of {validation_words:,} words to validate and {train_words} to train;"
            f" the shortest of {len(articles):,} has {words.min():,}: raise the budgets"
        )
    split = np.full(len(articles), None, dtype=object)
    split[train], split[validation] = "train", "validation"
    return articles.with_columns(pl.Series("split", split.tolist(), dtype=pl.String)).filter(
        pl.col("split").is_not_null()
    )


def _balanced_order(articles: pl.DataFrame, seed: int) -> np.ndarray:
    """Row numbers in an order whose every stretch holds each volume and length class in its due share."""
    random = np.random.default_rng(seed)
    place = (
        articles.select(
            "volume",
            pl.col("words").log().floor().alias("length_class"),
            pl.Series("draw", random.random(len(articles))),
        )
        .with_columns(
            ((pl.col("draw").rank("ordinal") - pl.col("draw")) / pl.len())
            .over("volume", "length_class")
            .alias("place"),
        )["place"]
        .to_numpy()
    )
    return np.argsort(place, kind="stable")


def _take(order: np.ndarray, words: np.ndarray, budget: int) -> tuple[np.ndarray, np.ndarray]:
    """As many of `order`, from its beginning, as fit into `budget` words, and the others."""
    taken = np.zeros(len(order), dtype=bool)
    left = budget
    for place, row in enumerate(order):
        if words[row] <= left:
            taken[place] = True
            left -= words[row]
        if left == 0:
            break
    return order[taken], order[~taken]
