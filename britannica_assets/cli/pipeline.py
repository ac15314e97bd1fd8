"""Commands that materialize: from the wiki's pages to scored models."""

from typing import Annotated

import typer

from britannica_assets.cli.errors import sentences
from britannica_assets.cli.options import Data, Debug, Scale, Track
from britannica_assets.cli.platform import load_platform


def scrape(
    volumes: Annotated[list[str], typer.Argument(help="printed volumes, 01 to 28")],
    data: Data = None,
    scale: Scale = None,
    debug: Debug = False,
) -> None:
    """Scrapes volumes: their index, the pages that are new or have changed, their articles' text."""
    with sentences(debug), load_platform(data, scale) as platform:
        keys = [platform.volume(volume) for volume in volumes]
        for key in keys:
            platform.run("scrape_volume", partition=key)


def corpus(data: Data = None, scale: Scale = None, debug: Debug = False) -> None:
    """Joins all scraped volumes to one encyclopaedia and cleans it."""
    with sentences(debug), load_platform(data, scale) as platform:
        from britannica_assets.jobs import CORPUS_ASSETS

        platform.run(None, assets=CORPUS_ASSETS)


def train(track: Track, data: Data = None, scale: Scale = None, debug: Debug = False) -> None:
    """Splits, tokenizes and trains a track: the teachers, their targets, the student and the one without teachers."""
    with sentences(debug), load_platform(data, scale) as platform:
        key = platform.track(track)
        models = platform.assets_of("modeling")
        platform.run(None, partition=key, assets=["corpus_split", "tokenizer", "token_ids", *models])


def score(track: Track, data: Data = None, scale: Scale = None, debug: Debug = False) -> None:
    """Scores every model of a track, and draws the leaderboard."""
    with sentences(debug), load_platform(data, scale) as platform:
        key = platform.track(track)
        platform.run(None, partition=key, assets=platform.assets_of("evaluation"))


def submission(track: Track, data: Data = None, scale: Scale = None, debug: Debug = False) -> None:
    """Publishes a track's students as folders, and says what of a BabyLM submission is still missing."""
    with sentences(debug), load_platform(data, scale) as platform:
        key = platform.track(track)
        platform.run(None, partition=key, assets=["published_models"])
        missing = platform.table("published_models", key, "missing")
    if missing:
        typer.echo("\nStill missing\n")
        for row in missing:
            typer.echo(f"  {row['part']}: {row['reason']}")
        raise typer.Exit(1)
    typer.echo("\nThe submission is whole: every task and checkpoint is there, in its size.")


def materialize(
    assets: Annotated[list[str], typer.Argument(help="assets, such as articles or generated_articles")],
    partition: Annotated[str | None, typer.Option(help="the volume or track of those that have one")] = None,
    data: Data = None,
    scale: Scale = None,
    debug: Debug = False,
) -> None:
    """Materializes some assets by their names, and none of those that they are made from."""
    with sentences(debug), load_platform(data, scale) as platform:
        platform.run(None, partition=platform.partition_of(assets, partition), assets=assets)
