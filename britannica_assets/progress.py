"""How far a run is: a bar for each running asset in a terminal, lines in a log."""

import logging
import re
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn

SO_FAR = re.compile(r"\b(\d+) of (\d+)\b")  # "340 of 1312 pages fetched", "step 50 of 3760, loss …"
MAX_MESSAGE = 60  # characters beside a bar


class RunProgress:
    """Shows what a run logs; its messages are text, never markup.

    In a terminal an asset has a bar while it runs, which a message such as "340 of 1312 pages fetched" moves; warnings
    and finished assets stay above. Elsewhere each message and each finished asset is a line.
    """

    def __init__(self, partition: str | None, console: Console | None = None) -> None:
        self._console = console or Console()
        self._partition = partition or "all"
        self._tasks: dict[str, TaskID] = {}
        self._bars = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=20),
            TextColumn("{task.fields[message]}", markup=False),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=self._console,
            disable=not self._console.is_terminal,
            transient=True,
        )

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()

    def started(self, asset: str) -> None:
        """An asset's step began."""
        self._tasks[asset] = self._bars.add_task(f"{self._partition:<12} {asset:<24}", total=None, message="")

    def logged(self, asset: str, level: int, message: str) -> None:
        """An asset's step says how far it is, or what is wrong."""
        if self._bars.disable or level >= logging.WARNING:
            self._line(asset, message)
        if asset not in self._tasks:
            return
        first_line = message.partition("\n")[0]
        so_far = SO_FAR.search(first_line)
        completed, total = map(int, so_far.groups()) if so_far else (None, None)
        self._bars.update(self._tasks[asset], completed=completed, total=total, message=first_line[:MAX_MESSAGE])

    def finished(self, asset: str, seconds: float) -> None:
        """An asset was made."""
        if asset in self._tasks:
            self._bars.remove_task(self._tasks.pop(asset))
        self._line(asset, f"{seconds:10.1f} s")

    def _line(self, asset: str, text: str) -> None:
        line = f"  {self._partition:<14}{asset:<28}{text}"
        self._bars.console.print(line, markup=False, highlight=False, emoji=False, soft_wrap=True)
