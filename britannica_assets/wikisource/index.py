"""The index of a volume: the articles that its part pages list, and their subpages, listed or not."""

import re
from collections import Counter
from collections.abc import Container, Iterable, Mapping
from typing import Any

import polars as pl

from britannica_assets.wikisource.client import Client
from britannica_assets.wikisource.page_information import PageInformation, read_page_information, read_pages_around
from britannica_assets.wikisource.part_pages import NO_ARTICLE, ROOT, read_part_pages

INDEX_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "volume": pl.Int16,
    "part": pl.Int16,
    "position": pl.Int32,
    "title": pl.String,
    "parent": pl.String,
    "listed_title": pl.String,
    "page_id": pl.Int64,
    "revision": pl.Int64,
    "touched": pl.String,
}


def read_volume_index(client: Client, volume: int) -> pl.DataFrame:
    """The pages of a volume in order, each subpage after the article that is its `parent`, in the order known so far.

    Redirects resolve to the canonical page; a page listed twice keeps its first place; links to what does not exist
    are skipped. `listed_title` is None for a subpage that no part page lists; the order of these is settled when the
    pages are read. Costs a request a part and one more, one for up to 500 pages, and one for 50 redirects.

    Raises:
        WikiError: part pages are missing or empty, or the wiki gave no usable answer.
    """
    listed = read_part_pages(client, volume)
    pages = read_pages_around(client, (f"{ROOT}/{title}" for _, title in listed))
    unresolved = [full for _, title in listed if (full := f"{ROOT}/{title}") not in pages]
    redirected = read_page_information(client, unresolved)
    elsewhere = {
        page.title: page for page in redirected.values() if page.title not in pages and _is_article(page.title)
    }
    if elsewhere:
        pages = read_pages_around(client, elsewhere) | elsewhere | pages
    places: dict[str, tuple[int, str]] = {}  # canonical title → part, listed title
    for part, title in listed:
        full = f"{ROOT}/{title}"
        page = pages.get(full) or redirected.get(full)
        if page is not None and _is_article(page.title):
            places.setdefault(page.title.removeprefix(f"{ROOT}/"), (part, title))
    return _index(volume, places, pages)


def parent_of(title: str, articles: Container[str]) -> str | None:
    """The article that `title` is a subpage of: the shortest part before a slash that is an article itself."""
    begin, slash, rest = title.partition("/")
    while slash:
        if begin in articles:
            return begin
        more, slash, rest = rest.partition("/")
        begin = f"{begin}/{more}"
    return None


def natural_order(title: str) -> list[tuple[int, int, str]]:
    """A key that sorts `2 Ancient` before `10 Modern`, and numbered pages before others."""
    return [
        (0, int(piece), "") if piece.isdecimal() else (1, 0, piece.casefold())
        for piece in re.split(r"(\d+)", title)
        if piece
    ]


def _is_article(full_title: str) -> bool:
    return full_title.startswith(f"{ROOT}/") and not NO_ARTICLE.match(full_title.removeprefix(f"{ROOT}/"))


def _index(volume: int, places: Mapping[str, tuple[int, str]], pages: Mapping[str, PageInformation]) -> pl.DataFrame:
    titles = {full.removeprefix(f"{ROOT}/") for full in pages if _is_article(full)}
    parents = {
        title: parent for title in places if (parent := parent_of(title, titles) or _shared_parent(title, places))
    }
    # A parent that no part page lists stands where its first subpage does.
    ordered = dict.fromkeys(parents.get(title, title) for title in places)
    found = {title: parent for title in titles - set(places) if (parent := parent_of(title, ordered))}
    subpages: dict[str, list[str]] = {}
    for title, parent in [*parents.items(), *sorted(found.items(), key=lambda entry: natural_order(entry[0]))]:
        subpages.setdefault(parent, []).append(title)
    rows: list[dict[str, Any]] = []
    positions: Counter[int] = Counter()
    for article in ordered:
        first_listed = next(title for title in (article, *subpages.get(article, ())) if title in places)
        part = places[first_listed][0]
        for title in (article, *subpages.get(article, ())):
            page = pages.get(f"{ROOT}/{title}")
            if page is None:  # a parent without a page of its own
                continue
            positions[part] += 1
            rows.append(
                {
                    "volume": volume,
                    "part": part,
                    "position": positions[part],
                    "title": title,
                    "parent": None if title == article else article,
                    "listed_title": places[title][1] if title in places else None,
                    "page_id": page.page_id,
                    "revision": page.revision,
                    "touched": page.touched,
                }
            )
    return pl.DataFrame(rows, schema=INDEX_SCHEMA)


def _shared_parent(title: str, places: Iterable[str]) -> str | None:
    """The part before the first slash, where several listed titles share it and it has no page of its own."""
    begin, slash, _ = title.partition("/")
    return begin if slash and sum(other.startswith(f"{begin}/") for other in places) > 1 else None
