"""Train and validation: whole articles by word budget, stable when the corpus changes.

An article's place is drawn by a keyed hash of (seed, volume, title), as in consistent hashing, so that neither its row
nor its neighbours decide. Only the budgets tie articles together: one article more or less, or of another length,
moves words over a budget's end. So that few articles change the split with it, short ones, which are many, are taken
at a rate that a single article hardly changes, whatever its length, and longer ones, which are few, fill the budget up.
"""

import hashlib
from typing import Literal

import numpy as np
import numpy.typing as npt
import polars as pl

# Lengths are multiples of the typical one, `_typical_length`. The tails are those of the eleventh edition; where a
# corpus has others, more or fewer articles are left to fill the budget up.
SHORT, LONG = 10, 230  # an article is short up to the one, and long above the other
SHORT_CAP, SHORT_TAIL = 4, 4.2  # longer ones count as so long in the rate of short ones, and add so much on average
MIDDLE_CAP, MIDDLE_TAIL = 30, 2.1  # the same in the rate of those between short and long
VOLUME_CAP = 120  # longer ones count as so long in the size of their volume
VALIDATION_SHARE = 200  # an article longer than one in so many of validation's words is not drawn for it
TOLERANCE = 1_000  # a budget is full when less than one in so many of its words is left

Rows = npt.NDArray[np.intp]


class BudgetError(ValueError):
    """The corpus is smaller than the words asked of it; the message gives both figures."""


def split_articles(
    articles: pl.DataFrame, *, train_words: int | Literal["all"], validation_words: int, seed: int
) -> pl.DataFrame:
    """Adds the column `split` ("train" or "validation") and keeps, in their order, the articles that are used.

    Words are counted by white space, as BabyLM counts them; neither budget is overrun. Each volume has its share of the
    validation words, and the longest articles are left to train.

    Args:
        articles: `volume`, `title`, `words` and any other columns; title and volume name an article.
        train_words: the words to train on, or all that validation does not take.
        validation_words: the words to validate on.
        seed: another seed draws other articles.

    Raises:
        BudgetError: the corpus holds fewer words than the two budgets together, or no article fits one of them.
    """
    words = articles["words"].to_numpy()
    total = int(words.sum())
    wanted = validation_words + (1 if train_words == "all" else train_words)
    if total < wanted:
        raise BudgetError(
            f"the corpus holds {total:,} words, the track asks for {wanted:,} ({validation_words:,} to validate and"
            f" {'the rest' if train_words == 'all' else f'{train_words:,}'} to train): materialize more volumes or"
            " lower the track's words in the configuration"
        )
    draws = _draws(articles, seed)
    in_validation = np.zeros(len(articles), dtype=bool)
    in_validation[
        _take(_validation_order(articles["volume"], words, draws[:, 0], validation_words), words, validation_words)
    ] = True
    in_train = ~in_validation
    if train_words != "all":
        in_train[:] = False
        in_train[_take(_train_order(words, draws[:, 1], ~in_validation, train_words), words, train_words)] = True
    if not in_train.any() or not in_validation.any():
        raise BudgetError(
            f"no article fits the budgets of {validation_words:,} words to validate and {train_words} to train;"
            f" the shortest of {len(articles):,} has {words.min():,}: raise the budgets"
        )
    split = np.where(in_train, "train", np.where(in_validation, "validation", ""))
    return articles.with_columns(pl.Series("split", split)).filter(pl.col("split") != "")


def _draws(articles: pl.DataFrame, seed: int) -> npt.NDArray[np.float64]:
    """Two numbers in [0, 1) of each article, [articles, 2]: for validation, and for train."""
    digests = b"".join(
        hashlib.blake2b(f"{seed}\0{volume}\0{title}".encode(), digest_size=16).digest()
        for volume, title in articles.select("volume", "title").iter_rows()
    )
    return np.frombuffer(digests, dtype="<u8").reshape(-1, 2) / 2.0**64


def _typical_length(words: npt.NDArray[np.int64]) -> float:
    """The mean of the shorter half: the longest articles do not change it."""
    return float(np.sort(words)[: max(1, len(words) // 2)].mean())


def _rate(budget: float, words: npt.NDArray[np.int64], cap: float, tail: float) -> float:
    """About the budget's share of `words`; one article more, less or longer changes it no more than `cap` words do.

    Lengths above the cap are not summed but taken as known: `tail` words.
    """
    return budget / max(1.0, float(np.minimum(words, cap).sum()) + tail)


def _validation_order(
    volumes: pl.Series, words: npt.NDArray[np.int64], draw: npt.NDArray[np.float64], budget: int
) -> Rows:
    """Rows in the order in which validation takes them: all volumes fill up at the same pace.

    In each volume short articles come first, at the rate of the whole, then longer ones, then the rest of the short
    ones; articles that are too long for validation are missing.
    """
    typical = _typical_length(words)
    short = words <= SHORT * typical
    rate = _rate(budget, words, SHORT_CAP * typical, SHORT_TAIL * len(words) * typical)
    turn = np.where(short, np.where(draw < rate, 0, 2), 1)
    longest = max(budget / VALIDATION_SHARE, SHORT * typical)
    return (
        pl.DataFrame({"volume": volumes, "words": words, "turn": turn, "draw": draw})
        .with_row_index("row")
        .with_columns(size=pl.col("words").clip(upper_bound=VOLUME_CAP * typical).sum().over("volume"))
        .filter(pl.col("words") <= longest)
        .sort("turn", "draw", "words")
        .with_columns(filled=pl.col("words").cum_sum().over("volume") / pl.col("size"))
        .sort("filled", "volume")["row"]
        .to_numpy()
        .astype(np.intp)
    )


def _train_order(
    words: npt.NDArray[np.int64], draw: npt.NDArray[np.float64], free: npt.NDArray[np.bool_], budget: int
) -> Rows:
    """Free rows in the order in which train takes them.

    First short, then longer ones, each at a steady rate; then, the longest first, what is not short; then the rest.
    """
    typical = _typical_length(words)
    short = words <= SHORT * typical
    rate = np.zeros(len(words))
    rate[short] = _rate(budget, words[free], SHORT_CAP * typical, SHORT_TAIL * len(words) * typical)
    left = budget - words[free & short & (draw < rate)].sum()
    middle = ~short & (words <= LONG * typical)
    rate[middle] = _rate(left, words[free & ~short], MIDDLE_CAP * typical, MIDDLE_TAIL * len(words) * typical)
    first = draw < rate
    turn = np.where(first, np.where(short, 0, 1), np.where(short, 3, 2))
    order = np.lexsort((np.where(turn == 2, -words, draw), turn))
    return order[free[order]]


def _take(order: Rows, words: npt.NDArray[np.int64], budget: int) -> Rows:
    """As many of `order`, from its beginning, as fit into `budget` words; one that would overrun it is passed over."""
    taken: list[int] = []
    left = budget
    for row, size in zip(order.tolist(), words[order].tolist(), strict=True):
        if size <= left:
            taken.append(row)
            left -= size
            if left < budget / TOLERANCE:
                break
    return np.array(taken, dtype=np.intp)
