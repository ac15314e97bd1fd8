"""The sample wiki: the bundled encyclopaedia as pages and API answers of MediaWiki; `wiki_server.py` serves it."""

import html
import json
import re
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import Any
from urllib.parse import parse_qs, unquote

from britannica_assets.sample.encyclopedia import SampleArticle, compose
from britannica_assets.sample.markup import ROOT, href, pages, with_sentence
from britannica_assets.sample.stored_page import CREATED_AT, NAMESPACES, Response, WikiPage, namespace, timestamp

ANONYMOUS_TOKEN = "+\\"  # MediaWiki's, for edits without an account
MAX_TITLES = 50
MAX_LISTED = 500  # entries of a list in one answer
INVALID_TITLE_CHARACTERS = re.compile(r"[\[\]{}<>]")


@dataclass
class Wiki:
    """The wiki's state. Tests edit it as a proofreader would; `requests` logs the path of each request."""

    articles: Sequence[SampleArticle] = field(default_factory=compose)
    requests: list[str] = field(default_factory=list)
    clock: datetime = CREATED_AT  # of the last edit; each is a minute later
    lag: float = 0.0  # replication lag in seconds; a request with a smaller `maxlag` gets the error `maxlag`

    def __post_init__(self) -> None:
        self.pages = {
            page.title: WikiPage(page, identifier=number, revision=number)
            for number, page in enumerate(pages(self.articles), 1)
        }
        self.changes: list[dict[str, Any]] = []
        self.lock = threading.RLock()  # the server holds it while it asks for an answer, which may be an edit

    def edit(self, title: str, sentence: str) -> None:
        """Adds a sentence to the scan page of the article `title`: its `touched` moves, its own revision does not."""
        with self.lock:
            article = self.pages[f"{ROOT}/{title}"]
            scan = self.pages[str(article.page.transcludes)]
            self.clock += timedelta(minutes=1)
            for stored in (scan, article):
                stored.page = replace(stored.page, html=with_sentence(stored.page.html, sentence))
                stored.touched = self.clock
            scan.revision = max(stored.revision for stored in self.pages.values()) + 1
            self._record(scan)

    def _edit(self, parameters: Mapping[str, str]) -> dict[str, Any]:
        title = parameters.get("title", "").replace("_", " ")
        if parameters.get("token") != ANONYMOUS_TOKEN:
            return _error("badtoken", "Invalid CSRF token.")
        if title not in self.pages or not self.pages[title].page.transcludes:
            return _error("missingtitle", "The page you specified doesn't exist.")
        self.edit(title.removeprefix(f"{ROOT}/"), parameters.get("appendtext", ""))
        return {"edit": {"result": "Success", "title": title}}

    def touch(self, title: str) -> None:
        """Moves an article's `touched` without any change of its text, as a template's edit does."""
        with self.lock:
            self.clock += timedelta(minutes=1)
            self.pages[f"{ROOT}/{title}"].touched = self.clock

    def delete(self, title: str) -> None:
        """Deletes the article `title`; lists go on linking to it."""
        with self.lock:
            self.clock += timedelta(minutes=1)
            self._record(self.pages.pop(f"{ROOT}/{title}"))

    def _record(self, stored: WikiPage) -> None:
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
                "timestamp": timestamp(self.clock),
            }
        )

    def answer_api(self, parameters: Mapping[str, str]) -> dict[str, Any]:
        """The API's answer to `action=query` with `prop=info`, `prop=templates` (of the scan pages),
        `list=recentchanges` or `list=allpages`, which may be a generator; to `action=edit` with
        `appendtext`; to other actions, an error."""
        action = parameters.get("action", "help")
        if action == "query":
            return self._query(parameters)
        if action == "edit":
            return self._edit(parameters)
        return _error("badvalue", f'Unrecognized value for parameter "action": {action}.')

    def _query(self, parameters: Mapping[str, str]) -> dict[str, Any]:
        maxlag = parameters.get("maxlag")
        if maxlag is not None and float(maxlag) < self.lag:
            return _error("maxlag", f"Waiting for 127.0.0.1: {self.lag} seconds lagged.")
        listed = self._list(parameters)
        if listed is not None:
            return listed
        titles = parameters.get("titles", "").split("|")
        if len(titles) > MAX_TITLES:
            return _error(
                "toomanyvalues", f'Too many values supplied for parameter "titles". The limit is {MAX_TITLES}.'
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
        named = parameters.get("rcnamespace")
        namespaces = {int(number) for number in named.split("|")} if named else set(NAMESPACES.values())
        newer = parameters.get("rcdir", "older") == "newer"
        changes = [change for change in (self.changes if newer else self.changes[::-1]) if change["ns"] in namespaces]
        if start := parameters.get("rcstart"):
            changes = [c for c in changes if (c["timestamp"] >= start if newer else c["timestamp"] <= start)]
        if "rccontinue" in parameters:
            next_change = int(parameters["rccontinue"].partition("|")[2])
            changes = [c for c in changes if (c["rcid"] >= next_change if newer else c["rcid"] <= next_change)]
        limit = _limit(parameters, "rclimit")
        limits = {"limits": {"recentchanges": limit}} if parameters.get("rclimit") == "max" else {}
        answer: dict[str, Any] = {**limits, "query": {"recentchanges": changes[:limit]}}
        if len(changes) > limit:
            following = changes[limit]
            digits = re.sub(r"\D", "", following["timestamp"])
            return {"continue": {"rccontinue": f"{digits}|{following['rcid']}", "continue": "-||"}, **answer}
        return {"batchcomplete": True, **answer}

    def _all_pages(self, parameters: Mapping[str, str], prefix: str) -> tuple[list[str], dict[str, Any]]:
        """The titles that a list of all pages gives, sorted by their bytes, and how the answer goes on."""
        limit = _limit(parameters, f"{prefix}limit")
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
        limits = {"limits": {"allpages": limit}} if parameters.get(f"{prefix}limit") == "max" else {}
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
        for requested in titles:
            invalid = INVALID_TITLE_CHARACTERS.search(requested)
            if invalid:
                reason = f'The requested page title contains invalid characters: "{invalid[0]}".'
                answers[requested] = {"title": requested, "invalidreason": reason, "invalid": True}
                continue
            title = requested.replace("_", " ").strip()
            title = title[:1].upper() + title[1:]
            if title != requested:
                query.setdefault("normalized", []).append({"fromencoded": False, "from": requested, "to": title})
            stored = self.pages.get(title)
            while stored is not None and stored.page.redirect and follow:
                query.setdefault("redirects", []).append({"from": title, "to": stored.page.redirect})
                title = stored.page.redirect
                stored = self.pages.get(title)
            answers[title] = self._describe_page(title)
        return {"batchcomplete": True, "query": {**query, "pages": list(answers.values())}}

    def _describe_page(self, title: str) -> dict[str, Any]:
        stored = self.pages.get(title)
        language = {"pagelanguage": "en", "pagelanguagehtmlcode": "en", "pagelanguagedir": "ltr"}
        named = {"ns": namespace(title), "title": title, "contentmodel": "wikitext", **language}
        if stored is None:
            return {**named, "missing": True}
        description = {
            "pageid": stored.identifier,
            **named,
            "touched": timestamp(stored.touched),
            "lastrevid": stored.revision,
            "length": len(stored.page.wikitext.encode()),
        }
        # A flag is present only where it is true: `redirect`, and `new` of a page with one revision.
        if stored.page.redirect:
            description["redirect"] = True
        if stored.revision == stored.identifier:
            description["new"] = True
        return description

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

    def render(self, title: str) -> Response:
        """A page as a browser gets it: redirects show their target, a missing page has status 404."""
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
            return Response(404, "text/html; charset=UTF-8", document)
        modified = format_datetime(stored.touched, usegmt=True)
        return Response(200, "text/html; charset=UTF-8", document, {"Last-Modified": modified})

    def answer(self, path: str, query: str) -> Response:
        """The response to a request for `path` with the encoded parameters `query`."""
        if path == "/w/api.php":
            payload = self.answer_api({name: values[0] for name, values in parse_qs(query).items()})
            headers = {}
            if "error" in payload:
                headers["MediaWiki-API-Error"] = payload["error"]["code"]
                if payload["error"]["code"] == "maxlag":
                    headers |= {"Retry-After": "5", "X-Database-Lag": str(self.lag)}
            return Response(200, "application/json; charset=utf-8", json.dumps(payload), headers)
        if path.startswith("/wiki/"):
            return self.render(unquote(path.removeprefix("/wiki/")).replace("_", " "))
        return Response(404, "text/plain; charset=utf-8", "not found")


def _limit(parameters: Mapping[str, str], name: str) -> int:
    """How many entries of a list an answer holds, by the parameter `name`."""
    asked = parameters.get(name, "10")
    return MAX_LISTED if asked == "max" else min(MAX_LISTED, int(asked))


def _error(code: str, text: str) -> dict[str, Any]:
    return {"error": {"code": code, "info": text, "docref": "See /w/api.php for API usage."}}
