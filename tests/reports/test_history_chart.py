"""The chart of a price's history: its steps are what is charged, its marks the days and events of the book."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pricing import PriceBook
from pricing.history import History, changes
from pricing.model import LifecycleEvent
from reports import price_words
from reports.charts import WIDE_SPAN, HistoryChart, history_chart
from reports.plotly_charts import history_figure
from reports.print_charts import history_svg

TODAY = date(2026, 11, 20)
BUNDLED = PriceBook.bundled().as_of(TODAY)
IN, OUT, CACHED = "input_usd_per_mtok", "output_usd_per_mtok", "cache_read_usd_per_mtok"


def block(effective: date, **fields: Any) -> dict[str, Any]:
    sourced = {"source": "https://acme.example/", "source_date": TODAY, "recorded": TODAY, "confidence": "primary"}
    return sourced | {"effective": effective, "own": False} | fields


def of(folder: Path, *blocks: dict[str, Any], key: str = IN) -> tuple[tuple[History, ...], History]:
    model = {"base": {"name": "Base", "price": list(blocks)}}
    table = {"name": "Acme", "price_page": "https://acme.example/", "model": model}
    histories = PriceBook(folder, {"acme": table}).as_of(TODAY).histories("acme/base")
    return histories, next(history for history in histories if history.key == key)


def event(kind: str, on: date) -> LifecycleEvent:
    sourced = {"source": "https://acme.example/", "source_date": TODAY, "recorded": TODAY, "confidence": "primary"}
    return LifecycleEvent.model_validate(sourced | {"event": kind, "date": on})


def drawn(chart: HistoryChart, label: str, day: date) -> float | None:
    """The value a line shows on a day."""
    [line] = [line for line in chart.lines if line.label == label]
    at, found = day.toordinal(), None
    for x, y in line.runs:
        for i in range(0, len(x), 2):
            if x[i] <= at < x[i + 1]:
                found = y[i]
    return found


RISE = (
    block(date(2026, 3, 1), input_usd_per_mtok=2, output_usd_per_mtok=8),
    block(date(2026, 6, 1), input_usd_per_mtok=1, effective_is="seen"),
    block(date(2027, 1, 1), input_usd_per_mtok=3),
)


@pytest.mark.parametrize("offer", ["openai/gpt-4.1-mini", "gemini-api/gemini-3.8-flash", "tinker/qwen3-8b", "fireworks/b200"])
def test_lines_show_what_is_charged(offer):
    histories = BUNDLED.histories(offer)
    for chosen in histories:
        chart = history_chart(histories, chosen, BUNDLED.lifecycle(offer), TODAY)
        for step in chosen.steps:
            assert drawn(chart, price_words.key_label(chosen.key), step.first) == float(step.price.value)
        assert [line.label for line in chart.lines if line.is_chosen] == [price_words.key_label(chosen.key)]


def test_lines_share_conditions_and_unit(tmp_path):
    blocks = (
        *RISE,
        block(date(2026, 3, 1), input_usd_per_mtok=1, service="batch"),
        block(date(2026, 3, 1), hosting_usd_per_hour=1),
    )
    chart = history_chart(*of(tmp_path, *blocks), [], TODAY)
    assert [line.label for line in chart.lines] == ["Input", "Output"]
    assert chart.value.title == "US$ per million tokens"


def test_days_are_told_apart(tmp_path):
    ended = block(date(2026, 3, 1), ends=date(2026, 5, 1), output_usd_per_mtok=8)
    histories, chosen = of(tmp_path, *RISE[1:], ended)
    chart = history_chart(histories, chosen, [], TODAY)
    points = {line.label: [point.kind for point in line.points] for line in chart.lines}
    assert points == {"Input": ["seen", "stated"], "Output": ["stated", "end"]}
    assert drawn(chart, "Output", date(2026, 5, 1)) is None
    assert "first seen then" in chart.lines[0].points[0].label


def test_an_announced_price_is_right_of_today(tmp_path):
    chart = history_chart(*of(tmp_path, *RISE), [], TODAY)
    assert chart.today.x == TODAY.toordinal()
    assert chart.lines[0].points[-1].x == date(2027, 1, 1).toordinal() < chart.days.high
    assert chart.title == "Input rises from $1.00 to $3.00 on 1 January 2027"


@pytest.mark.parametrize(
    ("blocks", "title"),
    [
        (RISE[:1], "Input has been $2.00 since 1 March 2026, when it was set"),
        (RISE[1:2], "Input has been $1.00 since 1 June 2026, when it was first seen"),
        (RISE[:2], "Input fell from $2.00 to $1.00 by 1 June 2026"),
        (RISE[2:], "Input costs $3.00 from 1 January 2027 on"),
        ([block(date(2026, 3, 1), ends=date(2026, 5, 1), input_usd_per_mtok=2)], "Input has had no price since 1 May 2026"),
        ([block(date(2026, 3, 1), ends=date(2027, 5, 1), input_usd_per_mtok=2)], "Input ends on 1 May 2027"),
    ],
)
def test_the_title_states_the_finding(tmp_path, blocks, title):
    assert history_chart(*of(tmp_path, *blocks), [], TODAY).title == title


def test_events_are_named_where_they_happen(tmp_path):
    events = [
        event("deprecated", date(2026, 9, 1)),
        event("inference_ends", date(2027, 2, 1)),
        event("released", date(2019, 1, 1)),
    ]
    chart = history_chart(*of(tmp_path, *RISE), events, TODAY)
    assert [(mark.label, mark.x) for mark in chart.events] == [
        ("Deprecated 1 Sep 2026", date(2026, 9, 1).toordinal()),
        ("Ends 1 Feb 2027", date(2027, 2, 1).toordinal()),
    ]
    assert all(chart.days.low <= mark.x <= chart.days.high for mark in chart.events)
    assert "Ends 1 Feb 2027" in chart.alt


def test_names_of_days_close_together_have_rows_of_their_own(tmp_path):
    events = [event("training_ends", date(2027, 1, 6)), event("inference_ends", date(2027, 1, 14))]
    chart = history_chart(*of(tmp_path, *RISE), events, TODAY)
    rows = [mark.row for mark in (chart.today, *chart.events)]
    assert len(set(rows)) == chart.label_rows == 3


@pytest.mark.parametrize(("dearest", "logarithmic"), [(2 * WIDE_SPAN, False), (2 * WIDE_SPAN + 1, True)])
def test_the_axis_is_logarithmic_only_over_a_wide_span(tmp_path, dearest, logarithmic):
    chart = history_chart(*of(tmp_path, *RISE[:1], block(date(2026, 3, 1), cache_read_usd_per_mtok=dearest)), [], TODAY)
    assert chart.value.logarithmic is logarithmic
    assert all(chart.value.low <= tick.value <= chart.value.high for tick in chart.value.ticks)


def test_a_free_price_is_drawn_at_zero(tmp_path):
    chart = history_chart(*of(tmp_path, block(date(2026, 3, 1), input_usd_per_mtok=0)), [], TODAY)
    assert chart.value.share(chart.lines[0].runs[0][1][0]) == 0
    assert chart.value.ticks[0].label == "$0"


@pytest.mark.parametrize("offer", ["openai/gpt-4.1-mini", "anthropic/claude-3-haiku", "deepseek/deepseek-v4-flash"])
def test_both_renderers_draw_it(offer):
    histories = BUNDLED.histories(offer)
    for chosen in histories:
        chart = history_chart(histories, chosen, BUNDLED.lifecycle(offer), TODAY)
        figure = history_figure(chart, "dark")
        said = {annotation.text for annotation in figure.layout.annotations}
        assert "<b>Today</b>" in said
        assert {mark.label for mark in chart.events} <= said
    text = history_svg(chart).decode()
    assert text == history_svg(chart).decode()
    assert all(mark.label in text for mark in (chart.today, *chart.events))


# --- words ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("4", "3", "25% cheaper"), ("3", "4", "33% dearer"), ("1000", "1001", "0.1% dearer"), ("1", "0", "now free"),
        ("0", "1", "no longer free"), ("1", "1.0", "unchanged"),
    ],
)  # fmt: skip
def test_a_change_has_its_direction_in_a_word(old, new, said):
    assert price_words.direction(Decimal(old), Decimal(new)) == said


def test_the_first_price_and_the_end_are_said(tmp_path):
    _, history = of(tmp_path, block(date(2026, 3, 1), ends=date(2026, 5, 1), input_usd_per_mtok=2))
    assert [price_words.changed(change) for change in changes(history)] == ["new", "ended"]


def test_a_citation_says_all_it_takes(tmp_path):
    _, history = of(tmp_path, *RISE)
    cited = [price_words.citation("Acme", "Base", history, step) for step in history.steps]
    amount = "Acme, Base, input, 1.00 USD per million input tokens, first seen 1 June 2026, until 1 January 2027 (exclusive)"
    assert cited[1] == f"{amount}, source https://acme.example/, read 20 November 2026"
    assert "in force since 1 March 2026" in cited[0]


def test_a_citation_has_the_currency_that_is_listed():
    listed = block(date(2026, 11, 1), gpu_eur_per_hour=Decimal("1.99")) | {"own": True}
    table = {"runpod": {"gpu": {"h100": {"price": [listed]}}}}
    rates = PriceBook.bundled().with_overrides(table).as_of(TODAY)
    [history] = [h for h in rates.histories("runpod/h100") if h.key == "gpu_usd_per_hour" and h.question["service"] == "standard"]
    step = history.steps[-1]
    assert float(step.price.value) != 1.99
    assert "gPU, 1.99 EUR per GPU and hour" not in price_words.citation("RunPod", "H100", history, step)
    assert "GPU, 1.99 EUR per GPU and hour" in price_words.citation("RunPod", "H100", history, step)


def test_a_price_that_comes_back_is_said_to(tmp_path):
    promotion = block(date(2026, 4, 1), ends=date(2026, 5, 1), input_usd_per_mtok=1)
    _, history = of(tmp_path, RISE[0], promotion)
    assert price_words.since(history.steps[2]) == "in force again since 1 May 2026"


@pytest.mark.parametrize(
    ("offer", "id_", "kind"),
    [
        ("openai/gpt-4.1-mini", (IN, ""), "Inference"),
        ("openai/gpt-4.1-mini", (IN, "batch"), "Batch"),
        ("openai/gpt-4.1-mini", (CACHED, ""), "Cache"),
        ("openai/gpt-4.1-mini", (IN, "fine-tuned"), "Tuned inference"),
        ("openai/gpt-4.1-mini", ("training_usd_per_mtok", "sft"), "Training"),
        ("openai/gpt-4.1-mini", ("hosting_usd_per_hour", "fine-tuned"), "Hosting & storage"),
        ("openai/text-embedding-3-small", ("embedding_usd_per_mtok", ""), "Embeddings"),
        ("fireworks/b200", ("gpu_usd_per_hour", ""), "GPUs & machines"),
        ("bls/data_scientist", ("wage_usd_per_year", ""), "People"),
        ("aws-s3-vectors/standard", ("scan_tier_3_usd_per_tb", ""), "Vector stores"),
    ],
)
def test_each_price_has_its_kind(offer, id_, kind):
    [history] = [history for history in BUNDLED.histories(offer) if (history.key, history.conditions) == id_]
    assert price_words.kind(history) == kind
    assert kind in price_words.KINDS
