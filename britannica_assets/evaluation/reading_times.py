"""Reading times (De Varda et al. 2023): how much of them a model's surprisal explains beyond length and frequency."""

from functools import partial
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import polars as pl

from britannica_assets.evaluation.accuracy import SCORES_SCHEMA
from britannica_assets.evaluation.answers import (
    ANSWERS_SCHEMA,
    longer_than_context,
    readable_log_probabilities,
)
from britannica_assets.evaluation.candidates import EncodedCandidate
from britannica_assets.evaluation.evaluation_files import EvaluationDataError, data_files, read_text
from britannica_assets.evaluation.scorer import Scorer

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

SUFFIX = ".csv"
EYE_TRACKING = ("RTfirstfix", "RTfirstpass", "RTgopast", "RTrightbound")
SELF_PACED = ("self_paced_reading_time",)
WORD_TERMS = ("Subtlex_log10", "length", "context_length")
PREVIOUS_TERMS = ("prev_length", "previous_surprisal")
TEXT_COLUMNS = ("item", "word", "prev_item", "prev_word")
WORDS, PREVIOUS_WORDS = "word", "previous_word"  # the UIDs of the answers
MISSING_CONTEXT = "None"  # what the pipeline reads where a context is missing
MISSING = ["None", "NA", "N/A", "NULL", "NaN", "nan", "null", "n/a"]  # as the pipeline's pandas reads them


def reading_scorer(outcomes: tuple[str, ...], *, previous: bool) -> Scorer[pl.DataFrame]:
    """The scorer of some reading times; all of them share what the model answers.

    Args:
        outcomes: columns of the data, a row of scores each.
        previous: whether the baseline knows the previous word's length and surprisal.
    """
    terms = (*WORD_TERMS, *PREVIOUS_TERMS) if previous else WORD_TERMS
    return Scorer(read_reading_times, answer_words, partial(explained_variance, outcomes=outcomes, terms=terms))


def read_reading_times(folder: Path) -> pl.DataFrame:
    """The rows of the folder's one file.

    Raises:
        EvaluationDataError: there is not one file, or a column is missing or holds no numbers.
    """
    files = data_files(folder, SUFFIX)
    if len(files) > 1:
        raise EvaluationDataError(f"{folder} holds {len(files)} {SUFFIX} files, not one: remove the others")
    numbers = (*EYE_TRACKING, *SELF_PACED, *WORD_TERMS, "prev_length")
    try:
        table = pl.read_csv(read_text(files[0]).encode(), infer_schema=False, null_values=MISSING)
        table = table.select(*TEXT_COLUMNS, pl.col(numbers).cast(pl.Float64))
    except (pl.exceptions.PolarsError, ValueError) as error:
        raise EvaluationDataError(
            f"{files[0]}: no table with the columns {', '.join((*TEXT_COLUMNS, *numbers))} ({error})"
        ) from error
    for row, word in enumerate(table["word"], 2):
        if word is None:
            raise EvaluationDataError(
                f"{files[0]}, line {row}: there is no word: remove the line or fetch the file again"
            )
    return table


def answer_words(model: "PreTrainedModel", tokenizer: "PreTrainedTokenizerBase", data: pl.DataFrame) -> pl.DataFrame:
    """The log-probability of each word given its context, and of the word before; rows of `ANSWERS_SCHEMA`.

    As in the BabyLM pipeline a word is tokenized without the space before it, and what of it has been read is joined
    to the context, which is tokenized again.
    """
    words = [
        (WORDS, number, MISSING_CONTEXT if item is None else item, word)
        for number, (item, word) in enumerate(data.select("item", "word").iter_rows())
    ]
    words += [
        (PREVIOUS_WORDS, number, item, word)
        for number, (item, word) in enumerate(data.select("prev_item", "prev_word").iter_rows())
        if item is not None and word is not None
    ]
    encoded = [_encode_word(tokenizer, context, word) for _, _, context, word in words]
    flat = [token for tokens in encoded for token in tokens]
    long = longer_than_context(model, flat)
    scored = pl.DataFrame(
        {
            "place": np.repeat(np.arange(len(words)), [len(tokens) for tokens in encoded]),
            "log_probability": readable_log_probabilities(model, flat, long),
            "beyond_context": long,
        },
        schema_overrides={"log_probability": pl.Float64},
    )
    by_word = scored.group_by("place", maintain_order=True).agg(
        # A word of which a token cannot be read has no log-probability.
        pl.when(pl.col("log_probability").null_count() == 0).then(pl.col("log_probability").sum()),
        pl.col("beyond_context").any(),
    )
    return pl.DataFrame(
        {
            "uid": [uid for uid, *_ in words],
            "item": [number for _, number, *_ in words],
            "candidate": [0] * len(words),
            "log_probability": by_word["log_probability"],
            "beyond_context": by_word["beyond_context"],
            "target": [None] * len(words),
        },
        schema=ANSWERS_SCHEMA,
    )


def _encode_word(tokenizer: "PreTrainedTokenizerBase", context: str, word: str) -> list[EncodedCandidate]:
    """For each token of the word what is read before it, with the token itself, which alone is scored."""
    found = []
    for place, token in enumerate(tokenizer(word, add_special_tokens=False)["input_ids"]):
        text = tokenizer.decode([token])
        expected = tokenizer(text, add_special_tokens=False)["input_ids"][0] if place else token
        read = tokenizer(context, verbose=False)["input_ids"]
        found.append(EncodedCandidate((*read, expected), len(read), len(read) + 1))
        context += text
    return found


def explained_variance(
    data: pl.DataFrame, answers: pl.DataFrame, outcomes: tuple[str, ...], terms: tuple[str, ...]
) -> pl.DataFrame:
    """For each outcome how much of what a baseline leaves unexplained the surprisal explains, in per cent.

    The baseline is a linear regression on `terms` and their products in pairs; to it the surprisal is added:
    100 (R²full - R²baseline) / (1 - R²baseline). Rows with a gap are not counted.

    Returns:
        Rows of `SCORES_SCHEMA`.
    """
    surprisals = (
        answers.with_columns(-pl.col("log_probability"))
        .pivot("uid", index="item", values="log_probability")
        .sort("item")
    )
    columns = {WORDS: "surprisal", PREVIOUS_WORDS: "previous_surprisal"}
    numbered = data.drop(TEXT_COLUMNS).with_row_index("item").with_columns(pl.col("item").cast(pl.Int32))
    table = numbered.join(surprisals, on="item", how="left").rename(columns, strict=False)
    rows = []
    for outcome in outcomes:
        whole = table.select(outcome, "surprisal", *terms).drop_nulls()
        values = whole[outcome].to_numpy()
        single = [whole[term].to_numpy() for term in terms]
        baseline = [*single, *(first * second for first, second in combinations(single, 2))]
        without = r_squared(baseline, values)
        gain = r_squared([*baseline, whole["surprisal"].to_numpy()], values) - without
        rows.append(
            {
                "uid": outcome,
                "linguistics_term": "",
                "field": "",
                "items": len(whole),
                "beyond_context": int(answers.filter(pl.col("uid") == WORDS)["beyond_context"].sum()),
                "score": 100 * gain / (1 - without),
            }
        )
    return pl.DataFrame(rows, schema=SCORES_SCHEMA)


def r_squared(terms: list[npt.NDArray[np.float64]], outcome: npt.NDArray[np.float64]) -> float:
    """R² of an ordinary least-squares regression with intercept."""
    # Products of terms are large and nearly collinear: as deviations in units of their spread they are solved well.
    scaled = [(term - term.mean()) / (term.std() or 1.0) for term in terms]
    design = np.column_stack([np.ones_like(outcome), *scaled])
    coefficients, *_ = np.linalg.lstsq(design, outcome, rcond=None)
    residuals = outcome - design @ coefficients
    return float(1 - (residuals @ residuals) / ((outcome - outcome.mean()) ** 2).sum())
