"""The two dates of a fact: what a state of the book knows, and the releases that name and prove one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from pricing import PriceBook, PriceMissing, PricingError, UnknownOffer, UnknownRelease, releases

DAY = date(2026, 11, 20)
FIRST, SECOND, LAST = date(2026, 1, 1), date(2026, 6, 1), date(2026, 9, 1)
SOURCED = 'source = "https://acme.example/"\nsource_date = 2026-01-01\nconfidence = "primary"\n'

ACME = f"""
name = "Acme"
price_page = "https://acme.example/"
[cache]
mode = "explicit"
minimum_tokens = 1024
ttl_seconds = 300
recorded = 2026-01-01
{SOURCED}
[[model.base.billing]]
default_epochs = 3
recorded = 2026-01-01
{SOURCED}
[[model.base.billing]]
default_epochs = 4
recorded = 2026-06-01
{SOURCED}
[model.base]
name = "Base"
aliases = ["base-1"]
weights = "acme/base-7b"
context_tokens = 8000
[[model.base.price]]
effective = 2026-01-01
input_usd_per_mtok = 0.5
recorded = 2026-01-01
note = "As listed."
{SOURCED}
[[model.base.lifecycle]]
event = "inference_ends"
date = 2027-06-01
recorded = 2026-01-01
{SOURCED}
[[band]]
up_to_billion_parameters = 10
[[band.price]]
effective = 2026-01-01
training_usd_per_mtok = 2
recorded = 2026-01-01
{SOURCED}
[store.shelf]
name = "Shelf"
[[store.shelf.store]]
kind = "serverless units"
read_units_per_gb = 1
recorded = 2026-06-01
{SOURCED}
"""
HOURS = """
[[hours]]
low = 1
likely = {first}
high = 9
unit = "hours"
basis = "The authors' assumption."
recorded = 2026-01-01
[[hours]]
low = 1
likely = 3
high = 9
unit = "hours"
basis = "The authors' assumption."
recorded = 2026-06-01
[[hours]]
low = 1
likely = 4
high = 9
unit = "hours"
basis = "The authors' assumption, mended the same day."
recorded = 2026-06-01
[late]
low = 1
likely = 1
high = 1
unit = "hours"
basis = "The authors' assumption."
recorded = 2026-06-01
"""
FILES = {
    "tables/acme.toml": ACME,
    "assumptions/work.toml": HOURS.format(first=2),
    "open_models.toml": f'["acme/base-7b"]\nname = "Base 7B"\nbillion_parameters = 7\nrecorded = 2026-01-01\n{SOURCED}'
    f'["acme/new"]\nname = "New"\nbillion_parameters = 1\nrecorded = 2026-06-01\n{SOURCED}',
    "gpus.toml": f'[[big]]\nname = "Big"\nmemory_gb = 80\nrecorded = 2026-01-01\n{SOURCED}'
    f'[[big]]\nname = "Big"\nmemory_gb = 81\nrecorded = 2026-06-01\n{SOURCED}',
    "fx.toml": f'[[EUR]]\neffective = 2026-01-01\nper_usd = 0.9\npublisher = "Bank"\nrecorded = 2026-01-01\n{SOURCED}',
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def edited(folder: Path, name: str, old: str, new: str) -> PriceBook:
    """The book after a slip of the pen, or a change that does not matter."""
    text = (folder / name).read_text(encoding="utf-8")
    assert old in text
    (folder / name).write_text(text.replace(old, new, 1), encoding="utf-8")
    return PriceBook(folder)


def appended(folder: Path, text: str, name: str = "tables/acme.toml") -> PriceBook:
    with (folder / name).open("a", encoding="utf-8") as file:
        file.write(text)
    return PriceBook(folder)


# --- what a state knows ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("through", "hours", "epochs", "memory_gb"),
    [(FIRST, 2, 3, 80), (date(2026, 5, 31), 2, 3, 80), (SECOND, 4, 4, 81), (None, 4, 4, 81)],
)
def test_the_last_record_that_a_state_knows_counts(
    folder: Path, through: date | None, hours: float, epochs: int, memory_gb: float
) -> None:
    rates = PriceBook(folder).as_of(DAY, through)
    assert rates.assumption("work.hours").likely == hours
    billing = rates.billing_rules("acme/base")
    assert billing is not None
    assert billing.default_epochs == epochs
    assert rates.gpu("big").memory_gb == memory_gb


def test_a_fact_recorded_later_is_an_error_never_its_newer_value(folder: Path) -> None:
    rates = PriceBook(folder).as_of(DAY, FIRST)
    with pytest.raises(PriceMissing, match="as recorded through 2026-01-01"):
        rates.assumption("work.late")
    with pytest.raises(UnknownOffer, match="as recorded through 2026-01-01"):
        rates.open_model("acme/new")
    with pytest.raises(UnknownOffer, match="as recorded through 2025-12-31"):
        PriceBook(folder).as_of(DAY, date(2025, 12, 31)).gpu("big")
    with pytest.raises(PriceMissing, match="as recorded through 2025-12-31"):
        PriceBook(folder).as_of(DAY, date(2025, 12, 31)).price("acme/shelf", "storage_usd_per_gb_month")


def test_rules_are_absent_before_they_were_recorded(folder: Path) -> None:
    book = PriceBook(folder)
    assert book.as_of(DAY, FIRST).store_rules("acme/shelf") is None
    assert book.as_of(DAY, SECOND).store_rules("acme/shelf") is not None
    assert book.as_of(DAY, date(2025, 12, 31)).cache_rules("acme/base") is None
    assert book.as_of(DAY, FIRST).cache_rules("acme/base") is not None


def test_a_context_tier_or_hours_recorded_later_do_not_touch_an_earlier_state(folder: Path) -> None:
    block = "\n[[model.base.price]]\neffective = 2026-01-01\ninput_usd_per_mtok = 9\nrecorded = 2026-06-01\n" + SOURCED
    book = appended(folder, f"{block}context_above_tokens = 1000{block}" + 'hours_utc = ["01:00-02:00"]\n')
    early, late = book.as_of(DAY, FIRST), book.as_of(DAY)
    assert early.price("acme/base", "input_usd_per_mtok", context_tokens=2000).usd == 0.5
    assert late.price("acme/base", "input_usd_per_mtok", context_tokens=2000).usd == 9
    assert (early.context_tiers("acme/base"), late.context_tiers("acme/base")) == ((), (1000,))
    assert not early.peak_half_hours("acme/base")
    assert late.peak_half_hours("acme/base")


# --- digest ---------------------------------------------------------------------------------------------------------------

ALTERATIONS = [
    ("tables/acme.toml", "input_usd_per_mtok = 0.5", "input_usd_per_mtok = 0.51"),
    ("tables/acme.toml", "As listed.", "As stated."),
    ("tables/acme.toml", "training_usd_per_mtok = 2", "training_usd_per_mtok = 3"),
    ("tables/acme.toml", "up_to_billion_parameters = 10", "up_to_billion_parameters = 11"),
    ("tables/acme.toml", "date = 2027-06-01", "date = 2027-07-01"),
    ("tables/acme.toml", "ttl_seconds = 300", "ttl_seconds = 301"),
    ("tables/acme.toml", "default_epochs = 3", "default_epochs = 2"),
    ("tables/acme.toml", "context_tokens = 8000", "context_tokens = 8001"),
    ("tables/acme.toml", 'weights = "acme/base-7b"\n', ""),
    ("assumptions/work.toml", "likely = 2", "likely = 2.5"),
    ("open_models.toml", "billion_parameters = 7", "billion_parameters = 8"),
    ("gpus.toml", "memory_gb = 80", "memory_gb = 79"),
    ("fx.toml", "per_usd = 0.9", "per_usd = 0.91"),
]
INDIFFERENT = [
    ("tables/acme.toml", 'name = "Acme"', 'name = "Acme Inc."\n# a comment'),
    ("tables/acme.toml", 'aliases = ["base-1"]', 'aliases = ["base-2"]'),
    ("tables/acme.toml", "input_usd_per_mtok = 0.5\n", "input_usd_per_mtok = 0.500\n"),
    ("tables/acme.toml", "default_epochs = 3", "default_epochs = 3\nvalidation_tokens_billed = false"),
    ("tables/acme.toml", "default_epochs = 4", "default_epochs = 5"),  # recorded later
    ("assumptions/work.toml", "likely = 3", "likely = 5"),  # recorded later
]


@pytest.mark.parametrize(("name", "old", "new"), ALTERATIONS)
def test_altering_what_is_recorded_changes_the_digest(folder: Path, name: str, old: str, new: str) -> None:
    before = releases.digest(PriceBook(folder), FIRST)
    assert releases.digest(edited(folder, name, old, new), FIRST) != before


@pytest.mark.parametrize(("name", "old", "new"), INDIFFERENT)
def test_what_cannot_change_a_result_leaves_the_digest(folder: Path, name: str, old: str, new: str) -> None:
    before = releases.digest(PriceBook(folder), FIRST)
    assert releases.digest(edited(folder, name, old, new), FIRST) == before


def test_later_records_leave_an_earlier_digest_and_change_their_own(folder: Path) -> None:
    book = PriceBook(folder)
    early, late = releases.digest(book, SECOND), releases.digest(book, LAST)
    assert early == late
    item = '\n[model.other]\nname = "Other"\ncontext_tokens = 5\n'
    block = "\neffective = 2026-01-01\ninput_usd_per_mtok = 1\nrecorded = 2026-09-01\n" + SOURCED
    book = appended(folder, f"{item}[[model.other.price]]{block}[[model.base.price]]{block}")
    assert releases.digest(book, SECOND) == early
    assert releases.digest(book, LAST) != late


# --- releases -------------------------------------------------------------------------------------------------------------


def test_a_release_is_cut_once_found_by_name_and_proves_the_book(folder: Path) -> None:
    assert PriceBook(folder).releases == ()
    made = releases.cut(PriceBook(folder), "2026.1.1", FIRST)
    releases.cut(PriceBook(folder), "2026.6.1", SECOND)
    book = PriceBook(folder)
    assert [entry.name for entry in book.releases] == ["2026.1.1", "2026.6.1"]
    assert book.release("2026.1.1") == made
    assert book.as_of(DAY, "2026.1.1") is book.as_of(DAY, FIRST)
    assert all(releases.is_unchanged(book, entry) for entry in book.releases)
    altered = edited(folder, "tables/acme.toml", "default_epochs = 4", "default_epochs = 5")
    assert [releases.is_unchanged(altered, entry) for entry in book.releases] == [True, False]


@pytest.mark.parametrize(
    ("ask", "told"),
    [
        (lambda book: releases.cut(book, "2026.1.1", SECOND), "There is a release '2026.1.1' already"),
        (lambda book: releases.cut(book, "new", SECOND), r"'new' is no name of a release .* dots: 2026\.6\.1, or 2026\.6\.1\.1"),
        (lambda book: releases.cut(book, "2026.6.2", SECOND), "'2026.6.2' is no name of a release of .* through 2026-06-01"),
        (lambda book: releases.cut(book, "2026.13.1", SECOND), "'2026.13.1' is no name of a release"),
        (lambda book: book.as_of(DAY, "2026.1.2"), "no price release '2026.1.2'. Did you mean 2026.1.1"),
    ],
)
def test_a_wrong_name_is_told(folder: Path, ask: Callable[[PriceBook], object], told: str) -> None:
    releases.cut(PriceBook(folder), "2026.1.1", FIRST)
    text = (folder / "releases.toml").read_text(encoding="utf-8")
    with pytest.raises(PricingError, match=told):
        ask(PriceBook(folder))
    assert (folder / "releases.toml").read_text(encoding="utf-8") == text


def test_a_day_before_the_book_is_no_state_of_it(folder: Path) -> None:
    assert releases.last_day(PriceBook(folder), FIRST) == FIRST
    with pytest.raises(UnknownRelease, match=r"begins on 2026-01-01: .* through 1999-01-01\. State a day from then on"):
        releases.last_day(PriceBook(folder), date(1999, 1, 1))
    releases.cut(PriceBook(folder), "2026.6.1", SECOND)
    with pytest.raises(UnknownRelease, match=r"begins on 2026-01-01: .* The first release is 2026\.6\.1\."):
        releases.last_day(PriceBook(folder), date(1999, 1, 1))
    assert releases.last_day(PriceBook(folder), "2026.6.1") == SECOND
    assert releases.last_day(PriceBook(folder), None) is None


def test_what_an_answer_rests_on(folder: Path) -> None:
    releases.cut(PriceBook(folder), "2026.1.1", FIRST)
    releases.cut(PriceBook(folder), "2026.6.1", SECOND)
    book = PriceBook(folder)

    def basis(state: date | str | None, offer: str = "acme/base", assumption: str = "work.hours") -> tuple[str | None, bool]:
        found = releases.basis(book, state, [offer], [assumption])
        return found.release and found.release.name, found.has_later

    assert basis(None) == ("2026.6.1", False)
    assert basis("2026.1.1") == ("2026.1.1", False)
    assert basis(FIRST) == (None, False)
    with pytest.raises(UnknownRelease):
        basis("2026.3.3")
    block = "\n[[model.base.price]]\neffective = 2026-01-01\ninput_usd_per_mtok = 1\nrecorded = 2026-09-01\n" + SOURCED
    book = appended(folder, block)
    assert basis(None) == ("2026.6.1", True)
    assert basis(None, offer="nobody/base") == ("2026.6.1", False)
    assert basis("2026.6.1") == ("2026.6.1", False)


def test_the_order_of_unlike_blocks_does_not_count(tmp_path):
    def book_of(folder, *blocks):
        (folder / "tables").mkdir(parents=True)
        for name in ("open_models", "gpus", "fx", "releases"):
            (folder / f"{name}.toml").touch()
        cited = 'source = "https://acme.example"\nsource_date = 2026-01-01\nrecorded = 2026-01-01\nconfidence = "primary"\n'
        table = 'name = "Acme"\nprice_page = "https://acme.example"\n[model.m]\nname = "M"\n'
        table += "".join(f"[[model.m.price]]\neffective = 2026-01-01\n{block}\n{cited}" for block in blocks)
        (folder / "tables" / "acme.toml").write_text(table, encoding="utf-8")
        return PriceBook(folder)

    plain, batch, other = "input_usd_per_mtok = 2", 'service = "batch"\ninput_usd_per_mtok = 1', "input_usd_per_mtok = 3"
    one, two = book_of(tmp_path / "1", plain, batch), book_of(tmp_path / "2", batch, plain)
    assert releases.digest(one, date(2026, 2, 1)) == releases.digest(two, date(2026, 2, 1))
    assert releases.digest(one, date(2026, 2, 1)) != releases.digest(book_of(tmp_path / "3", other, batch), date(2026, 2, 1))
