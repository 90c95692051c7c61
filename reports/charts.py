"""Charts as plain data, one function each: a comparison or prices → chart. A renderer draws them and decides nothing.

A chart's title states its finding, its caption says unit and scale, and `alt` says in one sentence what there is to see.
Positions marked *share* run from 0 to 1 along an axis as it is drawn (the logarithm's share on a logarithmic axis).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import ceil, floor, log10
from textwrap import wrap
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from calc.break_even import Interval
from calc.compare import ApproachResult, Comparison
from calc.ledger import GROUPS, Group
from calc.scenario import Family
from calc.timeline import growth_factors
from calc.volume import Curve
from ingest.lengths import percentile
from pricing.history import History, changes
from pricing.keys import PRICE_KEYS
from pricing.model import LifecycleEvent
from reports import price_words, words
from reports.words import MEMORY_LABELS, MEMORY_PARTS, PHASE_LABELS, MemoryPartName

Unit = Literal["month", "request", "horizon"]
Dash = Literal["solid", "dash", "dot", "dashdot"]
DASHES: tuple[Dash, ...] = ("solid", "dash", "dot", "dashdot")
"""First, second … approach of one family: they share its colour."""

POINTS = 320
VISIBLE_JUMP = 0.004
"""Jumps below this share of the total are not seen: such steps are drawn as a slope."""
NARROW = 0.004
"""Intervals below this share of the axis are less than a line wide; the table of intervals has them."""
LEAST_SHARE = 1e-4
"""Of the highest cost: where some costs are zero or less, the value axis starts there at the lowest."""
LABEL_HEIGHT = 0.05
"""Of one row of text at the right end, as a share of the value axis: 17 px of 340."""
LABEL_LENGTH = 12
"""Letters of a name beside its line; longer ones take two rows or more."""
LABEL_WIDTH = 0.14
"""Of a crossing's volume, as a share of the volume axis on a phone."""
LABEL_ROWS = 4
LENGTH_BARS = 40
"""Most bars of a histogram."""
TAIL = 4
"""Times the length of 95 in 100; where the longest is beyond it, the histogram ends before."""
FROM_ZERO = 0.3
"""Of the longest; where the shortest is beyond it, the histogram begins at the shortest."""
LIMITS_DRAWN = 3
LETTER_SHARE = 0.024
"""Width of a letter above a histogram, as a share of its axis on a phone."""

Floats = NDArray[np.float64]
Drawn = Callable[[Curve, Floats], Floats]
"""What is drawn of a curve at some volumes: an amount in the chart's unit and currency."""


@dataclass(frozen=True)
class Tick:
    """A value on an axis and how it is written."""

    value: float
    label: str


@dataclass(frozen=True)
class Axis:
    """A logarithmic axis, or a linear one. Days are counted as `date.toordinal` does."""

    title: str
    low: float
    high: float
    ticks: tuple[Tick, ...]
    logarithmic: bool = True

    def share(self, value: float) -> float:
        """Where a value lies, 0 to 1."""
        if not self.logarithmic:
            return (value - self.low) / (self.high - self.low)
        return log10(value / self.low) / log10(self.high / self.low)


@dataclass(frozen=True)
class Line:
    """An approach's cost by volume."""

    name: str
    label: str
    family: Family
    dash: Dash
    x: tuple[float, ...]
    y: tuple[float, ...]
    label_at: float
    """Height of the name's middle at the right end, a share of the value axis."""

    @property
    def label_rows(self) -> tuple[str, ...]:
        """The name, broken for the margin beside the plot."""
        return name_rows(self.label)


@dataclass(frozen=True)
class Stretch:
    """Volumes over which one approach is cheapest: drawn thick, and as a part of the ribbon below."""

    label: str
    family: Family
    first: float
    last: float
    x: tuple[float, ...]
    y: tuple[float, ...]


@dataclass(frozen=True)
class Crossing:
    """Where the cheapest approach changes. ``row`` counts label rows up from the ribbon; None: no room for a label."""

    x: float
    y: float
    label: str
    row: int | None
    side: Literal["left", "right"]


@dataclass(frozen=True)
class Today:
    """The stated volume, and the cheapest approach's cost there."""

    x: float
    y: float
    label: str
    family: Family


@dataclass(frozen=True)
class VolumeBand:
    """8 in 10 simulations of today's cheapest approach, by volume, US$ over the horizon."""

    volumes: tuple[float, ...]
    low_usd: tuple[float, ...]
    high_usd: tuple[float, ...]
    draws: int


@dataclass(frozen=True)
class BreakEvenChart:
    """Cost by volume, or by any other number, on a logarithmic axis of costs."""

    title: str
    caption: str
    alt: str
    volume: Axis
    value: Axis
    lines: tuple[Line, ...]
    stretches: tuple[Stretch, ...]
    crossings: tuple[Crossing, ...]
    today: Today | None
    """None where today's value is not stated, or outside."""
    mark: str
    """What stands before an amount in the currency drawn."""
    band: Band | None = None
    """8 in 10 simulations of today's cheapest approach."""

    @property
    def label_rows(self) -> int:
        """Rows that the crossings' labels take above the ribbon."""
        return max((crossing.row + 1 for crossing in self.crossings if crossing.row is not None), default=1)


@dataclass(frozen=True)
class BarPart:
    """One group's cost within a bar."""

    group: Group
    usd: float
    label: str


@dataclass(frozen=True)
class Bar:
    """One approach's cost."""

    name: str
    label: str
    family: Family
    parts: tuple[BarPart, ...]
    usd: float
    total_label: str

    @property
    def drawn_usd(self) -> float:
        """Where the bar ends: more than the total where credits are taken off it."""
        return sum(part.usd for part in self.parts)


@dataclass(frozen=True)
class CostLinesChart:
    """Cost by part, one stacked bar an approach, on one linear scale that starts at 0."""

    title: str
    caption: str
    alt: str
    bars: tuple[Bar, ...]
    groups: tuple[Group, ...]
    """The groups that occur, in drawing order."""


@dataclass(frozen=True)
class PricePoint:
    """A day on which a value began, or on which the price ended; the label says all of it."""

    x: float
    y: float
    kind: Literal["stated", "seen", "end"]
    label: str


@dataclass(frozen=True)
class PriceLine:
    """One price through time: an upright step at each change, and a break where there was none."""

    label: str
    is_chosen: bool
    dash: Dash
    runs: tuple[tuple[tuple[float, ...], tuple[float, ...]], ...]
    """Days and values of each stretch without a break."""
    points: tuple[PricePoint, ...]
    label_at: float
    """Height of the name's middle at the right end, a share of the value axis."""

    @property
    def label_rows(self) -> tuple[str, ...]:
        """The name, broken for the margin beside the plot."""
        return name_rows(self.label)


@dataclass(frozen=True)
class DayMark:
    """A day marked by an upright line, named in a row above the plot; rows count upwards."""

    x: float
    label: str
    row: int
    side: Literal["left", "centre", "right"]
    """Where the name stands, seen from its line."""


@dataclass(frozen=True)
class HistoryChart:
    """Prices of an offer over time, in steps."""

    title: str
    caption: str
    alt: str
    days: Axis
    value: Axis
    lines: tuple[PriceLine, ...]
    today: DayMark
    events: tuple[DayMark, ...]

    @property
    def label_rows(self) -> int:
        """Rows of names above the plot."""
        return max(mark.row for mark in (self.today, *self.events)) + 1


@dataclass(frozen=True)
class LengthBar:
    """Examples from one length through another; ``is_cut`` where they are longer than a limit that is drawn."""

    first: int
    last: int
    count: int
    is_cut: bool


@dataclass(frozen=True)
class LengthMark:
    """A length marked by an upright line, named in a row above the plot; rows count upwards."""

    x: float
    label: str
    row: int
    is_limit: bool
    side: Literal["left", "right"]
    """Where the name stands, seen from its line."""


@dataclass(frozen=True)
class LengthChart:
    """How many examples have how many tokens."""

    title: str
    caption: str
    alt: str
    length: Axis
    count: Axis
    bars: tuple[LengthBar, ...]
    marks: tuple[LengthMark, ...]

    @property
    def label_rows(self) -> int:
        """Rows of names above the plot."""
        return max(mark.row for mark in self.marks) + 1


# --- break-even --------------------------------------------------------------------------------------------------------------


@words.in_its_currency
def break_even_chart(comparison: Comparison, unit: Unit = "month", spread: VolumeBand | None = None) -> BreakEvenChart:
    """Every available approach's cost against the monthly volume, and who is cheapest where.

    Args:
        unit: amounts per month (one-off costs spread over the horizon), per request, or over the whole horizon.
        spread: how far simulations of the cheapest approach differ.

    Raises:
        NothingToCompare: no approach is available.
    """
    comparison.winner()
    low, high = volume_range(comparison)
    results = comparison.available
    requests_per_volume = float(growth_factors(comparison.point.workload.growth, comparison.months).sum())

    def per(volumes: Floats) -> Floats:
        return np.asarray({"month": comparison.months.count, "request": volumes * requests_per_volume, "horizon": 1.0}[unit])

    def dollars(curve: Curve, volumes: Floats) -> Floats:
        return np.asarray(curve.total(volumes) / per(volumes))

    def cost(curve: Curve, volumes: Floats) -> Floats:
        return dollars(curve, volumes) * words.shown_amount(1.0)

    grids = {name: curve_grid(result.curve, low, high) for name, result in results.items()}
    costs = {name: cost(result.curve, grids[name]) for name, result in results.items()}
    least = least_drawn(np.concatenate(list(costs.values())))

    def drawn(curve: Curve, volumes: Floats) -> Floats:
        return np.maximum(cost(curve, volumes), least)

    values = {name: np.maximum(found, least) for name, found in costs.items()}
    value = cost_axis(comparison, unit, list(values.values()))
    volume = Axis(_volume_title(comparison), low, high, _volume_ticks(low, high))
    heights = [LABEL_HEIGHT * len(name_rows(words.label(name))) for name in results]
    ends = pushed_apart([value.share(float(values[name][-1])) for name in results], heights)
    dashes = line_dashes(results)
    lines = tuple(
        Line(name, words.label(name), result.family, dashes[name], tuple(grids[name]), tuple(values[name]), end)
        for (name, result), end in zip(results.items(), ends, strict=True)
    )
    visible = _visible(comparison.envelope, low, high)
    stretches = tuple(_stretch(results[i.winner], i, drawn, low, high) for i in visible if i.winner is not None)
    places = crossing_places([volume.share(interval.first) for interval in visible[1:]])
    firsts = [interval.first for interval in visible[1:]]
    crossings = tuple(
        Crossing(
            interval.first, _height(results, before, interval.first, drawn), words.volume_short(interval.first, *firsts), *place
        )
        for before, interval, place in zip(visible[:-1], visible[1:], places, strict=True)
    )
    winner = results[comparison.winner()]
    today_usd = float(drawn(winner.curve, np.array([float(comparison.requests)]))[0])
    today = Today(comparison.requests, today_usd, f"Today {words.volume_short(comparison.requests)}", winner.family)
    return BreakEvenChart(
        _finding(comparison), _break_even_caption(comparison, unit, spread), _break_even_alt(comparison, unit, visible, dollars),
        volume, value, lines, stretches, crossings, today, words.mark(), spread and _band(spread, per, value),
    )  # fmt: skip


def band_volumes(comparison: Comparison, points: int = 41) -> Floats:
    """Volumes, even on the break-even chart's axis, at which a band of simulations is asked for."""
    return np.geomspace(*volume_range(comparison), points)


def _band(spread: VolumeBand, per: Callable[[Floats], Floats], value: Axis) -> Band | None:
    """The band in the chart's unit and currency, where it is finite, cut at the axis."""
    volumes = np.array(spread.volumes)
    found = np.array([spread.low_usd, spread.high_usd]) / per(volumes) * words.shown_amount(1.0)
    finite = np.isfinite(found).all(axis=0)
    low, high = np.clip(found[:, finite], value.low, value.high)
    middle = (low + high) / 2
    return Band(*(tuple(curve.tolist()) for curve in (volumes[finite], middle, low, high))) if finite.any() else None


def least_drawn(costs: Floats) -> float:
    """The lowest cost that a logarithmic axis shows: what costs nothing, or less, lies on its bottom."""
    positive = costs[costs > 0]
    if not positive.size:
        return 1e-9
    least = float(positive.min())
    return least if positive.size == costs.size else max(least, float(positive.max()) * LEAST_SHARE)


def volume_range(comparison: Comparison) -> tuple[float, float]:
    """About 1,000 to 3 million around today's volume; further where a change of the cheapest lies outside."""
    today, changes = comparison.requests, [interval.first for interval in comparison.envelope[1:]]
    low = _rounded(min([today / 10, max(1e3, today / 1000), *(c / 3 for c in changes if c >= 1e3)]), down=True)
    high = max(min(3e6, 300 * today), 10 * today, 1.5 * changes[-1] if changes else 0)
    return max(low, 1.0), min(_rounded(high, down=False), float(comparison.largest_volume))


def _rounded(value: float, *, down: bool) -> float:
    """The nearest 1, 3 or 10 times a power of ten on one side."""
    power = 10.0 ** floor(log10(value))
    steps = [power, 3 * power, 10 * power]
    return max(s for s in steps if s <= value * 1.0001) if down else min(s for s in steps if s >= value * 0.9999)


def curve_grid(curve: Curve, low: float, high: float) -> Floats:
    """Volumes that show a curve: even on the logarithmic axis, both sides of each visible jump, and each bend."""
    jumps = []
    for load, minimum, weight in zip(curve.steps.load, curve.steps.minimum, curve.steps.weight, strict=True):
        if load <= 0 or weight == 0:
            continue
        counts = np.arange(max(floor(load * low), ceil(minimum), 1), min(load * high, 10_000) + 1)
        at = counts / load
        at = at[(at > low) & (at < high)]
        jumps.append(at[np.abs(weight) >= VISIBLE_JUMP * np.abs(curve.total(at))])
    found = np.concatenate(jumps) if jumps else np.zeros(0)
    with np.errstate(divide="ignore", invalid="ignore"):
        bends = np.concatenate([curve.top_ups.gap / curve.top_ups.per_request, curve.prefixes.above])
    bends = bends[np.isfinite(bends) & (bends > low) & (bends < high)]
    return np.unique(np.concatenate([np.geomspace(low, high, POINTS), found * (1 - 1e-9), found * (1 + 1e-9), bends]))


def _visible(envelope: Sequence[Interval], low: float, high: float) -> list[Interval]:
    """The intervals within the range, narrow ones and ties taken into the one before."""
    least = log10(high / low) * NARROW
    found: list[Interval] = []
    for interval in envelope:
        first, last = max(interval.first, ceil(low)), min(interval.last, floor(high))
        if first > last:
            continue
        narrow = interval.winner is None or log10((last + 1) / first) < least
        if found and (narrow or found[-1].winner in (interval.winner, None)):
            found[-1] = Interval(found[-1].first, last, found[-1].winner or interval.winner)
        else:
            found.append(Interval(first, last, interval.winner))
    return found


def _stretch(result: ApproachResult, interval: Interval, drawn: Drawn, low: float, high: float) -> Stretch:
    first, last = max(float(interval.first), low), min(float(interval.last + 1), high)
    grid = curve_grid(result.curve, low, high)
    x = np.concatenate([[first], grid[(grid > first) & (grid < last)], [last * (1 - 1e-9)]])
    return Stretch(words.label(result.name), result.family, first, last, tuple(x), tuple(drawn(result.curve, x)))


def _height(results: dict[str, ApproachResult], before: Interval, volume: float, drawn: Drawn) -> float:
    """The cost at a crossing: that of the approach that was cheapest before it."""
    return float(drawn(results[str(before.winner)].curve, np.array([float(volume - 1)]))[0])


def crossing_places(shares: list[float]) -> list[tuple[int | None, Literal["left", "right"]]]:
    """Row and side of each crossing's label: right of its drop where the next drop leaves room, else left and higher up."""
    taken: list[list[tuple[float, float]]] = [[] for _ in range(LABEL_ROWS)]
    places: list[tuple[int | None, Literal["left", "right"]]] = []
    for index, at in enumerate(shares):
        following = shares[index + 1] if index + 1 < len(shares) else 1.0 + LABEL_WIDTH
        spans: list[tuple[int, Literal["left", "right"], tuple[float, float]]] = []
        if following - at >= LABEL_WIDTH:
            spans.append((0, "right", (at, at + LABEL_WIDTH)))
        spans += [(row, "left", (at - LABEL_WIDTH, at)) for row in range(1, LABEL_ROWS) if at >= LABEL_WIDTH]
        free = [s for s in spans if all(s[2][1] <= low or s[2][0] >= high for low, high in taken[s[0]])]
        if free:
            row, side, span = free[0]
            taken[row].append(span)
            places.append((row, side))
        else:
            places.append((None, "right"))
    return places


def name_rows(label: str) -> tuple[str, ...]:
    """A name, broken for the margin beside a plot."""
    return tuple(wrap(label, LABEL_LENGTH, break_long_words=False, break_on_hyphens=False))


def pushed_apart(shares: list[float], heights: list[float]) -> list[float]:
    """Middles of names that do not overlap, in the order of the lines, as near to them as can be."""
    order = sorted(range(len(shares)), key=lambda i: shares[i])
    groups: list[list[int]] = []

    def spread(group: list[int]) -> list[float]:
        bottom = sum(shares[i] for i in group) / len(group) - sum(heights[i] for i in group) / 2
        starts = np.cumsum([bottom, *(heights[i] for i in group)])
        return [float(start) + heights[i] / 2 for start, i in zip(starts, group, strict=False)]

    def top(group: list[int]) -> float:
        return spread(group)[-1] + heights[group[-1]] / 2

    for index in order:
        groups.append([index])
        while len(groups) > 1 and spread(groups[-1])[0] - heights[groups[-1][0]] / 2 < top(groups[-2]):
            last = groups.pop()
            groups[-1] += last
    placed = {index: at for group in groups for index, at in zip(group, spread(group), strict=True)}
    overshoot = max(top(groups[-1]) - 1.02, 0.0)
    return [placed[i] - overshoot for i in range(len(shares))]


def line_dashes(results: Mapping[str, ApproachResult]) -> dict[str, Dash]:
    """How each approach's line is drawn, so that those of one family differ."""
    seen: dict[Family, int] = {}
    dashes: dict[str, Dash] = {}
    for name, result in results.items():
        count = seen.get(result.family, 0)
        dashes[name] = DASHES[min(count, len(DASHES) - 1)]
        seen[result.family] = count + 1
    return dashes


def cost_axis(comparison: Comparison, unit: Unit, values: list[Floats]) -> Axis:
    """The logarithmic axis of costs, in the currency shown; values above 0."""
    low, high = min(float(v.min()) for v in values), max(float(v.max()) for v in values)
    low, high = low / 1.25, high * 1.25
    months = words.months(comparison.months.count)
    money = words.unit_name()
    title = {"month": f"{money} per month", "request": _per_answer(comparison), "horizon": f"{money} over {months}"}[unit]
    ticks = [m * 10.0**p for p in range(floor(log10(low)), ceil(log10(high)) + 1) for m in (1, 3)]
    if log10(high / low) > 4:
        ticks = [tick for tick in ticks if round(log10(tick), 6).is_integer()]
    return Axis(title, low, high, tuple(Tick(tick, words.money_tick(tick)) for tick in ticks if low * 1.02 <= tick <= high))


def _volume_ticks(low: float, high: float) -> tuple[Tick, ...]:
    """Powers of ten, and the ends."""
    inner = [10.0**p for p in range(ceil(log10(low)), floor(log10(high)) + 1)]
    ends = [end for end in (low, high) if all(abs(log10(end / tick)) > 0.3 for tick in inner)]
    return tuple(Tick(tick, words.volume_short(tick)) for tick in sorted({*inner, *ends}))


def _volume_title(comparison: Comparison) -> str:
    return words.per_month(comparison).replace(" a month", " per month")


def _finding(comparison: Comparison) -> str:
    winner, counting, at = comparison.winner(), words.per_month(comparison), comparison.requests
    if len(comparison.available) == 1:
        return f"{words.label(winner)} alone can be priced over the horizon"
    held = next(interval for interval in comparison.envelope if interval.first <= at <= interval.last)
    if held.winner is None:
        return f"Several approaches cost the same at {words.volume(at)} {counting}"
    where = _where(held, comparison.largest_volume)
    return f"{words.label(held.winner)} is cheapest {where}" + (f" {counting}" if where != "at every volume" else "")


def _where(interval: Interval, largest: int) -> str:
    """An interval in words."""
    if interval.first <= 1 and interval.last >= largest:
        return "at every volume"
    if interval.first <= 1:
        return f"up to {words.volume(interval.last)}"
    if interval.last >= largest:
        return f"from {words.volume(interval.first)}"
    return f"from {words.volume(interval.first, interval.last)} to {words.volume(interval.last, interval.first)}"


def _per_answer(comparison: Comparison) -> str:
    return f"{words.unit_name()} per {words.volume_unit(comparison)}"


def _break_even_caption(comparison: Comparison, unit: Unit, band: VolumeBand | None) -> str:
    months, money = words.months(comparison.months.count), words.unit_name()
    spread = {
        "month": f"{money} per month, one-off costs spread over {months}",
        "request": f"{_per_answer(comparison)}, one-off costs spread over all of {months}",
        "horizon": f"{money} over {months}",
    }[unit]
    equal = " Compared at equal accepted answers." if words.rejected_are_lost(comparison) else ""
    if words.value_is_counted(comparison):
        equal += f" Net of the {words.counted_value(comparison)}: what earns its cost lies at the bottom."
    if band is not None:
        winner = comparison.winner()
        at_point = comparison.available[winner].curve.total(np.array(band.volumes))
        above = ", above its line where ranges reach further up than down" if np.any(np.array(band.low_usd) > at_point) else ""
        equal += f" Shaded: 8 in 10 of {band.draws:,} simulations of {words.in_sentence(winner)}{above}."
    return f"{spread}; both axes logarithmic. Thick line and ribbon: the cheapest approach.{equal}"


def _break_even_alt(comparison: Comparison, unit: Unit, visible: list[Interval], drawn: Drawn) -> str:
    name, each = words.unit_name(), _per_answer(comparison)
    unit_words = {"month": f"{name} per month", "request": each, "horizon": f"{name} over the horizon"}[unit]
    cheapest = "; ".join(
        f"{words.label(interval.winner)} {_where(interval, comparison.largest_volume)}" for interval in visible if interval.winner
    )
    at = np.array([float(comparison.requests)])
    money = words.money_per if unit == "request" else words.money
    today = ", ".join(
        f"{words.label(name)} {money(float(drawn(comparison.available[name].curve, at)[0]))}" for name in comparison.ranked()
    )
    return (
        f"Line chart of {unit_words} by {_volume_title(comparison)}, both axes logarithmic. Cheapest: {cheapest}. "
        f"Today, at {words.volume(comparison.requests)}: {today}."
    )


# --- cost lines --------------------------------------------------------------------------------------------------------------


@words.in_its_currency
def cost_lines_chart(comparison: Comparison) -> CostLinesChart:
    """What each available approach costs over the horizon at today's volume, by part.

    Raises:
        NothingToCompare: no approach is available.
    """
    comparison.winner()
    bars = tuple(_bar(result) for result in comparison.available.values())
    groups = tuple(group for group in GROUPS if any(part.group == group for bar in bars for part in bar.parts))
    months = words.months(comparison.months.count)
    rejected = comparison.point.task.rejected_answer_usd
    handled = (
        f" A rejected answer costs {words.unit_price(rejected)}." if rejected is not None and "rejected answers" in groups else ""
    )
    net = f" The {words.counted_value(comparison)} is not taken off." if words.value_is_counted(comparison) else ""
    if any(bar.drawn_usd > bar.usd * (1 + 1e-9) for bar in bars):
        net += " Credits are taken off the totals, not off the bars."
    totals = ", ".join(f"{bar.label} {bar.total_label}, most of it {_largest(bar).group}" for bar in bars)
    return CostLinesChart(
        _largest_finding(comparison, bars),
        f"{words.unit_name()} over {months} at {words.volume(comparison.requests)} {words.per_month(comparison)}, "
        f"by part.{handled}{net}",
        f"Stacked bar chart of {words.unit_name()} over {months} by part of cost: {totals}.",
        bars,
        groups,
    )


def _bar(result: ApproachResult) -> Bar:
    at = words.shown_requests(result)
    sums = {group: float(usd) for group, usd in result.ledger.by_group(at).items()}
    parts = tuple(BarPart(group, usd, words.money(usd)) for group, usd in sums.items() if usd > 0)
    total = float(result.total(at))
    return Bar(result.name, words.label(result.name), result.family, parts, total, words.money(total))


def _largest(bar: Bar) -> BarPart:
    return max(bar.parts, key=lambda part: part.usd)


def _largest_finding(comparison: Comparison, bars: Sequence[Bar]) -> str:
    largest = {_largest(bar).group for bar in bars}
    winner = next(bar for bar in bars if bar.name == comparison.winner())
    part = _largest(winner)
    verb = "costs" if part.group in ("gpu rental", "retrieval") else "cost"
    name = words.GROUP_LABELS[part.group]
    if len(largest) == 1 and len(bars) > 1:
        return f"{name} {verb} most in every approach"
    return f"{name} {verb} most in {words.in_sentence(winner.name)}: {words.percent_whole(part.usd / winner.usd)} of its total"


# --- history of a price ------------------------------------------------------------------------------------------------------

WIDE_SPAN = 30
"""Highest value over lowest from which on a logarithmic axis is needed to see both."""
DAYS_BEFORE, DAYS_AFTER = 120, 45
"""Shown before and after today at least."""
PRICE_LABEL_HEIGHT = 0.06
"""Of one row of a name beside its line, as a share of the value axis: 18 px of 300."""
DAY_LABEL_LETTER = 0.027
"""Width of a letter above the plot, as a share of the plot on a phone."""


def history_chart(
    histories: Sequence[History], chosen: History, events: Sequence[LifecycleEvent], today: date, today_label: str = "Today"
) -> HistoryChart:
    """An offer's prices over time: the chosen one, and all others under its conditions that share its unit.

    Args:
        histories: all of the offer.
        events: of the offer and its provider.
        today: the day of the upright line; what lies right of it is announced.
    """
    measure = price_words.measure(chosen.key)
    shown = [h for h in histories if price_words.measure(h.key) == measure and h.question == chosen.question]
    shown = [chosen, *(h for h in shown if h.key != chosen.key)]
    days = _days_axis([step.first for h in shown for step in h.steps], [e.date for e in events], today)
    values = [float(step.price.value) for h in shown for step in h.steps]
    unit = price_words.MEASURES.get(measure) or PRICE_KEYS[chosen.key].unit.replace("USD", "US$")
    value = _price_axis(unit, values)
    ends = [value.share(float(h.steps[-1].price.value)) for h in shown]
    labels = [price_words.key_label(h.key) for h in shown]
    at = pushed_apart(ends, [PRICE_LABEL_HEIGHT * len(name_rows(label)) for label in labels])
    lines = tuple(
        PriceLine(label, h is chosen, "solid" if h is chosen else DASHES[1 + i % 3], _runs(h, days.high), _points(h, label), end)
        for i, (h, label, end) in enumerate(zip(shown, labels, at, strict=True))
    )
    within = [event for event in events if event.date.toordinal() >= days.low]
    marks = day_marks([(today, today_label), *((e.date, price_words.event_label(e)) for e in within)], days)
    return HistoryChart(
        _history_finding(chosen, today), _history_caption(chosen, value), _history_alt(chosen, shown, events, unit),
        days, value, lines, marks[0], tuple(marks[1:]),
    )  # fmt: skip


def _days_axis(firsts: Sequence[date], events: Sequence[date], today: date) -> Axis:
    low = min(*firsts, *(event for event in events if event >= min(firsts)), today - timedelta(DAYS_BEFORE))
    high = max(*firsts, *events, today + timedelta(DAYS_AFTER))
    pad = (high - low).days * 0.03
    return Axis("", low.toordinal() - pad, high.toordinal() + pad, day_ticks(low, high), logarithmic=False)


def day_ticks(low: date, high: date) -> tuple[Tick, ...]:
    """First days of months, four at most: all names fit on a phone."""
    months = [date(year, month, 1) for year in range(low.year, high.year + 2) for month in range(1, 13)]
    inside = [day for day in months if low <= day <= high]
    every = next(step for step in (1, 2, 3, 6, 12, 24, 60, 120, 1200) if len(_every(inside, step)) <= 4)
    return tuple(Tick(day.toordinal(), f"{day:%b %Y}") for day in _every(inside, every))


def _every(firsts: Sequence[date], months: int) -> list[date]:
    return [day for day in firsts if (day.year * 12 + day.month - 1) % months == 0]


def _price_axis(title: str, values: Sequence[float]) -> Axis:
    """From 0 on, or logarithmic where the values are too far apart for that."""
    low, high = min(values), max(values)
    if low > 0 and high / low > WIDE_SPAN:
        low, high = low / 1.4, high * 1.25
        ticks = [m * 10.0**p for p in range(floor(log10(low)), ceil(log10(high)) + 1) for m in (1, 3)]
        if log10(high / low) > 3:
            ticks = [tick for tick in ticks if round(log10(tick), 6).is_integer()]
        return Axis(title, low, high, tuple(Tick(t, words.money_tick(t)) for t in ticks if low * 1.02 <= t <= high))
    high = high or 1.0
    step = next(m * 10.0**p for p in range(floor(log10(high)) - 1, 9) for m in (1, 2, 5) if high / (m * 10.0**p) <= 5)
    decimals = max(2, -floor(log10(step))) if step < 1 else 0
    ticks = [i * step for i in range(floor(high * 1.1 / step) + 1)]
    return Axis(title, 0.0, high * 1.1, tuple(Tick(t, f"${t:,.{decimals}f}" if t else "$0") for t in ticks), logarithmic=False)


def _runs(history: History, end: float) -> tuple[tuple[tuple[float, ...], tuple[float, ...]], ...]:
    """Each stretch without a break, its jumps upright."""
    runs: list[tuple[list[float], list[float]]] = []
    until: date | None = None
    for step in history.steps:
        if not runs or until != step.first:
            runs.append(([], []))
        until = step.until
        last = end if step.until is None else float(step.until.toordinal())
        runs[-1][0].extend((float(step.first.toordinal()), last))
        runs[-1][1].extend([float(step.price.value)] * 2)
    return tuple((tuple(x), tuple(y)) for x, y in runs)


def _points(history: History, label: str) -> tuple[PricePoint, ...]:
    """Where a value began and where the price ended; the same value from another source is no new one."""
    steps = {step.first: step for step in history.steps}
    found: list[PricePoint] = []
    for change in changes(history):
        x, day = float(change.day.toordinal()), words.day_short(change.day)
        if change.new is None:
            assert change.old is not None
            found.append(PricePoint(x, float(change.old.value), "end", f"{label} ended on {day}"))
            continue
        kind: Literal["seen", "stated"] = "seen" if steps[change.day].is_seen else "stated"
        text = f"{label}: {price_words.usd(change.new.value)} from {day}" + (", first seen then" if kind == "seen" else "")
        found.append(PricePoint(x, float(change.new.value), kind, text))
    return tuple(found)


def day_marks(dated: Sequence[tuple[date, str]], days: Axis) -> list[DayMark]:
    """Names of days in as few rows as hold them apart on a phone; the first is in the lowest."""
    taken: list[list[tuple[float, float]]] = []
    marks: list[DayMark] = []
    for day, label in dated:
        at, width = days.share(day.toordinal()), DAY_LABEL_LETTER * len(label)
        sides: dict[Literal["left", "centre", "right"], float] = {"right": at, "left": at - width, "centre": at - width / 2}
        side = min(sides, key=lambda s: max(-sides[s], sides[s] + width - 1, 0.0))
        span = (sides[side], sides[side] + width)
        row = next((i for i, row in enumerate(taken) if all(span[1] <= a or span[0] >= b for a, b in row)), len(taken))
        taken += [[]] if row == len(taken) else []
        taken[row].append(span)
        marks.append(DayMark(float(day.toordinal()), label, row, side))
    return marks


def _history_finding(chosen: History, today: date) -> str:
    """What comes next, else what changed last, else since when it has stood."""
    what, held = price_words.history_label(chosen), chosen.on(today)
    turns = [change for change in changes(chosen) if change.old is not None]
    coming = next((change for change in turns if change.day > today), None)
    if coming is not None and coming.old is not None:
        verb = "ends" if coming.new is None else "rises" if coming.new.value > coming.old.value else "falls"
        to = "" if coming.new is None else f" from {price_words.usd(coming.old.value)} to {price_words.usd(coming.new.value)}"
        return f"{what} {verb}{to} on {words.day(coming.day)}"
    past = [change for change in turns if change.day <= today]
    if held is None:
        if past:
            return f"{what} has had no price since {words.day(past[-1].day)}"
        return f"{what} costs {price_words.usd(chosen.steps[0].price.value)} from {words.day(chosen.steps[0].first)} on"
    if past and past[-1].new is not None and past[-1].old is not None:
        verb = "rose" if past[-1].new.value > past[-1].old.value else "fell"
        to = f"from {price_words.usd(past[-1].old.value)} to {price_words.usd(past[-1].new.value)}"
        return f"{what} {verb} {to} {_since(chosen, past[-1].day)}"
    started = [change for change in changes(chosen) if change.new is not None and change.day <= today]
    since, how = words.day(started[-1].day), _first(chosen, started[-1].day)
    return f"{what} has been {price_words.usd(held.value)} since {since}, when it was {how}"


def _since(chosen: History, day: date) -> str:
    seen = any(step.first == day and step.is_seen for step in chosen.steps)
    return f"by {words.day(day)}" if seen else f"on {words.day(day)}"


def _first(chosen: History, day: date) -> str:
    return "first seen" if any(step.first == day and step.is_seen for step in chosen.steps) else "set"


def _history_caption(chosen: History, value: Axis) -> str:
    scale = ", logarithmic axis" if value.logarithmic else ""
    return (
        f"{value.title}{scale}, {chosen.conditions or 'standard'}. Filled dot: the source states the day. "
        "Open dot: first seen that day. Right of the upright line: announced."
    )


def _history_alt(chosen: History, shown: Sequence[History], events: Sequence[LifecycleEvent], unit: str) -> str:
    said = []
    for history in shown:
        values = [f"{price_words.usd(c.new.value) if c.new else 'ended'} {words.day_short(c.day)}" for c in changes(history)]
        said.append(f"{price_words.key_label(history.key)} {', '.join(values)}")
    marked = f" Events: {', '.join(price_words.event_label(e) for e in events)}." if events else ""
    where = f"{chosen.offer}, {chosen.conditions or 'standard'}"
    return f"Step chart of {unit} of {where}, by day of effect: {'; '.join(said)}.{marked}"


# --- lengths of examples -----------------------------------------------------------------------------------------------------


def length_chart(
    lengths: Mapping[int, int], counted_by: str, limits: Mapping[int, str] | None = None, each: str = "examples"
) -> LengthChart:
    """Examples by length, with the median, the length that 95 in 100 do not pass, and the limits at which providers cut.

    Args:
        lengths: how many examples have how many tokens; at least one.
        counted_by: the tokenizer, in words.
        limits: whose limit it is, by tokens; those beyond the longest example are told, not drawn.
        each: what has a length.
    """
    limits, longest = limits or {}, max(lengths)
    median, high = (_length_at(lengths, share) for share in (0.5, 0.95))
    end = longest if longest <= TAIL * high else 2 * high
    drawn = sorted(limit for limit in limits if limit < end)[:LIMITS_DRAWN]
    shortest = min(lengths)
    width = _round_step(end - shortest + 1, LENGTH_BARS)
    counts: dict[int, int] = {}
    for length, count in lengths.items():
        if length <= end:
            counts[length // width] = counts.get(length // width, 0) + count
    first_cut = drawn[0] if drawn else longest + 1
    bars = tuple(
        LengthBar(k * width, (k + 1) * width - 1, counts[k], k * width >= first_cut) for k in sorted(counts)
    )  # fmt: skip
    right = float(bars[-1].last + 1) if not drawn else float(max(bars[-1].last + 1, drawn[-1] * 1.05))
    left = 0.0 if shortest < end * FROM_ZERO else float(bars[0].first)
    axis = Axis("Tokens of an example", left, right, _length_ticks(left, right), logarithmic=False)
    named = [(median, f"median {median:,}", False), (high, f"95 in 100 {high:,}", False)]
    named += [(limit, f"limit {limit:,}", True) for limit in drawn]
    most = max(bar.count for bar in bars)
    step = max(1, _round_step(most, 4))
    count_axis = Axis(
        "Examples", 0.0, most * 1.08, tuple(Tick(t, f"{t:,}") for t in range(step, most + 1, step)), logarithmic=False
    )  # fmt: skip
    total = sum(lengths.values())
    return LengthChart(
        f"Half the {each} have {median:,} tokens or fewer, the longest {longest:,}",
        f"{total:,} {each} by length in tokens, chat template included, counted by {counted_by}. "
        f"{_beyond(lengths, end)}{_limits_told(lengths, limits)}",
        f"Histogram of {total:,} lengths: median {median:,} tokens, 95 in 100 up to {high:,}, longest {longest:,}. "
        f"{_limits_told(lengths, limits)}".strip(),
        axis, count_axis, bars, tuple(_length_marks(named, axis)),
    )  # fmt: skip


def _length_at(lengths: Mapping[int, int], share: float) -> int:
    return percentile(Counter(lengths), share)


def _round_step(span: float, parts: int) -> int:
    """The smallest round number of which so many make up a span."""
    return next(m * 10**p for p in range(13) for m in (1, 2, 5) if m * 10**p * parts >= span)


def _length_ticks(left: float, right: float) -> tuple[Tick, ...]:
    """Five at most: all of them fit on a phone."""
    step = _round_step(right - left, 4)
    return tuple(Tick(t, f"{t:,}") for t in range(ceil(left / step) * step, int(right) + 1, step))


def _length_marks(named: Sequence[tuple[int, str, bool]], axis: Axis) -> Iterator[LengthMark]:
    """Names to the right of their line, to the left in the right half; one row up where they would meet."""
    taken: list[list[tuple[float, float]]] = []
    for x, label, is_limit in sorted(named):
        at, width = axis.share(x), len(label) * LETTER_SHARE
        side: Literal["left", "right"] = "right" if at < 0.5 else "left"
        span = (at, at + width) if side == "right" else (at - width, at)
        row = next((i for i, row in enumerate(taken) if all(span[1] < low or span[0] > high for low, high in row)), len(taken))
        if row == len(taken):
            taken.append([])
        taken[row].append(span)
        yield LengthMark(float(x), label, row, is_limit, side)


def _beyond(lengths: Mapping[int, int], end: int) -> str:
    beyond = sum(count for length, count in lengths.items() if length > end)
    return f"Not drawn: {beyond:,} longer than {end:,} tokens. " if beyond else ""


def _limits_told(lengths: Mapping[int, int], limits: Mapping[int, str]) -> str:
    if not limits:
        return "No limit is in the price book for those that count so."
    least = min(limits)
    cut = sum(count for length, count in lengths.items() if length > least)
    return f"The lowest limit, {least:,} tokens ({limits[least]}), cuts {f'{cut:,}' if cut else 'none'}."


# --- own GPUs ---------------------------------------------------------------------------------------------------------------

MOST_DOTS_NAMED = 6
NAME_HEIGHT = 0.075
"""Of a name beside a dot, as a share of the value axis."""
UTILISATION_LOW = 0.02
"""Where the curve of costs by utilisation begins."""
VOLUME_SPAN = 30.0
"""Volumes shown below and above the stated one, times."""
OFFER_LABEL_HEIGHT = 0.058
MOST_OFFERS = 5
"""Horizontal lines of providers; the dearest ones beyond are told, not drawn."""


@dataclass(frozen=True)
class MemoryPart:
    """What one part takes in a phase."""

    name: MemoryPartName
    gib: float
    label: str


@dataclass(frozen=True)
class MemoryBar:
    """One phase of a training step."""

    label: str
    parts: tuple[MemoryPart, ...]
    gib: float
    total_label: str
    is_peak: bool


@dataclass(frozen=True)
class MemoryChart:
    """Memory of one GPU by phase of a training step, on one linear scale that starts at 0."""

    title: str
    caption: str
    alt: str
    bars: tuple[MemoryBar, ...]
    parts: tuple[MemoryPartName, ...]
    """Those that occur, in drawing order."""
    needed_gib: float
    needed_label: str
    usable_gib: float
    usable_label: str

    @property
    def high(self) -> float:
        """Where the scale ends."""
        return max(self.usable_gib, self.needed_gib, *(bar.gib for bar in self.bars)) * 1.04


@dataclass(frozen=True)
class Plan:
    """A way to train, as the chart of costs and hours needs it."""

    label: str
    """Beside its dot."""
    where: str
    """In words and tables."""
    hours: float
    usd: float


@dataclass(frozen=True)
class PlanDot:
    """A way to train as a dot; ``side`` is where its name stands, None: it has none."""

    x: float
    y: float
    label: str
    text: str
    """All of it, in words."""
    is_efficient: bool
    """Whether nothing is both faster and cheaper."""
    is_late: bool
    side: Literal["left", "right"] | None


@dataclass(frozen=True)
class CostHoursChart:
    """Cost against wall hours, both axes logarithmic."""

    title: str
    caption: str
    alt: str
    hours: Axis
    value: Axis
    dots: tuple[PlanDot, ...]
    deadline: float | None
    deadline_label: str

    @property
    def efficient(self) -> tuple[PlanDot, ...]:
        """The frontier, fastest first."""
        return tuple(dot for dot in self.dots if dot.is_efficient)


@dataclass(frozen=True)
class Band:
    """A curve with the interval around it."""

    x: tuple[float, ...]
    y: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]


@dataclass(frozen=True)
class ReplicaChart:
    """Replicas by monthly volume, in steps; both axes logarithmic."""

    title: str
    caption: str
    alt: str
    volume: Axis
    count: Axis
    steps: Band
    today_x: float
    today_y: float
    today_label: str


@dataclass(frozen=True)
class OfferLine:
    """What a provider asks, whatever the utilisation."""

    label: str
    y: float
    label_at: float
    """Height of the name's middle at the right end, a share of the value axis."""

    @property
    def label_rows(self) -> tuple[str, ...]:
        """The name, broken for the margin beside the plot."""
        return name_rows(self.label)


@dataclass(frozen=True)
class UtilisationChart:
    """Cost of a million tokens on own GPUs by utilisation, against the prices of providers; both axes logarithmic."""

    title: str
    caption: str
    alt: str
    utilisation: Axis
    value: Axis
    curve: Band
    offers: tuple[OfferLine, ...]
    today_x: float
    today_y: float
    today_label: str
    own: OfferLine


def memory_chart(
    phases: Mapping[str, Mapping[MemoryPartName, float]],
    needed_gib: float,
    usable_gib: float,
    model: str,
    gpu: str,
    gpus: int = 1,
) -> MemoryChart:
    """What tuning a model takes of each GPU's memory, phase by phase of a step.

    Args:
        phases: GiB of every part, by phase, as PyTorch counts what it allocated.
        needed_gib: what a GPU must have for the setup to fit, reserve and margin for error inside.
        usable_gib: what programs see of the GPU's memory.
    """
    sums = {phase: sum(parts.values()) for phase, parts in phases.items()}
    peak = max(sums, key=lambda phase: sums[phase])
    bars = tuple(
        MemoryBar(
            PHASE_LABELS[phase],
            tuple(MemoryPart(name, gib, f"{gib:.1f}") for name, gib in parts.items() if gib > 0),
            sums[phase], f"{sums[phase]:.1f} GiB", phase == peak,
        )
        for phase, parts in phases.items()
    )  # fmt: skip
    names = tuple(name for name in MEMORY_PARTS if any(part.name == name for bar in bars for part in bar.parts))
    each = "the" if gpus == 1 else "each"
    largest = max(phases[peak], key=lambda name: phases[peak][name])
    spare = usable_gib - needed_gib
    verdict = f"fits {each} {gpu} with {spare:.1f} GiB to spare" if spare >= 0 else f"lacks {-spare:.1f} GiB on {each} {gpu}"
    totals = ", ".join(f"{bar.label.lower()} {bar.total_label}" for bar in bars)
    return MemoryChart(
        f"{model} {verdict}; most of it is {MEMORY_LABELS[largest].lower()}",
        f"GiB on {each} GPU by phase of a training step, as PyTorch allocates. Needed is the largest phase with what PyTorch "
        "reserves beside it, the driver's own, and a margin for error of 9 in 10.",
        f"Stacked bar chart of GiB on {each} {gpu} by phase: {totals}. Needed {needed_gib:.1f} GiB of {usable_gib:.1f} usable.",
        bars, names, needed_gib, f"needed {needed_gib:.1f}", usable_gib, f"usable {usable_gib:.1f}",
    )  # fmt: skip


def cost_hours_chart(plans: Sequence[Plan], deadline_hours: float | None = None) -> CostHoursChart:
    """Ways to train by how long they take and what they cost, and which of them nothing beats in both.

    Args:
        plans: at least one.
    """
    efficient = _efficient(plans)
    spans = [p.hours for p in plans] + ([deadline_hours] if deadline_hours else [])
    right = max(spans) * 1.4
    room = min(LETTER_SHARE * len(efficient[0].label) + 0.03, 0.4)  # left of the fastest, for its name
    left = min(spans) / (right / min(spans)) ** (room / (1 - room))
    amounts = [words.shown_amount(plan.usd) for plan in plans]
    low, high = min(amounts) / 1.8, max(amounts) * 1.35
    hours = Axis("Wall hours, likely", left, right, _hour_ticks(left, right))
    value = Axis(f"{words.unit_name()} a run", low, high, _money_ticks(low, high))
    sides = dict(zip((id(p) for p in efficient), _name_sides(efficient, hours, value), strict=True))
    dots = tuple(
        PlanDot(
            plan.hours, words.shown_amount(plan.usd), plan.label,
            f"{plan.where}: {words.money_run(plan.usd)}, {words.hours(plan.hours)}", id(plan) in sides,
            deadline_hours is not None and plan.hours > deadline_hours, sides.get(id(plan)),
        )
        for plan in plans
    )  # fmt: skip
    best = "; ".join(f"{plan.where} {words.money_run(plan.usd)} in {words.hours(plan.hours)}" for plan in efficient)
    late = sum(dot.is_late for dot in dots)
    missed = f" {late:,} of {len(dots):,} miss the deadline of {words.hours(deadline_hours)}." if deadline_hours else ""
    return CostHoursChart(
        _cost_hours_finding(efficient),
        f"{words.unit_name()} a run against likely hours, both axes logarithmic; each dot is one way to rent. "
        f"Joined and named: nothing is both faster and cheaper.{missed}",
        f"Scatter chart of {len(dots):,} ways to train by hours and cost, both axes logarithmic. Nothing beats: {best}.{missed}",
        hours, value, dots, deadline_hours, f"deadline {words.hours(deadline_hours)}" if deadline_hours else "",
    )  # fmt: skip


def _efficient(plans: Sequence[Plan]) -> list[Plan]:
    """Those that nothing beats in hours and cost, fastest first."""
    found: list[Plan] = []
    for plan in sorted(plans, key=lambda p: (p.hours, p.usd)):
        if not found or plan.usd < found[-1].usd:
            found.append(plan)
    return found


def _cost_hours_finding(efficient: Sequence[Plan]) -> str:
    fastest, cheapest = efficient[0], efficient[-1]
    if fastest is cheapest:
        return f"{cheapest.where} is both fastest and cheapest: {words.money_run(cheapest.usd)} in {words.hours(cheapest.hours)}"
    times = cheapest.hours / fastest.hours
    return (
        f"Done {words.figure(float(f'{times:.2g}'))} times sooner costs {words.money_run(fastest.usd)} instead of "
        f"{words.money_run(cheapest.usd)}"
    )


def _hour_ticks(low: float, high: float) -> tuple[Tick, ...]:
    every = (1 / 60, 0.05, 1 / 6, 0.5, 1, 3, 10, 24, 72, 240, 720, 2160, 8760, 87_600)
    return tuple(Tick(tick, words.hours(tick)) for tick in every if low <= tick <= high)


def _money_ticks(low: float, high: float) -> tuple[Tick, ...]:
    steps = (1,) if log10(high / low) > 3 else (1, 3) if log10(high / low) > 0.9 else (1, 1.5, 2, 3, 5, 7)
    ticks = [m * 10.0**p for p in range(floor(log10(low)), ceil(log10(high)) + 1) for m in steps]
    return tuple(Tick(tick, words.money_tick(tick)) for tick in ticks if low * 1.02 <= tick <= high)


def _name_sides(efficient: Sequence[Plan], hours: Axis, value: Axis) -> list[Literal["left", "right"] | None]:
    """Names left of their dots and below them, where the frontier leaves the plot empty; the ends of the frontier first."""
    taken: list[tuple[float, float, float]] = []
    sides: dict[int, Literal["left", "right"] | None] = {}
    count = len(efficient)
    for index in sorted(range(count), key=lambda i: (min(i, count - 1 - i), i)):
        plan = efficient[index]
        x, y = hours.share(plan.hours), value.share(words.shown_amount(plan.usd))
        width = LETTER_SHARE * len(plan.label)
        sides[index] = None
        if (
            len(taken) < MOST_DOTS_NAMED
            and x >= width
            and all(abs(y - other) >= NAME_HEIGHT or x - width >= right or x <= left for left, right, other in taken)
        ):
            sides[index] = "left"
            taken.append((x - width, x, y))
        elif not taken and x < width:
            sides[index] = "right"
            taken.append((x, x + width, y))
    return [sides[index] for index in range(count)]


def replica_chart(
    replicas_at: Callable[[Floats], Floats],
    low_at: Callable[[Floats], Floats],
    high_at: Callable[[Floats], Floats],
    requests_per_month: float,
    replica: str,
    bounded_by: str,
) -> ReplicaChart:
    """How many replicas a volume takes.

    Args:
        replicas_at: whole replicas at volumes a month; `low_at` and `high_at` with the capacity at the ends of its interval.
        replica: one replica in words.
        bounded_by: what keeps one from serving more.
    """  # fmt: skip
    left, right = max(requests_per_month / VOLUME_SPAN, 1.0), requests_per_month * VOLUME_SPAN
    grid = np.geomspace(left, right, 1200)
    curves = [np.asarray(at(grid), dtype=float) for at in (replicas_at, low_at, high_at)]
    volume = Axis("requests per month", left, right, _volume_ticks(left, right))
    most = float(max(curve.max() for curve in curves))
    count = Axis("Replicas", 0.8, most * 1.25, tuple(Tick(t, f"{t:,}") for t in _round_counts(most)))
    today = float(np.asarray(replicas_at(np.array([requests_per_month])))[0])
    lowest, highest = (float(np.asarray(at(np.array([requests_per_month])))[0]) for at in (low_at, high_at))
    grows = np.flatnonzero(curves[0] > today)
    more = f"; more from {words.volume(grid[grows[0]])} a month" if grows.size else ""
    replicas = f"{today:,.0f} replica{'' if today == 1 else 's'}"
    between = f"{lowest:,.0f}" if lowest == highest else f"{lowest:,.0f} to {highest:,.0f}"
    return ReplicaChart(
        f"{words.volume(requests_per_month)} requests a month take {replicas}{more}",
        f"Replicas of {replica} by requests per month, both axes logarithmic. One serves no more because of {bounded_by}. "
        "Shaded: 9 in 10 predictions of its capacity.",
        f"Step chart of replicas by requests per month: {replicas} at {words.volume(requests_per_month)}, {between} in "
        f"9 of 10 predictions, {curves[0][-1]:,.0f} at {words.volume(right)}.",
        volume, count, Band(*(tuple(float(v) for v in c) for c in (grid, *curves))),
        requests_per_month, today, f"Today {words.volume_short(requests_per_month)}",
    )  # fmt: skip


def _round_counts(most: float) -> list[int]:
    every = [m * 10**p for p in range(7) for m in (1, 2, 5)]
    inside = [tick for tick in every if tick <= most]
    return inside if len(inside) <= 6 else [tick for tick in inside if round(log10(tick), 6).is_integer()]


def utilisation_chart(
    usd_per_mtok: float,
    usd_per_mtok_low: float,
    usd_per_mtok_high: float,
    utilisation: float,
    offers: Mapping[str, float],
    replica: str,
    tokens: str,
) -> UtilisationChart:
    """What a million tokens cost on own GPUs by how busy they are, against what providers ask.

    Args:
        usd_per_mtok: at full use; `usd_per_mtok_low` and `usd_per_mtok_high` at the ends of the capacity's interval.
        utilisation: the share of the capacity, over the hours paid, that today's volume uses.
        offers: dollars per million of the same tokens by provider.
        replica: one replica in words.
        tokens: which tokens are counted, in words.
    """  # fmt: skip
    share = min(max(utilisation, UTILISATION_LOW / 20), 1.0)
    left = min(UTILISATION_LOW, share / 1.5)
    x = np.geomspace(left, 1.0, 160)
    full = [words.shown_amount(usd) for usd in (usd_per_mtok, usd_per_mtok_low, usd_per_mtok_high)]
    curves = [amount / x for amount in full]
    cheapest = dict(sorted(offers.items(), key=lambda item: item[1])[:MOST_OFFERS])
    amounts = {name: words.shown_amount(usd) for name, usd in cheapest.items()}
    low = min([full[1], *amounts.values()]) / 1.5
    high = max([full[2] / left, *amounts.values()]) * 1.05
    value = Axis(f"{words.unit_name()} per million tokens", low, high, _money_ticks(low, high))
    axis = Axis("Utilisation of the hours paid", left, 1.0, tuple(Tick(t, words.percent(t)) for t in _shares(left)))
    own = "Own GPUs"
    names = [own, *amounts]
    ends = [value.share(amount) for amount in (full[0], *amounts.values())]
    at = pushed_apart(ends, [OFFER_LABEL_HEIGHT * len(name_rows(name)) for name in names])
    lines = tuple(OfferLine(name, amounts[name], middle) for name, middle in zip(names[1:], at[1:], strict=True))
    today = full[0] / share
    return UtilisationChart(
        _utilisation_finding(usd_per_mtok, share, cheapest),
        f"{value.title}, {tokens}, by the share of the paid hours' capacity that is used; both axes logarithmic. "
        f"Own GPUs: {replica}. Shaded: 9 in 10 predictions. Level lines: the same model by the token.",
        f"Line chart of {value.title} by utilisation: {words.money_per(usd_per_mtok / share)} at {words.percent(share)} today, "
        f"{words.money_per(usd_per_mtok)} at 100%. "
        + ("; ".join(f"{name} {words.money_per(usd)}" for name, usd in cheapest.items()) or "No provider sells it by the token")
        + ".",
        axis, value, Band(*(tuple(float(v) for v in c) for c in (x, *curves))), lines,
        share, today, f"Today {words.percent(share)}", OfferLine(own, full[0], at[0]),
    )  # fmt: skip


def _shares(left: float) -> list[float]:
    return [share for share in (0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0) if share >= left * 0.999]


def _utilisation_finding(full: float, share: float, offers: Mapping[str, float]) -> str:
    if not offers:
        return f"A million tokens cost {words.money_per(full / share)} today and {words.money_per(full)} at full use"
    name, usd = next(iter(offers.items()))
    needed = full / usd
    if needed > 1:
        at_full = f"{words.money_per(full)} at full use, against {words.money_per(usd)}"
        return f"Own GPUs cost more than {name} at any utilisation: {at_full}"
    only = "" if needed <= share else "only "
    return f"Own GPUs beat {name} {only}from {_rough(needed)} utilisation; today's is {_rough(share)}"


def _rough(share: float) -> str:
    """A share to two digits."""
    return words.percent(float(f"{share:.2g}"))
