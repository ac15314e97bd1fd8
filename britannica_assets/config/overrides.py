"""Overrides: what one run or backfill has otherwise than its scale, as flat keys of the asset that it makes."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from britannica_assets.config.loading import describe_problems
from britannica_assets.config.schema import Configuration, ConfigurationError, Distillation, Generation, Training
from britannica_assets.track_models import STUDENT, STUDENT_MODELS, TARGETS, teacher_name

GENERATED = "generated_articles"
SEED = "seed"
OF_THE_STUDENT = ("alpha", "temperature", "kl_reduction", "live_teachers")
OF_THE_TARGETS = tuple(
    key for key in Distillation.model_fields if key not in ("alpha", "kl_reduction", "live_teachers")
)


def override_paths(asset: str) -> dict[str, tuple[str, ...]]:
    """The keys that a run of `asset` may override, each with its path in the configuration.

    A model has its `training`, the student also what it learns from its teachers, and all of them the seed.
    """
    if asset == GENERATED:
        own = {key: ("generation", key) for key in Generation.model_fields}
    elif asset == TARGETS:
        own = {key: ("distillation", key) for key in OF_THE_TARGETS}
    else:
        section = ("student",) if asset in STUDENT_MODELS else ("teachers", teacher_name(asset))
        own = {key: (*section, "training", key) for key in Training.model_fields}
        if asset == STUDENT:
            own |= {key: ("distillation", key) for key in OF_THE_STUDENT}
    return {SEED: (SEED,), **own}


def override(configuration: Configuration, asset: str, overrides: Mapping[str, Any]) -> Configuration:
    """The configuration with some keys of `asset` replaced, checked as a file would be.

    Raises:
        ConfigurationError: a key is none of the asset's, or its value cannot be run; the message names it.
    """
    paths = override_paths(asset)
    values = configuration.model_dump()
    for key, value in overrides.items():
        if key not in paths:
            raise ConfigurationError(f"{asset} has no key {key!r} to override; it has: {', '.join(paths)}")
        *sections, last = paths[key]
        section = values
        for name in sections:
            section = section[name]
        section[last] = value
    try:
        return Configuration.model_validate(values)
    except ValidationError as error:
        raise ConfigurationError(f"the run's configuration of {asset} is wrong:\n{describe_problems(error)}") from error


def overridden_field(configuration: Configuration, asset: str, key: str) -> tuple[FieldInfo, Any]:
    """The schema's field of a key of `asset`, and its value in the configuration."""
    *sections, last = override_paths(asset)[key]
    section: Any = configuration
    for name in sections:
        section = getattr(section, name) if isinstance(section, BaseModel) else section[name]
    return type(section).model_fields[last], getattr(section, last)


def describe_overrides(overrides: Mapping[str, Any]) -> str:
    """Overrides on one line, such as `epochs 3, seed 7`; "none" where there are none."""
    return ", ".join(f"{key} {value}" for key, value in sorted(overrides.items())) or "none"
