"""Which volumes changed: the wiki's recent changes of scan pages and articles, read from a cursor on."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from britannica_assets.wikisource.client import Client
from britannica_assets.wikisource.extract import scan_volume
from britannica_assets.wikisource.index import parent_of
from britannica_assets.wikisource.part_pages import PART_PAGE, ROOT

MAX_REQUESTS = 20  # of up to 500 changes each, in one reading; the next goes on from its cursor
BEFORE_ALL_CHANGES = "2001-01-15T00:00:00Z"
SCAN_NAMESPACE = "104"
NAMESPACES = f"0|{SCAN_NAMESPACE}"  # articles and pages of scans
TYPES = ("edit", "new", "log")  # others, such as a page's move into a category, change no text


@dataclass(frozen=True)
class Changes:
    """The volumes that changed, and the cursor to read on from: the last change's identifier and moment.

    `incomplete` says that the wiki no longer keeps all changes since the cursor, so that any volume may have changed.
    """

    volumes: frozenset[str]
    last_change: int
    last_moment: str
    incomplete: bool = False


def read_changes(
    client: Client, *, after: int, since: str, volumes_by_title: Callable[[], Mapping[str, str]]
) -> Changes:
    """Reads all changes since the moment `since` (ISO 8601) whose identifier is above `after`, oldest first.

    `volumes_by_title` is called where an article changed and gives the volume ("07") of each known title; scan pages
    and part pages name their own, a subpage has its article's, and the scan pages that an unknown article transcludes
    are looked up. A backlog of more than
    `MAX_REQUESTS` answers is left to the next reading.

    Raises:
        WikiError: the wiki gave no usable answer.
    """
    datetime.fromisoformat(since)
    volumes: set[str] = set()
    articles: dict[str, None] = {}
    last_change, last_moment = after, since
    keeps_cursor = after == 0
    answers = client.query_all(
        list="recentchanges",
        rcnamespace=NAMESPACES,
        rctype="|".join(TYPES),
        rcdir="newer",
        rcstart=since,
        rcprop="title|timestamp|ids",
        rclimit="max",
    )
    for answer in islice(answers, MAX_REQUESTS):
        for change in answer["query"]["recentchanges"]:
            keeps_cursor = keeps_cursor or change["rcid"] == after
            if change["rcid"] <= after:
                continue
            last_change, last_moment = max(last_change, change["rcid"]), max(last_moment, change["timestamp"])
            if change.get("type", "edit") not in TYPES:
                continue
            title = change["title"]
            if volume := _volume_in(title):
                volumes.add(volume)
            elif title.startswith(f"{ROOT}/"):
                articles[title] = None
    # The change at the cursor is gone where its page was deleted, or where the wiki has forgotten it and later ones.
    incomplete = not keeps_cursor and since < _oldest_change(client)
    known = volumes_by_title() if articles else {}
    found = {title: _volume_of_article(title, known) for title in articles}
    volumes |= {volume for volume in found.values() if volume}
    volumes |= _transcluded_volumes(client, (title for title, volume in found.items() if volume is None))
    return Changes(frozenset(volumes), last_change, last_moment, incomplete)


def last_change(client: Client) -> Changes:
    """Where to begin reading: the wiki's last change, by its own clock.

    Raises:
        WikiError: the wiki gave no usable answer.
    """
    answer = client.query(
        list="recentchanges",
        rcnamespace=NAMESPACES,
        rctype="|".join(TYPES),
        rcprop="timestamp|ids",
        rclimit="1",
    )
    changes = answer["query"]["recentchanges"] or [{"rcid": 0, "timestamp": BEFORE_ALL_CHANGES}]
    return Changes(frozenset(), changes[0]["rcid"], changes[0]["timestamp"])


def _oldest_change(client: Client) -> str:
    """The moment of the oldest change that the wiki keeps, of any page; the end of time where it keeps none."""
    answer = client.query(list="recentchanges", rcdir="newer", rcprop="timestamp|ids", rclimit="1")
    changes = answer["query"]["recentchanges"]
    return str(changes[0]["timestamp"]) if changes else "9999"


def _volume_in(title: str) -> str | None:
    part_page = PART_PAGE.match(title)
    volume = int(part_page[1]) if part_page else scan_volume(title)
    return None if volume is None else f"{volume:02d}"


def _volume_of_article(title: str, volume_of: Mapping[str, str]) -> str | None:
    """The volume of an article that an index knows, or of a subpage of one."""
    article = title.removeprefix(f"{ROOT}/")
    return volume_of.get(article) or volume_of.get(parent_of(article, volume_of) or "")


def _transcluded_volumes(client: Client, titles: Iterable[str]) -> set[str]:
    """The volumes of the scan pages that articles transclude."""
    volumes: set[str] = set()
    for _, answer in client.query_titles(titles, prop="templates", tlnamespace=SCAN_NAMESPACE, tllimit="max"):
        for page in answer["pages"]:
            volumes |= {volume for used in page.get("templates", []) if (volume := _volume_in(used["title"]))}
    return volumes
