"""The retry policy: exponential backoff with jitter."""

import random
from dataclasses import dataclass


@dataclass(frozen=True)
class RetryPolicy:
    """How often and how long to try: backoff doubles from `initial_backoff` to `max_backoff` seconds, with jitter.

    `timeout` is that of one attempt, in seconds.
    """

    max_attempts: int = 7
    initial_backoff: float = 1.0
    max_backoff: float = 60.0
    timeout: float = 30.0

    def backoff(self, attempt: int) -> float:
        """Seconds to wait after the failed `attempt` (from 1)."""
        return float(min(self.max_backoff, self.initial_backoff * 2 ** (attempt - 1)) * random.uniform(0.5, 1.0))
