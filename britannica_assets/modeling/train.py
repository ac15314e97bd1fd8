"""Trains one model in a process of its own: `python -m britannica_assets.modeling.train SPECIFICATION.json`.

Started by an asset through Dagster Pipes, or by hand; plain, or under `accelerate launch` on several devices. Stopped
or killed, the same specification goes on from the last whole checkpoint, in the same MLflow run.
"""

import json
import logging
import math
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import distributed
from torch.utils.data import Subset
from transformers import (
    AutoModelForCausalLM,
    PreTrainedModel,
    Trainer,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
    set_seed,
)
from transformers.trainer_callback import PrinterCallback

from britannica_assets.corpus.token_ids import TokenIds
from britannica_assets.files import atomic_write
from britannica_assets.modeling.datasets import IGNORE_INDEX, TrainingDataset, ValidationDataset
from britannica_assets.modeling.device import best_device, explain_out_of_memory, peak_flops
from britannica_assets.modeling.loss import (
    LossTerms,
    LossWeights,
    TargetDistribution,
    fused_loss,
    loss_from_logits,
    mean_logits,
)
from britannica_assets.modeling.models import (
    DeferredHead,
    build_model,
    defer_head,
    output_weight,
    training_flops,
)
from britannica_assets.modeling.optimizer import muon
from britannica_assets.modeling.process import (
    EXIT_UNFINISHED,
    UnfinishedError,
    exclusive_lock,
    exit_with_parent,
    pipes_logging,
)
from britannica_assets.modeling.registry import DESCRIPTION, TrainedModel, TrainingMetrics, register
from britannica_assets.modeling.specification import TrainingSpecification
from britannica_assets.modeling.teacher_targets import TeacherTargets
from britannica_assets.settings import Settings
from britannica_assets.tracking import DataSet, Origin, tracked_run

logger = logging.getLogger("britannica_assets.modeling.train")

LOG_EVERY = 10  # steps
BEST = "best"
METRICS_FILE = "metrics.json"

Track = Callable[[dict[str, float], int], object]  # takes metrics and the step they belong to


class NonFiniteLossError(RuntimeError):
    """The loss is not a finite number; the message names the step."""


class LanguageModelTrainer(Trainer):
    """transformers' Trainer with the project's loss and its own order of examples.

    The model gives hidden states (`defer_head`); the loss forms logits of them a chunk at a time. Cross-entropy and
    divergence are averaged over all positions of an optimizer step, however many devices and accumulated batches it
    is spread over, so that their number does not change the result.
    """

    def __init__(self, specification: TrainingSpecification, teachers: list[PreTrainedModel], **arguments: Any) -> None:
        super().__init__(**arguments)
        self.specification = specification
        self.teachers = [defer_head(teacher).to(self.args.device).eval() for teacher in teachers]
        self.model_accepts_loss_kwargs = True  # the loss is divided by the step's positions: Trainer divides no more
        self.losses: list[tuple[int, torch.Tensor]] = []  # (step, loss) not yet looked at, to spare the GPU a wait
        self.terms = torch.zeros(
            3, device=self.args.device, dtype=torch.float64
        )  # CE, KL, positions since the last log

    def create_optimizer(self, model: PreTrainedModel | None = None) -> torch.optim.Optimizer:
        """The configured optimizer."""
        training = self.specification.model.training
        if training.optimizer == "muon":
            self.optimizer: torch.optim.Optimizer | None = muon(
                model or self.model, learning_rate=training.learning_rate, weight_decay=training.weight_decay
            )
        optimizer: torch.optim.Optimizer = super().create_optimizer(model)
        return optimizer

    def get_batch_samples(self, epoch_iterator: Iterator[Any], num_batches: int, device: torch.device) -> Any:
        """The batches of one optimizer step, and the number of their labels over all devices."""
        samples, _ = super().get_batch_samples(epoch_iterator, num_batches, device)
        positions = torch.tensor(sum(int((batch["labels"] != IGNORE_INDEX).sum()) for batch in samples), device=device)
        return samples, self.accelerator.reduce(positions, "sum")

    def compute_loss(
        self,
        model: PreTrainedModel,
        inputs: dict[str, torch.Tensor],
        return_outputs: bool = False,
        num_items_in_batch: torch.Tensor | None = None,
    ) -> Any:
        """This batch's share of the loss of its optimizer step, see `loss.py`."""
        if num_items_in_batch is None or return_outputs:
            raise NotImplementedError("validation does not go through Trainer")
        distillation = self.specification.distillation
        weights = LossWeights.of(
            alpha=distillation.alpha if distillation else 1,
            temperature=distillation.temperature if distillation else 1,
            kl_reduction=distillation.kl_reduction if distillation else "token_mean",
            positions=float(num_items_in_batch),
            sequences=self.specification.model.training.batch_size,
        )
        hidden = model(input_ids=inputs["input_ids"], use_cache=False).logits.flatten(0, 1)
        labels = inputs["labels"].flatten()
        head = output_weight(self.accelerator.unwrap_model(model))
        if self.teachers:
            terms = self._live_loss(hidden, head, labels, inputs["input_ids"], weights)
        else:
            targets = None
            if "target_ids" in inputs:
                targets = TargetDistribution(
                    inputs["target_ids"].flatten(0, 1), inputs["target_probabilities"].flatten(0, 1)
                )
            terms = fused_loss(hidden, head, labels, weights, targets=targets)
        self.terms += torch.stack([terms.cross_entropy, terms.divergence, (labels != IGNORE_INDEX).sum()])
        # Gradients are averaged over devices where their sum is wanted.
        return terms.loss * self.accelerator.num_processes

    def _live_loss(
        self,
        hidden: torch.Tensor,
        head: torch.Tensor,
        labels: torch.Tensor,
        input_ids: torch.Tensor,
        weights: LossWeights,
    ) -> LossTerms:
        with torch.no_grad():
            states = [teacher(input_ids=input_ids, use_cache=False).logits.flatten(0, 1) for teacher in self.teachers]
            teacher_logits = mean_logits(states, [output_weight(teacher) for teacher in self.teachers])
        return loss_from_logits(hidden @ head.to(hidden.dtype).T, labels, weights, teacher_logits=teacher_logits)

    def training_step(self, *arguments: Any, **keywords: Any) -> torch.Tensor:
        """One batch forward and backward; keeps its loss to be looked at."""
        loss: torch.Tensor = super().training_step(*arguments, **keywords)
        self.losses.append((self.state.global_step + 1, loss))
        if len(self.losses) >= LOG_EVERY:
            self.check_finite()
        return loss

    def check_finite(self) -> None:
        """Raises NonFiniteLossError for the first loss since the last look that is not a finite number."""
        losses, self.losses = self.losses, []
        if not losses or bool(torch.stack([loss for _, loss in losses]).isfinite().all()):
            return
        step, loss = next((step, loss) for step, loss in losses if not torch.isfinite(loss))
        raise NonFiniteLossError(
            f"{self.specification.asset}: the loss is {loss.item()} at step {step}; lower training.learning_rate in the"
            " configuration, or raise training.warmup_steps. The last checkpoint is kept"
        )

    def _save_checkpoint(self, *arguments: Any, **keywords: Any) -> None:
        self.check_finite()
        super()._save_checkpoint(*arguments, **keywords)

    def mean_terms(self) -> tuple[float, float]:
        """Cross-entropy and divergence in nats a token, over all devices, since the last call."""
        entropy, divergence, positions = self.accelerator.reduce(self.terms, "sum").tolist()
        self.terms.zero_()
        return entropy / max(1, positions), divergence / max(1, positions)


class Progress(TrainerCallback):
    """Logs and tracks the training: loss, tokens a second, time left; validates each epoch; saves by the clock."""

    def __init__(
        self, specification: TrainingSpecification, chunks: TrainingDataset, validation: TokenIds, track: Track
    ) -> None:
        self.specification = specification
        self.track = track
        self.chunks = chunks
        self.validation = validation
        self.trainer: LanguageModelTrainer | None = None
        self.tokens_a_step = specification.model.training.batch_size * chunks.length
        self.logged_step = 0
        self.started = self.last_saved = self.last_logged = time.monotonic()
        self.validation_seconds = self.earlier_seconds = 0.0
        self.stopped = False

    def on_train_begin(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Starts the clock where training starts."""
        self.earlier_seconds = sum(entry["seconds"] for entry in logged(state))
        self.logged_step = state.global_step
        self.started = self.last_saved = self.last_logged = time.monotonic()

    def on_step_end(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        model: PreTrainedModel,
        **_: Any,
    ) -> None:
        """Validates after each epoch; asks for a checkpoint when the last one is old, or time is up."""
        if state.global_step % self.chunks.steps_per_epoch == 0:
            self._validate(args, state, model)
        now = time.monotonic()
        limit = self.specification.stop_after_seconds
        if self._agreed(limit is not None and now - self.started >= limit):
            self.stopped = state.global_step < state.max_steps
            control.should_save = control.should_training_stop = True
        if self._agreed(now - self.last_saved >= self.specification.checkpoint_seconds):
            control.should_save = True
            self.last_saved = now

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        model: PreTrainedModel,
        logs: dict[str, float],
        **_: Any,
    ) -> None:
        """Passes the Trainer's figures on, with the speed since the last time."""
        if "loss" not in logs or self.trainer is None:
            return
        self.trainer.check_finite()
        entropy, divergence = self.trainer.mean_terms()
        now = time.monotonic()
        steps = state.global_step - self.logged_step
        seconds = max(1e-9, now - self.last_logged)
        speed = steps * self.tokens_a_step / seconds
        seconds_left = (state.max_steps - state.global_step) * seconds / max(1, steps)
        utilization = training_flops(model, self.chunks.length) * speed / (peak_flops() * args.world_size)
        self.last_logged, self.logged_step = now, state.global_step
        # The Trainer's own entry, which its checkpoints keep.
        state.log_history[-1] |= {
            "cross_entropy": entropy,
            "seconds": seconds,
            "tokens_per_second": speed,
            "model_flops_utilization": utilization,
        }
        if not state.is_world_process_zero:
            return
        metrics = {
            "train_loss": logs["loss"],
            "train_cross_entropy": entropy,
            "learning_rate": logs["learning_rate"],
            "gradient_norm": logs["grad_norm"],
            "epoch": state.global_step / self.chunks.steps_per_epoch,
            "tokens_per_second": speed,
            "model_flops_utilization": utilization,
            "seconds_left": seconds_left,
        }
        if self.specification.distillation is not None:
            metrics["train_kl"] = divergence
        self.track(metrics, state.global_step)
        logger.info(
            "%s: step %d of %d, loss %.4f, %.0f tokens/s, %.1f %% of the device's peak, %.0f s left",
            self.specification.asset,
            state.global_step,
            state.max_steps,
            logs["loss"],
            speed,
            100 * utilization,
            seconds_left,
        )

    def _validate(self, args: TrainingArguments, state: TrainerState, model: PreTrainedModel) -> None:
        begun = time.monotonic()
        loss = validation_loss(model, self.validation, length=self.chunks.length, batch_size=args.eval_batch_size)
        seconds = time.monotonic() - begun
        self.last_logged += seconds
        self.validation_seconds += seconds
        if not state.is_world_process_zero:
            return
        epoch = state.global_step // self.chunks.steps_per_epoch
        self.track({"validation_loss": loss, "validation_perplexity": math.exp(loss)}, state.global_step)
        logger.info("%s: epoch %d, validation loss %.4f", self.specification.asset, epoch, loss)
        if self.specification.model.training.keep == "best":
            keep_if_best(model, self.specification.checkpoints, loss, state.global_step)

    @staticmethod
    def _agreed(wanted: bool) -> bool:
        """The first process's answer, on all of them: their clocks differ, and a checkpoint is written together."""
        if not distributed.is_initialized():
            return wanted
        answer = [wanted]
        distributed.broadcast_object_list(answer, src=0)
        return answer[0]


def logged(state: TrainerState) -> list[dict[str, float]]:
    """The entries of the Trainer's log that tell of train steps, those before a resumption too."""
    return [entry for entry in state.log_history if "seconds" in entry]


def keep_if_best(model: PreTrainedModel, folder: Path, loss: float, step: int) -> None:
    """Writes the model's weights below `folder` if no earlier step validated better."""
    best = folder / BEST
    figures = best / "best.json"
    if figures.exists():
        known = json.loads(figures.read_text(encoding="utf-8"))
        if known["step"] != step and known["validation_loss"] <= loss:
            return
    temporary = folder / f".{BEST}.partial"
    shutil.rmtree(temporary, ignore_errors=True)
    model.save_pretrained(temporary)
    (beside / "best.json").write_text(json.dumps({"step": step, "validation_loss": loss}), encoding="utf-8")
    shutil.rmtree(best, ignore_errors=True)
    temporary.rename(best)


@torch.inference_mode()
def validation_loss(model: PreTrainedModel, tokens: TokenIds, *, length: int, batch_size: int) -> float:
    """Mean negative log-likelihood in nats a token over the text in chunks of `length` tokens, shared by all processes.

    Logits exist for one chunk at a time where the model's output layer is deferred, see `defer_head`.
    """
    training = model.training
    model.eval()
    deferred = isinstance(model.get_output_embeddings(), DeferredHead)
    rank, processes = (distributed.get_rank(), distributed.get_world_size()) if distributed.is_initialized() else (0, 1)
    chunks = ValidationDataset(tokens, length)
    own = Subset(chunks, range(rank, len(chunks), processes))
    total = torch.zeros(2, dtype=torch.float64, device="cpu" if model.device.type == "mps" else model.device)
    sums = LossWeights(cross_entropy=1, divergence=0, temperature=1)
    mixed = torch.autocast("cuda", dtype=torch.bfloat16) if model.device.type == "cuda" else nullcontext()
    for batch in torch.utils.data.DataLoader(own, batch_size=batch_size):
        labels = batch["labels"].flatten().to(model.device)
        with mixed:
            outputs = model(input_ids=batch["input_ids"].to(model.device), use_cache=False).logits.flatten(0, 1)
            terms = [
                loss_from_logits(part @ output_weight(model).to(part.dtype).T if deferred else part, expected, sums)
                for part, expected in zip(outputs.split(length), labels.split(length), strict=True)
            ]
        total += torch.stack(
            [
                torch.stack([term.cross_entropy for term in terms]).double().sum(),
                (labels != IGNORE_INDEX).sum().double(),
            ]
        ).to(total.device)
    if processes > 1:
        distributed.all_reduce(total)
    model.train(training)
    return float(total[0] / total[1])


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


def fit(
    specification: TrainingSpecification,
    train_tokens: TokenIds,
    validation_tokens: TokenIds,
    track: Track = lambda metrics, step: None,
) -> TrainingResult:
    """Trains and validates, from the last whole checkpoint if there is one; `track` is told the metrics of each step.

    Raises: see `train`.
    """
    first = int(os.environ.get("RANK", "0")) == 0
    specification.checkpoints.mkdir(parents=True, exist_ok=True)
    trainer, progress = _trainer(specification, train_tokens, validation_tokens, track)
    last = _last_whole_checkpoint(specification.checkpoints, remove_broken=first)
    if last is not None and first:
        logger.info("%s goes on from %s", specification.asset, last.name)
    started = time.monotonic()
    _run(trainer, last)
    seconds = progress.earlier_seconds + time.monotonic() - started - progress.validation_seconds
    if progress.stopped:
        raise UnfinishedError(
            f"{specification.asset}: stopped at step {trainer.state.global_step} of {trainer.state.max_steps} as told;"
            " the same call goes on"
        )
    model = trainer.accelerator.unwrap_model(trainer.model)
    trainer.accelerator.wait_for_everyone()
    best = specification.checkpoints / BEST
    if best.exists():
        model.load_state_dict(load_file(best / "model.safetensors"), strict=False)  # tied weights are stored once
        model.tie_weights()
    loss = validation_loss(
        model, validation_tokens, length=specification.sequence_length, batch_size=trainer.args.eval_batch_size
    )
    return TrainingResult(model, loss, trainer.state.global_step, seconds, logged(trainer.state))


def train(specification: TrainingSpecification) -> TrainedModel | None:
    """Trains, validates, writes the model's folder, logs it to MLflow and registers it.

    Where several processes train together the first does all but the training itself; the others return None.

    Raises:
        NonFiniteLossError: the loss is not a finite number.
        OutOfMemoryError: a batch does not fit into the device's memory.
        UnfinishedError: `stop_after_seconds` were over; the same call goes on.
        LockedError: another process trains the same.
    """
    settings = Settings(**specification.settings)
    train_tokens = TokenIds.open(specification.token_ids, "train")
    validation_tokens = TokenIds.open(specification.token_ids, "validation")
    if int(os.environ.get("RANK", "0")) > 0:
        if not (specification.checkpoints / FIGURES).exists():
            fit(specification, train_tokens, validation_tokens)
        return None
    specification.checkpoints.mkdir(parents=True, exist_ok=True)
    with exclusive_lock(specification.checkpoints):
        if (specification.output / DESCRIPTION).is_file():
            logger.info("%s: trained and registered before, by a process whose result was lost", specification.asset)
        else:
            with _tracked(settings, specification, train_tokens, validation_tokens) as run:
                figures = _fitted_figures(specification, train_tokens, validation_tokens)
                register(settings, specification, figures, run_id=run.info.run_id)
        for path in specification.checkpoints.iterdir():
            if path.is_file():
                path.unlink()
            elif path != specification.output:
                shutil.rmtree(path)
    return TrainedModel.read(specification.output)


def _fitted_figures(
    specification: TrainingSpecification, train_tokens: TokenIds, validation_tokens: TokenIds
) -> TrainingMetrics:
    """Trains and stores the model in its folder, unless a process that was killed while it registered the model did."""
    import mlflow

    file = specification.checkpoints / FIGURES
    if file.exists():
        return TrainingMetrics(**json.loads(file.read_text(encoding="utf-8")))
    fitted = fit(
        specification, train_tokens, validation_tokens, lambda metrics, step: mlflow.log_metrics(metrics, step=step)
    )
    fitted.model.save_pretrained(specification.output)
    for path in specification.tokenizer.iterdir():
        shutil.copy(path, specification.output)
    figures = TrainingMetrics(
        parameters=fitted.model.num_parameters(),
        validation_loss=fitted.validation_loss,
        train_tokens=len(train_tokens.ids),
        steps=fitted.steps,
        seconds=fitted.seconds,
        history=fitted.history,
    )
    with atomic_write(file) as temporary:  # last: it says that the folder is whole
        temporary.write_text(json.dumps(asdict(figures)), encoding="utf-8")
    return figures


def _run(trainer: LanguageModelTrainer, checkpoint: Path | None) -> None:
    batch = f"{trainer.specification.asset}: {trainer.args.per_device_train_batch_size} sequences"
    with explain_out_of_memory(batch, "training.device_batch_size"):
        trainer.train(resume_from_checkpoint=None if checkpoint is None else str(checkpoint))
        trainer.check_finite()


@contextmanager
def _tracked(
    settings: Settings, specification: TrainingSpecification, train_tokens: TokenIds, validation_tokens: TokenIds
) -> Iterator[Any]:
    """The training's MLflow run: a new one, or that which a killed process left."""
    run_file = specification.checkpoints / "mlflow_run_id"
    with tracked_run(
        settings,
        Origin(specification.asset, specification.track, specification.dagster_run_id),
        name=f"{specification.asset} {specification.track} {specification.scale}",
        parameters={
            "scale": specification.scale,
            "seed": specification.seed,
            "sequence_length": specification.sequence_length,
            **specification.model.model_dump(),
            **({"distillation": specification.distillation.model_dump()} if specification.distillation else {}),
        },
        data_sets=[
            DataSet("train", str(specification.token_ids), train_tokens.digest, "training"),
            DataSet("validation", str(specification.token_ids), validation_tokens.digest, "validation"),
        ],
        run_id=run_file.read_text(encoding="utf-8") if run_file.exists() else None,
    ) as run:
        with atomic_write(run_file) as temporary:
            temporary.write_text(run.info.run_id, encoding="utf-8")
        yield run


def _trainer(
    specification: TrainingSpecification, train_tokens: TokenIds, validation_tokens: TokenIds, track: Track
) -> tuple[LanguageModelTrainer, Progress]:
    training = specification.model.training
    chunks = TrainingDataset(
        train_tokens,
        specification.sequence_length,
        batch_size=training.batch_size,
        epochs=training.epochs,
        seed=specification.seed,
        across_articles=training.across_articles,
        targets=TeacherTargets.open(specification.targets) if specification.targets else None,
    )
    set_seed(specification.seed)
    model = build_model(
        specification.model.architecture,
        vocab_size=train_tokens.vocab_size,
        sequence_length=specification.sequence_length,
    )
    device = best_device().type
    on_gpu = device == "cuda"
    processes = int(os.environ.get("WORLD_SIZE", "1"))
    if training.batch_size % processes:
        raise ValueError(
            f"{specification.asset}: batch_size {training.batch_size} is not divisible by {processes} processes"
        )
    share = training.batch_size // processes
    device_batch = math.gcd(share, min(training.device_batch_size, share))
    arguments = TrainingArguments(
        output_dir=str(specification.checkpoints),
        per_device_train_batch_size=device_batch,
        per_device_eval_batch_size=device_batch,
        gradient_accumulation_steps=share // device_batch,
        train_sampling_strategy="sequential",  # the examples are in the order of training
        max_steps=chunks.steps_per_epoch * training.epochs,
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
        save_strategy="no",  # Progress asks for checkpoints by the clock
        save_total_limit=2,
        logging_steps=LOG_EVERY,
        logging_nan_inf_filter=False,
        ddp_find_unused_parameters=False,
        ddp_backend="gloo" if "RANK" in os.environ and not on_gpu else None,
        report_to="none",
        disable_tqdm=True,
        seed=specification.seed,
    )
    arguments._n_gpu = min(arguments._n_gpu, 1)  # several GPUs are several processes, never torch's DataParallel
    progress = Progress(specification, chunks, validation_tokens, track)
    trainer = LanguageModelTrainer(
        specification,
        [AutoModelForCausalLM.from_pretrained(folder) for folder in specification.teachers],
        model=defer_head(model),
        args=arguments,
        train_dataset=chunks,
        callbacks=[progress],
    )
    progress.trainer = trainer
    trainer.remove_callback(PrinterCallback)  # Progress tells the same
    return trainer, progress


def _last_whole_checkpoint(folder: Path, *, remove_broken: bool) -> Path | None:
    """The latest checkpoint whose last-written file is whole; those that a kill cut short are removed."""
    found = sorted(folder.glob("checkpoint-*"), key=lambda path: int(path.name.rpartition("-")[2]), reverse=True)
    for checkpoint in found:
        try:
            json.loads((checkpoint / "trainer_state.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            if remove_broken:
                shutil.rmtree(checkpoint)
            continue
        return checkpoint
    return None


def main(path: Path) -> None:
    """Trains by the specification in `path`, reporting to Dagster where Dagster started this process."""
    specification = TrainingSpecification.model_validate_json(path.read_text(encoding="utf-8"))
    exit_with_parent(path.parent)
    with pipes_logging():
        try:
            train(specification)
        except UnfinishedError as stopped:
            logger.info("%s", stopped)
            sys.exit(EXIT_UNFINISHED)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
