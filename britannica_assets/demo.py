"""`make demo`: the whole graph on the bundled sample, through the same client and the same assets as the real thing.

`python -m britannica_assets.demo [FOLDER]` works from any folder and stores everything below FOLDER.
"""

import argparse
import os
import shutil
import sys
import threading
import time
import uuid
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
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

        # Dagster prints its own use of its previews, at every training.
        warnings.filterwarnings("ignore", category=dg.PreviewWarning)
        from britannica_assets.code_location import settings
        from britannica_assets.definitions import defs
        from britannica_assets.jobs import CORPUS_ASSETS

        with dg.DagsterInstance.get() as instance:
            for volume in VOLUMES:
                materialize(instance, defs.resolve_job_def("scrape_volume"), volume)
            everything = defs.resolve_implicit_global_asset_job_def()
            materialize(instance, everything, None, [dg.AssetKey(name) for name in CORPUS_ASSETS])
            materialize(instance, defs.resolve_job_def("track"), TRACK)
            print_summary(instance, defs.resolve_all_asset_specs())
        print_article(settings)
    print(f"\nEverything was made in {time.monotonic() - started:.0f} s. To look at it:\n")
    print_interfaces(settings)


def prepare(data: Path, wiki_url: str) -> None:
    """Sets the environment of the demo, and writes its instance's configuration and its evaluation data."""
    dagster_home = data / "dagster_home"
    evaluation_data = data / "evaluation_data"
    # The definitions read the environment when they are loaded, which is after this.
    os.environ |= {
        "BRITANNICA_DATA_DIR": str(data),
        "BRITANNICA_WIKI_URL": wiki_url,
        "BRITANNICA_SCALE": "demo",
        "BRITANNICA_EVAL_DIR": str(evaluation_data),
        "BRITANNICA_REQUESTS_PER_SECOND": "500",  # our own server, on this machine
        "DAGSTER_HOME": str(dagster_home),
        "TOKENIZERS_PARALLELISM": "false",
        "OMP_WAIT_POLICY": "PASSIVE",  # the demo's models are small, and other work may share the cores
    }
    os.environ.pop("MLFLOW_TRACKING_URI", None)
    dagster_home.mkdir(parents=True, exist_ok=True)
    shutil.copy(Path(__file__).with_name("dagster-instance.yaml"), dagster_home / "dagster.yaml")

    from britannica_assets.evaluation.evaluation_data import write_label
    from britannica_assets.sample import minimal_pairs

    minimal_pairs.write(evaluation_data)
    write_label(evaluation_data, LABEL)


def materialize(
    instance: "dg.DagsterInstance",
    job: "dg.JobDefinition",
    partition: str | None,
    assets: "Sequence[dg.AssetKey] | None" = None,
) -> None:
    """One Dagster run of a job, or of some of its assets, in one partition; exits with its error if it fails."""
    run_id = str(uuid.uuid4())
    with progress(instance, run_id, partition):
        result = job.execute_in_process(
            run_config={"loggers": {"console": {"config": {"log_level": "ERROR"}}}},
            instance=instance,
            asset_selection=assets,
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


def print_interfaces(settings: "Settings") -> None:
    """The commands that open the UIs on what was made."""
    programs = Path(sys.executable).parent
    variables = ("BRITANNICA_DATA_DIR", "BRITANNICA_SCALE", "BRITANNICA_EVAL_DIR", "DAGSTER_HOME")
    environment = " ".join(f"{name}={os.environ[name]}" for name in variables)
    print("  Dagster, http://localhost:3000:")
    print(f"    {environment} {programs / 'dagster'} dev -m britannica_assets.definitions")
    print("  MLflow, http://localhost:5000:")
    print(f"    {programs / 'mlflow'} ui --port 5000 --backend-store-uri {settings.tracking_uri}")


if __name__ == "__main__":
    main()
