"""What a track publishes, in Dagster."""

from pathlib import Path

import dagster as dg

from britannica_assets.code_location import configuration
from britannica_assets.digests import folder_digest
from britannica_assets.evaluation.tasks import tasks_by_asset
from britannica_assets.partitions import track_partitions
from britannica_assets.run_config import NO_RUN_CONFIG
from britannica_assets.settings import Settings
from britannica_assets.storage import new_folder
from britannica_assets.track_models import STUDENT_MODELS


@dg.asset(
    group_name="submission",
    owners=["team:britannica"],
    config_schema=NO_RUN_CONFIG,
    kinds={"huggingface", "json"},
    code_version="1",
    partitions_def=track_partitions,
    io_manager_key="folder_io_manager",
    ins={model: dg.AssetIn() for model in STUDENT_MODELS},
    deps=[*tasks_by_asset(), "checkpoint_scores"],
)
def published_models(
    context: dg.AssetExecutionContext, settings: dg.ResourceParam[Settings], **models: Path
) -> dg.MaterializeResult[Path]:
    """The students as repositories for the Hub, with cards, and the predictions that BabyLM collates.

    A revision a checkpoint; `missing` says what a submission still lacks. Uploading is left to a command.
    """
    from britannica_assets.submission.published_models import write_published_models

    folder = new_folder(settings, "published_models", context.partition_key)
    published = write_published_models(folder, settings, configuration, context.partition_key, models)
    return dg.MaterializeResult(
        value=folder,
        data_version=dg.DataVersion(folder_digest(folder)),
        metadata={
            "repositories": ", ".join(published.repositories),
            "revisions": sum(len(revisions) for revisions in published.repositories.values()),
            "megabytes": round(sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) / 1e6, 2),
            "missing_parts": len(published.missing),
            "missing": dg.MetadataValue.table(
                [dg.TableRecord({"part": part.part, "reason": part.reason}) for part in published.missing],
                schema=dg.TableSchema([dg.TableColumn("part", "string"), dg.TableColumn("reason", "string")]),
            ),
        },
    )
