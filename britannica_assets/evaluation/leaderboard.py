"""Our models beside the published results, as a table."""

from collections.abc import Sequence
from math import isnan
from statistics import fmean, stdev

import polars as pl

from britannica_assets.evaluation.accuracy import accuracy_over_terms, average_with_interval, task_official_average
from britannica_assets.evaluation.comparison import SIGNIFICANCE, compare_averages
from britannica_assets.evaluation.evaluation_data import OFFICIAL
from britannica_assets.evaluation.published import Source, published
from britannica_assets.evaluation.tasks import TASKS, EvaluationTask
from britannica_assets.track_models import STUDENT, STUDENT_WITHOUT_TEACHERS

OURS = "this project"
OUR_SCORER = 2025  # the year of the BabyLM pipeline that our scorers follow
ROW = ["track", "model", "recipe", "source"]  # what tells our rows apart; versions that differ in seed alone share one

FIGURES = ("", "_low", "_high", "_sd", "_official", "_ties", "_beyond_context")


def leaderboard_schema(tasks: Sequence[EvaluationTask] = TASKS) -> pl.Schema:
    """The columns of a leaderboard, null where a value is not known.

    Of each task: its figure in its unit, the ends of its 95 % interval, the standard deviation over `seeds` (null for
    one), the official figure, in which ties are right, how many items were ties and how many longer than the context;
    of the first task also the figure over BLiMP's linguistic terms. `seeds` is their number and `seed` names them;
    `version` is the newest of them, and `date` the day on which it was trained, of published results the year.
    """
    numbers = {"_ties": pl.Int64(), "_beyond_context": pl.Int64()}
    first = tasks[0].name
    return pl.Schema(
        {
            "model": pl.String(),
            "track": pl.String(),
            "scale": pl.String(),
            "version": pl.Int64(),
            "date": pl.String(),
            "seeds": pl.Int64(),
            "seed": pl.String(),
            "parameters": pl.Int64(),
            "train_words": pl.String(),
            **{f"{task.name}{figure}": numbers.get(figure, pl.Float64()) for task in tasks for figure in FIGURES},
            f"{first}_over_terms": pl.Float64(),
            f"{first}_by_million_parameters": pl.Float64(),
            "perplexity_by_word": pl.Float64(),
            "bits_per_byte": pl.Float64(),
            "context_length": pl.Int64(),
            "evaluation_data": pl.String(),
            "scorer": pl.Int64(),
            "corpus": pl.String(),
            "source": pl.String(),
        }
    )


def build_leaderboard(scores: pl.DataFrame, tasks: Sequence[EvaluationTask] = TASKS) -> pl.DataFrame:
    """A row for each recipe and evaluation data of a model, then the published ones; in the order of the first task.

    Args:
        scores: the rows of the score assets, of all tracks and versions.
        tasks: become columns; the first one orders the rows.

    Returns:
        The columns of `leaderboard_schema`. Figures are averaged over groups (UIDs), then over seeds.
    """
    schema = leaderboard_schema(tasks)
    first = tasks[0].name
    ours = pl.DataFrame(
        [_our_row(rows, tasks) for rows in scores.partition_by(*ROW, maintain_order=True)], schema=schema
    ).sort("evaluation_data", "track", first, descending=[False, False, True], nulls_last=True)
    content = published()
    others = pl.DataFrame(
        [
            {
                "model": result.model,
                "date": _year(content.sources[result.source]),
                "seeds": result.seeds,
                "parameters": result.parameters,
                "train_words": result.train_words,
                **{task.name: result.scores.get(task.name) for task in tasks},
                **{f"{task.name}_sd": result.standard_deviations.get(task.name) for task in tasks},
                "evaluation_data": OFFICIAL,
                "scorer": content.sources[result.source].scorer,
                "corpus": content.sources[result.source].corpus,
                "source": content.sources[result.source].name,
            }
            for result in content.results
        ],
        schema=schema,
    ).sort(first, descending=True, nulls_last=True)
    return pl.concat([ours, others]).with_columns(
        (pl.col(first) / (pl.col("parameters") / 1e6)).alias(f"{first}_by_million_parameters")
    )


def _year(source: Source) -> str | None:
    return None if source.date is None else str(source.date)


def _our_row(scores: pl.DataFrame, tasks: Sequence[EvaluationTask]) -> dict[str, object]:
    """The row of one recipe on one evaluation data."""
    newest = scores.filter(pl.col("version") == pl.col("version").max())
    known = {name: newest[name].drop_nulls() for name in ("perplexity_by_word", "bits_per_byte")}
    row: dict[str, object] = {
        "model": newest["model"][0],
        "track": newest["track"][0],
        "scale": newest["scale"][0],
        "version": newest["version"][0],
        "date": None if newest["trained"][0] is None else newest["trained"][0].isoformat(),
        "seeds": scores["version"].n_unique(),
        "seed": ", ".join(map(str, scores["seed"].drop_nulls().unique().sort())) or None,
        "parameters": newest["parameters"][0],
        "train_words": newest["train_words"][0],
        **{name: values[0] if len(values) else None for name, values in known.items()},
        "context_length": newest["context_length"][0],
        "evaluation_data": newest["source"][0],
        "scorer": OUR_SCORER,
        "corpus": newest["track"][0],
        "source": OURS,
    }
    for number, task in enumerate(tasks):
        of_task = scores.filter(pl.col("task") == task.name)
        # On other files of the same name only the newest version's count.
        digest = of_task.filter(pl.col("version") == pl.col("version").max())["digest"].head(1).to_list()
        of_task = of_task.filter(pl.col("digest").is_in(digest))
        if of_task.is_empty():
            continue
        row |= {f"{task.name}{figure}": value for figure, value in _figures(of_task).items()}
        if number == 0:
            over_terms = [accuracy_over_terms(version) for version in of_task.partition_by("version")]
            known_terms = [100 * average for average in over_terms if average is not None]
            row[f"{task.name}_over_terms"] = fmean(known_terms) if known_terms else None
    return row


def _figures(scores: pl.DataFrame) -> dict[str, float | int | None]:
    """A task's figures by their suffix, means over the versions, which differ in seed alone."""
    versions = sorted(scores.partition_by("version"), key=lambda version: int(version["version"][0]))
    values, lows, highs = zip(*map(average_with_interval, versions), strict=True)
    has_accuracy = versions[-1]["accuracy"].null_count() == 0
    official = [task_official_average(version) for version in versions] if has_accuracy else []
    low, high = fmean(lows), fmean(highs)
    return {
        "": fmean(values),
        "_low": None if isnan(low) else low,
        "_high": None if isnan(high) else high,
        "_sd": stdev(values) if len(values) > 1 else None,
        "_official": fmean(official) if official else None,
        "_ties": int(versions[-1]["ties"].sum()) if has_accuracy else None,
        "_beyond_context": int(versions[-1]["beyond_context"].sum()),
    }


def distillation_gain(scores: pl.DataFrame, outcomes: pl.DataFrame) -> pl.DataFrame:
    """What the student's average accuracy gains over the ablation's, by track, task and files that both answered.

    Of each of the two the newest recipe counts, all its seeds together.

    Args:
        scores: the rows of the score assets.
        outcomes: those of `ScoredVersions`.

    Returns:
        track, evaluation_data, task, digest, student and without_teachers with their seeds and standard deviations
        (null for one seed), gain, low and high, in per cent; p (paired bootstrap); verdict: "rose", "fell", or "open"
        where p is not below 0.05 or the gain is within the spread of one seed.
    """
    sources = dict(scores.select("digest", "source").unique().iter_rows())
    rows = []
    for (track,), of_track in sorted(outcomes.partition_by("track", as_dict=True).items()):
        student, ablation = (_newest_recipe(of_track, model) for model in (STUDENT, STUDENT_WITHOUT_TEACHERS))
        compared = compare_averages(_over_seeds(ablation), _over_seeds(student))
        for row in compared.iter_rows(named=True):
            task, digest = row["task"], row["digest"]
            student_seeds, student_sd = _seed_spread(student, task, digest)
            ablation_seeds, ablation_sd = _seed_spread(ablation, task, digest)
            spread = max(student_sd or 0.0, ablation_sd or 0.0)
            is_open = row["p"] >= SIGNIFICANCE or abs(row["gain"]) <= spread
            rows.append(
                {
                    "track": track,
                    "evaluation_data": sources.get(digest),
                    "task": task,
                    "digest": digest,
                    "student": row["after"],
                    "student_seeds": student_seeds,
                    "student_sd": student_sd,
                    "without_teachers": row["before"],
                    "without_teachers_seeds": ablation_seeds,
                    "without_teachers_sd": ablation_sd,
                    **{name: row[name] for name in ("gain", "low", "high", "p")},
                    "verdict": "open" if is_open else "rose" if row["gain"] > 0 else "fell",
                }
            )
    of_model = {"": pl.Float64, "_seeds": pl.Int64, "_sd": pl.Float64}
    return pl.DataFrame(
        rows,
        schema={
            **dict.fromkeys(("track", "evaluation_data", "task", "digest"), pl.String),
            **{f"student{figure}": kind for figure, kind in of_model.items()},
            **{f"without_teachers{figure}": kind for figure, kind in of_model.items()},
            **dict.fromkeys(("gain", "low", "high", "p"), pl.Float64),
            "verdict": pl.String,
        },
    )


def _newest_recipe(outcomes: pl.DataFrame, model: str) -> pl.DataFrame:
    of_model = outcomes.filter(pl.col("model") == model)
    newest = of_model.filter(pl.col("version") == pl.col("version").max())
    return of_model.filter(pl.col("recipe").is_in(newest["recipe"].unique().to_list()))


def _over_seeds(outcomes: pl.DataFrame) -> pl.DataFrame:
    """For each item the share of versions that have it right."""
    return outcomes.group_by("task", "digest", "uid", "item").agg(pl.col("right").cast(pl.Float64).mean())


def _seed_spread(outcomes: pl.DataFrame, task: str, digest: str) -> tuple[int, float | None]:
    """How many versions answered, and the standard deviation of their averages in per cent (None for one)."""
    by_version = (
        outcomes.filter(pl.col("task") == task, pl.col("digest") == digest)
        .group_by("version", "uid")
        .agg(pl.col("right").mean())
        .group_by("version")
        .agg(pl.col("right").mean() * 100)
    )
    averages: list[float] = by_version["right"].to_list()
    return len(averages), stdev(averages) if len(averages) > 1 else None
