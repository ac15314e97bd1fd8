"""The leaderboard as one static HTML file that needs nothing beside it: what `leaderboard.html.jinja` shows."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from britannica_assets.evaluation.accuracy import accuracy_by
from britannica_assets.evaluation.comparison import VersionChange, compare_groups, latest_versions
from britannica_assets.evaluation.evaluation_data import OFFICIAL
from britannica_assets.evaluation.leaderboard import OURS
from britannica_assets.evaluation.learning_curves import averages_by_words_seen, learning_curves_plot
from britannica_assets.evaluation.plots import phenomena_plot, size_plot
from britannica_assets.evaluation.published import published
from britannica_assets.evaluation.scored_versions import ScoredVersions
from britannica_assets.evaluation.tasks import TASKS, EvaluationTask
from britannica_assets.plotting import as_svg
from britannica_assets.templates import render_template
from britannica_assets.track_models import STUDENT, STUDENT_WITHOUT_TEACHERS

VersionUrl = Callable[[str, int], str]
BAR_BEGINS = 40  # %, so that differences show


def write_page(
    path: Path,
    board: pl.DataFrame,
    scored: ScoredVersions,
    gains: pl.DataFrame,
    changes: Sequence[VersionChange],
    tasks: Sequence[EvaluationTask] = TASKS,
    *,
    curves: pl.DataFrame | None = None,
    version_url: VersionUrl | None = None,
) -> None:
    """Writes the page.

    Args:
        path: the file.
        board: the rows of `leaderboard`.
        scored: what the tracks' versions answered.
        gains: the rows of `distillation_gain`.
        changes: those of `changes_between_versions`.
        tasks: the columns of figures; those that none of our rows has are not counted.
        curves: rows of `CHECKPOINT_SCORES_SCHEMA` of the tracks whose checkpoints were scored; None for none.
        version_url: gives the address of a model's version in MLflow; None for no links.
    """
    from markupsafe import Markup

    ours = board.filter(pl.col("source") == OURS)
    tasks = [task for number, task in enumerate(tasks) if number == 0 or ours[task.name].count()]
    latest = latest_versions(scored.scores)
    pairs = latest.filter(pl.col("task").is_in([task.name for task in tasks if task.pairs]))
    official = board.filter(pl.col("evaluation_data") == OFFICIAL).sort(tasks[0].name, descending=True, nulls_last=True)
    page = render_template(
        "britannica_assets.evaluation",
        "leaderboard.html.jinja",
        columns=[f"{task.column}, {task.unit}" for task in tasks],
        first=tasks[0].column,
        metrics=_headline(board, tasks),
        ours_total=len(ours),
        official=_board_rows(official, tasks, version_url),
        others=_board_rows(board.filter(pl.col("evaluation_data") != OFFICIAL), tasks, version_url),
        # Drawn by us; matplotlib escapes what it writes.
        size_plot=Markup(as_svg(size_plot(board), "BLiMP accuracy by size")),
        tracks=[
            {**_track(rows), "plot": Markup(_phenomena_plot(rows, _track_title(track, data)))}
            for (track, data), rows in sorted(pairs.partition_by("track", "source", as_dict=True).items())
        ],
        curves=[] if curves is None else _curves(curves, tasks),
        gains=_gains(gains),
        distillation=_distillation(scored),
        versions=_versions(changes),
        sources=published().sources.values(),
    )
    path.write_text(page, encoding="utf-8")


def _headline(board: pl.DataFrame, tasks: Sequence[EvaluationTask]) -> list[dict[str, Any]]:
    """The best student of each track, on the official data where there is one, and the best published model."""
    tasks = [task for task in tasks if not task.optional]
    first, columns = tasks[0].name, " / ".join(task.column for task in tasks)

    def values(row: dict[str, Any]) -> str:
        return " / ".join(_number(row[task.name]) for task in tasks)

    metrics: list[dict[str, Any]] = []
    students = board.filter(pl.col("source") == OURS, pl.col("model") == STUDENT, pl.col(first).is_not_null())
    for (track,), rows in sorted(students.partition_by("track", as_dict=True).items()):
        official = rows.filter(pl.col("evaluation_data") == OFFICIAL)
        best = (rows if official.is_empty() else official).sort(first, descending=True).row(0, named=True)
        caption = f"{columns}, best student of {track}{_on(best['evaluation_data'])}"
        metrics.append({"value": values(best), "caption": caption, "published": False})
    others = board.filter(pl.col("source") != OURS, pl.col("train_words") == "10M")
    best_published = others.sort(first, descending=True, nulls_last=True).row(0, named=True)
    caption = f"the best published on {best_published['train_words']} words: {best_published['model']}"
    return [*metrics, {"value": values(best_published), "caption": caption, "published": True}]


def _on(evaluation_data: object) -> str:
    """What stands behind a name where its figures are of other files than BabyLM's."""
    return "" if evaluation_data == OFFICIAL else f", on {evaluation_data}"


def _board_rows(
    board: pl.DataFrame, tasks: Sequence[EvaluationTask], version_url: VersionUrl | None
) -> list[dict[str, Any]]:
    rows = []
    for row in board.iter_rows(named=True):
        ours = row["source"] == OURS
        rows.append(
            {
                "ours": ours,
                "model": row["model"].replace("_", " "),
                "subtitle": _our_subtitle(row) if ours else _published_subtitle(row),
                "version": f"version {row['version']}" if ours else "",
                "url": version_url(row["model"], row["version"]) if ours and version_url else None,
                "parameters": _parameters(row["parameters"]),
                "train_words": row["train_words"] or "–",
                "figures": [_figure(row, task, first=number == 0) for number, task in enumerate(tasks)],
                "by_million_parameters": _number(row[f"{tasks[0].name}_by_million_parameters"]),
                "perplexity": _number(row["perplexity_by_word"]),
                "bits": "–" if row["bits_per_byte"] is None else f"{row['bits_per_byte']:.3f}",
                "context": row["context_length"],
            }
        )
    return rows


def _our_subtitle(row: dict[str, Any]) -> str:
    """What stands below our model's name, behind its version."""
    date = "" if row["date"] is None else f" of {row['date']}"
    seeds = "" if row["seed"] is None else f", seed{'s' if row['seeds'] > 1 else ''} {row['seed']}"
    return f"{date}, {row['track']}, scale {row['scale']}{seeds}{_on(row['evaluation_data'])}"


def _published_subtitle(row: dict[str, Any]) -> str:
    known = [row["source"], row["date"], row["scorer"] and f"scorer of {row['scorer']}"]
    seeds = [f"{row['seeds']} seeds"] if row["seeds"] > 1 else []
    return ", ".join([*(text for text in known if text and text not in row["source"][:-1]), *seeds])


def _figure(row: dict[str, Any], task: EvaluationTask, *, first: bool) -> dict[str, Any]:
    """A task's cell: the figure, and below it what must stand with it."""
    value, low, high, sd = (row[f"{task.name}{figure}"] for figure in ("", "_low", "_high", "_sd"))
    official, ties, long = (row[f"{task.name}{figure}"] for figure in ("_official", "_ties", "_beyond_context"))
    notes = []
    if low is not None and high is not None:
        notes.append(f"{_number(low)} to {_number(high)}")
    if ties:
        notes.append(f"{ties:,} ties; official {_number(official)}")
    if long:
        notes.append(f"{long:,} longer than the context")
    if first and row[f"{task.name}_over_terms"] is not None:
        notes.append(f"over terms {_number(row[f'{task.name}_over_terms'])}")
    return {
        "text": _with_spread(value, sd, row["seeds"]),
        "notes": notes,
        "share": _bar_share(value) if task.pairs else "0",
    }


def _track(scores: pl.DataFrame) -> dict[str, Any]:
    """One track's accuracies by field and by paradigm, a column a model."""
    paradigms = scores.pivot("model", index=["task", "uid", "items"], values="accuracy").sort("task", "uid")
    return {
        "name": scores["track"][0],
        "models": paradigms.columns[3:],
        "fields": accuracy_by(scores, "field").to_dicts(),
        "paradigms": paradigms.to_dicts(),
    }


def _phenomena_plot(scores: pl.DataFrame, title: str) -> str:
    return as_svg(phenomena_plot(scores, title), f"Accuracy by phenomenon: {title}")


def _track_title(track: object, evaluation_data: object) -> str:
    return f"Track {track}{_on(evaluation_data)}"


def _curves(scores: pl.DataFrame, tasks: Sequence[EvaluationTask]) -> list[dict[str, Any]]:
    """For each track the learning curves of its newest versions, and their averages as a table."""
    from markupsafe import Markup

    columns = {task.name: f"{task.column}, {task.unit}" for task in tasks}
    found = []
    for (track,), rows in sorted(latest_versions(scores).partition_by("track", as_dict=True).items()):
        averages = averages_by_words_seen(rows).filter(pl.col("task").is_in(list(columns)))
        table = averages.pivot("task", index=["model", "words_seen"], values="value").sort("model", "words_seen")
        title = f"Track {track}"
        found.append(
            {
                "track": track,
                "plot": Markup(as_svg(learning_curves_plot(rows, title), f"Learning curves: {title}")),
                "sources": rows.select("task", "source").unique().sort("task").rows(),
                "columns": [columns[name] for name in table.columns[2:]],
                "rows": [
                    {
                        "model": model,
                        "words": f"{words // 1_000_000}M",
                        "figures": [_number(value) for value in figures],
                    }
                    for model, words, *figures in table.iter_rows()
                ],
            }
        )
    return found


def _gains(gains: pl.DataFrame) -> list[dict[str, Any]]:
    return [
        {
            "track": row["track"],
            "task": f"{row['task']}{_on(row['evaluation_data'])}",
            **{
                model: _with_spread(row[model], row[f"{model}_sd"], row[f"{model}_seeds"])
                for model in ("student", "without_teachers")
            },
            **{name: row[name] for name in ("gain", "low", "high", "p", "verdict")},
        }
        for row in gains.iter_rows(named=True)
    ]


def _with_spread(value: float | None, sd: float | None, seeds: int) -> str:
    """A figure, and its standard deviation over seeds where there are several."""
    return _number(value) + ("" if sd is None else f" ± {_number(sd)} ({seeds})")


def _distillation(scored: ScoredVersions) -> list[dict[str, Any]]:
    changes = []
    for (track, _), rows in sorted(scored.outcomes.partition_by("track", "digest", as_dict=True).items()):
        ablation, student = (
            of_model.filter(pl.col("version") == pl.col("version").max())
            for of_model in (rows.filter(pl.col("model") == name) for name in (STUDENT_WITHOUT_TEACHERS, STUDENT))
        )
        comparison = compare_groups(ablation, student)
        if len(comparison):
            title = f"{track}, {', '.join(comparison['task'].unique().sort())}"
            changes.append(_changes(title, comparison, "without teachers", "student"))
    return changes


def _versions(changes: Sequence[VersionChange]) -> list[dict[str, Any]]:
    return [
        _changes(
            f"{model.replace('_', ' ')}, {track}: version {earlier} to {later}",
            comparison,
            f"version {earlier}",
            f"version {later}",
        )
        for track, model, earlier, later, comparison in changes
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
    return f"{0 if accuracy is None else max(0.0, (accuracy - BAR_BEGINS) / (100 - BAR_BEGINS) * 100):.0f}"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:,.2f}" if value < 1_000 else f"{value:,.0f}"


def _parameters(value: int | None) -> str:
    return "–" if value is None else f"{value / 1e6:,.0f}M" if value >= 1e6 else f"{value / 1e3:,.0f}k"
