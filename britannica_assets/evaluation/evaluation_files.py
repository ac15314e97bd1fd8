"""Files of evaluation data: text in the encodings that people save, JSON Lines with file and number.

Read are `*.jsonl`, and `*.csv` for reading times, in any case, and compressed by gzip; UTF-8 with or without a
byte-order mark, and UTF-16 with one.
"""

import codecs
import gzip
import hashlib
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from britannica_assets.digests import combined_digest

SUFFIX, COMPRESSED = ".jsonl", ".gz"
MAX_SHOWN = 80  # characters of a line in an error


class EvaluationDataError(ValueError):
    """Evaluation data cannot be used; the message names file and line, or the folder to bring."""


@dataclass(frozen=True)
class Line:
    """One JSON object, and where it stands."""

    file: Path
    number: int
    content: dict[str, Any]

    @property
    def stem(self) -> str:
        """The file's name without its suffixes."""
        return data_name(self.file).removesuffix(SUFFIX)

    @property
    def origin(self) -> str:
        """File and line, as errors name them."""
        return f"{self.file}, line {self.number}"

    def error(self, reason: str) -> EvaluationDataError:
        """An error that names file and line."""
        return EvaluationDataError(f"{self.origin}: {reason}: {json.dumps(self.content)[:MAX_SHOWN]}")

    def text(self, key: str) -> str:
        """The text under `key`.

        Raises:
            EvaluationDataError: there is none, it is blank, or it holds half of a surrogate pair, which is no text.
        """
        return self._checked(key, self.content.get(key))

    def texts(self, key: str) -> list[str]:
        """The list of texts under `key`, two or more.

        Raises:
            EvaluationDataError: it is no such list, or one of the texts is as in `text`.
        """
        values = self.content.get(key)
        if not isinstance(values, list) or len(values) < 2:
            raise self.error(f"{key} must be a list of two texts or more, it is {values!r}")
        return [self._checked(key, value) for value in values]

    def _checked(self, key: str, value: object) -> str:
        if not isinstance(value, str) or not value.strip():
            raise self.error(f"{key} must be a text that is not blank, it is {value!r}")
        if any("\ud800" <= character <= "\udfff" for character in value):
            raise self.error(f"{key} holds half of a surrogate pair, which is no character")
        return value

    def label(self, key: str, default: str) -> str:
        """The label under `key`, or `default` where there is none or null.

        Raises:
            EvaluationDataError: it is no text.
        """
        return default if self.content.get(key) is None else self.text(key)


def data_files(folder: Path, suffix: str = SUFFIX) -> list[Path]:
    """The files of `folder` with the suffix, compressed or not, in the order of their names.

    Raises:
        EvaluationDataError: there is none, one is a folder, or two hold the same name.
    """
    found = sorted(path for path in folder.glob("*") if data_name(path).endswith(suffix) and path.name[0] != ".")
    if not found:
        raise EvaluationDataError(f"{folder} holds no {suffix} file: bring the files of {folder.name}")
    names: dict[str, Path] = {}
    for path in found:
        if not path.is_file():
            raise EvaluationDataError(f"{path} is a folder, not a file of evaluation data: move it away")
        if data_name(path) in names:
            raise EvaluationDataError(f"{names[data_name(path)]} and {path} are the same file twice: remove one")
        names[data_name(path)] = path
    return found


def data_name(path: Path) -> str:
    """The name that a file has uncompressed, with its suffix in lower case."""
    name = path.name[: -len(COMPRESSED)] if path.name.lower().endswith(COMPRESSED) else path.name
    stem, dot, suffix = name.rpartition(".")
    return f"{stem}{dot}{suffix.lower()}" if stem else name


def read_text(path: Path) -> str:
    """The text of a file.

    Raises:
        EvaluationDataError: it is neither UTF-8 nor UTF-16 with a byte-order mark, or no gzip; the line is named.
    """
    content = path.read_bytes()
    if path.name.lower().endswith(COMPRESSED):
        try:
            content = gzip.decompress(content)
        except (OSError, EOFError, zlib.error) as error:
            raise EvaluationDataError(f"{path}, line 1: no whole gzip file ({error}): fetch it again") from error
    utf_16 = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        return content.decode("utf-16" if utf_16 else "utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise EvaluationDataError(
            f"{path}, line {line}: byte {content[error.start]:#04x} is no {'UTF-16' if utf_16 else 'UTF-8'}: save the"
            " file as UTF-8"
        ) from error


def read_lines(folder: Path) -> Iterator[Line]:
    """All lines of all files of `folder`, without blank ones.

    Raises:
        EvaluationDataError: see `data_files` and `read_text`; a line is no JSON object, or a file holds none.
    """
    for file in data_files(folder):
        empty = True
        # Split at line feeds alone: a sentence may hold other characters that Python takes for line ends.
        for number, line in enumerate(read_text(file).split("\n"), 1):
            if not line.strip():
                continue
            empty = False
            try:
                content = json.loads(line)
            except (ValueError, RecursionError) as error:
                raise EvaluationDataError(f"{file}, line {number}: no JSON ({error}): {line[:MAX_SHOWN]!r}") from error
            if not isinstance(content, dict):
                raise EvaluationDataError(f"{file}, line {number}: no JSON object: {line[:MAX_SHOWN]!r}")
            yield Line(file, number, content)
        if empty:
            raise EvaluationDataError(f"{file}, line 1: the file holds no item: remove it or fetch it again")


def file_digests(folder: Path, suffix: str = SUFFIX) -> dict[str, str]:
    """SHA-256 (hex) of each file's text in UTF-8, by its name uncompressed: the same however it is saved."""
    return {
        data_name(path): hashlib.sha256(read_text(path).encode("utf-8")).hexdigest()
        for path in data_files(folder, suffix)
    }


def data_digest(files: dict[str, str]) -> str:
    """SHA-256 (hex) of `file_digests`: for plain files the `folder_digest` of their folder."""
    return combined_digest({name: files[name] for name in sorted(files)})
