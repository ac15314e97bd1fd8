"""The teachers' averaged softened predictions over the train text, computed once, in little and without bias.

A folder holds, for each shard of positions, `targets-00000.bin`, rows of `target_rows.py` (uint8 [positions, bytes]),
and `teacher_targets.json`. Position t tells what the teachers expect after token t, so the targets serve any cutting of
the text. Each shard is an atomic write, so that a killed computation goes on with the next shard. The samples of a
position are drawn from the seed and the position alone, whatever the shards.

Probabilities and not their logarithms: float16 has eleven bits of precision, an error of 0.05 % in a probability, where
in a logarithm of -8 it would be one of 0.4 % in the probability.
"""

import logging
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch

from britannica_assets.config import Distillation
from britannica_assets.corpus.token_ids import TokenIds
from britannica_assets.files import atomic_write, read_json, write_json
from britannica_assets.modeling.device import explain_out_of_memory
from britannica_assets.modeling.loss import LOGITS_CHUNK_ELEMENTS, TargetDistribution, mean_logits
from britannica_assets.modeling.models import defer_head, output_weight
from britannica_assets.modeling.process import UnfinishedError
from britannica_assets.modeling.target_rows import RowLayout, TargetArrays
from britannica_assets.modeling.target_sampling import position_uniforms, sample_targets
from britannica_assets.shared_work import Store, store_nothing
from britannica_assets.special_tokens import EOS_ID

if TYPE_CHECKING:
    from transformers import PreTrainedModel

logger = logging.getLogger(__name__)

TARGETS_FILE = "teacher_targets.json"
SCHEMA_VERSION = 2


@dataclass(frozen=True)
class TeacherTargets:
    """The stored predictions, memory-mapped a shard."""

    shards: Sequence[npt.NDArray[np.uint8]]
    shard_length: int
    layout: RowLayout
    temperature: float

    @classmethod
    def open(cls, folder: Path) -> "TeacherTargets":
        """Maps a folder's shards into memory.

        Raises:
            FileNotFoundError: the folder holds no finished targets.
            SchemaVersionError: they were written by another schema.
        """
        description = read_json(folder / TARGETS_FILE, schema_version=SCHEMA_VERSION)
        layout = RowLayout(description["top_k"], description["tail_samples"], description["vocab_size"])
        return cls(
            shards=[
                np.memmap(folder / _shard_name(n), dtype=np.uint8, mode="r").reshape(-1, layout.bytes)
                for n in range(description["shards"])
            ],
            shard_length=description["shard_length"],
            layout=layout,
            temperature=description["temperature"],
        )

    def read(self, begin: int, end: int) -> TargetDistribution:
        """Positions `begin` to `end`; rows of probabilities sum to one."""
        rows = []
        for shard in range(begin // self.shard_length, (end - 1) // self.shard_length + 1):
            first = shard * self.shard_length
            rows.append(self.shards[shard][max(0, begin - first) : end - first])
        return target_distribution(self.layout.decode(np.concatenate(rows)))


def target_distribution(stored: TargetArrays) -> TargetDistribution:
    """Stored targets as the loss reads them; rows of probabilities sum to one."""
    top, rest = stored.top_probabilities[:, :-1], stored.top_probabilities[:, -1:]
    samples = stored.tail_ids.shape[1]
    probabilities = np.concatenate([top, np.repeat(rest / samples, samples, axis=1)], axis=1)
    return TargetDistribution(
        ids=torch.from_numpy(np.concatenate([stored.top_ids, stored.tail_ids], axis=1)),
        probabilities=torch.from_numpy(probabilities / probabilities.sum(-1, keepdims=True)),
        entropy=torch.from_numpy(stored.entropy),
    )


def _shard_name(shard: int) -> str:
    return f"targets-{shard:05d}.bin"


def compute_teacher_targets(
    teachers: Sequence["PreTrainedModel"],
    tokens: TokenIds,
    folder: Path,
    distillation: Distillation,
    *,
    sequence_length: int,
    shard_length: int,
    seed: int,
    stop_after_seconds: float | None = None,
    store: Store = store_nothing,
) -> None:
    """Runs the teachers over the train text and writes what of the targets is missing in `folder`.

    The text is read in windows of `sequence_length` tokens that do not leave their article. All but an article's first
    window begin `distillation.left_context` tokens early, so that every position sees at least that many tokens, or its
    article's beginning.

    The teachers' output layers are replaced, see `defer_head`; the models serve for nothing else afterwards. `store` is
    called after each shard.

    Raises:
        ValueError: `left_context` leaves no room for new positions, or `top_k` is no part of the vocabulary.
        UnfinishedError: `stop_after_seconds` were over after a shard that is not the last.
        OutOfMemoryError: a batch does not fit into the device's memory.
    """
    left_context, top_k = distillation.left_context, distillation.top_k
    if not 0 <= left_context < sequence_length:
        raise ValueError(f"left_context {left_context} must be below sequence_length {sequence_length}")
    if not 0 < top_k < tokens.vocab_size:
        raise ValueError(f"top_k {top_k} must be below the vocabulary's {tokens.vocab_size} types")
    for teacher in teachers:
        defer_head(teacher)
    shards = -(-len(tokens.ids) // shard_length)
    layout = RowLayout(top_k, distillation.tail_samples, tokens.vocab_size)
    started, done = time.monotonic(), 0
    for shard in range(shards):
        file = folder / _shard_name(shard)
        if file.exists():
            continue
        if stop_after_seconds is not None and time.monotonic() - started >= stop_after_seconds:
            raise UnfinishedError(f"teacher targets: {shard} of {shards} shards are stored; the same call goes on")
        begin, end = shard * shard_length, min((shard + 1) * shard_length, len(tokens.ids))
        with explain_out_of_memory(f"teacher targets: {distillation.batch_size} sequences", "distillation.batch_size"):
            rows = _predict(
                teachers,
                tokens,
                begin,
                position_uniforms(seed, begin, end),
                distillation,
                layout=layout,
                sequence_length=sequence_length,
            )
        with atomic_write(file) as temporary:
            rows.tofile(temporary)
        store()
        done += end - begin
        speed = done / (time.monotonic() - started)
        logger.info(
            "teacher targets: %d of %d shards, %.0f positions/s, %.0f s left",
            shard + 1,
            shards,
            speed,
            (len(tokens.ids) - end) / speed,
        )
    description = {
        "positions": len(tokens.ids),
        "shards": shards,
        "shard_length": shard_length,
        "top_k": top_k,
        "tail_samples": distillation.tail_samples,
        "vocab_size": tokens.vocab_size,
        "temperature": distillation.temperature,
        "left_context": left_context,
        "seed": seed,
    }
    write_json(folder / TARGETS_FILE, description, schema_version=SCHEMA_VERSION)


@torch.inference_mode()
def _predict(
    teachers: Sequence["PreTrainedModel"],
    tokens: TokenIds,
    begin: int,
    uniforms: npt.NDArray[np.float32],
    distillation: Distillation,
    *,
    layout: RowLayout,
    sequence_length: int,
) -> npt.NDArray[np.uint8]:
    """The rows of the positions from `begin` on, as many as there are uniform numbers."""
    device = teachers[0].device
    heads = [output_weight(teacher) for teacher in teachers]
    result = np.zeros((len(uniforms), layout.bytes), dtype=np.uint8)
    windows = list(_windows(tokens.offsets, begin, begin + len(uniforms), sequence_length, distillation.left_context))
    windows.sort(key=lambda window: window[2] - window[0])  # alike in length, so that little is padding
    for first in range(0, len(windows), distillation.batch_size):
        batch = windows[first : first + distillation.batch_size]
        longest = max(stop - start for start, _, stop in batch)
        input_ids = torch.full((len(batch), longest), EOS_ID)
        for row, (start, _, stop) in enumerate(batch):
            input_ids[row, : stop - start] = torch.from_numpy(tokens.ids[start:stop].astype(np.int64))
        # Padding stands to the right of a causal model's tokens and changes nothing on their left.
        input_ids = input_ids.to(device)
        hidden = [teacher(input_ids=input_ids, use_cache=False).logits for teacher in teachers]
        # Of the context's positions only the states below the output layer are needed.
        new_places = [
            torch.arange(new - start, stop - start, device=device) + row * longest
            for row, (start, new, stop) in enumerate(batch)
        ]
        states = [part.flatten(0, 1)[torch.cat(new_places)] for part in hidden]
        places = np.concatenate([np.arange(new - begin, stop - begin) for _, new, stop in batch])
        rows = max(1, LOGITS_CHUNK_ELEMENTS.get(device.type, 2**24) // tokens.vocab_size)
        for place in range(0, len(places), rows):
            part = places[place : place + rows]
            logits = mean_logits([states_of[place : place + rows] for states_of in states], heads)
            sampled = sample_targets(
                torch.softmax(logits.div_(distillation.temperature), dim=-1),
                torch.from_numpy(uniforms[part]).to(device),
                top_k=layout.top_k,
                tail_samples=layout.tail_samples,
            )
            result[part] = layout.encode(sampled)
    return result


def _windows(
    offsets: npt.NDArray[np.int64], begin: int, end: int, sequence_length: int, left_context: int
) -> Iterator[tuple[int, int, int]]:
    """(start, first new position, stop) of windows that cover `begin` to `end`, each within its article.

    Where an article's windows begin does not depend on `begin` and `end`.
    """
    stride = sequence_length - left_context
    article = int(np.searchsorted(offsets, begin, side="right")) - 1
    while article < len(offsets) - 1 and offsets[article] < end:
        article_begin, article_end = int(offsets[article]), int(offsets[article + 1])
        last = min(end, article_end)
        # The first window's positions are all new; of each later one those after its left context.
        number = max(0, -(-(begin + 1 - article_begin - sequence_length) // stride))
        start = article_begin + number * stride
        while (new := max(begin, start + (left_context if number else 0))) < last:
            yield start, new, min(last, start + sequence_length)
            number, start = number + 1, start + stride
        article += 1
