"""Exponential moving average of the weights (Polyak and Juditsky 1992, as Karras et al. 2024 use it)."""

import copy
from pathlib import Path
from typing import Any

import torch
from transformers import PreTrainedModel, TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from britannica_assets.modeling.models import load_weights

FOLDER = "averaged"


class WeightAverage(TrainerCallback):
    """Follows the weights after each step, and is kept with every checkpoint.

    Until the average has seen enough steps it follows faster: the decay of step t is min(decay, (1 + t) / (10 + t)), so
    that the initial weights do not linger in it.
    """

    def __init__(self, model: PreTrainedModel, decay: float, checkpoint: Path | None) -> None:
        self.decay = decay
        self.model: PreTrainedModel = copy.deepcopy(model).requires_grad_(False)
        if checkpoint is not None:
            load_weights(self.model, checkpoint / FOLDER / "model.safetensors")

    @torch.no_grad()
    def on_step_end(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        model: PreTrainedModel,
        **_: Any,
    ) -> None:
        """Moves the average towards the new weights."""
        self.model.to(model.device)
        decay = min(self.decay, (1 + state.global_step) / (10 + state.global_step))
        for average, weight in zip(self.model.parameters(), model.parameters(), strict=True):
            average.lerp_(weight, 1 - decay)

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Writes the average into the checkpoint that was just made."""
        if state.is_world_process_zero:
            self.model.save_pretrained(Path(str(args.output_dir)) / f"checkpoint-{state.global_step}" / FOLDER)
