"""Unfinished work that nothing goes on with: why it was left, and its removal.

A piece of work, a training or a computation of targets, has a folder `<asset>-<track>-<first 16 digits of its
digest>`, with the lock that its process holds beside it. Another configuration has another digest, so what was
unfinished under the old one stays behind.
"""

import logging
import re
import shutil
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from britannica_assets.files import SchemaVersionError, read_json, write_json
from britannica_assets.modeling.process import LockedError, exclusive_lock
from britannica_assets.settings import Settings
from britannica_assets.shared_work import remove_shared_pieces

logger = logging.getLogger(__name__)

IDENTITY_FILE = "identity.json"
SCHEMA_VERSION = 1
ABANDONED_AFTER = 30 * 24 * 3600.0  # seconds without a change
NAME = re.compile(r"(.+)-[0-9a-f]{16}")


def write_identity(folder: Path, identity: Mapping[str, Any]) -> None:
    """Keeps what a folder's digest stands for, so that a later training can tell how it differs."""
    write_json(folder / IDENTITY_FILE, {"identity": dict(identity)}, schema_version=SCHEMA_VERSION)


def log_differences(folder: Path, identity: Mapping[str, Any]) -> None:
    """Says for each unfinished piece of the same asset and track why it is not gone on with."""
    for other in _of_the_same_asset(folder):
        try:
            known = read_json(other / IDENTITY_FILE, schema_version=SCHEMA_VERSION)["identity"]
        except (FileNotFoundError, SchemaVersionError):
            continue
        changes = [
            f"{key} {known.get(key, 'default')} → {identity.get(key, 'default')}"
            for key in sorted({*known, *identity})
            if known.get(key) != identity.get(key)
        ]
        logger.info(
            "%s starts anew and does not go on from %s: %s changed. It is removed once this one is finished; with the"
            " old values it would go on",
            NAME.sub(r"\1", folder.name),
            other,
            ", ".join(changes),
        )


def remove_superseded(folder: Path, settings: Settings) -> None:
    """Removes other pieces of the same asset and track, shared ones too, now that the one in `folder` is finished."""
    for other in _of_the_same_asset(folder):
        _remove_unless_locked(other, "superseded")
    remove_shared_pieces(settings, lambda name: _is_of_the_same_asset(name, folder), folder.parent)


def remove_abandoned(parent: Path, *, keep: Path) -> None:
    """Removes pieces of any asset and track below `parent` that nothing has changed for `ABANDONED_AFTER`.

    `keep`, the piece that is about to be gone on with, stays however old it is.
    """
    for folder in _work_folders(parent):
        if folder != keep and time.time() - _last_change(folder) > ABANDONED_AFTER:
            _remove_unless_locked(folder, "abandoned")


def _work_folders(parent: Path) -> Iterator[Path]:
    return (path for path in sorted(parent.glob("*")) if path.is_dir() and NAME.fullmatch(path.name))


def _of_the_same_asset(folder: Path) -> Iterator[Path]:
    return (other for other in _work_folders(folder.parent) if _is_of_the_same_asset(other.name, folder))


def _is_of_the_same_asset(name: str, folder: Path) -> bool:
    found = NAME.fullmatch(name)
    return found is not None and name != folder.name and found[1] == NAME.sub(r"\1", folder.name)


def _last_change(folder: Path) -> float:
    """The newest modification time of a folder and all below it, in seconds since 1970."""
    try:
        return max(path.stat().st_mtime for path in [folder, *folder.rglob("*")])
    except FileNotFoundError:
        return time.time()  # a process has just moved or removed a file


def _remove_unless_locked(folder: Path, why: str) -> None:
    try:
        with exclusive_lock(folder, timeout=0):
            size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
            shutil.rmtree(folder)
    except LockedError:
        return  # another process works in it
    logger.info("removed %s, %s unfinished work of %.1f MB", folder, why, size / 1e6)
