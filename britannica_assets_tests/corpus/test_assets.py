"""What the corpus's assets do with pages that nobody expected: one is set aside, and nothing that it says is markup."""

from collections.abc import Mapping
from pathlib import Path

import dagster as dg
import polars as pl
import pytest
from markdown_it import MarkdownIt

from britannica_assets.config import load_configuration
from britannica_assets.corpus import assets as corpus
from britannica_assets.corpus.filters import NoArticlesError
from britannica_assets.resources import shared_resources
from britannica_assets.sample.encyclopedia import compose
from britannica_assets.settings import Settings

HOSTILE = '![x](/graphql?query=mutation) <img src="/y"> [a](javascript:z) | https://example.org'
RENDERER = MarkdownIt("commonmark", {"html": True}).enable("table")


def articles(texts: list[str | None], title: str = "Article") -> pl.DataFrame:
    return pl.DataFrame(
        {
            "volume": 1,
            "title": [f"{title} {number}" for number in range(len(texts))],
            "text": pl.Series(texts, dtype=pl.String),
            "words": [len((text or "").split()) for text in texts],
        },
        schema_overrides={"words": pl.Int32},
    )


def materialize(
    asset: dg.AssetsDefinition, upstream: str, table: pl.DataFrame, folder: Path, track: str | None = None
) -> tuple[dg.ExecuteInProcessResult, Mapping[str, dg.MetadataValue]]:
    settings = Settings(data_dir=str(folder), scale="demo")
    path = folder / upstream / f"{upstream}.parquet"
    path.parent.mkdir(parents=True)
    table.write_parquet(path)
    result = dg.materialize(
        [dg.AssetSpec(upstream), asset],
        selection=[asset],
        partition_key=track,
        resources=shared_resources(settings, load_configuration(settings.scale)),
    )
    (event,) = result.asset_materializations_for_node(asset.key.to_python_identifier())
    return result, event.metadata


def assert_plain(metadata: Mapping[str, dg.MetadataValue]) -> None:
    """Markdown of the metadata shows no link, nor any picture but our own plots."""
    for value in metadata.values():
        if isinstance(value, dg.MarkdownMetadataValue):
            page = RENDERER.render(value.md_str or "")
            assert page.count("<img") == page.count('<img src="data:image/png;base64,')
            assert "<a " not in page


def test_pages_that_cannot_be_cleaned_are_set_aside_alone(tmp_path: Path) -> None:
    texts = [article.text for article in compose()[:20]]
    nested = "the mill " + "(" * 60 + ")" * 60 + " turns on the river and grinds corn for all the town."
    endless = "the mill " + "(" * 500 + ")" * 500 + " turns on the river and grinds corn for all the town."
    table = articles([*texts, None, nested, endless, "", f"{HOSTILE} short", f"{HOSTILE} {texts[0]}"], title=HOSTILE)
    _, metadata = materialize(corpus.clean_encyclopedia, "encyclopedia", table, tmp_path)
    kept = pl.read_parquet(tmp_path / "clean_encyclopedia" / "clean_encyclopedia.parquet")
    assert kept["title"].str.split(" ").list.last().to_list()[:21] == [*map(str, range(20)), "21"]
    assert kept["text"][20] == "the mill turns on the river and grinds corn for all the town."
    removed = pl.read_parquet(tmp_path / "clean_encyclopedia" / "removed.parquet")
    reasons = dict(zip(removed["title"].str.split(" ").list.last(), removed["reason"], strict=True))
    assert "no text" in reasons["20"]
    assert "no text" in reasons["22"]
    assert reasons["23"] == "fewer than 10 words"
    assert_plain(metadata)


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ([], "the encyclopedia holds no article: materialize articles"),
        (
            ["Bath: see Wells.", None],
            "none of 2 articles is kept, for example 'Bath 0' .volume 1.: fewer than 10 words",
        ),
    ],
)
def test_nothing_to_keep_is_an_error_that_says_so(texts: list[str | None], message: str, tmp_path: Path) -> None:
    with pytest.raises(NoArticlesError, match=message):
        materialize(corpus.clean_encyclopedia, "encyclopedia", articles(texts, title="Bath"), tmp_path)


def test_hostile_text_is_no_markup_in_the_split(tmp_path: Path) -> None:
    table = articles([f"{HOSTILE} {article.text}" for article in compose()], title=HOSTILE)
    result, metadata = materialize(corpus.corpus_split, "clean_encyclopedia", table, tmp_path, "babylm_10m")
    assert_plain(metadata)
    for check in result.get_asset_check_evaluations():
        assert check.passed
        assert_plain(check.metadata)
