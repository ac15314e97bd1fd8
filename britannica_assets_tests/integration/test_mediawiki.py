"""A real MediaWiki, built from the bundled sample: the scraper reads it whole, and the sample wiki answers alike."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from britannica_assets.sample import wiki_server
from britannica_assets.sample.encyclopedia import compose
from britannica_assets.sample.markup import ROOT, href, redirect_title
from britannica_assets.sample.wiki import Wiki
from britannica_assets.wikisource.articles import extract_articles
from britannica_assets.wikisource.changes import last_change, read_changes
from britannica_assets.wikisource.client import Client, PageMissingError
from britannica_assets.wikisource.extract import extract_article
from britannica_assets.wikisource.index import read_volume_index
from britannica_assets.wikisource.page_information import read_page_information
from britannica_assets.wikisource.page_store import PageStore
from britannica_assets.wikisource.scrape import rendered_at, scrape_volume
from britannica_assets_tests.integration.mediawiki import MediaWiki

pytestmark = pytest.mark.integration

VOLUMES = sorted({article.volume for article in compose()})
LISTED_BY_AN_OLD_NAME = compose()[5]
EDITED, DELETED = compose()[20], compose()[30]
SENTENCE = "Its walls were taken down in 1911 & sold."


@pytest.fixture
def real_client(real_wiki: MediaWiki) -> Iterator[Client]:
    with Client(real_wiki.url, requests_per_second=500) as client:
        yield client


def test_every_article_of_a_real_mediawiki_is_scraped_as_it_was_written(real_client: Client, tmp_path: Path) -> None:
    for volume in VOLUMES:
        index = read_volume_index(real_client, volume)
        fetched = scrape_volume(real_client, index, PageStore(tmp_path / f"{volume}.sqlite"))
        read = extract_articles(fetched.pages)
        assert read.without_text == []
        truth = [article for article in compose() if article.volume == volume]
        assert fetched.outdated == []
        assert all(rendered_at(html) for html in fetched.pages["html"])
        assert read.articles.drop("quality", "revision", "words").rows(named=True) == [
            {
                "parent": article.title.rpartition("/")[0] or None,
                "volume": volume,
                "part": article.part,
                "position": article.position,
                "title": article.title,
                "text": article.text,
                "first_page": str(article.first_page),
                "last_page": str(article.last_page),
                "contributor_initials": article.initials,
                "contributor": article.contributor,
            }
            for article in truth
        ]


SHARED = "ns title from to code gapcontinue apcontinue missing invalid redirect new type fromencoded"


def shape(value: Any) -> Any:
    """The kinds of values and their places, and of the values only those that both wikis must share."""
    if isinstance(value, dict):
        return {key: inner if key in SHARED.split() else shape(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return sorted((shape(inner) for inner in value), key=repr)
    return type(value).__name__


@pytest.mark.parametrize(
    "query",
    [
        {"prop": "info", "titles": f"{ROOT}/{compose()[0].title}|{ROOT}/No such article|{ROOT}/{compose()[9].title}"},
        {"prop": "info", "titles": ROOT.replace(" ", "_") + "/" + compose()[0].title.replace(" ", "_")},
        {"prop": "info", "titles": f"{ROOT}/{redirect_title(LISTED_BY_AN_OLD_NAME)}", "redirects": "1"},
        {"prop": "info", "titles": f"{ROOT}/{redirect_title(LISTED_BY_AN_OLD_NAME)}"},
        {"prop": "info", "titles": f"A[b|{ROOT}"},
        {"prop": "templates", "tlnamespace": "104", "tllimit": "max", "titles": f"{ROOT}/{compose()[0].title}"},
        {"list": "allpages", "apprefix": f"{ROOT}/Vol 1:", "apnamespace": "0", "aplimit": "max"},
        {"list": "allpages", "apprefix": f"{ROOT}/", "apnamespace": "0", "aplimit": "3"},
        {
            "generator": "allpages", "gapnamespace": "0", "gaplimit": "max", "gapfilterredir": "nonredirects",
            "gapfrom": f"{ROOT}/{compose()[0].title}", "gapto": f"{ROOT}/{compose()[0].title}0", "prop": "info",
        },
        {
            "generator": "allpages", "gapnamespace": "0", "gaplimit": "2", "gapfilterredir": "nonredirects",
            "gapfrom": f"{ROOT}/B", "prop": "info",
        },
        {"action": "no-such-action"},
    ],
    ids=[
        "info", "normalized", "redirected", "redirect", "invalid", "transcluded", "parts", "pages", "subpages",
        "window", "no such action",
    ],
)  # fmt: skip
def test_the_sample_wikis_api_answers_like_the_real_one(real_wiki: MediaWiki, query: dict[str, str]) -> None:
    parameters = {"action": "query", "format": "json", "formatversion": "2", "maxlag": "5", **query}
    with wiki_server.serve() as sample_url:
        real, ours = (
            requests.get(f"{url}/w/api.php", params=parameters, timeout=300) for url in (real_wiki.url, sample_url)
        )
    assert (ours.status_code, ours.headers["Content-Type"]) == (real.status_code, real.headers["Content-Type"])
    assert shape(ours.json()) == shape(real.json())


@pytest.mark.parametrize(
    ("title", "status"),
    [
        (f"{ROOT}/{compose()[0].title}", 200),
        (f"{ROOT}/{redirect_title(LISTED_BY_AN_OLD_NAME)}", 200),
        (f"{ROOT}/Vol 1:3", 404),
    ],
    ids=["article", "redirect", "missing"],
)
def test_the_sample_wikis_pages_answer_like_the_real_ones(real_wiki: MediaWiki, title: str, status: int) -> None:
    with wiki_server.serve() as sample_url:
        for method in ("GET", "HEAD"):
            real, ours = (
                requests.request(method, url + href(title), timeout=300) for url in (real_wiki.url, sample_url)
            )
            assert (ours.status_code, real.status_code) == (status, status)
            assert ours.headers["Content-Type"] == real.headers["Content-Type"]
            for mark in ('id="firstHeading"', "mw-parser-output", "Redirected from", "noarticletext", "</html>"):
                assert (mark in ours.text) == (mark in real.text), mark


def test_a_proofread_scan_moves_touched_and_not_the_revision(real_wiki: MediaWiki, real_client: Client) -> None:
    title = f"{ROOT}/{EDITED.title}"
    last = last_change(real_client)
    before = read_page_information(real_client, [title])[title]
    real_wiki.edit(EDITED.title, SENTENCE)
    after = read_page_information(real_client, [title])[title]
    assert (after.touched > before.touched, after.revision) == (True, before.revision)
    assert extract_article(real_client.page(title)).text == f"{EDITED.text} {SENTENCE}"
    changes = read_changes(real_client, after=last.last_change, since=last.last_moment, volumes_by_title=dict)
    assert changes.volumes == {f"{EDITED.volume:02d}"}

    sample_wiki = Wiki()
    sample_wiki.edit(EDITED.title, SENTENCE)
    query = {
        "action": "query", "format": "json", "formatversion": "2", "list": "recentchanges", "rcnamespace": "0|104",
        "rcdir": "newer", "rcprop": "title|timestamp|ids", "rclimit": "max",
    }  # fmt: skip
    real = requests.get(f"{real_wiki.url}/w/api.php", params=query | {"rcstart": last.last_moment}, timeout=300).json()
    real["query"]["recentchanges"] = [c for c in real["query"]["recentchanges"] if c["rcid"] > last.last_change]
    assert shape(sample_wiki.answer_api(query)) == shape(real)


def test_a_deleted_article_leaves_the_list(real_wiki: MediaWiki, real_client: Client) -> None:
    real_wiki.delete(DELETED.title)
    listed = read_volume_index(real_client, DELETED.volume)["title"].to_list()
    assert DELETED.title not in listed
    assert len(listed) == sum(article.volume == DELETED.volume for article in compose()) - 1
    with pytest.raises(PageMissingError):
        real_client.page(f"{ROOT}/{DELETED.title}")
