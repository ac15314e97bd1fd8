"""The registry: each finished model becomes a registered version; the champion alias moves when it is no worse."""

import hashlib
import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from britannica_assets.files import atomic_write
from britannica_assets.modeling.specification import TrainingSpecification
from britannica_assets.settings import Settings
from britannica_assets.tracking import connect

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

DESCRIPTION = "training.json"
PROMPT = "The town of"
MODEL_ARTIFACT = "model"
SERVED_MODEL = Path(__file__).with_name("served_model.py")
REQUIREMENTS = ["mlflow>=3.1,<4", "torch>=2.6", "transformers>=5,<6"]
PERPLEXITY_TAG = "validation_perplexity"
BLIMP_TAG = "blimp_accuracy"
VALIDATION_TAG = "validation_digest"
SCALE_TAG = "scale"
BEFORE_TAG = "champion_before"


@dataclass(frozen=True)
class TrainingMetrics:
    """What a training took and gave.

    `seconds` are those of training alone, over all processes that shared it one after the other; `history` has an
    entry for every few steps: step, loss, cross_entropy (nats a token), tokens_per_second, model_flops_utilization.
    """

    parameters: int
    validation_loss: float
    train_tokens: int
    steps: int
    seconds: float
    history: list[dict[str, float]]


@dataclass(frozen=True)
class TrainedModel:
    """What `training.json` in a model's folder tells."""

    asset: str
    track: str
    scale: str
    mlflow_run_id: str
    registered_model: str
    version: int
    is_champion: bool
    champion_reason: str
    parameters: int
    validation_loss: float
    validation_perplexity: float
    train_tokens: int
    steps: int
    seconds: float
    data_digests: dict[str, str]
    configuration: dict[str, Any]
    history: list[dict[str, float]]

    @classmethod
    def read(cls, folder: Path) -> "TrainedModel":
        """Reads a model's folder."""
        return cls(**json.loads((folder / DESCRIPTION).read_text(encoding="utf-8")))


@dataclass(frozen=True)
class Promotion:
    """Whether a version became, or stays, the champion, and why."""

    is_champion: bool
    reason: str


def content_digest(folder: Path) -> str:
    """SHA-256 (hex) of a model's folder without `training.json`, whose run, version and times are of one training."""
    digest = hashlib.sha256()
    for file in sorted(path for path in folder.iterdir() if path.name != DESCRIPTION):
        with file.open("rb") as handle:
            digest.update(file.name.encode() + b"\0" + hashlib.file_digest(handle, "sha256").digest())
    return digest.hexdigest()


def champion_alias(track: str) -> str:
    """The alias of a track's best version of a registered model."""
    return f"{track}-champion"


def register(
    settings: Settings, specification: TrainingSpecification, figures: TrainingMetrics, *, run_id: str
) -> None:
    """Logs the model in `specification.output` to the active MLflow run, registers it, and writes `training.json`.

    A version that the same run registered before it was killed is taken, not doubled.
    """
    import mlflow

    perplexity = math.exp(figures.validation_loss)
    mlflow.log_metrics(
        {
            "final_validation_loss": figures.validation_loss,
            "final_validation_perplexity": perplexity,
            "parameters": figures.parameters,
            "train_tokens": figures.train_tokens,
            "training_seconds": figures.seconds,
        }
    )
    client = mlflow.MlflowClient()
    known = client.search_model_versions(f"name = '{specification.registered_model}' and run_id = '{run_id}'")
    version = int(known[0].version) if known else _new_version(specification)
    tags = {
        "track": specification.track,
        SCALE_TAG: specification.scale,
        PERPLEXITY_TAG: f"{perplexity:.6f}",
        VALIDATION_TAG: specification.data_digests["validation"],
        **{f"digest.{name}": digest for name, digest in specification.data_digests.items()},
    }
    for name, value in tags.items():
        client.set_model_version_tag(specification.registered_model, str(version), name, value)
    verdict = promote(settings, specification.registered_model, version, specification.track)
    trained = TrainedModel(
        asset=specification.asset,
        track=specification.track,
        scale=specification.scale,
        mlflow_run_id=run_id,
        registered_model=specification.registered_model,
        version=version,
        is_champion=verdict.is_champion,
        champion_reason=verdict.reason,
        validation_perplexity=perplexity,
        data_digests=specification.data_digests,
        configuration=specification.model.model_dump(),
        **asdict(figures),
    )
    with atomic_write(specification.output / DESCRIPTION) as temporary:
        temporary.write_text(json.dumps(asdict(trained), indent=2) + "\n", encoding="utf-8")


def _new_version(specification: TrainingSpecification) -> int:
    import mlflow
    import pandas as pd
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, DataType, ParamSchema, ParamSpec, Schema

    information = mlflow.pyfunc.log_model(
        name="model",
        python_model=str(SERVED_MODEL),
        artifacts={MODEL_ARTIFACT: str(specification.output)},
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
        input_example=pd.DataFrame({"prompt": [PROMPT]}),
        pip_requirements=REQUIREMENTS,
        registered_model_name=specification.registered_model,
    )
    return int(information.registered_model_version)


def promote(settings: Settings, registered_model: str, version: int, track: str) -> Promotion:
    """Moves the track's champion alias to `version` unless the champion is better in perplexity or on BLiMP.

    Perplexities compare on the same validation text alone; where it differs from the champion's, the newer version
    takes over, but a demo never over another scale. BLiMP counts once both versions are scored: a champion that turns
    out to be worse at it than the one before gives the alias back.
    """
    import mlflow

    connect(settings)
    client = mlflow.MlflowClient()
    alias = champion_alias(track)
    candidate = client.get_model_version(registered_model, str(version))
    champion = _champion(client, registered_model, track)
    if champion is None:
        verdict = Promotion(True, "the first version of its track")
    elif champion.version != candidate.version:
        verdict = _compare(candidate, champion)
        if verdict.is_champion:
            client.set_model_version_tag(registered_model, str(version), BEFORE_TAG, str(champion.version))
    elif BEFORE_TAG in candidate.tags:
        before = client.get_model_version(registered_model, candidate.tags[BEFORE_TAG])
        verdict = _compare(candidate, before)
        if not verdict.is_champion:
            client.set_registered_model_alias(registered_model, alias, str(before.version))
    else:
        return Promotion(True, "the champion")
    client.set_model_version_tag(registered_model, str(version), "verdict", verdict.reason)
    if verdict.is_champion:
        client.set_registered_model_alias(registered_model, alias, str(version))
    return verdict


def _champion(client: "MlflowClient", registered_model: str, track: str) -> "ModelVersion | None":
    aliases = client.get_registered_model(registered_model).aliases
    version = aliases.get(champion_alias(track))
    return None if version is None else client.get_model_version(registered_model, str(version))


def _compare(candidate: "ModelVersion", champion: "ModelVersion") -> Promotion:
    if candidate.tags[VALIDATION_TAG] != champion.tags[VALIDATION_TAG]:
        if candidate.tags[SCALE_TAG] == "demo" != champion.tags[SCALE_TAG]:
            return Promotion(False, f"a demo does not replace version {champion.version} of another scale")
        return Promotion(True, f"the champion, version {champion.version}, was validated on another text")
    ours, theirs = float(candidate.tags[PERPLEXITY_TAG]), float(champion.tags[PERPLEXITY_TAG])
    if ours > theirs:
        return Promotion(False, f"validation perplexity {ours:.3f} is above {theirs:.3f} of version {champion.version}")
    if BLIMP_TAG in candidate.tags and BLIMP_TAG in champion.tags:
        ours, theirs = float(candidate.tags[BLIMP_TAG]), float(champion.tags[BLIMP_TAG])
        if ours < theirs:
            return Promotion(False, f"BLiMP accuracy {ours:.4f} is below {theirs:.4f} of version {champion.version}")
    return Promotion(True, f"no worse than version {champion.version}")


def record_blimp(settings: Settings, registered_model: str, version: int, accuracy: float) -> None:
    """Tags a version with its BLiMP accuracy (0 to 1, averaged over phenomena), which later versions must meet."""
    import mlflow

    connect(settings)
    mlflow.MlflowClient().set_model_version_tag(registered_model, str(version), BLIMP_TAG, f"{accuracy:.6f}")


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
