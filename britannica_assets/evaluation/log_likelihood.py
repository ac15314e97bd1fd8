"""Log-probabilities of sentences under any causal model; what sentences begin with in common is computed once.

The sorted sentences form prefix trees, and each tree is read by the model as one sequence: a token sees its ancestors
alone and stands at the position of its depth (the tree attention of SpecInfer, Miao et al. 2024). BLiMP's sentences
have twice as many tokens as their trees have nodes. A model that cannot read trees reads batches padded to the right.
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

logger = logging.getLogger(__name__)

# Padding included. Logits of more tokens fall out of a CPU's cache; a GPU wants many, within its memory.
MAX_BATCH_TOKENS = {"cpu": 512, "cuda": 16_384}
MAX_ROW_NODES = 128  # more would share more, and pay for it in attention, which grows with the square
PROBE = 8  # sentences on which a model shows whether it reads trees

TokenSequence = tuple[int, ...]


def log_probabilities(
    model: "PreTrainedModel", tokenizer: "PreTrainedTokenizerBase", sentences: Sequence[str]
) -> npt.NDArray[np.float64]:
    """For each sentence, in nats, the sum of the log-probabilities of all its tokens but the first, float64 [n].

    Sentences of the same tokens have the same score exactly.

    Raises:
        ValueError: a sentence has no token, or more than the model has positions; the message shows it.
    """
    import torch

    # Without `verbose` the tokenizer would warn of sentences longer than those it was trained for.
    encoded: list[TokenSequence] = [tuple(ids) for ids in tokenizer(list(sentences), verbose=False)["input_ids"]]
    positions = getattr(model.config, "max_position_embeddings", None)
    for sentence, ids in zip(sentences, encoded, strict=True):
        if not ids or (positions is not None and len(ids) > positions):
            raise ValueError(
                f"a sentence of {len(ids)} tokens cannot be scored by a model of {positions} positions:"
                f" {sentence[:80]!r}; leave it out or train with a longer sequence_length"
            )
    distinct = sorted(set(encoded))
    with torch.inference_mode():
        scores = _scores_by_tree(model, distinct) if reads_trees(model, distinct) else _scores_padded(model, distinct)
    found = dict(zip(distinct, scores.tolist(), strict=True))
    return np.array([found[ids] for ids in encoded])


@dataclass
class Row:
    """Prefix trees as one sequence, in preorder: node j is an ancestor of node i, or i, where j <= i < ends[j].

    `nodes`, `next_tokens` and `owners` say which tokens are predicted: after which node, and for which sentence.
    """

    tokens: list[int] = field(default_factory=list)
    depths: list[int] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    nodes: list[int] = field(default_factory=list)
    next_tokens: list[int] = field(default_factory=list)
    owners: list[int] = field(default_factory=list)


def packed_rows(sequences: Sequence[TokenSequence]) -> Iterator[Row]:
    """Packs sequences, which must be sorted; yields rows of `MAX_ROW_NODES`, longer for a longer sequence.

    A sequence's last token is predicted and never read, so it is no node.
    """
    row, path = Row(), list[int]()
    before: TokenSequence = ()
    for owner, ids in enumerate(sequences):
        read = ids[:-1]
        shared = _shared(before, read)
        if row.tokens and len(row.tokens) + len(read) - shared > MAX_ROW_NODES:
            yield row
            row, path, shared = Row(), [], 0
        end = len(row.tokens) + len(read) - shared
        path = [*path[:shared], *range(len(row.tokens), end)]
        row.tokens += read[shared:]
        row.depths += range(shared, len(read))
        row.ends += [end] * (len(read) - shared)
        for node in path[:shared]:
            row.ends[node] = end
        row.nodes += path
        row.next_tokens += ids[1:]
        row.owners += [owner] * len(path)
        before = read
    if row.tokens:
        yield row


def _shared(first: TokenSequence, second: TokenSequence) -> int:
    """How many tokens both begin with."""
    for place, (ours, theirs) in enumerate(zip(first, second, strict=False)):
        if ours != theirs:
            return place
    return min(len(first), len(second))


def reads_trees(model: "PreTrainedModel", sequences: Sequence[TokenSequence]) -> bool:
    """Whether trees score as padded batches do, tried on some neighbours of `sequences`.

    Rounding in half precision would hide what a misread tree does.
    """
    import torch

    begin = max(0, len(sequences) // 2 - PROBE // 2)
    probe = sequences[begin : begin + PROBE]
    if model.dtype != torch.float32:
        return False
    try:
        found = _scores_by_tree(model, probe)
    except (TypeError, ValueError, RuntimeError, IndexError) as error:  # of whatever kind a model's code refuses by
        logger.info("%s reads no trees (%r): scored in padded batches", type(model).__name__, error)
        return False
    return np.allclose(found, _scores_padded(model, probe), rtol=1e-5, atol=1e-4)


def _scores_by_tree(model: "PreTrainedModel", sequences: Sequence[TokenSequence]) -> npt.NDArray[np.float64]:
    import torch

    scores = np.zeros(len(sequences))
    every = list(packed_rows(sequences))
    at_once = max(1, MAX_BATCH_TOKENS[model.device.type] // MAX_ROW_NODES)
    for begin in range(0, len(every), at_once):
        rows = every[begin : begin + at_once]
        width = max(len(row.tokens) for row in rows)
        ids, depths, ends = (
            _padded(values, width).to(model.device)
            for values in ([row.tokens for row in rows], [row.depths for row in rows], [row.ends for row in rows])
        )
        places = torch.arange(width, device=model.device)
        ancestors = (places <= places[:, None]) & (places[:, None] < ends[:, None, :])
        ancestors |= places == places[:, None]  # padding sees itself: a softmax over nothing is not a number
        mask = torch.zeros(ancestors.shape, dtype=model.dtype, device=model.device)
        mask.masked_fill_(~ancestors, torch.finfo(model.dtype).min)
        logits = model(input_ids=ids, attention_mask=mask[:, None], position_ids=depths, use_cache=False).logits
        nodes = [number * width + node for number, row in enumerate(rows) for node in row.nodes]
        next_tokens = [token for row in rows for token in row.next_tokens]
        found = _log_probabilities_at(logits.flatten(0, 1), nodes, next_tokens)
        owners = np.concatenate([row.owners for row in rows])
        scores += np.bincount(owners, weights=found, minlength=len(scores))
    return scores


def _scores_padded(model: "PreTrainedModel", sequences: Sequence[TokenSequence]) -> npt.NDArray[np.float64]:
    """Batches of like length, padded to the right, where a causal model's tokens do not see it."""
    scores = np.zeros(len(sequences))
    order = sorted(range(len(sequences)), key=lambda owner: len(sequences[owner]))
    budget = MAX_BATCH_TOKENS[model.device.type]
    begin = 0
    while begin < len(order):
        # Lengths rise, so the last sequence of the batch decides its width.
        end = begin + 1
        while end < len(order) and (end + 1 - begin) * len(sequences[order[end]]) <= budget:
            end += 1
        batch = [sequences[owner] for owner in order[begin:end]]
        width = len(batch[-1])
        mask = _padded([[1] * len(ids) for ids in batch], width).to(model.device)
        logits = model(input_ids=_padded(batch, width).to(model.device), attention_mask=mask).logits
        nodes = [number * width + place for number, ids in enumerate(batch) for place in range(len(ids) - 1)]
        found = _log_probabilities_at(logits.flatten(0, 1), nodes, [token for ids in batch for token in ids[1:]])
        owners = np.repeat(order[begin:end], [len(ids) - 1 for ids in batch])
        scores += np.bincount(owners, weights=found, minlength=len(scores))
        begin = end
    return scores


def _padded(rows: Sequence[Sequence[int]], width: int) -> "torch.Tensor":
    """int64 [rows, width], filled up with zeros to the right."""
    import torch

    filled = np.zeros((len(rows), width), dtype=np.int64)
    for number, row in enumerate(rows):
        filled[number, : len(row)] = row
    return torch.from_numpy(filled)


def _log_probabilities_at(
    logits: "torch.Tensor", places: Sequence[int], next_tokens: Sequence[int]
) -> npt.NDArray[np.float64]:
    """The log-probability of each of `next_tokens` in the row of `logits` [rows, types] that `places` names."""
    import torch

    rows = torch.tensor(places, dtype=torch.int64, device=logits.device)
    columns = torch.tensor(next_tokens, dtype=torch.int64, device=logits.device)
    logits = logits.float()
    values: npt.NDArray[np.float64] = (logits[rows, columns] - logits.logsumexp(-1)[rows]).double().cpu().numpy()
    return values
