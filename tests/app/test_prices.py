"""The page Prices: every price in force, found by words."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from pricing import PriceBook

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


# --- filters and the address --------------------------------------------------------------------------------------------------


def opened(dashboard, **address):
    """The page as a shared address opens it."""
    app = dashboard()
    app.switch_page(PAGE)
    for name, value in address.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception
    return app


def address(app) -> dict[str, str]:
    return {name: value[0] if isinstance(value, list) else value for name, value in app.query_params.items()}


def test_first_the_answer(dashboard):
    app = opened(dashboard)
    prices = app.dataframe[0].value
    assert app.title[0].value.startswith(f"{len(prices):,} prices in force on ")
    assert "changed in the last 90 days" in app.title[0].value
    cards = {metric.label: metric.value for metric in app.metric}
    assert set(cards) == {"Cheaper lately", "Dearer lately", "Ended lately", "Announced changes", "Events ahead"}


@pytest.mark.parametrize(
    ("key", "value", "column", "expected"),
    [
        ("providers", ["tinker"], "Provider", {"Thinking Machines Tinker"}),
        ("prices kinds", ["Training", "People"], "Kind", {"Training", "People"}),
        ("prices confidence", ["Derived"], "Confidence", {"Derived"}),
    ],
)
def test_filters_keep_what_they_name(dashboard, key, value, column, expected):
    app = opened(dashboard)
    app.pills(key=key).set_value(value).run()
    assert not app.exception
    assert set(app.dataframe[0].value[column]) == expected


def test_no_filter_shows_filled_tags_which_white_text_cannot_be_read_on(dashboard):
    app = opened(dashboard, kinds="Training,People")
    assert not app.multiselect
    assert app.pills(key="prices kinds").value == ["Training", "People"]


def test_the_address_restores_what_is_shown(dashboard):
    wanted = {
        "search": "gpt-4.1-mini", "providers": "openai", "kinds": "Training,Tuned inference", "day": "2026-11-20",
        "offer": "openai/gpt-4.1-mini", "price": "training_usd_per_mtok|sft",
    }  # fmt: skip
    app = opened(dashboard, **wanted)
    assert not app.warning
    assert set(app.dataframe[0].value["Kind"]) == {"Training", "Tuned inference"}
    assert app.selectbox(key="prices offer").value == "openai/gpt-4.1-mini"
    assert app.selectbox(key="prices price").value == "training_usd_per_mtok|sft"
    assert "5.00 USD per million training tokens" in app.code[0].value
    assert address(app) == wanted


@pytest.mark.parametrize(
    ("bad", "told"),
    [
        ({"day": "yesterday"}, "day 'yesterday'. Expected a date like 2026-11-20"),
        ({"day": "1066-10-14"}, "day '1066-10-14'"),
        ({"providers": "openai,acme"}, "providers 'acme', which is not known"),
        ({"kinds": "Magic"}, "kinds 'Magic', which is not known"),
        ({"offer": "openai/no-such:model/1.0"}, "which is not among these prices"),
        ({"offer": "openai/gpt-4.1-mini", "price": "magic"}, "'magic'"),
        ({"colour": "red"}, "'colour', which this page does not have"),
    ],
)
def test_what_the_address_says_wrongly_is_ignored_with_a_word(dashboard, bad, told):
    app = opened(dashboard, **bad)
    assert any(told in warning.value.replace("\\", "") for warning in app.warning)
    assert len(app.dataframe[0].value) > 50
    app.run()
    assert not app.warning


# --- one price ----------------------------------------------------------------------------------------------------------------


def facts(app) -> dict[str, str]:
    return dict(zip(app.table[0].value["Fact"].str.strip("*"), app.table[0].value["Value"], strict=True))


def test_a_selected_row_shows_its_history_and_how_to_cite_it(dashboard):
    app = opened(dashboard, search="tinker/qwen3-8b output")
    table = app.dataframe[0]
    at = list(table.value["Offer"]).index("tinker/qwen3-8b")
    app.session_state[table.key] = {"selection": {"rows": [at], "columns": [], "cells": []}}
    app.run()
    assert not app.exception
    assert app.selectbox(key="prices offer").value == "tinker/qwen3-8b"
    assert app.selectbox(key="prices price").value == "output_usd_per_mtok"
    assert address(app) == {"search": "tinker/qwen3-8b output", "offer": "tinker/qwen3-8b", "price": "output_usd_per_mtok"}
    assert any("Output rose from" in heading.value for heading in app.subheader)
    assert {"Price", "Since", "Conditions", "Source", "Read on", "Confidence"} <= set(facts(app))
    assert app.code[0].value.startswith("Thinking Machines Tinker, Qwen3 8B, output, 0.60 USD per million output tokens, ")


def test_another_price_of_the_offer_can_be_picked(dashboard):
    app = opened(dashboard, offer="openai/gpt-4.1-mini", price="input_usd_per_mtok")
    picker = app.selectbox(key="prices price")
    assert "training_usd_per_mtok|sft" in picker.options or "Training, sft" in picker.options
    picker.set_value("output_usd_per_mtok").run()
    assert "1.60 USD per million output tokens" in app.code[0].value
    assert address(app)["price"] == "output_usd_per_mtok"


def test_what_changed_lately_says_the_direction_in_words(dashboard):
    app = opened(dashboard, day="2026-11-20", search="together/h100")
    [changed] = [table.value for table in app.dataframe if "Was" in table.value]
    [row] = changed.to_dict("records")
    assert (row["Was"], row["Now"], row["Change"]) == ("$3.99", "$5.49", "38% dearer")


def test_what_is_ahead_has_announced_prices_and_events(dashboard):
    app = opened(dashboard, day="2026-11-20", search="gpt-4.1-mini", providers="openai")
    app.button_group(key="prices changes").set_value("ahead").run()
    [ahead] = [table.value for table in app.dataframe if "Was" in table.value]
    assert "Ends" in set(ahead["Change"])
    assert list(ahead["Day"]) == sorted(ahead["Day"])


def test_own_prices_of_the_session_are_shown_and_charted(dashboard):
    day = date(2026, 11, 1)
    own = {
        "effective": day,
        "recorded": day,
        "source_date": day,
        "source": "https://example.com/contract",
        "confidence": "primary",
    }
    over = {"openai": {"model": {"gpt-4.1-mini": {"price": [own | {"input_usd_per_mtok": Decimal("0.31")}]}}}}
    app = dashboard()
    app.session_state["own book"] = PriceBook.bundled().with_overrides(over)
    app.switch_page(PAGE)
    app.query_params["offer"] = "openai/gpt-4.1-mini"
    app.query_params["price"] = "input_usd_per_mtok"
    app.run()
    assert not app.exception
    assert "0.31 USD per million input tokens" in app.code[0].value
    assert any("Input ends on 14 January 2027" in heading.value for heading in app.subheader)
    assert "0.31" not in opened(dashboard, offer="openai/gpt-4.1-mini", price="input_usd_per_mtok").code[0].value


@pytest.mark.parametrize("offer", ["openrouter/meta-llama/llama-3.1-8b-instruct", "bedrock/amazon.nova-2-sonic-v1:0"])
def test_ids_with_slashes_and_signs_are_found_charted_and_addressed(dashboard, offer):
    app = opened(dashboard, search=offer, offer=offer)
    assert not app.warning
    assert offer in set(app.dataframe[0].value["Offer"])
    assert address(app)["offer"] == app.selectbox(key="prices offer").value == offer


def test_a_size_band_has_its_history(dashboard):
    app = opened(dashboard, search="fireworks: models of")
    offer = app.dataframe[0].value["Offer"].iloc[0]
    app.selectbox(key="prices offer").set_value(offer).run()
    assert not app.exception
    assert app.selectbox(key="prices offer").value == offer
    assert offer.startswith("fireworks: models of")
