"""Charts over any one number, and over two, as plain data: a goal seek or a map of winners → chart.

As in `reports.charts`: a title states the finding, a caption the unit and how to read it, `alt` says it all in one sentence.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import ceil, floor, log10
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from calc.compare import Comparison
from calc.fields import VOLUME
from calc.goal_seek import GoalSeek, totals_at
from calc.movable import Movable
from calc.scenario import Family
from calc.winner_map import Scale, WinnerMap
from reports import charts, field_words, map_words, words
from reports.charts import Axis, BreakEvenChart, Crossing, Line, Tick, Today

Floats = NDArray[np.float64]

POINTS = 641
"""Of a line, even on its axis; where an approach steps, it is drawn as a slope one of them wide, but upright over the volume."""
TICK_ROOM = 0.11
"""Between two labels of an axis, as a share of it on a phone."""
TICK_LETTER = 0.028
"""Width of a letter of such a label, likewise."""
FULL_LEAD = 0.2
"""From this lead on, as a share of the next one's total, the map has its full colour."""
LETTER_SHARE = 0.021
"""Width of a letter on the map, as a share of its width on a phone."""
NAME_HEIGHT = 0.08
"""Height of a name on the map, as a share of it, with room above and below."""
NAME_ROWS = (0.92, 0.84, 0.76, 0.68, 0.6, 0.4, 0.3, 0.2, 0.1)
"""Heights at which all names may stand in one row, the best first."""
NEAR_TODAY = 0.13
"""A row of names keeps this far from today's dot, a share of the height."""
MOST_NAMED = 3


@dataclass(frozen=True)
class Region:
    """Where one approach is the cheapest."""

    name: str
    label: str
    family: Family
    lead: Floats
    """Its lead over the next at every place of the grid, a share of the next one's total; not a number elsewhere."""
    area: float
    """Share of the map."""


@dataclass(frozen=True)
class RegionName:
    """A name inside its region; positions are shares."""

    x: float
    y: float
    label: str
    family: Family


@dataclass(frozen=True)
class MapDot:
    """A place on the map, and where its label stands; positions are shares."""

    x: float
    y: float
    label: str
    side: Literal["left", "right"] = "right"
    is_above: bool = True


@dataclass(frozen=True)
class MapChart:
    """Who is cheapest over two numbers. Positions are shares of the axes, 0 to 1."""

    title: str
    caption: str
    alt: str
    across: Axis
    up: Axis
    x: tuple[float, ...]
    """Of the grid."""
    y: tuple[float, ...]
    regions: tuple[Region, ...]
    """The largest first."""
    borders: Floats
    """Straight pieces, shape (n, 4): from x, y to x, y."""
    names: tuple[RegionName, ...]
    today: MapDot | None
    """None where a value of today is not stated, or outside."""
    change: MapDot | None
    """The nearest change of the cheapest to today's dot, on its height."""


# --- one number -------------------------------------------------------------------------------------------------------------


def over_chart(found: GoalSeek) -> BreakEvenChart:
    """Every approach's cost over the horizon against one number, and who is cheapest where."""
    return _over_chart(found.comparison, found)


@words.in_its_currency
def _over_chart(comparison: Comparison, found: GoalSeek) -> BreakEvenChart:
    across = number_axis(comparison, found.number, found.low, found.high)
    points = {name: (x, y * words.shown_amount(1.0)) for name, (x, y) in _costs(found).items()}
    drawn = {name: (x, y) for name, (x, y) in points.items() if np.isfinite(y).any()}
    least = charts.least_drawn(np.concatenate([y[np.isfinite(y)] for _, y in drawn.values()]))
    drawn = {name: (x, np.maximum(y, least)) for name, (x, y) in drawn.items()}
    value = charts.cost_axis(comparison, "horizon", [y[np.isfinite(y)] for _, y in drawn.values()])
    pieces = _visible(found, across)
    return BreakEvenChart(
        map_words.heading(found, map_words.finding(found)), _over_caption(comparison, found, across), _over_alt(found),
        across, value, _lines(comparison, drawn, value), _stretches(found, pieces, drawn, least),
        _crossings(found, pieces, across, least), _today(found, least), words.mark(),
    )  # fmt: skip


def _usd(found: GoalSeek, values: Floats) -> Mapping[str, Floats]:
    """Totals over the horizon; of the volume also at fractions, so that a step is upright."""
    if found.path != VOLUME:
        return totals_at(found, values)
    available = found.comparison.available
    missing = np.full(len(values), np.nan)
    return {name: np.asarray(available[name].curve.total(values)) if name in available else missing for name in found.names}


def _costs(found: GoalSeek) -> dict[str, tuple[Floats, Floats]]:
    """The values at which each approach is drawn, and its totals there."""
    even = Scale(found.low, found.high).value(np.linspace(0, 1, POINTS))
    if found.path == VOLUME:
        available = found.comparison.available
        curves = {name: available[name].curve for name in found.names if name in available}
        grids = {name: charts.curve_grid(curve, found.low, found.high) for name, curve in curves.items()}
        return {name: (grids[name], np.asarray(curve.total(grids[name]))) for name, curve in curves.items()}
    if found.number.whole:
        at = np.unique(np.round(even))
    else:
        ends = [end for stretch in found.stretches for end in (stretch.low, stretch.high)]
        at = np.unique(np.concatenate([even, ends]))
    return {name: (at, usd) for name, usd in totals_at(found, at).items()}


def _lines(comparison: Comparison, drawn: Mapping[str, tuple[Floats, Floats]], value: Axis) -> tuple[Line, ...]:
    heights = [charts.LABEL_HEIGHT * len(charts.name_rows(words.label(name))) for name in drawn]
    ends = charts.pushed_apart([value.share(float(y[np.isfinite(y)][-1])) for _, y in drawn.values()], heights)
    dashes, families = charts.line_dashes(comparison.results), comparison.results
    return tuple(
        Line(name, words.label(name), families[name].family, dashes[name], tuple(x), tuple(y), end)
        for (name, (x, y)), end in zip(drawn.items(), ends, strict=True)
    )


@dataclass(frozen=True)
class _Piece:
    """Neighbouring stretches drawn as one."""

    low: float
    high: float
    winner: str


def _visible(found: GoalSeek, across: Axis) -> list[_Piece]:
    """The stretches with a winner, those less than a line wide taken into the one before."""
    pieces: list[_Piece] = []
    for stretch, following in zip(found.stretches, [*found.stretches[1:], None], strict=True):
        high = stretch.high if following is None else following.low
        narrow = across.share(high) - across.share(stretch.low) < charts.NARROW
        if pieces and pieces[-1].high >= stretch.low and (narrow or stretch.winner in (None, pieces[-1].winner)):
            if narrow or stretch.low_totals_usd:  # a tie looks like either; where nobody has a total nothing is drawn
                pieces[-1] = _Piece(pieces[-1].low, high, pieces[-1].winner)
        elif stretch.winner is not None:
            pieces.append(_Piece(stretch.low, high, stretch.winner))
    return pieces


def _stretches(
    found: GoalSeek, pieces: Sequence[_Piece], drawn: Mapping[str, tuple[Floats, Floats]], least: float
) -> tuple[charts.Stretch, ...]:
    stretches = []
    for piece in pieces:
        end = piece.high if piece.high >= found.high else _just_below(found, piece.high)
        x, y = drawn[piece.winner]
        inside = (x >= piece.low) & (x <= end)
        x, y = x[inside], y[inside]
        if not found.number.whole or found.path == VOLUME:
            ends = np.array([piece.low, end])
            x, at = np.unique(np.concatenate([x, ends]), return_index=True)
            y = np.concatenate([y, np.maximum(_usd(found, ends)[piece.winner] * words.shown_amount(1.0), least)])[at]
        family = found.comparison.results[piece.winner].family
        stretches.append(charts.Stretch(words.label(piece.winner), family, piece.low, piece.high, tuple(x), tuple(y)))
    return tuple(stretches)


def _just_below(found: GoalSeek, high: float) -> float:
    """Where a stretch ends that another one follows, before it steps there itself."""
    if found.path == VOLUME:
        return high * (1 - 1e-9)
    return high if found.number.whole else float(np.nextafter(high, -np.inf))


def _crossings(found: GoalSeek, pieces: Sequence[_Piece], across: Axis, least: float) -> tuple[Crossing, ...]:
    following = [piece for before, piece in pairwise(pieces) if piece.low <= before.high]
    places = charts.crossing_places([across.share(piece.low) for piece in following])
    starts = {stretch.low: stretch.low_totals_usd for stretch in found.stretches}
    return tuple(
        Crossing(
            piece.low, max(starts[piece.low][piece.winner] * words.shown_amount(1.0), least),
            map_words.value_short(found.number, piece.low), *place,
        )
        for piece, place in zip(following, places, strict=True)
    )  # fmt: skip


def _today(found: GoalSeek, least: float) -> Today | None:
    now, winner = found.number.present, found.present_winner
    if now is None or winner is None or not found.low <= now <= found.high:
        return None
    y = max(found.present_totals_usd[winner] * words.shown_amount(1.0), least)
    family = found.comparison.results[winner].family
    return Today(now, y, f"Today {map_words.value_short(found.number, now)}", family)


def _over_caption(comparison: Comparison, found: GoalSeek, across: Axis) -> str:
    over = "the horizon" if found.path == "horizon_months" else words.months(comparison.months.count)
    axes = "both axes logarithmic" if across.logarithmic else "costs on a logarithmic axis"
    equal = " Compared at equal accepted answers." if words.rejected_are_lost(comparison) else ""
    if words.value_is_counted(comparison):
        equal += f" Net of the {words.counted_value(comparison)}: what earns its cost lies at the bottom."
    return f"{words.unit_name()} over {over}, all else as stated; {axes}. Thick line and ribbon: the cheapest approach.{equal}"


def _over_alt(found: GoalSeek) -> str:
    told = found.stretches[: 2 * MOST_NAMED]
    cheapest = "; ".join(f"{map_words.cheapest(s.winner, s)} {map_words.where(found, i)}" for i, s in enumerate(told))
    more = len(found.stretches) - len(told)
    name = map_words.axis_title(found.comparison, found.number)
    return f"Line chart of cost by {name}. Cheapest: {cheapest}{f'; and {more} more changes' if more else ''}."


# --- axes -------------------------------------------------------------------------------------------------------------------


def number_axis(comparison: Comparison, number: Movable, low: float, high: float) -> Axis:
    """The axis of a number: logarithmic where its ends are a hundred times apart. Call it in the comparison's currency."""
    scale = Scale(low, high)
    shown = words.shown_amount(1.0) if field_words.kind(number.path) == "usd" else 1.0
    values = [tick / shown for tick in _round_values(low * shown, high * shown, scale.is_logarithmic, number.whole)]
    axis = Axis(map_words.axis_title(comparison, number), low, high, (), scale.is_logarithmic)
    ticks: list[Tick] = []
    for tick in sorted({*values, low, high}, key=lambda tick: (tick not in (low, high), tick)):
        at, label = axis.share(tick), map_words.value_short(number, tick)
        if all(abs(at - axis.share(other.value)) >= max(TICK_ROOM, _room(label, other.label)) for other in ticks):
            ticks.append(Tick(tick, label))
    ordered = tuple(sorted(ticks, key=lambda tick: tick.value))
    return Axis(axis.title, low, high, ordered, scale.is_logarithmic)


def _room(label: str, other: str) -> float:
    """That two labels need from middle to middle, as a share of a phone's axis."""
    return TICK_LETTER * (len(label) + len(other) + 1) / 2


def _round_values(low: float, high: float, logarithmic: bool, whole: bool) -> list[float]:
    if logarithmic:
        decades = log10(high / low)
        steps = (1,) if decades > 3.2 else (1, 3) if decades > 2.2 else (1, 2, 5)
        every = [step * 10.0**power for power in range(floor(log10(low)), ceil(log10(high)) + 1) for step in steps]
    else:
        power = 10.0 ** floor(log10((high - low) / 5))
        step = next(m * power for m in (1, 2, 2.5, 5, 10) if m * power >= (high - low) / 6)
        step = max(round(step), 1) if whole else step
        every = [step * count for count in range(floor(low / step), ceil(high / step) + 1)]
    return [tick for tick in every if low <= tick <= high]


# --- two numbers ------------------------------------------------------------------------------------------------------------


def map_chart(found: WinnerMap, along: GoalSeek | None = None) -> MapChart:
    """Who is cheapest where over two numbers.

    Args:
        along: who is cheapest over the number across, at today's value of the other; it gives the nearest change.
    """
    return _map_chart(found.comparison, found, along)


@words.in_its_currency
def _map_chart(comparison: Comparison, found: WinnerMap, along: GoalSeek | None) -> MapChart:
    across = number_axis(comparison, found.across, found.x.low, found.x.high)
    up = number_axis(comparison, found.up, found.y.low, found.y.high)
    regions = tuple(
        Region(
            name, words.label(name), comparison.results[name].family,
            np.where(found.winner == found.names.index(name), found.lead_share, np.nan), area,
        )
        for name, area in found.area_shares.items()
    )  # fmt: skip
    rows, columns = found.winner.shape
    today = _dot(found, across, up)
    change = _nearest(found, across, today, along)
    names = _names(regions, today)
    if today is not None:
        is_left = change is not None and change.x >= today.x
        today = _label_placed(today, "left" if is_left else "right", found.borders)
        change = change and _label_placed(change, "right" if is_left else "left", found.borders)
    return MapChart(
        _map_finding(regions), _map_caption(across, up), _map_alt(comparison, across, up, regions), across, up,
        tuple(np.linspace(0, 1, columns)), tuple(np.linspace(0, 1, rows)), regions, found.borders, names, today, change,
    )  # fmt: skip


def _dot(found: WinnerMap, across: Axis, up: Axis) -> MapDot | None:
    x, y = found.across.present, found.up.present
    if x is None or y is None or not (across.low <= x <= across.high and up.low <= y <= up.high):
        return None
    return MapDot(across.share(x), up.share(y), "Today")


def _nearest(found: WinnerMap, across: Axis, today: MapDot | None, along: GoalSeek | None) -> MapDot | None:
    if today is None or along is None or along.path != found.across.path:
        return None
    inside = [change.value for change in along.changes if across.low <= change.value <= across.high]
    if not inside:
        return None
    value = min(inside, key=lambda at: abs(across.share(at) - today.x))
    return MapDot(across.share(value), today.y, map_words.value_short(found.across, value))


def _label_placed(dot: MapDot, side: Literal["left", "right"], borders: Floats) -> MapDot:
    """The label on the preferred side above its dot, or where else it crosses no border and stays on the map."""
    width, ends = LETTER_SHARE * len(dot.label) + 0.01, borders.reshape(-1, 2)
    other: Literal["left", "right"] = "left" if side == "right" else "right"
    for place in ((side, True), (other, True), (side, False), (other, False)):
        left = dot.x + (0.005 if place[0] == "right" else -width - 0.005)
        bottom = dot.y + (0.01 if place[1] else -NAME_HEIGHT - 0.01)
        inside = (ends >= (left, bottom)).all(axis=1) & (ends <= (left + width, bottom + NAME_HEIGHT)).all(axis=1)
        if left >= 0 and left + width <= 1 and bottom >= 0 and bottom + NAME_HEIGHT <= 1 and not inside.any():
            return replace(dot, side=place[0], is_above=place[1])
    return replace(dot, side="left" if dot.x > 0.5 else "right", is_above=dot.y < 0.9)


def _map_finding(regions: Sequence[Region]) -> str:
    if not regions:
        return "No approach has a total on this map"
    first = words.in_sentence(regions[0].name)
    if len(regions) == 1:
        return f"{_capital(first)} is cheapest all over this map"
    told = [f"{words.in_sentence(region.name)} on {_area(region)}" for region in regions[1:MOST_NAMED]]
    more = [words.in_sentence(region.name) for region in regions[MOST_NAMED:]]
    if len(more) == 1:
        told.append(f"{more[0]} on the rest")
    elif more:
        told.append(f"{words.counted(len(more))} more on the rest")
    return f"{_capital(first)} is cheapest on {_area(regions[0])} of this map, {words.listed(told)}"


def _area(region: Region) -> str:
    return words.percent_whole(region.area) if region.area >= 0.005 else "under 1%"


def _map_caption(across: Axis, up: Axis) -> str:
    axes = {
        (True, True): "Both axes logarithmic",
        (False, False): "Both axes linear",
        (True, False): "The axis across is logarithmic, the other linear",
        (False, True): "The axis across is linear, the other logarithmic",
    }[across.logarithmic, up.logarithmic]
    return (
        f"{axes}; all else as stated. The fainter the colour, the smaller the lead over the next approach; "
        f"full colour from {words.percent(FULL_LEAD)}."
    )


def _map_alt(comparison: Comparison, across: Axis, up: Axis, regions: Sequence[Region]) -> str:
    areas = ", ".join(f"{region.label} {_area(region)}" for region in regions)
    today = words.in_sentence(comparison.winner())
    return (
        f"Map of the cheapest approach by {across.title}, {across.ticks[0].label} to {across.ticks[-1].label}, and {up.title}, "
        f"{up.ticks[0].label} to {up.ticks[-1].label}. Cheapest, by share of the map: {areas}. Today: {today}."
    )


# --- names of regions -------------------------------------------------------------------------------------------------------


def _names(regions: Sequence[Region], today: MapDot | None) -> tuple[RegionName, ...]:
    """All in one row where all regions are wide there, else each where it has the most room; none where it has too little."""
    inside = [np.isfinite(region.lead) for region in regions]
    for row in NAME_ROWS:
        if today is not None and abs(row - today.y) < NEAR_TODAY:
            continue
        places = [_in_row(where, row, _width(region)) for where, region in zip(inside, regions, strict=True)]
        if all(place is not None for place in places):
            return tuple(_named(region, place) for region, place in zip(regions, places, strict=True) if place is not None)
    found = [(region, _roomiest(where, _width(region), today)) for where, region in zip(inside, regions, strict=True)]
    return tuple(_named(region, place) for region, place in found if place is not None)


def _named(region: Region, place: tuple[float, float]) -> RegionName:
    return RegionName(*place, region.label, region.family)


def _width(region: Region) -> float:
    return LETTER_SHARE * len(region.label) + 0.02


def _in_row(inside: NDArray[np.bool_], row: float, width: float) -> tuple[float, float] | None:
    """The middle of the widest stretch of a region in a row of a name's height, where the name fits."""
    rows, columns = inside.shape
    first, last = (round((row + side * NAME_HEIGHT / 2) * (rows - 1)) for side in (-1, 1))
    band = inside[max(first, 0) : last + 1].all(axis=0)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], band, [False]]).astype(int)))
    if not len(edges):
        return None
    starts, ends = edges[::2], edges[1::2]
    widest = int(np.argmax(ends - starts))
    if (ends[widest] - 1 - starts[widest]) / (columns - 1) < width:
        return None
    return float(starts[widest] + ends[widest] - 1) / 2 / (columns - 1), row


def _roomiest(inside: NDArray[np.bool_], width: float, today: MapDot | None) -> tuple[float, float] | None:
    """Of all rows, the place with the most of the region around it: as far as it goes to the sides, times up and down."""
    rows, columns = inside.shape
    found: list[tuple[float, tuple[float, float]]] = []
    for row in np.linspace(NAME_HEIGHT / 2, 1 - NAME_HEIGHT / 2, 24).tolist():
        place = _in_row(inside, row, width)
        if place is None or (today is not None and abs(row - today.y) < NEAR_TODAY):
            continue
        at, column = round(row * (rows - 1)), round(place[0] * (columns - 1))
        found.append((_run(inside[at], column) * _run(inside[:, column], at), place))
    return max(found, default=(0.0, None), key=lambda item: item[0])[1]


def _run(inside: NDArray[np.bool_], at: int) -> float:
    """How far a line of places in a region goes through one of them, evenly to both sides."""
    outside = np.flatnonzero(~inside)
    return float(min([at + 1, len(inside) - at, *np.abs(outside - at)]))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
