"""transformers' Trainer with the distillation loss and the dataset's own order of examples."""

from collections.abc import Iterator
from typing import Any

import torch
from transformers import PreTrainedModel, Trainer

from britannica_assets.modeling.loss import (
    LossTerms,
    LossWeights,
    TargetDistribution,
    fused_loss,
    loss_from_logits,
    mean_logits,
)
from britannica_assets.modeling.models import defer_head, output_weight
from britannica_assets.modeling.optimizer import muon
from britannica_assets.modeling.specification import TrainingSpecification
from britannica_assets.special_tokens import IGNORE_INDEX

LOGGING_STEPS = 10


class NonFiniteLossError(RuntimeError):
    """The loss is not a finite number; the message names the step."""


class DistillationTrainer(Trainer):
    """Trains on cross-entropy, and on KL from the teachers where the specification distils.

    The model gives hidden states (`defer_head`); the loss forms logits of them a chunk at a time. Cross-entropy and KL
    are averaged over all positions of an optimizer step, however many devices and accumulated batches it is spread
    over, so that their number does not change the result.
    """

    def __init__(self, specification: TrainingSpecification, teachers: list[PreTrainedModel], **arguments: Any) -> None:
        super().__init__(**arguments)
        self.specification = specification
        self.teachers = [defer_head(teacher).to(self.args.device).eval() for teacher in teachers]
        self.model_accepts_loss_kwargs = True  # the loss is divided by the step's positions: Trainer divides no more
        self.unchecked: list[tuple[int, torch.Tensor]] = []  # (step, loss), checked together to spare the GPU a wait
        # CE, KL, positions since the last log
        self.loss_sums = torch.zeros(3, device=self.args.device, dtype=torch.float64)

    def create_optimizer(self, model: PreTrainedModel | None = None) -> torch.optim.Optimizer:
        """The configured optimizer."""
        training = self.specification.model.training
        if training.optimizer == "muon":
            self.optimizer: torch.optim.Optimizer | None = muon(model or self.model, training)
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
        weights = self._loss_weights(positions=float(num_items_in_batch))
        hidden = model(input_ids=inputs["input_ids"], use_cache=False).logits.flatten(0, 1)
        labels = inputs["labels"].flatten()
        head = output_weight(self.accelerator.unwrap_model(model))
        if self.teachers:
            terms = self._live_loss(hidden, head, labels, inputs["input_ids"], weights)
        else:
            targets = None
            if "target_ids" in inputs:
                targets = TargetDistribution(
                    *(inputs[f"target_{name}"].flatten(0, 1) for name in TargetDistribution._fields)
                )
            terms = fused_loss(hidden, head, labels, weights, targets=targets)
        self.loss_sums += torch.stack([terms.cross_entropy, terms.kl, (labels != IGNORE_INDEX).sum()])
        # Gradients are averaged over devices where their sum is wanted.
        return terms.loss * self.accelerator.num_processes

    def _loss_weights(self, *, positions: float) -> LossWeights:
        distillation = self.specification.distillation
        sequences = self.specification.model.training.batch_size
        if distillation is None:
            return LossWeights.of(
                alpha=1, temperature=1, kl_reduction="token_mean", positions=positions, sequences=sequences
            )
        return LossWeights.of(
            alpha=distillation.alpha,
            temperature=distillation.temperature,
            kl_reduction=distillation.kl_reduction,
            positions=positions,
            sequences=sequences,
        )

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
        """One batch forward and backward; keeps its loss to be checked."""
        loss: torch.Tensor = super().training_step(*arguments, **keywords)
        self.unchecked.append((self.state.global_step + 1, loss))
        if len(self.unchecked) >= LOGGING_STEPS:
            self.check_finite()
        return loss

    def check_finite(self) -> None:
        """Raises NonFiniteLossError for the first loss since the last check that is not a finite number."""
        losses, self.unchecked = self.unchecked, []
        if not losses or bool(torch.stack([loss for _, loss in losses]).isfinite().all()):
            return
        step, loss = next((step, loss) for step, loss in losses if not torch.isfinite(loss))
        raise NonFiniteLossError(
            f"{self.specification.asset}: the loss is {loss.item()} at step {step}; lower training.learning_rate in the"
            " configuration, or raise training.warmup_steps, and the training starts anew at step 0. Unchanged, it goes"
            " on from the last checkpoint"
        )

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Adds cross-entropy and KL in nats a token, over all devices since the last log, to what Trainer logs."""
        if "loss" in logs:
            self.check_finite()
            entropy, kl, positions = self.accelerator.reduce(self.loss_sums, "sum").tolist()
            self.loss_sums.zero_()
            logs |= {"cross_entropy": entropy / max(1, positions), "kl": kl / max(1, positions)}
        super().log(logs, start_time)

    def save_model(self, output_dir: str | None = None, _internal_call: bool = False) -> None:
        """Writes a checkpoint's weights, unless a loss since the last check is not a finite number."""
        self.check_finite()
        super().save_model(output_dir, _internal_call)
