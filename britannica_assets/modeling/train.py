"""Trains one model in a process of its own: `python -m britannica_assets.modeling.train SPECIFICATION.json`.

Started by an asset through Dagster Pipes, or by hand. Stopped or killed, the same specification goes on from the last
whole checkpoint, in the same MLflow run.
"""

import json
import logging
import math
import os
import shutil
import sys
import time
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import torch
from transformers import (
    PreTrainedModel,
    Trainer,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
    set_seed,
)
from transformers.trainer_callback import PrinterCallback
from transformers.utils.logging import disable_progress_bar

from britannica_assets.corpus.token_ids import TokenIds
from britannica_assets.modeling.architectures import build_model
from britannica_assets.modeling.chunks import IGNORED, TrainingChunks, ValidationChunks
from britannica_assets.modeling.loss import cross_entropy, distillation_loss
from britannica_assets.modeling.registry import TrainedModel, register
from britannica_assets.modeling.specification import TrainingSpecification
from britannica_assets.modeling.targets import TeacherTargets
from britannica_assets.settings import Settings
from britannica_assets.tracking import DataSet, Origin, tracked_run

logger = logging.getLogger("britannica_assets.modeling.train")

LOG_EVERY = 10  # steps
# Peak dense bf16 FLOP/s by the makers' data sheets, for the share of it that training reaches.
PEAK_FLOPS = {"H200": 989e12, "H100": 989e12, "A100": 312e12, "L40S": 362e12, "RTX 4090": 165e12}


class NonFiniteLossError(RuntimeError):
    """The loss is not a finite number; the message names the step."""


class OutOfMemoryError(RuntimeError):
    """The device's memory does not hold a batch; the message names the key to lower."""


class LanguageModelTrainer(Trainer):
    """transformers' Trainer with the project's loss: cross-entropy, or distillation where examples carry targets."""

    def __init__(self, specification: TrainingSpecification, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.specification = specification
        self.model_accepts_loss_kwargs = False  # the loss is a mean already; Trainer divides by accumulation steps

    def compute_loss(
        self,
        model: PreTrainedModel,
        inputs: dict[str, torch.Tensor],
        return_outputs: bool = False,
        num_items_in_batch: torch.Tensor | None = None,
    ) -> Any:
        """The loss of one batch, see `loss.py`."""
        outputs = model(input_ids=inputs["input_ids"])
        distillation = self.specification.distillation
        if distillation is None or "target_ids" not in inputs:
            loss = cross_entropy(outputs.logits, inputs["labels"])
        else:
            loss = distillation_loss(
                outputs.logits,
                inputs["labels"],
                inputs["target_ids"],
                inputs["target_log_probs"],
                alpha=distillation.alpha,
                temperature=distillation.temperature,
                kl_reduction=distillation.kl_reduction,
            )
        if not torch.isfinite(loss):
            raise NonFiniteLossError(
                f"{self.specification.asset}: the loss is {loss.item()} at step {self.state.global_step + 1}; lower"
                " learning_rate in the configuration. The last checkpoint is kept"
            )
        return (loss, outputs) if return_outputs else loss


class Progress(TrainerCallback):
    """Logs and tracks the training: loss, tokens a second, time left; validates each epoch; saves by the clock."""

    def __init__(self, specification: TrainingSpecification, chunks: TrainingChunks, validation: TokenIds) -> None:
        self.specification = specification
        self.chunks = chunks
        self.validation = validation
        self.last_saved = self.last_logged = time.monotonic()
        self.logged_step = 0

    def on_train_begin(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Starts the clock where training starts."""
        self.logged_step = state.global_step
        self.last_saved = self.last_logged = time.monotonic()

    def on_epoch_begin(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Cuts the text anew."""
        self.chunks.set_epoch(int(state.epoch or 0))

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Asks for a checkpoint when the last one is old."""
        if time.monotonic() - self.last_saved >= self.specification.checkpoint_seconds:
            control.should_save = True
            self.last_saved = time.monotonic()

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
        if "loss" not in logs:
            return
        import mlflow

        now = time.monotonic()
        steps = state.global_step - self.logged_step
        tokens = steps * self.specification.model.training.batch_size * self.chunks.length
        speed = tokens / max(1e-9, now - self.last_logged)
        seconds_left = (state.max_steps - state.global_step) * (now - self.last_logged) / max(1, steps)
        self.last_logged, self.logged_step = now, state.global_step
        metrics = {
            "train_loss": logs["loss"],
            "learning_rate": logs["learning_rate"],
            "gradient_norm": logs["grad_norm"],
            "tokens_per_second": speed,
        }
        peak = peak_flops()
        if peak is not None:
            metrics["model_flops_utilization"] = 6 * model.num_parameters() * speed / peak
        mlflow.log_metrics(metrics, step=state.global_step)
        logger.info(
            "%s: step %d of %d, loss %.4f, %.0f tokens/s, %.0f s left",
            self.specification.asset,
            state.global_step,
            state.max_steps,
            logs["loss"],
            speed,
            seconds_left,
        )

    def on_epoch_end(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        model: PreTrainedModel,
        **_: Any,
    ) -> None:
        """Validates."""
        import mlflow

        loss = validation_loss(model, self.validation, length=self.chunks.length, batch_size=args.eval_batch_size)
        mlflow.log_metrics({"validation_loss": loss, "validation_perplexity": math.exp(loss)}, step=state.global_step)
        logger.info("%s: epoch %.0f, validation loss %.4f", self.specification.asset, state.epoch or 0, loss)


def peak_flops() -> float | None:
    """The GPU's peak bf16 FLOP/s, None where it is not known."""
    if not torch.cuda.is_available():
        return None
    name = torch.cuda.get_device_name()
    return next((peak for part, peak in PEAK_FLOPS.items() if part in name), None)


@torch.inference_mode()
def validation_loss(model: PreTrainedModel, tokens: TokenIds, *, length: int, batch_size: int) -> float:
    """Mean negative log-likelihood in nats a token over the text in chunks of `length` tokens."""
    training = model.training
    model.eval()
    total, counted = 0.0, 0
    for batch in torch.utils.data.DataLoader(ValidationChunks(tokens, length), batch_size=batch_size):
        labels = batch["labels"].to(model.device)
        positions = int((labels != IGNORED).sum())
        logits = model(input_ids=batch["input_ids"].to(model.device)).logits
        total += float(cross_entropy(logits, labels)) * positions
        counted += positions
    model.train(training)
    return total / counted


def train(specification: TrainingSpecification) -> TrainedModel:
    """Trains, validates, writes the model's folder, logs it to MLflow and registers it.

    Raises:
        NonFiniteLossError: the loss is not a finite number.
        OutOfMemoryError: a batch does not fit into the device's memory.
    """
    settings = Settings(**specification.settings)
    train_tokens = TokenIds.open(specification.token_ids, "train")
    validation_tokens = TokenIds.open(specification.token_ids, "validation")
    checkpoints = specification.checkpoints
    checkpoints.mkdir(parents=True, exist_ok=True)
    run_file = checkpoints / "mlflow_run_id"
    run_id = run_file.read_text() if run_file.exists() else None
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
        run_id=run_id,
    ) as run:
        run_file.write_text(run.info.run_id)
        trainer = _trainer(specification, train_tokens, validation_tokens)
        last = _last_whole_checkpoint(checkpoints)
        if last is not None:
            logger.info("%s goes on from %s", specification.asset, last.name)
        started = time.monotonic()
        try:
            trainer.train(resume_from_checkpoint=None if last is None else str(last))
        except torch.OutOfMemoryError as error:
            raise OutOfMemoryError(
                f"{specification.asset}: a batch of {trainer.args.per_device_train_batch_size} sequences does not fit"
                " into the device's memory: lower training.device_batch_size in the configuration"
            ) from error
        seconds = time.monotonic() - started
        model = trainer.model
        loss = validation_loss(
            model, validation_tokens, length=specification.sequence_length, batch_size=trainer.args.eval_batch_size
        )
        model.save_pretrained(specification.output)
        for file in specification.tokenizer.iterdir():
            shutil.copy(file, specification.output)
        trained = register(
            settings,
            specification,
            run_id=run.info.run_id,
            parameters=model.num_parameters(),
            validation_loss=loss,
            train_tokens=len(train_tokens.ids),
            steps=trainer.state.global_step,
            seconds=seconds,
            history=trainer.state.log_history,
        )
    shutil.rmtree(checkpoints)
    return trained


def _trainer(
    specification: TrainingSpecification, train_tokens: TokenIds, validation_tokens: TokenIds
) -> LanguageModelTrainer:
    training = specification.model.training
    targets = TeacherTargets.open(specification.targets) if specification.targets else None
    chunks = TrainingChunks(train_tokens, specification.sequence_length, seed=specification.seed, targets=targets)
    set_seed(specification.seed)
    model = build_model(
        specification.model.architecture,
        vocabulary_size=train_tokens.vocabulary_size,
        sequence_length=specification.sequence_length,
    )
    on_gpu = torch.cuda.is_available()
    device_batch = math.gcd(training.batch_size, min(training.device_batch_size, training.batch_size))
    arguments = TrainingArguments(
        output_dir=str(specification.checkpoints),
        per_device_train_batch_size=device_batch,
        per_device_eval_batch_size=device_batch,
        gradient_accumulation_steps=training.batch_size // device_batch,
        num_train_epochs=training.epochs,
        learning_rate=training.learning_rate,
        lr_scheduler_type="cosine",
        warmup_steps=training.warmup_steps,
        weight_decay=training.weight_decay,
        bf16=on_gpu and torch.cuda.is_bf16_supported(),
        dataloader_drop_last=True,
        dataloader_pin_memory=on_gpu,
        remove_unused_columns=False,
        save_strategy="no",  # Progress asks for checkpoints by the clock
        save_total_limit=2,
        logging_steps=LOG_EVERY,
        report_to="none",
        disable_tqdm=True,
        seed=specification.seed,
    )
    trainer = LanguageModelTrainer(
        specification,
        model=model,
        args=arguments,
        train_dataset=chunks,
        callbacks=[Progress(specification, chunks, validation_tokens)],
    )
    trainer.remove_callback(PrinterCallback)  # Progress tells the same
    return trainer


def _last_whole_checkpoint(folder: Path) -> Path | None:
    """The latest checkpoint whose last-written file is whole; those that a kill cut short are removed."""
    found = sorted(folder.glob("checkpoint-*"), key=lambda path: int(path.name.rpartition("-")[2]), reverse=True)
    for checkpoint in found:
        try:
            json.loads((checkpoint / "trainer_state.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            shutil.rmtree(checkpoint)
            continue
        return checkpoint
    return None


def main(path: Path) -> None:
    """Trains by the specification in `path`, reporting to Dagster where Dagster started this process."""
    specification = TrainingSpecification.model_validate_json(path.read_text(encoding="utf-8"))
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(message)s", stream=sys.stderr)
    logging.getLogger("britannica_assets").setLevel(logging.INFO)
    disable_progress_bar()  # Progress tells more
    os.environ["MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR"] = "false"
    if "DAGSTER_PIPES_CONTEXT" in os.environ:
        from dagster_pipes import open_dagster_pipes

        session: Any = open_dagster_pipes()
    else:
        session = nullcontext()
    with session as pipes:
        if pipes is not None:
            # Dagster's own handler sends each line to the UI; printing it too would tell it twice.
            logging.getLogger("britannica_assets").handlers = list(pipes.log.handlers)
            logging.getLogger("britannica_assets").propagate = False
        train(specification)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
