"""MLflow's model registry: each finished model becomes a registered version, and champions are loaded from it."""

import math
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from britannica_assets.modeling.promotion import (
    PERPLEXITY_TAG,
    SCALE_TAG,
    VALIDATION_TAG,
    champion_alias,
    promote,
)
from britannica_assets.modeling.specification import TrainingSpecification
from britannica_assets.modeling.trained_model import TrainedModel, TrainingMetrics
from britannica_assets.modeling.words_seen import PREFIX
from britannica_assets.settings import Settings
from britannica_assets.tracking import connect

EXAMPLE_PROMPT = "The town of"
MODEL_ARTIFACT = "model"
SERVED_MODEL = Path(__file__).with_name("served_model.py")
REQUIREMENTS = ["mlflow>=3.1,<4", "torch>=2.6", "transformers>=5,<6"]


def register(
    settings: Settings, specification: TrainingSpecification, metrics: TrainingMetrics, *, run_id: str
) -> None:
    """Logs the model in `specification.output` to the active MLflow run, registers it, and writes `training.json`.

    A version that the same run registered before it was killed is taken, not registered twice.
    """
    import mlflow

    perplexity = math.exp(metrics.validation_loss)
    mlflow.log_metrics(
        {
            "final_validation_loss": metrics.validation_loss,
            "final_validation_perplexity": perplexity,
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
        VALIDATION_TAG: specification.data_digests["validation"],
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
        **asdict(metrics),
    ).write(specification.output)


@contextmanager
def _without_words_seen_checkpoints(folder: Path) -> Iterator[Path]:
    """A model's folder as MLflow gets it."""
    if not any(folder.glob(f"{PREFIX}*")):
        yield folder
        return
    with tempfile.TemporaryDirectory(dir=folder.parent) as temporary:
        yield Path(shutil.copytree(folder, Path(temporary) / folder.name, ignore=shutil.ignore_patterns(f"{PREFIX}*")))


def _new_version(specification: TrainingSpecification, folder: Path) -> int:
    import mlflow
    import pandas as pd
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, DataType, ParamSchema, ParamSpec, Schema

    information = mlflow.pyfunc.log_model(
        name="model",
        python_model=str(SERVED_MODEL),
        artifacts={MODEL_ARTIFACT: str(folder)},
        signature=ModelSignature(
            inputs=Schema([ColSpec(DataType.string, name="prompt")]),
            outputs=Schema([ColSpec(DataType.string)]),
            params=ParamSchema(
                [
                    ParamSpec("max_new_tokens", DataType.long, 100),
                    ParamSpec("temperature", DataType.double, 0.7),
                    ParamSpec("top_p", DataType.double, 0.95),
                    ParamSpec("seed", DataType.long, specification.seed),
                ]
            ),
        ),
        input_example=pd.DataFrame({"prompt": [EXAMPLE_PROMPT]}),
        pip_requirements=REQUIREMENTS,
        registered_model_name=specification.registered_model,
    )
    return int(information.registered_model_version)


def download_champion(settings: Settings, registered_model: str, track: str) -> tuple[Path, int]:
    """A local folder that transformers loads, of the track's champion, and its version.

    Raises:
        LookupError: no version is the track's champion yet; the message names the asset to materialize.
    """
    import mlflow
    from mlflow.exceptions import MlflowException

    connect(settings)
    asset = registered_model.removeprefix("britannica-").replace("-", "_")
    try:
        version = mlflow.MlflowClient().get_model_version_by_alias(registered_model, champion_alias(track))
    except MlflowException as error:
        raise LookupError(
            f"{registered_model} has no version with the alias {champion_alias(track)} at {settings.tracking_uri}:"
            f" materialize the asset {asset} for the track {track} first"
        ) from error
    logged = Path(mlflow.artifacts.download_artifacts(f"models:/{registered_model}/{version.version}"))
    return next((logged / "artifacts").iterdir()), int(version.version)
