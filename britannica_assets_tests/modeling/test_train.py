"""Training as users start it: killed and resumed, on two processes, registered, served; and what bad input gets."""

import json
import logging
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import mlflow
import pytest
import torch
from filelock import FileLock
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoTokenizer
from typer.testing import CliRunner

from britannica_assets.cli import app
from britannica_assets.config import Architecture, Generation, ModelConfiguration, Training
from britannica_assets.corpus.token_ids import TokenIds
from britannica_assets.modeling.checkpoints import last_complete_checkpoint
from britannica_assets.modeling.fit import fit
from britannica_assets.modeling.models import build_model
from britannica_assets.modeling.process import PARENT_LOCK, LockedError, exclusive_lock
from britannica_assets.modeling.specification import TrainingSpecification
from britannica_assets.modeling.teacher_targets import compute_teacher_targets
from britannica_assets.modeling.train import train
from britannica_assets.modeling.trained_model import TrainedModel
from britannica_assets.settings import Settings
from britannica_assets.tracking import connect
from britannica_assets_tests.modeling.conftest import (
    DISTILLATION,
    LENGTH,
    SHAPE,
    VOCABULARY,
    specification,
)

# Dropout, so that a resumed training must find the random numbers where the killed one left them.
DROPPING = Architecture(
    family="gpt2",
    num_hidden_layers=1,
    num_attention_heads=2,
    hidden_size=32,
    intermediate_size=64,
    tie_word_embeddings=True,
    dropout=0.1,
)
DEADLINE = 600  # seconds after which a process hangs, however busy the machine is
ENVIRONMENT = os.environ | {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": "", "MLFLOW_DISABLE_TELEMETRY": "true"}


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory, empty_store: Path) -> Settings:
    folder = tmp_path_factory.mktemp("data")
    shutil.copy(empty_store, folder)
    return Settings(data_dir=str(folder), scale="demo", mlflow_tracking_uri=None)


@pytest.fixture(scope="module")
def distilled(corpus: Path, settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> TrainingSpecification:
    """A student trained undisturbed in this process, on the targets of an untrained teacher."""
    folder = tmp_path_factory.mktemp("distilled")
    torch.manual_seed(5)
    teacher = build_model(SHAPE, vocab_size=VOCABULARY, sequence_length=LENGTH).eval()
    (folder / "targets").mkdir()
    compute_teacher_targets(
        [teacher],
        TokenIds.open(corpus / "token_ids", "train"),
        folder / "targets",
        DISTILLATION,
        sequence_length=LENGTH,
        shard_length=4096,
        seed=1911,
    )
    # Muon, which keeps AdamW's state beside its own: a resumed training must find both.
    training = Training(
        optimizer="muon",
        learning_rate=3e-3,
        batch_size=8,
        epochs=2,
        warmup_steps=2,
        weight_decay=0.1,
        keep="best",
        ema_decay=0.95,
    )
    spec = specification(
        corpus,
        folder,
        settings,
        generation=Generation(temperature=0.7, top_p=0.9, max_new_tokens=20, prompts=["The town"]),
        model=ModelConfiguration(architecture=DROPPING, training=training),
        distillation=DISTILLATION,
        targets=folder / "targets",
    )
    train(spec)
    return spec


def training_command(spec: TrainingSpecification, *launcher: str) -> list[str]:
    """The command that trains by a specification."""
    spec.work.mkdir(parents=True, exist_ok=True)
    file = spec.work / "specification.json"
    file.write_text(spec.model_dump_json(), encoding="utf-8")
    return [sys.executable, "-m", *launcher, "britannica_assets.modeling.train", str(file)]


def test_the_model_is_stored_tracked_and_registered(distilled: TrainingSpecification, settings: Settings) -> None:
    trained = TrainedModel.read(distilled.output)
    model = AutoModelForCausalLM.from_pretrained(distilled.output)
    tokenizer = AutoTokenizer.from_pretrained(distilled.output)
    logits = model(**tokenizer("The town", return_tensors="pt")).logits
    assert logits.shape[-1] == VOCABULARY
    assert model.config.use_cache
    assert (model.generation_config.do_sample, model.generation_config.top_p) == (True, 0.9)
    card = (distilled.output / "README.md").read_text(encoding="utf-8")
    assert "# britannica-student, track babylm_10m" in card
    assert f"| words seen, repeats included | {trained.words_seen:,} |" in card
    assert "what teachers that learnt from the same text expect" in card
    assert trained.validation_loss < 0.95 * torch.log(torch.tensor(float(VOCABULARY)))
    assert trained.is_champion
    connect(settings)
    run = mlflow.get_run(trained.mlflow_run_id)
    assert run.info.status == "FINISHED"
    assert {
        "train_loss",
        "train_kl",
        "validation_loss",
        "tokens_per_second",
        "model_flops_utilization",
        "seconds_left",
    } <= set(run.data.metrics)
    assert {data.dataset.name for data in run.inputs.dataset_inputs} == {"train", "validation"}
    assert list(distilled.checkpoints.iterdir()) == [distilled.output]


def test_killed_and_resumed_equals_undisturbed_in_the_same_run(
    distilled: TrainingSpecification, tmp_path: Path, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    spec = distilled.model_copy(update={"work": tmp_path / "work", "checkpoint_seconds": 0.0})
    command = training_command(spec)
    process = subprocess.Popen(command, env=ENVIRONMENT, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + DEADLINE
    while len(list(spec.checkpoints.glob("checkpoint-[1-9][0-9]/manifest.json"))) < 2:
        assert process.poll() is None, "the process ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    run_id = (spec.checkpoints / "mlflow_run_id").read_text(encoding="utf-8")
    # A kill may also come while a checkpoint is written, and a full disk may cut off the weights of the newest one.
    unfinished = spec.checkpoints / "checkpoint-99999"
    unfinished.mkdir()
    (unfinished / "trainer_state.json").write_text('{"global_step": 9', encoding="utf-8")
    newest = last_complete_checkpoint(spec.checkpoints, remove_broken=False)
    assert newest is not None
    with (newest / "model.safetensors").open("r+b") as weights:
        weights.truncate(1000)
    # The rest in this process: a checkpoint at each step would only take time.
    with caplog.at_level(logging.INFO, "britannica_assets"):
        trained = train(spec.model_copy(update={"checkpoint_seconds": 300.0}))
    assert re.search(rf"{newest.name}: model.safetensors is missing or not as it was written", caplog.text)
    assert re.search(r"student resumes from checkpoint-\d+", caplog.text)
    assert trained is not None
    assert trained.mlflow_run_id == run_id
    undisturbed = load_file(distilled.output / "model.safetensors")
    resumed = load_file(spec.output / "model.safetensors")
    assert undisturbed.keys() == resumed.keys()
    for name, weight in undisturbed.items():
        torch.testing.assert_close(resumed[name], weight, rtol=0, atol=0)
    connect(settings)
    history = mlflow.MlflowClient().get_metric_history(run_id, "validation_loss")
    assert history[-1].step == trained.steps


def test_two_processes_get_the_loss_of_one(corpus: Path, tmp_path: Path, settings: Settings) -> None:
    losses = {}
    for processes in (1, 2):
        training = Training(
            learning_rate=3e-3, batch_size=8, epochs=1, warmup_steps=2, weight_decay=0.1, processes=processes
        )
        spec = specification(
            corpus,
            tmp_path / str(processes),
            settings,
            track="encyclopedia",
            model=ModelConfiguration(architecture=SHAPE, training=training),
        )
        if processes == 1:
            train(spec)
        else:
            launcher = ["torch.distributed.run", "--standalone", "--nproc-per-node=2", "-m"]
            subprocess.run(
                training_command(spec, *launcher), env=ENVIRONMENT, check=True, capture_output=True, timeout=DEADLINE
            )
        losses[processes] = TrainedModel.read(spec.output).validation_loss
    assert losses[2] == pytest.approx(losses[1], abs=1e-3)


def test_live_teachers_teach_beside_the_student(distilled: TrainingSpecification, tmp_path: Path) -> None:
    shorter = distilled.model.training.model_copy(update={"epochs": 1, "keep": "last"})
    spec = distilled.model_copy(
        update={
            "model": distilled.model.model_copy(update={"training": shorter}),
            "targets": None,
            "teachers": [distilled.output],
            "work": tmp_path,
        }
    )
    tracked: list[dict[str, float]] = []
    fit(spec, lambda metrics, step: tracked.append(metrics))
    losses = [metrics["train_kl"] for metrics in tracked if "train_kl" in metrics]
    assert 0 < losses[-1] < losses[0]


def test_a_registered_student_answers_a_prompt_of_the_command_line(
    distilled: TrainingSpecification, settings: Settings, tmp_path: Path
) -> None:
    trained = TrainedModel.read(distilled.output)
    payload = {"dataframe_records": [{"prompt": "The town of"}] * 2, "params": {"max_new_tokens": 5}}
    (tmp_path / "prompts.json").write_text(json.dumps(payload), encoding="utf-8")
    command = [sys.executable, "-m", "mlflow", "models", "predict", "--env-manager", "local"]
    command += ["--model-uri", f"models:/{trained.registered_model}/{trained.version}"]
    command += ["--input-path", str(tmp_path / "prompts.json"), "--output-path", str(tmp_path / "answers.json")]
    environment = ENVIRONMENT | {"MLFLOW_TRACKING_URI": settings.tracking_uri}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"  # mlflow starts "python"
    subprocess.run(command, env=environment, check=True, capture_output=True, timeout=DEADLINE)
    answers = json.loads((tmp_path / "answers.json").read_text(encoding="utf-8"))["predictions"]
    assert len(answers) == 2
    assert answers[0].startswith("The town of")
    assert len(answers[0]) > len("The town of")
    assert answers[0] == answers[1]  # seeded


def test_a_student_that_cannot_become_gguf_gets_a_sentence(
    distilled: TrainingSpecification, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BRITANNICA_DATA_DIR", settings.data_dir)
    for track, sentence in [(distilled.track, "only a Llama becomes"), ("nursery", "materialize the asset student")]:
        finished = CliRunner().invoke(app, ["export-gguf", track])
        assert (finished.exit_code, sentence in finished.output) == (1, True)


def test_a_model_whose_registration_was_cut_short_is_registered_once(
    corpus: Path, tmp_path: Path, settings: Settings
) -> None:
    training = Training(learning_rate=3e-3, batch_size=8, epochs=1, warmup_steps=2, weight_decay=0.1)
    spec = specification(
        corpus,
        tmp_path,
        settings,
        asset="teacher_gpt2",
        model=ModelConfiguration(architecture=SHAPE, training=training),
    )
    in_the_way = spec.output / "training.json"
    in_the_way.mkdir(parents=True)  # the version is there when this file is written
    with pytest.raises(IsADirectoryError):
        train(spec)
    in_the_way.rmdir()
    trained = train(spec)
    assert trained is not None
    # Dagster killed before it took the folder: the next materialization finds it.
    assert train(spec) == trained
    connect(settings)
    client = mlflow.MlflowClient()
    versions = client.search_model_versions(f"name = '{spec.registered_model}'")
    assert [int(version.version) for version in versions] == [trained.version]
    assert versions[0].run_id == trained.mlflow_run_id
    assert client.get_run(trained.mlflow_run_id).info.status == "FINISHED"


def test_a_training_ends_when_its_dagster_is_gone(distilled: TrainingSpecification, tmp_path: Path) -> None:
    endless = distilled.model.training.model_copy(update={"epochs": 10_000})
    spec = distilled.model_copy(
        update={"work": tmp_path, "model": distilled.model.model_copy(update={"training": endless})}
    )
    command = training_command(spec)
    with FileLock(spec.work / PARENT_LOCK):
        process = subprocess.Popen(command, env=ENVIRONMENT, stderr=subprocess.PIPE, text=True)
        deadline = time.monotonic() + DEADLINE
        while not (spec.checkpoints / "mlflow_run_id").exists():
            assert process.poll() is None, "the process ended while Dagster lived"
            assert time.monotonic() < deadline
            time.sleep(0.05)
    _, stderr = process.communicate(timeout=DEADLINE)
    assert process.returncode == 1
    assert "Dagster is gone" in stderr


def test_a_second_process_is_kept_off_the_same_training(tmp_path: Path) -> None:
    with (
        exclusive_lock(tmp_path / "training"),
        pytest.raises(LockedError, match=r"another process works in .*training.*: wait for it or stop"),
        exclusive_lock(tmp_path / "training", timeout=0),
    ):
        pass
