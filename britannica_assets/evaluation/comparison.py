"""Two scorings of the same minimal pairs: which phenomena rose, which fell, beyond the interval."""

import polars as pl


def compare_scores(before: pl.DataFrame, after: pl.DataFrame) -> pl.DataFrame:
    """The change of accuracy on each paradigm, the largest rise first.

    The 95 % interval of a difference is put together from those of its two accuracies (Newcombe 1998, method 10); the
    direction is "rose" or "fell" where it leaves 0 out.

    Args:
        before: rows of `blimp_scores` of one model, with task, uid, accuracy, low and high.
        after: the same of another.

    Returns:
        task, uid, before, after, change, low, high (0 to 1) and direction ("rose" | "fell" | "").
    """
    difference = pl.col("accuracy_after") - pl.col("accuracy")
    below = ((pl.col("accuracy_after") - pl.col("low_after")) ** 2 + (pl.col("high") - pl.col("accuracy")) ** 2).sqrt()
    above = ((pl.col("high_after") - pl.col("accuracy_after")) ** 2 + (pl.col("accuracy") - pl.col("low")) ** 2).sqrt()
    return (
        before.join(after, on=["task", "uid"], suffix="_after")
        .select(
            "task",
            "uid",
            pl.col("accuracy").alias("before"),
            pl.col("accuracy_after").alias("after"),
            difference.alias("change"),
            (difference - below).alias("low"),
            (difference + above).alias("high"),
        )
        .with_columns(
            pl.when(pl.col("low") > 0)
            .then(pl.lit("rose"))
            .when(pl.col("high") < 0)
            .then(pl.lit("fell"))
            .otherwise(pl.lit(""))
            .alias("direction")
        )
        .sort("change", "task", "uid", descending=[True, False, False])
    )


def latest_versions(scores: pl.DataFrame) -> pl.DataFrame:
    """The rows of each model's newest scored version, by track and minimal pairs."""
    return scores.filter(pl.col("version") == pl.col("version").max().over("track", "model", "source"))


def changes_between_versions(scores: pl.DataFrame) -> list[tuple[str, str, int, int, pl.DataFrame]]:
    """For each model with two scored versions or more: track, model, the last two versions, and their comparison."""
    changes = []
    for (track, model, _), rows in sorted(scores.partition_by("track", "model", "source", as_dict=True).items()):
        versions = rows["version"].unique().sort()
        if len(versions) > 1:
            earlier, later = (rows.filter(pl.col("version") == version) for version in versions[-2:])
            changes.append((track, model, versions[-2], versions[-1], compare_scores(earlier, later)))
    return changes
