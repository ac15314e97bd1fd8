"""Generation is seeded, ends at `</s>`, and tells what is copied from the train text."""

import math
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from britannica_assets.config import Generation
from britannica_assets.generation.generate import generate_articles, load_model
from britannica_assets.generation.novelty import GRAM, novelty

PROMPTS = ["The river", "He was born in the town of"]
GENERATION = Generation(temperature=0.7, top_p=0.95, max_new_tokens=20, prompts=PROMPTS)


def test_the_same_seed_writes_the_same(model_folder: Path) -> None:
    model, tokenizer = load_model(model_folder)
    first, second, other = (generate_articles(model, tokenizer, GENERATION, seed=seed) for seed in (1, 1, 2))
    assert first == second
    assert [article.text for article in first] != [article.text for article in other]
    assert all(article.text.startswith(article.prompt) for article in first)


def test_an_article_stops_at_its_end(model_folder: Path) -> None:
    model, tokenizer = load_model(model_folder)
    with torch.no_grad():
        model.model.norm.weight.zero_()  # now every type is as probable as any other, `</s>` too
    generation = Generation(temperature=1, top_p=1, max_new_tokens=200, prompts=PROMPTS * 8)
    articles = generate_articles(model, tokenizer, generation, seed=1)
    assert {article.ended for article in articles} == {True, False}
    for article in articles:
        assert article.ended == (article.tokens < 200)
        assert article.perplexity == pytest.approx(len(tokenizer), rel=1e-3)


def test_a_continuation_too_long_for_the_model_is_refused(model_folder: Path) -> None:
    model, tokenizer = load_model(model_folder)
    with pytest.raises(ValueError, match=r"256 positions: lower generation\.max_new_tokens"):
        generate_articles(model, tokenizer, GENERATION.model_copy(update={"max_new_tokens": 250}), seed=1)
    with pytest.raises(ValueError, match="a prompt is empty"):
        generate_articles(model, tokenizer, GENERATION.model_copy(update={"prompts": [" "]}), seed=1)


words = st.lists(st.sampled_from("abcd"), max_size=30)


@given(st.lists(words, max_size=3), st.lists(words, max_size=3))
def test_novelty_is_the_share_of_new_runs(written: list[list[str]], known: list[list[str]]) -> None:
    def runs(text: list[str]) -> list[tuple[str, ...]]:
        return [tuple(text[start : start + GRAM]) for start in range(len(text) - GRAM + 1)]

    old = {run for text in known for run in runs(text)}
    expected = [sum(run not in old for run in runs(text)) / len(runs(text)) if runs(text) else None for text in written]
    found = novelty([" ".join(text) for text in written], [" ".join(text) for text in known])
    assert len(found) == len(expected)
    for ours, theirs in zip(found, expected, strict=True):
        assert (ours is None) == (theirs is None)
        assert ours is None or theirs is None or math.isclose(ours, theirs, abs_tol=1e-9)
