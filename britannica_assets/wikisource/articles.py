"""A volume's fetched pages → its articles' running text, one row an article."""

from dataclasses import dataclass

import polars as pl

from britannica_assets.wikisource.extract import extract_article

ARTICLES_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "volume": pl.Int16,
    "part": pl.Int16,
    "position": pl.Int32,
    "title": pl.String,
    "text": pl.String,
    "first_page": pl.String,
    "last_page": pl.String,
    "quality": pl.Int8,
    "contributor_initials": pl.String,
    "contributor": pl.String,
    "revision": pl.Int64,
    "words": pl.Int32,
}


@dataclass(frozen=True)
class VolumeText:
    """The articles that have text, and (title, reason) of each page that gave none."""

    articles: pl.DataFrame
    without_text: list[tuple[str, str]]


def extract_articles(pages: pl.DataFrame) -> VolumeText:
    """Extracts the text of every page that was fetched and has not vanished, in the order of the index."""
    rows, without_text = [], []
    for page in pages.filter(~pl.col("vanished")).iter_rows(named=True):
        if page["html"] is None:
            without_text.append((page["title"], page["failure"] or "not fetched"))
            continue
        article = extract_article(page["html"])
        if article.reason is not None:
            without_text.append((page["title"], article.reason))
            continue
        if article.scan_volumes and page["volume"] not in article.scan_volumes:
            stands_in = ", ".join(f"{volume:02d}" for volume in sorted(article.scan_volumes))
            without_text.append((page["title"], f"stands in volume {stands_in}, to which this volume's list leads"))
            continue
        rows.append(
            {
                **{name: page[name] for name in ("volume", "part", "position", "title", "revision")},
                "text": article.text,
                "first_page": article.first_page,
                "last_page": article.last_page,
                "quality": article.quality,
                "contributor_initials": article.contributor_initials,
                "contributor": article.contributor,
                "words": len(article.text.split()),
            }
        )
    return VolumeText(pl.DataFrame(rows, schema=ARTICLES_SCHEMA), without_text)
