"""The specification of a training: one JSON file, from which and from its inputs the whole training follows."""

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from britannica_assets.config import Distillation, Generation, ModelConfiguration
from britannica_assets.digests import json_digest
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

    `scale` and `configuration_digest` name the configuration that `model` is from. `settings` are the platform's, as
    `Settings.model_dump(mode="json")` gives them; by default they are the environment's. With `targets` the model
    learns from stored predictions, with `teachers` from live models, with neither from the true text alone. How the
    model samples by default is saved with it (`generation`) and is no part of the training's identity. After
    `stop_after_seconds` the process writes a checkpoint and ends; called again, it goes on from there.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    asset: str
    track: str
    scale: str
    configuration_digest: str = ""
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
