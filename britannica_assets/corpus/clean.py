"""Cleaning: standardizes the printed text and keeps what was printed.

`CLEANING_RULES` is the whole method, read top to bottom. Each rule is one polars expression over a column of texts
(paragraphs joined by line breaks), so that a table of any length streams through them on every core.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import polars as pl
import regex

# Up to three brackets deep, never over a paragraph's end: a bracket left open matches nothing and swallows nothing.
_INSIDE = r"[^()\[\]\n]*"
for _ in range(2):
    _INSIDE = rf"(?:[^()\[\]\n]|\({_INSIDE}\)|\[{_INSIDE}\])*"
_REFERENCE = r"(?:q\. ?v\.|qq\. ?v\.|[Ss]ee\b|[Cc]f\.|[Cc]ompare\b|[Vv]ide\b)"

# Nearly all texts hold none but these characters. Each is NFC as it stands, and no rare rule matches it, so that one
# quick search spares those texts the slow ones for whole classes of characters.
_COMMON_CHARACTERS = (
    r"\n -)+-\[\]a-{}\u00a1-\u00a5\u00a7-\u00ab\u00ae-\u00b5\u00b7-\u02ff\u0384-\u0386\u0388-\u038a\u038c\u038e-\u03a1"
    r"\u03a3-\u0481\u05d0-\u05ea\u1e00-\u1eff\u1f00-\u1f15\u1f18-\u1f1d\u1f20-\u1f45\u1f48-\u1f4d\u1f50-\u1f57\u1f5f-\u1f70"
    r"\u1f72\u1f74\u1f76\u1f78\u1f7a\u1f7c\u1f80-\u1fb4\u1fb6-\u1fba\u1fbc\u1fbd\u1fbf-\u1fc4\u1fc6-\u1fc8\u1fca\u1fcc-\u1fd2"
    r"\u1fd6-\u1fda\u1fdd-\u1fe2\u1fe4-\u1fea\u1fec\u1fed\u1ff2-\u1ff4\u1ff6-\u1ff8\u1ffa\u1ffc\u1ffe"
    r"\u2013\u2014\u2018-\u201d\u2032-\u2044\u2070\u2071\u2074-\u208e\u2090-\u209c\u2100-\u2125\u2150-\u218b\u2190-\u22ff"
    r"\u2640-\u2665\u2667-\u266f"
)
# Marks, and what canonical composition replaces without one (Unicode Standard Annex 15; scripts of the east by block).
_UNCOMPOSED = (
    r"\p{L}?\p{M}|[\u0340-\u0344\u0374\u037e\u0387\u0958-\u11ff\u1f71\u1f73\u1f75\u1f77\u1f79\u1f7b\u1f7d\u1fbb\u1fbe"
    r"\u1fc9\u1fcb\u1fd3\u1fdb\u1fe3\u1feb\u1fee\u1fef\u1ff9\u1ffb\u1ffd\u2000\u2001\u2126\u212a\u212b\u2329\u232a\u2adc"
    r"\uf900-\ufb4f\U0001109a-\U000119ff\U0001d15e-\U0001d1c0\U0002f800-\U0002fa1d]"
)


@dataclass(frozen=True)
class CleaningRule:
    """One rule: what it is called, what it does to an example, and how.

    `pattern` is what it matches; `replacement` what stands there afterwards, unless `transform` does the work. A rule
    that is `rare` matches no text all of whose characters are common; those rules come first.
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


MAX_PASSES = 50
REGNAL_NUMBER = regex.compile(r"X{0,3}(IX|IV|V?I{0,3})")  # larger numerals are words as well: DI, MIX, LI
CAPITALS = regex.compile(r"[\p{Lu}\p{M}\d]+")
SMALL_WORDS = {"of", "the", "and", "in", "on", "or", "at"} | {
    "de",
    "la",
    "du",
    "des",
    "von",
    "van",
    "der",
    "le",
    "da",
    "di",
}
_CAPITALS = r"(?:'?[\p{Lu}\d][\p{Lu}\p{M}\d'’.\-]*|[(\[][\p{Lu}\d][\p{Lu}\p{M}\d'’.\- ]*[)\]])"
_MORE_CAPITALS = rf"(?:[,.]? {_CAPITALS})*"
# "or Boethius", "(Foley)": other names between two parts of a head.
_OTHER_NAMES = r"(?:,? (?:or|and|also)(?: [\p{L}\p{M}'’\-]+)?| [(\[][^()\[\]\n]{1,60}[)\]])"
_HEAD_PATTERN = (
    rf"^['(\[\"]?\p{{Lu}}[\p{{Lu}}\p{{M}}'’\-]+{_MORE_CAPITALS}"
    rf"(?:{_OTHER_NAMES},? (?:\p{{Lu}}{{3}}|ST)[\p{{Lu}}\p{{M}}'’\-]*{_MORE_CAPITALS}){{0,3}}"
)


def title_case_head(head: str) -> str:
    """Sets a head word in title case; numbers of kings, initials, abbreviations and formulas stay as they are printed.

    >>> title_case_head("CHARLES XIV. OF SWEDEN, M.P.")
    'Charles XIV. of Sweden, M.P.'
    >>> title_case_head("BOETIUS (or Boethius), ANICIUS")
    'Boetius (or Boethius), Anicius'
    >>> title_case_head("O'BRIEN'S BRIDGE")
    "O'Brien's Bridge"
    >>> title_case_head("GUANIDINE, CN3H5")
    'Guanidine, CN3H5'
    """
    if head.isalpha():
        return head[0] + head[1:].lower()

    def set_word(match: "regex.Match[str]") -> str:
        word, before, after = match.group(), head[: match.start()], head[match.end() :]
        first = not before.strip("'([\"")
        if before.endswith("'") and before[-3:-1].isalpha() and len(before) > 2:
            return word.lower()
        if len(word) == 1 or any(character.isdigit() for character in word):
            return word
        if not first and word.lower() in SMALL_WORDS and not after.startswith("."):
            return word.lower()
        if not first and REGNAL_NUMBER.fullmatch(word):
            return word
        return word[0] + word[1:].lower()

    return CAPITALS.sub(set_word, head)


def _set_head_words(text: pl.Expr) -> pl.Expr:
    head = text.str.extract(f"({_HEAD_PATTERN})", 1)
    # A last capital that begins a word of the running text ("LONDON. The") is no part of the head.
    whole = text.str.slice(head.str.len_chars(), 1).str.contains(r"^\p{Ll}").fill_null(False)
    shortened = pl.when(whole).then(head.str.replace(r"[,.]? ?[(\[]?\p{Lu}$", "")).otherwise(head)
    titled = shortened.map_elements(title_case_head, return_dtype=pl.String, skip_nulls=True)
    return pl.when(shortened.is_null()).then(text).otherwise(titled + text.str.slice(shortened.str.len_chars()))


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
        "remove invisible characters", "Cali\u00adco\u200b", "Calico", r"[\p{Cf}\p{Co}\p{Cn}\p{Cc}--\n\t]", rare=True
    ),
    CleaningRule("remove stray symbols", "Bath*‡ is", "Bath is", r"[*†‡¶☞•■□▪●◆◊♦�¬¦|_~^\\]", rare=True),
    CleaningRule("standardize spaces", "10\u00a0m.\u2003E.", "10 m. E.", r"[\p{Z}\t&&[^ ]]", " ", rare=True),
    CleaningRule("straighten double quotes", "“Bath”", '"Bath"', r"[“”„‟«»]|''|‘‘|’’", '"'),
    CleaningRule("straighten apostrophes", "the city’s", "the city's", r"[‘’‚‛`´ʼ]", "'"),
    CleaningRule("unify hyphens", "co‐operate", "co-operate", r"[‐‑‒–]", "-"),
    CleaningRule("unify dashes", "Bath--a city", "Bath—a city", r"―|-{2,}|—(?: ?—)+", "—"),
    CleaningRule("heal hyphenation at a line's end", "manu-\nfacture", "manufacture", r"(\p{L})-\n(\p{Ll})", "$1$2"),
    CleaningRule(
        "set head words in title case", "BATH, a city", "Bath, a city", _HEAD_PATTERN, transform=_set_head_words
    ),
    CleaningRule(
        "drop cross-references in brackets",
        "the Avon (q.v.) rises (see Rivers (2), and cf. Bath) here",
        "the Avon  rises  here",
        # A pattern that begins with a bracket lets the engine jump to the next; spaces left over are folded below.
        rf"\({_REFERENCE}{_INSIDE}\)|\[{_REFERENCE}{_INSIDE}\]",
    ),
    CleaningRule("drop empty brackets", "Bath ( ) is", "Bath  is", r"\([ ,;:.]*\)|\[[ ,;:.]*\]"),
    CleaningRule("fold spaces", "Bath  is", "Bath is", r" {2,}", " "),
    # From here on at most one space stands anywhere, and patterns of two plain characters are found fastest.
    CleaningRule("mend spaces around dashes", "Bath — a city", "Bath—a city", r" — ?|— ", "—"),
    CleaningRule("mend spaces inside brackets", "( a city)", "(a city)", r"(\() |(\[) ", "$1$2"),
    CleaningRule("mend spaces before punctuation", "Bath , a city", "Bath, a city", r" ([,;:!?)\]])", "$1"),
    CleaningRule("mend spaces before full stops", "a city . The", "a city. The", r"([^.\s]) \.(\s|$)", "$1.$2"),
    CleaningRule("mend doubled punctuation", "Bath,, a city;.", "Bath, a city.", r"[,;:]([,;:.])", "$1"),
    CleaningRule("drop empty lines", "Bath. \n\n A city", "Bath.\nA city", r" \n[ \n]*|\n[ \n]+", "\n"),
    CleaningRule("strip beginnings", " Bath", "Bath", r"^\s+"),
    CleaningRule("strip ends", "Bath \n", "Bath", r"\s+$"),
)


@dataclass(frozen=True)
class RuleMatches:
    """How often a rule matched in how many articles, with one place before and after."""

    rule: str
    matches: int
    articles: int
    before: str
    after: str


def clean_articles(articles: pl.LazyFrame) -> tuple[pl.DataFrame, list[RuleMatches]]:
    """Cleans the column `text`, counts `words` anew, and counts how often each rule matched in the first pass.

    What one rule takes away may bring together what another matches, so a changed text that a rule may still match
    passes again: cleaning the result once more gives the same. Articles keep their order and number; which ones to
    remove is decided in `filters.py`.
    """
    table = articles.collect(engine="streaming")
    texts, counts = _clean(table["text"])
    # Cleaned words stand one character of white space apart, and counting those is several times as quick.
    words = (
        pl.when(pl.col("text") != "").then(pl.col("text").str.count_matches(r"[ \n]") + 1).otherwise(0).cast(pl.Int32)
    )
    cleaned = table.with_columns(texts).with_columns(words.alias("words")).select(table.columns)
    return cleaned, _rule_matches(table["text"], counts)


def clean_texts(texts: pl.Series) -> pl.Series:
    """Cleans each text until no rule changes it any more.

    Raises:
        RuntimeError: a text changes for ever, which would be an error in `CLEANING_RULES`.
    """
    return _clean(texts)[0]


def _clean(texts: pl.Series) -> tuple[pl.Series, pl.DataFrame]:
    """The cleaned texts, and how often each rule matched in each in the first pass."""
    unsettled = pl.DataFrame({"text": texts}, schema={"text": pl.String}).with_row_index("row")
    settled: list[pl.DataFrame] = []
    matches: pl.DataFrame | None = None
    for _ in range(MAX_PASSES):
        passed = _pass(unsettled)
        matches = passed.select(pl.col("^matches_.*$").fill_null(0)) if matches is None else matches
        again = (passed["text"] != unsettled["text"]) & _may_match(passed)
        settled.append(passed.filter(~again).select("row", "text"))
        unsettled = passed.filter(again).select("row", "text")
        if unsettled.is_empty():
            return pl.concat(settled).sort("row")["text"], matches
    raise RuntimeError(f"after {MAX_PASSES} passes cleaning still changes {unsettled['text'][0][:200]!r}")


def _pass(table: pl.DataFrame) -> pl.DataFrame:
    """Applies all rules once to the column `text` and adds how often each matched, `matches_0` and so on."""
    uncommon = pl.col("text").str.contains(f"[^{_COMMON_CHARACTERS}]").alias("uncommon")
    table = table.lazy().with_columns(uncommon).collect(engine="streaming")
    # Filtered, and not masked by null: polars rewrites what stands under a null too.
    rare = _apply(table.filter("uncommon"), [number for number, rule in enumerate(CLEANING_RULES) if rule.rare])
    merged = pl.concat([table.filter(~pl.col("uncommon")), rare], how="diagonal").sort("row")
    return _apply(merged, [number for number, rule in enumerate(CLEANING_RULES) if not rule.rare])


def _apply(table: pl.DataFrame, numbers: Iterable[int]) -> pl.DataFrame:
    text, lazy = pl.col("text"), table.lazy()
    for number in numbers:
        lazy = lazy.with_columns(
            CLEANING_RULES[number].apply(text), CLEANING_RULES[number].count(text).alias(f"matches_{number}")
        )
    return lazy.collect(engine="streaming")


def _may_match(passed: pl.DataFrame) -> pl.Series:
    """Whether any rule may still match a text: where none does, cleaning has nothing left to do."""
    matching = (pl.col("text").str.contains(rule.pattern) for rule in CLEANING_RULES if not rule.rare)
    return passed.lazy().select(pl.any_horizontal("uncommon", *matching)).collect(engine="streaming").to_series()


def _rule_matches(texts: pl.Series, counts: pl.DataFrame) -> list[RuleMatches]:
    """Each rule's totals, and its first place in the corpus with a few words of context."""
    totals = [counts[f"matches_{number}"] for number in range(len(CLEANING_RULES))]
    firsts = pl.DataFrame({"text": texts.gather([int((total > 0).arg_max() or 0) for total in totals])})
    matches: list[RuleMatches] = []
    for number, (rule, total) in enumerate(zip(CLEANING_RULES, totals, strict=True)):
        before = after = ""
        if (total > 0).any():
            text = firsts["text"].gather([number])
            begin = int(text.str.find(rule.pattern).item())
            found = len(text.str.extract(f"({rule.pattern})", 0).item().encode())
            context = text.item().encode()[max(0, begin - 30) : begin + found + 30]
            before = context.decode(errors="ignore")
            after = pl.select(rule.apply(pl.lit(before))).item()
        matches.append(RuleMatches(rule.name, int(total.sum()), int((total > 0).sum()), before, after))
        firsts = firsts.select(rule.apply(pl.col("text")))
    return matches
