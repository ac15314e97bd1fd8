"""Pictures: a figure goes with its caption, a picture of a letter gives the letter, a drop initial begins its word."""

import re

from lxml import etree

from britannica_assets.wikisource.extraction.dom import (
    Element,
    Styles,
    classes_of,
    fold,
    has_words,
    remove,
    replace_with_text,
    words_of,
)

PICTURE_TAGS = frozenset(("img", "figure", "picture", "svg", "video", "audio", "canvas", "object", "map", "iframe"))
_PICTURE = "self::img or self::figure or self::svg or self::video or self::canvas or starts-with(@typeof, 'mw:File')"
has_picture = etree.XPath(f"boolean(.//*[({_PICTURE}) and not(ancestor-or-self::*[contains(@class, 'mwe-math')])])")
_NUMBERED = re.compile(
    r"\W{0,3}(?:fig|plate|pl|map|diagram|chart|plan)s?\.? ?(?:[\divxlc]{1,7}|[a-z])\b(?:[.,:]? ?[—–-]|[.,:]?$|\.)",
    re.IGNORECASE,
)
_CREDIT = re.compile(
    r"\W{0,3}(?:from|after|redrawn|photo|reproduced|copyright|by permission)\b.{0,200}$", re.IGNORECASE
)
_MAX_CAPTION = 250  # words, with the legend of the figure's letters
_MAX_BOX = 60  # words of a box around a picture that does not float: beyond, it is prose that holds a picture
_INLINE = frozenset(("span", "a", "b", "i", "em", "strong", "small", "big", "font", "center"))
_BLOCKS = frozenset(("p", "div", "center", "figure", "dl", "blockquote"))
_MAX_GLYPHS = 3  # characters of an `alt` that stands for letters


def is_caption(text: str) -> bool:
    """Whether a text in a box with a picture is its caption, or says where it is from."""
    return bool(_NUMBERED.match(text) or _CREDIT.match(text)) and len(text.split()) <= _MAX_CAPTION


def is_figure_box(element: Element, *, floats: bool, holds_prose: bool) -> bool:
    """Whether a box that holds a picture is a figure with its caption, and not prose that a picture stands in."""
    words = words_of(element)
    if floats or not words or is_caption(words):
        return len(words.split()) <= _MAX_CAPTION
    if holds_prose or not (element.get("class") or element.get("style") or element.tag == "center"):
        return False
    return len(words.split()) <= _MAX_BOX and not _begins_with_words(element)


def _begins_with_words(element: Element) -> bool:
    """Whether words stand before the first picture."""
    if fold(element.text or ""):
        return True
    for inner in element.iter():
        if inner is element:
            continue
        if inner.tag in PICTURE_TAGS:
            return False
        if fold(inner.text or ""):
            return True
        if fold(inner.tail or "") and not has_picture(inner):
            return True
    return False


def read_drop_initial(element: Element, styles: Styles) -> bool:
    """Replaces a box of a picture and hidden letters, before the rest of its word, by the letters."""
    if not (element.tail or "")[:1].isalpha():
        return False
    hidden = ""
    for inner in element.iter():
        if is_hidden(inner, styles.of(inner)):
            hidden = hidden or fold("".join(inner.itertext()))
    if fold("".join(element.itertext())) not in ("", hidden):
        return False
    alt = next((fold(image.get("alt") or "") for image in element.iter("img")), "")
    letters = alt if 0 < len(alt) <= _MAX_GLYPHS else hidden
    if not letters:
        return False
    replace_with_text(element, letters)
    return True


def begin_word(initial: Element, letters: str) -> None:
    """Puts the letters of a drop initial that is a block before the word that they begin, in the paragraph below."""
    below = initial.getnext()
    if initial.tag != "div":
        return
    if fold(initial.tail or "") or below is None or below.tag != "p":
        replace_with_text(initial, letters)
    else:
        below.text = letters + (below.text or "").lstrip()
        remove(initial)


def glyph_of(picture: Element) -> str | None:
    """The letters that a picture within a line stands for, by its `alt`; None for all other pictures."""
    image = picture if picture.tag == "img" else next(picture.iter("img"), None)
    alt = fold((image.get("alt") if image is not None else None) or "")
    if not alt or not is_in_line(picture):
        return None
    foreign = len(alt) <= 2 * _MAX_GLYPHS and " " not in alt and not alt.isascii()
    return alt if len(alt) <= _MAX_GLYPHS or foreign else None


def is_in_line(picture: Element) -> bool:
    """Whether words stand around a picture in the same paragraph."""
    holder = holder_of(picture)
    around = holder.getparent()
    return holder.tag not in _BLOCKS and around is not None and has_words(around)


def holder_of(picture: Element) -> Element:
    """The outermost element within the text that holds nothing but the picture."""
    here = picture
    while True:
        parent = here.getparent()
        if parent is None or "prp-pages-output" in classes_of(parent) or parent.tag in ("td", "th", "li", "dd", "body"):
            return here
        if len(parent) != 1 or has_words(parent):
            return here
        here = parent


def captions_of(picture: Element) -> list[Element]:
    """The elements outside any figure's box that hold the caption of a picture: its paragraph, or those below.

    Without a box, a paragraph is a caption where it is numbered as one ("Fig. 2.—"), or leads to one that is.
    """
    here = picture
    parent = here.getparent()
    while parent is not None and parent.tag in _INLINE:
        here, parent = parent, parent.getparent()
    if parent is not None and parent.tag == "p" and (words := words_of(parent)):
        return [parent] if _NUMBERED.match(words) and is_caption(words) else []
    captions: list[Element] = []
    numbered = 0
    for below in holder_of(picture).itersiblings("p", "div", "center", "span"):
        words = words_of(below)
        if not is_caption(words):
            break
        captions.append(below)
        numbered = len(captions) if _NUMBERED.match(words) else numbered
    return captions[:numbered]


def is_hidden(element: Element, style: str) -> bool:
    """Whether an element is not shown, or shown to screen readers alone."""
    if element.get("hidden") is not None:
        return True
    classes = classes_of(element)
    if classes and ("visualhide" in classes or "sr-only" in classes or "visually-hidden" in classes):
        return True
    return (
        bool(style)
        and any(
            declaration in style
            for declaration in ("display:none", "visibility:hidden", "opacity:0;", "font-size:0;", "clip:rect(")
        )
    ) or style.endswith(("opacity:0", "font-size:0"))
