"""The corpus as a Hugging Face data set folder: Parquet by track and split, with provenance, and a data card.

`datasets.load_dataset(folder, "babylm_10m")` loads it. To push it to the Hub, which nothing here does by itself:
`hf upload NAME/REPOSITORY data/published_dataset/published_dataset --repo-type dataset`.
"""

from collections.abc import Mapping
from pathlib import Path

import polars as pl

from britannica_assets.corpus.cleaning_rules import CLEANING_RULES
from britannica_assets.corpus.filters import MIN_WORDS
from britannica_assets.corpus.near_duplicates import SHINGLE_SIZE, SIMILARITY_THRESHOLD
from britannica_assets.corpus.token_ids import SPLITS
from britannica_assets.digests import table_digest
from britannica_assets.templates import render_template


def write_dataset(folder: Path, tracks: Mapping[str, pl.DataFrame]) -> None:
    """Writes a configuration a track, a Parquet file a split, and `README.md`, the data card, last.

    Args:
        folder: is there and empty.
        tracks: by name, the articles with the column `split`.
    """
    counts: list[dict[str, object]] = []
    for track, articles in tracks.items():
        (folder / track).mkdir()
        for split in SPLITS:
            part = articles.filter(pl.col("split") == split).drop("split")
            part.write_parquet(folder / track / f"{split}-00000-of-00001.parquet", compression="zstd")
            counts.append(
                {
                    "track": track,
                    "split": split,
                    "articles": len(part),
                    "words": int(part["words"].sum()),
                    "digest": table_digest(part),
                }
            )
    (folder / "README.md").write_text(_dataset_card(tracks, counts), encoding="utf-8")


def _dataset_card(tracks: Mapping[str, pl.DataFrame], counts: list[dict[str, object]]) -> str:
    """The card: what the data is, how much, from where, under which licence, and by which rules it was cleaned."""
    rules = [
        {"name": rule.name, "before": _printable(rule.before), "after": _printable(rule.after)}
        for rule in CLEANING_RULES
    ]
    return render_template(
        "britannica_assets.corpus",
        "dataset_card.md.jinja",
        tracks=list(tracks),
        splits=SPLITS,
        volumes=sorted({volume for articles in tracks.values() for volume in articles["volume"].unique()}),
        counts=counts,
        rules=rules,
        min_words=MIN_WORDS,
        similarity_threshold=SIMILARITY_THRESHOLD,
        shingle_size=SHINGLE_SIZE,
    )


def _printable(text: str) -> str:
    return text.encode("unicode_escape").decode("ascii") if not text.isprintable() else text
