"""Token ids → training examples: sequences of one length, cut and shuffled anew in each epoch."""

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch.utils.data import Dataset

from britannica_assets.corpus.token_ids import TokenIds
from britannica_assets.special_tokens import BOS_ID, EOS_ID, IGNORE_INDEX, PAD_ID

if TYPE_CHECKING:
    from britannica_assets.modeling.teacher_targets import TeacherTargets


MASK_STREAM = 1  # tells random numbers of masks from those of the order


class StepLabels(NamedTuple):
    """The labels that count in an optimizer step, over all devices: those of causal and those of masked sequences.

    `masked_share` is that of the step's sequences, 0 to 1.
    """

    causal: int
    masked: int
    masked_share: float


class TrainingDataset(Dataset[dict[str, torch.Tensor]]):
    """The examples of a whole training in their order: `epochs` passes over the text in sequences of `length` tokens.

    Where an epoch's first sequence begins and in which order its sequences come is drawn from seed and epoch alone, so
    that an example is the same however often training was stopped, and on however many devices it runs.

    An example is `input_ids` and `labels`, int64 [length]; labels are the next tokens, and IGNORE_INDEX where the next
    token begins another article (unless `across_articles`). With `document_mask` also `position_ids`, int64 [length],
    counted from the article's beginning, or the sequence's. With `targets` also the teachers' `target_ids`,
    `target_probabilities` and `target_entropy`, the fields of a `TargetDistribution` of `length` positions.

    With `masked_share` an example also has `masked`, bool []: such a sequence learns masked next-token prediction
    (GPT-BERT, Charpentier and Samuel 2024). `<pad>` stands for a share of its tokens, which falls evenly from the first
    to the second `mask_probability`, and the labels that count are the tokens so replaced, each at the position before.

    Raises:
        ValueError: the text is shorter than one batch of sequences; the message names the keys to change.
    """

    def __init__(
        self,
        tokens: TokenIds,
        length: int,
        *,
        batch_size: int,
        epochs: int,
        seed: int,
        across_articles: bool = False,
        document_mask: bool = False,
        masked_share: float = 0,
        mask_probability: tuple[float, float] = (0.3, 0.15),
        targets: "TeacherTargets | None" = None,
    ) -> None:
        self.steps_per_epoch = ((len(tokens.ids) - 1) // length - 1) // batch_size
        if self.steps_per_epoch < 1:
            raise ValueError(
                f"{len(tokens.ids)} train tokens are too few for a batch of {batch_size} sequences of {length}: raise"
                " the track's train_words, or lower batch_size or sequence_length"
            )
        self.tokens = tokens
        self.length = length
        self.seed = seed
        self.across_articles = across_articles
        self.document_mask = document_mask
        self.masked_share = masked_share
        self.mask_probability = mask_probability
        self.targets = targets
        self.sequences_per_epoch = self.steps_per_epoch * batch_size
        self.epochs = epochs
        self._epoch = -1
        self._starts: npt.NDArray[np.int64] = np.empty(0, dtype=np.int64)

    def __len__(self) -> int:
        return self.sequences_per_epoch * self.epochs

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        epoch, place = divmod(index, self.sequences_per_epoch)
        begin = int(self._starts_of(epoch)[place])
        window = torch.from_numpy(self.tokens.ids[begin : begin + self.length + 1].astype(np.int64))
        labels = window[1:].clone()
        if not self.across_articles:
            labels[labels == BOS_ID] = IGNORE_INDEX
        example = {"input_ids": window[:-1], "labels": labels}
        if self.masked_share:
            example["masked"] = torch.tensor(self._is_masked(index))
            if example["masked"]:
                replaced = torch.from_numpy(self._replaced(index, window[1:].numpy()))
                labels[~replaced] = IGNORE_INDEX
                example["input_ids"] = torch.cat([window[:1], torch.where(replaced, PAD_ID, window[1:])[:-1]])
        if self.document_mask:
            example["position_ids"] = position_ids(window[:-1])
        if self.targets is not None:
            targets = self.targets.read(begin, begin + self.length)
            example |= {f"target_{name}": values for name, values in targets._asdict().items()}
        return example

    def labels_in_step(self, step: int) -> StepLabels:
        """Labels that count in the optimizer step after `step` steps."""
        batch = self.sequences_per_epoch // self.steps_per_epoch
        epoch, place = divmod(step * batch, self.sequences_per_epoch)
        begins = self._starts_of(epoch)[place : place + batch]
        following = self.tokens.ids[begins[:, None] + np.arange(1, self.length + 1)]
        counted = np.ones(following.shape, dtype=bool) if self.across_articles else following != BOS_ID
        masked = np.array([self._is_masked(step * batch + row) for row in range(batch)])
        for row in np.flatnonzero(masked):
            counted[row] &= self._replaced(step * batch + int(row), following[row])
        return StepLabels(int(counted[~masked].sum()), int(counted[masked].sum()), float(masked.mean()))

    def _is_masked(self, index: int) -> bool:
        """Whether the example learns masked next-token prediction: these are spread evenly over a step's sequences."""
        return math.floor((index + 1) * self.masked_share) > math.floor(index * self.masked_share)

    def _replaced(self, index: int, following: npt.NDArray[np.integer]) -> npt.NDArray[np.bool_]:
        """Which of a masked example's tokens from the second on, [length], are replaced; never an article's beginning.

        They are drawn from seed and index alone.
        """
        first, last = self.mask_probability
        probability = first + (last - first) * index / len(self)
        drawn = np.random.default_rng([self.seed, index, MASK_STREAM]).random(self.length) < probability
        replaced: npt.NDArray[np.bool_] = drawn & (following != BOS_ID)
        return replaced

    def words_seen(self, step: int) -> float:
        """Words, repeats included, that so many optimizer steps have seen."""
        tokens = step * self.length * self.sequences_per_epoch / self.steps_per_epoch
        return tokens * self.tokens.words / len(self.tokens.ids)

    def _starts_of(self, epoch: int) -> npt.NDArray[np.int64]:
        """Where the epoch's sequences begin, in their order: as many of them as fill whole batches."""
        if epoch != self._epoch:
            random = np.random.default_rng([self.seed, epoch])
            offset = random.integers(self.length)
            sequences = (len(self.tokens.ids) - 1) // self.length - 1
            self._starts = offset + random.permutation(sequences)[: self.sequences_per_epoch] * self.length
            self._epoch = epoch
        return self._starts


def position_ids(input_ids: torch.Tensor) -> torch.Tensor:
    """Positions of a sequence's tokens in their articles, int64 [length]; the first token's is 0 wherever it stands."""
    places = torch.arange(len(input_ids))
    return places - torch.where(input_ids == BOS_ID, places, 0).cummax(0).values


def model_inputs(batch: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """What of a batch the model reads; with `position_ids` or `masked` it also gets a mask for its attention.

    `attention_mask`, bool [batch, 1, length, length], is true where a token (third dimension) attends to one (fourth):
    to those before it, in masked sequences also to those after it, and with `position_ids` in its article alone.
    """
    inputs = {"input_ids": batch["input_ids"]}
    if "position_ids" not in batch and "masked" not in batch:
        return inputs
    places = torch.arange(batch["input_ids"].shape[-1], device=batch["input_ids"].device)
    mask = (places[:, None] >= places).expand(len(batch["input_ids"]), -1, -1)
    if "masked" in batch:
        mask = mask | batch["masked"][:, None, None]
    if "position_ids" in batch:
        inputs["position_ids"] = batch["position_ids"]
        article = (batch["position_ids"] == 0).cumsum(-1)
        mask = mask & (article[:, :, None] == article[:, None, :])
    return inputs | {"attention_mask": mask[:, None]}


class ValidationDataset(Dataset[dict[str, torch.Tensor]]):
    """The text in consecutive sequences of `length` tokens from its beginning; the last one is padded and masked."""

    def __init__(self, tokens: TokenIds, length: int, *, document_mask: bool = False) -> None:
        self.tokens = tokens
        self.length = length
        self.document_mask = document_mask

    def __len__(self) -> int:
        return (len(self.tokens.ids) + self.length - 2) // self.length

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        begin = index * self.length
        window = torch.from_numpy(self.tokens.ids[begin : begin + self.length + 1].astype(np.int64))
        input_ids = torch.full((self.length,), EOS_ID)
        labels = torch.full((self.length,), IGNORE_INDEX)
        input_ids[: len(window) - 1] = window[:-1]
        labels[: len(window) - 1] = window[1:]
        labels[labels == BOS_ID] = IGNORE_INDEX
        example = {"input_ids": input_ids, "labels": labels}
        return example | ({"position_ids": position_ids(input_ids)} if self.document_mask else {})
