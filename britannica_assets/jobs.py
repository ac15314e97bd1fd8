"""What people start by name: the corpus, one track, everything.

A Dagster run covers one partition, so a job over many volumes and tracks is a request for an asset backfill, the same
that the UI's "Materialize all" makes: the daemon then runs volumes, corpus and tracks in the order of the graph.
"""

import time
from typing import Any

import dagster as dg
from dagster._core.definitions.assets.graph.base_asset_graph import BaseAssetGraph
from dagster._core.definitions.partitions.definition import PartitionsDefinition
from dagster._core.definitions.selector import PartitionRangeSelector, PartitionsByAssetSelector, PartitionsSelector
from dagster._core.execution.backfill import PartitionBackfill
from dagster._core.utils import make_new_backfill_id
from pydantic import Field

from britannica_assets.partitions import track_partitions, volume_partitions

scraping_selection = dg.AssetSelection.groups("wikisource")
corpus_selection = scraping_selection | dg.AssetSelection.assets("encyclopedia", "clean_encyclopedia")
everything_selection = dg.AssetSelection.all()
track_selection = dg.AssetSelection.assets("corpus_split").downstream() | dg.AssetSelection.assets(
    "tokenizer", "token_ids"
)

track_job = dg.define_asset_job(
    "track",
    track_selection,
    description="One track from its train/validation split to its scores, generated articles and the leaderboard.",
)


class BackfillRequest(dg.Config):
    """Which partitions to materialize; all of them unless the run's configuration names some."""

    volumes: list[str] = Field(default_factory=lambda: list(volume_partitions.get_partition_keys()))
    tracks: list[str] = Field(default_factory=lambda: list(track_partitions.get_partition_keys()))


def build_backfill(
    asset_graph: BaseAssetGraph[Any],
    instance: dg.DagsterInstance,
    selection: dg.AssetSelection,
    request: BackfillRequest,
    *,
    title: str,
) -> PartitionBackfill:
    """The backfill of all of `selection` in the requested partitions.

    Raises:
        dagster.Failure: a requested partition does not exist; the message lists those that do.
    """
    requested: dict[PartitionsDefinition[str], list[str]] = {
        volume_partitions: request.volumes,
        track_partitions: request.tracks,
    }
    for partitions_definition, keys in requested.items():
        known = partitions_definition.get_partition_keys()
        if unknown := sorted(set(keys) - set(known)):
            raise dg.Failure(f"no such partition: {', '.join(unknown)}; choose from: {', '.join(known)}")
    selectors = []
    for key in sorted(selection.resolve(asset_graph)):
        partitioned_by = asset_graph.get(key).partitions_def
        partitions = None
        if partitioned_by is not None:
            partitions = PartitionsSelector(
                [PartitionRangeSelector(start=name, end=name) for name in requested[partitioned_by]]
            )
        selectors.append(PartitionsByAssetSelector(asset_key=key, partitions=partitions))
    backfill: PartitionBackfill = PartitionBackfill.from_partitions_by_assets(
        backfill_id=make_new_backfill_id(),
        asset_graph=asset_graph,
        backfill_timestamp=time.time(),
        tags={},
        dynamic_partitions_store=instance,
        partitions_by_assets=selectors,
        title=title,
        description=None,
        run_config=None,
    )
    return backfill


def request_backfill(context: dg.OpExecutionContext, selection: dg.AssetSelection, request: BackfillRequest) -> None:
    """Hands the backfill of `selection` to the daemon."""
    graph = context.repository_def.asset_graph
    backfill = build_backfill(graph, context.instance, selection, request, title=context.job_name)
    context.instance.add_backfill(backfill)
    context.log.info(f"Requested backfill {backfill.backfill_id}: follow it in the UI under Runs, Backfills.")


@dg.op(description="Requests the backfill of all volumes, the encyclopaedia and its cleaned text.")
def request_corpus(context: dg.OpExecutionContext, config: BackfillRequest) -> None:
    request_backfill(context, corpus_selection, config)


@dg.op(description="Requests the backfill of the whole asset graph.")
def request_everything(context: dg.OpExecutionContext, config: BackfillRequest) -> None:
    request_backfill(context, everything_selection, config)


@dg.job(name="corpus", description="All volumes from the wiki to one clean encyclopaedia, as a backfill.")
def corpus_job() -> None:
    request_corpus()


@dg.job(name="everything", description="The whole graph: all volumes, the corpus and every track, as a backfill.")
def everything_job() -> None:
    request_everything()
