"""An article's page → its running text, the printed pages it stands on, and who signed it."""

import re
from dataclasses import dataclass
from urllib.parse import unquote

from lxml import etree
from lxml.html import HTMLParser

from britannica_assets.wikisource.extraction.boxes import Box
from britannica_assets.wikisource.extraction.dom import (
    FORMULA,
    MARKS,
    PARAGRAPH_BREAK,
    Element,
    Styles,
    fold,
    text_of,
    without,
    wrap_text,
)
from britannica_assets.wikisource.extraction.running_text import RunningText
from britannica_assets.wikisource.extraction.sentences import without_sentences_of
from britannica_assets.wikisource.extraction.signatures import take_signatures
from britannica_assets.wikisource.extraction.wiki_messages import is_placeholder

# The text transcluded from the scan's pages, without Wikisource's own header and list of notes.
_transcluded = etree.XPath("//*[contains(@class, 'prp-pages-output')]")
_page_numbers = etree.XPath(".//*[@data-page-number]")
_BLOCK_TAGS = (
    "address article aside blockquote caption center dd div dl dt fieldset figcaption footer h1 h2 h3 h4 h5 h6 header"
    " li main nav ol p pre section table td th tr ul"
)
_SCAN_VOLUME = re.compile(r"Page:EB1911 - Volume (\d\d)\.djvu/")
# What MediaWiki writes anew at each rendering of the same page: its scripts' request identifiers, its parser's report.
RENDERING_NOISE = r"(?s)<!--.*?-->|<script.*?</script>"
_parser = HTMLParser(encoding="utf-8", huge_tree=True, remove_comments=True, remove_pis=True)


@dataclass(frozen=True)
class ArticleText:
    """An article's text, a paragraph a line, and what the page tells of it. Unknown values are None."""

    text: str
    first_page: str | None = None
    last_page: str | None = None
    quality: int | None = None
    contributor_initials: str | None = None
    contributor: str | None = None
    scan_volumes: frozenset[int] = frozenset()  # the volumes whose scans the text is transcluded from
    boxes: tuple[Box, ...] = ()  # what was dropped, and what no rule knew
    formulas_read: int = 0
    formulas_dropped: int = 0
    reason: str | None = None


def scan_volume(title: str) -> int | None:
    """The volume whose scan a page belongs to, by its title in any of MediaWiki's spellings."""
    named = _SCAN_VOLUME.match(unquote(title).replace("_", " "))
    return int(named[1]) if named else None


def extract_article(page: str) -> ArticleText:
    """Reads an article's page; an article without text says why in `reason`."""
    document: Element = etree.fromstring(without(page, MARKS + FORMULA + "\0").strip().encode() or b"<html/>", _parser)
    found = _transcluded(document)
    bodies = [body for body in found if not any(other in found for other in body.iterancestors())]
    if not bodies:
        return ArticleText("", reason="the page transcludes no scan (no prp-pages-output)")
    numbers: list[str] = []
    qualities: list[int] = []
    volumes: set[int] = set()
    reader = RunningText(Styles.of_page(document))
    paragraphs: list[str] = []
    for body in bodies:
        for number in _page_numbers(body):
            numbers.append(number.get("data-page-number"))
            if volume := scan_volume(number.get("data-page-name") or ""):
                volumes.add(volume)
            if (number.get("data-page-quality") or "").isdigit():
                qualities.append(int(number.get("data-page-quality")))
        reader.reduce(body)
        paragraphs += _paragraphs(body)
    paragraphs, signatures = take_signatures(paragraphs)
    if reader.formulas_dropped:
        paragraphs = without_sentences_of(paragraphs, FORMULA)
    return ArticleText(
        text="\n".join(paragraphs),
        first_page=numbers[0] if numbers else None,
        last_page=numbers[-1] if numbers else None,
        quality=min(qualities) if qualities else None,
        contributor_initials="; ".join(signatures.initials) or None,
        contributor="; ".join(signatures.authors) or None,
        scan_volumes=frozenset(volumes),
        boxes=tuple(reader.boxes),
        formulas_read=reader.formulas_read,
        formulas_dropped=reader.formulas_dropped,
        reason=None if paragraphs else "the text is empty without notes, tables and plates",
    )


def _paragraphs(body: Element) -> list[str]:
    """The paragraphs of a reduced body; blocks begin and end them, a line break is a space."""
    for line_break in body.iter("br"):
        line_break.tail = " " + (line_break.tail or "")
    for block in body.iterdescendants(*_BLOCK_TAGS.split()):
        wrap_text(block, PARAGRAPH_BREAK, PARAGRAPH_BREAK)
    paragraphs = map(fold, text_of(body).split(PARAGRAPH_BREAK))
    return [paragraph for paragraph in paragraphs if paragraph and not is_placeholder(paragraph)]
