"""The demo: the whole graph on the bundled sample, through the same client and the same assets as the real thing."""

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from britannica_assets.settings import Settings

VOLUMES = ["01", "02"]
TRACK = "babylm_10m"
LABEL = "the bundled sample's pairs"


def run(data: Path, scale: str) -> None:
    """Serves the sample, materializes every asset into the folder `data`, and prints what was made.

    Raises:
        MaterializationError: an asset failed.
    """
    started = time.monotonic()
    from britannica_assets.sample import wiki_server

    with wiki_server.serve() as wiki_url:
        prepare(data, wiki_url, scale)

        import dagster as dg

        from britannica_assets.code_location import settings
        from britannica_assets.definitions import defs
        from britannica_assets.jobs import CORPUS_ASSETS
        from britannica_assets.materialize import materialize, open_instance

        everything = defs.resolve_implicit_global_asset_job_def()
        corpus = [dg.AssetKey(name) for name in CORPUS_ASSETS]
        with open_instance(data / "dagster_home") as instance:
            made = []
            for volume in VOLUMES:
                made += materialize(instance, defs.resolve_job_def("scrape_volume"), partition=volume)
            made += materialize(instance, everything, assets=corpus)
            made += materialize(instance, defs.resolve_job_def("track"), partition=TRACK)
    print("\nWhat was made\n", *made, sep="\n")
    print(f"\nAn article by the student of {TRACK}\n\n  {_article(settings)}")
    print(f"\nEverything was made in {time.monotonic() - started:.0f} s.")


def prepare(data: Path, wiki_url: str, scale: str = "demo") -> None:
    """Sets the environment of the demo, and writes its evaluation data."""
    evaluation_data = data / "evaluation_data"
    # The definitions read the environment when they are loaded, which is after this.
    os.environ |= {
        "BRITANNICA_DATA_DIR": str(data),
        "BRITANNICA_WIKI_URL": wiki_url,
        "BRITANNICA_SCALE": scale,
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


def _article(settings: "Settings") -> str:
    import polars as pl

    from britannica_assets.storage import asset_path

    articles = pl.read_parquet(str(asset_path(settings, "generated_articles", f"{TRACK}.parquet")))
    article = articles.row(0, named=True)
    return f"{article['prompt']} {article['text'].removeprefix(article['prompt']).strip()}"
