"""Charts of a simulation drawn for print, as SVG: the same spec as on screen, light, the same bytes every time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reports.letters import printable_text
from reports.palette import LIGHT
from reports.print_charts import STYLE, _behind, _canvas, _register_fonts, _svg
from reports.risk_charts import BreakEvenHistogram, CheapestChart, LeadBar, TornadoChart

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NAMES = 0.24
"""Room for names left of the bars, a share of their axis."""


def cheapest_svg(chart: CheapestChart, height_inches: float = 2.2) -> bytes:
    """How often each approach is the cheapest, without title and caption."""
    from matplotlib import rc_context

    _register_fonts()
    with rc_context(STYLE):
        return _svg(_cheapest_figure(chart, height_inches))


def _cheapest_figure(chart: CheapestChart, height_inches: float) -> Figure:
    figure, axes = _canvas(height_inches)
    end = 1.5 * max(max(bar.share for bar in chart.bars), 0.02)
    axes.set_xlim(-NAMES * end, end)
    axes.set_ylim(len(chart.bars) - 0.4, -1.1)
    axes.text(end, -0.75, "regret", color=LIGHT.soft, ha="right", va="center")
    for row, bar in enumerate(chart.bars):
        colour = LIGHT.families[bar.family]
        axes.text(-0.012 * end, row, printable_text(bar.label)[0], color=colour, weight=600, ha="right", va="center")
        axes.barh(row, bar.share, 0.55, color=colour)
        axes.text(bar.share + 0.01 * end, row, bar.share_label, weight=600, va="center")
        axes.text(end, row, bar.regret_label, color=LIGHT.soft, ha="right", va="center")
    return figure


def break_even_histogram_svg(chart: BreakEvenHistogram, height_inches: float = 2.6) -> bytes:
    """From which volume an approach pays, without title and caption."""
    from matplotlib import rc_context

    _register_fonts()
    with rc_context(STYLE):
        return _svg(_histogram_figure(chart, height_inches))


def _histogram_figure(chart: BreakEvenHistogram, height_inches: float) -> Figure:
    figure, axes = _canvas(height_inches)
    axes.set_xlim(chart.left, chart.right)
    axes.set_ylim(-0.12 * chart.top, 1.1 * chart.top)
    axes.plot([chart.left, chart.right], [0, 0], color=LIGHT.marker, lw=0.8, zorder=4)
    for tick in chart.share_ticks:
        axes.plot([chart.left, chart.right], [tick.value, tick.value], color=LIGHT.grid, lw=0.7, zorder=1)
        axes.text(
            chart.left, tick.value + 0.01 * chart.top, tick.label, color=LIGHT.soft, va="bottom", bbox=_behind(LIGHT), zorder=2
        )
    for tick in chart.ticks:
        axes.text(tick.value, -0.03 * chart.top, tick.label, color=LIGHT.soft, ha="center", va="top")
    colour = LIGHT.families[chart.family]
    for bar in chart.bars:
        fill, alpha = (LIGHT.soft, 1.0) if bar.kind == "apart" else (colour, 1.0 if bar.kind == "below today" else 0.5)
        middle = (bar.left + bar.right) / 2
        axes.bar(middle, bar.share, bar.right - bar.left, color=fill, alpha=alpha, ec=LIGHT.background, lw=0.5, zorder=3)
        if bar.kind == "apart":
            axes.text(middle, bar.share + 0.01 * chart.top, bar.share_label, weight=600, ha="center", va="bottom", zorder=6)
            axes.text(middle, -0.03 * chart.top, bar.label.replace(" ", "\n"), weight=600, ha="center", va="top", linespacing=0.8)
    _draw_marks(axes, chart)
    return figure


def _draw_marks(axes: Axes, chart: BreakEvenHistogram) -> None:
    """Today's volume, the median and the middle eight of ten."""
    if chart.today is not None:
        axes.plot([chart.today, chart.today], [0, chart.top], color=LIGHT.marker, lw=1.0, zorder=4)
        left = chart.today - chart.left < 0.15 * (chart.right - chart.left)
        axes.text(
            chart.today, 1.01 * chart.top, chart.today_label, weight=600, ha="left" if left else "center", va="bottom", zorder=6
        )
    if chart.spread is not None:
        spread = chart.spread
        axes.plot([spread.low, spread.high], [spread.y, spread.y], "|-", color=LIGHT.text, lw=1.0, ms=5, zorder=5)
        axes.plot([spread.middle], [spread.y], "o", color=LIGHT.text, ms=4.5, zorder=6)
        style: dict[str, Any] = {"ha": "center", "va": "bottom", "bbox": _behind(LIGHT), "zorder": 6}
        axes.text(spread.middle, spread.y + 0.035 * chart.top, spread.span_label, **style)
        axes.text(spread.middle, spread.y + 0.11 * chart.top, spread.label, weight=600, **style)


def tornado_svg(chart: TornadoChart, row_inches: float = 0.36) -> bytes:
    """What the lead hangs on, without title and caption."""
    from matplotlib import rc_context

    _register_fonts()
    with rc_context(STYLE):
        return _svg(_tornado_figure(chart, row_inches * len(chart.bars) + 0.55))


def _tornado_figure(chart: TornadoChart, height_inches: float) -> Figure:
    figure, axes = _canvas(height_inches)
    rows = len(chart.bars)
    axes.set_xlim(chart.low, chart.high)
    axes.set_ylim(rows - 0.3, -1.15)
    for tick in chart.ticks:
        axes.plot([tick.value, tick.value], [-0.8, rows - 0.4], color=LIGHT.grid, lw=0.7, zorder=1)
        axes.text(tick.value, rows - 0.05, tick.label, color=LIGHT.soft, ha="center", va="top")
    axes.plot([0, 0], [-0.8, rows - 0.4], color=LIGHT.marker, lw=1.0, zorder=2)
    axes.plot([chart.today, chart.today], [-0.8, rows - 0.4], color=LIGHT.marker, lw=0.8, ls=(0, (3, 2)), zorder=2)
    axes.text(chart.today, -0.85, chart.today_label, color=LIGHT.soft, ha="left", va="bottom", bbox=_behind(LIGHT), zorder=3)
    room = 0.006 * (chart.high - chart.low)
    axes.text(room, -0.85, f"{chart.winner} ›", color=LIGHT.families[chart.winner_family], weight=600, va="bottom", zorder=6)
    if chart.others:
        colour = LIGHT.soft if chart.others_family is None else LIGHT.families[chart.others_family]
        axes.text(-room, -0.85, f"‹ {chart.others}", color=colour, weight=600, ha="right", va="bottom", zorder=6)
    for row, bar in enumerate(chart.bars):
        _draw_lead(axes, chart, bar, row, room)
    return figure


def _draw_lead(axes: Axes, chart: TornadoChart, bar: LeadBar, row: int, room: float) -> None:
    """The bar on both sides of zero, its name and flip above it, the input's values at its ends."""
    end = max(bar.high, bar.low + 0.5 * room)
    if end > 0:
        first = max(bar.low, 0.0)
        axes.barh(row + 0.1, end - first, 0.42, first, color=LIGHT.families[chart.winner_family], zorder=3)
    if bar.low < 0:
        family = bar.loser or chart.winner_family
        alpha = 0.5 if family == chart.winner_family else 1.0
        axes.barh(row + 0.1, min(end, 0.0) - bar.low, 0.42, bar.low, color=LIGHT.families[family], alpha=alpha, zorder=3)
    axes.text(bar.low - room, row + 0.1, bar.low_label, color=LIGHT.soft, ha="right", va="center", bbox=_behind(LIGHT), zorder=4)
    axes.text(bar.high + room, row + 0.1, bar.high_label, color=LIGHT.soft, va="center", bbox=_behind(LIGHT), zorder=4)
    flip = " ".join(part for part in ("flips", bar.rival, bar.flip) if part) if bar.flips_to else bar.flip
    told = ", ".join(part for part in (bar.note, flip) if part)
    colour = LIGHT.soft if bar.flips_to is None else LIGHT.families[bar.flips_to]
    style: dict[str, Any] = {"va": "baseline", "bbox": _behind(LIGHT), "zorder": 6}
    named = axes.text(chart.low, row - 0.21, printable_text(bar.label)[0], weight=600, **style)
    beside: Any = (named, axes.transData)
    axes.annotate(told, (1, row - 0.21), xycoords=beside, xytext=(5, 0), textcoords="offset points", color=colour, **style)
    if bar.has_flip:
        axes.plot([0], [row + 0.1], "D", color=LIGHT.background, mec=LIGHT.text, mew=1.0, ms=5, zorder=7)
