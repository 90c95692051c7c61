"""Charts of money over time as plain data: what each approach has saved by which day, and what one of them saves each month."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from math import ceil, floor, log10
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from calc.cash_flow import CashFlow
from calc.compare import Comparison
from calc.ledger import Group
from calc.scenario import Family
from reports import words
from reports.cash_words import CashEvent, best, cash_events, saved
from reports.charts import Axis, Dash, DayMark, Tick, day_marks, day_ticks, line_dashes, name_rows, pushed_apart

FlowKind = Literal["one-off", "running", "value"]
FLOW_LABELS: dict[FlowKind, str] = {"one-off": "One-off", "running": "Running cost", "value": "Value"}
FLOW_GROUPS: dict[FlowKind, Group] = {"one-off": "gpu rental", "running": "tokens", "value": "rejected answers"}
"""Flows take the colours of parts of cost: teal follows the volume, slate does not."""
MOST_TICKS = 6
LABEL_HEIGHT = 0.06
"""Of one row of text, as a share of the value axis: 18 px of 300."""
BAR_DAYS = 20
"""Width of a bar."""
EDGE_DAYS = 16
"""Before the first and after the last bar's day."""


@dataclass(frozen=True)
class Payback:
    """The day from which an approach has paid back for good."""

    month: int
    x: float
    y: float


@dataclass(frozen=True)
class SavingsLine:
    """What an approach has saved against the reference up to each day; the reference itself lies on zero."""

    name: str
    label: str
    family: Family
    dash: Dash
    x: tuple[float, ...]
    y: tuple[float, ...]
    label_at: float
    """Height of the name's middle at the right end, a share of the value axis."""
    payback: Payback | None
    is_reference: bool

    @property
    def label_rows(self) -> tuple[str, ...]:
        """The name, broken for the margin beside the plot."""
        return name_rows(self.label)


@dataclass(frozen=True)
class SavingsChart:
    """Cumulative savings against the reference by day."""

    title: str
    caption: str
    alt: str
    days: Axis
    value: Axis
    lines: tuple[SavingsLine, ...]
    """The reference first."""
    paybacks: tuple[DayMark, ...]
    """Months of payback, each once, named in rows beneath the plot that count upwards."""
    marks: tuple[DayMark, ...]
    """Dated events, named above the plot; those without a name repeat one before."""
    currency_mark: str

    @property
    def label_rows(self) -> int:
        """Rows of names above the plot."""
        return max((mark.row + 1 for mark in self.marks), default=0)

    @property
    def payback_rows(self) -> int:
        """Rows of names beneath the plot."""
        return max((mark.row + 1 for mark in self.paybacks), default=0)


@dataclass(frozen=True)
class FlowBar:
    """One kind of money at one day: above zero where it is saved."""

    x: float
    y: float
    text: str


@dataclass(frozen=True)
class FlowChart:
    """What one approach saves against the reference by day, by kind of money."""

    title: str
    caption: str
    alt: str
    days: Axis
    value: Axis
    bars: dict[FlowKind, tuple[FlowBar, ...]]
    """The kinds that occur, in drawing order."""


@words.in_its_currency
def savings_chart(comparison: Comparison) -> SavingsChart | None:
    """Cumulative savings of each available approach; None where nothing is held against the reference."""
    found = saved(comparison)
    if not found:
        return None
    reference = comparison.point.reference
    flows = {name: flow for name in (reference, *found) if (flow := comparison.cash_flow(name)) is not None}
    values = {name: flow.cumulative_usd * words.shown_amount(1.0) for name, flow in flows.items()}
    dates = flows[reference].dates
    x = tuple(float(day.toordinal()) for day in dates)
    days = Axis("", x[0], x[-1], _month_ticks(dates), logarithmic=False)
    value = money_axis(np.concatenate(list(values.values())))
    heights = [LABEL_HEIGHT * len(name_rows(words.label(name))) for name in flows]
    ends = pushed_apart([value.share(float(values[name][-1])) for name in flows], heights)
    dashes = line_dashes(comparison.available)
    paid = {
        name: Payback(months, x[months], float(values[name][months]))
        for name, savings in found.items()
        if (months := savings.payback_months) is not None
    }
    lines = tuple(
        SavingsLine(
            name, words.label(name), comparison.results[name].family, dashes[name], x, tuple(map(float, values[name])), end,
            paid.get(name), name == reference,
        )
        for name, end in zip(flows, ends, strict=True)
    )  # fmt: skip
    events = cash_events(comparison)
    return SavingsChart(
        _finding(comparison), _caption(comparison, bool(events)), _alt(comparison, events), days, value, lines,
        _payback_marks(sorted({payback.month for payback in paid.values()}), flows[reference], days), _marks(events, days),
        words.mark(),
    )  # fmt: skip


def _month_ticks(dates: Sequence[date]) -> tuple[Tick, ...]:
    """The year stands at the first and at every January, so that names fit on a phone."""
    ticks = [(tick, date.fromordinal(round(tick.value))) for tick in day_ticks(dates[0], dates[-1])]
    return tuple(
        tick if i == 0 or day.month == 1 else Tick(tick.value, f"{day:%b}") for i, (tick, day) in enumerate(ticks)
    )  # fmt: skip


def money_axis(values: NDArray[np.float64]) -> Axis:
    """A linear axis with zero on it, its ticks whole steps."""
    low, high = min(float(values.min()), 0.0), max(float(values.max()), 0.0)
    high = high if high > low else 1.0
    low, high = low - 0.05 * (high - low), high + 0.05 * (high - low)
    power = 10.0 ** floor(log10(high - low))
    step = next(m * power for m in (0.1, 0.2, 0.25, 0.5, 1, 2, 5) if (high - low) / (m * power) <= MOST_TICKS)
    ticks = [i * step for i in range(ceil(low / step), floor(high / step) + 1)]
    return Axis(
        words.unit_name(), low, high, tuple(Tick(t, words.money_short(t, max(-low, high))) for t in ticks), logarithmic=False
    )


def _payback_marks(months: Sequence[int], flow: CashFlow, days: Axis) -> tuple[DayMark, ...]:
    """The first says what the months are."""
    names = ["at once" if month == 0 else f"month {month}" for month in months]
    names[:1] = [f"pays back {'in ' if month else ''}{name}" for month, name in zip(months[:1], names, strict=False)]
    return tuple(day_marks([(flow.dates[month], label) for month, label in zip(months, names, strict=True)], days))


def _marks(events: Sequence[CashEvent], days: Axis) -> tuple[DayMark, ...]:
    """Each day and name once; of retrainings only the first is named."""
    inside = [event for event in events if days.low <= event.day.toordinal() <= days.high]
    seen: set[str] = set()
    named = []
    for day, label, kind in dict.fromkeys((event.day, event.label, event.kind) for event in inside):
        named.append((day, "" if kind == "retraining" and label in seen else label))
        seen.add(label)
    marks = day_marks([(day, label) for day, label in named if label], days)
    return (*marks, *(DayMark(float(day.toordinal()), "", 0, "right") for day, label in named if not label))


def _finding(comparison: Comparison) -> str:
    name = best(comparison)
    assert name is not None
    reference, over = words.in_sentence(comparison.point.reference), words.months(comparison.months.count)
    total = saved(comparison)[name].total_usd
    if total > 0:
        return f"{words.label(name)} saves {words.money(total)} against {reference} over {over}"
    if total == 0:
        return f"Nothing is saved against {reference} over {over}"
    if len(saved(comparison)) == 1:
        return f"{words.label(name)} costs {words.money(-total)} more than {reference} over {over}"
    return f"Nothing beats {reference} over {over}; {words.in_sentence(name)} comes nearest, {words.money(-total)} behind"


def _caption(comparison: Comparison, has_events: bool) -> str:
    reference = words.in_sentence(comparison.point.reference)
    net = f", net of the {words.counted_value(comparison)}" if words.value_is_counted(comparison) else ""
    marks = " Dashed: dated events." if has_events else ""
    return (
        f"Saved against {reference} up to each day, {words.unit_name()}, nominal{net}. Above zero it has cost less. "
        f"Open dot: paid back, and stays so.{marks}"
    )


def _alt(comparison: Comparison, events: Sequence[CashEvent]) -> str:
    said = ", ".join(
        f"{words.label(name)} {words.money(found.total_usd)}, payback {words.payback(found.payback_months)}"
        for name, found in saved(comparison).items()
    )
    marked = f" Events: {', '.join(dict.fromkeys(f'{e.label} {words.day_short(e.day)}' for e in events))}." if events else ""
    reference, over = words.in_sentence(comparison.point.reference), words.months(comparison.months.count)
    return f"Line chart of cumulative savings against {reference} by day. After {over}: {said}.{marked}"


# --- one approach ------------------------------------------------------------------------------------------------------------


@words.in_its_currency
def flow_chart(comparison: Comparison, name: str) -> FlowChart | None:
    """What one approach saves against the reference each month; None where nothing is held against it."""
    flow = comparison.cash_flow(name)
    if flow is None or name == comparison.point.reference:
        return None
    days = tuple(float(day.toordinal()) for day in flow.dates)
    kinds: dict[FlowKind, NDArray[np.float64]] = {
        "one-off": flow.one_off_usd, "running": flow.running_usd, "value": flow.value_usd,
    }  # fmt: skip
    bars = {
        kind: tuple(
            FlowBar(x, words.shown_amount(float(usd)), f"{FLOW_LABELS[kind]}: {words.money(float(usd), plus=True)}")
            for x, usd in zip(days, amounts, strict=True)
            if usd
        )
        for kind, amounts in kinds.items()
        if np.any(amounts)
    }
    stacked = np.stack([np.asarray(amounts) for amounts in kinds.values()]) * words.shown_amount(1.0)
    ends = np.concatenate([np.clip(stacked, 0, None).sum(axis=0), np.clip(stacked, None, 0).sum(axis=0)])
    axis = Axis("", days[0] - EDGE_DAYS, days[-1] + EDGE_DAYS, _month_ticks(flow.dates), logarithmic=False)
    title = _flow_finding(comparison, name, flow)
    reference = words.in_sentence(comparison.point.reference)
    caption = (
        f"{words.label(name)} against {reference}, {words.unit_name()}, nominal. Above zero: saved or earned. "
        "One-offs stand at the start of their month, the rest at its end."
    )
    return FlowChart(title, caption, f"Bar chart by month. {title}.", axis, money_axis(ends), bars)


def _flow_finding(comparison: Comparison, name: str, flow: CashFlow) -> str:
    up_front = float(flow.one_off_usd[: flow.go_live_month + 1].sum())
    later = float((flow.net_usd.sum() - up_front) / comparison.months.count)
    first = f"{words.label(name)} {'saves' if up_front >= 0 else 'takes'} {words.money(abs(up_front))} up front"
    return f"{first} and {'saves' if later >= 0 else 'costs'} {words.money(abs(later))} a month after that"
