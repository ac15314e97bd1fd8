"""The rate limiter: how often one host may be asked, over all threads, processes and users of this machine."""

import logging
import struct
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from filelock import FileLock

logger = logging.getLogger(__name__)

MAX_PAUSE = 3_600.0  # seconds ahead that a stored moment is believed
LONG_WAIT = 60.0  # seconds; longer ones are logged


class RateLimiter:
    """Lets at most `per_second` requests start to one host.

    The moment at which the next request may start stands in a file; whoever holds its lock takes that moment and moves
    it on by one interval. The files are open to every user, since the limit is the machine's.

    Args:
        host: whose limit it is; each host has its own.
        per_second: requests a second, above 0.
        folder: where the files lie, by default one below the system's temporary folder.
        clock: seconds since the epoch, the same for all processes of the machine.
        sleep: waits for so many seconds.
    """

    def __init__(
        self,
        host: str,
        per_second: float,
        folder: Path | None = None,
        *,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        name = quote(host, safe="")
        # Linux lets nobody open another user's file for writing right below /tmp (fs.protected_regular).
        folder = folder or Path(tempfile.gettempdir()) / "britannica-assets"
        _make_shared_folder(folder)
        self._file = folder / f"{name}.next-request"
        self._lock = FileLock(folder / f"{name}.lock", mode=0o666)
        self._exclusive_lock = FileLock(folder / f"{name}.alone", mode=0o666)
        self._exclusive_thread_lock = threading.Lock()
        self._thread_lock = threading.Lock()
        self._interval = 1 / per_second
        self._clock = clock
        self._sleep = sleep

    def acquire(self) -> None:
        """Sleeps until this request may start."""
        with self._thread_lock, self._lock:
            now = self._clock()
            next_moment = self._next_moment()
            # A moment far ahead was written before the clock was set back: it binds nobody.
            start = max(now, next_moment) if next_moment < now + MAX_PAUSE else now
            self._write_next_moment(start + self._interval)
        wait = max(0.0, start - now)
        if wait > LONG_WAIT:
            logger.warning(
                "the next request may start in %.0f s: the wiki asked for a pause, or this machine's clock was set"
                " back; in the second case delete %s", wait, self._file,
            )  # fmt: skip
        self._sleep(wait)

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Holds the host for one request: no other exclusive one of this machine is under way meanwhile."""
        with self._exclusive_thread_lock, self._exclusive_lock:
            yield

    def pause(self, seconds: float) -> None:
        """Lets no request of this machine start for `seconds`, as the host's `Retry-After` asks."""
        with self._thread_lock, self._lock:
            resumed = self._clock() + min(seconds, MAX_PAUSE)
            self._write_next_moment(max(self._next_moment(), resumed))

    def _next_moment(self) -> float:
        stored = self._file.read_bytes() if self._file.exists() else b""
        return float(struct.unpack("d", stored)[0]) if len(stored) == 8 else 0.0

    def _write_next_moment(self, moment: float) -> None:
        new = not self._file.exists()
        self._file.write_bytes(struct.pack("d", moment))
        if new:
            self._file.chmod(0o666)


def _make_shared_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True)
    except FileExistsError:
        return
    folder.chmod(0o777)
