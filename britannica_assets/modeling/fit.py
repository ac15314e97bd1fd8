"""Fits a model by its specification, without Dagster and MLflow: resumable, into a result or into a folder."""

import logging
import math
import os
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from safetensors import safe_open
from transformers import PreTrainedModel, TrainingArguments, set_seed
from transformers.trainer_callback import PrinterCallback

from britannica_assets.corpus.token_ids import TokenIds
from britannica_assets.files import read_json, write_json
from britannica_assets.modeling.averaging import WeightAverage
from britannica_assets.modeling.callbacks import (
    CheckpointCallback,
    LogMetrics,
    MetricsCallback,
    TrainingClock,
    ValidationCallback,
    ignore_metrics,
    logged_steps,
)
from britannica_assets.modeling.checkpoints import last_complete_checkpoint, load_best
from britannica_assets.modeling.datasets import TrainingDataset
from britannica_assets.modeling.device import (
    best_device,
    explain_out_of_memory,
    should_compile,
    training_dtype,
    use_tensor_cores,
)
from britannica_assets.modeling.garbage_collection import log_differences, write_identity
from britannica_assets.modeling.models import build_model, check_complete, defer_head, load_trained, training_flops
from britannica_assets.modeling.process import UnfinishedError, is_main_process
from britannica_assets.modeling.saved_model import save_model
from britannica_assets.modeling.specification import TrainingSpecification
from britannica_assets.modeling.teacher_targets import TeacherTargets
from britannica_assets.modeling.trained_model import TrainingMetrics
from britannica_assets.modeling.trainer import LOGGING_STEPS, DistillationTrainer
from britannica_assets.modeling.validation import validation_loss
from britannica_assets.modeling.words_seen import WordsSeenCheckpoints
from britannica_assets.shared_work import Store, store_nothing

logger = logging.getLogger(__name__)

METRICS_FILE = "metrics.json"
SCHEMA_VERSION = 2


@dataclass(frozen=True)
class TrainingResult:
    """A trained model, its output layer still deferred, and what its training took.

    `words_seen`, `seconds` and `history` are those of `TrainingMetrics`.
    """

    model: PreTrainedModel
    validation_loss: float
    words_seen: int
    steps: int
    seconds: float
    history: list[dict[str, float]]


def fit_to_folder(
    specification: TrainingSpecification,
    log_metrics: LogMetrics = ignore_metrics,
    store: Store = store_nothing,
) -> TrainingMetrics:
    """Fits and stores the model in `specification.output`, see `save_model`, unless an earlier call did.

    Of several processes that train together the first one calls this, the others `fit`.

    Raises: see `fit`.
    """
    file = specification.checkpoints / METRICS_FILE
    if file.exists():
        return TrainingMetrics(**read_json(file, schema_version=SCHEMA_VERSION))
    result = fit(specification, log_metrics, store)
    metrics = TrainingMetrics(
        parameters=result.model.num_parameters(),
        validation_loss=result.validation_loss,
        train_tokens=len(TokenIds.open(specification.token_ids, "train").ids),
        words_seen=result.words_seen,
        steps=result.steps,
        seconds=result.seconds,
        history=result.history,
    )
    save_model(result.model, specification, metrics)
    write_json(file, asdict(metrics), schema_version=SCHEMA_VERSION)  # last: it says that the folder is complete
    store()
    return metrics


def fit(
    specification: TrainingSpecification,
    log_metrics: LogMetrics = ignore_metrics,
    store: Store = store_nothing,
) -> TrainingResult:
    """Trains and validates, from the last complete checkpoint if there is one.

    Args:
        specification: the model, its data and its folder.
        log_metrics: gets the metrics of every few steps, and of each validation.
        store: called after each complete checkpoint.

    Raises:
        NonFiniteLossError: the loss is not a finite number.
        OutOfMemoryError: a batch does not fit into the device's memory.
        UnfinishedError: `stop_after_seconds` were over; the same call goes on.
        BrokenCheckpointError: the weights of the best epoch are damaged.
    """
    checkpoint = _checkpoint_to_go_on_from(specification)
    validation = TokenIds.open(specification.token_ids, "validation")
    dataset = _training_dataset(specification)
    model = _new_model(specification, dataset.tokens.vocab_size)
    dtype, compiled = _precision_and_compilation(specification, model, dataset)
    clock = TrainingClock()
    metrics = MetricsCallback(specification, dataset, clock, log_metrics, dtype)
    checkpoints = CheckpointCallback(specification, store)
    decay = specification.model.training.ema_decay
    average = WeightAverage(model, decay, checkpoint) if decay else None
    callbacks = [
        *([average] if average is not None else []),  # first: the others take its weights
        ValidationCallback(specification, dataset, validation, clock, log_metrics, dtype, average),
        checkpoints,
        metrics,
    ]
    if specification.keeps_words_seen_checkpoints:
        callbacks.append(WordsSeenCheckpoints(dataset, specification.output, specification.tokenizer, average))
    trainer = DistillationTrainer(
        specification,
        [load_trained(folder) for folder in specification.teachers],
        model=model,
        args=_training_arguments(specification, max_steps=dataset.steps_per_epoch * dataset.epochs, compiled=compiled),
        train_dataset=dataset,
        dtype=dtype,
        callbacks=callbacks,
    )
    trainer.remove_callback(PrinterCallback)  # MetricsCallback logs the same
    _train(trainer, checkpoint)
    seconds = metrics.earlier_seconds + clock.seconds()
    if checkpoints.stopped:
        raise UnfinishedError(
            f"{specification.asset}: stopped at step {trainer.state.global_step} of {trainer.state.max_steps}, at its"
            " time limit; the same call goes on"
        )
    trained = trainer.accelerator.unwrap_model(trainer.model) if average is None else average.model
    trainer.accelerator.wait_for_everyone()
    load_best(trained, specification.checkpoints)
    loss = validation_loss(
        trained,
        validation,
        length=specification.sequence_length,
        batch_size=trainer.args.per_device_eval_batch_size,
        dtype=dtype,
        document_mask=dataset.document_mask,
    )
    return TrainingResult(
        model=trained,
        validation_loss=loss,
        words_seen=round(dataset.words_seen(trainer.state.global_step)),
        steps=trainer.state.global_step,
        seconds=seconds,
        history=logged_steps(trainer.state),
    )


def _precision_and_compilation(
    specification: TrainingSpecification, model: PreTrainedModel, dataset: TrainingDataset
) -> tuple[torch.dtype, bool]:
    """The type of the matrix products, and whether the model is compiled, as device and configuration have it."""
    device, training = best_device(), specification.model.training
    use_tensor_cores(device)
    dtype = training_dtype(device, training.precision)
    flops = training_flops(model, dataset.length) * dataset.length * len(dataset)
    compiled = should_compile(device, flops, wanted=training.compile)
    if is_main_process():
        logger.info(
            "%s: %s, %s, %s",
            specification.asset,
            device.type,
            str(dtype).removeprefix("torch."),
            "compiled" if compiled else "not compiled",
        )
    return dtype, compiled


def _checkpoint_to_go_on_from(specification: TrainingSpecification) -> Path | None:
    folder = specification.checkpoints
    folder.mkdir(parents=True, exist_ok=True)
    checkpoint = last_complete_checkpoint(folder, remove_broken=is_main_process())
    if is_main_process():
        if checkpoint is None:
            log_differences(folder, specification.identity)
        write_identity(folder, specification.identity)
    return checkpoint


def _train(trainer: DistillationTrainer, checkpoint: Path | None) -> None:
    if checkpoint is not None:
        if is_main_process():
            logger.info("%s resumes from %s", trainer.specification.asset, checkpoint.name)
        # Trainer itself would go on with whatever the file lacks.
        with safe_open(checkpoint / "model.safetensors", framework="pt") as weights:
            stored, own = set(weights.keys()), set(trainer.model.state_dict())
        check_complete(trainer.model, checkpoint, missing=own - stored, unexpected=stored - own)
    batch = f"{trainer.specification.asset}: {trainer.args.per_device_train_batch_size} sequences"
    with explain_out_of_memory(batch, "training.device_batch_size"):
        trainer.train(resume_from_checkpoint=None if checkpoint is None else str(checkpoint))
        trainer.check_finite()


def _training_dataset(specification: TrainingSpecification) -> TrainingDataset:
    training = specification.model.training
    targets = TeacherTargets.open(specification.targets) if specification.targets else None
    wanted = specification.distillation.temperature if specification.distillation else None
    if targets is not None and wanted not in (None, targets.temperature):
        raise ValueError(
            f"{specification.asset}: the targets in {specification.targets} were softened by the temperature"
            f" {targets.temperature}, and the student would learn at {wanted}: materialize teacher_targets with"
            f" `temperature: {wanted}` first, or set `live_teachers: true`"
        )
    return TrainingDataset(
        TokenIds.open(specification.token_ids, "train"),
        specification.sequence_length,
        batch_size=training.batch_size,
        epochs=training.epochs,
        seed=specification.seed,
        across_articles=training.across_articles,
        document_mask=training.document_mask,
        masked_share=training.masked_share,
        mask_probability=(training.mask_probability_start, training.mask_probability_end),
        targets=targets,
    )


def _new_model(specification: TrainingSpecification, vocab_size: int) -> PreTrainedModel:
    set_seed(specification.seed)
    model = build_model(
        specification.model.architecture, vocab_size=vocab_size, sequence_length=specification.sequence_length
    )
    if specification.model.training.masked_share:
        # transformers' Llama never trains the vector of `<pad>`, which stands for hidden tokens here.
        model.get_input_embeddings().padding_idx = None
    return defer_head(model)


class _OneDeviceArguments(TrainingArguments):
    """Several GPUs are several processes, never torch's DataParallel."""

    @property
    def n_gpu(self) -> int:
        return min(int(super().n_gpu), 1)


def _training_arguments(specification: TrainingSpecification, *, max_steps: int, compiled: bool) -> TrainingArguments:
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
        adam_beta1=training.adam_beta1,
        adam_beta2=training.adam_beta2,
        max_grad_norm=training.max_grad_norm,
        use_cpu=device == "cpu",
        torch_compile=compiled,
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
