"""Commands that materialize: from the wiki's pages to scored models."""

from typing import Annotated

import typer

from britannica_assets.cli.errors import sentences
from britannica_assets.cli.options import Data, Debug, Scale, Track
from britannica_assets.cli.platform import load_platform


def scrape(
    volumes: Annotated[list[str], typer.Argument(help="printed volumes, such as 05")],
    data: Data = None,
    debug: Debug = False,
) -> None:
    """Scrapes volumes: their index, the pages that are new or have changed, their articles' text."""
    with sentences(debug), load_platform(data, None) as platform:
        keys = [platform.partition("volume", volume.zfill(2)) for volume in volumes]
        for key in keys:
            platform.run("scrape_volume", partition=key)


def corpus(data: Data = None, debug: Debug = False) -> None:
    """Joins all scraped volumes to one encyclopaedia and cleans it."""
    with sentences(debug), load_platform(data, None) as platform:
        from britannica_assets.jobs import CORPUS_ASSETS

        platform.run(None, assets=CORPUS_ASSETS)


def train(track: Track, data: Data = None, scale: Scale = None, debug: Debug = False) -> None:
    """Splits, tokenizes and trains a track: the teachers, their targets, the student and the one without teachers."""
    with sentences(debug), load_platform(data, scale) as platform:
        key = platform.partition("track", track)
        models = platform.assets_of("modeling")
        platform.run(None, partition=key, assets=["corpus_split", "tokenizer", "token_ids", *models])


def score(track: Track, data: Data = None, scale: Scale = None, debug: Debug = False) -> None:
    """Scores every model of a track, and draws the leaderboard."""
    with sentences(debug), load_platform(data, scale) as platform:
        key = platform.partition("track", track)
        platform.run(None, partition=key, assets=platform.assets_of("evaluation"))
