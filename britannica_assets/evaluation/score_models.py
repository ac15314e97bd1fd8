"""One scoring run: every model of a track on the minimal pairs and the validation text, recorded in MLflow."""

import logging
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from britannica_assets.digests import folder_digest
from britannica_assets.evaluation.download import download_pairs
from britannica_assets.evaluation.leaderboard import OFFICIAL, SAMPLE
from britannica_assets.evaluation.minimal_pairs import accuracy_by, read_phenomena, score_phenomena, suite_averages
from britannica_assets.evaluation.perplexity import article_losses, perplexity, perplexity_by_group
from britannica_assets.evaluation.scored_versions import SCORES_FILE
from britannica_assets.settings import Settings

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class ScoringResult:
    """A row a model and phenomenon, and the MLflow run that holds the same as metrics.

    `perplexities` has a row a model, grouping and group, see `perplexity_by_group`.
    """

    scores: pl.DataFrame
    perplexities: pl.DataFrame
    mlflow_run_id: str


def score_models(
    settings: Settings,
    track: str,
    models: Mapping[str, Path],
    token_ids: Path,
    validation_articles: pl.DataFrame,
    *,
    seed: int,
    dagster_run_id: str,
) -> ScoringResult:
    """Scores each model's folder, tells its own MLflow run and registered version, and tracks the whole as one run.

    `validation_articles` has the columns `volume` and `words`, a row an article of the validation split.

    The pairs are those of `BRITANNICA_EVAL_DIR`; without it the sample's own at demo scale, else the public ones,
    downloaded once.

    Raises:
        PairsError: a file of pairs is malformed.
        DownloadError: the public pairs cannot be had.
    """
    with tempfile.TemporaryDirectory() as temporary:
        folder, source = _pairs(settings, Path(temporary))
        return _score(
            settings,
            track,
            models,
            token_ids,
            validation_articles,
            folder,
            source,
            seed=seed,
            dagster_run_id=dagster_run_id,
        )


def _pairs(settings: Settings, temporary: Path) -> tuple[Path, str]:
    if settings.eval_dir is not None:
        return settings.eval_dir, OFFICIAL
    if settings.scale == "demo":
        from britannica_assets.sample import minimal_pairs

        minimal_pairs.write(temporary)
        return temporary, SAMPLE
    return download_pairs(settings.work_path / "minimal_pairs"), OFFICIAL


def _score(
    settings: Settings,
    track: str,
    models: Mapping[str, Path],
    token_ids: Path,
    validation_articles: pl.DataFrame,
    folder: Path,
    source: str,
    *,
    seed: int,
    dagster_run_id: str,
) -> ScoringResult:
    import mlflow
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from transformers.utils.logging import disable_progress_bar

    from britannica_assets.corpus.token_ids import TokenIds
    from britannica_assets.modeling.registry import TrainedModel, record_blimp
    from britannica_assets.tracking import DataSet, Origin, tracked_run

    disable_progress_bar()
    phenomena = read_phenomena(folder)
    validation = TokenIds.open(token_ids, "validation")
    device = "cuda" if torch.cuda.is_available() else "cpu"
    trained = {name: TrainedModel.read(path) for name, path in models.items()}
    tables, groups = [], []
    with tracked_run(
        settings,
        Origin("blimp_scores", track, dagster_run_id),
        name=f"blimp_scores {track} {settings.scale}",
        parameters={
            "minimal_pairs": source,
            "phenomena": len(phenomena),
            "seed": seed,
            **{f"{name}.version": model.version for name, model in trained.items()},
        },
        data_sets=[
            DataSet("minimal_pairs", source, folder_digest(folder), "scoring"),
            DataSet("validation", str(token_ids), validation.digest, "validation"),
        ],
    ) as run:
        for name, path in models.items():
            model = AutoModelForCausalLM.from_pretrained(path).to(device).eval()
            # The trained positions hold the longest sentences of BLiMP several times over.
            scores = score_phenomena(model, AutoTokenizer.from_pretrained(path), phenomena, seed=seed)
            length = model.config.max_position_embeddings // 2
            losses = article_losses(model, validation, length=length)
            found = perplexity(losses, validation.words)
            groups.append(
                perplexity_by_group(losses, validation_articles).select(pl.lit(name).alias("model"), pl.all())
            )
            averages = suite_averages(scores)
            logger.info("%s: %s, perplexity by word %.1f", name, averages, found.by_word)
            metrics = {f"{suite}_accuracy": value for suite, value in averages.items()} | {
                "perplexity_by_token": found.by_token,
                "perplexity_by_word": found.by_word,
            }
            # MLflow's UI puts metrics whose names share the part before a slash into one section.
            by_phenomenon = {f"{row['suite']}/{row['uid']}": row["accuracy"] for row in scores.iter_rows(named=True)}
            for grouping in ("field", "linguistics_term"):
                grouped = accuracy_by(scores.with_columns(pl.lit("accuracy").alias("model")), grouping)
                by_phenomenon |= {
                    f"blimp_{grouping}/{group}": accuracy
                    for group, accuracy in grouped.select(grouping, "accuracy").iter_rows()
                }
            mlflow.log_metrics({f"{name}/{key}": value for key, value in metrics.items()})
            mlflow.log_metrics({f"{name}.{key}": value for key, value in by_phenomenon.items()})
            mlflow.log_metrics(metrics | by_phenomenon, run_id=trained[name].mlflow_run_id)
            record_blimp(settings, trained[name].registered_model, trained[name].version, averages["blimp"])
            promote(settings, trained[name].registered_model, trained[name].version, track)
            tables.append(
                scores.select(
                    pl.lit(track).alias("track"),
                    pl.lit(name).alias("model"),
                    pl.lit(settings.scale).alias("scale"),
                    pl.lit(trained[name].version, dtype=pl.Int64).alias("version"),
                    pl.lit(trained[name].parameters, dtype=pl.Int64).alias("parameters"),
                    pl.lit(_words(TokenIds.open(token_ids, "train").words)).alias("train_words"),
                    pl.all(),
                    pl.lit(found.by_token).alias("perplexity_by_token"),
                    pl.lit(found.by_word).alias("perplexity_by_word"),
                    pl.lit(source).alias("source"),
                )
            )
        result = ScoringResult(pl.concat(tables), pl.concat(groups), run.info.run_id)
        with tempfile.TemporaryDirectory() as temporary:
            result.scores.write_parquet(Path(temporary) / SCORES_FILE)
            result.scores.write_csv(Path(temporary) / "blimp_scores.csv")
            result.perplexities.write_csv(Path(temporary) / "perplexity_by_group.csv")
            mlflow.log_artifacts(temporary)
        return result


def _words(number: int) -> str:
    return f"{number / 1e6:.1f}M" if number >= 1e6 else f"{number / 1e3:.0f}k"
