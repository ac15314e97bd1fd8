"""Log-probabilities of texts under any causal model; what texts begin with in common is computed once.

The sorted texts form prefix trees, and each tree is read by the model as one sequence: a token sees its ancestors
alone and stands at the position of its depth (the tree attention of SpecInfer, Miao et al. 2024). BLiMP's sentences
have twice as many tokens as their trees have nodes. A model that cannot read trees reads batches padded to the right.
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from britannica_assets.evaluation.candidates import Candidate, EncodedCandidate, TokenSequence, encode_candidates

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

logger = logging.getLogger(__name__)

# Padding included. Logits of more tokens fall out of a CPU's cache; a GPU wants many, within its memory.
MAX_BATCH_TOKENS = {"cpu": 512, "cuda": 16_384, "mps": 16_384}
MAX_ROW_NODES = 128  # more would share more, and pay for it in attention, which grows with the square
PROBE = 8  # sequences on which a model shows whether it reads trees
SAME_LOGITS = 1e-6  # of the largest logit: what rounding alone makes of equal ones


class BrokenModelError(ValueError):
    """A model's logits are not finite, or the same whatever it reads; its scores would mean nothing."""


def log_probabilities(model: "PreTrainedModel", encoded: Sequence[EncodedCandidate]) -> npt.NDArray[np.float64]:
    """For each candidate, in nats, the sum of the log-probabilities of its scored tokens, float64 [n].

    Candidates of the same tokens have the same score exactly.

    Raises:
        BrokenModelError: a log-probability is not finite, or the logits are the same at every position.
    """
    import torch

    distinct = sorted({candidate.ids for candidate in encoded if len(candidate.ids) > 1})
    starts = dict(zip(distinct, np.cumsum([0, *(len(ids) - 1 for ids in distinct)]).tolist(), strict=False))
    if not distinct:
        return np.zeros(len(encoded))
    with torch.inference_mode():
        tokens = _tokens_by_tree(model, distinct) if reads_trees(model, distinct) else _tokens_padded(model, distinct)
    # Where in `tokens` the log-probability of the token at `first` stands; the first token of a text has none.
    begins = [starts.get(candidate.ids, 0) + candidate.first - 1 for candidate in encoded]
    return np.array(
        [
            tokens[begin : begin + candidate.last - candidate.first].sum()
            for begin, candidate in zip(begins, encoded, strict=True)
        ]
    )


def sentence_log_probabilities(
    model: "PreTrainedModel", tokenizer: "PreTrainedTokenizerBase", sentences: Sequence[str]
) -> npt.NDArray[np.float64]:
    """`log_probabilities` of whole sentences."""
    return log_probabilities(model, encode_candidates(tokenizer, [Candidate("", sentence) for sentence in sentences]))


@dataclass
class Row:
    """Prefix trees as one sequence, in preorder: node j is an ancestor of node i, or i, where j <= i < ends[j].

    `nodes` and `next_tokens` say which tokens are predicted after which node: all of a sequence's but its first, one
    sequence after another.
    """

    tokens: list[int] = field(default_factory=list)
    depths: list[int] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    nodes: list[int] = field(default_factory=list)
    next_tokens: list[int] = field(default_factory=list)


def packed_rows(sequences: Sequence[TokenSequence]) -> Iterator[Row]:
    """Packs sequences, which must be sorted; yields rows of `MAX_ROW_NODES`, longer for longer sequences.

    A sequence's last token is predicted and never read, so it is no node.
    """
    row, path = Row(), list[int]()
    before: TokenSequence = ()
    for ids in sequences:
        read = ids[:-1]
        shared = _shared(before, read)
        # A row twice as long as its sequence lets the candidates of one long prefix share it.
        if row.tokens and len(row.tokens) + len(read) - shared > max(MAX_ROW_NODES, 2 * len(read)):
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
        found = _tokens_by_tree(model, probe)
    except BrokenModelError:
        raise
    except (TypeError, ValueError, RuntimeError, IndexError) as error:  # of whatever kind a model's code refuses by
        logger.info("%s reads no trees (%r): scored in padded batches", type(model).__name__, error)
        return False
    return np.allclose(found, _tokens_padded(model, probe), rtol=1e-5, atol=1e-4)


def _tokens_by_tree(model: "PreTrainedModel", sequences: Sequence[TokenSequence]) -> npt.NDArray[np.float64]:
    """The log-probabilities of all tokens of each sequence but its first, one sequence after another."""
    import torch

    found = []
    check = _LogitsCheck(model)
    for rows in _batches(packed_rows(sequences), MAX_BATCH_TOKENS[model.device.type]):
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
        found.append(check.log_probabilities_at(logits.flatten(0, 1), nodes, next_tokens))
    check.raise_if_constant(sequences)
    return np.concatenate(found)


def _batches(rows: Iterator[Row], budget: int) -> Iterator[list[Row]]:
    """Rows that with their padding hold at most `budget` tokens, one row at least."""
    batch: list[Row] = []
    width = 0
    for row in rows:
        width = max(width, len(row.tokens))
        if batch and width * (len(batch) + 1) > budget:
            yield batch
            batch, width = [], len(row.tokens)
        batch.append(row)
    if batch:
        yield batch


def _tokens_padded(model: "PreTrainedModel", sequences: Sequence[TokenSequence]) -> npt.NDArray[np.float64]:
    """As `_tokens_by_tree`, in batches of like length, padded to the right, where a causal model does not see it."""
    starts = np.cumsum([0, *(len(ids) - 1 for ids in sequences)])
    tokens = np.zeros(starts[-1])
    order = sorted(range(len(sequences)), key=lambda owner: len(sequences[owner]))
    budget = MAX_BATCH_TOKENS[model.device.type]
    check = _LogitsCheck(model)
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
        places = np.concatenate([np.arange(starts[owner], starts[owner + 1]) for owner in order[begin:end]])
        tokens[places] = check.log_probabilities_at(
            logits.flatten(0, 1), nodes, [token for ids in batch for token in ids[1:]]
        )
        begin = end
    check.raise_if_constant(sequences)
    return tokens


def _padded(rows: Sequence[Sequence[int]], width: int) -> "torch.Tensor":
    """int64 [rows, width], filled up with zeros to the right."""
    import torch

    filled = np.zeros((len(rows), width), dtype=np.int64)
    for number, row in enumerate(rows):
        filled[number, : len(row)] = row
    return torch.from_numpy(filled)


class _LogitsCheck:
    """Reads log-probabilities off a model's logits, and knows whether these are finite and ever change."""

    def __init__(self, model: "PreTrainedModel") -> None:
        self.model = model
        self.constant = True

    def log_probabilities_at(
        self, logits: "torch.Tensor", places: Sequence[int], next_tokens: Sequence[int]
    ) -> npt.NDArray[np.float64]:
        """The log-probability of each of `next_tokens` in the row of `logits` [rows, types] that `places` names."""
        import torch

        rows = torch.tensor(places, dtype=torch.int64, device=logits.device)
        columns = torch.tensor(next_tokens, dtype=torch.int64, device=logits.device)
        logits = logits.float()
        values: npt.NDArray[np.float64] = (logits[rows, columns] - logits.logsumexp(-1)[rows]).double().cpu().numpy()
        if not np.isfinite(values).all():
            raise BrokenModelError(
                f"{type(self.model).__name__} in {self.model.dtype} gives logits that are not finite"
                f" ({int((~np.isfinite(values)).sum())} of {len(values)} tokens): train it again with a lower"
                " learning_rate, or load it in float32"
            )
        if self.constant:
            scored = logits[rows]
            tolerance = SAME_LOGITS * float(scored.abs().max())
            self.constant = bool(((scored - scored[:1]).abs() <= tolerance).all())
        return values

    def raise_if_constant(self, sequences: Sequence[TokenSequence]) -> None:
        """Raises unless some logits differed, if any two were of different contexts."""
        if self.constant and max(map(len, sequences)) > 2:
            raise BrokenModelError(
                f"{type(self.model).__name__} gives the same logits whatever it reads: its weights are not those of a"
                " trained model; materialize it again"
            )
