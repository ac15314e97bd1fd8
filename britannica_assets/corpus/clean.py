"""Cleaning: standardizes the printed text and keeps what was printed.

`CLEANING_RULES` in `cleaning_rules.py` is the whole method. Each rule is one polars expression over a column of texts
(paragraphs joined by line breaks), and every core takes a part of the table.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise

import polars as pl

from britannica_assets.corpus.cleaning_rules import CLEANING_RULES, UNCOMMON_CHARACTER, CleaningRule

MAX_PASSES = 50
SMALL = 500  # texts that are not worth a second thread


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
    passes again: cleaning the result once more gives the same. Articles keep their order and number; a text that still
    changes after `MAX_PASSES` becomes null. Which articles to remove is decided in `filters.py`.
    """
    table = articles.collect(engine="streaming")
    texts, words, counts = _clean(table["text"])
    return table.with_columns(texts, words), _rule_matches(table["text"].drop_nulls(), counts)


def clean_texts(texts: pl.Series) -> pl.Series:
    """Cleans each text until no rule changes it; null is what has no text, or still changes after `MAX_PASSES`."""
    return _clean(texts)[0]


def _clean(texts: pl.Series) -> tuple[pl.Series, pl.Series, pl.DataFrame]:
    """The cleaned texts, their words, and, a row a text that is not null, how often each rule matched at first."""
    with ThreadPoolExecutor(pl.thread_pool_size()) as pool:
        parts = list(pool.map(_clean_part, _parts(texts, pl.thread_pool_size())))
    cleaned, words, matches = zip(*parts, strict=True)
    return pl.concat(cleaned), pl.concat(words), pl.concat(matches)


def _parts(texts: pl.Series, number: int) -> list[pl.Series]:
    """The texts in consecutive parts of about as many bytes, for as many threads; a few texts are one part."""
    if len(texts) < SMALL:
        return [texts]
    ends = texts.str.len_bytes().fill_null(0).cast(pl.UInt64).cum_sum()
    bounds = [int(ends.search_sorted(ends[-1] * part / number)) for part in range(number)] + [len(texts)]
    return [texts.slice(begin, end - begin) for begin, end in pairwise(bounds)]


def _clean_part(texts: pl.Series) -> tuple[pl.Series, pl.Series, pl.DataFrame]:
    """What `_clean` gives, in one thread."""
    table = pl.DataFrame({"text": texts}, schema={"text": pl.String}).with_row_index("row")
    unsettled = table.drop_nulls("text")
    settled = [unsettled.clear()]
    matches: pl.DataFrame | None = None
    for _ in range(MAX_PASSES):
        passed = _pass(unsettled)
        matches = passed.select("^matches_.*$") if matches is None else matches
        again = (passed["text"] != unsettled["text"]) & _may_match(passed)
        settled.append(passed.filter(~again).select("row", "text"))
        unsettled = passed.filter(again).select("row", "text")
        if unsettled.is_empty():
            break
    cleaned = table.select("row").join(pl.concat(settled), on="row", how="left", maintain_order="left")["text"]
    assert matches is not None  # there is a first pass
    # Cleaned words stand one character of white space apart, and counting those is several times as quick.
    words = pl.when(pl.col("text") != "").then(pl.col("text").str.count_matches(r"[ \n]") + 1).otherwise(0)
    return cleaned, pl.DataFrame({"text": cleaned}).select(words.cast(pl.Int32).alias("words")).to_series(), matches


def _pass(table: pl.DataFrame) -> pl.DataFrame:
    """Applies all rules once to `text`; adds `uncommon` and how often each rule matched, `matches_0` and so on."""
    table = table.with_columns(_uncommon(pl.col("text")).alias("uncommon"))
    uncommon = table.with_row_index("place").filter(pl.col("uncommon") != "").select("place", "uncommon")
    for number, rule in enumerate(CLEANING_RULES):
        places = None
        if rule.rare:
            matching = pl.col("uncommon").str.contains(rule.pattern)
            # To compile a pattern takes longer than to search a few texts.
            places = (uncommon if uncommon.is_empty() else uncommon.filter(matching))["place"]
        table = _apply(rule, f"matches_{number}", table, places)
    return table


def _uncommon(text: pl.Expr) -> pl.Expr:
    """The uncommon characters of each text, which show whether a rare rule may match it, set apart by spaces."""
    return text.str.extract_all(UNCOMMON_CHARACTER).list.join(" ")


def _apply(rule: CleaningRule, column: str, table: pl.DataFrame, places: pl.Series | None) -> pl.DataFrame:
    """Applies one rule to the texts at `places`, or to all, and adds the column of its matches."""
    text = table["text"]
    if places is None:
        counts = table.select(rule.count(pl.col("text"))).to_series()
    else:
        counts = pl.zeros(len(table), pl.UInt32, eager=True)
        if not places.is_empty():
            counts = counts.scatter(places, table[places].select(rule.count(pl.col("text"))).to_series())
    matched = counts > 0
    # Most rules match in few texts; the others are neither searched again nor copied.
    if 2 * matched.sum() > len(matched):
        text = table.select(rule.apply(pl.col("text"))).to_series()
    elif matched.any():
        changed = table.filter(matched).select(rule.apply(pl.col("text"))).to_series()
        text = text.scatter(matched.arg_true(), changed)
    return table.with_columns(text, counts.alias(column))


def _may_match(passed: pl.DataFrame) -> pl.Series:
    """Whether any rule may still match a text: where none does, cleaning has nothing left to do."""
    uncommon = _uncommon(pl.when(pl.col("uncommon") != "").then(pl.col("text")).otherwise(pl.lit("")))
    may_match = [
        (pl.col("uncommon") if rule.rare else pl.col("text")).str.contains(rule.pattern) for rule in CLEANING_RULES
    ]
    return passed.with_columns(uncommon.alias("uncommon")).select(pl.any_horizontal(may_match)).to_series()


def _rule_matches(texts: pl.Series, counts: pl.DataFrame) -> list[RuleMatches]:
    """Each rule's totals, and its first place in the corpus with a few words of context."""
    if texts.is_empty():
        return [RuleMatches(rule.name, 0, 0, "", "") for rule in CLEANING_RULES]
    totals = [counts[f"matches_{number}"] for number in range(len(CLEANING_RULES))]
    firsts = pl.DataFrame({"text": texts.gather([int((total > 0).arg_max() or 0) for total in totals])})
    matches: list[RuleMatches] = []
    for rule, total in zip(CLEANING_RULES, totals, strict=True):
        before = after = ""
        if (total > 0).any():
            text = firsts["text"].head(1)
            begin = int(text.str.find(rule.pattern).item())
            found = len(text.str.extract(f"({rule.pattern})", 0).item().encode())
            context = text.item().encode()[max(0, begin - 30) : begin + found + 30]
            before = context.decode(errors="ignore")
            after = pl.select(rule.apply(pl.lit(before))).item()
        matches.append(RuleMatches(rule.name, int(total.sum()), int((total > 0).sum()), before, after))
        firsts = firsts.slice(1).select(rule.apply(pl.col("text")))
    return matches
