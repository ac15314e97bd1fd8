"""What the wiki tells of its pages: which exist, what they redirect to, their revision and `touched`."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from britannica_assets.wikisource.client import Client


@dataclass(frozen=True)
class PageInformation:
    """What `prop=info` tells of a page: its canonical title, identifier, latest revision and `touched`."""

    title: str
    page_id: int
    revision: int
    touched: str


def read_page_information(client: Client, titles: Iterable[str]) -> dict[str, PageInformation]:
    """For each full title that exists, what it leads to over redirects of any number; 50 titles a request."""
    found: dict[str, PageInformation] = {}
    wanted = list(dict.fromkeys(titles))
    pages: dict[str, PageInformation] = {}
    leads_to: dict[str, str] = {}
    for _, answer in client.query_titles(wanted, prop="info", redirects="1"):
        leads_to |= {entry["from"]: entry["to"] for key in ("normalized", "redirects") for entry in answer.get(key, [])}
        pages |= _existing(answer.get("pages", []))
    for title in wanted:
        target, passed = title, set[str]()
        while target in leads_to and target not in passed:
            passed.add(target)
            target = leads_to[target]
        if target in pages:
            found[title] = pages[target]
    return found


def read_pages_around(client: Client, titles: Iterable[str]) -> dict[str, PageInformation]:
    """The pages that are no redirects, by full title: `titles`, their subpages, and others that stand between these.

    The wiki's list of all pages is read in windows of up to 500 pages a request. A window begins at the first title
    that none before it covered, so that a title from far away costs one request and not the way to it.
    """
    ends = {key: _end_of_subpages(key) for key in sorted({_key(title) for title in titles})}
    found: dict[str, PageInformation] = {}
    covered = b""  # all keys before this one are known
    while begins := [key for key, end in ends.items() if end > covered]:
        covered = _read_window(client, max(covered, begins[0]), max(ends.values()), found)
    return found


def _read_window(client: Client, begin: bytes, end: bytes, found: dict[str, PageInformation]) -> bytes:
    """Reads one window from `begin` into `found`; returns the key that the next one begins at."""
    parameters = {
        "generator": "allpages", "gapnamespace": "0", "gaplimit": "max", "gapfilterredir": "nonredirects",
        "gapfrom": begin.decode(), "gapto": end.decode(), "prop": "info",
    }  # fmt: skip
    for answer in client.query_all(**parameters):
        found |= _existing(answer.get("query", {}).get("pages", []))
        following = answer.get("continue", {}).get("gapcontinue")
        if answer.get("batchcomplete"):
            return _key(following) if following else end
    return end


def _existing(pages: list[dict[str, Any]]) -> dict[str, PageInformation]:
    # A continued answer may tell of a page without its `touched`; another one does.
    return {
        page["title"]: PageInformation(page["title"], page["pageid"], page["lastrevid"], page["touched"])
        for page in pages
        if not page.get("missing") and not page.get("invalid") and "touched" in page
    }


def _key(title: str) -> bytes:
    """A title as the wiki sorts it: its bytes, with underscores for spaces."""
    return title.replace(" ", "_").encode()


def _end_of_subpages(key: bytes) -> bytes:
    """The first key after all subpages of a title; "0" follows "/"."""
    return key + b"0"
