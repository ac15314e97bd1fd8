"""transformers' Trainer with the distillation loss and the dataset's own order of examples."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

import torch
from transformers import PreTrainedModel, Trainer

from britannica_assets.modeling.datasets import StepLabels, TrainingDataset, model_inputs
from britannica_assets.modeling.device import autocast
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

LOGGING_STEPS = 10


class NonFiniteLossError(RuntimeError):
    """The loss is not a finite number; the message names the step."""


class DistillationTrainer(Trainer):
    """Trains on cross-entropy, and on KL from the teachers where the specification distils.

    The model gives hidden states (`defer_head`); the loss forms logits of them a chunk at a time. Cross-entropy and KL
    are averaged over all positions of an optimizer step, however many devices and accumulated batches it is spread
    over, so that their number does not change the result. Model and loss run in the autocast of `dtype`: accelerate's
    own would give the loss hidden states in float32. A step does not wait for the device: what is looked at is
    collected for `LOGGING_STEPS`.
    """

    def __init__(
        self,
        specification: TrainingSpecification,
        teachers: list[PreTrainedModel],
        *,
        train_dataset: TrainingDataset,
        dtype: torch.dtype,
        **arguments: Any,
    ) -> None:
        super().__init__(train_dataset=train_dataset, **arguments)
        self.specification = specification
        self.dtype = dtype
        self.examples = train_dataset
        self.teachers = [defer_head(teacher).to(self.args.device).eval() for teacher in teachers]
        self.model_accepts_loss_kwargs = True  # the loss is divided by the step's positions: Trainer divides no more
        self.unchecked: list[tuple[int, torch.Tensor]] = []  # (step, loss), checked together to spare the GPU a wait
        self.unlogged: list[torch.Tensor] = []  # float32 [2], CE and KL summed over a batch of this device
        self.unlogged_positions = 0  # of all devices

    def create_optimizer(self, model: PreTrainedModel | None = None) -> torch.optim.Optimizer:
        """The configured optimizer."""
        training = self.specification.model.training
        if training.optimizer == "muon":
            self.optimizer: torch.optim.Optimizer | None = muon(model or self.model, training)
        optimizer: torch.optim.Optimizer = super().create_optimizer(model)
        return optimizer

    def get_batch_samples(self, epoch_iterator: Iterator[Any], num_batches: int, device: torch.device) -> Any:
        """The batches of one optimizer step, and their labels over all devices, counted on the CPU."""
        labels = self.examples.labels_in_step(self.state.global_step)
        self.unlogged_positions += labels.causal
        return list(islice(epoch_iterator, num_batches)), labels

    def compute_loss(
        self,
        model: PreTrainedModel,
        inputs: dict[str, torch.Tensor],
        return_outputs: bool = False,
        num_items_in_batch: StepLabels | None = None,
    ) -> Any:
        """This batch's share of the loss of its optimizer step, see `loss.py`."""
        if num_items_in_batch is None or return_outputs:
            raise NotImplementedError("validation does not go through Trainer")
        weights = self._loss_weights(num_items_in_batch)
        head = output_weight(self.accelerator.unwrap_model(model))
        with autocast(self.args.device, self.dtype):
            hidden = model(**model_inputs(inputs), use_cache=False).logits.flatten(0, 1)
            if self.teachers:
                terms = self._live_loss(hidden, head, inputs, weights)
            else:
                terms = fused_loss(
                    hidden,
                    head,
                    inputs["labels"].flatten(),
                    weights,
                    targets=_targets(inputs),
                    masked=_masked(inputs),
                )
        self.unlogged.append(torch.stack([terms.cross_entropy, terms.kl]))
        # Gradients are averaged over devices where their sum is wanted.
        return terms.loss * self.accelerator.num_processes

    def _loss_weights(self, labels: StepLabels) -> LossWeights:
        distillation = self.specification.distillation
        return LossWeights.of(
            alpha=distillation.alpha if distillation else 1,
            temperature=distillation.temperature if distillation else 1,
            kl_reduction=distillation.kl_reduction if distillation else "token_mean",
            positions=labels.causal,
            sequences=self.specification.model.training.batch_size,
            masked_positions=labels.masked,
            masked_share=labels.masked_share,
        )

    def _live_loss(
        self,
        hidden: torch.Tensor,
        head: torch.Tensor,
        inputs: dict[str, torch.Tensor],
        weights: LossWeights,
    ) -> LossTerms:
        with torch.no_grad():
            read = model_inputs(inputs)
            states = [teacher(**read, use_cache=False).logits.flatten(0, 1) for teacher in self.teachers]
            teacher_logits = mean_logits(states, [output_weight(teacher) for teacher in self.teachers])
        labels = inputs["labels"].flatten()
        logits = hidden @ head.to(hidden.dtype).T
        return loss_from_logits(logits, labels, weights, teacher_logits=teacher_logits, masked=_masked(inputs))

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
        """Adds cross-entropy and KL to what Trainer logs: nats a token of causal sequences, over all devices."""
        if "loss" in logs:
            self.check_finite()
            sums = self.accelerator.reduce(torch.stack(self.unlogged).sum(0), "sum").tolist()
            entropy, kl = (value / max(1, self.unlogged_positions) for value in sums)
            self.unlogged, self.unlogged_positions = [], 0
            logs |= {"cross_entropy": entropy, "kl": kl}
        super().log(logs, start_time)

    def save_model(self, output_dir: str | None = None, _internal_call: bool = False) -> None:
        """Writes a checkpoint's weights, unless a loss since the last check is not a finite number."""
        self.check_finite()
        super().save_model(output_dir, _internal_call)


def _masked(inputs: dict[str, torch.Tensor]) -> torch.Tensor | None:
    """Whether each position of a batch is of a masked sequence, bool [n], where any may be."""
    if "masked" not in inputs:
        return None
    return inputs["masked"].repeat_interleave(inputs["labels"].shape[-1])


def _targets(inputs: dict[str, torch.Tensor]) -> TargetDistribution | None:
    """The teachers' stored predictions of a batch, where it has any."""
    if "target_ids" not in inputs:
        return None
    return TargetDistribution(*(inputs[f"target_{name}"].flatten(0, 1) for name in TargetDistribution._fields))
