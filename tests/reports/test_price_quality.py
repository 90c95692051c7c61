"""How sure and how old a price is, in every report: its confidence, what unverified prices block, what was read long ago."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from calc import Comparison, Scenario, compare
from calc.export import comparison_dict
from pricing import PriceBook
from reports.csv import csv_files
from reports.markdown import lines_markdown, sources_markdown, summary_markdown
from reports.pdf import report_data
from tuneworth.compare import _print_tables

PAGE = "https://acme.example/pricing"


def answer(confidence: str, read: date = date(2026, 11, 1), accepted: tuple[str, ...] = ()) -> Comparison:
    prices: dict[str, Any] = {"input_usd_per_mtok": 1, "output_usd_per_mtok": 4}
    facts = {"effective": date(2026, 1, 1), "source": PAGE, "source_date": read, "recorded": date(2026, 11, 1)}
    model = {"base": {"name": "Base", "price": [facts | prices | {"confidence": confidence}]}}
    book = PriceBook.bundled().with_overrides({"acme": {"name": "Acme", "price_page": PAGE, "model": model}})
    fields = {
        "name": "Quality of prices",
        "as_of": date(2026, 11, 20),
        "horizon_months": 12,
        "workload": {"requests_per_month": 1_000_000, "user_tokens": 200, "answer_tokens": 125},
        "task": {"kind": "style"},
        "accept_unverified": accepted,
        "approaches": {"prompting": {"model": "acme/base", "instruction_tokens": 300}},
    }
    return compare(Scenario.model_validate(fields), book)


def surfaces(found: Comparison, capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    """The text of every report, its marks for Markdown left out."""
    _print_tables(found, lines=True, sources=True)
    files = csv_files(found)
    return {
        "terminal": " ".join(capsys.readouterr().out.split()),
        "markdown": (summary_markdown(found) + lines_markdown(found) + sources_markdown(found)).replace("\\", ""),
        "pdf": str(report_data(found)),
        "json": str(comparison_dict(found)),
        "csv": files["lines.csv"] + files["limits.csv"],
    }


def lacking(texts: dict[str, str], *wanted: str) -> dict[str, str]:
    return {name: text for name, text in texts.items() if not any(part in text for part in wanted)}


@pytest.mark.parametrize(
    ("confidence", "words"), [("transcribed", "Transcribed from the provider"), ("bulk", "Provider's bulk list")]
)
def test_the_confidence_of_each_price_is_told(confidence: str, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert lacking(surfaces(answer(confidence), capsys), confidence, words) == {}


def test_an_unverified_price_blocks_and_every_report_says_why(capsys: pytest.CaptureFixture[str]) -> None:
    found = answer("unverified")
    assert found.results["prompting"].status == "unpriced"
    assert lacking(surfaces(found, capsys), "unverified") == {}
    assert lacking(surfaces(found, capsys), "accept_unverified") == {}


def test_an_accepted_unverified_price_is_still_called_so(capsys: pytest.CaptureFixture[str]) -> None:
    found = answer("unverified", accepted=("acme/base",))
    assert found.results["prompting"].status == "available"
    assert lacking(surfaces(found, capsys), "is unverified; you accepted it by name") == {}


def test_an_old_price_is_named_with_its_age_and_source(capsys: pytest.CaptureFixture[str]) -> None:
    found = surfaces(answer("primary", read=date(2026, 1, 24)), capsys)
    assert lacking(found, "rests on prices of acme/base read 300 days before") == {}
    assert lacking(found, "acme.example/pricing): 1 USD per million", "acme.example/pricing: 1 USD per million") == {}
