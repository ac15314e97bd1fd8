"""The plain text files beside the tables, for people and programs that want nothing else."""

from collections.abc import Iterable

from upath import UPath

from britannica_assets.files import atomic_write


def write_text_file(path: UPath, texts: Iterable[str], *, marked: bool = False) -> None:
    """Writes the articles with an empty line between them, each between `<s>` and `</s>` if `marked`."""
    with atomic_write(path) as temporary, temporary.open("w", encoding="utf-8") as file:
        for text in texts:
            file.write(f"<s>\n{text}\n</s>\n\n" if marked else f"{text}\n\n")
