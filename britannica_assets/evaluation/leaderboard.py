"""Our models beside the published results, as a table."""

from collections.abc import Sequence

import polars as pl

from britannica_assets.evaluation.evaluation_data import OFFICIAL
from britannica_assets.evaluation.published import PUBLISHED
from britannica_assets.evaluation.tasks import TASKS, EvaluationTask
from britannica_assets.track_models import STUDENT, STUDENT_WITHOUT_TEACHERS

OURS = "this project"


def leaderboard_schema(tasks: Sequence[EvaluationTask] = TASKS) -> pl.Schema:
    """The columns of a leaderboard, one of them a task; accuracies in per cent, null where a value is not known."""
    return pl.Schema(
        {
            "model": pl.String(),
            "track": pl.String(),
            "version": pl.Int64(),
            "parameters": pl.Int64(),
            "train_words": pl.String(),
            **{task.name: pl.Float64() for task in tasks},
            "perplexity_by_word": pl.Float64(),
            "evaluation_data": pl.String(),
            "source": pl.String(),
        }
    )


def build_leaderboard(scores: pl.DataFrame, tasks: Sequence[EvaluationTask] = TASKS) -> pl.DataFrame:
    """One row a scored version of a model, then the published ones; accuracies in per cent, averaged over UIDs.

    Args:
        scores: the rows of the score assets, of all tracks and versions.
        tasks: become a column each; the first one orders the rows.

    Returns:
        The columns of `leaderboard_schema` and `blimp_by_million_parameters`, the paper's measure of what a
        parameter is worth.
    """
    schema = leaderboard_schema(tasks)
    first = tasks[0].name
    ours = (
        scores.group_by("track", "model", "version", "parameters", "train_words", "perplexity_by_word", "source")
        .agg((100 * pl.col("accuracy").filter(pl.col("task") == task.name).mean()).alias(task.name) for task in tasks)
        .with_columns(pl.col("source").alias("evaluation_data"), pl.lit(OURS).alias("source"))
        .sort("evaluation_data", "track", first, descending=[False, False, True])
        .select(schema.names())
    )
    published = pl.DataFrame(
        [
            {
                "model": result.model,
                "parameters": result.parameters,
                "train_words": result.train_words,
                **{task.name: result.accuracies.get(task.name) for task in tasks},
                "evaluation_data": OFFICIAL,
                "source": result.source.name,
            }
            for result in PUBLISHED
        ],
        schema=schema,
    ).sort(first, descending=True, nulls_last=True)
    return pl.concat([ours.cast(schema), published]).with_columns(
        (pl.col(first) / (pl.col("parameters") / 1e6)).alias(f"{first}_by_million_parameters")
    )


def distillation_gain(scores: pl.DataFrame) -> pl.DataFrame:
    """For each track, evaluation data and task, the student's accuracy less the ablation's, in points.

    Args:
        scores: the rows of the score assets, one version a model.
    """
    averages = scores.group_by("track", "source", "task", "model").agg(pl.col("accuracy").mean() * 100)
    student, ablation = (
        averages.filter(pl.col("model") == name).drop("model") for name in (STUDENT, STUDENT_WITHOUT_TEACHERS)
    )
    return (
        student.join(ablation, on=["track", "source", "task"], suffix="_ablation")
        .select(
            "track",
            pl.col("source").alias("evaluation_data"),
            "task",
            pl.col("accuracy").alias("student"),
            pl.col("accuracy_ablation").alias("without_teachers"),
            (pl.col("accuracy") - pl.col("accuracy_ablation")).alias("gain"),
        )
        .sort("track", "evaluation_data", "task")
    )
