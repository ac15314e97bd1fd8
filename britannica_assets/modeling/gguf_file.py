"""A trained Llama as one GGUF file, which llama.cpp and what builds on it (Ollama, LM Studio) load.

The metadata and the names of the tensors are those of the `gguf` package; weights keep their float32. Quantized files
are made of it by llama.cpp's own `llama-quantize`.
"""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from britannica_assets.files import atomic_write
from britannica_assets.special_tokens import BOS_ID, EOS_ID, PAD_ID, SPECIAL_TOKENS

if TYPE_CHECKING:
    import gguf
    from transformers import PretrainedConfig

# llama.cpp's name for GPT-2's pattern of pre-tokens, which the byte-level pre-tokenizer of `tokenizer.py` splits by.
PRE_TOKENIZER = "gpt-2"
LICENCE = "cc-by-sa-4.0"


def write_gguf(folder: Path, file: Path, *, name: str) -> None:
    """Writes the Llama that `save_model` wrote to `folder`, with its tokenizer, to `file`.

    Args:
        folder: the model's.
        file: the GGUF file; one that is there is replaced.
        name: of the model, as the file's metadata have it.

    Raises:
        ValueError: the model is no Llama.
        IncompleteWeightsError: weights are missing or superfluous.
    """
    import gguf

    from britannica_assets.modeling.models import load_trained

    model = load_trained(folder)
    if model.config.model_type != "llama":
        raise ValueError(f"{folder} holds a model of the type {model.config.model_type}: only a Llama becomes GGUF")
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, model.config.num_hidden_layers)
    heads = {"q_proj.weight": model.config.num_attention_heads, "k_proj.weight": model.config.num_key_value_heads}
    with atomic_write(file) as temporary:
        writer = gguf.GGUFWriter(temporary, gguf.MODEL_ARCH_NAMES[gguf.MODEL_ARCH.LLAMA])
        _add_configuration(writer, model.config, name)
        _add_tokenizer(writer, folder)
        for tensor_name, parameter in model.named_parameters():  # tied weights come once
            weight = parameter.detach().numpy()
            rotated = next((number for suffix, number in heads.items() if tensor_name.endswith(suffix)), None)
            writer.add_tensor(
                names[tensor_name.removesuffix(".weight")] + ".weight",
                weight if rotated is None else _adjacent_pairs(weight, rotated),
            )
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()


def _adjacent_pairs(weight: npt.NDArray[np.float32], heads: int) -> npt.NDArray[np.float32]:
    """The rows of a head's projection in llama.cpp's order.

    Rotary positions turn pairs of a head's dimensions: transformers pairs one of the first half with one of the second,
    llama.cpp pairs neighbours, as the first Llama did.
    """
    halves = weight.reshape(heads, 2, -1, weight.shape[-1])
    return np.ascontiguousarray(halves.swapaxes(1, 2).reshape(weight.shape))


def _add_configuration(writer: "gguf.GGUFWriter", config: "PretrainedConfig", name: str) -> None:
    import gguf

    writer.add_name(name)
    writer.add_license(LICENCE)
    writer.add_languages(["en"])
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    writer.add_vocab_size(config.vocab_size)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_rope_dimension_count(config.head_dim)
    writer.add_rope_freq_base(config.rope_parameters["rope_theta"])
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)


def _add_tokenizer(writer: "gguf.GGUFWriter", folder: Path) -> None:
    import gguf

    description = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))["model"]
    types = sorted(description["vocab"], key=description["vocab"].__getitem__)
    writer.add_tokenizer_model("gpt2")  # llama.cpp's name for byte-level BPE
    writer.add_tokenizer_pre(PRE_TOKENIZER)
    writer.add_token_list(types)
    writer.add_token_types(
        [gguf.TokenType.CONTROL if one in SPECIAL_TOKENS else gguf.TokenType.NORMAL for one in types]
    )
    writer.add_token_merges([" ".join(merge) for merge in description["merges"]])
    writer.add_bos_token_id(BOS_ID)
    writer.add_eos_token_id(EOS_ID)
    writer.add_pad_token_id(PAD_ID)
    writer.add_add_bos_token(True)  # as the tokenizer itself does
    writer.add_add_space_prefix(False)
