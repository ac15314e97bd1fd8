"""The checkpoints by words seen on the fast sets, recorded in MLflow: how a model learnt each phenomenon."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from britannica_assets.digests import file_digest
from britannica_assets.evaluation.accuracy import SCORES_SCHEMA, task_averages
from britannica_assets.evaluation.age_of_acquisition import AGE_OF_ACQUISITION, find_contexts, read_contexts
from britannica_assets.evaluation.answers import ANSWERS_SCHEMA, Item, answer_items
from britannica_assets.evaluation.fast_sets import FastSets, read_fast_sets
from britannica_assets.evaluation.score_table import CHECKPOINT_KEYS, SCORE_TABLE_SCHEMA
from britannica_assets.evaluation.scorer import score_all
from britannica_assets.evaluation.scoring_run import log_tables, scoring_run, version_columns
from britannica_assets.evaluation.tasks import EvaluationTask
from britannica_assets.modeling.trained_model import TrainedModel
from britannica_assets.settings import Settings
from britannica_assets.tracking import Origin

logger = logging.getLogger(__name__)

# A row a checkpoint, task and group: `words_seen` by white space, repeats included; the rest as in the score table.
CHECKPOINT_SCORES_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    **{name: SCORE_TABLE_SCHEMA[name] for name in ("track", "model", "scale", "version", "seed", "recipe")},
    "words_seen": pl.Int64,
    **{name: SCORE_TABLE_SCHEMA[name] for name in ("task", "digest", "source")},
    **SCORES_SCHEMA,
}


@dataclass(frozen=True)
class CheckpointScores:
    """Rows of `CHECKPOINT_SCORES_SCHEMA` and the MLflow run with the answers; why tasks were not scored.

    Without any checkpoint nothing is scored, and there is no run.
    """

    scores: pl.DataFrame
    mlflow_run_id: str | None
    missing: dict[str, str]


def score_checkpoints(
    settings: Settings,
    track: str,
    models: Mapping[str, Path],
    tasks: Sequence[EvaluationTask],
    *,
    asset: str,
    scale: str,
    dagster_run_id: str,
) -> CheckpointScores:
    """Scores every checkpoint of each model's folder; its averages are metrics of the training's run by million words.

    Args:
        settings: say where the evaluation data and MLflow are.
        track: the models'.
        models: folders by asset.
        tasks: those that have a fast set are scored.
        asset: that asks for the scores.
        scale: the configuration's name.
        dagster_run_id: "" when there is none.

    Raises:
        EvaluationDataError: the evaluation data cannot be used.
        DownloadError: the public data cannot be had.
        BrokenModelError: a checkpoint's logits mean nothing.
    """
    from britannica_assets.modeling.words_seen import words_seen_checkpoints

    checkpoints = {name: words_seen_checkpoints(folder) for name, folder in models.items()}
    if not any(checkpoints.values()):
        return CheckpointScores(pl.DataFrame(schema=CHECKPOINT_SCORES_SCHEMA), None, {})
    fast = read_fast_sets(settings, tasks)
    words_file = find_contexts(settings)
    words = None if words_file is None else (read_contexts(words_file), file_digest(words_file))
    trained = {name: TrainedModel.read(folder) for name, folder in models.items() if checkpoints[name]}
    with scoring_run(settings, Origin(asset, track, dagster_run_id), scale, fast.files, trained) as run:
        scores, answers = [], []
        for name, model in trained.items():
            identity = version_columns(settings, track, name, model)
            for seen, folder in checkpoints[name].items():
                keys = {**identity, "scale": scale, "words_seen": seen}
                of_checkpoint = _score_checkpoint(folder, tasks, fast, words, keys)
                _log_averages(model, seen, of_checkpoint[0])
                scores.append(of_checkpoint[0])
                answers.append(of_checkpoint[1])
        table = pl.concat(scores)
        log_tables(scores=table, answers=pl.concat(answers))
    return CheckpointScores(table, run.info.run_id, fast.missing)


def _score_checkpoint(
    folder: Path,
    tasks: Sequence[EvaluationTask],
    fast: FastSets,
    words: tuple[list[Item], str] | None,
    keys: Mapping[str, object],
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Its rows of `CHECKPOINT_SCORES_SCHEMA`, and its answers with `CHECKPOINT_KEYS`, those to `words` too."""
    from britannica_assets.modeling.models import load_model

    model, tokenizer = load_model(folder)
    scorers = {task.name: task.scorer for task in tasks if task.name in fast.data}
    scores, answers = [], []
    for task, result in score_all(model, tokenizer, scorers, fast.data).items():
        files = fast.files[task]
        columns = _literals({**keys, "task": task, "digest": files.digest, "source": files.source})
        scores.append(result.scores.with_columns(columns).select(list(CHECKPOINT_SCORES_SCHEMA)))
        answers.append(result.answers.with_columns(columns).select(*CHECKPOINT_KEYS, *ANSWERS_SCHEMA))
    if words is not None:
        items, digest = words
        found = answer_items(model, tokenizer, items, beyond_context=True)
        columns = _literals({**keys, "task": AGE_OF_ACQUISITION, "digest": digest})
        answers.append(found.with_columns(columns).select(*CHECKPOINT_KEYS, *ANSWERS_SCHEMA))
    return pl.concat(scores), pl.concat(answers)


def _literals(columns: Mapping[str, object]) -> list[pl.Expr]:
    return [
        pl.lit(columns[name], dtype=kind).alias(name)
        for name, kind in CHECKPOINT_SCORES_SCHEMA.items()
        if name in columns
    ]


def _log_averages(model: TrainedModel, seen: int, scores: pl.DataFrame) -> None:
    """Averages by task as metrics of the model's own run, with the million words seen as their step."""
    import mlflow

    from britannica_assets.modeling.words_seen import MILLION

    averages = task_averages(scores)
    logger.info("%s after %d million words: %s", model.asset, seen // MILLION, averages)
    mlflow.log_metrics(
        {f"checkpoint_{task}": value for task, value in averages.items()},
        step=seen // MILLION,
        run_id=model.mlflow_run_id,
    )
