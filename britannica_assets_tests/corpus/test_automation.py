"""A changed article reaches the clean text, and nothing that stayed the same requests anything."""

from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg

from britannica_assets.corpus.automation import when_a_dependency_changes

volumes = dg.StaticPartitionsDefinition(["01", "02", "03"])
version = {"articles": "1", "encyclopedia": "1", "clean_encyclopedia": "1"}


def materialized(asset: str) -> dg.MaterializeResult[None]:
    return dg.MaterializeResult(data_version=dg.DataVersion(version[asset]))


@dg.asset(partitions_def=volumes)
def articles() -> dg.MaterializeResult[None]:
    return materialized("articles")


@dg.asset(deps=[articles], automation_condition=when_a_dependency_changes())
def encyclopedia() -> dg.MaterializeResult[None]:
    return materialized("encyclopedia")


@dg.asset(deps=[encyclopedia], automation_condition=when_a_dependency_changes())
def clean_encyclopedia() -> dg.MaterializeResult[None]:
    return materialized("clean_encyclopedia")


@dg.asset(deps=[clean_encyclopedia])
def student() -> None:
    """Is trained only when somebody asks."""


DEFINITIONS = dg.Definitions([articles, encyclopedia, clean_encyclopedia, student])


def test_a_change_is_followed_to_the_clean_text_and_no_further() -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        cursor: Any = None

        now = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)

        def requested(minutes: int = 1) -> set[str]:
            nonlocal cursor, now
            now += timedelta(minutes=minutes)
            result = dg.evaluate_automation_conditions(DEFINITIONS, instance, cursor=cursor, evaluation_time=now)
            cursor = result.cursor
            assets = (articles, encyclopedia, clean_encyclopedia, student)
            return {asset.key.to_user_string() for asset in assets if result.get_num_requested(asset.key)}

        def make(asset: dg.AssetsDefinition, partition: str | None = None, data: str | None = None) -> None:
            if data:
                version[asset.key.to_user_string()] = data
            dg.materialize([asset], instance=instance, partition_key=partition)

        make(articles, "01")
        make(encyclopedia)
        make(clean_encyclopedia)
        requested()
        assert requested() == set()
        make(articles, "02")  # the third volume is missing, and blocks nothing
        assert requested() == {"encyclopedia"}
        assert requested() == set()  # asked for already
        assert requested(60) == {"encyclopedia"}  # and not made: its run was killed, say
        assert requested() == set()
        make(encyclopedia, data="2")
        assert requested() == {"clean_encyclopedia"}
        make(clean_encyclopedia, data="2")
        assert requested() == set()
        assert requested(60) == set()  # all is made
        make(articles, "02")
        assert requested() == set()  # a re-scrape that found nothing new
        make(articles, "02", data="3")
        assert requested() == {"encyclopedia"}
