"""Content digests: what decides a data version, whatever the file layout."""

import hashlib
from pathlib import Path

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
    digest = hashlib.sha256()
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(file.relative_to(folder).as_posix().encode() + b"\0")
        with file.open("rb") as handle:
            digest.update(hashlib.file_digest(handle, "sha256").digest())
    return digest.hexdigest()
