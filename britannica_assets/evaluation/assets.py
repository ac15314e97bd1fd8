"""Scores in Dagster: every model of a track on minimal pairs, and the leaderboard over all tracks."""

import shutil
import tempfile
from pathlib import Path

import dagster as dg
import polars as pl

from britannica_assets.config import load_configuration
from britannica_assets.digests import table_digest
from britannica_assets.evaluation import leaderboard as board
from britannica_assets.evaluation import plots
from britannica_assets.evaluation.comparison import changes_between_versions, compare_scores, latest_versions
from britannica_assets.evaluation.leaderboard_page import write_page
from britannica_assets.evaluation.minimal_pairs import accuracy_by
from britannica_assets.evaluation.score_models import score_models
from britannica_assets.evaluation.scored_versions import attach_page, scored_versions
from britannica_assets.files import atomic_write
from britannica_assets.partitions import track_partitions
from britannica_assets.settings import Settings
from britannica_assets.storage import asset_path

GROUP = "evaluation"
OWNERS = ["team:britannica"]


@dg.asset(
    group_name=GROUP,
    owners=OWNERS,
    kinds={"pytorch", "mlflow", "parquet"},
    code_version="1",
    partitions_def=track_partitions,
    pool="training",
)
def blimp_scores(
    context: dg.AssetExecutionContext,
    settings: dg.ResourceParam[Settings],
    token_ids: Path,
    corpus_split: pl.LazyFrame,
    teacher_gpt2: Path,
    teacher_llama: Path,
    student: Path,
    student_without_teachers: Path,
) -> dg.MaterializeResult[pl.DataFrame]:
    """BLiMP and BLiMP-supplement accuracy of every model of the track, by phenomenon, and validation perplexity."""
    from britannica_assets.tracking import run_url

    result = score_models(
        settings,
        context.partition_key,
        {
            # In this order the metrics stand in MLflow and the columns in the tables.
            "student": student,
            "student_without_teachers": student_without_teachers,
            "teacher_gpt2": teacher_gpt2,
            "teacher_llama": teacher_llama,
        },
        token_ids,
        corpus_split.filter(pl.col("split") == "validation").select("volume", "words").collect(),
        seed=load_configuration(settings.scale).seed,
        dagster_run_id=context.run.run_id,
    )
    scores = result.scores
    perplexities = result.perplexities.pivot("model", index=["grouping", "name", "articles"], values="by_word")
    averages = scores.group_by("model", "suite").agg(pl.col("accuracy").mean() * 100).sort("model", "suite")
    figures = {f"{row['model']}_{row['suite']}": row["accuracy"] for row in averages.iter_rows(named=True)}
    return dg.MaterializeResult(
        value=scores,
        data_version=dg.DataVersion(table_digest(scores)),
        metadata={
            "student_blimp": round(figures["student_blimp"], 2),
            "student_supplement": round(figures["student_supplement"], 2),
            "student_without_teachers_blimp": round(figures["student_without_teachers_blimp"], 2),
            "pairs": int(scores.filter(pl.col("model") == "student")["pairs"].sum()),
            "minimal_pairs": scores["source"][0],
            "student_perplexity_by_word": round(
                float(scores.filter(pl.col("model") == "student")["perplexity_by_word"][0]), 2
            ),
            "averages": dg.MetadataValue.md(
                board.as_markdown_table(averages.pivot("suite", index="model", values="accuracy"))
            ),
            "accuracy_by_phenomenon": dg.MetadataValue.md(plots.accuracy_by_phenomenon(scores)),
            "by_field": _in_per_cent(accuracy_by(scores, "field")),
            "by_linguistic_term": _in_per_cent(accuracy_by(scores, "linguistics_term")),
            "distillation": dg.MetadataValue.md(_what_moved(scores)),
            "perplexity_by_word": dg.MetadataValue.md(board.as_markdown_table(perplexities)),
            "by_phenomenon": _in_per_cent(
                scores.pivot("model", index=["suite", "uid"], values="accuracy").sort("suite", "uid")
            ),
            "mlflow_run": dg.MetadataValue.url(run_url(settings, result.mlflow_run_id)),
            "dagster/row_count": len(scores),
        },
    )


@dg.asset(
    group_name=GROUP,
    owners=OWNERS,
    kinds={"polars", "html"},
    code_version="1",
    ins={"blimp_scores": dg.AssetIn(metadata={"allow_missing_partitions": True})},
)
def leaderboard(
    settings: dg.ResourceParam[Settings], blimp_scores: dict[str, pl.LazyFrame]
) -> dg.MaterializeResult[pl.DataFrame]:
    """All tracks' models, every scored version, beside the published results; also `leaderboard.html`."""
    current = pl.concat(blimp_scores.values(), how="diagonal_relaxed").collect()
    scores = scored_versions(settings, list(blimp_scores), current)
    table = board.build_leaderboard(scores)
    page = asset_path(settings, "leaderboard", "leaderboard.html")
    with tempfile.TemporaryDirectory() as temporary:
        drawn = Path(temporary) / "leaderboard.html"
        write_page(drawn, table, scores)
        attach_page(settings, list(blimp_scores), drawn)
        with atomic_write(page) as temporary:
            shutil.copy(drawn, temporary)
    latest = latest_versions(scores)
    return dg.MaterializeResult(
        value=table,
        data_version=dg.DataVersion(table_digest(table)),
        metadata={
            "models": int((table["source"] == board.OURS).sum()),
            "tracks": ", ".join(blimp_scores),
            **_best_students(table),
            "leaderboard": dg.MetadataValue.md(board.as_markdown_table(table)),
            "distillation_gain": dg.MetadataValue.md(board.as_markdown_table(board.distillation_gain(latest))),
            "blimp_by_size": dg.MetadataValue.md(plots.blimp_by_size(table)),
            "since_the_version_before": dg.MetadataValue.md(_since_before(scores)),
            "page": dg.MetadataValue.path(str(page)),
            "dagster/row_count": len(table),
        },
    )


def _in_per_cent(table: pl.DataFrame) -> dg.MarkdownMetadataValue:
    """A table of accuracies (0 to 1), for the UI."""
    return dg.MetadataValue.md(board.as_markdown_table(table.with_columns(pl.col(pl.Float64) * 100)))


def _best_students(table: pl.DataFrame) -> dict[str, float]:
    """A number a track for the UI's plots over time."""
    students = table.filter((pl.col("source") == board.OURS) & (pl.col("model") == "student"))
    best = students.group_by("track").agg(pl.col("blimp").max().round(2)).sort("track")
    return {f"{track}_student_blimp": blimp for track, blimp in best.iter_rows()}


def _what_moved(scores: pl.DataFrame) -> str:
    """The phenomena on which the student differs from the student without teachers, as Markdown."""
    alone, student = (scores.filter(pl.col("model") == model) for model in ("student_without_teachers", "student"))
    return _moved(compare_scores(alone, student))


def _since_before(scores: pl.DataFrame) -> str:
    texts = [
        f"**{model}, {track}, version {earlier} to {later}**\n\n{_moved(comparison)}"
        for track, model, earlier, later, comparison in changes_between_versions(scores)
    ]
    return "\n\n".join(texts) or "Each model has been scored in one version only."


def _moved(comparison: pl.DataFrame) -> str:
    moved = comparison.filter(pl.col("verdict") != "").with_columns(
        pl.col("before", "after", "change", "low", "high") * 100
    )
    if moved.is_empty():
        return f"None of {len(comparison)} phenomena moved beyond the 95 % interval."
    return board.as_markdown_table(moved)
