"""Every version that was ever scored, as MLflow remembers it."""

import logging
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import polars as pl

from britannica_assets.evaluation.answers import outcomes
from britannica_assets.evaluation.score_table import ANSWER_KEYS, SCORE_TABLE_SCHEMA
from britannica_assets.evaluation.tasks import tasks_by_asset
from britannica_assets.settings import Settings

logger = logging.getLogger(__name__)

SCORES_FILE = "scores.parquet"
ANSWERS_FILE = "answers.parquet"
SCORED = ["track", "model", "version", "task", "digest"]


@dataclass(frozen=True)
class ScoredVersions:
    """Of every scored version its score rows, and whether it had each item right.

    `outcomes` holds `ANSWER_KEYS`, uid, item, right and tie, of the tasks whose items have a right candidate.
    """

    scores: pl.DataFrame
    outcomes: pl.DataFrame


@dataclass(frozen=True)
class StoredScoring:
    """A version's scores and answers, as its scoring runs hold them.

    Rows of `SCORE_TABLE_SCHEMA`, and of `ANSWERS_SCHEMA` with `ANSWER_KEYS`; of checkpoints rows of
    `CHECKPOINT_SCORES_SCHEMA`, and answers with `CHECKPOINT_KEYS`.
    """

    scores: pl.DataFrame
    answers: pl.DataFrame


def scored_versions(settings: Settings, tracks: Sequence[str], current: pl.DataFrame) -> ScoredVersions:
    """The score rows of `current` and what all scoring runs in MLflow hold.

    Of a version scored twice on the same files the last scoring counts, which is that of `current`.
    """
    import mlflow

    scores = [pl.concat([pl.DataFrame(schema=SCORE_TABLE_SCHEMA), current], how="diagonal_relaxed")]
    answered = [_no_outcomes()]
    for track in tracks:
        for run_id in _scoring_runs(settings, track):
            client = mlflow.MlflowClient()
            if not any(artifact.path == ANSWERS_FILE for artifact in client.list_artifacts(run_id)):
                logger.info("run %s of %s holds no answers of its models: score them again", run_id, track)
                continue
            scores.append(_table(run_id, SCORES_FILE))
            answered.append(outcomes_of(_table(run_id, ANSWERS_FILE)))
    return ScoredVersions(
        _newest_scoring(scores).sort([*SCORED, "uid"]), _newest_scoring(answered).sort([*SCORED, "uid", "item"])
    )


def stored_scoring(
    settings: Settings, track: str, assets: Iterable[str], model: str, version: int
) -> StoredScoring | None:
    """A version's rows in the newest scoring by each of `assets`; None where none of them has scored it."""
    import mlflow

    from britannica_assets.tracking import connect, experiment_name

    connect(settings)
    experiment = mlflow.MlflowClient().get_experiment_by_name(experiment_name(track))
    if experiment is None:
        return None
    runs = [
        run.info.run_id
        for asset in assets
        for run in mlflow.MlflowClient().search_runs(
            [experiment.experiment_id],
            f"attributes.status = 'FINISHED' and tags.`dagster.asset_key` = '{asset}'"
            f" and params.`{model}.version` = '{version}'",
            order_by=["attributes.start_time DESC"],
            max_results=1,
        )
    ]
    if not runs:
        return None
    scores, answers = (
        pl.concat([_table(run, file) for run in runs], how="diagonal_relaxed").filter(pl.col("model") == model)
        for file in (SCORES_FILE, ANSWERS_FILE)
    )
    return StoredScoring(scores, answers)


def _table(run_id: str, file: str) -> pl.DataFrame:
    """A Parquet file among a run's artifacts."""
    import mlflow

    with tempfile.TemporaryDirectory() as folder:
        return pl.read_parquet(Path(mlflow.MlflowClient().download_artifacts(run_id, file, folder)))


def outcomes_of(answers: pl.DataFrame) -> pl.DataFrame:
    """The outcomes of answers with `ANSWER_KEYS`; items of one candidate, or without a right one, are left out."""
    choices = answers.filter(pl.col("target").is_null(), pl.len().over(*ANSWER_KEYS, "uid", "item") > 1)
    return outcomes(choices, *ANSWER_KEYS).drop("beyond_context")


def attach_page(settings: Settings, tracks: Sequence[str], folder: Path) -> None:
    """Logs the leaderboard's page, with all files in its folder, as artifacts of each track's newest scoring run."""
    import mlflow

    for track in tracks:
        for run_id in islice(_scoring_runs(settings, track), 1):
            mlflow.MlflowClient().log_artifacts(run_id, str(folder))


def _no_outcomes() -> pl.DataFrame:
    return pl.DataFrame(
        schema={
            **{key: SCORE_TABLE_SCHEMA[key] for key in ANSWER_KEYS},
            "uid": pl.String,
            "item": pl.Int32,
            "right": pl.Boolean,
            "tie": pl.Boolean,
        }
    )


def _newest_scoring(tables: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """The tables, the newest first, as one without what a newer one holds too."""
    numbered = [table.with_columns(pl.lit(number).alias("scoring")) for number, table in enumerate(tables)]
    return (
        pl.concat(numbered, how="diagonal_relaxed")
        .filter(pl.col("digest").is_not_null())  # scored before files had digests
        .filter(pl.col("scoring") == pl.col("scoring").min().over(SCORED))
        .drop("scoring")
    )


def _scoring_runs(settings: Settings, track: str) -> Iterator[str]:
    """The finished scoring runs of a track, the newest first."""
    import mlflow

    from britannica_assets.tracking import connect, experiment_name

    connect(settings)
    client = mlflow.MlflowClient()
    experiment = client.get_experiment_by_name(experiment_name(track))
    if experiment is None:
        return
    assets = tasks_by_asset()
    token = None
    while True:
        runs = client.search_runs(
            [experiment.experiment_id],
            "attributes.status = 'FINISHED'",
            order_by=["attributes.start_time DESC"],
            page_token=token,
        )
        yield from (run.info.run_id for run in runs if run.data.tags.get("dagster.asset_key") in assets)
        token = runs.token
        if not token:
            return
