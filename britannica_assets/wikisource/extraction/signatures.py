"""Who signed an article: the initials in brackets at the end of a section, and the authors' pages they link to.

Paragraphs come with marks where a float stood and where an author's page is linked (see `dom.py`). Each text is cut
into tokens once and each token is compared with patterns of bounded length, so that reading is linear in its length.
"""

import re
from dataclasses import dataclass, field

from britannica_assets.wikisource.extraction.dom import (
    AUTHOR_BEGIN,
    AUTHOR_END,
    AUTHOR_NAME_END,
    FLOAT_BEGIN,
    FLOAT_END,
    MARKS,
    without,
)

MAX_LENGTH = 160  # characters of a signature
_FLOAT = re.compile(f"{FLOAT_BEGIN}([^{FLOAT_BEGIN}{FLOAT_END}]*){FLOAT_END}")
_LINK = re.compile(
    f"{AUTHOR_BEGIN}([^{AUTHOR_BEGIN}{AUTHOR_NAME_END}]*){AUTHOR_NAME_END}([^{AUTHOR_BEGIN}{AUTHOR_END}]*){AUTHOR_END}"
)
_GROUP = re.compile(r"[(\[]([^()\[\]]*)[)\]]")
_TOKEN = re.compile(r"[^\s;,&()\[\].]+\.?|\.")
_INITIAL = re.compile(
    r"-?(?:[A-ZÀ-ÞŒ][a-zà-ÿœ’']{0,3}|[A-ZÀ-Þ][’'‘][A-ZÀ-Þ][a-z]{0,3}|(?:Mac|M[c‘’'])[A-Z]?[a-z]{0,3}"
    r"|[A-ZÀ-Þ][a-z]{0,2}-[A-ZÀ-Þ][a-z]{0,3})\."
)
_UNDOTTED = re.compile(r"[A-ZÀ-Þ][a-z]?")  # an initial whose full stop was forgotten
_PARTICLE_WORDS = (
    "von van der den ter ten zu zur de du des la le les da di del della d’ d' of and v. d. - ."
    " St St. Ste Mc Mac M‘ Lord Lady Sir Baron Count Prince"
)
_PARTICLES = frozenset(_PARTICLE_WORDS.split())
_TITLES = ("Lord ", "Lady ", "Sir ", "Baron ", "Count ", "Prince ")
_ROMAN = re.compile(r"[IVXLC]{1,4}\.")
_SEPARATOR = re.compile(r"[;&]|,(?!\*)| and ")
_AROUND = " \t()[]"


@dataclass
class Signatures:
    """Initials and authors in the order in which they sign."""

    initials: list[str] = field(default_factory=list)
    authors: list[str] = field(default_factory=list)

    def add(self, text: str) -> None:
        """Adds what a signature's text holds; a name that has signed before is not repeated."""
        plain = _plain(text)
        plain = plain.removesuffix(".") if plain.endswith((").", "].")) else plain
        groups = _GROUP.findall(plain)
        for initials in _SEPARATOR.split("; ".join(groups) if len(groups) > 1 else plain.strip(_AROUND)):
            if initials.strip() and initials.strip() not in self.initials:
                self.initials.append(initials.strip())
        for name, _ in _LINK.findall(text):
            if name and name not in self.authors:
                self.authors.append(name)


def take_signatures(paragraphs: list[str]) -> tuple[list[str], Signatures]:
    """The paragraphs without their signatures and marks, and the signatures."""
    signatures = Signatures()
    kept: list[str] = []
    for number, whole in enumerate(paragraphs):
        at_end = number == len(paragraphs) - 1
        paragraph = _take_floats(whole, signatures) if FLOAT_BEGIN in whole else whole
        if is_signature(paragraph, at_end=at_end):
            signatures.add(paragraph)
            continue
        if any(mark in whole for mark in MARKS):
            paragraph = _plain(_take_trailing(paragraph, signatures) if AUTHOR_BEGIN in paragraph else paragraph)
        if paragraph:
            kept.append(paragraph)
    # Below the last signature another may stand, such as a second author's: then the one before was not the last.
    while kept and is_signature(kept[-1], at_end=True):
        signatures.add(kept.pop())
    return kept, signatures


def is_signature(text: str, *, at_end: bool = False) -> bool:
    """Whether a text is nothing but a signature: initials in brackets, or links to authors' pages.

    A lone Roman numeral in brackets counts at the end of the article alone; elsewhere it numbers a section.
    """
    if AUTHOR_BEGIN not in text and len(text) > MAX_LENGTH:
        return False
    plain = _plain(text)
    if not plain or len(plain) > MAX_LENGTH:
        return False
    bracketed = plain[0] in "([" and plain.rstrip(".")[-1:] in (")", "]")
    links = _LINK.findall(text)
    # A name in full is that of somebody quoted.
    signs = bool(links) and all("." in words or words.strip(_AROUND).startswith(_TITLES) for _, words in links)
    outside = _plain(_LINK.sub("", text)).strip(" ()[];,.&*").removeprefix("and")
    if signs and bracketed and not outside:
        return True
    tokens = _TOKEN.findall(plain.replace("*", ""))
    if not _are_initials(tokens):
        return False
    if len(tokens) == 1 and not links and _ROMAN.fullmatch(tokens[0]) and not at_end:
        return False
    return bracketed or (signs and not outside)


def _take_floats(paragraph: str, signatures: Signatures) -> str:
    """Takes the floats that are signatures; printed words in other floats stay, apart from what stands around them."""

    def keep(match: "re.Match[str]") -> str:
        if is_signature(match[1], at_end=True):
            signatures.add(match[1])
            return " "
        return f" {match[1]} "

    return _FLOAT.sub(keep, paragraph)


def _take_trailing(paragraph: str, signatures: Signatures) -> str:
    """Takes a signature that stands, without a float, in brackets at the end of a paragraph."""
    link = max(paragraph.rfind(AUTHOR_BEGIN), 0)  # nothing stands before a link that is not there
    begin = max(paragraph.rfind("(", 0, link), paragraph.rfind("[", 0, link))
    trailing = paragraph[begin:] if begin > 0 else ""
    names = [words for _, words in _LINK.findall(trailing)]
    if (
        trailing
        and is_signature(trailing, at_end=True)
        and all(_are_initials(_TOKEN.findall(_plain(words).replace("*", ""))) for words in names)
    ):
        signatures.add(trailing)
        return paragraph[:begin]
    return paragraph


def _are_initials(tokens: list[str]) -> bool:
    """Whether all tokens may stand in a signature, and one of them is an initial."""
    return any(_INITIAL.fullmatch(token) for token in tokens) and all(
        token in _PARTICLES or _INITIAL.fullmatch(token) or _UNDOTTED.fullmatch(token) for token in tokens
    )


def _plain(text: str) -> str:
    """The text without marks and authors' page names, its spaces folded."""
    linked = _LINK.sub(r"\2", text) if AUTHOR_BEGIN in text else text
    return " ".join(without(linked, MARKS).split())
