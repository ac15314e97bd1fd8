"""Filters: which cleaned articles are removed, and for what reason; each is counted and listed."""

import polars as pl

from britannica_assets.corpus.near_duplicates import near_duplicates

MIN_WORDS = 10  # shorter ones are cross-references ("Abbas: see Persia"), which are no running text


class NoArticlesError(ValueError):
    """No article is left to make a corpus of; the message says what became of them, and the remedy."""


def filter_articles(articles: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Divides articles into those kept (in order) and those removed, with the column `reason`.

    Of articles with the same text, or nearly the same, the first is kept.
    """
    marked = articles.with_columns(
        pl.when(pl.col("text").is_null())
        .then(pl.lit("no text: none was extracted, or its cleaning comes to no end"))
        .when(pl.col("words") < MIN_WORDS)
        .then(pl.lit(f"fewer than {MIN_WORDS} words"))
        .when(~pl.col("text").is_first_distinct())
        .then(pl.lit("the same text as an earlier article"))
        .alias("reason")
    )
    candidates = marked.with_row_index("row").filter(pl.col("reason").is_null())
    reasons = {
        candidates["row"][later]: f"nearly the same text as {candidates['title'][earlier]!r} ({similarity:.0%} of both)"
        for later, (earlier, similarity) in _later_copies(candidates["text"]).items()
    }
    copies = pl.DataFrame({"row": list(reasons), "near": list(reasons.values())}, {"row": pl.UInt32, "near": pl.String})
    marked = (
        marked.with_row_index("row")
        .join(copies, on="row", how="left", maintain_order="left")
        .with_columns(pl.coalesce("reason", "near").alias("reason"))
        .drop("row", "near")
    )
    kept = marked.filter(pl.col("reason").is_null()).drop("reason")
    return kept, marked.filter(pl.col("reason").is_not_null()).select("volume", "title", "words", "reason", "text")


def require_articles(kept: pl.DataFrame, removed: pl.DataFrame) -> None:
    """Raises `NoArticlesError` if no article is kept."""
    if not kept.is_empty():
        return
    if removed.is_empty():
        raise NoArticlesError("the encyclopedia holds no article: materialize articles of a volume that has some")
    listed = "; ".join(
        f"{title!r} (volume {volume}): {reason}"
        for volume, title, reason in removed.head(3).select("volume", "title", "reason").rows()
    )
    raise NoArticlesError(f"none of {len(removed):,} articles is kept, for example {listed}: materialize more volumes")


def _later_copies(texts: pl.Series) -> dict[int, tuple[int, float]]:
    """Of each group of near-duplicates all but the first: its row, the kept row that it copies, the similarity."""
    copies: dict[int, tuple[int, float]] = {}
    for row, earlier, similarity in near_duplicates(texts).sort("row", "earlier_row").rows():
        if row not in copies and earlier not in copies:
            copies[row] = (earlier, similarity)
    return copies
