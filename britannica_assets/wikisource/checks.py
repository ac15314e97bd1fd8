"""What must hold of a scraped volume: the checks that `raw_articles` and `articles` evaluate as they materialize."""

import dagster as dg
import polars as pl

from britannica_assets.wikisource.articles import find_page_gaps

MAX_NAMED = 50  # titles or gaps in a check's metadata
SHORT = 10  # words
MAX_SHORT_SHARE = 0.02  # of the articles
MAX_UNPROOFREAD_SHARE = 0.05  # of the articles
PROOFREAD = 3  # data-page-quality: 3 is proofread, 4 validated
MAX_LOST_SHARE = 0.02  # of the words since the last scrape

RAW_ARTICLES_CHECKS = [
    dg.AssetCheckSpec(
        "every_listed_article_is_fetched",
        asset="raw_articles",
        description="Every article of the index has its page, without a failure.",
    ),
]
ARTICLES_CHECKS = [
    dg.AssetCheckSpec(
        "articles_have_text",
        asset="articles",
        description=f"At most {MAX_SHORT_SHARE:.0%} of the articles have no text or fewer than {SHORT} words.",
    ),
    dg.AssetCheckSpec(
        "pages_are_proofread",
        asset="articles",
        description=f"At most {MAX_UNPROOFREAD_SHARE:.0%} of the articles stand on pages that nobody has proofread.",
    ),
    dg.AssetCheckSpec(
        "no_article_stands_twice",
        asset="articles",
        description="No two articles of the volume have the same text.",
    ),
    dg.AssetCheckSpec(
        "printed_pages_follow",
        asset="articles",
        description="Each article begins on the printed page on which the one before it ends, or on the next: no page"
        " of the volume is missing between two articles.",
    ),
    dg.AssetCheckSpec(
        "the_volume_did_not_shrink",
        asset="articles",
        blocking=True,
        description=f"The volume lost at most {MAX_LOST_SHARE:.0%} of its words since it was last materialized;"
        " materialize it again to accept the loss.",
    ),
]


def failed_pages(pages: pl.DataFrame) -> pl.DataFrame:
    """The listed pages of a volume that could not be fetched."""
    return pages.filter(pl.col("part").is_not_null() & pl.col("failure").is_not_null())


def check_raw_articles(pages: pl.DataFrame) -> list[dg.AssetCheckResult]:
    """Evaluates `RAW_ARTICLES_CHECKS` on a volume's pages."""
    failed = failed_pages(pages)
    return [_result("every_listed_article_is_fetched", failed.is_empty(), failed, severity=dg.AssetCheckSeverity.ERROR)]


def check_articles(articles: pl.DataFrame, *, without_text: int, words_before: int | None) -> list[dg.AssetCheckResult]:
    """Evaluates `ARTICLES_CHECKS` on a volume's articles.

    `without_text` counts its pages that gave none; `words_before` is None at the first materialization.
    """
    short = articles.filter(pl.col("words") < SHORT)
    unproofread = articles.filter(pl.col("quality") < PROOFREAD)
    duplicates = articles.filter(pl.col("text").is_duplicated())
    gaps = find_page_gaps(articles)
    words = int(articles["words"].sum())
    return [
        _result(
            "articles_have_text",
            len(articles) > 0 and len(short) + without_text <= MAX_SHORT_SHARE * (len(articles) + without_text),
            short,
        ),
        _result("pages_are_proofread", len(unproofread) <= MAX_UNPROOFREAD_SHARE * len(articles), unproofread),
        _result("no_article_stands_twice", duplicates.is_empty(), duplicates),
        dg.AssetCheckResult(
            check_name="printed_pages_follow",
            passed=not gaps,
            severity=dg.AssetCheckSeverity.WARN,
            metadata={"found": len(gaps), "gaps": "; ".join(map(str, gaps[:MAX_NAMED])) or "none"},
        ),
        dg.AssetCheckResult(
            check_name="the_volume_did_not_shrink",
            passed=words_before is None or words >= words_before * (1 - MAX_LOST_SHARE),
            metadata={"words": words, "words_before": "none" if words_before is None else words_before},
        ),
    ]


def _result(
    name: str,
    passed: bool,
    found: pl.DataFrame,
    severity: dg.AssetCheckSeverity = dg.AssetCheckSeverity.WARN,
) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        check_name=name,
        passed=passed,
        severity=severity,
        metadata={"found": len(found), "titles": ", ".join(found["title"].head(MAX_NAMED)) or "none"},
    )
