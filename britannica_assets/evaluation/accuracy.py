"""Accuracy on items with a right candidate, by group (UID): ours, the official one, ties, and intervals."""

from collections.abc import Sequence

import polars as pl

from britannica_assets.evaluation.answers import Item, outcomes
from britannica_assets.evaluation.intervals import average_interval, wilson_interval

NO_LABEL = "supplement"  # the field and term of items that name none, as BLiMP's supplement

# A row a group. `score` is the group's figure on the official scale: the official accuracy in per cent, or what a task
# without right answers measures; then accuracy, official_accuracy (0 to 1) and ties are null. `low` and `high` are the
# 95 % interval of `accuracy`, or of `score` where there is none.
SCORES_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "uid": pl.String,
    "linguistics_term": pl.String,
    "field": pl.String,
    "items": pl.Int32,
    "ties": pl.Int32,
    "beyond_context": pl.Int32,
    "accuracy": pl.Float64,
    "official_accuracy": pl.Float64,
    "score": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
}


def accuracy_by_group(items: Sequence[Item], answers: pl.DataFrame) -> pl.DataFrame:
    """Accuracy on each group of items, in the order of their first items.

    A tie is wrong for us, and right for the BabyLM pipeline, which takes the first of the likeliest candidates. A
    group's classification is that of its first item.
    """
    first = {item.uid: item for item in reversed(items)}
    groups = (
        outcomes(answers)
        .group_by("uid")
        .agg(
            pl.len().alias("items"),
            pl.col("right").sum(),
            pl.col("tie").sum().alias("ties"),
            pl.col("beyond_context").sum(),
        )
    )
    counts = {row["uid"]: row for row in groups.iter_rows(named=True)}
    rows = []
    for uid in dict.fromkeys(item.uid for item in items):
        row = counts[uid]
        low, high = wilson_interval(row["right"], row["items"])
        official = (row["right"] + row["ties"]) / row["items"]
        rows.append(
            {
                "uid": uid,
                "linguistics_term": first[uid].linguistics_term,
                "field": first[uid].field,
                "items": row["items"],
                "ties": row["ties"],
                "beyond_context": row["beyond_context"],
                "accuracy": row["right"] / row["items"],
                "official_accuracy": official,
                "score": 100 * official,
                "low": low,
                "high": high,
            }
        )
    return pl.DataFrame(rows, schema=SCORES_SCHEMA)


def accuracy_by(scores: pl.DataFrame, grouping: str) -> pl.DataFrame:
    """Accuracy (0 to 1) by "field" or "linguistics_term" of the groups that have one, the mean over its UIDs.

    Args:
        scores: with the columns of `SCORES_SCHEMA`, and `model`.
        grouping: the column.

    Returns:
        A row a group, in order: `grouping`, paradigms (its UIDs), and a column a model.
    """
    return (
        scores.filter((pl.col("field") != NO_LABEL) & (pl.col("linguistics_term") != "") & (pl.col("field") != ""))
        .group_by(grouping, "model", maintain_order=True)
        .agg(pl.len().alias("paradigms"), pl.col("accuracy").mean())
        .pivot("model", index=[grouping, "paradigms"], values="accuracy")
        .sort(grouping)
    )


def accuracy_over_terms(scores: pl.DataFrame) -> float | None:
    """The mean over BLiMP's linguistic terms of the accuracy on all pairs of each, as the 2023 pipeline averaged.

    Args:
        scores: one model's rows of a task, with the columns of `SCORES_SCHEMA`.

    Returns:
        0 to 1, or None where the pairs name no terms.
    """
    terms = (
        scores.filter((pl.col("linguistics_term") != NO_LABEL) & (pl.col("linguistics_term") != ""))
        .group_by("linguistics_term")
        .agg((pl.col("accuracy") * pl.col("items")).sum() / pl.col("items").sum())
    )
    return None if terms.is_empty() else float(terms.select(pl.col("accuracy").mean()).item())


def task_averages(scores: pl.DataFrame) -> dict[str, float]:
    """The mean accuracy (0 to 1) over UIDs of each task that has accuracies; other tasks' mean score."""
    means = scores.group_by("task").agg(pl.coalesce(pl.col("accuracy").mean(), pl.col("score").mean()))
    return dict(means.sort("task").iter_rows())


def average_with_interval(scores: pl.DataFrame) -> tuple[float, float, float]:
    """The mean of `accuracy`, or of `score` where there is none, over rows of `SCORES_SCHEMA`, and its 95 % interval.

    In per cent, or in the score's unit; the interval is NaN where a row has none.
    """
    accuracies = scores["accuracy"].null_count() == 0
    values = scores["accuracy" if accuracies else "score"].to_list()
    low, high = (scores[end].fill_null(float("nan")).to_list() for end in ("low", "high"))
    factor = 100 if accuracies else 1
    mean, below, above = average_interval(values, low, high)
    return factor * mean, factor * below, factor * above


def task_official_average(scores: pl.DataFrame) -> float:
    """The official figure of a task with accuracies in per cent: the mean over its groups, ties being right."""
    official: list[float] = scores["official_accuracy"].to_list()
    return 100 * sum(official) / len(official)
