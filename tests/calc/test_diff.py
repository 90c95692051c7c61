"""Why a number changed: shares worked by hand, sums, and what is told of changes that cannot be split."""

from __future__ import annotations

import random
import shutil
from copy import deepcopy
from datetime import date
from importlib.resources import files
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pricing
from calc import Scenario
from calc.diff import MOST_CAUSES, Answer, ApproachChange, Cause, FieldChange, State, explain_change, few_enough, shapley_values
from calc.scenario import FAMILIES
from ingest import load_scenario
from pricing import PriceBook

BOOK = PriceBook.bundled()
DAY = date(2026, 11, 21)
FREE = {
    "evaluation": {"examples": 0, "runs_per_release": 0, "runs_per_month": 0, "set_hours": 0},
    "staffing": {"set_up_hours": 0, "maintenance_hours_per_month": 0},
}


def stated(**changes: Any) -> dict[str, Any]:
    """A scenario's fields; ``task__kind`` is the kind of the task."""
    fields: dict[str, Any] = {
        "name": "Change",
        "horizon_months": 12,
        "workload": {"requests_per_month": 100_000, "user_tokens": 500, "answer_tokens": 0},
        "task": {"kind": "style"},
        "approaches": {"prompting": {"model": "openai/gpt-6-luna", "instruction_tokens": 0, **deepcopy(FREE)}},
    }
    for path, value in deepcopy(changes).items():
        *groups, last = path.split("__")
        inside = fields
        for group in groups:
            inside = inside.setdefault(group, {})
        inside[last] = value
    return fields


def state(day: date = DAY, book: PriceBook = BOOK, answer: Answer | None = None, **changes: Any) -> State:
    return State(Scenario.model_validate(stated(**changes)), book, day, answer)


FIVE = {
    "horizon_months": 6,
    "task": {"kind": "style", "examples": 400, "tokens_per_example": 500, "corpus_tokens": 1_000_000},
    "approaches": {
        "prompting": {"model": "openai/gpt-6.1-terra", "instruction_tokens": 2000},
        "fine-tuning": {
            "model": "vertex-ai/gemini-3.1-flash-lite",
            "instruction_tokens": 100,
            "tuning": {"epochs": 3, "runs": 2},
        },
    },
}


def only(found: list[ApproachChange] | tuple[ApproachChange, ...], name: str = "prompting") -> ApproachChange:
    return next(approach for approach in found if approach.name == name)


def effects(found: ApproachChange) -> dict[str, float]:
    return {" ".join(change.field for change in effect.cause.fields): effect.usd for effect in found.effects}


# --- shares ---------------------------------------------------------------------------------------------------------------


def test_two_causes_of_a_product_by_hand():
    """V·p from 100·2 to 200·3: V first brings 200, last 300, so 250; p 100 or 200, so 150."""
    assert shapley_values([200, 400, 300, 600]) == [250, 150]


def test_three_causes_by_hand():
    """Of a product of three doublings, each comes first in a third of all orders (1), second in a third (2), or last (4)."""
    assert shapley_values([1, 2, 2, 4, 2, 4, 4, 8]) == pytest.approx([7 / 3] * 3)


def test_shares_of_no_cause_and_of_one():
    assert shapley_values([5]) == []
    assert shapley_values([5, 3]) == [-2]


def test_shares_are_the_mean_over_all_orders():
    rng = random.Random(1)
    totals = [rng.uniform(-5, 5) for _ in range(16)]
    mean = [0.0] * 4
    for order in permutations(range(4)):
        mask = 0
        for cause in order:
            mean[cause] += (totals[mask | 1 << cause] - totals[mask]) / 24
            mask |= 1 << cause
    assert shapley_values(totals) == pytest.approx(mean)


def test_volume_and_tokens_of_a_scenario_by_hand():
    """Tokens alone are paid, so the total is V·U·p; V grows by half, U doubles. Of the old total V's part is (½ + 1)/2, U's
    (1 + 1½)/2."""
    old, new = state(), state(workload__requests_per_month=150_000, workload__user_tokens=1000)
    found = only(explain_change(old, new).approaches)
    assert found.old_usd is not None
    assert found.new_usd == pytest.approx(3 * found.old_usd)
    assert effects(found) == {
        "workload.user_tokens": pytest.approx(1.25 * found.old_usd),
        "workload.requests_per_month": pytest.approx(0.75 * found.old_usd),
    }
    assert [effect.cause.kind for effect in found.effects] == ["input", "volume"]


# --- sums -----------------------------------------------------------------------------------------------------------------


MOVES: dict[str, st.SearchStrategy[Any]] = {
    "horizon_months": st.integers(3, 24),
    "workload__requests_per_month": st.integers(1000, 2_000_000),
    "workload__growth": st.sampled_from([{"kind": "flat"}, {"kind": "compound", "monthly_share": 0.05}]),
    "workload__user_tokens": st.integers(10, 3000),
    "workload__answer_tokens": st.integers(0, 1500),
    "workload__retry_share": st.floats(0, 0.2),
    "task__examples": st.integers(100, 5000),
    "task__corpus_tokens": st.integers(10_000, 10**8),
    "approaches__prompting__model": st.sampled_from(["openai/gpt-6-luna", "openai/gpt-4.1-mini"]),
    "approaches__prompting__instruction_tokens": st.integers(0, 9000),
    "approaches__fine-tuning__instruction_tokens": st.integers(0, 900),
    "staff_usd_per_hour": st.fixed_dictionaries({"ml_engineer": st.integers(20, 200)}),
    "finance__price_decline_per_year": st.floats(0, 0.3),
}
CHANGES = st.sets(st.sampled_from(sorted(MOVES)), min_size=5, max_size=6).flatmap(
    lambda names: st.fixed_dictionaries({name: MOVES[name] for name in names})
)


def five(changes: dict[str, Any]) -> State:
    return state(**(FIVE | changes))


@settings(max_examples=8, deadline=None)
@given(CHANGES)
def test_the_parts_sum_to_the_change(changes: dict[str, Any]):
    found = explain_change(five({}), five(changes))
    for approach in found.approaches:
        assert approach.outcome == "split" or None in (approach.old_usd, approach.new_usd)
        if approach.outcome == "split":
            assert approach.old_usd is not None
            assert approach.change_usd is not None
            scale = max(approach.old_usd, abs(approach.change_usd))
            assert sum(effect.usd for effect in approach.effects) == pytest.approx(approach.change_usd, abs=1e-9 * scale)


def test_six_changed_fields_sum_and_are_all_named():
    changes = {
        "horizon_months": 9,
        "workload__requests_per_month": 300_000,
        "workload__user_tokens": 800,
        "workload__answer_tokens": 300,
        "approaches__prompting__instruction_tokens": 1500,
        "staff_usd_per_hour": {"ml_engineer": 90},
    }
    found = only(explain_change(five({}), five(changes)).approaches)
    assert set(effects(found)) == {path.replace("__", ".") for path in changes if "staff" not in path} | {
        "staff_usd_per_hour.ml_engineer"
    }
    assert sum(effects(found).values()) == pytest.approx(found.change_usd, rel=1e-9)
    sizes = [abs(effect.usd) for effect in found.effects]
    assert sizes == sorted(sizes, reverse=True)


EXAMPLES = sorted((Path(__file__).resolve().parents[2] / "examples").glob("*.yaml"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_five_changed_fields_of_an_example_sum(path: Path):
    scenario = load_scenario(path)
    fields = scenario.model_dump(mode="json")
    fields["workload"] |= {"requests_per_month": 77_000, "user_tokens": 456, "answer_tokens": 123}
    fields["horizon_months"] += 1
    fields["approaches"]["prompting"]["instruction_tokens"] = 777
    absent = {family: None for family in FAMILIES if family not in scenario.approaches}
    fields["approaches"] = absent | {name: approach | {"extends": None} for name, approach in fields["approaches"].items()}
    day = scenario.as_of or DAY
    found = explain_change(State(scenario, BOOK, day), State(Scenario.model_validate(fields), BOOK, day))
    split = [approach for approach in found.approaches if approach.outcome == "split"]
    assert len(split) >= 5
    for approach in split:
        assert len(approach.effects) >= 4
        assert sum(effect.usd for effect in approach.effects) == pytest.approx(approach.change_usd, rel=1e-9)


def shuffled(fields: Any, rng: random.Random) -> Any:
    if not isinstance(fields, dict):
        return fields
    names = list(fields)
    rng.shuffle(names)
    return {name: shuffled(fields[name], rng) for name in names}


@pytest.mark.parametrize("seed", range(4))
def test_the_order_of_fields_has_no_part_in_the_effects(seed: int):
    changes = {
        "workload__user_tokens": 900,
        "task__rejected_answer_usd": 0.1,
        "approaches__prompting__accepted": 0.9,
        "approaches__fine-tuning__accepted": 0.95,
        "staff_usd_per_hour": {"ml_engineer": 90, "support_agent": 30},
        "organisation": {"openai": "active", "fireworks": "active"},
    }
    old, new = ({**FIVE, **more} for more in ({"staff_usd_per_hour": {"support_agent": 20, "ml_engineer": 50}}, changes))

    def explained(mix: random.Random | None) -> list[tuple[str, list[tuple[str, float]]]]:
        pair = [stated(**fields) for fields in (old, new)]
        pair = pair if mix is None else [shuffled(fields, mix) for fields in pair]
        found = explain_change(*(State(Scenario.model_validate(fields), BOOK, DAY) for fields in pair))
        return sorted((a.name, sorted(effects(a).items())) for a in found.approaches)

    assert explained(random.Random(seed)) == explained(None)


# --- causes ---------------------------------------------------------------------------------------------------------------


def test_the_same_twice_has_no_cause_and_no_change():
    found = explain_change(five({}), five({}))
    assert not found.differs
    assert all(approach.change_usd == 0 and not approach.effects for approach in found.approaches)
    assert found.break_evens == ()


def test_names_and_currencies_are_no_cause():
    found = explain_change(state(), state(name="Other", description="Words", finance__currency="EUR"))
    assert not found.differs


def test_a_model_and_where_it_runs_are_one_cause_of_its_own_approach():
    tuned = {"model": "meta/llama-3.1-8b", "instruction_tokens": 100, "tuning": {"at": "fireworks", "epochs": 3}}
    own = {"kind": "own_gpus", "gpu": "l40s", "rent": "runpod", "requests_per_second_per_replica": 4}
    moved = tuned | {"model": "meta/llama-3.3-70b", "tuning": {"at": "together", "epochs": 2}}
    old = five({"approaches__fine-tuning": tuned | {"serving": own}})
    new = five({"approaches__fine-tuning": moved | {"serving": own | {"gpu": "h100"}}})
    found = explain_change(old, new)
    causes = {effect.cause.kind: effect.cause for effect in only(found.approaches, "fine-tuning").effects}
    assert {change.field.removeprefix("approaches.fine-tuning.") for change in causes["model"].fields} == {
        "model",
        "serving.gpu",
        "tuning.at",
    }
    assert [change.field for change in causes["input"].fields] == ["approaches.fine-tuning.tuning.epochs"]
    assert only(found.approaches).effects == ()  # prompting reads none of it


def test_a_throughput_alone_is_an_input():
    served = {"kind": "own_gpus", "gpu": "l40s", "rent": "runpod", "requests_per_second_per_replica": 4}
    tuned = {"model": "meta/llama-3.1-8b", "instruction_tokens": 9, "tuning": {"at": "fireworks"}, "serving": served}
    old = five({"approaches__fine-tuning": tuned})
    new = five({"approaches__fine-tuning": tuned | {"serving": served | {"requests_per_second_per_replica": 5}}})
    [effect] = only(explain_change(old, new).approaches, "fine-tuning").effects
    assert effect.cause.kind == "input"
    assert effect.cause.fields[0].field == "approaches.fine-tuning.serving.requests_per_second_per_replica"


def test_an_estimate_counts_as_a_whole():
    old = state(workload__user_tokens={"low": 100, "likely": 200, "high": 400})
    new = state(workload__user_tokens={"low": 100, "likely": 300, "high": 400})
    [effect] = only(explain_change(old, new).approaches).effects
    assert effect.cause.fields[0].path == ("workload", "user_tokens")


def test_fields_that_need_each_other_are_told_as_one():
    role = {"approaches__prompting__staffing": {"role": "poet", "set_up_hours": 10, "maintenance_hours_per_month": 0}}
    old = state(approaches__prompting__staffing={"set_up_hours": 10, "maintenance_hours_per_month": 0})
    new = state(**role, staff_usd_per_hour={"poet": 77}, workload__user_tokens=700)
    found = only(explain_change(old, new).approaches)
    joined = next(effect.cause for effect in found.effects if effect.cause.merged)
    assert joined.merged == "not apart"
    assert {change.field for change in joined.fields} == {"approaches.prompting.staffing.role", "staff_usd_per_hour.poet"}
    assert sum(effects(found).values()) == pytest.approx(found.change_usd, rel=1e-9)


def inputs(*paths: str) -> list[Cause]:
    return [Cause("input", (FieldChange(tuple(path.split(".")), 1, 2),)) for path in paths]


def test_many_inputs_are_joined_by_their_part_the_deepest_first():
    deep = [f"approaches.rag.retrieval.{name}" for name in "abc"]
    shallow = [f"workload.{name}" for name in "defghijk"]
    found = few_enough(inputs(*deep, *shallow))
    assert len(found) == 9
    [joined] = [cause for cause in found if cause.merged]
    assert (joined.merged, joined.part) == ("too many", ("approaches", "rag", "retrieval"))
    assert {change.field for change in joined.fields} == set(deep)


def test_as_many_as_can_be_told_apart_are_left_alone():
    causes = inputs(*(f"workload.{name}" for name in "abcdefghij"))
    assert few_enough(causes) == causes


def test_prices_and_volume_are_never_joined_with_inputs():
    kept = [Cause("day", (FieldChange(("as_of",), 1, 2),)), Cause("volume", (FieldChange(("workload", "growth"), 1, 2),))]
    models = [Cause("model", (FieldChange(("approaches", f"m{i}", "model"), 1, 2),)) for i in range(20)]
    found = few_enough([*kept, *models, *inputs("task.a", "task.b", "workload.c")])
    assert len(found) <= MOST_CAUSES
    assert found[:2] == kept


def test_more_changed_fields_than_are_told_apart_still_sum():
    new = {f"approaches__prompting__evaluation__{name}": 2 for name in ("examples", "set_hours", "runs_per_release")}
    new |= {"approaches__prompting__staffing__set_up_hours": 9, "approaches__prompting__staffing__maintenance_hours_per_month": 3}
    new |= {f"workload__{name}": 111 for name in ("user_tokens", "answer_tokens", "peak_factor", "requests_per_month")}
    new |= {"horizon_months": 8, "task__rejected_answer_usd": 0.2, "approaches__prompting__tool_tokens": 50}
    found = only(explain_change(state(), state(**new)).approaches)
    assert len(found.effects) == MOST_CAUSES
    assert any(effect.cause.merged == "too many" for effect in found.effects)
    assert sum(effects(found).values()) == pytest.approx(found.change_usd, rel=1e-9)


def test_the_reference_s_fields_move_who_falls_back_to_it():
    """Where the reference stands in, its instructions are a cause; those of a third approach are not."""
    start = {"approaches__fine-tuning__go_live_month": 3}
    old = five(start)
    new = five(start | {"approaches__prompting__instruction_tokens": 900, "approaches__few-shot": {"extends": "prompting"}})
    found = only(explain_change(old, new).approaches, "fine-tuning")
    assert effects(found)["approaches.prompting.instruction_tokens"] == pytest.approx(found.change_usd)
    assert not any("few-shot" in field for field in effects(found))


def test_another_reference_is_a_cause():
    start = {"approaches__fine-tuning__go_live_month": 3, "approaches__other": {"extends": "prompting", "instruction_tokens": 9}}
    found = only(explain_change(five(start), five(start | {"reference": "other"})).approaches, "fine-tuning")
    assert found.change_usd
    assert effects(found) == {"reference": pytest.approx(found.change_usd)}


# --- prices ---------------------------------------------------------------------------------------------------------------

LATER = """
[[model.gpt-6-luna.price]]
effective = {effective}
input_usd_per_mtok = {usd}
source = "https://example.org/prices"
source_date = 2026-11-20
recorded = {recorded}
confidence = "transcribed"
"""


def book_with(tmp_path: Path, **block: object) -> PriceBook:
    """A copy of the bundled book with one more price of GPT-6 Luna."""
    folder = tmp_path / "pricing"
    shutil.copytree(str(files(pricing)), folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    with (folder / "tables" / "openai.toml").open("a", encoding="utf-8") as table:
        table.write(LATER.format(**block))
    return PriceBook(folder)


def test_a_correction_of_the_book_is_the_only_cause(tmp_path: Path):
    """$0.1 corrected to $0.3: three times the total of input tokens alone."""
    book = book_with(tmp_path, effective="2026-09-22", usd=0.3, recorded="2099-01-01")
    old, new = (state(book=book, price_release=day) for day in (date(2026, 11, 21), date(2099, 1, 1)))
    found = explain_change(old, new)
    approach = only(found.approaches)
    [effect] = approach.effects
    assert effect.cause.kind == "price book"
    assert effect.usd == approach.change_usd == pytest.approx(2 * (approach.old_usd or 0))
    assert [(change.offer, change.old, change.new) for change in found.price_changes] == [("openai/gpt-6-luna", "0.1", "0.3")]


def test_a_day_after_an_announced_price_is_the_only_cause(tmp_path: Path):
    book = book_with(tmp_path, effective="2027-01-01", usd=0.2, recorded="2026-11-21")
    old, new = (state(book=book, day=day, horizon_months=1) for day in (date(2026, 11, 21), date(2027, 1, 2)))
    [effect] = only(explain_change(old, new).approaches).effects
    assert effect.cause.kind == "day"
    assert effect.usd == pytest.approx(only(explain_change(old, new).approaches).old_usd)


def test_book_and_day_are_told_apart(tmp_path: Path):
    book = book_with(tmp_path, effective="2027-01-01", usd=0.2, recorded="2099-01-01")
    old = state(book=book, horizon_months=1, price_release=date(2026, 11, 21))
    new = state(book=book, horizon_months=1, price_release=date(2099, 1, 1), day=date(2027, 1, 2))
    found = only(explain_change(old, new).approaches)
    # neither does anything without the other, so each has half
    assert {effect.cause.kind: effect.usd for effect in found.effects} == {
        "price book": pytest.approx((found.change_usd or 0) / 2),
        "day": pytest.approx((found.change_usd or 0) / 2),
    }


def test_states_of_the_book_with_the_same_records_are_no_cause():
    days = (date(2098, 1, 1), date(2099, 1, 1))
    assert not explain_change(*(state(price_release=day) for day in days)).differs


# --- what is not split ----------------------------------------------------------------------------------------------------


def test_approaches_of_one_side_only_are_added_and_removed():
    alone, more = state(), state(**{"approaches__second": {"extends": "prompting", "instruction_tokens": 50}})
    there, back = explain_change(alone, more), explain_change(more, alone)
    added, removed = only(there.approaches, "second"), only(back.approaches, "second")
    assert (added.outcome, added.old_usd, added.effects) == ("added", None, ())
    assert (removed.outcome, removed.new_usd, removed.effects) == ("removed", None, ())
    assert added.new_usd == removed.old_usd is not None
    assert only(there.approaches).change_usd == 0


ENDING = {
    "organisation": {"openai": "active"},
    "approaches__short": {
        "model": "openai/gpt-4.1-mini",
        "instruction_tokens": 0,
        "tuning": {"examples": 100, "tokens_per_example": 500},
        "after_end": "unavailable",
    },
}
"""What is tuned from GPT-4.1 mini ends on 14 January 2027."""


def test_a_total_that_is_lost_or_gained_has_its_reason_and_no_split():
    old, new = state(**ENDING, horizon_months=1), state(**ENDING, horizon_months=12)
    lost, gained = (only(explain_change(*pair).approaches, "short") for pair in ((old, new), (new, old)))
    assert (lost.outcome, lost.new_usd, lost.effects) == ("lost", None, ())
    assert (gained.outcome, gained.old_usd, gained.effects) == ("gained", None, ())
    assert "ends on" in lost.why
    assert lost.why == gained.why
    assert only(explain_change(new, new).approaches, "short").outcome == "no total"


def answer(totals: dict[str, float | None], version: str) -> Answer:
    return Answer(version, totals, {}, "prompting", ())


def test_what_another_version_computes_is_an_effect_of_its_own():
    computed = state().computed("prompting")
    assert computed is not None
    old = state(answer=answer({"prompting": computed - 100}, "0.0.9"))
    new = state(workload__user_tokens=1000, answer=answer({"prompting": 2 * computed + 7}, "0.3"))
    found = only(explain_change(old, new, tuneworth="0.1").approaches)
    told = {(change.old, change.new): e.usd for e in found.effects for change in e.cause.fields if e.cause.kind == "calculation"}
    assert told == {("0.0.9", "0.1"): pytest.approx(100), ("0.1", "0.3"): pytest.approx(7)}
    assert effects(found)["workload.user_tokens"] == pytest.approx(computed)
    assert sum(effect.usd for effect in found.effects) == pytest.approx(found.change_usd, rel=1e-9)


def test_a_report_s_twelve_digits_are_no_effect():
    computed = state().computed("prompting")
    old = state(answer=answer({"prompting": float(f"{computed:.12g}")}, "0.0.9"))
    assert only(explain_change(old, state(), tuneworth="0.1").approaches).effects == ()


def test_a_total_that_cannot_be_computed_any_more_is_not_split():
    refused = ENDING | {"organisation": {"openai": "new"}}
    old = state(**refused, answer=answer({"prompting": 50.0, "short": 100.0}, "0.0.9"))
    found = only(explain_change(old, state(**ENDING, horizon_months=1)).approaches, "short")
    assert (found.outcome, found.effects) == ("unsplit", ())
    assert found.change_usd == (found.new_usd or 0) - 100
    assert "cannot be computed any more" in found.why


def test_break_evens_against_the_reference_that_moved():
    found = explain_change(five({}), five({"workload__user_tokens": 900}))
    assert found.break_evens
    for change in found.break_evens:
        assert change.old.a == change.new.a == "prompting"
        assert change.old.verdict != change.new.verdict
