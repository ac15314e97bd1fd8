"""The client retries a wiki in trouble, and never burdens it."""

import gzip
import re
import socket
import threading
import time
import tracemalloc
from contextlib import suppress
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler

import pytest
import requests

from britannica_assets.sample.markup import ROOT, href
from britannica_assets.wikisource.client import (
    Client,
    PageMissingError,
    RetryLaterError,
    WikiError,
)
from britannica_assets.wikisource.http_answer import LONGEST_WAIT, MAX_BYTES, retry_after
from britannica_assets.wikisource.rate_limit import RateLimiter
from britannica_assets.wikisource.retry import RetryPolicy
from britannica_assets.wikisource.user_agent import ContactError, validate_contact
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
        body(PAGE), body("<html>Our servers are under maintenance.</html>"), body(""),
    ],
    ids=["429", "500", "502", "503", "a proxy's 404", "reset", "cut short", "no end", "error page", "empty"],
)  # fmt: skip
def test_a_page_comes_through_trouble(fault: Fault) -> None:
    with client_of(wiki_of([["Anvil"]]), {"/Anvil": [fault]}) as client:
        assert "Anvil is told of" in client.page(f"{ROOT}/Anvil")
        assert client.requests_made == 2


def test_a_page_that_does_not_come_is_asked_for_again() -> None:
    finished = threading.Event()
    short_timeout = RetryPolicy(max_attempts=1_000, initial_backoff=0.01, max_backoff=0.02, timeout=0.5)

    def hang(handler: BaseHTTPRequestHandler) -> None:
        finished.wait()

    with (
        serve_faulty(wiki_of([["Anvil"]]), {"/Anvil": [hang]}) as url,
        Client(url, requests_per_second=1_000, retry_policy=short_timeout) as client,
    ):
        try:
            assert "Anvil is told of" in client.page(f"{ROOT}/Anvil")
        finally:
            finished.set()


@pytest.mark.parametrize(
    "fault",
    [api_error("maxlag"), api_error("ratelimited"), api_error("readonly"), body("<html>"), body("[]"), status(503)],
    ids=["maxlag", "ratelimited", "readonly", "no JSON", "no object", "503"],
)
def test_an_api_answer_comes_through_trouble(fault: Fault) -> None:
    with client_of(wiki_of([["Anvil"]]), {"api.php": [fault, fault]}) as client:
        assert client.query(prop="info", titles=f"{ROOT}/Anvil")["query"]["pages"][0]["title"] == f"{ROOT}/Anvil"


def test_an_error_that_waiting_cannot_mend_is_raised_at_once() -> None:
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
    with pytest.raises(ContactError, match=r"User-Agent policy .* BRITANNICA_CONTACT"):
        Client("https://en.wikisource.org", requests_per_second=5)
    with pytest.raises(WikiError, match="BRITANNICA_WIKI_URL"):
        Client("en.wikisource.org", requests_per_second=5)


@pytest.mark.parametrize(
    "contact", ["me", "me@home", "see my page", "me@example.org\r\nX: y", "ftp://example.org", "mé@example.org"]
)
def test_what_is_no_contact_is_refused(contact: str) -> None:
    with pytest.raises(ContactError, match="neither a mail address nor the address of a page"):
        Client("http://127.0.0.1:1", requests_per_second=5, contact=contact)


@pytest.mark.parametrize(
    "contact", ["me@example.org", "https://example.org/about-me", "https://meta.wikimedia.org/wiki/User:Me"]
)
def test_a_mail_address_or_a_page_is_a_contact(contact: str) -> None:
    validate_contact(contact, hostname="en.wikisource.org")


def test_every_request_keeps_to_the_api_etiquette() -> None:
    wiki, seen = wiki_of([["Anvil"]]), list[BaseHTTPRequestHandler]()

    def note(handler: BaseHTTPRequestHandler) -> None:
        seen.append(handler)
        status(503, Set_Cookie="follow=me; Path=/")(handler)

    with (
        serve_faulty(wiki, {"/Anvil": [note], "api.php": [note]}) as url,
        Client(
            url, requests_per_second=1_000, retry_policy=FAST_RETRIES, contact="me@example.org", version="9.9"
        ) as client,
    ):
        client.page(f"{ROOT}/Anvil")
        client.query(prop="info", titles=f"{ROOT}/Anvil")
    page, query = seen
    agent = rf"britannica-assets/9\.9 \(me@example\.org\) python-requests/{requests.__version__}"
    for handler in seen:
        assert handler.headers["Accept-Encoding"] == "gzip"
        assert handler.headers["Cookie"] is None
        assert re.fullmatch(agent, handler.headers["User-Agent"])
    assert "maxlag=5" in query.path
    assert page is query, "one connection is one handler: it is used again"


def test_a_redirect_is_followed_within_the_host_alone() -> None:
    wiki = wiki_of([["Anvil", "Bell"]])
    away = status(302, Location="http://example.org/wiki/Anvil")
    home = status(301, Location=href(f"{ROOT}/Bell"))
    with client_of(wiki, {"/Anvil": [away, home]}) as client:
        with pytest.raises(WikiError, match=r"to another host, http://example.org/wiki/Anvil, .* not followed"):
            client.page(f"{ROOT}/Anvil")
        assert "Bell is told of" in client.page(f"{ROOT}/Anvil")
        assert client.requests_made == 3, "each step is a request within the rate limit"


def test_an_answer_is_read_up_to_a_size() -> None:
    bomb = gzip.compress(bytes(MAX_BYTES + 1))
    with client_of(wiki_of([["Anvil"]]), {"/Anvil": [body(bomb, Content_Encoding="gzip")]}) as client:
        tracemalloc.start()
        with pytest.raises(WikiError, match="holds more than 64 MB"):
            client.page(f"{ROOT}/Anvil")
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peak < 2.5 * MAX_BYTES


def test_an_answer_is_read_up_to_a_deadline() -> None:
    closed = threading.Event()

    def drip(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "1000000")
        handler.end_headers()
        with suppress(OSError):
            while not closed.wait(0.02):
                handler.wfile.write(b"x")
        handler.close_connection = True

    policy = RetryPolicy(max_attempts=2, initial_backoff=0.01, timeout=5, deadline=0.1)
    with (
        serve_faulty(wiki_of([["Anvil"]]), {"/Anvil": [drip, drip]}) as url,
        Client(url, requests_per_second=1_000, retry_policy=policy) as client,
    ):
        with pytest.raises(WikiError, match=r"2 attempts; the last: the answer did not end within"):
            client.page(f"{ROOT}/Anvil")
        closed.set()


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7.0),
        ("1.5", 1.5),
        ("Thu, 01 Jan 2026 00:01:00 GMT", 60.0),
        ("Thu, 01 Jan 2026 00:01:00 -0000", 60.0),
        ("Thu, 01 Jan 2026 01:01:00 +0100", 60.0),
        ("Wed, 31 Dec 2025 00:00:00 GMT", 0.0),
        ("9" * 400, LONGEST_WAIT),
        ("Fri, 31 Dec 9999 23:59:59 -1200", LONGEST_WAIT),
        ("soon", None),
        ("", None),
    ],
)
def test_retry_after_is_read_in_all_its_forms(value: str, seconds: float | None) -> None:
    assert retry_after(value, datetime(2026, 1, 1, tzinfo=UTC)) == seconds


def test_a_wish_to_wait_for_a_day_ends_the_run() -> None:
    with client_of(wiki_of([]), {"api.php": [status(503, Retry_After="90000")]}) as client:
        with pytest.raises(RetryLaterError, match="materialize again after that"):
            client.query(prop="info", titles="A")
        assert client.requests_made == 1


def test_waits_for_lagging_databases_grow_to_minutes() -> None:
    policy = RetryPolicy()
    least, most = 0.5, 1.0  # of the jitter
    waits = [policy.backoff(attempt, lagged=True) for attempt in range(1, policy.max_attempts)]
    assert all(least * 5 * 2**n <= wait <= most * 5 * 2**n for n, wait in enumerate(waits))
    assert max(waits) > 60


def test_lists_are_continued_to_their_end() -> None:
    wiki = wiki_of([[f"Town {number:04d}" for number in range(1_100)]])
    with client_of(wiki) as client:
        answers = list(client.query_all(list="allpages", apprefix=f"{ROOT}/Town ", apnamespace="0", aplimit="max"))
    assert [len(answer["query"]["allpages"]) for answer in answers] == [500, 500, 100]


def test_awkward_titles_reach_their_page() -> None:
    titles = [
        "A/B",
        "Who?",
        "This & That",
        "C++",
        "“Quoted” 'so'",
        "Κλῖμαξ",
        "Café",
        "50%",
    ]
    wiki = wiki_of([titles])
    with serve_faulty(wiki, {}) as url, Client(url, requests_per_second=1_000, retry_policy=FAST_RETRIES) as client:
        for title in titles:
            assert 'id="firstHeading"' in client.page(f"{ROOT}/{title}")
