"""The part pages `1911 Encyclopædia Britannica/Vol V:P`: which there are of a volume, and what they list."""

import logging
import re
from collections.abc import Iterator
from urllib.parse import unquote, urlsplit

from parsel import Selector

from britannica_assets.wikisource.client import Client, PageMissingError, WikiError

logger = logging.getLogger(__name__)

ROOT = "1911 Encyclopædia Britannica"
PART_PAGE = re.compile(rf"{ROOT}/Vol (\d{{1,2}}):(\d{{1,3}})$")
# Part pages, title pages and what stands before the first article: subpages of the work, and no articles.
NO_ARTICLE = re.compile(r"(?:Vol(?:ume)?\.? \d+(?:[: /]|$)|Front[ -]?matter|Half-?title|Title[ -]page)", re.IGNORECASE)
_LINKS = (
    "//div[contains(@class, 'mw-parser-output')]//a[@href][not(contains(concat(' ', @class, ' '), ' new '))]"
    # Not of a header, a footer or a notice; the classes of <html> and <body> name headers, too.
    "[not(ancestor::*[ancestor::div[contains(@class, 'mw-parser-output')]][contains(@class, 'noexport')"
    " or contains(@class, 'header') or contains(@class, 'noprint') or contains(@class, 'footer')"
    " or contains(@class, 'licen') or contains(@class, 'navbox') or @id='toc' or @role='navigation'])]/@href"
)


def read_part_pages(client: Client, volume: int) -> list[tuple[int, str]]:
    """The (part, title) that a volume's part pages list, in order; costs one request, and one a part.

    Raises:
        WikiError: there is no part page, one is missing before a later one, or one lists no article.
    """
    prefix = f"{ROOT}/Vol {volume}:"
    parts: set[int] = set()
    for answer in client.query_all(list="allpages", apprefix=prefix, apnamespace="0", aplimit="max"):
        existing = answer.get("query", {}).get("allpages", [])
        parts |= {int(named[2]) for page in existing if (named := PART_PAGE.match(page["title"]))}
    if 1 not in parts:
        raise WikiError(
            f"volume {volume} has no part 1 ({client.page_url(f'{prefix}1')} does not exist). Is this wiki's volume"
            f" {volume} there, and BRITANNICA_WIKI_URL right?"
        )
    listed: list[tuple[int, str]] = []
    for part in range(1, max(parts) + 1):
        title = f"{prefix}{part}"
        try:
            page = client.page(title)
        except PageMissingError as error:
            raise WikiError(
                f"part {part} of volume {volume} is missing, and there is a part {max(parts)}: {error}. Its articles"
                " would be lost: see what became of the page on the wiki, and materialize again when it is back"
            ) from error
        titles = article_links(page)
        if not titles:
            raise WikiError(f"{client.page_url(title)} lists no article")
        listed += [(part, title) for title in titles]
        logger.info("volume %d, part %d: %d links", volume, part, len(titles))
    return listed


def article_links(page: str) -> list[str]:
    """The titles, without the root, that a part page links to as articles, in order, each once."""
    return list(dict.fromkeys(title for title in page_links(page) if not NO_ARTICLE.match(title)))


def subpage_links(page: str, title: str) -> list[str]:
    """The subpages of the article `title` that its page links to, without the root, in order, each once."""
    return list(dict.fromkeys(link for link in page_links(page) if link.startswith(f"{title}/")))


def page_links(page: str) -> Iterator[str]:
    """The titles, without the root, of the work's pages that a page links to."""
    for link in Selector(text=page).xpath(_LINKS).getall():
        address = urlsplit(link)
        if address.netloc or not address.path.startswith("/wiki/") or "redlink=1" in address.query:
            continue
        title = unquote(address.path.removeprefix("/wiki/")).replace("_", " ").strip()
        if title.startswith(f"{ROOT}/"):
            yield title.removeprefix(f"{ROOT}/")
