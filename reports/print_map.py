"""The map of winners drawn for print, as SVG; what is drawn is decided in `reports.map_charts`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from reports.letters import printable_text
from reports.map_charts import FULL_LEAD, MapChart, MapDot
from reports.palette import LIGHT
from reports.print_charts import STYLE, _canvas, _register_fonts, _svg

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LEFT = 0.09
"""Room for the labels left of the map, a share of its width."""


def map_svg(chart: MapChart, height_inches: float = 3.6) -> bytes:
    """Who is cheapest where over two numbers, without title and caption."""
    from matplotlib import rc_context

    _register_fonts()
    with rc_context(STYLE):
        figure, axes = _canvas(height_inches)
        axes.set_xlim(-LEFT, 1)
        axes.set_ylim(-0.03, 1.06)
        _draw_regions(axes, chart)
        for x0, y0, x1, y1 in chart.borders.tolist():
            axes.plot([x0, x1], [y0, y1], color=LIGHT.text, lw=0.9, solid_capstyle="round", zorder=3)
        _draw_axes(axes, chart)
        for name in chart.names:
            axes.text(
                name.x, name.y, printable_text(name.label)[0], color=LIGHT.on_tint(name.family), weight=600, ha="center",
                va="center", zorder=5,
            )  # fmt: skip
        if chart.today is not None:
            _draw_today(axes, chart, chart.today)
        return _svg(figure)


def _draw_regions(axes: Axes, chart: MapChart) -> None:
    from matplotlib.patches import Rectangle

    colours = np.ones((len(chart.y), len(chart.x), 3))
    for region in chart.regions:
        faint, full = (np.array(_rgb(colour)) for colour in LIGHT.tints(region.family))
        share = np.clip(region.lead / FULL_LEAD, 0, 1)[:, :, np.newaxis]
        colours = np.where(np.isfinite(share), faint + (full - faint) * np.nan_to_num(share), colours)
    step = (1 / (len(chart.x) - 1) / 2, 1 / (len(chart.y) - 1) / 2)
    image = axes.imshow(
        colours, origin="lower", extent=(-step[0], 1 + step[0], -step[1], 1 + step[1]), aspect="auto", interpolation="nearest",
        zorder=1,
    )  # fmt: skip
    image.set_clip_path(Rectangle((0, 0), 1, 1, transform=axes.transData))
    axes.set_xlim(-LEFT, 1)
    axes.set_ylim(-0.03, 1.06)


def _rgb(colour: str) -> tuple[float, ...]:
    return tuple(int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))


def _draw_axes(axes: Axes, chart: MapChart) -> None:
    for tick in chart.up.ticks:
        at = chart.up.share(tick.value)
        axes.plot([-0.008, 0], [at, at], color=LIGHT.marker, lw=0.6, clip_on=False)
        axes.text(-0.014, at, tick.label, color=LIGHT.soft, ha="right", va="center")
    for tick in chart.across.ticks:
        at = chart.across.share(tick.value)
        axes.plot([at, at], [0, -0.015], color=LIGHT.marker, lw=0.6, clip_on=False)
        axes.text(at, -0.03, tick.label, color=LIGHT.soft, ha="center", va="top")
    axes.text(0.5, -0.1, chart.across.title, color=LIGHT.soft, ha="center", va="top")
    axes.text(-LEFT, 1.03, chart.up.title, color=LIGHT.soft, ha="left", va="bottom")


def _draw_today(axes: Axes, chart: MapChart, today: MapDot) -> None:
    right = today.x if chart.change is None else max(today.x, chart.change.x)
    axes.plot([0, right], [today.y, today.y], color=LIGHT.text, lw=0.7, ls=(0, (2, 2)), zorder=4)
    axes.plot([today.x, today.x], [0, today.y], color=LIGHT.text, lw=0.7, ls=(0, (2, 2)), zorder=4)
    for dot, fill, size in ((chart.change, LIGHT.background, 4.6), (today, LIGHT.text, 5.5)):
        if dot is not None:
            axes.plot([dot.x], [dot.y], "o", color=fill, mec=LIGHT.text, mew=0.9, ms=size, zorder=6)
            ha, aside = ("left", 0.008) if dot.side == "right" else ("right", -0.008)
            va, up = ("bottom", 0.02) if dot.is_above else ("top", -0.025)
            style: dict[str, Any] = {"weight": 600, "ha": ha, "va": va, "zorder": 6}
            axes.text(dot.x + aside, dot.y + up, dot.label, **style)
