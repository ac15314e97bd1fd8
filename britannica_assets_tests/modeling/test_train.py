"""Training as users start it: killed and resumed, on two processes, registered, served; and what bad input gets."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import get_args

import mlflow
import pytest
import torch
from filelock import FileLock
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoTokenizer

from britannica_assets.config import Architecture, ModelConfiguration, Training
from britannica_assets.corpus.token_ids import Split, TokenIds
from britannica_assets.modeling.datasets import IGNORE_INDEX, TrainingDataset
from britannica_assets.modeling.device import OutOfMemoryError
from britannica_assets.modeling.models import build_model
from britannica_assets.modeling.process import PARENT_LOCK, LockedError, exclusive_lock
from britannica_assets.modeling.registry import TrainedModel
from britannica_assets.modeling.specification import TrainingSpecification
from britannica_assets.modeling.teacher_targets import compute_targets
from britannica_assets.modeling.train import NonFiniteLossError, fit, train
from britannica_assets.settings import Settings
from britannica_assets.tracking import connect
from britannica_assets_tests.modeling.conftest import (
    DISTILLATION,
    LENGTH,
    SHAPE,
    VOCABULARY,
    memory_short,
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
ENVIRONMENT = os.environ | {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": "", "MLFLOW_DISABLE_TELEMETRY": "true"}


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """One store for the module: MLflow takes seconds to make an empty one."""
    return Settings(data_dir=str(tmp_path_factory.mktemp("data")), scale="demo", mlflow_tracking_uri=None)


@pytest.fixture(scope="module")
def distilled(corpus: Path, settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> TrainingSpecification:
    """A student trained undisturbed in this process, on the targets of an untrained teacher."""
    folder = tmp_path_factory.mktemp("distilled")
    torch.manual_seed(5)
    teacher = build_model(SHAPE, vocab_size=VOCABULARY, sequence_length=LENGTH).eval()
    (folder / "targets").mkdir()
    compute_targets(
        [teacher],
        TokenIds.open(corpus / "token_ids", "train"),
        folder / "targets",
        top_k=DISTILLATION.top_k,
        temperature=DISTILLATION.temperature,
        sequence_length=LENGTH,
        left_context=DISTILLATION.left_context,
        batch_size=8,
        shard_length=4096,
    )
    # Muon, which keeps AdamW's state beside its own: a resumed training must find both.
    training = Training(
        optimizer="muon", learning_rate=3e-3, batch_size=8, epochs=2, warmup_steps=2, weight_decay=0.1, keep="best"
    )
    told = specification(
        corpus,
        folder,
        settings,
        model=ModelConfiguration(architecture=DROPPING, training=training),
        distillation=DISTILLATION,
        targets=folder / "targets",
    )
    train(told)
    return told


def trained_in_a_process(told: TrainingSpecification, *launcher: str) -> list[str]:
    """The command that trains by a specification."""
    told.work.mkdir(parents=True, exist_ok=True)
    file = told.work / "specification.json"
    file.write_text(told.model_dump_json(), encoding="utf-8")
    return [sys.executable, "-m", *launcher, "britannica_assets.modeling.train", str(file)]


def test_the_model_is_stored_tracked_and_registered(distilled: TrainingSpecification, settings: Settings) -> None:
    trained = TrainedModel.read(distilled.output)
    model = AutoModelForCausalLM.from_pretrained(distilled.output)
    tokenizer = AutoTokenizer.from_pretrained(distilled.output)
    logits = model(**tokenizer("The town", return_tensors="pt")).logits
    assert logits.shape[-1] == VOCABULARY
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
    distilled: TrainingSpecification, tmp_path: Path, settings: Settings
) -> None:
    told = distilled.model_copy(update={"work": tmp_path / "work", "checkpoint_seconds": 0.0})
    command = trained_in_a_process(told)
    process = subprocess.Popen(command, env=ENVIRONMENT, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not list(told.checkpoints.glob("checkpoint-[1-9][0-9]/trainer_state.json")):
        assert process.poll() is None, "the process ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    run_id = (told.checkpoints / "mlflow_run_id").read_text(encoding="utf-8")
    # A kill may also come while a checkpoint is written.
    broken = told.checkpoints / "checkpoint-99999"
    broken.mkdir()
    (broken / "trainer_state.json").write_text('{"global_step": 9', encoding="utf-8")
    # The rest in this process: a checkpoint at each step would only take time.
    trained = train(told.model_copy(update={"checkpoint_seconds": 300.0}))
    assert trained is not None
    assert trained.mlflow_run_id == run_id
    undisturbed = load_file(distilled.output / "model.safetensors")
    resumed = load_file(told.output / "model.safetensors")
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
        told = specification(
            corpus,
            tmp_path / str(processes),
            settings,
            track="encyclopedia",
            model=ModelConfiguration(architecture=SHAPE, training=training),
        )
        if processes == 1:
            train(told)
        else:
            launcher = ["torch.distributed.run", "--standalone", "--nproc-per-node=2", "-m"]
            subprocess.run(
                trained_in_a_process(told, *launcher), env=ENVIRONMENT, check=True, capture_output=True, timeout=120
            )
        losses[processes] = TrainedModel.read(told.output).validation_loss
    assert losses[2] == pytest.approx(losses[1], abs=1e-3)


def test_live_teachers_teach_beside_the_student(distilled: TrainingSpecification, tmp_path: Path) -> None:
    shorter = distilled.model.training.model_copy(update={"epochs": 1, "keep": "last"})
    told = distilled.model_copy(
        update={
            "model": distilled.model.model_copy(update={"training": shorter}),
            "targets": None,
            "teachers": [distilled.output],
            "work": tmp_path,
        }
    )
    tracked: list[dict[str, float]] = []
    tokens = [TokenIds.open(told.token_ids, split) for split in get_args(Split)]
    fit(told, tokens[0], tokens[1], lambda metrics, step: tracked.append(metrics))
    divergences = [metrics["train_kl"] for metrics in tracked if "train_kl" in metrics]
    assert 0 < divergences[-1] < divergences[0]


def test_a_registered_student_answers_a_prompt_of_the_command_line(
    distilled: TrainingSpecification, settings: Settings, tmp_path: Path
) -> None:
    trained = TrainedModel.read(distilled.output)
    asked = {"dataframe_records": [{"prompt": "The town of"}] * 2, "params": {"max_new_tokens": 5}}
    (tmp_path / "prompts.json").write_text(json.dumps(asked), encoding="utf-8")
    command = [sys.executable, "-m", "mlflow", "models", "predict", "--env-manager", "local"]
    command += ["--model-uri", f"models:/{trained.registered_model}/{trained.version}"]
    command += ["--input-path", str(tmp_path / "prompts.json"), "--output-path", str(tmp_path / "answers.json")]
    environment = ENVIRONMENT | {"MLFLOW_TRACKING_URI": settings.tracking_uri}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"  # mlflow starts "python"
    subprocess.run(command, env=environment, check=True, capture_output=True, timeout=120)
    answers = json.loads((tmp_path / "answers.json").read_text(encoding="utf-8"))["predictions"]
    assert len(answers) == 2
    assert answers[0].startswith("The town of")
    assert len(answers[0]) > len("The town of")
    assert answers[0] == answers[1]  # seeded


def test_a_model_whose_registration_was_cut_short_is_registered_once(
    corpus: Path, tmp_path: Path, settings: Settings
) -> None:
    training = Training(learning_rate=3e-3, batch_size=8, epochs=1, warmup_steps=2, weight_decay=0.1)
    told = specification(
        corpus,
        tmp_path,
        settings,
        asset="teacher_gpt2",
        model=ModelConfiguration(architecture=SHAPE, training=training),
    )
    in_the_way = told.output / "training.json"
    in_the_way.mkdir(parents=True)  # the version is there when this file is written
    with pytest.raises(IsADirectoryError):
        train(told)
    in_the_way.rmdir()
    trained = train(told)
    assert trained is not None
    # Dagster killed before it took the folder: the next materialization finds it.
    assert train(told) == trained
    connect(settings)
    client = mlflow.MlflowClient()
    versions = client.search_model_versions(f"name = '{told.registered_model}'")
    assert [int(version.version) for version in versions] == [trained.version]
    assert versions[0].run_id == trained.mlflow_run_id
    assert client.get_run(trained.mlflow_run_id).info.status == "FINISHED"


def test_a_training_ends_when_its_dagster_is_gone(distilled: TrainingSpecification, tmp_path: Path) -> None:
    endless = distilled.model.training.model_copy(update={"epochs": 10_000})
    told = distilled.model_copy(
        update={"work": tmp_path, "model": distilled.model.model_copy(update={"training": endless})}
    )
    command = trained_in_a_process(told)
    with FileLock(told.work / PARENT_LOCK):
        process = subprocess.Popen(command, env=ENVIRONMENT, stderr=subprocess.PIPE, text=True)
        deadline = time.monotonic() + 60
        while not (told.checkpoints / "mlflow_run_id").exists():
            assert process.poll() is None, "the process ended while Dagster lived"
            assert time.monotonic() < deadline
            time.sleep(0.05)
    _, said = process.communicate(timeout=20)
    assert process.returncode == 1
    assert "Dagster is gone" in said


def test_a_second_process_is_kept_off_the_same_training(
    corpus: Path, tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("britannica_assets.modeling.process.PATIENCE", 0.1)
    told = specification(corpus, tmp_path, settings)
    with (
        exclusive_lock(told.checkpoints),
        pytest.raises(LockedError, match=r"another process works in .*: wait for it or stop"),
    ):
        train(told)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the limit on a process's memory is not enforced")
def test_a_batch_too_large_for_the_memory_names_the_key_to_lower(
    corpus: Path, train_tokens: TokenIds, tmp_path: Path, settings: Settings
) -> None:
    wide = SHAPE.model_copy(update={"intermediate_size": 2**18})
    training = Training(learning_rate=3e-3, batch_size=64, epochs=1, warmup_steps=2, weight_decay=0.1)
    told = specification(corpus, tmp_path, settings, model=ModelConfiguration(architecture=wide, training=training))
    with (
        memory_short(),
        pytest.raises(OutOfMemoryError, match=r"student: 64 sequences do not fit .*: lower training\.device_batch"),
    ):
        fit(told, train_tokens, train_tokens)


def test_a_loss_that_is_no_number_stops_with_its_step(corpus: Path, tmp_path: Path, settings: Settings) -> None:
    training = Training(learning_rate=1e30, batch_size=8, epochs=2, warmup_steps=0, weight_decay=0)
    told = specification(corpus, tmp_path, settings, model=ModelConfiguration(architecture=SHAPE, training=training))
    with pytest.raises(NonFiniteLossError, match=r"student: the loss is (nan|inf) at step [1-9]\d*; lower .*rate"):
        train(told)
    run_id = (told.checkpoints / "mlflow_run_id").read_text(encoding="utf-8")
    connect(settings)
    assert mlflow.get_run(run_id).info.status == "FAILED"


def test_chunks_cover_the_text_anew_each_epoch_and_never_ask_for_the_next_article(train_tokens: TokenIds) -> None:
    chunks = TrainingDataset(train_tokens, LENGTH, batch_size=4, epochs=2, seed=1)
    again = TrainingDataset(train_tokens, LENGTH, batch_size=4, epochs=2, seed=1)
    first = [chunks[place]["input_ids"] for place in range(chunks.chunks_per_epoch)]
    second = [chunks[place + chunks.chunks_per_epoch]["input_ids"] for place in range(chunks.chunks_per_epoch)]
    torch.testing.assert_close(again[chunks.chunks_per_epoch]["input_ids"], second[0])
    assert {tuple(chunk.tolist()) for chunk in first} != {tuple(chunk.tolist()) for chunk in second}
    assert len(first) * LENGTH > 0.9 * len(train_tokens.ids)
    for place in range(len(chunks)):
        example = chunks[place]
        ends = example["input_ids"] == 2
        assert bool((example["labels"][ends] == IGNORE_INDEX).all())
        assert bool((example["labels"][~ends][:-1] == example["input_ids"][1:][~ends[:-1]]).all())
    with pytest.raises(ValueError, match="too few for a batch of 10000 chunks"):
        TrainingDataset(train_tokens, LENGTH, batch_size=10_000, epochs=1, seed=1)


def test_the_digest_changes_with_what_decides_the_result(corpus: Path, tmp_path: Path, settings: Settings) -> None:
    told = specification(corpus, tmp_path, settings)
    assert told.model_copy(update={"dagster_run_id": "another"}).digest == told.digest
    assert told.model_copy(update={"seed": 2}).digest != told.digest
    assert json.loads(told.model_dump_json())["asset"] == "student"
