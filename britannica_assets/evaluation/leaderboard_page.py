"""The leaderboard as one static HTML file that needs nothing beside it: what `leaderboard.html.jinja` shows."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

from britannica_assets.evaluation.comparison import changes_between_versions, compare_scores, latest_versions
from britannica_assets.evaluation.evaluation_data import OFFICIAL
from britannica_assets.evaluation.leaderboard import OURS, distillation_gain
from britannica_assets.evaluation.minimal_pairs import accuracy_by
from britannica_assets.evaluation.plots import phenomena_plot, size_plot
from britannica_assets.evaluation.published import SOURCES
from britannica_assets.evaluation.tasks import TASKS, EvaluationTask
from britannica_assets.plotting import as_svg
from britannica_assets.templates import render_template
from britannica_assets.track_models import STUDENT, STUDENT_WITHOUT_TEACHERS

CHANCE = 40  # %, where a bar begins: nothing below chance is worth the space


def write_page(path: Path, board: pl.DataFrame, scores: pl.DataFrame, tasks: Sequence[EvaluationTask] = TASKS) -> None:
    """Writes the page.

    Args:
        path: the file.
        board: the rows of `leaderboard`.
        scores: the rows of the score assets of all tracks and versions.
        tasks: the columns of accuracies.
    """
    from markupsafe import Markup

    latest = latest_versions(scores)
    ours = board.filter(pl.col("source") == OURS)
    official = board.filter(pl.col("evaluation_data") == OFFICIAL).sort(tasks[0].name, descending=True, nulls_last=True)
    page = render_template(
        "britannica_assets.evaluation",
        "leaderboard.html.jinja",
        columns=[task.column for task in tasks],
        metrics=_headline(board, ours, tasks),
        ours_total=len(ours),
        official=_board_rows(official, tasks),
        others=_board_rows(board.filter(pl.col("evaluation_data") != OFFICIAL), tasks),
        size_plot=Markup(as_svg(size_plot(board))),  # drawn by us; matplotlib escapes what it writes
        tracks=[
            {**_track(rows), "plot": Markup(as_svg(phenomena_plot(rows, _track_title(track, data))))}
            for (track, data), rows in sorted(latest.partition_by("track", "source", as_dict=True).items())
        ],
        gains=_gains(latest),
        distillation=_distillation(latest),
        versions=_versions(scores),
        sources=SOURCES,
    )
    path.write_text(page, encoding="utf-8")


def _headline(board: pl.DataFrame, ours: pl.DataFrame, tasks: Sequence[EvaluationTask]) -> list[dict[str, Any]]:
    """The best student of each track and the best published model, in large type."""
    first, columns = tasks[0].name, " / ".join(task.column for task in tasks)

    def values(row: dict[str, Any]) -> str:
        return " / ".join(_number(row[task.name]) for task in tasks)

    metrics: list[dict[str, Any]] = []
    for (track,), rows in sorted(ours.partition_by("track", as_dict=True).items()):
        best = rows.filter(pl.col("model") == STUDENT).sort(first, descending=True, nulls_last=True).head(1)
        for row in best.iter_rows(named=True):
            data = "" if row["evaluation_data"] == OFFICIAL else f", on {row['evaluation_data']}"
            caption = f"{columns}, best student of {track}{data}"
            metrics.append({"value": values(row), "caption": caption, "published": False})
    rival = board.filter(pl.col("source") != OURS).sort(first, descending=True, nulls_last=True).row(0, named=True)
    caption = f"the best published: {rival['model']}, {rival['train_words']} words"
    return [*metrics, {"value": values(rival), "caption": caption, "published": True}]


def _board_rows(board: pl.DataFrame, tasks: Sequence[EvaluationTask]) -> list[dict[str, Any]]:
    rows = []
    for row in board.iter_rows(named=True):
        ours = row["source"] == OURS
        data = "" if row["evaluation_data"] == OFFICIAL else f", {row['evaluation_data']}"
        rows.append(
            {
                "ours": ours,
                "model": row["model"].replace("_", " "),
                "below": f"{row['track']}, version {row['version']}{data}" if ours else row["source"],
                "parameters": _parameters(row["parameters"]),
                "train_words": row["train_words"],
                "accuracies": [
                    {"text": _number(row[task.name]), "share": _bar_share(row[task.name])} for task in tasks
                ],
                "worth": _number(row[f"{tasks[0].name}_by_million_parameters"]),
                "perplexity": _number(row["perplexity_by_word"]),
            }
        )
    return rows


def _track(scores: pl.DataFrame) -> dict[str, Any]:
    """One track's accuracies by field and by paradigm, a column a model."""
    paradigms = scores.pivot("model", index=["task", "uid", "pairs"], values="accuracy").sort("task", "uid")
    return {
        "name": scores["track"][0],
        "models": paradigms.columns[3:],
        "fields": accuracy_by(scores, "field").to_dicts(),
        "paradigms": paradigms.to_dicts(),
    }


def _track_title(track: object, evaluation_data: object) -> str:
    return f"Track {track}" + ("" if evaluation_data == OFFICIAL else f", on {evaluation_data}")


def _gains(latest: pl.DataFrame) -> list[dict[str, Any]]:
    return [
        {
            "track": row["track"],
            "task": row["task"] + ("" if row["evaluation_data"] == OFFICIAL else f", {row['evaluation_data']}"),
            "student": _number(row["student"]),
            "without_teachers": _number(row["without_teachers"]),
            "gain": row["gain"],
            "direction": "rose" if row["gain"] > 0 else "fell" if row["gain"] < 0 else "",
        }
        for row in distillation_gain(latest).iter_rows(named=True)
    ]


def _distillation(latest: pl.DataFrame) -> list[dict[str, Any]]:
    changes = []
    for (track, _), rows in sorted(latest.partition_by("track", "source", as_dict=True).items()):
        ablation, student = (rows.filter(pl.col("model") == name) for name in (STUDENT_WITHOUT_TEACHERS, STUDENT))
        comparison = compare_scores(ablation, student)
        changes.append(_changes(str(track), comparison, "without teachers", "student"))
    return changes


def _versions(scores: pl.DataFrame) -> list[dict[str, Any]]:
    return [
        _changes(
            f"{model.replace('_', ' ')}, {track}: version {earlier} to {later}",
            comparison,
            f"version {earlier}",
            f"version {later}",
        )
        for track, model, earlier, later, comparison in changes_between_versions(scores)
    ]


def _changes(title: str, comparison: pl.DataFrame, before: str, after: str) -> dict[str, Any]:
    moved = comparison.filter(pl.col("direction") != "")
    return {
        "title": title,
        "before": before,
        "after": after,
        "paradigms": len(comparison),
        "moved": moved.to_dicts(),
        "rose": int((moved["direction"] == "rose").sum()),
        "fell": int((moved["direction"] == "fell").sum()),
    }


def _bar_share(accuracy: float | None) -> str:
    """How far a bar goes, in per cent of its cell."""
    return f"{0 if accuracy is None else max(0.0, (accuracy - CHANCE) / (100 - CHANCE) * 100):.0f}"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:,.2f}" if value < 1_000 else f"{value:,.0f}"


def _parameters(value: int | None) -> str:
    return "–" if value is None else f"{value / 1e6:,.0f}M" if value >= 1e6 else f"{value / 1e3:,.0f}k"
