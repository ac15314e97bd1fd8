"""What a process of modeling does besides its work: it logs to Dagster, locks its folder, and exits with its parent."""

import logging
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

logger = logging.getLogger(__name__)

EXIT_UNFINISHED = 75  # the exit status of a process that stopped at its time limit, to be called again (EX_TEMPFAIL)
LOCK_TIMEOUT = 30.0  # seconds to wait for a process whose parent is gone; it exits within one
PARENT_LOCK = "parent.lock"


class UnfinishedError(RuntimeError):
    """The work stopped at its time limit, and what was done is stored; the same call goes on."""


class LockedError(RuntimeError):
    """Another process does the same work; the message names the lock that it holds."""


def is_main_process() -> bool:
    """Whether this is the only process of its work, or the first of those that share it (rank 0)."""
    return int(os.environ.get("RANK", "0")) == 0


def wait_for_each_other() -> None:
    """Lets the processes that share one work go on together; one alone goes on at once."""
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        from accelerate import PartialState

        PartialState().wait_for_everyone()


@contextmanager
def pipes_logging() -> Iterator[None]:
    """Sends the project's log to Dagster, through Pipes, where Dagster started this process, else to stderr."""
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()  # the log says more
    project = logging.getLogger("britannica_assets")
    project.setLevel(logging.INFO if is_main_process() else logging.WARNING)
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(message)s", stream=sys.stderr)
    if "DAGSTER_PIPES_CONTEXT" not in os.environ or not is_main_process():
        yield
        return
    from dagster_pipes import open_dagster_pipes

    with open_dagster_pipes() as pipes:
        # Dagster's own handler sends each line to the UI; printing it too would show it twice.
        project.handlers = list(pipes.log.handlers)
        project.propagate = False
        yield


@contextmanager
def exclusive_lock(folder: Path, *, timeout: float = LOCK_TIMEOUT) -> Iterator[None]:
    """Keeps a second process off the work in `folder`.

    Raises:
        LockedError: another process is still at it after `timeout` seconds.
    """
    lock = FileLock(f"{folder}.lock")
    try:
        lock.acquire(timeout=timeout)
    except Timeout:
        raise LockedError(
            f"another process works in {folder} and holds {lock.lock_file}: wait for it or stop it, then materialize"
            " again"
        ) from None
    try:
        yield
    finally:
        lock.release()


def exit_with_parent(folder: Path) -> None:
    """Ends this process when the one that holds the lock in `folder` is gone; without such a lock nothing is done.

    A lock and not the parent's id: it goes with its holder at once, however that ends, and a launcher of several
    processes may stand between.
    """
    lock = folder / PARENT_LOCK
    if lock.exists():
        threading.Thread(target=_exit_without, args=(lock,), daemon=True).start()


def _exit_without(lock: Path) -> None:
    FileLock(lock).acquire(poll_interval=0.5)
    sys.stderr.write("Dagster is gone: this process ends, and the next materialization goes on from its checkpoint\n")
    os._exit(1)  # no clean-up, which might wait for other processes: a kill at any moment is provided for
