"""The reference of all keys, `docs/configuration.yaml`: `python -m britannica_assets.config.reference` prints it."""

import types
from collections.abc import Iterator
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import yaml
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from britannica_assets.config.loading import load_configuration

HEAD = """\
# Every key of a configuration, with its sentence, type and default, at the values of `paper`.
# Written by `python -m britannica_assets.config.reference > docs/configuration.yaml`; a test holds it to the schema.
#
# A file of your own is chosen by its path, BRITANNICA_SCALE=my.yaml, and may say only what it changes:
#
#     extends: paper        # a shipped configuration, or the path of a file, relative to this one
#     teachers:
#       llama: null         # null removes a key
#     student: {training: {epochs: 3}}
"""


def render_reference() -> str:
    """The reference as YAML that loads as the configuration `paper`."""
    return HEAD + "".join(f"{line}\n" for line in _render_section(load_configuration("paper"), "", explained=True))


def _render_section(section: BaseModel, indent: str, *, explained: bool) -> Iterator[str]:
    for name, field in type(section).model_fields.items():
        value = getattr(section, name)
        if explained:
            top = "\n" if not indent else ""
            yield f"{top}{indent}# {field.description} ({_describe_type(field.annotation)}; {_describe_default(field)})"
        yield from _render_value(name, value, indent, explained=explained)


def _render_value(name: str, value: Any, indent: str, *, explained: bool) -> Iterator[str]:
    if isinstance(value, BaseModel):
        yield f"{indent}{name}:"
        yield from _render_section(value, indent + "  ", explained=explained)
    elif isinstance(value, dict):
        yield f"{indent}{name}:"
        for number, (key, inner) in enumerate(value.items()):
            # The first of a mapping explains the others.
            yield from _render_value(key, inner, indent + "  ", explained=explained and number == 0)
    else:
        yield f"{indent}{name}: {_yaml(value)}"


def _yaml(value: Any) -> str:
    """A value on one line."""
    return yaml.safe_dump(value, default_flow_style=True, width=10_000).removesuffix("...\n").strip()


def _describe_default(field: FieldInfo) -> str:
    return "required" if field.is_required() else f"default {_yaml(field.default)}"


def _describe_type(annotation: Any) -> str:
    origin, members = get_origin(annotation), get_args(annotation)
    described = getattr(annotation, "__name__", "")
    if origin is Annotated:
        described = _describe_type(members[0])
    elif origin is Literal:
        described = " or ".join(str(choice) for choice in members)
    elif origin in (Union, types.UnionType):
        described = " or ".join(_describe_type(member) for member in members)
    elif origin is list:
        described = f"list of {_describe_type(members[0])}"
    elif origin is dict:
        described = "mapping by name"
    elif annotation is type(None):
        described = "null"
    elif issubclass(annotation, BaseModel):
        described = "section"
    return described


if __name__ == "__main__":
    print(render_reference(), end="")
