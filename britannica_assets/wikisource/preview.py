"""A look at one part page, one article cut into subpages and one signed article, before a volume is scraped."""

from dataclasses import dataclass

import polars as pl

from britannica_assets.wikisource.articles import ARTICLES_SCHEMA, extract_articles
from britannica_assets.wikisource.client import Client
from britannica_assets.wikisource.extraction.boxes import BoxCount
from britannica_assets.wikisource.index import read_volume_index
from britannica_assets.wikisource.join_subpages import join_subpages
from britannica_assets.wikisource.part_pages import ROOT
from britannica_assets.wikisource.scrape import PAGES_SCHEMA, rendered_at

MAX_PAGES = 12  # looked at for a signature
EXCERPT = 200  # characters from the beginning and the end of a text


@dataclass(frozen=True)
class Preview:
    """What was found: the volume's index, an article that is split and one that is signed, joined, and all boxes."""

    volume: int
    index: pl.DataFrame
    split: pl.DataFrame
    signed: pl.DataFrame
    boxes: list[BoxCount]
    rendering_time: bool
    requests: int

    @property
    def complete(self) -> bool:
        """Whether both kinds of articles were found and have text."""
        return not self.split.is_empty() and not self.signed.is_empty()

    def __str__(self) -> str:
        articles = self.index["parent"].null_count()
        lines = [
            f"volume {self.volume}: {articles} articles in {self.index['part'].n_unique()} parts,"
            f" {len(self.index) - articles} subpages; {self.requests} requests",
            "pages say when they were rendered" if self.rendering_time else "pages do not say when they were rendered",
            *_describe("split article", self.split),
            *_describe("signed article", self.signed),
            "boxes, those that no rule knew first (rule, tag, class, number, example):",
            *(
                f"  {box.rule or 'kept'}: <{box.tag} class={box.classes!r}> {box.count} × {box.example!r}"
                for box in self.boxes
            ),
        ]
        return "\n".join(lines)


def preview_volume(client: Client, volume: int) -> Preview:
    """Reads the index of a volume, its first article with subpages, and articles until one is signed.

    Raises:
        WikiError: as `read_volume_index` does, or a page could not be fetched.
    """
    index = read_volume_index(client, volume)
    parents = index["parent"].drop_nulls()
    family = pl.coalesce("parent", "title")
    split_pages = _fetch(client, index.filter(family == parents[0]) if len(parents) else index.clear())
    looked_at = [split_pages]
    signed = pl.DataFrame(schema=ARTICLES_SCHEMA)
    whole = index.filter(~family.is_in(parents.implode()))
    for row in whole.gather_every(max(1, len(whole) // MAX_PAGES)).head(MAX_PAGES).iter_slices(1):
        looked_at.append(_fetch(client, row))
        signed = extract_articles(looked_at[-1]).articles.filter(pl.col("contributor_initials").is_not_null())
        if not signed.is_empty():
            break
    seen = pl.concat(looked_at)
    return Preview(
        volume=volume,
        index=index,
        split=join_subpages(extract_articles(split_pages).articles),
        signed=signed,
        boxes=extract_articles(seen).boxes,
        rendering_time=any(rendered_at(html) for html in seen["html"].drop_nulls()),
        requests=client.requests_made,
    )


def _fetch(client: Client, index: pl.DataFrame) -> pl.DataFrame:
    rows = [
        {
            **row,
            "url": client.page_url(f"{ROOT}/{row['title']}"),
            "html": client.page(f"{ROOT}/{row['title']}"),
            "fetched_at": None,
            "failure": None,
            "vanished": False,
        }
        for row in index.iter_rows(named=True)
    ]
    return pl.DataFrame(rows, schema=PAGES_SCHEMA)


def _describe(kind: str, articles: pl.DataFrame) -> list[str]:
    if articles.is_empty():
        return [f"{kind}: none found"]
    row = articles.row(0, named=True)
    text = row["text"].replace("\n", " ¶ ")
    return [
        f"{kind}: {row['title']}, pages {row['first_page']} to {row['last_page']}, {row['words']} words, quality"
        f" {row['quality']}, signed {row['contributor_initials']} ({row['contributor']})",
        f"  begins: {text[:EXCERPT]}",
        f"  ends: {text[-EXCERPT:]}",
    ]
