"""Fitted coefficients are dated records of the book: pinned, released and checked like all others."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pytest

from pricing import BadTable, PriceBook, PriceMissing, releases
from pricing.check import check_book

BUNDLED = Path(releases.__file__).parent
TODAY = date(2026, 11, 21)
FILE = """
[[speed]]
recorded = 2026-11-20
rows = 10
groups = 5
sources = 2
degrees_of_freedom = 1
[speed.residual_scale]
usual = 0.2
[speed.coefficient]
ln_efficiency = { value = -0.5, standard_error = 0.1 }

[[speed]]
recorded = 2026-11-21
rows = 12
groups = 5
sources = 2
degrees_of_freedom = 1
[speed.residual_scale]
usual = 0.1
[speed.coefficient]
ln_efficiency = { value = -0.4, standard_error = 0.1 }
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "tables").mkdir()
    (tmp_path / "assumptions").mkdir()
    for name in ("open_models.toml", "gpus.toml", "fx.toml", "releases.toml"):
        shutil.copy(BUNDLED / name, tmp_path / name)
    (tmp_path / "coefficients").mkdir()
    (tmp_path / "coefficients" / "speed.toml").write_text(FILE, encoding="utf-8")
    return tmp_path


def test_the_last_record_known_counts(folder):
    book = PriceBook(folder)
    assert book.as_of(TODAY).fit("speed").value("ln_efficiency") == -0.4
    assert book.as_of(TODAY, date(2026, 11, 20)).fit("speed").value("ln_efficiency") == -0.5


def test_what_is_not_known_is_said(folder):
    with pytest.raises(PriceMissing, match=r"no coefficients 'sped'.*Did you mean speed"):
        PriceBook(folder).as_of(TODAY).fit("sped")
    with pytest.raises(PriceMissing, match="no coefficients 'speed'"):
        PriceBook(folder).as_of(TODAY, date(2026, 11, 19)).fit("speed")


def test_a_release_covers_the_coefficients(folder):
    before = releases.digest(PriceBook(folder), date(2026, 11, 20)), releases.digest(PriceBook(folder), TODAY)
    path = folder / "coefficients" / "speed.toml"
    path.write_text(FILE.replace("-0.4", "-0.3"), encoding="utf-8")
    after = releases.digest(PriceBook(folder), date(2026, 11, 20)), releases.digest(PriceBook(folder), TODAY)
    assert before[0] == after[0]
    assert before[1] != after[1]


def test_a_mistake_is_named(folder):
    path = folder / "coefficients" / "speed.toml"
    path.write_text(FILE.replace("sources = 2", "sources = 1", 1), encoding="utf-8")
    with pytest.raises(BadTable, match=r"speed.toml, speed.sources"):
        PriceBook(folder).fits  # noqa: B018
    problems = check_book(folder).problems
    assert [(problem.file, problem.line) for problem in problems] == [("speed.toml", 6)]
