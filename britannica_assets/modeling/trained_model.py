"""What a finished training leaves in its model's folder: `training.json` beside weights and tokenizer."""

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from britannica_assets.digests import combined_digest, file_digest
from britannica_assets.files import read_json, write_json

TRAINING_FILE = "training.json"
SCHEMA_VERSION = 1


@dataclass(frozen=True)
class TrainingMetrics:
    """What a training took and gave.

    `words_seen` counts words by white space, repeats included, as BabyLM does; a teacher's count stands with the
    teacher. `seconds` are those of training alone, over all processes that shared it one after the other; `history` has
    an entry for every few steps: step, loss, cross_entropy and kl (nats a token), tokens_per_second,
    model_flops_utilization.
    """

    parameters: int
    validation_loss: float
    train_tokens: int
    words_seen: int
    steps: int
    seconds: float
    history: list[dict[str, float]]


@dataclass(frozen=True)
class TrainedModel:
    """The content of `training.json`; `words_seen` is None in one that was written before words were counted.

    `overrides` are what the run itself had otherwise than `scale`, as flat keys.
    """

    asset: str
    track: str
    scale: str
    configuration_digest: str
    mlflow_run_id: str
    registered_model: str
    version: int
    is_champion: bool
    promotion_reason: str
    parameters: int
    validation_loss: float
    validation_perplexity: float
    train_tokens: int
    steps: int
    seconds: float
    sequence_length: int
    data_digests: dict[str, str]
    configuration: dict[str, Any]
    history: list[dict[str, float]]
    words_seen: int | None = None
    overrides: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def read(cls, folder: Path) -> "TrainedModel":
        """Reads a model's folder.

        Raises:
            FileNotFoundError: the folder holds no finished training.
            SchemaVersionError: it was written by another schema.
        """
        return cls(**read_json(folder / TRAINING_FILE, schema_version=SCHEMA_VERSION))

    def write(self, folder: Path) -> None:
        """Writes `training.json` into a model's folder."""
        write_json(folder / TRAINING_FILE, asdict(self), schema_version=SCHEMA_VERSION)


def content_digest(folder: Path) -> str:
    """SHA-256 (hex) of a model's files without `training.json`, whose run, version and times are of one training.

    The checkpoints by words seen in the folders beside them follow from the same training and do not count.
    """
    files = sorted(path for path in folder.iterdir() if path.is_file() and path.name != TRAINING_FILE)
    return combined_digest({file.name: file_digest(file) for file in files})
