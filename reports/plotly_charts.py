"""Charts drawn with Plotly, for the screen. Colours are explicit for one theme; what is drawn is decided in `reports.charts`."""

from __future__ import annotations

from math import log10
from typing import Any

import plotly.graph_objects as go

from reports.cash_charts import BAR_DAYS, FLOW_GROUPS, FLOW_LABELS, FlowChart, SavingsChart, SavingsLine
from reports.charts import (
    Axis,
    Band,
    BreakEvenChart,
    CostHoursChart,
    CostLinesChart,
    DayMark,
    HistoryChart,
    LengthChart,
    Line,
    MemoryChart,
    PlanDot,
    PriceLine,
    ReplicaChart,
    Tick,
    Today,
    UtilisationChart,
)
from reports.palette import MEMORY_GROUPS, PALETTES, Palette, ThemeName
from reports.words import GROUP_LABELS, MEMORY_LABELS

CONFIG = {"displayModeBar": False, "scrollZoom": False, "doubleClick": False, "showTips": False}
"""For the page: a chart is looked at, not steered, so that it never traps a finger that scrolls."""

FONT = '"Source Sans", "Source Sans 3", "Source Sans Pro", sans-serif'
LETTER_PX = 7.2
LINE_PX = 2
STRETCH_PX = 5
RIBBON_PX = 22
LABEL_ROW_PX = 21


def break_even_figure(chart: BreakEvenChart, theme: ThemeName) -> go.Figure:
    """The break-even chart."""
    palette = PALETTES[theme]
    top, bottom, plot = 28, 44, 380
    ribbon = RIBBON_PX / plot
    rows = (chart.label_rows * LABEL_ROW_PX + 8) / plot
    # The value axis goes on below its lowest value, down to the ribbon, to make room for the labels of crossings.
    share = rows / (1 - ribbon)
    low = log10(chart.value.high) - log10(chart.value.high / chart.value.low) / (1 - share)
    figure = go.Figure()
    _add_lines(figure, chart, palette, 10**low)
    _add_ribbon(figure, chart, palette)
    for tick in chart.value.ticks:
        _add_value_label(figure, tick, palette)
    for line in chart.lines:
        _add_name(figure, line, ribbon + (1 - ribbon) * (share + (1 - share) * line.label_at), palette)
    for crossing in chart.crossings:
        if crossing.row is None:
            continue
        side = 1 if crossing.side == "right" else -1
        figure.add_annotation(
            x=_annotated(chart.volume, crossing.x), xref="x", y=ribbon + (crossing.row * LABEL_ROW_PX + 3) / plot, yref="paper",
            showarrow=False, xanchor="left" if side > 0 else "right", yanchor="bottom", xshift=4 * side,
            text=f"<b>{crossing.label}</b>", font={"color": palette.text, "size": 12.5}, bgcolor=palette.background, borderpad=1,
        )  # fmt: skip
    if chart.today is not None:
        _add_cheapest_today(figure, chart.volume, chart.today, chart.value.high, palette)
    longest, first = max(len(row) for line in chart.lines for row in line.label_rows), len(chart.volume.ticks[0].label)
    figure.update_layout(
        layout(palette, top + plot + bottom),
        margin={"l": max(10, LETTER_PX * first / 2 + 4), "r": 14 + LETTER_PX * longest, "t": top, "b": bottom},
        xaxis=_bottom_axis(chart.volume, palette) | {"anchor": "y2"},
        yaxis={
            "type": "log", "range": [low, log10(chart.value.high)], "domain": [ribbon, 1], "fixedrange": True,
            "tickvals": [tick.value for tick in chart.value.ticks], "showticklabels": False, "gridcolor": palette.grid,
            "zeroline": False,
        },
        yaxis2={"domain": [0, ribbon], "range": [-0.5, 0.5], "fixedrange": True, "visible": False},
        barmode="overlay",
    )  # fmt: skip
    return figure


def _add_lines(figure: go.Figure, chart: BreakEvenChart, palette: Palette, bottom: float) -> None:
    decimals = ",.4f" if chart.value.high < 50 else ",.0f"
    if chart.band is not None and chart.today is not None:
        _add_range(figure, chart.band, palette.families[chart.today.family])
    for line in chart.lines:
        figure.add_scatter(
            x=line.x, y=line.y, mode="lines", name=line.label, showlegend=False,
            line={"color": palette.families[line.family], "width": LINE_PX, "dash": line.dash, "simplify": False},
            hovertemplate=f"{line.label}: {chart.mark}%{{y:{decimals}}} at %{{x:,.4~r}}<extra></extra>",
        )  # fmt: skip
    for stretch in chart.stretches:
        figure.add_scatter(
            x=stretch.x, y=stretch.y, mode="lines", showlegend=False, hoverinfo="skip",
            line={"color": palette.families[stretch.family], "width": STRETCH_PX, "simplify": False},
        )  # fmt: skip
    for crossing in chart.crossings:
        figure.add_scatter(
            x=[crossing.x, crossing.x], y=[crossing.y, bottom], mode="lines", showlegend=False, hoverinfo="skip",
            line={"color": palette.marker, "width": 1, "dash": "3px,3px"},
        )  # fmt: skip
    figure.add_scatter(
        x=[crossing.x for crossing in chart.crossings], y=[crossing.y for crossing in chart.crossings], mode="markers",
        showlegend=False, hoverinfo="skip",
        marker={"size": 9, "color": palette.background, "line": {"color": palette.text, "width": 1.5}},
    )  # fmt: skip


def _add_cheapest_today(figure: go.Figure, across: Axis, today: Today, top: float, palette: Palette) -> None:
    """Today's value as an upright line that ends on the winner."""
    figure.add_scatter(
        x=[today.x, today.x], y=[top, today.y], mode="lines", showlegend=False, hoverinfo="skip",
        line={"color": palette.marker, "width": 1.5},
    )  # fmt: skip
    figure.add_scatter(
        x=[today.x], y=[today.y], mode="markers", showlegend=False, hoverinfo="skip",
        marker={"size": 11, "color": palette.families[today.family], "line": {"color": palette.background, "width": 1.5}},
    )  # fmt: skip
    share = across.share(today.x)
    figure.add_annotation(
        x=_annotated(across, today.x), y=1, yref="paper", yanchor="bottom", showarrow=False, text=f"<b>{today.label}</b>",
        xanchor="left" if share < 0.08 else "right" if share > 0.92 else "center", font={"color": palette.text, "size": 13},
    )  # fmt: skip


def _annotated(axis: Axis, value: float) -> float:
    """Where an annotation stands on an axis: a logarithmic one takes logarithms there, but values in traces."""
    return log10(value) if axis.logarithmic else value


def _add_ribbon(figure: go.Figure, chart: BreakEvenChart, palette: Palette) -> None:
    for stretch in chart.stretches:
        figure.add_bar(
            base=[stretch.first], x=[stretch.last - stretch.first], y=[0], orientation="h", width=1, yaxis="y2",
            marker={"color": palette.families[stretch.family], "line": {"width": 0}}, showlegend=False, hoverinfo="skip",
            text=[stretch.label], textposition="inside", insidetextanchor="middle", textangle=0,
            insidetextfont={"color": palette.on_colour, "size": 12.5},
        )  # fmt: skip


def _add_value_label(figure: go.Figure, tick: Tick, palette: Palette) -> None:
    """On its grid line, inside the plot: tick labels there would silently drop the other axis's first one."""
    figure.add_annotation(
        x=0, xref="paper", xanchor="left", y=log10(tick.value), yanchor="bottom", showarrow=False, text=tick.label,
        font={"size": 12.5, "color": palette.soft}, bgcolor=palette.background, borderpad=0,
    )  # fmt: skip


def _add_name(figure: go.Figure, line: Line, at: float, palette: Palette) -> None:
    figure.add_annotation(
        x=1, xref="paper", xanchor="left", xshift=7, y=at, yref="paper", yanchor="middle", showarrow=False, align="left",
        text="<br>".join(f"<b>{row}</b>" for row in line.label_rows), font={"size": 13, "color": palette.families[line.family]},
    )  # fmt: skip


def cost_lines_figure(chart: CostLinesChart, theme: ThemeName) -> go.Figure:
    """The cost lines, one stacked bar an approach."""
    palette = PALETTES[theme]
    names = [broken(bar.label) for bar in chart.bars]
    colours = [palette.families[bar.family] for bar in chart.bars]
    figure = go.Figure()
    for group in chart.groups:
        found = [next((part for part in bar.parts if part.group == group), None) for bar in chart.bars]
        figure.add_bar(
            x=[part.usd if part else 0.0 for part in found], y=names, orientation="h", width=0.62, name=GROUP_LABELS[group],
            text=[part.label if part else "" for part in found], textposition="inside", insidetextanchor="middle", textangle=0,
            insidetextfont={"color": palette.on_groups[group], "size": 12.5},
            marker={"color": palette.groups[group], "line": {"color": palette.background, "width": 1}},
            hovertemplate=f"{GROUP_LABELS[group]}: %{{text}}<extra></extra>",
        )  # fmt: skip
    for bar, name in zip(chart.bars, names, strict=True):
        figure.add_annotation(
            x=bar.drawn_usd, y=name, xanchor="left", xshift=7, showarrow=False, text=f"<b>{bar.total_label}</b>",
            font={"size": 13, "color": palette.text},
        )  # fmt: skip
    rows = [f'<span style="color:{colour}"><b>{name}</b></span>' for name, colour in zip(names, colours, strict=True)]
    longest = max(len(part) for name in names for part in name.split("<br>"))
    right = max(len(bar.total_label) for bar in chart.bars)
    figure.update_layout(
        layout(palette, 46 * len(chart.bars) + 16),
        margin={"l": 12 + LETTER_PX * longest, "r": 14 + LETTER_PX * right, "t": 4, "b": 4},
        barmode="stack",
        xaxis={"visible": False, "fixedrange": True, "range": [0, max(bar.drawn_usd for bar in chart.bars)]},
        yaxis={
            "autorange": "reversed", "fixedrange": True, "tickvals": names, "ticktext": rows, "ticks": "",
            "tickfont": {"size": 13}, "showgrid": False, "zeroline": False, "ticklabelstandoff": 6,
        },
    )  # fmt: skip
    return figure


def history_figure(chart: HistoryChart, theme: ThemeName) -> go.Figure:
    """An offer's prices over time."""
    palette = PALETTES[theme]
    top, bottom, plot = 6 + 19 * chart.label_rows, 30, 300
    value = chart.value
    figure = go.Figure()
    for mark in chart.events:
        _add_day(figure, mark, "3px,3px", plot, palette)
    _add_day(figure, chart.today, "solid", plot, palette)
    for tick in value.ticks:
        figure.add_annotation(
            x=0, xref="paper", xanchor="right", xshift=-6, y=log10(tick.value) if value.logarithmic else tick.value,
            yanchor="middle", showarrow=False, text=tick.label, font={"size": 12.5, "color": palette.soft},
        )  # fmt: skip
    for line in reversed(chart.lines):
        _add_price_line(figure, line, palette)
    longest = max(len(row) for line in chart.lines for row in line.label_rows)
    left = 10 + LETTER_PX * max(len(tick.label) for tick in value.ticks)
    ends = (log10(value.low), log10(value.high)) if value.logarithmic else (value.low, value.high)
    figure.update_layout(
        layout(palette, top + plot + bottom),
        margin={"l": left, "r": 14 + LETTER_PX * longest, "t": top, "b": bottom},
        hovermode="closest",
        xaxis={
            "range": [chart.days.low, chart.days.high], "fixedrange": True, "showgrid": False, "zeroline": False,
            "tickvals": [tick.value for tick in chart.days.ticks], "ticktext": [tick.label for tick in chart.days.ticks],
            "ticks": "outside", "ticklen": 4, "tickcolor": palette.marker, "tickangle": 0,
            "tickfont": {"size": 12.5, "color": palette.soft},
        },
        yaxis={
            "type": "log" if value.logarithmic else "linear", "range": ends, "fixedrange": True, "showticklabels": False,
            "tickvals": [tick.value for tick in value.ticks], "gridcolor": palette.grid, "zeroline": False,
        },
    )  # fmt: skip
    return figure


def savings_figure(chart: SavingsChart, theme: ThemeName) -> go.Figure:
    """Cumulative savings by day."""
    palette = PALETTES[theme]
    top, bottom, plot = 10 + 19 * chart.label_rows, 30, 340
    lane = (chart.payback_rows * LABEL_ROW_PX + 4 * bool(chart.payback_rows)) / plot
    # The value axis goes on below its lowest value to make room for the months of payback.
    low = chart.value.high - (chart.value.high - chart.value.low) / (1 - lane)
    figure = go.Figure()
    for mark in chart.marks:
        _add_day(figure, mark, "3px,3px", plot, palette)
    _add_paybacks(figure, chart, low, plot, palette)
    for line in chart.lines:
        _add_savings(figure, line, lane, chart.currency_mark, palette)
    paid = [(line, line.payback) for line in chart.lines if line.payback is not None]
    figure.add_scatter(
        x=[dot.x for _, dot in paid], y=[dot.y for _, dot in paid], mode="markers", showlegend=False, cliponaxis=False,
        text=[f"{line.label} pays back {'at once' if dot.month == 0 else f'in month {dot.month}'}" for line, dot in paid],
        hovertemplate="%{text}<extra></extra>",
        marker={
            "size": 9, "color": palette.background,
            "line": {"color": [palette.families[line.family] for line, _ in paid], "width": 2},
        },
    )  # fmt: skip
    _money_axes(figure, chart.days, chart.value, low, palette)
    longest = max(len(row) for line in chart.lines for row in line.label_rows)
    figure.update_layout(
        layout(palette, top + plot + bottom), hovermode="closest",
        margin={"l": _money_margin(chart.value), "r": 14 + LETTER_PX * longest, "t": top, "b": bottom},
    )  # fmt: skip
    return figure


def _add_savings(figure: go.Figure, line: SavingsLine, lane: float, mark: str, palette: Palette) -> None:
    colour = palette.families[line.family]
    figure.add_scatter(
        x=line.x, y=line.y, mode="lines", showlegend=False,
        line={"color": colour, "width": LINE_PX + 0.5, "dash": line.dash, "simplify": False},
        hovertemplate=f"{line.label}: {mark}%{{y:,.0f}}<extra></extra>",
    )  # fmt: skip
    figure.add_annotation(
        x=1, xref="paper", xanchor="left", xshift=7, y=lane + (1 - lane) * line.label_at, yref="paper", yanchor="middle",
        showarrow=False, align="left", text="<br>".join(f"<b>{row}</b>" for row in line.label_rows),
        font={"size": 13, "color": colour},
    )  # fmt: skip


def _add_paybacks(figure: go.Figure, chart: SavingsChart, low: float, plot: int, palette: Palette) -> None:
    """Drops from each white dot to the name of its month beneath the plot."""
    for line in chart.lines:
        if line.payback is not None:
            figure.add_scatter(
                x=[line.payback.x] * 2, y=[line.payback.y, low], mode="lines", showlegend=False, hoverinfo="skip",
                line={"color": palette.marker, "width": 1, "dash": "1px,2px"},
            )  # fmt: skip
    for mark in chart.paybacks:
        anchor, shift = {"right": ("left", 4), "left": ("right", -4), "centre": ("center", 0)}[mark.side]
        figure.add_annotation(
            x=mark.x, xanchor=anchor, xshift=shift, y=(mark.row * LABEL_ROW_PX + 2) / plot, yref="paper", yanchor="bottom",
            showarrow=False, text=f"<b>{mark.label}</b>", font={"size": 12.5, "color": palette.text},
            bgcolor=palette.background, borderpad=1,
        )  # fmt: skip


def flow_figure(chart: FlowChart, theme: ThemeName) -> go.Figure:
    """What one approach saves by day, by kind of money."""
    palette = PALETTES[theme]
    figure = go.Figure()
    for kind, bars in chart.bars.items():
        group = FLOW_GROUPS[kind]
        figure.add_bar(
            x=[bar.x for bar in bars], y=[bar.y for bar in bars], width=[BAR_DAYS] * len(bars), name=FLOW_LABELS[kind],
            text=[bar.text for bar in bars], textposition="none", hovertemplate="%{text}<extra></extra>",
            marker={"color": palette.groups[group], "line": {"color": palette.background, "width": 0.5}},
        )  # fmt: skip
    _money_axes(figure, chart.days, chart.value, chart.value.low, palette)
    figure.update_layout(
        layout(palette, 250), barmode="relative", hovermode="closest",
        margin={"l": _money_margin(chart.value), "r": 14, "t": 10, "b": 30},
    )  # fmt: skip
    return figure


def _money_margin(axis: Axis) -> float:
    return 10 + LETTER_PX * max(len(tick.label) for tick in axis.ticks)


def _money_axes(figure: go.Figure, days: Axis, value: Axis, low: float, palette: Palette) -> None:
    """Days across and money up, zero marked; amounts stand left of the plot, where no line begins."""
    for tick in value.ticks:
        figure.add_annotation(
            x=0, xref="paper", xanchor="right", xshift=-6, y=tick.value, yanchor="middle", showarrow=False, text=tick.label,
            font={"size": 12.5, "color": palette.soft},
        )  # fmt: skip
    figure.update_layout(
        xaxis={
            "range": [days.low, days.high], "fixedrange": True, "showgrid": False, "zeroline": False, "tickangle": 0,
            "tickvals": [tick.value for tick in days.ticks], "ticktext": [tick.label for tick in days.ticks],
            "ticks": "outside", "ticklen": 4, "tickcolor": palette.marker, "tickfont": {"size": 12.5, "color": palette.soft},
        },
        yaxis={
            "range": [low, value.high], "fixedrange": True, "showticklabels": False, "gridcolor": palette.grid,
            "tickvals": [tick.value for tick in value.ticks], "zeroline": True, "zerolinecolor": palette.marker,
            "zerolinewidth": 1.2,
        },
    )  # fmt: skip


def length_figure(chart: LengthChart, theme: ThemeName) -> go.Figure:
    """The histogram of lengths."""
    palette = PALETTES[theme]
    top, bottom, plot = 8 + 19 * chart.label_rows, 44, 230
    figure = go.Figure()
    figure.add_bar(
        x=[(bar.first + bar.last + 1) / 2 for bar in chart.bars], y=[bar.count for bar in chart.bars],
        width=[bar.last + 1 - bar.first for bar in chart.bars],
        marker={
            "color": [palette.warning if bar.is_cut else palette.groups["tokens"] for bar in chart.bars],
            "line": {"color": palette.background, "width": 1},
        },
        text=[f"{bar.first:,} to {bar.last:,} tokens: {bar.count:,}" for bar in chart.bars], textposition="none",
        hovertemplate="%{text}<extra></extra>", showlegend=False,
    )  # fmt: skip
    for tick in chart.count.ticks:
        figure.add_annotation(
            x=0, xref="paper", xanchor="left", y=tick.value, yanchor="bottom", showarrow=False, text=tick.label,
            font={"size": 12.5, "color": palette.soft}, bgcolor=palette.background, borderpad=0,
        )  # fmt: skip
    for mark in chart.marks:
        up = 1 + (3 + 19 * mark.row) / plot
        colour = palette.warning if mark.is_limit else palette.marker
        figure.add_shape(
            type="line", x0=mark.x, x1=mark.x, xref="x", y0=0, y1=up, yref="paper",
            line={"color": colour, "width": 1.2, "dash": "3px,3px" if mark.is_limit else "solid"},
        )  # fmt: skip
        figure.add_annotation(
            x=mark.x, xref="x", xanchor="left" if mark.side == "right" else "right", y=up, yref="paper", yanchor="bottom",
            showarrow=False, text=f"<b>{mark.label}</b>", bgcolor=palette.background, borderpad=1,
            xshift=-3 if mark.side == "right" else 3,
            font={"size": 12.5, "color": palette.warning if mark.is_limit else palette.text},
        )  # fmt: skip
    figure.update_layout(
        layout(palette, top + plot + bottom),
        margin={"l": 10, "r": 24, "t": top, "b": bottom},
        bargap=0,
        xaxis={
            "range": [chart.length.low, chart.length.high], "fixedrange": True, "showgrid": False, "zeroline": False,
            "tickvals": [tick.value for tick in chart.length.ticks], "ticktext": [tick.label for tick in chart.length.ticks],
            "ticks": "outside", "ticklen": 4, "tickcolor": palette.marker, "tickangle": 0,
            "title": {"text": chart.length.title, "standoff": 6, "font": {"size": 12.5, "color": palette.soft}},
            "tickfont": {"size": 12.5, "color": palette.soft},
        },
        yaxis={
            "range": [chart.count.low, chart.count.high], "fixedrange": True, "showticklabels": False,
            "tickvals": [tick.value for tick in chart.count.ticks], "gridcolor": palette.grid, "zeroline": False,
        },
    )  # fmt: skip
    return figure


def memory_figure(chart: MemoryChart, theme: ThemeName) -> go.Figure:
    """Memory by phase of a training step, against what the GPU has."""
    palette = PALETTES[theme]
    names = [bar.label for bar in chart.bars]
    figure = go.Figure()
    for part in chart.parts:
        group = MEMORY_GROUPS[part]
        found = [next((p for p in bar.parts if p.name == part), None) for bar in chart.bars]
        figure.add_bar(
            x=[p.gib if p else 0.0 for p in found], y=names, orientation="h", width=0.62, name=MEMORY_LABELS[part],
            text=[p.label if p else "" for p in found], textposition="inside", insidetextanchor="middle", textangle=0,
            insidetextfont={"color": palette.on_groups[group], "size": 12.5}, constraintext="inside",
            marker={"color": palette.groups[group], "line": {"color": palette.background, "width": 1}},
            hovertemplate=f"{MEMORY_LABELS[part]}: %{{text}} GiB<extra></extra>",
        )  # fmt: skip
    top, plot = 46, 40 * len(chart.bars)
    marks = ((chart.needed_gib, chart.needed_label, "3px,3px", 0), (chart.usable_gib, chart.usable_label, "solid", 1))
    for at, label, dash, row in marks:
        _add_upright(figure, at, label, dash, row, plot, palette, "right" if at > chart.high / 2 else "left")
    for bar in chart.bars:
        figure.add_annotation(
            x=bar.gib, y=bar.label, xanchor="left", xshift=6, showarrow=False, bgcolor=palette.background, borderpad=1,
            text=f"<b>{bar.total_label}</b>" if bar.is_peak else bar.total_label, font={"size": 12.5, "color": palette.text},
        )  # fmt: skip
    figure.update_layout(
        layout(palette, top + plot + 6),
        margin={"l": 12 + LETTER_PX * max(map(len, names)), "r": 16, "t": top, "b": 6},
        barmode="stack",
        xaxis={"visible": False, "fixedrange": True, "range": [0, chart.high]},
        yaxis={
            "autorange": "reversed", "fixedrange": True, "tickvals": names, "ticks": "", "showgrid": False, "zeroline": False,
            "tickfont": {"size": 13, "color": palette.text}, "ticklabelstandoff": 6,
        },
    )  # fmt: skip
    return figure


def cost_hours_figure(chart: CostHoursChart, theme: ThemeName) -> go.Figure:
    """Ways to train by hours and cost."""
    palette = PALETTES[theme]
    top, bottom, plot = 28, 44, 320
    figure = go.Figure()
    figure.add_scatter(
        x=[dot.x for dot in chart.efficient], y=[dot.y for dot in chart.efficient], mode="lines", showlegend=False,
        hoverinfo="skip", line={"color": palette.price, "width": LINE_PX, "simplify": False},
    )  # fmt: skip
    kinds = [
        ([dot for dot in chart.dots if not dot.is_efficient], palette.marker, 6),
        ([dot for dot in chart.dots if dot.is_efficient], palette.price, 10),
    ]
    for dots, colour, size in kinds:
        figure.add_scatter(
            x=[dot.x for dot in dots], y=[dot.y for dot in dots], mode="markers", showlegend=False,
            text=[dot.text for dot in dots], hovertemplate="%{text}<extra></extra>",
            marker={
                "size": size, "color": [palette.background if dot.is_late else colour for dot in dots],
                "line": {"color": colour, "width": 1.2},
            },
        )  # fmt: skip
    if chart.deadline is not None:
        side = "left" if chart.hours.share(chart.deadline) < 0.5 else "right"
        _add_upright(figure, chart.deadline, chart.deadline_label, "3px,3px", 0, plot, palette, side, palette.warning, True)
    for tick in chart.value.ticks:
        _add_value_label(figure, tick, palette)
    for dot in chart.efficient:
        if dot.side is not None:
            _add_dot_name(figure, dot, palette)
    figure.update_layout(
        layout(palette, top + plot + bottom), margin={"l": 10, "r": 24, "t": top, "b": bottom}, hovermode="closest",
        xaxis=_bottom_axis(chart.hours, palette), yaxis=_side_axis(chart.value, palette),
    )  # fmt: skip
    return figure


def replica_figure(chart: ReplicaChart, theme: ThemeName) -> go.Figure:
    """Replicas by volume."""
    palette = PALETTES[theme]
    top, bottom, plot = 28, 44, 250
    figure = go.Figure()
    _add_band(figure, chart.steps, palette, "%{y:,.0f} at %{x:,.0f} requests a month", stepped=True)
    _add_today(figure, chart.today_x, chart.today_y, chart.today_label, chart.volume, chart.count.low, palette)
    for tick in chart.count.ticks:
        _add_value_label(figure, tick, palette)
    figure.update_layout(
        layout(palette, top + plot + bottom), margin={"l": 10, "r": 24, "t": top, "b": bottom},
        xaxis=_bottom_axis(chart.volume, palette), yaxis=_side_axis(chart.count, palette),
    )  # fmt: skip
    return figure


def utilisation_figure(chart: UtilisationChart, theme: ThemeName) -> go.Figure:
    """Cost of a million tokens by utilisation, against providers' prices."""
    palette = PALETTES[theme]
    top, bottom, plot = 28, 44, 300
    figure = go.Figure()
    _add_band(figure, chart.curve, palette, "%{y:,.3f} at %{x:.1%}")
    for offer in chart.offers:
        figure.add_scatter(
            x=[chart.utilisation.low, chart.utilisation.high], y=[offer.y, offer.y], mode="lines", showlegend=False,
            line={"color": palette.soft, "width": 1.3, "dash": "dash"},
            hovertemplate=f"{offer.label}: %{{y:,.3f}}<extra></extra>",
        )  # fmt: skip
    _add_today(figure, chart.today_x, chart.today_y, chart.today_label, chart.utilisation, chart.value.low, palette)
    for tick in chart.value.ticks:
        _add_value_label(figure, tick, palette)
    for name, colour in ((chart.own, palette.price), *((offer, palette.soft) for offer in chart.offers)):
        figure.add_annotation(
            x=1, xref="paper", xanchor="left", xshift=7, y=name.label_at, yref="paper", yanchor="middle", showarrow=False,
            align="left", text="<br>".join(name.label_rows) if name is not chart.own else f"<b>{name.label}</b>",
            font={"size": 13, "color": colour},
        )  # fmt: skip
    longest = max(len(row) for name in (chart.own, *chart.offers) for row in name.label_rows)
    figure.update_layout(
        layout(palette, top + plot + bottom), margin={"l": 10, "r": 14 + LETTER_PX * longest, "t": top, "b": bottom},
        xaxis=_bottom_axis(chart.utilisation, palette), yaxis=_side_axis(chart.value, palette),
    )  # fmt: skip
    return figure


def _add_upright(
    figure: go.Figure,
    at: float,
    label: str,
    dash: str,
    row: int,
    plot: int,
    palette: Palette,
    side: str,
    colour: str | None = None,
    logarithmic: bool = False,
) -> None:
    """A dashed or solid upright line through the plot, named above it; the name ends at the line or begins there."""  # fmt: skip
    up = 1 + (3 + 19 * row) / plot
    figure.add_shape(
        type="line", x0=at, x1=at, xref="x", y0=0, y1=up, yref="paper",
        line={"color": colour or palette.text, "width": 1.5, "dash": dash},
    )  # fmt: skip
    figure.add_annotation(
        x=log10(at) if logarithmic else at, xref="x", xanchor=side, y=up, yref="paper", yanchor="bottom", showarrow=False,
        text=f"<b>{label}</b>", bgcolor=palette.background, borderpad=1, xshift=3 if side == "right" else -3,
        font={"size": 12.5, "color": colour or palette.text},
    )  # fmt: skip


def _add_dot_name(figure: go.Figure, dot: PlanDot, palette: Palette) -> None:
    figure.add_annotation(
        x=log10(dot.x), y=log10(dot.y), xanchor="right" if dot.side == "left" else "left", yanchor="top", showarrow=False,
        xshift=-5 if dot.side == "left" else 5, yshift=-3, text=f"<b>{dot.label}</b>", bgcolor=palette.background, borderpad=0,
        font={"size": 12.5, "color": palette.price},
    )  # fmt: skip


def _add_band(figure: go.Figure, band: Band, palette: Palette, hover: str, stepped: bool = False) -> None:
    """A curve in its interval."""
    shape = "hv" if stepped else "linear"
    _add_range(figure, band, palette.price, shape)
    figure.add_scatter(
        x=band.x, y=band.y, mode="lines", showlegend=False, hovertemplate=f"{hover}<extra></extra>",
        line={"color": palette.price, "width": 2.5, "shape": shape, "simplify": False},
    )  # fmt: skip


def _add_range(figure: go.Figure, band: Band, colour: str, shape: str = "linear") -> None:
    """The ground between the ends of an interval."""
    edge = {"width": 0, "shape": shape}
    figure.add_scatter(x=band.x, y=band.low, mode="lines", line=edge, showlegend=False, hoverinfo="skip")
    figure.add_scatter(
        x=band.x,
        y=band.high,
        mode="lines",
        line=edge,
        fill="tonexty",
        fillcolor=faded(colour),
        showlegend=False,
        hoverinfo="skip",
    )


def faded(colour: str) -> str:
    """A colour as the ground of a band."""
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},0.16)"


def _add_today(figure: go.Figure, x: float, y: float, label: str, axis: Axis, bottom: float, palette: Palette) -> None:
    share = axis.share(x)
    figure.add_scatter(
        x=[x, x], y=[y, bottom], mode="lines", showlegend=False, hoverinfo="skip", line={"color": palette.marker, "width": 1.2},
    )  # fmt: skip
    figure.add_scatter(
        x=[x], y=[y], mode="markers", showlegend=False, hoverinfo="skip", cliponaxis=False,
        marker={"size": 11, "color": palette.price, "line": {"color": palette.background, "width": 1.5}},
    )  # fmt: skip
    figure.add_annotation(
        x=log10(x), y=log10(y), yanchor="bottom", yshift=8, showarrow=False, text=f"<b>{label}</b>",
        xanchor="left" if share < 0.2 else "right" if share > 0.8 else "center", bgcolor=palette.background, borderpad=1,
        font={"size": 13, "color": palette.text},
    )  # fmt: skip


def _bottom_axis(axis: Axis, palette: Palette) -> dict[str, Any]:
    return {
        "type": "log" if axis.logarithmic else "linear",
        "range": [log10(axis.low), log10(axis.high)] if axis.logarithmic else [axis.low, axis.high],
        "fixedrange": True, "showgrid": False, "zeroline": False, "ticks": "outside", "ticklen": 4, "tickcolor": palette.marker,
        "tickangle": 0, "tickvals": [tick.value for tick in axis.ticks], "ticktext": [tick.label for tick in axis.ticks],
        "tickfont": {"size": 12.5, "color": palette.soft},
        "title": {"text": axis.title, "standoff": 6, "font": {"size": 12.5, "color": palette.soft}},
    }  # fmt: skip


def _side_axis(axis: Axis, palette: Palette) -> dict[str, Any]:
    """Its labels are drawn inside the plot: see `_add_value_label`."""
    return {
        "type": "log", "range": [log10(axis.low), log10(axis.high)], "fixedrange": True, "showticklabels": False,
        "tickvals": [tick.value for tick in axis.ticks], "gridcolor": palette.grid, "zeroline": False,
    }  # fmt: skip


def _add_day(figure: go.Figure, mark: DayMark, dash: str, plot: int, palette: Palette) -> None:
    """An upright line up to its name above the plot."""
    up = 1 + (3 + 19 * mark.row) / plot
    anchor, shift = {"right": ("left", -3), "left": ("right", 3), "centre": ("center", 0)}[mark.side]
    figure.add_shape(
        type="line", x0=mark.x, x1=mark.x, xref="x", y0=0, y1=up, yref="paper", layer="below",
        line={"color": palette.marker, "width": 1.2, "dash": dash},
    )  # fmt: skip
    figure.add_annotation(
        x=mark.x, xref="x", xanchor=anchor, xshift=shift, y=up, yref="paper", yanchor="bottom", showarrow=False,
        text=f"<b>{mark.label}</b>" if dash == "solid" else mark.label, bgcolor=palette.background, borderpad=1,
        font={"size": 12.5, "color": palette.text},
    )  # fmt: skip


def _add_price_line(figure: go.Figure, line: PriceLine, palette: Palette) -> None:
    colour = palette.price if line.is_chosen else palette.soft
    width, size = (3, 9) if line.is_chosen else (1.5, 7)
    for x, y in line.runs:
        figure.add_scatter(
            x=x, y=y, mode="lines", showlegend=False, hoverinfo="skip",
            line={"color": colour, "width": width, "dash": line.dash, "simplify": False},
        )  # fmt: skip
    marks = {"stated": ("circle", colour), "seen": ("circle", palette.background), "end": ("x-thin-open", colour)}
    for kind, (symbol, fill) in marks.items():
        points = [point for point in line.points if point.kind == kind]
        if points:
            figure.add_scatter(
                x=[point.x for point in points], y=[point.y for point in points], mode="markers", showlegend=False,
                text=[point.label for point in points], hovertemplate="%{text}<extra></extra>", cliponaxis=False,
                marker={"symbol": symbol, "size": size, "color": fill, "line": {"color": colour, "width": 2}},
            )  # fmt: skip
    figure.add_annotation(
        x=1, xref="paper", xanchor="left", xshift=7, y=line.label_at, yref="paper", yanchor="middle", showarrow=False,
        align="left", text="<br>".join(f"<b>{row}</b>" if line.is_chosen else row for row in line.label_rows),
        font={"size": 13, "color": colour},
    )  # fmt: skip


def broken(label: str) -> str:
    """A long name in rows."""
    return "<br>".join(Line("", label, "prompting", "solid", (), (), 0.0).label_rows)


def layout(palette: Palette, height: int) -> dict[str, Any]:
    """What every figure has alike."""
    return {
        "height": height,
        "paper_bgcolor": palette.background,
        "plot_bgcolor": palette.background,
        "font": {"family": FONT, "size": 13, "color": palette.text},
        "showlegend": False,
        "dragmode": False,
        "uniformtext": {"mode": "hide", "minsize": 11},
        "hoverlabel": {"bgcolor": palette.background, "bordercolor": palette.border, "font": {"color": palette.text}},
    }
