"""The specification of a training: one JSON file, from which and from its inputs the whole training follows."""

import hashlib
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from britannica_assets.config import Distillation, ModelConfiguration
from britannica_assets.track_models import registered_model


class TrainingSpecification(BaseModel):
    """One training: the model, its data, and below which folder (`work`) it keeps checkpoints and its result.

    `scale` and `configuration_digest` name the configuration that `model` is from. `settings` are the platform's, as
    `Settings.model_dump(mode="json")` gives them; by default they are the environment's. With `targets` the model
    learns from stored predictions, with `teachers` from live models, with neither from the true text alone. After
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
    def digest(self) -> str:
        """SHA-256 (hex) of all that decides the result: a killed training is taken up again by the same digest."""
        decisive = self.model_dump(
            mode="json",
            include={"asset", "track", "model", "sequence_length", "seed", "distillation", "data_digests"},
        )
        return hashlib.sha256(repr(sorted(decisive.items())).encode()).hexdigest()

    @property
    def checkpoints(self) -> Path:
        """The folder for checkpoints and the identifier of the MLflow run."""
        return self.work / f"{self.asset}-{self.track}-{self.digest[:16]}"

    @property
    def output(self) -> Path:
        """The folder of the finished model, until the asset's IO manager moves it away."""
        return self.checkpoints / "model"
