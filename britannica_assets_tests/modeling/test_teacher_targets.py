"""Teacher targets: their windows, their precision, their shards."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import PreTrainedModel

from britannica_assets.config import Architecture, Distillation
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
DISTILLATION = Distillation(alpha=0.5, temperature=2, top_k=24, tail_samples=40, left_context=12, batch_size=5)


def teachers() -> list[PreTrainedModel]:
    torch.manual_seed(3)
    models = [build_model(shape, vocab_size=VOCABULARY, sequence_length=LENGTH).eval() for shape in (GPT2, SHAPE)]
    for model in models:  # untrained models expect everything alike: make them choose
        for parameter in model.parameters():
            parameter.data *= 3
    return models


def compute(
    models: list[PreTrainedModel], tokens: TokenIds, folder: Path, *, shard_length: int, **changes: int
) -> None:
    """Computes with `DISTILLATION`, but for the changed keys."""
    compute_teacher_targets(
        models,
        tokens,
        folder,
        DISTILLATION.model_copy(update=changes),
        sequence_length=LENGTH,
        shard_length=shard_length,
        seed=7,
    )


def test_each_position_has_the_averaged_prediction_with_the_promised_context(
    train_tokens: TokenIds, tmp_path: Path
) -> None:
    compute(teachers(), train_tokens, tmp_path, shard_length=1000)
    targets = TeacherTargets.open(tmp_path)
    stored = targets.read(0, len(train_tokens.ids))
    torch.testing.assert_close(stored.probabilities.sum(-1), torch.ones(len(stored.ids)))
    # An article's first window sees all that precedes it, whatever the shards and batches.
    article = int(train_tokens.offsets[2])
    window = torch.from_numpy(train_tokens.ids[article : article + LENGTH].astype(np.int64))[None]
    with torch.no_grad():
        logits = torch.stack([model(input_ids=window).logits[0] for model in teachers()]).mean(0)
    expected = (logits / DISTILLATION.temperature).softmax(-1)
    top = expected.topk(24)
    ids, probabilities, entropy = (values[article : article + LENGTH] for values in stored)
    torch.testing.assert_close(probabilities[:, :24], top.values, rtol=1e-3, atol=1e-5)  # float16's precision
    torch.testing.assert_close(probabilities[:, 24:].sum(-1), 1 - top.values.sum(-1), rtol=1e-3, atol=1e-5)
    torch.testing.assert_close(entropy, torch.special.entr(expected).sum(-1), rtol=1e-3, atol=1e-5)
    assert (ids[:, 0] == top.indices[:, 0]).float().mean() > 0.95
    # A type of the tail is drawn in proportion to its probability, rounded up or down to whole samples.
    tail = torch.zeros_like(expected).scatter_add_(-1, ids[:, 24:], torch.ones_like(ids[:, 24:], dtype=torch.float32))
    share = expected.scatter(-1, top.indices, 0.0)
    assert bool(((tail - 40 * share / share.sum(-1, keepdim=True)).abs() < 1.001).all())


def test_targets_do_not_depend_on_their_shards(train_tokens: TokenIds, tmp_path: Path) -> None:
    read = []
    for shard_length in (700, 10_000):
        folder = tmp_path / str(shard_length)
        folder.mkdir()
        compute(teachers(), train_tokens, folder, shard_length=shard_length)
        read.append(TeacherTargets.open(folder).read(0, len(train_tokens.ids)))
    # Batches of another size round otherwise, which moves a sample from a type to its neighbour now and then.
    assert float((read[0].ids == read[1].ids).float().mean()) > 0.99
    torch.testing.assert_close(read[0].entropy, read[1].entropy, rtol=2e-3, atol=1e-4)


def test_a_killed_computation_goes_on_with_the_missing_shard(train_tokens: TokenIds, tmp_path: Path) -> None:
    compute(teachers(), train_tokens, tmp_path, shard_length=700)
    before = {file.name: (file.stat().st_mtime_ns, file.read_bytes()) for file in tmp_path.iterdir()}
    (tmp_path / "targets-00001.bin").unlink()
    (tmp_path / "teacher_targets.json").unlink()
    compute(teachers(), train_tokens, tmp_path, shard_length=700)
    after = {file.name: (file.stat().st_mtime_ns, file.read_bytes()) for file in tmp_path.iterdir()}
    assert {name: data for name, (_, data) in after.items()} == {name: data for name, (_, data) in before.items()}
    assert after["targets-00000.bin"] == before["targets-00000.bin"]  # not written again


@pytest.mark.parametrize(("change", "named"), [({"left_context": LENGTH}, "left_context"), ({"top_k": 400}, "top_k")])
def test_what_cannot_be_computed_is_refused(
    train_tokens: TokenIds, tmp_path: Path, change: dict[str, int], named: str
) -> None:
    with pytest.raises(ValueError, match=named):
        compute(teachers(), train_tokens, tmp_path, shard_length=700, **change)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the limit on a process's memory is not enforced")
def test_a_batch_too_large_for_the_memory_names_the_key_to_lower(train_tokens: TokenIds, tmp_path: Path) -> None:
    wide = SHAPE.model_copy(update={"intermediate_size": 2**18})
    teacher = build_model(wide, vocab_size=VOCABULARY, sequence_length=LENGTH).eval()
    with (
        memory_short(),
        pytest.raises(OutOfMemoryError, match=r"targets: 64 sequences do not fit .*: lower distillation\.batch_size"),
    ):
        compute([teacher], train_tokens, tmp_path, shard_length=10_000, batch_size=64)
