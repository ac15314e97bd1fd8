"""Token ids → training examples: chunks of one length, cut anew in each epoch."""

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.utils.data import Dataset

from britannica_assets.corpus.token_ids import TokenIds

if TYPE_CHECKING:
    from britannica_assets.modeling.targets import TeacherTargets

IGNORED = -100  # the label that transformers and torch leave out of a loss
BEGIN, END = 1, 2  # the ids of `<s>` and `</s>`


class TrainingChunks(Dataset[dict[str, torch.Tensor]]):
    """Chunks of `length` tokens over the whole text; where the first begins is drawn anew in each epoch.

    An example is `input_ids` and `labels`, int64 [length]; labels are the next tokens, and IGNORED where the next token
    begins another article. With `targets` also the teachers' `target_ids`, int64 [length, k], and `target_log_probs`,
    float32 [length, k + 1].
    """

    def __init__(self, tokens: TokenIds, length: int, *, seed: int, targets: "TeacherTargets | None" = None) -> None:
        if len(tokens.ids) < 2 * length + 1:
            raise ValueError(
                f"{len(tokens.ids)} train tokens are too few for chunks of {length}: raise the track's train_words or"
                " lower sequence_length"
            )
        self.tokens = tokens
        self.length = length
        self.seed = seed
        self.targets = targets
        self.set_epoch(0)

    def set_epoch(self, epoch: int) -> None:
        """Draws where the epoch's first chunk begins; the same for the same seed and epoch."""
        self.offset = int(np.random.default_rng([self.seed, epoch]).integers(self.length))

    def __len__(self) -> int:
        return (len(self.tokens.ids) - 1) // self.length - 1

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        begin = self.offset + index * self.length
        window = torch.from_numpy(self.tokens.ids[begin : begin + self.length + 1].astype(np.int64))
        labels = window[1:].clone()
        labels[labels == BEGIN] = IGNORED
        example = {"input_ids": window[:-1], "labels": labels}
        if self.targets is not None:
            ids, log_probs = self.targets.read(begin, begin + self.length)
            example |= {"target_ids": ids, "target_log_probs": log_probs}
        return example


class ValidationChunks(Dataset[dict[str, torch.Tensor]]):
    """The text in consecutive chunks of `length` tokens from its beginning; the last one is padded and masked."""

    def __init__(self, tokens: TokenIds, length: int) -> None:
        self.tokens = tokens
        self.length = length

    def __len__(self) -> int:
        return (len(self.tokens.ids) + self.length - 2) // self.length

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        begin = index * self.length
        window = torch.from_numpy(self.tokens.ids[begin : begin + self.length + 1].astype(np.int64))
        input_ids = torch.full((self.length,), END)
        labels = torch.full((self.length,), IGNORED)
        input_ids[: len(window) - 1] = window[:-1]
        labels[: len(window) - 1] = window[1:]
        labels[labels == BEGIN] = IGNORED
        return {"input_ids": input_ids, "labels": labels}
