"""A price book of one invented provider, and scenarios whose answers can be worked out by hand."""

from __future__ import annotations

import copy
from datetime import date
from typing import Any

import pytest

from calc import Comparison, Scenario, compare
from pricing import PriceBook

DAY = date(2026, 11, 20)


def priced(**prices: Any) -> dict[str, Any]:
    return {
        "effective": date(2026, 1, 1),
        "source": "https://acme.example/pricing",
        "source_date": date(2026, 11, 1),
        "recorded": DAY,
        "confidence": "primary",
    } | prices


def ending(event: str, on: date) -> dict[str, Any]:
    fields = {"source": "https://acme.example/ends", "source_date": date(2026, 11, 1), "recorded": DAY, "confidence": "primary"}
    return fields | {"event": event, "date": on}


def _acme() -> dict[str, Any]:
    """Base and tuned tokens at the same rates, so that only the length of the prompt tells approaches apart."""
    rates = {"input_usd_per_mtok": 1, "output_usd_per_mtok": 4}
    return {
        "name": "Acme",
        "price_page": "https://acme.example/pricing",
        "model": {
            "base": {
                "name": "Base",
                "price": [priced(**rates), priced(**rates, tuned=True), priced(training_usd_per_mtok=10)],
                "billing": {
                    "default_epochs": 1,
                    "source": "https://acme.example/pricing",
                    "source_date": date(2026, 11, 1),
                    "recorded": DAY,
                    "confidence": "primary",
                },
            },
            "unpriced": {"name": "Unpriced", "price": [priced(input_usd_per_mtok=1)]},
            "ending": {
                "name": "Ending",
                "price": [priced(**rates)],
                "lifecycle": [ending("inference_ends", date(2027, 3, 1))],
            },
        },
    }


NO_STAFF = {
    "staffing": {"set_up_hours": 0, "maintenance_hours_per_month": 0},
    "evaluation": {"examples": 0, "set_hours": 0, "runs_per_release": 0, "runs_per_month": 0, "grading_minutes_per_answer": 0},
}


def _prompting(**fields: Any) -> dict[str, Any]:
    return {"model": "acme/base", "instruction_tokens": 900} | copy.deepcopy(NO_STAFF) | fields


def _tuned(set_up_hours: float = 20, **fields: Any) -> dict[str, Any]:
    """Shorter prompt, and staff hours before it can start: pays from 12 × V × 800/1e6 ≥ what is spent once."""
    own = {
        "instruction_tokens": 100,
        "tuning": {"runs": 1, "epochs": 1},
        "staffing": {"set_up_hours": set_up_hours, "maintenance_hours_per_month": 0},
        "data_preparation": {
            "hand_written_share": 0,
            "author_minutes_per_example": 0,
            "review_share": 0,
            "adjudication_minutes_per_example": 0,
            "rework_share": 0,
            "guideline_hours": 0,
            "quality_hours": 0,
        },
    }
    return _prompting(**own) | fields


def _fields(requests: Any = 10_000, **more: Any) -> dict[str, Any]:
    return {
        "name": "Worked by hand",
        "as_of": DAY,
        "price_release": DAY,  # so that what enters the book later, and newer releases, leave the reviewed files alone
        "horizon_months": 12,
        "workload": {"requests_per_month": requests, "user_tokens": 100, "answer_tokens": 50},
        "task": {"kind": "style", "examples": 100, "tokens_per_example": 200},
        "staff_usd_per_hour": {"ml_engineer": 50, "support_agent": 20},
        "approaches": {"few-shot": None, "prompting": _prompting(), "fine-tuning": _tuned()},
    } | more


def _answer(requests: Any = 10_000, **more: Any) -> Comparison:
    book = PriceBook.bundled().with_overrides({"acme": _acme()})
    return compare(Scenario.model_validate(_fields(requests, **more)), book)


@pytest.fixture(scope="session")
def answer():
    """A function giving the comparison of the scenario below with some fields changed."""
    return _answer


@pytest.fixture(scope="session")
def prompting():
    """A function giving an approach without staff."""
    return _prompting


@pytest.fixture(scope="session")
def tuned():
    """A function giving a tuned approach: $1,000 of staff once, and shorter prompts."""
    return _tuned


@pytest.fixture(scope="session")
def by_hand() -> Comparison:
    """Prompting against fine-tuning, 10,000 requests a month."""
    return _answer()
