"""What of the cleaned articles is left out, by rule, each counted and listed: nothing vanishes silently."""

import polars as pl

MINIMUM_WORDS = 10  # shorter ones are cross-references ("Abbas: see Persia"), which are no running text
MINIMUM_SHARE_OF_LETTERS = 0.5  # of the characters but spaces; below lie tables and formulas


def filter_articles(articles: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Divides articles into those kept (in order) and those left out, with the column `reason`."""
    characters = pl.col("text").str.count_matches(r"\S").clip(lower_bound=1)
    letters = pl.col("text").str.count_matches(r"\p{L}")
    judged = articles.with_columns(
        pl.when(pl.col("words") < MINIMUM_WORDS)
        .then(pl.lit(f"fewer than {MINIMUM_WORDS} words"))
        .when(letters / characters < MINIMUM_SHARE_OF_LETTERS)
        .then(pl.lit("mostly figures or formulas"))
        .when(~pl.col("text").is_first_distinct())
        .then(pl.lit("the same text as an earlier article"))
        .alias("reason")
    )
    kept = judged.filter(pl.col("reason").is_null()).drop("reason")
    return kept, judged.filter(pl.col("reason").is_not_null()).select("volume", "title", "words", "reason", "text")
