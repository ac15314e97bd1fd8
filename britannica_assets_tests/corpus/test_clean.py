"""Cleaning standardizes, keeps what was printed, and is done when it is done."""

import unicodedata

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from britannica_assets.corpus.clean import clean_articles, clean_texts
from britannica_assets.corpus.cleaning_rules import CLEANING_RULES, COMMON_CHARACTERS, UNCOMMON_CHARACTER, CleaningRule
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
        ("Lorne (q.v.; 1796–1859), the poet", "Lorne (1796-1859), the poet"),
        ("Lorne (q.v.; see also Rhyme) wrote", "Lorne wrote"),
        ("Lorne [q.v.; d. 1859] and Hume (q.v. 1711–1776)", "Lorne [d. 1859] and Hume (1711-1776)"),
        (
            "a plain (its rivers; for which see Avon) and (c. 1540, on whom see Friars)",
            "a plain (its rivers) and (c. 1540)",
        ),
        ("a bay.\n(Plate I.)\nFigs. 2 and 3.\nsin x = cos y\nThe sea", "a bay.\nThe sea"),
        ("a knife (cf. Fr. lame and Ger. Messer), and", "a knife (cf. Fr. lame and Ger. Messer), and"),
        ("a blade (cf. Ger. Klinge) was", "a blade (cf. Ger. Klinge) was"),
        ("a camp (cf. the 300 settlers sent in 212 B.C.)", "a camp (cf. the 300 settlers sent in 212 B.C.)"),
        ("a camp (cf. Strabo xii. 3; Livy, Book 3) was", "a camp was"),
        ("the prince (cp. Ezra ii. 59, 62) came", "the prince came"),
        ("in Wessex (for map, see England) and (but see below) on", "in Wessex and on"),
        ("he died (c. 1540; see Friars), poor", "he died (c. 1540), poor"),
        ("born (c. 1540; see Friars; died 1560) there", "born (c. 1540; died 1560) there"),
        ("(this see is first named in 1120), which", "(this see is first named in 1120), which"),
        ("Spello (mod. Hispello, q.v.), a town", "Spello (mod. Hispello), a town"),
        ('a form of "courtesy," q.v.), in law', 'a form of "courtesy"), in law'),
        ("where |x − a| < h and *kornī, a horn", "where |x − a| < h and *kornī, a horn"),
        ("as a : b :: c : d, for £2 : 4 : 6 a ton", "as a : b :: c : d, for £2 : 4 : 6 a ton"),
        ("Lady —— to Mr —— said — so", "Lady —— to Mr —— said—so"),
        ("it holds 2½, 2 1⁄2, 10⁶ or 2^n of H₂O", "it holds 2½, 2 1⁄2, 10⁶ or 2^n of H₂O"),
        ("it holds 2\u20641⁄2 or 2\u20091⁄2 of it", "it holds 2 1⁄2 or 2 1⁄2 of it"),
        ("the city＇s ＂name〞 and Վահագն՚ի Mary՚s", "the city's \"name\" and Վահագն՚ի Mary's"),
        ("MCKINLEY, WILLIAM (1843–1901)", "McKinley, William (1843-1901)"),
        ("MACMAHON, MARIE, of MACEDONIA", "MacMahon, Marie, of MACEDONIA"),
        ("D'ALEMBERT, JEAN, a Frenchman", "d'Alembert, Jean, a Frenchman"),
        ("ALEMBERT, JEAN LE ROND D', born", "Alembert, Jean le Rond d', born"),
        ("VAN DER MEULEN, ADAM", "van der Meulen, Adam"),
        ("FRANCIS (FRANÇOIS) OF SALES, ST, a bishop", "Francis (François) of Sales, St, a bishop"),
        ("FRANCIS (François) OF SALES, ST, a bishop", "Francis (François) of Sales, St, a bishop"),
        ('"CHALLENGER" EXPEDITION. The voyage', '"Challenger" Expedition. The voyage'),
        ("CLINIC; CLINICAL. The words", "Clinic; Clinical. The words"),
        ("DOWNES [D(O)UNAEUS], ANDREW, a scholar", "Downes [D(o)unaeus], Andrew, a scholar"),
        ("BOULOGNE-SUR-MER, a port", "Boulogne-sur-Mer, a port"),
        ("ABD-AR-RAHMAN, 1st EARL, of T'AI-P'ING", "Abd-ar-Rahman, 1st Earl, of T'AI-P'ING"),
        ("T'AI-P'ING and TCH'ENG-TU, towns", "T'ai-p'ing and Tch'eng-tu, towns"),
        ("BRAS D'OR and CÔTE-D'OR, lakes", "Bras d'Or and Côte-d'Or, lakes"),
        ("HASA, EL (Ahsa), HARUN AL-RASHID", "Hasa, El (Ahsa), Harun al-Rashid"),
        ("CASTRO Y BELLVIS, GUILLÉN DE", "Castro y Bellvis, Guillén de"),
        ("INDRE-ET-LOIRE, a department", "Indre-et-Loire, a department"),
        ("ASAF-UD-DOWLAH, a nabob", "Asaf-ud-Dowlah, a nabob"),
        ("HASDAI IBN SHAPRUT, the founder", "Hasdai ibn Shaprut, the founder"),
        ("DORSET, RICHARD, 1ST EARL OF, a lord", "Dorset, Richard, 1st Earl of, a lord"),
        ("K'UNG-FU-TZŬ, a sage", "K'ung-fu-tzŭ, a sage"),
        ("CHLOROFORM (methane), CHCl3, a liquid", "Chloroform (methane), CHCl3, a liquid"),
        ("USA, OSMUND VIII. and the XVIIᵉ SIÈCLE", "USA, Osmund VIII. and the XVIIᵉ SIÈCLE"),
        ("A city.\nPlate I.\nPlate II.\nIt stands.", "A city.\nIt stands."),
        ("A sum of\n12.5 + 3 x = 9 lb,\nor less.", "A sum of\nor less."),
    ],
)
def test_what_was_printed_stays(printed: str, kept: str) -> None:
    assert cleaned(printed) == kept


ENCYCLOPEDIC = st.text(
    alphabet=st.sampled_from("ab LXVI.,;:!?()[]-–—’‘“”'\"\n\u00ad\u200b\u00a0*|½°£éα" + "q.v.see cf."), max_size=60
)

REFERENCES = st.lists(
    st.sampled_from(
        [
            "(",
            ")",
            "[",
            "]",
            "; ",
            ", ",
            "q.v.",
            "see ",
            "for map, ",
            "Bath",
            "cf. ",
            "and ",
            "the ",
            "Ger. ",
            " : ",
            "—",
            "——",
            " ",
            "*",
            "|",
            "\n",
            "Plate I.",
            "1 + x",
            "BATH",
            "D'",
            "-",
            "1ST",
            "⸺",
            "'",
            "2\u2064",
            "1⁄2",
            "＇",
            "՚",
            "ա",
        ]
    ),
    max_size=24,
).map("".join)


@settings(deadline=None)  # the first example compiles the patterns
@given(ENCYCLOPEDIC | REFERENCES | st.text(max_size=60))
def test_cleaning_twice_is_cleaning_once(text: str) -> None:
    assert cleaned(cleaned(text)) == cleaned(text)


@settings(deadline=None)
@given(st.lists(st.sampled_from(["the", "Bath", "naïve", "1702", "½", "sea-wall", "M.P.", "XIV."]), min_size=1))
def test_plain_words_are_neither_lost_nor_changed(words: list[str]) -> None:
    text = "Of " + " ".join(words)
    assert cleaned(text) == text


@settings(deadline=None)
@given(st.text(st.sampled_from("aÉ1 \n*_|՚Վ‡\u0301\u037e\u1ffd\u200b\u2000\u00a0⁄﹍") | st.characters(), max_size=12))
def test_a_rare_rule_matches_the_uncommon_characters_of_what_it_matches(text: str) -> None:
    table = pl.DataFrame({"text": text}).with_columns(
        uncommon=pl.col("text").str.extract_all(UNCOMMON_CHARACTER).list.join(" ")
    )
    for rule in CLEANING_RULES:
        if rule.rare and table.select(rule.count(pl.col("text"))).item():
            assert table.select(rule.count(pl.col("uncommon"))).item(), rule.name


def test_the_quick_search_for_uncommon_characters_passes_over_no_rare_one() -> None:
    every = pl.Series([chr(number) for number in range(0x110000) if not 0xD800 <= number < 0xE000])
    common = pl.DataFrame({"text": every.filter(~every.str.contains(f"[^{COMMON_CHARACTERS}]"))})
    assert len(common) > 1_500
    for rule in CLEANING_RULES:
        if rule.rare:
            assert common.select(rule.count(pl.col("text")).sum()).item() == 0, rule.name
    assert common["text"].equals(common["text"].str.normalize("NFC"))
    changed = every.filter(every != every.str.normalize("NFC"))
    assert changed.str.contains(CLEANING_RULES[0].pattern).all()


@settings(deadline=None)
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


def test_an_empty_table_and_a_text_without_end_are_cleaned() -> None:
    table, matches = clean_articles(pl.LazyFrame({"text": [], "words": []}, {"text": pl.String, "words": pl.Int32}))
    assert table.is_empty()
    assert all(match.matches == 0 for match in matches)
    endless = "a " + "(" * 500 + ")" * 500
    assert clean_texts(pl.Series([None, "a  b", endless], dtype=pl.String)).to_list() == [None, "a b", None]


def test_what_is_removed_is_reported() -> None:
    articles = pl.DataFrame(
        {
            "volume": [1, 1, 1, 2],
            "title": ["Short", "Nothing", "First", "Second"],
            "text": [
                "See Bath.",
                None,
                *["A town of some size on the left bank, well built."] * 2,
            ],
            "words": [2, 0, 10, 10],
        }
    )
    kept, removed = filter_articles(articles)
    assert kept["title"].to_list() == ["First"]
    assert dict(removed.select("title", "reason").rows()) == {
        "Short": "fewer than 10 words",
        "Nothing": "no text: none was extracted, or its cleaning comes to no end",
        "Second": "the same text as an earlier article",
    }
