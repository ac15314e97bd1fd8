"""What commands work with: the environment that the options set, the definitions, the instance that records runs."""

import os
import shlex
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from britannica_assets.cli.errors import WrongInputError

if TYPE_CHECKING:
    import dagster as dg


class Platform:
    """The loaded definitions, and the instance that records what is made."""

    def __init__(self, definitions: "dg.Definitions", instance: "dg.DagsterInstance") -> None:
        self.definitions = definitions
        self.instance = instance
        self.made: list[str] = []

    def volume(self, key: str) -> str:
        """The key of a volume.

        Raises:
            WrongInputError: there is no such volume; the message lists those that there are.
        """
        from britannica_assets.partitions import volume_partitions

        return _known("volume", key, volume_partitions.get_partition_keys())

    def track(self, key: str) -> str:
        """The key of a track.

        Raises:
            WrongInputError: the configuration has no such track; the message lists those that there are.
        """
        from britannica_assets.partitions import track_partitions

        return _known("track", key, track_partitions.get_partition_keys())

    def partition_of(self, assets: Sequence[str], key: str | None) -> str | None:
        """The partition of a run of these assets.

        Raises:
            WrongInputError: there is no such asset, or no such partition of all of them.
        """
        specs = {spec.key.to_user_string(): spec for spec in self.definitions.resolve_all_asset_specs()}
        definitions = {specs[_known("asset", name, list(specs))].partitions_def for name in assets}
        kinds = [definition for definition in definitions if definition is not None]
        if len(kinds) > 1:
            raise WrongInputError(f"{', '.join(assets)} are of volumes and of tracks: name them in two commands")
        if not kinds:
            if key is not None:
                raise WrongInputError(f"{', '.join(assets)} has no partitions: leave out --partition {key}")
            return None
        known = kinds[0].get_partition_keys()
        if key is None:
            raise WrongInputError(f"{', '.join(assets)} has partitions: add --partition and one of: {', '.join(known)}")
        return _known("partition", key, known)

    def assets_of(self, group: str) -> list[str]:
        """The names of a group's assets."""
        specs = self.definitions.resolve_all_asset_specs()
        return [spec.key.to_user_string() for spec in specs if spec.group_name == group]

    def table(self, asset: str, partition: str, name: str) -> list[dict[str, object]]:
        """The rows of a table in the metadata of an asset's newest materialization."""
        import dagster as dg

        records = self.instance.fetch_materializations(
            dg.AssetRecordsFilter(dg.AssetKey(asset), asset_partitions=[partition]), limit=1
        ).records
        event = records[0].asset_materialization
        value = event.metadata[name] if event is not None else None
        return [dict(record.data) for record in value.records] if isinstance(value, dg.TableMetadataValue) else []

    def run(self, job: str | None, *, partition: str | None = None, assets: Sequence[str] = ()) -> None:
        """Materializes a job, or some assets, and shows how far it is."""
        import dagster as dg

        from britannica_assets.materialize import materialize

        everything = self.definitions.resolve_implicit_global_asset_job_def()
        self.made += materialize(
            self.instance,
            everything if job is None else self.definitions.resolve_job_def(job),
            partition=partition,
            assets=[dg.AssetKey(name) for name in assets] or None,
        )


def _known(kind: str, key: str, known: Sequence[str]) -> str:
    if key in known:
        return key
    close = [key.zfill(2)] if key.zfill(2) in known else get_close_matches(key, known, n=1)
    suggestion = f"did you mean {close[0]}? There are" if close else "there are"
    raise WrongInputError(f"there is no {kind} {key!r}: {suggestion}: {', '.join(known)}")


@contextmanager
def load_platform(data: str | None, scale: str | None) -> Iterator[Platform]:
    """Loads the definitions by options and environment, opens the instance, and ends with what was made."""
    set_environment(data, scale)
    # The definitions read the environment when they are loaded, which is now.
    from britannica_assets.code_location import settings
    from britannica_assets.definitions import defs
    from britannica_assets.materialize import open_instance

    with open_instance(settings.local_path / "dagster_home") as instance:
        platform = Platform(defs, instance)
        yield platform
    typer.echo("\nWhat was made\n")
    for line in platform.made:
        typer.echo(line)
    typer.echo(f"\nIt is stored in {settings.data_path}. To look at it in Dagster and MLflow:\n")
    options = [f"--{name}={value}" for name, value in (("data", data), ("scale", scale)) if value is not None]
    typer.echo(f"  {shell_command('dev', *options)}")


def shell_command(*arguments: str) -> str:
    """A command of `britannica`, as one line for the shell, which works whether or not its folder is on the path."""
    return shlex.join([str(Path(sys.executable).with_name("britannica")), *arguments])


def set_environment(data: str | None, scale: str | None) -> None:
    """Options beat the environment, which the definitions read when they are loaded."""
    for name, value in (("BRITANNICA_DATA_DIR", data), ("BRITANNICA_SCALE", scale)):
        if value is not None:
            os.environ[name] = value
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
