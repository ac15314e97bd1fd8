"""Wikisource in Dagster: a volume's index, its pages as fetched, its articles' text."""

from collections.abc import Iterator
from dataclasses import asdict
from datetime import timedelta

import dagster as dg
import polars as pl

from britannica_assets import __version__
from britannica_assets.digests import table_digest
from britannica_assets.partitions import volume_partitions
from britannica_assets.run_config import NO_RUN_CONFIG
from britannica_assets.settings import Settings
from britannica_assets.storage import read_stored_table
from britannica_assets.wikisource.articles import extract_articles
from britannica_assets.wikisource.changed_articles import compare_articles
from britannica_assets.wikisource.checks import (
    ARTICLES_CHECKS,
    RAW_ARTICLES_CHECKS,
    check_articles,
    check_raw_articles,
    failed_pages,
)
from britannica_assets.wikisource.client import Client
from britannica_assets.wikisource.extract import RENDERING_NOISE
from britannica_assets.wikisource.index import read_volume_index
from britannica_assets.wikisource.page_store import PageStore
from britannica_assets.wikisource.retry import RetryPolicy
from britannica_assets.wikisource.scrape import scrape_volume
from britannica_assets.wikisource.table_metadata import table_of

GROUP = "wikisource"
OWNERS = ["team:britannica"]


def connect(settings: Settings, retry_policy: RetryPolicy | None = None) -> Client:
    """The client that the settings ask for."""
    return Client(
        settings.wiki_url,
        requests_per_second=settings.requests_per_second,
        contact=settings.contact,
        version=__version__,
        retry_policy=retry_policy,
    )


@dg.asset(
    group_name=GROUP,
    owners=OWNERS,
    config_schema=NO_RUN_CONFIG,
    kinds={"mediawiki", "parquet"},
    code_version="2",
    partitions_def=volume_partitions,
    pool="wikisource",
    freshness_policy=dg.FreshnessPolicy.time_window(warn_window=timedelta(days=31), fail_window=timedelta(days=365)),
)
def volume_index(
    context: dg.AssetExecutionContext, settings: dg.ResourceParam[Settings]
) -> dg.MaterializeResult[pl.DataFrame]:
    """The articles that the volume's part pages list and their subpages, with the wiki's `touched` and revision."""
    with connect(settings) as client:
        index = read_volume_index(client, int(context.partition_key))
    return dg.MaterializeResult(
        value=index,
        data_version=dg.DataVersion(table_digest(index)),
        metadata={
            "articles": index["parent"].null_count(),
            "subpages": len(index) - index["parent"].null_count(),
            "not_listed": index["listed_title"].null_count(),
            "parts": index["part"].n_unique(),
            "requests": client.requests_made,
            "first_and_last": f"{index['title'][0]} … {index['title'][-1]}",
        },
    )


@dg.asset(
    group_name=GROUP,
    owners=OWNERS,
    config_schema=NO_RUN_CONFIG,
    kinds={"mediawiki", "parquet"},
    code_version="2",
    partitions_def=volume_partitions,
    pool="wikisource",
    check_specs=RAW_ARTICLES_CHECKS,
)
def raw_articles(
    context: dg.AssetExecutionContext, settings: dg.ResourceParam[Settings], volume_index: pl.LazyFrame
) -> Iterator[dg.MaterializeResult[pl.DataFrame]]:
    """Each article's page as fetched; a re-scrape fetches only what is new or has changed."""
    volume = context.partition_key
    previous = read_stored_table(settings, "raw_articles", f"{volume}.parquet")
    store = PageStore(settings.work_path / "pages" / f"{volume}.sqlite")
    with connect(settings) as client:
        result = scrape_volume(client, volume_index.collect(), store, previous=previous)
    pages = result.pages
    failed = failed_pages(pages)
    content = pages.select("volume", "part", "position", "title", "parent", "html", "failure", "vanished").with_columns(
        pl.col("html").str.replace_all(RENDERING_NOISE, "")
    )
    yield dg.MaterializeResult(
        value=pages,
        data_version=dg.DataVersion(table_digest(content)),
        check_results=check_raw_articles(pages),
        metadata={
            "articles": len(pages),
            "fetched_now": result.fetched,
            "failed": len(failed),
            "vanished": int(pages["vanished"].sum()),
            "requests": client.requests_made,
            "html_megabytes": round(int(pages["html"].str.len_bytes().sum()) / 1e6, 2),
            "failures": table_of(failed.select("title", "failure").rows(named=True)),
            "outdated_in_caches": dg.MetadataValue.json(result.outdated),
        },
    )


@dg.asset(
    group_name=GROUP,
    owners=OWNERS,
    config_schema=NO_RUN_CONFIG,
    kinds={"parquet"},
    code_version="3",
    partitions_def=volume_partitions,
    check_specs=ARTICLES_CHECKS,
)
def articles(
    context: dg.AssetExecutionContext, settings: dg.ResourceParam[Settings], raw_articles: pl.LazyFrame
) -> Iterator[dg.MaterializeResult[pl.DataFrame]]:
    """The running text of each article, with its printed pages, their proofreading quality and who signed it."""
    volume = extract_articles(raw_articles.collect())
    table = volume.articles
    before = read_stored_table(settings, "articles", f"{context.partition_key}.parquet", ["title", "text", "words"])
    words_before = None if before is None else int(before["words"].sum())
    changed = [] if before is None else compare_articles(before, table)
    unknown = sum(box.count for box in volume.boxes if box.rule is None)
    sample = table.gather([0, len(table) // 2]) if len(table) else table
    yield dg.MaterializeResult(
        value=table,
        data_version=dg.DataVersion(table_digest(table.drop("revision"))),
        check_results=check_articles(table, without_text=len(volume.without_text), words_before=words_before),
        metadata={
            "articles": table["parent"].null_count(),
            "subpages": len(table) - table["parent"].null_count(),
            "words": int(table["words"].sum()),
            "signed": len(table) - table["contributor_initials"].null_count(),
            "formulas_read": volume.formulas_read,
            "formulas_dropped": volume.formulas_dropped,
            "without_text": len(volume.without_text),
            "reasons": table_of({"title": title, "reason": reason} for title, reason in volume.without_text),
            "no_articles": table_of({"title": title, "reason": reason} for title, reason in volume.no_articles),
            "boxes_dropped": sum(box.count for box in volume.boxes) - unknown,
            "boxes_unknown": unknown,
            "boxes": table_of({**asdict(box), "rule": box.rule or "none: its words were kept"} for box in volume.boxes),
            "changed_articles": len(changed),
            "changes": table_of(map(asdict, changed)),
            "sample": table_of(sample.select("title", "first_page", pl.col("text").str.slice(0, 400)).rows(named=True)),
        },
    )
