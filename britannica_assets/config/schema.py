"""What a configuration file may say: each key with its sentence, type and default, checked before anything runs."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from britannica_assets.digests import json_digest
from britannica_assets.track_models import STUDENT_MODELS, teacher_asset, teacher_name

MAX_PASSES = 10  # over the train text, of a model that competes in BabyLM (rules of 2025)
BABYLM_PREFIX = "babylm_"


class ConfigurationError(ValueError):
    """A configuration cannot be run; the message names file, key and remedy."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TrackBudget(_Section):
    """The words of one track, by white space, as BabyLM counts them."""

    train_words: Annotated[int, Field(gt=0)] | Literal["all"] = Field(
        description="words to train on, or `all` that validation does not take"
    )
    validation_words: int = Field(gt=0, description="words to validate on")
    competes: bool | None = Field(
        default=None,
        description="whether the track obeys BabyLM's rules, by which no model sees its text more than ten times;"
        " null: if its name begins with babylm_",
    )


class TokenizerConfiguration(_Section):
    """Byte-level BPE."""

    # 256 bytes and the special tokens; ids are stored as uint16
    vocab_size: int = Field(ge=260, le=65_536, description="types of the vocabulary, bytes and special tokens included")
    min_frequency: int = Field(default=2, ge=1, description="occurrences that a pair needs to be merged")


class Architecture(_Section):
    """A decoder's shape, with the keys of transformers' LlamaConfig."""

    family: Literal["gpt2", "llama"] = Field(description="the model class of transformers")
    num_hidden_layers: int = Field(gt=0, description="decoder layers")
    num_attention_heads: int = Field(gt=0, description="attention heads of a layer; they share hidden_size evenly")
    hidden_size: int = Field(gt=0, description="width of the hidden states and embeddings")
    intermediate_size: int = Field(gt=0, description="width of the feed-forward layer")
    tie_word_embeddings: bool | None = Field(
        default=None,
        description="whether input and output embeddings are one matrix; null: as the family's published models,"
        " GPT-2's tied, Llama's not",
    )
    dropout: float = Field(
        default=0, ge=0, lt=1, description="GPT-2's in residuals, embeddings and attention, Llama's in attention alone"
    )
    initializer_range: float = Field(
        default=0.02, gt=0, description="standard deviation of the initial weights of embeddings and matrices"
    )

    @model_validator(mode="after")
    def _heads_share_the_hidden_size(self) -> "Architecture":
        if self.hidden_size % self.num_attention_heads:
            raise ValueError(
                f"hidden_size {self.hidden_size} is not divisible by num_attention_heads {self.num_attention_heads};"
                " change one of the two"
            )
        if self.family == "llama" and (self.hidden_size // self.num_attention_heads) % 2:
            raise ValueError(
                f"hidden_size {self.hidden_size} over num_attention_heads {self.num_attention_heads} gives a head of"
                " odd size, which rotary positions cannot use; change one of the two"
            )
        return self


class Training(_Section):
    """How a model is trained, under a cosine schedule."""

    optimizer: Literal["adamw", "muon"] = Field(
        default="adamw", description="`muon` leaves embeddings, output layer and norms to AdamW"
    )
    learning_rate: float = Field(gt=0, description="peak learning rate")
    batch_size: int = Field(gt=0, description="sequences in one optimizer step, over all devices")
    device_batch_size: int = Field(
        default=64, gt=0, description="sequences that a device holds at once; fewer if memory is short"
    )
    epochs: int = Field(gt=0, description="passes over the train text")
    warmup_steps: int = Field(ge=0, description="steps of linear warm-up")
    weight_decay: float = Field(ge=0, description="decoupled weight decay of matrices")
    adam_beta1: float = Field(default=0.9, ge=0, lt=1, description="AdamW's decay of the mean gradient")
    adam_beta2: float = Field(default=0.999, ge=0, lt=1, description="AdamW's decay of the mean squared gradient")
    max_grad_norm: float = Field(
        default=1.0, ge=0, description="norm of the whole gradient at which it is clipped; 0: never"
    )
    ema_decay: float = Field(
        default=0,
        ge=0,
        lt=1,
        description="decay of an exponential moving average of the weights, which is validated and saved in their"
        " place; 0: none",
    )
    processes: int = Field(default=1, gt=0, description="processes that share the work, one on each GPU")
    keep: Literal["last", "best"] = Field(
        default="last", description="the weights to keep: after the last step, or of the epoch that validated best"
    )
    across_articles: bool = Field(default=False, description="whether labels cross the end of an article")
    document_mask: bool = Field(
        default=False,
        description="whether attention stays within an article, and positions count from its beginning (intra-document"
        " masking)",
    )
    masked_share: float = Field(
        default=0,
        ge=0,
        lt=1,
        description="share of the sequences that learn masked next-token prediction, with attention in both directions"
        " (GPT-BERT); 0: all learn the next token from those before it",
    )
    mask_probability_start: float = Field(
        default=0.3, gt=0, lt=1, description="share of a masked sequence's tokens that `<pad>` replaces, at first"
    )
    mask_probability_end: float = Field(
        default=0.15, gt=0, lt=1, description="the same after the last step; between them it falls evenly"
    )
    precision: Literal["auto", "float32", "bf16"] = Field(
        default="auto",
        description="of the matrix products; `auto`: bf16 on a GPU and on a CPU that multiplies it in hardware, else"
        " float32; weights and optimizer stay float32",
    )
    compile: bool | None = Field(
        default=None,
        description="whether torch.compile compiles the model; null: on a GPU and on a CPU, where a C++ compiler is"
        " there and the training long enough to repay it",
    )

    @model_validator(mode="after")
    def _processes_share_the_batch(self) -> "Training":
        if self.batch_size % self.processes:
            raise ValueError(
                f"batch_size {self.batch_size} is not divisible by processes {self.processes}; change one of the two"
            )
        return self


class ModelConfiguration(_Section):
    """One model: its shape and how it is trained."""

    architecture: Architecture = Field(description="the model's shape")
    training: Training = Field(description="how the model is trained")


class Distillation(_Section):
    """loss = alpha * CE + (1 - alpha) * temperature² * KL, with the teachers' predictions of each position."""

    alpha: float = Field(ge=0, le=1, description="weight of cross-entropy; KL has the rest")
    temperature: float = Field(gt=0, description="softens the logits of teachers and student in KL")
    top_k: int = Field(gt=0, description="types of each position whose predicted probability is stored, 4 bytes each")
    tail_samples: int = Field(
        default=85,
        gt=0,
        description="samples of the other types, in proportion to their probabilities, 1.2 bytes each: they make the"
        " stored targets unbiased, and the more there are the less they vary",
    )
    kl_reduction: Literal["token_mean", "sequence_sum"] = Field(
        default="token_mean",
        description="whether KL is averaged over tokens, or summed over a sequence, as BabyLlama's code does",
    )
    left_context: int = Field(
        ge=0, description="tokens that each position of the stored targets sees at least, or its article's beginning"
    )
    batch_size: int = Field(default=64, gt=0, description="sequences that the teachers read at once")
    live_teachers: bool = Field(
        default=False,
        description="whether the teachers run beside the student in every step, over the whole vocabulary, in place of"
        " stored targets: for comparison",
    )


class Generation(_Section):
    """How the student writes, and from which prompts."""

    temperature: float = Field(gt=0, description="softens the logits that are sampled from")
    top_p: float = Field(gt=0, le=1, description="probability mass of nucleus sampling")
    max_new_tokens: int = Field(gt=0, description="tokens after which an article is cut off")
    prompts: list[str] = Field(min_length=1, description="beginnings of articles; each is continued once")


Identifier = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]


class Configuration(_Section):
    """Everything that a scale fixes."""

    seed: int = Field(description="seed of the split, of initial weights, of the order of examples and of sampling")
    tracks: dict[Identifier, TrackBudget] = Field(
        min_length=1, description="word budgets by track; each track is a partition of the assets from the split on"
    )
    tokenizer: TokenizerConfiguration = Field(description="the tokenizer of every track")
    sequence_length: int = Field(gt=1, description="tokens of a training example")
    teachers: dict[Identifier, ModelConfiguration] = Field(
        min_length=1,
        description="teachers by name; `third` makes the asset teacher_third and the model britannica-teacher-third",
    )
    student: ModelConfiguration = Field(description="the student, and the one without teachers")
    distillation: Distillation = Field(description="what the student learns from its teachers")
    generation: Generation = Field(description="the generated articles")

    @model_validator(mode="after")
    def _context_fits_the_sequence(self) -> "Configuration":
        if self.distillation.left_context >= self.sequence_length:
            raise ValueError(
                f"distillation.left_context {self.distillation.left_context} is not below sequence_length"
                f" {self.sequence_length}; lower it"
            )
        if "targets" in self.teachers:
            raise ValueError("teachers.targets would take the name of the asset teacher_targets; name it otherwise")
        return self

    @model_validator(mode="after")
    def _competing_tracks_see_their_text_ten_times(self) -> "Configuration":
        competing = [
            name
            for name, track in self.tracks.items()
            if (name.startswith(BABYLM_PREFIX) if track.competes is None else track.competes)
        ]
        models = {"student": self.student} | {f"teachers.{name}": model for name, model in self.teachers.items()}
        for name, model in models.items():
            if competing and model.training.epochs > MAX_PASSES:
                raise ValueError(
                    f"{name}.training.epochs {model.training.epochs} is above {MAX_PASSES}, and BabyLM lets no model"
                    f" see its text more often: lower it, or set tracks.{competing[0]}.competes: false"
                )
        return self

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of all values that are not their key's default, whatever file they were read from."""
        values = self.model_dump(mode="json", exclude_defaults=True)
        return json_digest(values)

    def track(self, name: str) -> TrackBudget:
        """The budget of a track.

        Raises:
            ConfigurationError: there is no such track; the message lists those that there are.
        """
        if name not in self.tracks:
            raise ConfigurationError(
                f"the configuration has no track {name!r}; it has: {', '.join(self.tracks)}. Choose one of them or add"
                f" tracks.{name}"
            )
        return self.tracks[name]

    def model(self, asset: str) -> ModelConfiguration:
        """The configuration of a model by its asset: `student`, `student_without_teachers` or `teacher_<name>`.

        Raises:
            ConfigurationError: there is no such model; the message lists those that there are.
        """
        if asset in STUDENT_MODELS:
            return self.student
        teacher = teacher_name(asset)
        if teacher not in self.teachers:
            known = ", ".join([*STUDENT_MODELS, *map(teacher_asset, self.teachers)])
            raise ConfigurationError(f"the configuration has no model {asset!r}; it has: {known}")
        return self.teachers[teacher]
