"""One scoring run: every model of a track on the evaluation tasks and the validation text, recorded in MLflow."""

import logging
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from britannica_assets.corpus.token_ids import TokenIds
from britannica_assets.evaluation.evaluation_data import EvaluationData, find_evaluation_data
from britannica_assets.evaluation.minimal_pairs import accuracy_by, task_averages
from britannica_assets.evaluation.perplexity import Perplexity, article_losses, perplexity, perplexity_by_group
from britannica_assets.evaluation.scored_versions import SCORES_FILE
from britannica_assets.evaluation.tasks import EvaluationTask
from britannica_assets.modeling.promotion import promote, record_blimp
from britannica_assets.modeling.trained_model import TrainedModel
from britannica_assets.settings import Settings
from britannica_assets.tracking import DataSet, Origin, tracked_run

if TYPE_CHECKING:
    from transformers import PreTrainedModel

logger = logging.getLogger(__name__)

BLIMP = "blimp"  # the task whose accuracy decides on promotion


@dataclass(frozen=True)
class ScoringResult:
    """A row a model and paradigm, and the MLflow run that holds the same as metrics.

    `perplexities` has a row a model, grouping and group, see `perplexity_by_group`.
    """

    scores: pl.DataFrame
    perplexities: pl.DataFrame
    mlflow_run_id: str


@dataclass(frozen=True)
class ScoredModel:
    """One model's scores, a row a paradigm with `task`; its perplexity on the whole validation text and on groups."""

    trained: TrainedModel
    scores: pl.DataFrame
    perplexity: Perplexity
    groups: pl.DataFrame

    @property
    def metrics(self) -> dict[str, float]:
        """Averages by task, and the perplexities."""
        averages = {f"{task}_accuracy": value for task, value in task_averages(self.scores).items()}
        return averages | {
            "perplexity_by_token": self.perplexity.by_token,
            "perplexity_by_word": self.perplexity.by_word,
        }

    @property
    def metrics_by_paradigm(self) -> dict[str, float]:
        """Accuracies by UID, field and term; MLflow's UI makes a section of the part before a slash."""
        metrics = {f"{row['task']}/{row['uid']}": row["accuracy"] for row in self.scores.iter_rows(named=True)}
        for grouping in ("field", "linguistics_term"):
            grouped = accuracy_by(self.scores.with_columns(pl.lit("accuracy").alias("model")), grouping)
            if "accuracy" in grouped.columns:
                metrics |= {
                    f"{BLIMP}_{grouping}/{group}": accuracy
                    for group, accuracy in grouped.select(grouping, "accuracy").iter_rows()
                }
        return metrics


def score_models(
    settings: Settings,
    track: str,
    models: Mapping[str, Path],
    token_ids: Path,
    validation_articles: pl.DataFrame,
    tasks: Sequence[EvaluationTask],
    *,
    asset: str,
    scale: str,
    seed: int,
    dagster_run_id: str,
) -> ScoringResult:
    """Scores each model's folder, logs its metrics to its own MLflow run and version, and the whole as one run.

    Args:
        settings: say where the evaluation data and MLflow are.
        track: the models'.
        models: folders by asset, in the order of tables.
        token_ids: the folder of the track's token ids.
        validation_articles: `volume` and `words`, a row an article of the validation split.
        tasks: what to score.
        asset: that asks for the scores.
        scale: the configuration's name.
        seed: of the intervals.
        dagster_run_id: "" when there is none.

    Raises:
        PairsError: the evaluation data cannot be used.
        DownloadError: the public data cannot be had.
    """
    import mlflow

    data = find_evaluation_data(settings, tasks)
    validation = TokenIds.open(token_ids, "validation")
    trained = {name: TrainedModel.read(path) for name, path in models.items()}
    with tracked_run(
        settings,
        Origin(asset, track, dagster_run_id),
        name=f"{asset} {track} {scale}",
        parameters={
            "evaluation_data": data.source,
            "tasks": ", ".join(task.name for task in tasks),
            "seed": seed,
            **{f"{name}.version": model.version for name, model in trained.items()},
        },
        data_sets=[
            *(DataSet(task.name, data.source, data.digests[task.name], "scoring") for task in tasks),
            DataSet("validation", str(token_ids), validation.digest, "validation"),
        ],
    ) as run:
        scored = {}
        for name, path in models.items():
            scored[name] = _score(path, trained[name], data, tasks, validation, validation_articles, seed=seed)
            _record(settings, track, name, scored[name])
        train_words = TokenIds.open(token_ids, "train").words
        result = ScoringResult(
            scores=pl.concat(
                _score_rows(name, model, track, scale, train_words, data.source) for name, model in scored.items()
            ),
            perplexities=pl.concat(
                model.groups.select(pl.lit(name).alias("model"), pl.all()) for name, model in scored.items()
            ),
            mlflow_run_id=run.info.run_id,
        )
        with tempfile.TemporaryDirectory() as temporary:
            result.scores.write_parquet(Path(temporary) / SCORES_FILE)
            result.scores.write_csv(Path(temporary) / "scores.csv")
            result.perplexities.write_csv(Path(temporary) / "perplexity_by_group.csv")
            mlflow.log_artifacts(temporary)
    return result


def _score(
    path: Path,
    trained: TrainedModel,
    data: EvaluationData,
    tasks: Sequence[EvaluationTask],
    validation: TokenIds,
    validation_articles: pl.DataFrame,
    *,
    seed: int,
) -> ScoredModel:
    from transformers import AutoTokenizer

    model = _load(path)
    tokenizer = AutoTokenizer.from_pretrained(path)
    random = np.random.default_rng(seed)
    scores = pl.concat(
        task.scorer(model, tokenizer, data.folder / task.folder, random).select(
            pl.lit(task.name).alias("task"), pl.all()
        )
        for task in tasks
    )
    losses = article_losses(model, validation, length=trained.sequence_length)
    groups = perplexity_by_group(losses, validation_articles)
    return ScoredModel(trained, scores, perplexity(losses, validation.words), groups)


def _load(path: Path) -> "PreTrainedModel":
    import torch
    from transformers import AutoModelForCausalLM
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()
    return AutoModelForCausalLM.from_pretrained(path).to("cuda" if torch.cuda.is_available() else "cpu").eval()


def _record(settings: Settings, track: str, name: str, scored: ScoredModel) -> None:
    """Logs a model's metrics to the scoring run and its own, tags its version, and lets it be promoted."""
    import mlflow

    trained = scored.trained
    metrics, by_paradigm = scored.metrics, scored.metrics_by_paradigm
    logger.info("%s: %s", name, metrics)
    mlflow.log_metrics({f"{name}/{key}": value for key, value in metrics.items()})
    mlflow.log_metrics({f"{name}.{key}": value for key, value in by_paradigm.items()})
    mlflow.log_metrics(metrics | by_paradigm, run_id=trained.mlflow_run_id)
    averages = task_averages(scored.scores)
    if BLIMP in averages:
        record_blimp(settings, trained.registered_model, trained.version, averages[BLIMP])
        promote(settings, trained.registered_model, trained.version, track)


def _score_rows(name: str, scored: ScoredModel, track: str, scale: str, train_words: int, source: str) -> pl.DataFrame:
    return scored.scores.select(
        pl.lit(track).alias("track"),
        pl.lit(name).alias("model"),
        pl.lit(scale).alias("scale"),
        pl.lit(scored.trained.version, dtype=pl.Int64).alias("version"),
        pl.lit(scored.trained.parameters, dtype=pl.Int64).alias("parameters"),
        pl.lit(_abbreviate(train_words)).alias("train_words"),
        pl.all(),
        pl.lit(scored.perplexity.by_token).alias("perplexity_by_token"),
        pl.lit(scored.perplexity.by_word).alias("perplexity_by_word"),
        pl.lit(source).alias("source"),
    )


def _abbreviate(words: int) -> str:
    return f"{words / 1e6:.1f}M" if words >= 1e6 else f"{words / 1e3:.0f}k"
