"""Charts of a simulation drawn with Plotly; what is drawn is decided in `reports.risk_charts`."""

from __future__ import annotations

import plotly.graph_objects as go

from reports.palette import PALETTES, Palette, ThemeName
from reports.plotly_charts import LETTER_PX, broken, layout
from reports.risk_charts import BreakEvenHistogram, CheapestChart, LeadBar, ShareBar, TornadoChart

ROW_PX = 54
BAR_PX = 22
LEAST_BAR = 0.003
"""Of the axis: so that what hardly moves the lead is seen at all."""
SAME_FAMILY = 0.5
"""Opacity of another approach's win where both have one colour."""
FADED = 0.5
"""Opacity of break-evens above today's volume."""


def cheapest_figure(chart: CheapestChart, theme: ThemeName) -> go.Figure:
    """How often each approach is the cheapest."""
    palette = PALETTES[theme]
    names = [broken(bar.label) for bar in chart.bars]
    figure = go.Figure()
    figure.add_bar(
        x=[bar.share for bar in chart.bars], y=names, orientation="h", width=0.5,
        marker={"color": [palette.families[bar.family] for bar in chart.bars], "line": {"width": 0}},
        text=[f"{bar.label}: {bar.share_label}, regret {bar.regret_label}" for bar in chart.bars], textposition="none",
        hovertemplate="%{text}<extra></extra>",
    )  # fmt: skip
    for bar, name in zip(chart.bars, names, strict=True):
        figure.add_annotation(
            x=bar.share, y=name, xanchor="left", xshift=5, showarrow=False, text=f"<b>{bar.share_label}</b>",
            font={"size": 13, "color": palette.text},
        )  # fmt: skip
        figure.add_annotation(
            x=1, xref="paper", y=name, xanchor="right", showarrow=False, text=bar.regret_label, bgcolor=palette.background,
            borderpad=1, font={"size": 13, "color": palette.soft},
        )  # fmt: skip
    top, plot = 26, 52 * len(chart.bars)
    figure.add_annotation(
        x=1, xref="paper", xanchor="right", y=1, yref="paper", yanchor="bottom", showarrow=False, text="regret",
        font={"size": 12.5, "color": palette.soft},
    )  # fmt: skip
    rows = [
        f'<span style="color:{palette.families[bar.family]}"><b>{name}</b></span>'
        for bar, name in zip(chart.bars, names, strict=True)
    ]
    longest = max(len(part) for name in names for part in name.split("<br>"))
    # Right of the longest bar there is room for its share and for the regrets.
    highest = max(max(bar.share for bar in chart.bars), 0.02)
    figure.update_layout(
        layout(palette, top + plot + 6),
        margin={"l": 14 + LETTER_PX * longest, "r": 8, "t": top, "b": 6},
        xaxis={"visible": False, "fixedrange": True, "range": [0, highest * 1.75]},
        yaxis={
            "autorange": "reversed", "fixedrange": True, "tickvals": names, "ticktext": rows, "ticks": "", "showgrid": False,
            "zeroline": False, "tickfont": {"size": 13}, "ticklabelstandoff": 6,
        },
    )  # fmt: skip
    return figure


def break_even_histogram_figure(chart: BreakEvenHistogram, theme: ThemeName) -> go.Figure:
    """From which volume an approach pays, over the simulations."""
    palette = PALETTES[theme]
    top, bottom, plot = 28, 30, 254
    colour = palette.families[chart.family]
    figure = go.Figure()
    for kind, fill, opacity in (("below today", colour, 1.0), ("above today", colour, FADED), ("apart", palette.soft, 1.0)):
        _add_bars(figure, [bar for bar in chart.bars if bar.kind == kind], fill, opacity, palette)
    for tick in chart.share_ticks:
        figure.add_annotation(
            x=0, xref="paper", xanchor="left", y=tick.value, yanchor="bottom", showarrow=False, text=tick.label, borderpad=0,
            bgcolor=palette.background, font={"size": 12.5, "color": palette.soft},
        )  # fmt: skip
    for bar in chart.bars:
        if bar.kind == "apart":
            figure.add_annotation(
                x=(bar.left + bar.right) / 2, y=bar.share, yanchor="bottom", showarrow=False, text=f"<b>{bar.share_label}</b>",
                font={"size": 13, "color": palette.text},
            )  # fmt: skip
    if chart.today is not None:
        _add_today(figure, chart, palette)
    if chart.spread is not None:
        _add_spread(figure, chart, palette)
    apart = [bar for bar in chart.bars if bar.kind == "apart"]
    figure.update_layout(
        layout(palette, top + plot + bottom),
        margin={"l": 8, "r": 16, "t": top, "b": bottom},
        bargap=0,
        xaxis={
            "range": [chart.left, chart.right], "fixedrange": True, "showgrid": False, "zeroline": False, "tickangle": 0,
            "tickvals": [*(tick.value for tick in chart.ticks), *((bar.left + bar.right) / 2 for bar in apart)],
            "ticktext": [*(tick.label for tick in chart.ticks), *(f"<b>{bar.label.replace(' ', '<br>')}</b>" for bar in apart)],
            "tickfont": {"size": 12.5, "color": palette.soft}, "linecolor": palette.marker, "showline": True,
        },
        yaxis={
            "range": [0, chart.top], "fixedrange": True, "showticklabels": False, "gridcolor": palette.grid, "zeroline": False,
            "tickvals": [tick.value for tick in chart.share_ticks],
        },
    )  # fmt: skip
    return figure


def _add_bars(figure: go.Figure, bars: list[ShareBar], colour: str, opacity: float, palette: Palette) -> None:
    figure.add_bar(
        x=[(bar.left + bar.right) / 2 for bar in bars], y=[bar.share for bar in bars],
        width=[bar.right - bar.left for bar in bars],
        marker={"color": colour, "opacity": opacity, "line": {"color": palette.background, "width": 1}},
        text=[bar.text for bar in bars], textposition="none", hovertemplate="%{text}<extra></extra>",
    )  # fmt: skip


def _add_today(figure: go.Figure, chart: BreakEvenHistogram, palette: Palette) -> None:
    figure.add_shape(
        type="line", x0=chart.today, x1=chart.today, y0=0, y1=1, yref="paper", line={"color": palette.marker, "width": 1.5}
    )
    figure.add_annotation(
        x=chart.today, y=1, yref="paper", yanchor="bottom", showarrow=False, text=f"<b>{chart.today_label}</b>",
        xanchor="left" if chart.today - chart.left < 0.15 * (chart.right - chart.left) else "center",
        font={"size": 13, "color": palette.text},
    )  # fmt: skip
    if chart.below_label:
        below = [bar for bar in chart.bars if bar.kind == "below today"]
        figure.add_annotation(
            x=min(bar.left for bar in below), y=0, xanchor="right", xshift=-4, yanchor="bottom", showarrow=False,
            text=f"<b>{chart.below_label}</b>", font={"size": 12.5, "color": palette.families[chart.family]},
        )  # fmt: skip


def _add_spread(figure: go.Figure, chart: BreakEvenHistogram, palette: Palette) -> None:
    spread = chart.spread
    assert spread is not None
    figure.add_scatter(
        x=[spread.low, spread.high], y=[spread.y, spread.y], mode="lines+markers", hoverinfo="skip",
        line={"color": palette.text, "width": 1.5},
        marker={"symbol": "line-ns", "size": 9, "line": {"color": palette.text, "width": 1.5}},
    )  # fmt: skip
    figure.add_scatter(
        x=[spread.middle], y=[spread.y], mode="markers", hoverinfo="skip", marker={"size": 9, "color": palette.text}
    )
    share = (spread.middle - chart.left) / (chart.right - chart.left)
    figure.add_annotation(
        x=spread.middle, y=spread.y, yanchor="bottom", yshift=7, showarrow=False, bgcolor=palette.background, borderpad=1,
        xanchor="left" if share < 0.25 else "right" if share > 0.75 else "center",
        text=f"<b>{spread.label}</b><br>{spread.span_label}", font={"size": 12.5, "color": palette.text},
    )  # fmt: skip


def tornado_figure(chart: TornadoChart, theme: ThemeName, narrow: bool = False) -> go.Figure:
    """What the lead hangs on.

    Args:
        narrow: only flips are told beside the inputs' names, as on a phone.
    """
    palette = PALETTES[theme]
    top, bottom, plot = 26, 44, ROW_PX * len(chart.bars) + 8
    figure = go.Figure()
    for row, bar in enumerate(chart.bars):
        _add_lead(figure, chart, bar, -row, palette, narrow)
    _add_heads(figure, chart, palette)
    figure.add_shape(
        type="line", x0=0, x1=0, y0=0, y1=1, yref="paper", line={"color": palette.marker, "width": 1.2}, layer="below"
    )
    figure.add_shape(
        type="line", x0=chart.today, x1=chart.today, y0=0, y1=1, yref="paper", layer="below",
        line={"color": palette.marker, "width": 1.2, "dash": "3px,3px"},
    )  # fmt: skip
    figure.add_annotation(
        x=chart.today, y=0, yref="paper", yanchor="top", showarrow=False, text=chart.today_label, bgcolor=palette.background,
        font={"size": 12.5, "color": palette.soft},
    )  # fmt: skip
    figure.update_layout(
        layout(palette, top + plot + bottom),
        margin={"l": 14, "r": 14, "t": top, "b": bottom},
        barmode="overlay",
        xaxis={
            "range": [chart.low, chart.high], "fixedrange": True, "gridcolor": palette.grid, "zeroline": False, "tickangle": 0,
            "tickvals": [tick.value for tick in chart.ticks], "ticktext": [tick.label for tick in chart.ticks],
            "tickfont": {"size": 12.5, "color": palette.soft}, "ticks": "outside", "ticklen": 16, "tickcolor": palette.background,
        },
        yaxis={"range": [-len(chart.bars) + 0.42, 0.78], "visible": False, "fixedrange": True},
    )  # fmt: skip
    return figure


def _add_lead(figure: go.Figure, chart: TornadoChart, bar: LeadBar, y: float, palette: Palette, narrow: bool) -> None:
    """The bar, the colour of who wins on either side of zero; its name and flip above it; the input's values at its ends."""
    said = f"{bar.label}: {bar.low_label} to {bar.high_label}"
    end = max(bar.high, bar.low + LEAST_BAR * (chart.high - chart.low))
    parts = [(max(bar.low, 0.0), max(end, 0.0), chart.winner_family)]
    if bar.low < 0:
        parts.append((bar.low, min(end, 0.0), bar.loser or chart.winner_family))
    for first, last, family in parts:
        opacity = SAME_FAMILY if last <= 0 and family == chart.winner_family else 0.88
        if last > first:
            figure.add_bar(
                base=[first], x=[last - first], y=[y], orientation="h", width=BAR_PX / ROW_PX,
                hovertemplate=f"{said}<extra></extra>",
                marker={"color": palette.families[family], "opacity": opacity, "line": {"width": 0}},
            )  # fmt: skip
    figure.add_annotation(
        x=0, xref="paper", xanchor="left", y=y + 0.25, yanchor="bottom", showarrow=False, bgcolor=palette.background, borderpad=0,
        text=f"<b>{bar.label}</b>  {_flip(bar, palette, narrow)}", font={"size": 13, "color": palette.text},
    )  # fmt: skip
    for x, label, side in ((bar.low, bar.low_label, "right"), (bar.high, bar.high_label, "left")):
        figure.add_annotation(
            x=x, y=y, xanchor=side, xshift=-4 if side == "right" else 4, showarrow=False, text=label, bgcolor=palette.background,
            borderpad=0, font={"size": 12.5, "color": palette.soft},
        )  # fmt: skip
    if bar.has_flip:
        figure.add_scatter(
            x=[0], y=[y], mode="markers", hoverinfo="skip",
            marker={"symbol": "diamond", "size": 13, "color": palette.background, "line": {"color": palette.text, "width": 1.8}},
        )  # fmt: skip


def _flip(bar: LeadBar, palette: Palette, narrow: bool) -> str:
    note = f"{bar.note}, " if bar.note and not narrow else ""
    if bar.flips_to is None:
        return "" if narrow else f'<span style="color:{palette.soft}">{note}{bar.flip}</span>'
    soft = f'<span style="color:{palette.soft}">{note}</span>'
    flips = f"flips {bar.rival} " if bar.rival and not narrow else "flips "
    return f'{soft}<span style="color:{palette.families[bar.flips_to]}">{flips}<b>{bar.flip}</b></span>'


def _add_heads(figure: go.Figure, chart: TornadoChart, palette: Palette) -> None:
    """Who wins on either side of zero."""
    heads = [(f"▸ {chart.winner}", "left", 6, palette.families[chart.winner_family])]
    if chart.others:
        colour = palette.soft if chart.others_family is None else palette.families[chart.others_family]
        heads.append((f"{chart.others} ◂", "right", -6, colour))
    for text, side, shift, colour in heads:
        figure.add_annotation(
            x=0, y=1, yref="paper", yanchor="bottom", xanchor=side, xshift=shift, showarrow=False, text=f"<b>{text}</b>",
            font={"size": 12.5, "color": colour},
        )  # fmt: skip
