"""Who is cheapest where, over two numbers of a comparison at once.

Every total is computed on a grid of values. Between neighbours of the grid with different winners the change is narrowed down by
halving, so the borders are exact to a thousandth of the grid's step. A region narrower than that step may be missed.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import isfinite

import numpy as np
from numpy.typing import NDArray

from calc.compare import Comparison
from calc.fields import VOLUME
from calc.movable import Movable, moved
from calc.setting import say
from calc.turning_points import smallest
from pricing import PricingError

Floats = NDArray[np.float64]
Whole = NDArray[np.intp]
ACROSS, UP = 160, 120
"""Values of each number."""
WIDE = 100.0
"""A range whose ends are this many times apart is spaced by factors, not by differences."""
_HALVINGS = 10


@dataclass(frozen=True)
class Scale:
    """Values of one number from low to high, and where each lies between the two, 0 to 1."""

    low: float
    high: float

    @property
    def is_logarithmic(self) -> bool:
        """Whether it is spaced by factors."""
        return self.low > 0 and self.high >= WIDE * self.low * (1 - 1e-9)

    def value(self, share: Floats) -> Floats:
        """The values at shares of the scale."""
        if self.is_logarithmic:
            return np.asarray(np.clip(self.low * (self.high / self.low) ** share, self.low, self.high))
        return np.asarray(np.clip(self.low + (self.high - self.low) * share, self.low, self.high))


@dataclass(frozen=True)
class WinnerMap:
    """Who is cheapest at each pair of two numbers. Positions along them are shares of their scales, 0 to 1."""

    comparison: Comparison
    """As stated."""
    across: Movable
    up: Movable
    x: Scale
    y: Scale
    names: tuple[str, ...]
    """The approaches with a total."""
    left_out: dict[str, str]
    """Why the others have none."""
    totals_usd: Floats
    """What is compared over the horizon, shape (approaches, up, across); infinite where there is no total."""
    borders: Floats
    """Straight pieces between regions, shape (n, 4): from x, y to x, y."""

    @cached_property
    def winner(self) -> Whole:
        """Which of the names is the cheapest; −1 where none has a total. Shape (up, across)."""
        return _winners(self.totals_usd)

    @cached_property
    def lead_share(self) -> Floats:
        """What the cheapest saves against the next, as a share of the next one's total; 1 where there is no other."""
        if len(self.names) < 2:
            return np.ones(self.winner.shape)
        least, following = np.sort(self.totals_usd, axis=0)[:2]
        with np.errstate(all="ignore"):
            share = (following - least) / np.abs(following)
        return np.asarray(np.where(np.isfinite(following) & np.isfinite(share), np.clip(share, 0, 1), 1.0))

    @cached_property
    def area_shares(self) -> dict[str, float]:
        """The share of the map on which each approach that wins somewhere is the cheapest, the largest first."""
        found = {name: float(np.mean(self.winner == index)) for index, name in enumerate(self.names)}
        return {name: share for name, share in sorted(found.items(), key=lambda item: -item[1]) if share > 0}


def winner_map(
    comparison: Comparison, across: Movable, up: Movable, across_range: tuple[float, float], up_range: tuple[float, float]
) -> WinnerMap:
    """Who is cheapest over two numbers, all others as stated.

    Raises:
        ValueError: one of them counts whole things other than requests, both are the same, a range is empty or not allowed, or an
            approach has a total in a part of the ranges only.
        NothingToCompare: no approach has a total as stated.
    """
    if across.path == up.path:
        raise ValueError(f"{across.path} cannot be held against itself; name two numbers")
    for number, (low, high) in ((across, across_range), (up, up_range)):
        _check(comparison, number, low, high)
    comparison.winner()
    asked = _Asked(comparison, across, up, Scale(*across_range), Scale(*up_range))
    grid_x, grid_y = np.meshgrid(np.linspace(0, 1, ACROSS), np.linspace(0, 1, UP))
    names, usd, left_out = asked.totals(grid_x.ravel(), grid_y.ravel())
    for name, why in left_out.items():
        if name in comparison.available:
            raise ValueError(f"{name} has no total in a part of these ranges: {why}. Narrow the range")
    totals = usd.reshape(len(names), UP, ACROSS)
    borders = _borders(asked, _winners(totals))
    return WinnerMap(comparison, across, up, asked.x, asked.y, names, left_out, totals, borders)


def can_be_mapped(number: Movable) -> bool:
    """Whether a map can have the number on an axis: it moves continuously, or counts requests."""
    return not number.whole or number.path == VOLUME


def _check(comparison: Comparison, number: Movable, low: float, high: float) -> None:
    if not can_be_mapped(number):
        raise ValueError(f"{number.path} counts whole things, and a map needs numbers that move continuously")
    if not (isfinite(low) and isfinite(high) and low < high):
        raise ValueError(f"the range of {number.path} is empty: {say(low)} must be below {say(high)}")
    for end in (low, high):
        number.check(comparison, end)


def _winners(totals: Floats) -> Whole:
    return smallest(totals.reshape(len(totals), -1)).reshape(totals.shape[1:])


@dataclass(frozen=True)
class _Asked:
    """The totals as a function of two shares."""

    comparison: Comparison
    across: Movable
    up: Movable
    x: Scale
    y: Scale

    def totals(self, x: Floats, y: Floats) -> tuple[tuple[str, ...], Floats, dict[str, str]]:
        """Names, totals of shape (approaches, n), and why others have none."""
        with np.errstate(all="ignore"):
            try:
                found = moved(self.comparison, [(self.across, self.x.value(x)), (self.up, self.y.value(y))])
            except PricingError as error:
                raise ValueError(f"{error}. Narrow the range") from None
            rows = found.compared_totals(len(x))
        left_out = {name: result.why_not[0] for name, result in found.results.items() if name not in rows}
        return tuple(rows), np.stack(list(rows.values())) if rows else np.full((0, len(x)), np.inf), left_out


# --- borders ----------------------------------------------------------------------------------------------------------------


def _borders(asked: _Asked, winner: Whole) -> Floats:
    """Pieces of the borders: in each cell of the grid, the changes on its four sides are joined."""
    level, level_at = _changes(asked, winner, along_x=True)
    upright, upright_at = _changes(asked, winner, along_x=False)
    cells: dict[tuple[int, int], list[tuple[float, float]]] = {}
    for (row, column), (x, y) in zip(level.tolist(), level_at.tolist(), strict=True):
        for cell in ((row - 1, column), (row, column)):
            cells.setdefault(cell, []).append((x, y))
    for (row, column), (x, y) in zip(upright.tolist(), upright_at.tolist(), strict=True):
        for cell in ((row, column - 1), (row, column)):
            cells.setdefault(cell, []).append((x, y))
    pieces: list[tuple[float, float, float, float]] = []
    for found in cells.values():
        if len(found) == 2:
            pieces.append((*found[0], *found[1]))
        elif len(found) > 2:
            middle = np.mean(found, axis=0)
            pieces += [(*point, float(middle[0]), float(middle[1])) for point in found]
    return np.array(pieces).reshape(-1, 4)


def _changes(asked: _Asked, winner: Whole, *, along_x: bool) -> tuple[Whole, Floats]:
    """Grid places after which the winner changes, as (row, column), and where it does, as shares (x, y)."""
    step = 1 / ((ACROSS if along_x else UP) - 1)
    first, second = (winner[:, :-1], winner[:, 1:]) if along_x else (winner[:-1], winner[1:])
    places = np.argwhere(first != second)
    if not len(places):
        return places, np.zeros((0, 2))
    rows, columns = places[:, 0], places[:, 1]
    before = winner[rows, columns]
    x, y = columns / (ACROSS - 1), rows / (UP - 1)
    low, high = np.zeros(len(places)), np.full(len(places), step)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        usd = asked.totals(x + middle if along_x else x, y if along_x else y + middle)[1]
        same = smallest(usd) == before
        low, high = np.where(same, middle, low), np.where(same, high, middle)
    at = (low + high) / 2
    return places, np.column_stack([x + at, y] if along_x else [x, y + at])
