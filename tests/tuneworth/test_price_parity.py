"""The book against genai-prices, model by model, and against LiteLLM's map."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from pricing import PriceBook
from pricing.importers import genai_prices
from tuneworth.price_parity import litellm_disagreements, parity

DAY = date(2026, 11, 21)


@pytest.mark.parametrize("seed", [0, 1])
def test_every_model_of_the_package_costs_the_same_in_the_book(seed):
    found = parity(PriceBook.bundled(), DAY, seed)
    assert found.differences == []
    assert found.models > 2000
    assert found.comparisons > 3 * (found.models - found.unpriced)


def test_an_import_into_an_empty_book_says_all_that_the_package_says(tmp_path: Path):
    (tmp_path / "tables").mkdir()
    genai_prices.write(genai_prices.read(PriceBook(tmp_path), DAY), tmp_path)
    found = parity(PriceBook(tmp_path), DAY)
    assert (found.differences, found.superseded) == ([], [])
    assert found.models > 2000


@pytest.mark.parametrize(
    ("field", "value", "asked"),
    [("input_usd_per_mtok", 0.11, {}), ("input_usd_per_mtok", 0.21, {"context_above_tokens": 272_000})],
)
def test_a_wrong_price_is_found(field, value, asked):
    wrong = {
        "effective": date(2026, 11, 1), field: Decimal(str(value)), "source": "https://example.org", "source_date": DAY,
        "recorded": DAY, "confidence": "primary", **asked,
    }  # fmt: skip
    book = PriceBook.bundled().with_overrides({"openai": {"model": {"gpt-6-luna": {"price": [wrong]}}}})
    offers = {difference.offer for difference in parity(book, DAY).differences}
    assert offers == {"openai/gpt-6-luna"}


@pytest.fixture
def litellm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A stand-in for the installed package: its map alone."""

    def holding(entries: dict) -> None:
        (tmp_path / "litellm").mkdir()
        (tmp_path / "litellm" / "__init__.py").write_text("raise ImportError('the map is read, the package is not run')")
        (tmp_path / "litellm" / "model_prices_and_context_window_backup.json").write_text(json.dumps(entries))
        monkeypatch.syspath_prepend(str(tmp_path))

    return holding


ENTRIES = {
    "sample_spec": {"litellm_provider": "one of https://docs", "input_cost_per_token": 0.0},
    "gpt-6-luna": {"litellm_provider": "openai", "input_cost_per_token": 1e-07, "output_cost_per_token": 9e-07},
    "mistral/codestral": {"litellm_provider": "mistral", "input_cost_per_token": 3e-07},
    "a-model-nobody-knows": {"litellm_provider": "openai", "input_cost_per_token": 1e-06},
}


def test_where_litellm_disagrees_is_listed(litellm):
    litellm(ENTRIES)
    [found], compared = litellm_disagreements(PriceBook.bundled(), DAY)
    assert compared == 3
    assert (found.offer, found.book.key, found.book.value, found.litellm) == (
        "openai/gpt-6-luna", "output_usd_per_mtok", Decimal("0.5"), Decimal("0.9"),
    )  # fmt: skip


def test_a_disagreement_is_no_failure(litellm, tuneworth):
    litellm(ENTRIES)
    ran = tuneworth("prices", "parity", "litellm")
    assert ran.code == 0
    assert "3 prices of LiteLLM's map were held against the book: 1 disagree." in ran.out


def test_parity_of_the_command(tuneworth):
    ran = tuneworth("prices", "parity")
    assert ran.code == 0
    assert ": 0 differences." in ran.out


def test_importing_what_the_book_has_changes_nothing(tuneworth):
    ran = tuneworth("prices", "import", "genai-prices", "--dry-run")
    assert (ran.code, ran.out) == (0, "The book has it all.\n")


def test_an_import_into_a_folder_that_is_no_book(tuneworth, tmp_path):
    ran = tuneworth("prices", "import", "genai-prices", "--folder", str(tmp_path))
    assert ran.code == 1
    assert "it has no folder 'tables'" in ran.err


def test_a_folder_of_ones_own_is_filled(tuneworth, tmp_path):
    (tmp_path / "tables").mkdir()
    ran = tuneworth("prices", "import", "genai-prices", "--folder", str(tmp_path))
    assert ran.code == 0
    assert "price blocks were added." in ran.out
    assert (tmp_path / "tables" / "openai.toml").exists()
    assert tuneworth("prices", "import", "genai-prices", "--folder", str(tmp_path)).out == "The book has it all.\n"
