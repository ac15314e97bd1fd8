"""The sample's little wiki: serves the bundled encyclopaedia on loopback with the pages and API calls of MediaWiki.

`python -m britannica_assets.sample.wiki [--port 8911]` serves it until stopped; tests and `make demo` use `serve()`.
"""

import argparse
import gzip
import html
import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from britannica_assets.sample.encyclopedia import SampleArticle, compose
from britannica_assets.sample.markup import ROOT, Page, href, pages

NAMESPACES = {"": 0, "File": 6, "Category": 14, "Author": 102, "Page": 104, "Index": 106}
FOUNDED = datetime(2020, 1, 1, tzinfo=UTC)
TITLES_IN_A_REQUEST = 50


@dataclass
class Stored:
    """A page in the wiki: its content, when it was last rendered anew, and its revision."""

    page: Page
    identifier: int
    revision: int
    touched: datetime = FOUNDED


@dataclass
class Wiki:
    """The wiki's state. Tests edit it as a proofreader would, and read what was asked of it from `requests`."""

    articles: Sequence[SampleArticle] = field(default_factory=compose)
    requests: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.pages = {
            page.title: Stored(page, identifier=number, revision=number)
            for number, page in enumerate(pages(self.articles), 1)
        }
        self.changes: list[dict[str, Any]] = []
        self.lock = threading.Lock()
        self._clock = FOUNDED

    def edit(self, title: str, sentence: str) -> None:
        """Adds a sentence to the scan page of the article `title`: its `touched` moves, its own revision does not."""
        with self.lock:
            article = self.pages[f"{ROOT}/{title}"]
            scan = self.pages[str(article.page.transcludes)]
            edited = f" {html.escape(sentence, quote=False)}\n</p>"
            self._clock += timedelta(minutes=1)
            for stored in (scan, article):
                head, _, tail = stored.page.html.rpartition("\n</p>")
                stored.page = replace(stored.page, html=head + edited + tail)
                stored.touched = self._clock
            scan.revision = max(stored.revision for stored in self.pages.values()) + 1
            self._record(scan)

    def touch(self, title: str) -> None:
        """Moves an article's `touched` without any change of its text, as a template's edit does."""
        with self.lock:
            self._clock += timedelta(minutes=1)
            self.pages[f"{ROOT}/{title}"].touched = self._clock

    def delete(self, title: str) -> None:
        """Deletes the article `title`; lists go on linking to it."""
        with self.lock:
            self._clock += timedelta(minutes=1)
            self._record(self.pages.pop(f"{ROOT}/{title}"))

    def _record(self, stored: Stored) -> None:
        title = stored.page.title
        self.changes.append(
            {
                "type": "edit",
                "ns": namespace(title),
                "title": title,
                "pageid": stored.identifier,
                "revid": stored.revision,
                "old_revid": stored.revision - 1,
                "rcid": len(self.changes) + 1,
                "timestamp": timestamp(self._clock),
            }
        )

    def answer_query(self, parameters: dict[str, str]) -> dict[str, Any]:
        """What `action=query` answers to `prop=info` and `list=recentchanges`."""
        if parameters.get("list") == "recentchanges":
            wanted = {int(number) for number in parameters.get("rcnamespace", "0").split("|")}
            changes = [change for change in self.changes if change["ns"] in wanted]
            newer = parameters.get("rcdir") == "newer"
            start = parameters.get("rcstart")
            if start:
                changes = [c for c in changes if (c["timestamp"] >= start if newer else c["timestamp"] <= start)]
            if not newer:
                changes = changes[::-1]
            limit = 500 if parameters.get("rclimit") == "max" else int(parameters.get("rclimit", "10"))
            return {"batchcomplete": True, "query": {"recentchanges": changes[:limit]}}
        titles = parameters.get("titles", "").split("|")
        if len(titles) > TITLES_IN_A_REQUEST:
            text = f'Too many values supplied for parameter "titles". The limit is {TITLES_IN_A_REQUEST}.'
            return {"error": {"code": "toomanyvalues", "info": text}}
        query: dict[str, Any] = {}
        answers: dict[str, dict[str, Any]] = {}
        for asked in titles:
            title = asked.replace("_", " ").strip()
            title = title[:1].upper() + title[1:]
            if title != asked:
                query.setdefault("normalized", []).append({"fromencoded": False, "from": asked, "to": title})
            stored = self.pages.get(title)
            if stored is not None and stored.page.redirect and "redirects" in parameters:
                query.setdefault("redirects", []).append({"from": title, "to": stored.page.redirect})
                title = stored.page.redirect
                stored = self.pages.get(title)
            answers[title] = {"ns": namespace(title), "title": title, "missing": True}
            if stored is not None:
                answers[title] = {
                    "pageid": stored.identifier,
                    "ns": namespace(title),
                    "title": title,
                    "contentmodel": "wikitext",
                    "pagelanguage": "en",
                    "touched": timestamp(stored.touched),
                    "lastrevid": stored.revision,
                    "length": len(stored.page.wikitext.encode()),
                }
        return {"batchcomplete": True, "query": {**query, "pages": list(answers.values())}}

    def render(self, title: str) -> tuple[int, str]:
        """The status and the HTML of a page as a browser gets it."""
        stored = self.pages.get(title)
        redirected = ""
        if stored is not None and stored.page.redirect:
            redirected = (
                f'<div id="contentSub"><span class="mw-redirectedfrom">(Redirected from <a href="{href(title)}'
                f'?redirect=no" class="mw-redirect" title="{html.escape(title)}">{html.escape(title)}</a>)</span></div>'
            )
            stored = self.pages.get(stored.page.redirect)
        if stored is None:
            content, status, shown, revision = (
                '<div class="noarticletext"><p>There is no text.</p></div>',
                404,
                title,
                0,
            )
        else:
            content, status, shown, revision = stored.page.html, 200, stored.page.title, stored.revision
        configuration = json.dumps({"wgPageName": shown.replace(" ", "_"), "wgRevisionId": revision})
        document = (
            f'<!DOCTYPE html>\n<html class="client-nojs" lang="en" dir="ltr">\n<head><meta charset="UTF-8"/>'
            f"<title>{html.escape(shown)} - Wikisource</title><script>RLCONF={configuration};</script>"
            f'<link rel="canonical" href="{href(shown)}"/></head>\n<body class="mediawiki">'
            f'<div id="content" class="mw-body"><h1 id="firstHeading" class="firstHeading">{html.escape(shown)}</h1>'
            f'{redirected}<div id="mw-content-text" class="mw-body-content">'
            f'<div class="mw-content-ltr mw-parser-output" lang="en" dir="ltr">{content}</div>'
            "</div></div></body>\n</html>"
        )
        return status, document


def namespace(title: str) -> int:
    """The number of a title's namespace."""
    prefix, colon, _ = title.partition(":")
    return NAMESPACES.get(prefix, 0) if colon else 0


def timestamp(moment: datetime) -> str:
    """A moment as MediaWiki's API writes it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wiki: Wiki

    def do_GET(self) -> None:
        self._answer(urlsplit(self.path).query)

    def do_POST(self) -> None:
        self._answer(self.rfile.read(int(self.headers["Content-Length"])).decode())

    def _answer(self, query: str) -> None:
        address = urlsplit(self.path)
        with self.wiki.lock:
            self.wiki.requests.append(self.path)
            if address.path == "/w/api.php":
                parameters = {name: values[0] for name, values in parse_qs(query).items()}
                if parameters.get("action") == "query":
                    answer = self.wiki.answer_query(parameters)
                else:
                    answer = {"error": {"code": "badvalue", "info": 'Unrecognized value for parameter "action".'}}
                status, kind, body = 200, "application/json; charset=utf-8", json.dumps(answer)
            elif address.path.startswith("/wiki/"):
                kind = "text/html; charset=UTF-8"
                status, body = self.wiki.render(unquote(address.path[len("/wiki/") :]).replace("_", " "))
            else:
                status, kind, body = 404, "text/plain", "not found"
        data = body.encode()
        self.send_response(status)
        if "gzip" in self.headers.get("Accept-Encoding", ""):
            data = gzip.compress(data, compresslevel=1)
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *arguments: object) -> None:
        """Nothing: `Wiki.requests` holds what was asked."""


@contextmanager
def serve(wiki: Wiki | None = None, *, port: int = 0) -> Iterator[str]:
    """Serves the wiki on loopback in a thread of this process; yields its base URL. Port 0 takes a free one."""
    handler = type("_BoundHandler", (_Handler,), {"wiki": wiki or Wiki()})
    with ThreadingHTTPServer(("127.0.0.1", port), handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Serves the bundled sample encyclopaedia as a little Wikisource.")
    parser.add_argument("--port", type=int, default=8911)
    with serve(port=parser.parse_args().port) as url:
        print(f"{url}{href(f'{ROOT}/Vol 1:1')}", flush=True)
        threading.Event().wait()
