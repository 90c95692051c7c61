"""Terms agreed with a provider, and what the bundled tables must not hold."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pricing import BadTable, OwnFile, OwnPrices, Price, PriceBook
from pricing.check import BUNDLED, check_book

IN, OUT = "input_usd_per_mtok", "output_usd_per_mtok"
LISTED = """
name = "Acme"
price_page = "https://acme.example/"
[[price]]
effective = 2026-01-01
minimum_usd_per_month = 50
source = "https://acme.example/"
source_date = 2026-01-01
recorded = 2026-01-01
confidence = "primary"
[model.base]
name = "Base"
aliases = ["base-latest"]
[[model.base.price]]
effective = 2026-01-01
input_usd_per_mtok = 1
output_usd_per_mtok = 4
source = "https://acme.example/"
source_date = 2026-01-01
recorded = 2026-01-01
confidence = "primary"
[model.other]
name = "Other"
[[model.other.price]]
effective = 2026-01-01
effective_is = "seen"
input_usd_per_mtok = 2
source = "https://acme.example/"
source_date = 2026-01-01
recorded = 2026-01-01
confidence = "primary"
"""
SPRING, SUMMER = date(2026, 3, 1), date(2026, 6, 1)
With = Callable[..., PriceBook]


@pytest.fixture
def with_terms(tmp_path: Path) -> With:
    """The listed book with discounts, or other terms, agreed with acme."""
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables" / "acme.toml").write_text(LISTED, encoding="utf-8")

    def book(*discounts: dict[str, Any], **terms: Any) -> PriceBook:
        return PriceBook(tmp_path).with_overrides({"acme": {"discount": list(discounts)} | terms})

    return book


def price(book: PriceBook, day: date, offer: str = "acme/base", key: str = IN) -> Price:
    return book.as_of(date(2026, 1, 1)).price(offer, key, on=day)


@pytest.mark.parametrize(
    ("day", "usd"),
    [(date(2026, 2, 28), "1"), (SPRING, "0.88"), (date(2026, 5, 31), "0.88"), (SUMMER, "1")],
)
def test_a_discount_holds_from_its_day_to_its_end(with_terms: With, day: date, usd: str) -> None:
    book = with_terms({"percent": 12, "effective": SPRING, "ends": SUMMER})
    assert price(book, day).value == Decimal(usd)


def test_a_discounted_price_names_the_discount_and_its_day(with_terms: With) -> None:
    found = price(with_terms({"percent": Decimal("12.5"), "effective": SPRING}), SUMMER, "acme/other")
    assert (found.value, found.conditions) == (Decimal("1.75"), "12.5 % negotiated discount")
    assert (found.effective, found.effective_is, found.source) == (SPRING, "stated", "https://acme.example/")


def test_a_discount_comes_off_what_is_listed_in_another_currency_too() -> None:
    block = {"effective": SPRING, "source": "https://acme.example/", "source_date": SPRING, "recorded": SPRING}
    listed = block | {"input_eur_per_mtok": 4, "confidence": "primary", "own": False}
    acme = {"name": "Acme", "price_page": "https://acme.example/", "model": {"base": {"name": "Base", "price": [listed]}}}
    book = PriceBook.bundled().with_overrides({"acme": acme | {"discount": [{"percent": 50, "effective": SPRING}]}})
    found = book.as_of(date(2026, 11, 20)).price("acme/base", IN)
    assert (found.listed_value, found.listed_currency) == (2, "EUR")
    assert found.usd == pytest.approx(2 / 0.895095)


def test_a_discount_may_be_of_some_offers_and_keys(with_terms: With) -> None:
    book = with_terms({"percent": 50, "effective": SPRING, "offers": ["base-latest"], "keys": [OUT]})
    assert price(book, SUMMER, key=OUT).value == 2
    assert price(book, SUMMER).value == 1
    assert price(book, SUMMER, "acme/other").value == 2
    assert price(book, SUMMER, key="minimum_usd_per_month").value == 50


def test_own_prices_take_no_discount(with_terms: With) -> None:
    own = {"effective": SPRING, IN: Decimal("0.9"), "own": True, "source": "file:own.toml", "confidence": "own"}
    block = own | {"source_date": SPRING, "recorded": SPRING}
    book = with_terms({"percent": 50, "effective": SPRING}, model={"base": {"price": [block]}})
    assert price(book, SUMMER).value == Decimal("0.9")
    assert price(book, SUMMER, key=OUT).value == 2


def test_every_price_in_force_is_discounted_as_it_is_charged(with_terms: With) -> None:
    book = with_terms({"percent": 50, "effective": SPRING, "offers": ["base"]})
    rates = book.as_of(SUMMER)
    assert {p.value for p in rates.all_in_force("acme/base") if p.key in (IN, OUT)} == {Decimal("0.5"), Decimal(2)}
    item = rates.item("acme/base")[2]
    assert {p.value for p in rates.in_force("acme/base", item.price)} == {Decimal("0.5"), Decimal(2)}
    assert [p.value for p in rates.in_force("acme", book.provider("acme").price)] == [50]


@pytest.mark.parametrize(
    ("second", "refused"),
    [
        ({"effective": SUMMER}, True),
        ({"effective": SUMMER, "keys": [OUT]}, True),
        ({"effective": SUMMER, "offers": ["other"]}, True),
        ({"effective": date(2026, 9, 1)}, False),
    ],
)
def test_overlapping_discounts_are_refused(with_terms: With, second: dict[str, Any], refused: bool) -> None:
    book = with_terms({"percent": 5, "effective": SPRING, "ends": date(2026, 9, 1)}, {"percent": 7} | second)
    if refused:
        with pytest.raises(BadTable, match=r"5 % negotiated discount, 7 % negotiated discount"):
            book.provider("acme")
    else:
        assert price(book, date(2026, 9, 1)).value == Decimal("0.93")


@pytest.mark.parametrize("apart", ["keys", "offers"])
def test_discounts_of_different_things_do_not_overlap(with_terms: With, apart: str) -> None:
    one, two = {"keys": ([IN], [OUT]), "offers": (["base"], ["other"])}[apart]
    book = with_terms({"percent": 5, "effective": SPRING, apart: one}, {"percent": 7, "effective": SPRING, apart: two})
    assert price(book, SUMMER).value == Decimal("0.95")


def test_only_own_facts_cite_a_file(with_terms: With) -> None:
    block = {
        "effective": SPRING,
        IN: 1,
        "source": "file:own.toml",
        "source_date": SPRING,
        "recorded": SPRING,
        "confidence": "own",
    }
    with pytest.raises(BadTable, match="own prices"):
        with_terms(model={"base": {"price": [block | {"own": False}]}}).provider("acme")


def test_the_book_names_the_files_laid_over_it(with_terms: With) -> None:
    file = OwnFile("acme.toml", "ab" * 32)
    book = with_terms().with_overrides(OwnPrices({}, file))
    assert book.own_files == (file,)
    assert str(file) == "acme.toml, SHA-256 abababababab"


@pytest.mark.parametrize(
    ("added", "told"),
    [
        ("[[discount]]\npercent = 5\neffective = 2026-11-01\n", "agreed with one customer"),
        ("[[credit]]\nusd = 5\neffective = 2026-11-01\n", "agreed with one customer"),
        (
            '[[model.gpt-6-luna.price]]\neffective = 2026-11-25\ninput_usd_per_mtok = 0.1\nsource = "file:a.toml"\n'
            'source_date = 2026-11-21\nrecorded = 2026-11-21\nconfidence = "own"\nown = true\n',
            "marks a user's own price",
        ),
    ],
)
def test_bundled_tables_hold_nothing_of_one_customer(tmp_path: Path, added: str, told: str) -> None:
    folder = tmp_path / "pricing"
    folder.mkdir()
    (folder / "tables").mkdir()
    for name in ("open_models.toml", "gpus.toml"):
        shutil.copy(BUNDLED / name, folder)
    table = (BUNDLED / "tables" / "openai.toml").read_text(encoding="utf-8")
    (folder / "tables" / "openai.toml").write_text(f"{table}\n{added}", encoding="utf-8")
    assert any(told in str(problem) for problem in check_book(folder).problems)
