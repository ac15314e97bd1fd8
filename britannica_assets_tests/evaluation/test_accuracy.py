"""What a model's answers mean: accuracies by UID, ties, texts that are too long, and the averages over UIDs."""

from pathlib import Path

import polars as pl
import pytest
import torch
from transformers import AutoModelForCausalLM, GPT2Config, PreTrainedModel, PreTrainedTokenizerBase

from britannica_assets.evaluation.accuracy import accuracy_by_group, accuracy_over_terms, task_averages
from britannica_assets.evaluation.answers import Item, answer_items
from britannica_assets.evaluation.candidates import Candidate
from britannica_assets.evaluation.evaluation_files import EvaluationDataError
from britannica_assets.modeling.models import load_model

LONG = "rock " * 300


def item(uid: str, *sentences: str) -> Item:
    candidates = tuple(Candidate("", sentence) for sentence in sentences)
    return Item(uid, candidates, f"{uid}.jsonl, line 1", "field", "term")


def score(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, items: list[Item]) -> pl.DataFrame:
    return accuracy_by_group(items, answer_items(model, tokenizer, items))


def test_a_tie_is_counted_and_right_for_the_official_figure_alone(model_folder: Path) -> None:
    items = [item("same", "The town stands.", "The town stands.")] * 5
    (row,) = score(*load_model(model_folder), items).to_dicts()
    assert (row["items"], row["ties"], row["accuracy"], row["official_accuracy"]) == (5, 5, 0.0, 1.0)
    assert row["low"] == 0 < row["high"]


def test_uids_are_grouped_wherever_they_stand(model_folder: Path) -> None:
    pairs = [("The town stands.", "The town stand."), ("The rivers rise.", "The rivers rises.")]
    items = [item(uid, *(pair if uid == "forth" else reversed(pair))) for pair in pairs for uid in ("forth", "back")]
    model, tokenizer = load_model(model_folder)
    answers = answer_items(model, tokenizer, items)
    assert answers.filter(pl.col("candidate") == 0).select("uid", "item").rows() == [
        ("forth", 0), ("back", 0), ("forth", 1), ("back", 1)
    ]  # fmt: skip
    scores = accuracy_by_group(items, answers)
    assert scores["uid"].to_list() == ["forth", "back"]
    assert sum(scores["accuracy"]) == 1.0
    tasks = pl.Series("task", ["one", "other"])
    assert task_averages(scores.with_columns(tasks)) == dict(zip(tasks, scores["accuracy"], strict=True))


def test_terms_weigh_their_pairs_as_in_2023() -> None:
    scores = pl.DataFrame(
        {
            "linguistics_term": ["islands", "islands", "binding", "supplement"],
            "items": [100, 300, 50, 9],
            "accuracy": [1.0, 0.5, 0.6, 0.0],
        }
    )
    assert accuracy_over_terms(scores) == pytest.approx(((100 + 150) / 400 + 0.6) / 2)


def test_a_text_longer_than_the_positions_names_file_and_line(model_folder: Path) -> None:
    with pytest.raises(EvaluationDataError, match=r"pairs\.jsonl, line 1: .* model of 256 positions: 'rock rock"):
        answer_items(*load_model(model_folder), [item("pairs", LONG, "The town.")])


def test_longer_texts_are_counted_where_the_task_has_such(model_folder: Path) -> None:
    items = [item("boxes", LONG, f"{LONG}rock"), item("boxes", "The town.", "The town")]
    rotary, tokenizer = load_model(model_folder)
    torch.manual_seed(0)
    learned = AutoModelForCausalLM.from_config(
        GPT2Config(vocab_size=300, n_positions=64, n_embd=32, n_layer=1, n_head=2)
    )
    for model, unanswered in ((rotary, 0), (learned.eval(), 2)):
        answers = answer_items(model, tokenizer, items, beyond_context=True)
        assert answers["log_probability"].null_count() == unanswered
        (row,) = accuracy_by_group(items, answers).to_dicts()
        assert (row["items"], row["beyond_context"]) == (2, 1)
