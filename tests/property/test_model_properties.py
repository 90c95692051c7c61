"""What must hold for any scenario: sums, scaling, monotony, equal ways of saying the same, draws against a loop."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from datetime import date
from functools import reduce
from itertools import accumulate, pairwise
from typing import Any

import numpy as np
import pytest
import pyxirr
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from calc import Comparison, Scenario, cash_flow, compare
from calc.estimate import resolve
from calc.evaluate import evaluate
from calc.timeline import Months
from pricing import PriceBook

pytestmark = pytest.mark.filterwarnings("error::RuntimeWarning")

SOURCE = {
    "source": "https://example.org/",
    "source_date": date(2020, 1, 1),
    "recorded": date(2020, 1, 1),
    "confidence": "transcribed",
}
BUNDLED = PriceBook.bundled()


def examples(count: int) -> Callable[[Any], Any]:
    slow = [HealthCheck.too_slow, HealthCheck.data_too_large]
    return settings(max_examples=count, deadline=None, derandomize=True, suppress_health_check=slow)


# --- a small world with every kind of price -----------------------------------------------------------------------------


def _block(scale: float, conditions: dict[str, Any] | None = None, **prices: float) -> dict[str, Any]:
    return {"effective": date(2020, 1, 1)} | SOURCE | (conditions or {}) | {key: usd * scale for key, usd in prices.items()}


def world(scale: float = 1.0) -> PriceBook:
    """Two providers: an implicit cache and rules of every kind at one, an explicit cache and an ending model at the other."""

    def tokens(factor: float, **more: float) -> list[dict[str, Any]]:
        plain = {"input_usd_per_mtok": factor, "output_usd_per_mtok": 4 * factor}
        half = {key: usd / 2 for key, usd in plain.items()}
        return [
            _block(scale, **plain, cache_read_usd_per_mtok=factor / 10, cache_write_usd_per_mtok=1.25 * factor, **more),
            _block(scale, {"service": "batch"}, **half),
            _block(scale, {"context_above_tokens": 3000}, **{key: 2 * usd for key, usd in plain.items()}),
            _block(scale, {"context_above_tokens": 3000, "service": "batch"}, **plain),
            _block(scale, {"tuned": True}, **plain, hosting_usd_per_hour=0.5),
            _block(scale, {"tuned": True, "service": "batch"}, **half),
        ]

    training = {"training_usd_per_mtok": 5.0, "model_storage_usd_per_month": 2.0}
    cut = {key: usd * 0.4 * scale for key, usd in {"input_usd_per_mtok": 1.0, "output_usd_per_mtok": 4.0}.items()}
    ends = {"event": "inference_ends", "date": date(2027, 5, 20), "successor": "blue/new"} | SOURCE
    units = {"kind": "serverless units", "storage_overhead": 1.0, "read_units_per_gb": 1.0, "minimum_read_units": 0.25}
    writes = {"write_units_per_kb": 1.0, "delete_units_per_kb": 1.0}
    unit_prices = {"storage_usd_per_gb_month": 0.3, "write_usd_per_munit": 4.0, "read_usd_per_munit": 16.0}
    acme: dict[str, Any] = {
        "name": "acme",
        "price_page": "https://example.org/",
        "cache": {"mode": "implicit", "minimum_tokens": 256, "ttl_seconds": 300} | SOURCE,
        "billing": {"validation_tokens_billed": True, "default_epochs": "openai-cookbook"} | SOURCE,
        "price": [_block(scale, minimum_usd_per_job=4.0)],
        "model": {
            "base": {"name": "base", "price": tokens(1.0, **training)},
            "cut": {"name": "cut", "price": [*tokens(1.0), {"effective": date(2027, 3, 1)} | SOURCE | cut]},
            "encoder": {"name": "encoder", "dimensions": 1000, "price": [_block(scale, embedding_usd_per_mtok=0.02)]},
            "ranker": {"name": "ranker", "price": [_block(scale, rerank_usd_per_ksearch=2.0)]},
        },
        "gpu": {"l4": {"name": "l4", "price": [_block(scale, gpu_usd_per_hour=1.0)]}},
        "instance": {
            "node": {
                "name": "node",
                "hardware": {"gpu": "h100", "gpus": 8},
                "price": [_block(scale, instance_usd_per_hour=20.0)],
            }
        },
        "store": {
            "units": {
                "name": "units",
                "price": [_block(scale, **unit_prices, minimum_usd_per_month=50.0)],
                "store": units | writes | SOURCE,
            },
            "machine": {
                "name": "machine",
                "price": [_block(scale, storage_usd_per_gb_month=0.1, instance_usd_per_hour=0.5)],
                "store": {"kind": "instance", "gb_per_instance": 20.0} | SOURCE,
            },
        },
    }
    blue: dict[str, Any] = {
        "name": "blue",
        "price_page": "https://example.org/",
        "cache": {"mode": "explicit", "minimum_tokens": 512, "ttl_seconds": 3600} | SOURCE,
        "billing": {"tuned_inference": "as base"} | SOURCE,
        "model": {
            "old": {"name": "old", "price": tokens(2.0, **training), "lifecycle": [ends]},
            "new": {"name": "new", "price": tokens(1.5, **training)},
        },
    }
    return BUNDLED.with_overrides({"acme": acme, "blue": blue})


WORLD = world()

# --- random scenarios ---------------------------------------------------------------------------------------------------

shares = st.sampled_from([0.0, 0.05, 0.3, 1.0])
GROWTHS = st.sampled_from(
    [
        {"kind": "flat"},
        {"kind": "compound", "monthly_share": 0.04},
        {"kind": "linear", "monthly_share": -0.03},
        {"kind": "s-curve", "final_multiple": 5, "midpoint_month": 5, "months_from_10_to_90_percent": 4},
        {"kind": "seasonal", "january_to_december": [1, 1, 1, 2, 2, 2, 1, 1, 1, 3, 3, 1]},
        {"kind": "series", "requests_by_month": [5, 6, 7, 8, 9, 8, 7, 6, 5, 4, 3, 2]},
    ]
)


@st.composite
def approaches(draw: Any) -> dict[str, Any]:
    """One approach, composed at random."""
    fields: dict[str, Any] = {
        "model": draw(st.sampled_from(["acme/base", "acme/cut", "blue/old", "blue/new"])),
        "instruction_tokens": draw(st.integers(0, 3500)),
        "shots": draw(st.integers(0, 6)),
        "go_live_month": draw(st.sampled_from([0, 0, 3])),
        "accepted": draw(st.sampled_from([0.8, 0.95, 1.0])),
        "staffing": {"set_up_hours": draw(st.integers(0, 20)), "maintenance_hours_per_month": 1},
    }
    if draw(st.booleans()):
        fields["retrieval"] = {
            "store": draw(st.sampled_from(["acme/units", "acme/machine"])),
            "embedding": "acme/encoder",
            "reranker": draw(st.sampled_from([None, "acme/ranker"])),
            "corpus_tokens": draw(st.integers(1000, 50_000_000)),
        }
    if draw(st.booleans()) and fields["model"] != "acme/cut":
        fields["tuning"] = {"retrain_every_months": draw(st.sampled_from([None, 2, 5])), "runs": draw(st.integers(1, 4))}
        if draw(st.booleans()):
            fields["tuning"] |= {"kind": "own_gpus", "gpu": "node", "rent": "acme", "gpus": 8, "training_hours_per_run": 3}
    serving = draw(st.sampled_from(["per_token", "dedicated", "own_gpus"]))
    throughput = draw(st.sampled_from([0.5, 2.0, 10.0]))
    replicas = {"requests_per_second_per_replica": throughput, "min_replicas": draw(st.integers(1, 3))}
    if serving == "dedicated":
        fields["serving"] = {"kind": "dedicated", "provider": "acme", "gpu": "l4"} | replicas
    if serving == "own_gpus":
        replicas["gpus_per_replica"] = draw(st.integers(1, 9))
        fields["serving"] = {"kind": "own_gpus", "gpu": "node", "rent": "acme"} | replicas
    if serving == "dedicated" and fields["model"].startswith("blue"):
        fields["model"] = "acme/base"
    mix = draw(st.sampled_from([None, "routing", "fallback"]))
    if mix is not None:
        fields["mix"] = {"kind": mix, "model": "acme/base", "share": draw(shares), "check_usd_per_request": 0.0002}
    return {key: value for key, value in fields.items() if value is not None}


@st.composite
def scenarios(draw: Any, hit_share: Any = None) -> dict[str, Any]:
    """A scenario of two to four approaches, as plain fields."""
    names = ["plain", "second", "third", "fourth"][: draw(st.integers(2, 4))]
    composed = {name: draw(approaches()) for name in names}
    composed["plain"] |= {"go_live_month": 0}
    handling = draw(st.sampled_from([None, 0.01, 0.5]))
    return {
        "name": "any",
        "as_of": "2026-11-20",
        "horizon_months": draw(st.sampled_from([1, 7, 12])) if composed_late(composed) is False else 12,
        "reference": "plain",
        "staff_usd_per_hour": {"ml_engineer": 90.0, "support_agent": 30.0},
        "workload": {
            "requests_per_month": draw(st.integers(1, 3_000_000)),
            "growth": draw(GROWTHS),
            "user_tokens": draw(st.integers(0, 600)),
            "answer_tokens": draw(st.integers(0, 400)),
            "turns_per_conversation": draw(st.sampled_from([1, 4, (1, 2, 6)])),
            "seconds_between_turns": draw(st.sampled_from([None, 60, 4000])),
            "active_hours_per_day": draw(st.sampled_from([8, 12, 24])),
            "cache_hit_share": draw(st.sampled_from(["from_traffic", 0.0, 0.1, 0.6, 1.0])) if hit_share is None else hit_share,
            "batch_share": draw(shares),
            "retry_share": draw(shares),
        },
        "task": {"kind": "style", "examples": 300, "tokens_per_example": 500, "rejected_answer_usd": handling},
        "approaches": composed,
    }


def composed_late(composed: dict[str, Any]) -> bool:
    return any(fields.get("go_live_month") for fields in composed.values())


def compared(fields: dict[str, Any], book: PriceBook = WORLD) -> Comparison:
    return compare(Scenario.model_validate(fields), book)


# --- sums ---------------------------------------------------------------------------------------------------------------


@examples(60)
@given(scenarios())
def test_lines_groups_months_flows_and_curve_all_sum_to_the_total(fields: dict[str, Any]) -> None:
    found = compared(fields)
    for result in found.available.values():
        ledger, volume = result.ledger, found.requests
        total = float(ledger.total(volume))
        assert np.isfinite(total)
        assert sum(float(line.total(volume)) for line in ledger.lines) == pytest.approx(total, rel=1e-12)
        assert sum(map(float, ledger.by_group(volume).values())) == pytest.approx(total, rel=1e-12)
        assert float(ledger.by_month(volume).sum()) == pytest.approx(total, rel=1e-12)
        assert float(cash_flow.cost_flows(ledger, volume).sum()) == pytest.approx(total, rel=1e-12)
        assert float(ledger.curve.total(volume)) == pytest.approx(total, rel=1e-9)
        assert len({line.key for line in ledger.lines}) == len(ledger.lines), "keys of lines are unique"


@examples(40)
@given(scenarios(), st.lists(st.integers(1, 10_000_000), min_size=2, max_size=5))
def test_an_array_of_volumes_gives_what_each_volume_gives(fields: dict[str, Any], volumes: list[int]) -> None:
    for result in compared(fields).available.values():
        one_by_one = [float(result.ledger.total(volume)) for volume in volumes]
        assert result.ledger.total(np.array(volumes)) == pytest.approx(one_by_one, rel=1e-12)
        assert result.ledger.curve.total(np.array(volumes)) == pytest.approx(one_by_one, rel=1e-9)


# --- scaling and monotony -----------------------------------------------------------------------------------------------


@examples(40)
@given(scenarios(), st.sampled_from([0.5, 2.0, 4.0]))
def test_all_prices_and_rates_times_c_give_totals_times_c(fields: dict[str, Any], scale: float) -> None:
    dearer = copy.deepcopy(fields)
    dearer["staff_usd_per_hour"] = {role: rate * scale for role, rate in fields["staff_usd_per_hour"].items()}
    if fields["task"]["rejected_answer_usd"] is not None:
        dearer["task"]["rejected_answer_usd"] *= scale
    for approach in dearer["approaches"].values():
        if "mix" in approach:
            approach["mix"]["check_usd_per_request"] *= scale
    before, after = compared(fields), compared(dearer, world(scale))
    assert set(before.available) == set(after.available)
    for name, result in before.available.items():
        assert float(after.results[name].total()) == pytest.approx(scale * float(result.total()), rel=1e-9)


@examples(40)
@given(scenarios(hit_share=0.6), st.integers(1, 5_000_000), st.integers(1, 5_000_000))
def test_more_requests_never_cost_less_at_a_given_hit_share(fields: dict[str, Any], a: int, b: int) -> None:
    for result in compared(fields).available.values():
        fewer, more = (float(result.ledger.total(volume)) for volume in sorted((a, b)))
        assert fewer <= more * (1 + 1e-12)


MORE = (
    "workload.user_tokens",
    "workload.answer_tokens",
    "workload.retry_share",
    "task.tokens_per_example",
    "task.examples",
    "approaches.second.instruction_tokens",
    "staff_usd_per_hour.ml_engineer",
)


@examples(60)
@given(scenarios(hit_share=0.0), st.sampled_from(MORE))
def test_more_tokens_retries_examples_or_wages_never_cost_less(fields: dict[str, Any], path: str) -> None:
    # an epoch rule may fall with the number of examples, so that the epochs are stated here
    for approach in fields["approaches"].values():
        if "tuning" in approach:
            approach["tuning"]["epochs"] = 3
    raised = copy.deepcopy(fields)
    *parents, last = path.split(".")
    place = reduce(lambda at, key: at[key], parents, raised)
    place[last] = place[last] * 1.3 + (0.1 if last == "retry_share" else 7)
    if last == "retry_share":
        place[last] = min(place[last], 1.0)
    # crossing a cache's minimum length may make a prompt cheaper: without caching prices only rise
    before, after = compared(fields, uncached()), compared(raised, uncached())
    for name, result in before.available.items():
        assert float(after.results[name].total()) >= float(result.total()) * (1 - 1e-12)


def uncached() -> PriceBook:
    """The same world at providers that cache nothing."""
    overrides = copy.deepcopy(WORLD._overrides)
    for table in overrides.values():
        table.pop("cache", None)
    return BUNDLED.with_overrides(overrides)


# --- who is cheapest ----------------------------------------------------------------------------------------------------


@examples(50)
@given(scenarios(), st.lists(st.integers(1, 10_000_000), min_size=5, max_size=15))
def test_the_envelope_tiles_the_volumes_and_names_the_lowest_total(fields: dict[str, Any], volumes: list[int]) -> None:
    found = compared(fields)
    assume(found.available)
    tiles = found.envelope
    assert tiles[0].first == 1
    assert tiles[-1].last == found.largest_volume
    assert all(left.last + 1 == right.first for left, right in pairwise(tiles))
    edges = [volume for tile in tiles for volume in (tile.first, tile.last)]
    for volume in (*volumes, *edges[:40]):
        totals = {name: float(result.ledger.total(volume * result.volume_scale)) for name, result in found.available.items()}
        tile = next(tile for tile in tiles if tile.first <= volume <= tile.last)
        lowest = min(totals.values())
        if tile.winner is not None:
            assert totals[tile.winner] <= lowest * (1 + 1e-9) + 1e-12
        else:
            assert sum(total <= lowest * (1 + 1e-9) + 1e-12 for total in totals.values()) > 1, "a tie is of two or more"


@examples(30)
@given(scenarios())
def test_pairs_agree_with_the_envelope(fields: dict[str, Any]) -> None:
    found = compared(fields)
    names = list(found.available)
    for a in names:
        for b in names:
            if a != b:
                pair = found.break_even(a, b)
                assert pair.intervals[0].first == 1
                assert pair.intervals[-1].last == found.largest_volume
                assert [i.winner for i in pair.intervals] == [i.winner for i in found.break_even(b, a).intervals]


# --- equal ways of saying the same --------------------------------------------------------------------------------------


def totals(found: Comparison) -> dict[str, float | None]:
    return {name: float(r.total()) if r.status == "available" else None for name, r in found.results.items()}


RANGED = (
    ("workload.user_tokens", lambda v: {"low": 0, "likely": v, "high": 2 * v + 1}),
    ("workload.answer_tokens", lambda v: {"values": [v, 0, 2 * v + 9]}),
    ("workload.batch_share", lambda v: {"low": 0, "likely": v, "high": 1}),
    ("approaches.plain.accepted", lambda v: {"low": 0, "likely": v, "high": 1}),
    ("approaches.second.instruction_tokens", lambda v: {"low": v, "likely": v, "high": v + 100}),
    ("staff_usd_per_hour.ml_engineer", lambda v: {"low": v / 2, "likely": v, "high": v * 3}),
    ("task.examples", lambda v: {"values": [v]}),
)


@examples(30)
@given(scenarios(), st.lists(st.sampled_from(RANGED), min_size=1, max_size=4, unique_by=lambda r: r[0]))
def test_ranges_give_what_their_point_values_give(fields: dict[str, Any], ranged: list[Any]) -> None:
    uncertain = copy.deepcopy(fields)
    for path, as_range in ranged:
        *parents, last = path.split(".")
        place = reduce(lambda at, key: at[key], parents, uncertain)
        value = place[last]
        place[last] = as_range(value)
        if "values" in place[last] and len(place[last]["values"]) == 3:
            assert sorted(place[last]["values"])[1] == value
    assert totals(compared(uncertain)) == totals(compared(fields))


def _degenerate(value: Any) -> Any:
    if isinstance(value, dict):
        skipped = ("kind", "model", "go_live_month", "retrain_every_months", "turns_per_conversation", "accepted")
        return {key: item if key in skipped else _degenerate(item) for key, item in value.items()}
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    return {"low": value, "likely": value, "high": value}


@examples(25)
@given(scenarios())
def test_a_number_equals_the_range_that_is_only_it(fields: dict[str, Any]) -> None:
    parts = {key: _degenerate(fields[key]) for key in ("workload", "task", "staff_usd_per_hour", "approaches")}
    assert totals(compared(fields | parts)) == totals(compared(fields))


@examples(30)
@given(approaches(), st.integers(0, 3000), scenarios())
def test_extends_and_same_as_equal_what_is_written_out(parent: dict[str, Any], tokens: int, fields: dict[str, Any]) -> None:
    fields["horizon_months"] = 12
    retrieval = parent.get("retrieval") or {"store": "acme/units", "embedding": "acme/encoder", "corpus_tokens": 1_000_000}
    parent = parent | {"retrieval": retrieval}
    changed = {"instruction_tokens": tokens, "accepted": 0.9, "staffing": {"maintenance_hours_per_month": 2}}
    staffing = parent["staffing"] | changed["staffing"]
    written = {k: v for k, v in parent.items() if k != "retrieval"} | changed | {"staffing": staffing}
    searched = written | {"retrieval": retrieval | {"chunks_per_request": 2}}
    extending = {"extends": "parent", **changed, "retrieval": None}
    same_as = {**written, "retrieval": {"same_as": "parent", "chunks_per_request": 2}}
    base = {"plain": fields["approaches"]["plain"], "parent": parent}
    short = compared(fields | {"approaches": base | {"child": extending, "searched": same_as}})
    full = compared(fields | {"approaches": base | {"child": written, "searched": searched}})
    assert totals(short) == totals(full)


# --- money over time ----------------------------------------------------------------------------------------------------

flows = st.lists(st.floats(-1e5, 1e5, allow_nan=False).map(lambda x: round(x, 2)), min_size=2, max_size=61).map(np.array)


@examples(200)
@given(flows, st.floats(0, 0.5))
def test_present_value_is_a_spreadsheets(saved: Any, rate: float) -> None:
    monthly = (1 + rate) ** (1 / 12) - 1
    ours = float(cash_flow.present_value(saved, rate))
    assert ours == pytest.approx(pyxirr.npv(monthly, saved.tolist(), start_from_zero=True), rel=1e-9, abs=1e-6)


@examples(150)
@given(st.floats(1, 1e6), st.lists(st.floats(0, 1e5).map(lambda x: round(x, 2)), min_size=1, max_size=60))
def test_an_outlay_and_its_returns_have_the_rate_of_return_of_pyxirr(outlay: float, returns: list[float]) -> None:
    assume(sum(returns) > 0.01 * outlay)
    saved = np.array([-outlay, *returns])
    theirs = pyxirr.irr(saved.tolist())
    assume(theirs is not None and -0.5 < theirs < 5)
    (ours,) = cash_flow.annual_irr(saved)
    assert (1 + ours) ** (1 / 12) - 1 == pytest.approx(theirs, rel=1e-6, abs=1e-9)


@examples(150)
@given(flows)
def test_every_rate_of_return_makes_the_present_value_vanish(saved: Any) -> None:
    for rate in cash_flow.annual_irr(saved):
        if -0.99 < rate < 100:
            size = float(np.abs(cash_flow.discounted(saved, rate)).sum())
            assert abs(float(cash_flow.present_value(saved, rate))) <= 1e-6 * size


@examples(200)
@given(flows)
def test_payback_is_the_first_month_from_which_the_sum_stays_up(saved: Any) -> None:
    sums = list(accumulate(saved.tolist()))
    up = [total >= -1e-9 * float(np.abs(saved).sum()) for total in sums]
    brute = next((month for month in range(len(sums)) if all(up[month:])), None)
    assert cash_flow.payback_months(saved) == brute
    months = cash_flow.payback_months(np.stack([saved, -saved]))
    assert months[0] == (np.inf if brute is None else brute)
    assert not np.isnan(months).any()


@examples(150)
@given(flows)
def test_there_is_one_rate_of_return_or_a_reason_why_not(saved: Any) -> None:
    rates = cash_flow.annual_irr(saved)
    assert np.isfinite(rates).all()
    assert (cash_flow.irr_in_words(saved, rates) is None) == (len(rates) == 1)


# --- draws --------------------------------------------------------------------------------------------------------------

EVERYTHING: dict[str, Any] = {
    "name": "every number is stated",
    "as_of": "2026-11-20",
    "horizon_months": 12,
    "reference": "plain",
    "staff_usd_per_hour": {"ml_engineer": 90.0, "support_agent": 30.0},
    "finance": {"discount_rate_per_year": 0.08, "price_decline_per_year": 0.0},
    "workload": {
        "requests_per_month": 40_000,
        "growth": {"kind": "compound", "monthly_share": 0.04},
        "user_tokens": 300,
        "answer_tokens": 200,
        "reasoning_tokens_per_answer_token": 0.5,
        "turns_per_conversation": [1, 2, 6],
        "seconds_between_turns": 280,
        "active_hours_per_day": 12,
        "active_days_per_month": 22,
        "peak_factor": 3,
        "cache_hit_share": 0.5,
        "batch_share": 0.2,
        "retry_share": 0.1,
    },
    "task": {
        "kind": "style",
        "examples": 300,
        "tokens_per_example": 500,
        "corpus_tokens": 3_000_000,
        "facts_changing_per_month_share": 0.1,
        "rejected_answer_usd": 0.1,
    },
    "approaches": {
        "plain": {
            "model": "blue/new",
            "instruction_tokens": 900,
            "tool_tokens": 100,
            "shots": 3,
            "tokens_per_shot": 150,
            "accepted": 0.8,
            "serving": {"kind": "per_token", "service": "standard"},
            "mix": {"kind": "fallback", "model": "acme/base", "share": 0.2, "check_usd_per_request": 0.001},
            "staffing": {"set_up_hours": 10, "maintenance_hours_per_month": 2},
            "evaluation": {
                "examples": 100,
                "set_hours": 10,
                "runs_per_release": 2,
                "runs_per_month": 1,
                "grading_minutes_per_answer": 0.2,
            },
        },
        "tuned": {
            "model": "acme/base",
            "instruction_tokens": 400,
            "accepted": 0.9,
            "go_live_month": 2,
            "tuning": {
                "examples": 3000,
                "tokens_per_example": 500,
                "max_tokens_per_example": 480,
                "epochs": 3,
                "validation_examples": 30,
                "evaluations_per_job": 2,
                "runs": 3,
                "retrain_runs": 1,
                "retrain_every_months": 3,
            },
            "serving": {"kind": "per_token", "hosting_hours_per_month": 500},
            "data_preparation": {
                "source": "teacher",
                "teacher_model": "blue/new",
                "hand_written_share": 0.2,
                "author_minutes_per_example": 4,
                "accept_share": 0.8,
                "review_share": 0.3,
                "reviewers_per_example": 2,
                "review_minutes_per_example": 1,
                "adjudication_minutes_per_example": 0.2,
                "rework_share": 0.1,
                "guideline_hours": 8,
                "quality_hours": 4,
                "retrain_share": 0.25,
            },
        },
        "own": {
            "model": "meta/llama-3.1-8b",
            "instruction_tokens": 400,
            "accepted": 0.9,
            "tuning": {
                "kind": "own_gpus",
                "gpu": "node",
                "rent": "acme",
                "gpus": 8,
                "training_hours_per_run": 5,
                "runs": 3,
            },
            "data_preparation": {"source": "bought", "label_usd_per_item": 0.2},
            "serving": {
                "kind": "own_gpus",
                "gpu": "node",
                "rent": "acme",
                "requests_per_second_per_replica": 0.05,
                "min_replicas": 6,
                "gpus_per_replica": 3,
                "target_utilisation": 0.6,
                "hours_per_month": 700,
            },
        },
        "searched": {
            "model": "blue/old",
            "instruction_tokens": 700,
            "accepted": 0.9,
            "serving": {"kind": "per_token"},
            "retrieval": {
                "store": "acme/units",
                "embedding": "acme/encoder",
                "reranker": "acme/ranker",
                "rerank_candidates": 25,
                "corpus_tokens": 3_000_000,
                "corpus_pages": 100,
                "chunk_tokens": 400,
                "overlap_tokens": 40,
                "chunks_per_request": 4,
                "rewrite_model": "acme/base",
                "rewrite_instruction_tokens": 200,
                "rewrite_answer_tokens": 60,
                "churn_share_per_month": 0.1,
                "metadata_bytes_per_vector": 1000,
            },
        },
    },
}
NOT_DRAWN = {"workload.requests_per_month"}
"""The volume is an argument of the ledger, not drawn inside it."""


def _numbers(model: BaseModel, path: str = "") -> Iterator[tuple[str, float]]:
    """Every stated number that may be a range, by its dotted path."""
    for name, info in type(model).model_fields.items():
        value, at = getattr(model, name), f"{path}{name}"
        may_be_range = any(getattr(getattr(m, "func", None), "__module__", "") == "calc.estimate" for m in info.metadata)
        if may_be_range and isinstance(value, int | float):
            yield at, float(value)
        elif isinstance(value, BaseModel):
            yield from _numbers(value, f"{at}.")
        elif isinstance(value, dict):
            for key, item in value.items():
                if isinstance(item, BaseModel):
                    yield from _numbers(item, f"{at}.{key}.")
                elif at == "staff_usd_per_hour":
                    yield f"{at}.{key}", item


NUMBERS = {path: value for path, value in _numbers(Scenario.model_validate(EVERYTHING)) if path not in NOT_DRAWN}

IDLE = {
    # present values, not totals
    "finance.discount_rate_per_year",
    # defaults that the approaches state themselves
    *("task.tokens_per_example", "task.corpus_tokens", "task.facts_changing_per_month_share", "staff_usd_per_hour.support_agent"),
    # own GPUs bill no tokens and no validation; a managed job rents none
    *(f"approaches.own.{field}" for field in ("instruction_tokens", "tool_tokens")),
    *(f"approaches.own.tuning.{field}" for field in ("validation_examples", "evaluations_per_job")),
    "approaches.tuned.tuning.gpus",
    # hours and throughput are stated, so that none are predicted
    *(f"approaches.{name}.tuning.{field}" for name in ("tuned", "own") for field in ("sequences_per_step", "speed_factor")),
    "approaches.own.serving.speed_factor",
    # only reinforcement tuning has a grader, only tuned deployments are hosted
    *(f"approaches.{name}.tuning.grader_{side}_tokens_per_run" for name in ("tuned", "own") for side in ("input", "output")),
    *(f"approaches.{name}.serving.hosting_hours_per_month" for name in ("plain", "searched")),
    # no parser, a reranker billed by search, and so little stored that the plan's minimum rules
    *(f"approaches.searched.retrieval.{field}" for field in ("corpus_pages", "rerank_candidates", "metadata_bytes_per_vector")),
}
"""Numbers that move no total of the scenario above."""


def _set(fields: dict[str, Any], path: str, value: Any) -> None:
    *parents, last = path.split(".")
    reduce(lambda at, key: at.setdefault(key, {}), parents, fields)[last] = value


def _totals_of(scenario: Scenario, volume: Any) -> dict[str, Any]:
    assert scenario.as_of is not None
    rates, months = WORLD.as_of(scenario.as_of), Months(scenario.as_of, scenario.horizon_months)
    reference = evaluate(scenario, scenario.reference, rates, months)
    others = {name: evaluate(scenario, name, rates, months, reference) for name in scenario.approaches}
    return {name: found.ledger.total(volume) for name, found in others.items()}


def _drawn_and_looped(drawn: dict[str, list[float]]) -> tuple[dict[str, Any], dict[str, list[float]]]:
    fields = copy.deepcopy(EVERYTHING)
    for path, values in drawn.items():
        _set(fields, path, {"values": values})
    stated = Scenario.model_validate(fields)
    volume = fields["workload"]["requests_per_month"]
    together = _totals_of(resolve(stated, lambda estimate: np.array(estimate.values)[:, None]), volume)
    looped: dict[str, list[float]] = {name: [] for name in together}
    for draw in range(len(next(iter(drawn.values())))):
        for name, total in _totals_of(resolve(stated, lambda e, at=draw: e.values[at]), volume).items():  # type: ignore[misc]
            looped[name].append(float(total))
    return together, looped


def _around(path: str, value: float) -> list[float]:
    """Draws on both sides of the stated number, within what the field may hold."""
    if path.endswith(("gpus", "gpus_per_replica", "min_replicas")):
        return [value, value + 1, 2 * value]
    around = [value, 0.8 * value + 0.01, 1.2 * value]
    if path.endswith("hours_per_month") and "serving" in path:
        return [min(hours, 730.0) for hours in around]
    return [min(share, 1.0) for share in around] if value <= 1 else around


@pytest.mark.parametrize("path", NUMBERS)
def test_draws_of_one_number_equal_a_loop_over_them(path: str) -> None:
    together, looped = _drawn_and_looped({path: _around(path, NUMBERS[path])})
    for name, each in looped.items():
        assert np.ndim(together[name]) <= 1, f"{name}: shape {np.shape(together[name])}"
        assert np.broadcast_to(together[name], len(each)) == pytest.approx(each, rel=1e-12), name


def test_the_numbers_drawn_matter() -> None:
    """Guards the test above: a number that moves nothing would prove nothing."""
    moved = set()
    for path, value in NUMBERS.items():
        _, looped = _drawn_and_looped({path: _around(path, value)})
        if any(len(set(each)) > 1 for each in looped.values()):
            moved.add(path)
    assert NUMBERS.keys() - moved == IDLE


def test_draws_of_all_numbers_at_once_equal_a_loop_over_them() -> None:
    rng = np.random.default_rng(7)
    drawn = {path: rng.permutation(_around(path, value)).tolist() for path, value in NUMBERS.items()}
    together, looped = _drawn_and_looped(drawn)
    for name, each in looped.items():
        assert together[name] == pytest.approx(each, rel=1e-12), name


S_CURVE = {"kind": "s-curve", "final_multiple": 3, "midpoint_month": 6, "months_from_10_to_90_percent": 4}


@pytest.mark.parametrize(
    "growth",
    [
        {"kind": "linear", "monthly_share": {"values": [-0.2, 0.0, 0.3]}},
        S_CURVE | {"final_multiple": {"values": [0.5, 2.0, 9.0]}},
        S_CURVE | {"midpoint_month": {"values": [1.0, 4.0, 9.0]}},
        S_CURVE | {"months_from_10_to_90_percent": {"values": [1.0, 4.0, 9.0]}},
        {"kind": "seasonal", "january_to_december": [{"values": [1.0, 2.0, 3.0]}, *[1.0] * 10, {"values": [2.0, 1.0, 1.0]}]},
        {"kind": "series", "requests_by_month": [5.0, {"values": [1.0, 2.0, 3.0]}, *[5.0] * 10]},
    ],
    ids=lambda growth: growth["kind"],
)
def test_draws_of_growth_equal_a_loop_over_them(growth: dict[str, Any]) -> None:
    fields = copy.deepcopy(EVERYTHING)
    fields["workload"]["growth"] = growth
    stated = Scenario.model_validate(fields)
    together = _totals_of(resolve(stated, lambda estimate: np.array(estimate.values)[:, None]), 40_000)
    for draw in range(3):
        for name, total in _totals_of(resolve(stated, lambda e, at=draw: e.values[at]), 40_000).items():  # type: ignore[misc]
            assert together[name][draw] == pytest.approx(float(total), rel=1e-12), name


def test_draws_of_a_derived_hit_share_equal_a_loop_over_them() -> None:
    fields = copy.deepcopy(EVERYTHING)
    fields["workload"]["cache_hit_share"] = "from_traffic"
    fields["approaches"]["plain"]["instruction_tokens"] = {"values": [100.0, 900.0, 4000.0]}
    fields["workload"]["active_hours_per_day"] = {"values": [6.0, 12.0, 24.0]}
    stated = Scenario.model_validate(fields)
    together = _totals_of(resolve(stated, lambda estimate: np.array(estimate.values)[:, None]), 4000)
    for draw in range(3):
        for name, total in _totals_of(resolve(stated, lambda e, at=draw: e.values[at]), 4000).items():  # type: ignore[misc]
            assert together[name][draw] == pytest.approx(float(total), rel=1e-12), name


NOT_RANGES = {"go_live_month", "retrain_every_months", "turns_per_conversation"}
WHOLE = {"requests_per_month", "gpus", "gpus_per_replica", "min_replicas"}


def _with_ranges(value: Any, chosen: Iterator[bool], name: str = "") -> Any:
    """Some of the numbers as ranges around them; shares stay shares."""
    if isinstance(value, dict):
        return {key: _with_ranges(item, chosen, key) for key, item in value.items()}
    if isinstance(value, list):
        return [_with_ranges(item, chosen, name) for item in value]
    if isinstance(value, bool | str | tuple) or value is None or name in NOT_RANGES or not next(chosen):
        return value
    if name in WHOLE:
        return {"low": value, "likely": value + 1, "high": value + 3}
    low, high = sorted((0.8 * value, 1.2 * value))
    most = 1.0 if value <= 1 else 24.0 if name == "active_hours_per_day" else high
    return {"low": low, "high": min(high, most)}


@examples(25)
@given(scenarios(), st.integers(0, 1000))
def test_draws_of_any_ranges_equal_a_loop_over_plain_scenarios(fields: dict[str, Any], seed: int) -> None:
    from calc.sampling import compared_at, uncertain_inputs, values_at

    rng = np.random.default_rng(seed)
    flags = iter(lambda: bool(rng.random() < 0.5), None)
    ranged = fields | {key: _with_ranges(fields[key], flags) for key in ("workload", "task", "approaches")}
    found = compared(ranged)
    assume(found.available)
    inputs = uncertain_inputs(found)
    values = values_at(inputs, rng.random((3, len(inputs))))
    together = compared_at(found, inputs, values)
    for draw in range(3):
        plain, assuming = copy.deepcopy(ranged), {}
        for one in inputs:
            value = float(values[one.path][draw])
            if not one.fields:
                assuming[one.path.removeprefix("assumptions.")] = value
            for path in one.fields:
                *parents, last = path.split(".")
                place = reduce(lambda at, key: at[int(key)] if isinstance(at, list) else at[key], parents, plain)
                place[int(last) if isinstance(place, list) else last] = value
        alone = compare(Scenario.model_validate(plain), WORLD, assuming=assuming)
        for name in found.available:
            drawn = np.broadcast_to(together.results[name].compared_usd(), 3)[draw]
            assert drawn == pytest.approx(float(alone.results[name].compared_usd()), rel=1e-9), name


def test_keys_of_lines_are_unique_where_the_second_model_is_the_successor() -> None:
    fields = copy.deepcopy(EVERYTHING)
    fields["approaches"]["searched"]["mix"] = {"kind": "routing", "model": "blue/new", "share": 0.5}
    keys = [line.key for line in compared(fields).results["searched"].ledger.lines]
    assert len(set(keys)) == len(keys)
