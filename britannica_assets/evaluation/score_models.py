"""One scoring run: every model of a track on the evaluation tasks and the validation text, recorded in MLflow."""

import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from britannica_assets.corpus.token_ids import SPLITS, TokenIds
from britannica_assets.evaluation.accuracy import accuracy_by, task_averages
from britannica_assets.evaluation.evaluation_data import EvaluationData, find_evaluation_data
from britannica_assets.evaluation.perplexity import Perplexity, article_losses, perplexity, perplexity_by_group
from britannica_assets.evaluation.score_table import ANSWER_KEYS, SCORE_TABLE_SCHEMA
from britannica_assets.evaluation.scorer import Scorer, TaskResult, read_all, score_all
from britannica_assets.evaluation.scoring_run import log_tables, scoring_run, version_columns
from britannica_assets.evaluation.tasks import EvaluationTask
from britannica_assets.modeling.promotion import promote, record_blimp
from britannica_assets.modeling.trained_model import TrainedModel
from britannica_assets.settings import Settings
from britannica_assets.tracking import DataSet, Origin

logger = logging.getLogger(__name__)

BLIMP = "blimp"  # the task whose accuracy decides on promotion
NOT_IN_A_METRIC = re.compile(r"[^\w\-. ]")  # of the characters in a group's name


@dataclass(frozen=True)
class ScoringResult:
    """A row a model, task and group (`SCORE_TABLE_SCHEMA`), the answers, and the MLflow run that holds them.

    `perplexities` has a row a model, grouping and group, see `perplexity_by_group`; it is None where only optional
    tasks were scored. `missing` says of the tasks without files why they have none; without any files nothing is
    scored, and there is no run.
    """

    scores: pl.DataFrame
    answers: pl.DataFrame | None
    perplexities: pl.DataFrame | None
    mlflow_run_id: str | None
    missing: dict[str, str]


@dataclass(frozen=True)
class ScoredModel:
    """One model's result in each task; its perplexity on the whole validation text and on groups of articles."""

    trained: TrainedModel
    results: dict[str, TaskResult]
    perplexity: Perplexity | None
    groups: pl.DataFrame | None

    @property
    def scores(self) -> pl.DataFrame:
        """The scores of all tasks, with `task`."""
        return pl.concat(result.scores.select(pl.lit(task).alias("task"), "*") for task, result in self.results.items())

    @property
    def metrics(self) -> dict[str, float]:
        """Averages by task, and the perplexities."""
        metrics = {
            f"{task}_{'score' if self.results[task].scores['accuracy'].null_count() else 'accuracy'}": value
            for task, value in task_averages(self.scores).items()
        }
        if self.perplexity is not None:
            metrics |= {
                "perplexity_by_token": self.perplexity.by_token,
                "perplexity_by_word": self.perplexity.by_word,
                "bits_per_byte": self.perplexity.bits_per_byte,
            }
        return metrics

    @property
    def metrics_by_paradigm(self) -> dict[str, float]:
        """Figures by UID, field and term; MLflow's UI makes a section of the part before a slash."""
        values = self.scores.select("task", "uid", pl.coalesce("accuracy", "score").alias("value"))
        metrics = {
            f"{row['task']}/{NOT_IN_A_METRIC.sub('_', row['uid'])}": row["value"]
            for row in values.iter_rows(named=True)
        }
        for grouping in ("field", "linguistics_term") if BLIMP in self.results else ():
            blimp = self.results[BLIMP].scores.with_columns(pl.lit("accuracy").alias("model"))
            grouped = accuracy_by(blimp, grouping)
            if "accuracy" in grouped.columns:
                metrics |= {
                    f"{BLIMP}_{grouping}/{NOT_IN_A_METRIC.sub('_', group)}": accuracy
                    for group, accuracy in grouped.select(grouping, "accuracy").iter_rows()
                }
        return metrics


def score_models(
    settings: Settings,
    track: str,
    models: Mapping[str, Path],
    token_ids: Path,
    validation_articles: pl.DataFrame | None,
    tasks: Sequence[EvaluationTask],
    *,
    asset: str,
    scale: str,
    dagster_run_id: str,
) -> ScoringResult:
    """Scores each model's folder, logs its metrics to its own MLflow run and version, and the whole as one run.

    Args:
        settings: say where the evaluation data and MLflow are.
        track: the models'.
        models: folders by asset, in the order of tables.
        token_ids: the folder of the track's token ids.
        validation_articles: `volume` and `words`, a row an article of the validation split; None for no perplexity.
        tasks: what to score.
        asset: that asks for the scores.
        scale: the configuration's name.
        dagster_run_id: "" when there is none.

    Raises:
        EvaluationDataError: the evaluation data cannot be used.
        DownloadError: the public data cannot be had.
        BrokenModelError: a model's logits mean nothing.
        ValueError: a model was trained on other token ids; the message names it.
    """
    data = find_evaluation_data(settings, tasks)
    if not data.tasks:
        return ScoringResult(pl.DataFrame(schema=SCORE_TABLE_SCHEMA), None, None, None, data.missing)
    tasks = [task for task in tasks if task.name in data.tasks]
    scorers = {task.name: task.scorer for task in tasks}
    read = read_all(scorers, {name: files.folder for name, files in data.tasks.items()})
    trained = {name: TrainedModel.read(path) for name, path in models.items()}
    refuse_other_token_ids(token_ids, trained)
    validation = TokenIds.open(token_ids, "validation")
    train_words = _abbreviate(TokenIds.open(token_ids, "train").words)
    with scoring_run(
        settings,
        Origin(asset, track, dagster_run_id),
        scale,
        data.tasks,
        trained,
        [DataSet("validation", str(token_ids), validation.digest, "validation")],
    ) as run:
        scores, answers, perplexities = [], [], []
        for name, path in models.items():
            scored = _score(path, trained[name], scorers, read, validation, validation_articles)
            _record(settings, track, name, scored, data)
            identity = version_columns(settings, track, name, trained[name])
            scores.append(_score_rows(identity, scored, scale, train_words, data))
            answers += [_with_identity(identity, result.answers, task, data) for task, result in scored.results.items()]
            if scored.groups is not None:
                perplexities.append(scored.groups.select(pl.lit(name).alias("model"), "*"))
        result = ScoringResult(
            scores=pl.concat(scores),
            answers=pl.concat(answers),
            perplexities=pl.concat(perplexities) if perplexities else None,
            mlflow_run_id=run.info.run_id,
            missing=data.missing,
        )
        log_tables(scores=result.scores, answers=result.answers, perplexities=result.perplexities)
    return result


def refuse_other_token_ids(token_ids: Path, trained: Mapping[str, TrainedModel]) -> None:
    """Checks that every model was trained on the token ids of the folder.

    Raises:
        ValueError: some were not; the message names them.
    """
    digests = {split: TokenIds.open(token_ids, split).digest for split in SPLITS}
    others = [
        f"{name} (version {model.version})"
        for name, model in trained.items()
        if any(model.data_digests.get(split) != digest for split, digest in digests.items())
    ]
    if others:
        raise ValueError(
            f"trained with other token ids than those in {token_ids}, on which they are not scored:"
            f" {', '.join(others)}. Materialize them again"
        )


def _score(
    path: Path,
    trained: TrainedModel,
    scorers: Mapping[str, Scorer[Any]],
    data: Mapping[str, Any],
    validation: TokenIds,
    validation_articles: pl.DataFrame | None,
) -> ScoredModel:
    from britannica_assets.modeling.models import load_model

    model, tokenizer = load_model(path)
    results = score_all(model, tokenizer, scorers, data)
    if validation_articles is None:
        return ScoredModel(trained, results, None, None)
    losses = article_losses(model, validation, length=trained.sequence_length)
    whole = perplexity(losses, words=validation.words, utf8_bytes=validation.utf8_bytes)
    return ScoredModel(trained, results, whole, perplexity_by_group(losses, validation_articles))


def _record(settings: Settings, track: str, name: str, scored: ScoredModel, data: EvaluationData) -> None:
    """Logs a model's metrics to the scoring run and its own, tags its version, and lets it be promoted."""
    import mlflow

    trained = scored.trained
    metrics, by_paradigm = scored.metrics, scored.metrics_by_paradigm
    logger.info("%s: %s", name, metrics)
    mlflow.log_metrics({f"{name}/{key}": value for key, value in metrics.items()})
    mlflow.log_metrics({f"{name}.{key}": value for key, value in by_paradigm.items()})
    mlflow.log_metrics(metrics | by_paradigm, run_id=trained.mlflow_run_id)
    if BLIMP in scored.results:
        accuracy, digest = metrics[f"{BLIMP}_accuracy"], data.tasks[BLIMP].digest
        record_blimp(settings, trained.registered_model, trained.version, accuracy, digest)
        promote(settings, trained.registered_model, trained.version, track)


def _score_rows(
    identity: Mapping[str, str | int | date | None],
    scored: ScoredModel,
    scale: str,
    train_words: str,
    data: EvaluationData,
) -> pl.DataFrame:
    """A model's rows of `SCORE_TABLE_SCHEMA`."""
    measured = scored.perplexity
    columns = {
        **identity,
        "scale": scale,
        "parameters": scored.trained.parameters,
        "train_words": train_words,
        "perplexity_by_token": None if measured is None else measured.by_token,
        "perplexity_by_word": None if measured is None else measured.by_word,
        "bits_per_byte": None if measured is None else measured.bits_per_byte,
        "context_length": scored.trained.sequence_length,
    }
    sources = {task: files.source for task, files in data.tasks.items()}
    digests = {task: files.digest for task, files in data.tasks.items()}
    return scored.scores.with_columns(
        *(pl.lit(value, dtype=SCORE_TABLE_SCHEMA[name]).alias(name) for name, value in columns.items()),
        pl.col("task").replace_strict(digests, return_dtype=pl.String).alias("digest"),
        pl.col("task").replace_strict(sources, return_dtype=pl.String).alias("source"),
    ).select(list(SCORE_TABLE_SCHEMA))


def _with_identity(
    identity: Mapping[str, str | int | date | None], answers: pl.DataFrame, task: str, data: EvaluationData
) -> pl.DataFrame:
    columns = {**identity, "task": task, "digest": data.tasks[task].digest}
    return answers.select(
        *(pl.lit(columns[name], dtype=SCORE_TABLE_SCHEMA[name]).alias(name) for name in ANSWER_KEYS), "*"
    )


def _abbreviate(words: int) -> str:
    return f"{words / 1e6:.1f}M" if words >= 1e6 else f"{words / 1e3:.0f}k"
