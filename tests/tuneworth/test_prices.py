"""``tuneworth prices``: citing a price, and holding the tables to their rules."""

from __future__ import annotations

import json
import re
import shutil
from datetime import date
from importlib.resources import files

import pytest

import pricing
from pricing import PriceBook
from pricing.check import check_book


def rows(ran) -> list[dict]:
    assert ran.code == 0, ran.err
    return json.loads(ran.out)


def test_a_price_is_shown_with_what_it_takes_to_cite_it(tuneworth):
    shown = rows(tuneworth("prices", "show", "openai/gpt-4.1-mini", "--as-of", "2026-11-20", "--format", "json"))
    [training] = [row for row in shown if row["key"] == "training_usd_per_mtok" and row["conditions"] == "sft"]
    price = PriceBook.bundled().as_of(date(2026, 11, 20)).price("openai/gpt-4.1-mini", "training_usd_per_mtok", method="sft")
    assert training["value"] == price.value
    assert (training["unit"], training["source"]) == (price.unit, price.source)
    assert training["source_date"] == price.source_date.isoformat()
    assert (training["effective"], training["effective_is"]) == (price.effective.isoformat(), price.effective_is)
    assert all(re.fullmatch("[a-z_]+", key) for key in training)


def test_a_price_that_was_seen_has_a_day_for_programs_and_a_word_for_people(tuneworth):
    asked = ("prices", "show", "mistral/codestral", "--as-of", "2026-11-20")
    seen = next(row for row in rows(tuneworth(*asked, "--format", "json")) if row["key"] == "cache_read_usd_per_mtok")
    assert (seen["effective"], seen["effective_is"]) == ("2026-11-01", "seen")
    assert "seen 2026-11-01" in tuneworth(*asked).out
    assert "source date" in tuneworth(*asked).out


def test_no_price_is_shown_twice(tuneworth):
    shown = rows(tuneworth("prices", "show", "openai", "--as-of", "2026-11-20", "--format", "json"))
    keys = [(row["offer"], row["key"], row["conditions"]) for row in shown]
    assert len(keys) == len(set(keys))
    assert {row["offer"].split("/")[0] for row in shown} == {"openai"}


def test_part_of_a_name_finds_offers(tuneworth):
    offers = {row["offer"] for row in rows(tuneworth("prices", "show", "GPT-4.1", "--format", "json", "--as-of", "2026-11-20"))}
    assert {"openai/gpt-4.1", "openai/gpt-4.1-mini"} <= offers


def test_an_alias_finds_its_model(tuneworth):
    ran = tuneworth("prices", "show", "openai/gpt-4.1-mini-2025-04-14", "--as-of", "2026-11-20")
    assert "openai/gpt-4.1-mini " in ran.out


def test_the_day_decides(tuneworth):
    ran = tuneworth("prices", "show", "openai/gpt-4.1-mini", "--as-of", "2020-01-01")
    assert ran.code == 1
    assert "is in force on 2020-01-01" in ran.err


def test_prices_of_a_retired_model_are_not_in_force(tuneworth):
    shown = {
        day: {row["key"] for row in rows(tuneworth("prices", "show", "openai/gpt-4.1-mini", "--as-of", day, "--format", "json"))}
        for day in ("2027-01-05", "2027-01-06")
    }
    assert {"input_usd_per_mtok", "training_usd_per_mtok"} <= shown["2027-01-05"]
    assert not [key for key in shown["2027-01-06"] if key.startswith("training")]
    assert "input_usd_per_mtok" in shown["2027-01-06"]
    ended = tuneworth("prices", "show", "openai/gpt-4.1-mini", "--as-of", "2099-01-01")
    assert (ended.code, ended.out) == (1, "")
    assert "2027-01-14: inference ends, successor openai/gpt-6-luna" in ended.err


def test_a_retired_model_without_a_price_tells_when_it_ended(tuneworth):
    ran = tuneworth("prices", "show", "gemini-api/text-embedding-004", "--as-of", "2026-11-21")
    assert ran.code == 1
    assert "2026-01-14: inference ends, successor gemini-api/gemini-embedding-2" in ran.err


def test_mistakes_end_in_a_message(tuneworth):
    unknown = tuneworth("prices", "show", "openai/gpt-4.1-mni")
    assert unknown.code == 1
    assert "Did you mean openai/gpt-4.1-mini" in unknown.err
    assert tuneworth("prices", "show", "openai", "--as-of", "yesterday").code == 2


def test_the_bundled_book_is_in_order(tuneworth):
    ran = tuneworth("prices", "check")
    assert (ran.code, ran.err) == (0, "")


@pytest.fixture
def book(tmp_path):
    """A copy of the bundled book's folder that a test may break."""
    folder = tmp_path / "pricing"
    shutil.copytree(str(files(pricing)), folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    return folder


def problems_after(folder, old: str, new: str, name: str = "tables/openai.toml") -> str:
    path = folder / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return "\n".join(map(str, check_book(folder).problems))


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("training_usd_per_mtok", "trainng_usd_per_mtok", "trainng_usd_per_mtok: there is no such field"),
        ("training_usd_per_mtok = ", "training_usd_per_mtok = 0.0000", "is not plausible in USD per million training tokens"),
        ("training_usd_per_mtok = ", "training_usd_per_mtok = -", "is negative; a price is zero or more"),
        ('id = "openai"', 'id = "open-ai"', "Expected 'openai', as the file is called"),
        ("[billing]", "[biling]", "biling: there is no such field. Did you mean billing?"),
        ("[billing]", "[billing", "is not valid TOML"),
        ('confidence = "transcribed"', 'confidence = "sure"', "'sure' is not a choice"),
        ('"gpt-4o-2024-11-20"', '"gpt-4o-2024-11-20", "gpt-4o-mini"', "alias 'gpt-4o-mini' is gpt-4o-mini's too"),
        (
            'aliases = ["gpt-4o-2024',
            'weights = "meta/nothing"\naliases = ["gpt-4o-2024',
            "weights 'meta/nothing' are not in open_mo",
        ),
    ],
)
def test_check_names_the_file_the_field_and_the_remedy(book, old, new, told):
    found = problems_after(book, old, new)
    assert told in found
    assert found.startswith("openai.toml")


def test_check_reports_every_file(book):
    for name in ("tables/openai.toml", "gpus.toml"):
        (book / name).write_text("[")
    assert {problem.file for problem in check_book(book).problems} == {"openai.toml", "gpus.toml"}


@pytest.mark.parametrize("name", ["gpus.toml", "open_models.toml", "fx.toml", "releases.toml"])
def test_a_missing_file_is_told(book, name):
    (book / name).unlink()
    assert f"{name}: the file is missing" in "\n".join(map(str, check_book(book).problems))


def test_a_missing_folder_is_told(book):
    shutil.rmtree(book / "assumptions")
    assert "assumptions: the folder is missing" in "\n".join(map(str, check_book(book).problems))


def test_what_is_no_file_is_told_and_the_rest_checked(book):
    tables = book / "tables"
    (tables / "x.toml").mkdir()
    (tables / "y.toml").symlink_to(tables / "z.toml")
    (tables / "z.toml").symlink_to(tables / "y.toml")
    (book / "gpus.toml").write_text("[")
    problems = check_book(book).problems
    assert {problem.file for problem in problems} == {"x.toml", "y.toml", "z.toml", "gpus.toml"}
    assert len(problems) == 4


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (f"x = 1\n\ny = {'9' * 5000}\n", "gpus.toml, line 3: holds a number with too many digits"),
        (f"x = 1\n[{'.'.join('a' * 3000)}]\n", "gpus.toml, line 2: is nested too deeply"),
    ],
)
def test_what_python_cannot_hold_is_told_with_its_line(book, text, told):
    (book / "gpus.toml").write_text(text, encoding="utf-8")
    assert told in "\n".join(map(str, check_book(book).problems))


def test_check_prints_the_problems_of_ones_own_folder_by_file(tuneworth, book):
    (book / "gpus.toml").write_text("[")
    table = book / "tables" / "deepseek.toml"
    table.write_text(table.read_text(encoding="utf-8").replace("recorded", "recorde", 2), encoding="utf-8")
    ran = tuneworth("prices", "check", "--folder", str(book))
    lines = ran.err.splitlines()
    assert (ran.code, ran.out) == (1, "")
    assert lines[0] == "deepseek.toml"
    assert all(line.startswith("  line ") for line in lines[1:5])
    assert lines[5] == "gpus.toml"
    assert lines[-1].startswith("5 problems in 2 files of ")


def test_check_of_a_folder_that_is_no_book(tuneworth, tmp_path):
    ran = tuneworth("prices", "check", "--folder", str(tmp_path))
    assert ran.code == 1
    assert "has no folder 'tables'" in ran.err


def test_schemas_are_written_where_asked(tuneworth, tmp_path):
    ran = tuneworth("prices", "schema", str(tmp_path))
    assert ran.code == 0
    assert sorted(ran.out.splitlines()) == sorted(map(str, tmp_path.iterdir()))
    assert "input_usd_per_mtok" in (tmp_path / "price-table.schema.json").read_text(encoding="utf-8")
    assert tuneworth("prices", "schema", str(tmp_path / "nowhere")).code == 1
