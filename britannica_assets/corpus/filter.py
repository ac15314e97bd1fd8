"""What of the cleaned articles is left out, by rule, each counted and listed: nothing vanishes silently."""

import polars as pl

from britannica_assets.corpus.near_doubles import near_doubles

MINIMUM_WORDS = 10  # shorter ones are cross-references ("Abbas: see Persia"), which are no running text
MOST_FIGURES = 0.5  # a word; where more stand, they are a table's or a formula's
FIGURES = r"[0-9][0-9.,/½¼¾]*|[=+×÷√∑∫<>±∞∂]"


def filter_articles(articles: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Divides articles into those kept (in order) and those left out, with the column `reason`.

    Of articles with the same text, or nearly the same, the first is kept.
    """
    judged = articles.with_columns(
        pl.when(pl.col("words") < MINIMUM_WORDS)
        .then(pl.lit(f"fewer than {MINIMUM_WORDS} words"))
        .when(pl.col("text").str.count_matches(FIGURES) > MOST_FIGURES * pl.col("words"))
        .then(pl.lit("mostly tables or formulas"))
        .when(~pl.col("text").is_first_distinct())
        .then(pl.lit("the same text as an earlier article"))
        .alias("reason")
    )
    candidates = judged.with_row_index("row").filter(pl.col("reason").is_null())
    reasons = {
        candidates["row"][later]: f"nearly the same text as {candidates['title'][earlier]!r} ({similarity:.0%} of both)"
        for later, (earlier, similarity) in _repeated(candidates["text"]).items()
    }
    repeated = pl.DataFrame(
        {"row": list(reasons), "near": list(reasons.values())}, {"row": pl.UInt32, "near": pl.String}
    )
    judged = (
        judged.with_row_index("row")
        .join(repeated, on="row", how="left", maintain_order="left")
        .with_columns(pl.coalesce("reason", "near").alias("reason"))
        .drop("row", "near")
    )
    kept = judged.filter(pl.col("reason").is_null()).drop("reason")
    return kept, judged.filter(pl.col("reason").is_not_null()).select("volume", "title", "words", "reason", "text")


def _repeated(texts: pl.Series) -> dict[int, tuple[int, float]]:
    """Of each group of near doubles all but the first: its row, the earlier kept row that it repeats, how nearly."""
    repeated: dict[int, tuple[int, float]] = {}
    for row, earlier, similarity in near_doubles(texts).sort("row", "earlier_row").rows():
        if row not in repeated and earlier not in repeated:
            repeated[row] = (earlier, similarity)
    return repeated
