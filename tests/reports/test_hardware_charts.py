"""Charts of own GPUs: what they mark is what the figures say, in both renderers."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from math import ceil, log10

import numpy as np
import pytest

from calc.hardware.architecture import shape_of
from calc.hardware.memory import TuningSetup, memory_need, memory_phases, usable_gib
from calc.hardware.serving_throughput import replicas
from pricing import PriceBook
from pricing.model import ExchangeRate
from reports import hardware_words, words
from reports.charts import MOST_OFFERS, Plan, cost_hours_chart, memory_chart, replica_chart, utilisation_chart
from reports.plotly_charts import cost_hours_figure, memory_figure, replica_figure, utilisation_figure
from reports.print_charts import cost_hours_svg, memory_svg, replica_svg, utilisation_svg
from reports.words import MEMORY_LABELS

RATES = PriceBook.bundled().as_of(date(2026, 11, 21))
THEMES = ("light", "dark")

PLANS = [
    Plan("8 × H100", "8 × H100 of Acme", 0.5, 40.0),
    Plan("H100", "H100 of Acme", 3.0, 12.0),
    Plan("L40S", "L40S of Acme", 9.0, 8.0),
    Plan("A100", "A100 of Acme", 4.0, 13.0),
    Plan("L4", "L4 of Acme", 30.0, 20.0),
]


def memory_of(gpu_id: str = "rtx-4090", **setup):
    shape, fit = shape_of(RATES.open_model("meta/llama-3.1-8b")), RATES.fit("memory")
    asked = TuningSetup(**({"technique": "qlora"} | setup))
    phases = {
        phase: {name: float(parts[name]) for name in MEMORY_LABELS} for phase, parts in memory_phases(shape, asked, fit).items()
    }
    need, gpu = memory_need(shape, asked, fit), RATES.gpu(gpu_id)
    return memory_chart(phases, float(need.needed_gib), usable_gib(gpu), shape.name, gpu.name), need


def annotations(figure) -> list[str]:
    return [annotation.text.replace("<b>", "").replace("</b>", "") for annotation in figure.layout.annotations]


# --- memory -------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("technique", ["qlora", "lora", "full"])
def test_the_largest_bar_is_the_need_and_its_phase(technique):
    chart, need = memory_of(technique=technique)
    [peak] = [bar for bar in chart.bars if bar.is_peak]
    assert peak.gib == pytest.approx(float(need.peak_gib))
    assert peak.label == words.PHASE_LABELS[need.phase]
    assert all(bar.gib <= peak.gib for bar in chart.bars)
    for bar in chart.bars:
        assert sum(part.gib for part in bar.parts) == pytest.approx(bar.gib)


def test_the_title_says_what_is_spare_or_missing():
    fits, need = memory_of()
    assert f"fits the NVIDIA GeForce RTX 4090 with {23.5 - float(need.needed_gib):.1f} GiB to spare" in fits.title
    lacks, need = memory_of(technique="full")
    assert f"lacks {float(need.needed_gib) - 23.5:.1f} GiB on the NVIDIA GeForce RTX 4090" in lacks.title
    assert f"Needed {float(need.needed_gib):.1f} GiB of 23.5 usable" in lacks.alt


@pytest.mark.parametrize("theme", THEMES)
def test_memory_is_drawn_with_the_usable_line(theme):
    chart, _ = memory_of()
    figure = memory_figure(chart, theme)
    assert {"usable 23.5", chart.needed_label} <= set(annotations(figure))
    lines = {shape.x0 for shape in figure.layout.shapes}
    assert lines == {chart.usable_gib, chart.needed_gib}
    assert figure.layout.xaxis.range[1] >= chart.usable_gib
    assert memory_svg(chart) == memory_svg(chart)
    assert b"usable 23.5" in memory_svg(chart)


# --- cost and hours -----------------------------------------------------------------------------------------------------------


def test_the_frontier_is_what_nothing_beats():
    chart = cost_hours_chart(PLANS, 8.0)
    assert [dot.label for dot in chart.efficient] == ["8 × H100", "H100", "L40S"]
    assert {dot.label for dot in chart.dots if dot.is_late} == {"L40S", "L4"}
    assert chart.title == "Done 18 times sooner costs $40.00 instead of $8.00"
    assert "2 of 5 miss the deadline of 8 h" in chart.caption
    assert "8 × H100 of Acme $40.00 in 30 min; H100 of Acme $12.00 in 3 h; L40S of Acme $8.00 in 9 h" in chart.alt


def test_names_lie_within_the_plot_and_apart():
    chart = cost_hours_chart([Plan(f"{n} × H100 SXM5", "", 20 / n, 10 + n**0.5) for n in range(1, 30)])
    named = [dot for dot in chart.efficient if dot.side == "left"]
    assert 2 <= len(named) <= 6
    assert chart.efficient[0].side == chart.efficient[-1].side == "left"
    assert all(chart.hours.share(dot.x) - 0.024 * len(dot.label) >= 0 for dot in named)


def test_one_plan_is_fastest_and_cheapest():
    chart = cost_hours_chart(PLANS[:1])
    assert chart.title == "8 × H100 of Acme is both fastest and cheapest: $40.00 in 30 min"
    assert chart.deadline is None


@pytest.mark.parametrize("theme", THEMES)
def test_costs_and_hours_are_drawn_with_the_deadline(theme):
    chart = cost_hours_chart(PLANS, 8.0)
    figure = cost_hours_figure(chart, theme)
    assert "deadline 8 h" in annotations(figure)
    assert figure.layout.shapes[0].x0 == 8.0
    assert sum(len(trace.x) for trace in figure.data if trace.mode == "markers") == len(PLANS)
    assert b"deadline 8 h" in cost_hours_svg(chart)


def test_costs_are_drawn_in_the_currency_shown():
    with words.amounts_in(ExchangeRate(code="EUR", per_usd=Decimal("0.5"))):
        chart = cost_hours_chart(PLANS)
    assert max(dot.y for dot in chart.dots) == 20.0
    assert chart.value.title.startswith("EUR")


# --- hosting ------------------------------------------------------------------------------------------------------------------


def steps(requests: float = 500_000, capacity: float = 2.0, factor: float = 1.5):
    def at(each: float):
        return lambda volumes: replicas(np.asarray(volumes) * 3 / 1.3e6, each, 0.6)

    return replica_chart(at(capacity), at(capacity * factor), at(capacity / factor), requests, "L40S", "memory")


def test_replicas_are_whole_and_rise():
    chart = steps()
    assert set(np.diff(chart.steps.y)) <= {0.0, 1.0}
    assert all(low <= y <= high for low, y, high in zip(chart.steps.low, chart.steps.y, chart.steps.high, strict=True))
    assert chart.today_y == ceil(500_000 * 3 / 1.3e6 / 1.2)
    assert chart.title == "500,000 requests a month take 1 replica; more from 522,000 a month"
    assert "1 replica at 500,000, 1 to 2 in 9 of 10 predictions" in chart.alt


@pytest.mark.parametrize("theme", THEMES)
def test_replicas_are_drawn_as_steps(theme):
    chart = steps()
    figure = replica_figure(chart, theme)
    assert {trace.line.shape for trace in figure.data if len(trace.x) > 2} == {"hv"}
    assert "Today 500k" in annotations(figure)
    assert b"Today 500k" in replica_svg(chart)


def curve(offers: dict[str, float] | None = None, share: float = 0.1):
    found = {"Acme": 0.2, "Zeta": 0.05} if offers is None else offers
    return utilisation_chart(0.1, 0.06, 0.17, share, found, "L40S", "1,200 in and 300 out")


def test_the_curve_is_the_cost_at_full_use_over_the_utilisation():
    chart = curve()
    assert chart.curve.y == pytest.approx([0.1 / x for x in chart.curve.x])
    assert chart.today_y == pytest.approx(1.0)
    assert [offer.label for offer in chart.offers] == ["Zeta", "Acme"]
    assert chart.value.low < 0.05
    assert chart.value.high >= chart.curve.high[0]


@pytest.mark.parametrize(
    ("offers", "share", "said"),
    [
        ({"Acme": 0.2}, 0.1, "Own GPUs beat Acme only from 50% utilisation; today's is 10%"),
        ({"Acme": 0.2}, 0.8, "Own GPUs beat Acme from 50% utilisation; today's is 80%"),
        ({"Acme": 0.05}, 0.1, "Own GPUs cost more than Acme at any utilisation: $0.1000 at full use, against $0.0500"),
        ({}, 0.1, "A million tokens cost $1.0000 today and $0.1000 at full use"),
    ],
)
def test_the_finding_is_computed(offers, share, said):
    assert curve(offers, share).title == said


def test_many_offers_keep_the_cheapest():
    chart = curve({f"P{n}": 0.1 * n for n in range(1, 12)})
    assert [offer.label for offer in chart.offers] == [f"P{n}" for n in range(1, MOST_OFFERS + 1)]


@pytest.mark.parametrize("theme", THEMES)
def test_utilisation_is_drawn_with_direct_labels(theme):
    chart = curve()
    figure = utilisation_figure(chart, theme)
    assert {"Own GPUs", "Acme", "Zeta", "Today 10%"} <= set(annotations(figure))
    assert figure.layout.xaxis.range[1] == log10(1.0)
    svg = utilisation_svg(chart)
    assert all(name in svg for name in (b"Own GPUs", b"Acme", b"Zeta"))


# --- words --------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("amount", "said"),
    [
        (None, "—"), (0.001, "under a minute"), (1 / 60, "1 min"), (0.5, "30 min"), (0.999, "1 h"), (1.5, "1.5 h"), (8, "8 h"),
        (13.4, "13 h"), (71, "71 h"), (72, "3 days"), (1000, "42 days"),
    ],
)  # fmt: skip
def test_hours(amount, said):
    assert words.hours(amount) == said


@pytest.mark.parametrize(
    ("gpu_id", "name"), [("rtx-4090", "RTX 4090"), ("l40s", "L40S"), ("gb200", "GB200"), ("mi300x", "MI300X")]
)
def test_names_of_gpus_are_short(gpu_id, name):
    assert hardware_words.gpu_name(RATES.gpu(gpu_id)) == name
    assert hardware_words.gpus(2, RATES.gpu(gpu_id)) == f"2 × {name}"
