"""Scores in Dagster: every model of a track on minimal pairs, and the leaderboard over all tracks."""

from pathlib import Path

import dagster as dg
import polars as pl

from britannica_assets.configuration import load_configuration
from britannica_assets.evaluation import leaderboard as board
from britannica_assets.evaluation.scoring import score_models
from britannica_assets.partitions import track_partitions
from britannica_assets.settings import Settings
from britannica_assets.storage import asset_path, table_digest, written_beside

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
            "teacher_gpt2": teacher_gpt2,
            "teacher_llama": teacher_llama,
            "student": student,
            "student_without_teachers": student_without_teachers,
        },
        token_ids,
        seed=load_configuration(settings.scale).seed,
        dagster_run_id=context.run.run_id,
    )
    scores = result.scores
    averages = scores.group_by("model", "suite").agg(pl.col("accuracy").mean() * 100).sort("model", "suite")
    figures = {f"{row['model']}_{row['suite']}": row["accuracy"] for row in averages.iter_rows(named=True)}
    return dg.MaterializeResult(
        value=scores,
        data_version=dg.DataVersion(table_digest(scores)),
        metadata={
            "student_blimp": figures["student_blimp"],
            "student_supplement": figures["student_supplement"],
            "student_without_teachers_blimp": figures["student_without_teachers_blimp"],
            "pairs": int(scores.filter(pl.col("model") == "student")["pairs"].sum()),
            "minimal_pairs": scores["source"][0],
            "averages": dg.MetadataValue.md(board.as_markdown_table(averages)),
            "by_phenomenon": dg.MetadataValue.md(
                board.as_markdown_table(
                    scores.with_columns(pl.col("accuracy") * 100)
                    .pivot("model", index=["suite", "uid"], values="accuracy")
                    .sort("suite", "uid")
                )
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
    """All tracks' models beside the published results; also `leaderboard.html`."""
    scores = pl.concat(blimp_scores.values()).collect()
    table = board.build_leaderboard(scores)
    page = asset_path(settings, "leaderboard", "leaderboard.html")
    with written_beside(page) as beside:
        board.write_page(beside, table, scores)
    return dg.MaterializeResult(
        value=table,
        data_version=dg.DataVersion(table_digest(table)),
        metadata={
            "models": int((table["source"] == "this project").sum()),
            "tracks": ", ".join(blimp_scores),
            "leaderboard": dg.MetadataValue.md(board.as_markdown_table(table)),
            "distillation_gain": dg.MetadataValue.md(board.as_markdown_table(board.distillation_gain(scores))),
            "blimp_by_size": dg.MetadataValue.md(board.plot_leaderboard(table)),
            "page": dg.MetadataValue.path(str(page)),
            "dagster/row_count": len(table),
        },
    )
