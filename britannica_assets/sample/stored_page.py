"""A page of the sample wiki as it is stored, and how MediaWiki writes namespaces and timestamps."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from britannica_assets.sample.markup import Page

NAMESPACES = {"": 0, "File": 6, "Category": 14, "Author": 102, "Page": 104, "Index": 106}
CREATED_AT = datetime(2020, 1, 1, tzinfo=UTC)


@dataclass
class WikiPage:
    """A page in the wiki: its content, when it was last rendered anew, and its revision."""

    page: Page
    identifier: int
    revision: int
    touched: datetime = CREATED_AT


@dataclass(frozen=True)
class Response:
    """An HTTP response."""

    status: int
    content_type: str
    body: str
    headers: Mapping[str, str] = field(default_factory=dict)


def namespace(title: str) -> int:
    """The number of a title's namespace."""
    prefix, colon, _ = title.partition(":")
    return NAMESPACES.get(prefix, 0) if colon else 0


def timestamp(moment: datetime) -> str:
    """A moment as MediaWiki's API writes it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
