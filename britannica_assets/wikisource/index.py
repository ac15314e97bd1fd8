"""The articles of a volume, as its part pages `1911 Encyclopædia Britannica/Vol V:P` list them."""

import logging
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any
from urllib.parse import unquote, urlsplit

import polars as pl
from parsel import Selector

from britannica_assets.wikisource.client import Client, PageMissingError, WikiError

logger = logging.getLogger(__name__)

ROOT = "1911 Encyclopædia Britannica"
VOLUME_PAGE = re.compile(r"Vol \d+(?:[: ]|$)")  # part pages and title pages, which are no articles

INDEX_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "volume": pl.Int16,
    "part": pl.Int16,
    "position": pl.Int32,
    "title": pl.String,
    "listed_title": pl.String,
    "page_id": pl.Int64,
    "revision": pl.Int64,
    "touched": pl.String,
}


@dataclass(frozen=True)
class PageInformation:
    """What `prop=info` tells of a page: its canonical title, identifier, latest revision and `touched`."""

    title: str
    page_id: int
    revision: int
    touched: str


def read_volume_index(client: Client, volume: int) -> pl.DataFrame:
    """Reads a volume's part pages until one does not exist, and asks which pages their links lead to.

    Redirects resolve to the canonical page; a page listed twice keeps its first place; links to what does not exist
    are left out. Costs one request a part, one for the part that is missing, and one for each 50 titles.

    Raises:
        WikiError: part 1 does not exist, or a part lists no article.
    """
    listed: list[tuple[int, str]] = []
    for part in count(1):
        title = f"{ROOT}/Vol {volume}:{part}"
        try:
            page = client.page(title)
        except PageMissingError as error:
            if part == 1:
                raise WikiError(
                    f"volume {volume} has no part 1: {error}. Is this wiki's volume {volume} there, and"
                    " BRITANNICA_WIKI_URL right?"
                ) from error
            break
        titles = list(article_links(page))
        if not titles:
            raise WikiError(f"{client.page_url(title)} lists no article")
        listed += [(part, title) for title in titles]
        logger.info("volume %d, part %d: %d links", volume, part, len(titles))
    information = page_information(client, [f"{ROOT}/{title}" for _, title in listed])
    rows: list[dict[str, Any]] = []
    seen: set[str] = set()
    positions: dict[int, int] = {}
    for part, title in listed:
        page_is = information.get(f"{ROOT}/{title}")
        if page_is is None or page_is.title in seen or not page_is.title.startswith(f"{ROOT}/"):
            continue
        seen.add(page_is.title)
        positions[part] = positions.get(part, 0) + 1
        rows.append(
            {
                "volume": volume,
                "part": part,
                "position": positions[part],
                "title": page_is.title.removeprefix(f"{ROOT}/"),
                "listed_title": title,
                "page_id": page_is.page_id,
                "revision": page_is.revision,
                "touched": page_is.touched,
            }
        )
    return pl.DataFrame(rows, schema=INDEX_SCHEMA)


def article_links(page: str) -> Iterator[str]:
    """The titles, without the root, that a part page links to as articles, in order, each once."""
    links = Selector(text=page).xpath(
        "//div[contains(@class, 'mw-parser-output')]//a[@href][not(contains(concat(' ', @class, ' '), ' new '))]"
        "[not(ancestor::*[contains(@class, 'ws-noexport')])]/@href"
    )
    seen = set()
    for link in links.getall():
        address = urlsplit(link)
        if not address.path.startswith("/wiki/") or "redlink=1" in address.query:
            continue
        title = unquote(address.path.removeprefix("/wiki/")).replace("_", " ")
        if not title.startswith(f"{ROOT}/"):
            continue
        title = title.removeprefix(f"{ROOT}/")
        if VOLUME_PAGE.match(title) or title in seen:
            continue
        seen.add(title)
        yield title


def page_information(client: Client, titles: Iterable[str]) -> dict[str, PageInformation]:
    """For each full title that exists, what it leads to; 50 titles a request."""
    found: dict[str, PageInformation] = {}
    for batch, answer in client.query_titles(dict.fromkeys(titles), prop="info", redirects="1"):
        leads_to = {entry["from"]: entry["to"] for key in ("normalized", "redirects") for entry in answer.get(key, [])}
        pages = {
            page["title"]: PageInformation(page["title"], page["pageid"], page["lastrevid"], page["touched"])
            for page in answer["pages"]
            if not page.get("missing") and not page.get("invalid")
        }
        for title in batch:
            target = title
            for _ in range(3):  # normalized, then redirected once or twice
                target = leads_to.get(target, target)
            if target in pages:
                found[title] = pages[target]
    return found
