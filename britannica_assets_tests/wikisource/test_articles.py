"""Pages become articles in printed order, and the encyclopaedia's articles whole."""

import polars as pl
import pytest

from britannica_assets.sample.markup import ROOT, href
from britannica_assets.wikisource.articles import ARTICLES_SCHEMA, extract_articles, find_page_gaps
from britannica_assets.wikisource.changed_articles import compare_articles
from britannica_assets.wikisource.join_subpages import join_subpages
from britannica_assets.wikisource.scrape import PAGES_SCHEMA
from britannica_assets_tests.wikisource.faulty_wiki import article


def page(position: int, title: str, html: str | None, *, parent: str | None = None) -> dict[str, object]:
    document = None if html is None else f'<html><div class="mw-parser-output">{html}</div></html>'
    known = {"volume": 1, "part": 1, "position": position, "title": title, "parent": parent, "html": document}
    return dict.fromkeys(PAGES_SCHEMA) | known | {"revision": position, "vanished": False}


def table(*pages: dict[str, object]) -> pl.DataFrame:
    return pl.DataFrame(pages, schema=PAGES_SCHEMA)


def links(*titles: str) -> str:
    return "".join(f'<a href="{href(f"{ROOT}/{title}")}">{title}</a>' for title in titles)


def no_page_number(text: str) -> str:
    return f'<div class="prp-pages-output"><p>{text}</p></div>'


def test_subpages_stand_as_they_are_linked() -> None:
    pages = table(
        page(1, "Fen", no_page_number("Fens are low.") + links("Fen/Fish", "Fen/Birds")),
        page(2, "Fen/Birds", no_page_number("Herons."), parent="Fen"),
        page(3, "Fen/Eels", no_page_number("Found alone."), parent="Fen"),
        page(4, "Fen/Fish", no_page_number("Pike.") + links("Fen/Fish/Old"), parent="Fen"),
        page(5, "Fen/Fish/Old", no_page_number("Sturgeon."), parent="Fen"),
        page(6, "Gulf", no_page_number("A gulf is wide.")),
    )
    articles = extract_articles(pages).articles
    assert articles["title"].to_list() == ["Fen", "Fen/Fish", "Fen/Fish/Old", "Fen/Birds", "Fen/Eels", "Gulf"]
    assert articles["position"].to_list() == [1, 2, 3, 4, 5, 6]


def test_printed_pages_are_better_than_links() -> None:
    pages = table(
        page(1, "Fen", links("Fen/B", "Fen/A")),
        page(2, "Fen/A", article("First.", page=7), parent="Fen"),
        page(3, "Fen/B", article("Last.", page=9), parent="Fen"),
    )
    text = extract_articles(pages)
    assert text.articles["title"].to_list() == ["Fen/A", "Fen/B"]
    assert text.no_articles == [("Fen", "only lists its subpages")]
    assert text.without_text == []


def test_front_matter_is_no_article_and_a_page_without_text_is_named() -> None:
    roman = '<span class="pagenum" data-page-number="xi" data-page-name="Page:EB1911 - Volume 01.djvu/9"></span>'
    text = extract_articles(
        table(
            page(1, "Note", no_page_number(f"{roman}To the reader.")),
            page(2, "Bell", "<p>x</p>"),
            page(3, "Cask", None),
        )
    )
    assert text.no_articles == [("Note", "front matter (pages xi to xi)")]
    assert [title for title, _ in text.without_text] == ["Bell", "Cask"]


def row(position: int, title: str, text: str, **values: object) -> dict[str, object]:
    known = {"volume": 1, "part": 1, "position": position, "title": title, "text": text, "words": len(text.split())}
    return dict.fromkeys(ARTICLES_SCHEMA) | {"revision": position} | known | values


def joined(*rows: dict[str, object]) -> list[dict[str, object]]:
    return join_subpages(pl.DataFrame(rows, schema=ARTICLES_SCHEMA)).rows(named=True)


def test_an_article_is_joined_with_its_subpages_once() -> None:
    rows = joined(
        row(2, "Fen/Fish", "Pike.\nEels.", parent="Fen", last_page="9", quality=1, contributor_initials="B. R."),
        row(1, "Fen", "Fens are low.", first_page="7", last_page="8", quality=4, contributor_initials="A. Qu.; B. R."),
        row(3, "Gulf", "A gulf is wide."),
    )  # fmt: skip
    assert [(found["title"], found["text"], found["words"]) for found in rows] == [
        ("Fen", "Fens are low.\nPike.\nEels.", 5),
        ("Gulf", "A gulf is wide.", 4),
    ]
    assert "parent" not in rows[0]
    assert [rows[0][name] for name in ("first_page", "last_page", "quality", "contributor_initials", "revision")] == [
        "7", "9", 1, "A. Qu.; B. R.", 2,
    ]  # fmt: skip


def test_an_article_that_only_lists_its_subpages_has_its_own_title_and_place() -> None:
    rows = joined(row(1, "Eel", "Long."), row(3, "Fen/Fish", "Pike.", parent="Fen"), row(4, "Gulf", "Wide."))
    assert [found["title"] for found in rows] == ["Eel", "Fen", "Gulf"]


def test_a_subpage_that_repeats_its_article_adds_nothing() -> None:
    rows = joined(row(1, "Fen", "Low land.\nPike swim."), row(2, "Fen/Fish", "Pike swim.", parent="Fen"))
    assert [found["text"] for found in rows] == ["Low land.\nPike swim."]


def test_gaps_between_printed_pages_are_named() -> None:
    pages = [
        ("A", "1", "3"),
        ("B", "3", "3"),
        ("C", "4", "4"),
        ("Plate", "xii", "xii"),
        ("D", "7", "9"),
        ("E", None, None),
    ]
    articles = pl.DataFrame(
        [row(n, title, "x", first_page=first, last_page=last) for n, (title, first, last) in enumerate(pages)],
        schema=ARTICLES_SCHEMA,
    )
    assert [str(gap) for gap in find_page_gaps(articles)] == ["C ends on page 4, D begins on 7"]


@pytest.mark.parametrize(
    ("before", "after", "change"),
    [
        ({"A": "an old tower"}, {"A": "a new old tower"}, ("A", "changed", 2, 1, "a new", "an")),
        ({}, {"A": "tall"}, ("A", "new", 1, 0, "tall", "")),
        ({"A": "tall"}, {}, ("A", "gone", 0, 1, "", "tall")),
        (
            {"A": "one"},
            {"A": " ".join(map(str, range(20)))},
            ("A", "changed", 20, 1, "0 1 2 3 4 5 6 7 8 9 10 11 …", "one"),
        ),
    ],
)
def test_what_a_rescrape_changed_is_listed(
    before: dict[str, str], after: dict[str, str], change: tuple[object, ...]
) -> None:
    tables = [pl.DataFrame({"title": ["Same", *texts], "text": ["same", *texts.values()]}) for texts in (before, after)]
    assert [tuple(vars(found).values()) for found in compare_articles(*tables)] == [change]
