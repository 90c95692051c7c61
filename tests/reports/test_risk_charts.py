"""Charts and words of a simulation: what they mark is what was drawn, in both renderers."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from math import log10
from pathlib import Path

import numpy as np
import pytest

from calc import compare
from calc.risk import assess
from calc.uncertainty import Figure, Percentiles, band, simulate
from ingest import load_scenario
from pricing import PriceBook
from reports import field_words, risk_words, words
from reports.charts import VolumeBand, band_volumes, break_even_chart
from reports.plotly_charts import break_even_figure
from reports.plotly_risk import break_even_histogram_figure, cheapest_figure, tornado_figure
from reports.print_risk import break_even_histogram_svg, cheapest_svg, tornado_svg
from reports.risk_charts import MOST_BARS, break_even_histogram, cheapest_chart, tornado_chart

REPOSITORY = Path(__file__).resolve().parents[2]
BOOK = PriceBook.bundled()
DAY = date(2026, 11, 21)
THEMES = ("light", "dark")


def example(name: str):
    return compare(load_scenario(REPOSITORY / "examples" / f"{name}.yaml"), BOOK, today=DAY)


@pytest.fixture(scope="module")
def support():
    return assess(example("support_tone"), scrambles=2, complete=False)


@pytest.fixture(scope="module")
def code():
    return assess(example("code_conventions"), scrambles=2, complete=False)


def annotations(figure) -> list[str]:
    return [annotation.text.replace("<b>", "").replace("</b>", "") for annotation in figure.layout.annotations]


def with_shares(risk, **shares: float):
    """The risk, approaches the cheapest as often as said, never otherwise."""
    found = {
        name: replace(one, probability_cheapest=Figure(shares.get(name.replace("-", "_"), 0.0), 0.001))
        for name, one in risk.approaches.items()
    }
    return replace(risk, approaches=found)


# --- words ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("probability", "told"),
    [(0, "0%"), (1 / 131_072, "under 0.1%"),
     (0.0009, "under 0.1%"), (0.0123, "1.2%"), (0.0996, "10%"), (0.7795, "78%"), (0.9957, "99.6%"),
     (0.9996, "over 99.9%"), (1, "100%")],
)  # fmt: skip
def test_shares_never_look_surer_than_they_are(probability, told):
    assert risk_words.share(probability) == told


@pytest.mark.parametrize(
    ("probability", "told"),
    [(0.7795, "78 of 100 simulations"), (1, "every simulation"), (0.9991, "more than 99 of 100 simulations"),
     (0.001, "fewer than 1 of 100 simulations")],
)  # fmt: skip
def test_counts_of_100(probability, told):
    assert risk_words.of_100(probability) == told


def test_the_verdict_names_who_wins_how_often(support):
    told = risk_words.verdict(with_shares(support, prompting=0.22, few_shot=0.7, rag=0.076, hybrid=0.004))
    assert told == "Few-shot is cheapest in 70 of 100 simulations, prompting in 22, RAG in 8"
    assert risk_words.verdict(support) == "Few-shot is cheapest in 78 of 100 simulations, prompting in 22"


def test_reasons_say_what_the_choice_costs_and_what_was_drawn(support):
    regret = support.approaches["few-shot"].regret_usd.value
    told = risk_words.reasons(support)
    assert f"choosing few-shot costs {words.money(regret)} more over 12 months than the best choice would" in told
    assert "7 inputs carry a stated range, 33 assumptions bring their own; 30 stated numbers were held fixed." in told


def test_another_safest_and_another_most_often_are_named(support):
    told = risk_words.reasons(replace(with_shares(support, prompting=0.6, few_shot=0.4), safest="prompting"))
    assert told.startswith("At the point values few-shot is cheapest.")
    assert "Choosing prompting costs least on average" in told
    assert cheapest_chart(replace(with_shares(support, prompting=0.6, few_shot=0.4), safest="prompting")).title == (
        "Prompting is safer, though few-shot wins at the point values"
    )


def test_an_infinite_regret_is_said_and_shown_as_missing(support):
    endless = replace(
        support.approaches["few-shot"], regret_usd=Figure(np.inf, np.inf), compared_usd=Percentiles(1.0, 2.0, np.inf)
    )
    risk = replace(support, approaches=dict(support.approaches) | {"few-shot": endless})
    assert "none of few-shot's answers is accepted" in risk_words.reasons(risk)
    row = next(row for row in risk_words.approach_rows(risk) if row.about == "Few-shot")
    assert (row.figures["regret"], row.figures["P90"]) == (words.MISSING, words.MISSING)
    assert "inf" not in cheapest_chart(risk).alt


def test_every_drawn_or_fixed_number_of_every_example_has_words():
    for path in sorted((REPOSITORY / "examples").glob("*.yaml")):
        comparison = example(path.stem)
        for named in (*field_words_of_inputs(comparison), *field_words_of_fixed(comparison)):
            assert "_" not in named
            assert named[0].isupper() or named.split(":")[0] in comparison.results
            assert len(named) <= 60


def field_words_of_inputs(comparison):
    from calc.sampling import uncertain_inputs

    return [field_words.input_label(one, comparison.scenario) for one in uncertain_inputs(comparison)]


def field_words_of_fixed(comparison):
    from calc.sampling import held_fixed

    return [field_words.label(path, comparison.scenario) for path in held_fixed(comparison)]


@pytest.mark.parametrize(
    ("path", "number", "told", "on_a_chart"),
    [
        ("approaches.rag.accepted", 0.929, "92.9%", "92.9%"),
        ("task.rejected_answer_usd", 0.06, "$0.06", "$0.06"),
        ("workload.requests_per_month", 180_000, "180,000", "180k"),
        ("workload.requests_per_month", 24_938_362.5, "24.9 million", "24.9M"),
        ("assumptions.staff.prompt_set_up_hours", 34.4321, "34.4", "34.4"),
        ("predicted.serving", 0.8512, "0.85 times", "0.85 times"),
        ("assumptions.finance.discount_rate_per_year", 0.08, "8%", "8%"),
    ],
)
def test_values_are_written_in_their_unit(path, number, told, on_a_chart):
    assert field_words.value(path, number) == told
    assert field_words.value_short(path, number) == on_a_chart


def test_approaches_with_dots_in_their_names_are_found():
    scenario = example("support_tone").scenario
    dotted = scenario.model_copy(update={"approaches": {"gpt-4.1 tuned": scenario.approaches["fine-tuning"]}})
    assert field_words.label("approaches.gpt-4.1 tuned.accepted", dotted) == "Gpt-4.1 tuned answers accepted"


# --- who is cheapest ------------------------------------------------------------------------------------------------------


def test_every_approach_has_a_bar_with_its_share_and_regret(support):
    chart = cheapest_chart(support)
    assert chart.title == "Few-shot is the safest choice too"
    assert [bar.label for bar in chart.bars] == [words.label(name) for name in support.approaches]
    assert [bar.share for bar in chart.bars] == [one.probability_cheapest.value for one in support.approaches.values()]
    for theme in THEMES:
        figure = cheapest_figure(chart, theme)
        assert list(figure.data[0].x) == [bar.share for bar in chart.bars]
        told = annotations(figure)
        assert all(bar.share_label in told and bar.regret_label in told for bar in chart.bars)
        assert figure.layout.xaxis.range[1] > max(bar.share for bar in chart.bars)


# --- from which volume ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["prompting", "rag", "fine-tuning", "hybrid"])
def test_bars_add_up_to_all_simulations(support, name):
    shares = support.against_winner[name]
    chart = break_even_histogram(support.comparison, shares)
    volumes = sum(bar.share for bar in chart.bars if bar.kind != "apart")
    apart = {bar.label: bar.share for bar in chart.bars if bar.kind == "apart"}
    assert volumes == pytest.approx(shares.from_a_volume, abs=0.01)  # the far ends are left out
    assert apart.get("never", 0.0) == pytest.approx(shares.never, abs=5e-4)
    assert sum(apart.values()) + volumes == pytest.approx(1, abs=0.01)
    assert chart.left <= log10(support.comparison.requests) <= chart.right
    below = sum(bar.share for bar in chart.bars if bar.kind == "below today")
    assert below == pytest.approx(shares.below_today, abs=5e-3)
    for one, other in zip(chart.bars[:-1], chart.bars[1:], strict=True):
        assert one.right <= other.left + 1e-9 or other.right <= one.left + 1e-9
    assert all(chart.left <= bar.left and bar.right <= chart.right and bar.share <= chart.top for bar in chart.bars)


def test_the_median_and_eight_of_ten_are_marked(support):
    shares = support.against_winner["fine-tuning"]
    chart = break_even_histogram(support.comparison, shares)
    assert chart.spread is not None
    assert 10**chart.spread.middle == pytest.approx(shares.volumes.p50)
    assert chart.spread.label == f"median {words.volume_short(shares.volumes.p50)}"
    assert chart.title == "Fine-tuning beats few-shot from a median of 1.38 million, in 7 of 100 simulations never"
    assert chart.spread.y > max(bar.share for bar in chart.bars if bar.kind != "apart")
    told = annotations(break_even_histogram_figure(chart, "light"))
    assert "Today 180k" in told
    assert f"{chart.spread.label}<br>{chart.spread.span_label}" in told


def test_where_there_is_no_volume_the_bar_of_never_stands_alone(support):
    shares = replace(
        support.against_winner["rag"], from_a_volume=0.0, never=1.0, always=0.0, only_below=0.0, volumes=None, below_today=0.0,
        edges=(), shares=(),
    )  # fmt: skip
    chart = break_even_histogram(support.comparison, shares)
    assert chart.title == "RAG never beats few-shot"
    assert [bar.label for bar in chart.bars] == ["never"]
    assert chart.spread is None
    assert b"never" in break_even_histogram_svg(chart)
    assert "100%" in annotations(break_even_histogram_figure(chart, "dark"))


def test_always_and_only_below_have_bars_of_their_own(support):
    shares = replace(support.against_winner["rag"], from_a_volume=0.0, never=0.2, always=0.5, only_below=0.3, edges=(), shares=())
    chart = break_even_histogram(support.comparison, replace(shares, volumes=None, below_today=0.0))
    by_label = {bar.label: bar for bar in chart.bars}
    assert by_label["always"].right < log10(support.comparison.requests) < by_label["only below"].left
    assert by_label["only below"].right < by_label["never"].left
    assert chart.title == "RAG beats few-shot at every volume in 50 of 100 simulations"


# --- what the lead hangs on -----------------------------------------------------------------------------------------------


def test_bars_are_the_tornados_and_flips_are_at_zero(code):
    chart = tornado_chart(code)
    assert chart.title == "Three inputs can take the win from RAG; tuning upkeep cannot"
    bars = {bar.label: bar for bar in chart.bars}
    rag = bars["RAG accepted"]
    assert rag.has_flip
    assert rag.low < 0 < rag.high
    assert (rag.flips_to, rag.loser, rag.rival) == ("hybrid", "hybrid", "to hybrid")
    assert rag.flip == "below 79.2%"
    assert (rag.low_label, rag.high_label) == ("78.8%", "85.7%")
    assert bars["Hybrid accepted"].flip.startswith("rarely, above")
    assert not bars["Hybrid accepted"].has_flip
    assert bars["Set-up hours of tuning"].note == "assumed"
    assert len(chart.bars) == MOST_BARS
    assert chart.rest.startswith("29 more inputs move it by less than $")
    assert [bar.high - bar.low for bar in chart.bars] == sorted((bar.high - bar.low for bar in chart.bars), reverse=True)
    assert all(chart.low < bar.low and bar.high < chart.high for bar in chart.bars)
    assert chart.low < chart.ticks[0].value <= 0 <= chart.ticks[-1].value < chart.high


def test_a_bar_changes_colour_at_zero_and_a_diamond_marks_it(code):
    chart = tornado_chart(code)
    for theme in THEMES:
        figure = tornado_figure(chart, theme)
        first = [trace for trace in figure.data if trace.type == "bar" and trace.y[0] == 0]
        assert sorted(trace.base[0] for trace in first) == [pytest.approx(chart.bars[0].low), 0.0]
        assert len({trace.marker.color for trace in first}) == 2
        diamonds = [trace for trace in figure.data if trace.type == "scatter"]
        assert [trace.x[0] for trace in diamonds] == [0] * sum(bar.has_flip for bar in chart.bars)
        assert any("flips" in text and "below 79.2%" in text for text in annotations(figure))
    assert not any("no flip" in text for text in annotations(tornado_figure(chart, "light", narrow=True)))


def test_where_only_one_can_win_the_head_names_it(support):
    chart = tornado_chart(support)
    assert (chart.winner, chart.others) == ("few-shot wins", "prompting wins")
    assert {bar.rival for bar in chart.bars} == {""}
    assert {"▸ few-shot wins", "prompting wins ◂"} <= set(annotations(tornado_figure(chart, "light")))


def test_another_win_in_the_winners_colour_is_paler(code):
    chart = tornado_chart(code)
    same = replace(chart, bars=(replace(chart.bars[0], loser=chart.winner_family), *chart.bars[1:]))
    below, above = (
        next(t for t in tornado_figure(same, "dark").data if t.type == "bar" and t.base[0] == at) for at in (chart.bars[0].low, 0)
    )
    assert below.marker.color == above.marker.color
    assert below.marker.opacity < above.marker.opacity


def test_without_a_flip_the_title_says_so(support):
    firm = replace(support.tornado, bars=tuple(replace(bar, flips_at=None, flips_to=None) for bar in support.tornado.bars))
    assert tornado_chart(replace(support, tornado=firm)).title == "No input alone takes the win from few-shot"
    assert tornado_chart(replace(support, tornado=None)) is None


def test_a_bar_without_a_length_is_seen_all_the_same(support):
    first, *others = support.tornado.bars
    still = replace(others[-1], lead_at_low_usd=5.0, lead_at_high_usd=5.0, flips_at=others[-1].point * 2, flips_to="rag")
    chart = tornado_chart(replace(support, tornado=replace(support.tornado, bars=(first, still))))
    drawn = [trace for trace in tornado_figure(chart, "light").data if trace.type == "bar" and trace.y[0] == -1]
    assert [(trace.base[0], trace.x[0] > 0) for trace in drawn] == [(5.0, True)]


def test_an_end_without_accepted_answers_is_named_not_drawn(support):
    first, *others = support.tornado.bars
    endless = replace(support.tornado, bars=(replace(first, lead_at_low_usd=np.inf), *others))
    chart = tornado_chart(replace(support, tornado=endless))
    assert "Prompting answers accepted: at an end of the range no answers are accepted" in chart.rest
    assert "Prompting accepted" not in {bar.label for bar in chart.bars}
    assert "inf" not in chart.alt


def test_print_has_the_same_words_and_the_same_bytes_each_time(code):
    chart = tornado_chart(code)
    assert tornado_svg(chart) == tornado_svg(chart)
    for label in [bar.label for bar in chart.bars]:
        assert label.encode() in tornado_svg(chart)
    assert b"regret" in cheapest_svg(cheapest_chart(code))
    assert b"median" in break_even_histogram_svg(break_even_histogram(code.comparison, code.against_winner["hybrid"]))


# --- the band on the page Decide ------------------------------------------------------------------------------------------


def test_the_band_is_in_the_charts_unit():
    comparison = example("support_tone")
    volumes = band_volumes(comparison)
    low, high = band(simulate(comparison, scrambles=2), comparison.winner(), volumes)
    spread = VolumeBand(tuple(volumes), tuple(low), tuple(high), 8192)
    growth = 1.03 ** np.arange(12)
    for unit, per in (("month", 12.0), ("request", volumes * growth.sum()), ("horizon", 1.0)):
        chart = break_even_chart(comparison, unit, spread)
        assert chart.band is not None
        assert chart.band.x == tuple(volumes)
        assert chart.band.low == pytest.approx(np.maximum(low / per, chart.value.low))
        assert chart.band.high == pytest.approx(np.minimum(high / per, chart.value.high))
        assert "Shaded: 8 in 10 of 8,192 simulations of few-shot, above its line where ranges reach further up" in chart.caption
        without = break_even_figure(break_even_chart(comparison, unit), "light")
        assert len(break_even_figure(chart, "light").data) == len(without.data) + 2


def test_a_band_around_the_line_needs_no_explanation_and_endless_ends_are_left_out():
    comparison = example("support_tone")
    volumes = band_volumes(comparison)
    total = comparison.available["few-shot"].curve.total(volumes)
    high = total * 1.1
    high[:3] = np.inf
    chart = break_even_chart(comparison, "month", VolumeBand(tuple(volumes), tuple(total * 0.9), tuple(high), 8192))
    assert chart.caption.endswith("Shaded: 8 in 10 of 8,192 simulations of few-shot.")
    assert chart.band is not None
    assert chart.band.x == tuple(volumes[3:])


def test_the_badge_counts_the_winners_simulations():
    found = risk_words.badge(simulate(example("support_tone"), scrambles=2))
    assert found == words.Badge("certainty", "Cheapest in 78 of 100 simulations")
    assert not found.is_warning
