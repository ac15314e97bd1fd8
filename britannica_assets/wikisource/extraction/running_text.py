"""The rules that leave of a page's elements the running text alone, each element visited once, the outer one first.

A rule goes by structure where there is one (a float that holds a picture is a figure, a gap is an empty box with a
width), and by a class where MediaWiki or a template gives one and nothing else tells.
"""

import re
from collections.abc import Callable

from lxml import etree

from britannica_assets.wikisource.extraction.boxes import EXAMPLE_LENGTH, Box, box_of
from britannica_assets.wikisource.extraction.class_rules import (
    class_rule,
    float_side,
    holds_prose,
    is_gap,
    is_known_box,
    is_line,
    is_outside,
    is_verse,
    separate_lines,
)
from britannica_assets.wikisource.extraction.dom import (
    AUTHOR_BEGIN,
    AUTHOR_END,
    AUTHOR_NAME_END,
    FLOAT_BEGIN,
    FLOAT_END,
    FORMULA,
    Element,
    Styles,
    classes_of,
    fold,
    remove,
    replace_with_text,
    text_of,
    words_of,
    wrap_text,
)
from britannica_assets.wikisource.extraction.figures import (
    PICTURE_TAGS,
    begin_word,
    captions_of,
    glyph_of,
    has_picture,
    is_figure_box,
    is_hidden,
    read_drop_initial,
)
from britannica_assets.wikisource.extraction.formulas import formula_text, is_formula
from britannica_assets.wikisource.extraction.numbers import (
    read_fraction,
    read_stacked_fraction,
    read_subscript,
    read_superscript,
)
from britannica_assets.wikisource.extraction.signatures import is_signature
from britannica_assets.wikisource.extraction.tables import LAYOUT, table_kind
from britannica_assets.wikisource.extraction.wiki_messages import (
    author_of,
    is_contents_list,
    is_edit_link,
    is_note_link,
    message_of,
    take_brackets_around,
)

# Elements that a rule may apply to: all but plain markup without attributes.
_CANDIDATES = etree.XPath(".//*[@* or not(self::i or self::p or self::b or self::br or self::em or self::small)]")
_has_image = etree.XPath("boolean(.//img)")
_NEVER_TEXT = frozenset(("style", "script", "link", "meta", "noscript", "template", "hr", "rt", "rp"))
_BOXES = frozenset(("div", "span", "center", "dl", "p", "section", "aside", "blockquote", "td", "ins"))

_MARGINAL_STYLE = re.compile(r"(?:^|;)(?:width|max-width|clear|font-size:(?:[5-9]\d%|0?\.\d|small|x-small))")
_NUMBER_ONLY = re.compile(r"[(\[]?\d{1,4}[a-z]?[)\]]?\.?")
_NOTES_HEADING = re.compile(r"(?:foot|end)?notes?|references", re.IGNORECASE)
_MAX_MARGINAL = 25  # words of a heading in the margin


class RunningText:
    """Applies the rules to the transcluded text of one page and notes what they dropped or did not know.

    `boxes` holds these notes, `formulas_read` and `formulas_dropped` count the formulas.
    """

    def __init__(self, styles: Styles) -> None:
        self.boxes: list[Box] = []
        self.formulas_read = 0
        self.formulas_dropped = 0
        self._styles = styles
        self._dropped: set[Element] = set()
        self._pictures = False
        self._by_tag: dict[str, Callable[[Element], None]] = {
            "a": self._link,
            "sup": self._superscript,
            "sub": read_subscript,
            "math": self._formula,
            "ul": self._list,
            "ol": self._list,
            "h2": self._heading,
            "h3": self._heading,
            "h4": self._heading,
        }

    def reduce(self, body: Element) -> None:
        """Changes the tree below `body` until its text is the running text, with marks for what is decided later."""
        self._pictures = has_picture(body)
        for element in _CANDIDATES(body):
            if element in self._dropped:
                continue
            if element.tag in _NEVER_TEXT:
                self._take_out(element)
            elif element.getparent() is not None:
                self._visit(element)

    def _visit(self, element: Element) -> None:
        classes, style, tag = classes_of(element), self._styles.of(element), element.tag
        if is_verse(classes):
            separate_lines(element)
        if "pagenum" in classes:
            self._take_out(element)
        elif is_formula(element, classes):
            self._formula(element)
        elif (
            self._pictures
            and tag in ("span", "div")
            and has_picture(element)
            and read_drop_initial(element, self._styles)
        ):
            self._forget_below(element)
        elif rule := class_rule(element, classes):
            self._drop(element, rule)
        elif is_hidden(element, style):
            self._take_out(element)
        elif tag in PICTURE_TAGS or (element.get("typeof") or "").startswith("mw:"):
            self._picture(element)
        elif tag == "table":
            self._table(element, bool(float_side(element, classes, style)))
        elif tag in self._by_tag:
            self._by_tag[tag](element)
        elif tag in _BOXES:
            self._box(element, classes, style)

    def _box(self, element: Element, classes: str, style: str) -> None:
        floats = float_side(element, classes, style)
        if self._figure(element, bool(floats)):
            return
        if read_stacked_fraction(element, style):
            self._forget_below(element)
        elif element.tag == "span" and is_gap(classes, style) and _is_empty(element):
            replace_with_text(element, " ")
        elif floats:
            self._float(element, floats, style)
        elif is_outside(style) and len(words_of(element).split()) <= _MAX_MARGINAL:
            self._drop(element, "marginal heading")
        elif element.tag == "span" and "vertical-align:super" in style:
            self._superscript(element)
        elif element.tag == "span" and "vertical-align:sub" in style:
            read_subscript(element)
        elif element.tag == "span":
            if not read_fraction(element) and is_line(classes, style):
                element.tail = " " + (element.tail or "")
        elif classes and not is_known_box(classes) and element.tag not in ("p", "td"):
            self._note(element, None)

    def _figure(self, element: Element, floats: bool) -> bool:
        if not self._pictures or not has_picture(element) or (element.tag in ("p", "td") and not floats):
            return False
        if element.tag == "span" and not floats and "inline-block" not in self._styles.of(element):
            return False
        if not is_figure_box(element, floats=floats, holds_prose=holds_prose(classes_of(element))):
            return False
        self._drop(element, "figure")
        return True

    def _float(self, element: Element, side: str, style: str) -> None:
        """A float without a picture: a drop initial, a signature, a marginal heading, a number, or printed words."""
        words = words_of(element)
        letters = words.strip("“‘\"'")
        if letters.isalpha() and (len(letters) == 1 or (len(letters) <= 3 and (element.tail or "")[:1].isalpha())):
            begin_word(element, words)
            return
        if _NUMBER_ONLY.fullmatch(words):
            self._drop(element, "number in a float")
            return
        signs = is_signature(words, at_end=True) or any(author_of(link) for link in element.iter("a"))
        in_margin = element.tag == "span" or not any(inner.tag in ("p", "table") for inner in element.iterdescendants())
        if (
            not signs
            and in_margin
            and len(words.split()) <= _MAX_MARGINAL
            and (side == "left" or _MARGINAL_STYLE.search(style))
        ):
            self._drop(element, "marginal heading")
            return
        if not signs:
            self._note(element, None)
        wrap_text(element, FLOAT_BEGIN, FLOAT_END)

    def _picture(self, picture: Element) -> None:
        if "error" in (picture.get("typeof") or "").lower():
            self._drop(picture, "error of the wiki")
            return
        if picture.tag not in PICTURE_TAGS and not has_picture(picture):
            return
        glyph = glyph_of(picture)
        if glyph is not None:
            replace_with_text(picture, glyph)
            self._forget_below(picture)
            return
        captions = captions_of(picture)
        self._drop(picture, "figure")
        for caption in captions:
            self._drop(caption, "figure")

    def _link(self, link: Element) -> None:
        name = author_of(link)
        if name is not None:
            wrap_text(link, f"{AUTHOR_BEGIN}{name}{AUTHOR_NAME_END}", AUTHOR_END)
            return
        message = message_of(link)
        if is_edit_link(link):
            take_brackets_around(link)
            self._drop(link, "words of the wiki")
        elif message is not None:
            self._drop(message, "words of the wiki")
        elif is_note_link(link):
            self._drop(link, "note")
        else:
            read_fraction(link)

    def _superscript(self, element: Element) -> None:
        if read_fraction(element) or read_superscript(element):
            self._forget_below(element)

    def _table(self, table: Element, floats: bool) -> None:
        if floats and self._figure(table, True):
            return
        if is_signature(words_of(table), at_end=True):
            return
        kind = table_kind(table)
        if kind != LAYOUT:
            self._drop(table, kind)

    def _formula(self, element: Element) -> None:
        text = formula_text(element)
        self._forget_below(element)
        if text is None:
            self.formulas_dropped += 1
            self.boxes.append(
                Box(
                    "formula, with its sentence",
                    str(element.tag),
                    element.get("class") or "",
                    words_of(element)[:EXAMPLE_LENGTH],
                )
            )
        else:
            self.formulas_read += 1
        replace_with_text(element, FORMULA if text is None else text)

    def _list(self, element: Element) -> None:
        if is_contents_list(element):
            self._drop(element, "contents")

    def _heading(self, heading: Element) -> None:
        if _NOTES_HEADING.fullmatch(fold(text_of(heading))):
            self._drop(heading, "note")

    def _note(self, element: Element, rule: str | None) -> None:
        box = box_of(element, rule)
        if box is not None:
            self.boxes.append(box)

    def _drop(self, element: Element, rule: str) -> None:
        self._note(element, rule)
        self._take_out(element)

    def _take_out(self, element: Element) -> None:
        self._forget_below(element)
        remove(element)

    def _forget_below(self, element: Element) -> None:
        """The elements below one that is decided are visited no more."""
        if len(element):
            self._dropped.update(_CANDIDATES(element))
        self._dropped.add(element)


def _is_empty(element: Element) -> bool:
    return not fold(text_of(element)) and not _has_image(element)
