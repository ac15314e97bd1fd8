"""`make demo`: the whole graph on the bundled sample, through the same client and the same assets as the real thing.

`python -m britannica_assets.demo [FOLDER]` works from any folder and stores everything below FOLDER.
"""

import argparse
import os
import shlex
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import dagster as dg

    from britannica_assets.settings import Settings

VOLUMES = ["01", "02"]
TRACK = "babylm_10m"
LABEL = "the bundled sample's pairs"


def main() -> None:
    """Reads the command line and runs the demo."""
    parser = argparse.ArgumentParser(prog="python -m britannica_assets.demo", description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=Path("data/demo"), help="default: data/demo")
    run(parser.parse_args().folder.absolute())


def run(data: Path) -> None:
    """Serves the sample, materializes every asset into the folder `data`, and prints what was made."""
    started = time.monotonic()
    from britannica_assets.sample import wiki_server

    with wiki_server.serve() as wiki_url:
        prepare(data, wiki_url)

        import dagster as dg

        from britannica_assets.code_location import settings
        from britannica_assets.definitions import defs
        from britannica_assets.jobs import CORPUS_ASSETS
        from britannica_assets.materialize import MaterializationError, materialize, open_instance

        everything = defs.resolve_implicit_global_asset_job_def()
        corpus = [dg.AssetKey(name) for name in CORPUS_ASSETS]
        with open_instance(data / "dagster_home") as instance:
            try:
                for volume in VOLUMES:
                    materialize(instance, defs.resolve_job_def("scrape_volume"), partition=volume)
                materialize(instance, everything, assets=corpus)
                materialize(instance, defs.resolve_job_def("track"), partition=TRACK)
            except MaterializationError as error:
                sys.exit(f"make demo failed: {error}")
            print_summary(instance, defs.resolve_all_asset_specs())
        print_article(settings)
    britannica = Path(sys.executable).with_name("britannica")
    print(f"\nEverything was made in {time.monotonic() - started:.0f} s. To look at it in Dagster and MLflow:\n")
    print(f"  {shlex.join([str(britannica), 'demo-ui', str(data)])}")


def prepare(data: Path, wiki_url: str) -> None:
    """Sets the environment of the demo, and writes its evaluation data."""
    evaluation_data = data / "evaluation_data"
    # The definitions read the environment when they are loaded, which is after this.
    os.environ |= {
        "BRITANNICA_DATA_DIR": str(data),
        "BRITANNICA_WIKI_URL": wiki_url,
        "BRITANNICA_SCALE": "demo",
        "BRITANNICA_EVAL_DIR": str(evaluation_data),
        "BRITANNICA_REQUESTS_PER_SECOND": "500",  # our own server, on this machine
        "DAGSTER_HOME": str(data / "dagster_home"),
        "TOKENIZERS_PARALLELISM": "false",
        "OMP_WAIT_POLICY": "PASSIVE",  # the demo's models are small, and other work may share the cores
    }
    os.environ.pop("MLFLOW_TRACKING_URI", None)

    from britannica_assets.evaluation.evaluation_data import write_label
    from britannica_assets.sample import minimal_pairs

    minimal_pairs.write(evaluation_data)
    write_label(evaluation_data, LABEL)


def print_summary(instance: "dg.DagsterInstance", assets: "Sequence[dg.AssetSpec]") -> None:
    """A table of the numbers in each asset's latest materialization, in the order in which they were made."""
    import dagster as dg

    rows = []
    for asset in assets:
        for partition in [None] if asset.partitions_def is None else [*VOLUMES, TRACK]:
            records = instance.fetch_materializations(
                dg.AssetRecordsFilter(asset_key=asset.key, asset_partitions=[partition] if partition else None),
                limit=1,
            ).records
            for record in records:
                if record.asset_materialization is not None:
                    numbers = _numbers(record.asset_materialization.metadata)
                    name = asset.key.to_user_string()
                    rows.append((record.timestamp, f"  {name:<26}{partition or 'all':<14}{', '.join(numbers[:4])}"))
    print("\nWhat was made\n")
    for _, row in sorted(rows):
        print(row)


def _numbers(metadata: "Mapping[str, dg.MetadataValue]") -> list[str]:
    import dagster as dg

    return [
        f"{name.split('/')[-1].replace('_', ' ')} "
        + (f"{value.value:,.5g}" if isinstance(value, dg.FloatMetadataValue) else f"{value.value:,}")
        for name, value in metadata.items()
        if isinstance(value, dg.IntMetadataValue | dg.FloatMetadataValue)
    ]


def print_article(settings: "Settings") -> None:
    """An article that the student wrote."""
    import polars as pl

    from britannica_assets.storage import asset_path

    articles = pl.read_parquet(str(asset_path(settings, "generated_articles", f"{TRACK}.parquet")))
    article = articles.row(0, named=True)
    print(f"\nAn article by the student of {TRACK}\n")
    print(f"  {article['prompt']} {article['text'].removeprefix(article['prompt']).strip()}")


if __name__ == "__main__":
    main()
