"""Cleaning standardizes, keeps what was printed, and is done when it is done."""

import unicodedata

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from britannica_assets.corpus.clean import _COMMON_CHARACTERS, CLEANING_RULES, CleaningRule, clean_articles, clean_texts
from britannica_assets.corpus.filters import filter_articles
from britannica_assets.sample.encyclopedia import compose


def cleaned(text: str) -> str:
    return str(clean_texts(pl.Series([text]))[0])


@pytest.mark.parametrize("rule", CLEANING_RULES, ids=lambda rule: rule.name)
def test_each_rule_does_what_its_example_says(rule: CleaningRule) -> None:
    assert pl.select(rule.apply(pl.lit(rule.before))).item() == rule.after
    assert pl.select(rule.count(pl.lit(rule.before))).item() > 0


@pytest.mark.parametrize(
    ("printed", "kept"),
    [
        ("FRANÇOIS, a potter of Nîmes", "François, a potter of Nîmes"),
        ("OSMUND XIV., king of the Lindes", "Osmund XIV., king of the Lindes"),
        ("HALLAM, J. T. (1702–1761), M.P.", "Hallam, J. T. (1702-1761), M.P."),
        ("It weighs 2½ ℔, costs £3, 4s. at 61½° F.", "It weighs 2½ ℔, costs £3, 4s. at 61½° F."),
        ("from ἄστυ, a town, and שלום, peace", "from ἄστυ, a town, and שלום, peace"),
        ("a well-made low-lying sea-wall", "a well-made low-lying sea-wall"),
        ("the bridge (which fell (in 1702) at last) stands", "the bridge (which fell (in 1702) at last) stands"),
        (
            "the mill (see Wheels, an open bracket.\nThe river runs.",
            "the mill (see Wheels, an open bracket.\nThe river runs.",
        ),
        ("the mill (see Wheels (q.v.), and [see Rivers]) turns", "the mill turns"),
        ("BOETIUS (or Boethius), ANICIUS (c. 480), a sage", "Boetius (or Boethius), Anicius (c. 480), a sage"),
        ("FOLI (Foley), ALLAN, a singer", "Foli (Foley), Allan, a singer"),
        ("HOLLAR, WENZEL or WENCESLAUS [Vaclaf], a Czech", "Hollar, Wenzel or Wenceslaus [Vaclaf], a Czech"),
        ("GUARDS, and HOUSEHOLD TROOPS. The word", "Guards, and Household Troops. The word"),
        ("FLOR, ROGER DI, of ST ANDREW'S", "Flor, Roger di, of ST ANDREW'S"),
        ("'ATTĀR, O'BRIEN and GUY'S MIX, a list", "'Attār, O'Brien and Guy's Mix, a list"),
        ("GUANIDINE, CN3H5 or HN, a base", "Guanidine, CN3H5 or HN, a base"),
        ("he was seeing (seeking) the sea", "he was seeing (seeking) the sea"),
    ],
)
def test_what_was_printed_stays(printed: str, kept: str) -> None:
    assert cleaned(printed) == kept


ENCYCLOPEDIC = st.text(
    alphabet=st.sampled_from("ab LXVI.,;:!?()[]-–—’‘“”'\"\n\u00ad\u200b\u00a0*|½°£éα" + "q.v.see cf."), max_size=60
)


@given(ENCYCLOPEDIC | st.text(max_size=60))
def test_cleaning_twice_is_cleaning_once(text: str) -> None:
    assert cleaned(cleaned(text)) == cleaned(text)


@given(st.lists(st.sampled_from(["the", "Bath", "naïve", "1702", "½", "sea-wall", "M.P.", "XIV."]), min_size=1))
def test_plain_words_are_neither_lost_nor_changed(words: list[str]) -> None:
    text = "Of " + " ".join(words)
    assert cleaned(text) == text


def test_the_quick_search_for_uncommon_characters_passes_over_no_rare_one() -> None:
    every = pl.Series([chr(number) for number in range(0x110000) if not 0xD800 <= number < 0xE000])
    common = pl.DataFrame({"text": every.filter(~every.str.contains(f"[^{_COMMON_CHARACTERS}]"))})
    assert len(common) > 1_500
    for rule in CLEANING_RULES:
        if rule.rare:
            assert common.select(rule.count(pl.col("text")).sum()).item() == 0, rule.name
    assert common["text"].equals(common["text"].str.normalize("NFC"))
    changed = every.filter(every != every.str.normalize("NFC"))
    assert changed.str.contains(CLEANING_RULES[0].pattern).all()


@given(st.text(alphabet=st.characters(categories=["Lu", "Ll", "Lo", "Mn", "Mc"]), max_size=8))
def test_cleaned_text_is_composed(text: str) -> None:
    assert unicodedata.is_normalized("NFC", cleaned(text))


def test_the_sample_is_cleaned_and_all_of_it_kept() -> None:
    articles = pl.DataFrame(
        {
            "volume": [article.volume for article in compose()],
            "title": [article.title for article in compose()],
            "text": [article.text for article in compose()],
            "words": [len(article.text.split()) for article in compose()],
        }
    )
    table, matches = clean_articles(articles.lazy())
    kept, removed = filter_articles(table)
    assert table.columns == articles.columns
    assert len(kept) == len(compose())
    assert removed.is_empty()
    matched = {match.rule: match for match in matches}
    references = matched["drop cross-references in brackets"]
    assert references.matches > 20
    assert "(q.v.)" in references.before or "see" in references.before
    assert not table["text"].str.contains(r"\(q\.v\.\)|[“”]").any()


def test_what_is_removed_is_told() -> None:
    articles = pl.DataFrame(
        {
            "volume": [1, 1, 1, 2],
            "title": ["Short", "Table", "First", "Second"],
            "text": [
                "See Bath.",
                "1 2 3 4 5 6 7 8 9 10 11 12 per cent.",
                *["A town of some size on the left bank, well built."] * 2,
            ],
            "words": [2, 14, 10, 10],
        }
    )
    kept, removed = filter_articles(articles)
    assert kept["title"].to_list() == ["First"]
    assert dict(removed.select("title", "reason").rows()) == {
        "Short": "fewer than 10 words",
        "Table": "mostly tables or formulas",
        "Second": "the same text as an earlier article",
    }
