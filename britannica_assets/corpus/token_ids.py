"""Token ids on disk: a memory-mapped uint16 array a split, with the offsets at which its articles begin.

A folder holds `train.bin`, `validation.bin` (little-endian uint16), `train_offsets.npy`, `validation_offsets.npy`
(int64, one more than there are articles) and `token_ids.json` (vocabulary size, counts, digests). Every article is
`<s>`, its tokens, `</s>`.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
import numpy.typing as npt
import polars as pl

from britannica_assets.corpus.tokenizer import fast_encoder
from britannica_assets.files import read_json, write_json
from britannica_assets.special_tokens import BOS_ID, EOS_ID

if TYPE_CHECKING:
    from tokenizers import Tokenizer

Split = Literal["train", "validation"]
SPLITS: tuple[Split, ...] = get_args(Split)
BATCH_SIZE = 2_000  # articles held as ids at once
BEGIN, END = (np.array([special], dtype=np.uint32) for special in (BOS_ID, EOS_ID))
TOKEN_IDS_FILE = "token_ids.json"
SCHEMA_VERSION = 1


@dataclass(frozen=True)
class SplitStatistics:
    """What one split holds: articles, words (by white space), UTF-8 bytes, tokens, and the SHA-256 of its ids.

    `types_used` counts the vocabulary's types that occur; `unknown_bytes` is the share of the text's bytes that no
    token spells, 0 for a vocabulary that holds every byte.
    """

    articles: int
    words: int
    utf8_bytes: int
    tokens: int
    types_used: int
    unknown_bytes: float
    digest: str

    @property
    def fertility(self) -> float:
        """Tokens a word, without the two that mark an article's ends."""
        return (self.tokens - 2 * self.articles) / self.words


@dataclass(frozen=True)
class TokenIds:
    """One split's ids, uint16 [tokens], memory-mapped, and its articles' offsets, int64 [articles + 1]."""

    ids: npt.NDArray[np.uint16]
    offsets: npt.NDArray[np.int64]
    words: int
    utf8_bytes: int
    vocab_size: int
    digest: str

    @classmethod
    def open(cls, folder: Path, split: Split) -> "TokenIds":
        """Maps the split's ids into memory; nothing is read until it is asked for.

        Raises:
            FileNotFoundError: the folder holds no token ids.
            ValueError: the ids are not as many as the offsets say (a copy that broke off), or of another schema.
        """
        description = read_json(folder / TOKEN_IDS_FILE, schema_version=SCHEMA_VERSION)
        statistics = description["splits"][split]
        ids = np.memmap(folder / f"{split}.bin", dtype="<u2", mode="r")
        offsets = np.load(folder / f"{split}_offsets.npy")
        if len(ids) != offsets[-1] or len(ids) != statistics["tokens"]:
            raise ValueError(
                f"{folder / f'{split}.bin'} holds {len(ids)} ids, its description says {statistics['tokens']}:"
                " materialize token_ids again"
            )
        return cls(
            ids=ids,
            offsets=offsets,
            words=statistics["words"],
            utf8_bytes=statistics["utf8_bytes"],
            vocab_size=description["vocab_size"],
            digest=statistics["digest"],
        )


def write_token_ids(folder: Path, tokenizer: "Tokenizer", articles: pl.DataFrame) -> dict[Split, SplitStatistics]:
    """Encodes both splits into `folder`, which is there; `token_ids.json`, which makes it whole, is written last.

    Args:
        folder: gets the files.
        tokenizer: of `corpus/tokenizer.py`.
        articles: `text` and `split`, a row an article, as `split_articles` gives them.

    Raises:
        ValueError: a split holds no article, or the vocabulary does not fit into uint16.
    """
    statistics = {
        split: write_split(folder, split, tokenizer, articles.filter(pl.col("split") == split)["text"])
        for split in SPLITS
    }
    write_description(folder, tokenizer, statistics)
    return statistics


def write_split(
    folder: Path, split: Split, tokenizer: "Tokenizer", texts: pl.Series | Sequence[str]
) -> SplitStatistics:
    """Encodes `texts`, one article each, and writes the split's two files into `folder`.

    Raises:
        ValueError: there is no article, or the vocabulary does not fit into uint16.
    """
    if tokenizer.get_vocab_size() > 2**16:
        raise ValueError(f"a vocabulary of {tokenizer.get_vocab_size()} types does not fit into uint16 ids")
    articles = pl.Series(texts, dtype=pl.String)
    if articles.is_empty():
        raise ValueError(f"the {split} split holds no article; materialize corpus_split with larger budgets")
    encode = fast_encoder(tokenizer)
    lengths = np.zeros(len(articles), dtype=np.int64)
    occurrences = np.zeros(tokenizer.get_vocab_size(), dtype=np.int64)
    digest = hashlib.sha256()
    with (folder / f"{split}.bin").open("wb") as file:
        for start in range(0, len(articles), BATCH_SIZE):
            encoded = [part for text in articles.slice(start, BATCH_SIZE) for part in (BEGIN, encode(text), END)]
            lengths[start : start + BATCH_SIZE] = [len(part) + 2 for part in encoded[1::3]]
            ids = np.concatenate(encoded).astype("<u2")
            occurrences += np.bincount(ids, minlength=len(occurrences))
            digest.update(ids.tobytes())
            file.write(ids.tobytes())
    offsets = np.concatenate([[0], lengths]).cumsum()
    np.save(folder / f"{split}_offsets.npy", offsets)
    utf8_bytes = int(articles.str.len_bytes().sum())
    return SplitStatistics(
        articles=len(articles),
        words=int(articles.str.count_matches(r"\S+").sum()),
        utf8_bytes=utf8_bytes,
        tokens=int(offsets[-1]),
        types_used=int((occurrences > 0).sum()),
        unknown_bytes=1 - int(occurrences @ _spelled_bytes(tokenizer)) / utf8_bytes,
        digest=digest.hexdigest(),
    )


def write_description(folder: Path, tokenizer: "Tokenizer", splits: dict[Split, SplitStatistics]) -> None:
    """Writes `token_ids.json`, which makes the folder whole: it is the last file to be written."""
    description = {
        "vocab_size": tokenizer.get_vocab_size(),
        "splits": {split: asdict(statistics) for split, statistics in splits.items()},
    }
    write_json(folder / TOKEN_IDS_FILE, description, schema_version=SCHEMA_VERSION)


def _spelled_bytes(tokenizer: "Tokenizer") -> npt.NDArray[np.int64]:
    """How many bytes of text each type spells, [vocabulary]: a character a byte, and none for the special ones."""
    lengths = np.zeros(tokenizer.get_vocab_size(), dtype=np.int64)
    for spelling, number in tokenizer.get_vocab().items():
        lengths[number] = len(spelling)
    lengths[[number for number, token in tokenizer.get_added_tokens_decoder().items() if token.special]] = 0
    return lengths
