"""The specification of a training: one JSON file, from which and from its inputs the whole training follows."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from britannica_assets.config import (
    Configuration,
    Distillation,
    Generation,
    ModelConfiguration,
    configuration_name,
    override,
)
from britannica_assets.corpus.token_ids import SPLITS, TokenIds
from britannica_assets.digests import folder_digest, json_digest
from britannica_assets.modeling.trained_model import content_digest
from britannica_assets.settings import Settings
from britannica_assets.track_models import STUDENT_MODELS, registered_model
from britannica_assets.tracking import flattened

IDENTITY_VERSION = 1  # to be raised when the code trains another model by the same keys, or a key's default changes
DECISIVE = {"asset", "track", "model", "sequence_length", "seed", "distillation", "data_digests"}
# Keys that say how the work is done and not what comes of it.
EXECUTION_KEYS: dict[str, Any] = {
    "model": {"training": {"device_batch_size", "processes", "compile"}},
    "distillation": {"batch_size"},
}


class TrainingSpecification(BaseModel):
    """One training: the model, its data, and below which folder (`work`) it keeps checkpoints and its result.

    `scale` and `configuration_digest` name the configuration that `model` is from, `overrides` what the run itself has
    otherwise, as flat keys. `settings` are the platform's, as `Settings.model_dump(mode="json")` gives them; by default
    they are the environment's. With `targets` the model learns from stored predictions, with `teachers` from live
    models, with neither from the true text alone. How the model samples by default is saved with it (`generation`) and
    is no part of the training's identity. After `stop_after_seconds` the process writes a checkpoint and ends; called
    again, it goes on from there.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    asset: str
    track: str
    scale: str
    configuration_digest: str = ""
    overrides: dict[str, Any] = {}
    dagster_run_id: str = ""
    settings: dict[str, Any] = {}
    model: ModelConfiguration
    sequence_length: int
    seed: int
    distillation: Distillation | None = None
    generation: Generation | None = None
    token_ids: Path
    tokenizer: Path
    targets: Path | None = None
    teachers: list[Path] = []
    data_digests: dict[str, str]
    work: Path
    checkpoint_seconds: float = 300
    stop_after_seconds: float | None = None

    @property
    def registered_model(self) -> str:
        """The name in MLflow's registry."""
        return registered_model(self.asset)

    @property
    def identity(self) -> dict[str, Any]:
        """All that decides the result, as flat keys joined by full stops; a key at its default is absent.

        So a key that is added to the schema later changes the identity of no training that leaves it alone.
        """
        values = self.model_dump(mode="json", include=DECISIVE, exclude=EXECUTION_KEYS, exclude_defaults=True)
        return {"version": IDENTITY_VERSION, **flattened(values)}

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of `identity`: a killed training is taken up again by the same digest."""
        return json_digest(self.identity)

    @property
    def keeps_words_seen_checkpoints(self) -> bool:
        """Whether BabyLM's checkpoints by words seen are kept, see `words_seen.py`: of students, not of teachers."""
        return self.asset in STUDENT_MODELS

    @property
    def checkpoints(self) -> Path:
        """The folder for checkpoints and the identifier of the MLflow run."""
        return self.work / f"{self.asset}-{self.track}-{self.digest[:16]}"

    @property
    def output(self) -> Path:
        """The folder of the finished model, until the asset's IO manager moves it away."""
        return self.checkpoints / "model"


def specify_training(
    settings: Settings,
    configuration: Configuration,
    asset: str,
    track: str,
    *,
    token_ids: Path,
    tokenizer: Path,
    targets: Path | None = None,
    teachers: Sequence[Path] = (),
    overrides: Mapping[str, Any],
    dagster_run_id: str,
) -> TrainingSpecification:
    """The training of the model that `asset` is, as the configuration has it, and the run's own overrides.

    Args:
        settings: name the scale and the work folder.
        configuration: the scale's.
        asset: the model's.
        track: the track's name.
        token_ids: the track's folder of token ids.
        tokenizer: the track's folder of the tokenizer.
        targets: the folder of stored targets to learn from, or
        teachers: the folders of those who made them, where the configuration wants them live; with neither the model
            learns from the text alone.
        overrides: by key, see `config/overrides.py`.
        dagster_run_id: "" where there is none.

    Raises:
        ConfigurationError: an override cannot be run.
    """
    own = override(configuration, asset, overrides)
    live = list(teachers) if own.distillation.live_teachers else []
    stored = None if live else targets
    digests: dict[str, str] = {split: TokenIds.open(token_ids, split).digest for split in SPLITS}
    digests["tokenizer"] = folder_digest(tokenizer)
    if stored is not None:
        digests["teacher_targets"] = folder_digest(stored)
    digests |= {f"live_teacher_{number}": content_digest(folder) for number, folder in enumerate(live)}
    return TrainingSpecification(
        asset=asset,
        track=track,
        scale=configuration_name(settings.scale),
        configuration_digest=own.digest,
        overrides=dict(overrides),
        dagster_run_id=dagster_run_id,
        settings=settings.model_dump(mode="json"),
        model=own.model(asset),
        sequence_length=own.sequence_length,
        seed=own.seed,
        distillation=own.distillation if stored is not None or live else None,
        generation=own.generation,
        token_ids=token_ids,
        tokenizer=tokenizer,
        targets=stored,
        teachers=live,
        data_digests=digests,
        work=settings.work_path / "training",
    )
