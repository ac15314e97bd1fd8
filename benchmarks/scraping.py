"""The scraper's speed, number of requests, recovery and text, each against a named reference.

`python -m benchmarks.scraping` measures on the sample wiki. On any other:

    python -m benchmarks.scraping --wiki-url http://127.0.0.1:8099 --volume 5 \\
        --truth ../shared/data/eb1911/volume_05.parquet \\
        --edit "python ../shared/wiki/practice_wiki.py edit ~/practice-wiki Calico 'One more sentence.'"
"""

import argparse
import multiprocessing
import random
import re
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import dagster as dg
import polars as pl

from benchmarks.beautiful_soup import extract_with_beautiful_soup
from benchmarks.fresh_process import peak_memory
from britannica_assets.sample.wiki import Wiki
from britannica_assets.sample.wiki_server import serve
from britannica_assets.settings import Settings
from britannica_assets.wikisource.articles import extract_articles
from britannica_assets.wikisource.automation import recent_changes
from britannica_assets.wikisource.client import Client
from britannica_assets.wikisource.extract import extract_article
from britannica_assets.wikisource.index import read_volume_index
from britannica_assets.wikisource.join_subpages import join_subpages
from britannica_assets.wikisource.page_store import PageStore
from britannica_assets.wikisource.scrape import scrape_volume

REPEATS = 3
UNLIMITED = 10_000.0  # requests a second
MEASURED_SECONDS = 12  # over which the rate is taken
KILLS = 10


def seconds(work: Callable[[], object]) -> float:
    """The best of `REPEATS` runs, in seconds of this process's own work: other processes change them little."""
    best = float("inf")
    for _ in range(REPEATS):
        started = time.process_time()
        work()
        best = min(best, time.process_time() - started)
    return best


def measure_extraction(pages: list[str]) -> None:
    """Prints the ratio to BeautifulSoup over the same pages, and on how many the two texts are the same."""
    ours = seconds(lambda: [extract_article(page) for page in pages])
    print(f"extraction, {len(pages)} pages: {ours:.2f} s, {len(pages) / ours:.0f} pages/s")
    theirs = seconds(lambda: [extract_with_beautiful_soup(page) for page in pages])
    same = sum(extract_article(page).text == extract_with_beautiful_soup(page) for page in pages)
    print(f"  BeautifulSoup on lxml: {theirs:.2f} s, ratio {theirs / ours:.1f}; same text on {same}")


def measure_memory(pages: list[str]) -> None:
    """Prints the process's peak before and after extracting the same pages over and over."""
    peaks = []
    for rounds in (2, 10):
        for _ in range(rounds):
            for page in pages:
                extract_article(page)
        peaks.append(peak_memory() / 2**20)
    growth = peaks[1] - peaks[0]
    print(
        f"memory: peak {peaks[0]:.0f} MB after {2 * len(pages)} articles, +{growth:.1f} MB after 5 times as many more"
    )


def scrape(wiki_url: str, volume: int, store: Path) -> tuple[pl.DataFrame, int, int]:
    """Scrapes a volume once; gives its pages, the requests made, and the pages fetched."""
    with Client(wiki_url, requests_per_second=UNLIMITED) as client:
        index = read_volume_index(client, volume)
        result = scrape_volume(client, index, PageStore(store))
        return result.pages, client.requests_made, result.fetched


def measure_requests(wiki_url: str, volume: int, store: Path) -> pl.DataFrame:
    """Prints what the first scrape costs, and a second one; gives the volume's pages."""
    pages, made, fetched = scrape(wiki_url, volume, store)
    parts = pages["part"].drop_nulls().n_unique()
    allowed = parts + len(pages) / 25
    print(f"requests, volume {volume}, {len(pages)} articles, {parts} parts: first scrape {made}, pages {fetched}")
    _, made, fetched = scrape(wiki_url, volume, store)
    print(f"  second scrape {made} (allowed {allowed:.0f}), pages {fetched}")
    return pages


def measure_correction(wiki_url: str, volume: int, store: Path, edit: Callable[[], object]) -> None:
    """Prints what a scrape costs after a single correction."""
    edit()
    _, made, fetched = scrape(wiki_url, volume, store)
    print(f"after one correction: requests {made}, pages {fetched}")


def measure_sensor(wiki_url: str, folder: Path, edit: Callable[[], object]) -> None:
    """Prints the runs that the sensor requests before and after one correction."""
    settings = Settings(data_dir=str(folder / "data"), wiki_url=wiki_url)
    cursor: str | None = None
    for moment in ("at first", "before a correction", "after it", "then"):
        if moment == "after it":
            time.sleep(1)  # the wiki's moments are whole seconds
            edit()
        context = dg.build_sensor_context(cursor=cursor, resources={"settings": settings})
        result = recent_changes(context)
        requested = result.run_requests or [] if isinstance(result, dg.SensorResult) else []
        cursor = result.cursor if isinstance(result, dg.SensorResult) else context.cursor
        print(f"sensor {moment}: requests {[request.partition_key for request in requested] or 'no run'}")


def measure_kills(wiki_url: str, volume: int, folder: Path, undisturbed: pl.DataFrame, duration: float) -> None:
    """Kills a scrape (SIGKILL) `KILLS` times at random moments and prints how the one that ends compares."""
    store, chance, killed = folder / "killed.sqlite", random.Random(1911), 0
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(
        ["bs4", "dagster", "britannica_assets.wikisource.articles"]
    )  # so that a kill meets the scrape, not its imports
    for _ in range(KILLS):
        process = context.Process(target=scrape, args=(wiki_url, volume, store))
        process.start()
        process.join(chance.uniform(0.02, 0.15) * duration)
        killed += process.is_alive()
        process.kill()
        process.join()
    kept = len(PageStore(store).touched())
    pages, made, fetched = scrape(wiki_url, volume, store)
    same = extract_articles(pages).articles.equals(extract_articles(undisturbed).articles)
    print(f"{killed} of {KILLS} scrapes killed, {kept} pages kept; then requests {made}, pages {fetched}")
    print(f"  articles {'equal to' if same else 'NOT EQUAL TO'} an undisturbed scrape's")


def measure_text(pages: pl.DataFrame, truth: Path) -> None:
    """Prints how the articles, their subpages joined, compare with a table of the columns title, text and html.

    Words: F1 of the bags of words, an article at a time. Signatures: the share of the initials in `div.author` of the
    table's HTML that were read.
    """
    table = pl.read_parquet(truth, columns=["title", "text", "html"])
    true_texts = dict(table.select("title", "text").iter_rows())
    read = extract_articles(pages)
    joined = join_subpages(read.articles)
    found = dict(joined.select("title", "text").iter_rows())
    both = counted = 0
    scores: list[tuple[float, str]] = []
    for title, text in true_texts.items():
        true_words, words = Counter(text.split()), Counter(found.get(title, "").split())
        same, sizes = (true_words & words).total(), true_words.total() + words.total()
        both, counted = both + same, counted + sizes
        scores.append((2 * same / sizes if sizes else 1.0, title))
    low = sorted(score for score in scores if score[0] <= 0.95)
    print(f"text of {len(joined)} articles, {len(read.articles)} pages: word F1 {2 * both / counted:.4f}")
    print(
        f"  F1 of single articles not above 0.95: {', '.join(f'{title} {score:.3f}' for score, title in low) or 'none'}"
    )
    missing, extra = true_texts.keys() - found.keys(), found.keys() - true_texts.keys()
    print(
        f"  missing {sorted(missing) or 'none'}, too many {sorted(extra) or 'none'}, twice {len(joined) - len(found)}"
    )
    print(f"  without text: {read.without_text or 'none'}")
    signed = dict(joined.select("title", "contributor_initials").iter_rows())
    true_initials = {
        (title, initials)
        for title, html in table.select("title", "html").iter_rows()
        for signature in re.findall(r'<div class="author">\s*\(([^()<]*)\)', html)
        for initials in signature.split("; ")
        if initials[:1].isupper()
    }
    matched = [initials in (signed.get(title) or "").split("; ") for title, initials in true_initials]
    print(f"  signatures read: {sum(matched)} of {len(matched)}, {sum(matched) / max(1, len(matched)):.1%}")


def measure_rate(wiki_url: str, volume: int, folder: Path) -> None:
    """Prints how much of a rate limit the scrape reaches."""
    for limit in (5, 20):
        with Client(wiki_url, requests_per_second=UNLIMITED) as client:
            index = read_volume_index(client, volume).head(MEASURED_SECONDS * limit)
        with Client(wiki_url, requests_per_second=limit) as client:
            started = time.perf_counter()
            scrape_volume(client, index, PageStore(folder / f"rate-{limit}.sqlite"))
            rate = (client.requests_made - 1) / (time.perf_counter() - started)
        print(f"rate at a limit of {limit}/s, {len(index)} pages: {rate:.2f}/s, {rate / limit:.1%}")


def measure(wiki_url: str, volume: int, truth: Path | None, edit: Callable[[], object] | None) -> pl.DataFrame:
    """Measures all that needs the wiki; gives the volume's pages as they were before any correction."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        store = folder / "pages.sqlite"
        started = time.perf_counter()
        pages = measure_requests(wiki_url, volume, store)
        duration = time.perf_counter() - started
        if truth is not None:
            measure_text(pages, truth)
        measure_kills(wiki_url, volume, folder, pages, duration)
        if edit is not None:
            measure_correction(wiki_url, volume, store, edit)
            measure_sensor(wiki_url, folder, edit)
        measure_rate(wiki_url, volume, folder)
    return pages


def main() -> None:
    """Measures on the given wiki, or on the sample wiki."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wiki-url", help="by default the sample wiki")
    parser.add_argument("--volume", type=int, default=1)
    parser.add_argument("--truth", type=Path, help="a Parquet file with the articles' true texts")
    parser.add_argument("--edit", help="a command that corrects one article of the volume")
    arguments = parser.parse_args()
    if arguments.wiki_url is None:
        wiki = Wiki()
        title = next(article.title for article in wiki.articles if article.volume == arguments.volume)
        with serve(wiki) as url:
            pages = measure(url, arguments.volume, None, lambda: wiki.edit(title, "So it is said."))
    else:
        edit = arguments.edit and (lambda: subprocess.run(arguments.edit, shell=True, check=True))
        pages = measure(arguments.wiki_url, arguments.volume, arguments.truth, edit)
    html = pages["html"].drop_nulls().to_list()
    del pages
    measure_extraction(html)
    measure_memory(html)


if __name__ == "__main__":
    main()
