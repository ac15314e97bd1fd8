"""What must hold of a scraped volume: the checks that `raw_articles` and `articles` evaluate as they materialize."""

import dagster as dg
import polars as pl

from britannica_assets.wikisource.articles import find_page_gaps

MAX_NAMED = 50  # titles or gaps in a check's metadata
SHORT = 10  # words
MOST_SHORT = 0.02  # of the articles
MOST_UNPROOFREAD = 0.05  # of the articles
PROOFREAD = 3  # data-page-quality: 3 is proofread, 4 validated
MOST_LOST = 0.02  # of the words since the last scrape

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
        description=f"At most {MOST_SHORT:.0%} of the articles have no text or fewer than {SHORT} words.",
    ),
    dg.AssetCheckSpec(
        "pages_are_proofread",
        asset="articles",
        description=f"At most {MOST_UNPROOFREAD:.0%} of the articles stand on pages that nobody has proofread.",
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
        description=f"The volume lost at most {MOST_LOST:.0%} of its words since it was last materialized; materialize"
        " it again to accept the loss.",
    ),
]


def check_raw_articles(pages: pl.DataFrame) -> list[dg.AssetCheckResult]:
    """Evaluates `RAW_ARTICLES_CHECKS` on a volume's pages."""
    failed = pages.filter(pl.col("part").is_not_null() & pl.col("failure").is_not_null())
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
            len(articles) > 0 and len(short) + without_text <= MOST_SHORT * (len(articles) + without_text),
            short,
        ),
        _result("pages_are_proofread", len(unproofread) <= MOST_UNPROOFREAD * len(articles), unproofread),
        _result("no_article_stands_twice", duplicates.is_empty(), duplicates),
        dg.AssetCheckResult(
            check_name="printed_pages_follow",
            passed=not gaps,
            severity=dg.AssetCheckSeverity.WARN,
            metadata={"found": len(gaps), "gaps": "; ".join(map(str, gaps[:MAX_NAMED])) or "none"},
        ),
        dg.AssetCheckResult(
            check_name="the_volume_did_not_shrink",
            passed=words_before is None or words >= words_before * (1 - MOST_LOST),
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
