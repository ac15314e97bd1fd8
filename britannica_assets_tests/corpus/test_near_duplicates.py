"""Near-duplicates are found wherever they stand, listed, and never divided over train and validation."""

import random

import polars as pl
import pytest

from britannica_assets.corpus.checks import check_split
from britannica_assets.corpus.filters import filter_articles
from britannica_assets.corpus.near_duplicates import near_duplicates, shared_shingles

CHANCE = random.Random(1911)
VOCABULARY = [f"{start}{end}" for start in "bcdfglmnprst" for end in ("a", "olm", "ern", "ista", "uvel", "ine", "orth")]


def article(words: int) -> str:
    return " ".join(CHANCE.choice(VOCABULARY) for _ in range(words))


def with_changes(text: str, changes: int) -> str:
    words = text.split(" ")
    for place in range(changes):
        words[(place + 1) * len(words) // (changes + 1)] = "otherwise"
    return " ".join(words)


@pytest.mark.parametrize("words", [40, 300, 5_000])
def test_a_copy_with_few_changes_is_a_near_duplicate_and_one_with_many_is_not(words: int) -> None:
    texts = [article(words) for _ in range(50)]
    texts += [with_changes(texts[7], words // 100 + 1), with_changes(texts[8], words // 8)]
    found = near_duplicates(pl.Series(texts))
    assert found.select("row", "earlier_row").rows() == [(50, 7)]
    assert 0.7 <= found["similarity"].item() < 1


def test_texts_too_short_for_a_shingle_are_no_near_duplicates() -> None:
    assert near_duplicates(pl.Series(["", "a town", "a town", "of", "b c d e"])).is_empty()
    assert near_duplicates(pl.Series([], dtype=pl.String)).is_empty()


def test_of_near_duplicates_the_first_is_kept_and_the_others_are_listed() -> None:
    first = article(200)
    texts = [first, article(200), with_changes(first, 2), with_changes(first, 3)]
    articles = pl.DataFrame(
        {"volume": [1, 1, 2, 3], "title": ["First", "Other", "Again", "Once more"], "text": texts, "words": [200] * 4}
    )
    kept, removed = filter_articles(articles)
    assert kept["title"].to_list() == ["First", "Other"]
    assert removed["title"].to_list() == ["Again", "Once more"]
    assert removed["reason"].str.contains(r"nearly the same text as 'First' \([89]\d% of both\)").all()


@pytest.mark.parametrize("copies", [99, 100, 101, 150])
def test_any_number_of_near_copies_is_found(copies: int) -> None:
    first = article(120)
    texts = [article(120), first, *(first.replace(" ", f" {word} ", 1) for word in map(str, range(copies))), article(9)]
    articles = pl.DataFrame(
        {"volume": 1, "title": [f"{row}" for row in range(len(texts))], "text": texts, "words": 120}
    )
    kept, removed = filter_articles(articles)
    assert kept["title"].to_list() == ["0", "1", str(copies + 2)]
    assert removed["reason"].str.contains("nearly the same text as '1'", literal=True).all()
    splits = ["validation", "train", *["train"] * (copies - 1), "validation", "train"]
    (result,) = check_split(articles.with_columns(split=pl.Series(splits)))
    assert not result.passed


def test_a_copy_of_a_half_copy_is_found() -> None:
    first, second = article(300), article(300)
    half = f"{first} {second}"
    assert near_duplicates(pl.Series([first, half, with_changes(half, 2)])).select("row", "earlier_row").rows() == [
        (2, 1)
    ]


def test_a_near_duplicate_in_both_splits_fails_the_check() -> None:
    text = article(100)
    split = pl.DataFrame(
        {
            "title": ["Bath", "Bath (2)", "Well"],
            "text": [text, with_changes(text, 1), article(100)],
            "split": ["train", "validation", "validation"],
        }
    )
    (result,) = check_split(split)
    assert not result.passed
    assert result.metadata["titles"].value == "Bath (2) and Bath: 90%"
    (result,) = check_split(split.filter(pl.col("title") != "Bath (2)"))
    assert result.passed


def test_shared_runs_of_words_are_counted_as_a_share() -> None:
    one, other = article(60_000), article(60_000)
    half = pl.Series([one, other])
    assert shared_shingles(half, pl.Series([one])) == pytest.approx(0.5, abs=0.05)
    assert shared_shingles(half, half) == 1
    assert shared_shingles(pl.Series([other]), pl.Series([one])) < 0.01
