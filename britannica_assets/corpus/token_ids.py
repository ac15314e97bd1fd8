"""Token ids on disk: a memory-mapped uint16 array a split, with the offsets at which its articles begin.

A folder holds `train.bin`, `validation.bin` (little-endian uint16), `train_offsets.npy`, `validation_offsets.npy`
(int64, one more than there are articles) and `token_ids.json` (vocabulary size, counts, digests). Every article is
`<s>`, its tokens, `</s>`.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt
import polars as pl

from britannica_assets.corpus.tokenizer import Encoder

if TYPE_CHECKING:
    from tokenizers import Tokenizer

Split = Literal["train", "validation"]
ARTICLES_AT_ONCE = 2_000  # enough to keep every core busy, little enough to keep memory flat
DESCRIPTION = "token_ids.json"


@dataclass(frozen=True)
class SplitFigures:
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
    vocabulary_size: int
    digest: str

    @classmethod
    def open(cls, folder: Path, split: Split) -> "TokenIds":
        """Maps the split's ids into memory; nothing is read until it is asked for.

        Raises:
            FileNotFoundError: the folder holds no token ids.
            ValueError: the ids are not as many as the offsets say (a copy that broke off).
        """
        description = json.loads((folder / DESCRIPTION).read_text(encoding="utf-8"))
        figures = description["splits"][split]
        ids = np.memmap(folder / f"{split}.bin", dtype="<u2", mode="r")
        offsets = np.load(folder / f"{split}_offsets.npy")
        if len(ids) != offsets[-1] or len(ids) != figures["tokens"]:
            raise ValueError(
                f"{folder / f'{split}.bin'} holds {len(ids)} ids, its description says {figures['tokens']}:"
                " materialize token_ids again"
            )
        return cls(
            ids=ids,
            offsets=offsets,
            words=figures["words"],
            utf8_bytes=figures["utf8_bytes"],
            vocabulary_size=description["vocabulary_size"],
            digest=figures["digest"],
        )


def write_split(folder: Path, split: Split, tokenizer: "Tokenizer", texts: pl.Series | Sequence[str]) -> SplitFigures:
    """Encodes `texts`, one article each, and writes the split's two files into `folder`.

    Raises:
        ValueError: there is no article, or the vocabulary does not fit into uint16.
    """
    if tokenizer.get_vocab_size() > 2**16:
        raise ValueError(f"a vocabulary of {tokenizer.get_vocab_size()} types does not fit into uint16 ids")
    articles = pl.Series(texts, dtype=pl.String)
    if articles.is_empty():
        raise ValueError(f"the {split} split holds no article; materialize corpus_split with larger budgets")
    begin, end = tokenizer.token_to_id("<s>"), tokenizer.token_to_id("</s>")
    encoder = Encoder(tokenizer)
    lengths: list[npt.NDArray[np.int64]] = []
    occurrences = np.zeros(tokenizer.get_vocab_size(), dtype=np.int64)
    digest = hashlib.sha256()
    with (folder / f"{split}.bin").open("wb") as file:
        for start in range(0, len(articles), ARTICLES_AT_ONCE):
            encoded = encoder.encode(articles.slice(start, ARTICLES_AT_ONCE))
            lengths.append(encoded.list.len().to_numpy().astype(np.int64) + 2)
            ids = np.full(lengths[-1].sum(), end, dtype="<u2")
            ends = lengths[-1].cumsum()
            marks = np.zeros(len(ids), dtype=bool)
            marks[ends - 1] = marks[ends - lengths[-1]] = True
            ids[ends - lengths[-1]] = begin
            ids[~marks] = encoded.explode(empty_as_null=False).to_numpy()
            occurrences += np.bincount(ids, minlength=len(occurrences))
            digest.update(ids.tobytes())
            file.write(ids.tobytes())
    offsets = np.concatenate([[0], *lengths]).cumsum()
    np.save(folder / f"{split}_offsets.npy", offsets)
    utf8_bytes = int(articles.str.len_bytes().sum())
    return SplitFigures(
        articles=len(articles),
        words=int(articles.str.count_matches(r"\S+").sum()),
        utf8_bytes=utf8_bytes,
        tokens=int(offsets[-1]),
        types_used=int((occurrences > 0).sum()),
        unknown_bytes=1 - int(occurrences @ _spelled_bytes(tokenizer)) / utf8_bytes,
        digest=digest.hexdigest(),
    )


def write_description(folder: Path, tokenizer: "Tokenizer", splits: dict[Split, SplitFigures]) -> None:
    """Writes `token_ids.json`, which makes the folder whole: it is the last file to be written."""
    description = {
        "vocabulary_size": tokenizer.get_vocab_size(),
        "splits": {split: asdict(figures) for split, figures in splits.items()},
    }
    (folder / DESCRIPTION).write_text(json.dumps(description, indent=2) + "\n", encoding="utf-8")


def _spelled_bytes(tokenizer: "Tokenizer") -> npt.NDArray[np.int64]:
    """How many bytes of text each type spells, [vocabulary]: a character a byte, and none for the special ones."""
    lengths = np.zeros(tokenizer.get_vocab_size(), dtype=np.int64)
    for spelling, number in tokenizer.get_vocab().items():
        lengths[number] = len(spelling)
    lengths[[number for number, token in tokenizer.get_added_tokens_decoder().items() if token.special]] = 0
    return lengths
