"""Two scored versions compared: `python -m britannica_assets.evaluation babylm_10m/student/1 babylm_10m/student/2`."""

import argparse
import sys

import polars as pl

from britannica_assets.config import load_configuration
from britannica_assets.evaluation.comparison import compare_scores
from britannica_assets.evaluation.minimal_pairs import SCORES_SCHEMA
from britannica_assets.evaluation.scored_versions import scored_versions
from britannica_assets.settings import Settings


def main() -> None:
    """Prints which paradigms rose and which fell beyond the interval, from one scored version to another."""
    parser = argparse.ArgumentParser(prog="python -m britannica_assets.evaluation", description=main.__doc__)
    parser.add_argument("before", help="track/model/version, for example babylm_10m/student/1")
    parser.add_argument("after", help="the same of another")
    arguments = parser.parse_args()
    settings = Settings()
    before, after = (_scores(settings, version) for version in (arguments.before, arguments.after))
    comparison = compare_scores(before, after)
    for row in comparison.filter(pl.col("direction") != "").iter_rows(named=True):
        print(
            f"{row['direction']}  {row['uid']:<60} {100 * row['before']:5.1f} → {100 * row['after']:5.1f}"
            f"  ({100 * row['low']:+.1f} to {100 * row['high']:+.1f})"
        )
    print(f"{int((comparison['direction'] == '').sum())} of {len(comparison)} paradigms moved within the interval.")


def _scores(settings: Settings, scored: str) -> pl.DataFrame:
    try:
        track, model, version = scored.split("/")
        number = int(version)
    except ValueError:
        sys.exit(f"{scored!r} is not track/model/version, such as babylm_10m/student/1")
    try:
        load_configuration(settings.scale).track(track)
    except ValueError as error:
        sys.exit(str(error))
    identity = {"track": pl.String, "model": pl.String, "version": pl.Int64, "source": pl.String, "task": pl.String}
    scores = scored_versions(settings, [track], pl.DataFrame(schema={**identity, **SCORES_SCHEMA}))
    found = scores.filter((pl.col("model") == model) & (pl.col("version") == number))
    if found.is_empty():
        known = scores.select(pl.format("{}/{}/{}", "track", "model", "version")).to_series().unique().sort()
        sys.exit(f"{scored} was never scored at {settings.tracking_uri}; scored are: {', '.join(known) or 'none'}")
    return found


main()
