"""The settings and the configuration that this Dagster code location was loaded with."""

from britannica_assets.config import load_configuration
from britannica_assets.settings import Settings

settings = Settings()
configuration = load_configuration(settings.scale)
