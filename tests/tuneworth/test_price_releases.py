"""A report that never moves, and what moved: releases, pinned scenarios and ``tuneworth prices diff``."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
from datetime import date, timedelta
from importlib.resources import files
from pathlib import Path

import pytest

import pricing
from calc import Comparison, Scenario, compare
from calc.price_effect import price_effect
from ingest import load_scenario
from pricing import PriceBook, releases
from tuneworth.clock import today
from tuneworth.report import report_files

DAY, CORRECTED_ON = date(2026, 11, 20), date(2099, 1, 1)
CORRECTION = """
[[model.gpt-6-luna.price]]
effective = 2026-09-22
input_usd_per_mtok = 0.3
source = "https://example.org/correction"
source_date = 2098-12-31
recorded = 2099-01-01
confidence = "transcribed"
"""
"""$0.3 in place of the $0.1 that was listed first."""
SCENARIO = """
name: Two dates
as_of: 2026-11-20
horizon_months: 12
workload: {requests_per_month: 100_000, user_tokens: 500, answer_tokens: 100}
task: {kind: style, examples: 500, tokens_per_example: 400}
staff_usd_per_hour: {ml_engineer: 50, support_agent: 20}
approaches:
  prompting:
    model: openai/gpt-6-luna
    instruction_tokens: 500
    evaluation: {examples: 0}
    staffing: {set_up_hours: 0, maintenance_hours_per_month: 0}
  few-shot: null
  short: {extends: prompting, instruction_tokens: 100, staffing: {set_up_hours: 2, maintenance_hours_per_month: 0}}
"""
"""The short prompt saves 400 input tokens a request for $100 once."""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the bundled book's folder, which the command takes for the bundled one."""
    found = tmp_path / "pricing"
    shutil.copytree(str(files(pricing)), found, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    (found / "releases.toml").unlink()
    monkeypatch.setattr("pricing.book._BUNDLED", found)
    return found


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "scenario.yaml"
    path.write_text(SCENARIO, encoding="utf-8")
    return path


def answered(folder: Path, file: Path, state: str | None) -> Comparison:
    from ingest.scenario_file import load_with_lines

    stated = load_with_lines(file)[0].model_dump() | {"price_release": state}
    return compare(Scenario.model_validate(stated), PriceBook(folder))


def correct(folder: Path) -> None:
    with (folder / "tables" / "openai.toml").open("a", encoding="utf-8") as table:
        table.write(CORRECTION)


def test_a_pinned_report_never_moves_and_the_difference_is_named(tuneworth, folder, file):
    releases.cut(PriceBook(folder), "2026.11.21", date(2026, 11, 21))
    before = report_files(answered(folder, file, "2026.11.21"))
    assert {Path(name).suffix for name in before} >= {".pdf", ".json", ".md", ".csv"}

    correct(folder)
    releases.cut(PriceBook(folder), "2099.1.1", CORRECTED_ON)
    assert all(releases.is_unchanged(PriceBook(folder), entry) for entry in PriceBook(folder).releases)

    assert report_files(answered(folder, file, "2026.11.21")) == before
    after = report_files(answered(folder, file, "2099.1.1"))
    for name in ("report.pdf", "report.json", "report.md", "lines.csv"):
        assert after[name] != before[name]

    found = json.loads(tuneworth("prices", "diff", "2026.11.21", "2099.1.1", "--scenario", file, "--format", "json").out)
    assert found["changes"] == [
        {
            "offer": "openai/gpt-6-luna",
            "fact": "input_usd_per_mtok",
            "conditions": "",
            "effective": "2026-09-22",
            "old": "0.1",
            "new": "0.3",
            "kind": "corrected",
            "source": "https://example.org/correction",
            "recorded": "2099-01-01",
        }
    ]
    # 12 months × 100,000 requests × 1,000 or 600 tokens × $0.2 a million more
    grown = {row["approach"]: row["difference_usd"] for row in found["totals"]}
    assert grown == pytest.approx({"prompting": 240, "short": 144})
    # $100 ÷ (12 × 400 tokens × $0.1 or $0.3 a million) requests a month
    [pair] = found["break_evens"]
    assert (pair["old"]["volumes"], pair["new"]["volumes"], pair["shifts"]) == ([208_334], [69_445], [-138_889])

    table = tuneworth("prices", "diff", "2026.11.21", "2099.1.1", "--scenario", file).out
    for told in ("+240.00", "+144.00", "208,334", "69,445", "-138,889", "openai/gpt-6-luna", "corrected"):
        assert told in table


def test_what_a_discounted_price_rests_on_is_told_too(folder, file):
    correct(folder)
    discount = {"openai": {"discount": [{"percent": 50, "effective": date(2026, 11, 1)}]}}
    book = PriceBook(folder).with_overrides(discount)
    effect = price_effect(load_scenario(file), book, date(2026, 11, 21), None)
    assert [(change.offer, change.old, change.new) for change in effect.changes] == [("openai/gpt-6-luna", "0.1", "0.3")]
    assert effect.totals[0].difference_usd == pytest.approx(240 / 2)


def test_an_answer_says_which_release_it_rests_on(tuneworth, folder, file):
    release = releases.cut(PriceBook(folder), "2026.11.21", date(2026, 11, 21))
    newest = answered(folder, file, None)
    for found in (answered(folder, file, "2026.11.21"), newest):
        made = report_files(found)
        stated = json.loads(made["report.json"])["price_book"]
        assert (stated["release"], stated["sha256"], stated["has_later_records"]) == ("2026.11.21", release.sha256, False)
        assert stated["release_recorded_through"] == "2026-11-21"
        row = next(csv.DictReader(io.StringIO(made["lines.csv"].decode())))
        assert row["price_book"] == f"2026.11.21, recorded through 2026-11-21, {release.sha256[:12]}"
        assert (
            f"release 2026.11.21 (recorded through 21 November 2026, SHA-256 {release.sha256[:12]})" in made["report.md"].decode()
        )
    assert "price book release 2026.11.21 (recorded" in tuneworth("compare", file).out.replace("\n", " ")

    correct(folder)
    later = json.loads(report_files(answered(folder, file, None))["report.json"])["price_book"]
    assert (later["release"], later["has_later_records"]) == ("2026.11.21", True)
    assert "and later records" in tuneworth("compare", file).out.replace("\n", " ")


def test_a_later_exchange_rate_is_said_where_amounts_are_converted(folder, file):
    releases.cut(PriceBook(folder), "2026.11.21", date(2026, 11, 21))
    rate = (
        '\n[[EUR]]\neffective = 2026-11-19\nper_usd = 0.5\npublisher = "ECB"\nsource = "https://example.org/rates"\n'
        'source_date = 2098-12-31\nrecorded = 2099-01-01\nconfidence = "primary"\n'
    )
    with (folder / "fx.toml").open("a", encoding="utf-8") as rates:
        rates.write(rate)
    scenario = load_scenario(file)
    in_euros = scenario.model_copy(update={"finance": scenario.finance.model_copy(update={"currency": "EUR"})})
    later = [compare(stated, PriceBook(folder)).price_book.has_later for stated in (scenario, in_euros)]
    assert later == [False, True]


def test_a_day_pins_as_well(folder, file):
    releases.cut(PriceBook(folder), "2026.11.21", date(2026, 11, 21))
    stated = json.loads(report_files(answered(folder, file, "2026-11-20"))["report.json"])
    assert stated["price_release"] == "2026-11-20"
    assert (stated["price_book"]["release"], stated["price_book"]["recorded_through"]) == (None, "2026-11-20")


def test_an_unknown_release_is_told_with_its_line(tuneworth, folder, file):
    releases.cut(PriceBook(folder), "2026.11.21", date(2026, 11, 21))
    file.write_text(file.read_text(encoding="utf-8") + "price_release: 2026.11.22\n", encoding="utf-8")
    ran = tuneworth("compare", file)
    assert ran.code == 1
    assert re.search(r"line \d+, price_release: There is no price release '2026.11.22'. Did you mean 2026.11.21\?", ran.err)


def test_a_release_is_cut_and_listed(tuneworth, folder):
    assert tuneworth("prices", "release", "2026.11.20", "--recorded-through", "2026-11-20").code == 0
    listed = tuneworth("prices", "releases", "--format", "json")
    [row] = json.loads(listed.out)
    assert (row["release"], row["recorded through"], row["unchanged"]) == ("2026.11.20", "2026-11-20", True)
    again = tuneworth("prices", "release", "2026.11.20")
    assert (again.code, "There is a release '2026.11.20' already" in again.err) == (1, True)
    assert tuneworth("prices", "release", "2026.11.21", "--recorded-through", "soon").code == 2

    table = folder / "tables" / "voyage.toml"
    text = table.read_text(encoding="utf-8")
    table.write_text(re.sub(r"usd_per_mtok = (\S+)", r"usd_per_mtok = 1\1", text), encoding="utf-8")
    listed = tuneworth("prices", "releases", "--format", "json")
    assert (listed.code, json.loads(listed.out)[0]["unchanged"]) == (1, False)


def test_a_release_never_reaches_beyond_today_and_one_of_today_warns(tuneworth, folder):
    day = today()
    for ahead, code, told in ((1, 1, "records can still enter"), (0, 0, "The day is not over"), (-1, 0, "")):
        through = day + timedelta(days=ahead)
        ran = tuneworth("prices", "release", f"{through:%Y.%m.%d}", "--recorded-through", through)
        assert (ran.code, told in ran.err, bool(ran.err)) == (code, True, bool(told))
    assert len(PriceBook(folder).releases) == 2


def test_many_changes_are_counted_by_provider_first(tuneworth, folder):
    out = tuneworth("prices", "diff", "2000-01-01", "2026-11-20").out
    assert out.index(" changes from 2000-01-01 to 2026-11-20") < out.index("Changes from")
    assert "assumptions" in out
    rows = list(csv.DictReader(io.StringIO(tuneworth("prices", "diff", "2000-01-01", "2026-11-20", "--format", "csv").out)))
    assert {row["kind"] for row in rows} <= {"added", "corrected", "withdrawn", "ended"}
    of_one = tuneworth("prices", "diff", "2000-01-01", "2026-11-20", "--format", "csv", "--provider", "voyage").out
    assert {row["offer"].split("/")[0] for row in csv.DictReader(io.StringIO(of_one))} == {"voyage"}


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (("2026-11-21", "2026-11-20"), "2026-11-20 is before 2026-11-21"),
        (("2026-11-20", "2026.12.1"), "There is no price release '2026.12.1'"),
        (("2026-11-20", "2026-11-21", "--provider", "opneai"), "Did you mean openai"),
    ],
)
def test_what_cannot_be_compared_is_told(tuneworth, folder, asked, told):
    ran = tuneworth("prices", "diff", *asked)
    assert ran.code == 1
    assert told in ran.err


def test_nothing_changed(tuneworth, folder):
    assert "No change between 2026-11-20 and 2026-11-20" in tuneworth("prices", "diff", "2026-11-20", "2026-11-20").out
