"""The client retries a wiki in trouble, and never burdens it."""

import socket
import time
from http.server import BaseHTTPRequestHandler

import pytest

from britannica_assets.sample.markup import ROOT
from britannica_assets.wikisource.client import (
    Client,
    ContactMissingError,
    PageMissingError,
    WikiError,
)
from britannica_assets.wikisource.rate_limit import RateLimiter
from britannica_assets_tests.wikisource.faulty_wiki import (
    FAST_RETRIES,
    Fault,
    api_error,
    body,
    client_of,
    reset,
    serve_faulty,
    status,
    wiki_of,
)

PAGE = '<html><h1 id="firstHeading">A</h1><div class="mw-parser-output">'


@pytest.mark.parametrize(
    "fault",
    [
        status(429), status(500), status(502), status(503), status(404), reset, body(PAGE, missing_bytes=100),
        body(PAGE), body("<html>Our servers are under maintenance.</html>"), body(""), lambda _: time.sleep(1.5),
    ],
    ids=["429", "500", "502", "503", "a proxy's 404", "reset", "cut short", "no end", "error page", "empty", "timeout"],
)  # fmt: skip
def test_a_page_comes_through_trouble(fault: Fault) -> None:
    with client_of(wiki_of([["Anvil"]]), {"/Anvil": [fault]}) as client:
        assert "Anvil is told of" in client.page(f"{ROOT}/Anvil")
        assert client.requests_made == 2


@pytest.mark.parametrize(
    "fault",
    [api_error("maxlag"), api_error("ratelimited"), api_error("readonly"), body("<html>"), body("[]"), status(503)],
    ids=["maxlag", "ratelimited", "readonly", "no JSON", "no object", "503"],
)
def test_an_api_answer_comes_through_trouble(fault: Fault) -> None:
    with client_of(wiki_of([["Anvil"]]), {"api.php": [fault, fault]}) as client:
        assert client.query(prop="info", titles=f"{ROOT}/Anvil")["query"]["pages"][0]["title"] == f"{ROOT}/Anvil"


def test_an_error_that_waiting_cannot_mend_is_told_at_once() -> None:
    with client_of(wiki_of([]), {"api.php": [api_error("badtoken")]}) as client:
        with pytest.raises(WikiError, match="badtoken"):
            client.query(prop="info", titles="A")
        assert client.requests_made == 1
        with pytest.raises(PageMissingError, match="Nowhere"):
            client.page("Nowhere")


def test_retry_after_is_obeyed_by_every_request_to_the_host() -> None:
    with client_of(wiki_of([["Anvil"]]), {"/Anvil": [status(429, Retry_After="1")]}) as client:
        host, now, slept = client.wiki_url.removeprefix("http://"), time.time(), list[float]()
        client.page(f"{ROOT}/Anvil")
        # Any other process of the machine would have had to wait as long, had it begun before.
        RateLimiter(host, 1_000, clock=lambda: now, sleep=slept.append).acquire()
    assert slept[0] >= 1


def test_a_wiki_that_does_not_answer_is_named() -> None:
    with socket.socket() as unused:  # a port that refuses connections
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
    with (
        Client(url, requests_per_second=1_000, retry_policy=FAST_RETRIES) as client,
        pytest.raises(WikiError, match=f"{url}/wiki/Anvil gave no usable answer in 3 attempts"),
    ):
        client.page("Anvil")


def test_live_wikisource_is_refused_without_a_contact() -> None:
    with pytest.raises(ContactMissingError, match=r"User-Agent policy .* BRITANNICA_CONTACT"):
        Client("https://en.wikisource.org", requests_per_second=5)
    with Client("https://en.wikisource.org", requests_per_second=5, contact="me@example.org", version="9.9") as client:
        agent = str(client._session.headers["User-Agent"])
    assert agent.startswith("britannica-assets/9.9 (")
    assert "me@example.org" in agent
    with pytest.raises(WikiError, match="BRITANNICA_WIKI_URL"):
        Client("en.wikisource.org", requests_per_second=5)


def test_every_request_keeps_to_the_api_etiquette() -> None:
    wiki, seen = wiki_of([["Anvil"]]), list[tuple[str, str | None, str | None]]()

    def note(handler: BaseHTTPRequestHandler) -> None:
        connection = f"{handler.client_address[1]}"
        seen.append((handler.path, handler.headers["Accept-Encoding"], connection))
        status(503)(handler)

    with client_of(wiki, {"/Anvil": [note], "api.php": [note]}) as client:
        client.page(f"{ROOT}/Anvil")
        client.query(prop="info", titles=f"{ROOT}/Anvil")
    (_, page_encoding, first), (question, question_encoding, second) = seen
    assert (page_encoding, question_encoding) == ("gzip", "gzip")
    assert "maxlag=5" in question
    assert first == second, "the connection is used again"


def test_awkward_titles_reach_their_page() -> None:
    titles = [
        "A/B",
        "Who?",
        "This & That",
        "C++",
        "“Quoted” 'so'",
        "Κλῖμαξ",
        "Cafe\u0301".replace("e\u0301", "é"),
        "50%",
    ]
    wiki = wiki_of([titles])
    with serve_faulty(wiki, {}) as url, Client(url, requests_per_second=1_000, retry_policy=FAST_RETRIES) as client:
        for title in titles:
            assert 'id="firstHeading"' in client.page(f"{ROOT}/{title}")
