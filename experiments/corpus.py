"""Articles → a tokenizer and token ids, as the assets of the corpus make them, in a folder for the other experiments.

`python -m experiments.corpus ARTICLES OUTPUT`: ARTICLES is a folder of Parquet files with the columns
`volume` and `text`, a row an article. OUTPUT gets `tokenizer` and `token_ids`.
"""

import argparse
from pathlib import Path
from typing import Literal

import polars as pl

from britannica_assets.config import load_configuration
from britannica_assets.corpus.clean import clean_texts
from britannica_assets.corpus.split import split_articles
from britannica_assets.corpus.token_ids import Split, SplitStatistics, write_description, write_split
from britannica_assets.corpus.tokenizer import save_tokenizer, train_tokenizer


def write_corpus(
    folder: Path, output: Path, *, train_words: int | Literal["all"], validation_words: int, vocab_size: int
) -> dict[Split, SplitStatistics]:
    """Writes `tokenizer` and `token_ids` to `output` from the articles in `folder`; `token_ids` is described last."""
    configuration = load_configuration("paper")
    articles = pl.read_parquet(sorted(folder.glob("*.parquet")), columns=["volume", "text"])
    articles = articles.with_columns(clean_texts(articles["text"]).alias("text"))
    split = split_articles(
        articles.with_columns(pl.col("text").str.count_matches(r"\S+").alias("words")).filter(pl.col("words") > 0),
        train_words=train_words,
        validation_words=validation_words,
        seed=configuration.seed,
    )
    texts = {name: split.filter(pl.col("split") == name)["text"] for name in ("train", "validation")}
    tokenizer = train_tokenizer(
        texts["train"],
        vocab_size=vocab_size,
        min_frequency=configuration.tokenizer.min_frequency,
    )
    parts: tuple[Split, ...] = ("train", "validation")
    for name in ("tokenizer", "token_ids"):
        (output / name).mkdir(parents=True, exist_ok=True)
    save_tokenizer(tokenizer, output / "tokenizer", model_max_length=2 * configuration.sequence_length)
    figures: dict[Split, SplitStatistics] = {
        name: write_split(output / "token_ids", name, tokenizer, texts[name]) for name in parts
    }
    write_description(output / "token_ids", tokenizer, figures)
    return figures


def main() -> None:
    """Writes the folders and prints what they hold."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("articles", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--train-words", type=int, default=1_000_000)
    parser.add_argument("--validation-words", type=int, default=50_000)
    parser.add_argument("--vocabulary-size", type=int, default=16_000)
    told = parser.parse_args()
    figures = write_corpus(
        told.articles,
        told.output,
        train_words=told.train_words,
        validation_words=told.validation_words,
        vocab_size=told.vocab_size,
    )
    for name, found in figures.items():
        print(f"{name}: {found.articles:,} articles, {found.words:,} words, {found.tokens:,} tokens")


if __name__ == "__main__":
    main()
