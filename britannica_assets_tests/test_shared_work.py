"""Unfinished work goes on on another machine; what is stored of it is whole or what it was before."""

from pathlib import Path

import pytest
from fsspec.implementations.memory import MemoryFileSystem

from britannica_assets.folder_store import CorruptFolderError
from britannica_assets.settings import Settings
from britannica_assets.shared_work import remove_shared, remove_shared_pieces, shared_work

PIECE = "student-babylm_10m-0123456789abcdef"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(
        data_dir=f"memory://bucket/{tmp_path.name}", work_dir=tmp_path / "work", mlflow_tracking_uri="http://mlflow"
    )


def machine(tmp_path: Path, name: str) -> Path:
    """The piece's folder on a machine."""
    folder = tmp_path / name / PIECE
    folder.parent.mkdir(exist_ok=True)
    return folder


def write(folder: Path, **files: str) -> None:
    for name, text in files.items():
        file = folder / name.replace("__", "/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


def content(folder: Path) -> dict[str, str]:
    return {file.relative_to(folder).as_posix(): file.read_text() for file in folder.rglob("*") if file.is_file()}


def stored(settings: Settings) -> list[str]:
    """The files of the piece in the object store, without those of its lease."""
    root = settings.data_path / "unfinished" / PIECE
    return [path.name for path in root.rglob("*") if path.is_file() and path.parent.name != "lease"]


def test_another_machine_goes_on_and_the_first_one_after_it(settings: Settings, tmp_path: Path) -> None:
    first, second = machine(tmp_path, "first"), machine(tmp_path, "second")
    with shared_work(settings, first) as store:
        write(first, checkpoint__weights="1", run="r", best__weights="1")
        write(first, **{".best.partial__weights": "half"})
        store()
        write(first, checkpoint__weights="2")
        store()
        write(first, checkpoint__weights="3")  # not stored when the machine dies
    assert len(stored(settings)) == 1 + 3  # the weights of the first checkpoint are those of the best
    with shared_work(settings, second) as store:
        assert content(second) == {"checkpoint/weights": "2", "run": "r", "best/weights": "1"}
        write(second, checkpoint__weights="4")
        store()
    with shared_work(settings, first) as store:
        assert content(first)["checkpoint/weights"] == "4"
        write(first, checkpoint__weights="5")
    with shared_work(settings, first):  # nobody else worked meanwhile: what is here is ahead of what is stored
        assert content(first)["checkpoint/weights"] == "5"


def test_a_broken_upload_leaves_the_state_before_it(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    first, second = machine(tmp_path, "first"), machine(tmp_path, "second")

    def breaking(*_: object, **__: object) -> None:
        raise ConnectionError("the connection broke")

    with shared_work(settings, first) as store:
        write(first, weights="1")
        store()
        write(first, weights="2")
        with monkeypatch.context() as patch:
            patch.setattr(MemoryFileSystem, "put_file", breaking)
            store()
    assert "the work goes on: the connection broke" in caplog.text
    with shared_work(settings, second):
        assert content(second) == {"weights": "1"}


def test_damaged_files_are_named(settings: Settings, tmp_path: Path) -> None:
    first = machine(tmp_path, "first")
    with shared_work(settings, first) as store:
        write(first, weights="1")
        store()
    (damaged,) = [path for path in (settings.data_path / "unfinished").rglob("*") if len(path.name) == 64]
    damaged.write_text("2")
    with (
        pytest.raises(CorruptFolderError, match=r"which is weights, is damaged: remove .*unfinished/student"),
        shared_work(settings, machine(tmp_path, "second")),
    ):
        pass


def test_what_is_finished_or_superseded_is_removed(settings: Settings, tmp_path: Path) -> None:
    folder = settings.work_path / "training" / PIECE
    folder.parent.mkdir(parents=True)
    with shared_work(settings, folder) as store:
        write(folder, model__weights="1")
        store()
        remove_shared_pieces(settings, lambda name: name == PIECE, machine(tmp_path, "other").parent)
        assert stored(settings), "a machine works on it"
    remove_shared(settings, folder / "model")
    assert stored(settings) == []
    remove_shared_pieces(settings, lambda name: name == PIECE, folder.parent)
    assert not (settings.data_path / "unfinished" / PIECE).exists()
