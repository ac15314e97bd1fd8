"""Learning curves: how each task and phenomenon rose with the words that a model had seen."""

from typing import TYPE_CHECKING

import polars as pl

from britannica_assets.evaluation.accuracy import task_averages
from britannica_assets.evaluation.plots import MARKERS, by_phenomenon
from britannica_assets.evaluation.tasks import TASKS
from britannica_assets.track_models import models_in

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLUMNS = 4
MILLION = 1_000_000


def averages_by_words_seen(scores: pl.DataFrame) -> pl.DataFrame:
    """model, words_seen, task, value: each task's average in its unit, in per cent for accuracies.

    Args:
        scores: rows of `CHECKPOINT_SCORES_SCHEMA` of one track on the same files, one version a model.
    """
    accuracies = {
        task for (task,), rows in scores.partition_by("task", as_dict=True).items() if not rows["accuracy"].null_count()
    }
    rows = [
        (model, words, task, 100 * value if task in accuracies else value)
        for (model, words), of_checkpoint in scores.partition_by("model", "words_seen", as_dict=True).items()
        for task, value in task_averages(of_checkpoint).items()
    ]
    schema = {"model": pl.String, "words_seen": pl.Int64, "task": pl.String, "value": pl.Float64}
    return pl.DataFrame(rows, schema=schema, orient="row").sort("model", "words_seen", "task")


def learning_curves_plot(scores: pl.DataFrame, title: str) -> "Figure":
    """A panel for each task's average, then one for each phenomenon; the words seen on a logarithmic axis.

    Args:
        scores: see `averages_by_words_seen`.
        title: stands over the plot.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import FuncFormatter, NullFormatter

    phenomena = by_phenomenon(scores, "words_seen").rename({"accuracy": "value"})
    averages = averages_by_words_seen(scores)
    present = [task for task in TASKS if task.name in averages["task"]]
    panels = [(f"{task.column}, {task.unit}", averages.filter(pl.col("task") == task.name)) for task in present]
    pairs = {task.name for task in present if task.pairs}
    panels += [
        (f"{phenomenon}, %", rows)
        for (_, phenomenon), rows in phenomena.partition_by("task", "phenomenon", as_dict=True).items()
    ]
    height = -(-len(panels) // COLUMNS)
    figure = Figure(figsize=(8.6, 0.7 + 1.55 * height), layout="constrained")
    figure.suptitle(title, x=0.01, ha="left", fontsize=12)
    every = figure.subplots(height, COLUMNS, sharex=True, squeeze=False).flatten()
    models = models_in(averages["model"].to_list())
    for axes, (name, rows) in zip(every, panels, strict=False):
        for number, model in enumerate(models):
            curve = rows.filter(pl.col("model") == model.asset).sort("words_seen")
            axes.plot(
                curve["words_seen"] / MILLION,
                curve["value"],
                marker=MARKERS[number % len(MARKERS)],
                markersize=3,
                linewidth=1.1,
                color=model.color,
                label=model.label,
            )
        if pairs.intersection(rows["task"]):
            axes.axhline(50, color="#999", linewidth=0.8, linestyle=":")
        axes.set_title(name, loc="left", fontsize=8)
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter(FuncFormatter(lambda millions, _: f"{millions:g}M"))
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.tick_params(labelsize=7)
        axes.spines[["top", "right"]].set_visible(False)
    for axes in every[len(panels) :]:
        axes.set_visible(False)
    figure.supxlabel("words seen (dotted: chance)", fontsize=8)
    handles, labels = every[0].get_legend_handles_labels()
    figure.legend(handles, labels, frameon=False, ncols=4, loc="outside upper right", fontsize=8)
    return figure
