"""Where the smallest of several functions of one number changes, found from values of theirs alone.

The functions are evaluated on a grid. A cell whose ends have different smallest functions is cut finer, at even points and around
where the two would meet were they straight, until its ends are neighbouring numbers; further changes inside it are found where
those points tell them apart, jumps too.

In a cell whose ends have the same smallest function, another one could still dip below it in between. Its gap is followed there
from both sides: straight lines through the neighbouring points on the left and on the right bound a gap that bends upwards from
below, and one that bends downwards stays above its chord. Where those bounds reach below 0 the cell is cut finer, three times at
most. What this misses: two jumps within one cell that cancel each other, and a gap that bends both ways within three cells.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Whole = NDArray[np.intp]
Totals = Callable[[Floats], Floats]
"""Values of shape (n,) → the functions there, shape (functions, n)."""

POINTS = 1025
"""Of the first grid."""
TIE = 1e-12
"""Within this share of the larger, two are a tie, which the first of them wins."""
SMOOTH = 1e-9
"""Where the two differ by no more than this share of the larger on both sides of a change, they meet there."""
FLICKER = 1e-12
"""Changes closer than this share of the range are one, where the functions meet."""
_CUTS = np.arange(1, 32) / 32
_OFFSETS = np.array([0.0, *(sign * size for size in (1e-2, 1e-4, 1e-7, 1e-10) for sign in (-1, 1))])
_DIP_ROUNDS = 3
_DIP_CELLS = 1024
_ROUNDS = 40


class Turn(NamedTuple):
    """A change of the smallest function, between two neighbouring numbers."""

    left: float
    """The last value with the one before."""
    right: float
    """The first value with the one after."""
    before: int
    """Which function is the smallest; −1 where none is finite."""
    after: int
    left_usd: Floats
    """All functions at `left`."""
    right_usd: Floats

    @property
    def smooth(self) -> bool:
        """Whether the two meet there; otherwise one of them jumps."""
        return all(self._meet(usd) for usd in (self.left_usd, self.right_usd))

    def _meet(self, usd: Floats) -> bool:
        a, b = usd[self.before], usd[self.after]
        return bool(min(self.before, self.after) >= 0 and abs(a - b) <= SMOOTH * max(abs(a), abs(b)))


def grid(low: float, high: float, *, through: float | None = None) -> Floats:
    """Even steps from low to high, or even ratios where low is above 0 and high a hundred times it or more.

    Args:
        through: a further value, where it lies inside.
    """
    even = low > 0 and high / low >= 100
    values = np.geomspace(low, high, POINTS) if even else np.linspace(low, high, POINTS)
    values[0], values[-1] = low, high
    inside = [through] if through is not None and low < through < high else []
    return np.unique([*values, *inside])


def smallest(usd: Floats) -> Whole:
    """Which function is the smallest, the first of equal ones; −1 where none is finite. Shape: `usd` without its first axis."""
    least = usd.min(axis=0)
    tie = TIE * np.maximum(np.abs(np.where(np.isfinite(usd), usd, 0.0)), np.abs(np.where(np.isfinite(least), least, 0.0)))
    first = np.argmax(usd <= least + tie, axis=0)
    return np.where(np.isfinite(least), first, -1)


def turning_points(totals: Totals, at: Floats) -> tuple[int, tuple[Turn, ...]]:
    """The smallest function at the first of some ascending values, and every change of it up to the last."""
    at, usd = _with_dips(totals, at, totals(at))
    which = smallest(usd)
    cells = np.flatnonzero(which[1:] != which[:-1])
    ends = at[cells], at[cells + 1], usd[:, cells], usd[:, cells + 1]
    return int(which[0]), _without_flicker(sorted(_narrowed(totals, *ends), key=lambda turn: turn.left), float(at[-1] - at[0]))


def _without_flicker(turns: list[Turn], width: float) -> tuple[Turn, ...]:
    """The changes, those of a hair's breadth joined: where two meet, the last digits of either go to and fro."""
    found: list[Turn] = []
    for turn in turns:
        if found and turn.left - found[-1].right <= FLICKER * max(width, abs(turn.left)) and turn.smooth and found[-1].smooth:
            earlier = found.pop()
            turn = earlier._replace(right=turn.right, after=turn.after, right_usd=turn.right_usd)
        if turn.before != turn.after:
            found.append(turn)
    return tuple(found)


def _narrowed(totals: Totals, left: Floats, right: Floats, left_usd: Floats, right_usd: Floats) -> list[Turn]:
    """Every change within some cells; all of them are cut in the same evaluations."""
    found: list[Turn] = []
    for _ in range(_ROUNDS):
        before, after = smallest(left_usd), smallest(right_usd)
        narrow = right - left <= 2 * np.spacing(np.maximum(np.abs(left), np.abs(right)))
        ends = (left, right, before, after)
        found += [
            Turn(float(low), float(high), int(a), int(b), left_usd[:, i], right_usd[:, i])
            for i, (low, high, a, b) in enumerate(zip(*ends, strict=True))
            if narrow[i]
        ]
        wide = np.flatnonzero(~narrow)
        if not wide.size:
            return found
        left, right, left_usd, right_usd = _cut(totals, left[wide], right[wide], left_usd[:, wide], right_usd[:, wide])
    raise ArithmeticError("a change of the cheapest could not be narrowed down to neighbouring numbers")


def _cut(totals: Totals, left: Floats, right: Floats, left_usd: Floats, right_usd: Floats) -> tuple[Floats, ...]:
    """The finer cells across which the smallest function changes, and the functions at their ends."""
    width = (right - left)[:, np.newaxis]
    meet = _straight_meeting(left_usd, right_usd)[:, np.newaxis]
    shares = np.sort(np.hstack([np.broadcast_to(_CUTS, (len(left), len(_CUTS))), np.clip(meet + _OFFSETS, 0.0, 1.0)]), axis=1)
    inside = np.clip(left[:, np.newaxis] + width * shares, left[:, np.newaxis], right[:, np.newaxis])
    at = np.hstack([left[:, np.newaxis], inside, right[:, np.newaxis]])
    usd = totals(inside.ravel()).reshape(-1, *inside.shape)
    usd = np.concatenate([left_usd[..., np.newaxis], usd, right_usd[..., np.newaxis]], axis=-1)
    which = smallest(usd)
    row, cell = np.nonzero(which[:, 1:] != which[:, :-1])
    return at[row, cell], at[row, cell + 1], usd[:, row, cell], usd[:, row, cell + 1]


def _straight_meeting(left_usd: Floats, right_usd: Floats) -> Floats:
    """The share of each cell at which its two smallest functions meet, were they straight."""
    cell = np.arange(left_usd.shape[1])
    before, after = smallest(left_usd), smallest(right_usd)
    with np.errstate(invalid="ignore", divide="ignore"):
        start = left_usd[after, cell] - left_usd[before, cell]
        end = right_usd[after, cell] - right_usd[before, cell]
        share = start / (start - end)
    return np.where(np.isfinite(share), share, 0.5)


def _with_dips(totals: Totals, at: Floats, usd: Floats) -> tuple[Floats, Floats]:
    """The values and functions, cut finer where another function may be the smallest between two values."""
    cells = np.arange(len(at) - 1)
    for _ in range(_DIP_ROUNDS):
        lowest = _lowest_gap(at, usd, cells)
        cells = cells[lowest < 0][np.argsort(lowest[lowest < 0])[:_DIP_CELLS]]
        if not cells.size:
            break
        inside = (at[cells, np.newaxis] + (at[cells + 1] - at[cells])[:, np.newaxis] * _CUTS[1::2]).ravel()
        more = np.concatenate([at, inside])
        order = np.argsort(more, kind="stable")
        at, usd = more[order], np.concatenate([usd, totals(inside)], axis=1)[:, order]
        is_new = order >= len(more) - len(inside)
        cells = np.flatnonzero(is_new[1:] | is_new[:-1])
    return at, usd


def _lowest_gap(at: Floats, usd: Floats, cells: Whole) -> Floats:
    """The least that the gap of any other function to the smallest one can be in each cell, were it to bend upwards.

    Infinite where the smallest function is not the same at both ends: there it is narrowed down in any case.
    """
    which = smallest(usd)
    best = which[cells]
    reach = np.clip(cells[:, np.newaxis] + np.arange(-1, 3), 0, len(at) - 1)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        gap = usd[:, reach] - usd[best[:, np.newaxis], reach]
        before, width, after = np.diff(at[reach], axis=1).T
        falls = np.where(before > 0, (gap[..., 1] - gap[..., 0]) / before, -np.inf)
        rises = np.where(after > 0, (gap[..., 3] - gap[..., 2]) / after, np.inf)
        from_left, from_right = gap[..., 1] + falls * width, gap[..., 2] - rises * width
        ends = np.minimum(gap[..., 1], gap[..., 2])
        crossing = gap[..., 1] + falls * (from_right - gap[..., 1]) / (falls - rises)
        crossing = np.where(np.isinf(falls), from_right, np.where(np.isinf(rises), from_left, crossing))
        lowest = np.where((falls < 0) & (rises > 0), np.minimum(crossing, ends), ends)
        lowest = np.where(np.isfinite(lowest), lowest, np.inf)
    lowest += TIE * np.abs(np.where(np.isfinite(usd), usd, 0.0))[:, cells]
    lowest[best, np.arange(len(cells))] = np.inf
    same = (best == which[cells + 1]) & (best >= 0)
    return np.where(same, lowest.min(axis=0), np.inf)
