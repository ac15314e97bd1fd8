"""Content digests: what decides a data version, whatever the file layout."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl


def table_digest(table: pl.DataFrame) -> str:
    """SHA-256 (hex) of a table's column names, types and values, whatever its chunks, file layout or polars version."""
    digest = hashlib.sha256(repr([(name, str(kind)) for name, kind in table.schema.items()]).encode())
    for name in table.columns:
        for part in table.select(name).iter_slices(10_000):
            values = part.to_series()
            text = values.list.eval(pl.element().cast(pl.String)).list.join("\0") if values.dtype == pl.List else values
            text = text.cast(pl.String)
            digest.update(text.is_null().to_numpy().tobytes())
            digest.update(text.fill_null("").str.len_bytes().to_numpy().tobytes())
            digest.update(text.fill_null("").str.join("").item().encode())
    return digest.hexdigest()


def folder_digest(folder: Path) -> str:
    """SHA-256 (hex) of the names and bytes of all files below `folder`, in the order of their names."""
    return combined_digest(digests_of_files(folder))


def digests_of_files(folder: Path) -> dict[str, str]:
    """SHA-256 (hex) of each file below `folder` by its path there, in the order of the paths."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {file.relative_to(folder).as_posix(): file_digest(file) for file in files}


def file_digest(file: Path) -> str:
    """SHA-256 (hex) of a file's bytes."""
    with file.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def combined_digest(digests: Mapping[str, str]) -> str:
    """SHA-256 (hex) of names and their SHA-256 digests (hex), in the mapping's order."""
    combined = hashlib.sha256()
    for name, digest in digests.items():
        combined.update(name.encode() + b"\0" + bytes.fromhex(digest))
    return combined.hexdigest()


def json_digest(values: Mapping[str, Any]) -> str:
    """SHA-256 (hex) of values as JSON, whatever the order of their keys."""
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


def short_digest(digest: str) -> str:
    """The first eight characters of a digest, for people to tell contents apart by."""
    return digest[:8]
