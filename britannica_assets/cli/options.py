"""The options and arguments that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

Data = Annotated[str | None, typer.Option("--data", help="where assets are stored (BRITANNICA_DATA_DIR)")]
Scale = Annotated[str | None, typer.Option("--scale", help="a shipped configuration or a YAML file (BRITANNICA_SCALE)")]
Debug = Annotated[bool, typer.Option("--debug", help="show an error with its stack")]
DagsterPort = Annotated[
    int | None, typer.Option(envvar="DAGSTER_PORT", help="of loopback; by default 3000, or a free one")
]
MlflowPort = Annotated[
    int | None, typer.Option(envvar="MLFLOW_PORT", help="of loopback; by default 5000, or a free one")
]
Track = Annotated[str, typer.Argument(help="a track of the configuration, such as babylm_10m")]
DemoScale = Annotated[str, typer.Option("--scale", help="demo, or a YAML file that extends it")]
Version = Annotated[int | None, typer.Option(help="a version of the registered student in place of the champion")]
DemoData = Annotated[Path, typer.Option("--data", help="where everything is stored")]
DEMO_FOLDER = Path("data/demo")
