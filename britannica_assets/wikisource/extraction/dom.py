"""Small tools for elements: their classes, styles and words, and how to take one out without gluing its neighbours."""

import re
from collections.abc import Iterator, Mapping
from typing import TypeAlias

from lxml import etree
from lxml.html import HtmlElement

Element: TypeAlias = HtmlElement

INVISIBLE = "\u200b\u200c\u200d\u200e\u200f\u2060\u2061\u2062\u2063\u2064\ufeff\u00ad"

# Marks that stand in the text while it is collected: Unicode's noncharacters, which no page holds.
PARAGRAPH_BREAK = "\ufdd0"
FLOAT_BEGIN, FLOAT_END = "\ufdd1", "\ufdd2"
AUTHOR_BEGIN, AUTHOR_NAME_END, AUTHOR_END = "\ufdd3", "\ufdd4", "\ufdd5"
FORMULA = "\ufdd6"  # one that cannot be read
# A formula's mark stays until its sentence is known.
MARKS = FLOAT_BEGIN + FLOAT_END + AUTHOR_BEGIN + AUTHOR_NAME_END + AUTHOR_END + PARAGRAPH_BREAK

_PARAGRAPH_TAGS = frozenset(("p", "div", "td", "th", "li", "dd"))
_BRACE = re.compile(r"([{}])")
_CLASS = re.compile(r"[\w-]+")
_CONTEXT = 40  # characters before an element that say what it is


def text_of(element: Element) -> str:
    """All text below an element, as it stands."""
    return str(etree.tostring(element, method="text", encoding="unicode", with_tail=False))


def words_of(element: Element) -> str:
    """The text below an element with spaces folded and nothing invisible; elements are set apart by a space."""
    return fold(" ".join(element.itertext()))


def has_words(element: Element) -> bool:
    """Whether anything visible is written below an element."""
    return any(fold(text) for text in element.itertext())


def without(text: str, characters: str) -> str:
    """A text without some characters; most texts hold none of them, which is found faster than by a pattern."""
    for character in characters:
        if character in text:
            text = text.replace(character, "")
    return text


def fold(text: str) -> str:
    """A text without invisible characters, each run of white space one space, none around it."""
    return " ".join(without(text, INVISIBLE).split())


def remove(element: Element) -> None:
    """Takes an element out and leaves its tail, so that the words around it stay as they were."""
    replace_with_text(element, "")


def replace_with_text(element: Element, text: str) -> None:
    """Puts `text` where the element stands."""
    parent = element.getparent()
    if parent is None:
        return
    left = text + (element.tail or "")
    before = element.getprevious()
    if left and before is not None:
        before.tail = (before.tail or "") + left
    elif left:
        parent.text = (parent.text or "") + left
    parent.remove(element)


def wrap_text(element: Element, begin: str, end: str) -> None:
    """Puts marks before and after the text of an element."""
    element.text = begin + (element.text or "")
    element.tail = end + (element.tail or "")


def text_before(element: Element) -> str:
    """The end of the text that stands right before an element, in the same paragraph."""
    here: Element | None = element
    while here is not None:
        before = here.getprevious()
        while before is not None:
            text = text_of(before) + (before.tail or "")
            if text := without(text, INVISIBLE):
                return text[-_CONTEXT:]
            before = before.getprevious()
        here = here.getparent()
        text = "" if here is None else without(here.text or "", INVISIBLE)
        if text or here is None or here.tag in _PARAGRAPH_TAGS:
            return text[-_CONTEXT:]
    return ""


def classes_of(element: Element) -> str:
    """The classes of an element, in lower case."""
    return (element.get("class") or "").lower()


class Styles:
    """What an element's own style and the page's style sheets say, in lower case and without spaces."""

    def __init__(self, declared: Mapping[str, str]) -> None:
        self._declared = declared

    @classmethod
    def of_page(cls, document: Element) -> "Styles":
        """Reads the style sheets that templates wrote into the page, for rules that name a class last."""
        declared: dict[str, str] = {}
        seen: set[str] = set()
        for sheet in document.iter("style"):
            text = sheet.text or ""
            if text in seen:
                continue
            seen.add(text)
            for selectors, declarations in _style_rules(text):
                for selector in selectors.split(","):
                    name = selector.rpartition(".")[2].strip().lower()
                    if "." in selector and _CLASS.fullmatch(name):
                        style = declarations.lower().replace(" ", "")
                        declared[name] = declared.get(name, "") + style + ";"
        return cls(declared)

    def of(self, element: Element) -> str:
        """The style of an element, its own declarations last."""
        own = (element.get("style") or "").lower().replace(" ", "")
        if not self._declared:
            return own
        return "".join(self._declared.get(token, "") for token in classes_of(element).split()) + own


def _style_rules(sheet: str) -> Iterator[tuple[str, str]]:
    """The selectors and declarations of a style sheet; rules for print or a narrow screen alone are skipped."""
    pieces = _BRACE.split(sheet)
    selectors, depth = "", 0
    for text, brace in zip(pieces[::2], pieces[1::2], strict=False):  # nothing follows the last brace
        if brace == "{":
            depth += 1
            if depth == 1:
                selectors = text.rpartition(";")[2].strip()
        else:
            if depth == 1 and not selectors.startswith("@"):
                yield selectors, text
            depth = max(0, depth - 1)
