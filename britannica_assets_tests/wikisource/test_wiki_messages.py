"""The wiki's own words never enter the text."""

import pytest

from britannica_assets_tests.wikisource.article_page import text_of

RED = 'class="new" href="/w/index.php?title={0}&action=edit&redlink=1" title="{0} (page does not exist)"'
WORK = "1911 Encyclopædia Britannica"


@pytest.mark.parametrize(
    "message",
    [
        f"<a {RED.format('Page:EB1911_-_Volume_02.djvu/8')}>Page:EB1911 - Volume 02.djvu/8</a>",
        f"<a {RED.format('Template:EB1911_oddity')}>Template:EB1911 oddity</a>",
        '<span typeof="mw:Error mw:File"><a class="new" title="File:A dam.png">File:A dam.png</a></span>',
        '<strong class="error texerror">Failed to parse (unknown function): {\\oops}</strong>',
        '<span class="error mw-ext-cite-error">Cite error: There is no note of that name.</span>',
        '<strong class="error"><span class="scribunto-error">Lua error: out of memory.</span></strong>',
        '<div class="mw-ext-score-error errorbox"><pre>LilyPond gave up.</pre></div>',
        '<div class="wst-table-missing" style="border:1px solid">None. See <a href="/wiki/Help:Table">how</a>.</div>',
        '<div class="unheard-of"><p>A map is wanted. See <a href="/wiki/Wikisource:Maps">the guide</a>.</p></div>',
        '<div style="border:1px solid"><p>A chart should appear at this position in the text.</p></div>',
        '<span class="noprint">[edit]</span>',
        '[<a href="/w/index.php?title=Page:EB1911_-_Volume_02.djvu/8&action=edit">edit</a>] ',
        '<a class="mw-selflink selflink">Page:EB1911 - Volume 02.djvu/8</a>',
        f"<ul><li><a href='/wiki/{WORK}/Eel/1'>Rise</a></li><li><a href='/wiki/{WORK}/Eel/2'>Fall</a></li></ul>",
        '<span class="mw-editsection">[<a href="/w/index.php?action=edit">edit</a>]</span>',
        '<div role="navigation"><ul><li>Contents</li></ul></div>',
        '<div class="wst-auxtoc"><p>Contents: rise; fall</p></div>',
        '<ul><li><a href="#Rise">1 Rise</a></li><li><a href="#Fall">2 Fall</a></li></ul>',
        '<sup class="reference"><a href="#cite_note-1">[1]</a></sup>',
        '<a href="#endnote_a">[a]</a>',
        "<sup>†</sup>",
        '<sup><a href="#fn3">3</a></sup>',
        '<h2 id="Notes">Notes</h2><div class="mw-references-wrap"><ol class="references"><li>A note.</li></ol></div>',
        '<div class="mw-ext-score"><img alt="c d e"></div>',
    ],
)  # fmt: skip
def test_what_the_wiki_says_goes(message: str) -> None:
    assert (
        " ".join(text_of(f"<p>It stands before</p>{message}<p>and after.</p>").split()) == "It stands before and after."
    )
    assert " ".join(text_of(f"<div>It stands {message}within.</div>").split()) == "It stands within."


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (f"<p>Near <a {RED.format(WORK + '/Eel Pie')}>Eel Pie</a>.</p>", "Near Eel Pie."),
        ('<p>By <a href="/wiki/Author:Ada_Quill">Ada Quill</a> herself.</p>', "By Ada Quill herself."),
        ('<p>See <a href="#Rivers">§ 3</a> below.</p>', "See § 3 below."),
        ("<ul><li>corn</li><li>wool, at <a href='#Trade'>the fair</a></li></ul>", "corn\nwool, at the fair"),
    ],
)
def test_printed_words_that_are_linked_stay(body: str, text: str) -> None:
    assert text_of(body) == text
