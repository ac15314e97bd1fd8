"""What a model answers to the items of a task: the log-probability of each candidate, from which all figures follow."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from britannica_assets.evaluation.candidates import Candidate, EncodedCandidate, encode_candidates
from britannica_assets.evaluation.evaluation_files import MAX_SHOWN, EvaluationDataError
from britannica_assets.evaluation.log_likelihood import log_probabilities

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

# A row a candidate: its item is numbered within its group (UID) in the order of the files, as BabyLM's predictions
# are; `log_probability` (nats) is null where the model cannot read so long a text; `target` is what people answered.
ANSWERS_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "uid": pl.String,
    "item": pl.Int32,
    "candidate": pl.Int16,
    "log_probability": pl.Float64,
    "beyond_context": pl.Boolean,
    "target": pl.Float64,
}


@dataclass(frozen=True)
class Item:
    """One question: candidates, of which the first is the right one.

    `origin` names file and line. `field` and `linguistics_term` are BLiMP's classification, "" for none. `target` is
    the share of people who chose the first candidate, where people were asked.
    """

    uid: str
    candidates: tuple[Candidate, ...]
    origin: str
    field: str = ""
    linguistics_term: str = ""
    target: float | None = None


def answer_items(
    model: "PreTrainedModel",
    tokenizer: "PreTrainedTokenizerBase",
    items: Sequence[Item],
    *,
    beyond_context: bool = False,
) -> pl.DataFrame:
    """Scores every candidate of every item.

    Args:
        model: any causal language model.
        tokenizer: the model's.
        items: of one task.
        beyond_context: whether texts longer than the model's positions are counted rather than refused. A model of
            rotary positions reads them, as in the BabyLM pipeline; of others they have no answer.

    Returns:
        The columns of `ANSWERS_SCHEMA`.

    Raises:
        EvaluationDataError: a text is longer than the model's positions; the message names file and line.
        BrokenModelError: see `log_probabilities`.
    """
    encoded = encode_candidates(tokenizer, [candidate for item in items for candidate in item.candidates])
    origins = [item for item in items for _ in item.candidates]
    long = longer_than_context(model, encoded)
    if any(long) and not beyond_context:
        place = long.index(True)
        raise EvaluationDataError(
            f"{origins[place].origin}: a text of {len(encoded[place].ids)} tokens cannot be scored by a model of"
            f" {model.config.max_position_embeddings} positions: {origins[place].candidates[0].text[:MAX_SHOWN]!r};"
            " remove it or train with a longer sequence_length"
        )
    scores = readable_log_probabilities(model, encoded, long)
    numbers: dict[str, int] = {}
    rows = []
    for item in items:
        number = numbers.get(item.uid, 0)
        numbers[item.uid] = number + 1
        rows += [(item.uid, number, candidate, item.target) for candidate in range(len(item.candidates))]
    uids, item_numbers, candidates, targets = zip(*rows, strict=True)
    return pl.DataFrame(
        {
            "uid": uids,
            "item": item_numbers,
            "candidate": candidates,
            "log_probability": scores,
            "beyond_context": long,
            "target": targets,
        },
        schema=ANSWERS_SCHEMA,
    )


def longer_than_context(model: "PreTrainedModel", encoded: Sequence[EncodedCandidate]) -> list[bool]:
    """For each candidate whether it has more tokens than the model has positions; False where it has no such limit."""
    positions = getattr(model.config, "max_position_embeddings", None)
    return [positions is not None and len(candidate.ids) > positions for candidate in encoded]


def readable_log_probabilities(
    model: "PreTrainedModel", encoded: Sequence[EncodedCandidate], long: Sequence[bool]
) -> list[float | None]:
    """`log_probabilities`, with None for the candidates in `long` unless the model has rotary positions.

    Raises:
        BrokenModelError: see `log_probabilities`.
    """
    rotary = getattr(model.config, "rope_parameters", None) is not None
    readable = [place for place, is_long in enumerate(long) if rotary or not is_long]
    scores: list[float | None] = [None] * len(encoded)
    found = log_probabilities(model, [encoded[place] for place in readable])
    for place, score in zip(readable, found.tolist(), strict=True):
        scores[place] = score
    return scores


def outcomes(answers: pl.DataFrame, *keys: str) -> pl.DataFrame:
    """Whether the first candidate of each item is the likeliest, the highest sum winning as in the BabyLM pipeline.

    Args:
        answers: with the columns of `ANSWERS_SCHEMA` and `keys`.
        keys: columns that tell items apart besides `uid` and `item`, for example the task.

    Returns:
        `keys`, uid, item, right (more probable than all others), tie (as probable as the best other), beyond_context.
        An item without answer is neither.
    """
    first = pl.col("log_probability").filter(pl.col("candidate") == 0).first()
    others = pl.col("log_probability").filter(pl.col("candidate") > 0)
    answered = pl.col("log_probability").is_not_null().all()
    return (
        answers.group_by(*keys, "uid", "item", maintain_order=True)
        .agg(
            (answered & (first > others.max())).fill_null(False).alias("right"),
            (answered & (first == others.max())).fill_null(False).alias("tie"),
            pl.col("beyond_context").any(),
        )
        .sort(*keys, "uid", "item", maintain_order=True)
    )
