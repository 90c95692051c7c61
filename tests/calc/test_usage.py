"""Recorded usage at the book's prices: each token once, at its narrowest price."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from calc.usage import METERS, usage_charges
from pricing import PriceBook, PriceMissing
from pricing.keys import PRICE_KEYS

TABLE = """
name = "Acme"
price_page = "https://acme.example/prices"

[model.reader]
name = "Reader"

[[model.reader.price]]
effective = 2026-01-01
input_usd_per_mtok = 2
cache_read_usd_per_mtok = 0.2
output_usd_per_mtok = 8
web_search_usd_per_ksearch = 10
source = "https://acme.example/prices"
source_date = 2026-01-01
recorded = 2026-01-01
confidence = "primary"

[[model.reader.price]]
effective = 2026-01-01
context_above_tokens = 1000
input_usd_per_mtok = 4
output_usd_per_mtok = 16
source = "https://acme.example/prices"
source_date = 2026-01-01
recorded = 2026-01-01
confidence = "primary"

[model.listener]
name = "Listener"

[[model.listener.price]]
effective = 2026-01-01
input_usd_per_mtok = 1
audio_input_usd_per_mtok = 10
cache_read_usd_per_mtok = 0.1
audio_cache_read_usd_per_mtok = 0.5
source = "https://acme.example/prices"
source_date = 2026-01-01
recorded = 2026-01-01
confidence = "primary"
"""


@pytest.fixture
def book(tmp_path: Path) -> PriceBook:
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables" / "acme.toml").write_text(TABLE, encoding="utf-8")
    return PriceBook(tmp_path)


@pytest.mark.parametrize(
    ("offer", "usage", "usd"),
    [
        ("acme/reader", {"input_tokens": 1000}, 0.002),
        ("acme/reader", {"input_tokens": 1000, "output_tokens": 500}, 0.002 + 0.004),
        # 400 of the 1,000 came from the cache: they are not billed as input too
        ("acme/reader", {"input_tokens": 1000, "cache_read_tokens": 400}, (600 * 2 + 400 * 0.2) / 1e6),
        ("acme/reader", {"input_tokens": 100, "web_searches": 3}, 0.0002 + 0.03),
        # reasoning has no price of its own here: it is part of the output and billed as output
        ("acme/reader", {"output_tokens": 500, "output_reasoning_tokens": 300}, 0.004),
        # both sides of the tier, which is the whole request's
        ("acme/reader", {"input_tokens": 1001}, 1001 * 4 / 1e6),
        # 1,000 input: 300 audio of which 50 cached; 200 cached in all
        (
            "acme/listener",
            {"input_tokens": 1000, "input_audio_tokens": 300, "cache_read_tokens": 200, "cache_audio_read_tokens": 50},
            ((1000 - 300 - 150) * 1 + (300 - 50) * 10 + (200 - 50) * 0.1 + 50 * 0.5) / 1e6,
        ),
    ],
)
def test_usage_costs(book: PriceBook, offer: str, usage: dict[str, float], usd: float) -> None:
    charges = usage_charges(book.as_of(date(2026, 6, 1)), offer, usage)
    assert sum(charge.usd for charge in charges) == pytest.approx(usd, rel=1e-12)


@pytest.mark.parametrize(
    ("usage", "error", "said"),
    [
        ({"input_token": 5}, ValueError, "Did you mean input_tokens"),
        ({"input_tokens": -5}, ValueError, "input_tokens = -5 is negative"),
        (
            {"input_tokens": 5, "cache_read_tokens": 6},
            ValueError,
            "input_tokens = 5 is less than what is part of it: cache_read_tokens = 6",
        ),
        ({"input_document_pages": 5}, PriceMissing, "parsed pages"),
        ({"input_tokens": 2000, "cache_read_tokens": 1500, "web_searches": 2}, PriceMissing, "web searches"),
    ],
)
def test_what_cannot_be_billed_is_an_error(book: PriceBook, usage: dict[str, float], error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        usage_charges(book.as_of(date(2026, 6, 1)), "acme/reader", usage)


def test_what_two_prices_could_bill_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "tables").mkdir()
    text = TABLE.replace("audio_cache_read_usd_per_mtok = 0.5\n", "")
    (tmp_path / "tables" / "acme.toml").write_text(text, encoding="utf-8")
    rates = PriceBook(tmp_path).as_of(date(2026, 6, 1))
    usage = {"input_tokens": 1000, "input_audio_tokens": 300, "cache_read_tokens": 200}
    assert len(usage_charges(rates, "acme/listener", usage)) == 3
    with pytest.raises(PriceMissing, match="audio tokens read from cache"):
        usage_charges(rates, "acme/listener", usage | {"cache_audio_read_tokens": 50})


def test_every_meter_has_known_keys_and_its_unit() -> None:
    for meter in METERS.values():
        for key in meter.keys:
            assert key in PRICE_KEYS
            assert key.endswith(
                {1_000_000: ("_mtok", "_mchar"), 1000: ("_kmessage", "_kpage", "_ksearch", "_krequest"), 3600: "_hour"}[meter.per]
            )
