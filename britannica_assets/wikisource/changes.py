"""Which volumes changed: the wiki's recent changes of scan pages and articles, read from a cursor on."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from britannica_assets.wikisource.client import Client
from britannica_assets.wikisource.index import ROOT

MOST_REQUESTS = 20  # of up to 500 changes each, in one reading; the next goes on from its cursor
PART_PAGE = re.compile(rf"{ROOT}/Vol (\d{{1,2}}):\d+$")
SCAN_PAGE = re.compile(r"Page:EB1911 - Volume (\d\d)\.djvu/")
NAMESPACES = "0|104"  # articles and pages of scans


@dataclass(frozen=True)
class Changes:
    """The volumes that changed, and the cursor to read on from: the last change's identifier and moment."""

    volumes: frozenset[str]
    last_change: int
    last_moment: str


def read_changes(client: Client, *, after: int, since: str, volume_of: Mapping[str, str]) -> Changes:
    """Reads all changes since the moment `since` (ISO 8601) whose identifier is above `after`, oldest first.

    `volume_of` gives the volume ("07") of an article's title; scan pages and part pages name their own. A backlog of
    more than `MOST_REQUESTS` answers is left to the next reading.

    Raises:
        WikiError: the wiki gave no usable answer.
    """
    datetime.fromisoformat(since)
    volumes: set[str] = set()
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
            named = SCAN_PAGE.match(change["title"]) or PART_PAGE.match(change["title"])
            volume = f"{int(named[1]):02d}" if named else volume_of.get(change["title"].removeprefix(f"{ROOT}/"))
            if volume is not None:
                volumes.add(volume)
        if "continue" not in answer:
            break
        proceed = {name: str(value) for name, value in answer["continue"].items()}
    return Changes(frozenset(volumes), last_change, last_moment)
