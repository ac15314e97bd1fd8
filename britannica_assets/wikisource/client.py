"""The HTTP client of a MediaWiki: pages and API answers, with retries, within the rate limit.

It keeps to Wikimedia's API etiquette, robot policy and User-Agent policy: a User-Agent with contact, gzip, reused
connections, no cookies, `maxlag=5` on API calls, `Retry-After` obeyed, and rate limits shared by all processes of the
machine. On Wikimedia's hosts the API is asked by one request at a time, at most `API_REQUESTS_PER_SECOND`.
"""

import json
import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from http.cookiejar import DefaultCookiePolicy
from itertools import islice
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import quote, urlencode, urljoin, urlsplit

import requests

from britannica_assets.wikisource.http_answer import (
    AnswerTooLargeError,
    AnswerTooSlowError,
    read_content,
    retry_after,
)
from britannica_assets.wikisource.rate_limit import RateLimiter
from britannica_assets.wikisource.retry import RetryPolicy
from britannica_assets.wikisource.user_agent import is_wikimedia, user_agent, validate_contact

logger = logging.getLogger(__name__)

Answer = TypeVar("Answer")

RETRIED_STATUSES = {408, 429, 500, 502, 503, 504}
RETRIED_API_ERRORS = {"maxlag", "ratelimited", "readonly"}
API_REQUESTS_PER_SECOND = 3.0  # on Wikimedia's hosts, which allow 200 a minute
MAX_CONNECTIONS = 4  # Wikimedia's robot policy allows fewer than 10
MAX_QUERY_LENGTH = 2_000  # characters of a query; longer ones are posted
MAX_REDIRECTS = 5
TITLES_PER_REQUEST = 50
PAGE_MARKERS = ('id="firstHeading"', "mw-parser-output")


class WikiError(Exception):
    """The wiki gave no usable answer; the message names the address and the last reason."""


class PageMissingError(WikiError):
    """The page does not exist (status 404 or 410)."""


class RetryLaterError(WikiError):
    """The wiki asks for a longer wait than a run makes; the message names the time from which it may be asked."""


class _RetryableError(Exception):
    """An attempt failed in a way that another may not; `retry_after` is what the server asked for, in seconds."""

    def __init__(self, reason: str, retry_after: float | None = None, *, lagged: bool = False) -> None:
        super().__init__(reason)
        self.retry_after = retry_after
        self.lagged = lagged


class _Content:
    """A status, the headers and the whole body of an answer."""

    def __init__(self, response: requests.Response, body: bytes) -> None:
        self.status = response.status_code
        self.headers = response.headers
        self.body = body

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", errors="replace")

    @property
    def retry_after(self) -> float | None:
        return retry_after(self.headers.get("Retry-After", ""))


class Client:
    """A session with one wiki, safe to use from several threads.

    Raises:
        ContactError: `contact` is neither a mail address nor a page, or is missing for a live Wikimedia wiki.
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
        connections: int = MAX_CONNECTIONS,
    ) -> None:
        address = urlsplit(wiki_url)
        if address.scheme not in ("http", "https") or not address.hostname:
            raise WikiError(
                f"{wiki_url!r} is no address of a wiki: set BRITANNICA_WIKI_URL to one like https://en.wikisource.org"
            )
        validate_contact(contact, hostname=address.hostname)
        self.wiki_url = wiki_url.rstrip("/")
        self.requests_made = 0
        self.connections = connections
        self._host = address.netloc
        self._retry_policy = retry_policy or RetryPolicy()
        self._rate_limiter = RateLimiter(self._host, requests_per_second)
        limited_api = is_wikimedia(address.hostname)
        self._api_limiter = RateLimiter(f"{self._host}.api", API_REQUESTS_PER_SECOND) if limited_api else None
        self._count_lock = threading.Lock()
        self._session = requests.Session()
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self._session.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=connections))
        self._session.mount("https://", requests.adapters.HTTPAdapter(pool_maxsize=connections))
        library = f"python-requests/{requests.__version__}"
        self._session.headers["User-Agent"] = user_agent(version, contact, library)
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

    def page(self, title: str, *, past_caches: str | None = None) -> str:
        """The HTML of a page, from the address that Wikimedia's caches serve.

        With `past_caches`, any text that no other request has used for the page, the wiki itself answers.

        Raises:
            PageMissingError: the page does not exist.
            RetryLaterError: the wiki asks for a longer wait than a run makes.
            WikiError: no usable answer after all attempts.
        """
        url = self.page_url(title)
        return self._request(
            url if past_caches is None else f"{url}?{urlencode({'at': past_caches})}", None, _read_page
        )

    def query(self, **parameters: str) -> dict[str, Any]:
        """The answer of `action=query` with `parameters`, in format version 2.

        Raises:
            RetryLaterError: the wiki asks for a longer wait than a run makes.
            WikiError: no usable answer after all attempts, or an error that trying again cannot mend.
        """
        payload = {"action": "query", "format": "json", "formatversion": "2", "maxlag": "5", **parameters}
        return self._request(f"{self.wiki_url}/w/api.php", payload, _read_answer)

    def query_all(self, **parameters: str) -> Iterator[dict[str, Any]]:
        """The answers of `query`, continued to their end.

        Raises:
            WikiError: as `query` does.
        """
        proceed: dict[str, str] = {}
        while True:
            answer = self.query(**{**parameters, **proceed})
            yield answer
            if "continue" not in answer:
                return
            proceed = {name: str(value) for name, value in answer["continue"].items()}

    def query_titles(self, titles: Iterable[str], **parameters: str) -> Iterator[tuple[list[str], dict[str, Any]]]:
        """Sends `query` for full titles, 50 a request; yields those of each answer with the answer's `query`.

        Answers are continued to their end: several may hold the same titles.

        Raises:
            WikiError: as `query` does.
        """
        remaining = iter(titles)
        while batch := list(islice(remaining, TITLES_PER_REQUEST)):
            for answer in self.query_all(titles="|".join(batch), **parameters):
                yield batch, answer.get("query", {})

    def _request(self, url: str, parameters: dict[str, str] | None, read: Callable[[_Content], Answer]) -> Answer:
        policy = self._retry_policy
        reason = ""
        for attempt in range(1, policy.max_attempts + 1):
            try:
                return read(self._request_once(url, parameters))
            except _RetryableError as error:
                reason, asked = str(error), error.retry_after
                if asked is not None and asked > policy.max_retry_after:
                    moment = (datetime.now(UTC) + timedelta(seconds=asked)).isoformat(timespec="minutes")
                    raise RetryLaterError(
                        f"{url}: {reason}, and the wiki asks not to be asked again before {moment}. What was fetched is"
                        " kept: materialize again after that"
                    ) from error
                if attempt < policy.max_attempts:
                    wait = max(policy.backoff(attempt, lagged=error.lagged), asked or 0.0)
                    logger.warning("%s: %s; attempt %d, again in %.1f s", url, reason, attempt, wait)
                    if asked is not None:
                        self._rate_limiter.pause(wait)
                    time.sleep(wait)
        raise WikiError(
            f"{url} gave no usable answer in {policy.max_attempts} attempts; the last: {reason}."
            " Is BRITANNICA_WIKI_URL right, and the wiki up? What was fetched is kept: materialize again to go on"
        )

    def _request_once(self, url: str, parameters: dict[str, str] | None) -> _Content:
        for _ in range(MAX_REDIRECTS):
            content = self._send(url, parameters)
            if content.status not in (301, 302, 303, 307, 308):
                return self._checked(url, parameters, content)
            target = urljoin(url, content.headers.get("Location", ""))
            if urlsplit(target).netloc != self._host:
                raise WikiError(
                    f"{url} redirects to another host, {target}, which is not followed: set BRITANNICA_WIKI_URL to the"
                    " address of the wiki itself"
                )
            url = target
        raise WikiError(f"{url} redirects more than {MAX_REDIRECTS} times")

    def _send(self, url: str, parameters: dict[str, str] | None) -> _Content:
        """Makes one request, within the limits, and reads its answer."""
        api_limiter = self._api_limiter if parameters is not None else None
        with api_limiter.exclusive() if api_limiter else nullcontext():
            if api_limiter:
                api_limiter.acquire()
            self._rate_limiter.acquire()
            with self._count_lock:
                self.requests_made += 1
            post = parameters is not None and len(urlencode(parameters)) > MAX_QUERY_LENGTH
            try:
                with self._session.request(
                    "POST" if post else "GET",
                    url,
                    params=None if post else parameters,
                    data=parameters if post else None,
                    # Wikimedia routes a POST that promises not to write to the nearest data centre, like a GET.
                    headers={"Promise-Non-Write-API-Action": "true"} if post else None,
                    timeout=self._retry_policy.timeout,
                    allow_redirects=False,
                    stream=True,
                ) as response:
                    return _Content(response, read_content(response, deadline=self._retry_policy.deadline))
            except AnswerTooLargeError as error:
                raise WikiError(f"{url}: {error}") from error
            except (AnswerTooSlowError, requests.RequestException) as error:
                raise _RetryableError(str(error)) from error

    def _checked(self, url: str, parameters: dict[str, str] | None, content: _Content) -> _Content:
        if content.status in (404, 410) and parameters is None:
            # A proxy's or a moved server's 404 must not pass for the end of a volume.
            if PAGE_MARKERS[0] not in content.text:
                raise _RetryableError(f"status {content.status} with what is no page of a wiki")
            raise PageMissingError(f"{url} does not exist (status {content.status})")
        if content.status in RETRIED_STATUSES:
            raise _RetryableError(f"status {content.status}", content.retry_after)
        if content.status >= 400:
            raise WikiError(f"{url} answered with status {content.status}: {content.text[:200]!r}")
        return content


def _read_page(content: _Content) -> str:
    text = content.text
    if not all(mark in text for mark in PAGE_MARKERS) or "</html>" not in text[-500:]:
        raise _RetryableError(f"status {content.status} with what is no page of a wiki: {text[:100]!r}")
    return text


def _read_answer(content: _Content) -> dict[str, Any]:
    try:
        answer = json.loads(content.body)
    except ValueError as error:
        raise _RetryableError(f"status {content.status} with invalid JSON ({error})") from error
    if not isinstance(answer, dict):
        raise _RetryableError(f"the API answered with {type(answer).__name__}, not an object")
    error_object = answer.get("error")
    if error_object:
        code = str(error_object.get("code"))
        message = f"the API answered with error {code}: {error_object.get('info')}"
        if code in RETRIED_API_ERRORS or code.startswith("internal_api_error"):
            raise _RetryableError(message, content.retry_after, lagged=code == "maxlag")
        raise WikiError(message)
    return answer
