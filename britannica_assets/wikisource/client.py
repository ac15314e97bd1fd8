"""The HTTP client of a MediaWiki: pages and API answers, with retries, within the rate limit.

It keeps to Wikimedia's API etiquette and User-Agent policy: a User-Agent with contact, gzip, reused connections,
`maxlag=5` on API calls, `Retry-After` obeyed, and a rate limiter shared by all processes of the machine.
"""

import json
import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from itertools import islice
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import quote, urlencode, urlsplit

import requests

from britannica_assets.wikisource.rate_limit import RateLimiter
from britannica_assets.wikisource.retry import RetryPolicy

logger = logging.getLogger(__name__)

Answer = TypeVar("Answer")

PROJECT_PAGE = "https://pypi.org/project/britannica-assets"
RETRIED_STATUSES = {408, 429, 500, 502, 503, 504}
RETRIED_API_ERRORS = {"maxlag", "ratelimited", "readonly"}
MAX_QUERY_LENGTH = 2_000  # characters of a query; longer ones are posted
TITLES_PER_REQUEST = 50
PAGE_MARKERS = ('id="firstHeading"', "mw-parser-output")


class WikiError(Exception):
    """The wiki gave no usable answer; the message names the address and the last reason."""


class PageMissingError(WikiError):
    """The page does not exist (status 404 or 410)."""


class ContactMissingError(WikiError):
    """Live Wikimedia wikis get no request without a contact in the User-Agent."""


class _RetryableError(Exception):
    """An attempt failed in a way that another may not; `retry_after` is what the server asked for, in seconds."""

    def __init__(self, reason: str, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


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
        retry_policy: RetryPolicy | None = None,
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
        self._retry_policy = retry_policy or RetryPolicy()
        self._rate_limiter = RateLimiter(host, requests_per_second)
        self._count_lock = threading.Lock()
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
        return self._request(self.page_url(title), None, _read_page)

    def query(self, **parameters: str) -> dict[str, Any]:
        """The answer of `action=query` with `parameters`, in format version 2.

        Raises:
            WikiError: no usable answer after all attempts, or an error that trying again cannot mend.
        """
        payload = {"action": "query", "format": "json", "formatversion": "2", "maxlag": "5", **parameters}
        return self._request(f"{self.wiki_url}/w/api.php", payload, _read_answer)

    def query_titles(self, titles: Iterable[str], **parameters: str) -> Iterator[tuple[list[str], dict[str, Any]]]:
        """Sends `query` for full titles, 50 a request; yields those of each request with the answer's `query`.

        Raises:
            WikiError: as `query` does.
        """
        remaining = iter(titles)
        while batch := list(islice(remaining, TITLES_PER_REQUEST)):
            yield batch, self.query(titles="|".join(batch), **parameters)["query"]

    def _request(
        self, url: str, parameters: dict[str, str] | None, read: Callable[[requests.Response], Answer]
    ) -> Answer:
        reason = ""
        for attempt in range(1, self._retry_policy.max_attempts + 1):
            try:
                return self._request_once(url, parameters, read)
            except (_RetryableError, requests.RequestException) as error:
                reason = str(error)
                if attempt < self._retry_policy.max_attempts:
                    retry_after = error.retry_after if isinstance(error, _RetryableError) else None
                    wait = self._retry_policy.backoff(attempt) if retry_after is None else retry_after
                    logger.warning("%s: %s; attempt %d, again in %.1f s", url, reason, attempt, wait)
                    if retry_after is not None:
                        self._rate_limiter.pause(retry_after)
                    time.sleep(wait)
        raise WikiError(
            f"{url} gave no usable answer in {self._retry_policy.max_attempts} attempts; the last: {reason}."
            " Is BRITANNICA_WIKI_URL right, and the wiki up? What was fetched is kept: materialize again to go on"
        )

    def _request_once(
        self, url: str, parameters: dict[str, str] | None, read: Callable[[requests.Response], Answer]
    ) -> Answer:
        self._rate_limiter.acquire()
        with self._count_lock:
            self.requests_made += 1
        if parameters is not None and len(urlencode(parameters)) > MAX_QUERY_LENGTH:
            # Wikimedia routes a POST that promises not to write to the nearest data centre, like a GET.
            response = self._session.post(
                url,
                data=parameters,
                headers={"Promise-Non-Write-API-Action": "true"},
                timeout=self._retry_policy.timeout,
            )
        else:
            response = self._session.get(url, params=parameters, timeout=self._retry_policy.timeout)
        if response.status_code in (404, 410) and parameters is None:
            # A proxy's or a moved server's 404 must not pass for the end of a volume.
            if not all(mark in response.text for mark in PAGE_MARKERS[:1]):
                raise _RetryableError(f"status {response.status_code} with what is no page of a wiki")
            raise PageMissingError(f"{url} does not exist (status {response.status_code})")
        if response.status_code in RETRIED_STATUSES:
            raise _RetryableError(f"status {response.status_code}", _retry_after(response))
        if not response.ok:
            raise WikiError(f"{url} answered with status {response.status_code}: {response.text[:200]!r}")
        return read(response)


def _read_page(response: requests.Response) -> str:
    response.encoding = "utf-8"
    text = response.text
    if not all(mark in text for mark in PAGE_MARKERS) or "</html>" not in text[-500:]:
        raise _RetryableError(f"status {response.status_code} with what is no page of a wiki: {text[:100]!r}")
    return text


def _read_answer(response: requests.Response) -> dict[str, Any]:
    try:
        answer = json.loads(response.content)
    except ValueError as error:
        raise _RetryableError(f"status {response.status_code} with invalid JSON ({error})") from error
    if not isinstance(answer, dict):
        raise _RetryableError(f"the API answered with {type(answer).__name__}, not an object")
    error_object = answer.get("error")
    if error_object:
        code = str(error_object.get("code"))
        message = f"the API answered with error {code}: {error_object.get('info')}"
        if code in RETRIED_API_ERRORS or code.startswith("internal_api_error"):
            raise _RetryableError(message, _retry_after(response))
        raise WikiError(f"{response.url}: {message}")
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
