"""Wikisource in Dagster: a volume's index, its pages as fetched, its articles' text."""

from collections.abc import Iterator, Sequence

import dagster as dg
import polars as pl

from britannica_assets import __version__
from britannica_assets.digests import table_digest
from britannica_assets.partitions import volume_partitions
from britannica_assets.settings import Settings
from britannica_assets.storage import asset_path
from britannica_assets.wikisource.articles import extract_articles
from britannica_assets.wikisource.checks import (
    ARTICLES_CHECKS,
    RAW_ARTICLES_CHECKS,
    check_articles,
    check_raw_articles,
)
from britannica_assets.wikisource.client import Client
from britannica_assets.wikisource.extract import RENDERING_NOISE
from britannica_assets.wikisource.index import read_volume_index
from britannica_assets.wikisource.page_store import PageStore
from britannica_assets.wikisource.retry import RetryPolicy
from britannica_assets.wikisource.scrape import scrape_volume

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
    kinds={"mediawiki", "parquet"},
    code_version="1",
    partitions_def=volume_partitions,
    pool="wikisource",
)
def volume_index(
    context: dg.AssetExecutionContext, settings: dg.ResourceParam[Settings]
) -> dg.MaterializeResult[pl.DataFrame]:
    """The articles that the volume's part pages list, with the wiki's `touched` and revision of each."""
    with connect(settings) as client:
        index = read_volume_index(client, int(context.partition_key))
    return dg.MaterializeResult(
        value=index,
        data_version=dg.DataVersion(table_digest(index)),
        metadata={
            "articles": len(index),
            "parts": index["part"].n_unique(),
            "requests": client.requests_made,
            "first_and_last": f"{index['title'][0]} … {index['title'][-1]}",
            "wiki": dg.MetadataValue.url(settings.wiki_url),
            "dagster/row_count": len(index),
        },
    )


@dg.asset(
    group_name=GROUP,
    owners=OWNERS,
    kinds={"mediawiki", "parquet"},
    code_version="1",
    partitions_def=volume_partitions,
    pool="wikisource",
    check_specs=RAW_ARTICLES_CHECKS,
)
def raw_articles(
    context: dg.AssetExecutionContext, settings: dg.ResourceParam[Settings], volume_index: pl.LazyFrame
) -> Iterator[dg.MaterializeResult[pl.DataFrame]]:
    """Each article's page as fetched; a re-scrape fetches only what is new or has changed."""
    volume = context.partition_key
    materialized = asset_path(settings, "raw_articles", f"{volume}.parquet")
    previous = pl.read_parquet(materialized.read_bytes()) if materialized.exists() else None
    store = PageStore(settings.work_path / "pages" / f"{volume}.sqlite")
    with connect(settings) as client:
        result = scrape_volume(client, volume_index.collect(), store, previous=previous)
    pages = result.pages
    failed = pages.filter(pl.col("failure").is_not_null() & pl.col("part").is_not_null())
    content = pages.select("volume", "part", "position", "title", "html", "failure", "vanished").with_columns(
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
            "failures": dg.MetadataValue.md(_list_reasons(failed.select("title", "failure").rows())),
            "dagster/row_count": len(pages),
        },
    )


@dg.asset(
    group_name=GROUP,
    owners=OWNERS,
    kinds={"parquet"},
    code_version="1",
    partitions_def=volume_partitions,
    check_specs=ARTICLES_CHECKS,
)
def articles(
    context: dg.AssetExecutionContext, settings: dg.ResourceParam[Settings], raw_articles: pl.LazyFrame
) -> Iterator[dg.MaterializeResult[pl.DataFrame]]:
    """The running text of each article, with its printed pages, their proofreading quality and who signed it."""
    volume = extract_articles(raw_articles.collect())
    table = volume.articles
    materialized = asset_path(settings, "articles", f"{context.partition_key}.parquet")
    words_before = None
    if materialized.exists():
        words_before = int(pl.read_parquet(materialized.read_bytes(), columns=["words"])["words"].sum())
    sample = table.gather([0, len(table) // 2]).iter_rows(named=True) if len(table) else iter(())
    yield dg.MaterializeResult(
        value=table,
        data_version=dg.DataVersion(table_digest(table.drop("revision"))),
        check_results=check_articles(table, without_text=len(volume.without_text), words_before=words_before),
        metadata={
            "articles": len(table),
            "words": int(table["words"].sum()),
            "without_text": len(volume.without_text),
            "signed": len(table) - table["contributor_initials"].null_count(),
            "reasons": dg.MetadataValue.md(_list_reasons(volume.without_text)),
            "sample": dg.MetadataValue.md(
                "\n\n".join(f"**{row['title']}** (p. {row['first_page']}): {row['text'][:400]} …" for row in sample)
            ),
            "dagster/row_count": len(table),
        },
    )


def _list_reasons(reasons: Sequence[tuple[str, str]]) -> str:
    return "\n".join(f"- {title}: {reason}" for title, reason in reasons) or "none"
