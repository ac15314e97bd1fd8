"""Architecture → an untrained transformers model, and what a token costs it."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from safetensors.torch import load_file
from torch import nn

from britannica_assets.config import Architecture
from britannica_assets.modeling.device import best_device
from britannica_assets.special_tokens import BOS_ID, EOS_ID, PAD_ID

if TYPE_CHECKING:
    from transformers import PretrainedConfig, PreTrainedModel, PreTrainedTokenizerBase

POSITIONS_PER_TRAINED = 2  # as BabyLlama: positions for twice the trained sequence length


class IncompleteWeightsError(RuntimeError):
    """A file or folder does not hold the weights of the model; the message names both."""


class DeferredHead(nn.Linear):
    """An output layer that passes the hidden states on, so that the loss can form logits a chunk at a time.

    It stands in the model where the output layer stood and holds the same parameter, so that distributed training,
    compilation and checkpoints see a model like any other, whose `logits` are hidden states.
    """

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        """The hidden states, in the type of the product that the layer would compute."""
        device = hidden.device.type
        return hidden.to(torch.get_autocast_dtype(device)) if torch.is_autocast_enabled(device) else hidden


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
        "initializer_range": architecture.initializer_range,
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


def load_trained(folder: Path, *, dtype: torch.dtype = torch.float32) -> "PreTrainedModel":
    """The model that `save_pretrained` wrote to `folder`.

    Raises:
        IncompleteWeightsError: weights are missing or superfluous, which transformers would draw anew or drop.
    """
    from transformers import AutoModelForCausalLM

    model, loading = AutoModelForCausalLM.from_pretrained(folder, dtype=dtype, output_loading_info=True)
    check_complete(model, folder, missing=loading["missing_keys"], unexpected=loading["unexpected_keys"])
    return model


def load_model(folder: Path) -> "tuple[PreTrainedModel, PreTrainedTokenizerBase]":
    """The model and tokenizer in a folder, whoever trained it, for inference on the best device.

    In float32, whatever type its weights are stored in: bfloat16 would round away small differences of a score.
    """
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).to(best_device()).eval()
    return model, AutoTokenizer.from_pretrained(folder)


def load_weights(model: "PreTrainedModel", file: Path) -> None:
    """Loads a safetensors file into the model; weights that are tied to one of the file's need not be in it.

    Raises:
        IncompleteWeightsError: others are missing, or the model does not know one of the file's.
    """
    missing, unexpected = model.load_state_dict(load_file(file), strict=False)
    check_complete(model, file, missing=missing, unexpected=unexpected)


def check_complete(
    model: "PreTrainedModel", source: Path, *, missing: Iterable[str], unexpected: Iterable[str]
) -> None:
    """Holds that weights of `source` are the model's own, and that it lacks only those that are tied to another.

    Raises:
        IncompleteWeightsError: see above; the message names them.
    """
    absent = set(missing)
    parameters = model.state_dict()
    present = {tensor.data_ptr() for name, tensor in parameters.items() if name not in absent}
    lost = sorted(name for name in absent if parameters[name].data_ptr() not in present)
    unknown = sorted(unexpected)
    if lost or unknown:
        raise IncompleteWeightsError(
            f"{source} does not hold the weights of this {type(model).__name__}: missing {', '.join(lost) or 'none'};"
            f" unknown {', '.join(unknown) or 'none'}"
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
