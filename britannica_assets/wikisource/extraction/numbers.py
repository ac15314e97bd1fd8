"""Fractions, exponents and note marks: what raised and lowered figures become in a line of text.

Printed forms are kept: `2½` where Unicode has the fraction, else `2 1⁄16` with the slash of the page (`/` for a bar);
`10⁶`, `x²`, `xⁿ` where Unicode has the superscripts, else `x^(2/3)`; `H2O` for a formula's figures.
"""

import re
from itertools import islice

from lxml import etree

from britannica_assets.wikisource.extraction.dom import (
    Element,
    classes_of,
    fold,
    remove,
    replace_with_text,
    text_before,
    text_of,
)

_VULGAR = {
    "1/2": "½", "1/3": "⅓", "2/3": "⅔", "1/4": "¼", "3/4": "¾", "1/5": "⅕", "2/5": "⅖", "3/5": "⅗", "4/5": "⅘",
    "1/6": "⅙", "5/6": "⅚", "1/7": "⅐", "1/8": "⅛", "3/8": "⅜", "5/8": "⅝", "7/8": "⅞", "1/9": "⅑", "1/10": "⅒",
}  # fmt: skip
_SUPERSCRIPTS = str.maketrans(
    "0123456789+-−–=()abcdefghijklmnoprstuvwxyz",
    "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁻⁼⁽⁾ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿᵒᵖʳˢᵗᵘᵛʷˣʸᶻ",
)
_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
SLASHES = frozenset("/⁄∕")
_INLINE = frozenset(("small", "span", "i", "b", "font", "big"))
_SLASH_THEN_NUMBER = re.compile(r"\s*([⁄/])\s*(\d{1,4})\b")
_IN_LINE = re.compile(r"(\d{1,4})\s*([⁄∕])\s*(\d{1,4})")
_MAX_ELEMENTS = 60  # of a stacked fraction
_FRACTION_CLASS = re.compile(r"(?:^|[\s_-])[a-z]?frac")
_NOTE_MARK = re.compile(r"[\[(]?(?:\d{1,3}|[*†‡§‖¶]{1,3}|[a-z]|(?:note|n\.) ?\d{1,3})[\])]?", re.IGNORECASE)
_SYMBOL_MARK = re.compile(r"[*†‡§‖¶#]{1,3}|\[.{1,8}\]")
_NOTE_TARGET = re.compile(r"#.*(?:cite|note|fn|ref|foot)", re.IGNORECASE)
_LAST_WORD = re.compile(r"([^\W\d_]{0,20})[.]?$")
_EXPONENT = re.compile(r"[+\-−–]?\d{1,4}(?:[.·]\d{1,4})?|[+\-−–]?[nxkpqmrs]|[^\s]*[+\-−–=/][^\s]*|\([^\s]*\)")
# After these a raised figure is an exponent, after other words of the text it is the mark of a note.
_BEFORE_EXPONENTS = frozenset(
    ("sin", "cos", "tan", "cot", "sec", "cosec", "csc", "sinh", "cosh", "tanh", "log", "exp", "vers", "dn", "sn", "cn")
) | {
    "cm",
    "mm",
    "km",
    "m",
    "ft",
    "in",
    "yd",
    "sq",
    "inch",
    "inches",
    "feet",
    "miles",
    "metres",
    "metre",
    "foot",
    "seconds",
}


def fraction(numerator: str, denominator: str, slash: str) -> str:
    """A fraction in one line; what is no plain number or word is put in brackets."""
    simple = f"{numerator}/{denominator}"
    if simple in _VULGAR:
        return _VULGAR[simple]
    parts = (part if re.fullmatch(r"[^\s+\-−=/()]+|\(.*\)", part) else f"({part})" for part in (numerator, denominator))
    return slash.join(parts)


def superscript(text: str) -> str:
    """A superscript: in Unicode's own characters where it has all of them, else after a caret.

    >>> superscript("-6"), superscript("2/3"), superscript("Q")
    ('⁻⁶', '^(2/3)', '^Q')
    """
    raised = text.translate(_SUPERSCRIPTS)
    if not any(kept == character for kept, character in zip(raised, text, strict=True)):
        return raised
    return f"^{text}" if len(text) == 1 else f"^({text.strip('()')})"


def read_fraction(element: Element) -> bool:
    """Replaces a fraction that begins with `element`, or is it, by its text; False where there is none."""
    raised = element.tag == "sup"
    element = _outermost(element)
    tail = (element.tail or "").strip()
    following = element.getnext()
    numerator = fold(text_of(element))
    if not numerator or len(numerator) > 40:
        return False
    if not tail and following is not None and following.tag == "span" and fold(text_of(following)) in SLASHES:
        slash, between, denominator = fold(text_of(following)), following, following.getnext()
        if denominator is not None and denominator.tag == "sub" and not (between.tail or "").strip():
            remove(between)
            _put_fraction(element, denominator, numerator, slash)
            return True
    if tail in SLASHES and following is not None:
        lowered = following.tag == "sub" or (following.tag in _INLINE and following.find(".//sub") is not None)
        if (raised and lowered) or (tail == "⁄" and numerator.isdigit() and fold(text_of(following)).isdigit()):
            element.tail = None
            _put_fraction(element, following, numerator, tail)
            return True
    if raised and numerator.isdecimal():
        plain = _SLASH_THEN_NUMBER.match(element.tail or "")
        # After a letter, x² / 2 is an exponent and a division.
        if plain and not text_before(element)[-1:].isalpha():
            element.tail = str(element.tail)[plain.end() :]
            _put(element, numerator, plain[2], plain[1])
            return True
    return False


def read_stacked_fraction(element: Element, style: str) -> bool:
    """Replaces an element that sets one part above another by a fraction with a bar; False for all others."""
    if in_line := _IN_LINE.fullmatch(fold(element.text or "")) if not len(element) else None:
        _put(element, in_line[1], in_line[3], in_line[2])
        return True
    named = bool(_FRACTION_CLASS.search(classes_of(element))) or element.get("role") == "math"
    if not named and "inline-block" not in style and "inline-table" not in style:
        return False
    if sum(1 for _ in islice(element.iterdescendants(), _MAX_ELEMENTS + 1)) > _MAX_ELEMENTS:
        return False
    parts = _stacked_parts(element, named=named)
    if parts is None:
        return False
    *whole, numerator, denominator, slash = parts
    if whole:
        number = etree.Element("span")
        number.text = whole[0]
        element.addprevious(number)
    _put(element, numerator, denominator, slash)
    return True


def _stacked_parts(element: Element, *, named: bool) -> list[str] | None:
    """The whole number, where there is one, numerator, denominator and slash of a stacked fraction; None for others.

    Where no class says that it is one (`named`), a line must be drawn between the two.
    """
    has_bar = any(map(_has_bar, element.iterdescendants()))
    lines = _lines(element)
    if len(lines) == 2 and all(lines) and (named or has_bar or element.find("u") is not None):
        return [*lines, "/"]
    parts = [text for child in element if (text := fold(text_of(child))) not in {"", "+", *SLASHES}]
    own = fold((element.text or "") + "".join(child.tail or "" for child in element))
    if len(parts) == 2 and own in {"", *SLASHES} and (named or has_bar):
        return [*parts, own or "/"]
    pieces = [piece for text in element.itertext() if (piece := fold(text)) not in {"", "+", *SLASHES}]
    slash = "⁄" if any(fold(text) == "⁄" for text in element.itertext()) else "/"
    return [*pieces, slash] if named and len(pieces) in (2, 3) else None


def read_superscript(element: Element) -> bool:
    """Replaces an exponent by Unicode's characters; a note's mark goes. False where the text stays as it is."""
    text = fold(text_of(element))
    before = text_before(element)
    if is_note_mark(element, text, before):
        remove(element)
        return True
    if text and before and _is_exponent(text, before):
        replace_with_text(element, superscript(text))
        return True
    return False


def read_subscript(element: Element) -> None:
    """Replaces a lowered figure after a figure by Unicode's subscript; all others stand in the line, as in H2O."""
    text = fold(text_of(element))
    if text.isdecimal() and text.isascii() and text_before(element)[-1:].isdecimal():
        replace_with_text(element, text.translate(_SUBSCRIPTS))


def is_note_mark(element: Element, text: str, before: str) -> bool:
    """Whether a raised element is the mark of a note and no exponent."""
    if _SYMBOL_MARK.fullmatch(text) or (element.get("id") or "").startswith(("cite_ref", "ref_", "fnref")):
        return True
    link = element if element.tag == "a" else next(element.iter("a"), None)
    if not _NOTE_MARK.fullmatch(text):
        return False
    if link is not None and _NOTE_TARGET.match(link.get("href") or ""):
        return True
    return bool(before) and text.strip("()[]").isdecimal() and _ends_a_word(before)


def _ends_a_word(before: str) -> bool:
    """Whether a word or a sentence ends here, and no unit, function or variable, which take exponents."""
    found = _LAST_WORD.search(before.rstrip("”’\"'"))
    word = found[1] if found else ""
    if word in _BEFORE_EXPONENTS or word.lower() in _BEFORE_EXPONENTS:
        return False
    return before[-1] in ".,;:!?”’" or (len(word) > 2 and word[1:].islower())


def _is_exponent(text: str, before: str) -> bool:
    word = _LAST_WORD.search(before)
    base = before.rstrip(".")[-1:] if word and word[1] in _BEFORE_EXPONENTS else before[-1]
    if not _EXPONENT.fullmatch(text):
        return False
    if text.isdecimal() or any(sign in text for sign in "+-−–=/(.·"):
        return base.isalnum() or base in ")]}′%"
    # A single raised letter: an exponent of a variable, while M^r, 5^m and 10^s are abbreviations.
    lone = not before[-2:-1].isalpha()
    if base.isdecimal():
        return text in "nx"
    return base in ")]}" or (lone and base.islower())


def _outermost(element: Element) -> Element:
    """The outermost element of a line's level that holds a raised or lowered one and nothing else."""
    parent = element.getparent()
    while (
        parent is not None
        and parent.tag in _INLINE
        and len(parent) == 1
        and not fold(parent.text or "")
        and not fold(element.tail or "")
    ):
        element, parent = parent, parent.getparent()
    return element


def _lines(element: Element) -> list[str]:
    """The lines into which the line breaks right below an element cut its text."""
    lines = [element.text or ""]
    for child in element:
        if child.tag == "br":
            lines.append("")
        lines[-1] += text_of(child) + (child.tail or "")
    return [fold(line) for line in lines]


def _has_bar(element: Element) -> bool:
    style = (element.get("style") or "").lower()
    return "border-bottom" in style or "border-top" in style or "underline" in style or "overline" in style


def _put_fraction(element: Element, denominator: Element, numerator: str, slash: str) -> None:
    below = fold(text_of(denominator))
    remove(denominator)
    _put(element, numerator, below, slash)


def _put(element: Element, numerator: str, denominator: str, slash: str) -> None:
    text = fraction(numerator, denominator, slash)
    before = text_before(element)[-1:]
    if before.isalnum() and not (before.isdecimal() and len(text) == 1):
        text = f" {text}"
    if text[-1].isdecimal() and (element.tail or "")[:1].isalnum():
        text = f"{text} "
    replace_with_text(element, text)
