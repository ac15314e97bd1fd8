"""What the assets share, as Dagster shows it under Deployment › Resources: settings, configuration, stores."""

from types import NoneType
from typing import Any, get_args

import dagster as dg
from pydantic import Field, create_model
from pydantic.fields import FieldInfo

from britannica_assets.config import Configuration
from britannica_assets.settings import Settings, variable
from britannica_assets.storage import FolderIOManager, ParquetIOManager

SECRET = {"mlflow_tracking_uri"}  # an address may hold a password


class _SettingsFactory(dg.ConfigurableResource[Settings]):
    """The platform's settings, from the environment that Dagster was started with."""

    def create_resource(self, context: dg.InitResourceContext) -> Settings:
        """The settings as assets get them."""
        return Settings(**{name: getattr(self, name) for name in Settings.model_fields})


class _ConfigurationFactory(dg.ConfigurableResource[Configuration]):
    """What the scale fixes, key by key: docs/configuration.yaml explains them."""

    def create_resource(self, context: dg.InitResourceContext) -> Configuration:
        """The configuration as assets get it."""
        return Configuration.model_validate({name: getattr(self, name) for name in Configuration.model_fields})


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
    of_settings = _SettingsResource(**settings.model_dump(mode="json"))
    return {
        "settings": of_settings,
        "configuration": _ConfigurationResource(**configuration.model_dump(mode="json")),
        "io_manager": ParquetStore(settings=of_settings),
        "folder_io_manager": FolderStore(settings=of_settings),
        "pipes_subprocess_client": dg.PipesSubprocessClient(),
    }


def _setting(name: str, field: FieldInfo) -> Any:
    """A setting's field: its type, with paths as text, and its help with the variable's name."""
    members = get_args(field.annotation) or (field.annotation,)
    kind: Any = float if float in members else str
    return (
        kind | None if NoneType in members else kind,
        Field(
            default=field.default,
            description=f"{field.description} ({variable(name)})",
            json_schema_extra={"dagster__is_secret": name in SECRET},
        ),
    )


_SETTINGS: dict[str, Any] = {name: _setting(name, field) for name, field in Settings.model_fields.items()}
_SECTIONS: dict[str, Any] = {
    name: (int if field.annotation is int else dict, Field(description=field.description))
    for name, field in Configuration.model_fields.items()
}
_SettingsResource: Any = create_model(
    "SettingsResource", __base__=_SettingsFactory, __doc__=_SettingsFactory.__doc__, **_SETTINGS
)
_ConfigurationResource: Any = create_model(
    "ConfigurationResource", __base__=_ConfigurationFactory, __doc__=_ConfigurationFactory.__doc__, **_SECTIONS
)
