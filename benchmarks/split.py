"""How still the split stands: articles that move when one of them changes, and volumes' shares, over eight seeds.

    python -m benchmarks.split ../shared/data/eb1911/volume_*.parquet

Each change is made to a hundred articles, one at a time, and to the twenty longest; what is counted are the others that
come to another split, or into one, or out of it. Budgets are those of babylm_10m, on cleaned articles.
"""

import argparse
import random
from pathlib import Path

import polars as pl

from britannica_assets.corpus.clean import clean_articles
from britannica_assets.corpus.filters import MIN_WORDS
from britannica_assets.corpus.split import split_articles

TRAIN_WORDS, VALIDATION_WORDS = 10_000_000, 2_000_000
SEED, SEEDS = 1911, range(8)
RANDOM, LONGEST = 100, 20
NEW = "(new)"


def change(articles: pl.DataFrame, kind: str, row: int) -> pl.DataFrame:
    """The articles after one change to one of them."""
    changed = pl.int_range(pl.len()) == row
    renamed = articles[row].with_columns(pl.col("title") + NEW)
    return {
        "removed": lambda: articles.filter(~changed),
        "added": lambda: pl.concat([articles, renamed]),
        "grown to twice its length": lambda: articles.with_columns(
            words=pl.col("words") * pl.when(changed).then(2).otherwise(1)
        ),
        "retitled": lambda: pl.concat([articles.filter(~changed), renamed]),
        "rows shuffled": lambda: articles.sample(fraction=1, shuffle=True, seed=row),
    }[kind]()


def splits(articles: pl.DataFrame) -> pl.DataFrame:
    split = split_articles(articles, train_words=TRAIN_WORDS, validation_words=VALIDATION_WORDS, seed=SEED)
    return split.select("volume", "title", "split")


def moved(before: pl.DataFrame, articles: pl.DataFrame, title: str) -> int:
    """How many articles but the changed one are of another split than before."""
    both = before.join(splits(articles), on=["volume", "title"], how="full", coalesce=True)
    others = both.filter(~pl.col("title").is_in([title, title + NEW]))
    return others.filter(pl.col("split").ne_missing(pl.col("split_right"))).height


def print_moves(articles: pl.DataFrame) -> None:
    before, chance = splits(articles), random.Random(SEED)
    rows = {
        "random": chance.sample(range(len(articles)), RANDOM),
        "longest": articles["words"].arg_sort(descending=True).head(LONGEST).to_list(),
    }
    print(
        "| one article | moved, mean of a hundred | most | mean of the twenty longest | most |\n" + "| --- " * 5 + "|"
    )
    for kind in ("removed", "added", "grown to twice its length", "retitled", "rows shuffled"):
        cells = []
        for which in rows.values():
            counts = [moved(before, change(articles, kind, row), articles["title"][row]) for row in which]
            cells += [f"{sum(counts) / len(counts):.1f}", str(max(counts))]
        print(f"| {kind} | {' | '.join(cells)} |", flush=True)


def print_shares(articles: pl.DataFrame) -> None:
    print("\n| seed | train words | validation words | volumes' shares | longest ten | of the ten longest articles |")
    print("| --- " * 6 + "|")
    whole = articles.group_by("volume").agg(pl.col("words").sum() / articles["words"].sum())
    for seed in SEEDS:
        split = split_articles(articles, train_words=TRAIN_WORDS, validation_words=VALIDATION_WORDS, seed=seed)
        train, validation = (split.filter(split=name) for name in ("train", "validation"))
        words = int(validation["words"].sum())
        shares = validation.group_by("volume").agg(pl.col("words").sum() / words).join(whole, on="volume")
        ratio = shares.select(pl.col("words") / pl.col("words_right")).to_series().sort()
        ten = int(validation["words"].top_k(10).sum()) / words
        longest = articles.top_k(10, by="words").join(train, on=["volume", "title"], how="anti").height
        print(
            f"| {seed} | {int(train['words'].sum()):,} | {words:,} | {ratio[0]:.2f} to {ratio[-1]:.2f} | {ten:.1%} of"
            f" validation | {10 - longest} in train |"
        )


def main() -> None:
    """Prints both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", type=Path, help="Parquet files of articles: volume, title, text")
    arguments = parser.parse_args()
    printed = pl.concat([pl.read_parquet(file, columns=["volume", "title", "text"]) for file in arguments.files])
    cleaned, _ = clean_articles(printed.lazy())
    articles = cleaned.select("volume", "title", "words").filter(pl.col("words") >= MIN_WORDS)
    print_moves(articles)
    print_shares(articles)


if __name__ == "__main__":
    main()
