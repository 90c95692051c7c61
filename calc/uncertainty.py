"""How sure the answer is: the comparison at draws of everything uncertain.

16 independent scrambles of 2¹³ Sobol points each; every figure's standard error is that of its mean across the scrambles.
Approaches are compared as in the point run, at equal resolved answers, by cost less value where a value counts. What an
approach costs where none of its answers is accepted is infinite, and so is its regret.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from calc import cash_flow
from calc.compare import ApproachResult, Comparison, NothingToCompare
from calc.sampling import DRAWS_PER_SCRAMBLE, Input, compared_at, shares, uncertain_inputs, values_at
from calc.volume import Linear, Numbers, Shape

Floats = NDArray[np.float64]

SCRAMBLES = 16
MOST_SCRAMBLES = 64
"""Where a tolerance is asked for, no more than half a million draws are made, which take 2 GB."""
VOLUMES = 49
"""Volumes between 1 and the largest at which the order of two approaches is looked at, spaced alike in logarithm."""
HALVINGS = 16
DEGREE = 8
"""Of the polynomial in an input's share that totals are regressed on."""
FEW_VALUES = 64
"""Of an input with no more values than these each is looked at for itself, as no polynomial follows steps."""


class Percentiles(NamedTuple):
    """Of an amount over the draws."""

    p10: float
    p50: float
    p90: float


class Figure(NamedTuple):
    """A mean over the draws and its standard error."""

    value: float
    standard_error: float


@dataclass(frozen=True)
class Simulation:
    """A comparison at draws of its uncertain inputs. Arrays over draws have shape (scrambles × 8,192,)."""

    comparison: Comparison
    """The point run."""
    inputs: tuple[Input, ...]
    seed: int
    scrambles: int
    at: Floats
    """Where in its distribution each input was drawn. Shape (draws, inputs)."""
    compared: Mapping[str, Floats]
    """What is compared, US$ over the horizon, of each available approach at each draw."""
    spent: Mapping[str, Floats]
    """Nominal totals, US$ over the horizon."""
    lines: Mapping[str, Mapping[str, Floats]]
    """The totals' lines by approach and key; of shape (1,) where no draw moves them."""
    months_to_payback: Mapping[str, Floats]
    """Months until the savings against the reference are at or above zero and stay so, infinite where never."""

    @property
    def draws(self) -> int:
        """How many there are."""
        return self.scrambles * DRAWS_PER_SCRAMBLE

    @property
    def names(self) -> tuple[str, ...]:
        """The available approaches, in the scenario's order."""
        return tuple(self.compared)

    @cached_property
    def _stacked(self) -> Floats:
        return np.stack(list(self.compared.values()))

    @cached_property
    def _finite(self) -> Floats:
        """Of the approaches that have answers accepted at every draw."""
        return self._stacked[np.isfinite(self._stacked).all(axis=1)]

    @cached_property
    def winners(self) -> NDArray[np.intp]:
        """Which of `names` is the cheapest at each draw; of several equal ones the first."""
        return np.asarray(np.argmin(self._stacked, axis=0))

    @cached_property
    def _cheapest_usd(self) -> Floats:
        return np.asarray(self._stacked.min(axis=0))

    def total(self, name: str) -> Percentiles:
        """P10, P50 and P90 of an approach's nominal total."""
        return percentiles(self.spent[name])

    def line(self, name: str, key: str) -> Percentiles:
        """P10, P50 and P90 of one of its lines."""
        return percentiles(self.lines[name][key])

    def mean(self, draws: Any) -> Figure:
        """The mean of something over the draws, with the standard error across scrambles."""
        by_scramble = np.asarray(draws, dtype=float).reshape(self.scrambles, -1).mean(axis=1)
        if not np.isfinite(by_scramble).all():
            return Figure(float("inf"), float("inf"))
        return Figure(float(by_scramble.mean()), float(by_scramble.std(ddof=1) / np.sqrt(self.scrambles)))

    @cached_property
    def probability_cheapest(self) -> dict[str, Figure]:
        """Share of the draws in which each approach is the cheapest; they add up to one."""
        return {name: self.mean(self.winners == row) for row, name in enumerate(self.names)}

    @cached_property
    def regret_usd(self) -> dict[str, Figure]:
        """E[C_a − min C]: what choosing an approach costs on average beyond the best choice."""
        return {name: self.mean(self._regret(row)) for row, name in enumerate(self.names)}

    def _regret(self, row: int) -> Floats:
        best = self._cheapest_usd
        return np.where(np.isinf(best), 0.0, self._stacked[row] - np.where(np.isinf(best), 0.0, best))

    @property
    def safest(self) -> str:
        """The approach of least expected regret, which is the one of the lowest expected cost."""
        return min(self.names, key=lambda name: self.regret_usd[name].value)

    @property
    def perfect_information_usd(self) -> Figure:
        """EVPI, min_a E[C_a] − E[min_a C_a]: what knowing everything before choosing would save on average."""
        return self.regret_usd[self.safest]

    def information_usd(self, one: Input) -> float:
        """EVPPI of one input, min_a E[C_a] − E[min_a E[C_a | input]]: what measuring it exactly before choosing would save.

        The conditional means are regressions on polynomials of degree 8 in the input's share, which are orthogonal as the
        shares are uniform (Strong, Oakley and Brennan, 2014, regress likewise); of an input that takes no more than 64 values
        they are the means at each. Never below zero.
        """
        finite, at = self._finite, self.at[:, self.inputs.index(one)]
        if len(finite) < 2:
            return 0.0
        values = np.unique(one.quantile(_MIDPOINTS))
        if len(values) <= FEW_VALUES:
            which = np.minimum(np.searchsorted(values, one.quantile(at)), len(values) - 1)
            # E[min E[C | value]]: the sums of each value's draws over all draws
            sums = np.stack([np.bincount(which, weights=draws, minlength=len(values)) for draws in finite])
            return max(0.0, float(finite.mean(axis=1).min() - np.min(sums, axis=0).sum() / self.draws))
        drawn, everywhere = _legendre(at), _legendre(_MIDPOINTS)
        informed = sum(
            (2 * degree + 1) * (finite @ at_draws / self.draws)[:, None] * at_midpoints
            for degree, (at_draws, at_midpoints) in enumerate(zip(drawn, everywhere, strict=True))
        )
        return max(0.0, float(finite.mean(axis=1).min() - np.min(informed, axis=0).mean()))

    def probability_of_payback(self, name: str) -> Figure | None:
        """Share of the draws in which an approach pays back against the reference within the horizon; None for the reference."""
        months = self.months_to_payback.get(name)
        return None if months is None else self.mean(np.isfinite(months))

    @cached_property
    def by_volume(self) -> _Volumes:
        """The totals as functions of the volume, for `break_even_draws` and `band`."""
        return _Volumes(self.comparison, self.inputs, self.at[:DRAWS_PER_SCRAMBLE])

    @property
    def standard_error(self) -> float:
        """The largest standard error of a probability of being cheapest."""
        return max(figure.standard_error for figure in self.probability_cheapest.values())


_MIDPOINTS = (np.arange(2048) + 0.5) / 2048


def _legendre(share: Floats) -> Iterator[Floats]:
    """The Legendre polynomials of degree 0 to 8, moved to the unit interval: orthogonal under a uniform share."""
    x = 2 * share - 1
    before, now = np.ones_like(x), x
    yield before
    for degree in range(1, DEGREE + 1):
        yield now
        before, now = now, ((2 * degree + 1) * x * now - degree * before) / (degree + 1)


def percentiles(draws: Floats) -> Percentiles:
    """P10, P50 and P90."""
    if len(draws) == 1:
        return Percentiles(*(float(draws[0]),) * 3)
    return Percentiles(*(float(value) for value in _quantiles(draws, (0.1, 0.5, 0.9))))


def _quantiles(draws: Floats, at: Sequence[float]) -> Floats:
    """The lowest draws that these shares of all draws do not exceed; draws may be infinite."""
    ranks = np.maximum(np.ceil(np.asarray(at) * len(draws)).astype(int) - 1, 0)
    return np.asarray(np.partition(draws, ranks)[ranks])


def simulate(
    comparison: Comparison,
    *,
    seed: int = 0,
    scrambles: int = SCRAMBLES,
    tolerance: float | None = None,
    progress: Callable[[float], None] | None = None,
) -> Simulation:
    """Draw everything uncertain and compare the approaches at each draw.

    Args:
        seed: the same seed gives the same draws.
        scrambles: of 2¹³ draws each, at least 2.
        tolerance: wanted standard error of every probability of being cheapest; scrambles are doubled, up to 64, until it is
            reached (`Simulation.standard_error` tells whether it was).
        progress: told the share done.

    Raises:
        NothingToCompare: no approach is available.
        ValueError: fewer than 2 scrambles, a tolerance not above zero, a seed below zero, impossible correlations, or a draw the
            model refuses.
    """
    if not 2 <= scrambles <= MOST_SCRAMBLES:
        raise ValueError(f"scrambles is {scrambles}; 2 to {MOST_SCRAMBLES} can be made, {SCRAMBLES} is usual")
    if tolerance is not None and not 0 < tolerance < 1:
        raise ValueError(f"the tolerance is a standard error of a probability, above 0 and below 1, got {tolerance:g}")
    if seed < 0:
        raise ValueError(f"the seed is {seed}; it is a whole number, 0 or more")
    if not comparison.available:
        comparison.ranked()  # says why
        raise NothingToCompare
    inputs, blocks = uncertain_inputs(comparison), list[_Block]()
    while True:
        blocks += _blocks(comparison, inputs, seed, range(len(blocks), scrambles), progress)
        found = _joined(comparison, inputs, seed, blocks)
        if tolerance is None or found.standard_error <= tolerance or scrambles >= MOST_SCRAMBLES:
            return found
        scrambles = min(2 * scrambles, MOST_SCRAMBLES)


@dataclass(frozen=True)
class _Block:
    """The draws of one scramble."""

    at: Floats
    compared: dict[str, Floats]
    spent: dict[str, Floats]
    lines: dict[str, dict[str, Floats]]
    months_to_payback: dict[str, Floats]


def _blocks(
    comparison: Comparison,
    inputs: Sequence[Input],
    seed: int,
    scrambles: range,
    progress: Callable[[float], None] | None,
) -> list[_Block]:
    """Scrambles side by side: NumPy leaves the interpreter free while it computes."""
    made = []
    with ThreadPoolExecutor(min(len(scrambles), os.cpu_count() or 1) or 1) as pool:
        for block in pool.map(lambda scramble: _block(comparison, inputs, seed, scramble), scrambles):
            made.append(block)
            if progress is not None:
                progress((scrambles.start + len(made)) / scrambles.stop)
    return made


def _block(comparison: Comparison, inputs: Sequence[Input], seed: int, scramble: int) -> _Block:
    at = shares(inputs, comparison.scenario.correlations, seed, (scramble,))
    drawn = compared_at(comparison, inputs, values_at(inputs, at))
    found = _Block(at, {}, {}, {}, {})
    flows: dict[str, Floats] = {}
    for name in comparison.available:
        result = drawn.results[name]
        costs, flows[name] = _costs(result, comparison.months.count)
        if np.any(result.volume_scale != 1):
            costs = {line.key: line.total(result.requests) for line in result.ledger.lines}
        found.lines[name] = {key: _all_draws(total) for key, total in costs.items()}
        found.spent[name] = np.broadcast_to(sum(found.lines[name].values(), start=np.zeros(1)), (len(at),))
        compared = np.where(np.isnan(result.compared_requests), np.inf, flows[name].sum(axis=-1))
        found.compared[name] = np.broadcast_to(_all_draws(compared), (len(at),))
    reference = comparison.point.reference
    for name in flows.keys() - {reference} if reference in flows else ():
        months = cash_flow.months_to_payback(flows[reference] - flows[name])
        # what has no accepted answers costs more than anything, from the start
        months = np.where(np.isinf(found.compared[reference]), 0.0, months)
        found.months_to_payback[name] = np.where(np.isinf(found.compared[name]), np.inf, months)
    return found


def _costs(result: ApproachResult, months: int) -> tuple[dict[str, Floats], Floats]:
    """Every line's total, and the dated flows of what is compared, at equal resolved answers; each line is computed once."""
    sent, totals = result.compared_requests, {}
    one_offs, running = np.zeros(months), np.zeros(months)
    for line in result.ledger.lines:
        by_month = line.by_month(sent)
        totals[line.key] = by_month.sum(axis=-1)
        if line.timing == "one-off":
            one_offs = one_offs + by_month
        else:
            running = running + by_month
    for quantity, worth in result.value_lines:
        running = running - quantity.at(sent) * worth
    return totals, np.asarray(cash_flow.at_start(one_offs) + cash_flow.at_end(running))


def _all_draws(total: Floats) -> Floats:
    return np.atleast_1d(total)


def _joined(comparison: Comparison, inputs: tuple[Input, ...], seed: int, blocks: Sequence[_Block]) -> Simulation:
    def of_each(part: str) -> dict[str, Floats]:
        return {name: np.concatenate([getattr(block, part)[name] for block in blocks]) for name in getattr(blocks[0], part)}

    return Simulation(
        comparison=comparison,
        inputs=inputs,
        seed=seed,
        scrambles=len(blocks),
        at=np.concatenate([block.at for block in blocks]),
        compared=of_each("compared"),
        spent=of_each("spent"),
        lines={name: _joined_lines([block.lines[name] for block in blocks]) for name in blocks[0].lines},
        months_to_payback=of_each("months_to_payback"),
    )


def _joined_lines(blocks: Sequence[Mapping[str, Floats]]) -> dict[str, Floats]:
    """Each line's draws. A line that only some draws need is zero at the others."""
    keys = dict.fromkeys(key for block in blocks for key in block)
    still = {key for key in keys if all(key in block and len(block[key]) == 1 for block in blocks)}
    full = {
        key: [np.broadcast_to(block.get(key, np.zeros(1)), (DRAWS_PER_SCRAMBLE,)) for block in blocks]
        for key in keys
        if key not in still
    }
    return {key: blocks[0][key] if key in still else np.concatenate(full[key]) for key in keys}


# --- break-even volumes ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class BreakEvenDraws:
    """From which volume an approach is cheaper than another, at each draw of one scramble."""

    cheaper: str
    than: str
    volumes: Floats
    """The lowest volume from which it is the cheaper one, having been the dearer one below; not a number where there is none.
    Shape (8,192,)."""
    always: NDArray[np.bool_]
    """Draws at which it is the cheaper one at every volume."""
    never: NDArray[np.bool_]
    """Draws at which it is so at none."""
    only_below: NDArray[np.bool_]
    """Draws at which it is so from 1 request a month up to some volume, and at none above."""

    @property
    def from_a_volume(self) -> NDArray[np.bool_]:
        """Draws at which it is the cheaper one from some volume on, if only for a while."""
        return np.isfinite(self.volumes)

    def probability(self, kind: Literal["from_a_volume", "always", "never", "only_below"]) -> float:
        """Share of the draws; the four add up to one."""
        return float(getattr(self, kind).mean())

    @property
    def percentiles(self) -> Percentiles | None:
        """Of the volume, among the draws that have one; None where none has."""
        return percentiles(self.volumes[self.from_a_volume]) if self.from_a_volume.any() else None


class _Drawn:
    """An approach's compared total at any volume, for every draw: constant + slope V + the lines that are not straight."""

    def __init__(self, result: ApproachResult, draws: int) -> None:
        self.scale = np.broadcast_to(result.volume_scale, (draws,))
        self.constant, self.slope = np.zeros(draws), np.zeros(draws)
        self.bent: list[tuple[Shape, Numbers]] = []
        pairs: list[tuple[Shape, Numbers]] = [(line.quantity, line.unit_price) for line in result.ledger.lines]
        pairs += [(quantity, -worth) for quantity, worth in result.value_lines]
        for shape, price in pairs:
            if isinstance(shape, Linear):
                self.constant = self.constant + (shape.fixed * np.asarray(price)).sum(axis=-1)
                self.slope = self.slope + (shape.per_request * np.asarray(price)).sum(axis=-1)
            else:
                self.bent.append((shape, price))

    def total(self, volume: Any) -> Floats:
        """US$ at volumes of shape () or (draws,)."""
        sent = volume * self.scale
        bent = sum(((shape.at(sent) * price).sum(axis=-1) for shape, price in self.bent), start=0.0)
        return np.where(np.isnan(sent), np.inf, self.constant + self.slope * sent + bent)


class _Volumes:
    """What is compared of every approach at any volume, over the draws of the first scramble."""

    def __init__(self, comparison: Comparison, inputs: Sequence[Input], at: Floats) -> None:
        drawn = compared_at(comparison, inputs, values_at(inputs, at))
        self.drawn = {name: _Drawn(drawn.results[name], len(at)) for name in comparison.available}
        self.volumes = np.geomspace(1, comparison.largest_volume, VOLUMES)

    @cached_property
    def totals(self) -> dict[str, Floats]:
        """Of each approach at `volumes`. Shape (volumes, draws)."""
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            found = pool.map(lambda one: np.stack([one.total(volume) for volume in self.volumes]), self.drawn.values())
            return dict(zip(self.drawn, found, strict=True))


def break_even_draws(simulation: Simulation, cheaper: str, than: str) -> BreakEvenDraws:
    """The distribution of the break-even volume of two approaches over the draws of the first scramble.

    The order is looked at, at 49 volumes spaced alike in logarithm, and its first change narrowed down to 1 in 10⁵; changes that
    cancel each other between two of these are not seen. For the point run, `Comparison.break_even` is exact.

    Raises:
        ValueError: one of them is not among the available approaches, or both are the same.
    """
    for name in (cheaper, than):
        if name not in simulation.compared or cheaper == than:
            raise ValueError(f"'{name}' has no break-even here; choose two of {', '.join(simulation.names)}")
    at = simulation.by_volume
    first, second = at.drawn[cheaper], at.drawn[than]
    wins = at.totals[cheaper] < at.totals[than]
    starts = ~wins[:-1] & wins[1:]
    cell = np.argmax(starts, axis=0)
    low, high = np.log(at.volumes[cell]), np.log(at.volumes[cell + 1])
    for _ in range(HALVINGS if starts.any() else 0):
        middle = (low + high) / 2
        is_won = first.total(np.exp(middle)) < second.total(np.exp(middle))
        low, high = np.where(is_won, low, middle), np.where(is_won, middle, high)
    found = starts.any(axis=0)
    return BreakEvenDraws(
        cheaper=cheaper,
        than=than,
        volumes=np.where(found, np.exp(high), np.nan),
        always=np.all(wins, axis=0),
        never=~np.any(wins, axis=0),
        only_below=~found & wins[0] & ~wins[-1],
    )


def band(simulation: Simulation, name: str, volumes: Floats) -> tuple[Floats, Floats]:
    """P10 and P90 of what is compared at volumes of shape (n,), over the draws of the first scramble; the volume is not drawn."""
    totals = simulation.by_volume.drawn[name]
    low, high = np.array([_quantiles(totals.total(volume), (0.1, 0.9)) for volume in volumes]).T
    return low, high
