"""What a training goes on from, and what it refuses."""

import logging
from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file

from britannica_assets.config import Architecture
from britannica_assets.modeling.checkpoints import BrokenCheckpointError, keep_if_best, load_best
from britannica_assets.modeling.fit import fit
from britannica_assets.modeling.models import IncompleteWeightsError, build_model, load_trained, load_weights
from britannica_assets.modeling.process import UnfinishedError
from britannica_assets.settings import Settings
from britannica_assets_tests.modeling.conftest import LENGTH, VOCABULARY, specification

TIED = Architecture(family="gpt2", num_hidden_layers=1, num_attention_heads=2, hidden_size=32, intermediate_size=64)


def test_a_lower_device_batch_size_goes_on_from_the_checkpoint(
    corpus: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The sum of gradients in parts is rounded otherwise, no more: lowering it after an out-of-memory error is free."""
    settings = Settings(data_dir=str(tmp_path))
    spec = specification(corpus, tmp_path / "undisturbed", settings)
    undisturbed = fit(spec)
    spec = specification(corpus, tmp_path / "stopped", settings, stop_after_seconds=0.0)
    with pytest.raises(UnfinishedError, match="stopped at step 1 of"):
        fit(spec)
    training = spec.model.training.model_copy(update={"device_batch_size": 2})
    smaller = spec.model_copy(
        update={"model": spec.model.model_copy(update={"training": training}), "stop_after_seconds": None}
    )
    with caplog.at_level(logging.INFO, "britannica_assets"):
        resumed = fit(smaller)
    assert "student resumes from checkpoint-1" in caplog.text
    assert resumed.steps == undisturbed.steps
    assert resumed.validation_loss == pytest.approx(undisturbed.validation_loss, abs=1e-4)


def test_weights_that_are_not_the_models_are_refused(tmp_path: Path) -> None:
    tied = build_model(TIED, vocab_size=VOCABULARY, sequence_length=LENGTH)
    tied.save_pretrained(tmp_path)
    load_weights(tied, tmp_path / "model.safetensors")  # the tied output layer is stored once
    load_trained(tmp_path)
    weights = load_file(tmp_path / "model.safetensors")
    del weights["transformer.h.0.mlp.c_fc.weight"]
    save_file(weights, tmp_path / "model.safetensors", metadata={"format": "pt"})
    for load in (lambda: load_trained(tmp_path), lambda: load_weights(tied, tmp_path / "model.safetensors")):
        with pytest.raises(IncompleteWeightsError, match=r"missing transformer\.h\.0\.mlp\.c_fc\.weight; unknown none"):
            load()


def test_damaged_weights_of_the_best_epoch_are_not_taken(tmp_path: Path) -> None:
    model = build_model(TIED, vocab_size=VOCABULARY, sequence_length=LENGTH)
    keep_if_best(model, tmp_path, 2.0, step=1)
    keep_if_best(build_model(TIED, vocab_size=VOCABULARY, sequence_length=LENGTH), tmp_path, 3.0, step=2)
    other = build_model(TIED, vocab_size=VOCABULARY, sequence_length=LENGTH)
    load_best(other, tmp_path)
    assert bool((other.lm_head.weight == model.lm_head.weight).all())
    weights = tmp_path / "best" / "model.safetensors"
    weights.write_bytes(bytes(weights.stat().st_size))
    with pytest.raises(
        BrokenCheckpointError, match=r"model\.safetensors is missing or not as it was .*: remove .*best to"
    ):
        load_best(other, tmp_path)
