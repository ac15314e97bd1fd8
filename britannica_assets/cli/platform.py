"""What commands work with: the environment that the options set, the definitions, the instance that records runs."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    import dagster as dg


class Platform:
    """The loaded definitions and the instance that records what is made."""

    def __init__(self, definitions: "dg.Definitions", instance: "dg.DagsterInstance") -> None:
        self.definitions = definitions
        self.instance = instance

    def partition(self, kind: str, key: str) -> str:
        """The key, if it is a volume or a track; otherwise the program ends with those that there are."""
        from britannica_assets.partitions import track_partitions, volume_partitions

        known = {"volume": volume_partitions, "track": track_partitions}[kind].get_partition_keys()
        if key not in known:
            raise typer.BadParameter(f"there is no {kind} {key!r}; choose from: {', '.join(known)}")
        return key

    def assets_of(self, group: str) -> list[str]:
        """The names of a group's assets."""
        specs = self.definitions.resolve_all_asset_specs()
        return [spec.key.to_user_string() for spec in specs if spec.group_name == group]

    def run(self, job: str | None, *, partition: str | None = None, assets: "list[str] | tuple[str, ...]" = ()) -> None:
        """Materializes a job, or some assets, and prints each asset as it is made."""
        import dagster as dg

        from britannica_assets.materialize import materialize

        everything = self.definitions.resolve_implicit_global_asset_job_def()
        materialize(
            self.instance,
            everything if job is None else self.definitions.resolve_job_def(job),
            partition=partition,
            assets=[dg.AssetKey(name) for name in assets] or None,
        )


@contextmanager
def load_platform(data: str | None, scale: str | None) -> Iterator[Platform]:
    """Loads the definitions by options and environment, and opens the instance."""
    set_environment(data, scale)
    # The definitions read the environment when they are loaded, which is now.
    from britannica_assets.code_location import settings
    from britannica_assets.definitions import defs
    from britannica_assets.materialize import open_instance

    with open_instance(settings.local_path / "dagster_home") as instance:
        yield Platform(defs, instance)
    typer.echo(f"Stored in {settings.data_path}; `make dev` shows it, with DAGSTER_HOME={os.environ['DAGSTER_HOME']}")


def set_environment(data: str | None, scale: str | None) -> None:
    """Options beat the environment, which the definitions read when they are loaded."""
    for name, value in (("BRITANNICA_DATA_DIR", data), ("BRITANNICA_SCALE", scale)):
        if value is not None:
            os.environ[name] = value
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
