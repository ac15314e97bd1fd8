"""A sample wiki with titles of our own whose server injects faults."""

import json
import struct
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from http.server import BaseHTTPRequestHandler
from socket import SO_LINGER, SOL_SOCKET
from urllib.parse import unquote, urlsplit

from britannica_assets.sample.markup import ROOT, Page, href
from britannica_assets.sample.stored_page import WikiPage
from britannica_assets.sample.wiki import Wiki
from britannica_assets.sample.wiki_server import serve_with
from britannica_assets.wikisource.client import Client
from britannica_assets.wikisource.retry import RetryPolicy

FAST_RETRIES = RetryPolicy(max_attempts=3, initial_backoff=0.01, max_backoff=0.02, timeout=300.0)


def article(text: str, *, volume: int = 1, page: int = 7, quality: int = 4) -> str:
    """An article's content on a page of a volume, in Wikisource's markup."""
    return (
        '<div class="prp-pages-output" lang="en"><p><span class="pagenum ws-pagenum" data-page-quality="'
        f'{quality}" data-page-number="{page}" data-page-name="Page:EB1911 - Volume {volume:02d}.djvu/{page}">\u200b'
        f"</span>{text}\n</p></div>"
    )


def wiki_of(titles: Sequence[Sequence[str]], *, volume: int = 1, wiki: Wiki | None = None) -> Wiki:
    """A wiki that lists `titles`, a sequence a part, and holds an article under each."""
    wiki = wiki or Wiki(articles=())
    for part, listed in enumerate(titles, 1):
        links = "".join(f'<li><a href="{href(f"{ROOT}/{title}")}">{title}</a></li>' for title in listed)
        add(wiki, Page(f"{ROOT}/Vol {volume}:{part}", html=f"<ul>{links}</ul>"))
        for title in listed:
            scan = f"Page:EB1911 - Volume {volume:02d}.djvu/{len(wiki.pages)}"
            words = " ".join(f"{title} is told of here, line {line}." for line in range(4))
            add(wiki, Page(scan, html=article(words, volume=volume)))
            add(wiki, Page(f"{ROOT}/{title}", html=article(words, volume=volume), transcludes=scan))
    return wiki


def add(wiki: Wiki, page: Page) -> None:
    """Puts a page in the wiki."""
    number = len(wiki.pages) + 1
    wiki.pages[page.title] = WikiPage(page, identifier=number, revision=number)


Fault = Callable[[BaseHTTPRequestHandler], None]


def status(code: int, **headers: str) -> Fault:
    """An answer with this status."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(code)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    return answer


def body(text: str | bytes, *, missing_bytes: int = 0, **headers: str) -> Fault:
    """A 200 with this body, of which the last bytes never come."""
    data = text.encode() if isinstance(text, str) else text

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(data) + missing_bytes))
        handler.end_headers()
        handler.wfile.write(data)
        handler.close_connection = True

    return answer


def api_error(code: str) -> Fault:
    """An API `error` object."""
    return body(json.dumps({"error": {"code": code, "info": f"It is {code}."}}))


def reset(handler: BaseHTTPRequestHandler) -> None:
    """A connection torn down."""
    handler.connection.setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))
    handler.close_connection = True
    handler.connection.close()


def serve_faulty(wiki: Wiki, faults: dict[str, list[Fault]]) -> AbstractContextManager[str]:
    """Serves `wiki`; a request whose path ends with a key of `faults` meets the first fault that is left there."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            self.respond(urlsplit(self.path).query)

        def do_POST(self) -> None:
            self.respond(self.rfile.read(int(self.headers["Content-Length"])).decode())

        def respond(self, query: str) -> None:
            path = urlsplit(self.path).path
            wiki.requests.append(unquote(path))
            for ending, left in faults.items():
                if unquote(path).endswith(ending) and left:
                    left.pop(0)(self)
                    return
            answer = wiki.answer(path, query)
            data = answer.body.encode()
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.content_type)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *arguments: object) -> None:
            """Nothing: `Wiki.requests` holds what was asked."""

        def finish(self) -> None:
            if not self.wfile.closed and self.connection.fileno() != -1:
                super().finish()

    return serve_with(Handler)


@contextmanager
def client_of(wiki: Wiki, faults: dict[str, list[Fault]] | None = None) -> Iterator[Client]:
    """A client that soon gives up, of a served wiki."""
    with (
        serve_faulty(wiki, faults or {}) as url,
        Client(url, requests_per_second=1_000, retry_policy=FAST_RETRIES) as client,
    ):
        yield client
