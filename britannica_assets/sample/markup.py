"""The sample's pages in the markup of English Wikisource: articles transcluded from scan pages, and lists by part.

Each page exists in two forms: wikitext, which a real MediaWiki renders, and the HTML of its content, which the sample
wiki serves. What the two must share (header, page numbers, notes, marginal headings, tables) is written once, as HTML.
"""

import html
import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from britannica_assets.sample.encyclopedia import SampleArticle

ROOT = "1911 Encyclopædia Britannica"
STYLE = (
    '<style data-mw-deduplicate="TemplateStyles:r1911">.mw-parser-output .wst-header-title{font-weight:bold}</style>'
)
SCAN_OFFSET = 18  # leaves of the scan before page 1
_BREAK = "\x1f"


@dataclass(frozen=True)
class Page:
    """One page of the wiki. A redirect has a target and nothing else."""

    title: str
    html: str = ""
    wikitext: str = ""
    redirect: str | None = None
    transcludes: str | None = None


def pages(articles: Sequence[SampleArticle]) -> Iterator[Page]:
    """Every page of the wiki that holds `articles`."""
    yield Page(ROOT, html="<p>The eleventh edition.</p>", wikitext="The eleventh edition.")
    for volume in sorted({article.volume for article in articles}):
        of_volume = [article for article in articles if article.volume == volume]
        span = f"{ROOT}/Vol {volume} {of_volume[0].head.title()} to {of_volume[-1].head.title()}"
        yield Page(span, html="<p>The title page.</p>", wikitext="The title page.")
        for part in sorted({article.part for article in of_volume}):
            yield from _part_pages(volume, part, [article for article in of_volume if article.part == part], span)
        for number, article in enumerate(of_volume):
            before = of_volume[number - 1].title if number else None
            after = of_volume[number + 1].title if number + 1 < len(of_volume) else None
            yield from _article_pages(article, number, before, after)


def scan_title(article: SampleArticle, number: int) -> str:
    """The page of the scan from which the article is transcluded."""
    return f"Page:EB1911 - Volume {article.volume:02d}.djvu/{number + SCAN_OFFSET + 1}"


def redirect_title(article: SampleArticle) -> str:
    """The old name under which some part pages list the article."""
    return f"{article.title} (EB1911)"


def href(title: str) -> str:
    """The path of a page as MediaWiki writes it in links."""
    return "/wiki/" + quote(title.replace(" ", "_"), safe="/:,()!*;@$'")


def with_sentence(content: str, sentence: str) -> str:
    """The page's HTML with a sentence added at the end of its last paragraph, as a proofreader might add it."""
    before, end, after = content.rpartition("\n</p>")
    return f"{before} {html.escape(sentence, quote=False)}{end}{after}"


def _part_pages(volume: int, part: int, articles: list[SampleArticle], span: str) -> Iterator[Page]:
    title = f"{ROOT}/Vol {volume}:{part}"
    missing = f"{ROOT}/Not Yet Proofread {volume}-{part}"
    rows_html, rows_wikitext = [], []
    for number, article in enumerate(articles):
        name = article.title
        if number == 5:  # one of each part is listed under a name that redirects
            name = redirect_title(article)
            target = f"{ROOT}/{article.title}"
            yield Page(f"{ROOT}/{name}", wikitext=f"#REDIRECT [[{target}]]", redirect=target)
        page = f"{ROOT}/{name}"
        css = ' class="mw-redirect"' if number == 5 else ""
        rows_html.append(
            f'<li><a href="{href(page)}"{css} title="{html.escape(page)}">{html.escape(article.title)}</a></li>'
        )
        rows_wikitext.append(f"* [[{page}|{article.title}]]")
        if number == 8:  # a title not yet written, and an article listed twice
            rows_html.append(
                f'<li><a href="/w/index.php?title={quote(missing.replace(" ", "_"))}&amp;action=edit&amp;redlink=1"'
                f' class="new" title="{missing} (page does not exist)">Not Yet Proofread</a></li>'
            )
            rows_wikitext.append(f"* [[{missing}|Not Yet Proofread]]")
            again = f"{ROOT}/{articles[0].title}"
            rows_html.append(f'<li><a href="{href(again)}#History" title="{html.escape(again)}">again</a></li>')
            rows_wikitext.append(f"* [[{again}#History|again]]")
    header = _header(volume, f"Vol {volume}:{part}", None, None)
    around = (
        f'<p><a href="{href(ROOT)}" title="{ROOT}">{ROOT}</a> <a href="{href(span)}" title="{span}">Title page</a>'
        f' <a href="/wiki/File:EB1911_volume_{volume}.png">Binding</a>'
        ' <a href="/wiki/Category:EB1911" title="Category:EB1911">Category</a></p>'
    )
    yield Page(
        title,
        html=f"{header}{around}<ul>{''.join(rows_html)}</ul>",
        wikitext=f"<html>{header}</html>\n[[{ROOT}]] [[{span}|Title page]] [[:Category:EB1911]]\n\n"
        + "\n".join(rows_wikitext),
    )


def _article_pages(article: SampleArticle, number: int, before: str | None, after: str | None) -> Iterator[Page]:
    header = _header(article.volume, article.title, before, after)
    body, notes = _body(article), _footnotes(article)
    scan = scan_title(article, number)
    yield Page(scan, html=body, wikitext=f"<html>{body}</html>")
    yield Page(
        f"{ROOT}/{article.title}",
        html=f'{header}\n<div class="prp-pages-output" lang="en">\n{body}\n</div>\n{notes}',
        wikitext=f"<html>{header}</html>\n"
        f'<div class="prp-pages-output" lang="en">\n{{{{{scan}}}}}\n</div>\n'
        + (f"<html>{notes}</html>" if notes else ""),
        transcludes=scan,
    )


def _header(volume: int, title: str, before: str | None, after: str | None) -> str:
    def neighbour(name: str | None) -> str:
        return f'<a href="{href(f"{ROOT}/{name}")}" title="{html.escape(f"{ROOT}/{name}")}">{name}</a>' if name else ""

    return (
        f'{STYLE}<div class="ws-header wst-header ws-noexport noprint" id="headerContainer">'
        f'<div class="wst-header-back">{neighbour(before)}</div>'
        f'<div class="wst-header-central-cell"><a href="{href(ROOT)}" title="{ROOT}">{ROOT}</a>, Volume {volume}'
        f'<div class="header-section-text">{html.escape(title)}</div></div>'
        f'<div class="wst-header-forward">{neighbour(after)}</div>'
        '<div class="wst-header-notes"><p>See also our disclaimer.</p></div>'
        f'<div id="ws-data" class="ws-noexport" style="display:none"><span id="ws-title">{html.escape(title)}</span>'
        '<span id="ws-year">1911</span></div></div>'
    )


def _body(article: SampleArticle) -> str:
    """The article's text as HTML, with its tables, plates and signature."""
    blocks = []
    footnotes = 0
    for number, paragraph in enumerate(article.paragraphs):
        begin = f"{_page_number(article, article.first_page)}\n" if number == 0 else ""
        blocks.append(f"<p>{begin}{_paragraph(article, number, first_footnote=footnotes + 1)}\n</p>")
        footnotes += paragraph.count("[note]")
        if number == 1 and article.position % 4 == 0:
            blocks.append(
                '<table class="wikitable"><caption>Returns of Trade</caption><tr><th>Year</th><th>Tons</th></tr>'
                "<tr><td>1900</td><td>4120</td></tr></table>"
            )
        if number == 1 and article.position % 4 == 1:
            blocks.append(
                '<figure class="mw-halign-center" typeof="mw:File"><img src="/w/images/plate.png" alt="plate" />'
                '<figcaption><span class="wst-sc">Fig.</span> 1.—General view.</figcaption></figure>'
            )
    if article.initials:
        author = f"Author:{article.contributor}"
        blocks.append(
            f'<div style="text-align:right;margin-right:1em">(<a href="{href(author)}" title="{html.escape(author)}">'
            f"{html.escape(article.initials, quote=False)}</a>)</div>"
        )
    return "\n".join(blocks)


def _paragraph(article: SampleArticle, number: int, *, first_footnote: int) -> str:
    """The content of one paragraph, with the pages that begin in it, its footnote marks and marginal heading."""
    breaks = {word: page for paragraph, word, page in article.page_breaks if paragraph == number}
    words = []
    for place, word in enumerate(article.paragraphs[number].split(" ")):
        page = breaks.get(place)
        # Some pages begin in the middle of a word, and nothing must come between its halves.
        middle = 3 if page is not None and page % 3 == 0 and word[:6].isalpha() and len(word) > 5 else 0
        words.append(word if page is None else f"{word[:middle]}{_BREAK}{page}{_BREAK}{word[middle:]}")
    marked = html.escape(" ".join(words), quote=False)
    if number == 0:
        marked = marked.replace(article.head, f"<b>{article.head}</b>", 1)
    marked = _italics(marked)
    marked = marked.replace("(q.v.)", "(<i>q.v.</i>)").replace("B.C.", '<span class="wst-sc">b.c.</span>')
    footnote = itertools.count(first_footnote)
    marked = re.sub(r"\[note\]", lambda _: _footnote_mark(next(footnote)), marked)
    marked = re.sub(f"{_BREAK}(\\d+){_BREAK}", lambda match: _page_number(article, int(match[1])), marked)
    if number == len(article.paragraphs) - 1 and number > 0:
        marked = f'<span class="wst-sidenote" style="float:left;width:7em">Later<br />times.</span>{marked}'
    return marked


def _footnote_mark(number: int) -> str:
    return f'<sup id="cite_ref-{number}" class="reference"><a href="#cite_note-{number}">[{number}]</a></sup>'


def _footnotes(article: SampleArticle) -> str:
    """The article's list of notes as HTML, or nothing."""
    if not article.notes:
        return ""
    items = "".join(
        f'<li id="cite_note-{number}"><span class="mw-cite-backlink"><a href="#cite_ref-{number}">↑</a></span> '
        f'<span class="reference-text">{_italics(html.escape(note, quote=False))}</span></li>'
        for number, note in enumerate(article.notes, 1)
    )
    return f'<div class="reflist"><div class="mw-references-wrap"><ol class="references">{items}</ol></div></div>'


def _italics(marked: str) -> str:
    return re.sub(r"\*([^*]+)\*", r"<i>\1</i>", marked)


def _page_number(article: SampleArticle, page: int) -> str:
    leaf = page + SCAN_OFFSET
    quality = 1 if page == 11 else 4 if page % 2 else 3
    name = f"Page:EB1911 - Volume {article.volume:02d}.djvu/{leaf}"
    return (
        f'<span><span class="pagenum ws-pagenum" id="{page}" data-page-number="{page}" data-page-index="{leaf}"'
        f' data-page-name="{name}" data-page-quality="{quality}"><span id="pageindex_{leaf}"'
        ' class="pagenum-inner ws-noexport">\u200b</span></span></span>'
    )
