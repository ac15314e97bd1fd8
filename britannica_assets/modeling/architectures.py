"""Configuration → an untrained transformers model."""

from typing import TYPE_CHECKING

from britannica_assets.configuration import Architecture

if TYPE_CHECKING:
    from transformers import PretrainedConfig, PreTrainedModel

POSITIONS_PER_TRAINED = 2  # as BabyLlama: positions for twice the trained sequence length


def transformers_configuration(
    architecture: Architecture, *, vocabulary_size: int, sequence_length: int
) -> "PretrainedConfig":
    """The transformers configuration of an architecture; the ids 0, 1, 2 are padding, begin and end."""
    from transformers import GPT2Config, LlamaConfig

    shared = {"vocab_size": vocabulary_size, "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2}
    positions = POSITIONS_PER_TRAINED * sequence_length
    if architecture.family == "gpt2":
        return GPT2Config(
            **shared,
            n_positions=positions,
            n_embd=architecture.width,
            n_layer=architecture.layers,
            n_head=architecture.heads,
            n_inner=architecture.inner_width,
        )
    return LlamaConfig(
        **shared,
        max_position_embeddings=positions,
        hidden_size=architecture.width,
        num_hidden_layers=architecture.layers,
        num_attention_heads=architecture.heads,
        intermediate_size=architecture.inner_width,
        tie_word_embeddings=False,
    )


def build_model(architecture: Architecture, *, vocabulary_size: int, sequence_length: int) -> "PreTrainedModel":
    """A model with random weights from torch's current seed, on torch's current default device."""
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_config(
        transformers_configuration(architecture, vocabulary_size=vocabulary_size, sequence_length=sequence_length)
    )
