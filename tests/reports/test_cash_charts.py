"""Money over time in charts and words: the months by hand, what pays back, what ends, and why a figure is none."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pytest

from calc import compare
from ingest import load_scenario
from pricing import PriceBook
from reports import cash_words, words
from reports.cash_charts import flow_chart, money_axis, savings_chart
from reports.markdown import summary_markdown
from reports.pdf import report_data
from reports.plotly_charts import flow_figure, savings_figure
from reports.print_charts import savings_svg

EXAMPLES = sorted((Path(__file__).resolve().parents[2] / "examples").glob("*.yaml"))
SAVED = 200_000 * 800 / 1e6
"""A month: 800 tokens less in each prompt at $1 a million."""
SPENT = 20 * 50 + 100 * 200 * 10 / 1e6
"""Up front: hours and one training run."""


@pytest.fixture(scope="module")
def paying(answer):
    """Fine-tuning pays back in the seventh month: 1,000.20 ÷ 160 = 6.25."""
    return answer(200_000)


@pytest.fixture(scope="module", params=EXAMPLES, ids=lambda path: path.stem)
def example(request):
    return compare(load_scenario(request.param), PriceBook.bundled())


# --- by hand ----------------------------------------------------------------------------------------------------------------


def test_lines_are_the_cumulative_savings(paying):
    chart = savings_chart(paying)
    reference, tuned = chart.lines
    assert (reference.name, reference.is_reference, set(reference.y)) == ("prompting", True, {0.0})
    assert tuned.y == pytest.approx([-SPENT + month * SAVED for month in range(13)])
    assert [date.fromordinal(int(day)) for day in (tuned.x[0], tuned.x[-1])] == [date(2026, 12, 1), date(2027, 12, 1)]


def test_payback_is_marked_on_its_day(paying):
    chart = savings_chart(paying)
    dot = chart.lines[1].payback
    assert (dot.month, date.fromordinal(int(dot.x)), dot.y) == (7, date(2027, 7, 1), pytest.approx(7 * SAVED - SPENT))
    assert [mark.label for mark in chart.paybacks] == ["pays back in month 7"]
    assert chart.lines[0].payback is None


def test_what_never_pays_back_has_no_dot(by_hand):
    chart = savings_chart(by_hand)
    assert [line.payback for line in chart.lines] == [None, None]
    assert chart.paybacks == ()


def test_bars_are_the_flows(paying):
    chart = flow_chart(paying, "fine-tuning")
    assert list(chart.bars) == ["one-off", "running"]
    assert [bar.y for bar in chart.bars["one-off"]] == [pytest.approx(-SPENT)]
    assert [bar.y for bar in chart.bars["running"]] == [pytest.approx(SAVED)] * 12
    assert chart.title == "Fine-tuning takes $1,000 up front and saves $160 a month after that"


def test_value_is_a_kind_of_its_own(answer, prompting, tuned):
    less, more = {"successes": 8, "trials": 10}, {"successes": 9, "trials": 10}
    found = answer(
        value={"usd_per_accepted_answer": 1},
        task={"kind": "style", "examples": 100, "tokens_per_example": 200, "failure_mode": "discard"},
        approaches={"few-shot": None, "prompting": prompting(accepted=less), "fine-tuning": tuned(accepted=more)},
    )
    bars = flow_chart(found, "fine-tuning").bars
    assert [bar.y for bar in bars["value"]] == [pytest.approx(10_000 * 0.1)] * 12
    rows = {row["Method"]: row for row in cash_words.value_rows(found, "fine-tuning")}
    assert rows["Accepted answers"]["US$, 12 months"] == "$108,000"
    assert "enters the savings" in cash_words.value_caption(found)
    assert "ROI" in [figure.label for figure in cash_words.figures(found, "fine-tuning")]


# --- the verdict ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("requests", "title"),
    [
        (200_000, "Fine-tuning pays back against prompting in month 7"),
        (10_000, "Fine-tuning never pays back against prompting in 12 months"),
    ],
)
def test_verdict(answer, requests, title):
    assert cash_words.verdict(answer(requests)) == title


def test_verdict_names_the_first_the_last_and_those_that_never_do(answer, prompting, tuned):
    each = {f"tuned {hours} h": tuned(hours) for hours in (5, 20, 30, 100)}
    found = answer(200_000, approaches={"few-shot": None, "prompting": prompting(), **each})
    first = "Tuned 5 h pays back first against prompting, in month 2; tuned 30 h last, in month 10"
    assert cash_words.verdict(found) == f"{first}; tuned 100 h never does in 12 months"
    assert [mark.label for mark in savings_chart(found).paybacks] == ["pays back in month 2", "month 7", "month 10"]


def test_an_approach_that_costs_the_same_says_so(answer, prompting):
    found = answer(approaches={"few-shot": None, "prompting": prompting(), "again": prompting()})
    assert cash_words.verdict(found) == "Again costs the same as prompting in every month"
    assert savings_chart(found).title == "Nothing is saved against prompting over 12 months"


def test_what_saves_at_once_is_said_so(answer, prompting):
    dear = {"staffing": {"set_up_hours": 10, "maintenance_hours_per_month": 0}}
    found = answer(approaches={"few-shot": None, "prompting": prompting(**dear), "lean": prompting()})
    assert cash_words.verdict(found) == "Lean pays back against prompting at once"
    [figure] = [figure for figure in cash_words.figures(found, "lean") if figure.label == "Incremental ROI"]
    assert (figure.value, figure.why) == ("none", "No incremental ROI, because nothing is spent more up front.")


@pytest.mark.parametrize(
    ("changed", "title"),
    [
        ({"prompting": {"model": "acme/unpriced"}}, "Nothing can be held against prompting, the reference: it has no total"),
        ({"fine-tuning": None}, "Prompting is the only approach: there is nothing to save against"),
        ({"fine-tuning": {"model": "acme/unpriced"}}, "No other approach can be priced against prompting"),
    ],
)
def test_without_two_totals_it_says_why(answer, prompting, tuned, changed, title):
    approaches = {"few-shot": None, "prompting": prompting(), "fine-tuning": tuned()}
    for name, fields in changed.items():
        approaches[name] = None if fields is None else approaches[name] | fields
    found = answer(approaches=approaches)
    assert cash_words.verdict(found) == title
    assert (savings_chart(found), cash_words.best(found), cash_words.savings_rows(found)) == (None, None, [])
    assert "## Saved against" not in summary_markdown(found)


# --- events -----------------------------------------------------------------------------------------------------------------


def test_the_end_of_a_model_is_marked_with_its_source(answer, prompting):
    ending = prompting(model="acme/ending", instruction_tokens=100)
    found = answer(approaches={"few-shot": None, "prompting": prompting(), "short": ending})
    [event] = cash_words.cash_events(found)
    assert (event.day, event.kind, event.approaches, event.label) == (date(2027, 3, 1), "ends", ("short",), "ending ends")
    assert event.source == "https://acme.example/ends"
    [mark] = savings_chart(found).marks
    assert (mark.x, mark.label) == (date(2027, 3, 1).toordinal(), "ending ends")


def test_retrainings_are_marked_each_and_told_once(answer, prompting, tuned):
    again = tuned(tuning={"runs": 1, "epochs": 1, "retrain_every_months": 4})
    found = answer(approaches={"few-shot": None, "prompting": prompting(), "fine-tuning": again})
    assert [event.day for event in cash_words.cash_events(found)] == [date(2027, 4, 1), date(2027, 8, 1)]
    assert [event.text for event in cash_words.event_rows(found)] == ["Retrained: Apr 2027 and Aug 2027"]
    assert sorted(mark.label for mark in savings_chart(found).marks) == ["", "Retraining"]


def test_an_announced_price_is_told_apart_from_an_assumed_fall():
    path = next(path for path in EXAMPLES if path.stem == "documentation_assistant")
    found = compare(load_scenario(path), PriceBook.bundled())
    announced = [event for event in cash_words.cash_events(found) if event.kind == "price"]
    assert announced
    assert all(event.day > found.as_of and event.source and "until then" in event.text for event in announced)
    assert "no further fall of token prices is assumed" in cash_words.price_sentence(found)


def test_an_assumed_fall_of_prices_is_called_one(answer):
    said = cash_words.price_sentence(answer(finance={"price_decline_per_year": 0.2}))
    assert "no announced price" in said
    assert "assumed to fall by 20% a year" in said


# --- every surface ----------------------------------------------------------------------------------------------------------


def test_nothing_is_not_a_number(example):
    names = list(cash_words.saved(example))
    texts = [cash_words.verdict(example), cash_words.reasons(example), cash_words.no_rate_sentence(example)]
    texts += [cell for row in cash_words.savings_rows(example) for cell in row]
    texts += [part for name in names for figure in cash_words.figures(example, name) for part in figure]
    texts += [str(cell) for name in names for row in cash_words.month_rows(example, name) for cell in row.values()]
    texts += [cell for row in cash_words.accounting_rows(example) for cell in row.values()]
    assert not [text for text in texts if "nan" in text.lower().split() or "inf" in text.lower().split() or "None" in text]


def test_months_add_up_to_the_savings(example):
    for name, savings in cash_words.saved(example).items():
        last = cash_words.month_rows(example, name)[-1]
        assert last["Cumulative"] == words.money(savings.total_usd)
        assert last["Discounted"] == words.money(savings.net_present_value_usd)
        assert len(cash_words.month_rows(example, name)) == example.months.count + 1


def test_a_figure_that_is_none_says_why_alike_everywhere(example):
    for name, savings in cash_words.saved(example).items():
        [rate] = [figure for figure in cash_words.figures(example, name) if figure.label == "Annual IRR"]
        assert (rate.value == "none") is bool(rate.why) is (savings.irr_note is not None)
        reason = words.irr_reason(savings)
        assert reason in rate.why
        assert reason in cash_words.no_rate_sentence(example)


def test_pdf_and_markdown_say_what_the_page_says(by_hand):
    said, rows = cash_words.no_rate_sentence(by_hand), cash_words.savings_rows(by_hand)
    data = report_data(by_hand)["savings"]
    assert data["notes"].startswith(said)
    assert [[cell.replace("\u200b", "") for cell in row] for row in data["rows"]] == rows
    text = summary_markdown(by_hand)
    assert said in text
    assert f"| {' | '.join(rows[0])} |" in text


def test_every_renderer_draws_what_the_chart_says(example):
    chart = savings_chart(example)
    lines = [trace for trace in savings_figure(chart, "dark").data if trace.mode == "lines" and trace.hovertemplate]
    assert [tuple(trace.y) for trace in lines] == [line.y for line in chart.lines]
    assert savings_svg(chart) == savings_svg(chart)
    flows = flow_chart(example, cash_words.best(example))
    assert [len(trace.x) for trace in flow_figure(flows, "light").data] == [len(bars) for bars in flows.bars.values()]
    assert all(chart.value.low <= y <= chart.value.high for line in chart.lines for y in line.y)


def test_another_currency_is_drawn_and_said(answer):
    dollars, euros = answer(200_000), answer(200_000, finance={"currency": "EUR"}, price_release=None)
    rate = euros.currency.of_usd(1.0)
    in_dollars, in_euros = (savings_chart(found).lines[1].y for found in (dollars, euros))
    assert in_euros == pytest.approx([amount * rate for amount in in_dollars])
    assert "€" in savings_chart(euros).title
    assert "EUR" in savings_chart(euros).caption


@pytest.mark.parametrize(
    ("values", "labels"),
    [
        ([-900.0, 1300.0], ["−$1,000", "−$500", "$0", "$500", "$1,000"]),
        ([5.0, 40_000.0], ["$0", "$10k", "$20k", "$30k", "$40k"]),
        ([0.0], ["$0", "$0.2", "$0.4", "$0.6", "$0.8", "$1"]),
    ],
)
def test_the_axis_of_money_has_zero_and_whole_steps(values, labels):
    assert [tick.label for tick in money_axis(np.array(values)).ticks] == labels
