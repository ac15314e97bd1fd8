"""`python -m britannica_assets.wikisource`: shows what a few of its pages give, before a scrape."""

import argparse
import sys

from pydantic import ValidationError

from britannica_assets.settings import Settings
from britannica_assets.wikisource.assets import connect
from britannica_assets.wikisource.client import WikiError
from britannica_assets.wikisource.preview import preview_volume
from britannica_assets.wikisource.user_agent import ContactError


def main() -> int:
    """Previews a volume on the wiki of the settings; 0 where all that was looked for was found."""
    parser = argparse.ArgumentParser(prog="python -m britannica_assets.wikisource", description=__doc__)
    parser.add_argument("--volume", type=int, default=1, help="whose first part page is read (default: 1)")
    volume = parser.parse_args().volume
    try:
        with connect(Settings()) as client:
            preview = preview_volume(client, volume)
    except (ContactError, WikiError, ValidationError) as error:
        print(error, file=sys.stderr)
        return 2
    print(preview)
    return 0 if preview.complete else 1


if __name__ == "__main__":
    sys.exit(main())
