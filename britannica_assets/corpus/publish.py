"""The corpus as a Hugging Face data set folder: Parquet by track and split, with provenance, and a data card.

`datasets.load_dataset(folder, "babylm_10m")` loads it. To push it to the Hub, which nothing here does by itself:
`hf upload NAME/REPOSITORY data/published_dataset/published_dataset --repo-type dataset`.
"""

from collections.abc import Mapping
from pathlib import Path

import polars as pl

from britannica_assets.corpus.clean import STEPS
from britannica_assets.corpus.filter import MINIMUM_WORDS, MOST_FIGURES
from britannica_assets.corpus.near_doubles import SHINGLE, SIMILAR
from britannica_assets.storage import table_digest

SPLITS = ("train", "validation")


def write_dataset(folder: Path, tracks: Mapping[str, pl.DataFrame]) -> None:
    """Writes a configuration a track, a Parquet file a split, and `README.md`, the data card, last.

    Args:
        folder: is there and empty.
        tracks: by name, the articles with the column `split`.
    """
    for track, articles in tracks.items():
        (folder / track).mkdir()
        for split in SPLITS:
            part = articles.filter(pl.col("split") == split).drop("split")
            part.write_parquet(folder / track / f"{split}-00000-of-00001.parquet", compression="zstd")
    (folder / "README.md").write_text(data_card(tracks), encoding="utf-8")


def data_card(tracks: Mapping[str, pl.DataFrame]) -> str:
    """The card: what the data is, how much, from where, under which licence, and by which rules it was cleaned."""
    configurations = "\n".join(
        f"- config_name: {track}\n  data_files:\n"
        + "\n".join(f"  - split: {split}\n    path: {track}/{split}-*.parquet" for split in SPLITS)
        for track in tracks
    )
    counts = []
    for track, articles in tracks.items():
        for split in SPLITS:
            part = articles.filter(pl.col("split") == split).drop("split")
            words = int(part["words"].sum())
            counts.append(f"| {track} | {split} | {len(part):,} | {words:,} | `{table_digest(part)}` |")
    volumes = sorted({volume for articles in tracks.values() for volume in articles["volume"].unique()})
    rules = "\n".join(f"- {step.name}: `{_visible(step.before)}` → `{_visible(step.after)}`" for step in STEPS)
    return f"""---
language: en
license: cc-by-sa-4.0
task_categories: [text-generation]
pretty_name: Encyclopædia Britannica, eleventh edition (1911)
configs:
{configurations}
---

# Encyclopædia Britannica, eleventh edition (1911)

Articles as Wikisource's volunteers transcribed them, cleaned for language modeling. Volumes:
{", ".join(str(volume) for volume in volumes)}.

| track | split | articles | words | SHA-256 of the table |
| --- | --- | --- | --- | --- |
{chr(10).join(counts)}

Words are counted by white space. Each article has its volume, part, position, title, first and last printed page,
proofreading quality, contributor and the revision of its wiki page.

## Licence

The printed text is in the public domain; the transcription is Wikisource's, under CC BY-SA 4.0.

## Cleaning rules, in their order

{rules}

Left out: articles of fewer than {MINIMUM_WORDS} words, those with more than {MOST_FIGURES} figures and mathematical
signs a word (tables and formulas), second copies of the same text, and near doubles: of two articles that share
{SIMILAR:.0%} of their runs of {SHINGLE} words the later one.
"""


def _visible(text: str) -> str:
    return text.encode("unicode_escape").decode("ascii") if not text.isprintable() else text
