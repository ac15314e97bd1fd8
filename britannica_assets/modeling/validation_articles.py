"""What a model makes of each validation article by itself: with it versions compare on the articles they share.

An article is known by the digest of its text, whatever tokenizer and split it went through. Each is read from its
beginning in sequences of the trained length, so that its loss does not depend on the articles around it.
"""

import hashlib
import math
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import torch

from britannica_assets.corpus.token_ids import TokenIds
from britannica_assets.special_tokens import EOS_ID, IGNORE_INDEX

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from transformers import PreTrainedModel

VALIDATION_ARTICLES_FILE = "validation_articles.parquet"
SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {"article": pl.String, "nats": pl.Float64, "utf8_bytes": pl.Int64}


@torch.inference_mode()
def score_validation_articles(
    model: "PreTrainedModel", tokenizer: "Tokenizer", tokens: TokenIds, *, length: int, batch_size: int = 32
) -> pl.DataFrame:
    """Scores each article of the split by itself.

    Args:
        model: gives logits.
        tokenizer: that of the token ids, which decodes them to the text exactly.
        tokens: the validation split.
        length: tokens of a sequence.
        batch_size: sequences that the model reads at once.

    Returns:
        A row a distinct article: its digest (SHA-256, hex), the summed negative log-likelihood in nats of its text
        without `</s>`, and its UTF-8 bytes.
    """
    windows = [
        (article, start, min(start + length, int(end) - 1))
        for article, (begin, end) in enumerate(zip(tokens.offsets[:-1], tokens.offsets[1:], strict=True))
        for start in range(int(begin), int(end) - 1, length)
    ]
    nats = np.zeros(len(tokens.offsets) - 1)
    windows.sort(key=lambda window: window[2] - window[1])  # batches of like length
    for first in range(0, len(windows), batch_size):
        batch = windows[first : first + batch_size]
        width = max(stop - start for _, start, stop in batch)
        ids = np.full((len(batch), width), EOS_ID, dtype=np.int64)  # to the right, where no token sees it
        labels = np.full((len(batch), width), IGNORE_INDEX, dtype=np.int64)
        for row, (_, start, stop) in enumerate(batch):
            ids[row, : stop - start] = tokens.ids[start:stop]
            following = tokens.ids[start + 1 : stop + 1].astype(np.int64)
            labels[row, : stop - start] = np.where(following == EOS_ID, IGNORE_INDEX, following)
        logits = model(input_ids=torch.from_numpy(ids).to(model.device), use_cache=False).logits.float()
        losses = torch.nn.functional.cross_entropy(
            logits.transpose(1, 2),
            torch.from_numpy(labels).to(model.device),
            ignore_index=IGNORE_INDEX,
            reduction="none",
        )
        np.add.at(nats, [article for article, _, _ in batch], losses.cpu().double().sum(1).numpy())
    texts = [
        tokenizer.decode(tokens.ids[begin + 1 : end - 1].tolist()).encode()
        for begin, end in zip(tokens.offsets[:-1], tokens.offsets[1:], strict=True)
    ]
    digests = [hashlib.sha256(text).hexdigest() for text in texts]
    table = pl.DataFrame({"article": digests, "nats": nats, "utf8_bytes": [len(text) for text in texts]}, schema=SCHEMA)
    return table.unique("article", keep="first", maintain_order=True)


def bits_per_byte(articles: pl.DataFrame) -> float:
    """Bits a byte over rows of `score_validation_articles`, as nanochat measures models of different vocabularies."""
    nats, utf8_bytes = articles.select(pl.col("nats", "utf8_bytes").sum()).row(0)
    return float(nats / math.log(2) / utf8_bytes)
