"""Errors of a training that users meet: memory that is short, a loss that is no number."""

import sys
from pathlib import Path

import mlflow
import pytest

from britannica_assets.config import ModelConfiguration, Training
from britannica_assets.modeling.device import OutOfMemoryError
from britannica_assets.modeling.fit import fit
from britannica_assets.modeling.train import train
from britannica_assets.modeling.trainer import NonFiniteLossError
from britannica_assets.settings import Settings
from britannica_assets.tracking import connect
from britannica_assets_tests.modeling.conftest import SHAPE, memory_short, specification


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=str(tmp_path), scale="demo", mlflow_tracking_uri=None)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the limit on a process's memory is not enforced")
def test_a_batch_too_large_for_the_memory_names_the_key_to_lower(
    corpus: Path, tmp_path: Path, settings: Settings
) -> None:
    wide = SHAPE.model_copy(update={"intermediate_size": 2**18})
    training = Training(learning_rate=3e-3, batch_size=64, epochs=1, warmup_steps=2, weight_decay=0.1)
    spec = specification(corpus, tmp_path, settings, model=ModelConfiguration(architecture=wide, training=training))
    with (
        memory_short(),
        pytest.raises(OutOfMemoryError, match=r"student: 64 sequences do not fit .*: lower training\.device_batch"),
    ):
        fit(spec)


def test_a_loss_that_is_no_number_stops_with_its_step(corpus: Path, tmp_path: Path, settings: Settings) -> None:
    training = Training(learning_rate=1e30, batch_size=8, epochs=2, warmup_steps=0, weight_decay=0)
    spec = specification(corpus, tmp_path, settings, model=ModelConfiguration(architecture=SHAPE, training=training))
    with pytest.raises(NonFiniteLossError, match=r"student: the loss is (nan|inf) at step [1-9]\d*; lower .*rate"):
        train(spec)
    run_id = (spec.checkpoints / "mlflow_run_id").read_text(encoding="utf-8")
    connect(settings)
    assert mlflow.get_run(run_id).info.status == "FAILED"
