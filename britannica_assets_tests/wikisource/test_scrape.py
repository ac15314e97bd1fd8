"""A volume is scraped whole; again only what changed; and whatever stops it, it goes on."""

import multiprocessing
import os
import random
import signal
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import polars as pl
import pytest

from britannica_assets.sample.markup import ROOT, Page
from britannica_assets.sample.wiki import Wiki
from britannica_assets.wikisource.articles import extract_articles
from britannica_assets.wikisource.client import Client, RetryLaterError, WikiError
from britannica_assets.wikisource.index import read_volume_index
from britannica_assets.wikisource.page_store import DamagedStoreError, PageStore, StoredPage
from britannica_assets.wikisource.scrape import scrape_volume
from britannica_assets_tests.wikisource.faulty_wiki import (
    Fault,
    add,
    article,
    body,
    client_of,
    reset,
    serve_faulty,
    status,
    wiki_of,
)

TITLES = [[f"Town {number}" for number in range(40)], [f"River {number}" for number in range(30)]]


def scrape(client: Client, store: PageStore, previous: pl.DataFrame | None = None) -> pl.DataFrame:
    return scrape_volume(client, read_volume_index(client, 1), store, previous=previous).pages


def pages_asked(wiki: Wiki) -> list[str]:
    return [path for path in wiki.requests if path.startswith("/wiki/") and "/Vol_" not in path]


def test_a_second_scrape_asks_for_no_page_and_a_correction_for_one(tmp_path: Path) -> None:
    wiki, store = wiki_of(TITLES), PageStore(tmp_path / "pages.sqlite")
    with client_of(wiki) as client:
        first = scrape(client, store)
        assert first["failure"].null_count() == len(first) == 70
        wiki.requests.clear()
        assert scrape(client, store).equals(first)
        assert len(wiki.requests) <= 2 + 1 + 70 / 50 + 2
        assert pages_asked(wiki) == []
        wiki.requests.clear()
        wiki.edit("Town 3", "It has a bridge.")
        again = extract_articles(scrape(client, store)).articles
        assert [path.rpartition("/")[2] for path in pages_asked(wiki)] == ["Town_3"]
        assert again.filter(pl.col("title") == "Town 3")["text"].item().endswith("It has a bridge.")


def test_an_empty_store_is_filled_from_what_was_materialized(tmp_path: Path) -> None:
    wiki = wiki_of(TITLES)
    with client_of(wiki) as client:
        first = scrape(client, PageStore(tmp_path / "pages.sqlite"))
        wiki.requests.clear()
        assert scrape(client, PageStore(tmp_path / "another.sqlite"), previous=first).equals(first)
        assert pages_asked(wiki) == []


def test_a_damaged_store_says_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "pages.sqlite"
    path.write_bytes(b"this was a database once" * 100)
    with pytest.raises(DamagedStoreError, match=r"pages.sqlite is damaged .* delete it"):
        PageStore(path)
    page = StoredPage("Anvil", "2026", 1, "", "<p>" * 1000, "", None)
    store = PageStore(tmp_path / "another.sqlite")
    store.write([page])
    with closing(sqlite3.connect(tmp_path / "another.sqlite")) as connection, connection:
        connection.execute("UPDATE pages SET html = substr(html, 1, 5)")
    with pytest.raises(DamagedStoreError, match=r"another.sqlite is damaged .* delete it"):
        store.read("Anvil")


def test_what_vanishes_is_kept_with_a_mark_and_is_no_article(tmp_path: Path) -> None:
    wiki, store = wiki_of(TITLES), PageStore(tmp_path / "pages.sqlite")
    with client_of(wiki) as client:
        scrape(client, store)
        wiki.delete("Town 5")
        index = read_volume_index(client, 1)
        wiki.touch("Town 6")
        index = read_volume_index(client, 1)
        wiki.delete("Town 6")
        pages = scrape_volume(client, index, store).pages
    gone = pages.filter("vanished").sort("title")
    assert gone["title"].to_list() == ["Town 5", "Town 6"]
    assert gone["html"].null_count() == 0
    assert gone["failure"].to_list() == [None, "deleted between index and fetch"]
    assert len(extract_articles(pages).articles) == 68


def test_what_fails_is_named_by_title_and_the_rest_is_kept(tmp_path: Path) -> None:
    wiki, store = wiki_of(TITLES), PageStore(tmp_path / "pages.sqlite")
    faults: dict[str, list[Fault]] = {
        "/Town_7": [status(503)] * 3, "/Town_8": [body("<p>Oops.</p>")] * 3,
        "/Town_9": [reset], "/Town_4": [status(403)],
    }  # fmt: skip
    with client_of(wiki, faults) as client:
        failed = scrape(client, store).filter(pl.col("failure").is_not_null())
        assert failed["title"].to_list() == ["Town 4", "Town 7", "Town 8"]
        assert [reason in text for reason, text in zip(("403", "503", "Oops"), failed["failure"], strict=True)] == [
            True
        ] * 3
        wiki.requests.clear()
        assert scrape(client, store)["failure"].null_count() == 70
        assert len(pages_asked(wiki)) == 3


def test_a_wiki_that_goes_down_stops_the_scrape_and_loses_nothing(tmp_path: Path) -> None:
    wiki, store = wiki_of(TITLES), PageStore(tmp_path / "pages.sqlite")
    with client_of(wiki, {f"/River_{number}": [status(502)] * 3 for number in range(30)}) as client:
        with pytest.raises(WikiError, match=r"stopped answering after .* of 70 pages"):
            scrape(client, store)
        assert len(store.touched()) == 40
        assert len(pages_asked(wiki)) < 40 + 16 * 3


def test_an_article_of_another_volume_is_left_out(tmp_path: Path) -> None:
    wiki = wiki_of([["Anvil", "Borrowed"]])
    add(wiki, Page(f"{ROOT}/Borrowed", redirect=f"{ROOT}/Zither"))
    wiki_of([["Zither"]], volume=28, wiki=wiki)
    with client_of(wiki) as client:
        text = extract_articles(scrape(client, PageStore(tmp_path / "pages.sqlite")))
    assert text.articles["title"].to_list() == ["Anvil"]
    assert text.no_articles == [("Zither", "stands in volume 28, to which this volume's list leads")]


def rendered(text: str, moment: str) -> str:
    """A page that MediaWiki rendered at `moment`."""
    report = f'{{"cachereport":{{"origin":"mw1","timestamp":"{moment}","ttl":3600}}}}'
    return (
        f'<html><h1 id="firstHeading">x</h1><div class="mw-parser-output">{article(text)}</div>'
        f'<script>mw.config.set({{"wgPageParseReport":{report}}});</script></html>'
    )


OLD, NEW = "20191231235959", "20200101000100"


def test_an_outdated_answer_of_a_cache_is_asked_for_again_past_it(tmp_path: Path) -> None:
    wiki, store = wiki_of([["Anvil", "Bell"]]), PageStore(tmp_path / "pages.sqlite")
    faults = {"/Anvil": [body(rendered("Old words.", OLD)), body(rendered("New words.", NEW))]}
    with client_of(wiki, faults) as client:
        result = scrape_volume(client, read_volume_index(client, 1), store)
    assert result.outdated == []
    assert extract_articles(result.pages).articles["text"][0] == "New words."
    assert len([path for path in wiki.requests if path.endswith("/Anvil")]) == 2


def test_what_only_an_outdated_cache_holds_counts_as_not_seen_yet(tmp_path: Path) -> None:
    wiki, store = wiki_of([["Anvil", "Bell"]]), PageStore(tmp_path / "pages.sqlite")
    faults: dict[str, list[Fault]] = {"/Anvil": [body(rendered("Old words.", OLD))] * 2}
    with client_of(wiki, faults) as client:
        index = read_volume_index(client, 1)
        first = scrape_volume(client, index, store)
        assert first.outdated == ["Anvil"]
        assert first.pages["touched"].to_list() == ["2019-12-31T23:59:59Z", "2020-01-01T00:00:00Z"]
        # Another machine that begins with this table asks for the page as well.
        for kept in (store, PageStore(tmp_path / "another.sqlite")):
            faults["/Anvil"][:] = [body(rendered("New words.", NEW))]
            again = scrape_volume(client, index, kept, previous=first.pages)
            assert (again.fetched, again.outdated) == (1, [])
            assert extract_articles(again.pages).articles["text"][0] == "New words."


def test_a_page_that_was_stored_is_kept_before_an_outdated_one(tmp_path: Path) -> None:
    wiki, store = wiki_of([["Anvil"]]), PageStore(tmp_path / "pages.sqlite")
    faults: dict[str, list[Fault]] = {"/Anvil": []}
    with client_of(wiki, faults) as client:
        before = scrape(client, store)
        wiki.touch("Anvil")
        faults["/Anvil"][:] = [body(rendered("Old words.", OLD))] * 2
        assert scrape(client, store).equals(before)
        assert store.touched() == {"Anvil": "2020-01-01T00:00:00Z"}


def test_asked_to_come_back_in_a_day_the_scrape_ends_and_names_the_time(tmp_path: Path) -> None:
    wiki, store = wiki_of(TITLES), PageStore(tmp_path / "pages.sqlite")
    with (
        client_of(wiki, {"/Town_30": [status(429, Retry_After="86400")]}) as client,
        pytest.raises(RetryLaterError, match=r"not to be asked again before 20\d\d-\d\d-\d\dT\d\d:\d\d"),
    ):
        scrape(client, store)
    assert 0 < len(store.touched()) < 70
    assert "Town 30" not in store.titles()


def _scrape_in_process(url: str, store: Path) -> None:
    with Client(url, requests_per_second=200) as client:
        scrape(client, PageStore(store))


def test_killed_ten_times_it_goes_on_where_it_was(tmp_path: Path) -> None:
    wiki, path = wiki_of([[f"Town {number}" for number in range(200)]]), tmp_path / "pages.sqlite"
    context, chance, killed = multiprocessing.get_context("fork"), random.Random(1911), 0
    with serve_faulty(wiki, {}) as url:
        while killed < 10:
            worker = context.Process(target=_scrape_in_process, args=(url, path))
            worker.start()
            time.sleep(chance.uniform(0.03, 0.25))
            if worker.is_alive() and worker.pid:
                os.kill(worker.pid, signal.SIGKILL)
                killed += 1
            worker.join()
        with Client(url, requests_per_second=1_000) as client:
            result = scrape(client, PageStore(path))
            undisturbed = scrape(client, PageStore(tmp_path / "undisturbed.sqlite"))
    assert extract_articles(result).articles.equals(extract_articles(undisturbed).articles)
    assert len(pages_asked(wiki)) <= 2 * 200 + 10 * client.connections


def test_two_scrapes_at_once_do_not_harm_each_other(tmp_path: Path) -> None:
    wiki, path = wiki_of(TITLES), tmp_path / "pages.sqlite"
    context = multiprocessing.get_context("fork")
    with serve_faulty(wiki, {}) as url:
        workers = [context.Process(target=_scrape_in_process, args=(url, path)) for _ in range(3)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        assert [worker.exitcode for worker in workers] == [0, 0, 0]
        wiki.requests.clear()
        with Client(url, requests_per_second=1_000) as client:
            assert len(extract_articles(scrape(client, PageStore(path))).articles) == 70
    assert pages_asked(wiki) == []
