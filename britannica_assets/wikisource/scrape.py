"""Fetches what of a volume is new or has changed, keeps each page as it comes, and lists what failed."""

import logging
import re
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from typing import Any

import polars as pl

from britannica_assets.wikisource.client import Client, PageMissingError, RetryLaterError, WikiError
from britannica_assets.wikisource.index import INDEX_SCHEMA
from britannica_assets.wikisource.page_store import PageStore, StoredPage
from britannica_assets.wikisource.part_pages import ROOT

logger = logging.getLogger(__name__)

PAGES_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    **INDEX_SCHEMA,
    "url": pl.String,
    "html": pl.String,
    "fetched_at": pl.String,
    "failure": pl.String,
    "vanished": pl.Boolean,
}
PROGRESS_EVERY = 100  # pages
ROWS_AT_ONCE = 100  # of a table that is built from the store
FAILURES_IN_A_ROW = 8  # pages, each after all attempts: the wiki is down, and the rest would only wait for it
DELETED = "deleted between index and fetch"
# When MediaWiki rendered a page, which it writes into the page, in the configuration of its scripts or in a comment.
_RENDERED_AT = re.compile(r'"cachereport":\{[^{}]*"timestamp":"(\d{14})"|Cached time: (\d{14})|and timestamp (\d{14})')


@dataclass(frozen=True)
class ScrapedVolume:
    """The volume's pages in the order of its index, then those that vanished from it; and how many were fetched.

    `outdated` names the pages of which the caches gave only what they had held before the last change.
    """

    pages: pl.DataFrame
    fetched: int
    outdated: list[str]


def scrape_volume(
    client: Client, index: pl.DataFrame, store: PageStore, *, previous: pl.DataFrame | None = None
) -> ScrapedVolume:
    """Fetches the pages of `index` whose `touched` is not the stored one; the text of an article is transcluded from
    the scan's pages, and a correction there moves `touched` and leaves the article's own revision as it was.

    `previous`, the volume as it was last materialized, serves where the store of this machine is empty. A page that
    fails keeps what was stored of it and says why it failed. A page that a cache rendered before its `touched` is asked
    for again past the caches; if that is outdated too, it counts as not seen yet.

    Raises:
        RetryLaterError: the wiki asks for a longer wait than a run makes.
        WikiError: the wiki stopped answering (`FAILURES_IN_A_ROW`), or not one page of the volume could be fetched and
            none is stored. What was fetched is in the store.
    """
    if previous is not None and not store.titles():
        store.write(_from_table(previous))
    stored = store.touched()
    wanted = [row for row in index.iter_rows(named=True) if stored.get(row["title"]) != row["touched"]]
    logger.info("%d of %d pages are new or have changed", len(wanted), len(index))
    last_failure: WikiError | None = None
    failures_in_a_row = 0
    outdated: list[str] = []
    with ThreadPoolExecutor(max_workers=client.connections) as pool:
        futures = [pool.submit(_fetch, client, store, row, outdated) for row in wanted]
        try:
            for done, future in enumerate(as_completed(futures), 1):
                failure = future.result()
                last_failure = failure or last_failure
                unanswered = failure is not None and not isinstance(failure, PageMissingError)
                failures_in_a_row = failures_in_a_row + 1 if unanswered else 0
                if failures_in_a_row == FAILURES_IN_A_ROW < len(wanted):
                    raise WikiError(f"the wiki stopped answering after {done} of {len(wanted)} pages: {failure}")
                if done % PROGRESS_EVERY == 0 or done == len(wanted):
                    logger.info("%d of %d pages fetched", done, len(wanted))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)  # a stopped run must not fetch the rest first
            raise
    table = _table(index, store)
    if last_failure is not None and table["html"].null_count() == len(table):
        raise last_failure
    return ScrapedVolume(table, len(wanted), sorted(outdated))


def rendered_at(page: str) -> str | None:
    """When MediaWiki rendered a page, in the form of `touched`; None where the page does not say."""
    found = _RENDERED_AT.search(page)
    if found is None:
        return None
    return datetime.strptime(next(filter(None, found.groups())), "%Y%m%d%H%M%S").strftime("%Y-%m-%dT%H:%M:%SZ")


def _fetch(client: Client, store: PageStore, row: dict[str, Any], outdated: list[str]) -> WikiError | None:
    title = f"{ROOT}/{row['title']}"
    page = StoredPage(
        title=row["title"],
        touched=row["touched"],
        revision=row["revision"],
        url=client.page_url(title),
        html=None,
        fetched_at=datetime.now(UTC).isoformat(timespec="seconds"),
        failure=None,
    )
    try:
        html, touched = _fetch_current(client, title, row["touched"])
    except RetryLaterError:
        raise
    except WikiError as error:
        gone = isinstance(error, PageMissingError)
        failure = DELETED if gone else str(error)
        logger.warning("%s: %s", row["title"], failure)
        before = store.read(row["title"])
        store.write([replace(page if before is None else before, failure=failure)])
        return error
    if touched < row["touched"]:
        logger.warning("%s: the wiki's caches hold it as of %s, before its last change", row["title"], touched)
        outdated.append(row["title"])
        if store.read(row["title"]) is not None:
            return None
    store.write([replace(page, html=html, touched=touched)])
    return None


def _fetch_current(client: Client, title: str, touched: str) -> tuple[str, str]:
    """The page, and the `touched` that it answers to: the one given, or an older time where only that can be had."""
    html = client.page(title)
    rendered = rendered_at(html)
    if rendered is not None and rendered < touched:
        html = client.page(title, past_caches=touched)
        rendered = rendered_at(html)
    return html, touched if rendered is None else min(rendered, touched)


def _table(index: pl.DataFrame, store: PageStore) -> pl.DataFrame:
    rows: list[dict[str, Any]] = []
    tables: list[pl.DataFrame] = []
    listed = set(index["title"])
    for entry in index.iter_rows(named=True):
        page = store.read(entry["title"])
        if page is None:  # another run's store was emptied in between
            page = StoredPage(entry["title"], entry["touched"], entry["revision"], "", None, "", "not fetched")
        # `touched` and revision are those of the page as stored, so that an older one is fetched again.
        stored = {"touched": page.touched, "revision": page.revision}
        rows.append({**entry, **stored, **_page_columns(page), "vanished": page.failure == DELETED})
        if len(rows) == ROWS_AT_ONCE:
            tables.append(pl.DataFrame(rows, schema=PAGES_SCHEMA))
            rows.clear()
    volume = index["volume"][0]
    for title in store.titles():
        page = None if title in listed else store.read(title)
        if page is None:
            continue
        gone = {"volume": volume, "title": title, "revision": page.revision, "touched": page.touched}
        rows.append({**dict.fromkeys(INDEX_SCHEMA), **gone, **_page_columns(page), "vanished": True})
    return pl.concat([*tables, pl.DataFrame(rows, schema=PAGES_SCHEMA)])


def _page_columns(page: StoredPage) -> dict[str, str | None]:
    return {"url": page.url, "html": page.html, "fetched_at": page.fetched_at, "failure": page.failure}


def _from_table(previous: pl.DataFrame) -> list[StoredPage]:
    columns = [field.name for field in fields(StoredPage)]
    return [StoredPage(**row) for row in previous.select(columns).iter_rows(named=True)]
