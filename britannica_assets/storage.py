"""Where materialized values live: the IO managers, which store tables as Parquet, models and token ids as folders."""

import io
import logging
import shutil
import uuid
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl
from upath import UPath

from britannica_assets.config import configuration_name, load_configuration
from britannica_assets.digests import short_digest
from britannica_assets.files import atomic_write
from britannica_assets.folder_store import (
    CorruptFolderError,
    check_folder,
    current_digest,
    download_folder,
    restore_folder,
    store_folder,
    upload_folder,
)
from britannica_assets.settings import Settings
from britannica_assets.shared_work import remove_shared

logger = logging.getLogger(__name__)


class MissingInputError(FileNotFoundError):
    """An upstream asset has not been materialized; the message names it."""


class UnreadableInputError(ValueError):
    """An upstream asset's file is damaged; the message names it and the remedy."""


class _AssetIOManager(dg.UPathIOManager):
    """`<data_dir>/<asset>/<partition><extension>`; an unpartitioned asset's file is named after the asset."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(base_path=settings.data_path)
        self.settings = settings

    def get_asset_relative_path(self, context: dg.InputContext | dg.OutputContext) -> UPath:
        path = super().get_asset_relative_path(context)
        return path if context.has_asset_partitions else path / path.name

    def get_metadata(self, context: dg.OutputContext, obj: Any) -> dict[str, dg.MetadataValue]:
        """What every asset shows of where it is from, beside what it says itself."""
        return {
            "scale": dg.MetadataValue.text(configuration_name(self.settings.scale)),
            "configuration": dg.MetadataValue.text(short_digest(load_configuration(self.settings.scale).digest)),
            "wiki": dg.MetadataValue.url(self.settings.wiki_url),
        }

    def load_partitions(self, context: dg.InputContext) -> Any:
        """One partition's value, or with `allow_missing_partitions` a dictionary of those that exist.

        With `allow_no_partition` in the input's metadata that dictionary may be empty.
        """
        folder = self.settings.data_path.joinpath(*context.asset_key.path)
        paths = {key: folder / f"{key}{self.extension or ''}" for key in context.asset_partition_keys}
        metadata = context.definition_metadata or {}
        if not metadata.get("allow_missing_partitions", False):
            (path,) = paths.values()
            return self.load_from_path(context, path)
        present = {partition: path for partition, path in paths.items() if path.exists()}
        if not present and not metadata.get("allow_no_partition", False):
            raise self.missing(context, next(iter(paths.values())))
        return {partition: self.load_from_path(context, path) for partition, path in present.items()}

    def missing(self, context: dg.InputContext, path: UPath) -> MissingInputError:
        return MissingInputError(f"{path} does not exist: {self.materialize_again(context, path)}")

    def materialize_again(self, context: dg.InputContext, path: UPath) -> str:
        """The remedy for an input that is missing or cannot be read."""
        name = context.asset_key.to_user_string()
        partition = f" --partition {path.stem}" if context.has_asset_partitions else ""
        return f"materialize the asset {name} first, in the UI or with `britannica materialize {name}{partition}`"


class ParquetIOManager(_AssetIOManager):
    """Stores a polars DataFrame as one Parquet file and hands it on lazily, as a LazyFrame."""

    extension = ".parquet"

    def get_metadata(self, context: dg.OutputContext, obj: pl.DataFrame) -> dict[str, dg.MetadataValue]:
        """The table's columns and their types, and its rows."""
        columns = [dg.TableColumn(name, type=str(kind)) for name, kind in obj.schema.items()]
        return {
            **super().get_metadata(context, obj),
            "dagster/column_schema": dg.MetadataValue.table_schema(dg.TableSchema(columns)),
            "dagster/row_count": dg.MetadataValue.int(len(obj)),
        }

    def dump_to_path(self, context: dg.OutputContext, obj: pl.DataFrame, path: UPath) -> None:
        with atomic_write(path) as temporary:
            obj.write_parquet(temporary, compression="zstd")

    def load_from_path(self, context: dg.InputContext, path: UPath) -> pl.LazyFrame:
        if not path.exists():
            raise self.missing(context, path)
        # From an object store whole tables come through fsspec, so that one set of credentials serves every stage.
        source = io.BytesIO(path.read_bytes()) if self.settings.is_remote else Path(str(path))
        table = pl.scan_parquet(source)
        try:
            table.select(pl.all().null_count()).collect(engine="streaming")  # unpacks every page, in little memory
        except pl.exceptions.PolarsError as error:
            raise UnreadableInputError(
                f"{path} cannot be read ({error}): {self.materialize_again(context, path)}"
            ) from error
        return table


class FolderIOManager(_AssetIOManager):
    """Stores a folder of files (tokenizer, token ids, model) that the asset made below the settings' work folder.

    The asset returns the folder's path and gives it up: a local store moves it into place. Downstream assets get the
    path of a local folder; with an object store it is a copy in the work folder.
    """

    def dump_to_path(self, context: dg.OutputContext, obj: Path, path: UPath) -> None:
        if self.settings.is_remote:
            upload_folder(obj, path)
            remove_shared(self.settings, obj)
            shutil.rmtree(obj)
        elif obj != Path(str(path)):
            store_folder(obj, Path(str(path)))

    def load_from_path(self, context: dg.InputContext, path: UPath) -> Path:
        if self.settings.is_remote:
            if current_digest(path) is None:
                raise self.missing(context, path)
            return download_folder(path, self.settings.work_path / "downloads")
        restore_folder(Path(str(path)))
        if not path.exists():
            raise self.missing(context, path)
        try:
            check_folder(Path(str(path)))
        except CorruptFolderError as error:
            raise UnreadableInputError(f"{error}: {self.materialize_again(context, path)}") from error
        return Path(str(path))


def asset_path(settings: Settings, asset: str, name: str) -> UPath:
    """Where `asset` keeps its file or folder `name`, for example a text file with its table."""
    return settings.data_path / asset / name


def read_stored_table(
    settings: Settings, asset: str, name: str, columns: list[str] | None = None
) -> pl.DataFrame | None:
    """A table as it was last materialized; None where there is none, or none that can be read, which is logged."""
    path = asset_path(settings, asset, name)
    if not path.exists():
        return None
    try:
        return pl.read_parquet(path.read_bytes(), columns=columns)
    except pl.exceptions.PolarsError as error:
        logger.warning("%s cannot be read (%s) and counts as not there: materialize %s again", path, error, asset)
        return None


def new_folder(settings: Settings, asset: str, partition: str) -> Path:
    """An empty folder of this machine for an asset to fill and return to the `FolderIOManager`."""
    folder = settings.work_path / "new" / asset / f"{partition}-{uuid.uuid4().hex}"
    folder.mkdir(parents=True)
    return folder
