"""The charts over one number and over two: what they draw is what the goal seek and the map of winners say."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from calc import compare
from calc.fields import VOLUME
from calc.goal_seek import GoalSeek, goal_seek, totals_at
from calc.movable import movable
from calc.winner_map import winner_map
from ingest import load_scenario
from pricing import PriceBook
from reports import map_words, plotly_charts, plotly_map, words
from reports.charts import volume_range
from reports.map_charts import TICK_ROOM, MapChart, Region, _map_finding, map_chart, number_axis, over_chart
from reports.print_charts import break_even_svg
from reports.print_map import map_svg

EXAMPLES = sorted((Path(__file__).resolve().parents[2] / "examples").glob("*.yaml"))
BOOK = PriceBook.bundled()
REJECTED = "task.rejected_answer_usd"
OUTPUT = "prices.openai/gpt-6.1-terra.output_usd_per_mtok"
SOUGHT = [REJECTED, OUTPUT, "approaches.few-shot.accepted", "horizon_months", "workload.answer_tokens"]


@pytest.fixture(scope="module", params=EXAMPLES, ids=lambda path: path.stem)
def comparison(request):
    return compare(load_scenario(request.param), BOOK)


@pytest.fixture(scope="module")
def support():
    return compare(load_scenario(next(path for path in EXAMPLES if path.stem == "support_tone")), BOOK)


def sought(comparison, path: str, low: float | None = None, high: float | None = None) -> GoalSeek:
    if path == VOLUME and low is None:
        low, high = volume_range(comparison)
    return goal_seek(comparison.scenario, comparison.rates.book, path, low, high)


def mapped(comparison, across: str, up: str) -> MapChart:
    along = sought(comparison, across)
    y = volume_range(comparison) if up == VOLUME else movable(comparison, up).usual_range(comparison)[:2]
    found = winner_map(comparison, along.number, movable(comparison, up), (along.low, along.high), y)
    return map_chart(found, along)


# --- one number -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", SOUGHT)
def test_lines_and_stretches_are_the_totals(support, path):
    found = sought(support, path, *((1, 12) if path == "horizon_months" else ()))
    chart = over_chart(found)
    for line in chart.lines:
        np.testing.assert_allclose(line.y, totals_at(found, np.array(line.x))[line.name], rtol=1e-12)
        assert (line.x[0], line.x[-1]) == (found.low, found.high)
    for stretch in chart.stretches:
        # whole values are joined up to the first with the next winner
        own = slice(None, -1 if found.number.whole and stretch is not chart.stretches[-1] else None)
        least = np.min(list(totals_at(found, np.array(stretch.x)).values()), axis=0)
        np.testing.assert_allclose(stretch.y[own], least[own], rtol=1e-6)
    assert chart.stretches[0].first == found.low
    assert chart.stretches[-1].last == found.high
    assert [a.last for a in chart.stretches[:-1]] == [b.first for b in chart.stretches[1:]] == [c.x for c in chart.crossings]


def test_over_the_volume_it_is_the_break_even(comparison):
    found = sought(comparison, VOLUME)
    chart = over_chart(found)
    assert {line.name for line in chart.lines} == set(comparison.available)
    for line in chart.lines:
        np.testing.assert_allclose(line.y, comparison.available[line.name].curve.total(np.array(line.x)), rtol=1e-12)
    assert chart.today is not None
    assert chart.today.x == comparison.requests
    assert {c.x for c in chart.crossings} <= {interval.first for interval in comparison.envelope}


def test_today_outside_the_range_is_not_drawn(support):
    found = sought(support, REJECTED, 0.1, 0.6)
    chart = over_chart(found)
    assert chart.today is None
    assert "outside the range" in map_words.reasons(found)
    assert "Today" not in break_even_svg(chart).decode()
    plotly_charts.break_even_figure(chart, "dark")


@pytest.mark.parametrize(
    ("path", "low", "high", "logarithmic"),
    [(REJECTED, 0.006, 0.6, True), (REJECTED, 0.0, 0.6, False), (REJECTED, 0.1, 0.6, False)],
)
def test_an_axis_is_logarithmic_over_a_hundredfold(support, path, low, high, logarithmic):
    axis = number_axis(support, movable(support, path), low, high)
    assert axis.logarithmic == logarithmic
    shares = [axis.share(tick.value) for tick in axis.ticks]
    assert (shares[0], shares[-1]) == pytest.approx((0, 1))
    assert min(np.diff(shares)) >= TICK_ROOM
    assert len({tick.label for tick in axis.ticks}) == len(axis.ticks)


def test_amounts_across_follow_the_currency(support):
    euros = support.scenario.model_copy(update={"finance": support.scenario.finance.model_copy(update={"currency": "EUR"})})
    chart = over_chart(sought(compare(euros, BOOK), REJECTED))
    assert all("€" in tick.label for tick in (*chart.volume.ticks, *chart.value.ticks))
    assert "€" in chart.today.label


# --- two numbers ------------------------------------------------------------------------------------------------------------


def test_regions_tile_the_map(comparison):
    up = next(path for path in (REJECTED, "task.rejected_answer_handling_minutes") if path in map_words.options(comparison))
    chart = mapped(comparison, VOLUME, up)
    held = np.stack([np.isfinite(region.lead) for region in chart.regions])
    assert (held.sum(axis=0) == 1).all()
    assert [region.area for region in chart.regions] == pytest.approx([where.mean() for where in held])
    assert chart.regions[0].label in chart.title
    for name in chart.names:
        region = next(i for i, region in enumerate(chart.regions) if region.label == name.label)
        assert held[region][round(name.y * 119), round(name.x * 159)]
    for theme in ("light", "dark"):
        figure = plotly_map.map_figure(chart, theme)
        assert [trace.type for trace in figure.data].count("heatmap") == len(chart.regions)
    assert map_svg(chart) == map_svg(chart)
    assert chart.across.title in map_svg(chart).decode()


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (["few-shot", "rag", "prompting"], "RAG on 20% and prompting on 10%"),
        (["few-shot", "rag", "prompting", "hybrid"], "RAG on 20%, prompting on 10% and hybrid on the rest"),
        (["few-shot", "rag", "prompting", "hybrid", "tuned"], "RAG on 20%, prompting on 10% and two more on the rest"),
    ],
)
def test_the_title_names_a_single_region_that_is_left(names, told):
    areas = [0.6, 0.2, 0.1, 0.07, 0.03]
    regions = [Region(name, words.label(name), "rag", np.zeros((1, 1)), area) for name, area in zip(names, areas, strict=False)]
    assert _map_finding(regions) == f"Few-shot is cheapest on 60% of this map, {told}"


@pytest.mark.parametrize(("across", "up"), [(REJECTED, VOLUME), (OUTPUT, "approaches.few-shot.accepted")])
def test_today_stands_in_the_region_that_wins_today(support, across, up):
    chart = mapped(support, across, up)
    winner = next(region for region in chart.regions if region.name == support.winner())
    assert np.isfinite(winner.lead[round(chart.today.y * 119), round(chart.today.x * 159)])
    assert words.in_sentence(support.winner()) in chart.alt


def test_the_nearest_change_is_the_goal_seeks_and_lies_on_a_border(support):
    chart, found = mapped(support, REJECTED, VOLUME), sought(support, REJECTED)
    shares = [chart.across.share(change.value) for change in found.changes]
    assert chart.change.x == pytest.approx(min(shares, key=lambda share: abs(share - chart.today.x)))
    ends = chart.borders.reshape(-1, 2)
    assert np.min(np.hypot(*(ends - (chart.change.x, chart.change.y)).T)) < 0.01


# --- words ------------------------------------------------------------------------------------------------------------------


def test_every_number_has_another_name(comparison):
    options = map_words.options(comparison)
    assert next(iter(options)) == VOLUME
    assert len(set(options.values())) == len(options)
    assert all("_" not in name for name in options.values())


@pytest.mark.parametrize(
    ("low", "high", "says"),
    [
        (1e3, 3e6, "is cheapest from 32,500 to 1.15 million requests a month; prompting below and fine-tuning above"),
        (1e5, 2e5, "is cheapest at every value from 100,000 to 200,000 requests a month"),
        (1e3, 2e5, "is cheapest from 32,500 requests a month; prompting below"),
        (1e6, 2e6, "is cheapest up to 1.15 million requests a month, fine-tuning from 1.15 million requests a month"),
    ],
)
def test_the_verdict_is_one_sentence(support, low, high, says):
    assert map_words.verdict(sought(support, VOLUME, low, high)) == f"Few-shot {says}"


def test_roots_are_said_for_two(support):
    pair = goal_seek(support.scenario, BOOK, VOLUME, 1e3, 3e6, between=("few-shot", "fine-tuning"))
    assert map_words.pair_answer(pair) == "At 1.15 million requests a month, above which fine-tuning is cheaper."
    never = goal_seek(support.scenario, BOOK, VOLUME, 1e3, 1e4, between=("few-shot", "fine-tuning"))
    assert (
        map_words.pair_answer(never) == "At no value: few-shot is cheaper at every value from 1,000 to 10,000 requests a month."
    )
