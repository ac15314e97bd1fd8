"""Work in a process of its own, so that neither its speed nor its memory depends on what ran before."""

import multiprocessing
import re
import resource
import sys
from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec, TypeVar

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

STATUS = Path("/proc/self/status")


def in_a_fresh_process(
    work: Callable[Arguments, Result], *arguments: Arguments.args, **named: Arguments.kwargs
) -> Result:
    """What `work`, a function of a module, gives when a new interpreter calls it."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(work, arguments, named)


def peak_memory() -> int:
    """The most memory that this process has held, in bytes."""
    if STATUS.exists():
        # Linux's ru_maxrss begins with what the parent held when it started this process.
        return 1024 * int(re.findall(r"VmHWM:\s+(\d+) kB", STATUS.read_text())[0])
    unit = 1 if sys.platform == "darwin" else 1024  # ru_maxrss is in bytes there, in KiB elsewhere
    return unit * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
