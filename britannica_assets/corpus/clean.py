"""Cleaning: standardizes the printed text and keeps what was printed.

`STEPS` is the whole method, read top to bottom. Each step is one polars expression over a column of texts (paragraphs
joined by line breaks), so that a table of any length streams through them on every core.
"""

from collections.abc import Callable
from dataclasses import dataclass

import polars as pl
import regex

# Up to three brackets deep, never over a paragraph's end: a bracket left open matches nothing and swallows nothing.
_INSIDE = r"[^()\[\]\n]*"
for _ in range(2):
    _INSIDE = rf"(?:[^()\[\]\n]|\({_INSIDE}\)|\[{_INSIDE}\])*"
_REFERENCE = r"(?:q\. ?v\.|qq\. ?v\.|[Ss]ee\b|[Cc]f\.|[Cc]ompare\b|[Vv]ide\b)"


@dataclass(frozen=True)
class Step:
    """One rule: what it is called, what it does to an example, and how.

    `pattern` is what it fires on; `replacement` what stands there afterwards, unless `transform` does the work.
    """

    name: str
    before: str
    after: str
    pattern: str
    replacement: str = ""
    transform: Callable[[pl.Expr], pl.Expr] | None = None

    def apply(self, text: pl.Expr) -> pl.Expr:
        """The expression of the text after this step."""
        if self.transform is not None:
            return self.transform(text)
        return text.str.replace_all(self.pattern, self.replacement)

    def count(self, text: pl.Expr) -> pl.Expr:
        """The expression of how often the step fires on each text."""
        return text.str.count_matches(self.pattern)


MOST_PASSES = 50
ROMAN_NUMERAL = regex.compile(r"(?=[IVXLCDM])M{0,3}(CM|CD|D?C{0,3})(XC|XL|L?X{0,3})(IX|IV|V?I{0,3})")
SMALL_WORDS = {
    "of",
    "the",
    "and",
    "in",
    "on",
    "or",
    "at",
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
_HEAD_PATTERN = r"^\p{Lu}[\p{Lu}\p{M}'’\-]+(?:[,.]? (?:\(|\[)?[\p{Lu}\p{M}\d][\p{Lu}\p{M}\d'’.\-]*(?:\)|\])?)*"


def title_case_head(head: str) -> str:
    """Sets a head word in title case; Roman numerals, initials and abbreviations stay as they are printed.

    >>> title_case_head("CHARLES XIV. OF SWEDEN, M.P.")
    'Charles XIV. of Sweden, M.P.'
    """

    def set_word(match: "regex.Match[str]") -> str:
        word, first = match.group(), match.start() == 0
        rest = head[match.end() :]
        single_initial = len(word) == 1
        if single_initial or (not first and ROMAN_NUMERAL.fullmatch(word)):
            return word
        if not first and word.lower() in SMALL_WORDS and not rest.startswith("."):
            return word.lower()
        return word[0] + word[1:].lower()

    return regex.sub(r"[\p{Lu}\p{M}]+", set_word, head)


def _set_head_words(text: pl.Expr) -> pl.Expr:
    head = text.str.extract(f"({_HEAD_PATTERN})", 1)
    # A last capital that begins a word of the running text ("LONDON. The") is no part of the head.
    whole = text.str.slice(head.str.len_chars(), 1).str.contains(r"^\p{Ll}").fill_null(False)
    shortened = pl.when(whole).then(head.str.replace(r"[,.]? ?[(\[]?\p{Lu}$", "")).otherwise(head)
    titled = shortened.map_elements(title_case_head, return_dtype=pl.String, skip_nulls=True)
    return pl.when(shortened.is_null()).then(text).otherwise(titled + text.str.slice(shortened.str.len_chars()))


STEPS: tuple[Step, ...] = (
    Step(
        "compose accents",
        "Franc\u0327ois",
        "François",
        r"\p{L}\p{M}",
        transform=lambda text: text.str.normalize("NFC"),
    ),
    Step("remove invisible characters", "Cali\u00adco\u200b", "Calico", r"[\p{Cf}\p{Co}\p{Cn}\p{Cc}--\n\t]"),
    Step("remove stray symbols", "Bath*† is", "Bath is", r"[*†‡¶☞•■□▪●◆◊♦�¬¦|_~^\\]"),
    Step("standardize spaces", "10\u00a0m.\u2003E.", "10 m. E.", r"[\p{Zs}\t&&[^ ]]", " "),
    Step("straighten double quotes", "“Bath”", '"Bath"', r"[“”„‟«»]|''|‘‘|’’", '"'),
    Step("straighten apostrophes", "the city’s", "the city's", r"[‘’‚‛`´ʼ]", "'"),
    Step("unify hyphens", "co‐operate", "co-operate", r"[‐‑‒]|–", "-"),
    Step("unify dashes", "Bath -- a city", "Bath—a city", r" *(?:―| --|-{2,}|— *—) *", "—"),
    Step("heal hyphenation at a line's end", "manu-\nfacture", "manufacture", r"(\p{L})-\n(\p{Ll})", "$1$2"),
    Step("set head words in title case", "BATH, a city", "Bath, a city", _HEAD_PATTERN, transform=_set_head_words),
    Step(
        "drop cross-references in brackets",
        "the Avon (q.v.) rises (see Rivers (2), and cf. Bath) here",
        "the Avon  rises  here",
        # A pattern that begins with a bracket lets the engine jump to the next; spaces left over are folded below.
        rf"\({_REFERENCE}{_INSIDE}\)|\[{_REFERENCE}{_INSIDE}\]",
    ),
    Step("drop empty brackets", "Bath ( ) is", "Bath  is", r"\([ ,;:.]*\)|\[[ ,;:.]*\]"),
    Step("mend spaces inside brackets", "( a city)", "(a city)", r"([(\[]) +", "$1"),
    Step("mend spaces before punctuation", "Bath , a city", "Bath, a city", r" +([,;:!?)\]])", "$1"),
    Step("mend spaces before full stops", "a city . The", "a city. The", r"([^.\s]) +\.(\s|$)", "$1.$2"),
    Step("mend doubled punctuation", "Bath,, a city;.", "Bath, a city.", r"[,;:]+([,;:.])", "$1"),
    Step("fold spaces", "Bath  is", "Bath is", r" {2,}", " "),
    Step("drop empty lines", "Bath. \n\n A city", "Bath.\nA city", r" *\n[ \n]*", "\n"),
    Step("strip the ends", " Bath ", "Bath", r"^\s+|\s+$"),
)


def clean(text: pl.Expr) -> pl.Expr:
    """The expression of the text after all steps, in their order."""
    for step in STEPS:
        text = step.apply(text)
    return text


@dataclass(frozen=True)
class Firing:
    """How often a step fired on how many articles, with one place before and after."""

    step: str
    firings: int
    articles: int
    before: str
    after: str


def clean_articles(articles: pl.LazyFrame) -> tuple[pl.DataFrame, list[Firing]]:
    """Cleans the column `text`, counts `words` anew, and tells how often each step fired in the first pass.

    What one step takes away may bring together what another mends, so texts that a pass changed pass again: cleaning
    the result once more gives the same. Articles keep their order and number; what to leave out is decided in
    `filter.py`.
    """
    columns = articles.collect_schema().names()
    table = articles.with_columns(pl.col("text").alias("text_0"))
    for number, step in enumerate(STEPS):
        text = pl.col(f"text_{number}")
        table = table.with_columns(
            step.apply(text).alias(f"text_{number + 1}"), step.count(text).alias(f"firings_{number}")
        )
    first_pass = table.select(
        *(pl.col(name) for name in columns if name not in ("text", "words")),
        pl.col(f"text_{len(STEPS)}").alias("text"),
        pl.col("^firings_.*$"),
    ).collect(engine="streaming")
    cleaned = (
        first_pass.with_columns(clean_texts(first_pass["text"]).alias("text"))
        .with_columns(pl.col("text").str.count_matches(r"\S+").cast(pl.Int32).alias("words"))
        .select(columns)
    )
    firings = [_firing(articles, step, first_pass[f"firings_{number}"]) for number, step in enumerate(STEPS)]
    return cleaned, firings


def clean_texts(texts: pl.Series) -> pl.Series:
    """Cleans each text until no step changes it any more.

    Raises:
        RuntimeError: a text changes for ever, which would be an error in `STEPS`.
    """
    unsettled = pl.DataFrame({"row": range(len(texts)), "text": texts}, schema={"row": pl.Int64, "text": pl.String})
    settled = []
    for _ in range(MOST_PASSES):
        passed = unsettled.lazy().with_columns(clean(pl.col("text")).alias("cleaned")).collect(engine="streaming")
        done = pl.col("cleaned") == pl.col("text")
        settled.append(passed.filter(done).select("row", "text"))
        unsettled = passed.filter(~done).select("row", pl.col("cleaned").alias("text"))
        if unsettled.is_empty():
            return pl.concat(settled).sort("row")["text"]
    raise RuntimeError(f"after {MOST_PASSES} passes cleaning still changes {unsettled['text'][0][:200]!r}")


def _firing(articles: pl.LazyFrame, step: Step, counts: pl.Series) -> Firing:
    """The step's totals and its first place in the corpus, with a few words of context."""
    fired = counts > 0
    before = after = ""
    if fired.any():
        row = int(fired.arg_max() or 0)
        text = articles.select("text").slice(row, 1).collect().item()
        match = regex.search(r"(?V1)" + step.pattern, text)
        if match is not None:
            start, end = max(0, match.start() - 30), match.end() + 30
            before = text[start:end]
            after = pl.select(step.apply(pl.lit(before))).item()
    return Firing(step.name, int(counts.sum()), int(fired.sum()), before, after)
