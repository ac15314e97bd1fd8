"""The command line: `britannica`, or `python -m britannica_assets`.

What it makes is recorded in the instance of `DAGSTER_HOME`, by default `dagster_home` in the data folder, so that the
UI shows it. Options beat the environment.
"""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from pydantic import ValidationError

if TYPE_CHECKING:
    import dagster as dg

app = typer.Typer(
    name="britannica",
    help="The 1911 Encyclopædia Britannica, from Wikisource to small language models.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

Data = Annotated[str | None, typer.Option("--data", help="where assets are stored (BRITANNICA_DATA_DIR)")]
Scale = Annotated[str | None, typer.Option("--scale", help="a shipped configuration or a YAML file (BRITANNICA_SCALE)")]
Debug = Annotated[bool, typer.Option("--debug", help="show the stack of an error")]
DagsterPort = Annotated[
    int | None, typer.Option(envvar="DAGSTER_PORT", help="of loopback; by default 3000, or a free one")
]
MlflowPort = Annotated[
    int | None, typer.Option(envvar="MLFLOW_PORT", help="of loopback; by default 5000, or a free one")
]
DemoFolder = Annotated[Path, typer.Argument(help="where everything is stored")]
DEMO_FOLDER = Path("data/demo")
Track = Annotated[str, typer.Argument(help="a track of the configuration, such as babylm_10m")]


@app.command()
def scrape(
    volumes: Annotated[list[str], typer.Argument(help="printed volumes, such as 05")],
    data: Data = None,
    debug: Debug = False,
) -> None:
    """Scrapes volumes: their index, the pages that are new or have changed, their articles' text."""
    with _sentences(debug), _platform(data, None) as platform:
        keys = [platform.partition("volume", volume.zfill(2)) for volume in volumes]
        for key in keys:
            platform.run("scrape_volume", partition=key)


@app.command()
def corpus(data: Data = None, debug: Debug = False) -> None:
    """Joins all scraped volumes to one encyclopaedia and cleans it."""
    with _sentences(debug), _platform(data, None) as platform:
        from britannica_assets.jobs import CORPUS_ASSETS

        platform.run(None, assets=CORPUS_ASSETS)


@app.command()
def train(track: Track, data: Data = None, scale: Scale = None, debug: Debug = False) -> None:
    """Splits, tokenizes and trains a track: the teachers, their targets, the student and the one without teachers."""
    with _sentences(debug), _platform(data, scale) as platform:
        key = platform.partition("track", track)
        models = platform.assets_of("modeling")
        platform.run(None, partition=key, assets=["corpus_split", "tokenizer", "token_ids", *models])


@app.command()
def score(track: Track, data: Data = None, scale: Scale = None, debug: Debug = False) -> None:
    """Scores every model of a track, and draws the leaderboard."""
    with _sentences(debug), _platform(data, scale) as platform:
        key = platform.partition("track", track)
        platform.run(None, partition=key, assets=platform.assets_of("evaluation"))


@app.command("export-gguf")
def export_gguf(
    track: Track,
    file: Annotated[Path, typer.Argument(help="the file to write")] = Path("student.gguf"),
    version: Annotated[int | None, typer.Option(help="a version in place of the champion")] = None,
    data: Data = None,
    debug: Debug = False,
) -> None:
    """Writes a track's student as a GGUF file, which llama.cpp loads."""
    with _sentences(debug, LookupError, ValueError):
        _set_environment(data, None)
        from britannica_assets.modeling.gguf_file import write_gguf
        from britannica_assets.modeling.registry import download_champion, download_version
        from britannica_assets.settings import Settings
        from britannica_assets.track_models import STUDENT, registered_model

        settings, name = Settings(), registered_model(STUDENT)
        if version is None:
            folder, version = download_champion(settings, name, track)
        else:
            folder = download_version(settings, name, version)
        write_gguf(folder, file, name=f"{name} {version}, track {track}")
    typer.echo(f"{file}: version {version} of {name}")


@app.command()
def demo(folder: DemoFolder = DEMO_FOLDER) -> None:
    """Runs the whole pipeline on the bundled sample encyclopaedia."""
    from britannica_assets import demo as bundled

    bundled.run(folder.absolute())


@app.command()
def dev(
    data: Data = None,
    scale: Scale = None,
    dagster_port: DagsterPort = None,
    mlflow_port: MlflowPort = None,
    debug: Debug = False,
) -> None:
    """Serves Dagster, with its daemon, and MLflow over the data folder, until Ctrl-C."""
    with _sentences(debug):
        _set_environment(data, scale)
        _serve_interfaces(dagster_port, mlflow_port)


@app.command("demo-ui")
def demo_ui(
    folder: DemoFolder = DEMO_FOLDER,
    dagster_port: DagsterPort = None,
    mlflow_port: MlflowPort = None,
    debug: Debug = False,
) -> None:
    """Serves Dagster, MLflow and the sample's wiki over what the demo made, until Ctrl-C."""
    from britannica_assets import demo as bundled
    from britannica_assets.sample import wiki_server
    from britannica_assets.sample.wiki import Wiki

    data = folder.absolute()
    if not (data / "dagster_home").is_dir():
        _end(f"{data} holds no demo: run `make demo` (or `britannica demo {folder}`) first", 2)
    # A wiki that starts again has forgotten its edits; later ones must not bear the times of those that were scraped.
    wiki = Wiki(clock=datetime.now(UTC))
    with _sentences(debug), wiki_server.serve(wiki) as wiki_url:
        bundled.prepare(data, wiki_url)
        typer.echo("To change an article of the sample's wiki, and see a scrape of volume 01 find it:")
        typer.echo(f"  {wiki_server.edit_command(wiki_url)}")
        _serve_interfaces(dagster_port, mlflow_port)


def _serve_interfaces(dagster_port: int | None, mlflow_port: int | None) -> None:
    from britannica_assets.interfaces import links, log_folder, serve_interfaces
    from britannica_assets.materialize import prepare_home
    from britannica_assets.settings import Settings

    settings = Settings()
    prepare_home(settings.local_path / "dagster_home")
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a supervisor's end is as orderly as a Ctrl-C
    try:
        typer.echo("Starting Dagster and MLflow …")
        with serve_interfaces(dagster_port, mlflow_port) as interfaces:
            for name, address in links(interfaces, settings):
                typer.echo(f"  {name:<34}{address}")
            typer.echo(f"Logs: {log_folder(settings)}. Ctrl-C ends everything.")
            interfaces.wait()
    except KeyboardInterrupt:
        typer.echo("Stopped.")


@app.command("serve-sample")
def serve_sample(port: Annotated[int, typer.Option(help="of loopback")] = 8911) -> None:
    """Serves the bundled sample encyclopaedia as a small Wikisource, until it is stopped."""
    from britannica_assets.sample import wiki_server

    wiki_server.main(port)


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
def _platform(data: str | None, scale: str | None) -> Iterator[Platform]:
    """Loads the definitions by options and environment, and opens the instance."""
    _set_environment(data, scale)
    # The definitions read the environment when they are loaded, which is now.
    from britannica_assets.code_location import settings
    from britannica_assets.definitions import defs
    from britannica_assets.materialize import open_instance

    with open_instance(settings.local_path / "dagster_home") as instance:
        yield Platform(defs, instance)
    typer.echo(f"Stored in {settings.data_path}; `make dev` shows it, with DAGSTER_HOME={os.environ['DAGSTER_HOME']}")


def _set_environment(data: str | None, scale: str | None) -> None:
    """Options beat the environment, which the definitions read when they are loaded."""
    for name, value in (("BRITANNICA_DATA_DIR", data), ("BRITANNICA_SCALE", scale)):
        if value is not None:
            os.environ[name] = value
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


@contextmanager
def _sentences(debug: bool, *failures: type[Exception]) -> Iterator[None]:
    """Ends the program with an error's own sentence, and with its stack where `debug` asks for it.

    The status is 2 for wrong input, 1 for what failed; `failures` are further errors of that kind.
    """
    from britannica_assets.config import ConfigurationError
    from britannica_assets.interfaces import InterfaceError
    from britannica_assets.materialize import MaterializationError

    wrong_input: tuple[type[Exception], ...] = (ValidationError, ConfigurationError)
    failed: tuple[type[Exception], ...] = (InterfaceError, MaterializationError, OSError)
    try:
        yield
    except wrong_input + failed + failures as error:
        if debug:
            raise
        sentence = str(error)
        if isinstance(error, ValidationError):
            sentence = "\n".join(problem["msg"].removeprefix("Value error, ") for problem in error.errors())
        _end(sentence, 2 if isinstance(error, wrong_input) else 1)


def _end(sentence: str, status: int) -> None:
    typer.echo(sentence, err=True)
    sys.exit(status)
