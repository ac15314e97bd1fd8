"""What a training is known by, and what becomes of unfinished ones that nothing goes on with."""

import logging
import os
from pathlib import Path
from typing import Any

import pytest

from britannica_assets.config import ConfigurationError, load_configuration
from britannica_assets.modeling.garbage_collection import (
    ABANDONED_AFTER,
    log_differences,
    remove_abandoned,
    remove_superseded,
    write_identity,
)
from britannica_assets.modeling.process import exclusive_lock
from britannica_assets.modeling.specification import TrainingSpecification, specify_training
from britannica_assets.settings import Settings
from britannica_assets_tests.modeling.conftest import specification


@pytest.fixture
def spec(corpus: Path, tmp_path: Path) -> TrainingSpecification:
    return specification(corpus, tmp_path, Settings(data_dir=str(tmp_path)))


def with_training(spec: TrainingSpecification, **keys: Any) -> TrainingSpecification:
    training = spec.model.training.model_copy(update=keys)
    return spec.model_copy(update={"model": spec.model.model_copy(update={"training": training})})


def test_what_does_not_change_the_result_does_not_change_the_digest(spec: TrainingSpecification) -> None:
    assert spec.model_copy(update={"dagster_run_id": "another", "checkpoint_seconds": 1.0}).digest == spec.digest
    assert with_training(spec, device_batch_size=1, processes=2, compile=True).digest == spec.digest
    assert spec.model_copy(update={"seed": 2}).digest != spec.digest
    assert with_training(spec, learning_rate=1e-3).digest != spec.digest
    assert with_training(spec, adam_beta2=0.98).digest != spec.digest


def test_what_a_run_overrides_decides_the_result(corpus: Path, tmp_path: Path) -> None:
    def overridden(asset: str = "student", **overrides: Any) -> TrainingSpecification:
        return specify_training(
            Settings(data_dir=str(tmp_path), scale="demo"),
            load_configuration("demo"),
            asset,
            "babylm_10m",
            token_ids=corpus / "token_ids",
            tokenizer=corpus / "tokenizer",
            targets=corpus / "token_ids",
            overrides=overrides,
            dagster_run_id="",
        )

    plain = overridden()
    changed = overridden(epochs=3, alpha=0.25, seed=7)
    assert changed.distillation is not None
    assert (changed.model.training.epochs, changed.distillation.alpha, changed.seed) == (3, 0.25, 7)
    assert changed.configuration_digest != plain.configuration_digest
    assert len({spec.digest for spec in (plain, changed, overridden(epochs=3), overridden(seed=7))}) == 4
    assert overridden(epochs=plain.model.training.epochs, device_batch_size=2).digest == plain.digest
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"epochs": 11}, "student.training.epochs 11 is above 10"),
        ({"learning_rate": 0}, r"student.training.learning_rate: Input should be greater than 0 \(got 0\)"),
        ({"epoch": 3}, "student has no key 'epoch' to override; it has: seed, optimizer"),
    ]
    for overrides, message in wrong:
        with pytest.raises(ConfigurationError, match=message):
            overridden(**overrides)
    with pytest.raises(ConfigurationError, match="teacher_gpt2 has no key 'alpha'"):
        overridden("teacher_gpt2", alpha=0.5)


def test_a_key_at_its_default_is_no_part_of_the_identity(spec: TrainingSpecification) -> None:
    """So that a new key orphans no training. Another set of keys here orphans all: raise IDENTITY_VERSION then."""
    assert sorted(spec.identity) == [
        "asset",
        "data_digests.train",
        "data_digests.validation",
        *(
            f"model.architecture.{key}"
            for key in ("family", "hidden_size", "intermediate_size", "num_attention_heads", "num_hidden_layers")
        ),
        *(f"model.training.{key}" for key in ("batch_size", "epochs", "learning_rate", "warmup_steps", "weight_decay")),
        "seed",
        "sequence_length",
        "track",
        "version",
    ]


def test_a_changed_key_is_named_where_a_training_starts_anew(
    spec: TrainingSpecification, caplog: pytest.LogCaptureFixture
) -> None:
    unfinished = with_training(spec, learning_rate=0.1)
    write_identity(unfinished.checkpoints, unfinished.identity)
    with caplog.at_level(logging.INFO, "britannica_assets"):
        log_differences(spec.checkpoints, spec.identity)
    assert "student-babylm_10m starts anew" in caplog.text
    assert "model.training.learning_rate 0.1 → 0.003 changed" in caplog.text


def test_a_finished_training_removes_the_unfinished_ones_of_its_asset_and_track(spec: TrainingSpecification) -> None:
    superseded, at_work = with_training(spec, learning_rate=0.1), with_training(spec, learning_rate=0.2)
    others = [spec.model_copy(update={"track": "encyclopedia"}), spec.model_copy(update={"asset": "teacher_llama"})]
    for one in (spec, superseded, at_work, *others):
        (one.checkpoints / "checkpoint-5").mkdir(parents=True)
    with exclusive_lock(at_work.checkpoints):
        remove_superseded(spec.checkpoints, Settings(**spec.settings))
    assert not superseded.checkpoints.exists()
    assert all(one.checkpoints.exists() for one in (spec, at_work, *others))


def test_what_nothing_has_changed_for_a_month_is_removed(spec: TrainingSpecification) -> None:
    old, fresh = spec.checkpoints, with_training(spec, learning_rate=0.1).checkpoints
    foreign = spec.work / "notes"
    for folder in (old, fresh, foreign):
        folder.mkdir(parents=True)
        (folder / "file").write_text("content", encoding="utf-8")
    for path in (old / "file", old, fresh, foreign / "file", foreign):  # of `fresh` one file is new
        then = path.stat().st_mtime - ABANDONED_AFTER - 60
        os.utime(path, (then, then))
    remove_abandoned(spec.work, keep=old)  # as by a training that goes on after a long holiday
    assert old.exists()
    remove_abandoned(spec.work, keep=fresh)
    assert not old.exists()
    assert fresh.exists()
    assert foreign.exists()
