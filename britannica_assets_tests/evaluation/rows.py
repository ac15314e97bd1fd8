"""Score rows and outcomes of models that were never trained."""

from datetime import date

import polars as pl

from britannica_assets.evaluation.evaluation_data import OFFICIAL
from britannica_assets.evaluation.intervals import wilson_interval
from britannica_assets.evaluation.score_table import SCORE_TABLE_SCHEMA

ITEMS = 1000
DIGEST = "d" * 64


def score_rows(
    task: str,
    uid: str,
    accuracy: float,
    *,
    model: str = "student",
    version: int = 1,
    recipe: str | None = None,
    track: str = "babylm_10m",
    source: str = OFFICIAL,
    digest: str = DIGEST,
    ties: int = 0,
    parameters: int = 58_000_000,
) -> pl.DataFrame:
    """One row of `SCORE_TABLE_SCHEMA`."""
    low, high = wilson_interval(round(accuracy * ITEMS), ITEMS)
    official = accuracy + ties / ITEMS
    row = {
        "track": track,
        "model": model,
        "scale": "paper",
        "version": version,
        "seed": version,
        "recipe": recipe or f"{model}/{version}",
        "trained": date(2026, 11, 24),
        "parameters": parameters,
        "train_words": "10.0M",
        "task": task,
        "digest": digest,
        "source": source,
        "uid": uid,
        "linguistics_term": "supplement" if task == "supplement" else uid,
        "field": "supplement" if task == "supplement" else "syntax",
        "items": ITEMS,
        "ties": ties,
        "beyond_context": 0,
        "accuracy": accuracy,
        "official_accuracy": official,
        "score": 100 * official,
        "low": low,
        "high": high,
        "perplexity_by_token": 20.0,
        "perplexity_by_word": 100.0,
        "bits_per_byte": 1.2,
        "context_length": 128,
    }
    return pl.DataFrame([row], schema=SCORE_TABLE_SCHEMA)


def outcome_rows(scores: pl.DataFrame) -> pl.DataFrame:
    """Outcomes with the accuracies of score rows: of two models the better has right what the other has."""
    rows = [
        {
            **{key: row[key] for key in ("track", "model", "version", "recipe", "task", "digest", "uid")},
            "item": item,
            "right": item < round(row["accuracy"] * row["items"]),
            "tie": False,
        }
        for row in scores.iter_rows(named=True)
        for item in range(row["items"])
    ]
    return pl.DataFrame(rows, schema_overrides={"item": pl.Int32})
