"""What compiled libraries print past Python's own streams, kept off the terminal."""

import logging
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

STDOUT, STDERR = 1, 2  # file descriptors


@contextmanager
def native_output_to_log(logger: logging.Logger) -> Iterator[None]:
    """Everything that this process writes to stdout and stderr meanwhile goes to `logger` as one debug message."""
    sys.stdout.flush()
    sys.stderr.flush()
    saved = [os.dup(STDOUT), os.dup(STDERR)]
    with tempfile.TemporaryFile() as captured:
        try:
            for descriptor in (STDOUT, STDERR):
                os.dup2(captured.fileno(), descriptor)
            yield
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            for original, descriptor in zip(saved, (STDOUT, STDERR), strict=True):
                os.dup2(original, descriptor)
                os.close(original)
            captured.seek(0)
            logger.debug(captured.read().decode(errors="replace").strip())
