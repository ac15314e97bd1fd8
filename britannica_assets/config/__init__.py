"""Configurations: YAML files that fix a scale, from the word budgets to the prompts."""

from britannica_assets.config.loading import (
    SHIPPED_FOLDER,
    configuration_name,
    load_configuration,
    resolve_scale,
    shipped_scales,
)
from britannica_assets.config.overrides import GENERATED, describe_overrides, overridden_field, override, override_paths
from britannica_assets.config.schema import (
    Architecture,
    Configuration,
    ConfigurationError,
    Distillation,
    Generation,
    ModelConfiguration,
    TokenizerConfiguration,
    TrackBudget,
    Training,
)

__all__ = [
    "GENERATED",
    "SHIPPED_FOLDER",
    "Architecture",
    "Configuration",
    "ConfigurationError",
    "Distillation",
    "Generation",
    "ModelConfiguration",
    "TokenizerConfiguration",
    "TrackBudget",
    "Training",
    "configuration_name",
    "describe_overrides",
    "load_configuration",
    "overridden_field",
    "override",
    "override_paths",
    "resolve_scale",
    "shipped_scales",
]
