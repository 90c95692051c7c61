"""Staff time by step: by hand, and the same hours as a comparison's."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from calc import Scenario, compare
from calc.staff_time import ENDS, staff_time, teacher_bill
from pricing import PriceBook, PriceMissing, UnknownOffer

BOOK = PriceBook.bundled()
DAY = date(2026, 11, 21)
RATES = BOOK.as_of(DAY, recorded_through=DAY)


def test_steps_of_a_thousand_examples_from_logs() -> None:
    steps = {step.name: step for step in staff_time(RATES, 1000, "style").steps}
    by_hand = {
        "collect": 8,
        "write": 200 * 4 / 60 / 0.9,  # a fifth of them, redone in part
        "review": 1250 * 0.3 * 1 / 60 / 0.9,  # 1,000 ÷ 0.8 candidates
        "adjudicate": 1000 * 0.2 / 60 / 0.9,
        "guidelines and checks": 24,
        "evaluate": 20 + 200 * 3 * 0.1 / 60,
    }
    assert {name: step.likely for name, step in steps.items()} == pytest.approx(by_hand, rel=1e-12)
    assert all(step.low <= step.likely <= step.high for step in steps.values())


@pytest.mark.parametrize("source", ["logs", "hand", "teacher"])
@pytest.mark.parametrize("kind", ["style", "code", "preference"])
def test_preparation_is_the_hours_of_a_comparison(source: Any, kind: Any) -> None:
    steps = staff_time(RATES, 700, kind, source=source).steps
    prepared = sum(step.likely for step in steps if step.name not in ("collect", "evaluate"))
    teacher = {"teacher_model": "openai/gpt-6-luna"} if source == "teacher" else {}
    tuned = {
        "model": "fireworks/llama-3.1-8b",
        "instruction_tokens": 0,
        "tuning": {"runs": 1},
        "data_preparation": {"source": source, **teacher},
    }
    found = compare(
        Scenario.model_validate(
            {
                "name": "staff",
                "as_of": DAY,
                "price_release": DAY,
                "horizon_months": 1,
                "workload": {"requests_per_month": 1, "user_tokens": 1, "answer_tokens": 1},
                "task": {"kind": kind, "examples": 700, "tokens_per_example": 500},
                "approaches": {
                    "prompting": {"model": "openai/gpt-6-luna", "instruction_tokens": 0},
                    "few-shot": None,
                    "fine-tuning": tuned,
                },
            }
        ),
        BOOK,
    )
    lines = {line.key: line for line in found.results["fine-tuning"].ledger.lines}
    assert float(lines["data_preparation.staff"].quantity.at(1).sum()) == pytest.approx(prepared, rel=1e-12)


def test_cost_is_hours_times_the_loaded_rate() -> None:
    time = staff_time(RATES, 1000, "style")
    assert time.usd_per_hour == pytest.approx(time.wage.usd / 2080 * 1.4286, rel=1e-12)
    assert [time.usd(end) for end in ENDS] == [time.hours(end) * time.usd_per_hour for end in ENDS]


def test_a_teacher_is_billed_for_every_candidate() -> None:
    bill = teacher_bill(RATES, "openai/gpt-6-luna", 1000, 800, 200)
    assert (bill.candidates, bill.usd) == (1250, pytest.approx(0.225))  # 1,250 × (800 × 0.10 + 200 × 0.50) ÷ 10⁶


def test_unknown_roles_and_teachers_are_refused() -> None:
    with pytest.raises(UnknownOffer):
        staff_time(RATES, 1000, "style", role="ml_enginer")
    with pytest.raises(UnknownOffer):
        teacher_bill(RATES, "openai/gpt-6-lona", 1000, 800, 200)
    with pytest.raises(PriceMissing):
        staff_time(BOOK.as_of(DAY, recorded_through=date(2026, 11, 20)), 1000, "style")  # collecting was not estimated yet
