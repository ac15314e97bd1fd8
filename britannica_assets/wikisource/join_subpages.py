"""Articles that Wikisource cuts into subpages, joined to the one article that was printed."""

from collections.abc import Iterable
from typing import Any

import polars as pl

_MOSTLY = 0.9  # of a subpage's words that stand in the article already: then it repeats them


def join_subpages(articles: pl.DataFrame) -> pl.DataFrame:
    """Joins the rows of each article and its subpages, in their order, and drops the column `parent`.

    The joined article has the title and place of the article, the first page of its first part and the last of its
    last, the worst quality, and all who signed. A subpage whose text the article holds already adds nothing.
    """
    keys = ["volume", pl.coalesce("parent", "title").alias("article")]
    parts = articles.with_columns(pl.len().over(keys).alias("parts"))
    whole = parts.filter(pl.col("parent").is_null() & (pl.col("parts") == 1)).drop("parent", "parts")
    split = parts.filter(pl.col("parent").is_not_null() | (pl.col("parts") > 1)).sort("volume", "part", "position")
    joined = [
        _join(list(rows.drop("parts").iter_rows(named=True))) for _, rows in split.group_by(keys, maintain_order=True)
    ]
    return pl.concat([whole, pl.DataFrame(joined, schema=whole.schema)]).sort("volume", "part", "position")


def _join(parts: list[dict[str, Any]]) -> dict[str, Any]:
    """One row of the rows of one article, in order."""
    paragraphs: list[str] = []
    for part in parts:
        added = part["text"].split("\n")
        known = set(paragraphs)
        repeated = sum(len(paragraph.split()) for paragraph in added if paragraph in known)
        if repeated < _MOSTLY * part["words"] or not part["words"]:
            paragraphs += added
    text = "\n".join(paragraphs)
    article = {name: value for name, value in parts[0].items() if name != "parent"}
    first = next((part["first_page"] for part in parts if part["first_page"]), None)
    last = next((part["last_page"] for part in reversed(parts) if part["last_page"]), None)
    return {
        **article,
        "title": parts[0]["parent"] or parts[0]["title"],
        "text": text,
        "first_page": first,
        "last_page": last,
        "quality": min((part["quality"] for part in parts if part["quality"] is not None), default=None),
        "contributor_initials": _together(part["contributor_initials"] for part in parts),
        "contributor": _together(part["contributor"] for part in parts),
        "revision": max(part["revision"] for part in parts),
        "words": len(text.split()),
    }


def _together(names: Iterable[str | None]) -> str | None:
    """All names of lists that are separated by semicolons, each once."""
    return "; ".join(dict.fromkeys(name for listed in names if listed for name in listed.split("; "))) or None
