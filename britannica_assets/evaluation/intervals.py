"""Intervals and tests of accuracies: of one model, and of two on the same items."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

CONFIDENCE = 0.95
NORMAL_QUANTILE = 1.959964  # of the normal distribution at (1 + CONFIDENCE) / 2
RESAMPLES = 10_000


def wilson_interval(right: int, items: int) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson 1927), which does not vanish at 0 and 1."""
    from scipy.stats import binomtest

    interval = binomtest(right, items).proportion_ci(CONFIDENCE, method="wilson")
    return float(interval.low), float(interval.high)


def correlation_interval(rho: float, items: int) -> tuple[float, float]:
    """The 95 % interval of Spearman's correlation (Bonett and Wright 2000); NaN for under four items or rho of 1."""
    if items < 4 or abs(rho) >= 1:
        return math.nan, math.nan
    half = NORMAL_QUANTILE * math.sqrt((1 + rho**2 / 2) / (items - 3))
    return math.tanh(math.atanh(rho) - half), math.tanh(math.atanh(rho) + half)


def average_interval(
    values: Sequence[float], low: Sequence[float], high: Sequence[float]
) -> tuple[float, float, float]:
    """The mean of independent estimates and its interval, put together from theirs (MOVER, Zou and Donner 2008).

    With Wilson's intervals it does not vanish where all are 0 or 1.
    """
    mean = sum(values) / len(values)
    below = math.sqrt(sum((value - end) ** 2 for value, end in zip(values, low, strict=True))) / len(values)
    above = math.sqrt(sum((end - value) ** 2 for value, end in zip(values, high, strict=True))) / len(values)
    return mean, mean - below, mean + above


def paired_interval(both: int, first: int, second: int, neither: int) -> tuple[float, float]:
    """The 95 % interval of the second share less the first, of the same items (Newcombe 1998, paired, method 10).

    Args:
        both: items that both have right.
        first: items that the first alone has right.
        second: items that the second alone has right.
        neither: the others.
    """
    items = both + first + second + neither
    before, after = (both + first) / items, (both + second) / items
    below, above = wilson_interval(both + first, items), wilson_interval(both + second, items)
    margins = (both + first) * (second + neither) * (both + second) * (first + neither)
    correlation = 0.0 if margins == 0 else (both * neither - first * second) / math.sqrt(margins)

    def half(a: float, b: float) -> float:
        return math.sqrt(max(0.0, a**2 - 2 * correlation * a * b + b**2))

    change = after - before
    low = change - half(after - above[0], below[1] - before)
    return low, change + half(above[1] - after, before - below[0])


def mcnemar_exact(first: int, second: int) -> float:
    """The two-sided p value that two models are right equally often, from the items on which they differ.

    McNemar's test in its exact form: a sign test of the items that one alone has right.
    """
    from scipy.stats import binomtest

    return float(binomtest(first, first + second).pvalue) if first + second else 1.0


def holm(p_values: Sequence[float]) -> list[float]:
    """The p values corrected for their number (Holm 1979), in their order."""
    corrected = [0.0] * len(p_values)
    running = 0.0
    for rank, place in enumerate(sorted(range(len(p_values)), key=lambda number: p_values[number])):
        running = max(running, min(1.0, p_values[place] * (len(p_values) - rank)))
        corrected[place] = running
    return corrected


def paired_bootstrap(
    differences: Mapping[str, npt.NDArray[np.float64]], *, seed: int = 0
) -> tuple[float, float, float]:
    """The 95 % interval of a mean over groups of the mean difference in each, and the two-sided p value that it is 0.

    Items are resampled within their groups (Efron 1979). To each group a pair of items is added that differ by -1 and
    by 1, each by half, and an item without difference (Agresti and Min 2005): without them a group in which nothing
    speaks for one model would have no spread.

    Args:
        differences: by group, each item's outcome (0 to 1) under the second model less that under the first.
        seed: of the resampling.

    Returns:
        low, high, p.
    """
    random = np.random.default_rng(seed)
    means = np.zeros(RESAMPLES)
    for group in differences.values():
        values, counts = np.unique(np.concatenate([group, [-1.0, 0.0, 1.0]]), return_counts=True)
        weights = counts - np.where(np.abs(values) == 1, 0.5, 0.0)
        drawn = random.multinomial(len(group), weights / weights.sum(), size=RESAMPLES)
        means += drawn @ values / len(group)
    means /= len(differences)
    low, high = np.quantile(means, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    # A resample is counted with those beyond 0, so that p is never 0 (Davison and Hinkley 1997, section 4.2).
    beyond = min(int((means <= 0).sum()), int((means >= 0).sum()))
    return float(low), float(high), min(1.0, 2 * (beyond + 1) / (RESAMPLES + 1))
