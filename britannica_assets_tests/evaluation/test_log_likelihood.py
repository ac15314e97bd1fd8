"""Log-probabilities: the same in trees, batches and one by one; which tokens count; models that mean nothing."""

import json
import math
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
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

from britannica_assets.evaluation.candidates import Candidate, EncodedCandidate, encode_candidates
from britannica_assets.evaluation.log_likelihood import (
    MAX_ROW_NODES,
    BrokenModelError,
    log_probabilities,
    packed_rows,
    reads_trees,
    sentence_log_probabilities,
)
from britannica_assets.modeling.models import load_model

SENTENCES = [
    "The river rises in the hills.",
    "The",
    "Ἡ ἀρχὴ τοῦ ποταμοῦ, the river's source.",
    "Two speakers:\nA: Where is the town?\nB: Upon the river. 🏰",
    "The river rises in the hills.",
    "The castle, the church, the market and the old bridge are all of great age, and so is the town itself.",
    " a leading space",
]


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
    found = sentence_log_probabilities(model, tokenizer, SENTENCES)
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
        sentence_log_probabilities(model, tokenizer, SENTENCES), one_by_one(model, tokenizer), rtol=1e-5, atol=1e-4
    )
    sequences = sorted(tuple(ids) for ids in tokenizer(SENTENCES)["input_ids"])
    with torch.inference_mode():
        assert reads_trees(model, sequences) == (read_as == "trees")


@given(st.lists(st.lists(st.integers(0, 2), min_size=1, max_size=6).map(tuple), min_size=1, max_size=40))
def test_a_node_sees_the_tokens_before_it(sequences: list[tuple[int, ...]]) -> None:
    distinct = sorted(set(sequences))
    predicted = []
    for row in packed_rows(distinct):
        assert len(row.tokens) <= MAX_ROW_NODES
        for node, next_token in zip(row.nodes, row.next_tokens, strict=True):
            seen = tuple(row.tokens[other] for other in range(node + 1) if node < row.ends[other])
            assert len(seen) == row.depths[node] + 1
            predicted.append((*seen, next_token))
    assert predicted == [ids[:end] for ids in distinct for end in range(2, len(ids) + 1)]


def with_tokenizer(model_folder: Path, folder: Path, change: Callable[[Any], None]) -> PreTrainedTokenizerBase:
    """The tests' tokenizer with something changed in its `tokenizer.json`."""
    shutil.copytree(model_folder, folder)
    definition = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
    change(definition)
    (folder / "tokenizer.json").write_text(json.dumps(definition), encoding="utf-8")
    return load_model(folder)[1]


def append_end(definition: dict[str, Any]) -> None:
    definition["post_processor"]["single"].append({"SpecialToken": {"id": "</s>", "type_id": 0}})
    definition["post_processor"]["special_tokens"]["</s>"] = {"id": "</s>", "ids": [2], "tokens": ["</s>"]}


def add_nothing(definition: dict[str, Any]) -> None:
    definition["post_processor"] = None


def test_an_appended_end_is_not_scored(model_folder: Path, tmp_path: Path) -> None:
    model, tokenizer = load_model(model_folder)
    with_end = with_tokenizer(model_folder, tmp_path / "model", append_end)
    assert with_end(SENTENCES[0])["input_ids"][-1] == 2
    expected = sentence_log_probabilities(model, tokenizer, SENTENCES)
    np.testing.assert_allclose(sentence_log_probabilities(model, with_end, SENTENCES), expected, atol=1e-4)


def test_without_bos_the_first_token_is_given(model_folder: Path, tmp_path: Path) -> None:
    model, _ = load_model(model_folder)
    plain = with_tokenizer(model_folder, tmp_path / "model", add_nothing)
    first, single = encode_candidates(plain, [Candidate("", SENTENCES[0]), Candidate("", "T")])
    assert (first.first, first.last) == (1, len(first.ids))
    assert len(single.ids) == 1
    assert log_probabilities(model, [single]).tolist() == [0.0]


def test_unknown_characters_are_scored_as_the_unknown_token(model_folder: Path) -> None:
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    words = Tokenizer(models.WordLevel({"<unk>": 0, "the": 5, "town": 6}, unk_token="<unk>"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=words, unk_token="<unk>")
    (encoded,) = encode_candidates(tokenizer, [Candidate("", "the Ψ town")])
    assert encoded == EncodedCandidate((5, 0, 6), 1, 3)


def test_a_completion_is_scored_given_its_prefix(model_folder: Path) -> None:
    model, tokenizer = load_model(model_folder)
    prefix, completion = "The town stands upon", " the river."
    whole, before = sentence_log_probabilities(model, tokenizer, [prefix + completion, prefix])
    encoded = encode_candidates(tokenizer, [Candidate(prefix, completion)])
    assert log_probabilities(model, encoded)[0] == pytest.approx(whole - before, abs=1e-4)
    # A token across the boundary counts whole.
    (across,) = encode_candidates(tokenizer, [Candidate("The to", "wn.")])
    offsets = tokenizer("The town.", return_offsets_mapping=True)["offset_mapping"]
    assert offsets[across.first][0] <= len("The to") < offsets[across.first][1]


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_logits_that_are_not_finite_are_an_error(model_folder: Path, value: float) -> None:
    model, tokenizer = load_model(model_folder)
    with torch.no_grad():
        model.lm_head.weight[7] = value
    with pytest.raises(BrokenModelError, match=r"LlamaForCausalLM in torch\.float32 gives logits that are not finite"):
        sentence_log_probabilities(model, tokenizer, SENTENCES)


@pytest.mark.parametrize("weights", ["lm_head", "norm"])
def test_constant_logits_are_an_error(model_folder: Path, weights: str) -> None:
    model, tokenizer = load_model(model_folder)
    with torch.no_grad():
        (model.lm_head if weights == "lm_head" else model.model.norm).weight.zero_()
    with pytest.raises(BrokenModelError, match="same logits whatever it reads"):
        sentence_log_probabilities(model, tokenizer, SENTENCES)


def test_candidates_of_one_long_prefix_are_read_once(model_folder: Path) -> None:
    prefix = tuple(range(200))
    rows = list(packed_rows(sorted((*prefix, option, option) for option in range(5))))
    assert [len(row.tokens) for row in rows] == [205]
