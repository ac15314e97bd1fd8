"""A page gives its printed text: nothing beside it, no word glued or split."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from britannica_assets.wikisource.extract import extract_article

BEGIN = '<html><body><div class="mw-parser-output"><div class="prp-pages-output">'
END = "</div></div></body></html>"


def text_of(body: str) -> str:
    return extract_article(BEGIN + body + END).text


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("<p>One <i>ta</i>per.</p><p>Two\nlines.</p>", "One taper.\nTwo lines."),
        ("<p>A<br>break, a&nbsp;space and so\u00adon.</p>", "A break, a space and soon."),
        ('<p>Noted<sup class="reference">[1]</sup>, and gone on.</p>', "Noted, and gone on."),
        ('<p>Split <span class="wst-sidenote">Its rivers.</span>by a heading.</p>', "Split by a heading."),
        ('<p>Over<span class="pagenum ws-pagenum">\u200b</span>leaf.</p>', "Overleaf."),
        ('<p>Small <span class="wst-sc">Capitals</span>’s.</p>', "Small Capitals’s."),
        ("<p>Before.</p><table><tr><td><p>1</p></td></tr></table><p>After.</p>", "Before.\nAfter."),
        ("<p>Before.</p><figure><img><figcaption>Plate.</figcaption></figure>After.", "Before.\nAfter."),
        ('<p>Seen<span style="display: none">hidden</span>.</p><style>p {}</style>', "Seen."),
        ('<div class="poem"><p>A line<br>and a line</p></div>', "A line and a line"),
        ("<p>Κλῖμαξ, שלום &amp; ‘so’.</p>", "Κλῖμαξ, שלום & ‘so’."),
        ("<div>Bare <b>words</b><p>and a paragraph.</p>and more.</div>", "Bare words\nand a paragraph.\nand more."),
    ],
)
def test_only_the_running_text_is_taken(body: str, text: str) -> None:
    assert text_of(body) == text


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


def test_the_signature_becomes_columns_and_a_person_written_of_does_not() -> None:
    body = (
        '<p>Friend of <a title="Author:Jane Roe">Roe</a>.</p>'
        '<div>(<a title="Author:John Doe">J. D.</a>; <a title="Author:Ann O’Neil">A. O’N.</a>)</div>'
    )
    article = extract_article(BEGIN + body + END)
    assert article.text == "Friend of Roe."
    assert article.contributor_initials == "J. D.; A. O’N."
    assert article.contributor == "John Doe; Ann O’Neil"
    assert extract_article(BEGIN + body[: body.index("<div>")] + END).contributor is None


def test_pages_and_their_worst_quality_are_told() -> None:
    mark = '<span class="pagenum" data-page-number="{}" data-page-quality="{}" data-page-name="Page:EB1911 - Volume 05.djvu/9"></span>'  # noqa: E501
    article = extract_article(f"{BEGIN}<p>{mark.format(12, 4)}One {mark.format(13, 1)}two.</p>{END}")
    assert (article.first_page, article.last_page, article.quality) == ("12", "13", 1)
    assert article.scan_volumes == {5}


@pytest.mark.parametrize("page", ["<html><body><p>Nothing here.</p></body></html>", f"{BEGIN}<hr>{END}", "", " "])
def test_a_page_without_text_says_why(page: str) -> None:
    article = extract_article(page)
    assert (article.text, bool(article.reason)) == ("", True)
