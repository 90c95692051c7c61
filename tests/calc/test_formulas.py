"""The formula printed beside a token line gives the amount printed beside it."""

from __future__ import annotations

import re
from datetime import date, datetime
from math import prod
from typing import Any

import pytest

from calc import Comparison, Scenario, compare
from calc.ledger import CostLine
from pricing import PriceBook

BOOK = PriceBook.bundled()
EXACT = re.compile(
    r"requests × (?P<factors>[^,]*(?:,\d{3}[^,]*)*)(?:, turns within \d+ s of each other)?(?P<falling>, price falling .*)?"
)
FALLING = re.compile(r", price falling (?P<percent>[\d.]+)% a year after (?P<month>.+)")


def told(comparison: Comparison, line: CostLine) -> float:
    """US$ by the line's formula and its listed price alone, the volume being the same in every month."""
    found = EXACT.fullmatch(line.formula)
    assert found, line.formula
    factors = [float(number.replace(",", "")) for number in re.findall(r"(?:^|× )([\d.,]*\d)", found["factors"])]
    (listed,) = {price.usd for price in line.prices}
    shares = [1.0] * comparison.months.count
    if found["falling"]:
        assumed = FALLING.fullmatch(found["falling"])
        assert assumed, line.formula
        after = comparison.months.index(datetime.strptime(assumed["month"], "%B %Y").date())
        left = 1 - float(assumed["percent"]) / 100
        shares = [left ** (max(month - after, 0) / 12) for month in range(comparison.months.count)]
    return comparison.requests * prod(factors) * listed / 1e6 * sum(shares)


def scenario(workload: dict[str, Any], decline: float, mix: dict[str, Any] | None = None) -> Scenario:
    return Scenario.model_validate(
        {
            "name": "formulas",
            "as_of": date(2026, 11, 20),
            "horizon_months": 18,
            "workload": {"requests_per_month": 90_000, "user_tokens": 420, "answer_tokens": 220} | workload,
            "task": {"kind": "classification", "corpus_tokens": 1_000_000, "facts_changing_per_month_share": 0.05},
            "approaches": {
                "prompting": {"model": "openai/gpt-6.1-terra", "instruction_tokens": 2600} | ({"mix": mix} if mix else {}),
                "rag": {"extends": "prompting", "retrieval": {"store": "pinecone/serverless"}},
            },
            "finance": {"price_decline_per_year": decline},
        }
    )


ROUTED = {"kind": "routing", "model": "openai/gpt-6-luna", "share": 0.3}


@pytest.mark.parametrize("decline", [0.0, 0.15, 0.4])
@pytest.mark.parametrize(
    ("workload", "mix"),
    [
        ({}, None),
        ({"cache_hit_share": 0.5}, None),
        ({"cache_hit_share": 0.5, "batch_share": 0.1}, None),
        ({"cache_hit_share": 0.9, "batch_share": 0.25, "retry_share": 0.04}, None),
        ({"cache_hit_share": 0.5, "retry_share": 0.04}, ROUTED),
        ({"cache_hit_share": 0.5, "batch_share": 0.1, "turns_per_conversation": 4, "seconds_between_turns": 60}, None),
    ],
)
def test_the_formula_gives_the_amount(workload: dict[str, Any], mix: dict[str, Any] | None, decline: float) -> None:
    comparison = compare(scenario(workload, decline, mix), BOOK)
    checked = 0
    for result in comparison.results.values():
        for line in result.ledger.lines:
            exact = line.unit == "token" and line.formula.startswith("requests") and "hit share from traffic" not in line.formula
            if exact:
                assert told(comparison, line) == pytest.approx(float(line.total(comparison.requests)), rel=2e-5), line.formula
                checked += 1
    assert checked >= 4


def test_prices_that_fall_are_said_to_wherever_they_do() -> None:
    comparison = compare(scenario({"cache_hit_share": 0.5, "batch_share": 0.1}, 0.15), BOOK)
    falling = {line.key for line in comparison.results["rag"].ledger.lines if "price falling 15% a year after" in line.formula}
    at_least = {"prompt.input", "prompt.cache_read", "prompt.output", "prompt.batch_input", "retrieval.embed_queries"}
    assert falling >= at_least | {"evaluation.runs"}
    assert not any(key.startswith("staffing") for key in falling)
    flat = compare(scenario({"cache_hit_share": 0.5}, 0.0), BOOK)
    assert not any("falling" in line.formula for result in flat.results.values() for line in result.ledger.lines)


def test_an_answer_without_an_accepted_share_names_the_approach() -> None:
    fields = scenario({}, 0.0).model_dump(exclude_unset=True)
    fields["approaches"]["rag"]["accepted"] = 0.9
    found = compare(Scenario.model_validate(fields), BOOK)
    (why,) = found.results["prompting"].why_not
    assert "add approaches.prompting.accepted" in why


@pytest.mark.parametrize("turns", [{}, {"turns_per_conversation": 4, "seconds_between_turns": 60}])
def test_months_in_which_nothing_is_served_are_no_months_without_a_cache(turns: dict[str, Any]) -> None:
    fields = scenario({"cache_hit_share": 0.9} | turns, 0.0).model_dump(exclude_unset=True)
    claude = {"model": "anthropic/claude-haiku-5-5", "instruction_tokens": 6_000}
    fields["approaches"] = {"few-shot": None, "prompting": claude, "late": claude | {"go_live_month": 2}}
    found = compare(Scenario.model_validate(fields), BOOK)
    for result in found.results.values():
        lines = {line.key.partition("@")[0]: line for line in result.ledger.lines}
        assert "prompt.cache_read" in lines
        assert "0.9 read" in lines["prompt.cache_read"].formula
        assert not any("in the months in which" in line.formula for line in lines.values())
        assert "prompt.prefix_uncached" not in lines
        assert "prompt.history_uncached" not in lines
