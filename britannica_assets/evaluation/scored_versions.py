"""Every version that was ever scored, as MLflow remembers it."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from britannica_assets.evaluation.tasks import tasks_by_asset
from britannica_assets.settings import Settings

SCORES_FILE = "scores.parquet"
SCORED = ["track", "model", "version", "source", "task"]


def scored_versions(settings: Settings, tracks: Sequence[str], current: pl.DataFrame) -> pl.DataFrame:
    """The rows of `current` and of all earlier scoring runs in MLflow; of a version scored
    twice on a task, the last scoring."""
    import mlflow

    tables = [current]
    for track in tracks:
        for run_id in _scoring_runs(settings, track):
            client = mlflow.MlflowClient()
            if any(artifact.path == SCORES_FILE for artifact in client.list_artifacts(run_id)):
                with tempfile.TemporaryDirectory() as folder:
                    tables.append(pl.read_parquet(Path(client.download_artifacts(run_id, SCORES_FILE, folder))))
    numbered = [table.with_columns(pl.lit(number).alias("scoring")) for number, table in enumerate(tables)]
    return (
        pl.concat(numbered, how="diagonal_relaxed")
        .filter(pl.col("scoring") == pl.col("scoring").min().over(SCORED))
        .drop("scoring")
        .sort([*SCORED, "uid"])
    )


def attach_page(settings: Settings, tracks: Sequence[str], page: Path) -> None:
    """Logs the leaderboard's page as an artifact of each track's newest scoring run."""
    import mlflow

    for track in tracks:
        for run_id in _scoring_runs(settings, track)[:1]:
            mlflow.MlflowClient().log_artifact(run_id, str(page))


def _scoring_runs(settings: Settings, track: str) -> list[str]:
    """The finished scoring runs of a track, the newest first."""
    import mlflow

    from britannica_assets.tracking import connect

    connect(settings)
    client = mlflow.MlflowClient()
    experiment = client.get_experiment_by_name(f"britannica/{track}")
    if experiment is None:
        return []
    runs = client.search_runs(
        [experiment.experiment_id], "attributes.status = 'FINISHED'", order_by=["attributes.start_time DESC"]
    )
    assets = tasks_by_asset()
    return [run.info.run_id for run in runs if run.data.tags.get("dagster.asset_key") in assets]
