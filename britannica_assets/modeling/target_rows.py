"""One position's targets in bytes: the largest probabilities exactly, the others by samples of their types.

A row is, in this order:

    top_k × uint16          the types with the largest probabilities
    (top_k + 1) × float16   their probabilities, and that of all other types together
    float16                 the entropy of the whole distribution, in nats
    tail_samples × uint8    low bytes of the sampled types, which are sorted and may repeat
    bits                    their high bytes in unary: sample i sets bit i + high byte (Elias 1974, Fano 1971)

So a sample takes nine bits and a little, whatever the vocabulary, and the row's length is fixed.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class TargetArrays:
    """The targets of n positions.

    `top_ids` [n, k], `top_probabilities` [n, k + 1] (the last is that of all other types together), `tail_ids` [n, m]
    (rising, of equal weight), `entropy` [n] in nats.
    """

    top_ids: npt.NDArray[np.int64]
    top_probabilities: npt.NDArray[np.float32]
    tail_ids: npt.NDArray[np.int64]
    entropy: npt.NDArray[np.float32]


@dataclass(frozen=True)
class RowLayout:
    """Where what lies in a row."""

    top_k: int
    tail_samples: int
    vocab_size: int

    @property
    def bits(self) -> int:
        """Of the unary part: one a sample, and one a step of the high byte."""
        return self.tail_samples + (self.vocab_size - 1) // 256

    @property
    def bytes(self) -> int:
        """Of a row."""
        return self._low + self.tail_samples + -(-self.bits // 8)

    @property
    def _low(self) -> int:
        return 2 * self.top_k + 2 * (self.top_k + 1) + 2

    def encode(self, targets: TargetArrays) -> npt.NDArray[np.uint8]:
        """Rows, uint8 [n, bytes]."""
        count = len(targets.entropy)
        bits = np.zeros((count, self.bits), dtype=np.uint8)
        np.put_along_axis(bits, (targets.tail_ids >> 8) + np.arange(self.tail_samples), 1, axis=1)
        return np.concatenate(
            [
                targets.top_ids.astype("<u2").view(np.uint8),
                targets.top_probabilities.astype("<f2").view(np.uint8),
                targets.entropy[:, None].astype("<f2").view(np.uint8),
                (targets.tail_ids & 255).astype(np.uint8),
                np.packbits(bits, axis=1),
            ],
            axis=1,
        )

    def decode(self, rows: npt.NDArray[np.uint8]) -> TargetArrays:
        """What `encode` took, in float16's precision."""
        count, k = len(rows), self.top_k
        numbers = np.ascontiguousarray(rows[:, : self._low])
        halves = numbers.view("<f2")
        bits = np.unpackbits(rows[:, self._low + self.tail_samples :], axis=1, count=self.bits)
        places = np.nonzero(bits)[1].reshape(count, self.tail_samples)
        high = places - np.arange(self.tail_samples)
        return TargetArrays(
            top_ids=numbers.view("<u2")[:, :k].astype(np.int64),
            top_probabilities=halves[:, k : 2 * k + 1].astype(np.float32),
            tail_ids=(high << 8) + rows[:, self._low : self._low + self.tail_samples],
            entropy=halves[:, 2 * k + 1].astype(np.float32),
        )
