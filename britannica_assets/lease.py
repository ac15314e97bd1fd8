"""A lease on a piece of work that several machines reach through one object store: one holder at a time.

The lease is a row of small numbered objects, `000001.json` and so on; who wrote the one with the highest number holds
it. A number is taken by a conditional write, which of several at once lets one succeed. The holder counts a beat up;
who waits watches the beat by a clock of its own, since the clocks of two machines may differ, and takes the next number
when the beat has stood still for `EXPIRES`.
"""

import json
import logging
import os
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from upath import UPath

from britannica_assets.files import atomic_write

logger = logging.getLogger(__name__)

EXPIRES = 300.0  # seconds without a beat after which a holder counts as dead
BEATS = 10  # in that time
HOLDER_FILE = "lease_holder"


class LeaseTakenError(RuntimeError):
    """Another machine does the same work; the message names it."""


def holder_name(folder: Path) -> str:
    """The name by which the processes of this machine that work below `folder` hold leases; it is made once."""
    file = folder / HOLDER_FILE
    if not file.exists():
        with atomic_write(file) as temporary:
            temporary.write_text(f"{socket.gethostname()} {folder} {uuid.uuid4().hex[:12]}", encoding="utf-8")
    return file.read_text(encoding="utf-8")


def _end_process(reason: str) -> None:
    logger.error("%s: this process ends; the next materialization goes on from what is stored", reason)
    os._exit(1)  # at once: any more work would be done twice


@contextmanager
def lease(
    folder: UPath, holder: str, *, expires: float = EXPIRES, on_lost: Callable[[str], object] = _end_process
) -> Iterator[int]:
    """Holds the lease whose objects lie in `folder`; gives its number, which is higher than that of any holder before.

    A lease that a killed process of the same `holder` left is taken over at once, another machine's after `expires`
    seconds without a beat. The caller keeps other processes of the same holder off, by a lock of its machine.

    Args:
        folder: in an object store with conditional writes.
        holder: see `holder_name`.
        expires: seconds.
        on_lost: called, with the reason, in a thread of its own, when the lease can no longer be held.

    Raises:
        LeaseTakenError: another machine holds it and is alive.
    """
    number = _take(folder, holder, expires)
    released = threading.Event()
    renewal = threading.Thread(target=_renew, args=(folder, number, holder, expires, released, on_lost), daemon=True)
    renewal.start()
    try:
        yield number
    finally:
        released.set()
        renewal.join()
        if _latest(folder) == number:
            _write(folder, number, holder, beat=0, released=True)


def is_free(folder: UPath, holder: str) -> bool:
    """Whether nobody but `holder` holds the lease in `folder`, or may hold it."""
    number = _latest(folder)
    state = _read(folder, number) if number else None
    return state is None or state["released"] or state["holder"] == holder


def _take(folder: UPath, holder: str, expires: float) -> int:
    watched: tuple[int, int] | None = None
    since = time.monotonic()
    while True:
        number = _latest(folder)
        state = _read(folder, number) if number else None
        if state is None or state["released"] or state["holder"] == holder:
            free = True
        elif watched is None:
            watched, since = (number, state["beat"]), time.monotonic()
            logger.info("%s holds %s: waiting up to %.0f s whether it is alive", state["holder"], folder, expires)
            free = False
        elif watched != (number, state["beat"]):
            raise LeaseTakenError(
                f"{state['holder']} works on {folder.parent.name} and holds {folder}: wait for it or stop it, then"
                " materialize again"
            )
        else:
            free = time.monotonic() - since > expires
        if free and _create(folder, number + 1, holder):
            return number + 1
        if not free:
            time.sleep(expires / BEATS / 2)


def _renew(
    folder: UPath,
    number: int,
    holder: str,
    expires: float,
    released: threading.Event,
    on_lost: Callable[[str], object],
) -> None:
    beat = 0
    renewed = time.monotonic()
    while not released.wait(expires / BEATS):
        beat += 1
        try:
            latest = _latest(folder)
            if latest == number:
                _write(folder, number, holder, beat=beat)
        except Exception as error:  # each store has errors of its own
            logger.warning("the lease %s was not renewed: %s", folder, error)
            if time.monotonic() - renewed > 0.8 * expires:
                on_lost(f"{folder} has not been reached for {0.8 * expires:.0f} s, so that another machine may go on")
                return
            continue
        if latest != number:
            on_lost(f"another machine has taken {folder} over")
            return
        renewed = time.monotonic()


def _latest(folder: UPath) -> int:
    """The highest number in use, 0 where there is none."""
    folder.fs.invalidate_cache()
    try:
        names = [str(name).rpartition("/")[2] for name in folder.fs.ls(folder.path, detail=False)]
    except FileNotFoundError:
        return 0
    return max((int(name.removesuffix(".json")) for name in names if name.endswith(".json")), default=0)


def _object(folder: UPath, number: int) -> str:
    return str((folder / f"{number:06d}.json").path)


def _read(folder: UPath, number: int) -> dict[str, Any]:
    state: dict[str, Any] = json.loads(folder.fs.cat_file(_object(folder, number)))
    return state


def _content(holder: str, beat: int, released: bool) -> bytes:
    return json.dumps({"holder": holder, "beat": beat, "released": released}).encode()


def _write(folder: UPath, number: int, holder: str, *, beat: int, released: bool = False) -> None:
    folder.fs.pipe_file(_object(folder, number), _content(holder, beat, released))


def _create(folder: UPath, number: int, holder: str) -> bool:
    """Takes a number, unless another has just taken it."""
    folder.fs.makedirs(folder.path, exist_ok=True)
    try:
        folder.fs.pipe_file(_object(folder, number), _content(holder, 0, False), mode="create")
    except FileExistsError:
        return False
    if number > 1:
        folder.fs.rm_file(_object(folder, number - 1))
    return True
