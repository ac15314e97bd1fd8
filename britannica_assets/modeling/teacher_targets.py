"""The teachers' averaged softened predictions over the train text, computed once, the top k of each position.

A folder holds, for each shard of positions, `ids-00000.bin` (uint16 [positions, k]) and `probabilities-00000.bin`
(bfloat16 [positions, k + 1]; the last column is the probability of all other types together), and
`teacher_targets.json`. Position t tells what the teachers expect after token t, so the targets serve any cutting of the
text. Each shard is an atomic write, so that a killed computation goes on with the next shard.

Probabilities and not their logarithms: bfloat16 has eight bits of precision, an error of 0.4 % in a probability, where
in a logarithm of -8 it would be one of 3 % in the probability.
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

from britannica_assets.corpus.token_ids import TokenIds
from britannica_assets.files import atomic_write, read_json, write_json
from britannica_assets.modeling.device import explain_out_of_memory
from britannica_assets.modeling.loss import LOGITS_CHUNK_ELEMENTS, mean_logits
from britannica_assets.modeling.models import defer_head, output_weight
from britannica_assets.modeling.process import UnfinishedError
from britannica_assets.special_tokens import EOS_ID

if TYPE_CHECKING:
    from transformers import PreTrainedModel

logger = logging.getLogger(__name__)

TARGETS_FILE = "teacher_targets.json"
SCHEMA_VERSION = 1


@dataclass(frozen=True)
class TeacherTargets:
    """The stored predictions, memory-mapped a shard."""

    ids: Sequence[npt.NDArray[np.uint16]]
    probabilities: Sequence[npt.NDArray[np.uint16]]
    shard_length: int
    top_k: int
    temperature: float

    @classmethod
    def open(cls, folder: Path) -> "TeacherTargets":
        """Maps a folder's shards into memory.

        Raises:
            FileNotFoundError: the folder holds no finished targets.
        """
        description = read_json(folder / TARGETS_FILE, schema_version=SCHEMA_VERSION)
        top_k = description["top_k"]
        shards = range(description["shards"])
        return cls(
            ids=[np.memmap(folder / f"ids-{n:05d}.bin", dtype="<u2", mode="r").reshape(-1, top_k) for n in shards],
            probabilities=[
                np.memmap(folder / f"probabilities-{n:05d}.bin", dtype="<u2", mode="r").reshape(-1, top_k + 1)
                for n in shards
            ],
            shard_length=description["shard_length"],
            top_k=top_k,
            temperature=description["temperature"],
        )

    def read(self, begin: int, end: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Positions `begin` to `end`: ids, int64 [n, k], and probabilities, float32 [n, k + 1], rows summing to one."""
        ids, probabilities = [], []
        for shard in range(begin // self.shard_length, (end - 1) // self.shard_length + 1):
            first = shard * self.shard_length
            part = slice(max(0, begin - first), end - first)
            ids.append(self.ids[shard][part])
            probabilities.append(self.probabilities[shard][part])
        bits = torch.from_numpy(np.concatenate(probabilities).view(np.int16))
        rounded = bits.view(torch.bfloat16).float()
        return torch.from_numpy(np.concatenate(ids).astype(np.int64)), rounded / rounded.sum(-1, keepdim=True)


def compute_teacher_targets(
    teachers: Sequence["PreTrainedModel"],
    tokens: TokenIds,
    folder: Path,
    *,
    top_k: int,
    temperature: float,
    sequence_length: int,
    left_context: int,
    batch_size: int,
    shard_length: int,
    stop_after_seconds: float | None = None,
) -> None:
    """Runs the teachers over the train text and writes what of the targets is missing in `folder`.

    The text is read in windows of `sequence_length` tokens that do not leave their article. All but an article's first
    window begin `left_context` tokens early, so that every position sees at least that many tokens, or its article's
    beginning.

    The teachers' output layers are replaced, see `defer_head`; the models serve for nothing else afterwards.

    Raises:
        ValueError: `left_context` leaves no room for new positions, or `top_k` is no part of the vocabulary.
        UnfinishedError: `stop_after_seconds` were over after a shard that is not the last.
        OutOfMemoryError: a batch does not fit into the device's memory.
    """
    if not 0 <= left_context < sequence_length:
        raise ValueError(f"left_context {left_context} must be below sequence_length {sequence_length}")
    if not 0 < top_k < tokens.vocab_size:
        raise ValueError(f"top_k {top_k} must be below the vocabulary's {tokens.vocab_size} types")
    for teacher in teachers:
        defer_head(teacher)
    shards = -(-len(tokens.ids) // shard_length)
    started, done = time.monotonic(), 0
    for shard in range(shards):
        files = [folder / f"{kind}-{shard:05d}.bin" for kind in ("ids", "probabilities")]
        if all(file.exists() for file in files):
            continue
        if stop_after_seconds is not None and time.monotonic() - started >= stop_after_seconds:
            raise UnfinishedError(f"teacher targets: {shard} of {shards} shards are stored; the same call goes on")
        begin, end = shard * shard_length, min((shard + 1) * shard_length, len(tokens.ids))
        with explain_out_of_memory(f"teacher targets: {batch_size} sequences", "distillation.batch_size"):
            ids, probabilities = _predict(
                teachers,
                tokens,
                begin,
                end,
                top_k=top_k,
                temperature=temperature,
                sequence_length=sequence_length,
                left_context=left_context,
                batch_size=batch_size,
            )
        for file, array in zip(files, (ids, probabilities), strict=True):
            with atomic_write(file) as temporary:
                array.tofile(temporary)
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
        "temperature": temperature,
        "left_context": left_context,
    }
    write_json(folder / TARGETS_FILE, description, schema_version=SCHEMA_VERSION)


@torch.inference_mode()
def _predict(
    teachers: Sequence["PreTrainedModel"],
    tokens: TokenIds,
    begin: int,
    end: int,
    *,
    top_k: int,
    temperature: float,
    sequence_length: int,
    left_context: int,
    batch_size: int,
) -> tuple[npt.NDArray[np.uint16], npt.NDArray[np.uint16]]:
    device = teachers[0].device
    heads = [output_weight(teacher) for teacher in teachers]
    ids = np.zeros((end - begin, top_k), dtype="<u2")
    probabilities = np.zeros((end - begin, top_k + 1), dtype="<u2")
    windows = list(_windows(tokens.offsets, begin, end, sequence_length, left_context))
    windows.sort(key=lambda window: window[2] - window[0])  # alike in length, so that little is padding
    for first in range(0, len(windows), batch_size):
        batch = windows[first : first + batch_size]
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
            logits = mean_logits([part[place : place + rows] for part in states], heads)
            top = torch.softmax(logits.div_(temperature), dim=-1).topk(top_k, dim=-1)
            rest = (1 - top.values.sum(-1, keepdim=True)).clamp(min=0)
            rounded = torch.cat([top.values, rest], -1).bfloat16().cpu()
            ids[places[place : place + rows]] = top.indices.cpu().numpy().astype("<u2")
            probabilities[places[place : place + rows]] = rounded.view(torch.int16).numpy().view(np.uint16)
    return ids, probabilities


def _windows(
    offsets: npt.NDArray[np.int64], begin: int, end: int, sequence_length: int, left_context: int
) -> Iterator[tuple[int, int, int]]:
    """(start, first new position, stop) of windows that cover `begin` to `end`, each within its article."""
    article = int(np.searchsorted(offsets, begin, side="right")) - 1
    while article < len(offsets) - 1 and offsets[article] < end:
        article_begin, article_end = int(offsets[article]), int(offsets[article + 1])
        new = max(begin, article_begin)
        last = min(end, article_end)
        while new < last:
            start = max(article_begin, new - left_context)
            stop = min(last, start + sequence_length)
            yield start, new, stop
            new = stop
        article += 1
