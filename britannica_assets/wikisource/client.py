"""Asks a MediaWiki for pages and API answers: with good manners, and until it answers.

Manners after Wikimedia's API etiquette and User-Agent policy: a User-Agent with contact, gzip, reused connections,
`maxlag=5` on API calls, `Retry-After` obeyed, and a ceiling on requests that holds over all processes of the machine.
"""

import json
import logging
import random
import struct
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import quote, urlencode, urlsplit

import requests
from filelock import FileLock

logger = logging.getLogger(__name__)

Answer = TypeVar("Answer")

PROJECT_PAGE = "https://pypi.org/project/britannica-assets"
RETRIED_STATUSES = {408, 429, 500, 502, 503, 504}
RETRIED_API_ERRORS = {"maxlag", "ratelimited", "readonly"}
LONGEST_PAUSE = 3_600.0  # seconds ahead that a moment in the ceiling's file is believed
LONGEST_GET = 2_000  # characters of a query; longer ones are posted
TITLES_IN_A_REQUEST = 50
PAGE_MARKS = ('id="firstHeading"', "mw-parser-output")


class WikiError(Exception):
    """The wiki gave no usable answer; the message names the address and the last reason."""


class PageMissingError(WikiError):
    """The page does not exist (status 404 or 410)."""


class ContactMissingError(WikiError):
    """Live Wikimedia wikis are not asked without a contact in the User-Agent."""


class _TryAgainError(Exception):
    """One attempt failed in a way that another may not; `wait` is what the server asked for, in seconds."""

    def __init__(self, reason: str, wait: float | None = None) -> None:
        super().__init__(reason)
        self.wait = wait


@dataclass(frozen=True)
class Patience:
    """How often and how long to try: waits double from `first_wait` to `longest_wait` seconds, with jitter."""

    attempts: int = 7
    first_wait: float = 1.0
    longest_wait: float = 60.0
    timeout: float = 30.0

    def wait(self, attempt: int) -> float:
        """Seconds to wait after the failed `attempt` (from 1)."""
        return float(min(self.longest_wait, self.first_wait * 2 ** (attempt - 1)) * random.uniform(0.5, 1.0))


class RequestCeiling:
    """Lets at most `per_second` requests pass to one host, over all threads and processes of this machine.

    The moment at which the next request may start stands in a file; whoever holds its lock takes that moment and moves
    it on by one interval. The files are every user's, as the ceiling is the machine's.
    """

    def __init__(self, host: str, per_second: float, folder: Path | None = None) -> None:
        name = quote(host, safe="")
        # Linux lets nobody open another user's file for writing right below /tmp (fs.protected_regular).
        folder = folder or Path(tempfile.gettempdir()) / "britannica-assets"
        _make_folder_of_all_users(folder)
        self._file = folder / f"{name}.next-request"
        self._lock = FileLock(folder / f"{name}.lock", mode=0o666)
        self._within_process = threading.Lock()
        self._interval = 1 / per_second

    def wait(self) -> None:
        """Sleeps until this request may start."""
        with self._within_process, self._lock:
            now = time.time()
            next_moment = self._next_moment()
            # A moment far ahead was written before the clock was set back: it binds nobody.
            mine = max(now, next_moment) if next_moment < now + LONGEST_PAUSE else now
            self._write_next_moment(mine + self._interval)
        time.sleep(max(0.0, mine - now))

    def pause(self, seconds: float) -> None:
        """Lets no request of this machine start for `seconds`: the host asked for rest, not one thread's request."""
        with self._within_process, self._lock:
            resumed = time.time() + min(seconds, LONGEST_PAUSE)
            self._write_next_moment(max(self._next_moment(), resumed))

    def _next_moment(self) -> float:
        stored = self._file.read_bytes() if self._file.exists() else b""
        return float(struct.unpack("d", stored)[0]) if len(stored) == 8 else 0.0

    def _write_next_moment(self, moment: float) -> None:
        new = not self._file.exists()
        self._file.write_bytes(struct.pack("d", moment))
        if new:
            self._file.chmod(0o666)


def _make_folder_of_all_users(folder: Path) -> None:
    try:
        folder.mkdir(parents=True)
    except FileExistsError:
        return
    folder.chmod(0o777)


class Client:
    """A session with one wiki, safe to use from several threads.

    Raises:
        ContactMissingError: `wiki_url` is a live Wikimedia wiki and `contact` is not set.
        WikiError: `wiki_url` is no address of a web server.
    """

    def __init__(
        self,
        wiki_url: str,
        *,
        requests_per_second: float,
        contact: str | None = None,
        version: str = "0.1.0",
        patience: Patience | None = None,
        connections: int = 4,
    ) -> None:
        address = urlsplit(wiki_url)
        host = address.netloc
        if address.scheme not in ("http", "https") or not host:
            raise WikiError(
                f"{wiki_url!r} is no address of a wiki: set BRITANNICA_WIKI_URL to one like https://en.wikisource.org"
            )
        if not contact and (address.hostname or "").endswith(("wikisource.org", "wikimedia.org", "wikipedia.org")):
            raise ContactMissingError(
                f"{wiki_url} is a live Wikimedia wiki, whose User-Agent policy asks who is reading: set"
                " BRITANNICA_CONTACT to a mail address or a page about you"
            )
        self.wiki_url = wiki_url.rstrip("/")
        self.requests_made = 0
        self.connections = connections
        self._patience = patience or Patience()
        self._ceiling = RequestCeiling(host, requests_per_second)
        self._counting = threading.Lock()
        self._session = requests.Session()
        self._session.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=connections))
        self._session.mount("https://", requests.adapters.HTTPAdapter(pool_maxsize=connections))
        contact_note = f"; {contact}" if contact else ""
        self._session.headers["User-Agent"] = f"britannica-assets/{version} ({PROJECT_PAGE}{contact_note})"
        self._session.headers["Accept-Encoding"] = "gzip"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._session.close()

    def page_url(self, title: str) -> str:
        """The address of the page `title`, as MediaWiki itself writes it."""
        return f"{self.wiki_url}/wiki/{quote(title.replace(' ', '_'), safe='/:,()!*;@$')}"

    def page(self, title: str) -> str:
        """The HTML of a page, from the address that Wikimedia's caches serve.

        Raises:
            PageMissingError: the page does not exist.
            WikiError: no usable answer after all attempts.
        """
        return self._ask(self.page_url(title), None, _read_page)

    def query(self, **parameters: str) -> dict[str, Any]:
        """The answer of `action=query` with `parameters`, in format version 2.

        Raises:
            WikiError: no usable answer after all attempts, or an error that trying again cannot mend.
        """
        asked = {"action": "query", "format": "json", "formatversion": "2", "maxlag": "5", **parameters}
        return self._ask(f"{self.wiki_url}/w/api.php", asked, _read_answer)

    def query_titles(self, titles: Iterable[str], **parameters: str) -> Iterator[tuple[list[str], dict[str, Any]]]:
        """Asks `query` of full titles, 50 a request; yields those of each request with the answer's `query`.

        Raises:
            WikiError: as `query` does.
        """
        remaining = iter(titles)
        while batch := list(islice(remaining, TITLES_IN_A_REQUEST)):
            yield batch, self.query(titles="|".join(batch), **parameters)["query"]

    def _ask(self, url: str, parameters: dict[str, str] | None, read: Callable[[requests.Response], Answer]) -> Answer:
        reason = ""
        for attempt in range(1, self._patience.attempts + 1):
            try:
                return self._ask_once(url, parameters, read)
            except (_TryAgainError, requests.RequestException) as error:
                reason = str(error)
                if attempt < self._patience.attempts:
                    asked_for = error.wait if isinstance(error, _TryAgainError) else None
                    wait = self._patience.wait(attempt) if asked_for is None else asked_for
                    logger.warning("%s: %s; attempt %d, again in %.1f s", url, reason, attempt, wait)
                    if asked_for is not None:
                        self._ceiling.pause(asked_for)
                    time.sleep(wait)
        raise WikiError(
            f"{url} gave no usable answer in {self._patience.attempts} attempts; the last: {reason}."
            " Is BRITANNICA_WIKI_URL right, and the wiki up? What was fetched is kept: materialize again to go on"
        )

    def _ask_once(
        self, url: str, parameters: dict[str, str] | None, read: Callable[[requests.Response], Answer]
    ) -> Answer:
        self._ceiling.wait()
        with self._counting:
            self.requests_made += 1
        if parameters is not None and len(urlencode(parameters)) > LONGEST_GET:
            # Wikimedia routes a POST that promises not to write to the nearest data centre, like a GET.
            response = self._session.post(
                url,
                data=parameters,
                headers={"Promise-Non-Write-API-Action": "true"},
                timeout=self._patience.timeout,
            )
        else:
            response = self._session.get(url, params=parameters, timeout=self._patience.timeout)
        if response.status_code in (404, 410) and parameters is None:
            # A proxy's or a moved server's 404 must not pass for the end of a volume.
            if not all(mark in response.text for mark in PAGE_MARKS[:1]):
                raise _TryAgainError(f"status {response.status_code} with what is no page of a wiki")
            raise PageMissingError(f"{url} does not exist (status {response.status_code})")
        if response.status_code in RETRIED_STATUSES:
            raise _TryAgainError(f"status {response.status_code}", _retry_after(response))
        if not response.ok:
            raise WikiError(f"{url} answered with status {response.status_code}: {response.text[:200]!r}")
        return read(response)


def _read_page(response: requests.Response) -> str:
    response.encoding = "utf-8"
    text = response.text
    if not all(mark in text for mark in PAGE_MARKS) or "</html>" not in text[-500:]:
        raise _TryAgainError(f"status {response.status_code} with what is no page of a wiki: {text[:100]!r}")
    return text


def _read_answer(response: requests.Response) -> dict[str, Any]:
    try:
        answer = json.loads(response.content)
    except ValueError as error:
        raise _TryAgainError(f"status {response.status_code} with invalid JSON ({error})") from error
    if not isinstance(answer, dict):
        raise _TryAgainError(f"the API answered with {type(answer).__name__}, not an object")
    error_object = answer.get("error")
    if error_object:
        code = str(error_object.get("code"))
        told = f"the API answered with error {code}: {error_object.get('info')}"
        if code in RETRIED_API_ERRORS or code.startswith("internal_api_error"):
            raise _TryAgainError(told, _retry_after(response))
        raise WikiError(f"{response.url}: {told}")
    return answer


def _retry_after(response: requests.Response) -> float | None:
    """The seconds that the header asks for, given as a number or as a date (RFC 9110, section 10.2.3)."""
    value = response.headers.get("Retry-After", "").strip()
    if value.isdigit():
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())
