"""Figures go with their captions, tables of data go, and tables that lay out text give it cell by cell."""

import pytest

from britannica_assets_tests.wikisource.article_page import text_of

PICTURE = '<span typeof="mw:File"><img src="/x.png" alt=""></span>'
PROSE = "<p>The tower was raised by masons who came over the hills from the lake.</p>"


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (f"<p>A</p><figure>{PICTURE}<figcaption>The gate.</figcaption></figure><p>B</p>", "A\nB"),
        (f'<p>A <span style="float:left; width:9em">{PICTURE}<span>The gate.</span></span>B</p>', "A B"),
        (f'<p>A <span class="any-left-float">{PICTURE}The gate.</span>B</p>', "A B"),
        (f'<p>A</p><div class="new-thing"><div>{PICTURE}</div><div>The gate.</div></div><p>B</p>', "A\nB"),
        (f"<p>A</p><div style='text-align:center'>{PICTURE}<br>Fig. 2.—The gate.</div><p>B</p>", "A\nB"),
        (f"<p>A</p><p>{PICTURE}</p><p>Fig. 2.—The gate.</p><p>Fig. 3 shows B</p>", "A\nFig. 3 shows B"),
        (f"<p>{PICTURE}</p><p>From a drawing.</p><p>Fig. 2.—The gate.</p><p>From here B</p>", "From here B"),
        (f"<p>{PICTURE}</p><p>From here the road goes on.</p>", "From here the road goes on."),
        ('<p>A</p><p><img alt="W"></p><p>B</p>', "A\nB"),
        (f'<div style="float:left">{PROSE * 20}{PICTURE}</div>', "\n".join([PROSE[3:-4]] * 20)),
        (f"<p>A</p><table><tr><td>{PICTURE}</td></tr><tr><td>The gate.</td></tr></table><p>B</p>", "A\nB"),
        (f"<div class='fine'>{PROSE * 4}<p>{PICTURE}</p>{PROSE}</div>", "\n".join([PROSE[3:-4]] * 5)),
        ('<p>A</p><ul class="gallery"><li><img><div class="gallerytext">The gate.</div></li></ul>', "A"),
        ('<p>The sign <span typeof="mw:File"><img alt="ꜵ"></span> is an ao.</p>', "The sign ꜵ is an ao."),
        ('<p>A dam <span typeof="mw:File"><img alt="a beaver at work"></span> of logs.</p>', "A dam of logs."),
        ('<p><span class="initial"><img alt="W"><span style="display:none">W</span></span>HEN it</p>', "WHEN it"),
        ('<p><span class="initial"><img alt=""><span style="display:none">W</span></span>HEN it</p>', "WHEN it"),
        ('<p><span style="float:left; font-size:300%">W</span>HEN it</p>', "WHEN it"),
        ('<div style="float:left; font-size:300%">W</div><p>HEN it</p>', "WHEN it"),
        ('<p>A <span style="position:absolute; left:-7em">The dams.</span>dam</p>', "A dam"),
        ('<p><span style="float:left; font-size:300%">A</span> dam of it</p>', "A dam of it"),
        (f"<div><p>{PICTURE}</p><p>A short article on dams.</p></div>", "A short article on dams."),
    ],
)  # fmt: skip
def test_figures_and_pictures_of_letters(body: str, text: str) -> None:
    assert text_of(body) == text


@pytest.mark.parametrize(
    ("table", "text"),
    [
        ("<table><tr><td>Oats</td><td>41</td></tr><tr><td>Rye</td><td>17</td></tr></table>", ""),
        (f'<table class="wikitable"><tr><th>Work</th></tr><tr><td>{PROSE}</td></tr></table>', ""),
        (f"<table><tr><td>{PROSE}</td><td>{PICTURE}</td></tr></table>", PROSE[3:-4]),
        (f"<table><tr><td>{PROSE}</td><td>{PROSE}</td></tr></table>", f"{PROSE[3:-4]}\n{PROSE[3:-4]}"),
        (f'<table role="presentation"><tr><td>{PROSE}</td><td>So.</td></tr></table>', f"{PROSE[3:-4]}\nSo."),
        (
            '<table><tr><td><p class="poem">O moon so round</p></td><td>O lune</td></tr><tr><td>Ours</td></tr></table>',
            "O moon so round\nO lune\nOurs",
        ),
        ("<table><tr><td>O moon so round<br>and slow to set</td></tr></table>", "O moon so round and slow to set"),
        (
            f"<table><tr><td>{PROSE}<table><tr><td>1</td><th>2</th></tr><tr><td>3</td></tr></table></td></tr></table>",
            PROSE[3:-4],
        ),
    ],
)  # fmt: skip
def test_tables(table: str, text: str) -> None:
    assert text_of(f"<p>Before.</p>{table}<p>After.</p>") == "\n".join(
        part for part in ("Before.", text, "After.") if part
    )


@pytest.mark.parametrize(
    "heading",
    [
        '<span class="wst-sidenote">Its rivers.</span>',
        '<span style="float:left; clear:left; width:6em"><b>Its rivers.</b></span>',
        '<span style="float:right; width:6em; font-size:83%">Its rivers.</span>',
    ],
)
def test_headings_in_the_margin_go(heading: str) -> None:
    assert text_of(f"<p>It is {heading}well watered.</p>") == "It is well watered."
