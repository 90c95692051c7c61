"""What two states of the price book have otherwise."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from pricing import PriceBook, UnknownOffer
from pricing.diff import Change, changes

OLD, NEW = date(2026, 1, 1), date(2026, 6, 1)
IN, OUT = "input_usd_per_mtok", "output_usd_per_mtok"


def toml(fields: dict[str, Any], recorded: date) -> str:
    stated = {
        "source": f"https://acme.example/{recorded}",
        "source_date": recorded,
        "confidence": "primary",
        "recorded": recorded,
    }
    quoted = {k: repr(v) if isinstance(v, str) else str(v).lower() for k, v in (stated | fields).items()}
    return "".join(f"{k} = {v}\n" for k, v in quoted.items())


def block(recorded: date, effective: date = OLD, **fields: Any) -> str:
    return "[[model.base.price]]\n" + toml({"effective": effective} | fields, recorded)


LISTED = block(OLD, input_usd_per_mtok=2, output_usd_per_mtok=8)
HEAD = 'name = "Acme"\nprice_page = "https://acme.example/"\n[model.base]\nname = "Base"\n'


def book(folder: Path, table: str = "", **files: str) -> PriceBook:
    (folder / "tables").mkdir()
    (folder / "assumptions").mkdir()
    named = {"open_models": "", "gpus": ""} | files
    texts = {"tables/acme": HEAD + LISTED + table} | {name.replace("__", "/"): text for name, text in named.items()}
    for name, text in texts.items():
        (folder / f"{name}.toml").write_text(text, encoding="utf-8")
    return PriceBook(folder)


def told(found: list[Change]) -> list[tuple[Any, ...]]:
    return [(c.offer, c.fact, c.conditions, c.effective, c.old, c.new, c.kind) for c in found]


BASE = "acme/base"
LATER = date(2026, 5, 1)
PRICES = [
    # a correction touches the keys it names alone
    (block(NEW, input_usd_per_mtok=1.5), [(BASE, IN, "", OLD, "2", "1.5", "corrected")]),
    # the provider changed its price: the old value is what the old state says of that day
    (block(NEW, LATER, input_usd_per_mtok=1), [(BASE, IN, "", LATER, "2", "1", "added")]),
    # a price under conditions that had none
    (
        block(NEW, input_usd_per_mtok=1, service="batch", tuned=True),
        [(BASE, IN, "batch, fine-tuned", OLD, None, "1", "added")],
    ),
    # an end that was learned later; the other key goes on
    (
        block(NEW, input_usd_per_mtok=2, ends=date(2026, 12, 1)),
        [(BASE, IN, "", OLD, "2", "2 until 2026-12-01", "ended")],
    ),
    # withdrawn: every key of the block, and nothing is left
    (
        block(NEW, withdrawn=True),
        [(BASE, IN, "", OLD, "2", None, "withdrawn"), (BASE, OUT, "", OLD, "8", None, "withdrawn")],
    ),
    # a figure that was in doubt, and is not any more
    (
        block(OLD, training_usd_per_mtok=3, confidence="unverified") + block(NEW, training_usd_per_mtok=3),
        [(BASE, "training_usd_per_mtok", "", OLD, "3, unverified", "3", "corrected")],
    ),
    # the same again from another source, and what both states know
    (block(NEW, input_usd_per_mtok=2), []),
    (block(OLD, LATER, input_usd_per_mtok=1), []),
    # corrected and taken back between the two states
    (block(date(2026, 3, 1), input_usd_per_mtok=9) + block(NEW, input_usd_per_mtok=2), []),
    # recorded after the newer state
    (block(date(2026, 7, 1), input_usd_per_mtok=1), []),
]


@pytest.mark.parametrize(("table", "expected"), PRICES)
def test_prices(tmp_path: Path, table: str, expected: list[tuple[Any, ...]]) -> None:
    assert told(changes(book(tmp_path, table), OLD, NEW)) == expected


def test_a_withdrawn_price_uncovers_the_one_before(tmp_path: Path) -> None:
    table = block(OLD, LATER, input_usd_per_mtok=1) + block(NEW, LATER, withdrawn=True)
    assert told(changes(book(tmp_path, table), OLD, NEW)) == [(BASE, IN, "", LATER, "1", "2", "withdrawn")]


def test_events_and_rules(tmp_path: Path) -> None:
    ends = "[[model.base.lifecycle]]\nevent = 'inference_ends'\n"
    rules = "[[model.base.billing]]\n"
    table = (
        ends + toml({"date": date(2027, 1, 1)}, OLD)
        + ends + toml({"date": date(2027, 6, 1), "successor": "acme/next"}, NEW)
        + "[[model.base.lifecycle]]\nevent = 'deprecated'\n" + toml({"date": LATER}, NEW)
        + rules + toml({"default_epochs": 3}, OLD)
        + rules + toml({"default_epochs": 4, "note": "Read anew."}, NEW)
        + "[model.base.cache]\n" + toml({"mode": "implicit", "minimum_tokens": 1024, "ttl_seconds": 300}, NEW)
    )  # fmt: skip
    day = date(2027, 6, 1)
    assert told(changes(book(tmp_path, table), OLD, NEW)) == [
        (BASE, "inference_ends", "", day, "2027-01-01", "2027-06-01, successor acme/next", "corrected"),
        (BASE, "deprecated", "", LATER, None, "2026-05-01", "added"),
        (BASE, "cache.mode", "", None, None, "implicit", "added"),
        (BASE, "cache.minimum_tokens", "", None, None, "1024", "added"),
        (BASE, "cache.ttl_seconds", "", None, None, "300", "added"),
        (BASE, "billing.default_epochs", "", None, "3", "4", "corrected"),
    ]


def test_assumptions_weights_gpus_and_rates(tmp_path: Path) -> None:
    def assumed(likely: float, recorded: date) -> str:
        figures = f'low = 1\nlikely = {likely}\nhigh = 9\nunit = "hours"\nbasis = "The authors\' assumption."\n'
        return f"[[hours]]\n{figures}recorded = {recorded}\n"

    files = {
        "assumptions__work": assumed(2, OLD) + assumed(3, NEW),
        "open_models": '["acme/new"]\nname = "New"\n' + toml({"billion_parameters": 7}, NEW),
        "gpus": "".join('[[big]]\nname = "Big"\n' + toml({"memory_gb": gb}, day) for gb, day in ((80, OLD), (81, NEW))),
        "fx": "".join(
            '[[EUR]]\npublisher = "Bank"\n' + toml({"effective": day, "per_usd": rate}, day)
            for rate, day in ((0.9, OLD), (0.8, NEW))
        ),
    }
    found = changes(book(tmp_path, **files), OLD, NEW)
    assert told(found) == [
        ("work.hours", "assumption", "", None, "2 (1 to 9) hours", "3 (1 to 9) hours", "corrected"),
        ("acme/new", "open model.billion_parameters", "", None, None, "7", "added"),
        ("big", "gpu.memory_gb", "", None, "80", "81", "corrected"),
        ("EUR", "per_usd", "", NEW, None, "0.8", "added"),
    ]
    assert [change.group for change in found] == ["assumptions", "open models", "gpus", "exchange rates"]


def test_a_change_cites_its_source_and_its_day(tmp_path: Path) -> None:
    [change] = changes(book(tmp_path, block(NEW, input_usd_per_mtok=1)), OLD, None)
    assert (change.source, change.recorded, change.group) == ("https://acme.example/2026-06-01", NEW, "acme")


def test_one_provider(tmp_path: Path) -> None:
    made = book(tmp_path, block(NEW, input_usd_per_mtok=1))
    assert len(changes(made, OLD, NEW, "acme")) == 1
    with pytest.raises(UnknownOffer, match="Did you mean acme"):
        changes(made, OLD, NEW, "acne")


def test_fitted_coefficients_are_told_one_by_one() -> None:
    bundled = PriceBook.bundled()
    found = changes(bundled, OLD, None)  # before the book begins
    told = {(change.offer, change.fact): change.new for change in found if change.offer.startswith("coefficients.")}
    for name, [*_, fit] in bundled.fits.items():
        for coefficient in fit.coefficient:
            assert told[f"coefficients.{name}", f"assumption.{coefficient}"] == f"{fit.value(coefficient):.6g}"
