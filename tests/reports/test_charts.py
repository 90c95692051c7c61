"""Charts as data: what they draw is what the comparison says."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from calc import compare
from ingest import load_scenario
from pricing import PriceBook
from reports import words
from reports.charts import LABEL_HEIGHT, LABEL_WIDTH, break_even_chart, cost_lines_chart
from reports.intervals import interval_rows
from reports.print_charts import break_even_svg

EXAMPLES = sorted((Path(__file__).resolve().parents[2] / "examples").glob("*.yaml"))


@pytest.fixture(scope="module", params=EXAMPLES, ids=lambda path: path.stem)
def comparison(request):
    return compare(load_scenario(request.param), PriceBook.bundled())


@pytest.mark.parametrize("unit", ["month", "request", "horizon"])
def test_lines_show_the_totals(comparison, unit):
    chart = break_even_chart(comparison, unit)
    assert [line.name for line in chart.lines] == list(comparison.available)
    growth = next(iter(comparison.available.values())).served_requests / comparison.requests
    for line in chart.lines:
        x = np.array(line.x)
        per = {"month": comparison.months.count, "request": x * growth, "horizon": 1}[unit]
        np.testing.assert_allclose(np.array(line.y) * per, comparison.available[line.name].curve.total(x), rtol=1e-12)
        assert (np.diff(x) >= 0).all()
        assert line.x[0] == chart.volume.low
        assert line.x[-1] == chart.volume.high


def test_steps_are_drawn_upright(answer, tuned):
    owned = {
        "model": "acme/base",
        "serving": {"kind": "own_gpus", "gpu": "l40s", "rent": "runpod", "requests_per_second_per_replica": 0.05},
    }
    found = answer(
        50_000, approaches={"few-shot": None, "prompting": tuned(tuning=None), "fine-tuning": tuned(tuning=None, **owned)}
    )
    result = found.available["fine-tuning"]
    line = next(line for line in break_even_chart(found).lines if line.name == "fine-tuning")
    x, y = np.array(line.x), np.array(line.y)
    upright = np.flatnonzero((np.diff(x) < 1e-8 * x[1:]) & (np.diff(y) > 0.004 * y[1:]))
    breaks = np.unique(np.round(x[upright + 1], 3))
    loads = result.curve.steps.load
    assert len(breaks) >= 3
    assert all(np.isclose(loads * b, np.round(loads * b), atol=1e-6).any() for b in breaks)


def test_stretches_tile_the_volumes_and_are_the_cheapest(comparison):
    chart = break_even_chart(comparison, "horizon")
    assert chart.stretches[0].first == chart.volume.low
    for before, after in pairwise(chart.stretches):
        assert before.last == after.first
    for stretch in chart.stretches:
        middle = float(np.sqrt(stretch.first * stretch.last))
        cheapest = min(float(r.curve.total(middle)) for r in comparison.available.values())
        assert np.interp(middle, stretch.x, stretch.y) == pytest.approx(cheapest, rel=0.02)


def test_crossings_are_those_of_the_envelope(comparison):
    chart = break_even_chart(comparison)
    firsts = [interval.first for interval in comparison.envelope]
    assert {crossing.x for crossing in chart.crossings} <= set(firsts)
    assert chart.today.x == comparison.requests
    assert chart.today.family == comparison.results[comparison.winner()].family


def test_names_at_the_end_do_not_overlap(comparison):
    chart = break_even_chart(comparison)
    placed = sorted((line.label_at, len(line.label_rows) * LABEL_HEIGHT) for line in chart.lines)
    for (low, low_height), (high, high_height) in pairwise(placed):
        assert high - high_height / 2 >= low + low_height / 2 - 1e-9
    by_end = [line.name for line in sorted(chart.lines, key=lambda line: line.y[-1])]
    assert by_end == [line.name for line in sorted(chart.lines, key=lambda line: line.label_at)]


def test_labels_of_crossings_do_not_overlap(comparison):
    chart = break_even_chart(comparison)
    spans = [
        (c.row, *((at, at + LABEL_WIDTH) if c.side == "right" else (at - LABEL_WIDTH, at)))
        for c in chart.crossings
        if c.row is not None
        for at in [chart.volume.share(c.x)]
    ]
    for index, (row, low, high) in enumerate(spans):
        assert all(row != other or low >= far or high <= near for other, near, far in spans[index + 1 :])


def test_title_and_alt_say_the_finding(comparison):
    chart = break_even_chart(comparison)
    assert chart.title.startswith(f"{words.label(comparison.winner())} is cheapest")
    for name in comparison.available:
        assert words.label(name) in chart.alt


def test_bars_add_up_to_the_totals_of_the_cards(comparison):
    chart = cost_lines_chart(comparison)
    for bar in chart.bars:
        assert sum(part.usd for part in bar.parts) == pytest.approx(bar.usd, rel=1e-9)
        assert bar.usd == pytest.approx(words.total_usd(comparison, bar.name), rel=1e-9)
        assert words.label(bar.name) in chart.alt


def test_variants_share_a_colour_but_not_a_dash(comparison):
    lines = break_even_chart(comparison).lines
    assert len({(line.family, line.dash) for line in lines}) == len(lines)


def test_interval_rows_cover_every_volume(comparison):
    rows = interval_rows(comparison)
    assert rows[0].first == 1
    assert rows[-1].last == comparison.largest_volume
    assert all(row.why for row in rows)


def test_one_approach_alone_is_drawn(answer, prompting):
    found = answer(10_000, approaches={"few-shot": None, "prompting": prompting()})
    chart = break_even_chart(found)
    assert chart.crossings == ()
    assert "alone" in chart.title
    assert len(chart.stretches) == 1


@pytest.mark.parametrize("requests", [1, 37, 10**9])
def test_any_volume_is_within_the_chart(answer, requests):
    chart = break_even_chart(answer(requests))
    assert chart.volume.low <= requests <= chart.volume.high
    assert chart.value.low < chart.today.y < chart.value.high


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_plotly_draws_it_without_a_gap(comparison, theme):
    plotly_charts = pytest.importorskip("reports.plotly_charts", reason="plotly is not installed")
    figure = plotly_charts.break_even_figure(break_even_chart(comparison), theme)
    bars = plotly_charts.cost_lines_figure(cost_lines_chart(comparison), theme)
    for text in (figure.to_json(), bars.to_json()):
        assert "NaN" not in text
    assert figure.layout.xaxis.fixedrange
    assert figure.layout.dragmode is False


def test_value_above_the_cost_is_drawn_at_the_bottom(answer, prompting, tuned):
    approaches = {"few-shot": None, "prompting": prompting(accepted=0.5), "fine-tuning": tuned(accepted=0.8)}
    task = {"kind": "style", "examples": 100, "tokens_per_example": 200, "failure_mode": "discard"}
    found = answer(approaches=approaches, task=task, value={"usd_per_accepted_answer": 0.01})
    chart = break_even_chart(found)
    assert chart.today.y == min(y for line in chart.lines for y in line.y) > 0
    assert "what earns its cost lies at the bottom" in chart.caption
    assert "Prompting −$38" in chart.alt
    assert break_even_svg(chart).startswith(b"<?xml")
