"""`python -m britannica_assets`: the command line."""

from britannica_assets.cli import app

app()
