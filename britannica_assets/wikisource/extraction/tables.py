"""Tables: data goes, a figure's frame goes with its caption, and what only lays out prose or verse gives its words."""

import re

from lxml import etree

from britannica_assets.wikisource.extraction.dom import Element, classes_of, fold, words_of
from britannica_assets.wikisource.extraction.figures import has_picture, is_caption

DATA, FIGURE, LAYOUT = "data table", "figure", "layout table"

_has_verse = etree.XPath(
    "boolean(.//*[contains(@class, 'poem') or contains(@class, 'verse') or contains(@class, 'stanza') or self::poem])"
)
_rows = etree.XPath("./tr | ./tbody/tr | ./thead/tr | ./tfoot/tr")
_cells = etree.XPath("./td | ./th")
_has_data_marks = etree.XPath("boolean(./caption | ./tr/th | ./*/tr/th | .//math | .//*[contains(@class, 'mwe-math')])")
_own_text = etree.XPath("descendant::text()[count(ancestor::table) = $depth]")
_has_formula = etree.XPath("boolean(.//math | .//*[contains(@class, 'mwe-math')])")
_DATA_CLASS = re.compile(r"wikitable|sortable|genealogy|chart|datatable|infobox|math|mw-hiero")
_SENTENCE_END = re.compile(r"[.!?;:][)\]”’\"']*$")
_MIN_PROSE = 8  # words of a cell that is prose
_MAX_FIGURE = 600  # words of captions and legends in a table around pictures
_MIN_LINE = 3  # words of a line of verse
_MOSTLY = 0.8  # of a table's words


def table_kind(table: Element) -> str:
    """What a table is for: `DATA`, `FIGURE` or `LAYOUT`."""
    if _has_verse(table) and not _has_formula(table):
        return LAYOUT
    rows = [list(_cells(row)) for row in _rows(table)]
    if has_picture(table):
        long = len(words_of(table).split()) > _MAX_FIGURE
        return LAYOUT if long or any(_has_prose_beside_picture(row) for row in rows) else FIGURE
    if table.get("role") == "presentation":
        return LAYOUT
    is_data = _has_data_marks(table) or _DATA_CLASS.search(classes_of(table))
    return LAYOUT if not is_data and _is_mostly_prose(rows) else DATA


def _has_prose_beside_picture(row: list[Element]) -> bool:
    return any(has_picture(cell) for cell in row) and any(_is_prose(cell, _words(cell)) for cell in row)


def _is_mostly_prose(rows: list[list[Element]]) -> bool:
    """Whether the cells hold text that is read one cell after another.

    Rows of several cells are read across, as figures are; what lays out text is one row of columns, or one column.
    """
    filled = [cells for row in rows if (cells := [(cell, text) for cell in row if (text := _words(cell))])]
    cells = [cell for row in filled for cell in row]
    across = len(filled) > 1 and any(len(row) > 1 for row in filled)
    words = sum(len(text.split()) for _, text in cells)
    prose = sum(len(text.split()) for cell, text in cells if _is_prose(cell, text) or _is_verse(cell))
    return words > 0 and prose >= (1 if across else _MOSTLY) * words


def _words(cell: Element) -> str:
    """The words of a cell, without those of tables within it, which are judged by themselves."""
    if cell.find(".//table") is None:
        return words_of(cell)
    depth = sum(1 for _ in cell.iterancestors("table"))
    return fold(" ".join(_own_text(cell, depth=depth)))


def _is_prose(cell: Element, text: str) -> bool:
    """Whether a cell's words, `text`, are sentences and no caption."""
    words = text.split()
    if len(words) < _MIN_PROSE or is_caption(text) or has_picture(cell):
        return False
    figures = sum(any(character.isdigit() for character in word) for word in words)
    return figures <= 0.2 * len(words) and bool(_SENTENCE_END.search(text)) and text.lstrip("“‘\"'([")[:1].isupper()


def _is_verse(cell: Element) -> bool:
    """Whether a cell is broken into lines of several words each."""
    lines: list[str] = [cell.text or ""]
    for inner in cell.iter():
        if inner is cell:
            continue
        if inner.tag == "br":
            lines.append("")
        elif inner.text:
            lines[-1] += inner.text
        lines[-1] += inner.tail or ""
    folded = [line for raw in lines if (line := fold(raw))]
    if len(folded) < 2 or any(character.isdigit() for line in folded for character in line):
        return False
    return sum(len(line.split()) for line in folded) >= _MIN_LINE * len(folded)
