"""A volume is scraped whole; again only what changed; and whatever stops it, it goes on."""

import multiprocessing
import os
import random
import signal
import time
from pathlib import Path

import polars as pl
import pytest

from britannica_assets.sample.markup import ROOT, Page, href
from britannica_assets.sample.wiki import Wiki
from britannica_assets.wikisource.articles import extract_articles
from britannica_assets.wikisource.client import Client, WikiError
from britannica_assets.wikisource.index import read_volume_index
from britannica_assets.wikisource.page_store import DamagedStoreError, PageStore
from britannica_assets.wikisource.scrape import scrape_volume
from britannica_assets_tests.wikisource.faulty_wiki import (
    Fault,
    add,
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


def test_the_list_is_read_as_printed() -> None:
    titles = [["Anvil", "anvil", "Germany", "Germany/History", "Who?", "A & B", "C++"], ["Anvil", "Bell", "Old name"]]
    wiki = wiki_of(titles)
    add(wiki, Page(f"{ROOT}/Old name", redirect=f"{ROOT}/Bellows"))
    add(wiki, Page(f"{ROOT}/Bellows", html="<p>Bellows.</p>"))
    extra = (
        f'<a href="{href(ROOT)}">root</a> <a href="{href(f"{ROOT}/Vol 1 A to B")}">title page</a>'
        f'<a href="/wiki/File:A.png">file</a> <a href="/w/index.php?title={ROOT}/Not_there&redlink=1" class="new">x</a>'
        f'<a href="{href(f"{ROOT}/Bell")}#Casting">anchor</a> <a href="#top">top</a>'
        f'<a href="{href(f"{ROOT}/Never was")}">not there</a>'
    )
    part = wiki.pages[f"{ROOT}/Vol 1:2"]
    part.page = Page(part.page.title, html=part.page.html + extra)
    with client_of(wiki) as client:
        index = read_volume_index(client, 1)
        assert client.requests_made == 2 + 1 + 1
        with pytest.raises(WikiError, match=r"volume 9 has no part 1.*Vol_9:1"):
            read_volume_index(client, 9)
    assert index.select("part", "position", "title").rows() == [
        *((1, number, title) for number, title in enumerate(titles[0], 1)),
        (2, 1, "Bell"),
        (2, 2, "Bellows"),
    ]
    assert index.filter(pl.col("title") == "Bellows")["listed_title"].item() == "Old name"


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


def test_what_fails_is_told_by_title_and_the_rest_is_kept(tmp_path: Path) -> None:
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


def test_an_article_of_another_volume_is_not_told_twice(tmp_path: Path) -> None:
    wiki = wiki_of([["Anvil", "Borrowed"]])
    add(wiki, Page(f"{ROOT}/Borrowed", redirect=f"{ROOT}/Zither"))
    wiki_of([["Zither"]], volume=28, wiki=wiki)
    with client_of(wiki) as client:
        text = extract_articles(scrape(client, PageStore(tmp_path / "pages.sqlite")))
    assert text.articles["title"].to_list() == ["Anvil"]
    assert text.without_text == [("Zither", "stands in volume 28, to which this volume's list leads")]


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
