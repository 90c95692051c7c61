"""Charts drawn for print, as SVG: the same spec as on screen, light, the same bytes every time."""

from __future__ import annotations

import io
from functools import cache
from typing import TYPE_CHECKING, Any

from reports.cash_charts import SavingsChart
from reports.charts import (
    Axis,
    Band,
    BreakEvenChart,
    CostHoursChart,
    Crossing,
    DayMark,
    HistoryChart,
    Line,
    MemoryChart,
    PriceLine,
    ReplicaChart,
    Stretch,
    Today,
    UtilisationChart,
)
from reports.letters import FONT_FOLDER, printable_text
from reports.palette import LIGHT, MEMORY_GROUPS, Palette

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FONT_FAMILY = "Tuneworth Sans"
STYLE: Any = {
    "font.family": [FONT_FAMILY],
    "font.size": 8,
    "text.color": LIGHT.text,
    "svg.hashsalt": "tuneworth",
    "svg.fonttype": "none",
    "path.simplify": False,
    "text.parse_math": False,
}
"""Text stays text: the document sets it in its own fonts."""
WIDTH_INCHES = 6.93
"""Between the margins of an A4 page."""
RIBBON = 0.055
"""Height of the ribbon, a share of the plot."""
ROW = 0.062
"""Height of a row of crossing labels."""
MOST_LETTERS = 16
NAME_MARGIN = 0.135
"""Room for names beside the plot, a share of the figure's width."""
DAY_ROW = 0.085
"""Height of a row of names of days."""
VALUES_MARGIN = 0.075
"""Room for values left of the plot, a share of its width."""
DASHES: dict[str, Any] = {"solid": "-", "dash": (0, (5, 2.5)), "dot": (0, (1.2, 1.8)), "dashdot": (0, (5, 2, 1.2, 2))}


def break_even_svg(chart: BreakEvenChart, height_inches: float = 3.45) -> bytes:
    """The break-even chart, without its title and caption."""
    from matplotlib import rc_context

    _register_fonts()
    with rc_context(STYLE):
        return _svg(_break_even_figure(chart, height_inches))


def _break_even_figure(chart: BreakEvenChart, height_inches: float) -> Figure:
    figure, axes = _canvas(height_inches)
    bottom = -RIBBON - ROW * chart.label_rows - 0.015
    axes.set_xlim(0, 1)
    axes.set_ylim(bottom, 1.06)
    _draw_grid(axes, chart, bottom)
    for line in chart.lines:
        axes.plot(*_shares(chart, line), color=LIGHT.families[line.family], lw=1.3, ls=DASHES[line.dash], zorder=3)
    for stretch in chart.stretches:
        axes.plot(*_shares(chart, stretch), color=LIGHT.families[stretch.family], lw=3.2, zorder=4, solid_capstyle="butt")
        _draw_ribbon(axes, chart, stretch, bottom)
    if chart.today is not None:
        _draw_today(axes, chart, chart.today)
    for crossing in chart.crossings:
        _draw_crossing(axes, chart, crossing, bottom)
    for line in chart.lines:
        style: dict[str, Any] = {"color": LIGHT.families[line.family], "weight": 600, "va": "center", "linespacing": 0.75}
        axes.text(1.012, line.label_at, printable_text("\n".join(map(_cut, line.label_rows)))[0], **style)
    return figure


def _shares(chart: BreakEvenChart, drawn: Line | Stretch) -> tuple[list[float], list[float]]:
    return [chart.volume.share(x) for x in drawn.x], [chart.value.share(y) for y in drawn.y]


def _cut(row: str) -> str:
    """A row of a name that would leave the page loses its end."""
    return row if len(row) <= MOST_LETTERS else f"{row[: MOST_LETTERS - 1]}…"


def _draw_grid(axes: Axes, chart: BreakEvenChart, bottom: float) -> None:
    for tick in chart.value.ticks:
        at = chart.value.share(tick.value)
        axes.plot([0, 1], [at, at], color=LIGHT.grid, lw=0.7, zorder=1)
        axes.text(0, at + 0.012, tick.label, color=LIGHT.soft, va="bottom", zorder=6, bbox=_behind(LIGHT))
    for tick in chart.volume.ticks:
        at = chart.volume.share(tick.value)
        axes.plot([at, at], [bottom, bottom - 0.018], color=LIGHT.marker, lw=0.6, clip_on=False)
        axes.text(at, bottom - 0.03, tick.label, color=LIGHT.soft, ha=_ends(at), va="top")
    axes.text(0.5, bottom - 0.085, chart.volume.title, color=LIGHT.soft, ha="center", va="top")


def _ends(share: float) -> str:
    """Labels at the ends of the axis stay inside the plot."""
    return "left" if share < 0.01 else "right" if share > 0.99 else "center"


def _behind(palette: Palette) -> dict[str, Any]:
    return {"facecolor": palette.background, "edgecolor": "none", "pad": 0.6}


def _draw_ribbon(axes: Axes, chart: BreakEvenChart, stretch: Stretch, bottom: float) -> None:
    first, last = chart.volume.share(stretch.first), chart.volume.share(stretch.last)
    colour = LIGHT.families[stretch.family]
    axes.bar((first + last) / 2, RIBBON, last - first, bottom, color=colour, ec=LIGHT.background, lw=0.6, zorder=3)
    # about 0.0125 of the plot a letter: a name that does not fit is left out
    if last - first > 0.0125 * len(stretch.label) + 0.015:
        at = ((first + last) / 2, bottom + RIBBON * 0.47)
        axes.text(*at, printable_text(stretch.label)[0], color=LIGHT.on_colour, ha="center", va="center", zorder=5)


def _draw_today(axes: Axes, chart: BreakEvenChart, today: Today) -> None:
    x, y = chart.volume.share(today.x), chart.value.share(today.y)
    axes.plot([x, x], [y, 1.0], color=LIGHT.marker, lw=1.0, zorder=2)
    axes.plot([x], [y], "o", color=LIGHT.families[today.family], mec=LIGHT.background, mew=0.8, ms=5.5, zorder=7)
    axes.text(x, 1.012, today.label, weight=600, ha=_ends(x), va="bottom", bbox=_behind(LIGHT), zorder=6)


def _draw_crossing(axes: Axes, chart: BreakEvenChart, crossing: Crossing, bottom: float) -> None:
    x, y = chart.volume.share(crossing.x), chart.value.share(crossing.y)
    axes.plot([x, x], [bottom + RIBBON, y], color=LIGHT.marker, lw=0.7, ls=(0, (1.5, 1.8)), zorder=2)
    axes.plot([x], [y], "o", color=LIGHT.background, mec=LIGHT.text, mew=0.9, ms=4.6, zorder=8)
    if crossing.row is None:
        return
    side = 1 if crossing.side == "right" else -1
    at = bottom + RIBBON + 0.012 + ROW * crossing.row
    ha = "left" if side > 0 else "right"
    axes.text(x + 0.007 * side, at, crossing.label, weight=600, ha=ha, va="bottom", bbox=_behind(LIGHT), zorder=6)


# --- history of a price ---------------------------------------------------------------------------------------------------


def history_svg(chart: HistoryChart, height_inches: float = 2.8) -> bytes:
    """An offer's prices over time, without title and caption."""
    from matplotlib import rc_context

    _register_fonts()
    with rc_context(STYLE):
        return _svg(_history_figure(chart, height_inches))


def _history_figure(chart: HistoryChart, height_inches: float) -> Figure:
    figure, axes = _canvas(height_inches)
    axes.set_xlim(-VALUES_MARGIN, 1)
    axes.set_ylim(-0.03, 1.02 + DAY_ROW * chart.label_rows)
    for tick in chart.value.ticks:
        at = chart.value.share(tick.value)
        axes.plot([0, 1], [at, at], color=LIGHT.grid, lw=0.7, zorder=1)
        axes.text(-0.01, at, tick.label, color=LIGHT.soft, ha="right", va="center")
    for tick in chart.days.ticks:
        at = chart.days.share(tick.value)
        axes.plot([at, at], [-0.01, -0.03], color=LIGHT.marker, lw=0.6, clip_on=False)
        axes.text(at, -0.05, tick.label, color=LIGHT.soft, ha="center", va="top")
    for mark in (*chart.events, chart.today):
        _draw_day(axes, chart, mark)
    for line in chart.lines:
        _draw_price_line(axes, chart, line)
    return figure


def _draw_day(axes: Axes, chart: HistoryChart, mark: DayMark) -> None:
    x, up = chart.days.share(mark.x), 1.01 + DAY_ROW * mark.row
    is_today = mark is chart.today
    axes.plot([x, x], [0, up], color=LIGHT.marker, lw=1.0 if is_today else 0.7, ls="-" if is_today else (0, (1.5, 1.8)), zorder=2)
    ha = {"right": "left", "left": "right", "centre": "center"}[mark.side]
    weight = 600 if is_today else 400
    axes.text(x, up, printable_text(mark.label)[0], ha=ha, va="bottom", weight=weight, zorder=6, bbox=_behind(LIGHT))


def _draw_price_line(axes: Axes, chart: HistoryChart, line: PriceLine) -> None:
    colour, width = (LIGHT.price, 2.0) if line.is_chosen else (LIGHT.soft, 1.0)
    for days, values in line.runs:
        x, y = [chart.days.share(day) for day in days], [chart.value.share(value) for value in values]
        axes.plot(x, y, color=colour, lw=width, ls=DASHES[line.dash], zorder=4)
    for point in line.points:
        at = ([chart.days.share(point.x)], [chart.value.share(point.y)])
        shape = "x" if point.kind == "end" else "o"
        axes.plot(*at, shape, color=colour, mfc=LIGHT.background if point.kind == "seen" else colour, ms=4.6, zorder=7)
    style: dict[str, Any] = {"color": colour, "weight": 600 if line.is_chosen else 400, "va": "center", "linespacing": 0.75}
    axes.text(1.012, line.label_at, printable_text("\n".join(map(_cut, line.label_rows)))[0], **style)


# --- money over time ------------------------------------------------------------------------------------------------------


def savings_svg(chart: SavingsChart, height_inches: float = 2.9) -> bytes:
    """Cumulative savings by day, without title and caption."""
    from matplotlib import rc_context

    _register_fonts()
    with rc_context(STYLE):
        return _svg(_savings_figure(chart, height_inches))


def _savings_figure(chart: SavingsChart, height_inches: float) -> Figure:
    figure, axes = _canvas(height_inches)
    bottom = -ROW * chart.payback_rows - 0.02
    axes.set_xlim(-VALUES_MARGIN, 1)
    axes.set_ylim(bottom, 1.02 + DAY_ROW * chart.label_rows)
    for tick in chart.value.ticks:
        at = chart.value.share(tick.value)
        axes.plot([0, 1], [at, at], color=LIGHT.marker if tick.value == 0 else LIGHT.grid, lw=0.7, zorder=1)
        axes.text(-0.01, at, tick.label, color=LIGHT.soft, ha="right", va="center")
    for tick in chart.days.ticks:
        at = chart.days.share(tick.value)
        axes.plot([at, at], [bottom, bottom - 0.02], color=LIGHT.marker, lw=0.6, clip_on=False)
        axes.text(at, bottom - 0.035, tick.label, color=LIGHT.soft, ha=_ends(at), va="top")
    for mark in chart.marks:
        _draw_dated(axes, chart.days, mark)
    for line in chart.lines:
        colour = LIGHT.families[line.family]
        x, y = [chart.days.share(day) for day in line.x], [chart.value.share(value) for value in line.y]
        axes.plot(x, y, color=colour, lw=1.5, ls=DASHES[line.dash], zorder=4)
        style: dict[str, Any] = {"color": colour, "weight": 600, "va": "center", "linespacing": 0.75}
        axes.text(1.012, line.label_at, printable_text("\n".join(map(_cut, line.label_rows)))[0], **style)
        if line.payback is not None:
            at, up = chart.days.share(line.payback.x), chart.value.share(line.payback.y)
            axes.plot([at, at], [bottom, up], color=LIGHT.marker, lw=0.7, ls=(0, (1, 1.5)), zorder=2)
            axes.plot([at], [up], "o", color=LIGHT.background, mec=colour, mew=1.2, ms=4.6, zorder=8)
    for mark in chart.paybacks:
        ha = {"right": "left", "left": "right", "centre": "center"}[mark.side]
        at, up = chart.days.share(mark.x), bottom + 0.012 + ROW * mark.row
        axes.text(at, up, f" {mark.label}", weight=600, ha=ha, va="bottom", zorder=6, bbox=_behind(LIGHT))
    return figure


def _draw_dated(axes: Axes, days: Axis, mark: DayMark) -> None:
    x, up = days.share(mark.x), 1.01 + DAY_ROW * mark.row
    axes.plot([x, x], [0, up], color=LIGHT.marker, lw=0.7, ls=(0, (1.5, 1.8)), zorder=2)
    ha = {"right": "left", "left": "right", "centre": "center"}[mark.side]
    axes.text(x, up, printable_text(mark.label)[0], ha=ha, va="bottom", zorder=6, bbox=_behind(LIGHT))


# --- own GPUs -------------------------------------------------------------------------------------------------------------


def memory_svg(chart: MemoryChart, height_inches: float = 2.4) -> bytes:
    """Memory by phase of a training step, without title and caption."""
    from matplotlib import rc_context

    _register_fonts()
    with rc_context(STYLE):
        return _svg(_memory_figure(chart, height_inches))


def _memory_figure(chart: MemoryChart, height_inches: float) -> Figure:
    figure, axes = _canvas(height_inches)
    rows = len(chart.bars)
    axes.set_xlim(-0.19 * chart.high, chart.high)
    axes.set_ylim(rows, -1.6)
    for row, bar in enumerate(chart.bars):
        axes.text(-0.012 * chart.high, row, bar.label, ha="right", va="center")
        at = 0.0
        for part in bar.parts:
            group = MEMORY_GROUPS[part.name]
            axes.barh(row, part.gib, 0.62, at, color=LIGHT.groups[group], ec=LIGHT.background, lw=0.6)
            if part.gib > 0.05 * chart.high:
                axes.text(at + part.gib / 2, row, part.label, color=LIGHT.on_groups[group], ha="center", va="center")
            at += part.gib
        style: dict[str, Any] = {"weight": 600 if bar.is_peak else 400, "va": "center", "bbox": _behind(LIGHT), "zorder": 6}
        axes.text(at + 0.008 * chart.high, row, bar.total_label, **style)
    for at, label, line, up in (
        (chart.needed_gib, chart.needed_label, (0, (1.5, 1.8)), 0.55),
        (chart.usable_gib, chart.usable_label, "-", 1.15),
    ):
        axes.plot([at, at], [rows - 0.5, -up], color=LIGHT.text, lw=1.0, ls=line, zorder=5)
        side = "right" if at > chart.high / 2 else "left"
        axes.text(at, -up, label, weight=600, ha=side, va="bottom", bbox=_behind(LIGHT), zorder=6)
    return figure


def cost_hours_svg(chart: CostHoursChart, height_inches: float = 2.9) -> bytes:
    """Ways to train by hours and cost, without title and caption."""
    from matplotlib import rc_context

    _register_fonts()
    with rc_context(STYLE):
        return _svg(_cost_hours_figure(chart, height_inches))


def _cost_hours_figure(chart: CostHoursChart, height_inches: float) -> Figure:
    figure, axes = _canvas(height_inches)
    _draw_axes(axes, chart.hours, chart.value)
    at = [(chart.hours.share(dot.x), chart.value.share(dot.y)) for dot in chart.efficient]
    axes.plot(*zip(*at, strict=True), color=LIGHT.price, lw=1.3, zorder=3)
    for dot in chart.dots:
        colour, size = (LIGHT.price, 5.0) if dot.is_efficient else (LIGHT.marker, 3.0)
        x, y = chart.hours.share(dot.x), chart.value.share(dot.y)
        axes.plot([x], [y], "o", color=colour, mfc=LIGHT.background if dot.is_late else colour, ms=size, zorder=4)
        if dot.side is not None:
            ha = "right" if dot.side == "left" else "left"
            shift = -0.012 if dot.side == "left" else 0.012
            style: dict[str, Any] = {"color": LIGHT.price, "weight": 600, "ha": ha, "va": "top", "zorder": 6}
            axes.text(x + shift, y - 0.01, printable_text(dot.label)[0], **style)
    if chart.deadline is not None:
        x = chart.hours.share(chart.deadline)
        axes.plot([x, x], [0, 1.0], color=LIGHT.warning, lw=1.0, ls=(0, (3, 2)), zorder=2)
        ha = "left" if x < 0.5 else "right"
        axes.text(x, 1.012, chart.deadline_label, color=LIGHT.warning, weight=600, ha=ha, va="bottom", zorder=6)
    return figure


def replica_svg(chart: ReplicaChart, height_inches: float = 2.6) -> bytes:
    """Replicas by volume, without title and caption."""
    from matplotlib import rc_context

    _register_fonts()
    with rc_context(STYLE):
        figure, axes = _canvas(height_inches)
        _draw_axes(axes, chart.volume, chart.count)
        _draw_band(axes, chart.volume, chart.count, chart.steps, stepped=True)
        _draw_now(axes, chart.volume.share(chart.today_x), chart.count.share(chart.today_y), chart.today_label)
        return _svg(figure)


def utilisation_svg(chart: UtilisationChart, height_inches: float = 2.9) -> bytes:
    """Cost of a million tokens by utilisation, without title and caption."""
    from matplotlib import rc_context

    _register_fonts()
    with rc_context(STYLE):
        figure, axes = _canvas(height_inches)
        _draw_axes(axes, chart.utilisation, chart.value)
        for offer in chart.offers:
            y = chart.value.share(offer.y)
            axes.plot([0, 1], [y, y], color=LIGHT.soft, lw=0.9, ls=(0, (4, 2)), zorder=2)
        _draw_band(axes, chart.utilisation, chart.value, chart.curve)
        _draw_now(axes, chart.utilisation.share(chart.today_x), chart.value.share(chart.today_y), chart.today_label)
        for name, colour, weight in ((chart.own, LIGHT.price, 600), *((offer, LIGHT.soft, 400) for offer in chart.offers)):
            style: dict[str, Any] = {"color": colour, "weight": weight, "va": "center", "linespacing": 0.75}
            axes.text(1.012, name.label_at, printable_text("\n".join(map(_cut, name.label_rows)))[0], **style)
        return _svg(figure)


def _draw_axes(axes: Axes, across: Axis, up: Axis) -> None:
    axes.set_xlim(0, 1)
    axes.set_ylim(-0.03, 1.08)
    for tick in up.ticks:
        at = up.share(tick.value)
        axes.plot([0, 1], [at, at], color=LIGHT.grid, lw=0.7, zorder=1)
        axes.text(0, at + 0.012, tick.label, color=LIGHT.soft, va="bottom", zorder=6, bbox=_behind(LIGHT))
    for tick in across.ticks:
        at = across.share(tick.value)
        axes.plot([at, at], [-0.01, -0.03], color=LIGHT.marker, lw=0.6, clip_on=False)
        axes.text(at, -0.045, tick.label, color=LIGHT.soft, ha=_ends(at), va="top")
    axes.text(0.5, -0.115, across.title, color=LIGHT.soft, ha="center", va="top")


def _draw_band(axes: Axes, across: Axis, up: Axis, band: Band, stepped: bool = False) -> None:
    x = [across.share(value) for value in band.x]
    low, y, high = ([up.share(value) for value in curve] for curve in (band.low, band.y, band.high))
    axes.fill_between(x, low, high, color=LIGHT.price, alpha=0.16, lw=0, step="post" if stepped else None, zorder=2)
    axes.plot(x, y, color=LIGHT.price, lw=1.6, drawstyle="steps-post" if stepped else "default", zorder=4)


def _draw_now(axes: Axes, x: float, y: float, label: str) -> None:
    axes.plot([x, x], [0, y], color=LIGHT.marker, lw=0.8, zorder=2)
    axes.plot([x], [y], "o", color=LIGHT.price, mec=LIGHT.background, mew=0.8, ms=5.5, zorder=7)
    ha = "left" if x < 0.2 else "right" if x > 0.8 else "center"
    axes.text(x, y + 0.035, label, weight=600, ha=ha, va="bottom", bbox=_behind(LIGHT), zorder=6)


# --- the canvas -----------------------------------------------------------------------------------------------------------


def _canvas(height_inches: float) -> tuple[Figure, Axes]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH_INCHES, height_inches), facecolor="none")
    axes = figure.add_axes((0.0, 0.115, 1 - NAME_MARGIN, 0.885))
    axes.set_axis_off()
    return figure, axes


def _svg(figure: Figure) -> bytes:
    file = io.BytesIO()
    figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None}, transparent=True)
    return file.getvalue()


@cache
def _register_fonts() -> None:
    from matplotlib import font_manager

    for path in sorted(FONT_FOLDER.glob("*.ttf")):
        font_manager.fontManager.addfont(path)
