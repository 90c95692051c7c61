"""``tuneworth prices history``: every dated value of an offer, with the events between them."""

from __future__ import annotations

import csv
import io
import json
import shutil
from datetime import date
from importlib.resources import files

import pytest

import pricing
from pricing import PriceBook

TINKER = "tinker/qwen3-8b"


def rows(ran) -> list[dict]:
    assert ran.code == 0, ran.err
    return json.loads(ran.out)


def test_rows_are_what_is_charged_on_their_days(tuneworth):
    rates = PriceBook.bundled().as_of(date(2026, 11, 20))
    shown = rows(tuneworth("prices", "history", TINKER, "input_usd_per_mtok", "--format", "json"))
    plain = [row for row in shown if row["conditions"] == "" and row["value"] is not None]
    assert len(plain) >= 2
    for row in plain:
        price = rates.price(TINKER, "input_usd_per_mtok", on=date.fromisoformat(row["from"]))
        assert (row["value"], row["unit"]) == (float(price.value), price.unit)
        assert (row["source"], row["confidence"]) == (price.source, price.confidence)


def test_events_stand_between_the_prices_by_day(tuneworth):
    shown = rows(tuneworth("prices", "history", "openai/gpt-4.1-mini", "--format", "json"))
    days = [row["from"] for row in shown]
    assert days == sorted(days)
    [end] = [row for row in shown if row["what"].startswith("inference ends")]
    assert (end["from"], end["value"], end["unit"]) == ("2027-01-14", None, "event")
    assert "successor openai/gpt-6-luna" in end["what"]


def test_prices_end_with_the_model(tuneworth):
    shown = rows(tuneworth("prices", "history", "openai/gpt-4.1-mini", "--format", "json"))
    last = {row["what"]: row["until"] for row in shown if row["value"] is not None}
    assert (last["input_usd_per_mtok"], last["training_usd_per_mtok"]) == ("2027-01-14", "2027-01-06")


def test_a_key_leaves_the_others_out(tuneworth):
    shown = rows(tuneworth("prices", "history", "openai/gpt-4.1-mini", "training_usd_per_mtok", "--format", "json"))
    assert {row["what"] for row in shown if row["value"] is not None} == {"training_usd_per_mtok"}


def test_csv_has_the_figures_as_listed(tuneworth):
    ran = tuneworth("prices", "history", "openai/gpt-4.1-mini-2025-04-14", "--format", "csv")
    assert ran.code == 0, ran.err
    shown = list(csv.DictReader(io.StringIO(ran.out)))
    assert {"from", "until", "what", "value", "source", "source date", "recorded", "confidence"} <= set(shown[0])
    assert {row["value"] for row in shown if row["what"] == "training_usd_per_mtok"} == {"5"}


CORRECTION = """
[[model.gpt-6-luna.price]]
effective = 2026-09-22
input_usd_per_mtok = 0.3
source = "https://example.org/correction"
source_date = 2098-12-31
recorded = 2099-01-01
confidence = "transcribed"
"""


def test_corrected_values_are_shown_when_asked(tuneworth, tmp_path, monkeypatch):
    folder = tmp_path / "pricing"
    shutil.copytree(str(files(pricing)), folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    monkeypatch.setattr("pricing.book._BUNDLED", folder)
    with (folder / "tables" / "openai.toml").open("a", encoding="utf-8") as table:
        table.write(CORRECTION)
    asked = ("prices", "history", "openai/gpt-6-luna", "input_usd_per_mtok", "--format", "json")

    def standard(*more: str) -> list[tuple[str, float, str]]:
        found = [row for row in rows(tuneworth(*asked, *more)) if row["conditions"] == "" and row["value"] is not None]
        return [(row["from"], row["value"], row["note"].partition(". ")[0]) for row in found]

    assert standard() == [("2026-09-22", 0.3, "")]
    assert standard("--corrections") == [("2026-09-22", 0.3, ""), ("2026-09-22", 0.1, "corrected on 2099-01-01")]


def test_history_knows_own_prices(tuneworth, tmp_path):
    own = tmp_path / "acme.toml"
    own.write_text("[[openai.model.gpt-6-luna.price]]\neffective = 2026-11-01\ninput_usd_per_mtok = 0.08\n", encoding="utf-8")
    asked = ("prices", "history", "openai/gpt-6-luna", "input_usd_per_mtok", "--format", "json")
    assert 0.08 not in {row["value"] for row in rows(tuneworth(*asked))}
    assert 0.08 in {row["value"] for row in rows(tuneworth(*asked, "--own-prices", own))}


def test_a_provider_shows_what_holds_for_all_it_sells(tuneworth):
    shown = rows(tuneworth("prices", "history", "mistral", "--format", "json"))
    assert "minimum_usd_per_job" in {row["what"] for row in shown}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["openai/gpt-4.1-mni"], "Did you mean openai/gpt-4.1-mini"),
        (["gpt-4.1"], "offers match 'gpt-4.1': azure-openai/gpt-4.1"),
        (["openai/gpt-4.1-mini", "inpt_usd_per_mtok"], "Did you mean input_usd_per_mtok"),
        (["openai/gpt-4.1-mini", "wages"], "Expected input_usd_per_mtok"),
    ],
)
def test_mistakes_end_in_a_message(tuneworth, arguments, told):
    ran = tuneworth("prices", "history", *arguments)
    assert (ran.code, ran.out) == (1, "")
    assert told in ran.err
