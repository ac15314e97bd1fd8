"""Candidates as a model reads them: token ids, and which of the tokens are scored."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

TokenSequence = tuple[int, ...]


@dataclass(frozen=True)
class Candidate:
    """A text of which the completion is scored, given the prefix; "" scores the whole text."""

    prefix: str
    completion: str

    @property
    def text(self) -> str:
        """The full text that the model reads."""
        return self.prefix + self.completion


@dataclass(frozen=True)
class EncodedCandidate:
    """The token ids of a candidate, and the range of those whose log-probabilities are summed."""

    ids: TokenSequence
    first: int
    last: int


def encode_candidates(tokenizer: "PreTrainedTokenizerBase", candidates: Sequence[Candidate]) -> list[EncodedCandidate]:
    """Token ids with the tokenizer's default special tokens, and what of them the BabyLM 2025 pipeline scores.

    A token is scored when its last character lies in the completion, so that one across the boundary counts whole. The
    first token of a text has no context and special tokens no characters: neither is scored, so that without a BOS
    token the first word is given, and an appended `</s>` does not count.

    Raises:
        ValueError: the tokenizer is not a fast one, which alone says where in the text its tokens stand.
    """
    if not tokenizer.is_fast:
        raise ValueError(
            f"{type(tokenizer).__name__} does not map tokens to characters: save it as a fast one (tokenizer.json)"
        )
    # Without `verbose` the tokenizer would warn of texts longer than those it was trained for.
    encoded = tokenizer([candidate.text for candidate in candidates], return_offsets_mapping=True, verbose=False)
    found = []
    for candidate, ids, offsets in zip(candidates, encoded["input_ids"], encoded["offset_mapping"], strict=True):
        begin = len(candidate.prefix)
        scored = [place for place, (_, end) in enumerate(offsets) if end > begin and place > 0]
        first, last = (scored[0], scored[-1] + 1) if scored else (0, 0)
        found.append(EncodedCandidate(tuple(ids), first, last))
    return found
