"""Perplexity of a model on validation text, by token and by word, so that vocabularies compare."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from britannica_assets.corpus.token_ids import TokenIds


@dataclass(frozen=True)
class Perplexity:
    """exp of the mean negative log-likelihood, divided by tokens or by words (white space)."""

    by_token: float
    by_word: float


def perplexity(model: "PreTrainedModel", tokens: "TokenIds", *, length: int, batch_size: int = 32) -> Perplexity:
    """Scores the whole text in chunks of `length` tokens; every token but each article's `<s>` is predicted."""
    from britannica_assets.modeling.train import validation_loss

    loss = validation_loss(model, tokens, length=length, batch_size=batch_size)
    predicted = len(tokens.ids) - (len(tokens.offsets) - 1)
    return Perplexity(by_token=math.exp(loss), by_word=math.exp(loss * predicted / tokens.words))
