"""What is said of approaches in every report alike: whose answers are accepted, what is compared, what is saved and earned."""

from __future__ import annotations

import pytest

from reports import cash_words, words
from reports.charts import break_even_chart, cost_lines_chart
from reports.markdown import summary_markdown
from reports.pdf import report_data

DISCARD = {"kind": "style", "examples": 100, "tokens_per_example": 200, "failure_mode": "discard"}
REMEDIATE = {"kind": "style", "examples": 100, "tokens_per_example": 200, "rejected_answer_usd": 1}
WORTH = {"usd_per_accepted_answer": 0.05}


@pytest.fixture
def two(answer, prompting, tuned):
    """A function giving prompting with 80 % accepted against tuning with 92 %, from a month on."""

    def build(go_live_month=0, **more):
        approaches = {
            "few-shot": None,
            "prompting": prompting(accepted=0.8),
            "fine-tuning": tuned(accepted=0.92, go_live_month=go_live_month),
        }
        return answer(approaches=approaches, **more)

    return build


def test_a_share_says_whose_it_is(two):
    late, at_once = two(3, task=REMEDIATE), two(0, task=REMEDIATE)
    # 3 of 12 months of prompting's 80 %, 9 of 92 %
    assert words.accepted(late, late.results["fine-tuning"]) == "89% accepted, prompting's until go-live included"
    assert words.accepted(late, late.results["prompting"]) == "80% accepted"
    assert words.accepted(at_once, at_once.results["fine-tuning"]) == "92% accepted"
    assert words.accepted_notes(late) == ["Fine-tuning: 89% accepted, prompting's until go-live included; 92% of its own."]
    assert words.accepted_notes(at_once) == []
    assert "prompting's until go-live included; 92% of its own." in summary_markdown(late)


def test_a_share_after_the_end_says_so_too(answer, prompting):
    approaches = {
        "few-shot": None,
        "prompting": prompting(accepted=0.8),
        "ending": prompting(accepted=0.92, model="acme/ending", go_live_month=1),  # serves January and February
    }
    found = answer(approaches=approaches, task=REMEDIATE)
    said = words.accepted(found, found.results["ending"])
    assert said == "82% accepted, prompting's until go-live and after its end included"


def test_a_share_is_on_the_cards_of_the_pdf(two):
    cards = report_data(two(3, task=REMEDIATE))["cards"]
    notes = {card["label"]: card["notes"] for card in cards}
    assert "80% accepted" in notes["Prompting"]
    assert any("prompting's until go-live included" in note for found in notes.values() for note in found)


def test_what_is_compared_is_named(two):
    assert words.total_column(two(task=REMEDIATE)) == "US$, 12 months"
    assert words.total_column(two(task=REMEDIATE, value=WORTH)) == "US$, 12 months"
    assert words.total_column(two(task=DISCARD, value=WORTH)) == "cost less value, US$, 12 months"
    assert "Cost less value, US$ over 12 months" in summary_markdown(two(task=DISCARD, value=WORTH))


def test_savings_in_few_columns(two):
    plain = cash_words.brief_rows(two(task=REMEDIATE))
    assert [list(row) for row in plain] == [["approach", "net present value", "payback", "annual IRR"]]
    (row,) = plain
    page = dict(zip(cash_words.HEAD, cash_words.savings_rows(two(task=REMEDIATE))[0], strict=True))
    assert (row["net present value"], row["payback"], row["annual IRR"]) == (
        page["Net present value"], page["Payback"], page["Annual IRR"],
    )  # fmt: skip


def test_savings_show_value_where_it_is_stated(two):
    found = two(task=DISCARD, value=WORTH)
    rows = {row["approach"]: row for row in cash_words.brief_rows(found)}
    assert rows["Prompting"]["value"] == "$4,800"  # 12 × 10,000 × 80 % × $0.05
    assert rows["Prompting"]["net present value"] == words.MISSING
    assert rows["Fine-tuning"]["value"] == "$5,520"
    assert cash_words.value_caption(found) == "The value of accepted answers enters the savings above, against the reference's."
    assert cash_words.value_caption(two(task=REMEDIATE, value=WORTH)) == (
        "The value does not enter the savings above: rejected answers are handled, so every approach earns the same."
    )


def test_nothing_is_saved_by_one_approach(answer, prompting):
    assert cash_words.brief_rows(answer(approaches={"few-shot": None, "prompting": prompting()})) == []


def test_one_month_is_a_month(two):
    found = two(task=REMEDIATE, horizon_months=1)
    texts = [break_even_chart(found, unit).caption for unit in ("month", "request", "horizon")]
    texts += [cost_lines_chart(found).caption, cost_lines_chart(found).alt, break_even_chart(found, "horizon").value.title]
    assert not any("1 months" in text for text in texts)
    assert sum("1 month" in text for text in texts) == len(texts)
