"""Plots of the corpus for Dagster's metadata, as Markdown images."""

import numpy as np
import polars as pl

from britannica_assets.plotting import as_markdown, new_plot

BATCH_SIZE = 2_000  # articles whose words are counted at once


def words_by_volume(articles: pl.DataFrame) -> str:
    """A bar a volume: its words."""
    words = articles.group_by("volume").agg(pl.col("words").sum()).sort("volume")
    figure = new_plot("Words by volume", "volume", "words")
    figure.axes[0].bar(words["volume"].cast(pl.String), words["words"], color="#4a6785")
    return as_markdown(figure)


def article_lengths(articles: pl.DataFrame) -> str:
    """A histogram of the articles' lengths in words, on a logarithmic scale."""
    return _length_histogram("Article lengths", articles["words"].to_numpy().clip(min=1), "words")


def zipf_curve(articles: pl.DataFrame) -> str:
    """Word frequency by rank on logarithmic scales; natural text falls on nearly a straight line (Zipf 1949)."""
    words = pl.col("text").str.to_lowercase().str.extract_all(r"\p{L}+").explode().alias("word")
    # In batches: all words of an encyclopaedia at once take gigabytes.
    counts = [batch.select(words).group_by("word").len() for batch in articles.select("text").iter_slices(BATCH_SIZE)]
    frequencies = pl.concat(counts).group_by("word").agg(pl.col("len").sum())["len"].sort(descending=True).to_numpy()
    figure = new_plot("Zipf curve", "rank", "frequency")
    figure.axes[0].loglog(np.arange(1, len(frequencies) + 1), frequencies, color="#8a3b2e")
    return as_markdown(figure)


def token_lengths(tokens_by_article: np.ndarray) -> str:
    """A histogram of the articles' lengths in tokens, on a logarithmic scale."""
    return _length_histogram("Article lengths in tokens", tokens_by_article, "tokens")


def _length_histogram(title: str, lengths: np.ndarray, unit: str) -> str:
    figure = new_plot(title, unit, "articles")
    bins = np.geomspace(1, lengths.max() + 1, 50).tolist()
    figure.axes[0].hist(lengths, bins=bins, color="#4a6785")
    figure.axes[0].set_xscale("log")
    return as_markdown(figure)
