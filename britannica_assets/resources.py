"""What the assets share, as Dagster shows it under Deployment › Resources: settings, configuration, stores.

Settings and configuration stand in the resources' descriptions, and not in fields of theirs: the launchpad would copy
every field into each run's configuration, passwords too, where a change of it would reach half of the platform.
"""

import re
from typing import Any

import dagster as dg
import polars as pl
import yaml

from britannica_assets.config import Configuration, configuration_name
from britannica_assets.digests import short_digest
from britannica_assets.plotting import as_markdown_table
from britannica_assets.settings import Settings, variable
from britannica_assets.storage import FolderIOManager, ParquetIOManager

CREDENTIALS = re.compile(r"(?<=://)[^/@]*@")


class ParquetStore(dg.ConfigurableIOManagerFactory[ParquetIOManager]):
    """Tables, each as one Parquet file in the data folder."""

    settings: dg.ResourceDependency[Settings]

    def create_io_manager(self, context: dg.InitResourceContext) -> ParquetIOManager:
        """The IO manager of tables."""
        return ParquetIOManager(self.settings)


class FolderStore(dg.ConfigurableIOManagerFactory[FolderIOManager]):
    """Tokenizers, token ids, targets and models, each as a folder in the data folder."""

    settings: dg.ResourceDependency[Settings]

    def create_io_manager(self, context: dg.InitResourceContext) -> FolderIOManager:
        """The IO manager of folders."""
        return FolderIOManager(self.settings)


def shared_resources(settings: Settings, configuration: Configuration) -> dict[str, Any]:
    """The resources of the definitions, by key."""

    class SettingsResource(dg.ConfigurableResource[Settings]):
        __doc__ = _describe_settings(settings)

        def create_resource(self, context: dg.InitResourceContext) -> Settings:
            return settings

    class ConfigurationResource(dg.ConfigurableResource[Configuration]):
        __doc__ = _describe_configuration(settings, configuration)

        def create_resource(self, context: dg.InitResourceContext) -> Configuration:
            return configuration

    of_settings = SettingsResource()
    return {
        "settings": of_settings,
        "configuration": ConfigurationResource(),
        "io_manager": ParquetStore(settings=of_settings),
        "folder_io_manager": FolderStore(settings=of_settings),
        "pipes_subprocess_client": dg.PipesSubprocessClient(),
    }


def _describe_settings(settings: Settings) -> str:
    """A table of the settings as Markdown, without the passwords that an address may hold."""
    rows = [
        {
            "variable": variable(name),
            "value": CREDENTIALS.sub("…@", str(getattr(settings, name))),
            "is": field.description,
        }
        for name, field in Settings.model_fields.items()
    ]
    return f"The settings that Dagster was started with.\n\n{as_markdown_table(pl.DataFrame(rows))}"


def _describe_configuration(settings: Settings, configuration: Configuration) -> str:
    """The configuration as YAML in Markdown."""
    values = yaml.safe_dump(configuration.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
    name, digest = configuration_name(settings.scale), short_digest(configuration.digest)
    return f"The scale `{name}` (`{digest}`); docs/configuration.yaml explains each key.\n\n```yaml\n{values}```"
