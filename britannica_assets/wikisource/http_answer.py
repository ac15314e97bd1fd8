"""An answer read up to a size and a deadline, and what its `Retry-After` asks for."""

import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import requests
import urllib3

MAX_BYTES = 64_000_000  # of one answer, decompressed; the largest pages of the Britannica have two million
CHUNK_BYTES = 16_384
LONGEST_WAIT = 366 * 86_400.0  # seconds; beyond, a moment may not be a date any more


class AnswerTooLargeError(Exception):
    """An answer holds more than `MAX_BYTES`."""


class AnswerTooSlowError(Exception):
    """An answer did not end before the deadline."""


def read_content(response: requests.Response, *, deadline: float) -> bytes:
    """The body of a streamed response, decompressed as it comes.

    Raises:
        AnswerTooLargeError: it grows beyond `MAX_BYTES`; no more than a chunk above them is ever held.
        AnswerTooSlowError: it has not ended after `deadline` seconds.
        requests.RequestException: the connection broke, or the body is shorter than it said.
    """
    raw: urllib3.HTTPResponse = response.raw
    chunks: list[bytes] = []
    size = 0
    latest = time.monotonic() + deadline
    try:
        while chunk := raw.read1(CHUNK_BYTES, decode_content=True):
            chunks.append(chunk)
            size += len(chunk)
            if size > MAX_BYTES:
                raise AnswerTooLargeError(f"the answer holds more than {MAX_BYTES // 1_000_000} MB")
            if time.monotonic() > latest:
                raise AnswerTooSlowError(f"the answer did not end within {deadline:.0f} s")
    except urllib3.exceptions.ReadTimeoutError as error:
        raise requests.ReadTimeout(str(error)) from error
    except urllib3.exceptions.HTTPError as error:
        raise requests.ConnectionError(str(error)) from error
    return b"".join(chunks)


def retry_after(value: str, now: datetime | None = None) -> float | None:
    """The seconds that a `Retry-After` asks for, as a number or a date (RFC 9110, section 10.2.3); a year at most.

    >>> retry_after("1.5"), retry_after("soon")
    (1.5, None)
    """
    value = value.strip()
    if value.replace(".", "", 1).isdecimal() and value.isascii():
        return min(LONGEST_WAIT, float(value))
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    # A zone of -0000 says that the time is universal and nothing of the sender's own zone (RFC 5322, section 3.3).
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return min(LONGEST_WAIT, max(0.0, (moment - (now or datetime.now(UTC))).total_seconds()))
