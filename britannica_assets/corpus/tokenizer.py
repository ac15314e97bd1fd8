"""Byte-level BPE by Hugging Face tokenizers: trained on a track's train text alone, saved as transformers loads it.

Byte-level BPE as in GPT-2 (Radford et al. 2019): every byte is a type, so nothing is unknown and decoding gives back
the text exactly.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tokenizers import Tokenizer

PAD, BEGIN, END = "<pad>", "<s>", "</s>"


def train_tokenizer(texts: Iterable[str], *, vocabulary_size: int, minimum_frequency: int) -> "Tokenizer":
    """Trains on `texts`, one article each. The ids 0, 1, 2 are `<pad>`, `<s>`, `</s>`.

    By default the tokenizer puts `<s>` before each text, so that the first word of a sentence has a probability too.

    Raises:
        ValueError: the texts gave no vocabulary beyond the bytes, or fewer types than `vocabulary_size` asks for.
    """
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary_size,
        min_frequency=minimum_frequency,
        special_tokens=[PAD, BEGIN, END],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    # A text that holds the characters `<s>` itself is text: special tokens are added as ids, never found in it.
    tokenizer.encode_special_tokens = True
    tokenizer.train_from_iterator(texts, trainer)
    if tokenizer.get_vocab_size() < vocabulary_size:
        raise ValueError(
            f"the text gives only {tokenizer.get_vocab_size()} types of at least {minimum_frequency} occurrences, the"
            f" configuration asks for {vocabulary_size}: lower tokenizer.vocabulary_size or train on more words"
        )
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{BEGIN} $A",
        pair=f"{BEGIN} $A {BEGIN} $B",
        special_tokens=[(BEGIN, tokenizer.token_to_id(BEGIN))],
    )
    return tokenizer


def save_tokenizer(tokenizer: "Tokenizer", folder: Path, *, model_max_length: int) -> None:
    """Writes `tokenizer.json` and what `AutoTokenizer` needs beside it into `folder`."""
    tokenizer.save(str(folder / "tokenizer.json"))
    configuration = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "pad_token": PAD,
        "bos_token": BEGIN,
        "eos_token": END,
        "model_max_length": model_max_length,
        "clean_up_tokenization_spaces": False,
        "model_input_names": ["input_ids", "attention_mask"],
        "split_special_tokens": True,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(configuration, indent=2) + "\n", encoding="utf-8")


def load_tokenizer(folder: Path) -> "Tokenizer":
    """The tokenizer that `save_tokenizer` wrote, treating all text as text."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.encode_special_tokens = True
    return tokenizer
