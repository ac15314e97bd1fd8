"""Files are written whole or not at all, stored JSON carries its schema's version, digests follow content alone."""

from pathlib import Path

import polars as pl
import pytest
from upath import UPath

from britannica_assets.digests import folder_digest, table_digest
from britannica_assets.files import SchemaVersionError, atomic_write, read_json, write_json


def test_json_of_another_schema_is_refused_by_file_and_version(tmp_path: Path) -> None:
    file = tmp_path / "training.json"
    write_json(file, {"title": "Æ"}, schema_version=2)
    assert read_json(file, schema_version=2) == {"title": "Æ"}
    with pytest.raises(SchemaVersionError, match=r"training\.json has schema version 2, this code reads version 3"):
        read_json(file, schema_version=3)
    file.write_text('{"title": "A"}', encoding="utf-8")
    with pytest.raises(SchemaVersionError, match="schema version None"):
        read_json(file, schema_version=2)


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = UPath(tmp_path / "train.txt")
    with atomic_write(path) as temporary:
        temporary.write_text("whole")

    def run_out_of_disk() -> None:
        with atomic_write(path) as temporary:
            temporary.write_text("ha")
            raise OSError("no space left")

    with pytest.raises(OSError, match="no space left"):
        run_out_of_disk()
    assert path.read_text() == "whole"
    assert [file.name for file in tmp_path.iterdir()] == ["train.txt"]


def test_digests_follow_content_and_nothing_else(tmp_path: Path) -> None:
    table = pl.DataFrame({"title": ["Æ", None, "B"], "initials": [["X. Y."], [], None], "words": [1, 2, None]})
    chunked = pl.concat([table[:1], table[1:]], rechunk=False)
    assert table_digest(table) == table_digest(chunked)
    others = [
        table.with_columns(title=pl.Series(["Æ", "", "B"])),
        table.with_columns(title=pl.Series(["ÆB", None, ""])),
        table.with_columns(pl.col("words").cast(pl.Int8)),
        table[::-1],
    ]
    assert len({table_digest(frame) for frame in [table, *others]}) == 5
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a").write_text("x")
    assert folder_digest(tmp_path / "one") == folder_digest(tmp_path / "two")
    (tmp_path / "two" / "a").rename(tmp_path / "two" / "b")
    assert folder_digest(tmp_path / "one") != folder_digest(tmp_path / "two")
