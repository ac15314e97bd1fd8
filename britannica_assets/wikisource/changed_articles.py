"""What a re-scrape changed: the articles, and the words that came and went."""

from collections import Counter
from dataclasses import dataclass

import polars as pl

MAX_WORDS = 12  # shown of those that came, and of those that went


@dataclass(frozen=True)
class ChangedArticle:
    """One article of which the text is another than before: what happened, and words that came and went."""

    title: str
    change: str
    words_added: int
    words_removed: int
    added: str
    removed: str


def compare_articles(before: pl.DataFrame, after: pl.DataFrame) -> list[ChangedArticle]:
    """The articles that are new, gone or changed between two tables with the columns `title` and `text`.

    Words are compared as bags: a word that moved within its article neither came nor went.
    """
    old = dict(before.select("title", "text").iter_rows())
    new = dict(after.select("title", "text").iter_rows())
    changed = [_compare(title, old.get(title), text) for title, text in new.items() if old.get(title) != text]
    return changed + [_compare(title, text, None) for title, text in old.items() if title not in new]


def _compare(title: str, old: str | None, new: str | None) -> ChangedArticle:
    before, after = Counter((old or "").split()), Counter((new or "").split())
    added, removed = after - before, before - after
    change = "new" if old is None else "gone" if new is None else "changed"
    return ChangedArticle(title, change, added.total(), removed.total(), _some(added), _some(removed))


def _some(words: Counter[str]) -> str:
    shown = list(words)[:MAX_WORDS]
    return " ".join(shown) + (" …" if len(words) > MAX_WORDS else "")
