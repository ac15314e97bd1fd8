"""Perplexity of a whole text and of its parts."""

import math
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from britannica_assets.corpus.token_ids import TokenIds, write_description, write_split
from britannica_assets.corpus.tokenizer import load_tokenizer
from britannica_assets.evaluation.perplexity import article_losses, perplexity, perplexity_by_group
from britannica_assets.modeling.models import load_model

TEXTS = ["The river rises in the hills.", "A town stands upon it. " * 30, "He was born there."]


@pytest.fixture
def tokens(model_folder: Path, tmp_path: Path) -> TokenIds:
    tokenizer = load_tokenizer(model_folder)
    statistics = write_split(tmp_path, "validation", tokenizer, TEXTS)
    write_description(tmp_path, tokenizer, {"validation": statistics})
    return TokenIds.open(tmp_path, "validation")


def test_the_articles_losses_make_the_loss_of_training(model_folder: Path, tokens: TokenIds) -> None:
    from britannica_assets.modeling.validation import validation_loss

    model, _ = load_model(model_folder)
    losses = article_losses(model, tokens, length=32, batch_size=3)
    # Every token of an article but its `<s>`, which nothing predicts.
    assert losses.tokens.tolist() == (np.diff(tokens.offsets) - 1).tolist()
    found = perplexity(losses, words=tokens.words, utf8_bytes=tokens.utf8_bytes)
    assert found.by_token == pytest.approx(math.exp(validation_loss(model, tokens, length=32, batch_size=3)), rel=1e-4)
    text_nats = losses.nats - losses.end_nats
    assert (losses.end_nats > 0).all()
    assert (losses.end_nats < losses.nats).all()
    text_bytes = sum(len(text.encode()) for text in TEXTS)
    assert found.bits_per_byte == pytest.approx(text_nats.sum() / math.log(2) / text_bytes)
    assert math.log(found.by_word) == pytest.approx(losses.nats.sum() / sum(len(text.split()) for text in TEXTS))


def test_groups_are_by_length_and_volume(model_folder: Path, tokens: TokenIds) -> None:
    model, _ = load_model(model_folder)
    losses = article_losses(model, tokens, length=32)
    articles = pl.DataFrame({"volume": [1, 2, 2], "words": [len(text.split()) for text in TEXTS]})
    table = perplexity_by_group(losses, articles)
    assert table.select("grouping", "name", "articles").rows() == [
        ("length in words", "0 to 99", 2),
        ("length in words", "100 to 299", 1),
        ("volume", "01", 1),
        ("volume", "02", 2),
    ]
    assert table["by_word"][2] == pytest.approx(math.exp(losses.nats[0] / 6))
    with pytest.raises(ValueError, match="materialize token_ids again"):
        perplexity_by_group(losses, articles.head(2))
