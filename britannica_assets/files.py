"""Files written whole or not at all, and JSON that says by which schema it was written."""

import json
import os
import tempfile
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from upath import UPath

SCHEMA_VERSION = "schema_version"  # the key under which a stored JSON object carries its version


class SchemaVersionError(ValueError):
    """A stored JSON file is of another schema version; the message names the file, both versions and the remedy."""


def is_local(path: UPath) -> bool:
    """Whether a path is of this machine, and not of an object store."""
    return path.protocol in ("", "file", "local")


@contextmanager
def atomic_write(path: UPath | Path) -> Iterator[Path]:
    """Yields a local path to write a file to; on success it takes `path`'s place in one step, on failure it vanishes.

    A reader sees the old file or the new one, never a part. In an object store the upload itself is atomic.
    """
    path = UPath(path)
    local = is_local(path)
    if local:
        path.parent.mkdir(parents=True, exist_ok=True)
    folder = Path(path.parent.path) if local else Path(tempfile.gettempdir())
    temporary = folder / f".{path.name}.{uuid.uuid4().hex}.partial"
    try:
        yield temporary
        if local:
            with temporary.open("rb") as written:
                os.fsync(written.fileno())
            temporary.replace(Path(path.path))
        else:
            path.fs.put_file(str(temporary), path.path)
    finally:
        temporary.unlink(missing_ok=True)


def write_json(path: UPath | Path, value: Mapping[str, Any], *, schema_version: int) -> None:
    """Writes an object as JSON, with the version of its schema, in one step."""
    with atomic_write(path) as temporary:
        text = json.dumps({SCHEMA_VERSION: schema_version, **value}, indent=2, ensure_ascii=False)
        temporary.write_text(text + "\n", encoding="utf-8")


def read_json(path: UPath | Path, *, schema_version: int) -> dict[str, Any]:
    """Reads what `write_json` wrote, without the version.

    Raises:
        FileNotFoundError: there is no such file.
        SchemaVersionError: the file was written by another schema.
    """
    value: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    found = value.pop(SCHEMA_VERSION, None)
    if found != schema_version:
        raise SchemaVersionError(
            f"{path} has schema version {found}, this code reads version {schema_version}: materialize the asset that"
            " wrote it again"
        )
    return value
