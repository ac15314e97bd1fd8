"""Byte-level BPE: trained on a track's train text alone, saved as transformers loads it, and quick to encode with.

Byte-level BPE as in GPT-2 (Radford et al. 2019): every byte is a type, so nothing is unknown and decoding gives back
the text exactly. The file format and the meaning are those of Hugging Face `tokenizers`; `gigatoken` does the counting
and the encoding, with the same merges and the same ids (property tests compare the two).
"""

import json
import logging
from bisect import bisect_left
from collections.abc import Callable, Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import polars as pl

from britannica_assets.corpus.native_output import native_output_to_log
from britannica_assets.special_tokens import BOS, BOS_ID, EOS, PAD, SPECIAL_TOKENS

if TYPE_CHECKING:
    from tokenizers import Tokenizer

logger = logging.getLogger(__name__)

SEPARATOR = b"\xff"  # between articles: a byte that UTF-8 never uses
Merge = tuple[bytes, bytes]


def train_tokenizer(texts: pl.Series | Sequence[str], *, vocab_size: int, min_frequency: int) -> "Tokenizer":
    """Trains on `texts`, one article each. The special tokens are those of `special_tokens.py`.

    By default the tokenizer puts `<s>` before each text, so that the first word of a sentence has a probability too.
    The result is the one of `tokenizers.trainers.BpeTrainer` with a byte-level pre-tokenizer.

    Raises:
        ValueError: fewer types than `vocab_size` occur `min_frequency` times in the texts.
    """
    from gigatoken import train_bpe

    articles = [text.encode() for text in texts]
    # No special tokens here: a text that holds the characters `<s>` is text, and counts as such.
    with native_output_to_log(logger):
        _, merges = train_bpe(SEPARATOR.join(articles), vocab_size - len(SPECIAL_TOKENS), [], separator=SEPARATOR)
    tokenizer = _build_tokenizer(merges)
    if tokenizer.get_vocab_size() < vocab_size or not _is_frequent(articles, merges, min_frequency):
        frequent = bisect_left(
            range(1, len(merges) + 1), True, key=lambda count: not _is_frequent(articles, merges[:count], min_frequency)
        )
        raise ValueError(
            f"the text gives only {_build_tokenizer(merges[:frequent]).get_vocab_size()} types of at least"
            f" {min_frequency} occurrences, the configuration asks for {vocab_size}: lower tokenizer.vocab_size or"
            " train on more words"
        )
    return tokenizer


def _build_tokenizer(merges: Sequence[Merge]) -> "Tokenizer":
    """The byte-level tokenizer of these merges; ids are given as `BpeTrainer` gives them: special, bytes, merges."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, processors

    spelled = [(_spell(left), _spell(right)) for left, right in merges]
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    types = dict.fromkeys([*SPECIAL_TOKENS, *alphabet, *(left + right for left, right in spelled)])
    tokenizer = Tokenizer(models.BPE({token: number for number, token in enumerate(types)}, spelled))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(token, special=True) for token in SPECIAL_TOKENS])
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{BOS} $A",
        pair=f"{BOS} $A {BOS} $B",
        special_tokens=[(BOS, BOS_ID)],
    )
    # Special tokens are added as ids, never found in a text.
    tokenizer.encode_special_tokens = True
    return tokenizer


def _spell(token: bytes) -> str:
    """A token as `tokenizer.json` spells it, a character a byte."""
    return token.decode("latin-1").translate(_byte_level_spelling())


@cache
def _byte_level_spelling() -> dict[int, str]:
    """The character that spells each byte, as in GPT-2: printable Latin-1 is itself, the rest begins at U+0100."""
    from tokenizers import pre_tokenizers

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    spelling = {ord(character): character for character in alphabet if ord(character) < 256}
    rest = sorted(set(range(256)) - spelling.keys())
    return spelling | dict(zip(rest, alphabet[len(spelling) :], strict=True))


def _is_frequent(articles: Sequence[bytes], merges: Sequence[Merge], minimum: int) -> bool:
    """Whether the pair of the last merge stood at least `minimum` times in the articles when it was merged, and at all.

    No earlier merge's pair was rarer: BPE merges the most frequent pair first. Reading ends at the last one needed.
    """
    from gigatoken import pretokenizer

    if not merges:
        return True
    before = _build_tokenizer(merges[:-1])
    left, right = merges[-1]
    merged, pair = left + right, (before.token_to_id(_spell(left)), before.token_to_id(_spell(right)))
    found = 0
    for article in articles:
        if merged not in article:
            continue
        for piece in pretokenizer(article):
            if merged in piece:
                ids = before.encode(piece.decode(), add_special_tokens=False).ids
                found += sum(neighbours == pair for neighbours in pairwise(ids))
        if found >= max(1, minimum):
            return True
    return False


def fast_encoder(tokenizer: "Tokenizer") -> Callable[[str], npt.NDArray[np.uint32]]:
    """A function from a text to its ids, uint32 [tokens]: those of `tokenizer.encode(text, add_special_tokens=False)`.

    It remembers the pre-tokens it has met; keep it for one corpus.
    """
    from gigatoken import Tokenizer as GigatokenTokenizer

    description = json.loads(tokenizer.to_str())
    description["added_tokens"] = []  # or it would find `<s>` in a text
    return GigatokenTokenizer.from_json(json.dumps(description)).encode


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
