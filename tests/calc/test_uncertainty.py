"""Draws against closed forms, numerical integration and a plain loop over the same draws."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import numpy as np
import pytest
from scipy import integrate, stats

from calc import Comparison, Scenario, cash_flow, compare
from calc.compare import NothingToCompare
from calc.sampling import compared_at, uncertain_inputs, values_at
from calc.uncertainty import Simulation, band, break_even_draws, percentiles, simulate
from pricing import PriceBook

pytestmark = pytest.mark.filterwarnings("error::RuntimeWarning")

Z90 = stats.norm.ppf(0.9)
Two = Callable[..., Scenario]
Certain = Callable[[Scenario, PriceBook], Comparison]


def hours(number: float) -> dict[str, Any]:
    return {"staffing": {"set_up_hours": number, "maintenance_hours_per_month": 0}}


def lognormal_range(median: float, sigma: float) -> dict[str, float]:
    return {"p10": median * np.exp(-Z90 * sigma), "p90": median * np.exp(Z90 * sigma)}


# --- two straight lines ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("never", "sigma"), [(0.3, 2.0), (0.05, 1.0), (0.5, 4.5)])
def test_the_break_even_volume_of_two_lines_with_a_lognormal_slope(two: Two, plain_book: PriceBook, never: float, sigma: float):
    # US$ 1,000 against T tokens at US$ 1 per million for each request: V* = 1e9/T, lognormal; sought from 1 to 1e7
    median = 1e7 * np.exp(-sigma * stats.norm.isf(never))
    slope = lognormal_range(1e9 / median, sigma)
    stated = two({"instruction_tokens": slope}, hours(10))
    found = break_even_draws(simulate(compare(stated, plain_book), scrambles=2), "second", "first")
    always = stats.norm.cdf(-np.log(median) / sigma)
    assert found.probability("never") == pytest.approx(never, abs=1e-3)
    assert found.probability("always") == pytest.approx(always, abs=1e-3)
    assert found.probability("only_below") == 0
    inside = 1 - never - always
    shares = always + np.array([0.1, 0.5, 0.9]) * inside
    assert found.percentiles == pytest.approx(median * np.exp(sigma * stats.norm.ppf(shares)), rel=0.01)


@pytest.mark.parametrize("sigma", [2.0, 4.5])
def test_every_draw_is_of_one_kind_seen_from_either_side(two: Two, plain_book: PriceBook, sigma: float) -> None:
    stated = two({"instruction_tokens": lognormal_range(300.0, sigma)}, hours(10))
    simulation = simulate(compare(stated, plain_book), scrambles=2)
    one, other = (break_even_draws(simulation, *pair) for pair in (("second", "first"), ("first", "second")))
    for found in (one, other):
        kinds = [found.from_a_volume, found.always, found.never, found.only_below]
        assert (np.sum(kinds, axis=0) == 1).all()
    assert (one.always == other.never).all()
    assert (one.never == other.always).all()
    assert (one.from_a_volume == other.only_below).all()
    assert other.percentiles is None


def test_break_evens_are_of_two_available_approaches(two: Two, plain_book: PriceBook) -> None:
    simulation = simulate(compare(two({}, hours(1)), plain_book), scrambles=2)
    for pair in (("first", "first"), ("first", "third")):
        with pytest.raises(ValueError, match="choose two of first, second"):
            break_even_draws(simulation, *pair)


# --- accepted shares ------------------------------------------------------------------------------------------------------

HANDLING = 2.0
REQUESTS = 1000


def evaluated(two: Two, book: PriceBook, counts: tuple[tuple[int, int], tuple[int, int]], extra_hours: float = 0.0) -> Simulation:
    first, second = ({"accepted": {"successes": k, "trials": n}} for k, n in counts)
    stated = two(first, second | hours(extra_hours), task={"kind": "style", "rejected_answer_usd": HANDLING})
    return simulate(compare(stated, book), scrambles=4)


def jeffreys(k: int, n: int) -> Any:
    return stats.beta(k + 0.5, n - k + 0.5)


@pytest.mark.parametrize("counts", [((17, 20), (15, 20)), ((90, 100), (46, 50)), ((3, 3), (180, 200)), ((0, 12), (1, 9))])
def test_two_evaluated_shares_against_integration(two: Two, plain_book: PriceBook, counts: Any) -> None:
    simulation, (first, second) = evaluated(two, plain_book, counts), (jeffreys(*each) for each in counts)
    u = (np.arange(20_000) + 0.5) / 20_000
    wins = second.cdf(first.ppf(u)).mean()
    found = simulation.probability_cheapest["first"]
    assert abs(found.value - wins) <= 4 * found.standard_error + 1e-4
    assert sum(figure.value for figure in simulation.probability_cheapest.values()) == pytest.approx(1, abs=1e-12)
    # E[max(0, s2 - s1)] = the integral of F1(t) (1 - F2(t))
    lost = {
        "first": integrate.quad(lambda t: first.cdf(t) * second.sf(t), 0, 1, limit=200)[0],
        "second": integrate.quad(lambda t: second.cdf(t) * first.sf(t), 0, 1, limit=200)[0],
    }
    for name, share in lost.items():
        regret = simulation.regret_usd[name]
        assert abs(regret.value - HANDLING * REQUESTS * share) <= 4 * regret.standard_error + 1e-3 * HANDLING * REQUESTS * share
    assert simulation.safest == min(lost, key=lambda name: lost[name])
    assert simulation.perfect_information_usd.value == min(figure.value for figure in simulation.regret_usd.values())


def test_knowing_the_only_uncertain_input_is_knowing_everything(two: Two, plain_book: PriceBook) -> None:
    stated = two(
        {"accepted": 0.8}, {"accepted": {"successes": 16, "trials": 20}}, task={"kind": "style", "rejected_answer_usd": 2}
    )
    simulation = simulate(compare(stated, plain_book), scrambles=2)
    (one,) = simulation.inputs
    assert simulation.information_usd(one) == pytest.approx(simulation.perfect_information_usd.value, rel=0.01)


def test_the_worth_of_knowing_one_of_two_inputs_against_a_dense_grid(two: Two, plain_book: PriceBook) -> None:
    # C1 = V(x + c(1 - s)), C2 = F: x tokens and s share, both uncertain
    stated = two(
        {"instruction_tokens": {"low": 100, "likely": 900, "high": 2000}, "accepted": {"p10": 0.6, "p90": 0.95}},
        {"accepted": 1.0} | hours(6),
        task={"kind": "style", "rejected_answer_usd": 0.002},
        workload={"requests_per_month": 500_000, "user_tokens": 0, "answer_tokens": 0},
    )
    simulation = simulate(compare(stated, plain_book), scrambles=4)
    u = (np.arange(1500) + 0.5) / 1500
    tokens, share = (one.quantile(u) for one in simulation.inputs)
    dear = 0.5 * tokens[:, None] + 500_000 * 0.002 * (1 - share)
    flat = 600.0
    without = min(dear.mean(), flat)
    expected = {axis: without - np.minimum(dear.mean(axis=1 - axis), flat).mean() for axis in (0, 1)}
    for axis, one in enumerate(simulation.inputs):
        assert simulation.information_usd(one) == pytest.approx(expected[axis], rel=0.02, abs=0.05), one.path
    assert simulation.perfect_information_usd.value == pytest.approx(without - np.minimum(dear, flat).mean(), rel=0.02)
    assert max(expected.values()) < simulation.perfect_information_usd.value


def test_the_worth_of_knowing_one_of_a_few_observed_values_is_their_mean(two: Two, plain_book: PriceBook) -> None:
    # C1 = V(x + c(1 - s)), C2 = F: s is one of two, and no polynomial follows a step
    stated = two(
        {"instruction_tokens": {"low": 100, "high": 900}, "accepted": {"values": [0.3, 0.9]}},
        {"accepted": 1.0} | hours(6),
        task={"kind": "style", "rejected_answer_usd": 0.002},
        workload={"requests_per_month": 500_000, "user_tokens": 0, "answer_tokens": 0},
    )
    simulation = simulate(compare(stated, plain_book), scrambles=2)
    _, share = simulation.inputs
    dear, flat = 0.5 * 500 + 500_000 * 0.002 * (1 - np.array([0.3, 0.9])), 600.0
    expected = min(dear.mean(), flat) - np.minimum(dear, flat).mean()
    assert expected > 100
    assert simulation.information_usd(share) == pytest.approx(expected, rel=1e-3)


# --- draws against a loop -------------------------------------------------------------------------------------------------

BOOK = PriceBook.bundled()


def every_kind(**changes: Any) -> Scenario:
    """Ranges of every kind in every part: growth, retries, own GPUs whose speed is predicted, a stand-in before go-live."""
    fields: dict[str, Any] = {
        "name": "every kind",
        "as_of": date(2026, 11, 20),
        "horizon_months": 8,
        "workload": {
            "requests_per_month": {"p10": 40_000, "p90": 900_000},
            "growth": {"kind": "compound", "monthly_share": {"low": -0.02, "likely": 0.03, "high": 0.1}},
            "user_tokens": {"low": 100, "high": 700},
            "answer_tokens": {"values": [120, 180, 300]},
            "retry_share": {"p10": 0.01, "p90": 0.1},
            "active_hours_per_day": {"low": 8, "likely": 10, "high": 20},
        },
        "task": {"kind": "style", "examples": {"low": 300, "likely": 600, "high": 2000}, "tokens_per_example": 500},
        "approaches": {
            "prompting": {
                "model": "openai/gpt-6.1-terra",
                "instruction_tokens": {"p10": 1000, "p90": 3000},
                "accepted": {"successes": 80, "trials": 100},
            },
            "few-shot": {
                "extends": "prompting",
                "shots": {"low": 1, "likely": 3, "high": 8},
                "accepted": {"low": 0.7, "high": 0.95},
            },
            "rag": {
                "extends": "prompting",
                "retrieval": {"store": "pinecone/serverless", "corpus_tokens": 3e6, "chunks_per_request": {"low": 2, "high": 9}},
                "accepted": {"p10": 0.7, "p90": 0.97},
            },
            "fine-tuning": {
                "model": "vertex-ai/gemini-3.1-flash-lite",
                "instruction_tokens": 150,
                "tuning": {"epochs": 3, "runs": {"low": 1, "likely": 2, "high": 5}, "retrain_every_months": 3},
                "accepted": {"successes": 45, "trials": 50},
                "go_live_month": 2,
            },
            "hybrid": None,
            "own": {
                "model": "qwen/qwen3-32b",
                "instruction_tokens": 150,
                "tuning": {"kind": "own_gpus", "gpu": "h100", "rent": "runpod", "gpus": 4},
                "serving": {"kind": "own_gpus", "gpu": "h100", "rent": "runpod"},
                "accepted": 0.9,
            },
        },
        "staff_usd_per_hour": {"ml_engineer": {"low": 60, "high": 140}},
        "finance": {"price_decline_per_year": {"low": 0, "likely": 0.1, "high": 0.4}},
    }
    return Scenario.model_validate(fields | changes)


def one_draw(comparison: Comparison, inputs: Any, values: dict[str, np.ndarray], draw: int) -> Comparison:
    """The comparison of a scenario written out with the plain numbers of one draw."""
    fields = comparison.point.model_dump(mode="json")
    assuming = {}
    for approach in fields["approaches"].values():
        approach["extends"] = None
    for one in inputs:
        value = float(values[one.path][draw])
        if not one.fields:
            assuming[one.path.removeprefix("assumptions.")] = value
        for path in one.fields:
            at = fields
            *parents, last = path.split(".")
            for name in parents:
                at = at[name]
            at[last] = value
    return compare(Scenario.model_validate(fields), comparison.rates.book, assuming=assuming)


VALUED = {
    "usd_per_accepted_answer": {"low": 0.0005, "high": 0.003},
    "minutes_saved_per_accepted_answer": {"p10": 0.001, "p90": 0.01},
}
CASES = {
    "lost": {},
    "valued": {"value": VALUED},
    "handled": {
        "task": {"kind": "style", "examples": 500, "tokens_per_example": 400, "rejected_answer_usd": {"low": 0.001, "high": 0.1}}
    },
}


@pytest.mark.parametrize("case", CASES)
def test_draws_equal_a_loop_over_plain_scenarios(case: str) -> None:
    comparison = compare(every_kind(**CASES[case]), BOOK)
    simulation = simulate(comparison, scrambles=2, seed=3)
    inputs = simulation.inputs
    values = values_at(inputs, simulation.at)
    assert {one.path.partition(".")[0] for one in inputs} >= {"workload", "approaches", "assumptions", "predicted"}
    by_volume = simulation.by_volume
    for draw in (0, 1, 7, 100, 1234, 4095, 5000, 8190, 8191, 8192, 12345, 16383):
        alone = one_draw(comparison, inputs, values, draw)
        assert alone.available.keys() == comparison.available.keys() == set(simulation.names)
        totals = {}
        for name, result in alone.available.items():
            totals[name] = float(result.compared_usd())
            assert simulation.compared[name][draw] == pytest.approx(totals[name], rel=1e-9), name
            assert simulation.spent[name][draw] == pytest.approx(float(result.total()), rel=1e-9), name
            lines = {line.key: float(line.total(result.requests)) for line in result.ledger.lines}
            for key, drawn in simulation.lines[name].items():
                expected = lines.pop(key, 0.0)
                assert drawn[draw if len(drawn) > 1 else 0] == pytest.approx(expected, rel=1e-9, abs=1e-9), (name, key)
            assert not lines
            if draw < 8192:
                for volume in (1.0, 54_321.0, 3e6):
                    drawn_total = by_volume.drawn[name].total(volume)[draw]
                    assert drawn_total == pytest.approx(float(result.curve.total(volume)), rel=1e-9), (name, volume)
            if name != comparison.point.reference:
                flow = alone.cash_flow(name)
                assert flow is not None
                months = cash_flow.payback_months(flow.net_usd)
                assert simulation.months_to_payback[name][draw] == (np.inf if months is None else months), name
        assert simulation.names[simulation.winners[draw]] == min(totals, key=lambda name: totals[name])


def test_figures_are_those_of_the_draws() -> None:
    comparison = compare(every_kind(), BOOK)
    simulation = simulate(comparison, scrambles=2, seed=1)
    stacked = np.stack([simulation.compared[name] for name in simulation.names])
    for row, name in enumerate(simulation.names):
        spent = simulation.spent[name]
        assert spent == pytest.approx(sum(np.broadcast_to(v, spent.shape) for v in simulation.lines[name].values()), rel=1e-12)
        ordered = np.sort(spent)
        assert simulation.total(name) == tuple(ordered[int(np.ceil(p * len(spent))) - 1] for p in (0.1, 0.5, 0.9))
        assert simulation.probability_cheapest[name].value == np.mean(np.argmin(stacked, axis=0) == row)
        assert simulation.regret_usd[name].value == pytest.approx(np.mean(stacked[row] - stacked.min(axis=0)), rel=1e-9)
        halves = (stacked[row] - stacked.min(axis=0)).reshape(2, -1).mean(axis=1)
        assert simulation.regret_usd[name].standard_error == pytest.approx(abs(halves[0] - halves[1]) / 2, rel=1e-9)
    expected = stacked.mean(axis=1).min() - stacked.min(axis=0).mean()
    assert simulation.perfect_information_usd.value == pytest.approx(expected, rel=1e-9)
    for name in simulation.names:
        share = simulation.probability_of_payback(name)
        if name == "prompting":
            assert share is None
        else:
            assert share is not None
            assert share.value == np.mean(np.isfinite(simulation.months_to_payback[name]))


def test_the_band_is_the_p10_and_p90_at_each_volume() -> None:
    simulation = simulate(compare(every_kind(), BOOK), scrambles=2)
    volumes = np.array([10.0, 1e5])
    low, high = band(simulation, "rag", volumes)
    for i, volume in enumerate(volumes):
        drawn = percentiles(simulation.by_volume.drawn["rag"].total(volume))
        assert (low[i], high[i]) == (drawn.p10, drawn.p90)


# --- seeds and convergence ------------------------------------------------------------------------------------------------


def arrays(simulation: Simulation) -> list[np.ndarray]:
    return [simulation.at, *simulation.compared.values(), *simulation.spent.values(), *simulation.months_to_payback.values()]


def test_a_seed_gives_the_same_draws_whatever_the_threads(
    two: Two, plain_book: PriceBook, monkeypatch: pytest.MonkeyPatch
) -> None:
    stated = two({"instruction_tokens": {"low": 100, "high": 900}}, hours(5) | {"accepted": None})
    comparison = compare(stated, plain_book)
    found = arrays(simulate(comparison, seed=4, scrambles=4))
    monkeypatch.setattr("calc.uncertainty.os.cpu_count", lambda: 1)
    alone = arrays(simulate(comparison, seed=4, scrambles=4))
    assert all(np.array_equal(a, b) for a, b in zip(found, alone, strict=True))
    fewer = arrays(simulate(comparison, seed=4, scrambles=2))
    assert all(np.array_equal(a[: 2 * 8192], b) for a, b in zip(found, fewer, strict=True))
    other = arrays(simulate(comparison, seed=5, scrambles=4))
    assert not np.array_equal(found[0], other[0])


def test_the_standard_error_is_what_other_seeds_differ_by(two: Two, plain_book: PriceBook) -> None:
    counts = ((17, 20), (15, 20))
    first, second = ({"accepted": {"successes": k, "trials": n}} for k, n in counts)
    comparison = compare(two(first, second, task={"kind": "style", "rejected_answer_usd": HANDLING}), plain_book)
    found = [simulate(comparison, seed=seed, scrambles=4).probability_cheapest["first"] for seed in range(24)]
    spread = np.std([figure.value for figure in found], ddof=1)
    claimed = np.sqrt(np.mean([figure.standard_error**2 for figure in found]))
    assert 0.5 < spread / claimed < 2


def test_a_tolerance_is_met_or_the_most_draws_are_made(two: Two, plain_book: PriceBook, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = ({"accepted": {"successes": k, "trials": 20}} for k in (17, 15))
    comparison = compare(two(first, second, task={"kind": "style", "rejected_answer_usd": HANDLING}), plain_book)
    quick = simulate(comparison, scrambles=2, tolerance=0.3)
    assert quick.scrambles == 2
    assert quick.standard_error <= 0.3
    monkeypatch.setattr("calc.uncertainty.MOST_SCRAMBLES", 16)
    told = list[float]()
    longest = simulate(comparison, scrambles=3, tolerance=1e-12, progress=told.append)
    assert longest.scrambles == 16
    assert longest.standard_error > 1e-12
    assert len(longest.at) == longest.draws == 16 * 8192
    assert told[-1] == 1
    once = simulate(comparison, scrambles=16)
    assert all(np.array_equal(a, b) for a, b in zip(arrays(longest), arrays(once), strict=True))


# --- nothing drawn, nothing accepted, nothing available ---------------------------------------------------------------------


def test_where_nothing_is_uncertain_every_draw_is_the_point(two: Two, plain_book: PriceBook) -> None:
    comparison = compare(two({"instruction_tokens": 900}, hours(0.005)), plain_book)
    assert uncertain_inputs(comparison) == ()
    simulation = simulate(comparison, scrambles=2)
    for name, result in comparison.available.items():
        assert simulation.total(name) == (float(result.total()),) * 3
        assert simulation.regret_usd[name].standard_error == 0
    assert simulation.probability_cheapest == {"first": (0.0, 0.0), "second": (1.0, 0.0)}
    assert break_even_draws(simulation, "second", "first").percentiles == pytest.approx([0.5 / 900e-6] * 3, rel=2e-5)
    assert simulation.perfect_information_usd.value == 0


def test_one_approach_is_always_the_cheapest(two: Two, plain_book: PriceBook) -> None:
    stated = two({"instruction_tokens": {"low": 1, "high": 5}}, {})
    alone = stated.model_copy(update={"approaches": {"first": stated.approaches["first"]}})
    simulation = simulate(compare(alone, plain_book), scrambles=2)
    assert simulation.probability_cheapest == {"first": (1.0, 0.0)}
    assert simulation.information_usd(simulation.inputs[0]) == 0
    assert simulation.perfect_information_usd == (0.0, 0.0)


def test_an_approach_without_accepted_answers_neither_wins_nor_pays_back(two: Two, plain_book: PriceBook) -> None:
    stated = two({"instruction_tokens": 900, "accepted": 0.5}, {"instruction_tokens": 9, "accepted": {"values": [0, 0.9]}})
    simulation = simulate(compare(stated, plain_book), scrambles=2)
    none = simulation.compared["second"] == np.inf
    assert none.mean() == 0.5
    assert simulation.probability_cheapest["second"].value == 0.5
    assert simulation.regret_usd["second"].value == np.inf
    assert np.isfinite(simulation.regret_usd["first"].value)
    assert simulation.safest == "first"
    payback = simulation.probability_of_payback("second")
    assert payback is not None
    assert payback.value == 0.5
    assert (np.isfinite(simulation.months_to_payback["second"]) == ~none).all()
    found = break_even_draws(simulation, "second", "first")
    assert found.probability("never") == found.probability("always") == 0.5
    assert band(simulation, "second", np.array([100.0]))[1] == np.inf
    assert all(np.isfinite(drawn).all() for drawn in simulation.spent.values())


def test_against_a_reference_without_accepted_answers_any_other_pays_back_at_once(two: Two, plain_book: PriceBook) -> None:
    stated = two({"accepted": {"values": [0, 0.9]}}, {"accepted": 0.5} | hours(50))
    simulation = simulate(compare(stated, plain_book), scrambles=2)
    none = simulation.compared["first"] == np.inf
    assert (simulation.months_to_payback["second"] == np.where(none, 0, np.inf)).all()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"scrambles": 1}, "scrambles is 1; 2 to 64"),
        ({"scrambles": 129}, "scrambles is 129"),
        ({"tolerance": 0}, "above 0 and below 1, got 0"),
        ({"tolerance": 2}, "above 0 and below 1, got 2"),
        ({"tolerance": float("nan")}, "above 0 and below 1"),
        ({"seed": -1}, "the seed is -1"),
    ],
)
def test_impossible_wishes_are_refused(two: Two, plain_book: PriceBook, options: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        simulate(compare(two({}, {}), plain_book), **options)


def test_draws_that_the_model_refuses_name_the_field(two: Two) -> None:
    retrieval = {"store": "pinecone/serverless", "corpus_tokens": 1e5, "chunk_tokens": 400}
    overlap = {"overlap_tokens": {"low": 50, "likely": 100, "high": 450}}
    stated = every_kind()
    fields = stated.model_dump(mode="json")
    fields["approaches"]["rag"]["retrieval"] = retrieval | overlap
    with pytest.raises(
        ValueError, match=r"approaches\.rag: retrieval\.overlap_tokens \(4\d\d.*\) must be less than chunk_tokens \(400\)"
    ):
        simulate(compare(Scenario.model_validate(fields), BOOK), scrambles=2)


def test_without_an_available_approach_it_is_said_why(two: Two) -> None:
    nowhere = {
        "model": "vertex-ai/gemini-3.1-flash-lite",
        "serving": {"kind": "per_token", "service": "priority", "deployment": "none"},
    }
    comparison = compare(two(nowhere, nowhere), BOOK)
    assert not comparison.available
    with pytest.raises(NothingToCompare, match="No approach can be priced"):
        simulate(comparison)


def test_compared_at_the_point_is_the_point() -> None:
    comparison = compare(every_kind(), BOOK)
    inputs = uncertain_inputs(comparison)
    again = compared_at(comparison, inputs, {one.path: np.array([one.estimate.point]) for one in inputs})
    for name, result in comparison.available.items():
        assert again.results[name].compared_usd().item() == pytest.approx(float(result.compared_usd()), rel=1e-9), name
