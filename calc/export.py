"""A comparison as plain data: the published JSON (`docs/comparison.schema.json`), and the digests that identify it.

Only JSON's own types, in a fixed order; what is not known is null, never zero and never NaN. Numbers carry twelve
significant digits, so that the same scenario and price release give the same bytes on every machine.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from math import isfinite
from typing import Any

import numpy as np
from pydantic import BaseModel

from calc.advice import Rule, rules
from calc.break_even import BreakEven, Interval
from calc.compare import ApproachResult, Comparison
from calc.estimate import Estimate
from calc.feasibility import Note, feasibility
from calc.ledger import CostLine, Predicted
from calc.parts.value import Benefit
from calc.quality import settling
from calc.scenario import Conversion, Scenario
from calc.timeline import TimelineEvent, growth_factors
from calc.what_would_change import Turn, what_would_change
from pricing import Assumption, ExchangeRate, Price

SCHEMA = {"id": "tuneworth.comparison", "version": 1}
"""Raised by one when a field changes its meaning or goes; fields may be added without."""
DIGITS = 12

Plain = dict[str, Any]


def comparison_dict(comparison: Comparison, *, tuneworth: str | None = None) -> Plain:
    """The answer as JSON-native data.

    Args:
        tuneworth: version of the program, for the record.
    """
    return {
        "schema": dict(SCHEMA),
        "tuneworth": tuneworth,
        "name": comparison.scenario.name,
        "as_of": comparison.as_of.isoformat(),
        "price_release": None if comparison.scenario.price_release is None else str(comparison.scenario.price_release),
        "price_book": _price_book(comparison),
        "own_prices": [file._asdict() for file in comparison.rates.book.own_files],
        "currency": _currency(comparison.currency),
        "converted": [_conversion(found) for found in comparison.scenario.conversions],
        "digests": {"scenario": scenario_digest(comparison), "prices": prices_digest(comparison)},
        "requests_per_month": comparison.requests,
        "largest_volume": comparison.largest_volume,
        "discount_rate_per_year": number(comparison.discount_rate),
        "reference": comparison.point.reference,
        "winner": comparison.winner() if comparison.available else None,
        "ranked": comparison.ranked() if comparison.available else [],
        "quality_included": comparison.quality_included,
        "is_partial": comparison.is_partial,
        "ranges": [_range(path, found) for path, found in stated_ranges(comparison.scenario).items()],
        "months": _months(comparison),
        "approaches": [_approach(comparison, result) for result in comparison.results.values()],
        "envelope": [_interval(interval) for interval in comparison.envelope],
        "break_evens": [_break_even(found) for found in _all_pairs(comparison)],
        "rules": [_rule(rule) for rule in rules(comparison)],
        "what_would_change": [_turn(turn) for turn in what_would_change(comparison)],
        "evaluations_to_settle": _settling(comparison),
        "scenario": {"stated": stated_fields(comparison), "at_point": comparison.point.model_dump(mode="json")},
    }


def to_json(data: Plain) -> str:
    """The data as the text of a file: indented, ending in a newline."""
    return json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


# --- digests --------------------------------------------------------------------------------------------------------------


def digest(data: Any) -> str:
    """SHA-256 over canonical JSON: keys sorted, no spaces, UTF-8."""
    text = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def scenario_digest(comparison: Comparison) -> str:
    """Identifies what was asked: the scenario as stated, on the day of its prices."""
    return digest(stated_fields(comparison))


def prices_digest(comparison: Comparison) -> str:
    """Identifies every price row and assumption the answer rests on."""
    spelled = (row.model_copy(update={"value": row.value.normalize()}) for row in price_rows(comparison))  # 2.5 is 2.50
    dumped = (row.model_dump(mode="json", exclude_none=True) for row in spelled)
    rows = sorted(dumped, key=lambda row: json.dumps(row, sort_keys=True))
    assumed = {name: found.model_dump(mode="json") for name, found in assumptions(comparison).items()}
    return digest({"prices": rows, "assumptions": dict(sorted(assumed.items()))})


def stated_fields(comparison: Comparison) -> Plain:
    """The scenario as stated, ranges included, with the day of its prices filled in."""
    return comparison.scenario.model_dump(mode="json") | {"as_of": comparison.as_of.isoformat()}


# --- what the answer rests on ---------------------------------------------------------------------------------------------


def price_rows(comparison: Comparison) -> tuple[Price, ...]:
    """Every price row used, once, in the order of approaches and lines."""
    return tuple(dict.fromkeys(row for found in _sourced(comparison) for row in found.prices))


def assumptions(comparison: Comparison) -> dict[str, Assumption]:
    """Every assumption used, by name, in the order of approaches and lines; the discount rate last where it is assumed."""
    names = list(dict.fromkeys(name for found in _sourced(comparison) for name in found.assumptions))
    if comparison.point.finance.discount_rate_per_year is None:
        names.append("finance.discount_rate_per_year")
    return {name: comparison.rates.assumption(name) for name in dict.fromkeys(names)}


def stated_ranges(scenario: Scenario) -> dict[str, Estimate]:
    """The inputs stated as ranges, by their path in the scenario's file."""
    return dict(_ranges(scenario, ""))


def _ranges(value: Any, path: str) -> Iterator[tuple[str, Estimate]]:
    if isinstance(value, Estimate):
        yield path, value
    elif isinstance(value, BaseModel):
        yield from _ranges(value.__dict__, path)
    elif isinstance(value, dict | tuple | list):
        inside = value.items() if isinstance(value, dict) else enumerate(value)
        for key, item in inside:
            yield from _ranges(item, f"{path}.{key}" if path else str(key))


def _sourced(comparison: Comparison) -> Iterator[CostLine | Benefit]:
    return (found for result in comparison.results.values() for found in result.sourced)


def _range(path: str, found: Estimate) -> Plain:
    return {"field": path, "stated": found.model_dump(mode="json"), "computed_at": number(found.point)}


# --- parts ----------------------------------------------------------------------------------------------------------------


def number(value: Any) -> float | None:
    """A float of twelve significant digits; null where there is none."""
    if value is None or not isfinite(value):
        return None
    return float(f"{float(value):.{DIGITS}g}")


def _numbers(values: Iterable[Any]) -> list[float | None]:
    return [number(value) for value in values]


def _day(day: Any) -> str | None:
    return None if day is None else day.isoformat()


def _price_book(comparison: Comparison) -> Plain:
    """The state of the price book: its release, the last day whose records count, and whether later ones count too."""
    found = comparison.price_book
    release = found.release
    return {
        "release": None if release is None else release.name,
        "release_recorded_through": None if release is None else release.recorded_through.isoformat(),
        "sha256": None if release is None else release.sha256,
        "recorded_through": _day(found.recorded_through),
        "has_later_records": found.has_later,
    }


def _months(comparison: Comparison) -> list[Plain]:
    requests = growth_factors(comparison.point.workload.growth, comparison.months) * comparison.requests
    return [
        {"month": m, "starts": start.isoformat(), "requests": number(requests[m])}
        for m, start in enumerate(comparison.months.starts)
    ]


def _approach(comparison: Comparison, result: ApproachResult) -> Plain:
    priced = result.status == "available"
    return {
        "name": result.name,
        "family": result.family,
        "offer": result.offer,
        "status": result.status,
        "why_not": list(result.why_not),
        "unavailable_since": None if result.unavailable is None else result.unavailable.since.isoformat(),
        "accepted": number(result.accepted),
        "failure_mode": result.failure_mode,
        "asset_life_months": result.asset_life_months,
        "requests": number(result.served_requests),
        "total_usd": number(result.total()) if priced else None,
        "total_at_equal_answers_usd": number(result.curve.total(result.requests)) if priced else None,
        "per_request_usd": number(result.per_request()) if priced else None,
        "per_accepted_usd": number(result.per_accepted()) if priced else None,
        "value_usd": number(comparison.value_usd(result.name)) if priced else None,
        "roi": number(comparison.roi(result.name)),
        "benefits": [_benefit(comparison, result, benefit) for benefit in result.benefits],
        "compared_value_usd": number(comparison.compared_value_usd(result.name)),
        "break_even_accepted": number(comparison.break_even_share(result.name)),
        "by_group_usd": {k: number(v) for k, v in result.ledger.by_group(result.requests).items()} if priced else None,
        "by_month_usd": _numbers(result.ledger.by_month(result.requests)) if priced else None,
        "cumulative_usd": _numbers(np.cumsum(result.ledger.by_month(result.requests))) if priced else None,
        "straight_line_usd_by_month": _straight_line(comparison, result.name),
        "savings": _savings(comparison, result.name),
        "lines": [line_dict(comparison, line) for line in result.ledger.lines],
        "events": [_event(event) for event in result.ledger.events],
        "notes": list(result.ledger.notes),
        "limits": [_limit(note) for note in feasibility(comparison) if note.approach == result.name],
    }


def line_dict(comparison: Comparison, line: CostLine) -> Plain:
    """A cost line at today's volume, with everything needed to check it."""
    requests = comparison.requests
    return {
        "key": line.key,
        "name": line.name,
        "part": line.part,
        "group": line.group,
        "timing": line.timing,
        "quantity": number(line.quantity_total(requests)),
        "unit": line.unit,
        "unit_price_usd": number(_one_price(line, requests)),
        "amount_usd": None if line.missing else number(line.total(requests)),
        "by_month_usd": None if line.missing else _numbers(line.by_month(requests)),
        "formula": line.formula,
        "missing": line.missing,
        "prices": [_price(row) for row in dict.fromkeys(line.prices)],
        "assumptions": [_assumption(name, comparison.rates.assumption(name)) for name in line.assumptions],
    } | ({"predicted": [_predicted(found) for found in line.predicted]} if line.predicted else {})


def _predicted(found: Predicted) -> Plain:
    return found._asdict() | {end: number(getattr(found, end)) for end in ("low", "likely", "high")}


def _one_price(line: CostLine, requests: int) -> float | None:
    """The unit price of the months in which something is bought (of all, where nothing is), where it is one and the same."""
    months = np.asarray(line.quantity.at(requests)) != 0
    used = line.unit_price[months] if months.any() else line.unit_price[line.unit_price != 0]
    prices = np.unique(used)
    return float(prices[0]) if prices.size == 1 else None


def _price(row: Price) -> Plain:
    return {
        "offer": row.offer,
        "key": row.key,
        "usd": row.usd,
        "unit": row.unit,
        "conditions": row.conditions,
        "effective": row.effective.isoformat(),
        "effective_is": row.effective_is,
        "source": row.source,
        "source_date": row.source_date.isoformat(),
        "recorded": row.recorded.isoformat(),
        "confidence": row.confidence,
        "note": row.note,
        "listed": None if row.exchange_rate is None else float(row.listed_value),
        "listed_currency": row.listed_currency,
        "exchange_rate": None if row.exchange_rate is None else _currency(row.exchange_rate),
    }


def _currency(rate: ExchangeRate) -> Plain:
    """A currency and its rate; day and source are null for the dollar, which is 1 by definition."""
    return {
        "code": rate.code,
        "per_usd": float(rate.per_usd),
        "effective": _day(rate.effective),
        "publisher": rate.publisher or None,
        "source": rate.source,
        "source_date": _day(rate.source_date),
    }


def _conversion(found: Conversion) -> Plain:
    """A field that the scenario's file states in another currency."""
    return {
        "field": ".".join(found.path),
        "stated_as": found.stated_as,
        "stated": found.stated,
        "currency": _currency(found.rate),
    }


def _assumption(name: str, found: Assumption) -> Plain:
    return {
        "name": name,
        "low": found.low,
        "likely": found.likely,
        "high": found.high,
        "unit": found.unit,
        "basis": found.basis,
        "source": found.source,
        "recorded": found.recorded.isoformat(),
    }


def _rule(rule: Rule) -> Plain:
    return {
        "id": rule.id,
        "kind": rule.kind,
        "text": rule.text,
        "claimed": rule.claimed,
        "state": rule.state,
        "finding": rule.finding,
        "severity": rule.severity,
        "values": {name: number(value) for name, value in rule.values.items()},
        "source": rule.source or None,
        "source_date": _day(rule.source_date),
    }


def _turn(turn: Turn) -> Plain:
    return {
        "field": turn.path or None,
        "text": turn.text,
        "now": number(turn.now),
        "then": number(turn.then),
        "winner": turn.winner or None,
        "day": _day(turn.day),
    }


def _settling(comparison: Comparison) -> Plain | None:
    found = settling(comparison)
    return None if found is None else found._asdict() | {"lead_usd": number(found.lead_usd)}


def _limit(note: Note) -> Plain:
    return {"kind": note.kind, "severity": note.severity, "text": note.text, "day": _day(note.day), "source": note.source or None}


def _event(event: TimelineEvent) -> Plain:
    return {
        "month": event.month,
        "day": event.day.isoformat(),
        "kind": event.kind,
        "text": event.text,
        "source": event.source,
    }


def _savings(comparison: Comparison, name: str) -> Plain | None:
    found = None if name == comparison.point.reference else comparison.savings(name)
    if found is None:
        return None
    return {
        "against": comparison.point.reference,
        "total_usd": number(found.total_usd),
        "net_present_value_usd": number(found.net_present_value_usd),
        "payback_months": found.payback_months,
        "discounted_payback_months": found.discounted_payback_months,
        "annual_irr": _numbers(found.annual_irr),
        "irr_note": found.irr_note,
        "incremental_roi": number(found.incremental_roi),
        "outlay_usd": number(found.outlay_usd),
        "cash_flow": _cash_flow(comparison, name),
    }


def _cash_flow(comparison: Comparison, name: str) -> list[Plain]:
    found = comparison.cash_flow(name)
    assert found is not None
    columns = ("one_off_usd", "running_usd", "value_usd", "net_usd", "cumulative_usd", "discounted_cumulative_usd")
    amounts = {column: _numbers(getattr(found, column)) for column in columns}
    return [{"day": day.isoformat()} | {column: amounts[column][t] for column in columns} for t, day in enumerate(found.dates)]


def _straight_line(comparison: Comparison, name: str) -> list[float | None] | None:
    found = comparison.straight_line_usd_by_month(name)
    return None if found is None else _numbers(found)


def _benefit(comparison: Comparison, result: ApproachResult, benefit: Benefit) -> Plain:
    requests, valued = comparison.requests, benefit.missing is None
    return {
        "key": benefit.key,
        "name": benefit.name,
        "quantity": number(benefit.quantity.at(requests).sum()) if valued else None,
        "unit": benefit.unit,
        "amount_usd": number(benefit.total(requests)) if valued else None,
        "by_month_usd": _numbers(benefit.by_month(requests)) if valued else None,
        "formula": benefit.formula,
        "compared": any(benefit.key == counted.key for counted in result.compared_benefits),
        "missing": benefit.missing,
        "prices": [_price(row) for row in dict.fromkeys(benefit.prices)],
        "assumptions": [_assumption(name, comparison.rates.assumption(name)) for name in benefit.assumptions],
    }


def _all_pairs(comparison: Comparison) -> list[BreakEven]:
    names = list(comparison.available)
    return [comparison.break_even(a, b) for i, a in enumerate(names) for b in names[i + 1 :]]


def _break_even(found: BreakEven) -> Plain:
    return {
        "a": found.a,
        "b": found.b,
        "kind": str(found.verdict.kind),
        "volumes": list(found.verdict.volumes),
        "intervals": [_interval(interval) for interval in found.intervals],
        "equal_at": _numbers(found.equal_at),
    }


def _interval(interval: Interval) -> Plain:
    return {"first": interval.first, "last": interval.last, "winner": interval.winner}
