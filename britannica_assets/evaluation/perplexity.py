"""Perplexity of a model on validation text, by token and by word, and bits per byte, so that vocabularies compare."""

import itertools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import polars as pl

from britannica_assets.special_tokens import EOS_ID, IGNORE_INDEX

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from britannica_assets.corpus.token_ids import TokenIds

LENGTHS = (0, 100, 300, 1_000, 3_000)  # words; where the next class of article lengths begins


@dataclass(frozen=True)
class Perplexity:
    """exp of the negative log-likelihood, divided by tokens or by words (white space), and in bits per UTF-8 byte.

    Bits per byte are those of the text alone, without `</s>`, as nanochat counts them.
    """

    by_token: float
    by_word: float
    bits_per_byte: float


@dataclass(frozen=True)
class ArticleLosses:
    """The summed negative log-likelihood of each article in nats, float64 [articles], and its predicted tokens.

    `end_nats` is the part of `nats` that `</s>` took.
    """

    nats: npt.NDArray[np.float64]
    end_nats: npt.NDArray[np.float64]
    tokens: npt.NDArray[np.int64]


def article_losses(model: "PreTrainedModel", tokens: "TokenIds", *, length: int, batch_size: int = 32) -> ArticleLosses:
    """Scores the whole text in the sequences of `length` tokens that validation in training uses.

    Every token but each article's `<s>` is predicted, `</s>` too.
    """
    import torch

    from britannica_assets.modeling.datasets import ValidationDataset

    dataset = ValidationDataset(tokens, length)
    nats, end_nats = np.zeros((2, len(tokens.offsets) - 1))
    counts = np.zeros(len(nats), dtype=np.int64)
    with torch.inference_mode():
        for number, batch in enumerate(torch.utils.data.DataLoader(dataset, batch_size=batch_size)):
            labels = batch["labels"].to(model.device)
            logits = model(input_ids=batch["input_ids"].to(model.device)).logits.float()
            losses = torch.nn.functional.cross_entropy(
                logits.flatten(0, 1), labels.flatten(), ignore_index=IGNORE_INDEX, reduction="none"
            )
            positions = np.flatnonzero(batch["labels"].flatten().numpy() != IGNORE_INDEX)
            # A label is the token after its position in the text.
            places = number * batch_size * length + positions + 1
            articles = np.searchsorted(tokens.offsets, places, side="right") - 1
            found = losses.cpu().numpy()[positions].astype(np.float64)  # Apple's GPUs have no float64
            np.add.at(nats, articles, found)
            np.add.at(end_nats, articles, np.where(tokens.ids[places] == EOS_ID, found, 0))
            np.add.at(counts, articles, 1)
    return ArticleLosses(nats, end_nats, counts)


def perplexity(losses: ArticleLosses, *, words: int, utf8_bytes: int) -> Perplexity:
    """The whole text's perplexity; it has so many words and bytes."""
    nats = float(losses.nats.sum())
    return Perplexity(
        by_token=math.exp(nats / losses.tokens.sum()),
        by_word=math.exp(nats / words),
        bits_per_byte=(nats - float(losses.end_nats.sum())) / math.log(2) / utf8_bytes,
    )


def perplexity_by_group(losses: ArticleLosses, articles: pl.DataFrame) -> pl.DataFrame:
    """Perplexity by article length and by volume.

    Args:
        losses: of the articles, in their order.
        articles: the columns `volume` and `words`, a row an article.

    Returns:
        grouping ("length in words" | "volume"), name, articles, words, by_token, by_word; in order.

    Raises:
        ValueError: there are not as many rows as losses.
    """
    if len(articles) != len(losses.nats):
        raise ValueError(
            f"corpus_split has {len(articles)} validation articles, token_ids {len(losses.nats)}: materialize token_ids"
            " again"
        )
    names = [f"{low:,} to {high - 1:,}" for low, high in itertools.pairwise(LENGTHS)]
    names += [f"{LENGTHS[-1]:,} and more"]
    table = articles.select(
        pl.col("words").cast(pl.Int64),
        pl.col("volume").cast(pl.Int64),
        pl.Series("length", np.searchsorted(LENGTHS, articles["words"].to_numpy(), side="right") - 1),
        pl.Series("nats", losses.nats),
        pl.Series("tokens", losses.tokens),
    )
    volume_name = pl.col("volume").cast(pl.String).str.zfill(2)
    groups = [
        table.group_by(column)
        .agg(
            pl.len().cast(pl.Int64).alias("articles"),
            pl.col("words").sum(),
            (pl.col("nats").sum() / pl.col("tokens").sum()).exp().alias("by_token"),
            (pl.col("nats").sum() / pl.col("words").sum()).exp().alias("by_word"),
        )
        .sort(column)
        .select(pl.lit(grouping).alias("grouping"), name.alias("name"), "articles", "words", "by_token", "by_word")
        for grouping, column, name in (
            ("length in words", "length", pl.lit(pl.Series(names)).gather(pl.col("length"))),
            ("volume", "volume", volume_name),
        )
    ]
    return pl.concat(groups)
