"""Break-even in any number of a scenario: who is cheapest as one field moves, and every change of the cheapest."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from calc.fields import check_bounds
from calc.scenario import Scenario
from calc.sensitivity import totals_over
from pricing import PriceBook

POINTS = 1025
"""Values at which the order of the approaches is compared before each change is narrowed down."""
HALVINGS = 60


@dataclass(frozen=True)
class Change:
    """From this value of the field on, another approach is the cheapest."""

    value: float
    winner: str
    smooth: bool
    """Whether the two tie there; otherwise the change is a jump."""


def winners_over(
    scenario: Scenario, book: PriceBook, path: str, low: float, high: float, *, today: date | None = None
) -> tuple[str, tuple[Change, ...]]:
    """Who is cheapest at the low end of a field's range, and every change of the cheapest up to the high end.

    The order is compared at 1,025 values and each change narrowed down by halving. Two changes within a thousandth of the
    range that cancel each other are not seen; for the volume, `Comparison.envelope` is exact.

    Raises:
        ValueError: the field does not exist, the range is empty, or no approach has a total.
    """
    if not low < high:
        raise ValueError(f"the range of {path} is empty: {low:g} must be below {high:g}")
    for end in (low, high):
        check_bounds(scenario.at_point(), path, end)
    values = np.linspace(low, high, POINTS)

    def cheapest(at: NDArray[np.float64]) -> tuple[NDArray[np.intp], list[str], NDArray[np.float64]]:
        totals = totals_over(scenario, book, {path: at}, today=today)
        if not totals:
            raise ValueError(f"no approach has a total over {path} from {low:g} to {high:g}")
        stacked = np.stack(list(totals.values()))
        return np.argmin(stacked, axis=0), list(totals), stacked

    first, names, _ = cheapest(values)
    cells = np.flatnonzero(first[1:] != first[:-1])
    if not cells.size:
        return names[first[0]], ()
    left, right, before = values[cells], values[cells + 1], first[cells]
    for _ in range(HALVINGS):
        middle = (left + right) / 2
        same = cheapest(middle)[0] == before
        left, right = np.where(same, middle, left), np.where(same, right, middle)
    after, _, totals = cheapest(right)
    gap = np.abs(totals[after, np.arange(len(after))] - totals[before, np.arange(len(after))])
    smooth = gap <= 1e-9 * np.abs(totals[after, np.arange(len(after))])
    return names[first[0]], tuple(Change(float(v), names[w], bool(s)) for v, w, s in zip(right, after, smooth, strict=True))
