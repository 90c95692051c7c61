"""Sentences, events and table rows of money over time: what each approach saves against the reference, and when."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal, NamedTuple

import numpy as np

from calc import cash_flow
from calc.compare import ApproachResult, Comparison, Savings
from calc.parts.value import Benefit
from calc.scenario import VALUE_METHODS
from calc.timeline import first_of_month
from pricing import Price
from reports import words

EventKind = Literal["starts", "migration", "ends", "retraining", "refused", "price"]
MOST_NAMES = 3
"""Approaches named in a title; more are counted."""
LEAST_USD = 0.005
"""Half a cent: less in every month is nothing."""


# --- what is saved --------------------------------------------------------------------------------------------------------


def saved(comparison: Comparison) -> dict[str, Savings]:
    """What each approach but the reference saves against it; without those that have no total, empty where the reference
    has none.
    """
    found = {name: comparison.savings(name) for name in comparison.available if name != comparison.point.reference}
    return {name: savings for name, savings in found.items() if savings is not None}


def best(comparison: Comparison) -> str | None:
    """The approach whose savings are worth most today; None where nothing is held against the reference."""
    found = saved(comparison)
    return max(found, key=lambda name: found[name].net_present_value_usd) if found else None


@words.in_its_currency
def verdict(comparison: Comparison) -> str:
    """Which approaches pay back, when, and which never do; why nothing can be said where it cannot."""
    found, reference = saved(comparison), words.in_sentence(comparison.point.reference)
    if not found:
        return _nothing_to_say(comparison)
    never = [name for name in found if found[name].payback_months is None]
    same = [name for name in found if _is_nothing(comparison, name)]
    by_month: dict[int, list[str]] = {}
    for name, savings in found.items():
        if savings.payback_months is not None and name not in same:
            by_month.setdefault(savings.payback_months, []).append(name)
    over = words.months(comparison.months.count)
    if not by_month:
        parts = [f"{_named(never)} never {_does(never, 'pays', 'pay')} back against {reference} in {over}"] if never else []
    else:
        parts = list(_paying(by_month, reference))
        parts += [f"{_named(never)} never {_does(never, 'does', 'do')} in {over}"] if never else []
    if same:
        cost = "costs the same" if len(same) == 1 else "cost the same"
        parts.append(f"{_named(same)} {cost}{'' if parts else f' as {reference} in every month'}")
    return _capital("; ".join(parts))


def _paying(by_month: dict[int, list[str]], reference: str) -> Iterator[str]:
    first, *later = sorted(by_month)
    names = by_month[first]
    if len(later) < 2:
        yield f"{_named(names)} {_does(names, 'pays', 'pay')} back against {reference} {_when(first)}"
        for month in later:
            yield f"{_named(by_month[month])} {_when(month)}"
        return
    yield f"{_named(names)} {_does(names, 'pays', 'pay')} back first against {reference}, {_when(first)}"
    yield f"{_named(by_month[later[-1]])} last, {_when(later[-1])}"


def _nothing_to_say(comparison: Comparison) -> str:
    reference = comparison.point.reference
    if reference not in comparison.available:
        return f"Nothing can be held against {words.in_sentence(reference)}, the reference: it has no total"
    if len(comparison.results) == 1:
        return f"{words.label(reference)} is the only approach: there is nothing to save against"
    return f"No other approach can be priced against {words.in_sentence(reference)}"


def _is_nothing(comparison: Comparison, name: str) -> bool:
    found = comparison.cash_flow(name)
    return found is not None and bool(np.all(np.abs(found.net_usd) < LEAST_USD))


def _named(names: Sequence[str]) -> str:
    if len(names) > MOST_NAMES:
        return f"{words.counted(len(names))} approaches"
    return words.listed(words.in_sentence(name) for name in names)


def _does(names: Sequence[str], one: str, several: str) -> str:
    return one if len(names) == 1 else several


def _when(month: int) -> str:
    return "at once" if month == 0 else f"in month {month}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


@words.in_its_currency
def reasons(comparison: Comparison) -> str:
    """What the savings are worth today, what is not compared and why."""
    found, parts = saved(comparison), []
    if found:
        ranked = sorted(found, key=lambda name: -found[name].net_present_value_usd)
        over = f"{words.months(comparison.months.count)} from {words.month(comparison.months.starts[0])}"
        at = f"at {words.volume(comparison.requests)} {words.per_month(comparison)}"
        rate = words.percent(comparison.discount_rate)
        least = f"; {_worth(found, ranked[-1])}" if len(ranked) > 1 else ""
        parts.append(f"Discounted at {rate} a year, {_worth(found, ranked[0])} over {over}, {at}{least}.")
    left_out = [result for result in comparison.results.values() if result.status != "available"]
    return " ".join([*parts, *(words.left_out(comparison, result) for result in left_out)])


def _worth(found: dict[str, Savings], name: str) -> str:
    usd = found[name].net_present_value_usd
    return f"{words.in_sentence(name)} {'saves' if usd >= 0 else 'loses'} {words.money(abs(usd))}"


@words.in_its_currency
def no_rate_sentence(comparison: Comparison) -> str:
    """For which approaches there is no internal rate of return, and why; empty where each has one."""
    why: dict[str, list[str]] = {}
    for name, savings in saved(comparison).items():
        if savings.irr_note is not None:
            why.setdefault(words.irr_reason(savings), []).append(words.in_sentence(name))
    told = "; ".join(f"{words.listed(names)}, because {reason}" for reason, names in why.items())
    return f"No internal rate of return: {told}." if told else ""


HEAD = ("", "Saved in total", "Net present value", "Payback", "Discounted payback", "Annual IRR")


def savings_title(comparison: Comparison) -> str:
    """Against what, and at which rate."""
    reference = words.in_sentence(comparison.point.reference)
    return f"Saved against {reference}, discounted at {words.percent(comparison.discount_rate)}"


@words.in_its_currency
def savings_rows(comparison: Comparison) -> list[list[str]]:
    """What each approach saves, under `HEAD`."""
    return [
        [
            words.label(name), words.money(found.total_usd), words.money(found.net_present_value_usd),
            words.payback(found.payback_months), words.payback(found.discounted_payback_months), words.irr(found),
        ]
        for name, found in saved(comparison).items()
    ]  # fmt: skip


@words.in_its_currency
def brief_rows(comparison: Comparison) -> list[dict[str, str]]:
    """What each approach saves, in few columns, and its value where one is stated: the reference's in a row of its own."""
    rows: dict[str, dict[str, str]] = {
        name: {
            "approach": words.label(name),
            "net present value": words.money(found.net_present_value_usd),
            "payback": words.payback(found.payback_months),
            "annual IRR": words.irr(found),
        }
        for name, found in saved(comparison).items()
    }
    if not rows or comparison.point.value is None:
        return list(rows.values())
    reference, none = comparison.point.reference, dict.fromkeys(("net present value", "payback", "annual IRR"), words.MISSING)
    rows = {reference: {"approach": words.label(reference)} | none} | rows
    return [row | {"value": words.money(comparison.value_usd(name))} for name, row in rows.items()]


# --- metrics --------------------------------------------------------------------------------------------------------------


class Figure(NamedTuple):
    """One figure of an approach: what it is, how much, and what stands beside it."""

    label: str
    value: str
    beside: str
    why: str = ""
    """In full, where what stands beside it is short."""


@words.in_its_currency
def figures(comparison: Comparison, name: str) -> list[Figure]:
    """Net present value, payback, rate of return and return on investment of an approach; each that is none says why."""
    found, flow = comparison.savings(name), comparison.cash_flow(name)
    if found is None or flow is None:
        return []
    none, later, roi = words.irr_reason(found), found.discounted_payback_months, found.incremental_roi
    made = [
        Figure(
            "Net present value",
            words.money(found.net_present_value_usd, plus=True),
            f"at {words.percent(comparison.discount_rate)} a year",
        ),
        Figure("Payback", words.payback(found.payback_months), _by(flow.dates, found.payback_months)),
        Figure("Discounted payback", words.payback(later), _by(flow.dates, later)),
        Figure("Annual IRR", words.irr(found), "no one rate", f"No annual IRR, because {none}.")
        if none
        else Figure("Annual IRR", words.irr(found), "effective rate"),
        Figure("Incremental ROI", "none", "no outlay", "No incremental ROI, because nothing is spent more up front.")
        if roi is None
        else Figure("Incremental ROI", words.rate(roi), f"on {words.money(found.outlay_usd)}"),
    ]
    earned = comparison.roi(name)
    if earned is not None:
        made.append(Figure("ROI", words.rate(earned), "value over cost"))
    return made


def _by(dates: Sequence[date], month: int | None) -> str:
    return f"not by {words.day_short(dates[-1])}" if month is None else f"by {words.day_short(dates[month])}"


# --- months ---------------------------------------------------------------------------------------------------------------


@words.in_its_currency
def month_rows(comparison: Comparison, name: str) -> list[dict[str, object]]:
    """The decision and the end of every month: requests, what each approach costs then, what this one saves if any.

    Cost falls where `calc.cash_flow` dates it: one-offs at the start of their month, which is the end of the one before.
    """
    costs = {
        words.label(each): cash_flow.cost_flows(result.ledger, result.compared_requests)
        for each, result in comparison.available.items()
    }
    flow = None if name == comparison.point.reference else comparison.cash_flow(name)
    growth = comparison.results[name].growth
    rows: list[dict[str, object]] = []
    for t in range(comparison.months.count + 1):
        row: dict[str, object] = {
            "Month": "Start" if t == 0 else str(t),
            "Day": first_of_month(comparison.as_of, 1 + t),
            "Requests": words.MISSING if t == 0 else words.exact_volume(round(comparison.requests * float(growth[t - 1]))),
        }
        if flow is not None:
            row |= {
                "Net saved": words.money(float(flow.net_usd[t])),
                "Cumulative": words.money(float(flow.cumulative_usd[t])),
                "Discounted": words.money(float(flow.discounted_cumulative_usd[t])),
            }
        row |= {f"{label}, cost": words.money(float(usd[t])) for label, usd in costs.items()}
        rows.append(row)
    return rows


def _end(comparison: Comparison) -> date:
    """The day after the horizon."""
    return first_of_month(comparison.as_of, 1 + comparison.months.count)


# --- events ---------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class CashEvent:
    """Something dated that moves an approach's money."""

    day: date
    approaches: tuple[str, ...]
    kind: EventKind
    label: str
    """On a chart."""
    text: str
    """As a sentence."""
    source: str
    """Where its date is from; empty where it follows from the scenario."""


@words.in_its_currency
def cash_events(comparison: Comparison) -> tuple[CashEvent, ...]:
    """Starts, ends, migrations, retrainings and announced prices within the horizon, by day; what several approaches share
    once.
    """
    last = _end(comparison)
    found: dict[tuple[date, EventKind, str], CashEvent] = {}
    for name, result in comparison.results.items():
        for event in (*_lifecycle(comparison, result), *_retrainings(comparison, result), *_announced(comparison, result)):
            key = (event.day, event.kind, event.text)
            known = found.get(key)
            approaches = tuple(dict.fromkeys((*known.approaches, name))) if known else (name,)
            if event.day <= last:
                found[key] = CashEvent(event.day, approaches, event.kind, event.label, event.text, event.source)
    return tuple(sorted(found.values(), key=lambda event: event.day))


def _lifecycle(comparison: Comparison, result: ApproachResult) -> Iterator[CashEvent]:
    name, model = (result.name,), words.model_name(result.offer)
    start = result.approach.go_live_month
    if start and result.unavailable is None:
        text = f"Goes live; until then {words.in_sentence(comparison.point.reference)} serves"
        yield CashEvent(comparison.months.starts[start], name, "starts", f"{words.label(result.name)} starts", text, "")
    if result.unavailable is not None and result.unavailable.since > comparison.as_of:
        why = words.days_in_words(words.without_sources(result.unavailable.reason))
        label = f"{words.label(result.name)} ends"
        yield CashEvent(result.unavailable.since, name, "ends", label, why, _address(result.unavailable.reason))
    if result.unavailable is not None:
        return
    kinds: dict[str, tuple[EventKind, str]] = {
        "migration": ("migration", f"{model} migrates"),
        "fallback": ("ends", f"{model} ends"),
        "retraining refused": ("refused", "No retraining"),
    }
    for event in result.ledger.events:
        kind, label = kinds[event.kind]
        text = words.days_in_words(words.without_sources(event.text))
        yield CashEvent(event.day, name, kind, label, text, _address(event.source))


def _address(cited: str) -> str:
    """The address in a citation or in brackets of a message."""
    start = min((at for at in (cited.find("https://"), cited.find("http://"), cited.find("pkg:")) if at >= 0), default=-1)
    return cited[start:].partition(",")[0].partition(")")[0] if start >= 0 else ""


def _retrainings(comparison: Comparison, result: ApproachResult) -> Iterator[CashEvent]:
    own = {line.key for line in result.ledger.lines if line.key.startswith("tuning.retraining:") and "@" not in line.key}
    for month in sorted({int(key.split(":")[1]) for key in own}):
        yield CashEvent(comparison.months.starts[month], (result.name,), "retraining", "Retraining", "Retrained", "")


def _announced(comparison: Comparison, result: ApproachResult) -> Iterator[CashEvent]:
    """Prices used that begin after the day of the prices."""
    for line in result.ledger.lines:
        for row in line.prices:
            if row.effective > comparison.as_of:
                label = f"{words.model_name(row.offer)} price"
                text = f"{row.offer}: {words.price(row)}{_instead(row, line.prices)}"
                yield CashEvent(row.effective, (result.name,), "price", label, text, row.source)


def _instead(row: Price, rows: Sequence[Price]) -> str:
    """What the price was before, where the same line paid it."""
    same = [other for other in rows if (other.offer, other.key, other.conditions) == (row.offer, row.key, row.conditions)]
    before = max((other for other in same if other.effective < row.effective), key=lambda other: other.effective, default=None)
    return f", {words.listed_money(before)} until then" if before else ""


def event_rows(comparison: Comparison) -> list[CashEvent]:
    """`cash_events`, the retrainings of the same approaches as one."""
    events = cash_events(comparison)
    retrained: dict[tuple[str, ...], list[date]] = {}
    for event in events:
        if event.kind == "retraining":
            retrained.setdefault(event.approaches, []).append(event.day)
    rows = []
    for event in events:
        days = retrained.get(event.approaches, []) if event.kind == "retraining" else []
        if days and event.day == days[0]:
            rows.append(replace(event, text=f"Retrained: {words.listed(f'{day:%b %Y}' for day in days)}"))
        elif not days:
            rows.append(event)
    return rows


@words.in_its_currency
def price_sentence(comparison: Comparison) -> str:
    """What is announced, and apart from it what is assumed of later prices."""
    announced = [event for event in cash_events(comparison) if event.kind == "price"]
    listed = f"{words.counted(len(announced)) if announced else 'no'} announced price{'s' if len(announced) > 1 else ''}"
    decline = float(np.mean(np.asarray(comparison.point.finance.price_decline_per_year)))
    assumed = (
        f"after the last of them token prices are assumed to fall by {words.percent(decline)} a year, which nobody announced"
        if decline
        else "no further fall of token prices is assumed"
    )
    return f"Prices of the horizon: {listed}; {assumed}."


CONVENTIONS = (
    "Nominal and before tax. One-offs fall at the start of their month, everything else at its end; "
    "discounting is at the effective annual rate. Nothing is left over at the end of the horizon unless stated."
)


@words.in_its_currency
def conventions(comparison: Comparison) -> str:
    """How money at different times is counted, and where the discount rate is from."""
    stated = comparison.point.finance.discount_rate_per_year is not None
    rate = f"The rate, {words.percent(comparison.discount_rate)}, is {'stated in the scenario' if stated else 'an assumption'}."
    return f"{CONVENTIONS} {rate}"


# --- value ----------------------------------------------------------------------------------------------------------------

METHODS: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "value.answers": ("Accepted answers", "accepted answers × worth of one", ("usd_per_accepted_answer",)),
    "value.staff_time": (
        "Staff time displaced", "accepted answers × minutes saved × hourly rate", ("minutes_saved_per_accepted_answer",),
    ),
    "value.uplift": (
        "Revenue uplift", "accepted answers × more conversions × margin of one", VALUE_METHODS["revenue uplift"],
    ),
    "value.retention": (
        "Retention", "customers × less churn a month × margin of a customer", VALUE_METHODS["retention"],
    ),
    "value.premium": ("Premium", "paying customers × premium a month", VALUE_METHODS["premium"]),
    "value.latency": ("Seconds saved", "requests × seconds less than the reference × worth of one", ("usd_per_second_saved",)),
}  # fmt: skip
"""Each way of earning by its benefit's key: its name, its formula in words, and the fields that state it."""


@words.in_its_currency
def value_rows(comparison: Comparison, name: str) -> list[dict[str, str]]:
    """Every way of earning: what an approach earns by it over the horizon and how, or why it is not valued."""
    result = comparison.results[name]
    benefits = {benefit.key: benefit for benefit in result.benefits}
    return [_value_row(comparison, benefits.get(key), *METHODS[key]) for key in METHODS]


def _value_row(comparison: Comparison, found: Benefit | None, name: str, formula: str, fields: tuple[str, ...]) -> dict[str, str]:
    over = value_column(comparison)
    if found is None:
        what = words.listed((field.replace("_", " ").replace("usd ", "US$ ") for field in fields), "or")
        why = f"not valued, because the scenario states no {what}"
        return {"Method": name, over: words.MISSING, "How it comes about": f"{formula}; {why}"}
    if found.missing:
        why = found.missing if found.missing.startswith("not valued") else f"not valued, because {found.missing}"
        return {"Method": name, over: words.MISSING, "How it comes about": f"{words.amounts_in_words(found.formula)}; {why}"}
    worth = words.money(float(found.total(comparison.requests)))
    return {"Method": name, over: worth, "How it comes about": words.amounts_in_words(found.formula)}


def value_column(comparison: Comparison) -> str:
    """The column of `value_rows` that holds amounts."""
    return f"{words.unit_name()}, {words.months(comparison.months.count)}"


def value_caption(comparison: Comparison) -> str:
    """Whether value enters what is saved."""
    if words.value_is_counted(comparison):
        return f"The {words.counted_value(comparison)} enters the savings above, against the reference's."
    if comparison.point.value is not None:
        handled = all(result.failure_mode == "remediate" for result in comparison.available.values())
        why = ": rejected answers are handled, so every approach earns the same" if handled else ""
        return f"The value does not enter the savings above{why}."
    return "State any of them in the scenario, or under Value in the expert inputs."


@words.in_its_currency
def value_title(comparison: Comparison, name: str) -> str:
    """What an approach's answers are worth, or that nobody said."""
    if comparison.point.value is None:
        return "No value is stated: savings are of cost alone"
    worth = comparison.value_usd(name)
    if worth is None:
        return f"What {words.in_sentence(name)} is worth cannot be told in full"
    return f"{words.label(name)} earns {words.money(worth)} over {words.months(comparison.months.count)}"


# --- accounting -----------------------------------------------------------------------------------------------------------


@words.in_its_currency
def accounting_rows(comparison: Comparison) -> list[dict[str, str]]:
    """Each approach's up-front cost in equal parts over its asset's life."""
    rows = []
    for name in comparison.available:
        spread = comparison.straight_line_usd_by_month(name)
        assert spread is not None
        months = np.flatnonzero(spread)
        rows.append(
            {
                "Approach": words.label(name),
                "Up front": words.money(float(spread.sum())),
                "Asset life": words.months(comparison.results[name].asset_life_months),
                "A month": words.money(float(spread[months[0]])) if months.size else words.MISSING,
                "From": f"{comparison.months.starts[months[0]]:%b %Y}" if months.size else words.MISSING,
                "Through": f"{comparison.months.starts[months[-1]]:%b %Y}" if months.size else words.MISSING,
            }
        )
    return rows


ACCOUNTING = (
    "Up-front cost in equal parts over the months its first model serves within the horizon. An accounting view only: no money "
    "flows so, and it enters no total, payback or present value."
)
