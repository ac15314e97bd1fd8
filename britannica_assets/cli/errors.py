"""How a command ends where it cannot go on: with a sentence, and the stack only where it is asked for."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import typer

from britannica_assets.error_sentences import describe_error


class WrongInputError(ValueError):
    """An argument names what does not exist; the message names it and what there is."""


@contextmanager
def sentences(debug: bool) -> Iterator[None]:
    """Ends the program with an error's own sentence, and with its stack where `debug` asks for it.

    The status is 2 for wrong input, 1 for what failed.
    """
    from britannica_assets.config import ConfigurationError
    from britannica_assets.settings import SettingsError
    from britannica_assets.wikisource.user_agent import ContactError

    try:
        yield
    except Exception as error:
        if debug:
            raise
        typer.echo(describe_error(type(error).__name__, str(error)), err=True)
        sys.exit(2 if isinstance(error, WrongInputError | SettingsError | ConfigurationError | ContactError) else 1)
