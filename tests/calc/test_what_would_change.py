"""What would change the answer: against sums done by hand, and against the totals themselves."""

from __future__ import annotations

import copy
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from calc import Comparison, Scenario, compare
from calc.sensitivity import totals_over
from calc.what_would_change import MOST, NOTHING, NOTHING_IN_RANGE, Turn, _rounded, what_would_change
from ingest import load_scenario
from pricing import PriceBook

EXAMPLES = sorted((Path(__file__).resolve().parents[2] / "examples").glob("*.yaml"))
DAY = date(2026, 11, 20)
FACT = {
    "source": "https://acme.example/pricing",
    "source_date": date(2026, 11, 1),
    "recorded": DAY,
    "confidence": "primary",
}
WITHOUT_STAFF = {
    "model": "acme/base",
    "staffing": {"set_up_hours": 0, "maintenance_hours_per_month": 0},
    "evaluation": {"examples": 0, "set_hours": 0, "runs_per_release": 0, "runs_per_month": 0, "grading_minutes_per_answer": 0},
    "data_preparation": {
        "hand_written_share": 0,
        "author_minutes_per_example": 0,
        "review_share": 0,
        "adjudication_minutes_per_example": 0,
        "rework_share": 0,
        "guideline_hours": 0,
        "quality_hours": 0,
    },
}


def book(times: float = 1) -> PriceBook:
    """One model at $1 and $4 a million tokens, tuned or not; training at $10. All prices ``times`` as high."""
    price = FACT | {"effective": date(2026, 1, 1)}
    rates = {"input_usd_per_mtok": 1 * times, "output_usd_per_mtok": 4 * times}
    blocks = [price | rates, price | rates | {"tuned": True}, price | {"training_usd_per_mtok": 10 * times}]
    model = {"name": "Base", "price": blocks, "billing": FACT | {"default_epochs": 1}}
    acme = {"name": "Acme", "price_page": "https://acme.example/pricing", "model": {"base": model}}
    return PriceBook.bundled().with_overrides({"acme": acme})


def by_hand(times: float = 1, **changes: Any) -> Comparison:
    """120,000 requests: prompting costs $144, fine-tuning $48 and 10 hours at $50 and $0.20 of training."""
    prompting: dict[str, Any] = copy.deepcopy(WITHOUT_STAFF) | {"instruction_tokens": 900}
    tuned = copy.deepcopy(WITHOUT_STAFF) | {
        "instruction_tokens": 100,
        "tuning": {"runs": 1, "epochs": 1},
        "staffing": {"set_up_hours": 10, "maintenance_hours_per_month": 0},
    }
    fields = {
        "name": "by hand",
        "as_of": DAY,
        "horizon_months": 12,
        "workload": {"requests_per_month": 10_000, "user_tokens": 100, "answer_tokens": 50},
        "task": {"kind": "style", "examples": 100, "tokens_per_example": 200},
        "staff_usd_per_hour": {"ml_engineer": 50},
        "approaches": {"few-shot": None, "prompting": prompting, "fine-tuning": tuned},
    }
    return compare(Scenario.model_validate(fields | changes), book(times))


def by_path(comparison: Comparison) -> dict[str, Turn]:
    return {turn.path: turn for turn in what_would_change(comparison)}


def test_every_turn_is_where_the_sum_says() -> None:
    comparison = by_hand()
    assert float(comparison.results["prompting"].total()) == pytest.approx(144)
    assert float(comparison.results["fine-tuning"].total()) == pytest.approx(548.2)
    found = by_path(comparison)
    assert found["workload.requests_per_month"].then == 52_105  # V · 12 · $0.0008 reaches $500.20
    assert found["approaches.prompting.instruction_tokens"].then == pytest.approx(100 + 500.2 / 0.12, rel=1e-5)
    assert found["staff_usd_per_hour.ml_engineer"].then == pytest.approx((144 - 48.2) / 10, rel=1e-5)
    assert found["price of acme/base"].then == pytest.approx(500 / (144 - 48.2))
    assert {turn.winner for turn in found.values()} == {"fine-tuning"}


def test_a_turn_of_prices_is_that_of_a_book_with_such_prices() -> None:
    turn = by_path(by_hand())["price of acme/base"].then
    assert turn is not None
    assert by_hand(turn * 0.999).winner() == "prompting"
    assert by_hand(turn * 1.001).winner() == "fine-tuning"


def test_sentences_round_away_from_what_is_stated() -> None:
    found = by_path(by_hand())
    assert found["workload.requests_per_month"].text == (
        "From 52,105 requests a month instead of 10,000, fine-tuning is cheapest."
    )
    assert found["approaches.prompting.instruction_tokens"].text == (
        "With 4,269 tokens of instructions (prompting) instead of 900, fine-tuning is cheapest."
    )
    assert found["staff_usd_per_hour.ml_engineer"].text.startswith("With $9.57 an hour of ML engineer instead of $50.00")


def test_where_nothing_turns_that_is_said() -> None:
    rates = {"requests_per_month": 10, "user_tokens": 100, "answer_tokens": 50}
    same = {"instruction_tokens": 900}
    stated = by_hand(workload=rates).scenario.model_dump()["approaches"]
    two = {name: fields | same for name, fields in stated.items()} | {"few-shot": None}
    assert [turn.text for turn in what_would_change(by_hand(workload=rates, approaches=two))] == [NOTHING]
    ranged = rates | {"user_tokens": {"low": 90, "likely": 100, "high": 110}}
    assert [turn.text for turn in what_would_change(by_hand(workload=ranged, approaches=two))] == [NOTHING_IN_RANGE]


def two_shares(task: dict[str, Any]) -> Comparison:
    approaches = {
        "prompting": copy.deepcopy(WITHOUT_STAFF) | {"instruction_tokens": 900, "accepted": 0.8},
        "few-shot": None,
        "better": {"extends": "prompting", "accepted": 0.9},
    }
    return by_hand(task={"kind": "style"} | task, approaches=approaches)


def test_a_range_down_to_zero_where_both_cost_the_same_is_no_turn() -> None:
    found = two_shares({"rejected_answer_usd": {"low": 0, "likely": 0.1, "high": 0.3}})
    assert found.winner() == "better"
    assert "task.rejected_answer_usd" not in by_path(found)


def test_a_turn_at_zero_is_written() -> None:
    assert _rounded(0.0, up=False) == "0"


def test_one_approach_alone_has_nothing_to_turn_to() -> None:
    one = {"prompting": copy.deepcopy(WITHOUT_STAFF) | {"instruction_tokens": 900}, "few-shot": None}
    assert what_would_change(by_hand(approaches=one)) == ()


def test_a_stated_range_is_not_left() -> None:
    hourly = {"ml_engineer": {"low": 40, "likely": 50, "high": 60}}
    assert "staff_usd_per_hour.ml_engineer" not in by_path(by_hand(staff_usd_per_hour=hourly))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_on_both_sides_of_a_turn_the_totals_agree(path: Path) -> None:
    comparison = compare(load_scenario(path), PriceBook.bundled())
    found = what_would_change(comparison)
    numbers = [turn for turn in found if turn.now is not None and turn.then is not None]
    assert len(numbers) <= MOST
    assert [turn.distance for turn in numbers] == sorted(turn.distance for turn in numbers)
    for turn in numbers:
        if turn.path == "workload.requests_per_month":
            before = turn.then - np.sign(turn.then - turn.now)
            assert (comparison.winner(round(turn.then)), comparison.winner(round(before))) == (turn.winner, comparison.winner())
        elif not turn.path.startswith("price of"):
            at = np.array([turn.then, turn.then + (turn.now - turn.then) * 1e-3])
            totals = totals_over(comparison, {turn.path: at})
            cheapest = np.argmin(np.stack(list(totals.values())), axis=0)
            assert [list(totals)[i] for i in cheapest] == [turn.winner, comparison.winner()]


def test_days_are_told_once_and_in_order() -> None:
    example = next(path for path in EXAMPLES if path.stem == "support_tone")
    days = [turn for turn in what_would_change(compare(load_scenario(example), PriceBook.bundled())) if turn.day]
    assert [turn.day for turn in days] == [date(2027, 1, 6), date(2027, 1, 14)]
    assert days[1].text == "From 14 January 2027 gpt-4.1-mini is unavailable (fine-tuning at OpenAI)."
