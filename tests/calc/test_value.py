"""What answers and seconds are worth: arrays against single answers, and curves against the totals they stand for."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pytest

from calc import Comparison, Scenario, compare
from calc.fields import with_field
from calc.parts.value import kept
from calc.sensitivity import totals_over
from pricing import PriceBook

BOOK = PriceBook.bundled()
EVERY_WAY = {
    "usd_per_accepted_answer": 0.01,
    "minutes_saved_per_accepted_answer": 0.1,
    "conversion_uplift_share": 0.001,
    "usd_per_conversion": 30,
    "churn_avoided_share_per_month": 0.0005,
    "customers": 4000,
    "usd_per_customer_per_month": 12,
    "kept_customers_leaving_share_per_month": 0.04,
    "paying_customers": 900,
    "usd_premium_per_customer_per_month": 1.5,
    "usd_per_second_saved": 0.002,
}
SECONDS_ALONE = {"usd_per_second_saved": 0.002}
LOST: dict[str, Any] = {"kind": "style", "examples": 400, "tokens_per_example": 500}
HANDLED = LOST | {"rejected_answer_usd": 0.05}


def test_where_no_answer_is_accepted_there_is_no_total_at_equal_accepted_answers() -> None:
    stated = scenario(SECONDS_ALONE, LOST)
    none = stated.approaches["prompting"].model_copy(update={"accepted": 0})
    found = compare(stated.model_copy(update={"approaches": dict(stated.approaches) | {"prompting": none}}), BOOK)
    assert found.results["prompting"].status == "unpriced"
    assert "no answer is accepted" in found.results["prompting"].why_not[0]
    assert found.winner() != "prompting"


def scenario(value: dict[str, Any], task: dict[str, Any], **changes: Any) -> Scenario:
    fields: dict[str, Any] = {
        "name": "Value",
        "as_of": date(2026, 11, 20),
        "horizon_months": 8,
        "workload": {
            "requests_per_month": 20_000,
            "growth": {"kind": "compound", "monthly_share": 0.05},
            "user_tokens": 300,
            "answer_tokens": 200,
        },
        "task": task,
        "approaches": {
            "prompting": {
                "model": "openai/gpt-6.1-terra",
                "instruction_tokens": 2000,
                "accepted": 0.8,
                "seconds_per_answer": 4,
            },
            "few-shot": {"extends": "prompting", "shots": 4, "accepted": 0.88, "seconds_per_answer": 4.5},
            "fine-tuning": {
                "model": "vertex-ai/gemini-3.1-flash-lite",
                "instruction_tokens": 150,
                "tuning": {"epochs": 3},
                "accepted": 0.92,
                "seconds_per_answer": 1.5,
                "go_live_month": 2,
            },
        },
        "value": value,
    }
    return Scenario.model_validate(fields | changes)


def answer(value: dict[str, Any], task: dict[str, Any]) -> Comparison:
    return compare(scenario(value, task), BOOK)


MODES = pytest.mark.parametrize(
    ("value", "task"),
    [(EVERY_WAY, LOST), (EVERY_WAY, HANDLED), (SECONDS_ALONE, LOST), (SECONDS_ALONE, HANDLED)],
    ids=["every way, lost", "every way, handled", "seconds, lost", "seconds, handled"],
)


@MODES
def test_the_curve_the_compared_total_and_the_flows_are_one(value: dict[str, Any], task: dict[str, Any]) -> None:
    found = answer(value, task)
    reference = found.available["prompting"]
    for name, result in found.available.items():
        compared = float(result.compared_usd())
        assert float(result.curve.total(found.requests)) == pytest.approx(compared, rel=1e-12)
        cost = float(result.ledger.total(result.compared_requests))
        assert compared == pytest.approx(cost - (found.compared_value_usd(name) or 0), rel=1e-12)
        saved = found.cash_flow(name)
        assert saved is not None
        assert float(saved.net_usd.sum()) == pytest.approx(float(reference.compared_usd()) - compared, abs=1e-6)
        assert float(saved.discounted_cumulative_usd[-1]) == pytest.approx(found.savings(name).net_present_value_usd)  # type: ignore[union-attr]


@MODES
def test_the_order_of_approaches_does_not_depend_on_which_is_the_reference(value: dict[str, Any], task: dict[str, Any]) -> None:
    leads = []
    for reference in ("prompting", "few-shot"):
        approaches = scenario(value, task).model_dump(exclude_none=True)["approaches"]
        approaches["fine-tuning"]["go_live_month"] = 0  # else another reference stands in
        stated = scenario(value, task).model_dump() | {"approaches": approaches, "reference": reference}
        found = compare(Scenario.model_validate(stated), BOOK)
        totals = {name: float(found.available[name].compared_usd()) for name in approaches}
        leads.append([totals[name] - totals["prompting"] for name in ("few-shot", "fine-tuning")])
    assert leads[0] == pytest.approx(leads[1], rel=1e-9)


@pytest.mark.parametrize(
    ("path", "low", "high"),
    [
        *((f"value.{field}", 0.001, 0.9) for field in EVERY_WAY),
        ("approaches.prompting.accepted", 0.1, 1),
        ("approaches.fine-tuning.accepted", 0.1, 1),
        ("approaches.prompting.seconds_per_answer", 0, 9),
        ("approaches.fine-tuning.seconds_per_answer", 0, 9),
        ("workload.requests_per_month", 100, 1e6),
        ("workload.growth.monthly_share", -0.1, 0.1),
    ],
)
@MODES
def test_arrays_give_what_single_values_give(
    value: dict[str, Any], task: dict[str, Any], path: str, low: float, high: float
) -> None:
    if path.partition(".")[2] in EVERY_WAY and path.partition(".")[2] not in value:
        return
    stated, values = scenario(value, task), np.linspace(low, high, 5).round(3)
    together = totals_over(compare(stated, BOOK), {path: values})
    for i, one in enumerate(values):
        singly = compare(with_field(stated, path, np.array([one])), BOOK)
        for name, totals in together.items():
            assert totals[i] == pytest.approx(singly.results[name].compared_usd().item(), rel=1e-12), name


@MODES
def test_flows_of_draws_are_those_of_each(value: dict[str, Any], task: dict[str, Any]) -> None:
    drawn = scenario(value, task)
    shares, seconds, rates = np.array([0.5, 0.7, 0.9]), np.array([1.0, 3.0, 7.0]), np.array([0.0, 0.1, 0.3])
    paths = ("approaches.fine-tuning.accepted", "approaches.fine-tuning.seconds_per_answer", "finance.discount_rate_per_year")
    for path, values in zip(paths, (shares, seconds, rates), strict=True):
        drawn = with_field(drawn, path, values)
    together = compare(drawn, BOOK).cash_flow("fine-tuning")
    assert together is not None
    assert together.net_usd.shape == together.discounted_usd.shape == (3, 9)
    assert together.outlay_usd.shape == (3,)
    for i in range(3):
        fields = scenario(value, task).model_dump()
        fields["approaches"]["fine-tuning"] |= {"accepted": shares[i], "seconds_per_answer": seconds[i]}
        fields["finance"]["discount_rate_per_year"] = rates[i]
        one = compare(Scenario.model_validate(fields), BOOK).cash_flow("fine-tuning")
        assert one is not None
        assert together.net_usd[i] == pytest.approx(one.net_usd, rel=1e-9, abs=1e-9)
        assert together.discounted_cumulative_usd[i] == pytest.approx(one.discounted_cumulative_usd, rel=1e-9, abs=1e-9)
        assert together.outlay_usd[i] == pytest.approx(float(one.outlay_usd))


def test_two_inputs_at_once_where_rejected_answers_are_lost() -> None:
    stated = scenario(SECONDS_ALONE, LOST)
    shares, user_tokens = np.tile([0.3, 0.6, 0.9], 2), np.repeat([10.0, 5000.0], 3)
    totals = totals_over(compare(stated, BOOK), {"approaches.prompting.accepted": shares, "workload.user_tokens": user_tokens})
    for i, (share, tokens) in enumerate(zip(shares, user_tokens, strict=True)):
        fields = stated.model_dump()
        fields["approaches"]["prompting"]["accepted"] = share
        fields["workload"]["user_tokens"] = tokens
        assert min(totals, key=lambda name: totals[name][i]) == compare(Scenario.model_validate(fields), BOOK).winner()


@MODES
def test_break_evens_are_exact_where_value_counts(value: dict[str, Any], task: dict[str, Any]) -> None:
    found = answer(value, task)
    for interval in found.envelope:
        for volume in {interval.first, interval.last}:
            totals = {name: float(result.curve.total(volume)) for name, result in found.available.items()}
            least, size = min(totals.values()), max(map(abs, totals.values()))
            if interval.winner is not None:
                assert totals[interval.winner] <= least + 1e-9 * size


def test_customers_kept_are_a_geometric_sum() -> None:
    # 8 a month, of whom a quarter leave in each later month: 8 (1 − 0.75^(m+1))/0.25
    expected = [8 * (1 - 0.75 ** (m + 1)) / 0.25 for m in range(12)]
    assert kept(np.full(12, 8.0), 0.25) == pytest.approx(expected)
    both = kept(np.full((2, 12), 8.0), np.array([[0.25], [1.0]]))
    assert both[0] == pytest.approx(expected)
    assert both[1] == pytest.approx(np.full(12, 8.0))


def test_wages_that_are_not_known_leave_staff_time_without_a_value() -> None:
    fields = scenario({"minutes_saved_per_accepted_answer": 1}, LOST).model_dump(exclude_none=True)
    found = compare(Scenario.model_validate(fields | {"as_of": date(2020, 1, 2)}), BOOK)
    (benefit,) = found.results["prompting"].benefits
    assert benefit.missing is not None
    assert "value.role" in benefit.missing
    assert found.results["prompting"].status == "unpriced"
    assert found.value_usd("prompting") is None


@MODES
def test_no_number_of_the_export_is_not_a_number(value: dict[str, Any], task: dict[str, Any]) -> None:
    fields = scenario(value, task).model_dump(exclude_none=True)
    for approach in fields["approaches"].values():
        approach.pop("accepted")
    del fields["approaches"]["few-shot"]["seconds_per_answer"]
    data = compare(Scenario.model_validate(fields), BOOK).to_dict()
    by_name = {approach["name"]: approach for approach in data["approaches"]}
    latency = next(benefit for benefit in by_name["few-shot"]["benefits"] if benefit["key"] == "value.latency")
    assert latency["amount_usd"] is latency["by_month_usd"] is None
    assert "few-shot states no seconds" in latency["missing"]
    assert by_name["few-shot"]["savings"] is None
    assert all(flow["net_usd"] is not None for flow in by_name["fine-tuning"]["savings"]["cash_flow"])
