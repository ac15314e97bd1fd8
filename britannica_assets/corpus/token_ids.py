"""Token ids on disk: a memory-mapped uint16 array a split, with the offsets at which its articles begin.

A folder holds `train.bin`, `validation.bin` (little-endian uint16), `train_offsets.npy`, `validation_offsets.npy`
(int64, one more than there are articles) and `token_ids.json` (vocabulary size, counts, digests). Every article is
`<s>`, its tokens, `</s>`.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from tokenizers import Tokenizer

Split = Literal["train", "validation"]
ARTICLES_AT_ONCE = 1_000  # enough to keep every core busy, little enough to keep memory flat
DESCRIPTION = "token_ids.json"


@dataclass(frozen=True)
class SplitFigures:
    """What one split holds: articles, words (by white space), UTF-8 bytes, tokens, and the SHA-256 of its ids."""

    articles: int
    words: int
    utf8_bytes: int
    tokens: int
    types_used: int
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


def write_split(folder: Path, split: Split, tokenizer: "Tokenizer", texts: Iterable[str]) -> SplitFigures:
    """Encodes `texts`, one article each, and writes the split's two files into `folder`.

    Raises:
        ValueError: there is no article, or the vocabulary does not fit into uint16.
    """
    if tokenizer.get_vocab_size() > 2**16:
        raise ValueError(f"a vocabulary of {tokenizer.get_vocab_size()} types does not fit into uint16 ids")
    begin, end = tokenizer.token_to_id("<s>"), tokenizer.token_to_id("</s>")
    offsets, words, utf8_bytes = [0], 0, 0
    used = np.zeros(tokenizer.get_vocab_size(), dtype=bool)
    digest = hashlib.sha256()
    with (folder / f"{split}.bin").open("wb") as file:
        for batch in _batches(texts, ARTICLES_AT_ONCE):
            encodings = tokenizer.encode_batch_fast(batch, add_special_tokens=False)
            words += sum(len(text.split()) for text in batch)
            utf8_bytes += sum(len(text.encode()) for text in batch)
            for encoding in encodings:
                article = np.array([begin, *encoding.ids, end], dtype="<u2")
                used[article] = True
                digest.update(article.tobytes())
                file.write(article.tobytes())
                offsets.append(offsets[-1] + len(article))
    if len(offsets) == 1:
        raise ValueError(f"the {split} split holds no article; materialize corpus_split with larger budgets")
    np.save(folder / f"{split}_offsets.npy", np.array(offsets, dtype=np.int64))
    return SplitFigures(
        articles=len(offsets) - 1,
        words=words,
        utf8_bytes=utf8_bytes,
        tokens=offsets[-1],
        types_used=int(used.sum()),
        digest=digest.hexdigest(),
    )


def write_description(folder: Path, tokenizer: "Tokenizer", splits: dict[Split, SplitFigures]) -> None:
    """Writes `token_ids.json`, which makes the folder whole: it is the last file to be written."""
    description = {
        "vocabulary_size": tokenizer.get_vocab_size(),
        "splits": {split: asdict(figures) for split, figures in splits.items()},
    }
    (folder / DESCRIPTION).write_text(json.dumps(description, indent=2) + "\n", encoding="utf-8")


def _batches(texts: Iterable[str], size: int) -> Iterator[list[str]]:
    iterator = iter(texts)
    while batch := list(islice(iterator, size)):
        yield batch
