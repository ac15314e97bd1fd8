"""The rate limit holds over threads, processes and users; its clock is the test's own."""

import multiprocessing
import os
import threading
from pathlib import Path

import pytest

from britannica_assets.wikisource.rate_limit import MAX_PAUSE, RateLimiter

NOW = 1_000_000.0
PER_SECOND = 50


def limiter(folder: Path, slept: list[float], now: float = NOW) -> RateLimiter:
    return RateLimiter("wiki.example", PER_SECOND, folder, clock=lambda: now, sleep=slept.append)


def _acquire(folder: Path, times: int) -> None:
    of_process = limiter(folder, [])
    for _ in range(times):
        of_process.acquire()


def test_requests_start_an_interval_apart(tmp_path: Path) -> None:
    slept: list[float] = []
    of_thread = limiter(tmp_path, slept)
    for _ in range(4):
        of_thread.acquire()
    assert slept == pytest.approx([0, 1 / 50, 2 / 50, 3 / 50])


def test_the_rate_limit_holds_over_processes(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_acquire, args=(tmp_path, 25)) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0]
    slept: list[float] = []
    limiter(tmp_path, slept).acquire()
    assert slept == pytest.approx([50 / PER_SECOND])


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root can become another user")
def test_the_rate_limit_holds_for_every_user_of_the_machine(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    for parent in list(tmp_path.parents)[:3]:
        parent.chmod(parent.stat().st_mode | 0o055)
    limiter(tmp_path / "shared", []).pause(7)
    child = os.fork()
    if child == 0:
        slept: list[float] = []
        os.setuid(65534)
        limiter(tmp_path / "shared", slept).acquire()
        os._exit(0 if slept == [7.0] else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_a_moment_from_before_the_clock_was_set_back_binds_nobody(tmp_path: Path) -> None:
    slept: list[float] = []
    limiter(tmp_path, [], now=NOW + 2 * MAX_PAUSE).acquire()
    limiter(tmp_path, slept).acquire()
    assert slept == [0]


def test_a_long_wait_is_not_silent(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    slept: list[float] = []
    limiter(tmp_path, [], now=NOW + 600).acquire()  # then the clock is set back by ten minutes
    limiter(tmp_path, slept).acquire()
    assert slept == [pytest.approx(600.02)]
    assert "may start in 600 s" in caplog.text
    assert f"clock was set back; in the second case delete {tmp_path}" in caplog.text


def test_exclusive_requests_wait_for_each_other(tmp_path: Path) -> None:
    of_thread = limiter(tmp_path, [])
    reached = threading.Event()

    def ask() -> None:
        with limiter(tmp_path, []).exclusive():
            reached.set()

    with of_thread.exclusive():
        other = threading.Thread(target=ask)
        other.start()
        assert not reached.is_set(), "one request is under way"
    other.join()
    assert reached.is_set()
