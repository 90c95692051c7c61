"""What drives the answer: the winner's lead as each uncertain input moves, where it flips, and whose variance it is.

The lead is what the runner-up costs more than the winner of the point run, US$ over the horizon, at equal resolved answers;
below zero another approach is the cheapest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calc.compare import Comparison
from calc.sampling import Input, compared_at, correlated, scrambled, uncertain_inputs, values_at

Floats = NDArray[np.float64]

VALUES = 129
"""Of each input's range at which the winner is looked at before a flip is narrowed down."""
HALVINGS = 50
BASE_DRAWS = 2**10


@dataclass(frozen=True)
class Bar:
    """One input of a tornado chart."""

    input: Input
    point: float
    """Its value in the point run."""
    low: float
    """Its 10th percentile."""
    high: float
    """Its 90th percentile."""
    lead_at_low_usd: float
    lead_at_high_usd: float
    winner_at_low: str
    winner_at_high: str
    flips_at: float | None
    """The value nearest to the point at which another approach becomes the cheapest; None where none does in its range."""
    flips_to: str | None
    """Which one."""

    @property
    def swing_usd(self) -> float:
        """How far the lead moves between the ends."""
        return abs(self.lead_at_high_usd - self.lead_at_low_usd)


@dataclass(frozen=True)
class Tornado:
    """The lead as one input at a time goes from its 10th to its 90th percentile, all others at their point."""

    winner: str
    runner_up: str
    lead_usd: float
    bars: tuple[Bar, ...]
    """The widest first."""


def tornado(comparison: Comparison) -> Tornado | None:
    """Which inputs move the lead, and which can hand the win to another approach; None where fewer than two are available.

    A flip is sought between the ends of the input's distribution (of one without ends, its 1st and 99th percentile), at 129
    values from the point outward, and narrowed down by halving.

    Raises:
        ValueError: a value that the model refuses.
    """
    if len(comparison.available) < 2:
        return None
    winner, runner_up = comparison.ranked()[:2]
    lead = _Lead(comparison, uncertain_inputs(comparison), winner)
    ends = {one.path: one.quantile(np.array([0.1, 0.9])) for one in lead.inputs}
    leads, winners = lead.one_at_a_time(ends)
    flips = _flips(lead)
    bars = [
        Bar(one, lead.points[one.path], *map(float, ends[one.path]), *map(float, leads[i]), *winners[i], *flips[one.path])
        for i, one in enumerate(lead.inputs)
    ]
    at_point = float(lead.at({one.path: np.array([lead.points[one.path]]) for one in lead.inputs})[0][0])
    return Tornado(winner, runner_up, at_point, tuple(sorted(bars, key=lambda bar: -bar.swing_usd)))


class _Lead:
    """The winner's lead at values of the inputs."""

    def __init__(self, comparison: Comparison, inputs: Sequence[Input], winner: str) -> None:
        self.comparison, self.inputs, self.winner = comparison, tuple(inputs), winner
        self.others = [name for name in comparison.available if name != winner]
        self.points = {one.path: point_of(one) for one in inputs}

    def at(self, values: Mapping[str, Floats]) -> tuple[Floats, NDArray[np.str_]]:
        """The lead, and who is cheapest, at values of shape (n,)."""
        results = compared_at(self.comparison, self.inputs, values).results
        own, *others = np.broadcast_arrays(
            *(np.squeeze(results[name].compared_usd()) for name in (self.winner, *self.others)),
            next(iter(values.values()), np.zeros(1)),
        )[:-1]
        stacked = np.stack(others)
        best = stacked.min(axis=0)
        ahead = np.array(self.others)[np.argmin(stacked, axis=0)]
        return np.subtract(best, own, where=np.isfinite(best), out=np.full(best.shape, np.inf)), np.where(
            best < own, ahead, self.winner
        )

    def one_at_a_time(self, values: Mapping[str, Floats]) -> tuple[Floats, Any]:
        """Both, as each input in turn takes its values, of shape (k,), the others at their point. Shapes (inputs, k)."""
        count, each = len(self.inputs), len(next(iter(values.values()), ()))
        if not count:
            return np.zeros((0, 0)), np.zeros((0, 0), dtype=str)
        moved = {path: np.full((count, each), point) for path, point in self.points.items()}
        for row, one in enumerate(self.inputs):
            moved[one.path][row] = values[one.path]
        leads, winners = self.at({path: table.ravel() for path, table in moved.items()})
        return leads.reshape(count, each), winners.reshape(count, each)


def point_of(one: Input) -> float:
    """An input's value in the point run."""
    return one.estimate.point


def _flips(lead: _Lead) -> dict[str, tuple[float | None, str | None]]:
    """Of each input the value nearest to its point at which the winner loses, and to whom."""
    looked_at = {}
    for one in lead.inputs:
        low, high = one.estimate.ends
        point = lead.points[one.path]
        looked_at[one.path] = np.unique(np.append(np.linspace(min(low, point), max(high, point), VALUES - 1), point))
        missing = VALUES - len(looked_at[one.path])
        looked_at[one.path] = np.pad(looked_at[one.path], (0, missing), mode="edge")
    leads, _ = lead.one_at_a_time(looked_at)
    cells = {
        one.path: _nearest_loss(looked_at[one.path], leads[row], lead.points[one.path]) for row, one in enumerate(lead.inputs)
    }
    kept = {path: np.array([cell[0] if cell else lead.points[path]]) for path, cell in cells.items()}
    lost = {path: np.array([cell[1] if cell else lead.points[path]]) for path, cell in cells.items()}
    for _ in range(HALVINGS):
        middle = {path: (kept[path] + lost[path]) / 2 for path in cells}
        leads, _ = lead.one_at_a_time(middle)
        for row, path in enumerate(cells):
            (lost if leads[row, 0] < 0 else kept)[path] = middle[path]
    _, winners = lead.one_at_a_time(lost)
    return {
        path: (float(lost[path][0]), str(winners[row, 0])) if cell else (None, None)
        for row, (path, cell) in enumerate(cells.items())
    }


def _nearest_loss(values: Floats, leads: Floats, point: float) -> tuple[float, float] | None:
    """The two neighbouring values between which the winner loses, nearest to the point: the winning and the losing one."""
    here = int(np.argmin(np.abs(values - point)))
    lost = np.flatnonzero(leads < 0)
    if not lost.size:
        return None
    nearest = int(lost[np.argmin(np.abs(values[lost] - point))])
    return float(values[nearest + int(np.sign(here - nearest))]), float(values[nearest])


# --- indices --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Effect:
    """What one input, or a group of correlated ones, has in the variance of the lead."""

    inputs: tuple[Input, ...]
    total: float
    """Total-effect Sobol index: the share of the variance that would be left if all others were known."""
    first_order: float
    """First-order index: the share that knowing this one would take away."""


def variance_shares(comparison: Comparison, *, seed: int = 0) -> tuple[Effect, ...]:
    """Sobol indices of the winner's lead, the largest total effect first; correlated inputs count as one.

    Saltelli's estimators (scipy.stats.sobol_indices) on 1,024 × (inputs + 2) draws. Empty where nothing moves the lead.

    Raises:
        ValueError: impossible correlations, or a draw that the model refuses.
    """
    from scipy.stats import sobol_indices  # slow to import

    inputs = uncertain_inputs(comparison)
    if len(comparison.available) < 2 or not inputs:
        return ()
    lead = _Lead(comparison, inputs, comparison.winner())
    groups = _groups(comparison, inputs)
    drawn = scrambled(2 * len(inputs), seed, 0, BASE_DRAWS)
    a, b = drawn[:, : len(inputs)], drawn[:, len(inputs) :]
    mixed = [np.where(np.isin(np.arange(len(inputs)), group), b, a) for group in groups]
    at = correlated(np.concatenate([a, b, *mixed]), inputs, comparison.scenario.correlations)
    leads = lead.at(values_at(inputs, at))[0].reshape(len(groups) + 2, 1, BASE_DRAWS)
    if not np.isfinite(leads).all() or np.ptp(leads) <= 1e-9 * np.abs(leads).max():
        return ()
    found = sobol_indices(func={"f_A": leads[0], "f_B": leads[1], "f_AB": leads[2:]}, n=BASE_DRAWS)
    effects = [
        Effect(tuple(inputs[i] for i in group), float(total), float(first))
        for group, total, first in zip(groups, np.ravel(found.total_order), np.ravel(found.first_order), strict=True)
    ]
    return tuple(sorted(effects, key=lambda effect: -effect.total))


def _groups(comparison: Comparison, inputs: Sequence[Input]) -> list[list[int]]:
    """The inputs, those joined by a correlation together."""
    groups = [{i} for i in range(len(inputs))]
    paths = [one.path for one in inputs]
    for stated in comparison.scenario.correlations:
        joined = [group for group in groups if group & {paths.index(path) for path in stated.between}]
        groups = [group for group in groups if group not in joined] + [set().union(*joined)]
    return [sorted(group) for group in groups]
