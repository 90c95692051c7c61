"""Prices multiplied in a comparison: every price an example pays, by numbers and by arrays."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pytest

from calc import Comparison, Scenario, compare
from calc.export import price_rows
from ingest import load_scenario
from pricing import PriceBook, UnknownOffer

BOOK = PriceBook.bundled()
TODAY = date(2026, 11, 21)
EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.yaml"))


def totals(found: Comparison) -> dict[str, float]:
    return {name: float(result.compared_usd()) for name, result in found.available.items()}


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_factors_in_an_array_cost_what_each_costs_alone(path: Path) -> None:
    scenario = load_scenario(path)
    now = compare(scenario, BOOK, today=TODAY)
    factors = np.array([0.5, 1.0, 3.0])
    for offer, key in dict.fromkeys((row.offer, row.key) for row in price_rows(now)):
        together = compare(scenario, BOOK, today=TODAY, pricing={(offer, key): factors[:, None]})
        moved = {name for name, result in together.available.items() if result.compared_usd().size == factors.size}
        for i, factor in enumerate(factors):
            alone = totals(compare(scenario, BOOK, today=TODAY, pricing={(offer, key): float(factor)}))
            for name, usd in alone.items():
                at = i if name in moved else 0
                assert float(np.ravel(together.results[name].compared_usd())[at]) == pytest.approx(usd, rel=1e-12), (offer, key)
                if factor == 1:
                    assert usd == pytest.approx(float(now.results[name].compared_usd()), rel=1e-12)


def test_a_line_paid_at_one_price_grows_with_it_and_no_other_line_does() -> None:
    scenario = load_scenario(EXAMPLES[-1])
    offer, key = "openai/gpt-6.1-terra", "output_usd_per_mtok"
    before, after = (compare(scenario, BOOK, pricing=by).results["prompting"].ledger.lines for by in (None, {(offer, key): 1.25}))
    paid = {line.key for line in before if {(row.offer, row.key) for row in line.prices} == {(offer, key)}}
    assert paid
    for line, moved in zip(before, after, strict=True):
        if line.key in paid or not any(row.key == key for row in line.prices):
            grows = 1.25 if line.key in paid else 1.0
            assert moved.total(180_000) == pytest.approx(grows * line.total(180_000), rel=1e-12), line.key


def test_an_alias_names_the_same_price() -> None:
    rates = BOOK.as_of(TODAY)
    offer = next(
        (f"{p}/{name}", f"{p}/{alias}")
        for p in ("openai", "anthropic", "google")
        for name, item in BOOK.provider(p).model.items()
        for alias in item.aliases
    )
    by_alias = rates.pricing({(offer[1], "input_usd_per_mtok"): 2.0})
    assert by_alias.price_factor(offer[0], "input_usd_per_mtok") == 2.0
    assert rates.price_factor(offer[0], "input_usd_per_mtok") == 1.0


def test_bought_gpus_pay_for_current_and_space_at_the_moved_price() -> None:
    fields = load_scenario(EXAMPLES[-1]).model_dump()
    fields["approaches"]["fine-tuning"]["serving"].update(rent="bought", gpu="l40s")
    scenario = Scenario.model_validate(fields)
    for key in (("eia", "electricity_usd_per_kwh"), ("cbre", "colocation_usd_per_kw_month")):
        one, two, three = (compare(scenario, BOOK, pricing={key: by}).results["fine-tuning"].total() for by in (1.0, 2.0, 3.0))
        assert two > one
        assert three - two == pytest.approx(two - one, rel=1e-9)


def test_an_offer_that_is_not_in_the_book_is_named() -> None:
    with pytest.raises(UnknownOffer, match="OpenAI has no"):
        BOOK.as_of(TODAY).pricing({("openai/gpt-6.1-tera", "input_usd_per_mtok"): 2.0})
