"""The sample wiki: it serves the encyclopaedia, can be edited, lag behind, and logs its requests."""

from collections.abc import Iterator

import pytest
import requests

from britannica_assets.sample import wiki_server
from britannica_assets.sample.encyclopedia import compose
from britannica_assets.sample.markup import ROOT, href
from britannica_assets.sample.wiki import Wiki
from britannica_assets.wikisource.extract import extract_article

ARTICLE = compose()[0]


@pytest.fixture
def wiki() -> Wiki:
    return Wiki()


@pytest.fixture
def url(wiki: Wiki) -> Iterator[str]:
    with wiki_server.serve(wiki) as address:
        yield address


def query(url: str, **parameters: str) -> requests.Response:
    payload = {"action": "query", "format": "json", "formatversion": "2", **parameters}
    return requests.get(f"{url}/w/api.php", params=payload, timeout=10)


def test_every_article_is_served_as_it_was_written(wiki: Wiki) -> None:
    for article in compose():
        read = extract_article(wiki.render(f"{ROOT}/{article.title}").body)
        assert read.text == article.text, article.title
        assert (read.contributor_initials, read.contributor) == (article.initials, article.contributor)
        assert (read.first_page, read.last_page) == (str(article.first_page), str(article.last_page))


def test_one_connection_serves_many_requests_compressed_and_counts_them(wiki: Wiki, url: str) -> None:
    with requests.Session() as session:
        for _ in range(2):
            answer = session.get(url + href(f"{ROOT}/{ARTICLE.title}"), timeout=10)
            assert answer.headers["Content-Encoding"] == "gzip"
    assert len(wiki.requests) == 2
    bare = requests.head(url + href(f"{ROOT}/No such page"), timeout=10)
    assert (bare.status_code, bare.content) == (404, b"")


def test_an_edit_moves_touched_and_leaves_the_revision(wiki: Wiki, url: str) -> None:
    def information() -> tuple[str, int]:
        page = query(url, prop="info", titles=f"{ROOT}/{ARTICLE.title}").json()["query"]["pages"][0]
        return page["touched"], page["lastrevid"]

    touched, revision = information()
    wiki.edit(ARTICLE.title, "More < less.")
    assert information() == ("2020-01-01T00:01:00Z", revision)
    assert touched == "2020-01-01T00:00:00Z"
    page = requests.get(url + href(f"{ROOT}/{ARTICLE.title}"), timeout=10)
    assert extract_article(page.text).text == f"{ARTICLE.text} More < less."
    assert page.headers["Last-Modified"] == "Wed, 01 Jan 2020 00:01:00 GMT"


def test_the_api_edits_as_a_proofreader_does(wiki: Wiki, url: str) -> None:
    edit = {"action": "edit", "title": f"{ROOT}/{ARTICLE.title}", "appendtext": "More.", "token": "+\\"}
    requests.post(f"{url}/w/api.php", data=edit, timeout=10)
    page = requests.get(url + href(f"{ROOT}/{ARTICLE.title}"), timeout=10)
    assert extract_article(page.text).text.endswith(" More.")
    unsigned = requests.post(f"{url}/w/api.php", data=edit | {"token": ""}, timeout=10).json()
    assert unsigned["error"]["code"] == "badtoken"


def test_a_deleted_article_is_missing(wiki: Wiki, url: str) -> None:
    wiki.delete(ARTICLE.title)
    assert requests.get(url + href(f"{ROOT}/{ARTICLE.title}"), timeout=10).status_code == 404
    assert query(url, prop="info", titles=f"{ROOT}/{ARTICLE.title}").json()["query"]["pages"][0]["missing"] is True


@pytest.mark.parametrize("direction", ["newer", "older"])
def test_recent_changes_come_in_pieces(wiki: Wiki, url: str, direction: str) -> None:
    for article in compose()[:5]:
        wiki.edit(article.title, "Again.")
    seen: list[int] = []
    proceed: dict[str, str] = {}
    while True:
        parameters = {"list": "recentchanges", "rcnamespace": "0|104", "rcdir": direction, "rclimit": "2"}
        answer = query(url, **parameters, **proceed).json()
        seen += [change["rcid"] for change in answer["query"]["recentchanges"]]
        if "continue" not in answer:
            break
        proceed = answer["continue"]
    assert seen == ([1, 2, 3, 4, 5] if direction == "newer" else [5, 4, 3, 2, 1])


def test_a_request_with_a_smaller_maxlag_than_the_lag_is_refused(wiki: Wiki, url: str) -> None:
    wiki.lag = 7.5
    answer = query(url, prop="info", titles=ROOT, maxlag="5")
    assert (answer.json()["error"]["code"], answer.headers["Retry-After"]) == ("maxlag", "5")
    assert "pages" in query(url, prop="info", titles=ROOT, maxlag="10").json()["query"]


def test_too_many_titles_are_refused(url: str) -> None:
    answer = query(url, prop="info", titles="|".join(f"{ROOT}/{number}" for number in range(51)))
    assert answer.json()["error"]["code"] == "toomanyvalues"
