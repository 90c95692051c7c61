"""Break-evens over other inputs than the volume: against single comparisons and closed forms."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from calc import Scenario, compare
from calc.fields import with_field
from calc.goal_seek import goal_seek
from calc.sensitivity import totals_over
from pricing import PriceBook

BOOK = PriceBook.bundled()


def scenario(**changes: object) -> Scenario:
    stated = {
        "name": "Sensitivity",
        "as_of": date(2026, 11, 20),
        "horizon_months": 6,
        "workload": {
            "requests_per_month": 50_000,
            "growth": {"kind": "compound", "monthly_share": 0.02},
            "user_tokens": 300,
            "answer_tokens": 200,
        },
        "task": {
            "kind": "style",
            "examples": 400,
            "tokens_per_example": 500,
            "corpus_tokens": 1_000_000,
            "rejected_answer_usd": 0.05,
        },
        "approaches": {
            "prompting": {"model": "openai/gpt-6.1-terra", "instruction_tokens": 2000, "accepted": 0.9},
            "few-shot": {"extends": "prompting", "shots": 4, "accepted": 0.92},
            "rag": {"extends": "prompting", "retrieval": {"store": "pinecone/serverless"}, "accepted": 0.95},
            "fine-tuning": {
                "model": "vertex-ai/gemini-3.1-flash-lite",
                "instruction_tokens": 150,
                "tuning": {"epochs": 3, "retrain_every_months": 3},
                "accepted": 0.94,
            },
            "hybrid": {"extends": "fine-tuning", "retrieval": {"same_as": "rag"}, "accepted": 0.96},
        },
    }
    return Scenario.model_validate(stated | changes)


@pytest.mark.parametrize(
    ("path", "low", "high"),
    [
        ("workload.requests_per_month", 1_000, 5_000_000),
        ("workload.user_tokens", 0, 300_000),
        ("workload.answer_tokens", 1, 5_000),
        ("workload.reasoning_tokens_per_answer_token", 0, 10),
        ("workload.retry_share", 0, 0.5),
        ("workload.batch_share", 0.1, 0.9),
        ("workload.growth.monthly_share", -0.1, 0.2),
        ("workload.active_hours_per_day", 1, 24),
        ("task.examples", 10, 30_000),
        ("task.tokens_per_example", 10, 8_000),
        ("task.corpus_tokens", 1_000, 1e9),
        ("task.facts_changing_per_month_share", 0, 1),
        ("task.rejected_answer_usd", 0, 2),
        ("staff_usd_per_hour.ml_engineer", 10, 300),
        ("approaches.prompting.instruction_tokens", 0, 20_000),
        ("approaches.few-shot.shots", 0, 50),
        ("approaches.rag.accepted", 0.5, 1),
        ("approaches.rag.retrieval.chunks_per_request", 1, 40),
        ("approaches.fine-tuning.tuning.epochs", 1, 20),
        ("approaches.fine-tuning.tuning.runs", 1, 9),
        ("approaches.fine-tuning.data_preparation.accept_share", 0.1, 1),
        ("finance.price_decline_per_year", 0, 0.9),
    ],
)
def test_an_array_of_values_gives_what_each_value_gives(path: str, low: float, high: float) -> None:
    stated = scenario()
    values = np.linspace(low, high, 5)
    together = totals_over(compare(stated, BOOK), {path: values})
    for i, value in enumerate(values):
        alone = totals_over(compare(stated, BOOK), {path: np.array([value])})
        assert set(alone) == set(together)
        for name, total in alone.items():
            assert together[name][i] == pytest.approx(total[0], rel=1e-12), (path, name, value)


@pytest.mark.parametrize("assuming", [{}, {"staff.overhead_share": 3.0}])
def test_totals_are_those_of_the_comparison(assuming: dict[str, float]) -> None:
    comparison = compare(scenario(), BOOK, assuming=assuming)
    totals = totals_over(comparison, {"workload.requests_per_month": np.array([50_000.0])})
    assert {name: float(t[0]) for name, t in totals.items()} == {
        name: pytest.approx(float(result.total()), rel=1e-12) for name, result in comparison.available.items()
    }


def test_no_examples_take_no_hours_to_choose_them() -> None:
    path = "approaches.few-shot.shots"
    values = np.array([0.0, 1.0, 4.0])
    together = totals_over(compare(scenario(), BOOK), {path: values})["few-shot"]
    stated = scenario().model_dump(mode="json")
    for total, shots in zip(together, values, strict=True):
        few_shot = stated["approaches"]["few-shot"] | {"shots": shots}
        alone = Scenario.model_validate(stated | {"approaches": stated["approaches"] | {"few-shot": few_shot}})
        assert total == pytest.approx(float(compare(alone, BOOK).results["few-shot"].total()), rel=1e-12), shots


def test_where_no_answer_is_accepted_an_approach_is_never_the_cheapest() -> None:
    approaches = {
        "prompting": {"model": "openai/gpt-6.1-terra", "instruction_tokens": 2000, "accepted": 0.9},
        "small": {"extends": "prompting", "model": "openai/gpt-6-luna", "accepted": 0.9},
    }
    stated = scenario(task={"kind": "style"}, approaches=approaches, reference="prompting")  # rejected answers are lost
    path = "approaches.small.accepted"
    totals = totals_over(compare(stated, BOOK), {path: np.array([0.0, 0.5])})
    assert totals["small"][0] == np.inf
    assert np.isfinite(totals["small"][1])
    found = goal_seek(stated, BOOK, path, 0.0, 1.0)
    assert [stretch.winner for stretch in found.stretches] == ["prompting", "small"]


def test_a_straight_field_breaks_even_where_the_closed_form_says() -> None:
    # both totals are straight in the cost of a rejected answer, so they tie at the gap of the rest over the gap of rejections
    stated = scenario()
    at = totals_over(compare(stated, BOOK), {"task.rejected_answer_usd": np.array([0.0, 1.0])})
    changes = goal_seek(stated, BOOK, "task.rejected_answer_usd", 0.0, 0.5).changes
    assert changes, "the range must hold a change for this test to mean anything"
    before, after = changes[0].before, changes[0].winner
    slope = (at[before][1] - at[before][0]) - (at[after][1] - at[after][0])
    assert changes[0].smooth
    assert changes[0].value == pytest.approx((at[after][0] - at[before][0]) / slope, rel=1e-9)


def test_two_fields_at_once_agree_with_single_comparisons() -> None:
    stated, volumes, rejected = scenario(), np.repeat([2_000.0, 400_000.0], 2), np.tile([0.0, 0.3], 2)
    totals = totals_over(compare(stated, BOOK), {"workload.requests_per_month": volumes, "task.rejected_answer_usd": rejected})
    for i, (volume, usd) in enumerate(zip(volumes, rejected, strict=True)):
        task = stated.task.model_dump() | {"rejected_answer_usd": float(usd)}
        one = Scenario.model_validate(stated.model_dump() | {"task": task})
        assert min(totals, key=lambda name: totals[name][i]) == compare(one, BOOK).winner(int(volume))


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("workload.request_per_month", "there is no field"),
        ("workload", "does not hold a number"),
        ("task.kind", "does not hold a number"),
        ("horizon_months", "counts whole steps"),
        ("approaches.fine-tuning.tuning.retrain_every_months", "counts whole steps"),
    ],
)
def test_a_field_that_cannot_move_is_named(path: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        with_field(scenario(), path, np.array([1.0, 2.0]))
