"""The tables of scores and answers of a track: what stands in each row besides a task's own figures."""

import polars as pl

from britannica_assets.evaluation.accuracy import SCORES_SCHEMA

# A row a model version, task and group. `recipe` is all that decided the training but its seed, and `trained` the day
# on which it was registered (UTC); `digest` is that of the task's files, and `source` what they are called; the last
# four are of the version's whole validation text.
SCORE_TABLE_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "track": pl.String,
    "model": pl.String,
    "scale": pl.String,
    "version": pl.Int64,
    "seed": pl.Int64,
    "recipe": pl.String,
    "trained": pl.Date,
    "parameters": pl.Int64,
    "train_words": pl.String,
    "task": pl.String,
    "digest": pl.String,
    "source": pl.String,
    **SCORES_SCHEMA,
    "perplexity_by_token": pl.Float64,
    "perplexity_by_word": pl.Float64,
    "bits_per_byte": pl.Float64,
    "context_length": pl.Int64,
}

# What stands in each row of the answers besides `ANSWERS_SCHEMA`.
ANSWER_KEYS = ["track", "model", "version", "recipe", "task", "digest"]
CHECKPOINT_KEYS = [*ANSWER_KEYS, "words_seen"]  # the same of the checkpoints by words seen
