"""The page Prices: every price in force, found by words."""

from __future__ import annotations

from datetime import date

import pytest

PAGE = "app_pages/prices.py"


def test_every_price_has_its_source_and_day(dashboard):
    app = dashboard(PAGE)
    assert not app.exception
    prices = app.dataframe[0].value
    assert len(prices) > 500
    assert prices[["Offer", "Price", "Unit", "In force from", "Source", "Read on", "Confidence"]].notna().all().all()


def test_search_keeps_rows_with_every_word(dashboard):
    app = dashboard(PAGE)
    app.text_input(key="prices search").set_value("gpt-4.1-mini training").run()
    prices = app.dataframe[0].value
    assert set(prices["Offer"]) <= {"openai/gpt-4.1-mini", "azure-openai/gpt-4.1-mini"}
    assert prices["Unit"].str.contains("training").all()
    assert len(prices) > 0


def test_nothing_found_is_said(dashboard):
    app = dashboard(PAGE)
    app.text_input(key="prices search").set_value("no such thing").run()
    assert not app.exception
    assert app.title[0].value.startswith("0 prices")
    assert any(text.value.startswith("Nothing in the book matches") for text in app.markdown)


@pytest.mark.parametrize(("day", "expected"), [("2026-11-20", True), ("2020-01-01", False)])
def test_only_prices_in_force_are_shown(dashboard, day, expected):
    app = dashboard(PAGE)
    app.date_input(key="prices day").set_value(date.fromisoformat(day)).run()
    assert not app.exception
    assert (len(app.dataframe[0].value) > 0) is expected
