"""How many evaluated answers would settle which approach is cheaper, from the shares as they stand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil, isfinite, sqrt
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from calc.compare import Comparison
from calc.scenario import Scenario
from calc.sensitivity import totals_over
from calc.sentences import named

Z_90 = 1.6448536269514722
"""Of 90 % confidence, two-sided: the lead is on the wrong side of zero in one of twenty sets of evaluations."""
SHARE_STEP = 1e-4
"""By which a share is moved to see what the lead does."""


class Settling(NamedTuple):
    """What it takes to tell the cheapest approach from the runner-up by evaluating answers."""

    winner: str
    runner_up: str
    lead_usd: float
    """US$ over the horizon between the two, as approaches are compared."""
    answers: int | None
    """Evaluated answers of each approach; None where no number of them settles it."""
    text: str
    """One sentence."""


def evaluations_to_settle(
    lead_usd: float,
    shares: Sequence[tuple[float, float]],
    *,
    correlations: Mapping[tuple[int, int], float] = MappingProxyType({}),
    z: float = Z_90,
) -> int | None:
    """n = z²·Var₁/lead²: evaluated answers of each approach at which the lead is z standard errors from zero.

    With n answers each, a share's variance is s(1 − s)/n and the lead's, to first order, (Σ d² + 2 Σ ρ·d·d′)/n with
    d = (∂lead/∂s)·√(s(1 − s)). A share of 0 or 1 counts as known.

    Args:
        lead_usd: what the runner-up costs more.
        shares: accepted share and US$ of lead for each unit of it, of every approach the lead depends on.
        correlations: of the answers of two of them, by position, to the same question; 0 where they answer different ones.

    Returns:
        The number, at least 1; None where the lead depends on no share, or there is none to be found.

    Raises:
        ValueError: a share or a correlation is impossible.
    """
    if any(not 0 <= share <= 1 for share, _ in shares):
        raise ValueError(f"shares are between 0 and 1, got {', '.join(f'{share:g}' for share, _ in shares)}")
    if any(not -1 <= found <= 1 for found in correlations.values()):
        raise ValueError(f"correlations are between -1 and 1, got {', '.join(f'{x:g}' for x in correlations.values())}")
    deviations = [slope * sqrt(share * (1 - share)) for share, slope in shares]
    squares = sum(d * d for d in deviations)
    variance = squares + 2 * sum(found * deviations[i] * deviations[j] for (i, j), found in correlations.items())
    if not lead_usd or not isfinite(variance) or variance <= 1e-12 * squares:
        return None
    return max(1, ceil(z * z * variance / lead_usd**2))


def settling(comparison: Comparison) -> Settling | None:
    """How many evaluated answers tell the cheapest from the runner-up; None where there are not two, or no share is stated."""
    if len(comparison.available) < 2 or not comparison.quality_included:
        return None
    winner, runner_up = comparison.ranked()[:2]
    totals = {name: float(comparison.available[name].compared_usd()) for name in (winner, runner_up)}
    lead = totals[runner_up] - totals[winner]
    groups = shares_by_origin(comparison.point)
    shares = _slopes(comparison, groups, winner, runner_up)
    found = evaluations_to_settle(lead, shares, correlations=_paired(comparison, groups))
    is_certain = any(slope and share in (0, 1) for share, slope in shares)
    return Settling(winner, runner_up, lead, found, _sentence(winner, runner_up, lead, found, is_certain))


def shares_by_origin(point: Scenario) -> dict[str, list[str]]:
    """Approaches with an accepted share, by the one it was measured for: inherited shares are one number and move together."""
    found: dict[str, list[str]] = {}
    for name, approach in point.approaches.items():
        if approach.accepted is not None:
            found.setdefault(approach.accepted_from or name, []).append(name)
    return found


def _paired(comparison: Comparison, groups: dict[str, list[str]]) -> dict[tuple[int, int], float]:
    """Correlations of answers to the same questions, where the scenario states paired counts."""
    place = {f"approaches.{name}.accepted": i for i, names in enumerate(groups.values()) for name in names}
    found = {}
    for stated in comparison.scenario.correlations:
        first, second = (place.get(path) for path in stated.between)
        if stated.paired is not None and first is not None and second is not None and first != second:
            found[min(first, second), max(first, second)] = stated.paired.correlation
    return found


def _sentence(winner: str, runner_up: str, lead: float, answers: int | None, is_certain: bool) -> str:
    """Args:
    is_certain: the lead depends on a share that is stated as 0 or 1.
    """
    two = f"{named(winner)} or {named(runner_up)}"
    if not lead:
        return f"No number of evaluations tells {two}: they cost the same."
    if answers is None and is_certain:
        stated = "accepted shares of 0% or 100% are taken as certain: state successes of trials"
        return f"How many evaluations would settle {two} cannot be told, for {stated}."
    if answers is None:
        return f"No number of evaluations changes who is cheaper of {two}: their lead does not depend on the accepted shares."
    return f"{answers:,} evaluated answers of each would settle {two} with 90% confidence, the shares being as stated."


def _slopes(comparison: Comparison, groups: dict[str, list[str]], winner: str, runner_up: str) -> list[tuple[float, float]]:
    """Every share that was measured on its own, with US$ of lead for each unit of it."""
    point = {name: float(approach.accepted or 0) for name, approach in comparison.point.approaches.items()}
    shares = [point[names[0]] for names in groups.values()]
    ends = [(max(0.0, share - SHARE_STEP), min(1.0, share + SHARE_STEP)) for share in shares]
    fields: dict[str, NDArray[np.float64]] = {}
    for i, names in enumerate(groups.values()):
        moved = np.repeat(shares[i], 2 * len(shares))
        moved[2 * i : 2 * i + 2] = ends[i]
        fields |= {f"approaches.{name}.accepted": moved for name in names}
    totals = totals_over(comparison, fields)
    lead = (totals[runner_up] - totals[winner]).reshape(-1, 2)
    slopes = [float((up - down) / (high - low)) for (down, up), (low, high) in zip(lead, ends, strict=True)]
    return list(zip(shares, slopes, strict=True))
