"""`make demo`: the whole graph on the bundled sample, through the same client and the same assets as the real thing.

`python -m britannica_assets.demo [FOLDER]` stores everything below the folder, `data/demo` unless told otherwise.
"""

import os
import shutil
import sys
import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import dagster as dg

    from britannica_assets.settings import Settings

VOLUMES = ["01", "02"]
TRACKS = ["babylm_10m"]


def main(data: Path) -> None:
    """Serves the sample, materializes every asset into the folder `data`, and prints what was made."""
    started = time.monotonic()
    dagster_home = data.absolute() / "dagster_home"
    from britannica_assets.sample import wiki_server

    with wiki_server.serve() as wiki_url:
        os.environ |= {
            "BRITANNICA_DATA_DIR": str(data),
            "BRITANNICA_WIKI_URL": wiki_url,
            "BRITANNICA_SCALE": "demo",
            "BRITANNICA_REQUESTS_PER_SECOND": "500",  # our own server, on this machine
            "DAGSTER_HOME": str(dagster_home),
            "TOKENIZERS_PARALLELISM": "false",
        }
        os.environ.pop("BRITANNICA_EVAL_DIR", None)  # the demo scores on the sample's own minimal pairs
        dagster_home.mkdir(parents=True, exist_ok=True)
        shutil.copy(Path("dagster-instance.yaml"), dagster_home / "dagster.yaml")

        import dagster as dg

        # Dagster tells its own use of its previews, at every training.
        warnings.filterwarnings("ignore", category=dg.PreviewWarning)
        from britannica_assets.definitions import defs, settings
        from britannica_assets.jobs import corpus_selection, scraping_selection, track_selection

        with dg.DagsterInstance.get() as instance:
            for volume in VOLUMES:
                materialize(defs, instance, scraping_selection, volume)
            materialize(defs, instance, corpus_selection - scraping_selection, None)
            for track in TRACKS:
                materialize(defs, instance, track_selection, track)
            print_summary(defs, instance, settings)
    print(f"\nEverything was made in {time.monotonic() - started:.0f} s. To look at it:\n")
    print("  Dagster, http://localhost:3000:")
    print(
        f"    BRITANNICA_DATA_DIR={data} BRITANNICA_SCALE=demo DAGSTER_HOME={dagster_home}"
        " .venv/bin/dagster dev -w workspace.yaml"
    )
    print("  MLflow, http://localhost:5000:")
    print(f"    .venv/bin/mlflow ui --port 5000 --backend-store-uri {settings.tracking_uri}")


def materialize(
    defs: "dg.Definitions", instance: "dg.DagsterInstance", selection: "dg.AssetSelection", partition: str | None
) -> None:
    """One Dagster run over the selection's assets in one partition; exits with its error if it fails."""
    from dagster._core.utils import make_new_run_id

    job = defs.resolve_implicit_global_asset_job_def()
    asset_graph = defs.resolve_asset_graph()
    run_id = make_new_run_id()
    with progress(instance, run_id, partition):
        result = job.execute_in_process(
            run_config={"loggers": {"console": {"config": {"log_level": "ERROR"}}}},
            instance=instance,
            asset_selection=sorted(selection.resolve(asset_graph)),
            partition_key=partition,
            run_id=run_id,
            raise_on_error=False,
        )
    if not result.success:
        sys.exit(f"make demo failed: see the error above, or run {run_id} in the Dagster UI")


@contextmanager
def progress(instance: "dg.DagsterInstance", run_id: str, partition: str | None) -> Iterator[None]:
    """Prints a line for each asset of the run as it is materialized."""
    done = threading.Event()

    def follow() -> None:
        cursor = None
        started: dict[str, float] = {}
        while True:
            last_round = done.is_set()
            connection = instance.get_records_for_run(run_id, cursor=cursor)
            cursor = connection.cursor
            for record in connection.records:
                entry = record.event_log_entry
                event = entry.dagster_event
                if event is None or event.step_key is None:
                    continue
                if event.event_type_value == "STEP_START":
                    started[event.step_key] = entry.timestamp
                elif event.event_type_value == "STEP_SUCCESS":
                    seconds = entry.timestamp - started[event.step_key]
                    print(f"  {partition or 'all':<14}{event.step_key:<44}{seconds:6.1f} s", flush=True)
            if last_round:
                return
            done.wait(0.3)

    follower = threading.Thread(target=follow)
    follower.start()
    try:
        yield
    finally:
        done.set()
        follower.join()


def print_summary(defs: "dg.Definitions", instance: "dg.DagsterInstance", settings: "Settings") -> None:
    """A table of the figures that each asset's latest materialization tells, and an article that the student wrote."""
    import dagster as dg
    import polars as pl

    from britannica_assets.storage import asset_path

    asset_graph = defs.resolve_asset_graph()
    print("\nWhat was made\n")
    for key in asset_graph.toposorted_asset_keys:
        partitions = [VOLUMES, TRACKS] if asset_graph.get(key).is_partitioned else [[None]]
        for partition in [name for names in partitions for name in names]:
            record = instance.fetch_materializations(
                dg.AssetRecordsFilter(asset_key=key, asset_partitions=[partition] if partition else None), limit=1
            ).records
            if not record or record[0].asset_materialization is None:
                continue
            figures = [
                f"{name.split('/')[-1].replace('_', ' ')} {value.value:,.5g}"
                if isinstance(value, dg.FloatMetadataValue)
                else f"{name.split('/')[-1].replace('_', ' ')} {value.value:,}"
                for name, value in record[0].asset_materialization.metadata.items()
                if isinstance(value, dg.IntMetadataValue | dg.FloatMetadataValue)
            ]
            print(f"  {key.to_user_string():<26}{partition or 'all':<14}{', '.join(figures[:4])}")
    articles = pl.read_parquet(str(asset_path(settings, "generated_articles", f"{TRACKS[0]}.parquet")))
    article = articles.row(0, named=True)
    print(f"\nAn article by the student of {TRACKS[0]}\n")
    print(f"  {article['prompt']} {article['text'].removeprefix(article['prompt']).strip()}")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "data/demo"))
