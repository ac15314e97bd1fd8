"""The scale's configuration: what a YAML file under `modeling/configs` may say, checked before anything runs."""

from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

CONFIG_FOLDER = Path(__file__).parent / "modeling" / "configs"


class ConfigurationError(ValueError):
    """A configuration file says something that cannot be run; the message names file, key and remedy."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TrackBudget(_Section):
    """How many words (by white space, as BabyLM counts) a track trains and validates on."""

    train_words: Annotated[int, Field(gt=0)] | Literal["all"]
    validation_words: int = Field(gt=0)


class TokenizerConfiguration(_Section):
    """Byte-level BPE: the number of types, and how often a pair must occur to be merged."""

    vocabulary_size: int = Field(ge=260, le=65_536)  # 256 bytes and the special tokens; ids are stored as uint16
    minimum_frequency: int = Field(default=2, ge=1)


class Architecture(_Section):
    """A decoder's shape. `dropout` is GPT-2's in residuals, embeddings and attention, Llama's in attention alone."""

    family: Literal["gpt2", "llama"]
    layers: int = Field(gt=0)
    heads: int = Field(gt=0)
    width: int = Field(gt=0)
    inner_width: int = Field(gt=0)
    tied_embeddings: bool | None = None  # by default as the family's published models: GPT-2's are tied, Llama's not
    dropout: float = Field(default=0, ge=0, lt=1)

    @model_validator(mode="after")
    def _heads_share_the_width(self) -> "Architecture":
        if self.width % self.heads:
            raise ValueError(f"width {self.width} is not divisible by heads {self.heads}; change one of the two")
        if self.family == "llama" and (self.width // self.heads) % 2:
            raise ValueError(
                f"width {self.width} over heads {self.heads} gives a head of odd size,"
                " which rotary positions cannot use; change one of the two"
            )
        return self


class Training(_Section):
    """The optimizer, under a cosine schedule; `muon` leaves embeddings, output layer and norms to AdamW.

    `batch_size` counts sequences in one optimizer step, over all devices; `device_batch_size` those that a device holds
    at once, fewer if memory is short. `processes` above 1 share the work, one on each GPU. `keep` is
    the state the model ends in: after the last step, or after the epoch that validated best. Labels cross the end of an
    article only with `across_articles`.
    """

    optimizer: Literal["adamw", "muon"] = "adamw"
    learning_rate: float = Field(gt=0)
    batch_size: int = Field(gt=0)
    device_batch_size: int = Field(default=64, gt=0)
    epochs: int = Field(gt=0)
    warmup_steps: int = Field(ge=0)
    weight_decay: float = Field(ge=0)
    processes: int = Field(default=1, gt=0)
    keep: Literal["last", "best"] = "last"
    across_articles: bool = False
    compile: bool = False

    @model_validator(mode="after")
    def _processes_share_the_batch(self) -> "Training":
        if self.batch_size % self.processes:
            raise ValueError(
                f"batch_size {self.batch_size} is not divisible by processes {self.processes}; change one of the two"
            )
        return self


class ModelConfiguration(_Section):
    """One model: its shape and how it is trained."""

    architecture: Architecture
    training: Training


class Distillation(_Section):
    """loss = alpha * CE + (1 - alpha) * temperature² * KL, with the teachers' `top_k` predictions of each position.

    KL is averaged over tokens (`token_mean`) or summed over a sequence (`sequence_sum`, as BabyLlama's code does). Each
    position of the targets sees at least `left_context` tokens, or its article's beginning. With `teachers: live` the
    teachers run beside the student in every step, on its own chunks and over the whole vocabulary: for comparison.
    """

    alpha: float = Field(ge=0, le=1)
    temperature: float = Field(gt=0)
    top_k: int = Field(gt=0)
    kl_reduction: Literal["token_mean", "sequence_sum"] = "token_mean"
    left_context: int = Field(ge=0)
    batch_size: int = Field(default=64, gt=0)
    teachers: Literal["stored", "live"] = "stored"


class Generation(_Section):
    """How the student writes, and from which prompts."""

    temperature: float = Field(gt=0)
    top_p: float = Field(gt=0, le=1)
    maximum_new_tokens: int = Field(gt=0)
    prompts: list[str] = Field(min_length=1)


class Configuration(_Section):
    """Everything a scale fixes, from the word budgets to the prompts."""

    seed: int
    tracks: dict[str, TrackBudget]
    tokenizer: TokenizerConfiguration
    sequence_length: int = Field(gt=1)
    teacher_gpt2: ModelConfiguration
    teacher_llama: ModelConfiguration
    student: ModelConfiguration
    distillation: Distillation
    generation: Generation

    @model_validator(mode="after")
    def _context_fits_the_sequence(self) -> "Configuration":
        if self.distillation.left_context >= self.sequence_length:
            raise ValueError(
                f"distillation.left_context {self.distillation.left_context} is not below sequence_length"
                f" {self.sequence_length}; lower it"
            )
        return self


def load_configuration(scale: str, folder: Path = CONFIG_FOLDER) -> Configuration:
    """Reads and checks `<folder>/<scale>.yaml`.

    Raises:
        ConfigurationError: no such file, no valid YAML, an unknown key, or a value that cannot be run;
            the message names the file and each key.
    """
    path = folder / f"{scale}.yaml"
    if not path.is_file():
        known = ", ".join(sorted(file.stem for file in folder.glob("*.yaml")))
        raise ConfigurationError(f"no configuration {path}; set BRITANNICA_SCALE to one of: {known}")
    try:
        return Configuration.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except yaml.YAMLError as error:
        raise ConfigurationError(f"{path} is not valid YAML: {error}") from error
    except ValidationError as error:
        problems = "\n".join(
            f"  {'.'.join(str(part) for part in problem['loc']) or '(top level)'}: {problem['msg']}"
            + (f" (got {problem['input']!r})" if not isinstance(problem["input"], dict) else "")
            for problem in error.errors()
        )
        raise ConfigurationError(f"{path} has {error.error_count()} error(s):\n{problems}") from error
