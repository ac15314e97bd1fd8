"""The platform's settings: every environment variable it reads, with its type, default and meaning."""

import logging
import os
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import AliasChoices, Field, ValidationError, field_validator, model_validator
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, SettingsConfigDict
from upath import UPath

from britannica_assets.config import resolve_scale, shipped_scales
from britannica_assets.files import is_local

logger = logging.getLogger(__name__)

PREFIX = "BRITANNICA_"
LIVE_WIKISOURCE = "https://en.wikisource.org"


class SettingsError(ValueError):
    """A variable has a wrong value, or a name that is nearly a setting's; the message names it and the remedy."""


class Settings(BaseSettings):
    """Settings from the environment; each field is the variable `BRITANNICA_<FIELD>` unless it names another.

    Raises:
        SettingsError: a variable has a wrong value, or a name that is nearly a setting's.
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, frozen=True, populate_by_name=True)

    data_dir: str = Field(
        default="data", description="where assets are stored: a folder or an fsspec address such as s3://bucket/prefix"
    )
    work_dir: Path | None = Field(
        default=None,
        description="a folder of this machine for checkpoints, page stores, copies; default: work/ in the data folder",
    )
    wiki_url: str = Field(default=LIVE_WIKISOURCE, description="the MediaWiki to scrape")
    contact: str | None = Field(
        default=None, description="a mail address or page for the User-Agent; live Wikisource is refused without it"
    )
    requests_per_second: float = Field(
        default=5.0,
        gt=0,
        allow_inf_nan=False,
        description="the rate limit of all requests, over all runs of this machine",
    )
    scale: str = Field(
        default="paper", description="a shipped configuration (paper, best, laptop, demo) or the path of a YAML file"
    )
    eval_dir: Path | None = Field(
        default=None,
        description="a folder with blimp_filtered/ and supplement_filtered/; without it the public data is downloaded",
    )
    mlflow_tracking_uri: str | None = Field(
        default=None,
        validation_alias=AliasChoices("MLFLOW_TRACKING_URI", "mlflow_tracking_uri"),
        description="any MLflow server; by default a SQLite file in the data folder, if that is local",
    )
    dagster_url: str = Field(
        default="http://localhost:3000", description="where the Dagster UI is, for links from MLflow"
    )
    mlflow_url: str = Field(
        default="http://localhost:5000", description="where the MLflow UI is, for links from Dagster"
    )

    def __init__(self, **values: Any) -> None:
        try:
            super().__init__(**values)
        except ValidationError as error:
            raise SettingsError("\n".join(map(_sentence, error.errors()))) from error

    @field_validator("wiki_url", "dagster_url", "mlflow_url")
    @classmethod
    def _without_trailing_slash(cls, value: str) -> str:
        return value.rstrip("/")

    @model_validator(mode="after")
    def _no_near_miss(self) -> "Settings":
        """Refuses a variable whose name is nearly a setting's: it would be ignored, and its default would be used."""
        known = [variable(name) for name in type(self).model_fields]
        for name in sorted(os.environ):
            if name.startswith(PREFIX) and name not in known:
                close = get_close_matches(name, known, n=1, cutoff=0.8)
                if close:
                    raise ValueError(
                        f"the environment has {name}={os.environ[name]!r}, which is no setting: did you mean"
                        f" {close[0]}? Rename or unset it"
                    )
                logger.warning("%s is no setting of britannica_assets and has no effect", name)
        return self

    @model_validator(mode="after")
    def _remote_data_has_a_server(self) -> "Settings":
        """Refuses a remote data folder without a tracking server: other machines would not find this one's models."""
        if self.is_remote and not self.mlflow_tracking_uri:
            raise ValueError(
                f"BRITANNICA_DATA_DIR={self.data_dir!r} is shared by machines, but MLFLOW_TRACKING_URI is not set, so"
                " that models would be registered on this machine alone: set it to an MLflow server that all reach"
            )
        return self

    @field_validator("scale")
    @classmethod
    def _known(cls, value: str) -> str:
        # A path is made absolute: the processes that an asset starts may work in another folder.
        return value if value in shipped_scales() else str(resolve_scale(value).absolute())

    @property
    def data_path(self) -> UPath:
        """The root of all stored assets; a local folder is made absolute."""
        path = UPath(self.data_dir)
        return path if self.is_remote else UPath(Path(self.data_dir).expanduser().absolute())

    @property
    def is_remote(self) -> bool:
        """Whether assets live in an object store and not in a folder of this machine."""
        return not is_local(UPath(self.data_dir))

    @property
    def local_path(self) -> Path:
        """The folder of this machine for what does not go into an object store: the data folder, if it is local."""
        return Path("data").absolute() if self.is_remote else Path(str(self.data_path))

    @property
    def work_path(self) -> Path:
        """A folder of this machine for what must survive a kill but is no asset: page stores, checkpoints, caches."""
        if self.work_dir is not None:
            return self.work_dir.expanduser().absolute()
        return self.local_path / "work"

    @property
    def tracking_uri(self) -> str:
        """The MLflow tracking address: `MLFLOW_TRACKING_URI`, or `mlflow.db` in the data folder."""
        if self.mlflow_tracking_uri:
            return self.mlflow_tracking_uri
        return f"sqlite:///{self.local_path / 'mlflow.db'}"

    @property
    def tracking_server(self) -> str | None:
        """The MLflow server's address, without a slash at the end; None where the tracking address is a database."""
        uri = self.tracking_uri
        return uri.rstrip("/") if uri.startswith(("http://", "https://")) else None


def _sentence(problem: ErrorDetails) -> str:
    message = problem["msg"].removeprefix("Value error, ")
    if not problem["loc"] or problem["type"] == "value_error":
        return message  # one of our own, which names the variable
    name = str(problem["loc"][0])
    variable = name if name.isupper() else f"{PREFIX}{name.upper()}"
    field = Settings.model_fields[name.lower().removeprefix(PREFIX.lower())]
    return (
        f"{variable}={problem['input']!r} is not accepted: {message[0].lower()}{message[1:]}. It is"
        f" {field.description}; the default is {field.default}"
    )


def variable(setting: str) -> str:
    """The environment variable that a setting is read from."""
    alias = Settings.model_fields[setting].validation_alias
    return str(alias.choices[0]) if isinstance(alias, AliasChoices) else f"{PREFIX}{setting.upper()}"
