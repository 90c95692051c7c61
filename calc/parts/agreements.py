"""What was agreed with a provider beside its prices: commitments, whose shortfall is billed, and credits, which pay its bills.

A commitment that is signed is due whatever is chosen, so every approach bears its shortfall: more of it where the provider is
used less.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np

from calc.ledger import CostLine
from calc.setting import say
from calc.timeline import Floats, Months
from calc.volume import Drawdown, Shape, Shortfall
from pricing import Rates
from pricing.model import Provider
from pricing.terms import Credit, Term

_Spend = tuple[tuple[Shape, Floats], ...]


def lines(rates: Rates, months: Months, bought: Sequence[CostLine]) -> list[CostLine]:
    """Shortfalls and credits of all providers with agreements.

    Args:
        bought: the other lines of the approach. Those whose prices are all of one provider are the spend with it.
    """
    found = []
    for provider in rates.book.agreed_providers:
        own = [line for line in bought if line.prices and all(row.offer.startswith(f"{provider.id}/") for row in line.prices)]
        spend = tuple((line.quantity, line.unit_price) for line in own)
        missing = next((line.missing for line in own if line.missing), None)
        found += [*_shortfall(provider, months, spend, missing), *_credits(provider, months, spend, missing)]
    return found


def _in_force(months: Months, term: Term) -> Floats:
    """1 in the months that begin while it holds, else 0."""
    return np.array([term.in_force(day) for day in months.starts], dtype=float)


def _shortfall(provider: Provider, months: Months, spend: _Spend, missing: str | None) -> list[CostLine]:
    """max(0, commitment − spend) of every month; two commitments with one provider never hold in one month."""
    committed = sum((float(c.usd_per_month) * _in_force(months, c) for c in provider.commitment), start=np.zeros(months.count))
    if not committed.any():
        return []
    amounts = " or ".join(dict.fromkeys(f"${say(usd)}" for usd in committed if usd))
    return [
        CostLine(
            f"agreements.commitment:{provider.id}",
            f"Shortfall of the commitment with {provider.name}",
            "commitments and credits",
            "stepped",
            Shortfall(committed, spend),
            "USD",
            np.ones(months.count),
            f"what a month's spend with {provider.name} lacks of the {amounts} committed; due whatever is chosen",
            missing=missing,
        )
    ]


def _credits(provider: Provider, months: Months, spend: _Spend, missing: str | None) -> list[CostLine]:
    """What each credit pays of the spend, month by month, the one that expires first going first."""
    found: list[CostLine] = []
    earlier: tuple[Drawdown, ...] = ()
    for index, credit in enumerate(sorted(provider.credit, key=lambda c: (c.ends or date.max, c.effective))):
        in_force = _in_force(months, credit)
        if not in_force.any():
            continue
        drawdown = Drawdown(float(credit.usd), in_force, spend, earlier)
        earlier = (*earlier, drawdown)
        found.append(
            CostLine(
                f"agreements.credit:{provider.id}" + (f":{index + 1}" if len(provider.credit) > 1 else ""),
                f"Credit of {provider.name}" + (f" until {credit.ends}" if credit.ends else ""),
                "commitments and credits",
                "stepped",
                drawdown,
                "USD",
                -np.ones(months.count),
                f"pays the spend with {provider.name} from {credit.effective} on, {_limit(credit)}",
                missing=missing,
            )
        )
    return found


def _limit(credit: Credit) -> str:
    used_up = f"until ${say(float(credit.usd))} are used up"
    return used_up if credit.ends is None else f"{used_up} or {credit.ends} comes"
