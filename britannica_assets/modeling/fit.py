"""Fits a model by its specification, without Dagster and MLflow: resumable, into a result or into a folder."""

import logging
import math
import os
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, PreTrainedModel, TrainingArguments, set_seed
from transformers.trainer_callback import PrinterCallback

from britannica_assets.corpus.token_ids import TokenIds
from britannica_assets.files import read_json, write_json
from britannica_assets.modeling.callbacks import (
    CheckpointCallback,
    LogMetrics,
    MetricsCallback,
    TrainingClock,
    ValidationCallback,
    logged_steps,
)
from britannica_assets.modeling.checkpoints import last_complete_checkpoint, load_best
from britannica_assets.modeling.datasets import TrainingDataset
from britannica_assets.modeling.device import best_device, explain_out_of_memory
from britannica_assets.modeling.models import build_model, defer_head
from britannica_assets.modeling.process import UnfinishedError, is_main_process
from britannica_assets.modeling.specification import TrainingSpecification
from britannica_assets.modeling.teacher_targets import TeacherTargets
from britannica_assets.modeling.trained_model import TrainingMetrics
from britannica_assets.modeling.trainer import LOGGING_STEPS, DistillationTrainer
from britannica_assets.modeling.validation import validation_loss

logger = logging.getLogger(__name__)

METRICS_FILE = "metrics.json"
SCHEMA_VERSION = 1


@dataclass(frozen=True)
class TrainingResult:
    """A trained model, its output layer still deferred, and what its training took.

    `seconds` and `history` are those of `TrainingMetrics`.
    """

    model: PreTrainedModel
    validation_loss: float
    steps: int
    seconds: float
    history: list[dict[str, float]]


def ignore_metrics(metrics: dict[str, float], step: int) -> None:
    """The `LogMetrics` of who wants none."""


def fit_to_folder(specification: TrainingSpecification, log_metrics: LogMetrics = ignore_metrics) -> TrainingMetrics:
    """Fits and stores model and tokenizer in `specification.output`, unless an earlier call did.

    Of several processes that train together the first one calls this, the others `fit`.

    Raises: see `fit`.
    """
    file = specification.checkpoints / METRICS_FILE
    if file.exists():
        return TrainingMetrics(**read_json(file, schema_version=SCHEMA_VERSION))
    result = fit(specification, log_metrics)
    result.model.save_pretrained(specification.output)
    for path in specification.tokenizer.iterdir():
        shutil.copy(path, specification.output)
    metrics = TrainingMetrics(
        parameters=result.model.num_parameters(),
        validation_loss=result.validation_loss,
        train_tokens=len(TokenIds.open(specification.token_ids, "train").ids),
        steps=result.steps,
        seconds=result.seconds,
        history=result.history,
    )
    write_json(file, asdict(metrics), schema_version=SCHEMA_VERSION)  # last: it says that the folder is complete
    return metrics


def fit(specification: TrainingSpecification, log_metrics: LogMetrics = ignore_metrics) -> TrainingResult:
    """Trains and validates, from the last complete checkpoint if there is one.

    Args:
        specification: the model, its data and its folder.
        log_metrics: gets the metrics of every few steps, and of each validation.

    Raises:
        NonFiniteLossError: the loss is not a finite number.
        OutOfMemoryError: a batch does not fit into the device's memory.
        UnfinishedError: `stop_after_seconds` were over; the same call goes on.
    """
    specification.checkpoints.mkdir(parents=True, exist_ok=True)
    validation = TokenIds.open(specification.token_ids, "validation")
    dataset = _training_dataset(specification)
    model = _new_model(specification, dataset.tokens.vocab_size)
    clock = TrainingClock()
    metrics = MetricsCallback(specification, dataset, clock, log_metrics)
    checkpoints = CheckpointCallback(specification)
    trainer = DistillationTrainer(
        specification,
        [AutoModelForCausalLM.from_pretrained(folder) for folder in specification.teachers],
        model=model,
        args=_training_arguments(specification, max_steps=dataset.steps_per_epoch * dataset.epochs),
        train_dataset=dataset,
        callbacks=[ValidationCallback(specification, dataset, validation, clock, log_metrics), checkpoints, metrics],
    )
    trainer.remove_callback(PrinterCallback)  # MetricsCallback logs the same
    _train(trainer, last_complete_checkpoint(specification.checkpoints, remove_incomplete=is_main_process()))
    seconds = metrics.earlier_seconds + clock.seconds()
    if checkpoints.stopped:
        raise UnfinishedError(
            f"{specification.asset}: stopped at step {trainer.state.global_step} of {trainer.state.max_steps}, at its"
            " time limit; the same call goes on"
        )
    trained = trainer.accelerator.unwrap_model(trainer.model)
    trainer.accelerator.wait_for_everyone()
    load_best(trained, specification.checkpoints)
    batch_size = trainer.args.per_device_eval_batch_size
    loss = validation_loss(trained, validation, length=specification.sequence_length, batch_size=batch_size)
    return TrainingResult(trained, loss, trainer.state.global_step, seconds, logged_steps(trainer.state))


def _train(trainer: DistillationTrainer, checkpoint: Path | None) -> None:
    if checkpoint is not None and is_main_process():
        logger.info("%s resumes from %s", trainer.specification.asset, checkpoint.name)
    batch = f"{trainer.specification.asset}: {trainer.args.per_device_train_batch_size} sequences"
    with explain_out_of_memory(batch, "training.device_batch_size"):
        trainer.train(resume_from_checkpoint=None if checkpoint is None else str(checkpoint))
        trainer.check_finite()


def _training_dataset(specification: TrainingSpecification) -> TrainingDataset:
    training = specification.model.training
    return TrainingDataset(
        TokenIds.open(specification.token_ids, "train"),
        specification.sequence_length,
        batch_size=training.batch_size,
        epochs=training.epochs,
        seed=specification.seed,
        across_articles=training.across_articles,
        targets=TeacherTargets.open(specification.targets) if specification.targets else None,
    )


def _new_model(specification: TrainingSpecification, vocab_size: int) -> PreTrainedModel:
    set_seed(specification.seed)
    model = build_model(
        specification.model.architecture, vocab_size=vocab_size, sequence_length=specification.sequence_length
    )
    return defer_head(model)


class _OneDeviceArguments(TrainingArguments):
    """Several GPUs are several processes, never torch's DataParallel."""

    @property
    def n_gpu(self) -> int:
        return min(int(super().n_gpu), 1)


def _training_arguments(specification: TrainingSpecification, *, max_steps: int) -> TrainingArguments:
    training = specification.model.training
    device = best_device().type
    on_gpu = device == "cuda"
    processes = int(os.environ.get("WORLD_SIZE", "1"))
    if training.batch_size % processes:
        raise ValueError(
            f"{specification.asset}: batch_size {training.batch_size} is not divisible by {processes} processes"
        )
    share = training.batch_size // processes
    device_batch = math.gcd(share, min(training.device_batch_size, share))
    return _OneDeviceArguments(
        output_dir=str(specification.checkpoints),
        per_device_train_batch_size=device_batch,
        per_device_eval_batch_size=device_batch,
        gradient_accumulation_steps=share // device_batch,
        train_sampling_strategy="sequential",  # the examples are in the order of training
        max_steps=max_steps,
        learning_rate=training.learning_rate,
        lr_scheduler_type="cosine",
        warmup_steps=training.warmup_steps,
        weight_decay=training.weight_decay,
        use_cpu=device == "cpu",
        bf16=on_gpu and torch.cuda.is_bf16_supported(),
        torch_compile=training.compile,
        dataloader_drop_last=True,
        dataloader_pin_memory=on_gpu,
        dataloader_num_workers=2 if on_gpu else 0,
        remove_unused_columns=False,
        save_strategy="no",  # CheckpointCallback asks for checkpoints
        save_total_limit=2,
        logging_steps=LOGGING_STEPS,
        logging_nan_inf_filter=False,
        ddp_find_unused_parameters=False,
        ddp_backend="gloo" if "RANK" in os.environ and not on_gpu else None,
        report_to="none",
        disable_tqdm=True,
        seed=specification.seed,
    )
