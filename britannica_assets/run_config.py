"""Run configuration: the configuration's keys that one run or backfill may have otherwise, as the launchpad shows them.

Types, choices and help come from the schema of configurations; Dagster refuses an unknown key before a run exists.
"""

import types
from functools import cache
from typing import Any, Literal, Union, get_args, get_origin

import dagster as dg

from britannica_assets.code_location import configuration
from britannica_assets.config import overridden_field, override_paths

NO_RUN_CONFIG: dict[str, dg.Field] = {}  # of an asset: without it Dagster takes any key, and nothing reads it


def overrides_schema(asset: str) -> dict[str, dg.Field]:
    """The run configuration of an asset: its keys, none of which is required."""
    fields = {}
    for key in override_paths(asset):
        field, value = overridden_field(configuration, asset, key)
        description = f"{field.description} (by default {'null' if value is None else value})"
        fields[key] = dg.Field(dagster_type(key, field.annotation), is_required=False, description=description)
    return fields


def dagster_type(key: str, annotation: Any) -> Any:
    """A key's type in Dagster's terms; choices become an enumeration, null is refused as in a file."""
    origin, members = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return _enumeration(key, members)
    if origin in (Union, types.UnionType):
        (inner,) = (member for member in members if member is not type(None))
        return dg.Noneable(dagster_type(key, inner))
    if origin is list:
        return [dagster_type(key, members[0])]
    return annotation


@cache
def _enumeration(name: str, choices: tuple[str, ...]) -> dg.Enum:
    """One object a name: Dagster refuses two types of one name."""
    return dg.Enum(name, [dg.EnumValue(choice) for choice in choices])
