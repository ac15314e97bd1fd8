"""The bundled encyclopaedia: large enough, in the house style, the same everywhere, and no near-duplicates."""

import hashlib
import itertools
import random
import re
from collections import Counter

import pytest

from britannica_assets.sample.encyclopedia import SampleArticle, compose
from britannica_assets.sample.grammar import expand

ARTICLES = compose()
TEXT = "\n".join(article.text for article in ARTICLES)
SHINGLE_SIZE = 5  # words
MAX_SIMILARITY = 0.5  # Jaccard, of shingles: well below the threshold of `corpus/near_duplicates.py`
DIGEST = "df8182ad3dd7172ca1c03d513407b9989a056dc761f486793343c89fb9beca86"


def test_two_volumes_of_two_parts_in_alphabetical_order() -> None:
    assert len(ARTICLES) >= 200
    assert 70_000 <= len(TEXT.split()) <= 95_000
    places = [(article.volume, article.part, article.position) for article in ARTICLES]
    assert places == sorted(set(places))
    by_part = Counter((article.volume, article.part) for article in ARTICLES)
    assert list(by_part) == [(1, 1), (1, 2), (2, 1), (2, 2)]
    assert all(number >= 50 for number in by_part.values())
    letters = [article.title[0].casefold() for article in ARTICLES]
    assert letters == sorted(letters)


def test_titles_are_as_awkward_as_those_in_print() -> None:
    titles = [article.title for article in ARTICLES]
    assert len(set(titles)) == len(titles)
    for awkward in (" (2)", ", ", "’", "/History", "å", "-"):
        assert any(awkward in title for title in titles), awkward
    heads = Counter(article.head for article in ARTICLES)
    assert max(heads.values()) == 2


def test_the_same_on_every_machine() -> None:
    assert hashlib.sha256(TEXT.encode()).hexdigest() == DIGEST
    assert compose(seed=1875) != ARTICLES


@pytest.mark.parametrize("article", ARTICLES[::7], ids=lambda article: article.title)
def test_every_article_keeps_the_house_style(article: SampleArticle) -> None:
    paragraphs = article.text.split("\n")
    assert paragraphs[0].startswith(f"{article.head}")
    assert len(paragraphs) >= (2 if article.title.endswith("/History") else 4)
    for paragraph in paragraphs:
        assert paragraph == " ".join(paragraph.split())
        assert re.search(r"[.”)]$", paragraph)
    assert article.text.count("(") == article.text.count(")")
    assert article.text.count("“") == article.text.count("”")


def test_no_mark_of_the_grammar_is_left_in_the_text() -> None:
    assert re.findall(r"[<>{}|*_]|\[note\]|a\(n\)| [,.;)]|\.\.", TEXT) == []
    assert re.findall(r"\b[Aa] [aeiou]\w+|\b[Aa]n [bcdfgj-np-tv-z]\w+|\b(\w+) \1\b", TEXT) == []


def test_what_print_has_is_in_it() -> None:
    for printed in (
        "(q.v.)",
        "(see ",
        "£",
        "½",
        "⅔",
        "° F.",
        "m. N.",
        "“",
        "–",
        "(1891)",
        "sq. m.",
        "2nd",
        "φύλλον",
        "[",
    ):
        assert printed in TEXT, printed


def test_no_two_articles_are_near_duplicates() -> None:
    words = {article.title: article.text.casefold().split() for article in ARTICLES}
    shingles = {
        title: {tuple(of[place : place + SHINGLE_SIZE]) for place in range(len(of) - SHINGLE_SIZE + 1)}
        for title, of in words.items()
    }
    for (title, one), (other_title, other) in itertools.combinations(shingles.items(), 2):
        assert len(one & other) < MAX_SIMILARITY * len(one | other), (title, other_title)


def test_articles_bear_each_other_out() -> None:
    texts = {article.title: article.text for article in ARTICLES}
    for town in [title for title, text in texts.items() if " was born here in " in text]:
        for name, year in re.findall(r"The \w+ (\w+ [\w’]+) was born here in (\d{4})", texts[town]):
            given, surname = name.split(" ")
            biography = texts[f"{surname}, {given}"]
            assert f"was born at {town} " in biography
            assert f"({year}–" in biography


def test_a_name_that_the_grammar_does_not_know_is_refused() -> None:
    with pytest.raises(KeyError, match="no_such_fact"):
        expand("<no_such_fact>", {}, random.Random(1))
