"""A page gives its printed text: nothing else, no word glued or split."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from britannica_assets.wikisource.extract import extract_article, scan_volume
from britannica_assets_tests.wikisource.article_page import BEGIN, END, read, text_of


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("<p>One <i>ta</i>per.</p><p>Two\nlines.</p>", "One taper.\nTwo lines."),
        ("<p>A<br>break, a&nbsp;space and so\u00adon.</p>", "A break, a space and soon."),
        ('<p>Over<span class="pagenum ws-pagenum">\u200b</span>leaf.</p>', "Overleaf."),
        ('<p>Small <span class="wst-sc">Capitals</span>’s.</p>', "Small Capitals’s."),
        ('<p>Seen<span style="display: none">hidden</span>.</p><style>p {}</style>', "Seen."),
        ('<p>Seen<span class="of-a-sheet">hidden</span>.</p>', "Seen."),
        ("<p>Κλῖμαξ, שלום &amp; ‘so’.</p>", "Κλῖμαξ, שלום & ‘so’."),
        ("<div>Bare <b>words</b><p>and a paragraph.</p>and more.</div>", "Bare words\nand a paragraph.\nand more."),
        ("<ul><li>first</li><li>second</li></ul>", "first\nsecond"),
        ('<p>wide<span class="wst-gap" style="width:3em">\u200b</span>apart</p>', "wide apart"),
        ('<p>pad<span style="padding-left: 2em"></span>ded, an<span id="here"></span>chor</p>', "pad ded, anchor"),
        ('<p>the same <span style="visibility:hidden">word</span><span>„</span></p>', "the same „"),
        ('<div class="poem"><p>A line<br>and a line</p></div>', "A line and a line"),
        ('<div class="a-poem"><p><span>A line</span><span>and a line</span></p></div>', "A line and a line"),
        ("<p><ruby>字<rp>(</rp><rt>ji</rt></ruby> a sign</p>", "字 a sign"),
    ],
)
def test_only_the_running_text_is_taken(body: str, text: str) -> None:
    assert text_of(body, styles="<style>.x .of-a-sheet { display: none }</style>") == text


@given(
    st.lists(st.lists(st.text("abcæé", min_size=1, max_size=5), min_size=1, max_size=6), min_size=1, max_size=4),
    st.randoms(use_true_random=False),
)
def test_inline_tags_neither_glue_nor_split_words(paragraphs: list[list[str]], chance) -> None:  # type: ignore[no-untyped-def]
    def marked(word: str) -> str:
        cut = chance.randint(0, len(word))
        tag = chance.choice(["i", "b", "span", "a"])
        mark = chance.choice(["", '<sup class="reference">[2]</sup>', "<!-- -->", "\u200b"])
        return f"{word[:cut]}<{tag}>{word[cut:]}</{tag}>{mark}"

    body = "".join(f"<p>{' '.join(map(marked, words))}</p>" for words in paragraphs)
    assert text_of(body) == "\n".join(" ".join(words) for words in paragraphs)


def test_nesting_is_read_to_any_depth_that_the_parser_gives() -> None:
    assert text_of("<div>" * 1_900 + "<i>deep</i>" + "</div>" * 1_900) == "deep"
    assert text_of("<p>" + "<span class=x>" * 900 + "10<sup>6</sup>" + "</span>" * 900 + "</p>") == "10⁶"


def test_text_that_is_transcluded_within_transcluded_text_is_read_once() -> None:
    assert text_of('<p>Once.</p><div class="prp-pages-output"><p>Twice.</p></div>') == "Once.\nTwice."


def test_pages_their_worst_quality_and_their_volume_are_read() -> None:
    mark = '<span class="pagenum" data-page-number="{}" data-page-quality="{}" data-page-name="{}"></span>'
    first, last = mark.format(12, 4, "Page:EB1911 - Volume 05.djvu/9"), mark.format(13, 1, "")
    article = read(f"<p>{first}One {last}two.</p>")
    assert (article.first_page, article.last_page, article.quality) == ("12", "13", 1)
    assert article.scan_volumes == {5}


@pytest.mark.parametrize(
    "title",
    ["Page:EB1911 - Volume 28.djvu/7", "Page:EB1911_-_Volume_28.djvu/7", "Page:EB1911%20-%20Volume%2028.djvu/7"],
)
def test_a_scan_names_its_volume_in_any_spelling(title: str) -> None:
    assert scan_volume(title) == 28
    assert scan_volume("Page:Another work.djvu/7") is None


@pytest.mark.parametrize("page", ["<html><body><p>Nothing here.</p></body></html>", f"{BEGIN}<hr>{END}", "", " "])
def test_a_page_without_text_says_why(page: str) -> None:
    article = extract_article(page)
    assert (article.text, bool(article.reason)) == ("", True)


def test_dropped_and_unknown_boxes_are_noted_with_an_example() -> None:
    boxes = read(
        '<p>In <span class="wst-shoulder" style="float:left">The margin.</span>text.</p>'
        '<div class="brand-new"><p>Words of a box that no rule knows.</p></div>'
        '<table class="sums"><tr><td>1</td><td>2</td></tr><tr><td>3</td><td>4</td></tr></table>'
        '<p>And <span class="apart" style="float:right">so it ends</span></p>'
    ).boxes
    assert [(box.rule, box.tag, box.classes, box.example) for box in boxes] == [
        ("marginal heading", "span", "wst-shoulder", "The margin."),
        (None, "div", "brand-new", "Words of a box that no rule knows."),
        ("data table", "table", "sums", "1 2 3 4"),
        (None, "span", "apart", "so it ends"),
    ]
