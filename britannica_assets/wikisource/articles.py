"""A volume's fetched pages → its articles' running text, one row a page that has text, subpages in printed order."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import polars as pl

from britannica_assets.wikisource.extract import ArticleText, extract_article
from britannica_assets.wikisource.extraction.boxes import Box, BoxCount, count_boxes
from britannica_assets.wikisource.part_pages import subpage_links

ARTICLES_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "volume": pl.Int16,
    "part": pl.Int16,
    "position": pl.Int32,
    "title": pl.String,
    "parent": pl.String,
    "text": pl.String,
    "first_page": pl.String,
    "last_page": pl.String,
    "quality": pl.Int8,
    "contributor_initials": pl.String,
    "contributor": pl.String,
    "revision": pl.Int64,
    "words": pl.Int32,
}
_ROMAN = re.compile(r"[ivxlc]+", re.IGNORECASE)


@dataclass(frozen=True)
class VolumeText:
    """The articles that have text, and (title, reason) of each page that gave none.

    `no_articles` are pages that are no articles of this volume, such as front matter; `without_text` those that should
    have given text. `boxes` counts what was dropped of the pages, and what no rule knew.
    """

    articles: pl.DataFrame
    without_text: list[tuple[str, str]]
    no_articles: list[tuple[str, str]]
    boxes: list[BoxCount]
    formulas_read: int
    formulas_dropped: int


@dataclass(frozen=True)
class PageGap:
    """Printed pages missing between two articles: the last page before, and the first after."""

    before: str
    last_page: int
    after: str
    first_page: int

    def __str__(self) -> str:
        return f"{self.before} ends on page {self.last_page}, {self.after} begins on {self.first_page}"


def extract_articles(pages: pl.DataFrame) -> VolumeText:
    """Extracts the text of every page that was fetched and has not vanished, in the order of print."""
    rows: list[dict[str, Any]] = []
    links: dict[str, list[str]] = {}
    without_text: list[tuple[str, str]] = []
    no_articles: list[tuple[str, str]] = []
    boxes: list[tuple[str, Box]] = []
    read = dropped = 0
    present = pages.filter(~pl.col("vanished"))
    split = set(present["parent"].drop_nulls())
    for page in present.iter_rows(named=True):
        title = page["title"]
        if page["html"] is None:
            without_text.append((title, page["failure"] or "not fetched"))
            continue
        if page["parent"] or title in split:
            links[title] = subpage_links(page["html"], title)
        article = extract_article(page["html"])
        read, dropped = read + article.formulas_read, dropped + article.formulas_dropped
        boxes += ((title, box) for box in article.boxes)
        if (other := _no_article(article, page["volume"])) or (article.reason and links.get(title)):
            no_articles.append((title, other or "only lists its subpages"))
        elif article.reason is not None:
            without_text.append((title, article.reason))
        else:
            rows.append(_row(page, article))
    articles = pl.DataFrame(_in_printed_order(rows, links), schema=ARTICLES_SCHEMA)
    return VolumeText(articles, without_text, no_articles, count_boxes(boxes), read, dropped)


def find_page_gaps(articles: pl.DataFrame) -> list[PageGap]:
    """The gaps between the last printed page of each article and the first of the next, in the order of the table.

    Articles without page numbers in Arabic figures, such as plates, are passed over.
    """
    numbered = [
        (row["title"], int(row["first_page"]), int(row["last_page"]))
        for row in articles.iter_rows(named=True)
        if (row["first_page"] or "").isdecimal() and (row["last_page"] or "").isdecimal()
    ]
    return [
        PageGap(before, last, after, first)
        for (before, _, last), (after, first, _) in pairwise(numbered)
        if first > last + 1
    ]


def _no_article(article: ArticleText, volume: int) -> str | None:
    """Why a page is no article of the volume, or None."""
    if article.scan_volumes and volume not in article.scan_volumes:
        stands_in = ", ".join(f"{scanned:02d}" for scanned in sorted(article.scan_volumes))
        return f"stands in volume {stands_in}, to which this volume's list leads"
    if all(page and _ROMAN.fullmatch(page) for page in (article.first_page, article.last_page)):
        return f"front matter (pages {article.first_page} to {article.last_page})"
    return None


def _row(page: Mapping[str, Any], article: ArticleText) -> dict[str, Any]:
    return {
        **{name: page[name] for name in ("volume", "part", "position", "title", "parent", "revision")},
        "text": article.text,
        "first_page": article.first_page,
        "last_page": article.last_page,
        "quality": article.quality,
        "contributor_initials": article.contributor_initials,
        "contributor": article.contributor,
        "words": len(article.text.split()),
    }


def _in_printed_order(rows: Iterable[dict[str, Any]], links: Mapping[str, list[str]]) -> list[dict[str, Any]]:
    """The rows with the subpages of each article as they are linked, or by printed page where all of them have one."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        groups.setdefault(row["parent"] or row["title"], []).append(row)
    ordered: list[dict[str, Any]] = []
    for article, group in groups.items():
        positions = sorted(row["position"] for row in group)
        linked = _linked_from(article, links)
        subpages = [row for row in group if row["parent"]]
        # Sorting is stable: what is not linked keeps its place behind, and pages of one number theirs.
        subpages.sort(key=lambda row: linked.index(row["title"]) if row["title"] in linked else len(linked))
        if all((row["first_page"] or "").isdecimal() for row in subpages):
            subpages.sort(key=lambda row: int(row["first_page"]))
        whole = [row for row in group if not row["parent"]] + subpages
        ordered += ({**row, "position": position} for row, position in zip(whole, positions, strict=True))
    return ordered


def _linked_from(article: str, links: Mapping[str, list[str]]) -> list[str]:
    """The subpages below an article in the order of the links, those of a subpage right after it."""
    order: list[str] = []
    waiting = [article]
    while waiting:
        title = waiting.pop(0)
        if title not in order:
            order.append(title)
            waiting = [*links.get(title, ()), *waiting]
    return order
