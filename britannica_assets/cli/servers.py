"""Commands that serve: the demo, the interfaces of Dagster and MLflow, the sample's wiki."""

import signal
from datetime import UTC, datetime
from typing import Annotated

import typer

from britannica_assets.cli.errors import WrongInputError, sentences
from britannica_assets.cli.options import DEMO_FOLDER, DagsterPort, Data, Debug, DemoData, DemoScale, MlflowPort, Scale
from britannica_assets.cli.platform import set_environment, shell_command


def demo(data: DemoData = DEMO_FOLDER, scale: DemoScale = "demo", debug: Debug = False) -> None:
    """Runs the whole pipeline on the bundled sample encyclopaedia."""
    from britannica_assets import demo as bundled

    with sentences(debug):
        bundled.run(data.absolute(), scale)
    options = [f"--data={data.absolute()}", *([] if scale == "demo" else [f"--scale={scale}"])]
    typer.echo(f"To look at it in Dagster and MLflow:\n\n  {shell_command('demo-ui', *options)}")


def dev(
    data: Data = None,
    scale: Scale = None,
    dagster_port: DagsterPort = None,
    mlflow_port: MlflowPort = None,
    debug: Debug = False,
) -> None:
    """Serves Dagster, with its daemon, and MLflow over the data folder, until Ctrl-C."""
    with sentences(debug):
        set_environment(data, scale)
        _serve_interfaces(dagster_port, mlflow_port)


def demo_ui(
    data: DemoData = DEMO_FOLDER,
    scale: DemoScale = "demo",
    dagster_port: DagsterPort = None,
    mlflow_port: MlflowPort = None,
    debug: Debug = False,
) -> None:
    """Serves Dagster, MLflow and the sample's wiki over what the demo made, until Ctrl-C."""
    from britannica_assets import demo as bundled
    from britannica_assets.sample import wiki_server
    from britannica_assets.sample.wiki import Wiki

    folder = data.absolute()
    # A wiki that starts again has forgotten its edits; later ones must not bear the times of those that were scraped.
    wiki = Wiki(clock=datetime.now(UTC))
    with sentences(debug), wiki_server.serve(wiki) as wiki_url:
        if not (folder / "dagster_home").is_dir():
            raise WrongInputError(f"{folder} holds no demo: run `make demo`, or `britannica demo --data {data}`, first")
        bundled.prepare(folder, wiki_url, scale)
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


def serve_sample(port: Annotated[int, typer.Option(help="of loopback")] = 8911) -> None:
    """Serves the bundled sample encyclopaedia as a small Wikisource, until it is stopped."""
    from britannica_assets.sample import wiki_server

    wiki_server.main(port)
