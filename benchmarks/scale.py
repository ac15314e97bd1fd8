"""The corpus assets on a whole encyclopaedia: seconds, peak memory and data version of each, materialized twice.

    python -m benchmarks.scale ../shared/data/eb1911/volume_*.parquet

Volumes that are missing to the 28 are filled with further copies of the files' articles, whose words stand in another
order: as many words as the real ones, and no near-duplicates of them. Each asset runs in a process of its own.
"""

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl

from benchmarks.fresh_process import in_a_fresh_process, peak_memory
from britannica_assets.config import load_configuration
from britannica_assets.corpus import assets as corpus
from britannica_assets.partitions import volume_partitions
from britannica_assets.resources import shared_resources
from britannica_assets.settings import Settings
from britannica_assets.wikisource.articles import ARTICLES_SCHEMA

STAGES = (
    (corpus.encyclopedia, None),
    (corpus.clean_encyclopedia, None),
    (corpus.corpus_split, "babylm_10m"),
    (corpus.corpus_split, "encyclopedia"),
    (corpus.tokenizer, "encyclopedia"),
    (corpus.token_ids, "encyclopedia"),
    (corpus.published_dataset, None),
)
SHOWN = {
    *("articles", "words", "removed", "train_words", "validation_words", "train_tokens", "fertility", "unknown_bytes"),
    *("same_texts", "near_duplicates", "validation_shingles_in_train"),
}


def write_volumes(files: list[Path], data: Path) -> int:
    """Writes 28 volumes of `articles`; gives their words."""
    words = 0
    (data / "articles").mkdir(parents=True)
    for number, volume in enumerate(volume_partitions.get_partition_keys()):
        articles = pl.read_parquet(files[number % len(files)], columns=["part", "position", "title", "text"])
        order = pl.col("text").str.split(" ")
        reordered = (order, order.list.reverse(), order.list.sort())[min(2, number // len(files))]
        articles = articles.with_columns(
            pl.lit(int(volume)).alias("volume"), reordered.list.join(" ").alias("text"), pl.lit(1).alias("revision")
        ).with_columns(pl.col("text").str.count_matches(r"\S+").alias("words"))
        words += int(articles["words"].sum())
        columns = [
            (pl.col(name) if name in articles.columns else pl.lit(None)).cast(kind).alias(name)
            for name, kind in ARTICLES_SCHEMA.items()
        ]
        articles.select(columns).write_parquet(data / "articles" / f"{volume}.parquet")
    return words


def materialize(stage: int, data: Path) -> tuple[float, float, str, dict[str, Any]]:
    """Materializes one asset in this process: seconds, the process's peak in GB, data version, metrics."""
    asset, partition = STAGES[stage]
    settings = Settings(data_dir=str(data), scale="paper")
    known: list[dg.AssetSpec | dg.AssetsDefinition] = [
        dg.AssetSpec("articles", partitions_def=volume_partitions),
        *{stage[0] for stage in STAGES},
    ]
    started = time.perf_counter()
    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize(
            known,
            selection=[asset],
            partition_key=partition,
            instance=instance,
            resources=shared_resources(settings, load_configuration(settings.scale)),
        )
    seconds = time.perf_counter() - started
    (event,) = result.asset_materializations_for_node(asset.key.to_python_identifier())
    metadata = [event.metadata, *(check.metadata for check in result.get_asset_check_evaluations())]
    metrics = {name: value.value for of_one in metadata for name, value in of_one.items() if name in SHOWN}
    version = (event.tags or {})["dagster/data_version"]
    return seconds, peak_memory() / 1e9, version, metrics


def main() -> None:
    """Prints a row an asset."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", type=Path, help="Parquet files of articles, one a volume")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        print(f"{write_volumes(arguments.files, data):,} words\n")
        print(
            "| asset | seconds | peak GB | data version | the second run's | metrics |"
            "\n| --- | --- | --- | --- | --- | --- |"
        )
        for stage, (asset, partition) in enumerate(STAGES):
            runs = []
            for _ in range(2):
                runs.append(in_a_fresh_process(materialize, stage, data))
            (seconds, peak, version, metrics), (_, _, again, _) = runs
            name = asset.key.to_user_string() + (f" {partition}" if partition else "")
            numbers = ", ".join(f"{key} {value}" for key, value in metrics.items())
            same = "the same" if again == version else again[:12]
            print(f"| {name} | {seconds:.1f} | {peak:.2f} | `{version[:12]}` | {same} | {numbers} |", flush=True)


if __name__ == "__main__":
    main()
