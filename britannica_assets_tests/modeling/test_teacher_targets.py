"""Teacher targets: their windows, their precision, their shards."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import PreTrainedModel

from britannica_assets.config import Architecture
from britannica_assets.corpus.token_ids import TokenIds
from britannica_assets.modeling.device import OutOfMemoryError
from britannica_assets.modeling.models import build_model
from britannica_assets.modeling.teacher_targets import TeacherTargets, compute_teacher_targets
from britannica_assets_tests.modeling.conftest import LENGTH, SHAPE, VOCABULARY, memory_short

GPT2 = Architecture(
    family="gpt2",
    num_hidden_layers=1,
    num_attention_heads=2,
    hidden_size=32,
    intermediate_size=64,
    tie_word_embeddings=True,
)
OPTIONS: dict[str, Any] = {
    "top_k": 24,
    "temperature": 2.0,
    "sequence_length": LENGTH,
    "left_context": 12,
    "batch_size": 5,
}


def teachers() -> list[PreTrainedModel]:
    torch.manual_seed(3)
    models = [build_model(shape, vocab_size=VOCABULARY, sequence_length=LENGTH).eval() for shape in (GPT2, SHAPE)]
    for model in models:  # untrained models expect everything alike: make them choose
        for parameter in model.parameters():
            parameter.data *= 3
    return models


def test_each_position_has_the_averaged_prediction_with_the_promised_context(
    train_tokens: TokenIds, tmp_path: Path
) -> None:
    compute_teacher_targets(teachers(), train_tokens, tmp_path, shard_length=1000, **OPTIONS)
    targets = TeacherTargets.open(tmp_path)
    ids, probabilities = targets.read(0, len(train_tokens.ids))
    torch.testing.assert_close(probabilities.sum(-1), torch.ones(len(ids)))
    # An article's first window sees all that precedes it, whatever the shards and batches.
    article = int(train_tokens.offsets[2])
    window = torch.from_numpy(train_tokens.ids[article : article + LENGTH].astype(np.int64))[None]
    with torch.no_grad():
        logits = torch.stack([model(input_ids=window).logits[0] for model in teachers()]).mean(0)
    expected = (logits / OPTIONS["temperature"]).softmax(-1).topk(24)
    stored = probabilities[article : article + LENGTH]
    torch.testing.assert_close(stored[:, :-1], expected.values, rtol=0.01, atol=1e-5)  # bfloat16's precision
    torch.testing.assert_close(stored[:, -1], 1 - expected.values.sum(-1), rtol=0.01, atol=1e-3)
    assert (ids[article : article + LENGTH, 0] == expected.indices[:, 0]).float().mean() > 0.95


def test_a_killed_computation_goes_on_with_the_missing_shard(train_tokens: TokenIds, tmp_path: Path) -> None:
    compute_teacher_targets(teachers(), train_tokens, tmp_path, shard_length=700, **OPTIONS)
    before = {file.name: (file.stat().st_mtime_ns, file.read_bytes()) for file in tmp_path.iterdir()}
    (tmp_path / "probabilities-00001.bin").unlink()
    (tmp_path / "teacher_targets.json").unlink()
    compute_teacher_targets(teachers(), train_tokens, tmp_path, shard_length=700, **OPTIONS)
    after = {file.name: (file.stat().st_mtime_ns, file.read_bytes()) for file in tmp_path.iterdir()}
    assert {name: data for name, (_, data) in after.items()} == {name: data for name, (_, data) in before.items()}
    assert after["ids-00000.bin"] == before["ids-00000.bin"]  # not written again


@pytest.mark.parametrize(("change", "named"), [({"left_context": LENGTH}, "left_context"), ({"top_k": 400}, "top_k")])
def test_what_cannot_be_computed_is_refused(
    train_tokens: TokenIds, tmp_path: Path, change: dict[str, int], named: str
) -> None:
    with pytest.raises(ValueError, match=named):
        compute_teacher_targets(teachers(), train_tokens, tmp_path, shard_length=700, **(OPTIONS | change))


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the limit on a process's memory is not enforced")
def test_a_batch_too_large_for_the_memory_names_the_key_to_lower(train_tokens: TokenIds, tmp_path: Path) -> None:
    wide = SHAPE.model_copy(update={"intermediate_size": 2**18})
    teacher = build_model(wide, vocab_size=VOCABULARY, sequence_length=LENGTH).eval()
    with (
        memory_short(),
        pytest.raises(OutOfMemoryError, match=r"targets: 64 sequences do not fit .*: lower distillation\.batch_size"),
    ):
        compute_teacher_targets(
            [teacher], train_tokens, tmp_path, shard_length=10_000, **(OPTIONS | {"batch_size": 64})
        )
