"""A lease in an object store has one holder at a time, whatever dies."""

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from upath import UPath

from britannica_assets.lease import LeaseTakenError, holder_name, is_free, lease

EXPIRES = 0.4  # seconds


@pytest.fixture
def folder(tmp_path: Path) -> UPath:
    return UPath(f"memory://bucket/{tmp_path.name}/lease")


def left_by(holder: str, folder: UPath) -> None:
    """A lease whose holder died."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "000001.json").write_text(json.dumps({"holder": holder, "beat": 3, "released": False}))


def test_of_several_machines_one_gets_it_and_the_others_are_told_who(folder: UPath) -> None:
    at_work = threading.Barrier(5)
    finished = threading.Event()
    lost: list[str] = []

    def try_it(machine: int) -> str:
        at_work.wait()
        try:
            # So long that a stalled thread of a busy machine does not count as dead.
            with lease(folder, f"machine {machine}", expires=10, on_lost=lost.append):
                finished.wait()
                return "held"
        except LeaseTakenError as error:
            return str(error)

    with ThreadPoolExecutor(5) as pool:
        futures = [pool.submit(try_it, machine) for machine in range(5)]
        while sum(future.done() for future in futures) < 4:
            time.sleep(0.01)
        finished.set()
    results = sorted(future.result() for future in futures)
    assert results.count("held") == 1
    assert lost == []
    assert all("works on" in result and "wait for it or stop it" in result for result in results if result != "held")
    assert is_free(folder, "anybody")


def test_a_dead_machines_lease_goes_to_the_next_and_its_own_at_once(folder: UPath) -> None:
    left_by("machine a", folder)
    assert not is_free(folder, "machine b")
    with lease(folder, "machine a", expires=3600) as number:  # restarted
        assert number == 2
    left_by("machine a", folder)
    (folder / "000002.json").unlink()
    with lease(folder, "machine b", expires=EXPIRES) as number:
        assert number == 2
    with lease(folder, "machine c", expires=3600) as number:  # b gave it back
        assert number == 3


def test_a_holder_that_was_thought_dead_is_told(folder: UPath) -> None:
    lost = threading.Event()
    reasons: list[str] = []

    def on_lost(reason: str) -> None:
        reasons.append(reason)
        lost.set()

    with lease(folder, "machine a", expires=EXPIRES, on_lost=on_lost) as number:
        other = {"holder": "machine b", "beat": 0, "released": False}
        (folder / f"{number + 1:06d}.json").write_text(json.dumps(other))
        assert lost.wait(60)
    assert "another machine has taken" in reasons[0]
    assert not is_free(folder, "machine a")


def test_a_work_folder_has_one_name(tmp_path: Path) -> None:
    assert holder_name(tmp_path) == holder_name(tmp_path)
    (tmp_path / "other").mkdir()
    assert holder_name(tmp_path) != holder_name(tmp_path / "other")
