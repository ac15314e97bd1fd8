"""Files as people save them: the right items, or an error that names file and line."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from britannica_assets.digests import folder_digest
from britannica_assets.evaluation.evaluation_files import EvaluationDataError, data_digest, file_digests
from britannica_assets.evaluation.minimal_pairs import read_blimp, read_supplement
from britannica_assets.sample import minimal_pairs


def pair(good: Any = "The mill stands.", bad: Any = "The mill stand.", **labels: Any) -> str:
    named = {"UID": "agreement", "field": "morphology", "linguistics_term": "agreement"}
    return json.dumps({"sentence_good": good, "sentence_bad": bad, **named, **labels}, ensure_ascii=False)


LINES = [pair("A:\u2028one\x85two", "b"), "", pair("Ἑλλάς 🏛", "d")]
SENTENCES = [("A:\u2028one\x85two", "b"), ("Ἑλλάς 🏛", "d")]
TEXT = "\n".join(LINES) + "\n"

SAVED: dict[str, tuple[str, Callable[[str], bytes]]] = {
    "plain": ("agreement.jsonl", lambda text: text.encode()),
    "carriage returns": ("agreement.jsonl", lambda text: text.replace("\n", "\r\n").encode()),
    "byte-order mark": ("agreement.jsonl", lambda text: text.encode("utf-8-sig")),
    "UTF-16": ("agreement.jsonl", lambda text: text.encode("utf-16")),
    "upper case": ("agreement.JSONL", lambda text: text.encode()),
    "compressed": ("agreement.jsonl.gz", lambda text: gzip.compress(text.encode())),
}


def write(folder: Path, *lines: str, name: str = "agreement.jsonl") -> Path:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


@pytest.mark.parametrize("how", SAVED)
def test_a_file_is_read_however_it_is_saved(tmp_path: Path, how: str) -> None:
    name, encode = SAVED[how]
    (tmp_path / name).write_bytes(encode(TEXT))
    items = read_blimp(tmp_path)
    assert [tuple(candidate.text for candidate in item.candidates) for item in items] == SENTENCES
    assert {(item.uid, item.field) for item in items} == {("agreement", "morphology")}
    assert {item.uid for item in read_supplement(tmp_path)} == {"agreement"}


def test_uids_are_those_of_the_lines(tmp_path: Path) -> None:
    write(tmp_path, pair(), pair(UID="binding"), pair(UID=None))
    write(tmp_path, pair(UID="binding", field=None, linguistics_term=None), name="other.jsonl")
    assert [item.uid for item in read_blimp(tmp_path)] == ["agreement", "binding", "agreement", "binding"]
    assert [item.uid for item in read_supplement(tmp_path)] == ["agreement"] * 3 + ["other"]


def test_a_field_written_in_two_ways_is_one(tmp_path: Path) -> None:
    assert read_blimp(write(tmp_path, pair(field="syntax/semantics")))[0].field == "syntax_semantics"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{not json", "no JSON"),
        ("[1]", "no JSON object"),
        (json.dumps([pair()]), "no JSON object"),
        ('{"sentence_good": "a"}', "sentence_bad must be a text"),
        (pair(good=3), "sentence_good must be a text"),
        (pair(bad=None), "sentence_bad must be a text"),
        (pair(good=" \n"), "sentence_good must be a text that is not blank"),
        (pair(UID=5), "UID must be a text"),
        (pair().replace("The mill stand.", "\\ud83c"), "half of a surrogate pair"),
    ],
)
def test_a_malformed_line_names_file_and_line(tmp_path: Path, line: str, reason: str) -> None:
    with pytest.raises(EvaluationDataError, match=rf"agreement\.jsonl, line 3: .*{reason}"):
        read_blimp(write(tmp_path, pair(), "", line))


def test_other_encodings_name_file_and_line(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(f"{pair()}\n{pair('Café')}\n".encode("latin-1"))
    with pytest.raises(EvaluationDataError, match=r"a\.jsonl, line 2: byte 0xe9 is no UTF-8: save the file as UTF-8"):
        read_blimp(tmp_path)
    (tmp_path / "a.jsonl").unlink()
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(TEXT.encode())[:-9])
    with pytest.raises(EvaluationDataError, match=r"a\.jsonl\.gz, line 1: no whole gzip file"):
        read_blimp(tmp_path)


def test_what_is_no_file_of_pairs_is_named(tmp_path: Path) -> None:
    with pytest.raises(EvaluationDataError, match=rf"{tmp_path} holds no \.jsonl file"):
        read_blimp(tmp_path)
    (tmp_path / "x.jsonl").mkdir()
    with pytest.raises(EvaluationDataError, match=r"x\.jsonl is a folder, not a file"):
        read_blimp(tmp_path)
    (tmp_path / "x.jsonl").rmdir()
    write(tmp_path, " ")
    with pytest.raises(EvaluationDataError, match=r"agreement\.jsonl, line 1: the file holds no item"):
        read_blimp(tmp_path)
    write(tmp_path, pair())
    (tmp_path / "agreement.jsonl.gz").write_bytes(gzip.compress(TEXT.encode()))
    with pytest.raises(EvaluationDataError, match="are the same file twice"):
        read_blimp(tmp_path)


def test_the_digest_is_of_the_text_not_of_how_it_is_saved(tmp_path: Path) -> None:
    minimal_pairs.write(tmp_path)
    folder = tmp_path / "blimp_filtered"
    digest = data_digest(file_digests(folder))
    assert digest == folder_digest(folder)
    file = sorted(folder.iterdir())[0]
    (folder / f"{file.name}.gz").write_bytes(gzip.compress(file.read_bytes()))
    file.unlink()
    (folder / "README.md").write_text("a note", encoding="utf-8")
    assert data_digest(file_digests(folder)) == digest
