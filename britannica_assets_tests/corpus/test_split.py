"""Splitting keeps articles whole, budgets kept, volumes in their shares, and stands still when an article changes."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from britannica_assets.corpus.split import BudgetError, split_articles

TRAIN, VALIDATION = 10_000_000, 2_000_000


def corpus(articles: int = 14_000) -> pl.DataFrame:
    """Lengths as the eleventh edition has them: half of them short, a twenty-fifth with half of the words."""
    random = np.random.default_rng(7)
    lengths = np.exp(random.normal(5.7, 1.1, articles))
    long = random.random(articles) < 0.04
    lengths[long] = np.exp(random.normal(9.1, 1, long.sum()))
    return pl.DataFrame(
        {
            "volume": random.integers(1, 14, articles),
            "title": [f"Article {number}" for number in range(articles)],
            "words": lengths.astype(int).clip(10, 160_000),
        }
    )


CORPUS = corpus()


def words_of(articles: pl.DataFrame) -> int:
    return int(articles["words"].sum())


def split_by_title(articles: pl.DataFrame, seed: int = 1) -> dict[str, str]:
    split = split_articles(articles, train_words=TRAIN, validation_words=VALIDATION, seed=seed)
    return dict(split.select("title", "split").rows())


def moved(articles: pl.DataFrame, but: str, seed: int = 1) -> int:
    """How many articles, but for the one that was changed, are of another split than before."""
    before, after = split_by_title(CORPUS, seed), split_by_title(articles, seed)
    titles = (before.keys() | after.keys()) - {but, f"{but} (again)"}
    return sum(before.get(title) != after.get(title) for title in titles)


@pytest.mark.parametrize("seed", range(8))
def test_budgets_are_kept_and_every_volume_has_its_share(seed: int) -> None:
    split = split_articles(CORPUS, train_words=TRAIN, validation_words=VALIDATION, seed=seed)
    words = dict(split.group_by("split").agg(pl.col("words").sum()).rows())
    assert 0.999 * TRAIN <= words["train"] <= TRAIN
    assert 0.999 * VALIDATION <= words["validation"] <= VALIDATION
    assert split["title"].is_unique().all()
    validation = split.filter(pl.col("split") == "validation")
    for volume in range(1, 14):
        share = words_of(validation.filter(volume=volume)) / words_of(validation)
        assert share == pytest.approx(words_of(CORPUS.filter(volume=volume)) / words_of(CORPUS), rel=0.2)
    assert words_of(validation.top_k(10, by="words")) < 0.2 * VALIDATION
    assert set(CORPUS.top_k(5, by="words")["title"]) <= set(split.filter(pl.col("split") == "train")["title"])


def test_rows_do_not_matter() -> None:
    assert split_by_title(CORPUS.sample(fraction=1, shuffle=True, seed=3)) == split_by_title(CORPUS)


@settings(deadline=None, max_examples=8)
@given(st.integers(0, len(CORPUS) - 1) | st.sampled_from(CORPUS["words"].arg_sort(descending=True).head(500).to_list()))
def test_one_article_moves_few_others(row: int) -> None:
    title, changed = CORPUS["title"][row], pl.int_range(pl.len()) == row
    again = CORPUS[row].with_columns(title=pl.lit(f"{title} (again)"))
    assert moved(CORPUS.filter(~changed), title) <= 12
    assert moved(pl.concat([again, CORPUS]), title) <= 12
    assert moved(CORPUS.with_columns(words=pl.when(changed).then(2 * pl.col("words")).otherwise("words")), title) <= 12
    assert moved(pl.concat([CORPUS.filter(~changed), again]), title) <= 12


def test_all_the_rest_trains() -> None:
    split = split_articles(CORPUS, train_words="all", validation_words=50_000, seed=1)
    assert split.drop("split").equals(CORPUS)


def test_the_seed_decides() -> None:
    first, again, other = (
        split_articles(CORPUS, train_words="all", validation_words=50_000, seed=seed) for seed in (1, 1, 2)
    )
    assert first.equals(again)
    assert not first.equals(other)


@settings(deadline=None)
@given(st.lists(st.integers(1, 2_000), min_size=2, max_size=40), st.integers(1, 3_000), st.integers(1, 3_000))
def test_any_small_corpus_is_split_or_refused(words: list[int], train: int, validation: int) -> None:
    articles = pl.DataFrame({"volume": 1, "title": [f"{number}" for number in range(len(words))], "words": words})
    try:
        split = split_articles(articles, train_words=train, validation_words=validation, seed=1)
    except BudgetError:
        return
    taken = dict(split.group_by("split").agg(pl.col("words").sum()).rows())
    assert 0 < taken["train"] <= train
    assert 0 < taken["validation"] <= validation


def test_too_small_a_corpus_is_reported_with_both_figures() -> None:
    small = corpus(100)
    total = f"{small['words'].sum():,}"
    with pytest.raises(BudgetError, match=f"holds {total} words, the track asks for 12,000,000"):
        split_articles(small, train_words=10_000_000, validation_words=2_000_000, seed=1)


def test_no_articles_are_reported() -> None:
    with pytest.raises(BudgetError, match="holds 0 words, the track asks for"):
        split_articles(CORPUS.clear(), train_words="all", validation_words=10, seed=1)
