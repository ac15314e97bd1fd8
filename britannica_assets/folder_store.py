"""Folders in a store, replaced whole or not at all.

In an object store a folder lies under its digest, and a small pointer, written last, says which digest is current: an
upload that breaks leaves the old value as it was. In a folder of this machine the new value is renamed into its place,
and beside it lie its files' digests, by which a damaged one shows.
"""

import shutil
import uuid
from pathlib import Path

from upath import UPath

from britannica_assets.digests import digests_of_files, folder_digest
from britannica_assets.files import read_json, write_json

POINTER = "current.json"
POINTER_SCHEMA = 1
MANIFEST_SCHEMA = 1


class CorruptFolderError(RuntimeError):
    """A stored folder is not what was stored; the message says what is not."""


def upload_folder(folder: Path, path: UPath) -> None:
    """Makes `folder` the current value at `path` in an object store; the value before it stays for its readers."""
    digest = folder_digest(folder)
    previous = current_digest(path)
    for file in sorted(file for file in folder.rglob("*") if file.is_file()):
        target = path / digest / file.relative_to(folder).as_posix()
        path.fs.makedirs(target.parent.path, exist_ok=True)
        path.fs.put_file(str(file), target.path)
    write_json(path / POINTER, {"digest": digest}, schema_version=POINTER_SCHEMA)
    for entry in path.iterdir():
        if entry.name not in (digest, previous, POINTER):
            path.fs.rm(entry.path, recursive=True)


def current_digest(path: UPath) -> str | None:
    """The digest of the current value at `path`, None where there is none.

    Raises:
        SchemaVersionError: the pointer is of another schema.
    """
    pointer = path / POINTER
    if not pointer.exists():
        return None
    return str(read_json(pointer, schema_version=POINTER_SCHEMA)["digest"])


def download_folder(path: UPath, cache: Path) -> Path:
    """A local copy of the current value at `path`, named by its digest; it is made once and never changed.

    Several processes may ask at once: each downloads for itself, and the first one's copy serves all.

    Raises:
        FileNotFoundError: there is no value.
        CorruptFolderError: the files are not those of the digest.
    """
    digest = current_digest(path)
    if digest is None:
        raise FileNotFoundError(f"{path} holds no folder")
    copy = cache / digest
    if copy.is_dir():
        return copy
    partial = cache / f".{digest}.{uuid.uuid4().hex}.partial"
    try:
        root = (path / digest).path
        for name in path.fs.find(root):
            local = partial / name.removeprefix(root.rstrip("/")).lstrip("/")
            local.parent.mkdir(parents=True, exist_ok=True)
            path.fs.get_file(name, str(local))
        if not partial.is_dir() or folder_digest(partial) != digest:
            raise CorruptFolderError(
                f"the files below {path / digest} are not those of {POINTER}: materialize it again"
            )
        try:
            partial.rename(copy)
        except OSError:
            if not copy.is_dir():  # otherwise another process was first
                raise
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return copy


def store_folder(folder: Path, target: Path) -> None:
    """Moves `folder` to `target`, see `replace_folder`, and keeps beside it the digest of each of its files."""
    manifest = _manifest(target)
    manifest.unlink(missing_ok=True)  # a kill before the new one leaves a folder that is not checked
    replace_folder(folder, target)
    write_json(manifest, {"sha256": digests_of_files(target)}, schema_version=MANIFEST_SCHEMA)


def check_folder(folder: Path) -> None:
    """Holds a folder against the digests that `store_folder` kept, where it did.

    Raises:
        CorruptFolderError: a file is missing, or not as it was written; the message names it.
    """
    manifest = _manifest(folder)
    if manifest.exists():
        found = digests_of_files(folder)
        written = read_json(manifest, schema_version=MANIFEST_SCHEMA)["sha256"]
        broken = [str(folder / name) for name, digest in written.items() if found.get(name) != digest]
        if broken:
            raise CorruptFolderError(f"{', '.join(broken)} is missing or not as it was written")


def _manifest(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.manifest.json")


def replace_folder(folder: Path, target: Path) -> None:
    """Moves `folder` to `target` in the place of what is there.

    Over a file system's border the files are copied next to `target` first. A kill between the two renamings leaves the
    old value under a name that `restore_folder` finds.
    """
    staged = target.with_name(f".{target.name}.{uuid.uuid4().hex}.partial")
    retired = target.with_name(f".{target.name}.{uuid.uuid4().hex}.retired")
    try:
        shutil.move(folder, staged)
        if target.exists():
            target.rename(retired)
        staged.rename(target)
    finally:
        shutil.rmtree(staged, ignore_errors=True)
    for old in target.parent.glob(f".{target.name}.*.retired"):
        shutil.rmtree(old, ignore_errors=True)


def restore_folder(target: Path) -> None:
    """Puts back the old value that a killed `replace_folder` left, where `target` is missing."""
    if not target.exists():
        for retired in target.parent.glob(f".{target.name}.*.retired"):
            retired.rename(target)
            return
