"""Words that a model has seen in training, repeats included, and BabyLM's checkpoints by them.

Below the model's folder lies a folder for each milestone that the training reached:

    chck_1M  chck_2M … chck_10M  chck_20M … chck_100M  chck_200M …

the number is that of million words seen, by white space. Each is what transformers loads by itself: `config.json`,
`model.safetensors` (bfloat16, whatever the training's precision) and the tokenizer. At 2 bytes a parameter and with 19
milestones up to 100 million words, they take 38 bytes a parameter at most. A folder is there whole or not at all.

MLflow gets the finished model without them, and they are no part of its data version: they follow from the same
training.
"""

import copy
import shutil
from pathlib import Path
from typing import Any

import torch
from transformers import PreTrainedModel, TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from britannica_assets.modeling.averaging import WeightAverage
from britannica_assets.modeling.datasets import TrainingDataset

MILLION = 1_000_000
PREFIX = "chck_"
SHORTFALL = 0.01  # an epoch drops the last incomplete batch: ten passes over 10M words are a little below 100M


def milestone(words: float) -> int:
    """The largest milestone of at most so many words: 0, or one digit that is not 0 and at least six zeros."""
    millions = int(words // MILLION)
    power: int = 10 ** (len(str(millions)) - 1)
    return millions // power * power * MILLION


def checkpoint_name(words: int) -> str:
    """The name of a milestone's folder, and of its revision on the Hub."""
    return f"{PREFIX}{words // MILLION}M"


def words_seen_checkpoints(model: Path) -> dict[int, Path]:
    """The folders below a model's, by the words seen, in their order; none for a training of under a million words."""
    names = {folder: folder.name.removeprefix(PREFIX).removesuffix("M") for folder in model.glob(f"{PREFIX}*M")}
    found = {int(number) * MILLION: folder for folder, number in names.items()}
    return dict(sorted(found.items()))


class WordsSeenCheckpoints(TrainerCallback):
    """Writes a folder, see above, after the step in which a milestone was reached."""

    def __init__(
        self, dataset: TrainingDataset, folder: Path, tokenizer: Path, average: WeightAverage | None = None
    ) -> None:
        self.dataset = dataset
        self.folder = folder
        self.tokenizer = tokenizer
        self.average = average

    def on_step_end(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        model: PreTrainedModel,
        **_: Any,
    ) -> None:
        """Decides whether the step reached a milestone."""
        step = state.global_step
        seen = self.dataset.words_seen(step)
        reached = milestone(seen * (1 + SHORTFALL) if step == state.max_steps else seen)
        if reached > milestone(self.dataset.words_seen(step - 1)) and state.is_world_process_zero:
            self._write(model if self.average is None else self.average.model, reached)

    def _write(self, model: PreTrainedModel, words: int) -> None:
        target = self.folder / checkpoint_name(words)
        temporary = self.folder / f".{target.name}.partial"
        shutil.rmtree(temporary, ignore_errors=True)
        stored = copy.deepcopy(model).to(dtype=torch.bfloat16)
        stored.config.use_cache = True
        stored.save_pretrained(temporary)
        for file in self.tokenizer.iterdir():
            shutil.copy(file, temporary)
        shutil.rmtree(target, ignore_errors=True)
        temporary.rename(target)
