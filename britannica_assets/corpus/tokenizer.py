"""Byte-level BPE by Hugging Face tokenizers: trained on a track's train text alone, saved as transformers loads it.

Byte-level BPE as in GPT-2 (Radford et al. 2019): every byte is a type, so nothing is unknown and decoding gives back
the text exactly.
"""

import json
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from britannica_assets.special_tokens import BOS, BOS_ID, EOS, PAD, SPECIAL_TOKENS

if TYPE_CHECKING:
    from tokenizers import Tokenizer

# GPT-2's pre-tokens where no white space stands next to another, as in cleaned text.
PRE_TOKENS = r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s"
BOUNDARY = "\uffff"  # a noncharacter, which no text may hold (Unicode, section 23.7)
BATCH_SIZE = 2_000


def train_tokenizer(texts: pl.Series | Sequence[str], *, vocab_size: int, min_frequency: int) -> "Tokenizer":
    """Trains on `texts`, one article each. The special tokens are those of `special_tokens.py`.

    By default the tokenizer puts `<s>` before each text, so that the first word of a sentence has a probability too.
    The trainer gets pre-tokens that polars has split and spelled in the bytes' alphabet, which is quicker there; on
    cleaned text the tokenizer is the one that the library's own pre-tokenizer would have given.

    Raises:
        ValueError: the texts gave no vocabulary beyond the bytes, or fewer types than `vocab_size` asks for.
    """
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.CharDelimiterSplit(BOUNDARY)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        min_frequency=min_frequency,
        special_tokens=list(SPECIAL_TOKENS),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    # A text that holds the characters `<s>` itself is text: special tokens are added as ids, never found in it.
    tokenizer.encode_special_tokens = True
    tokenizer.train_from_iterator(_pre_tokens(pl.Series(texts, dtype=pl.String)), trainer)
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    if tokenizer.get_vocab_size() < vocab_size:
        raise ValueError(
            f"the text gives only {tokenizer.get_vocab_size()} types of at least {min_frequency} occurrences, the"
            f" configuration asks for {vocab_size}: lower tokenizer.vocab_size or train on more words"
        )
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{BOS} $A",
        pair=f"{BOS} $A {BOS} $B",
        special_tokens=[(BOS, BOS_ID)],
    )
    return tokenizer


def _pre_tokens(texts: pl.Series) -> Iterator[list[str]]:
    """Articles in batches, `BOUNDARY` between the pre-tokens, each byte as byte-level BPE spells it."""
    from tokenizers import pre_tokenizers

    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)

    def spelling(character: str) -> str:
        return byte_level.pre_tokenize_str(character)[0][0]

    text = pl.col("text")
    for start in range(0, len(texts), BATCH_SIZE):
        batch = pl.LazyFrame({"text": texts.slice(start, BATCH_SIZE)})
        others = batch.select(text.str.extract_all(r"[^ -~]").explode().unique()).collect(engine="streaming")
        spelled = {character: spelling(character) for character in others["text"].drop_nulls()}
        parted = text.str.replace_all(PRE_TOKENS, f"${{0}}{BOUNDARY}").str.replace_all(" ", spelling(" "), literal=True)
        yield batch.select(parted.str.replace_many(spelled)).collect(engine="streaming")["text"].to_list()


class Encoder:
    """Encodes articles to ids, each distinct pre-token once: BPE never looks beyond one, and few words are new."""

    def __init__(self, tokenizer: "Tokenizer") -> None:
        self._tokenizer = tokenizer
        self._known = pl.DataFrame(schema={"piece": pl.String, "ids": pl.List(pl.UInt16)})

    def encode(self, texts: pl.Series) -> pl.Series:
        """The ids of each text, list[u16], without special tokens: what the tokenizer's own `encode` gives."""
        text = pl.col("text")
        # Where white space stands in a row, GPT-2's rule looks ahead: such a text is a piece by itself.
        pieces = (
            pl.when(text.str.contains(r"\s\s")).then(pl.concat_list(text)).otherwise(text.str.extract_all(PRE_TOKENS))
        )
        articles = pl.LazyFrame({"text": texts}).select(pieces.alias("piece")).with_row_index("article")
        parted = articles.explode("piece", empty_as_null=True).collect(engine="streaming")
        new = parted.select(pl.col("piece").drop_nulls().unique(maintain_order=True)).join(
            self._known, on="piece", how="anti"
        )
        self._known = pl.concat([self._known, new.with_columns(self._spell(new["piece"]))])
        spelled = parted.join(self._known, on="piece", how="left", maintain_order="left")
        return (
            spelled.group_by("article", maintain_order=True)
            .agg(pl.col("ids").explode(empty_as_null=False, keep_nulls=False))
            .get_column("ids")
        )

    def _spell(self, pieces: pl.Series) -> pl.Series:
        ids = [
            encoding.ids for encoding in self._tokenizer.encode_batch_fast(pieces.to_list(), add_special_tokens=False)
        ]
        tokens = pl.DataFrame(
            {
                "piece": np.repeat(np.arange(len(ids)), [len(of_piece) for of_piece in ids]),
                "ids": np.fromiter(chain.from_iterable(ids), dtype=np.uint16),
            }
        )
        return tokens.group_by("piece", maintain_order=True).agg("ids").get_column("ids")


def save_tokenizer(tokenizer: "Tokenizer", folder: Path, *, model_max_length: int) -> None:
    """Writes `tokenizer.json` and what `AutoTokenizer` needs beside it into `folder`."""
    tokenizer.save(str(folder / "tokenizer.json"))
    configuration = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "pad_token": PAD,
        "bos_token": BOS,
        "eos_token": EOS,
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
