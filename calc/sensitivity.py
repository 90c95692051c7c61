"""What happens to the answer when one or two other inputs move: totals over a field, its break-evens, who wins where.

A field is addressed by the scenario file's dotted path, ``approaches.rag.retrieval.chunks_per_request``. It is replaced by an
array and every formula runs once over all of its values.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from calc.compare import compare
from calc.fields import check_bounds, with_field
from calc.ledger import Unpriced
from calc.scenario import Scenario
from pricing import PriceBook

POINTS = 1025
"""Values at which the order of the approaches is compared before each change is narrowed down."""
HALVINGS = 60


def totals_over(
    scenario: Scenario, book: PriceBook, fields: Mapping[str, NDArray[np.float64]], *, today: date | None = None
) -> dict[str, NDArray[np.float64]]:
    """What is compared, in US$ over the horizon, of every priced and available approach, at each value of the fields.

    Args:
        fields: dotted path → values; all arrays of the same shape (n,).

    Returns:
        Approach → totals of shape (n,), at equal resolved answers.

    Raises:
        ValueError: a field does not exist or holds no number.
    """
    point = scenario.at_point()
    shape = next(iter(fields.values())).shape
    for path, values in fields.items():
        point = with_field(point, path, np.asarray(values, dtype=float))
    totals = {}
    for name, result in compare(point, book, today=today).results.items():
        if result.unavailable is None:
            try:
                totals[name] = np.broadcast_to(np.squeeze(result.compared_usd()), shape)
            except Unpriced:
                continue
    return totals


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


def winner_map(
    scenario: Scenario,
    book: PriceBook,
    x: tuple[str, NDArray[np.float64]],
    y: tuple[str, NDArray[np.float64]],
    *,
    today: date | None = None,
) -> tuple[tuple[str, ...], NDArray[np.intp]]:
    """Who is cheapest over two fields.

    Args:
        x, y: dotted path and values, of shapes (nx,) and (ny,).

    Returns:
        The names of the approaches with a total, and which of them is cheapest, shape (ny, nx).

    Raises:
        ValueError: a field does not exist or no approach has a total.
    """
    (x_path, x_values), (y_path, y_values) = x, y
    grid_x, grid_y = np.meshgrid(x_values, y_values)
    totals = totals_over(scenario, book, {x_path: grid_x.ravel(), y_path: grid_y.ravel()}, today=today)
    if not totals:
        raise ValueError(f"no approach has a total over {x_path} and {y_path}")
    cheapest = np.argmin(np.stack(list(totals.values())), axis=0)
    return tuple(totals), cheapest.reshape(grid_x.shape)
