"""Intervals that do not vanish, and tests of two models on the same items."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from britannica_assets.evaluation.intervals import (
    average_interval,
    holm,
    mcnemar_exact,
    paired_bootstrap,
    paired_interval,
    wilson_interval,
)


def test_the_interval_of_a_share_is_wilsons() -> None:
    # Newcombe 1998, table I: 81 of 263 and 0 of 20.
    assert wilson_interval(81, 263) == pytest.approx((0.2553, 0.3662), abs=1e-4)
    assert wilson_interval(0, 20) == pytest.approx((0, 0.1611), abs=1e-4)


def test_the_interval_of_a_paired_difference_is_newcombes() -> None:
    # Newcombe 1998, paired data, table II: 36, 12, 2, 0 by method 10.
    low, high = paired_interval(36, 2, 12, 0)
    assert (low, high) == pytest.approx((0.0569, 0.3404), abs=1e-4)
    low, high = paired_interval(36, 0, 4, 0)
    assert low < 0 < high  # 36 of 40 to 40 of 40 is no rise
    assert mcnemar_exact(0, 4) == pytest.approx(0.125)


def test_an_average_has_the_interval_of_its_groups() -> None:
    assert average_interval([1.0], [0.9], [1.0]) == pytest.approx((1.0, 0.9, 1.0))
    mean, low, high = average_interval([0.5, 0.5], [0.3, 0.3], [0.8, 0.8])
    assert (mean, low, high) == pytest.approx((0.5, 0.5 - 0.2 / 2**0.5, 0.5 + 0.3 / 2**0.5))


def test_holm_weighs_the_smallest_by_their_number() -> None:
    assert holm([0.04, 0.01, 0.03]) == pytest.approx([0.06, 0.03, 0.06])
    assert holm([]) == []


@given(st.lists(st.floats(0, 1), max_size=20))
def test_holm_keeps_the_order_and_never_lowers(p_values: list[float]) -> None:
    corrected = holm(p_values)
    assert all(p <= c <= 1 for p, c in zip(p_values, corrected, strict=True))
    order = np.argsort(p_values, kind="stable")
    assert list(np.array(corrected)[order]) == sorted(corrected)


def test_the_paired_bootstrap_has_a_spread_where_nothing_speaks_against() -> None:
    low, high, p_value = paired_bootstrap({"few": np.array([1.0] * 4 + [0.0] * 36)})
    assert low <= 0 < high
    assert p_value > 0.05
    low, high, p_value = paired_bootstrap({uid: np.array([1.0] * 60 + [-1.0] * 20 + [0.0] * 320) for uid in "ab"})
    assert low == pytest.approx(0.1 - 1.96 * np.sqrt((0.2 - 0.01) / 800), abs=0.003)
    assert high == pytest.approx(0.1 + 1.96 * np.sqrt((0.2 - 0.01) / 800), abs=0.003)
    assert p_value < 0.001
