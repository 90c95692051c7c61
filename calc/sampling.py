"""Draws of everything uncertain in a scenario: what is drawn, how it moves together, and the scenario at the draws.

Three kinds of inputs are uncertain: numbers the scenario states as ranges, assumptions it leaves open, which bring their own
ranges, and the speed of own GPUs where it is predicted, which brings the spread of the measurements it was fitted to.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calc.compare import Comparison, compare_at
from calc.estimate import Z90, Estimate, LogNormal, Pert, Successes
from calc.export import assumptions, stated_ranges
from calc.fields import number_field, numbers, with_field
from calc.scenario import Correlation, Scenario
from pricing import Assumption
from pricing.near import did_you_mean

Floats = NDArray[np.float64]

ASSUMED = "assumptions."
PREDICTED = "predicted."
DRAWS_PER_SCRAMBLE = 2**13
_SMALLEST_SHARE = 2.0**-33
"""A Sobol point may be 0 exactly, where a lognormal has no value."""
Z95 = 1.6448536269514722
"""The 95th percentile of the standard normal distribution."""


@dataclass(frozen=True)
class Input:
    """One uncertain number."""

    path: str
    """Dotted path in the scenario's file; ``assumptions.topic.name``; or ``predicted.training`` and ``predicted.serving``, the
    speed of own GPUs over what is predicted."""
    estimate: Estimate
    fields: tuple[str, ...] = ()
    """Every field of the scenario that takes the draw: itself, and those that inherited the range."""

    @property
    def is_stated(self) -> bool:
        """Whether the scenario states the range; otherwise it comes with an assumption or a prediction."""
        return not self.path.startswith((ASSUMED, PREDICTED))

    def quantile(self, share: Any) -> Floats:
        """Its value at a share of its distribution."""
        return self.estimate.quantile(share)


def uncertain_inputs(comparison: Comparison) -> tuple[Input, ...]:
    """What is uncertain about a comparison: stated ranges first, then the assumptions it uses, then predicted speeds."""
    return (*_stated(comparison.scenario), *_assumed(comparison), *_predicted(comparison))


def held_fixed(comparison: Comparison) -> tuple[str, ...]:
    """The numbers that the scenario states without a range, by their path."""
    ranges = stated_ranges(comparison.scenario)
    stated = dict(numbers(comparison.scenario.model_dump(exclude_unset=True, mode="json")))
    return tuple(path for path in stated if not path.startswith("correlations.") and not _belongs(path, ranges))


def _belongs(path: str, ranges: Mapping[str, Any]) -> bool:
    return any(path == owner or path.startswith(owner + ".") for owner in ranges)


def _stated(scenario: Scenario) -> Iterable[Input]:
    """The stated ranges; one that an approach inherits is the same number as its parent's, and is drawn once."""
    ranges, fields = stated_ranges(scenario), dict[str, list[str]]()
    for path in ranges:
        fields.setdefault(_first_stated(scenario, path, ranges), []).append(path)
    found = (Input(path, ranges[path], tuple(taking)) for path, taking in fields.items())
    return (one for one in found if not one.estimate.is_certain)


def _first_stated(scenario: Scenario, path: str, ranges: Mapping[str, Estimate]) -> str:
    """Where a range was stated: the path itself, or that of the approach it was inherited from."""
    above = _above(scenario, path)
    while above is not None and ranges.get(above) == ranges[path]:
        path, above = above, _above(scenario, above)
    return path


def _above(scenario: Scenario, path: str) -> str | None:
    """The field that this one takes its value from where it states none: the parent approach's, or that of same_as."""
    for name, approach in scenario.approaches.items():
        field = path.removeprefix(f"approaches.{name}.")
        if field == path:
            continue
        parent = approach.extends
        if field == "accepted" and approach.accepted_from is None:
            parent = None  # measured for itself, if with the same result
        if field.startswith("retrieval.") and approach.retrieval is not None and approach.retrieval.same_as is not None:
            parent = approach.retrieval.same_as
        return None if parent is None else f"approaches.{parent}.{field}"
    return None


def _assumed(comparison: Comparison) -> Iterable[Input]:
    for name, assumption in assumptions(comparison).items():
        if assumption.low < assumption.high:
            yield Input(ASSUMED + name, estimate_of(assumption))


def estimate_of(assumption: Assumption) -> Pert:
    """An assumption's low, likely and high as a PERT distribution."""
    return Pert(low=assumption.low, likely=assumption.likely, high=assumption.high)


def _predicted(comparison: Comparison) -> Iterable[Input]:
    """The speed of own GPUs over the predicted one: lognormal, nine of ten within the prediction's interval.

    One factor for all runs and one for all replicas: approaches on the same GPUs share what the prediction gets wrong. Where the
    scenario states a speed factor, that takes its place.
    """
    for what, part in (("training", "tuning"), ("serving", "serving")):
        fields, widths = [], []
        for name, result in comparison.results.items():
            spec = getattr(comparison.scenario.approaches[name], part)
            found = [p for line in result.ledger.lines if "@" not in line.key for p in line.predicted if p.what.startswith(part)]
            if found and not isinstance(spec.speed_factor, Estimate) and spec.speed_factor == 1:
                fields.append(f"approaches.{name}.{part}.speed_factor")
                widths += [float(np.max(np.log(p.high / p.low))) / 2 for p in found]
        if fields:
            p90 = float(np.exp(max(widths) * Z90 / Z95))
            yield Input(PREDICTED + what, LogNormal(p10=1 / p90, p90=p90), tuple(fields))


# --- draws ----------------------------------------------------------------------------------------------------------------


def shares(inputs: Sequence[Input], correlations: Sequence[Correlation], seed: int, scrambles: Iterable[int]) -> Floats:
    """Scrambled Sobol points: where in its distribution each input is drawn. Shape (scrambles × 8,192, inputs).

    Correlated inputs are joined by a Gaussian copula, whose matrix holds 2·sin(π ρ/6) for a rank correlation ρ (Kruskal, 1958).

    Args:
        correlations: between what is drawn, as those of a comparison are (`check_correlations`).
        seed: the same seed gives the same draws.
        scrambles: numbers of the independent scrambles of 2¹³ points each.

    Raises:
        ValueError: the correlations contradict one another.
    """
    points = [scrambled(len(inputs), seed, scramble) for scramble in scrambles]
    return correlated(np.concatenate(points), inputs, correlations)


def scrambled(dimensions: int, seed: int, scramble: int, draws: int = DRAWS_PER_SCRAMBLE) -> Floats:
    """The first points of one scrambled Sobol sequence, strictly between 0 and 1. Shape (draws, dimensions)."""
    from scipy.stats import qmc  # slow to import

    if not dimensions:
        return np.zeros((draws, 0))
    drawn = qmc.Sobol(dimensions, scramble=True, rng=np.random.default_rng([seed, scramble])).random(draws)
    return np.clip(drawn, _SMALLEST_SHARE, 1 - _SMALLEST_SHARE)


def correlated(points: Floats, inputs: Sequence[Input], correlations: Sequence[Correlation]) -> Floats:
    """Independent shares of shape (n, inputs) as shares that move together as stated; each stays uniform."""
    if not correlations:
        return points
    from scipy.special import ndtr, ndtri  # slow to import

    joined, (which, factor) = points.copy(), _copula(tuple(map(_names, inputs)), tuple(correlations))
    joined[:, which] = ndtr(ndtri(points[:, which]) @ factor.T)
    return np.clip(joined, _SMALLEST_SHARE, 1 - _SMALLEST_SHARE)


def _names(one: Input) -> tuple[str, ...]:
    """The paths by which a correlation may name an input, its own first."""
    return (one.path, *one.fields)


def correlated_columns(inputs: Sequence[Input], stated: Correlation) -> tuple[int, int]:
    """Which two of the inputs a correlation joins; a field that inherits its range stands for the number it inherits."""
    return _columns(tuple(map(_names, inputs)), stated)


def _columns(names: tuple[tuple[str, ...], ...], stated: Correlation) -> tuple[int, int]:
    first, second = (next(column for column, known in enumerate(names) if path in known) for path in stated.between)
    return first, second


@cache
def _copula(names: tuple[tuple[str, ...], ...], correlations: tuple[Correlation, ...]) -> tuple[list[int], Floats]:
    """The inputs that are correlated, and a triangular factor of their normal scores' correlations."""
    joined = [_columns(names, stated) for stated in correlations]
    involved = list(dict.fromkeys(column for pair in joined for column in pair))
    matrix, seen = np.eye(len(involved)), set[frozenset[int]]()
    for number, (stated, pair) in enumerate(zip(correlations, joined, strict=True)):
        where, two = f"correlations.{number}.between", " and ".join(stated.between)
        if pair[0] == pair[1]:
            raise ValueError(f"{where}: {two} are one number, which an approach inherits; leave the correlation out")
        if frozenset(pair) in seen:
            raise ValueError(f"{where}: {two} are correlated twice; state one of them")
        seen.add(frozenset(pair))
        a, b = (involved.index(column) for column in pair)
        matrix[a, b] = matrix[b, a] = _normal_correlation(stated)
    values, vectors = np.linalg.eigh(matrix)
    if values[0] < -1e-9:
        paths = ", ".join(names[column][0] for column in involved)
        raise ValueError(
            f"correlations: those between {paths} cannot all hold at once: two inputs that both move with a third "
            "move with each other. Bring the stated ranks closer to zero, or state the missing one"
        )
    definite = (vectors * np.maximum(values, 1e-12)) @ vectors.T  # a perfect correlation leaves an eigenvalue of zero
    return involved, np.asarray(np.linalg.cholesky(definite))


def _normal_correlation(stated: Correlation) -> float:
    """Correlation of the normal scores: 2·sin(π ρ/6) of a rank correlation; φ of paired counts as it is."""
    if stated.rank is not None:
        return float(2 * np.sin(np.pi * stated.rank / 6))
    assert stated.paired is not None
    return stated.paired.correlation


def check_correlations(comparison: Comparison) -> None:
    """Raise ValueError where a correlation names what is not drawn, contradicts stated counts, or cannot hold beside the others.

    The message starts with the field at fault.
    """
    correlations = comparison.scenario.correlations
    if not correlations:
        return
    inputs = uncertain_inputs(comparison)
    drawn = list(dict.fromkeys(path for one in inputs for path in _names(one)))
    for number, stated in enumerate(correlations):
        for path in stated.between:
            if path not in drawn:
                why = _why_not_drawn(comparison, path, drawn)
                raise ValueError(f"correlations.{number}.between: {path} is no range that is drawn: {why}")
        if stated.paired is not None:
            _check_paired(comparison.scenario, stated, f"correlations.{number}.paired")
    _copula(tuple(map(_names, inputs)), correlations)


def _why_not_drawn(comparison: Comparison, path: str, drawn: Sequence[str]) -> str:
    if path in stated_ranges(comparison.scenario):
        return "it has no width, as it holds one value only. Widen it, or leave the correlation out"
    name = path.removeprefix(ASSUMED)
    if path.startswith(ASSUMED) and name in assumptions(comparison):
        return "the assumption is one number here. Leave the correlation out"
    if path.startswith(ASSUMED) and name in comparison.rates.assumptions:
        return "nothing here rests on this assumption. Leave the correlation out"
    try:
        present = number_field(comparison.point, path).value
    except ValueError:
        return (
            f"nothing here is called that. {did_you_mean(path, drawn) or 'Name a field that holds a range, such as ' + drawn[0]}"
        )
    held = "not stated" if present is None else f"one number, {present:g}"
    return f"it is {held}. State a range there, or leave the correlation out"


def _check_paired(scenario: Scenario, stated: Correlation, where: str) -> None:
    counted, ranges = stated.paired, stated_ranges(scenario)
    assert counted is not None
    for path, only in zip(stated.between, ("first_only", "second_only"), strict=True):
        if path not in {f"approaches.{name}.accepted" for name in scenario.approaches}:
            raise ValueError(f"{where}: {path} is no accepted share, which paired counts are of. State rank in their place")
        accepted, share = counted.both + getattr(counted, only), ranges[path]
        if isinstance(share, Successes) and (share.successes, share.trials) != (accepted, counted.questions):
            raise ValueError(
                f"{where}: both and {only} make {accepted} accepted of {counted.questions} questions, but {path} states "
                f"{share.successes} successes of {share.trials} trials. Mend the one that is wrong; counts of other questions "
                "are no pairs, so state rank for those"
            )


# --- the scenario at the draws --------------------------------------------------------------------------------------------


def values_at(inputs: Sequence[Input], at: Floats) -> dict[str, Floats]:
    """The inputs' values at shares of shape (n, inputs), by path."""
    return {one.path: one.quantile(at[:, column]) for column, one in enumerate(inputs)}


def compared_at(comparison: Comparison, inputs: Sequence[Input], values: Mapping[str, Floats]) -> Comparison:
    """The comparison, at its rates, with some of its inputs replaced by arrays; those without values stay at their point.

    Args:
        values: path of an input → values, all of the same shape (n,).

    Raises:
        ValueError: a combination of drawn values that the model refuses.
    """
    scenario, assuming = comparison.point, {}
    for one in inputs:
        if one.path not in values:
            continue
        taken = one.estimate.taken(values[one.path])
        if one.path.startswith(ASSUMED):
            assuming[one.path.removeprefix(ASSUMED)] = taken[:, None]
        for path in one.fields:
            scenario = with_field(scenario, path, taken)
    drawn = compare_at(scenario, comparison.rates.assuming(assuming))
    for name in comparison.available:
        if drawn.results[name].status != "available":
            why = drawn.results[name].why_not[0]
            raise ValueError(f"approaches.{name}: within the ranges it cannot always be priced; narrow them. {why}")
    return drawn
