"""The sample's little wiki: serves the bundled encyclopaedia on loopback with the pages and API calls of MediaWiki.

`python -m britannica_assets.sample.wiki [--port 8911]` serves it until stopped; tests and `make demo` use `serve()`.
"""

import argparse
import gzip
import html
import json
import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from britannica_assets.sample.encyclopedia import SampleArticle, compose
from britannica_assets.sample.markup import ROOT, Page, href, pages, with_sentence

NAMESPACES = {"": 0, "File": 6, "Category": 14, "Author": 102, "Page": 104, "Index": 106}
FOUNDED = datetime(2020, 1, 1, tzinfo=UTC)
TITLES_IN_A_REQUEST = 50
CHANGES_IN_A_REQUEST = 500
PAGES_IN_A_REQUEST = 500  # of a list of all pages
FORBIDDEN_IN_TITLES = re.compile(r"[\[\]{}<>]")


@dataclass
class Stored:
    """A page in the wiki: its content, when it was last rendered anew, and its revision."""

    page: Page
    identifier: int
    revision: int
    touched: datetime = FOUNDED


@dataclass(frozen=True)
class Answer:
    """What goes back over HTTP."""

    status: int
    content_type: str
    body: str
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Wiki:
    """The wiki's state. Tests edit it as a proofreader would, and read what was asked of it from `requests`."""

    articles: Sequence[SampleArticle] = field(default_factory=compose)
    requests: list[str] = field(default_factory=list)
    lag: float = 0.0  # seconds by which the database is behind; a request with a smaller `maxlag` is turned away

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
            self._clock += timedelta(minutes=1)
            for stored in (scan, article):
                stored.page = replace(stored.page, html=with_sentence(stored.page.html, sentence))
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

    def answer_api(self, parameters: Mapping[str, str]) -> dict[str, Any]:
        """What the API answers to `action=query` with `prop=info`, `prop=templates` (of the scan pages),
        `list=recentchanges` or `list=allpages`, which may be a generator; to other actions, an error."""
        action = parameters.get("action", "help")
        if action != "query":
            return _error("badvalue", f'Unrecognized value for parameter "action": {action}.')
        maximal_lag = parameters.get("maxlag")
        if maximal_lag is not None and float(maximal_lag) < self.lag:
            return _error("maxlag", f"Waiting for 127.0.0.1: {self.lag} seconds lagged.")
        listed = self._list(parameters)
        if listed is not None:
            return listed
        titles = parameters.get("titles", "").split("|")
        if len(titles) > TITLES_IN_A_REQUEST:
            return _error(
                "toomanyvalues", f'Too many values supplied for parameter "titles". The limit is {TITLES_IN_A_REQUEST}.'
            )
        if parameters.get("prop") == "templates":
            return self._transcluded(titles)
        return self._page_information(titles, follow="redirects" in parameters)

    def _list(self, parameters: Mapping[str, str]) -> dict[str, Any] | None:
        """The answer to a list or a generator, or None where neither is asked for."""
        if parameters.get("list") == "recentchanges":
            return self._recent_changes(parameters)
        if parameters.get("list") == "allpages":
            titles, proceed = self._all_pages(parameters, "ap")
            pages = [
                {"pageid": self.pages[title].identifier, "ns": namespace(title), "title": title} for title in titles
            ]
            return {**proceed, "query": {"allpages": pages}}
        if parameters.get("generator") == "allpages":
            titles, proceed = self._all_pages(parameters, "gap")
            return (self._page_information(titles, follow=False) if titles else {}) | proceed
        return None

    def _recent_changes(self, parameters: Mapping[str, str]) -> dict[str, Any]:
        namespaces = parameters.get("rcnamespace")
        wanted = {int(number) for number in namespaces.split("|")} if namespaces else NAMESPACES.values()
        newer = parameters.get("rcdir", "older") == "newer"
        changes = [change for change in (self.changes if newer else self.changes[::-1]) if change["ns"] in wanted]
        for bound, ahead in (("rcstart", newer), ("rcend", not newer)):
            moment = parameters.get(bound)
            if moment:
                changes = [c for c in changes if (c["timestamp"] >= moment if ahead else c["timestamp"] <= moment)]
        if "rccontinue" in parameters:
            next_change = int(parameters["rccontinue"].partition("|")[2])
            changes = [c for c in changes if (c["rcid"] >= next_change if newer else c["rcid"] <= next_change)]
        asked_limit = parameters.get("rclimit", "10")
        limit = CHANGES_IN_A_REQUEST if asked_limit == "max" else min(CHANGES_IN_A_REQUEST, int(asked_limit))
        limits = {"limits": {"recentchanges": limit}} if asked_limit == "max" else {}
        answer: dict[str, Any] = {**limits, "query": {"recentchanges": changes[:limit]}}
        if len(changes) > limit:
            following = changes[limit]
            digits = re.sub(r"\D", "", following["timestamp"])
            return {"continue": {"rccontinue": f"{digits}|{following['rcid']}", "continue": "-||"}, **answer}
        return {"batchcomplete": True, **answer}

    def _all_pages(self, parameters: Mapping[str, str], prefix: str) -> tuple[list[str], dict[str, Any]]:
        """The titles that a list of all pages gives, sorted by their bytes, and how the answer goes on."""
        asked_limit = parameters.get(f"{prefix}limit", "10")
        limit = PAGES_IN_A_REQUEST if asked_limit == "max" else min(PAGES_IN_A_REQUEST, int(asked_limit))
        begin = parameters.get(f"{prefix}continue") or parameters.get(f"{prefix}from") or ""
        end = parameters.get(f"{prefix}to")
        keys = {
            title.replace(" ", "_").encode(): title
            for title, stored in self.pages.items()
            if namespace(title) == int(parameters.get(f"{prefix}namespace", "0"))
            and title.startswith(parameters.get(f"{prefix}prefix", "").replace("_", " "))
            and not (stored.page.redirect and parameters.get(f"{prefix}filterredir") == "nonredirects")
        }
        first = begin.replace(" ", "_").encode()
        last = None if end is None else end.replace(" ", "_").encode()
        found = sorted(key for key in keys if key >= first and (last is None or key <= last))
        titles = [keys[key] for key in found[:limit]]
        limits = {"limits": {"allpages": limit}} if asked_limit == "max" else {}
        if len(found) <= limit:
            return titles, {"batchcomplete": True, **limits}
        following = {
            f"{prefix}continue": found[limit].decode(),
            "continue": f"{prefix}continue||" if prefix == "gap" else "-||",
        }
        return titles, {"batchcomplete": True, "continue": following, **limits}

    def _page_information(self, titles: Sequence[str], *, follow: bool) -> dict[str, Any]:
        query: dict[str, Any] = {}
        answers: dict[str, dict[str, Any]] = {}
        for asked in titles:
            forbidden = FORBIDDEN_IN_TITLES.search(asked)
            if forbidden:
                reason = f'The requested page title contains invalid characters: "{forbidden[0]}".'
                answers[asked] = {"title": asked, "invalidreason": reason, "invalid": True}
                continue
            title = asked.replace("_", " ").strip()
            title = title[:1].upper() + title[1:]
            if title != asked:
                query.setdefault("normalized", []).append({"fromencoded": False, "from": asked, "to": title})
            stored = self.pages.get(title)
            while stored is not None and stored.page.redirect and follow:
                query.setdefault("redirects", []).append({"from": title, "to": stored.page.redirect})
                title = stored.page.redirect
                stored = self.pages.get(title)
            language = {"pagelanguage": "en", "pagelanguagehtmlcode": "en", "pagelanguagedir": "ltr"}
            named = {"ns": namespace(title), "title": title, "contentmodel": "wikitext", **language}
            if stored is None:
                answers[title] = {**named, "missing": True}
                continue
            answers[title] = {
                "pageid": stored.identifier,
                **named,
                "touched": timestamp(stored.touched),
                "lastrevid": stored.revision,
                "length": len(stored.page.wikitext.encode()),
            }
            # Flags are told only where they hold: a redirect, and a page with but one revision.
            if stored.page.redirect:
                answers[title]["redirect"] = True
            if stored.revision == stored.identifier:
                answers[title]["new"] = True
        return {"batchcomplete": True, "query": {**query, "pages": list(answers.values())}}

    def _transcluded(self, titles: Sequence[str]) -> dict[str, Any]:
        answers: list[dict[str, Any]] = []
        for title in titles:
            stored = self.pages.get(title)
            answer: dict[str, Any] = {"ns": namespace(title), "title": title}
            if stored is None:
                answer["missing"] = True
            else:
                answer["pageid"] = stored.identifier
                if scan := stored.page.transcludes:
                    answer["templates"] = [{"ns": namespace(scan), "title": scan}]
            answers.append(answer)
        return {"batchcomplete": True, "query": {"pages": answers}, "limits": {"templates": 500}}

    def render(self, title: str) -> Answer:
        """A page as a browser gets it: redirects show their target, what does not exist is told with status 404."""
        stored = self.pages.get(title)
        below_heading = ""
        if stored is not None and stored.page.redirect:
            below_heading = (
                f'<div id="contentSub"><span class="mw-redirectedfrom">(Redirected from <a href="{href(title)}'
                f'?redirect=no" class="mw-redirect" title="{html.escape(title)}">{html.escape(title)}</a>)</span></div>'
            )
            stored = self.pages.get(stored.page.redirect)
        shown = title if stored is None else stored.page.title
        if stored is None:
            content = (
                '<div class="noarticletext mw-content-ltr" dir="ltr" lang="en">'
                "<p>There is currently no text in this page.</p></div>"
            )
        else:
            content = f'<div class="mw-content-ltr mw-parser-output" lang="en" dir="ltr">{stored.page.html}</div>'
        configuration = {
            "wgRequestId": f"{len(self.requests):024x}",
            "wgPageName": shown.replace(" ", "_"),
            "wgNamespaceNumber": namespace(shown),
            "wgArticleId": stored.identifier if stored else 0,
            "wgRevisionId": stored.revision if stored else 0,
        }
        document = (
            '<!DOCTYPE html>\n<html class="client-nojs" lang="en" dir="ltr">\n<head>\n<meta charset="UTF-8"/>\n'
            f"<title>{html.escape(shown)} - Wikisource</title>\n<script>RLCONF={json.dumps(configuration)};</script>\n"
            f'<link rel="canonical" href="{href(shown)}"/>\n</head>\n<body class="mediawiki ltr">\n'
            f'<div id="content" class="mw-body" role="main"><h1 id="firstHeading" class="firstHeading">'
            f'{html.escape(shown)}</h1>\n{below_heading}<div id="mw-content-text" class="mw-body-content">'
            f"{content}</div></div>\n</body>\n</html>"
        )
        if stored is None:
            return Answer(404, "text/html; charset=UTF-8", document)
        modified = format_datetime(stored.touched, usegmt=True)
        return Answer(200, "text/html; charset=UTF-8", document, {"Last-Modified": modified})

    def answer(self, path: str, query: str) -> Answer:
        """What the wiki answers to a request for `path` with the encoded parameters `query`."""
        if path == "/w/api.php":
            said = self.answer_api({name: values[0] for name, values in parse_qs(query).items()})
            headers = {}
            if "error" in said:
                headers["MediaWiki-API-Error"] = said["error"]["code"]
                if said["error"]["code"] == "maxlag":
                    headers |= {"Retry-After": "5", "X-Database-Lag": str(self.lag)}
            return Answer(200, "application/json; charset=utf-8", json.dumps(said), headers)
        if path.startswith("/wiki/"):
            return self.render(unquote(path.removeprefix("/wiki/")).replace("_", " "))
        return Answer(404, "text/plain; charset=utf-8", "not found")


def _error(code: str, text: str) -> dict[str, Any]:
    return {"error": {"code": code, "info": text, "docref": "See /w/api.php for API usage."}}


def namespace(title: str) -> int:
    """The number of a title's namespace."""
    prefix, colon, _ = title.partition(":")
    return NAMESPACES.get(prefix, 0) if colon else 0


def timestamp(moment: datetime) -> str:
    """A moment as MediaWiki's API writes it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # headers and body are two writes; the second must not wait for the first's receipt
    wiki: Wiki

    def do_GET(self) -> None:
        self._answer(urlsplit(self.path).query)

    def do_HEAD(self) -> None:
        self._answer(urlsplit(self.path).query)

    def do_POST(self) -> None:
        self._answer(self.rfile.read(int(self.headers["Content-Length"])).decode())

    def _answer(self, query: str) -> None:
        with self.wiki.lock:
            self.wiki.requests.append(self.path)
            answer = self.wiki.answer(urlsplit(self.path).path, query)
        data = answer.body.encode()
        self.send_response(answer.status)
        if "gzip" in self.headers.get("Accept-Encoding", ""):
            data = gzip.compress(data, compresslevel=1)
            self.send_header("Content-Encoding", "gzip")
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Vary", "Accept-Encoding")
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def log_message(self, format: str, *arguments: object) -> None:
        """Nothing: `Wiki.requests` holds what was asked."""


def serve(wiki: Wiki | None = None, *, port: int = 0) -> AbstractContextManager[str]:
    """Serves the wiki on loopback in a thread of this process; gives its base URL. Port 0 takes a free one."""
    return serve_with(type("_BoundHandler", (_Handler,), {"wiki": wiki or Wiki()}), port=port)


@contextmanager
def serve_with(handler: type[BaseHTTPRequestHandler], *, port: int = 0) -> Iterator[str]:
    """Serves what `handler` answers, in the same way."""
    with ThreadingHTTPServer(("127.0.0.1", port), handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
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
