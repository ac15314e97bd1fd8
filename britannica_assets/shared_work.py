"""Unfinished work in the object store, so that another machine goes on where one died.

A piece of work, a training or a computation of targets, is a folder of this machine. Below `unfinished/<its name>` of
the data folder lie its lease, and for the lease's holder a folder named by the lease's number: its files, each named by
its SHA-256, and `state.json`, written last, which says which of them make up the piece. So what a stopped holder still
writes disturbs nobody, a broken upload leaves the state before it, and a file that has not changed is stored once.
"""

import logging
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from upath import UPath

from britannica_assets.digests import file_digest
from britannica_assets.files import read_json, write_json
from britannica_assets.folder_store import CorruptFolderError, replace_folder
from britannica_assets.lease import holder_name, is_free, lease
from britannica_assets.settings import Settings

logger = logging.getLogger(__name__)

UNFINISHED = "unfinished"
LEASE = "lease"
STATE_FILE = "state.json"
MARKER_SUFFIX = ".shared.json"  # of a file beside the folder of this machine: with which stored state it agrees
SCHEMA_VERSION = 1


Store = Callable[[], object]  # stores what the work's folder holds now


def store_nothing() -> None:
    """The `Store` of who works for this machine alone."""


@contextmanager
def shared_work(settings: Settings, folder: Path) -> Iterator[Store]:
    """Makes `folder` what the last machine stored of it, and gives what stores it again; for this holder alone.

    Storing that fails is logged and leaves what was stored before: the work goes on. With a local data folder nothing
    is shared.

    Raises:
        LeaseTakenError: another machine works on the same piece.
        CorruptFolderError: what is stored is damaged.
    """
    if not settings.is_remote:
        yield store_nothing
        return
    address = _address(settings, folder.name)
    with lease(address / LEASE, holder_name(folder.parent)) as number:
        work = _SharedFolder(folder, address, number)
        work.restore()
        yield work.store


def remove_shared(settings: Settings, result: Path) -> None:
    """Removes what is stored of the piece of work that made `result`, a folder below the work folder."""
    address = _address(settings, result.relative_to(settings.work_path).parts[1])
    for number in _numbers(address):
        address.fs.rm((address / str(number)).path, recursive=True)


def remove_shared_pieces(settings: Settings, superseded: Callable[[str], bool], parent: Path) -> None:
    """Removes pieces whose name is `superseded`, unless a machine works on them, or died at it."""
    root = settings.data_path / UNFINISHED
    if not settings.is_remote or not root.exists():
        return
    for piece in list(root.iterdir()):
        if superseded(piece.name) and is_free(piece / LEASE, holder_name(parent)):
            piece.fs.rm(piece.path, recursive=True)


def _address(settings: Settings, name: str) -> UPath:
    return settings.data_path / UNFINISHED / name


def _numbers(address: UPath) -> list[int]:
    """The leases under which something is stored, in their order."""
    address.fs.invalidate_cache()
    names = [entry.name for entry in address.iterdir()] if address.exists() else []
    return sorted(int(name) for name in names if name.isdecimal())


class _SharedFolder:
    """A folder of this machine and what the object store holds of it."""

    def __init__(self, folder: Path, address: UPath, number: int) -> None:
        self.folder = folder
        self.address = address
        self.number = number
        self._own = address / str(number)
        self._marker = folder.with_name(folder.name + MARKER_SUFFIX)
        self._saves = 0
        self._stored: set[str] = set()  # digests
        self._digests: dict[tuple[Path, int, int], str] = {}  # by path, size and time of change

    def restore(self) -> None:
        """Makes the folder what the latest complete state says, unless it agrees with it or is ahead of it."""
        for number in reversed(_numbers(self.address)):
            source = self.address / str(number)
            if not (source / STATE_FILE).exists():
                continue  # a machine that died before its first state was complete
            state = read_json(source / STATE_FILE, schema_version=SCHEMA_VERSION)
            stored = {"number": number, "saves": state["saves"]}
            if (
                self.folder.exists()
                and self._marker.exists()
                and read_json(self._marker, schema_version=SCHEMA_VERSION) == stored
            ):
                return
            logger.info("%s goes on from what another machine stored in %s", self.folder.name, source)
            partial = self.folder.with_name(f".{self.folder.name}.{uuid.uuid4().hex}.partial")
            for name, digest in state["files"].items():
                file = partial / name
                file.parent.mkdir(parents=True, exist_ok=True)
                source.fs.get_file((source / digest).path, str(file))
                if file_digest(file) != digest:
                    raise CorruptFolderError(
                        f"{source / digest}, which is {name}, is damaged: remove {self.address} to begin anew"
                    )
            replace_folder(partial, self.folder)
            write_json(self._marker, stored, schema_version=SCHEMA_VERSION)
            return

    def store(self) -> None:
        """Stores what the folder holds now; a failure is logged."""
        try:
            self._store()
        except Exception as error:  # each store has errors of its own
            logger.warning("%s is not stored in %s, the work goes on: %s", self.folder.name, self._own, error)

    def _store(self) -> None:
        fs = self.address.fs
        fs.makedirs(self._own.path, exist_ok=True)
        files = {}
        for file in sorted(self.folder.rglob("*")):
            name = file.relative_to(self.folder)
            if not file.is_file() or any(part.startswith(".") for part in name.parts):  # hidden ones are being written
                continue
            digest = files[name.as_posix()] = self._digest(file)
            if digest not in self._stored:
                fs.put_file(str(file), (self._own / digest).path)
                self._stored.add(digest)
        self._saves += 1
        write_json(self._own / STATE_FILE, {"saves": self._saves, "files": files}, schema_version=SCHEMA_VERSION)
        marker = {"number": self.number, "saves": self._saves}
        write_json(self._marker, marker, schema_version=SCHEMA_VERSION)
        for digest in self._stored - set(files.values()):
            fs.rm_file((self._own / digest).path)
            self._stored.remove(digest)
        if self._saves == 1:
            for number in _numbers(self.address):
                if number < self.number:
                    fs.rm((self.address / str(number)).path, recursive=True)

    def _digest(self, file: Path) -> str:
        status = file.stat()
        key = (file, status.st_size, status.st_mtime_ns)
        if key not in self._digests:
            self._digests[key] = file_digest(file)
        return self._digests[key]
