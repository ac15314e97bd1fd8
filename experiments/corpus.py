"""Articles → a tokenizer and token ids, by the corpus's own functions, in a folder for the other experiments.

`python -m experiments.corpus ARTICLES OUTPUT [--scale experiments/fiftieth.yaml]`: ARTICLES is a folder of Parquet
files with the columns `volume`, `title` and `text`, a row an article. OUTPUT gets `tokenizer` and `token_ids`.
"""

import argparse
from pathlib import Path

import polars as pl

from britannica_assets.config import Configuration, load_configuration
from britannica_assets.corpus.clean import clean_articles
from britannica_assets.corpus.split import split_articles
from britannica_assets.corpus.token_ids import Split, SplitStatistics, write_token_ids
from britannica_assets.corpus.tokenizer import save_tokenizer, train_tokenizer

TRACK = "babylm_10m"


def write_corpus(folder: Path, output: Path, configuration: Configuration) -> dict[Split, SplitStatistics]:
    """Writes `tokenizer` and `token_ids` to `output` from the articles in `folder`, by the configuration's budgets."""
    budget = configuration.track(TRACK)
    printed = pl.scan_parquet(sorted(folder.glob("*.parquet"))).select("volume", "title", "text")
    articles, _ = clean_articles(printed)
    split = split_articles(
        articles.filter(pl.col("words") > 0),
        train_words=budget.train_words,
        validation_words=budget.validation_words,
        seed=configuration.seed,
    )
    tokenizer = train_tokenizer(
        split.filter(pl.col("split") == "train")["text"],
        vocab_size=configuration.tokenizer.vocab_size,
        min_frequency=configuration.tokenizer.min_frequency,
    )
    for name in ("tokenizer", "token_ids"):
        (output / name).mkdir(parents=True, exist_ok=True)
    save_tokenizer(tokenizer, output / "tokenizer", model_max_length=configuration.sequence_length)
    return write_token_ids(output / "token_ids", tokenizer, split)


def main() -> None:
    """Writes the folders and prints what they hold."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("articles", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--scale", default="paper", help="a shipped configuration or the path of a YAML file")
    arguments = parser.parse_args()
    statistics = write_corpus(arguments.articles, arguments.output, load_configuration(arguments.scale))
    for name, of_split in statistics.items():
        print(f"{name}: {of_split.articles:,} articles, {of_split.words:,} words, {of_split.tokens:,} tokens")


if __name__ == "__main__":
    main()
