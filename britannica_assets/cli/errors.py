"""How a command ends where it cannot go on: with a sentence, and the stack only where it is asked for."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import typer
from pydantic import ValidationError


@contextmanager
def sentences(debug: bool, *failures: type[Exception]) -> Iterator[None]:
    """Ends the program with an error's own sentence, and with its stack where `debug` asks for it.

    The status is 2 for wrong input, 1 for what failed; `failures` are further errors of that kind.
    """
    from britannica_assets.config import ConfigurationError
    from britannica_assets.interfaces import InterfaceError
    from britannica_assets.materialize import MaterializationError

    wrong_input: tuple[type[Exception], ...] = (ValidationError, ConfigurationError)
    failed: tuple[type[Exception], ...] = (InterfaceError, MaterializationError, OSError)
    try:
        yield
    except wrong_input + failed + failures as error:
        if debug:
            raise
        sentence = str(error)
        if isinstance(error, ValidationError):
            sentence = "\n".join(problem["msg"].removeprefix("Value error, ") for problem in error.errors())
        end(sentence, 2 if isinstance(error, wrong_input) else 1)


def end(sentence: str, status: int) -> None:
    """Prints the sentence among the errors and ends the program."""
    typer.echo(sentence, err=True)
    sys.exit(status)
