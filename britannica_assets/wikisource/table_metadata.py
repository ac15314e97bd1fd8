"""Tables as metadata: text from a wiki is shown as it is, and never as Markdown."""

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any

import dagster as dg

MAX_ROWS = 200  # of a table in the metadata of a materialization


def table_of(records: Iterable[Mapping[str, Any]]) -> dg.MetadataValue:
    """A table of the first `MAX_ROWS` records, of which all have the same keys; an empty list where there are none."""
    rows = [
        dg.TableRecord({name: "" if value is None else value for name, value in record.items()})
        for record in islice(records, MAX_ROWS)
    ]
    return dg.MetadataValue.table(rows) if rows else dg.MetadataValue.json([])
