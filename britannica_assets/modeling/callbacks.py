"""The callbacks of a training: metrics, validation after each epoch, checkpoints by the clock."""

import logging
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import distributed
from transformers import PreTrainedModel, TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from britannica_assets.corpus.token_ids import TokenIds
from britannica_assets.modeling.averaging import WeightAverage
from britannica_assets.modeling.checkpoints import keep_if_best, write_manifest
from britannica_assets.modeling.datasets import TrainingDataset
from britannica_assets.modeling.device import peak_flops
from britannica_assets.modeling.models import training_flops
from britannica_assets.modeling.specification import TrainingSpecification
from britannica_assets.modeling.validation import validation_loss
from britannica_assets.shared_work import Store

logger = logging.getLogger(__name__)

LogMetrics = Callable[[dict[str, float], int], object]  # takes metrics and the step they belong to


def ignore_metrics(metrics: dict[str, float], step: int) -> None:
    """The `LogMetrics` of who wants none."""


class TrainingClock:
    """Seconds of training alone: validation pauses it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._started = clock()
        self._paused = 0.0

    def seconds(self) -> float:
        """Since this clock was made, without the pauses."""
        return self._clock() - self._started - self._paused

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Stands still in the block."""
        begun = self._clock()
        try:
            yield
        finally:
            self._paused += self._clock() - begun


def logged_steps(state: TrainerState) -> list[dict[str, float]]:
    """The entries of the Trainer's log that are of train steps, those before a resumption too."""
    return [entry for entry in state.log_history if "seconds" in entry]


class MetricsCallback(TrainerCallback):
    """Adds speed, utilization and the time left to what the Trainer logs, and passes all of it on."""

    def __init__(
        self,
        specification: TrainingSpecification,
        dataset: TrainingDataset,
        clock: TrainingClock,
        log_metrics: LogMetrics,
        dtype: torch.dtype,
    ) -> None:
        self.specification = specification
        self.dataset = dataset
        self.dtype = dtype
        self.clock = clock
        self.log_metrics = log_metrics
        self.tokens_per_step = specification.model.training.batch_size * dataset.length
        self.logged_step = 0
        self.logged_seconds = 0.0
        self.earlier_seconds = 0.0  # of training before a resumption

    def on_train_begin(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Measures from where training starts."""
        self.earlier_seconds = sum(entry["seconds"] for entry in logged_steps(state))
        self.logged_step = state.global_step
        self.logged_seconds = self.clock.seconds()

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        model: PreTrainedModel,
        logs: dict[str, float],
        **_: Any,
    ) -> None:
        """Completes the Trainer's own log entry, which its checkpoints keep, and passes the metrics on."""
        if "loss" not in logs:
            return
        steps = state.global_step - self.logged_step
        seconds = max(1e-9, self.clock.seconds() - self.logged_seconds)
        tokens_per_second = steps * self.tokens_per_step / seconds
        utilization = (
            training_flops(model, self.dataset.length) * tokens_per_second / (peak_flops(self.dtype) * args.world_size)
        )
        speed = {"tokens_per_second": tokens_per_second, "model_flops_utilization": utilization}
        state.log_history[-1] |= {"seconds": seconds, **speed}
        self.logged_step, self.logged_seconds = state.global_step, self.clock.seconds()
        if not state.is_world_process_zero:
            return
        seconds_left = (state.max_steps - state.global_step) * seconds / max(1, steps)
        metrics = {
            "train_loss": logs["loss"],
            "train_cross_entropy": logs["cross_entropy"],
            "learning_rate": logs["learning_rate"],
            "gradient_norm": logs["grad_norm"],
            "epoch": state.global_step / self.dataset.steps_per_epoch,
            "words_seen": self.dataset.words_seen(state.global_step),
            **speed,
            "seconds_left": seconds_left,
        }
        if self.specification.distillation is not None:
            metrics["train_kl"] = logs["kl"]
        self.log_metrics(metrics, state.global_step)
        logger.info(
            "%s: step %d of %d, loss %.4f, cross-entropy %.4f, %.0f tokens/s, %.1f %% of peak FLOP/s, %.0f s left",
            self.specification.asset,
            state.global_step,
            state.max_steps,
            logs["loss"],
            logs["cross_entropy"],
            tokens_per_second,
            100 * utilization,
            seconds_left,
        )


class ValidationCallback(TrainerCallback):
    """Validates after each epoch, and keeps the best weights where the configuration asks for them."""

    def __init__(
        self,
        specification: TrainingSpecification,
        dataset: TrainingDataset,
        validation: TokenIds,
        clock: TrainingClock,
        log_metrics: LogMetrics,
        dtype: torch.dtype,
        average: WeightAverage | None = None,
    ) -> None:
        self.specification = specification
        self.dataset = dataset
        self.dtype = dtype
        self.average = average
        self.validation = validation
        self.clock = clock
        self.log_metrics = log_metrics

    def on_step_end(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        model: PreTrainedModel,
        **_: Any,
    ) -> None:
        """Validates at the end of an epoch."""
        if state.global_step % self.dataset.steps_per_epoch:
            return
        model = model if self.average is None else self.average.model
        with self.clock.paused():
            loss = validation_loss(
                model,
                self.validation,
                length=self.dataset.length,
                batch_size=args.per_device_eval_batch_size,
                dtype=self.dtype,
                document_mask=self.dataset.document_mask,
            )
        if not state.is_world_process_zero:
            return
        epoch = state.global_step // self.dataset.steps_per_epoch
        self.log_metrics({"validation_loss": loss, "validation_perplexity": math.exp(loss)}, state.global_step)
        logger.info("%s: epoch %d, validation loss %.4f", self.specification.asset, epoch, loss)
        if self.specification.model.training.keep == "best":
            keep_if_best(model, self.specification.checkpoints, loss, state.global_step)


class CheckpointCallback(TrainerCallback):
    """Asks for a checkpoint when the last one is old, has it stored, and stops the training when its time is up."""

    def __init__(self, specification: TrainingSpecification, store: Store) -> None:
        self.specification = specification
        self.store = store
        self.stopped = False
        self.started = self.last_saved = time.monotonic()

    def on_train_begin(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Counts from where training starts."""
        self.started = self.last_saved = time.monotonic()

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Decides whether to save, and whether to stop."""
        now = time.monotonic()
        limit = self.specification.stop_after_seconds
        if _agree(limit is not None and now - self.started >= limit):
            self.stopped = state.global_step < state.max_steps
            control.should_save = control.should_training_stop = True
        if _agree(now - self.last_saved >= self.specification.checkpoint_seconds):
            control.should_save = True
            self.last_saved = now

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Makes the checkpoint complete, once every process has written its part."""
        if distributed.is_initialized():
            distributed.barrier()
        if state.is_world_process_zero:
            write_manifest(Path(str(args.output_dir)) / f"checkpoint-{state.global_step}")
            self.store()


def _agree(wanted: bool) -> bool:
    """The first process's answer, on all of them: their clocks differ, and a checkpoint is written together."""
    if not distributed.is_initialized():
        return wanted
    answer = [wanted]
    distributed.broadcast_object_list(answer, src=0)
    return answer[0]
