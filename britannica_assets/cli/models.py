"""Commands about models that are trained and registered."""

from pathlib import Path
from typing import Annotated

import typer

from britannica_assets.cli.errors import sentences
from britannica_assets.cli.options import Data, Debug, Track, Version
from britannica_assets.cli.platform import set_environment


def export_gguf(
    track: Track,
    file: Annotated[Path, typer.Argument(help="the file to write")] = Path("student.gguf"),
    version: Version = None,
    data: Data = None,
    debug: Debug = False,
) -> None:
    """Writes a track's student as a GGUF file, which llama.cpp loads."""
    with sentences(debug):
        set_environment(data, None)
        from britannica_assets.modeling.gguf_file import write_gguf
        from britannica_assets.modeling.registry import download_student
        from britannica_assets.settings import Settings
        from britannica_assets.track_models import STUDENT, registered_model

        settings, name = Settings(), registered_model(STUDENT)
        folder, version = download_student(settings, track, version)
        write_gguf(folder, file, name=f"{name} {version}, track {track}")
    typer.echo(f"{file}: version {version} of {name}")
