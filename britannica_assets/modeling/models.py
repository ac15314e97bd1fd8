"""Architecture → an untrained transformers model, and what a token costs it."""

from typing import TYPE_CHECKING

import torch
from torch import nn

from britannica_assets.config import Architecture
from britannica_assets.special_tokens import BOS_ID, EOS_ID, PAD_ID

if TYPE_CHECKING:
    from transformers import PretrainedConfig, PreTrainedModel

POSITIONS_PER_TRAINED = 2  # as BabyLlama: positions for twice the trained sequence length


class DeferredHead(nn.Linear):
    """An output layer that passes the hidden states on, so that the loss can form logits a chunk at a time.

    It stands in the model where the output layer stood and holds the same parameter, so that distributed training,
    compilation and checkpoints see a model like any other, whose `logits` are hidden states.
    """

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        """The hidden states themselves."""
        return hidden


def transformers_configuration(
    architecture: Architecture, *, vocab_size: int, sequence_length: int
) -> "PretrainedConfig":
    """The transformers configuration of an architecture, with the ids of the special tokens."""
    from transformers import GPT2Config, LlamaConfig

    tied = (
        architecture.family == "gpt2" if architecture.tie_word_embeddings is None else architecture.tie_word_embeddings
    )
    shared = {
        "vocab_size": vocab_size,
        "pad_token_id": PAD_ID,
        "bos_token_id": BOS_ID,
        "eos_token_id": EOS_ID,
        "tie_word_embeddings": tied,
        "use_cache": True,
    }
    positions = POSITIONS_PER_TRAINED * sequence_length
    if architecture.family == "gpt2":
        return GPT2Config(
            **shared,
            n_positions=positions,
            n_embd=architecture.hidden_size,
            n_layer=architecture.num_hidden_layers,
            n_head=architecture.num_attention_heads,
            n_inner=architecture.intermediate_size,
            resid_pdrop=architecture.dropout,
            embd_pdrop=architecture.dropout,
            attn_pdrop=architecture.dropout,
        )
    return LlamaConfig(
        **shared,
        max_position_embeddings=positions,
        hidden_size=architecture.hidden_size,
        num_hidden_layers=architecture.num_hidden_layers,
        num_attention_heads=architecture.num_attention_heads,
        intermediate_size=architecture.intermediate_size,
        attention_dropout=architecture.dropout,
    )


def build_model(architecture: Architecture, *, vocab_size: int, sequence_length: int) -> "PreTrainedModel":
    """A model with random weights from torch's current seed, on torch's current default device."""
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_config(
        transformers_configuration(architecture, vocab_size=vocab_size, sequence_length=sequence_length)
    )


def defer_head(model: "PreTrainedModel") -> "PreTrainedModel":
    """Makes the model give hidden states as its logits; `output_weight` is the matrix that makes logits of them.

    Raises:
        ValueError: the output layer has a bias, which the losses do not know.
    """
    head = model.get_output_embeddings()
    if getattr(head, "bias", None) is not None:
        raise ValueError(f"{type(model).__name__} has an output layer with a bias")
    deferred = DeferredHead(head.in_features, head.out_features, bias=False, device="meta")
    deferred.weight = head.weight
    model.set_output_embeddings(deferred)
    return model


def output_weight(model: "PreTrainedModel") -> torch.Tensor:
    """The output layer's matrix, [vocabulary, width]."""
    weight: torch.Tensor = model.get_output_embeddings().weight
    return weight


def training_flops(model: "PreTrainedModel", sequence_length: int) -> float:
    """Floating-point operations to train on one token: forward and twice that backward.

    6 for each parameter of a matrix product (embedding tables are looked up, not multiplied), and for each layer
    6 · width · sequence_length for causal attention (Chowdhery et al. 2022, appendix B, halved for the causal mask).
    """
    looked_up = sum(module.weight.numel() for module in model.modules() if isinstance(module, nn.Embedding))
    if model.config.tie_word_embeddings:
        looked_up -= output_weight(model).numel()
    multiplied = model.num_parameters() - looked_up
    attention = 6 * model.config.num_hidden_layers * model.config.hidden_size * sequence_length
    return float(6 * multiplied + attention)
