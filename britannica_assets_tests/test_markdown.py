"""Text from outside shows as it stands wherever it goes into Markdown."""

import html
import re

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from britannica_assets.markdown import WORD_JOINER, escape_markdown
from britannica_assets.plotting import as_markdown_table

RENDERER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
# What GitHub's extension makes a link of after Markdown is read (mdast-util-gfm-autolink-literal, in Dagster's UI).
AUTOLINKS = re.compile(r"(https?://|www(?=\.))[-.\w]+|(?<![-.\w+])[-.\w+]+@[-\w]+(\.[-\w]+)+", re.IGNORECASE)
HOSTILE = [
    "![x](/graphql?query=mutation{launch})",
    '<img src="/graphql?query=mutation">',
    "[a](javascript:alert(1)) and <https://example.org> and &lt;",
    "https://example.org, www.example.org, someone@example.org",
    "a | b\n--- | ---\n1 | 2",
    "# Bath\n- one\n1. two\n> three\n    four\n```\nfive\n```",
    "*Bath* _city_ ~~of~~ `Somerset` \\\\ [1]: /x\n===",
]


def shown(markdown: str) -> str:
    """The text of a paragraph that holds nothing else."""
    page = RENDERER.render(markdown).strip()
    assert not AUTOLINKS.search(html.unescape(page))
    paragraph = re.fullmatch(r"(?:<p>([^<>]*)</p>)?", page)
    assert paragraph is not None, page
    return html.unescape(paragraph[1] or "").replace(WORD_JOINER, "")


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_plain_text(text: str) -> None:
    assert shown(escape_markdown(text)) == " ".join(text.split())


@given(st.lists(st.sampled_from([*"![]()<>|`*_~#-+=.:/@\\&;'\"1ab \n", "www.", "http://"]), max_size=20).map("".join))
def test_any_text_is_plain_text(text: str) -> None:
    assert shown(escape_markdown(text)) == " ".join(text.split())


def test_a_table_keeps_its_cells() -> None:
    table = pl.DataFrame({"head|word": [*HOSTILE, None], "share": [0.5] * len(HOSTILE) + [None]})
    page = RENDERER.render(as_markdown_table(table))
    cells = re.findall(r"<t[hd]>([^<>]*)</t[hd]>", page)
    assert len(cells) == 2 * (table.height + 1)
    assert not re.search(r"<(?!/?(?:table|thead|tbody|tr|th|td)>)", page)
    assert html.unescape(cells[2]) == HOSTILE[0]
