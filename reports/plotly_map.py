"""The map of winners drawn with Plotly; what is drawn is decided in `reports.map_charts`."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from reports.charts import Axis
from reports.map_charts import FULL_LEAD, MapChart, MapDot
from reports.palette import PALETTES, Palette, ThemeName
from reports.plotly_charts import LETTER_PX, layout

PLOT_PX = 420
BORDER_PX = 1.3


def map_figure(chart: MapChart, theme: ThemeName) -> go.Figure:
    """Who is cheapest where over two numbers."""
    palette = PALETTES[theme]
    figure = go.Figure()
    for region in chart.regions:
        figure.add_heatmap(
            x=np.array(chart.x), y=np.array(chart.y), z=region.lead.astype(np.float32), zmin=0, zmax=FULL_LEAD, showscale=False,
            colorscale=[list(stop) for stop in enumerate(palette.tints(region.family))], hoverongaps=False, zsmooth=False,
            hovertemplate=f"{region.label}: %{{z:.0%}} less than the next<extra></extra>",
        )  # fmt: skip
    pieces = chart.borders.reshape(-1, 2, 2)
    gap = np.full(len(pieces), np.nan)
    figure.add_scatter(
        x=np.column_stack([pieces[:, :, 0], gap]).ravel(), y=np.column_stack([pieces[:, :, 1], gap]).ravel(), mode="lines",
        line={"color": palette.text, "width": BORDER_PX, "simplify": False}, connectgaps=False, hoverinfo="skip",
    )  # fmt: skip
    for name in chart.names:
        figure.add_annotation(
            x=name.x, y=name.y, showarrow=False, text=f"<b>{name.label}</b>",
            font={"size": 15, "color": palette.on_tint(name.family)},
        )  # fmt: skip
    if chart.today is not None:
        _add_today(figure, chart, chart.today, palette)
    figure.add_annotation(
        x=0, xref="paper", xanchor="left", xshift=-_left(chart), y=1, yref="paper", yanchor="bottom", yshift=6, showarrow=False,
        text=chart.up.title, font={"size": 12.5, "color": palette.soft},
    )  # fmt: skip
    top, bottom = 28, 44
    figure.update_layout(
        layout(palette, top + PLOT_PX + bottom), hovermode="closest",
        margin={"l": _left(chart) + 4, "r": 24, "t": top, "b": bottom},
        xaxis=_axis(chart.across, palette) | {
            "title": {"text": chart.across.title, "standoff": 6, "font": {"size": 12.5, "color": palette.soft}},
        },
        yaxis=_axis(chart.up, palette),
    )  # fmt: skip
    return figure


def _left(chart: MapChart) -> float:
    """Room for the labels left of the plot."""
    return 12 + LETTER_PX * max(len(tick.label) for tick in chart.up.ticks)


def _axis(axis: Axis, palette: Palette) -> dict[str, object]:
    """In shares of the axis, so that logarithmic ones need no care."""
    return {
        "range": [0, 1], "fixedrange": True, "showgrid": False, "zeroline": False, "ticks": "outside", "ticklen": 4,
        "tickcolor": palette.marker, "tickangle": 0, "tickvals": [axis.share(tick.value) for tick in axis.ticks],
        "ticktext": [tick.label for tick in axis.ticks], "tickfont": {"size": 12.5, "color": palette.soft},
    }  # fmt: skip


def _add_today(figure: go.Figure, chart: MapChart, today: MapDot, palette: Palette) -> None:
    """Guide lines from the axes to today's dot, and the nearest change on its height."""
    right = today.x if chart.change is None else max(today.x, chart.change.x)
    for x, y in (([0, right], [today.y, today.y]), ([today.x, today.x], [0, today.y])):
        figure.add_scatter(
            x=x, y=y, mode="lines", hoverinfo="skip", line={"color": palette.text, "width": 1.2, "dash": "3px,3px"}
        )
    if chart.change is not None:
        figure.add_scatter(
            x=[chart.change.x], y=[chart.change.y], mode="markers", hoverinfo="skip", cliponaxis=False,
            marker={"size": 9, "color": palette.background, "line": {"color": palette.text, "width": 1.5}},
        )  # fmt: skip
        _add_label(figure, chart.change, palette)
    figure.add_scatter(
        x=[today.x], y=[today.y], mode="markers", hoverinfo="skip", cliponaxis=False,
        marker={"size": 12, "color": palette.text, "line": {"color": palette.background, "width": 1.5}},
    )  # fmt: skip
    _add_label(figure, today, palette)


def _add_label(figure: go.Figure, dot: MapDot, palette: Palette) -> None:
    anchor, shift = ("left", 5) if dot.side == "right" else ("right", -5)
    figure.add_annotation(
        x=dot.x, y=dot.y, xanchor=anchor, xshift=shift, yanchor="bottom" if dot.is_above else "top",
        yshift=7 if dot.is_above else -7, showarrow=False, text=f"<b>{dot.label}</b>", font={"size": 13, "color": palette.text},
    )  # fmt: skip
