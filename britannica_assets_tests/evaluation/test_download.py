"""The public evaluation data from an OSF of our own on loopback: whole, broken, and not there."""

import json
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from britannica_assets.digests import folder_digest
from britannica_assets.evaluation.download import DownloadError, download_evaluation_data
from britannica_assets.evaluation.tasks import TASKS, EvaluationTask
from britannica_assets.sample import minimal_pairs
from britannica_assets.sample.wiki_server import serve_with

PAIRS = [task for task in TASKS if not task.optional]
ENTRIES_ON_A_PAGE = 3


def listing(folder: Path, base: str, path: str, page: int) -> dict[str, Any]:
    """A page of a folder as OSF's API lists it."""
    entries = []
    for entry in sorted(folder.iterdir()):
        attributes = {"name": entry.name, "kind": "folder" if entry.is_dir() else "file"}
        address = f"{base}{path}{entry.name}" + ("/" if entry.is_dir() else "")
        entries.append(
            {
                "attributes": attributes,
                "links": {"download": address},
                "relationships": {"files": {"links": {"related": {"href": address}}}},
            }
        )
    begin = page * ENTRIES_ON_A_PAGE
    more = begin + ENTRIES_ON_A_PAGE < len(entries)
    return {
        "data": entries[begin : begin + ENTRIES_ON_A_PAGE],
        "links": {"next": f"{base}{path}?page={page + 1}" if more else None},
    }


@pytest.fixture
def files(tmp_path: Path) -> Path:
    minimal_pairs.write(tmp_path / "served/evaluation_data/full_eval")
    return tmp_path / "served"


@pytest.fixture
def source(files: Path) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path, _, query = self.path.partition("?")
            place = files / path.strip("/")
            base = f"http://{self.headers['Host']}"
            page = int(query.removeprefix("page=") or 0)
            body = json.dumps(listing(place, base, path, page)).encode() if place.is_dir() else place.read_bytes()
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    with serve_with(Handler) as url:
        yield f"{url}/"


def tasks_with_digests_of(files: Path) -> list[EvaluationTask]:
    folder = files / "evaluation_data/full_eval"
    return [replace(task, digest=folder_digest(folder / task.folder)) for task in PAIRS]


def test_downloads_every_page_once(source: str, files: Path, tmp_path: Path) -> None:
    tasks = tasks_with_digests_of(files)
    folder = download_evaluation_data(tmp_path / "work" / "data", tasks, source)
    assert [folder_digest(folder / task.folder) for task in tasks] == [task.digest for task in tasks]
    assert len(list((folder / tasks[0].folder).iterdir())) > ENTRIES_ON_A_PAGE
    assert download_evaluation_data(folder, tasks, "http://127.0.0.1:9/") == folder


def test_a_task_that_is_added_later_is_downloaded_alone(source: str, files: Path, tmp_path: Path) -> None:
    first, second = tasks_with_digests_of(files)
    download_evaluation_data(tmp_path / "data", [first], source)
    (tmp_path / "data" / first.folder / "own.txt").write_text("a note", encoding="utf-8")
    download_evaluation_data(tmp_path / "data", [first, second], source)
    assert (tmp_path / "data" / first.folder / "own.txt").exists()
    assert folder_digest(tmp_path / "data" / second.folder) == second.digest


def test_other_files_are_refused_and_nothing_stays(source: str, files: Path, tmp_path: Path) -> None:
    tasks = tasks_with_digests_of(files)
    changed = next((files / "evaluation_data/full_eval/blimp_filtered").iterdir())
    changed.write_text(changed.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    (tmp_path / "work").mkdir()
    with pytest.raises(DownloadError, match=r"blimp_filtered .* digest .*BRITANNICA_EVAL_DIR"):
        download_evaluation_data(tmp_path / "work/data", tasks, source)
    assert list((tmp_path / "work").iterdir()) == []


def test_a_source_that_does_not_answer_names_the_variable(tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match="set BRITANNICA_EVAL_DIR"):
        download_evaluation_data(tmp_path / "data", PAIRS, source="http://127.0.0.1:9/")
    assert list(tmp_path.iterdir()) == []
