"""What draws of everything uncertain say about the answer, without the draws: the figures every surface shows.

`assess` finds them, `risk_dict` is the published JSON (`docs/risk.schema.json`), under the rules of `calc.export`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calc.compare import Comparison
from calc.drivers import Effect, Tornado, tornado, variance_shares
from calc.export import Plain, assumptions, number, prices_digest, scenario_digest
from calc.sampling import ASSUMED, PREDICTED, Input, held_fixed
from calc.uncertainty import (
    SCRAMBLES,
    BreakEvenDraws,
    Figure,
    Percentiles,
    Simulation,
    break_even_draws,
    percentiles,
    simulate,
)

SCHEMA = {"id": "tuneworth.risk", "version": 1}
"""Raised by one when a field changes its meaning or goes; fields may be added without."""
BINS_PER_DECADE = 10
NO_ANSWERS = "at some draws none of its answers is accepted, where it costs infinitely much"
"""Why a figure is not there."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class BreakEvenShares:
    """From which volume one approach is cheaper than another, as shares of the draws."""

    cheaper: str
    than: str
    draws: int
    from_a_volume: float
    always: float
    never: float
    only_below: float
    volumes: Percentiles | None
    """Of the volume, among the draws that have one; None where none has."""
    below_today: float
    """Share of all draws in which the volume is today's or less."""
    edges: tuple[float, ...]
    """Of the histogram's bins, ten a decade, one of them at today's volume."""
    shares: tuple[float, ...]
    """Of all draws, in each bin."""


@dataclass(frozen=True)
class ApproachRisk:
    """One available approach over the draws, US$ over the horizon."""

    name: str
    compared_at_point_usd: float
    compared_usd: Percentiles
    """At equal resolved answers, by which approaches are compared."""
    total_at_point_usd: float
    total_usd: Percentiles
    probability_cheapest: Figure
    regret_usd: Figure
    """Infinite where none of its answers is accepted at some draw."""
    payback: Figure | None
    """Probability that it pays back against the reference within the horizon; None for the reference."""
    lines: Mapping[str, Percentiles]
    """The totals' lines by key."""


@dataclass(frozen=True)
class Risk:
    """How sure a comparison's answer is, and what it depends on."""

    comparison: Comparison
    inputs: tuple[Input, ...]
    seed: int
    scrambles: int
    draws: int
    tolerance: float | None
    """The standard error that was wanted of every probability of being cheapest."""
    approaches: Mapping[str, ApproachRisk]
    """The available ones, in the scenario's order."""
    safest: str
    """Of least expected regret."""
    perfect_information_usd: Figure
    information_usd: Mapping[str, float]
    """What knowing one input before choosing would save on average, by path."""
    against_reference: tuple[BreakEvenShares, ...]
    """Every other approach against the reference."""
    against_winner: Mapping[str, BreakEvenShares]
    """The winner of the point run and each other approach, by the other's name; which of the two is the one that is cheaper from
    a volume on is found, not set."""
    tornado: Tornado | None
    effects: tuple[Effect, ...]
    held_fixed: tuple[str, ...]

    @property
    def standard_error(self) -> float:
        """The largest standard error of a probability of being cheapest."""
        return max(found.probability_cheapest.standard_error for found in self.approaches.values())

    @property
    def tolerance_reached(self) -> bool | None:
        """Whether every probability of being cheapest is as sure as wanted; None where nothing was wanted."""
        return None if self.tolerance is None else self.standard_error <= self.tolerance

    @property
    def by_probability(self) -> tuple[ApproachRisk, ...]:
        """The approaches, the one that is the cheapest most often first."""
        return tuple(sorted(self.approaches.values(), key=lambda found: -found.probability_cheapest.value))


def assess(
    comparison: Comparison,
    *,
    seed: int = 0,
    scrambles: int = SCRAMBLES,
    tolerance: float | None = None,
    complete: bool = True,
    progress: Callable[[float], None] | None = None,
) -> Risk:
    """Draw everything uncertain, and find what the draws say.

    Args:
        seed, scrambles, tolerance: as of `calc.uncertainty.simulate`.
        complete: False leaves out the break-evens against the reference and the Sobol indices, which take as long as the rest.
        progress: told the share done.

    Raises:
        NothingToCompare: no approach is available.
        ValueError: as `calc.uncertainty.simulate`.
    """

    def tell(share: float) -> None:
        if progress is not None:
            progress(share)

    simulation = simulate(comparison, seed=seed, scrambles=scrambles, tolerance=tolerance, progress=lambda done: tell(done / 2))
    names, reference, winner = simulation.names, comparison.point.reference, comparison.winner()
    others = [name for name in names if name != reference] if reference in names and complete else []
    against_reference = tuple(break_even_shares(simulation, name, reference) for name in others)
    tell(0.6)
    against_winner = {name: _against_winner(simulation, name, winner) for name in names if name != winner}
    tell(0.7)
    information = {one.path: simulation.information_usd(one) for one in simulation.inputs}
    tell(0.8)
    bars = tornado(comparison)
    tell(0.9)
    found = Risk(
        comparison=comparison,
        inputs=simulation.inputs,
        seed=seed,
        scrambles=simulation.scrambles,
        draws=simulation.draws,
        tolerance=tolerance,
        approaches={name: _approach(simulation, name) for name in names},
        safest=simulation.safest,
        perfect_information_usd=simulation.perfect_information_usd,
        information_usd=information,
        against_reference=against_reference,
        against_winner=against_winner,
        tornado=bars,
        effects=variance_shares(comparison, seed=seed) if complete else (),
        held_fixed=held_fixed(comparison),
    )
    tell(1.0)
    return found


def _approach(simulation: Simulation, name: str) -> ApproachRisk:
    result = simulation.comparison.available[name]
    return ApproachRisk(
        name=name,
        compared_at_point_usd=float(result.compared_usd()),
        compared_usd=percentiles(simulation.compared[name]),
        total_at_point_usd=float(result.total()),
        total_usd=simulation.total(name),
        probability_cheapest=simulation.probability_cheapest[name],
        regret_usd=simulation.regret_usd[name],
        payback=simulation.probability_of_payback(name),
        lines={key: simulation.line(name, key) for key in simulation.lines[name]},
    )


def _against_winner(simulation: Simulation, name: str, winner: str) -> BreakEvenShares:
    """The break-even of two in the direction in which there is one: few-shot may pay from a volume on, prompting up to one."""
    found = break_even_shares(simulation, name, winner)
    if found.from_a_volume + found.never >= found.only_below + found.always:
        return found
    return break_even_shares(simulation, winner, name)


def break_even_shares(simulation: Simulation, cheaper: str, than: str) -> BreakEvenShares:
    """The distribution of a break-even volume as shares of the draws.

    Raises:
        ValueError: as `calc.uncertainty.break_even_draws`.
    """
    found, today = break_even_draws(simulation, cheaper, than), float(simulation.comparison.requests)
    edges, shares = _histogram(found, today)
    return BreakEvenShares(
        cheaper=cheaper,
        than=than,
        draws=len(found.volumes),
        from_a_volume=found.probability("from_a_volume"),
        always=found.probability("always"),
        never=found.probability("never"),
        only_below=found.probability("only_below"),
        volumes=found.percentiles,
        below_today=float(np.mean(found.from_a_volume & (np.nan_to_num(found.volumes, nan=np.inf) <= today))),
        edges=edges,
        shares=shares,
    )


def _histogram(found: BreakEvenDraws, today: float) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Bins of equal ratio through today's volume, and the share of all draws in each."""
    volumes = found.volumes[found.from_a_volume]
    if not volumes.size:
        return (), ()
    # a volume of exactly today's is in the bin below it, as it is in `below_today`
    cell = np.ceil(np.log10(volumes / today) * BINS_PER_DECADE - 1e-9).astype(int)
    first, last = int(cell.min()), int(cell.max())
    edges = today * 10 ** (np.arange(first - 1, last + 1) / BINS_PER_DECADE)
    counts = np.bincount(cell - first, minlength=last - first + 1)
    return tuple(float(edge) for edge in edges), tuple(float(count) for count in counts / len(found.volumes))


# --- the published JSON ---------------------------------------------------------------------------------------------------


def risk_dict(risk: Risk, *, tuneworth: str | None = None) -> Plain:
    """What was found, as JSON-native data: twelve significant digits, null with a reason where there is no number.

    Args:
        tuneworth: version of the program, for the record.
    """
    comparison = risk.comparison
    release = comparison.price_book.release
    return {
        "schema": dict(SCHEMA),
        "tuneworth": tuneworth,
        "name": comparison.scenario.name,
        "as_of": comparison.as_of.isoformat(),
        "price_release": None if release is None else release.name,
        "price_release_has_later_records": comparison.price_book.has_later,
        "own_prices": [file._asdict() for file in comparison.rates.book.own_files],
        "digests": {"scenario": scenario_digest(comparison), "prices": prices_digest(comparison)},
        "seed": risk.seed,
        "scrambles": risk.scrambles,
        "draws": risk.draws,
        "standard_error": number(risk.standard_error),
        "tolerance": number(risk.tolerance),
        "tolerance_reached": risk.tolerance_reached,
        "requests_per_month": comparison.requests,
        "horizon_months": comparison.months.count,
        "reference": comparison.point.reference,
        "winner_at_point": comparison.winner(),
        "safest": risk.safest,
        "perfect_information_usd": _figure(risk.perfect_information_usd),
        "approaches": [_approach_dict(comparison, found) for found in risk.approaches.values()],
        "left_out": [
            {"name": name, "status": result.status, "why_not": list(result.why_not)}
            for name, result in comparison.results.items()
            if name not in risk.approaches
        ],
        "break_evens_against_reference": [_shares(found) for found in risk.against_reference],
        "break_evens_against_winner": [_shares(found) for found in risk.against_winner.values()],
        "tornado": None if risk.tornado is None else _tornado(risk.tornado),
        "sobol_indices": [
            {
                "inputs": [one.path for one in effect.inputs],
                "total": number(effect.total),
                "first_order": number(effect.first_order),
            }
            for effect in risk.effects
        ],
        "inputs": [_input(risk, one) for one in risk.inputs],
        "correlations": [found.model_dump(mode="json") for found in comparison.scenario.correlations],
        "held_fixed": list(risk.held_fixed),
    }


def _approach_dict(comparison: Comparison, found: ApproachRisk) -> Plain:
    result = comparison.available[found.name]
    at_point = {line.key: line for line in result.ledger.lines}
    return {
        "name": found.name,
        "family": result.family,
        "compared_usd": {"at_point": number(found.compared_at_point_usd), **_percentiles(found.compared_usd)},
        "total_usd": {"at_point": number(found.total_at_point_usd), **_percentiles(found.total_usd)},
        "probability_cheapest": _figure(found.probability_cheapest),
        "regret_usd": _figure(found.regret_usd),
        "probability_of_payback": None if found.payback is None else _figure(found.payback),
        "missing": None if np.isfinite([*found.compared_usd, found.regret_usd.value]).all() else NO_ANSWERS,
        "lines": [
            {
                "key": key,
                "name": at_point[key].name if key in at_point else None,
                "at_point": number(float(at_point[key].total(result.requests))) if key in at_point else 0.0,
                **_percentiles(spread),
            }
            for key, spread in found.lines.items()
        ],
    }


def _figure(found: Figure) -> Plain:
    return {"value": number(found.value), "standard_error": number(found.standard_error)}


def _percentiles(found: Percentiles) -> Plain:
    return {name: number(value) for name, value in found._asdict().items()}


def _shares(found: BreakEvenShares) -> Plain:
    return {
        "cheaper": found.cheaper,
        "than": found.than,
        "draws": found.draws,
        "from_a_volume": number(found.from_a_volume),
        "always": number(found.always),
        "never": number(found.never),
        "only_below": number(found.only_below),
        "below_today": number(found.below_today),
        "volume": None if found.volumes is None else _percentiles(found.volumes),
        "histogram": [
            {"above": number(low), "through": number(high), "share": number(share)}
            for low, high, share in zip(found.edges, found.edges[1:], found.shares, strict=False)
        ],
    }


def _tornado(found: Tornado) -> Plain:
    return {
        "winner": found.winner,
        "runner_up": found.runner_up,
        "lead_usd": number(found.lead_usd),
        "bars": [
            {
                "input": bar.input.path,
                "at_point": number(bar.point),
                "p10": number(bar.low),
                "p90": number(bar.high),
                "lead_at_p10_usd": number(bar.lead_at_low_usd),
                "lead_at_p90_usd": number(bar.lead_at_high_usd),
                "winner_at_p10": bar.winner_at_low,
                "winner_at_p90": bar.winner_at_high,
                "flips_at": number(bar.flips_at),
                "flips_to": bar.flips_to,
                "missing": None if np.isfinite([bar.lead_at_low_usd, bar.lead_at_high_usd]).all() else NO_ANSWERS,
            }
            for bar in found.bars
        ],
    }


def _input(risk: Risk, one: Input) -> Plain:
    low, middle, high = (float(value) for value in one.quantile(np.array([0.1, 0.5, 0.9])))
    return {
        "input": one.path,
        "fields": list(one.fields),
        "distribution": type(one.estimate).__name__,
        "stated": one.estimate.model_dump(mode="json"),
        "at_point": number(one.estimate.point),
        "p10": number(low),
        "p50": number(middle),
        "p90": number(high),
        "information_usd": number(risk.information_usd[one.path]),
        **origin(risk.comparison, one),
    }


def origin(comparison: Comparison, one: Input) -> dict[str, Any]:
    """Where an input's range comes from: stated, an assumption with its basis and source, or a prediction's own spread."""
    if one.path.startswith(ASSUMED):
        found = assumptions(comparison)[one.path.removeprefix(ASSUMED)]
        return {"from": "assumption", "unit": found.unit, "basis": " ".join(found.basis.split()), "source": found.source}
    if one.path.startswith(PREDICTED):
        what = {"predicted.training": "tuning", "predicted.serving": "serving"}[one.path]
        lines = (line for result in comparison.results.values() for line in result.ledger.lines)
        basis = dict.fromkeys(found.basis for line in lines for found in line.predicted if found.what.startswith(what))
        return {"from": "prediction", "unit": "speed over the predicted one", "basis": "; ".join(basis), "source": None}
    return {"from": "stated", "unit": None, "basis": None, "source": None}
