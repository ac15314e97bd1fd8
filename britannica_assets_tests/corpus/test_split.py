"""Splitting keeps articles whole, budgets kept, volumes and lengths in their shares."""

import numpy as np
import polars as pl
import pytest

from britannica_assets.corpus.split import BudgetError, split_articles


def corpus(articles: int = 4_000) -> pl.DataFrame:
    random = np.random.default_rng(7)
    return pl.DataFrame(
        {
            "volume": random.integers(1, 5, articles),
            "title": [f"Article {number}" for number in range(articles)],
            "words": np.exp(random.normal(5, 1, articles)).astype(int) + 10,
        }
    )


def test_budgets_are_kept_nearly_to_the_word() -> None:
    split = split_articles(corpus(), train_words=400_000, validation_words=50_000, seed=1)
    words = dict(split.group_by("split").agg(pl.col("words").sum()).rows())
    assert 399_900 < words["train"] <= 400_000
    assert 49_900 < words["validation"] <= 50_000
    assert split["title"].is_unique().all()


def test_all_the_rest_trains() -> None:
    split = split_articles(corpus(), train_words="all", validation_words=50_000, seed=1)
    assert split.drop("split").equals(corpus())


def test_validation_resembles_the_whole() -> None:
    split = split_articles(corpus(), train_words="all", validation_words=100_000, seed=1)
    validation = split.filter(pl.col("split") == "validation")
    for volume in range(1, 5):
        share = (validation["volume"] == volume).mean()
        assert share == pytest.approx((split["volume"] == volume).mean(), abs=0.02)
    assert np.log(validation["words"]).mean() == pytest.approx(np.log(split["words"]).mean(), abs=0.1)


def test_the_seed_decides() -> None:
    first, again, other = (
        split_articles(corpus(), train_words="all", validation_words=50_000, seed=seed) for seed in (1, 1, 2)
    )
    assert first.equals(again)
    assert not first.equals(other)


def test_too_small_a_corpus_is_told_with_both_figures() -> None:
    small = corpus(100)
    total = f"{small['words'].sum():,}"
    with pytest.raises(BudgetError, match=f"holds {total} words, the track asks for 12,000,000"):
        split_articles(small, train_words=10_000_000, validation_words=2_000_000, seed=1)
