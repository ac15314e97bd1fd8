"""A formula that is a line of text stands in its sentence; where one is not, the sentence goes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from britannica_assets.wikisource.extraction.formulas import read_tex
from britannica_assets.wikisource.extraction.sentences import sentences
from britannica_assets_tests.wikisource.article_page import formula, read, text_of

UNREADABLE = formula(r"\int_{0}^{\infty} f(x)\,dx")


@pytest.mark.parametrize(
    ("tex", "text"),
    [
        (r"{\displaystyle k}", "k"),
        (r"{\displaystyle a^{2}+b^{2}=c^{2}}", "a² + b² = c²"),
        (r"-x_{12}", "−x12"),
        (r"2\pi r", "2πr"),
        (r"60^{\circ }", "60°"),
        (r"\tfrac{3}{4}", "¾"),
        (r"\mathrm {SO_{2}}", "SO2"),
        (r"\text{if } n\geq 2", "if n ≥ 2"),
        (r"\sqrt{2}", "√2"),
        (r"\begin{matrix}1\end{matrix}", None),
        (r"\sum_{k} a_k", None),
        (r"x^", None),
        (r"{", None),
    ],
)
def test_tex_is_read_where_a_line_can_show_it(tex: str, text: str | None) -> None:
    assert read_tex(tex) == text


def test_formulas_without_tex_and_old_pictures_of_them_are_read() -> None:
    mathml = "<math><msubsup><mi>k</mi><mn>1</mn><mn>2</mn></msubsup></math>"
    assert text_of(f'<p>Of {mathml} and <img class="tex" alt="z^3"> it is.</p>') == "Of k1² and z³ it is."


@given(st.text(r"ab1{}^_\\ frac+-", max_size=40))
def test_any_tex_is_read_or_refused(tex: str) -> None:
    text = read_tex(tex)
    assert text is None or "\\" not in text


def test_mathml_without_tex_is_read_as_well() -> None:
    square = "<math><mrow><msup><mi>t</mi><mn>2</mn></msup><mo>/</mo><msub><mi>k</mi><mn>1</mn></msub></mrow></math>"
    assert text_of(f"<p>As {square} and <math><mfrac><mn>1</mn><mn>8</mn></mfrac></math>.</p>") == "As t²/k1 and ⅛."
    assert text_of("<p>So. Not <math><msqrt><mi>t</mi></msqrt></math> here. Yes.</p>") == "So. Yes."


def test_a_sentence_with_a_formula_that_cannot_be_read_goes() -> None:
    article = read(
        f"<p>The arc is given. Its length {UNREADABLE} follows from Fig. 2. By the rule of J. Ware it is"
        f" {formula('2r')}. Here it ends.</p>"
    )
    assert article.text == "The arc is given. Here it ends."
    assert (article.formulas_read, article.formulas_dropped) == (1, 1)
    assert [box.rule for box in article.boxes] == ["formula, with its sentence"]


def test_the_sentence_around_a_formula_on_its_own_line_goes() -> None:
    display = f"<dl><dd>{UNREADABLE} (7)</dd></dl>"
    assert text_of(f"<p>One. So we find</p>{display}<p>where x is small. Two.</p>") == "One.\nTwo."
    assert text_of(f"<p>One.</p>{display}<p>Two.</p>") == "One.\nTwo."


@pytest.mark.parametrize(
    "sentence",
    ["In Fig. 3. The wall is low.", "He (Prof. J. A. Reed) built it.", "Vol. ii. pp. 4, 5.", "Henry II. Duke of it."],
)  # fmt: skip
def test_no_abbreviation_ends_a_sentence(sentence: str) -> None:
    assert list(sentences(f"It began. {sentence} “So,” it ended! Then?")) == [
        "It began.",
        sentence,
        "“So,” it ended!",
        "Then?",
    ]


@given(st.text("Ab. !?”(1", max_size=60))
def test_sentences_lose_nothing_but_space(text: str) -> None:
    assert "".join("".join(sentences(text)).split()) == "".join(text.split())
