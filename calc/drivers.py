"""What drives the answer: the winner's lead as each uncertain input moves, where it flips, and whose variance it is.

The lead is what the runner-up costs more than the winner of the point run, US$ over the horizon, at equal resolved answers;
below zero another approach is the cheapest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calc.compare import Comparison
from calc.sampling import Input, compared_at, correlated, correlated_columns, scrambled, uncertain_inputs, values_at

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
        Bar(
            input=one,
            point=one.estimate.point,
            low=float(ends[one.path][0]),
            high=float(ends[one.path][1]),
            lead_at_low_usd=float(leads[row, 0]),
            lead_at_high_usd=float(leads[row, 1]),
            winner_at_low=str(winners[row, 0]),
            winner_at_high=str(winners[row, 1]),
            flips_at=flips[one.path][0],
            flips_to=flips[one.path][1],
        )
        for row, one in enumerate(lead.inputs)
    ]
    totals = {name: float(result.compared_usd()) for name, result in comparison.available.items()}
    return Tornado(winner, runner_up, totals[runner_up] - totals[winner], tuple(sorted(bars, key=lambda bar: -bar.swing_usd)))


class _Lead:
    """The winner's lead at values of the inputs."""

    def __init__(self, comparison: Comparison, inputs: Sequence[Input], winner: str) -> None:
        self.comparison, self.inputs, self.winner = comparison, tuple(inputs), winner
        self.others = [name for name in comparison.available if name != winner]

    def at(self, values: Mapping[str, Floats]) -> tuple[Floats, NDArray[np.str_]]:
        """The lead, and who is cheapest, at values of shape (n,). It is infinite where only the winner has accepted answers."""
        draws = len(next(iter(values.values())))
        compared = compared_at(self.comparison, self.inputs, values).compared_totals(draws)
        own, others = compared[self.winner], np.stack([compared[name] for name in self.others])
        best, ahead = others.min(axis=0), np.array(self.others)[np.argmin(others, axis=0)]
        lead = np.subtract(best, own, out=np.full(draws, np.inf), where=np.isfinite(best))
        return lead, np.where(lead < 0, ahead, self.winner)

    def one_at_a_time(self, values: Mapping[str, Floats]) -> tuple[Floats, NDArray[np.str_]]:
        """Both, as each input in turn takes its values, of shape (k,), the others at their point. Shapes (inputs, k)."""
        if not self.inputs:
            return np.zeros((0, 0)), np.zeros((0, 0), dtype=str)
        shape = (len(self.inputs), len(values[self.inputs[0].path]))
        moved = {one.path: np.full(shape, float(one.estimate.point)) for one in self.inputs}
        for row, one in enumerate(self.inputs):
            moved[one.path][row] = values[one.path]
        lead, winner = self.at({path: table.ravel() for path, table in moved.items()})
        return lead.reshape(shape), winner.reshape(shape)


def _flips(lead: _Lead) -> dict[str, tuple[float | None, str | None]]:
    """Of each input the value nearest to its point at which the winner loses, and to whom."""
    looked_at = {one.path: _range_of(one) for one in lead.inputs}
    leads, _ = lead.one_at_a_time(looked_at)
    cells = {one.path: _nearest_loss(looked_at[one.path], leads[row], one.estimate.point) for row, one in enumerate(lead.inputs)}
    lost = {one.path: np.array([(cells[one.path] or (one.estimate.point,) * 2)[1]]) for one in lead.inputs}
    kept = {one.path: np.array([(cells[one.path] or (one.estimate.point,) * 2)[0]]) for one in lead.inputs}
    for _ in range(HALVINGS):
        middle = {path: (kept[path] + lost[path]) / 2 for path in cells}
        leads, _ = lead.one_at_a_time(middle)
        for row, path in enumerate(cells):
            (lost if leads[row, 0] < 0 else kept)[path] = middle[path]
    _, winners = lead.one_at_a_time(lost)
    return {
        one.path: (None, None)
        if cells[one.path] is None
        else (float(one.estimate.taken(lost[one.path])[0]), str(winners[row, 0]))
        for row, one in enumerate(lead.inputs)
    }


def _range_of(one: Input) -> Floats:
    """An input's range and its point, ascending. Shape (129,)."""
    point, (low, high) = one.estimate.point, one.estimate.ends
    return np.sort(np.append(np.linspace(min(low, point), max(high, point), VALUES - 1), point))


def _nearest_loss(values: Floats, leads: Floats, point: float) -> tuple[float, float] | None:
    """The neighbouring values between which the winner loses, nearest to the point: where it still wins and where no longer."""
    lost = np.flatnonzero(leads < 0)
    if not lost.size:
        return None
    nearest = int(lost[np.argmin(np.abs(values[lost] - point))])
    inward = nearest + int(np.sign(point - values[nearest]))
    return float(values[inward]), float(values[nearest])


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
    drawn = np.hsplit(scrambled(2 * len(inputs), seed, 0, BASE_DRAWS), 2)
    a, b = (correlated(points, inputs, comparison.scenario.correlations) for points in drawn)
    groups = _groups(comparison, inputs)
    mixed = [np.where(np.isin(np.arange(len(inputs)), group), b, a) for group in groups]
    at = np.concatenate([a, b, *mixed])
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
    for stated in comparison.scenario.correlations:
        joined = [group for group in groups if group & set(correlated_columns(inputs, stated))]
        groups = [group for group in groups if group not in joined] + [set().union(*joined)]
    return [sorted(group) for group in groups]
