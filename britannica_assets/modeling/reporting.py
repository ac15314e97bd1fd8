"""The log of a process that Dagster started through Pipes, or that was started by hand."""

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from transformers.utils.logging import disable_progress_bar


@contextmanager
def reporting() -> Iterator[None]:
    """Sends the project's log to Dagster where Dagster started this process, else to stderr."""
    disable_progress_bar()  # the log tells more
    own = logging.getLogger("britannica_assets")
    own.setLevel(logging.INFO if int(os.environ.get("RANK", "0")) == 0 else logging.WARNING)
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(message)s", stream=sys.stderr)
    if "DAGSTER_PIPES_CONTEXT" not in os.environ or int(os.environ.get("RANK", "0")) > 0:
        yield
        return
    from dagster_pipes import open_dagster_pipes

    with open_dagster_pipes() as pipes:
        # Dagster's own handler sends each line to the UI; printing it too would tell it twice.
        own.handlers = list(pipes.log.handlers)
        own.propagate = False
        yield
