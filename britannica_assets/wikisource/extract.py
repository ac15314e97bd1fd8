"""An article's page → its running text, the printed pages it stands on, and who signed it.

All selectors are here, with the markup that they answer to; the rest of the package knows nothing of HTML.
"""

import re
from dataclasses import dataclass

from lxml import etree
from parsel import Selector

# The text transcluded from the scan's pages, without Wikisource's own header and list of notes.
TRANSCLUDED_TEXT = etree.XPath("//*[contains(concat(' ', normalize-space(@class), ' '), ' prp-pages-output ')]")

# What stands within it and is no running text, found in one pass over the elements.
EXCLUDED = etree.XPath(
    ".//comment() | .//*["
    + " or ".join(
        (
            "self::style",
            "self::script",
            "self::link",
            # Tables, and formulas and plates set as tables; verse set in a table is text.
            "self::table[not(.//*[contains(@class, 'poem')])]",
            "self::figure",  # pictures with their captions
            "self::img",
            "self::math",
            "self::hr",
            "self::h2[@id='Notes']",
            "self::sup[contains(@class, 'reference')]",  # the marks of notes
            "self::ol[contains(@class, 'references')]",  # the notes themselves
            "@class[contains(., 'reflist')"
            " or contains(., 'ws-noexport')"  # headers and hidden data
            " or contains(., 'pagenum')"  # page numbers around a zero-width space
            " or contains(., 'sidenote')"  # marginal headings in mid-sentence
            " or contains(., 'thumb') or contains(., 'tright') or contains(., 'tleft')"
            " or contains(., 'mwe-math') or contains(., 'mw-editsection')]",
            "@style[contains(translate(., ' ', ''), 'display:none')]",
        )
    )
    + "]"
)
PAGE_NUMBER = etree.XPath(".//*[@data-page-number]")
SCAN_VOLUME = re.compile(r"Page:EB1911 - Volume (\d\d)\.djvu/")  # a title, as in data-page-name

BLOCKS = frozenset(
    ("address", "article", "aside", "blockquote", "center", "dd", "div", "dl", "dt", "fieldset", "h1", "h2")
)
BLOCKS |= {"h3", "h4", "h5", "h6", "footer", "header", "li", "main", "nav", "ol", "p", "pre", "section", "ul"}
INVISIBLE = re.compile("[\u200b-\u200f\u2060-\u2064\ufeff\u00ad]")
SPACES = re.compile(r"[ \t\n\r\f\u00a0]+")
# "(A. M. B.)", "(E. L.*)", "(W. D’A.; R. Qu.)": a bracket alone that holds nothing but initials.
SIGNATURE = re.compile(r"\((?:\s*(?:[A-ZÀ-Þ][\w’']{0,3}\.-?|[A-Z][’'][A-Z]\.)\*?\s*[;,&]?\s*)+\)\.?")
# What MediaWiki writes anew at each rendering of the same page: its scripts' request identifiers, its parser's report.
RENDERING_NOISE = r"(?s)<!--.*?-->|<script.*?</script>"
PARAGRAPH_SEPARATOR = "\x1e"  # between paragraphs while the text is collected; no page holds it
AUTHOR_LINK = re.compile("\x1d([^\x1d]*)\x1d")  # an author's page, before the words that link to it


@dataclass(frozen=True)
class ArticleText:
    """An article's text, a paragraph a line, and what the page tells beside it. Unknown values are None."""

    text: str
    first_page: str | None
    last_page: str | None
    quality: int | None
    contributor_initials: str | None
    contributor: str | None
    scan_volumes: frozenset[int] = frozenset()  # the volumes whose scans the text is transcluded from
    reason: str | None = None


def extract_article(page: str) -> ArticleText:
    """Reads an article's page; an article without text says why in `reason`."""
    return _extract(Selector(text=page).root)


def _extract(document: etree._Element) -> ArticleText:
    bodies = TRANSCLUDED_TEXT(document)
    if not bodies:
        return ArticleText(
            "", None, None, None, None, None, reason="the page transcludes no scan (no prp-pages-output)"
        )
    numbers, qualities = [], []
    scan_volumes: set[int] = set()
    pieces: list[str] = []
    for body in bodies:
        for number in PAGE_NUMBER(body):
            numbers.append(number.get("data-page-number"))
            if scan := SCAN_VOLUME.match(number.get("data-page-name") or ""):
                scan_volumes.add(int(scan[1]))
            if (number.get("data-page-quality") or "").isdigit():
                qualities.append(int(number.get("data-page-quality")))
        for element in EXCLUDED(body):
            _remove(element)
        _collect_text(body, pieces)
        pieces.append(PARAGRAPH_SEPARATOR)
    paragraphs = [
        paragraph
        for raw in "".join(pieces).split(PARAGRAPH_SEPARATOR)
        if (paragraph := SPACES.sub(" ", INVISIBLE.sub("", raw)).strip())
    ]
    initials: str | None = None
    authors: list[str] = []
    while paragraphs and SIGNATURE.fullmatch(AUTHOR_LINK.sub("", paragraphs[-1])):
        signed = paragraphs.pop()
        authors = AUTHOR_LINK.findall(signed) + authors
        signature = AUTHOR_LINK.sub("", signed).removesuffix(".").removeprefix("(").removesuffix(")").strip()
        initials = signature if initials is None else f"{signature} {initials}"
    # An author's page linked from the article itself is somebody it tells of, not who signed it.
    paragraphs = [
        paragraph
        for raw in paragraphs
        if (paragraph := SPACES.sub(" ", AUTHOR_LINK.sub("", raw)).strip() if "\x1d" in raw else raw)
    ]
    reason = None if paragraphs else "the text is empty without notes, tables and plates"
    return ArticleText(
        text="\n".join(paragraphs),
        first_page=numbers[0] if numbers else None,
        last_page=numbers[-1] if numbers else None,
        quality=min(qualities) if qualities else None,
        contributor_initials=initials,
        contributor="; ".join(dict.fromkeys(authors)) or None,
        scan_volumes=frozenset(scan_volumes),
        reason=reason,
    )


def _remove(element: etree._Element) -> None:
    """Takes an element out and leaves its tail, so that the words around it stay as they were."""
    parent = element.getparent()
    if parent is None:
        return
    if element.tail:
        before = element.getprevious()
        if before is not None:
            before.tail = (before.tail or "") + element.tail
        else:
            parent.text = (parent.text or "") + element.tail
    parent.remove(element)


def _collect_text(element: etree._Element, pieces: list[str]) -> None:
    """Appends the text below `element`; blocks begin and end paragraphs, nothing else adds or takes a space."""
    if not isinstance(element.tag, str):
        return
    if element.tag == "br":
        pieces.append(" ")
        return
    block = element.tag in BLOCKS
    if block:
        pieces.append(PARAGRAPH_SEPARATOR)
    title = element.get("title") or ""
    if element.tag == "a" and title.startswith("Author:"):
        pieces.append(f"\x1d{title.removeprefix('Author:')}\x1d")
    if element.text:
        pieces.append(element.text)
    for child in element:
        _collect_text(child, pieces)
        if child.tail:
            pieces.append(child.tail)
    if block:
        pieces.append(PARAGRAPH_SEPARATOR)
