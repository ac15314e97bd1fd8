"""The wiki's own words on a page: links to what is missing, notices of its editors, errors, contents, note marks."""

import re
from urllib.parse import parse_qs, unquote, urlsplit

from lxml import etree

from britannica_assets.wikisource.extraction.dom import Element, classes_of, fold, text_of

AUTHOR = "Author:"
# Pages about the wiki's work: no printed word links there.
_WORKING = re.compile(
    r"(?:Help|Wikisource|Project|WS|Template|Module|MediaWiki|Special|User|Media|Gadget)(?: talk)?:", re.IGNORECASE
)
_SCANS = re.compile(r"(?:Page|Index|File|Image|Template|Category)(?: talk)?:", re.IGNORECASE)
_MISSING = re.compile(r" \(page does not exist\)$")
_BOXES = frozenset(("div", "table", "aside", "section", "fieldset", "blockquote", "span", "td"))
_MAX_NOTICE = 500  # characters of a notice; a longer box is prose that links to the wiki by the way
_NOTE_TARGET = re.compile(r"cite|note|fn|foot", re.IGNORECASE)
_NOTE_WORDS = re.compile(r"[\[(]?(?:\d{1,3}|[*†‡§‖¶↑^]{1,3}|[a-z]|(?:note|fn\.?|n\.) ?\d{1,3})[\])]?", re.IGNORECASE)
_BRACKETED_MARK = re.compile(r"\[(?:\d{1,3}|[a-z*†‡]|(?:note|n\.) ?\d{1,3})\]", re.IGNORECASE)
_MOSTLY_LINKS = 0.9  # of the characters of a list of contents
_items = etree.XPath(".//li")
_links = etree.XPath(".//a[@href]")


def target_of(link: Element) -> str:
    """The title of the page that a link leads to, existing or not; empty for a link to no page of the wiki."""
    title = link.get("title") or ""
    href = link.get("href") or ""
    if not href:
        return _MISSING.sub("", title)
    address = urlsplit(href)
    if address.path.startswith("/wiki/"):
        return unquote(address.path.removeprefix("/wiki/")).replace("_", " ")
    named = parse_qs(address.query).get("title")
    if named:
        return named[0].replace("_", " ")
    return _MISSING.sub("", title) if not address.path and not address.fragment else ""


def author_of(link: Element) -> str | None:
    """The name of the author whose page a link leads to."""
    title = _MISSING.sub("", link.get("title") or "")
    if not title.startswith(AUTHOR):
        title = target_of(link)
    return title.removeprefix(AUTHOR).strip() if title.startswith(AUTHOR) else None


def message_of(link: Element) -> Element | None:
    """What to take out because of a link that no printed word has: the notice around it, or the link alone."""
    target, words = target_of(link), fold(text_of(link))
    if _WORKING.match(target):
        return _notice_around(link)
    missing = "new" in classes_of(link).split() or "redlink=1" in (link.get("href") or "")
    if missing and _SCANS.match(target):
        return link
    # A bare link shows the title of its page; one to the page itself has no address.
    if _SCANS.match(words) and (not link.get("href") or words.replace("_", " ").lower() == target.lower()):
        return link
    return None


def is_edit_link(link: Element) -> bool:
    """Whether a link opens an editor or another action on a page, and leads to no page that is still to be written."""
    query = parse_qs(urlsplit(link.get("href") or "").query)
    return bool(query.keys() & {"action", "veaction"}) and "redlink" not in query


def _notice_around(link: Element) -> Element:
    found = link
    here = link.getparent()
    while here is not None and "prp-pages-output" not in classes_of(here):
        if len(text_of(here)) > _MAX_NOTICE:
            break
        if here.tag in _BOXES and (here.get("class") or here.get("style") or here.tag == "table"):
            found = here
        here = here.getparent()
    return found


def take_brackets_around(link: Element) -> None:
    """Takes the square brackets that stand right before and after a link."""
    before, parent = link.getprevious(), link.getparent()
    text = (before.tail if before is not None else parent.text) or ""
    if not (text.rstrip().endswith("[") and (link.tail or "").lstrip().startswith("]")):
        return
    text = text.rstrip()[:-1]
    if before is not None:
        before.tail = text
    else:
        parent.text = text
    link.tail = (link.tail or "").lstrip()[1:]


def is_note_link(link: Element) -> bool:
    """Whether a link is the mark of a note or leads back from one."""
    words = fold(text_of(link))
    _, hash_sign, place = (link.get("href") or "").partition("#")
    if not hash_sign:
        return False
    return bool(_BRACKETED_MARK.fullmatch(words)) or bool(_NOTE_TARGET.search(place) and _NOTE_WORDS.fullmatch(words))


def is_contents_list(element: Element) -> bool:
    """Whether a list consists of links to places of its own page, or to subpages of an article."""
    items = _items(element)
    if len(items) < 2:
        return False
    links = _links(element)
    if not links or not all(_leads_to_a_part(link) for link in links):
        return False
    linked = sum(_size(link) for link in links)
    return linked >= _MOSTLY_LINKS * _size(element)


def _leads_to_a_part(link: Element) -> bool:
    if (link.get("href") or "").startswith("#"):
        return True
    work, _, article = target_of(link).partition("/")
    return "/" in article and not _SCANS.match(work)


def _size(element: Element) -> int:
    return sum(not character.isspace() for character in text_of(element))


def is_placeholder(paragraph: str) -> bool:
    """Whether a paragraph is what editors leave where a picture, table or formula is still to come."""
    return "should appear at this position in the text" in paragraph
