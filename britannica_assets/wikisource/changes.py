"""Which volumes changed: the wiki's recent changes of scan pages and articles, read from a cursor on."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from britannica_assets.wikisource.client import Client
from britannica_assets.wikisource.index import ROOT

MOST_REQUESTS = 20  # of up to 500 changes each, in one reading; the next goes on from its cursor
PART_PAGE = re.compile(rf"{ROOT}/Vol (\d{{1,2}}):\d+$")
LONG_AGO = "2001-01-15T00:00:00Z"  # before the first change of any wiki
SCAN_NAMESPACE = "104"
NAMESPACES = f"0|{SCAN_NAMESPACE}"  # articles and pages of scans


@dataclass(frozen=True)
class Changes:
    """The volumes that changed, and the cursor to read on from: the last change's identifier and moment."""

    volumes: frozenset[str]
    last_change: int
    last_moment: str


def read_changes(client: Client, *, after: int, since: str, volume_of: Mapping[str, str]) -> Changes:
    """Reads all changes since the moment `since` (ISO 8601) whose identifier is above `after`, oldest first.

    `volume_of` gives the volume ("07") of an article's title; scan pages and part pages name their own, and an article
    that is not known yet is asked which scan pages it transcludes. A backlog of more than `MOST_REQUESTS` answers is
    left to the next reading.

    Raises:
        WikiError: the wiki gave no usable answer.
    """
    datetime.fromisoformat(since)
    volumes: set[str] = set()
    unknown: dict[str, None] = {}
    last_change, last_moment = after, since
    proceed: dict[str, str] = {}
    for _ in range(MOST_REQUESTS):
        answer = client.query(
            list="recentchanges",
            rcnamespace=NAMESPACES,
            rcdir="newer",
            rcstart=since,
            rcprop="title|timestamp|ids",
            rclimit="max",
            **proceed,
        )
        for change in answer["query"]["recentchanges"]:
            if change["rcid"] <= after:
                continue
            last_change, last_moment = max(last_change, change["rcid"]), max(last_moment, change["timestamp"])
            title = change["title"]
            if named := _volume_in(title):
                volumes.add(named)
            elif known := volume_of.get(title.removeprefix(f"{ROOT}/")):
                volumes.add(known)
            elif title.startswith(f"{ROOT}/"):
                unknown[title] = None
        if "continue" not in answer:
            break
        proceed = {name: str(value) for name, value in answer["continue"].items()}
    return Changes(frozenset(volumes | _transcluded_volumes(client, unknown)), last_change, last_moment)


def last_change(client: Client) -> Changes:
    """Where to begin reading: the wiki's last change, by its own clock.

    Raises:
        WikiError: the wiki gave no usable answer.
    """
    answer = client.query(list="recentchanges", rcnamespace=NAMESPACES, rcprop="timestamp|ids", rclimit="1")
    changes = answer["query"]["recentchanges"] or [{"rcid": 0, "timestamp": LONG_AGO}]
    return Changes(frozenset(), changes[0]["rcid"], changes[0]["timestamp"])


def _volume_in(title: str) -> str | None:
    part_page = PART_PAGE.match(title)
    volume = int(part_page[1]) if part_page else scan_volume(title)
    return None if volume is None else f"{volume:02d}"


def _transcluded_volumes(client: Client, titles: Iterable[str]) -> set[str]:
    """The volumes of the scan pages that articles transclude."""
    volumes: set[str] = set()
    for _, answer in client.query_titles(titles, prop="templates", tlnamespace=SCAN_NAMESPACE, tllimit="max"):
        for page in answer["pages"]:
            volumes |= {volume for used in page.get("templates", []) if (volume := _volume_in(used["title"]))}
    return volumes
