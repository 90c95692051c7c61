"""Break-even in any number: against closed forms, single comparisons, dense grids and the exact solver of the volume."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from calc import NothingToCompare, Scenario, compare
from calc.fields import with_value
from calc.goal_seek import goal_seek
from calc.movable import movable, movables, price_in_force
from calc.setting import role_rate
from ingest import load_scenario
from pricing import PriceBook

BOOK = PriceBook.bundled()
DAY = date(2026, 11, 20)
EXAMPLES = Path(__file__).parents[2] / "examples"
TONE = load_scenario(EXAMPLES / "support_tone.yaml")
VOLUME = "workload.requests_per_month"
OUTPUT = "prices.openai/gpt-6.1-terra.output_usd_per_mtok"
TURNS = "workload.turns_per_conversation"
CADENCE = "approaches.fine-tuning.tuning.retrain_every_months"

BARE = {
    "staffing": {"set_up_hours": 0, "maintenance_hours_per_month": 0},
    "evaluation": {"examples": 0, "set_hours": 0, "runs_per_release": 0, "runs_per_month": 0},
}


def tokens_alone(**changes: object) -> Scenario:
    """Two models, nothing but tokens and rejected answers, no cache: both totals are straight in most numbers."""
    # prompts below 1,024 tokens are not cached, and the small model reasons
    small = {"model": "openai/gpt-6-luna", "instruction_tokens": 500, "reasoning_tokens_per_answer_token": 15, "accepted": 0.9}
    large = {"model": "openai/gpt-6.1-terra", "instruction_tokens": 400, "accepted": 0.9}
    stated = {
        "name": "Tokens alone",
        "as_of": DAY,
        "horizon_months": 6,
        "workload": {"requests_per_month": 50_000, "user_tokens": 300, "answer_tokens": 200, "cache_hit_share": 0},
        "task": {"kind": "style", "rejected_answer_usd": 0.05},
        "approaches": {"small": small | BARE, "large": large | BARE},
        "reference": "small",
    }
    return Scenario.model_validate(stated | changes)


def mtok(offer: str) -> tuple[float, float]:
    rates = BOOK.as_of(DAY)
    return rates.price(offer, "input_usd_per_mtok").usd, rates.price(offer, "output_usd_per_mtok").usd


def total(scenario: Scenario, name: str) -> float:
    return float(compare(scenario, BOOK).results[name].compared_usd())


# --- closed forms ---------------------------------------------------------------------------------------------------------


def test_prompt_tokens_break_even_where_the_tokens_of_one_request_cost_the_same() -> None:
    # (t + u)·in + a·(1 + r)·out of one request, the same on both sides; requests and months fall out
    (small_in, small_out), (large_in, large_out) = mtok("openai/gpt-6-luna"), mtok("openai/gpt-6.1-terra")
    by_hand = ((400 + 300) * large_in + 200 * (large_out - 16 * small_out)) / small_in - 300
    found = goal_seek(tokens_alone(), BOOK, "approaches.small.instruction_tokens", 0, 1000)
    assert [(change.before, change.winner, change.smooth) for change in found.changes] == [("small", "large", True)]
    assert found.changes[0].value == pytest.approx(by_hand, rel=1e-10)
    a, b = found.changes[0].totals_usd.values()
    assert abs(a - b) <= 1e-9 * max(a, b)


def test_and_the_other_way_round_the_change_is_the_other_way_round() -> None:
    (small_in, small_out), (large_in, large_out) = mtok("openai/gpt-6-luna"), mtok("openai/gpt-6.1-terra")
    by_hand = ((500 + 300) * small_in + 200 * (16 * small_out - large_out)) / large_in - 300
    found = goal_seek(tokens_alone(), BOOK, "approaches.large.instruction_tokens", 0, 1000)
    assert [(change.before, change.winner) for change in found.changes] == [("large", "small")]
    assert found.changes[0].value == pytest.approx(by_hand, rel=1e-10)


def test_a_success_share_breaks_even_where_the_comparison_says() -> None:
    name = "rag"
    expected = compare(TONE, BOOK).break_even_share(name)
    others = [other for other in compare(TONE, BOOK).ranked() if other != name]
    found = goal_seek(TONE, BOOK, f"approaches.{name}.accepted", 0, 1, between=(name, others[0]))
    assert expected is not None
    if 0 <= expected <= 1:
        assert [change.value for change in found.changes] == [pytest.approx(expected, rel=1e-9)]
    else:
        assert not found.changes
    lenient = TONE.model_copy(update={"task": TONE.task.model_copy(update={"rejected_answer_usd": 1.0})})
    expected = compare(lenient, BOOK).break_even_share(name)
    assert expected is not None
    assert 0 < expected < 1
    cheapest = next(other for other in compare(lenient, BOOK).ranked() if other != name)
    found = goal_seek(lenient, BOOK, f"approaches.{name}.accepted", 0, 1, between=(name, cheapest))
    assert [change.value for change in found.changes] == [pytest.approx(expected, rel=1e-9)]
    assert found.changes[0].winner == name


def test_a_price_breaks_even_where_two_straight_lines_meet() -> None:
    stated, path, key = tokens_alone(), OUTPUT, ("openai/gpt-6.1-terra", "output_usd_per_mtok")
    now = mtok("openai/gpt-6.1-terra")[1]
    small, large = (total(stated, name) for name in ("small", "large"))
    slope = float(compare(stated, BOOK, pricing={key: 2.0}).results["large"].compared_usd()) - large
    by_hand = now * (1 + (small - large) / slope)
    found = goal_seek(stated, BOOK, path, 0, 100)
    assert found.number.present == now
    assert [change.value for change in found.changes] == [pytest.approx(by_hand, rel=1e-9)]


def test_the_price_asked_for_is_that_of_the_day_and_announced_ones_move_alike() -> None:
    base = compare(TONE, BOOK)
    row = price_in_force(base, OUTPUT)
    assert row.effective <= base.as_of
    doubled = movable(base, OUTPUT).at(base, np.array([2 * row.usd]))
    by_factor = compare(TONE, BOOK, pricing={(row.offer, row.key): 2.0})
    for name, result in by_factor.available.items():
        assert float(np.squeeze(doubled.results[name].compared_usd())) == pytest.approx(float(result.compared_usd()), rel=1e-12)


def test_an_assumption_moves_what_rests_on_it() -> None:
    path, base = "assumptions.staff.overhead_share", compare(TONE, BOOK)
    moved = movable(base, path).at(base, np.array([0.1, 0.9]))
    for value, at in ((0.1, 0), (0.9, 1)):
        alone = compare(TONE, BOOK, assuming={"staff.overhead_share": value})
        for name, result in alone.available.items():
            usd = np.broadcast_to(np.squeeze(moved.results[name].compared_usd()), (2,))
            assert usd[at] == pytest.approx(float(result.compared_usd()), rel=1e-12)


def test_a_rate_that_is_not_stated_has_the_published_one_as_its_present_value() -> None:
    base = compare(TONE, BOOK)
    assert movable(base, "staff_usd_per_hour.ml_engineer").present == role_rate(base.rates, "ml_engineer")[0]
    stated = TONE.model_copy(update={"staff_usd_per_hour": {"ml_engineer": 77.0}})
    assert movable(compare(stated, BOOK), "staff_usd_per_hour.ml_engineer").present == 77.0
    found = goal_seek(TONE, BOOK, "staff_usd_per_hour.ml_engineer")
    for stretch in found.stretches:
        for value in (stretch.low, stretch.high):
            alone = compare(TONE.model_copy(update={"staff_usd_per_hour": {"ml_engineer": value}}), BOOK)
            assert stretch.winner is not None
            assert float(alone.available[stretch.winner].compared_usd()) == pytest.approx(
                min(float(result.compared_usd()) for result in alone.available.values()), rel=1e-9
            )


# --- against brute force --------------------------------------------------------------------------------------------------

CONTINUOUS = [
    one.path for one in movables(compare(TONE, BOOK)) if not one.whole and one.present and not one.path.endswith("speed_factor")
][::6]


@pytest.mark.parametrize("path", CONTINUOUS)
def test_the_winner_at_every_value_of_a_dense_grid_is_that_of_its_stretch(path: str) -> None:
    base = compare(TONE, BOOK)
    found = goal_seek(TONE, BOOK, path)
    values = np.linspace(found.low, found.high, 4999)
    with np.errstate(all="ignore"):
        moved = found.number.at(base, values)
    usd = {n: np.broadcast_to(np.squeeze(r.compared_usd()), values.shape) for n, r in moved.available.items()}
    least = np.min(list(usd.values()), axis=0)
    for stretch in found.stretches:
        inside = (values >= stretch.low) & (values <= stretch.high)
        assert stretch.winner is not None
        assert np.all(usd[stretch.winner][inside] <= least[inside] * (1 + 1e-9))
    assert found.stretches[0].low == found.low
    assert found.stretches[-1].high == found.high
    for change in found.changes:
        if change.smooth:
            a, b = change.totals_usd[str(change.before)], change.totals_usd[str(change.winner)]
            assert abs(a - b) <= 1e-9 * max(a, b)


@pytest.mark.parametrize(
    ("path", "low", "high"), [("horizon_months", 1, 14), (TURNS, 1, 9), (CADENCE, 1, 8), ("approaches.rag.go_live_month", 0, 11)]
)
def test_what_moves_in_steps_is_what_each_value_gives(path: str, low: int, high: int) -> None:
    found = goal_seek(TONE, BOOK, path, low, high)
    winners = {value: compare(with_value(TONE.at_point(), path, value), BOOK).winner() for value in range(low, high + 1)}
    for stretch in found.stretches:
        assert {winners[value] for value in range(int(stretch.low), int(stretch.high) + 1)} == {stretch.winner}
    first = [value for value in range(low + 1, high + 1) if winners[value] != winners[value - 1]]
    assert [change.value for change in found.changes] == first


def test_whole_things_that_arrays_can_hold_give_the_same_one_by_one() -> None:
    path = "approaches.fine-tuning.serving.min_replicas"
    found = goal_seek(TONE, BOOK, path, 1, 6, between=("fine-tuning", "hybrid"))
    for value in range(1, 7):
        alone = compare(with_value(TONE.at_point(), path, value), BOOK)
        stretch = next(stretch for stretch in found.stretches if stretch.low <= value <= stretch.high)
        assert stretch.winner == min(("fine-tuning", "hybrid"), key=lambda name: float(alone.results[name].compared_usd()))


def test_the_volume_is_left_to_the_exact_solver() -> None:
    base = compare(TONE, BOOK)
    found = goal_seek(TONE, BOOK, VOLUME)
    assert [(s.low, s.high, s.winner) for s in found.stretches] == [(i.first, i.last, i.winner) for i in base.envelope]
    pair = goal_seek(TONE, BOOK, VOLUME, between=("prompting", "fine-tuning"))
    exact = base.break_even("prompting", "fine-tuning")
    assert tuple(change.value for change in pair.changes) == exact.crossings
    assert [change.smooth for change in pair.changes] == [at is not None for at in exact.equal_at]


# --- ranges, gaps, words --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "low", "high", "origin"),
    [
        ("approaches.prompting.instruction_tokens", 260, 26_000, "a tenth to ten times"),
        ("workload.batch_share", 0, 1, "every share"),
        ("workload.active_hours_per_day", 1.2, 24, "a tenth to ten times"),
        ("horizon_months", 1, 120, "every value"),
        ("approaches.rag.go_live_month", 0, 11, "every value"),
        (VOLUME, 1, 18_000_000, "volumes"),
    ],
)
def test_the_usual_range_says_where_it_comes_from(path: str, low: float, high: float, origin: str) -> None:
    base = compare(TONE, BOOK)
    found = movable(base, path).usual_range(base)
    assert found[:2] == pytest.approx((low, high))
    assert origin in found[2]


def test_the_usual_range_of_an_estimate_is_the_stated_one() -> None:
    task = TONE.task.model_dump() | {"rejected_answer_usd": {"low": 0.02, "likely": 0.06, "high": 0.3}}
    stated = Scenario.model_validate(TONE.model_dump() | {"task": task})
    found = goal_seek(stated, BOOK, "task.rejected_answer_usd")
    assert (found.low, found.high, found.range_is, found.number.present) == (0.02, 0.3, "the stated range", 0.06)


def test_always_and_never_from_and_between_are_said() -> None:
    never = goal_seek(TONE, BOOK, "task.corpus_tokens", between=("prompting", "few-shot"))
    assert never.tied is False
    assert never.verdict().startswith("never changes in 120,000 to ")
    since = goal_seek(TONE, BOOK, "staff_usd_per_hour.ml_engineer")
    assert since.verdict() == f"prompting is the cheapest from {since.changes[0].value:,.6g} on, few-shot is the cheapest below"
    several = goal_seek(TONE, BOOK, "task.rejected_answer_usd", 0, 1)
    assert several.verdict(str.upper).startswith("changes 2 times in 0 to 1: PROMPTING is the cheapest from 0, FEW-SHOT")
    twin = tokens_alone()
    approaches = twin.model_dump()["approaches"]
    twin = Scenario.model_validate(twin.model_dump() | {"approaches": approaches | {"large": approaches["small"]}})
    assert goal_seek(twin, BOOK, "workload.user_tokens", 1, 100).tied


def test_today_is_what_the_comparison_says() -> None:
    found, base = goal_seek(TONE, BOOK, "task.examples"), compare(TONE, BOOK)
    assert found.number.present == 488
    assert found.present_winner == base.winner()
    assert found.present_totals_usd == {name: float(result.compared_usd()) for name, result in base.available.items()}


def test_values_that_the_model_refuses_are_a_gap_with_the_reason() -> None:
    found = goal_seek(TONE, BOOK, "approaches.rag.go_live_month", 6, 20)
    assert [(gap.approach, gap.low, gap.high) for gap in found.gaps] == [(None, 12, 20)]
    assert "within the horizon of 12 months" in found.gaps[0].why
    assert found.stretches[-1].winner is None
    assert "no approach has a total from 12 on" in found.verdict()


def test_months_in_which_an_approach_is_unavailable_are_a_gap_with_the_reason() -> None:
    approaches = TONE.model_dump()["approaches"]
    approaches["fine-tuning at OpenAI"]["after_end"] = "unavailable"
    stated = Scenario.model_validate(TONE.model_dump() | {"approaches": approaches})
    found = goal_seek(stated, BOOK, "horizon_months", 1, 6)
    gap = next(gap for gap in found.gaps if gap.approach == "fine-tuning at OpenAI")
    assert (gap.low, gap.high) == (2, 6)  # December 2026 is served; the model stops on 14 January 2027
    assert "2027-01-14" in gap.why


def test_an_approach_that_loses_its_price_within_the_range_is_a_gap_from_there_on() -> None:
    # an 8B model does not fit for full tuning on one GPU; from some number of them on it does
    approaches = TONE.model_dump()["approaches"]
    tuning = {"kind": "own_gpus", "gpu": "l40s", "rent": "runpod", "technique": "full", "epochs": 3, "gpus": 1}
    approaches["fine-tuning"]["tuning"] = tuning
    stated = Scenario.model_validate(TONE.model_dump() | {"approaches": approaches})
    found = goal_seek(stated, BOOK, "approaches.fine-tuning.tuning.gpus", 1, 8, between=("fine-tuning", "prompting"))
    gap = next(gap for gap in found.gaps if gap.approach == "fine-tuning")
    assert gap.low == 1
    assert gap.high < 8
    assert "fine-tuning" not in found.stretches[0].low_totals_usd
    assert "fine-tuning" in found.stretches[-1].high_totals_usd


# --- mistakes -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "low", "high", "says"),
    [
        ("task.example", 1, 2, r"there is no field task\.example: .*Did you mean task\.examples"),
        ("approaches.ragg.accepted", 0, 1, "there is no field.*'ragg' is not one of prompting"),
        ("approaches.ragg", 0, 1, "there is no field"),
        ("approaches.prompting.retrieval.chunks_per_request", 1, 2, "approaches.prompting.retrieval is not stated"),
        ("approaches.prompting.model", 0, 1, "does not hold a number"),
        ("approaches.prompting", 0, 1, "does not hold a number"),
        ("approaches.prompting.mix", 0, 1, "does not hold a number"),
        ("task.on_premises", 0, 1, "does not hold a number"),
        ("organisation.openai", 0, 1, "does not hold a number"),
        ("accept_unverified", 0, 1, "does not hold a number but a list"),
        ("", 0, 1, "there is no field"),
        ("task.examples", 5, 5, "is empty"),
        ("task.examples", 9, 5, "is empty: 9 must be below 5"),
        ("horizon_months", 5.2, 5.9, "is empty"),
        ("task.examples", float("nan"), 5, "must be finite"),
        ("task.examples", 1, float("inf"), "must be finite"),
        ("approaches.rag.accepted", 0.5, 1.7, "expected a number between 0 and 1, got 1.7"),
        ("task.examples", -3, 5, "expected a number 0 or more, got -3"),
        ("horizon_months", 1, 121, "expected a number between 1 and 120, got 121"),
        ("staff_usd_per_hour.ml_enginer", 1, 2, "no hours of 'ml_enginer'.*Did you mean ml_engineer"),
        ("prices.openai/gpt-6.1-tera.output_usd_per_mtok", 1, 2, r"Did you mean gpt-6\.1-terra"),
        ("prices.openai/gpt-6.1-terra.output_usd", 1, 2, "there is no price 'output_usd'. Did you mean"),
        ("prices.openai/gpt-6.1-terra.training_usd_per_mtok", 1, 2, "nothing here is billed at this price"),
        ("prices.nonsense", 1, 2, "there is no price"),
        (OUTPUT, -1, 2, "expected a number 0 or more"),
        ("assumptions.staff.overhead", 0, 1, r"there is no assumption.*Did you mean staff\.overhead_share"),
        ("assumptions.tokens.gemini_3", 0, 1, "assumption"),
        ("workload.requests_per_month", 0, 10, "expected a number"),
        ("approaches.fine-tuning.tuning.gpus", 1, 1e6, "up to 2,000 are computed one by one"),
    ],
)
def test_a_mistake_is_named_with_what_was_expected(path: str, low: float, high: float, says: str) -> None:
    with pytest.raises(ValueError, match=f"(?s){says}"):
        goal_seek(TONE, BOOK, path, low, high)


@pytest.mark.parametrize(
    ("between", "says"),
    [
        (("prompting", "few-shoot"), "there is no approach 'few-shoot'. Did you mean few-shot"),
        (("prompting", "prompting"), "cannot be held against itself"),
    ],
)
def test_approaches_that_cannot_be_held_together_are_named(between: tuple[str, str], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        goal_seek(TONE, BOOK, "task.examples", between=between)


def test_a_number_without_a_value_needs_a_range() -> None:
    with pytest.raises(ValueError, match="is 0, which gives no range"):
        goal_seek(TONE, BOOK, "approaches.prompting.tool_tokens")
    with pytest.raises(ValueError, match="is not stated, which gives no range"):
        goal_seek(TONE, BOOK, "approaches.prompting.seconds_per_answer")


def test_where_nothing_has_a_total_the_reasons_are_given() -> None:
    task = TONE.task.model_dump() | {"on_premises": True}
    approaches = {"prompting": TONE.model_dump()["approaches"]["prompting"]}
    stated = Scenario.model_validate(TONE.model_dump() | {"task": task, "approaches": approaches})
    with pytest.raises(NothingToCompare, match="cannot run on your premises"):
        goal_seek(stated, BOOK, "workload.user_tokens", 1, 100)


def test_every_number_that_is_listed_can_be_moved() -> None:
    base = compare(TONE, BOOK)
    listed = movables(base)
    assert len({one.path for one in listed}) == len(listed)
    prefixes = {one.path.partition(".")[0] for one in listed}
    assert {"horizon_months", "workload", "task", "approaches", "staff_usd_per_hour", "assumptions", "prices"} <= prefixes
    for one in listed:
        assert one.unit
        if one.present is not None and not one.path.startswith("workload.requests"):
            same = one.at(base, np.array([one.present]))
            for name, result in base.available.items():
                usd = float(np.squeeze(same.results[name].compared_usd()))
                assert usd == pytest.approx(float(result.compared_usd()), rel=1e-12), one.path


@pytest.mark.parametrize("path", ["workload.user_tokens", "horizon_months", OUTPUT])
def test_what_a_comparison_assumes_stays_where_a_number_moves(path: str) -> None:
    dearer = {"assuming": {"staff.overhead_share": 3.0}, "pricing": {("openai/gpt-6.1-terra", "input_usd_per_mtok"): 2.0}}
    base = compare(TONE, BOOK, **dearer)
    number = movable(base, path)
    same = number.at(base, np.array([number.present])).compared_totals(1)
    assert {name: float(usd[0]) for name, usd in same.items()} == {
        name: pytest.approx(float(result.compared_usd()), rel=1e-12) for name, result in base.available.items()
    }


def test_ends_of_a_range_may_be_whole_numbers() -> None:
    found = goal_seek(TONE, BOOK, "horizon_months", 1, 12)
    assert found.stretches == goal_seek(TONE, BOOK, "horizon_months", 1.0, 12.0).stretches
    assert found.range_is == "as asked for"


def test_the_rate_of_a_role_without_hours_is_not_listed() -> None:
    stated = TONE.model_dump() | {"staff_usd_per_hour": {"ml_engineer": 90, "data_scientist": 70}}
    rates = {one.path for one in movables(compare(Scenario.model_validate(stated), BOOK)) if one.path.startswith("staff_")}
    assert "staff_usd_per_hour.ml_engineer" in rates
    assert "staff_usd_per_hour.data_scientist" not in rates


def test_a_price_that_is_free_until_later_is_not_listed() -> None:
    days = {date(2026, 11, 1): "0", date(2027, 1, 1): "9"}
    sourced = {"source": "https://example.org/offer", "source_date": DAY, "recorded": DAY, "confidence": "own"}
    blocks = [{"effective": day, "output_usd_per_mtok": Decimal(usd)} | sourced for day, usd in days.items()]
    book = BOOK.with_overrides({"openai": {"model": {"gpt-6.1-terra": {"price": blocks}}}})
    listed = {one.path for one in movables(compare(TONE, book))}
    assert OUTPUT not in listed
    assert OUTPUT.replace("output", "input") in listed


def test_an_approach_that_loses_its_price_as_a_number_grows_keeps_its_totals_below() -> None:
    # the open model has no batch price, so that any share of batches leaves it without a total
    stated = load_scenario(EXAMPLES / "medical_qa.yaml")
    found = goal_seek(stated, BOOK, "workload.batch_share", 0, 1, today=DAY)
    gap = next(gap for gap in found.gaps if gap.approach == "hybrid at Vertex AI")
    assert 0 < gap.low < 1e-9
    assert gap.high == 1
    assert "batch" in gap.why
    assert "hybrid at Vertex AI" in found.stretches[0].low_totals_usd
    assert "hybrid at Vertex AI" not in found.stretches[-1].high_totals_usd


def test_the_usual_range_of_a_share_above_zero_starts_at_a_hundredth() -> None:
    base = compare(load_scenario(EXAMPLES / "medical_qa.yaml"), BOOK, today=DAY)
    number = movable(base, "approaches.fine-tuning.data_preparation.accept_share")
    assert number.usual_range(base)[:2] == (0.01, 1)
