"""Commitments and credits of whole scenarios, against counting month by month, and with numbers that move."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pytest

from calc import Comparison, compare
from calc.sensitivity import totals_over
from ingest import load_own_prices, load_scenario
from pricing import PriceBook

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "support_tone.yaml"
TERMS = """
[[openai.discount]]
percent = 20
effective = 2027-03-01
[[openai.commitment]]
usd_per_month = 400
effective = 2026-11-01
ends = 2027-08-01
[[openai.commitment]]
usd_per_month = 250
effective = 2027-08-01
[[openai.credit]]
usd = 900
effective = 2027-02-01
[[openai.credit]]
usd = 1500
effective = 2026-11-01
ends = 2027-03-01
[[pinecone.credit]]
usd = 120
effective = 2026-11-01
"""
VOLUMES = (1, 20_000, 180_000, 950_000)


@pytest.fixture(scope="module")
def book() -> PriceBook:
    bundled = PriceBook.bundled()
    return bundled.with_overrides(load_own_prices(TERMS.encode(), "terms.toml", bundled))


@pytest.fixture(scope="module")
def found(book: PriceBook) -> Comparison:
    return compare(load_scenario(EXAMPLE), book)


def counted(found: Comparison, name: str, volume: int) -> float:
    """The total of an approach, its bills paid month by month."""
    lines = [line for line in found.results[name].ledger.lines if line.part != "agreements"]
    total = sum(line.by_month(volume).sum() for line in lines)
    for provider in ("openai", "pinecone"):
        bills = sum(
            (x.by_month(volume) for x in lines if x.prices and {p.offer.split("/")[0] for p in x.prices} == {provider}),
            start=np.zeros(found.months.count),
        )
        left = {"openai": [1500.0, 900.0], "pinecone": [120.0]}[provider]
        for month, bill in zip(found.months.starts, bills, strict=True):
            if provider == "openai":
                total += max(0.0, (400 if month < date(2027, 8, 1) else 250) - bill)
            for index, amount in enumerate(left):
                lasts = provider == "pinecone" or (month < date(2027, 3, 1) if index == 0 else month >= date(2027, 2, 1))
                pays = min(amount, bill) if lasts else 0.0
                left[index], bill, total = amount - pays, bill - pays, total - pays
    return float(total)


@pytest.mark.parametrize("volume", VOLUMES)
def test_totals_and_curves_are_what_is_counted_month_by_month(found: Comparison, volume: int) -> None:
    for name, result in found.available.items():
        assert float(result.total(volume)) == pytest.approx(counted(found, name, volume), rel=1e-9)
        assert float(result.ledger.curve.total(volume)) == pytest.approx(counted(found, name, volume), rel=1e-9)


def test_every_approach_bears_the_commitment(found: Comparison) -> None:
    for result in found.available.values():
        assert "agreements.commitment:openai" in {line.key for line in result.ledger.lines}
    unused = found.results["fine-tuning"].ledger.lines
    shortfall = next(line for line in unused if line.key == "agreements.commitment:openai")
    assert float(shortfall.total(180_000)) == 8 * 400 + 4 * 250


def test_break_evens_agree_with_the_curves(found: Comparison) -> None:
    curves = {name: result.curve for name, result in found.available.items()}
    for interval in found.envelope:
        for volume in {interval.first, interval.last}:
            cheapest = min(curves, key=lambda name: float(curves[name].total(volume)))
            assert interval.winner in (None, cheapest)


def test_a_moving_number_reaches_shortfalls_and_credits(book: PriceBook) -> None:
    scenario = load_scenario(EXAMPLE)
    path, values = "workload.answer_tokens", np.array([50.0, 220.0, 900.0])
    moved = totals_over(compare(scenario, book), {path: values})
    for index, value in enumerate(values):
        one = scenario.model_copy(update={"workload": scenario.workload.model_copy(update={"answer_tokens": float(value)})})
        for name, result in compare(one, book).available.items():
            assert moved[name][index] == pytest.approx(float(result.compared_usd()), rel=1e-12)


def test_the_months_flows_add_up_to_the_total(found: Comparison) -> None:
    for result in found.available.values():
        assert result.ledger.by_month(result.requests).sum() == pytest.approx(float(result.total()))
        assert sum(result.ledger.by_group(result.requests).values()) == pytest.approx(float(result.total()))
