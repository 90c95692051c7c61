"""Own prices laid over the listed ones."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pricing import PriceBook, PriceMissing

KEY = "input_usd_per_mtok"
LISTED = """
name = "Acme"
price_page = "https://example.org/"
[model.base]
name = "Base"
[[model.base.price]]
effective = 2026-03-01
input_usd_per_mtok = 1
source = "https://example.org/"
source_date = 2026-03-01
recorded = 2026-11-20
confidence = "transcribed"
[[model.base.price]]
effective = 2026-06-01
input_usd_per_mtok = 2
source = "https://example.org/"
source_date = 2026-06-01
recorded = 2026-11-20
confidence = "transcribed"
"""


@pytest.fixture
def listed(tmp_path: Path) -> PriceBook:
    """$1 from March and $2 from June 2026 on."""
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables" / "acme.toml").write_text(LISTED, encoding="utf-8")
    return PriceBook(tmp_path)


def with_own(listed: PriceBook, effective: date, **fields: Any) -> PriceBook:
    """The book with a block of one's own, recorded before the listed ones."""
    day = date(2026, 1, 1)
    block = {"effective": effective, "source": "https://example.org/contract", "source_date": day, "recorded": day}
    own = block | {"confidence": "primary"} | (fields or {KEY: 9})
    return listed.with_overrides({"acme": {"model": {"base": {"price": [own]}}}})


def usd(book: PriceBook, day: date) -> float:
    return book.as_of(day).price("acme/base", KEY).usd


@pytest.mark.parametrize(
    ("effective", "before"),
    [
        (date(2026, 4, 1), 1),  # the listed price of June comes after it
        (date(2026, 6, 1), 1),  # of the same day as the listed one
        (date(2026, 7, 1), 2),  # of a later day
    ],
)
def test_an_own_price_wins_from_its_day_on(listed: PriceBook, effective: date, before: float) -> None:
    book = with_own(listed, effective)
    assert usd(book, date(2026, 11, 20)) == 9
    assert usd(book, effective) == 9
    assert usd(book, date(2026, effective.month - 1, 28)) == before


def test_an_own_block_withdraws_the_listed_one_of_its_day(listed: PriceBook) -> None:
    assert usd(with_own(listed, date(2026, 6, 1), withdrawn=True), date(2026, 11, 20)) == 1
    with pytest.raises(PriceMissing):
        usd(with_own(listed, date(2026, 3, 1), withdrawn=True), date(2026, 5, 1))


def test_a_price_announced_and_retracted_is_not_promised(listed: PriceBook) -> None:
    announced = with_own(listed, date(2027, 1, 1), output_usd_per_mtok=4)
    with pytest.raises(PriceMissing, match="takes effect on 2027-01-01"):
        announced.as_of(DAY).price("acme/base", "output_usd_per_mtok")
    retracted = with_own(announced, date(2027, 1, 1), withdrawn=True, recorded=date(2026, 2, 1))
    with pytest.raises(PriceMissing, match="has no USD per million output tokens"):
        retracted.as_of(DAY).price("acme/base", "output_usd_per_mtok")


def test_an_own_block_ends_the_listed_one_of_its_day(listed: PriceBook) -> None:
    book = with_own(listed, date(2026, 3, 1), ends=date(2026, 5, 1), input_usd_per_mtok=1)
    assert usd(book, date(2026, 4, 30)) == 1
    with pytest.raises(PriceMissing):
        usd(book, date(2026, 5, 1))


DAY = date(2026, 11, 20)
CONTRACT = {
    "effective": DAY,
    "source": "https://example.com/contract",
    "source_date": DAY,
    "recorded": DAY,
    "confidence": "primary",
}


def test_an_own_flat_price_wins_over_listed_hours_and_methods() -> None:
    over = {
        "deepseek": {"model": {"deepseek-flash": {"price": [CONTRACT | {"input_usd_per_mtok": Decimal(9)}]}}},
        "openai": {"model": {"gpt-4.1-mini": {"price": [CONTRACT | {"training_usd_per_mtok": Decimal(2)}]}}},
    }
    rates = PriceBook.bundled().with_overrides(over).as_of(DAY)
    assert rates.price("deepseek/deepseek-flash", "input_usd_per_mtok", at_hour=(1, 2)).value == 9
    assert rates.price("openai/gpt-4.1-mini", "training_usd_per_mtok", method="sft").value == 2


def test_own_prices_laid_one_over_the_other_are_all_kept() -> None:
    first = {"openai": {"model": {"gpt-6-luna": {"price": [CONTRACT | {"input_usd_per_mtok": Decimal("0.05")}]}}}}
    second = {"openai": {"model": {"gpt-6-luna": {"price": [CONTRACT | {"output_usd_per_mtok": Decimal("0.25")}]}}}}
    rates = PriceBook.bundled().with_overrides(first).with_overrides(second).as_of(DAY)
    assert rates.price("openai/gpt-6-luna", "input_usd_per_mtok").value == Decimal("0.05")
    assert rates.price("openai/gpt-6-luna", "output_usd_per_mtok").value == Decimal("0.25")


def tiered_table(tier: str) -> str:
    cited = 'source = "https://acme.example"\nsource_date = 2026-01-01\nrecorded = 2026-01-01\nconfidence = "primary"\n'
    return (
        'name = "Acme"\nprice_page = "https://acme.example"\n[model.long]\nname = "Long"\n'
        f"[[model.long.price]]\neffective = 2026-01-01\ninput_usd_per_mtok = 1\n{cited}"
        f"[[model.long.price]]\n{tier}\ncontext_above_tokens = 1000\ninput_usd_per_mtok = 2\n{cited}"
    )


@pytest.mark.parametrize(
    ("tier", "day", "usd"),
    [
        ("effective = 2027-01-01", date(2026, 12, 31), 1),  # announced, not yet there
        ("effective = 2027-01-01", date(2027, 1, 1), 2),
        ("effective = 2026-01-01\nends = 2026-06-01", date(2026, 5, 31), 2),
        ("effective = 2026-01-01\nends = 2026-06-01", date(2026, 6, 1), 1),  # dropped: long requests pay what all pay
    ],
)
def test_a_tier_holds_on_its_days_only(tmp_path, tier, day, usd):
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables" / "acme.toml").write_text(tiered_table(tier), encoding="utf-8")
    assert PriceBook(tmp_path).as_of(day).price("acme/long", "input_usd_per_mtok", context_tokens=5000).value == usd


def test_before_a_tier_was_seen_a_long_request_has_no_price(tmp_path):
    (tmp_path / "tables").mkdir()
    table = tiered_table('effective = 2026-06-01\neffective_is = "seen"')
    (tmp_path / "tables" / "acme.toml").write_text(table, encoding="utf-8")
    with pytest.raises(PriceMissing):
        PriceBook(tmp_path).as_of(date(2026, 5, 31)).price("acme/long", "input_usd_per_mtok", context_tokens=5000)
