"""Two scored versions compared: `python -m britannica_assets.evaluation babylm_10m/student/1 babylm_10m/student/2`."""

import argparse
import sys
from functools import cache

import polars as pl

from britannica_assets.config import load_configuration
from britannica_assets.evaluation.comparison import compare_averages, compare_groups
from britannica_assets.evaluation.score_table import SCORE_TABLE_SCHEMA
from britannica_assets.evaluation.scored_versions import scored_versions
from britannica_assets.settings import Settings


def main() -> None:
    """Prints what one scored version gains on another in each task, and which groups of items rose or fell."""
    parser = argparse.ArgumentParser(prog="python -m britannica_assets.evaluation", description=main.__doc__)
    parser.add_argument("before", help="track/model/version, for example babylm_10m/student/1")
    parser.add_argument("after", help="the same of another")
    arguments = parser.parse_args()
    settings = Settings()
    before, after = (_outcomes(settings, version) for version in (arguments.before, arguments.after))
    averages = compare_averages(before, after)
    if averages.is_empty():
        sys.exit(f"{arguments.before} and {arguments.after} were scored on different files: they do not compare")
    for row in averages.iter_rows(named=True):
        print(
            f"{row['task']:<20} {row['before']:6.2f} → {row['after']:6.2f}  {row['gain']:+.2f}"
            f" ({row['low']:+.2f} to {row['high']:+.2f}, p = {row['p']:.4f})"
        )
    comparison = compare_groups(before, after)
    for row in comparison.filter(pl.col("direction") != "").iter_rows(named=True):
        print(
            f"{row['direction']}  {row['uid']:<60} {100 * row['before']:5.1f} → {100 * row['after']:5.1f}"
            f"  ({100 * row['low']:+.1f} to {100 * row['high']:+.1f}, p = {row['p']:.4f})"
        )
    print(f"{int((comparison['direction'] == '').sum())} of {len(comparison)} groups did not move significantly.")


def _outcomes(settings: Settings, scored: str) -> pl.DataFrame:
    try:
        track, model, version = scored.split("/")
        number = int(version)
    except ValueError:
        sys.exit(f"{scored!r} is not track/model/version, such as babylm_10m/student/1")
    try:
        load_configuration(settings.scale).track(track)
    except ValueError as error:
        sys.exit(str(error))
    outcomes = _track_outcomes(settings, track)
    found = outcomes.filter((pl.col("model") == model) & (pl.col("version") == number))
    if found.is_empty():
        known = outcomes.select(pl.format("{}/{}/{}", "track", "model", "version")).to_series().unique().sort()
        sys.exit(f"{scored} was never scored at {settings.tracking_uri}; scored are: {', '.join(known) or 'none'}")
    return found


@cache
def _track_outcomes(settings: Settings, track: str) -> pl.DataFrame:
    return scored_versions(settings, [track], pl.DataFrame(schema=SCORE_TABLE_SCHEMA)).outcomes


main()
