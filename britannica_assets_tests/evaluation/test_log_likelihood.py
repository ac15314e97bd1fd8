"""What a model's scores on minimal pairs mean, and what a malformed file gets."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import (
    AutoModelForCausalLM,
    BloomConfig,
    GPT2Config,
    MambaConfig,
    PreTrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from britannica_assets.evaluation.log_likelihood import MAX_ROW_NODES, log_probabilities, packed_rows, reads_trees
from britannica_assets.evaluation.minimal_pairs import (
    PairsError,
    Paradigm,
    bootstrap_interval,
    read_paradigms,
    score_paradigms,
    task_averages,
)
from britannica_assets.generation.generate import load_model

SENTENCES = [
    "The river rises in the hills.",
    "The",
    "Ἡ ἀρχὴ τοῦ ποταμοῦ, the river's source.",
    "Two speakers:\nA: Where is the town?\nB: Upon the river. 🏰",
    "The river rises in the hills.",
    "The castle, the church, the market and the old bridge are all of great age, and so is the town itself.",
    " a leading space",
]


def write_pairs(folder: Path, lines: list[str]) -> Path:
    (folder / "agreement.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def pair(good: str, bad: str) -> str:
    labels = {"UID": "agreement", "field": "morphology", "linguistics_term": "agreement"}
    return json.dumps({"sentence_good": good, "sentence_bad": bad, **labels}, ensure_ascii=False)


def one_by_one(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> list[float]:
    expected = []
    for sentence in SENTENCES:
        ids = tokenizer(sentence, return_tensors="pt")["input_ids"]
        assert ids[0, 0] == tokenizer.bos_token_id
        with torch.inference_mode():
            scores = model(input_ids=ids).logits[0, :-1].log_softmax(-1)
        expected.append(float(scores.gather(-1, ids[0, 1:, None]).double().sum()))
    return expected


def test_sentences_together_score_as_single_ones_do(model_folder: Path) -> None:
    model, tokenizer = load_model(model_folder)
    found = log_probabilities(model, tokenizer, SENTENCES)
    np.testing.assert_allclose(found, one_by_one(model, tokenizer), atol=1e-4)
    assert found[0] == found[4]


@pytest.mark.parametrize(
    ("configuration", "read_as"),
    [
        (GPT2Config(vocab_size=300, n_positions=128, n_embd=32, n_layer=2, n_head=2), "trees"),
        (BloomConfig(vocab_size=300, hidden_size=32, n_layer=2, n_head=2), "batches"),
        (MambaConfig(vocab_size=300, hidden_size=32, num_hidden_layers=2, state_size=4), "batches"),
    ],
)
def test_any_causal_model_is_scored(configuration: PreTrainedConfig, read_as: str, model_folder: Path) -> None:
    _, tokenizer = load_model(model_folder)
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(configuration).eval()
    with torch.no_grad():
        for weights in model.parameters():
            weights.add_(torch.randn_like(weights), alpha=0.2)
    np.testing.assert_allclose(
        log_probabilities(model, tokenizer, SENTENCES), one_by_one(model, tokenizer), rtol=1e-5, atol=1e-4
    )
    sequences = sorted(tuple(ids) for ids in tokenizer(SENTENCES)["input_ids"])
    with torch.inference_mode():
        assert reads_trees(model, sequences) == (read_as == "trees")


@given(st.lists(st.lists(st.integers(0, 2), min_size=1, max_size=6).map(tuple), min_size=1, max_size=40))
def test_a_node_sees_the_tokens_before_it(sequences: list[tuple[int, ...]]) -> None:
    distinct = sorted(set(sequences))
    predicted: dict[int, list[tuple[int, ...]]] = {}
    for row in packed_rows(distinct):
        assert len(row.tokens) <= MAX_ROW_NODES
        for node, next_token, owner in zip(row.nodes, row.next_tokens, row.owners, strict=True):
            seen = tuple(row.tokens[other] for other in range(node + 1) if node < row.ends[other])
            assert len(seen) == row.depths[node] + 1
            predicted.setdefault(owner, []).append((*seen, next_token))
    for owner, ids in enumerate(distinct):
        assert predicted.get(owner, []) == [ids[:end] for end in range(2, len(ids) + 1)]


def test_a_tie_is_wrong(model_folder: Path) -> None:
    model, tokenizer = load_model(model_folder)
    same = Paradigm("same", "term", "field", (("The town stands.", "The town stands."),) * 5)
    assert score_paradigms(model, tokenizer, [same], np.random.default_rng(0))["accuracy"].to_list() == [0.0]


def test_a_pair_and_its_reverse_score_together_one(model_folder: Path) -> None:
    model, tokenizer = load_model(model_folder)
    pairs = (("The town stands.", "The town stand."), ("The rivers rise.", "The rivers rises."))
    forth = Paradigm("forth", "term", "field", pairs)
    back = Paradigm("back", "term", "field", tuple((bad, good) for good, bad in pairs))
    scores = score_paradigms(model, tokenizer, [forth, back], np.random.default_rng(0))
    assert sum(scores["accuracy"]) == 1.0
    tasks = pl.Series("task", ["one", "other"])
    assert task_averages(scores.with_columns(tasks)) == dict(zip(tasks, scores["accuracy"], strict=True))


def test_a_sentence_longer_than_the_positions_is_named(model_folder: Path) -> None:
    model, tokenizer = load_model(model_folder)
    with pytest.raises(ValueError, match=r"model of 256 positions: 'rock rock"):
        log_probabilities(model, tokenizer, ["The town.", "rock " * 300])


def test_the_interval_holds_the_accuracy_and_narrows_with_pairs() -> None:
    few, many = (bootstrap_interval(np.arange(number) % 4 > 0, np.random.default_rng(1)) for number in (40, 4000))
    assert few[0] < many[0] < 0.75 < many[1] < few[1]
    assert many[1] - many[0] == pytest.approx(2 * 1.96 * np.sqrt(0.75 * 0.25 / 4000), rel=0.15)


def test_reading_keeps_line_separators_inside_sentences(tmp_path: Path) -> None:
    folder = write_pairs(tmp_path, [pair("A:\u2028one\x85two", "b"), "", pair("Ἑλλάς 🏛", "d")])
    (paradigm,) = read_paradigms(folder)
    assert paradigm.pairs == (("A:\u2028one\x85two", "b"), ("Ἑλλάς 🏛", "d"))
    assert (paradigm.uid, paradigm.field) == ("agreement", "morphology")


def test_a_field_written_in_two_ways_is_one(tmp_path: Path) -> None:
    folder = write_pairs(tmp_path, [pair("a", "b").replace("morphology", "syntax/semantics")])
    assert {paradigm.field for paradigm in read_paradigms(folder)} == {"syntax_semantics"}


@pytest.mark.parametrize(
    "line",
    ["{not json", '{"sentence_good": "a"}', '{"sentence_good": "a", "sentence_bad": 3}', "[1]", pair("", "b")],
)
def test_a_malformed_line_names_file_and_line(tmp_path: Path, line: str) -> None:
    folder = write_pairs(tmp_path, [pair("a", "b"), line])
    with pytest.raises(PairsError, match=r"agreement\.jsonl, line 2"):
        read_paradigms(folder)


def test_a_folder_without_pairs_names_the_variable(tmp_path: Path) -> None:
    with pytest.raises(PairsError, match="BRITANNICA_EVAL_DIR"):
        read_paradigms(tmp_path)
