"""MLflow's store at its edges: two machines that use an experiment first, and a data folder that was moved."""

import json
import shutil
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from britannica_assets.sample.wiki_server import serve_with
from britannica_assets.settings import Settings
from britannica_assets.tracking import MovedDataError, connect


def test_a_data_folder_that_was_moved_says_which_two_folders_differ(tmp_path: Path, empty_store: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new data"
    old.mkdir()
    shutil.copy(empty_store, old)
    experiment = connect(Settings(data_dir=str(old), mlflow_tracking_uri=None), "britannica/babylm_10m")
    old.rename(new)
    moved = Settings(data_dir=str(new), mlflow_tracking_uri=None)
    for name in ("britannica/babylm_10m", None):
        with pytest.raises(MovedDataError, match=rf"is {new}, but .* lie in {old}: .*ln -s '{new}' {old}"):
            connect(moved, name)
    old.symlink_to(new)  # as the message says
    assert connect(moved, "britannica/babylm_10m") == experiment


@pytest.fixture
def raced_server() -> Iterator[str]:
    """An MLflow server on which another machine makes the experiment between our question and our request."""

    class Handler(BaseHTTPRequestHandler):
        made = False

        def answer(self, status: int, body: object) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        def do_GET(self) -> None:
            if not Handler.made:
                self.answer(404, {"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "no such experiment"})
            else:
                self.answer(200, {"experiment": {"experiment_id": "7", "name": "britannica/babylm_10m"}})

        def do_POST(self) -> None:
            Handler.made = True
            self.rfile.read(int(self.headers["Content-Length"]))
            self.answer(400, {"error_code": "RESOURCE_ALREADY_EXISTS", "message": "exists"})

        def log_message(self, *_: object) -> None:
            pass

    with serve_with(Handler) as url:
        yield url


def test_the_first_use_of_an_experiment_does_not_race(raced_server: str, tmp_path: Path) -> None:
    settings = Settings(data_dir=str(tmp_path), mlflow_tracking_uri=raced_server)
    assert connect(settings, "britannica/babylm_10m") == "7"
