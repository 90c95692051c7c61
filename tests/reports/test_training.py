"""What is said and drawn of a training file and its bills."""

from __future__ import annotations

from dataclasses import replace

import pytest

from calc.training_bill import BY_GPU_HOUR, TrainingBill
from reports import training_words, words
from reports.charts import LIMITS_DRAWN, length_chart
from reports.plotly_charts import length_figure

LENGTHS = {100: 50, 200: 30, 300: 15, 1000: 4, 1100: 1}


def bill(
    name: str, job_usd: float | None, hosting: float | None = 0.0, storage: float | None = 0.0, **facts: object
) -> TrainingBill:
    own = {"job_usd": job_usd, "hosting_usd_per_month": hosting, "storage_usd_per_month": storage}
    return TrainingBill(f"acme/{name}", name, "Acme", "sft", None, None, **own | facts)


# --- words -------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("usd", "said"),
    [
        (None, "—"),
        (0, "$0.00"),
        (0.0031, "$0.0031"),
        (0.000064, "$0.000064"),
        (0.01, "$0.01"),
        (0.426, "$0.43"),
        (4768.29, "$4,768.29"),
    ],
)
def test_the_cost_of_a_run(usd, said):
    assert words.money_run(usd) == said


@pytest.mark.parametrize(
    ("bills", "left_out", "said"),
    [
        (
            (bill("a", 0.43), bill("b", 5.0)),
            37,
            "A tuning run on f costs $0.43 to $5.00; cheapest to train and keep today is a at Acme, $0.43 once and nothing a "
            "month; 37 lines left out",
        ),
        (
            (bill("a", 0.43, 3000.0), bill("b", 5.0, 0.0, 2.0)),
            1,
            "A tuning run on f costs $0.43 to $5.00; cheapest to train and keep today is b at Acme, $5.00 once and $2 a month; "
            "1 line left out",
        ),
        (
            (bill("a", 0.43, None),),
            0,
            "A tuning run on f costs $0.43; what the tuned model costs then has no price for any offer",
        ),
        ((bill("a", 0.43, refused="closed"),), 0, "Nobody in the price book bills tuning on f today"),
        ((), 2, "Nobody in the price book bills tuning on f today; 2 lines left out"),
    ],
    ids=["cheapest kept free", "dearer to train, cheaper to keep", "no price of keeping", "closed", "none"],
)
def test_the_verdict(bills, left_out, said):
    assert training_words.verdict("f", bills, left_out) == said


@pytest.mark.parametrize(
    ("upload", "said"),
    [
        ("takes it", "costs $0.43 to $5.00; cheapest to train and keep today is a at Acme, $0.43 once and nothing a month"),
        ("convert the format", "a at Acme, $0.43 once and nothing a month, after converting the format"),
        ("mend 3 lines: a message is empty", "a at Acme, $0.43 once and nothing a month, after you mend 3 lines"),
        ("refuses: fewer than 10 examples", "costs $5.00; cheapest to train and keep today is Judge at Rival, $5.00 once"),
    ],
)
def test_who_refuses_the_file_is_not_in_the_verdict(upload, said):
    two = (bill("a", 0.43), replace(bill("b", 5.0), offer="rival/b", name="Judge", provider="Rival"))
    assert said in training_words.verdict("f", two, 0, {"acme": upload, "rival": "takes it"})


def test_it_is_said_where_the_cheapest_may_not_take_the_file():
    said = "Whether Acme takes the file as it is, is not known."
    assert training_words.reasons((bill("a", 0.43),), {"rival": "takes it"}) == said
    assert training_words.reasons((bill("a", 0.43),), {"acme": "takes it"}) == ""


def test_reinforcement_costs_at_least_what_is_said():
    said = training_words.verdict("f", (replace(bill("a", 0.43), method="rft"),), 0)
    assert said.endswith("nothing a month; at least: what a model writes is not in the file")


@pytest.mark.parametrize(
    ("first", "why"),
    [
        (bill("a", 0.1, None), "what it costs to keep has no price"),
        (bill("a", 0.1, None, hosting_basis=BY_GPU_HOUR), "it is kept on GPUs by the hour"),
        (bill("a", 0.1, 900.0), "keeping it costs $900 a month, against nothing"),
    ],
)
def test_a_cheaper_run_that_is_not_the_verdicts_is_told_with_the_reason(first, why):
    said = training_words.reasons((first, bill("b", 0.4)))
    assert said == f"The cheapest run, $0.10, is a at Acme: {why}."


def test_who_is_closed_and_what_has_no_price_is_told():
    said = training_words.reasons((bill("b", 0.4), bill("x", None, unpriced="no rate"), bill("c", 0.2, refused="closed")))
    assert said == "Closed to you: 1 offer of Acme (from $0.20). No price for this job: 1 offer."


# --- lengths -----------------------------------------------------------------------------------------------------------------


def test_every_example_is_in_one_bar():
    chart = length_chart(LENGTHS, "o200k_base")
    assert sum(bar.count for bar in chart.bars) == 100
    assert all(before.last < after.first for before, after in zip(chart.bars, chart.bars[1:], strict=False))


def test_percentiles_are_marked_as_what_they_are():
    chart = length_chart(LENGTHS, "o200k_base")
    assert [(mark.x, mark.label) for mark in chart.marks] == [(100, "median 100"), (300, "95 in 100 300")]
    assert chart.title == "Half the examples have 100 tokens or fewer, the longest 1,100"


def test_limits_that_cut_are_drawn_and_what_they_cut_is_coloured_and_told():
    chart = length_chart(LENGTHS, "o200k_base", {500: "Model A", 4096: "Model B"})
    assert [mark.label for mark in chart.marks if mark.is_limit] == ["limit 500"]
    assert sum(bar.count for bar in chart.bars if bar.is_cut) == 5
    assert "500 tokens (Model A), cuts 5." in chart.caption
    assert "cuts 5" in chart.alt


def test_a_limit_beyond_all_is_told_not_drawn():
    chart = length_chart(LENGTHS, "o200k_base", {4096: "Model B"})
    assert not any(mark.is_limit for mark in chart.marks)
    assert "4,096 tokens (Model B), cuts none." in chart.caption


def test_few_limits_are_drawn():
    chart = length_chart(LENGTHS, "o200k_base", dict.fromkeys(range(150, 1000, 50), "M"))
    assert sum(mark.is_limit for mark in chart.marks) == LIMITS_DRAWN


def test_a_far_tail_is_told_not_drawn():
    chart = length_chart({100: 99, 50_000: 1}, "o200k_base")
    assert chart.length.high < 1000
    assert "Not drawn: 1 longer than 200 tokens." in chart.caption


@pytest.mark.parametrize("lengths", [{7: 1}, {0: 3}, {1: 1, 10**6: 1}, {5: 10**6, 6: 1}], ids=["one", "empty", "wide", "many"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_any_lengths_can_be_drawn(lengths, theme):
    chart = length_chart(lengths, "o200k_base")
    assert chart.length.high > chart.length.low
    assert len(length_figure(chart, theme).data) == 1


def test_names_never_overlap():
    chart = length_chart(LENGTHS, "o200k_base", {310: "A", 320: "B", 330: "C"})
    by_row: dict[int, list[float]] = {}
    for mark in chart.marks:
        by_row.setdefault(mark.row, []).append(chart.length.share(mark.x))
    assert chart.label_rows >= 2
    assert all(abs(a - b) > 0.1 for row in by_row.values() for i, a in enumerate(row) for b in row[:i])
