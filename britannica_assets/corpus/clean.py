"""Cleaning: standardizes the printed text and keeps what was printed.

`CLEANING_RULES` in `cleaning_rules.py` is the whole method. Each rule is one polars expression over a column of texts
(paragraphs joined by line breaks), so that a table of any length streams through them on every core.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import polars as pl

from britannica_assets.corpus.cleaning_rules import CLEANING_RULES, COMMON_CHARACTERS

MAX_PASSES = 50
SMALL = 500  # texts that are not worth starting every core for


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
    texts, counts = _clean(table["text"])
    # Cleaned words stand one character of white space apart, and counting those is several times as quick.
    words = (
        pl.when(pl.col("text") != "").then(pl.col("text").str.count_matches(r"[ \n]") + 1).otherwise(0).cast(pl.Int32)
    )
    cleaned = table.with_columns(texts).with_columns(words.alias("words")).select(table.columns)
    return cleaned, _rule_matches(table["text"].drop_nulls(), counts)


def clean_texts(texts: pl.Series) -> pl.Series:
    """Cleans each text until no rule changes it; null is what has no text, or still changes after `MAX_PASSES`."""
    return _clean(texts)[0]


def _clean(texts: pl.Series) -> tuple[pl.Series, pl.DataFrame]:
    """The cleaned texts, and how often each rule matched in the first pass, a row a text that is not null."""
    table = pl.DataFrame({"text": texts}, schema={"text": pl.String}).with_row_index("row")
    unsettled = table.drop_nulls("text")
    settled = [unsettled.clear()]
    matches: pl.DataFrame | None = None
    for _ in range(MAX_PASSES):
        passed = _pass(unsettled)
        matches = passed.select(pl.col("^matches_.*$").fill_null(0)) if matches is None else matches
        again = (passed["text"] != unsettled["text"]) & _may_match(passed)
        settled.append(passed.filter(~again).select("row", "text"))
        unsettled = passed.filter(again).select("row", "text")
        if unsettled.is_empty():
            break
    cleaned = table.select("row").join(pl.concat(settled), on="row", how="left", maintain_order="left")["text"]
    assert matches is not None  # there is a first pass
    return cleaned, matches


def _pass(table: pl.DataFrame) -> pl.DataFrame:
    """Applies all rules once to the column `text` and adds how often each matched, `matches_0` and so on."""
    uncommon = pl.col("text").str.contains(f"[^{COMMON_CHARACTERS}]").alias("uncommon")
    table = table.lazy().with_columns(uncommon).collect(engine="streaming")
    # Filtered, and not masked by null: polars rewrites what stands under a null too.
    rare = _apply(table.filter("uncommon"), [number for number, rule in enumerate(CLEANING_RULES) if rule.rare])
    merged = pl.concat([table.filter(~pl.col("uncommon")), rare], how="diagonal").sort("row")
    return _apply(merged, [number for number, rule in enumerate(CLEANING_RULES) if not rule.rare])


def _apply(table: pl.DataFrame, numbers: Iterable[int]) -> pl.DataFrame:
    for number in numbers:
        rule, column = CLEANING_RULES[number], f"matches_{number}"
        counts = _select(table, rule.count(pl.col("text"))).alias(column)
        matched = counts.fill_null(0) > 0
        text = table["text"]
        # Most rules match in few texts; the others are neither searched again nor copied.
        if matched.any():
            changed = _select(table.filter(matched), rule.apply(pl.col("text")))
            text = changed if matched.all() else text.scatter(matched.arg_true(), changed)
        table = table.with_columns(text, counts)
    return table


def _select(table: pl.DataFrame, expression: pl.Expr) -> pl.Series:
    """The expression's values; on every core where there is work for them."""
    engine: Literal["streaming", "in-memory"] = "streaming" if len(table) > SMALL else "in-memory"
    return table.lazy().select(expression).collect(engine=engine).to_series()


def _may_match(passed: pl.DataFrame) -> pl.Series:
    """Whether any rule may still match a text: where none does, cleaning has nothing left to do."""
    matching = (pl.col("text").str.contains(rule.pattern) for rule in CLEANING_RULES if not rule.rare)
    return passed.lazy().select(pl.any_horizontal("uncommon", *matching)).collect(engine="streaming").to_series()


def _rule_matches(texts: pl.Series, counts: pl.DataFrame) -> list[RuleMatches]:
    """Each rule's totals, and its first place in the corpus with a few words of context."""
    if texts.is_empty():
        return [RuleMatches(rule.name, 0, 0, "", "") for rule in CLEANING_RULES]
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
