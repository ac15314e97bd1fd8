"""Pictures of the scores, drawn by matplotlib."""

from typing import TYPE_CHECKING

import polars as pl

from britannica_assets.evaluation.leaderboard import GOALS, OFFICIAL, OURS
from britannica_assets.plotting import as_markdown, new_plot

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MODEL_COLORS = {
    "student": "#8a3b2e",
    "student_without_teachers": "#d39a6a",
    "teacher_gpt2": "#4a6785",
    "teacher_llama": "#8fa9bf",
}


def by_linguistic_term(scores: pl.DataFrame) -> pl.DataFrame:
    """track, model, suite, term, accuracy, low and high in per cent: the mean over the term's UIDs with its interval.

    The term's half-width is put together from its UIDs', which are independent.
    """
    return (
        scores.with_columns(
            pl.when(pl.col("suite") == "supplement")
            .then(pl.col("uid"))
            .otherwise(pl.col("linguistics_term"))
            .str.replace_all("_", " ")
            .alias("term")
        )
        .group_by("track", "model", "suite", "term")
        .agg(
            (pl.col("accuracy").mean() * 100).alias("accuracy"),
            (100 * (((pl.col("high") - pl.col("low")) / 2) ** 2).sum().sqrt() / pl.len()).alias("half"),
        )
        .with_columns(
            (pl.col("accuracy") - pl.col("half")).clip(0, 100).alias("low"),
            (pl.col("accuracy") + pl.col("half")).clip(0, 100).alias("high"),
        )
        .drop("half")
        .sort("suite", "term", "track", "model")
    )


def phenomena_plot(scores: pl.DataFrame, title: str) -> "Figure":
    """Accuracy of each model by linguistic term, as points with their 95 % intervals; the best term on top.

    Args:
        scores: the rows of `blimp_scores` of one track, one version a model.
        title: stands over the picture.
    """
    from matplotlib.figure import Figure

    terms = by_linguistic_term(scores)
    leading = pl.col("accuracy").filter(pl.col("model") == "student").mean()
    means = terms.group_by("suite", "term").agg(leading.fill_null(pl.col("accuracy").mean()))
    order = means.sort("suite", "accuracy", descending=[True, False])
    places = {term: place for place, term in enumerate(order["term"])}
    figure = Figure(figsize=(8.6, 1.5 + 0.36 * len(places)), layout="constrained")
    axes = figure.subplots()
    models = [model for model in MODEL_COLORS if model in terms["model"]]
    for number, model in enumerate(models):
        rows = terms.filter(pl.col("model") == model)
        heights = [places[term] + 0.16 * ((len(models) - 1) / 2 - number) for term in rows["term"]]
        errors = [(rows["accuracy"] - rows["low"]).to_list(), (rows["high"] - rows["accuracy"]).to_list()]
        axes.errorbar(
            rows["accuracy"],
            heights,
            xerr=errors,
            fmt="o",
            markersize=5,
            elinewidth=1.2,
            color=MODEL_COLORS[model],
            label=model.replace("_", " "),
        )
    axes.axvline(50, color="#999", linewidth=0.8, linestyle=":")
    axes.annotate("chance", (50, -0.75), color="#777", fontsize=8, ha="center", va="center", backgroundcolor="white")
    supplement = int((order["suite"] == "supplement").sum())
    if 0 < supplement < len(places):
        axes.axhline(supplement - 0.5, color="#ccc", linewidth=0.8)
        for name, height in (("BLiMP", (supplement + len(places) - 1) / 2), ("supplement", (supplement - 1) / 2)):
            axes.annotate(
                name,
                (1.01, height),
                xycoords=("axes fraction", "data"),
                color="#777",
                fontsize=9,
                rotation=270,
                va="center",
            )
    axes.set_yticks(range(len(places)), list(places))
    axes.set(xlim=(0, 101), ylim=(-1, len(places) - 0.4), xlabel="accuracy, %")
    axes.grid(axis="y", color="#eee")
    axes.set_axisbelow(True)
    axes.tick_params(axis="y", length=0)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.set_title(title, loc="left", fontsize=12, pad=26)
    axes.legend(frameon=False, ncols=4, loc="lower left", bbox_to_anchor=(-0.02, 1.0), fontsize=9)
    return figure


def size_plot(board: pl.DataFrame) -> "Figure":
    """BLiMP accuracy against parameters, ours and the published; rings where other minimal pairs were used."""
    figure = new_plot("BLiMP by size", "parameters", "BLiMP, %")
    figure.set_size_inches(8.6, 4.2)
    axes = figure.axes[0]
    official = board["minimal_pairs"] == OFFICIAL
    published = board.filter(board["source"] != OURS)
    ours, sampled = board.filter((board["source"] == OURS) & official), board.filter(~official)
    axes.scatter(published["parameters"], published["blimp"], color="#4a6785", label="published")
    if len(ours):
        axes.scatter(ours["parameters"], ours["blimp"], color="#8a3b2e", s=50, label="ours")
    if len(sampled):
        axes.scatter(
            sampled["parameters"],
            sampled["blimp"],
            facecolors="none",
            edgecolors="#8a3b2e",
            label="ours, on the sample's pairs: not comparable",
        )
    for row in published.iter_rows(named=True):
        left = row["parameters"] < 1e8  # away from the crowd of 125M
        axes.annotate(
            f"{row['model']}, {row['train_words']}",
            (row["parameters"], row["blimp"]),
            xytext=(-6 if left else 6, 0),
            textcoords="offset points",
            fontsize=7.5,
            color="#555",
            ha="right" if left else "left",
            va="top" if GOALS[0][0] - 1 < row["blimp"] <= GOALS[0][0] else "center",  # clear of the goal's line
        )
    axes.axhline(GOALS[0][0], color="#8a3b2e", linewidth=0.8, linestyle="--")
    axes.annotate(
        "our goal",
        (0.99, GOALS[0][0]),
        xycoords=("axes fraction", "data"),
        fontsize=8,
        color="#8a3b2e",
        ha="right",
        va="bottom",
    )
    axes.set_xscale("log")
    axes.set_xlim(min(4e6, float(board.select(pl.col("parameters").min()).item()) / 2), 4e9)  # room for the names
    axes.set_title("")
    axes.legend(frameon=False, fontsize=8.5, ncols=3, loc="lower left", bbox_to_anchor=(0, 1))
    return figure


def blimp_by_size(board: pl.DataFrame) -> str:
    """`size_plot` as a Markdown image."""
    return as_markdown(size_plot(board))


def accuracy_by_phenomenon(scores: pl.DataFrame) -> str:
    """`phenomena_plot` as a Markdown image."""
    return as_markdown(phenomena_plot(scores, "Accuracy by phenomenon"))
