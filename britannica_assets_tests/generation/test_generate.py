"""Generation is seeded, ends at `</s>`, and tells what is copied from the train text."""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from britannica_assets.config import Generation
from britannica_assets.generation.generate import GeneratedArticle, generate_articles
from britannica_assets.generation.novelty import GRAM, novelty
from britannica_assets.modeling.models import load_model

if TYPE_CHECKING:
    from britannica_assets.modeling.served_model import ServedModel

PROMPTS = ["The river", "He was born in the town of"]
GENERATION = Generation(temperature=0.7, top_p=0.95, max_new_tokens=20, prompts=PROMPTS)


def test_the_same_seed_writes_the_same(model_folder: Path) -> None:
    model, tokenizer = load_model(model_folder)
    first, second, other = (generate_articles(model, tokenizer, GENERATION, seed=seed) for seed in (1, 1, 2))
    assert first == second
    assert [article.text for article in first] != [article.text for article in other]
    assert all(article.text.startswith(article.prompt) for article in first)


def test_an_article_does_not_depend_on_other_prompts(model_folder: Path) -> None:
    model, tokenizer = load_model(model_folder)
    together = generate_articles(model, tokenizer, GENERATION, seed=1)
    alone = [
        generate_articles(model, tokenizer, GENERATION.model_copy(update={"prompts": [prompt]}), seed=1)[0]
        for prompt in PROMPTS
    ]
    assert together == alone
    spaced = GENERATION.model_copy(update={"prompts": [f"{prompt} \n" for prompt in PROMPTS]})
    assert generate_articles(model, tokenizer, spaced, seed=1) == together


@pytest.fixture(scope="module")
def served(model_folder: Path) -> "ServedModel":
    from mlflow.pyfunc import PythonModelContext

    from britannica_assets.modeling.served_model import ServedModel

    model = ServedModel()
    model.load_context(PythonModelContext({"model": str(model_folder)}, None))
    return model


SAMPLING = {"max_new_tokens": 20, "temperature": 0.7, "top_p": 0.95, "seed": 5}


def test_the_served_model_writes_the_same(model_folder: Path, served: "ServedModel") -> None:
    texts = served.predict(None, pd.DataFrame({"prompt": PROMPTS[::-1]}), SAMPLING)
    articles = generate_articles(*load_model(model_folder), GENERATION, seed=5)
    assert texts == [article.text for article in articles][::-1]


@pytest.mark.parametrize(
    ("prompt", "change", "sentence"),
    [
        ("The river", {"seed": 10**30}, "has more than 64 bits: give one from"),
        ("rock " * 300, {}, "the model has 256 positions, and max_new_tokens is 20"),
        ("The river", {"max_new_tokens": 0}, "max_new_tokens is 0: give 1 or more"),
        ("The river", {"temperature": 0.0}, "temperature 0.0 must be above 0"),
        (" ", {}, "a prompt is empty"),
    ],
)
def test_the_served_model_answers_wrong_input_with_a_sentence(
    prompt: str, change: dict[str, Any], sentence: str, served: "ServedModel"
) -> None:
    from mlflow.exceptions import MlflowException

    with pytest.raises(MlflowException, match=sentence):
        served.predict(None, pd.DataFrame({"prompt": [prompt]}), SAMPLING | change)


def test_an_article_streams_as_it_is_written(model_folder: Path) -> None:
    pieces: list[str] = []
    one = GENERATION.model_copy(update={"prompts": PROMPTS[:1]})
    (article,) = generate_articles(*load_model(model_folder), one, seed=1, stream=pieces.append)
    assert "".join(pieces).rstrip("\n") == article.text.rstrip("\n")
    assert len(pieces) > 2


def test_generation_leaves_other_random_numbers_alone(model_folder: Path) -> None:
    model, tokenizer = load_model(model_folder)
    torch.manual_seed(3)
    expected = torch.rand(2).tolist()
    torch.manual_seed(3)
    generate_articles(model, tokenizer, GENERATION, seed=1)
    assert torch.rand(2).tolist() == expected


@pytest.mark.parametrize("seed", [2**63, -(2**63) - 1, 10**30])
def test_a_seed_of_more_than_64_bits_is_refused(model_folder: Path, seed: int) -> None:
    with pytest.raises(ValueError, match=f"the seed {seed} has more than 64 bits"):
        generate_articles(*load_model(model_folder), GENERATION, seed=seed)


@pytest.mark.parametrize(
    ("prompt", "text", "new"),
    [
        ("The river", "The river rises here", "rises here"),
        ("The riv", "The river rises here", "rises here"),
        ("The river", "The river", ""),
    ],
)
def test_the_prompts_own_words_are_not_new(prompt: str, text: str, new: str) -> None:
    assert GeneratedArticle(prompt, text, True, 2, 1.0).new_words == new


def test_an_article_stops_at_its_end(model_folder: Path) -> None:
    model, tokenizer = load_model(model_folder)
    with torch.no_grad():
        model.model.norm.weight.zero_()  # now every type is as probable as any other, `</s>` too
    generation = Generation(temperature=1, top_p=1, max_new_tokens=200, prompts=PROMPTS[:1])
    articles = [generate_articles(model, tokenizer, generation, seed=seed)[0] for seed in range(8)]
    assert {article.ended for article in articles} == {True, False}
    for article in articles:
        assert article.ended == (article.tokens < 200)
        assert article.perplexity == pytest.approx(len(tokenizer), rel=1e-3)


def test_a_continuation_too_long_for_the_model_is_refused(model_folder: Path) -> None:
    model, tokenizer = load_model(model_folder)
    with pytest.raises(ValueError, match="256 positions, and max_new_tokens is 250: give 1 or more, lower it"):
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
