"""Base prices on the days around their changes, as they were listed."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from pricing import PriceBook, PriceMissing

BOOK = PriceBook.bundled()
IN, OUT, READ, WRITE = "input_usd_per_mtok", "output_usd_per_mtok", "cache_read_usd_per_mtok", "cache_write_usd_per_mtok"
STANDARD: dict[str, Any] = {}
BATCH: dict[str, Any] = {"service": "batch"}
LONG: dict[str, Any] = {"context_tokens": 272_001}
PEAK: dict[str, Any] = {"at_hour": (1, 2.0)}


@pytest.mark.parametrize(
    ("offer", "key", "conditions", "day", "value"),
    [
        ("openai/gpt-3.5-turbo", IN, STANDARD, "2024-01-01", "1.5"),
        ("openai/gpt-3.5-turbo", IN, STANDARD, "2025-10-11", "0.5"),
        ("openai/gpt-3.5-turbo-1106", IN, STANDARD, "2024-06-01", "1"),
        ("openai/gpt-4", OUT, STANDARD, "2023-12-15", "60"),
        ("openai/gpt-4-turbo", IN, STANDARD, "2024-05-22", "10"),
        ("openai/gpt-4o", IN, STANDARD, "2024-05-22", "5"),
        ("openai/gpt-4o", IN, STANDARD, "2024-11-16", "2.5"),
        ("openai/gpt-4o", OUT, STANDARD, "2024-10-16", "15"),
        ("openai/gpt-4o", OUT, BATCH, "2025-02-11", "5"),
        ("openai/gpt-4o-mini", IN, STANDARD, "2024-07-25", "0.15"),
        ("openai/gpt-4o-mini", READ, STANDARD, "2024-10-17", "0.075"),
        ("openai/gpt-4o-mini", READ, {"tuned": True}, "2025-02-11", "0.15"),
        ("openai/o1", OUT, STANDARD, "2025-02-11", "60"),
        ("openai/o3", IN, STANDARD, "2025-06-09", "10"),
        ("openai/o3", IN, STANDARD, "2025-06-10", "2"),
        ("openai/o3", READ, STANDARD, "2025-04-16", "2.5"),
        ("openai/o3", READ, STANDARD, "2025-06-10", "0.5"),
        ("openai/gpt-5", OUT, STANDARD, "2025-08-07", "10"),
        ("openai/gpt-5.6-luna", OUT, STANDARD, "2026-07-29", "6"),
        ("openai/gpt-5.6-luna", OUT, STANDARD, "2026-07-30", "1.2"),
        ("openai/gpt-6.1-sol", OUT, LONG, "2026-11-20", "15"),
        ("anthropic/claude-3-5-haiku-20241022", IN, STANDARD, "2025-03-20", "1"),
        ("anthropic/claude-3-5-haiku-20241022", IN, STANDARD, "2025-03-21", "0.8"),
        ("anthropic/claude-3-5-haiku-20241022", READ, STANDARD, "2025-04-16", "0.08"),
        ("anthropic/claude-3-opus-20240229", WRITE, STANDARD, "2024-10-17", "18.75"),
        ("anthropic/claude-3-opus-20240229", OUT, STANDARD, "2026-01-04", "75"),
        ("anthropic/claude-opus-4-8", IN, STANDARD, "2026-05-28", "5"),
        ("anthropic/claude-sonnet-5", IN, STANDARD, "2026-09-01", "2"),
        ("anthropic/claude-haiku-5-5", IN, {"context_tokens": 100_001}, "2026-11-20", "0.5"),
        ("gemini-api/gemini-1.5-flash", IN, STANDARD, "2024-10-16", "0.35"),
        ("gemini-api/gemini-1.5-flash", IN, STANDARD, "2024-10-17", "0.075"),
        ("gemini-api/gemini-2.5-pro", READ, STANDARD, "2025-07-22", "0.3125"),
        ("gemini-api/gemini-2.5-pro", READ, STANDARD, "2026-01-16", "0.125"),
        ("gemini-api/gemini-3.6-flash", OUT, STANDARD, "2026-09-05", "7.5"),
        ("gemini-api/gemini-3.6-flash", OUT, STANDARD, "2026-09-06", "3.75"),
        ("gemini-api/gemini-3.6-flash", OUT, STANDARD, "2027-01-01", "7.5"),
        ("mistral/mistral-large-latest", IN, STANDARD, "2024-03-26", "8"),
        ("mistral/mistral-large-latest", IN, STANDARD, "2024-06-15", "4"),
        ("mistral/mistral-large-latest", IN, STANDARD, "2026-11-20", "0.5"),
        ("mistral/mistral-large-4", OUT, STANDARD, "2026-10-28", "4.18"),
        ("mistral/mistral-large-4", OUT, STANDARD, "2026-10-29", "2.1"),
        ("cohere/command-r-plus", OUT, STANDARD, "2024-10-16", "15"),
        ("cohere/command-r-plus", OUT, STANDARD, "2024-10-17", "10"),
        ("deepseek/deepseek-chat", IN, STANDARD, "2025-02-07", "0.14"),
        ("deepseek/deepseek-chat", IN, STANDARD, "2025-02-08", "0.27"),
        ("deepseek/deepseek-chat", OUT, STANDARD, "2025-10-11", "1.7"),
        ("deepseek/deepseek-reasoner", OUT, STANDARD, "2026-01-15", "2.19"),
        ("deepseek/deepseek-reasoner", OUT, STANDARD, "2026-01-16", "0.42"),
        ("deepseek/deepseek-v4-pro", IN, PEAK, "2026-09-06", "1.32"),
        ("deepseek/deepseek-v4-pro", IN, STANDARD, "2026-09-06", "0.66"),
        ("together/moonshotai/Kimi-K3", IN, STANDARD, "2026-10-06", "2.7"),
        ("together/moonshotai/Kimi-K3", IN, STANDARD, "2026-11-20", "3"),
        ("x-ai/grok-4.7", IN, BATCH, "2026-11-20", "1.6"),
        ("dashscope/qwen3.8-flash", OUT, STANDARD, "2026-11-20", "0.47"),
    ],
)
def test_price_on_a_day(offer: str, key: str, conditions: dict[str, Any], day: str, value: str) -> None:
    assert BOOK.as_of(date.fromisoformat(day)).price(offer, key, **conditions).value == Decimal(value)


@pytest.mark.parametrize(
    ("offer", "last_day", "value", "ended"),
    [
        ("openai/gpt-3.5-turbo", "2026-10-22", "0.5", "2026-10-23"),
        ("anthropic/claude-3-5-sonnet", "2025-10-27", "3", "2025-10-28"),
        ("anthropic/claude-opus-4-1", "2026-08-04", "15", "2026-08-05"),
        ("mistral/mistral-7b", "2025-03-29", "0.25", "2025-03-30"),
        ("deepseek/deepseek-reasoner", "2026-07-23", "0.135", "2026-07-24"),
        ("groq/llama-3.3-70b", "2026-08-15", "0.59", "2026-08-16"),
    ],
)
def test_history_of_a_retired_model_ends_with_it(offer: str, last_day: str, value: str, ended: str) -> None:
    assert BOOK.as_of(date.fromisoformat(last_day)).price(offer, IN).value == Decimal(value)
    for day in (ended, "2026-11-20"):
        with pytest.raises(PriceMissing, match=f"ended on {ended}"):
            BOOK.as_of(date.fromisoformat(day)).price(offer, IN)


@pytest.mark.parametrize(
    ("offer", "key", "day"),
    [
        ("openai/text-embedding-3-small", OUT, "2026-11-20"),  # a zero in the map says there is none, not that it is free
        ("deepseek/deepseek-v4-pro", WRITE, "2026-11-20"),
        ("gemini-api/gemini-1.5-pro", IN, "2024-03-26"),
        ("openai/gpt-4o", IN, "2024-05-21"),
    ],
)
def test_what_was_never_listed_stays_without_a_price(offer: str, key: str, day: str) -> None:
    with pytest.raises(PriceMissing):
        BOOK.as_of(date.fromisoformat(day)).price(offer, key)
