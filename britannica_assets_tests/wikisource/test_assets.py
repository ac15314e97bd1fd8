"""The wikisource assets, checks, schedule and sensor, through Dagster."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import polars as pl
import pytest

from britannica_assets.sample.markup import ROOT, Page
from britannica_assets.sample.wiki import Wiki
from britannica_assets.settings import Settings
from britannica_assets.storage import ParquetIOManager
from britannica_assets.wikisource.assets import articles, raw_articles, volume_index
from britannica_assets.wikisource.automation import recent_changes, weekly_scrape
from britannica_assets.wikisource.checks import check_articles
from britannica_assets_tests.wikisource.faulty_wiki import article, serve_faulty, wiki_of


@pytest.fixture
def wiki() -> Wiki:
    wiki = wiki_of([["Anvil", "Bell"]], volume=1)
    return wiki_of([["Cask", "Drum", "Empty"]], volume=2, wiki=wiki)


@pytest.fixture
def settings(wiki: Wiki, tmp_path: Path) -> Iterator[Settings]:
    with serve_faulty(wiki, {}) as url:
        yield Settings(data_dir=str(tmp_path), wiki_url=url, requests_per_second=1_000)


def scrape(settings: Settings, volume: str, instance: dg.DagsterInstance) -> dg.ExecuteInProcessResult:
    return dg.materialize(
        [volume_index, raw_articles, articles],
        partition_key=volume,
        instance=instance,
        resources={"settings": settings, "io_manager": ParquetIOManager(settings)},
    )


def records(event: dg.AssetMaterialization, name: str) -> list[Mapping[str, object]]:
    """The rows of a table in an event's metadata."""
    table = event.metadata[name]
    assert isinstance(table, dg.TableMetadataValue)
    return [record.data for record in table.records]


def test_a_damaged_table_does_not_stop_its_own_materialization(
    settings: Settings, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        first = scrape(settings, "01", instance)
        for asset in ("raw_articles", "articles"):
            table = tmp_path / asset / "01.parquet"
            table.write_bytes(table.read_bytes()[:100])
        second = scrape(settings, "01", instance)
        assert data_version(second, "articles") == data_version(first, "articles")
    for asset in ("raw_articles", "articles"):
        assert f"{tmp_path}/{asset}/01.parquet cannot be read" in caplog.text


def data_version(result: dg.ExecuteInProcessResult, asset: str) -> str:
    (event,) = result.asset_materializations_for_node(asset)
    return (event.tags or {})["dagster/data_version"]


def test_a_touched_that_moved_over_the_same_text_changes_nothing_downstream(wiki: Wiki, settings: Settings) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        first = scrape(settings, "02", instance)
        wiki.touch("Drum")
        second = scrape(settings, "02", instance)
        assert data_version(second, "volume_index") != data_version(first, "volume_index")
        assert data_version(second, "raw_articles") == data_version(first, "raw_articles")
        assert data_version(second, "articles") == data_version(first, "articles")
        wiki.edit("Drum", "It is beaten.")
        assert data_version(scrape(settings, "02", instance), "articles") != data_version(first, "articles")


def test_an_article_without_text_is_named_and_fails_the_check(wiki: Wiki, settings: Settings) -> None:
    stored = wiki.pages[f"{ROOT}/Empty"]
    stored.page = Page(stored.page.title, html=article("", volume=2))
    with dg.DagsterInstance.ephemeral() as instance:
        result = scrape(settings, "02", instance)
    (event,) = result.asset_materializations_for_node("articles")
    assert event.metadata["without_text"].value == 1
    (reason,) = records(event, "reasons")
    assert reason["title"] == "Empty"
    assert str(reason["reason"]).startswith("the text is empty")
    checks = {check.check_name: check.passed for check in result.get_asset_check_evaluations()}
    assert (checks["articles_have_text"], checks["pages_are_proofread"]) == (False, True)


def test_the_checks_tell_what_is_wrong_with_a_volume() -> None:
    table = pl.DataFrame(
        {"title": ["A", "B", "C"], "text": ["same", "same", "x " * 50], "words": [1, 1, 98], "quality": [1, 3, None]}
        | {"first_page": ["1", "2", "4"], "last_page": ["1", "2", "5"]}
    )
    passed = {r.check_name: r.passed for r in check_articles(table, without_text=0, words_before=103)}
    assert set(passed.values()) == {False}
    assert len(passed) == 5
    whole = table.filter(pl.col("title") == "C")
    assert all(r.passed for r in check_articles(whole, without_text=0, words_before=100))


def test_a_rescrape_lists_what_changed_and_a_page_what_its_boxes_held(wiki: Wiki, settings: Settings) -> None:
    wiki.edit("Cask", "![it](x)")
    stored = wiki.pages[f"{ROOT}/Drum"]
    odd = '<div class="odd"><p>[**Beaten** with *sticks*](javascript:x).</p></div></div>'
    stored.page = Page(stored.page.title, html=stored.page.html.removesuffix("</div>") + odd)
    with dg.DagsterInstance.ephemeral() as instance:
        (first,) = scrape(settings, "02", instance).asset_materializations_for_node("articles")
        wiki.edit("Cask", "It holds wine.")
        (second,) = scrape(settings, "02", instance).asset_materializations_for_node("articles")
    assert first.metadata["changed_articles"].value == 0
    (change,) = records(second, "changes")
    assert change == {
        "title": "Cask", "change": "changed", "words_added": 3, "words_removed": 0, "added": "It holds wine.",
        "removed": "",
    }  # fmt: skip
    assert second.metadata["boxes_unknown"].value == 1
    (box,) = records(second, "boxes")
    assert (box["rule"], box["classes"], box["count"]) == ("none: its words were kept", "odd", 1)
    assert all(value.__class__ is not dg.MarkdownMetadataValue for value in second.metadata.values())


def test_one_correction_becomes_one_run_of_its_volume(wiki: Wiki, settings: Settings) -> None:
    def tick(cursor: str | None) -> tuple[list[str | None], str]:
        context = dg.build_sensor_context(cursor=cursor, resources={"settings": settings})
        result = recent_changes(context)
        assert isinstance(result, dg.SensorResult)
        return [request.partition_key for request in result.run_requests or []], str(result.cursor)

    wiki.edit("Anvil", "Too early.")
    cursor = '{"after": 1, "since": "2020-01-01T00:01:00Z"}'
    assert tick(cursor)[0] == []
    wiki.edit("Drum", "It is beaten.")
    requested, cursor = tick(cursor)
    assert requested == ["02"]
    assert tick(cursor) == ([], cursor)
    wiki.edit("Anvil", "A new article, which no index lists yet, and whose scan page is not among the changes.")
    wiki.changes[-1] |= {"title": f"{ROOT}/Anvil", "ns": 0}
    assert tick(cursor)[0] == ["01"]


def test_after_a_rest_longer_than_changes_are_kept_every_volume_is_requested(wiki: Wiki, settings: Settings) -> None:
    wiki.edit("Drum", "It is beaten.")
    wiki.edit("Drum", "It is loud.")
    wiki.changes.pop(0)
    context = dg.build_sensor_context(
        cursor='{"after": 1, "since": "2020-01-01T00:00:30Z"}', resources={"settings": settings}
    )
    result = recent_changes(context)
    assert isinstance(result, dg.SensorResult)
    assert [request.partition_key for request in result.run_requests or []] == [f"{n:02d}" for n in range(1, 29)]


def test_the_sensor_begins_at_the_wikis_last_change(wiki: Wiki, settings: Settings) -> None:
    for expected in ('{"after": 0, "since": "2001-01-15T00:00:00Z"}', '{"after": 1, "since": "2020-01-01T00:01:00Z"}'):
        context = dg.build_sensor_context(resources={"settings": settings})
        assert isinstance(recent_changes(context), dg.SkipReason)
        assert context.cursor == expected
        wiki.edit("Drum", "It is beaten.")


def test_schedule_and_sensor_are_off_until_switched_on() -> None:
    assert weekly_scrape.default_status is dg.DefaultScheduleStatus.STOPPED
    assert recent_changes.default_status is dg.DefaultSensorStatus.STOPPED
    requests = weekly_scrape(
        dg.build_schedule_context(scheduled_execution_time=datetime(2026, 11, 29, 3, 17, tzinfo=UTC))
    )
    assert isinstance(requests, list)
    assert [request.partition_key for request in requests] == [f"{volume:02d}" for volume in range(1, 29)]
