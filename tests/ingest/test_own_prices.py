"""Files of own prices: what they may leave out, and every way they can be wrong."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from calc import compare
from ingest import InputError, load_own_prices, load_scenario
from pricing import PriceBook

ROOT = Path(__file__).resolve().parents[2]
BOOK = PriceBook.bundled()
BLOCK = "effective = 2026-11-01\ninput_usd_per_mtok = 0.1\n"
OFF_NOW = "[[openai.discount]]\neffective = 2026-11-01\npercent = 5\n"
PRIVATE = f'[acme]\nname = "Acme inference"\n[[acme.model.one.price]]\n{BLOCK}'


def problems(text: str | bytes) -> list[str]:
    with pytest.raises(InputError) as refused:
        load_own_prices(text.encode() if isinstance(text, str) else text, "own.toml", BOOK)
    return [str(problem) for problem in refused.value.problems]


def document_example() -> str:
    found = re.search(r"```toml\n(.*?)```", (ROOT / "docs" / "own-prices.md").read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    return found[1]


def test_the_documents_example_loads_and_means_what_it_says():
    own = load_own_prices(document_example().encode(), "acme.toml", BOOK)
    assert own.warnings == ()
    rates = BOOK.with_overrides(own).as_of(date(2026, 12, 1))
    price = rates.price("openai/gpt-6-luna", "input_usd_per_mtok")
    assert (price.value, price.source, price.confidence) == (Decimal("0.08"), "file:acme.toml", "own")
    assert rates.price("acme/summariser", "output_usd_per_mtok").value == Decimal("0.30")
    assert rates.price("anthropic/claude-haiku-4-5", "input_usd_per_mtok").note == "framework agreement, annex 2"
    listed = BOOK.as_of(date(2026, 12, 1)).price("openai/gpt-6.1-terra", "input_usd_per_mtok")
    discounted = rates.price("openai/gpt-6.1-terra", "input_usd_per_mtok")
    assert discounted.value == listed.value * Decimal("0.88")
    assert "12 % negotiated discount" in discounted.conditions
    scenario = load_scenario(ROOT / "examples" / "support_tone.yaml")
    found = compare(scenario, BOOK.with_overrides(own))
    lines = {line.key for line in found.results["prompting"].ledger.lines}
    assert {"agreements.commitment:openai", "agreements.credit:openai"} <= lines


def test_a_file_by_its_path_is_named_without_its_folder(tmp_path):
    path = tmp_path / "my prices.toml"
    path.write_text(PRIVATE, encoding="utf-8")
    own = load_own_prices(path)
    price = BOOK.with_overrides(own).as_of(date(2026, 11, 21)).price("acme/one", "input_usd_per_mtok")
    assert (own.file.name, price.source) == ("my prices.toml", "file:my%20prices.toml")
    assert len(own.file.sha256) == 64


def test_a_pinned_scenario_sees_own_prices():
    rates = BOOK.with_overrides(load_own_prices(PRIVATE.encode(), "own.toml", BOOK)).as_of(date(2026, 11, 21), date(2020, 1, 1))
    assert rates.price("acme/one", "input_usd_per_mtok").value == Decimal("0.1")


def test_a_pinned_scenario_sees_own_prices_of_another_confidence():
    stated = f'{PRIVATE}confidence = "primary"\nrecorded = 2026-11-21\nsource = "https://acme.example/contract"\n'
    rates = BOOK.with_overrides(load_own_prices(stated.encode(), "own.toml", BOOK)).as_of(date(2026, 11, 21), date(2026, 11, 20))
    price = rates.price("acme/one", "input_usd_per_mtok")
    assert (price.value, price.confidence) == (Decimal("0.1"), "primary")


def test_an_own_end_wins_over_the_listed_one():
    ends = date(2026, 10, 1)
    text = f'[[azure-openai.model."gpt-4.1".lifecycle]]\nevent = "inference_ends"\ndate = {ends}\n'
    book = BOOK.with_overrides(load_own_prices(text.encode(), "own.toml", BOOK))
    events = book.as_of(date(2026, 11, 21)).lifecycle("azure-openai/gpt-4.1")
    assert [event.date for event in events if event.event == "inference_ends"] == [ends]


def test_an_own_price_is_own_whatever_source_it_states():
    block = "[[openai.model.gpt-6-luna.price]]\neffective = 2026-11-21\ninput_usd_per_mtok = 0.05\nown = false\n"
    text = block + 'confidence = "primary"\nsource = "https://acme.example/contract"\n[[openai.discount]]\npercent = 50\n'
    book = BOOK.with_overrides(load_own_prices(f"{text}effective = 2026-11-21\n".encode(), "own.toml", BOOK))
    assert book.as_of(date(2026, 11, 21)).price("openai/gpt-6-luna", "input_usd_per_mtok").value == Decimal("0.05")


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("[[openai.discount]\n", ["line 1", "is not valid TOML"]),
        ("a = 1\n\nb =\n", ["line 3", "is not valid TOML"]),
        ("", ["the file is empty"]),
        (b"\xfe\x00\xff", ["is not UTF-8"]),
        ("[openai]".encode("utf-16"), ["is UTF-16 text. Expected UTF-8"]),
        (OFF_NOW + "offers = []\n", ["line 4", "a list does not fit. Expected at least one, or leave the field out"]),
        (OFF_NOW + "keys = []\n", ["line 4", "a list does not fit. Expected at least one, or leave the field out"]),
        ("# nothing\n", ["says nothing"]),
        (b"#" * 1_000_001, ["too large"]),
        ("openai = 3\n", ["line 1", "openai", "[openai]"]),
        ("[[openai]]\n", ["line 1", "[openai]"]),
        ("['Acme Co']\nname = 'Acme'\n", ["line 1", "not a provider's id"]),
        ("x = " + "[" * 3000 + "]" * 3000, ["line 1", "nested too deeply"]),
        (f"[acme]\n[{'.'.join('a' * 3000)}]\n", ["line 2", "nested too deeply"]),
        (f"[acme]\n{'.'.join('a' * 3000)} = 1\n", ["line 2", "nested too deeply"]),
        (f"[[acme.price]]\ninput_usd_per_mtok = {'9' * 5000}\n", ["line 2", "too many digits"]),
        (f"[[acme.price]]\ninput_usd_per_mtok = 1e{'9' * 30}\n", ["line 2", "too many digits"]),
        (f"[[openai.model.gpt-6-luna.price]]\n{BLOCK}output_usd_per_mtok = 1e99999999\n", ["line 4", "1E+99999999"]),
        ("[[openai.model.gpt-6-luna.price]]\neffective = 2026-11-01\ninput_usd_per_mtok = nan\n", ["line 3", "finite"]),
        ("[[openai.discount]]\npercent = 1e-999999999\neffective = 2026-11-01\n", ["line 2", "1E-999999999"]),
        (f"[[openai.model.gpt-6-luna.price]]\n{BLOCK}outptu_usd_per_mtok = 3\n", ["line 4", "Did you mean output_usd_per_mtok"]),
        ("[[openai.model.gpt-6-luna.price]]\neffective = 2026-11-01\ninput_usd_per_mtok = -1\n", ["line 3", "-1 is negative"]),
        (
            "[[openai.model.gpt-6-luna.price]]\neffective = 2026-11-01\ninput_usd_per_mtok = 0.00008\n",
            ["line 3", "0.00008 looks like a price per thousand", "0.08 per million"],
        ),
        ("[[openai.model.gpt-6-luna.price]]\ninput_usd_per_mtok = 1\n", ["line 1", "effective", "missing"]),
        (f"[[openai.model.gpt-9.price]]\n{BLOCK}[openai.model.gpt-9x]\n", ["line 4", "'gpt-9x'", "has no price here"]),
        (f"[[opnai.model.x.price]]\n{BLOCK}", ["line 1", "no provider 'opnai'", "Did you mean openai?", "name ="]),
        ('[acme]\nname = "Acme"\n', ["line 1", "sells nothing"]),
        (f"[[openai.model.gpt-4.1-mini.price]]\n{BLOCK}", ["line 1", '[openai.model."gpt-4.1-mini"]']),
        ("[[openai.discount]]\npercent = 101\neffective = 2026-11-01\n", ["line 2", "percent", "100"]),
        ("[[openai.discount]]\npercent = 0\neffective = 2026-11-01\n", ["line 2", "percent", "0"]),
        ("[openai.discount]\npercent = 5\neffective = 2026-11-01\n", ["line 1", "[[openai.discount]]"]),
        ("[[openai.discount]]\npercent = 5\neffective = 2026-11-01\nends = 2026-11-01\n", ["line 4", "later than effective"]),
        ("[[openai.discount]]\npercent = 5\neffective = 2026-11-01\nofers = []\n", ["line 4", "Did you mean offers"]),
        ('[[openai.discount]]\npercent = 5\neffective = 2026-11-01\noffers = ["gpt-6-lunar"]\n', ["line 4", "gpt-6-luna"]),
        ('[[openai.discount]]\npercent = 5\neffective = 2026-11-01\nkeys = ["input_usd"]\n', ["line 4", "not a price key"]),
        ("[[openai.commitment]]\nusd_per_month = 0\neffective = 2026-11-01\n", ["line 2", "usd_per_month"]),
        ("[[openai.credit]]\nusd = -5\neffective = 2026-11-01\n", ["line 2", "usd"]),
        (f"[[openai.model.gpt-6-luna.price]]\n{BLOCK}[[openai.model.gpt-6-luna.price]]\n{BLOCK}", ["line 6", "the same price"]),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_line_and_the_fix(text, parts):
    told = "\n".join(problems(text))
    for part in parts:
        assert part in told
    assert told.startswith("own.toml")


@pytest.mark.parametrize("odd", ["\\n", "\\u001b[31m", "\\u202e", "\\u200e", "\\u0000"])
@pytest.mark.parametrize(
    "text",
    [
        PRIVATE.replace("Acme inference", "Acme ODD"),
        PRIVATE.replace("acme.model.one", 'acme.model."one ODD"'),
        f'{PRIVATE}[acme.model.one]\nname = "One ODD"\n',
        f'{PRIVATE}[acme.model.one]\naliases = ["one ODD"]\n',
    ],
)
def test_names_and_ids_are_printable_and_on_one_line(text, odd):
    told = "\n".join(problems(text.replace("ODD", odd)))
    assert "is no name: expected printable letters on one line" in told


def test_a_misspelt_provider_is_told_once_with_its_near_match():
    (told,) = problems("[[opnai.discount]]\npercent = 5\neffective = 2026-11-01\n")
    assert "Did you mean openai?" in told


def test_of_many_fields_eight_are_named():
    (told,) = problems(f"{LUNA}input_usd_per_mtok = 1\nzzzzzz = 1\n")
    assert told.count(", ") < 12
    assert re.search(r"and \d+ more; docs/ describes them all", told)


def test_overlapping_discounts_are_both_named():
    text = """[[openai.discount]]
percent = 12
effective = 2026-11-01
[[openai.discount]]
percent = 5
effective = 2027-01-01
offers = ["gpt-6-luna"]
"""
    (told,) = problems(text)
    assert "line 4" in told
    assert "5 % negotiated discount from 2027-01-01" in told
    assert "openai.discount.0, 12 % negotiated discount from 2026-11-01" in told
    apart = text.replace("effective = 2026-11-01", "effective = 2026-11-01\nends = 2027-01-01")
    assert load_own_prices(apart.encode(), "own.toml", BOOK).file.name == "own.toml"


def test_discounts_of_an_item_and_of_its_alias_overlap():
    table = '[acme]\nname = "Acme"\n[acme.model.one]\naliases = ["uno"]\n[[acme.model.one.price]]\n' + BLOCK
    of = '[[acme.discount]]\npercent = 5\neffective = 2026-11-01\noffers = ["{}"]\n'
    discounts = of.format("one") + of.format("uno")
    assert "overlaps" in problems(table + discounts)[0]


def test_commitments_of_one_time_are_refused():
    one = "[[openai.commitment]]\nusd_per_month = 100\neffective = 2026-11-01\n"
    assert "overlaps" in problems(one + one)[0]


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file():
    told = problems(
        "[[openai.discount]]\npercent = 101\neffective = 2026-11-01\n"
        "[[openai.model.gpt-6-luna.price]]\neffective = 2026-11-01\ninput_usd_per_mtok = -1\n[opnai]\n"
    )
    assert [re.search(r"line (\d+)", line)[1] for line in told] == ["2", "6", "7"]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("[[openai.model.gpt-6-luna.price]]\neffective = 2026-11-01\ninput_usd_per_mtok = -1\nother = 2\n", ["3", "4"]),
        ("[[openai.credit]]\nusd = -5\neffective = 2026-11-01\nends = 2026-10-01\n", ["2", "4"]),
    ],
)
def test_a_block_tells_all_its_mistakes(text, lines):
    assert [re.search(r"line (\d+)", line)[1] for line in problems(text)] == lines


def test_a_private_model_named_almost_like_a_listed_one_is_a_warning():
    own = load_own_prices(f"[[openai.model.gpt-6-lunar.price]]\n{BLOCK}".encode(), "own.toml", BOOK)
    assert len(own.warnings) == 1
    assert "gpt-6-luna" in own.warnings[0]
    assert "line 1" in own.warnings[0]


LUNA = "[[openai.model.gpt-6-luna.price]]\neffective = 2026-11-01\n"
OFF = "[[openai.discount]]\neffective = 2026-11-01\n"


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        (LUNA + "input_usd_per_mtok = 2\n", []),  # 20 times $0.1
        (LUNA + "input_usd_per_mtok = 0.005\n", []),
        (LUNA + "input_usd_per_mtok = 3\n", ["line 3", "3 is 30 times above the listed price, 0.1 USD per million input tokens"]),
        (LUNA + "input_usd_per_mtok = 0.004\n", ["line 3", "0.004 is 25 times below the listed price, 0.1 USD"]),
        (LUNA + 'service = "batch"\ninput_usd_per_mtok = 0.002\n', ["line 4", "25 times below the listed price, 0.05 USD"]),
        (OFF + "percent = 1\n", []),
        (OFF + "percent = 0.12\n", ["line 3", "is 0.12 %. Did you mean 12?"]),
        (OFF + 'percent = 5\nkeys = ["storage_usd_per_gb_month"]\n', ["line 4", "has no effect on storage_usd_per_gb_month"]),
        (
            OFF + 'percent = 5\noffers = ["text-embedding-3-small"]\nkeys = ["output_usd_per_mtok"]\n',
            ["line 5", "has no effect on output_usd_per_mtok"],
        ),
        (PRIVATE + "[[acme.discount]]\npercent = 5\neffective = 2026-11-01\n", ["line 6", "own prices take no discount"]),
        ("[openai]\n", ["line 1", "has no effect: nothing is stated"]),
        ("[openai.model.gpt-6-luna]\n", ["line 1", "has no effect: nothing is stated"]),
    ],
)
def test_what_is_seldom_meant_is_a_warning(text, parts):
    told = load_own_prices(text.encode(), "own.toml", BOOK).warnings
    assert len(told) == bool(parts), told
    assert [part for part in parts if part not in told[0]] == []


def test_folders_and_missing_files_are_told(tmp_path):
    for path in (tmp_path, tmp_path / "none.toml"):
        with pytest.raises(InputError, match=r"is a folder|no such file"):
            load_own_prices(path)


def test_devices_and_loops_are_told_for_what_they_are(tmp_path):
    loop = tmp_path / "loop.toml"
    loop.symlink_to(loop)
    wide = tmp_path / "wide.toml"
    wide.write_text("[openai]", encoding="utf-16")
    for path, told in ((Path("/dev/null"), "is no regular file"), (loop, "leads back to itself"), (wide, "is UTF-16 text")):
        with pytest.raises(InputError, match=told):
            load_own_prices(path)


def test_own_rules_win_over_listed_ones_and_may_leave_their_source_out():
    text = '[openai.model.gpt-6-luna.cache]\nmode = "implicit"\nminimum_tokens = 7\nttl_seconds = 60\n'
    rules = BOOK.with_overrides(load_own_prices(text.encode(), "own.toml", BOOK)).as_of(date(2026, 11, 21))
    assert rules.cache_rules("openai/gpt-6-luna").minimum_tokens == 7
    private = f"{PRIVATE}[acme.model.one.cache]\nmode = 'implicit'\nminimum_tokens = 7\nttl_seconds = 60\n"
    rules = BOOK.with_overrides(load_own_prices(private.encode(), "own.toml", BOOK)).as_of(date(2026, 11, 21))
    assert rules.cache_rules("acme/one").ttl_seconds == 60
