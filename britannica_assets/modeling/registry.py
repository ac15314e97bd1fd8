"""MLflow's model registry: each finished model becomes a registered version, and champions are loaded from it."""

import math
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from britannica_assets.corpus.token_ids import TokenIds
from britannica_assets.digests import json_digest
from britannica_assets.modeling.promotion import (
    BITS_PER_BYTE_TAG,
    PERPLEXITY_TAG,
    SCALE_TAG,
    VALIDATION_TAG,
    champion_alias,
    promote,
)
from britannica_assets.modeling.specification import TrainingSpecification
from britannica_assets.modeling.trained_model import TrainedModel, TrainingMetrics
from britannica_assets.settings import Settings
from britannica_assets.track_models import STUDENT, asset_of, registered_model
from britannica_assets.tracking import connect

EXAMPLE_PROMPT = "The town of"
MODEL_ARTIFACT = "model"
SERVED_MODEL = Path(__file__).with_name("served_model.py")
SEED_TAG = "seed"
RECIPE_TAG = "recipe_digest"
REQUIREMENTS = ["mlflow>=3.1,<4", "torch>=2.6", "transformers>=5,<6"]


def register(
    settings: Settings, specification: TrainingSpecification, metrics: TrainingMetrics, *, run_id: str
) -> None:
    """Logs the model in `specification.output` to the active MLflow run, registers it, and writes `training.json`.

    A version that the same run registered before it was killed is taken, not registered twice.
    """
    import mlflow

    perplexity = math.exp(metrics.validation_loss)
    validation_bits_per_byte = _log_validation_articles(specification)
    mlflow.log_metrics(
        {
            "final_validation_loss": metrics.validation_loss,
            "final_validation_perplexity": perplexity,
            "final_validation_bits_per_byte": validation_bits_per_byte,
            "parameters": metrics.parameters,
            "train_tokens": metrics.train_tokens,
            "words_seen": metrics.words_seen,
            "training_seconds": metrics.seconds,
        }
    )
    client = mlflow.MlflowClient()
    name = specification.registered_model
    known = client.search_model_versions(f"name = '{name}' and run_id = '{run_id}'")
    if known:
        version = int(known[0].version)
    else:
        with _without_words_seen_checkpoints(specification.output) as folder:
            version = _new_version(specification, folder)
    tags = {
        "track": specification.track,
        SCALE_TAG: specification.scale,
        "configuration_digest": specification.configuration_digest,
        PERPLEXITY_TAG: f"{perplexity:.6f}",
        BITS_PER_BYTE_TAG: f"{validation_bits_per_byte:.6f}",
        VALIDATION_TAG: specification.data_digests["validation"],
        SEED_TAG: str(specification.seed),
        RECIPE_TAG: _recipe_digest(specification),
        **{f"digest.{data}": digest for data, digest in specification.data_digests.items()},
    }
    for tag, value in tags.items():
        client.set_model_version_tag(name, str(version), tag, value)
    promotion = promote(settings, name, version, specification.track)
    TrainedModel(
        asset=specification.asset,
        track=specification.track,
        scale=specification.scale,
        configuration_digest=specification.configuration_digest,
        mlflow_run_id=run_id,
        registered_model=name,
        version=version,
        is_champion=promotion.is_champion,
        promotion_reason=promotion.reason,
        validation_perplexity=perplexity,
        sequence_length=specification.sequence_length,
        data_digests=specification.data_digests,
        configuration=specification.model.model_dump(),
        overrides=specification.overrides,
        **asdict(metrics),
    ).write(specification.output)


@contextmanager
def _without_words_seen_checkpoints(folder: Path) -> Iterator[Path]:
    """A model's folder as MLflow gets it."""
    from britannica_assets.modeling.words_seen import PREFIX

    if not any(folder.glob(f"{PREFIX}*")):
        yield folder
        return
    with tempfile.TemporaryDirectory(dir=folder.parent) as temporary:
        yield Path(shutil.copytree(folder, Path(temporary) / folder.name, ignore=shutil.ignore_patterns(f"{PREFIX}*")))


def _log_validation_articles(specification: TrainingSpecification) -> float:
    """Scores each validation article, logs the table to the active run, and returns the bits a byte over all."""
    import mlflow

    from britannica_assets.corpus.tokenizer import load_tokenizer
    from britannica_assets.modeling.device import best_device
    from britannica_assets.modeling.models import load_trained
    from britannica_assets.modeling.validation_articles import (
        VALIDATION_ARTICLES_FILE,
        bits_per_byte,
        score_validation_articles,
    )

    articles = score_validation_articles(
        load_trained(specification.output).to(best_device()).eval(),
        load_tokenizer(specification.output),
        TokenIds.open(specification.token_ids, "validation"),
        length=specification.sequence_length,
    )
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / VALIDATION_ARTICLES_FILE
        articles.write_parquet(file)
        mlflow.log_artifact(str(file))
    return bits_per_byte(articles)


def _new_version(specification: TrainingSpecification, folder: Path) -> int:
    import mlflow
    import pandas as pd
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, DataType, ParamSchema, ParamSpec, Schema

    from britannica_assets.modeling.served_model import SAMPLING

    # Half of a model's positions are left to the prompt.
    max_new_tokens = min(int(SAMPLING["max_new_tokens"]), specification.sequence_length)
    information = mlflow.pyfunc.log_model(
        name="model",
        python_model=str(SERVED_MODEL),
        artifacts={MODEL_ARTIFACT: str(folder)},
        signature=ModelSignature(
            inputs=Schema([ColSpec(DataType.string, name="prompt")]),
            outputs=Schema([ColSpec(DataType.string)]),
            params=ParamSchema(
                [
                    ParamSpec("max_new_tokens", DataType.long, max_new_tokens),
                    ParamSpec("temperature", DataType.double, SAMPLING["temperature"]),
                    ParamSpec("top_p", DataType.double, SAMPLING["top_p"]),
                    ParamSpec("seed", DataType.long, specification.seed),
                ]
            ),
        ),
        input_example=pd.DataFrame({"prompt": [EXAMPLE_PROMPT]}),
        pip_requirements=REQUIREMENTS,
        registered_model_name=specification.registered_model,
    )
    return int(information.registered_model_version)


@dataclass(frozen=True)
class TrainingIdentity:
    """The seed of a version's training (None if it was not stored), what stands for all else that decided it, its day.

    The day is that of its registration (UTC).
    """

    seed: int | None
    recipe: str
    trained: date


def training_identity(settings: Settings, registered_model: str, version: int) -> TrainingIdentity:
    """By the tags of a version; one without them has a recipe of its own."""
    import mlflow

    connect(settings)
    registered = mlflow.MlflowClient().get_model_version(registered_model, str(version))
    seed = registered.tags.get(SEED_TAG)
    recipe = registered.tags.get(RECIPE_TAG, f"{registered_model}/{version}")
    trained = datetime.fromtimestamp(registered.creation_timestamp / 1000, UTC).date()
    return TrainingIdentity(None if seed is None else int(seed), recipe, trained)


def _recipe_digest(specification: TrainingSpecification) -> str:
    """SHA-256 (hex) of all that decides a training but its seed: versions that differ in seed alone share it."""
    decisive = specification.model_dump(
        mode="json", include={"asset", "track", "model", "sequence_length", "distillation", "data_digests"}
    )
    return json_digest(decisive)


def download_champion(settings: Settings, registered_model: str, track: str) -> tuple[Path, int]:
    """A local folder that transformers loads, of the track's champion, and its version.

    Raises:
        LookupError: no version is the track's champion yet; the message names the asset to materialize.
    """
    import mlflow
    from mlflow.exceptions import MlflowException

    connect(settings)
    try:
        version = mlflow.MlflowClient().get_model_version_by_alias(registered_model, champion_alias(track))
    except MlflowException as error:
        raise LookupError(
            f"{registered_model} has no version with the alias {champion_alias(track)} at {settings.tracking_uri}:"
            f" materialize the asset {asset_of(registered_model)} for the track {track} first"
        ) from error
    return download_version(settings, registered_model, int(version.version)), int(version.version)


def download_student(settings: Settings, track: str, version: int | None = None) -> tuple[Path, int]:
    """A local folder that transformers loads, and its version: the student of this version, or the track's champion.

    Raises:
        LookupError: there is no such version, or no champion yet; the message says what there is, or what to do.
    """
    name = registered_model(STUDENT)
    if version is None:
        return download_champion(settings, name, track)
    return download_version(settings, name, version), version


def download_version(settings: Settings, registered_model: str, version: int) -> Path:
    """A local folder that transformers loads, of a version.

    Raises:
        LookupError: there is no such version; the message lists those that there are.
    """
    import mlflow
    from mlflow.exceptions import MlflowException

    connect(settings)
    try:
        logged = Path(mlflow.artifacts.download_artifacts(f"models:/{registered_model}/{version}"))
    except MlflowException as error:
        known = mlflow.MlflowClient().search_model_versions(f"name = '{registered_model}'")
        numbers = ", ".join(str(number) for number in sorted(int(other.version) for other in known))
        raise LookupError(
            f"{registered_model} has no version {version} at {settings.tracking_uri}; it has: {numbers or 'none'}"
        ) from error
    return next((logged / "artifacts").iterdir())
