"""What people start by name: a volume's scrape, the corpus, one track, everything.

A Dagster run covers one partition, so a job over many volumes and tracks requests an asset backfill, the same that the
UI's "Materialize all" makes: the daemon then runs volumes, corpus and tracks in the order of the graph.
"""

from collections.abc import Sequence

import dagster as dg
from pydantic import Field

from britannica_assets.backfill import backfill_parameters, request_backfill
from britannica_assets.partitions import track_partitions, volume_partitions

SCRAPING_GROUP = "wikisource"
CORPUS_ASSETS = ("encyclopedia", "clean_encyclopedia")

scrape_job = dg.define_asset_job(
    "scrape_volume",
    dg.AssetSelection.groups(SCRAPING_GROUP),
    description="One volume from the wiki: its index, what of its pages is new or changed, its text.",
)
track_job = dg.define_asset_job(
    "track",
    dg.AssetSelection.assets("corpus_split").downstream() | dg.AssetSelection.assets("tokenizer", "token_ids"),
    description="One track from its train/validation split to its scores, generated articles and the leaderboard.",
)


class Partitions(dg.Config):
    """Which partitions to materialize; all of them unless the run's configuration names some."""

    volumes: list[str] = Field(default_factory=lambda: list(volume_partitions.get_partition_keys()))
    tracks: list[str] = Field(default_factory=lambda: list(track_partitions.get_partition_keys()))


@dg.op(description="Requests the backfill of all volumes, the encyclopaedia and its cleaned text.")
def request_corpus(context: dg.OpExecutionContext, config: Partitions) -> None:
    assets = [
        spec for spec in _assets() if spec.group_name == SCRAPING_GROUP or spec.key.to_user_string() in CORPUS_ASSETS
    ]
    _request(context, assets, config)


@dg.op(description="Requests the backfill of the whole asset graph.")
def request_everything(context: dg.OpExecutionContext, config: Partitions) -> None:
    _request(context, _assets(), config)


@dg.job(name="corpus", description="All volumes from the wiki to one clean encyclopaedia, as a backfill.")
def corpus_job() -> None:
    request_corpus()


@dg.job(name="everything", description="The whole graph: all volumes, the corpus and every track, as a backfill.")
def everything_job() -> None:
    request_everything()


def _assets() -> Sequence[dg.AssetSpec]:
    from britannica_assets.definitions import defs  # which imports this module

    return defs.resolve_all_asset_specs()


def _request(context: dg.OpExecutionContext, assets: Sequence[dg.AssetSpec], config: Partitions) -> None:
    requested = {volume_partitions: config.volumes, track_partitions: config.tracks}
    backfill_id = request_backfill(backfill_parameters(assets, requested, title=context.job_name))
    context.log.info(f"Requested backfill {backfill_id}: follow it in the UI under Runs, Backfills.")
