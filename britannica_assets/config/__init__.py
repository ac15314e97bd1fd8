"""Configurations: YAML files that fix a scale, from the word budgets to the prompts."""

from britannica_assets.config.loading import (
    SHIPPED_FOLDER,
    configuration_name,
    load_configuration,
    resolve_scale,
    shipped_scales,
)
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
    "load_configuration",
    "resolve_scale",
    "shipped_scales",
]
