"""Tornado and Sobol indices against single comparisons, dense scans and variances worked out by hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from calc import Comparison, Scenario, compare
from calc.drivers import Bar, tornado, variance_shares
from calc.sampling import compared_at, uncertain_inputs
from calc.uncertainty import break_even_draws, simulate
from ingest.scenario_file import load_scenario
from pricing import PriceBook

pytestmark = pytest.mark.filterwarnings("error::RuntimeWarning")

Two = Callable[..., Scenario]
Certain = Callable[[Scenario, PriceBook], Comparison]
BOOK = PriceBook.bundled()
EXAMPLES = Path(__file__).resolve().parents[2] / "examples"

FIRST, SECOND = "approaches.first.instruction_tokens", "approaches.second.instruction_tokens"


def hours(number: float) -> dict[str, Any]:
    return {"staffing": {"set_up_hours": number, "maintenance_hours_per_month": 0}}


def bars_of(comparison: Comparison) -> dict[str, Bar]:
    found = tornado(comparison)
    assert found is not None
    assert [bar.swing_usd for bar in found.bars] == sorted((bar.swing_usd for bar in found.bars), reverse=True)
    return {bar.input.path: bar for bar in found.bars}


def with_number(stated: Scenario, path: str, value: float) -> Scenario:
    fields = stated.at_point().model_dump(mode="json")
    at: Any = fields
    *parents, last = path.split(".")
    for name in parents:
        at = at[name]
    at[last] = value
    return Scenario.model_validate(fields)


def lead_of(comparison: Comparison, winner: str) -> float:
    totals = {name: float(result.compared_usd()) for name, result in comparison.available.items()}
    return min(usd for name, usd in totals.items() if name != winner) - totals[winner]


# --- tornado --------------------------------------------------------------------------------------------------------------


def three(two: Two, volume: Any = 1_000_000, **more: Any) -> Scenario:
    """First costs V·x, second US$ 500 + V·y, a third US$ 800; x and y are millionths of a dollar."""
    stated = two(
        {"instruction_tokens": {"low": 100, "likely": 400, "high": 1200}},
        {"instruction_tokens": {"p10": 5, "p90": 200}} | hours(5),
        workload={"requests_per_month": volume, "user_tokens": 0, "answer_tokens": 0},
        **more,
    )
    third = stated.approaches["second"].model_dump(mode="json") | {"instruction_tokens": 0} | hours(8)
    fields = stated.model_dump(mode="json")
    return Scenario.model_validate(fields | {"approaches": fields["approaches"] | {"third": third}})


def test_the_lead_at_the_ends_is_that_of_two_comparisons(two: Two, plain_book: PriceBook) -> None:
    stated = three(two, {"p10": 200_000, "p90": 4_000_000})
    comparison = compare(stated, plain_book)
    found = tornado(comparison)
    assert found is not None
    assert (found.winner, found.runner_up) == tuple(comparison.ranked()[:2])
    assert found.lead_usd == pytest.approx(lead_of(comparison, found.winner), rel=1e-12)
    assert len(found.bars) == 3
    for bar in found.bars:
        ends = ((bar.low, bar.lead_at_low_usd, bar.winner_at_low), (bar.high, bar.lead_at_high_usd, bar.winner_at_high))
        for value, lead, winner in ends:
            alone = compare(with_number(stated, bar.input.path, value), plain_book)
            assert lead == pytest.approx(lead_of(alone, found.winner), rel=1e-9, abs=1e-9)
            assert winner == alone.winner()
        assert bar.point == bar.input.estimate.point
        assert [bar.low, bar.high] == list(bar.input.quantile(np.array([0.1, 0.9])))


def test_a_flip_is_where_the_two_tie(two: Two, plain_book: PriceBook) -> None:
    bars = bars_of(compare(three(two), plain_book))
    # x at the point 400 costs US$ 400 against 500 + √(5·200) = 531.6
    assert bars[FIRST].flips_at == pytest.approx(500 + 1000**0.5, rel=1e-9)
    assert bars[FIRST].flips_to == "second"
    assert bars[SECOND].flips_at is None
    assert bars[SECOND].flips_to is None


def test_a_flip_may_go_to_the_third(two: Two, plain_book: PriceBook) -> None:
    stated = three(two)
    fields = stated.model_dump(mode="json")
    fields["approaches"]["second"]["instruction_tokens"] = 350  # US$ 850: dearer than the third's 800
    bars = bars_of(compare(Scenario.model_validate(fields), plain_book))
    assert bars[FIRST].flips_at == pytest.approx(800, rel=1e-9)
    assert bars[FIRST].flips_to == "third"


def test_a_flip_in_whole_requests_is_a_whole_number(two: Two, plain_book: PriceBook) -> None:
    stated = two(
        {"instruction_tokens": 300},
        hours(0.01),
        workload={"requests_per_month": {"low": 10, "likely": 100, "high": 10_000}, "user_tokens": 0, "answer_tokens": 0},
    )
    comparison = compare(stated, plain_book)
    (bar,) = bars_of(comparison).values()
    # US$ 1 against 0.0003 V: equal at 3,333.33
    assert bar.flips_at == 3334
    assert comparison.break_even("second", "first").crossings == (3334,)
    assert (bar.low, bar.high) == (round(bar.low), round(bar.high))


def hump(two: Two, likely: float) -> Scenario:
    # the first serves on replicas, a step function of the volume; the second pays by request
    steps = {
        "kind": "dedicated",
        "provider": "acme",
        "gpu": "l4",
        "requests_per_second_per_replica": 1.0,
        "target_utilisation": 1.0,
    }
    stated = two(
        {"serving": steps},
        {"instruction_tokens": 500},
        workload={
            "requests_per_month": {"low": 1, "likely": likely, "high": 9_000_000},
            **{"user_tokens": 0, "answer_tokens": 0, "active_hours_per_day": 24, "peak_factor": 1},
        },
    )
    return stated


@pytest.mark.parametrize("likely", [1_000_000, 2_500_000, 3_000_000, 5_200_000, 8_000_000])
def test_where_the_order_changes_several_times_the_flip_nearest_to_the_point_is_found(
    two: Two, plain_book: PriceBook, likely: int
) -> None:
    source = {
        "source": "https://example.org/",
        "source_date": "2020-01-01",
        "recorded": "2020-01-01",
        "confidence": "transcribed",
    }
    price = {"effective": "2020-01-01", "gpu_usd_per_hour": 1.7} | source
    machines = {"acme": {"name": "acme", "price_page": "https://example.org/", "gpu": {"l4": {"name": "l4", "price": [price]}}}}
    book = plain_book.with_overrides(machines)
    comparison = compare(hump(two, likely), book)
    bar = bars_of(comparison)["workload.requests_per_month"]
    winner = comparison.winner()
    tiles = [tile for tile in comparison.envelope if tile.first <= 9_000_000]
    lost = [min(max(likely, t.first), min(t.last, 9_000_000)) for t in tiles if t.winner not in (winner, None)]
    nearest = min(lost, key=lambda volume: abs(volume - likely))
    assert len(tiles) > 2, "the order must change several times for this test to mean anything"
    assert bar.flips_at == pytest.approx(nearest, abs=1)
    assert bar.flips_to == comparison.winner(int(bar.flips_at or 0)) != winner


@pytest.mark.parametrize("name", sorted(path.name for path in EXAMPLES.glob("*.yaml")))
def test_flips_of_the_examples_tie_or_jump_and_none_is_missed(name: str) -> None:
    comparison = compare(load_scenario(EXAMPLES / name), BOOK)
    found = tornado(comparison)
    assert found is not None
    inputs = uncertain_inputs(comparison)

    def leads(path: str, values: np.ndarray) -> np.ndarray:
        drawn = compared_at(comparison, inputs, {path: values}).results
        totals = {each: np.broadcast_to(drawn[each].compared_usd(), values.shape) for each in comparison.available}
        own = totals.pop(found.winner)
        return np.asarray(np.min(list(totals.values()), axis=0) - own)

    for bar in found.bars[:8]:
        low, high = bar.input.estimate.ends
        path, scale = bar.input.path, abs(found.lead_usd) + float(comparison.available[found.winner].compared_usd())
        assert np.isfinite([bar.lead_at_low_usd, bar.lead_at_high_usd]).all()
        if bar.flips_at is None:
            assert (leads(path, np.linspace(low, high, 1001)) >= -1e-9 * scale).all(), path
            continue
        if not bar.flips_at.is_integer():
            step = np.sign(bar.flips_at - bar.point) * 1e-7 * max(abs(bar.flips_at), 1e-9)
            before, after = leads(path, np.array([bar.flips_at - step, bar.flips_at + step]))
            assert before >= -1e-6 * scale, path
            assert after < 1e-6 * scale, path
        between = leads(path, np.linspace(bar.point, bar.flips_at, 401)[:-1])
        assert (between >= -1e-6 * scale).all(), path


def test_one_approach_has_no_lead(two: Two, plain_book: PriceBook) -> None:
    stated = two({"instruction_tokens": {"low": 1, "high": 5}}, {})
    alone = compare(stated.model_copy(update={"approaches": {"first": stated.approaches["first"]}}), plain_book)
    assert tornado(alone) is None
    assert variance_shares(alone) == ()


def test_without_uncertainty_there_is_nothing_to_show(two: Two, plain_book: PriceBook) -> None:
    comparison = compare(two({"instruction_tokens": 9}, {}), plain_book)
    found = tornado(comparison)
    assert found is not None
    assert found.bars == ()
    assert found.winner == "second"
    assert variance_shares(comparison) == ()


def test_where_the_others_have_no_accepted_answers_the_lead_is_infinite(two: Two, plain_book: PriceBook) -> None:
    stated = two(
        {"instruction_tokens": 900, "accepted": 0.9}, {"instruction_tokens": 90, "accepted": {"values": [0, 0, 0.9, 0.9, 0.9]}}
    )
    bar = bars_of(compare(stated, plain_book))["approaches.second.accepted"]
    assert bar.winner_at_low == "first"
    assert bar.winner_at_high == "second"
    assert bar.lead_at_low_usd == -np.inf
    assert bar.flips_at is not None
    # 90/s = 900/0.9
    assert bar.flips_at == pytest.approx(0.09, rel=1e-6)
    assert variance_shares(compare(stated, plain_book)) == ()


# --- indices --------------------------------------------------------------------------------------------------------------


def variance(one: Any) -> float:
    return float(one.quantile((np.arange(100_000) + 0.5) / 100_000).var())


def test_indices_of_a_sum_are_shares_of_its_variance(two: Two, plain_book: PriceBook) -> None:
    comparison = compare(
        two({"instruction_tokens": {"low": 100, "likely": 400, "high": 900}}, {"instruction_tokens": {"low": 0, "high": 500}}),
        plain_book,
    )
    parts = {one.path: variance(one) for one in uncertain_inputs(comparison)}
    found = variance_shares(comparison)
    assert [effect.total for effect in found] == sorted((effect.total for effect in found), reverse=True)
    for effect in found:
        (one,) = effect.inputs
        share = parts[one.path] / sum(parts.values())
        assert effect.total == pytest.approx(share, abs=0.02)
        assert effect.first_order == pytest.approx(share, abs=0.02)


def test_indices_of_a_product(two: Two, plain_book: PriceBook) -> None:
    # lead = V·x with V and x uniform: Var = E[V]²Var x + E[x]²Var V + Var x·Var V
    volume, tokens = {"low": 1000, "high": 9000}, {"low": 200, "high": 1000}
    stated = two(
        {"instruction_tokens": tokens}, {}, workload={"requests_per_month": volume, "user_tokens": 0, "answer_tokens": 0}
    )
    squares = {"workload.requests_per_month": (8000**2 / 12) / 5000**2, FIRST: (800**2 / 12) / 600**2}
    whole = np.prod([1 + square for square in squares.values()]) - 1
    for effect in variance_shares(compare(stated, plain_book)):
        square = squares[effect.inputs[0].path]
        assert effect.first_order == pytest.approx(square / whole, abs=0.02)
        assert effect.total == pytest.approx((square + np.prod(list(squares.values()))) / whole, abs=0.02)


def test_correlated_inputs_count_as_one(two: Two, plain_book: PriceBook) -> None:
    more = {
        "workload": {"requests_per_month": 1000, "user_tokens": 0, "answer_tokens": 0},
        "correlations": [{"between": [FIRST, SECOND], "rank": 0.9}],
        "task": {"kind": "style", "rejected_answer_usd": {"low": 0.0, "high": 0.002}},
    }
    stated = two(
        {"instruction_tokens": {"low": 0, "high": 1000}, "accepted": 0.9},
        {"instruction_tokens": {"low": 0, "high": 400}, "accepted": 0.5},
        **more,
    )
    comparison = compare(stated, plain_book)
    found = {tuple(one.path for one in effect.inputs): effect for effect in variance_shares(comparison)}
    assert set(found) == {(FIRST, SECOND), ("task.rejected_answer_usd",)}
    simulation = simulate(comparison, scrambles=2)
    of_handling = (1000 * 0.4) ** 2 * 0.002**2 / 12
    whole = np.var(simulation.compared["first"] - simulation.compared["second"])
    assert found[("task.rejected_answer_usd",)].total == pytest.approx(of_handling / whole, abs=0.02)
    assert found[(FIRST, SECOND)].total == pytest.approx(1 - of_handling / whole, abs=0.02)


def test_an_impossible_correlation_is_named_here_too(two: Two, plain_book: PriceBook) -> None:
    correlations = [{"between": [FIRST, "workload.user_tokens"], "rank": 0.5}]
    stated = two({"instruction_tokens": {"low": 0, "high": 1000}}, {}, correlations=correlations)
    with pytest.raises(ValueError, match=r"correlations\.0\.between: workload\.user_tokens is no range that is drawn"):
        variance_shares(compare(stated, plain_book))


def test_what_does_not_move_the_lead_has_no_share(two: Two, plain_book: PriceBook) -> None:
    workload = {"requests_per_month": 1000, "user_tokens": {"low": 10, "high": 500}, "answer_tokens": 0}
    assert variance_shares(compare(two({}, hours(3), workload=workload), plain_book)) == ()


# --- the examples ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(path.name for path in EXAMPLES.glob("*.yaml")))
def test_nothing_of_the_examples_is_not_a_number(name: str) -> None:
    comparison = compare(load_scenario(EXAMPLES / name), BOOK)
    with np.errstate(invalid="raise", divide="raise", over="raise"):
        simulation = simulate(comparison, scrambles=2)
        effects = variance_shares(comparison)
    for drawn in (*simulation.compared.values(), *simulation.spent.values()):
        assert np.isfinite(drawn).all()
    for each in simulation.names:
        assert all(np.isfinite(simulation.line(each, key)).all() for key in simulation.lines[each])
        assert not np.isnan(simulation.months_to_payback.get(each, np.zeros(1))).any()
    figures = [*simulation.probability_cheapest.values(), *simulation.regret_usd.values(), simulation.perfect_information_usd]
    assert np.isfinite(figures).all()
    assert sum(figure.value for figure in simulation.probability_cheapest.values()) == pytest.approx(1, abs=1e-12)
    worth = [simulation.information_usd(one) for one in simulation.inputs]
    assert np.isfinite(worth).all()
    assert max(worth) <= simulation.perfect_information_usd.value * 1.02 + 1e-6
    assert np.isfinite([(effect.total, effect.first_order) for effect in effects]).all()
    first, second = comparison.ranked()[:2]
    found = break_even_draws(simulation, first, second)
    kinds = ("from_a_volume", "always", "never", "only_below")
    assert sum(found.probability(kind) for kind in kinds) == pytest.approx(1, abs=1e-12)
