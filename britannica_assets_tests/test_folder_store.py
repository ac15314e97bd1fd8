"""Folders are replaced whole or not at all, in an object store and on this machine."""

import multiprocessing
from pathlib import Path

import pytest
from fsspec.implementations.memory import MemoryFileSystem
from upath import UPath

from britannica_assets.folder_store import (
    CorruptFolderError,
    current_digest,
    download_folder,
    replace_folder,
    restore_folder,
    upload_folder,
)


def model(folder: Path, weights: str, files: int = 8) -> Path:
    folder.mkdir(parents=True)
    (folder / "nested").mkdir()
    for number in range(files):
        (folder / ("nested" if number % 2 else ".") / f"{number}.bin").write_text(f"{weights} {number}")
    return folder


@pytest.fixture
def path(tmp_path: Path) -> UPath:
    return UPath(f"memory://bucket/{tmp_path.name}/student/babylm_10m")


def break_after(uploads: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets the store's connection break after so many uploads."""
    put_file, left = MemoryFileSystem.put_file, [uploads]

    def breaking(*arguments: object, **named: object) -> object:
        if left[0] == 0:
            raise ConnectionError("the connection broke")
        left[0] -= 1
        return put_file(*arguments, **named)

    monkeypatch.setattr(MemoryFileSystem, "put_file", breaking)


def test_an_upload_that_breaks_leaves_the_old_value_whole(
    path: UPath, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload_folder(model(tmp_path / "one", "old"), path)
    old = current_digest(path)
    model(tmp_path / "two", "new")
    with monkeypatch.context() as patch:
        break_after(3, patch)
        with pytest.raises(ConnectionError):
            upload_folder(tmp_path / "two", path)
    assert current_digest(path) == old
    copy = download_folder(path, tmp_path / "cache")
    assert sorted(file.read_text() for file in copy.rglob("*.bin")) == [f"old {number}" for number in range(8)]
    upload_folder(tmp_path / "two", path)
    assert (download_folder(path, tmp_path / "cache") / "0.bin").read_text() == "new 0"
    assert copy.exists()  # who reads the old copy goes on
    upload_folder(model(tmp_path / "three", "newest"), path)
    assert old not in {entry.name for entry in path.iterdir()}


def test_files_that_are_not_those_of_the_pointer_are_refused(path: UPath, tmp_path: Path) -> None:
    upload_folder(model(tmp_path / "one", "old"), path)
    (path / str(current_digest(path)) / "0.bin").unlink()
    with pytest.raises(CorruptFolderError, match="materialize it again"):
        download_folder(path, tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


def _download(address: str, cache: Path) -> None:
    for _ in range(20):
        copy = download_folder(UPath(address), cache)
        assert len([file.read_bytes() for file in copy.rglob("*.bin")]) == 8


def test_loads_at_once_do_not_disturb_each_other(tmp_path: Path) -> None:
    address = (tmp_path / "store").as_uri()
    upload_folder(model(tmp_path / "one", "old"), UPath(address))
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=_download, args=(address, tmp_path / "cache")) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    assert [entry.name for entry in (tmp_path / "cache").iterdir()] == [current_digest(UPath(address))]


def test_a_local_folder_is_replaced_and_restored(tmp_path: Path) -> None:
    target = tmp_path / "store" / "babylm_10m"
    replace_folder(model(tmp_path / "one", "old"), target)
    replace_folder(model(tmp_path / "two", "new"), target)
    assert (target / "0.bin").read_text() == "new 0"
    assert [entry.name for entry in target.parent.iterdir()] == ["babylm_10m"]
    target.rename(target.with_name(".babylm_10m.0.retired"))  # a kill between the two renamings
    restore_folder(target)
    assert (target / "0.bin").read_text() == "new 0"
