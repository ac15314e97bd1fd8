"""The retry policy: exponential backoff with jitter, and how long a server's wish to wait is obeyed."""

import random
from dataclasses import dataclass


@dataclass(frozen=True)
class RetryPolicy:
    """How often and how long to try; all times in seconds.

    Backoff doubles from `initial_backoff` to `max_backoff`; where the wiki's databases lag (`maxlag`), from
    `lag_backoff`, so that its waits grow to minutes. `timeout` is that of connecting and of each read, `deadline` that
    of a whole answer. Asked to wait longer than `max_retry_after`, the run ends.
    """

    max_attempts: int = 7
    initial_backoff: float = 1.0
    max_backoff: float = 300.0
    lag_backoff: float = 5.0
    timeout: float = 30.0
    deadline: float = 120.0
    max_retry_after: float = 3_600.0

    def backoff(self, attempt: int, *, lagged: bool = False) -> float:
        """Seconds to wait after the failed `attempt` (from 1)."""
        first = self.lag_backoff if lagged else self.initial_backoff
        return float(min(self.max_backoff, first * 2 ** (attempt - 1)) * random.uniform(0.5, 1.0))
