"""The rules of cleaning, read top to bottom: each with a name, an example before and after, and a pattern."""

from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from britannica_assets.corpus.head_words import HEAD_BEGINNING, set_head_words

# Up to three brackets deep, never over a paragraph's end: a bracket left open matches nothing and swallows nothing.
_INSIDE, _EMPTY = r"[^()\[\]\n]*", r"[ ,;:.]*"
for _ in range(2):
    _INSIDE = rf"(?:[^()\[\]\n]|\({_INSIDE}\)|\[{_INSIDE}\])*"
    _EMPTY = rf"(?:[ ,;:.]|\({_EMPTY}\)|\[{_EMPTY}\])*"
_PLAIN = r"[^()\[\]\n]"
# What a reference is made of: names, numbers, and the words of citations. With any other word it is prose, and stays.
_CITED = (
    r"(?:[\"'“]?(?:[A-FH-ZÀ-Þ][^\s()\[\]]*|G(?:[^e\s()\[\]][^\s()\[\]]*|e[^r\s()\[\]][^\s()\[\]]*)?)"
    r"|[\d§&=+-][^\s()\[\]]*|[ivxlcdm]+[.,;:]*(?:-[ivxlcdm]+[.,;:]*)?|(?:and|with|also|above|below|infra|supra|especially"
    r"|the|of|in|de|von|article|articles|art|section|sections|chapter|note|to|by|ad|init|plate|figs?|pp?|vols?|ch|chap|bk|cc?"
    r"|ff?|sqq?|seqq?|foll?|loc|cit|op|ed|et|nos?|col|ib|ibid)[.,;:?]*)"
)
_COMPARE = r"(?:[Cc]f\.|[Cc]p\.|[Cc]ompare|[Vv]ide)"
# What `see` leads to where it is an imperative, and no bishop's.
_TARGET = (
    r"(?:(?:also|further|especially) )*(?:[\"'“]?\p{Lu}|[\d§]|[ivxlc]+\.|(?:above|below|under|infra|supra|art|articles?"
    r"|figs?|plates?|section|chap|note|ed|separate|the|his)\b)"
)
_SYMBOL = r"(?:\p{L}{1,2}|sin|cos|tan|cot|sec|cosec|log|lim|exp)"  # what letters stand for in formulas
_LEAD = r"(?:For|for|On|on|As to|as to|But|but|And|and|Of|of|E\.g\.|e\.g\.|Also|also)"

# Nearly all texts hold none but these characters. Each is NFC as it stands, and no rare rule matches it, so that one
# quick search spares those texts the slow ones for whole classes of characters.
COMMON_CHARACTERS = (
    r"\n -)+-\[\]a-{}\u00a1-\u00a5\u00a7-\u00ab\u00ae-\u00b5\u00b7-\u02ff\u0384-\u0386\u0388-\u038a\u038c\u038e-\u03a1"
    r"\u03a3-\u0481\u05d0-\u05ea\u1e00-\u1eff\u1f00-\u1f15\u1f18-\u1f1d\u1f20-\u1f45\u1f48-\u1f4d\u1f50-\u1f57\u1f5f-\u1f70"
    r"\u1f72\u1f74\u1f76\u1f78\u1f7a\u1f7c\u1f80-\u1fb4\u1fb6-\u1fba\u1fbc\u1fbd\u1fbf-\u1fc4\u1fc6-\u1fc8\u1fca\u1fcc-\u1fd2"
    r"\u1fd6-\u1fda\u1fdd-\u1fe2\u1fe4-\u1fea\u1fec\u1fed\u1ff2-\u1ff4\u1ff6-\u1ff8\u1ffa\u1ffc\u1ffe"
    r"\u2013\u2014\u2018-\u201d\u2032-\u2044\u2070\u2071\u2074-\u208e\u2090-\u209c\u2100-\u2125\u2150-\u218b\u2190-\u22ff"
    r"\u2640-\u2665\u2667-\u266f"
)
# With what the rule for mixed fractions looks at; the other rare rules match such a character by itself.
UNCOMMON_CHARACTER = rf"\d?[^{COMMON_CHARACTERS}](?:\d+⁄)?"
# Marks, and what canonical composition replaces without one (Unicode Standard Annex 15; scripts of the east by block).
_UNCOMPOSED = (
    r"\p{L}?\p{M}|[\u0340-\u0344\u0374\u037e\u0387\u0958-\u11ff\u1f71\u1f73\u1f75\u1f77\u1f79\u1f7b\u1f7d\u1fbb\u1fbe"
    r"\u1fc9\u1fcb\u1fd3\u1fdb\u1fe3\u1feb\u1fee\u1fef\u1ff9\u1ffb\u1ffd\u2000\u2001\u2126\u212a\u212b\u2329\u232a\u2adc"
    r"\uf900-\ufb4f\U0001109a-\U000119ff\U0001d15e-\U0001d1c0\U0002f800-\U0002fa1d]"
)


@dataclass(frozen=True)
class CleaningRule:
    """One rule: what it is called, what it does to an example, and how.

    `pattern` is what it matches, or how that begins; `replacement` what stands there afterwards, unless `transform`
    does the work. A rule that is `rare` matches a text only if it matches the `UNCOMMON_CHARACTER`s of it, set apart
    by spaces, too; those rules come first.
    """

    name: str
    before: str
    after: str
    pattern: str
    replacement: str = ""
    transform: Callable[[pl.Expr], pl.Expr] | None = None
    rare: bool = False

    def apply(self, text: pl.Expr) -> pl.Expr:
        """The expression of the text after this rule."""
        if self.transform is not None:
            return self.transform(text)
        return text.str.replace_all(self.pattern, self.replacement)

    def count(self, text: pl.Expr) -> pl.Expr:
        """The expression of how often the rule matches in each text."""
        return text.str.count_matches(self.pattern)


CLEANING_RULES: tuple[CleaningRule, ...] = (
    CleaningRule(
        "compose accents",
        "Franc\u0327ois",
        "François",
        _UNCOMPOSED,
        # Normalizing is slow, and nearly all text is composed.
        transform=lambda text: pl.coalesce(
            pl.when(text.str.contains(_UNCOMPOSED)).then(text).str.normalize("NFC"), text
        ),
        rare=True,
    ),
    CleaningRule(
        "part mixed fractions",
        "2\u20641⁄2 m.",
        "2 1⁄2 m.",
        r"(\d)[\u200b-\u200d\u2060-\u2064](\d+⁄)",
        "$1 $2",
        rare=True,
    ),
    CleaningRule(
        "remove invisible characters", "Cali\u00adco\u200b", "Calico", r"[\p{Cf}\p{Co}\p{Cn}\p{Cc}--\n\t]", rare=True
    ),
    CleaningRule("remove stray symbols", "Bath‡ is", "Bath is", r"[†‡¶☞•■□▪●◆◊♦�¬¦\\]", rare=True),
    CleaningRule(
        "remove underscores around words",
        "Lat. _via_, x_1",
        "Lat. via, x_1",
        r"(^|[^\p{L}\p{N}_])_+|_+([^\p{L}\p{N}_]|$)",
        "$1$2",
        rare=True,
    ),
    # Before a word the asterisk marks a reconstructed form, as `*kornī`.
    CleaningRule(
        "remove footnote asterisks",
        "Bath* is, *kornī",
        "Bath is, *kornī",
        r"([^\s(\[\"'*])\*+|\*+(\s|$)",
        "$1$2",
        rare=True,
    ),
    CleaningRule("standardize spaces", "10\u00a0m.\u2003E.", "10 m. E.", r"[\p{Z}\t&&[^ ]]", " ", rare=True),
    CleaningRule("straighten look-alike double quotes", "＂Bath〞", '"Bath"', r"[＂〝〞〟❝❞]", '"', rare=True),
    CleaningRule("straighten look-alike apostrophes", "the city＇s", "the city's", r"[＇❛❜]", "'", rare=True),
    CleaningRule(
        "straighten Armenian apostrophes outside Armenian",
        "the city՚s",
        "the city's",
        r"(^|\P{Armenian})՚(\P{Armenian}|$)",
        "${1}'$2",
        rare=True,
    ),
    CleaningRule("straighten double quotes", "“Bath”", '"Bath"', r"[“”„‟«»]|''|‘‘|’’", '"'),
    CleaningRule("straighten apostrophes", "the city’s", "the city's", r"[‘’‚‛`´ʼ]", "'"),
    CleaningRule("unify hyphens", "co‐operate", "co-operate", r"[‐‑‒–]", "-"),
    CleaningRule("unify dashes", "Bath--a city", "Bath—a city", r"―|-{2,3}", "—"),
    # Two dashes stand for a name that is not printed, and are one character while spaces around dashes are mended.
    CleaningRule("join long dashes", "Lady ——— to Mr — — said", "Lady ⸺ to Mr ⸺ said", r"—(?: ?—)+", "⸺"),
    CleaningRule("heal hyphenation at a line's end", "manu-\nfacture", "manufacture", r"(\p{L})-\n(\p{Ll})", "$1$2"),
    CleaningRule(
        "set head words in title case", "BATH, a city", "Bath, a city", HEAD_BEGINNING, transform=set_head_words
    ),
    CleaningRule(
        "drop q.v. before other words in brackets",
        "Prescott (q.v.; 1796-1859)",
        "Prescott (1796-1859)",
        r"(\(|\[)qq?\. ?v\.(?:[,;:] ?| (\d))",
        "$1$2",
    ),
    CleaningRule(
        "drop cross-references in brackets",
        "the Avon (q.v.) rises (see Rivers (2), and cf. Bath) here",
        "the Avon  rises  here",
        # A pattern that begins with a bracket lets the engine jump to the next; spaces left over are folded below.
        rf"\((?:qq?\. ?v\.|[Ss]ee\b){_INSIDE}\)|\[(?:qq?\. ?v\.|[Ss]ee\b){_INSIDE}\]",
    ),
    CleaningRule(
        "drop comparisons in brackets",
        "a ford (cf. Ezra ii. 59) and dagger (cf. Fr. dague)",
        "a ford  and dagger (cf. Fr. dague)",
        rf"\({_COMPARE}(?: {_CITED})+\)|\[{_COMPARE}(?: {_CITED})+\]",
    ),
    CleaningRule(
        "drop references with a lead-in in brackets",
        "in Kent (for map, see England) and (but see below) here",
        "in Kent  and  here",
        rf"\({_LEAD} (?:{_PLAIN}* )?[Ss]ee {_TARGET}{_INSIDE}\)|\({_LEAD},? [Ss]ee {_TARGET}{_INSIDE}\)",
    ),
    # A closing bracket that no opening one precedes shows that the reference stands in brackets.
    CleaningRule(
        "drop references at the end of brackets",
        "he died (in 1540; see Capuchins) there",
        "he died (in 1540) there",
        r"[;,:] (?:and |but )?(?:(?:for|on|as to) (?:which|whom|this|these|details) )?"
        rf"see {_TARGET}[^()\[\]\n;]*((?:;{_PLAIN}*)?\))",
        "$1",
    ),
    CleaningRule(
        "drop comparisons at the end of brackets",
        "the clan (Num. x. 29; cf. Judg. i. 16)",
        "the clan (Num. x. 29)",
        rf"[;,:] (?:and |but )?(?:cf|cp)\.(?: {_CITED})+(\))",
        "$1",
    ),
    CleaningRule(
        "drop q.v.", "Spello (mod. Hispellum, q.v.)", "Spello (mod. Hispellum)", r"[,;]?([\"']?),? qq?\. ?v\.", "$1"
    ),
    CleaningRule("drop empty brackets", "Bath ( ) is", "Bath  is", rf"\({_EMPTY}\)|\[{_EMPTY}\]"),
    CleaningRule("fold spaces", "Bath  is", "Bath is", r" {2,}", " "),
    # From here on at most one space stands anywhere, and patterns of two plain characters are found fastest.
    CleaningRule(
        "drop labels of plates and figures",
        "a city.\nPlates IV. and V.\nThe",
        "a city.\n\nThe",
        r"(?:\n\(?(?:Plates?|PLATES?|Figs?\.|FIGS?\.) [IVXL\d]+\.?(?:(?:,| and|-) ?[IVXL\d]+\.?)*\)?\.?)+(\n|$)",
        "\n$1",
    ),
    CleaningRule(
        "drop remains of tables and formulas",
        "by weight\n12.5 + 3 x = 9 lb,\nor less",
        "by weight\n\nor less",
        rf"(?:\n(?:[^\p{{L}}\d\n]|{_SYMBOL}[^\p{{L}}\n])*[\d=+×÷√∑∫<>±∞∂](?:[^\p{{L}}\n]|{_SYMBOL}[^\p{{L}}\n])*\p{{L}}{{0,2}})+(\n|$)",
        "\n$1",
    ),
    CleaningRule("mend spaces around dashes", "Bath — a city", "Bath—a city", r" — ?|— ", "—"),
    CleaningRule("part long dashes", "Lady ⸺ to Mr ⸺ said", "Lady —— to Mr —— said", r"⸺", "——"),
    CleaningRule("mend spaces inside brackets", "( a city)", "(a city)", r"(\() |(\[) ", "$1$2"),
    CleaningRule("mend spaces before punctuation", "Bath , a city", "Bath, a city", r" ([,;!?)\]])", "$1"),
    # A ratio (`a : b`) and a sum of money (`£2 : 4 : 6`) are set with spaces.
    CleaningRule(
        "mend spaces before colons", "these : a city", "these: a city", r"(\p{Ll}{2}[)\"']?) :(\s|$)", "$1:$2"
    ),
    CleaningRule("mend spaces before full stops", "a city . The", "a city. The", r"([^.\s]) \.(\s|$)", "$1.$2"),
    CleaningRule(
        "mend doubled full stops", "in 476 B.C. . He", "in 476 B.C. He", r"([^.\s]\.) \.( \p{Lu}|\n|$)", "$1$2"
    ),
    CleaningRule("mend doubled punctuation", "Bath,, a city;.", "Bath, a city.", r"[,;]([,;:.])|:([,;.])", "$1$2"),
    CleaningRule("drop empty lines", "Bath. \n\n A city", "Bath.\nA city", r" \n[ \n]*|\n[ \n]+", "\n"),
    CleaningRule("strip beginnings", " Bath", "Bath", r"^\s+"),
    CleaningRule("strip ends", "Bath \n", "Bath", r"\s+$"),
)
