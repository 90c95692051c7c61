"""How many evaluated answers would settle which approach is cheaper, from the shares as they stand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, isfinite, sqrt

import numpy as np

from calc.compare import Comparison
from calc.sensitivity import totals_over
from calc.sentences import named

Z_90 = 1.6448536269514722
"""Of 90 % confidence, two-sided: the lead is on the wrong side of zero in one of twenty sets of evaluations."""
SHARE_STEP = 1e-4
"""By which a share is moved to see what the lead does."""


@dataclass(frozen=True)
class Settling:
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
    lead_usd: float, shares: Sequence[tuple[float, float]], *, correlation: float = 0.0, z: float = Z_90
) -> int | None:
    """n = z²·Var₁/lead²: evaluated answers of each approach at which the lead is z standard errors from zero.

    With n answers each, a share's variance is s(1 − s)/n and the lead's, to first order,
    (Σ d² + 2ρ Σ d·d′)/n with d = (∂lead/∂s)·√(s(1 − s)). A share of 0 or 1 counts as known.

    Args:
        lead_usd: what the runner-up costs more.
        shares: accepted share and US$ of lead for each unit of it, of every approach the lead depends on.
        correlation: of two approaches' answers to the same question; 0 where they answer different ones.

    Returns:
        The number, at least 1; None where the lead depends on no share, or there is none to be found.

    Raises:
        ValueError: a share or the correlation is impossible.
    """
    if any(not 0 <= share <= 1 for share, _ in shares):
        raise ValueError(f"shares are between 0 and 1, got {', '.join(f'{share:g}' for share, _ in shares)}")
    if not -1 <= correlation <= 1:
        raise ValueError(f"a correlation is between -1 and 1, got {correlation:g}")
    deviations = [slope * sqrt(share * (1 - share)) for share, slope in shares]
    squares = sum(d * d for d in deviations)
    variance = (1 - correlation) * squares + correlation * sum(deviations) ** 2
    if not lead_usd or not isfinite(variance) or variance <= 1e-12 * squares:
        return None
    return max(1, ceil(z * z * variance / lead_usd**2))


def settling(comparison: Comparison) -> Settling | None:
    """How many evaluated answers tell the cheapest from the runner-up; None where there are not two, or no share is stated."""
    stated = {n: float(a.accepted) for n, a in comparison.point.approaches.items() if a.accepted is not None}
    if len(comparison.available) < 2 or not stated:
        return None
    winner, runner_up = comparison.ranked()[:2]
    totals = {name: float(comparison.available[name].compared_usd()) for name in (winner, runner_up)}
    lead = totals[runner_up] - totals[winner]
    shares = _slopes(comparison, stated, winner, runner_up)
    found = evaluations_to_settle(lead, shares)
    return Settling(winner, runner_up, lead, found, _sentence(winner, runner_up, lead, found))


def _sentence(winner: str, runner_up: str, lead: float, answers: int | None) -> str:
    two = f"{named(winner)} or {named(runner_up)}"
    if not lead:
        return f"No number of evaluations tells {two}: they cost the same."
    if answers is None:
        return f"No number of evaluations changes who is cheaper of {two}: their lead does not depend on the accepted shares."
    return f"{answers:,} evaluated answers of each would settle {two} with 90 % confidence, the shares being as stated."


def _slopes(comparison: Comparison, stated: dict[str, float], winner: str, runner_up: str) -> list[tuple[float, float]]:
    """Every share that was measured on its own, with US$ of lead for each unit of it; inherited shares move with theirs."""
    origin = {name: comparison.point.approaches[name].accepted_from or name for name in stated}
    groups = {found: [name for name in stated if origin[name] == found] for found in dict.fromkeys(origin.values())}
    ends = {o: (max(0.0, stated[g[0]] - SHARE_STEP), min(1.0, stated[g[0]] + SHARE_STEP)) for o, g in groups.items()}
    fields = {}
    for name, share in stated.items():
        moved = [ends[o] if o == origin[name] else (share, share) for o in groups]
        fields[f"approaches.{name}.accepted"] = np.array(moved).ravel()
    totals = totals_over(comparison.scenario, comparison.rates.book, fields, today=comparison.as_of)
    lead = (totals[runner_up] - totals[winner]).reshape(-1, 2)
    return [
        (stated[group[0]], float((up - down) / (ends[o][1] - ends[o][0])))
        for (o, group), (down, up) in zip(groups.items(), lead, strict=True)
    ]
