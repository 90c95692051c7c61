"""What tests of draws share: a small book, and nothing left open in it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from calc import Comparison, Scenario, compare
from calc.export import assumptions
from pricing import PriceBook

_SOURCE = {
    "source": "https://example.org/",
    "source_date": date(2020, 1, 1),
    "recorded": date(2020, 1, 1),
    "confidence": "transcribed",
}
_PRICES = {"effective": date(2020, 1, 1), "input_usd_per_mtok": 1.0, "output_usd_per_mtok": 4.0} | _SOURCE


@pytest.fixture(scope="session")
def plain_book() -> PriceBook:
    """A provider of one model at US$ 1 and 4 per million tokens, which caches nothing."""
    acme = {"name": "acme", "price_page": "https://example.org/", "model": {"base": {"name": "base", "price": [_PRICES]}}}
    return PriceBook.bundled().with_overrides({"acme": acme})


@pytest.fixture(scope="session")
def two() -> Callable[..., Scenario]:
    """A scenario of two approaches that cost nothing but tokens, stated hours at US$ 100, and rejected answers."""

    def build(first: dict[str, Any], second: dict[str, Any], **more: Any) -> Scenario:
        nothing = {
            "model": "acme/base",
            "instruction_tokens": 0,
            "staffing": {"set_up_hours": 0, "maintenance_hours_per_month": 0},
            "evaluation": {
                **{"examples": 0, "set_hours": 0, "runs_per_release": 0, "runs_per_month": 0},
                "grading_minutes_per_answer": 0,
            },
        }
        fields = {
            "name": "Two",
            "as_of": date(2026, 11, 20),
            "horizon_months": 1,
            "workload": {"requests_per_month": 1000, "user_tokens": 0, "answer_tokens": 0},
            "task": {"kind": "style"},
            "approaches": {"first": nothing | first, "second": nothing | second},
            "reference": "first",
            "staff_usd_per_hour": {"ml_engineer": 100, "support_agent": 30},
            "finance": {"discount_rate_per_year": 0.1},
        }
        return Scenario.model_validate(fields | more)

    return build


@pytest.fixture(scope="session")
def certain() -> Callable[[Scenario, PriceBook], Comparison]:
    """Compares with every assumption at its likely value, none of them left open."""

    def compared(scenario: Scenario, book: PriceBook) -> Comparison:
        used = assumptions(compare(scenario, book))
        return compare(scenario, book, assuming={name: assumption.likely for name, assumption in used.items()})

    return compared
