"""The extraction's reference: its rules on BeautifulSoup's tree, as one writes them with `find_all` and `decompose`.

What works on plain text (signatures, TeX, sentences) and the classes' names are shared; how elements are found, judged
and taken out is BeautifulSoup's. Rare constructs are not handled, so that it does less than the extraction, never more.
"""

import re

from bs4 import BeautifulSoup
from bs4.element import Comment, NavigableString, Tag

from britannica_assets.wikisource.extraction.class_rules import class_pattern_rule, is_gap
from britannica_assets.wikisource.extraction.dom import (
    AUTHOR_BEGIN,
    AUTHOR_END,
    AUTHOR_NAME_END,
    FLOAT_BEGIN,
    FLOAT_END,
    FORMULA,
    PARAGRAPH_BREAK,
    fold,
)
from britannica_assets.wikisource.extraction.formulas import read_tex
from britannica_assets.wikisource.extraction.numbers import fraction, superscript
from britannica_assets.wikisource.extraction.sentences import without_sentences_of
from britannica_assets.wikisource.extraction.signatures import take_signatures

BLOCKS = frozenset(
    ("blockquote", "center", "dd", "div", "dl", "dt", "h2", "h3", "h4", "li", "ol", "p", "td", "th", "ul")
)
NEVER_TEXT = frozenset(("style", "script", "link", "meta", "hr"))
MIN_PROSE = 8  # words of a cell of prose


def extract_with_beautiful_soup(page: str) -> str:
    """The running text of an article's page."""
    soup = BeautifulSoup(page, "lxml")
    paragraphs: list[str] = []
    for body in soup.select(".prp-pages-output"):
        for comment in body.find_all(string=lambda text: isinstance(text, Comment)):
            comment.extract()
        for element in body.find_all(True):
            if not element.decomposed and element.parent is not None:
                _visit(element)
        collected: list[str] = []
        _collect(body, collected)
        paragraphs += (text for raw in "".join(collected).split(PARAGRAPH_BREAK) if (text := fold(raw)))
    return "\n".join(without_sentences_of(take_signatures(paragraphs)[0], FORMULA))


def _visit(element: Tag) -> None:
    classes = " ".join(name for name in element.get_attribute_list("class") if name).lower()
    style = str(element.get("style") or "").lower().replace(" ", "")
    if element.name in NEVER_TEXT or "pagenum" in classes:
        element.decompose()
    elif "mwe-math" in classes or element.name == "math":
        image = element.find("img")
        element.replace_with((isinstance(image, Tag) and read_tex(str(image.get("alt") or ""))) or FORMULA)
    elif class_pattern_rule(classes) or "display:none" in style:
        element.decompose()
    elif element.name == "table":
        if not _is_layout(element):
            element.decompose()
    elif element.name in ("img", "figure"):
        element.decompose()
    elif element.name == "a":
        _link(element, classes)
    elif element.name == "sup":
        _superscript(element)
    elif element.name in ("div", "span", "center"):
        _box(element, classes, style)


def _box(element: Tag, classes: str, style: str) -> None:
    floats = re.search(r"float:(left|right)", style) or re.search(r"float-?(left|right)", classes)
    text = fold(element.get_text())
    if (classes or style) and element.find("img") and (floats or len(text.split()) <= 60):
        element.decompose()
    elif not text and is_gap(classes, style):
        element.replace_with(" ")
    elif floats and floats[1] == "left":
        element.decompose()
    elif floats:
        element.insert_before(FLOAT_BEGIN)
        element.insert_after(FLOAT_END)


def _link(element: Tag, classes: str) -> None:
    title = str(element.get("title") or "").removesuffix(" (page does not exist)")
    if title.startswith("Author:"):
        element.insert_before(f"{AUTHOR_BEGIN}{title.removeprefix('Author:')}{AUTHOR_NAME_END}")
        element.insert_after(AUTHOR_END)
    elif title.startswith(("Help:", "Wikisource:", "Special:")) or ("new" in classes and title.startswith("Page:")):
        element.decompose()


def _superscript(element: Tag) -> None:
    slash, below = element.next_sibling, element.find_next_sibling()
    before = element.previous_sibling
    text = fold(element.get_text())
    if isinstance(slash, NavigableString) and slash.strip() in ("⁄", "/") and below is not None and below.name == "sub":
        element.string = fraction(text, fold(below.get_text()), slash.strip())
        slash.extract()
        below.decompose()
    elif isinstance(before, NavigableString) and before[-1:].isalnum() and text.isdecimal():
        element.string = superscript(text)


def _is_layout(table: Tag) -> bool:
    if table.select_one("[class*=poem]") is not None:
        return True
    rows = table.find_all("tr")
    cells = [fold(cell.get_text(" ")) for cell in table.find_all(["td", "th"])]
    return len(rows) == 1 and all(len(cell.split()) >= MIN_PROSE and cell.endswith(".") for cell in cells if cell)


def _collect(element: Tag, collected: list[str]) -> None:
    for child in element.children:
        if isinstance(child, Tag):
            if child.name == "br":
                collected.append(" ")
                continue
            edge = PARAGRAPH_BREAK if child.name in BLOCKS else ""
            collected.append(edge)
            _collect(child, collected)
            collected.append(edge)
        elif type(child) is NavigableString:
            collected.append(child)
