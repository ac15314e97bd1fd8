"""Fractions keep their bar, exponents their height, and marks of notes go."""

import pytest

from britannica_assets_tests.wikisource.article_page import text_of


@pytest.mark.parametrize(
    ("figures", "text"),
    [
        ("4<sup>1</sup>⁄<sub>4</sub> m.", "4¼ m."),
        ("4<sup>1</sup>&#8260;<sub>16</sub> m.", "4 1⁄16 m."),
        ('4<span class="a">3</span>⁄<span class="b">4</span> m.', "4¾ m."),
        ('4<span class="wst-sfrac"><sup>5</sup><span class="visualhide">/</span><sub>8</sub></span> m.', "4⅝ m."),
        ('<span class="frac">4<span class="num">1</span>⁄<span class="den">7</span></span> m.', "4⅐ m."),
        ('4<span style="white-space:nowrap">1⁄3</span> m. or 4<sup>1</sup>/3', "4⅓ m. or 4⅓"),
        (
            '<span class="sfrac">4<span class="sr-only">+</span><span class="tion"><span class="num">5</span>'
            '<span class="sr-only">/</span><span class="den">12</span></span></span> m.',
            "4 5/12 m.",
        ),
        (
            '<span style="display:inline-block"><span style="display:block; border-bottom:1px solid">p + q</span>'
            '<span style="display:block">r</span></span> m.',
            "(p + q)/r m.",
        ),
        ('<span style="display:inline-block"><u>k</u><br>2</span> m.', "k/2 m."),
        (
            '<span style="display:inline-table"><span style="display:table-row"><span style="border-bottom:1px solid">5'
            '</span></span><span style="display:table-row"><span>9</span></span></span> m.',
            "5/9 m.",
        ),
        ("4<small><sup>2</sup></small>⁄<small><sub>3</sub></small> m.", "4⅔ m."),
        ('10<span style="vertical-align: super; font-size: 70%">9</span> or 10<sup>4·5</sup>', "10⁹ or 10^(4·5)"),
        ("10<sup>9</sup> or 10<sup>−9</sup>", "10⁹ or 10⁻⁹"),
        ("r<sup>3</sup>, <i>r</i><sup>n</sup>, (a+b)<sup>2</sup>, c<sup>3/2</sup>", "r³, rⁿ, (a+b)², c^(3/2)"),
        ("cos<sup>2</sup> θ, 5 cm.<sup>2</sup>", "cos² θ, 5 cm.²"),
        ("CO<sub>2</sub>, a<sub>1</sub>, 5<sub>2</sub>", "CO2, a1, 5₂"),
        ("the 3<sup>rd</sup>, M<sup>lle</sup> Y at 6<sup>h</sup>", "the 3rd, Mlle Y at 6h"),
        ("the river<sup>1</sup> rises.<sup>2</sup> Then<sup>*</sup> it<sup>[4]</sup>", "the river rises. Then it"),
    ],
)  # fmt: skip
def test_raised_and_lowered_figures(figures: str, text: str) -> None:
    assert text_of(f"<p>{figures}</p>") == text
