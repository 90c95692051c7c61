"""Prices read long ago: which are pointed out, in what order, and what of the cost rests on them."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from calc import Comparison, Scenario, compare
from calc.feasibility import Note, feasibility
from calc.staleness import stale_prices
from pricing import PriceBook
from reports import words

FRESH = date(2026, 11, 1)
LAST_FRESH = date(2026, 5, 24)
"""180 days before the day asked for: the likely threshold, not yet beyond it."""
STALE = date(2026, 5, 23)
OLDER = date(2026, 1, 24)
"""300 days before."""
PAGE = "https://acme.example/pricing"


def block(read: date, source: str = PAGE, **prices: Any) -> dict[str, Any]:
    facts = {"effective": date(2026, 1, 1), "source": source, "source_date": read, "recorded": FRESH, "confidence": "primary"}
    return facts | prices


def comparison(*blocks: dict[str, Any], **fields: Any) -> Comparison:
    """Half of the cost is 500 input tokens at $1, half 125 output tokens at $4 per million; nothing else is paid."""
    model = {"base": {"name": "Base", "price": list(blocks)}}
    book = PriceBook.bundled().with_overrides({"acme": {"name": "Acme", "price_page": PAGE, "model": model}})
    no_staff = {
        "staffing": {"set_up_hours": 0, "maintenance_hours_per_month": 0},
        "evaluation": {
            "examples": 0,
            "set_hours": 0,
            "runs_per_release": 0,
            "runs_per_month": 0,
            "grading_minutes_per_answer": 0,
        },
    }
    stated = {
        "name": "Old prices",
        "as_of": date(2026, 11, 20),
        "horizon_months": 12,
        "workload": {"requests_per_month": 1000, "user_tokens": 200, "answer_tokens": 125},
        "task": {"kind": "style"},
        "approaches": {"prompting": {"model": "acme/base", "instruction_tokens": 300, **no_staff}},
    }
    return compare(Scenario.model_validate(stated | fields), book)


def notes(found: Comparison) -> list[Note]:
    return [note for note in feasibility(found) if note.kind == "old price"]


def split(read_input: date, read_output: date, input_usd: float = 1, output_usd: float = 4) -> Comparison:
    """Input and output priced by pages of their own."""
    priced_in = block(read_input, f"{PAGE}/in", input_usd_per_mtok=input_usd)
    return comparison(priced_in, block(read_output, f"{PAGE}/out", output_usd_per_mtok=output_usd))


@pytest.mark.parametrize(("read", "stale"), [(FRESH, 0), (LAST_FRESH, 0), (STALE, 1)])
def test_beyond_the_threshold_a_price_is_stale(read: date, stale: int) -> None:
    assert len(notes(split(read, FRESH))) == stale


def test_a_note_names_the_prices_their_age_their_source_and_what_rests_on_them() -> None:
    [note] = notes(comparison(block(OLDER, input_usd_per_mtok=1, output_usd_per_mtok=4)))
    assert (note.severity, note.day, note.source) == ("caution", OLDER, PAGE)
    assert note.text == (
        "100% of its cost rests on prices of acme/base read 300 days before (https://acme.example/pricing): "
        "1 USD per million input tokens, 4 USD per million output tokens. Check before you decide."
    )
    assert "read 300 days before at acme.example/pricing: 1 USD" in words.note(note)


def test_what_most_of_the_cost_rests_on_comes_first() -> None:
    found = split(STALE, OLDER, input_usd=4)
    [result] = found.results.values()
    assert [(stale.age_days, stale.share) for stale in stale_prices(found, result)] == [
        (181, pytest.approx(0.8)),
        (300, pytest.approx(0.2)),
    ]
    assert [note.text[:3] for note in notes(found)] == ["80%", "20%"]


def test_what_hardly_counts_is_summed_up_in_one_sentence() -> None:
    [note] = notes(split(OLDER, FRESH, input_usd=0.004))
    assert note.severity == "info"
    assert (
        note.text == "Under 1% of its cost rests on prices of acme/base read 300 days before (https://acme.example/pricing/in)."
    )


def test_a_credit_leaves_the_share_of_what_it_pays() -> None:
    found = comparison(block(OLDER, input_usd_per_mtok=1, output_usd_per_mtok=4))
    credit = {"usd": 9, "effective": date(2026, 1, 1)}
    credited = compare(found.scenario, found.rates.book.with_overrides({"acme": {"credit": [credit]}}))
    assert float(credited.available["prompting"].total()) == pytest.approx(12 - 9)
    assert [note.text[:17] for note in notes(credited)] == ["100% of its cost "]


def test_wages_are_yearly_statistics_and_not_meant() -> None:
    staffed = {"prompting": {"model": "acme/base", "instruction_tokens": 300, "staffing": {"set_up_hours": 10_000}}}
    found = comparison(block(FRESH, input_usd_per_mtok=1, output_usd_per_mtok=4), as_of=date(2027, 4, 1), approaches=staffed)
    [result] = found.results.values()
    read = [price.source_date for line in result.ledger.lines for price in line.prices if price.key.startswith("wage")]
    assert (found.as_of - min(read)).days > 180
    assert notes(found) == []


def test_a_release_of_before_the_threshold_points_nothing_out() -> None:
    old = block(OLDER, input_usd_per_mtok=1, output_usd_per_mtok=4)
    assert notes(comparison(old)) != []
    assert notes(comparison(old, price_release=date(2026, 11, 20))) == []
