"""Two models on the same items: which groups rose, which fell, and by how much their averages differ.

Models answer the same items, so that their differences are tested in pairs (Dror et al. 2018).
"""

from collections.abc import Iterator

import numpy as np
import polars as pl

from britannica_assets.evaluation.intervals import holm, mcnemar_exact, paired_bootstrap, paired_interval

SIGNIFICANCE = 0.05
ITEM = ["task", "digest", "uid", "item"]  # what tells items of all tasks and files apart

VersionChange = tuple[str, str, int, int, pl.DataFrame]  # track, model, earlier and later version, `compare_groups`


def compare_groups(before: pl.DataFrame, after: pl.DataFrame) -> pl.DataFrame:
    """The change of accuracy on each group (UID), the largest rise first.

    Args:
        before: the outcomes of one model version: the columns of `ITEM`, and `right`.
        after: the same of another. Groups on other files are not counted.

    Returns:
        task, uid, items, before, after, change, low and high (0 to 1; the 95 % interval of the change), p (McNemar,
        exact, corrected for the number of groups by Holm) and direction: "rose" or "fell" where p is below 0.05.
    """
    first, second = pl.col("right"), pl.col("right_after")
    counts = (
        before.join(after, on=ITEM, suffix="_after")
        .group_by("task", "uid", maintain_order=True)
        .agg(
            (first & second).sum().alias("both"),
            (first & ~second).sum().alias("first"),
            (~first & second).sum().alias("second"),
            (~first & ~second).sum().alias("neither"),
        )
    )
    p_values = holm([mcnemar_exact(row["first"], row["second"]) for row in counts.iter_rows(named=True)])
    rows = []
    for row, p_value in zip(counts.iter_rows(named=True), p_values, strict=True):
        both, alone, other, neither = row["both"], row["first"], row["second"], row["neither"]
        items = both + alone + other + neither
        low, high = paired_interval(both, alone, other, neither)
        change = (other - alone) / items
        direction = "" if p_value >= SIGNIFICANCE else "rose" if change > 0 else "fell"
        accuracies = ((both + alone) / items, (both + other) / items)
        rows.append((row["task"], row["uid"], items, *accuracies, change, low, high, p_value, direction))
    columns = ["task", "uid", "items", "before", "after", "change", "low", "high", "p", "direction"]
    numbers = dict.fromkeys(columns[3:9], pl.Float64)
    schema = {"task": pl.String, "uid": pl.String, "items": pl.Int64, **numbers, "direction": pl.String}
    return pl.DataFrame(rows, schema=schema, orient="row").sort(
        "change", "task", "uid", descending=[True, False, False]
    )


def compare_averages(before: pl.DataFrame, after: pl.DataFrame) -> pl.DataFrame:
    """The change of each task's average over its groups.

    Args:
        before: outcomes as in `compare_groups`; with several seeds `right` is the share of them.
        after: the same of another model.

    Returns:
        task, digest, before, after, gain, low, high in per cent, and p (paired bootstrap); a row a task and its files.
    """
    joined = before.join(after, on=ITEM, suffix="_after").with_columns(pl.col("right", "right_after").cast(pl.Float64))
    rows = []
    for (task, digest), items in sorted(joined.partition_by("task", "digest", as_dict=True).items()):
        groups = {
            str(uid): (group["right_after"] - group["right"]).to_numpy()
            for (uid,), group in items.partition_by("uid", as_dict=True).items()
        }
        low, high, p_value = paired_bootstrap(groups)
        means = items.group_by("uid").agg(pl.col("right", "right_after").mean()).select(pl.col(pl.Float64).mean())
        earlier, later = means.row(0)
        gain = float(np.mean([difference.mean() for difference in groups.values()]))
        rows.append((task, digest, *(100 * value for value in (earlier, later, gain, low, high)), p_value))
    numbers = dict.fromkeys(["before", "after", "gain", "low", "high", "p"], pl.Float64)
    return pl.DataFrame(rows, schema={"task": pl.String, "digest": pl.String, **numbers}, orient="row")


def latest_versions(scores: pl.DataFrame) -> pl.DataFrame:
    """The rows of each model's newest scored version, by track, task and files."""
    return scores.filter(pl.col("version") == pl.col("version").max().over("track", "model", "task", "digest"))


def changes_between_versions(outcomes: pl.DataFrame) -> Iterator[VersionChange]:
    """For each model of which two versions answered the same files the change between the last two.

    Args:
        outcomes: track, model, version, the columns of `ITEM`, and `right`.
    """
    for (track, model), rows in sorted(outcomes.partition_by("track", "model", as_dict=True).items()):
        versions = rows["version"].unique().sort().to_list()
        if len(versions) < 2:
            continue
        later = rows.filter(pl.col("version") == versions[-1])
        for version in reversed(versions[:-1]):
            comparison = compare_groups(rows.filter(pl.col("version") == version), later)
            if len(comparison):
                yield track, model, version, versions[-1], comparison
                break
