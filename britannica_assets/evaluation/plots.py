"""Plots of the scores, drawn by matplotlib."""

from typing import TYPE_CHECKING

import polars as pl

from britannica_assets.evaluation.accuracy import NO_LABEL
from britannica_assets.evaluation.evaluation_data import OFFICIAL
from britannica_assets.evaluation.leaderboard import OURS
from britannica_assets.evaluation.published import published
from britannica_assets.evaluation.tasks import TASKS
from britannica_assets.plotting import as_markdown, new_plot
from britannica_assets.track_models import STUDENT, models_in

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MARKERS = "osD^vPX*"  # one a model, so that colour alone does not tell them apart


def by_phenomenon(scores: pl.DataFrame, *keys: str) -> pl.DataFrame:
    """track, model, `keys`, task, phenomenon; in per cent accuracy, the mean over its UIDs, and its interval's sides.

    A phenomenon is BLiMP's linguistic term; a paradigm without one stands for itself. The ends of its interval are put
    together from its UIDs', which are independent, as in `intervals.average_interval`. Other tasks than those of
    minimal pairs are not counted.
    """
    below, above = pl.col("accuracy") - pl.col("low"), pl.col("high") - pl.col("accuracy")
    return (
        scores.filter(pl.col("task").is_in([task.name for task in TASKS if task.pairs]))
        .with_columns(
            pl.when(pl.col("linguistics_term").is_in([NO_LABEL, ""]))
            .then(pl.col("uid"))
            .otherwise(pl.col("linguistics_term"))
            .str.replace_all("_", " ")
            .alias("phenomenon")
        )
        .group_by("track", "model", *keys, "task", "phenomenon")
        .agg(
            (100 * pl.col("accuracy").mean()).alias("accuracy"),
            (100 * (below**2).sum().sqrt() / pl.len()).alias("below"),
            (100 * (above**2).sum().sqrt() / pl.len()).alias("above"),
        )
        .sort("task", "phenomenon", "track", "model", *keys)
    )


def phenomena_plot(scores: pl.DataFrame, title: str) -> "Figure":
    """Accuracy of each model by phenomenon, as points with their 95 % intervals; the best phenomenon on top.

    Args:
        scores: the rows of the score assets of one track on the same files, one version a model.
        title: stands over the plot.
    """
    from matplotlib.figure import Figure

    phenomena = by_phenomenon(scores)
    leading = pl.col("accuracy").filter(pl.col("model") == STUDENT).mean()
    means = phenomena.group_by("task", "phenomenon").agg(leading.fill_null(pl.col("accuracy").mean()))
    order = means.sort("task", "accuracy", descending=[True, False])
    places = {row: place for place, row in enumerate(order.select("task", "phenomenon").rows())}
    figure = Figure(figsize=(8.6, 1.5 + 0.36 * len(places)), layout="constrained")
    axes = figure.subplots()
    models = models_in(phenomena["model"].to_list())
    for number, model in enumerate(models):
        rows = phenomena.filter(pl.col("model") == model.asset)
        offset = 0.16 * ((len(models) - 1) / 2 - number)
        axes.errorbar(
            rows["accuracy"],
            [places[row] + offset for row in rows.select("task", "phenomenon").rows()],
            xerr=[rows["below"].to_list(), rows["above"].to_list()],
            fmt=MARKERS[number % len(MARKERS)],
            markersize=5,
            elinewidth=1.2,
            color=model.color,
            label=model.label,
        )
    axes.axvline(50, color="#999", linewidth=0.8, linestyle=":")
    axes.annotate("chance", (50, -0.75), color="#777", fontsize=8, ha="center", va="center", backgroundcolor="white")
    _name_tasks(axes, order["task"].to_list())
    axes.set_yticks(range(len(places)), [phenomenon for _, phenomenon in places])
    axes.set(xlim=(0, 101), ylim=(-1, len(places) - 0.4), xlabel="accuracy, %")
    axes.grid(axis="y", color="#eee")
    axes.set_axisbelow(True)
    axes.tick_params(axis="y", length=0)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.set_title(title, loc="left", fontsize=12, pad=26)
    axes.legend(frameon=False, ncols=4, loc="lower left", bbox_to_anchor=(-0.02, 1.0), fontsize=9)
    return figure


def _name_tasks(axes: "Axes", tasks: list[str]) -> None:
    """Divides the rows, which are in the order of `tasks`, by a line between two tasks, and names each at the right."""
    distinct = list(dict.fromkeys(tasks))
    if len(distinct) == 1:
        return
    for task in distinct:
        first, number = tasks.index(task), tasks.count(task)
        if first:
            axes.axhline(first - 0.5, color="#ccc", linewidth=0.8)
        axes.annotate(
            task,
            (1.01, first + (number - 1) / 2),
            xycoords=("axes fraction", "data"),
            color="#777",
            fontsize=9,
            rotation=270,
            va="center",
        )


def size_plot(board: pl.DataFrame) -> "Figure":
    """BLiMP accuracy against parameters, ours and the published, on the official pairs alone, and the goals."""
    figure = new_plot("", "parameters", "BLiMP, %")
    figure.set_size_inches(8.6, 4.2)
    axes = figure.axes[0]
    official = board.filter(
        pl.col("evaluation_data") == OFFICIAL, pl.col("blimp").is_not_null(), pl.col("parameters").is_not_null()
    )
    others, ours = official.filter(pl.col("source") != OURS), official.filter(pl.col("source") == OURS)
    axes.scatter(others["parameters"], others["blimp"], color="#4a6785", label="published")
    if len(ours):
        axes.scatter(ours["parameters"], ours["blimp"], color="#8a3b2e", marker="D", s=50, label="ours")
    for row in others.iter_rows(named=True):
        left = row["parameters"] < 1e8  # away from the crowd of 125M
        axes.annotate(
            f"{row['model']}, {row['train_words'] or 'words unknown'}",
            (row["parameters"], row["blimp"]),
            xytext=(-6 if left else 6, 0),
            textcoords="offset points",
            fontsize=7.5,
            color="#555",
            ha="right" if left else "left",
            va="center",
        )
    goals = [goal for goal in published().goals if "blimp" in goal.scores]
    axes.scatter(
        [goal.parameters for goal in goals],
        [goal.scores["blimp"] for goal in goals],
        facecolors="none",
        edgecolors="#8a3b2e",
        marker="s",
        s=50,
        label="our goals",
    )
    axes.set_xscale("log")
    axes.set_xlim(2e6, 4e9)  # space for the names
    axes.legend(frameon=False, fontsize=8.5, ncols=3, loc="lower left", bbox_to_anchor=(0, 1))
    return figure


def blimp_by_size(board: pl.DataFrame) -> str:
    """`size_plot` as a Markdown image."""
    return as_markdown(size_plot(board))


def accuracy_by_phenomenon(scores: pl.DataFrame) -> str:
    """`phenomena_plot` as a Markdown image."""
    return as_markdown(phenomena_plot(scores, "Accuracy by phenomenon"))
