"""Signatures become columns, wherever they stand; printed words stay in the text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from britannica_assets.wikisource.extraction.signatures import is_signature
from britannica_assets_tests.wikisource.article_page import read

QUILL = '<a href="/wiki/Author:Ada_Quill" title="Author:Ada Quill">A.&#160;Qu.</a>'
REED = '<a href="/w/index.php?title=Author:Ben_van_Reed&action=edit&redlink=1" class="new">B. van R.</a>'
PEN = '<a href="/wiki/Author:Cecil_Pen">Pen</a>'
BOTH, AUTHORS = "A. Qu.; B. van R.", "Ada Quill; Ben van Reed"


@pytest.mark.parametrize(
    ("body", "text", "initials", "contributor"),
    [
        (f"<p>It ends.</p><div>({QUILL})</div>", "It ends.", "A. Qu.", "Ada Quill"),
        (f'<p>It ends. <span class="wst-floatright">({QUILL})</span></p>', "It ends.", "A. Qu.", "Ada Quill"),
        (f'<p>It ends. <span style="float: right">({QUILL}; {REED})</span></p>', "It ends.", BOTH, AUTHORS),
        (f"<p>It ends. ({QUILL})</p>", "It ends.", "A. Qu.", "Ada Quill"),
        (f"<p>One.</p><p>({QUILL})</p><p>Two.</p><p>({REED})</p>", "One.\nTwo.", BOTH, AUTHORS),
        (f"<p>One.</p><p>({QUILL})</p><p>Two.</p><p>({QUILL})</p>", "One.\nTwo.", "A. Qu.", "Ada Quill"),
        (f'<p>It ends.<span style="float: right">{QUILL} and {REED}</span></p>', "It ends.", BOTH, AUTHORS),
        (f"<p>It ends.</p><p>({QUILL}, {REED})</p>", "It ends.", BOTH, AUTHORS),
        (f"<p>It ends.</p><table><tr><td></td><td>({QUILL} &amp; {REED})</td></tr></table>", "It ends.", BOTH, AUTHORS),
        (f"<p>It ends.</p><p>[{QUILL}]<br>[{REED}]</p>", "It ends.", BOTH, AUTHORS),
        (f'<p>It ends.<span style="float:right">({PEN})</span></p>', "It ends. (Pen)", None, None),
        ("<p>It ends.</p><p>(X.)</p>", "It ends.", "X.", None),
        ("<p>It ends.</p><p>[H. St J. B.*]</p>", "It ends.", "H. St J. B.*", None),
        ("<p>One.</p><p>(IV.)</p><p>Two.</p>", "One.\n(IV.)\nTwo.", None, None),
        (f"<p>By {QUILL} it was told.</p>", "By A. Qu. it was told.", None, None),
        ('<p>It reads:<span style="float:right">Pax (A. D. 9)</span></p>', "It reads: Pax (A. D. 9)", None, None),
    ],
)  # fmt: skip
def test_who_signed(body: str, text: str, initials: str | None, contributor: str | None) -> None:
    article = read(body)
    assert (article.text, article.contributor_initials, article.contributor) == (text, initials, contributor)


FORMS = (
    "(A. v. d. P.)|(M. de la C.)|(J. M‘K.; A. McD.)|(W. D’E.)|(Lord R.)|(J.-P. S.)|(T. As.*)|[R. N.]|(A. B.) (C. D.)"
)
OTHERS = "(Rev. A. Brown)|(see Fig. 3)|A. B.|(A. B. C. wrote.|(1)|()|(and)|(b.)|(II.)|"


@pytest.mark.parametrize("signature", FORMS.split("|"))
def test_forms_of_signatures(signature: str) -> None:
    assert is_signature(signature)


@pytest.mark.parametrize("words", OTHERS.split("|"))
def test_what_is_no_signature(words: str) -> None:
    assert not is_signature(words)


name = st.builds(
    lambda initials, particle, last: f"{' '.join(initials)} {particle}{last}",
    st.lists(st.sampled_from(["A.", "Éd.", "J.-B.", "St J.", "Th."]), min_size=1, max_size=3),
    st.sampled_from(["", "van ", "von der ", "de "]),
    st.sampled_from(["B.", "M‘C.", "O’N.", "McD.", "Qu.*"]),
)


@given(st.lists(name, min_size=1, max_size=4, unique=True))
def test_initials_are_read_back(names: list[str]) -> None:
    assert read(f"<p>It ends.</p><p>({'; '.join(names)})</p>").contributor_initials == "; ".join(names)


def test_a_bracket_that_is_never_closed_is_judged_in_linear_time() -> None:
    # By construction: a text is cut into tokens once, and each is compared with patterns of bounded length. A pattern
    # that tries all ways to cut these initials would not end.
    assert not is_signature("(" + "A. B. C. D. " * 12 + "wrote.")
    assert not is_signature("(" + "A. B. C. D. " * 100_000)
