"""Every rule of the price book's files: a table that breaks it, and the message with file, line, field and fix."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from pricing.check import check_book
from pricing.locate import line_of, lines_of

HEAD = """\
id = "acme"
name = "Acme"
price_page = "https://acme.example/pricing"

[model."a-1.5"]
name = "A 1.5"
"""

SOURCE = """\
source = "https://acme.example/pricing"
source_date = 2026-11-01
recorded = {recorded}
confidence = "primary"
"""


def block(prices: str, effective: str = "2026-10-01", recorded: str = "2026-11-20", item: str = '"a-1.5"') -> str:
    """A price block of nine lines or more: the header, effective, prices, then the source's four."""
    return f"\n[[model.{item}.price]]\neffective = {effective}\n{prices}\n" + SOURCE.format(recorded=recorded)


def item(name: str, shown: str, more: str = "") -> str:
    return f'\n[model."{name}"]\nname = "{shown}"\n{more}'


INPUT = "input_usd_per_mtok = 2"
AT = 'acme.toml, line 10, model."a-1.5".price.0'
"""The first block's line of its price."""


@pytest.fixture
def checked(tmp_path: Path):
    """The messages about a folder with one table of the given text, and empty lists of facts."""

    def messages(text: str, **others: str) -> list[str]:
        (tmp_path / "tables").mkdir()
        (tmp_path / "assumptions").mkdir()
        for name in ("open_models", "gpus", "fx", "releases"):
            (tmp_path / f"{name}.toml").write_text(others.pop(name, ""), encoding="utf-8")
        (tmp_path / "tables" / "acme.toml").write_text(text, encoding="utf-8")
        for name, other in others.items():
            path = tmp_path / f"{name}.toml".replace("__", "/")
            path.parent.mkdir(exist_ok=True)
            path.write_text(other, encoding="utf-8")
        return list(map(str, check_book(tmp_path).problems))

    return messages


BROKEN = {
    "not TOML": (HEAD + "price = = 1", ["acme.toml, line 7, column 9: is not valid TOML"]),
    "ends too early": (HEAD + 'x = """', ["acme.toml, line 7", "is not valid TOML"]),
    "unknown key": (
        HEAD + block("inptu_usd_per_mtok = 2"),
        [f"{AT}.inptu_usd_per_mtok: there is no such field. Did you mean input_usd_per_mtok"],
    ),
    "unknown key of an item": (HEAD + "alias = []", ['line 7, model."a-1.5".alias: there is no such', "Did you mean aliases?"]),
    "missing source": (
        HEAD + block(INPUT).replace('source = "https://acme.example/pricing"\n', ""),
        ['line 8, model."a-1.5".price.0.source: the field is missing. Add source = "https://…"'],
    ),
    "no price": (HEAD + block(""), ['line 8, model."a-1.5".price.0: a price block needs at least one price key']),
    "negative": (HEAD + block("input_usd_per_mtok = -2"), [f"{AT}.input_usd_per_mtok: input_usd_per_mtok = -2 is negative"]),
    "price as text": (HEAD + block('input_usd_per_mtok = "two"'), [f"{AT}", "'two' does not fit. Expected a number"]),
    "not a date": (
        HEAD + block(INPUT, effective='"autumn"'),
        ["line 9", "effective: 'autumn' does not fit. Expected a date such"],
    ),
    "source without address": (
        HEAD + block(INPUT).replace("https://acme.example/pricing", "their page"),
        ["line 11", "source: 'their page' is neither a web address nor a package's. Expected https://… or pkg:"],
    ),
    "no such confidence": (HEAD + block(INPUT).replace("primary", "sure"), ["line 14", "confidence: 'sure' is not a choice"]),
    "read after recorded": (
        HEAD + block(INPUT, recorded="2026-10-31"),
        ["line 12", "source_date: read on 2026-11-01, after it was recorded on 2026-10-31"],
    ),
    "per thousand": (
        HEAD + block("input_usd_per_mtok = 0.00015"),
        [
            f"{AT}.input_usd_per_mtok: 0.00015 is not plausible in USD per million input tokens. Expected 0, or 0.001 to 1000.",
            "0.00015 looks like a price per thousand input tokens; 0.15 per million input tokens?",
        ],
    ),
    "per token": (
        HEAD + block("output_usd_per_mtok = 0.00000025"),
        ["0.00000025 looks like a price per output token; 0.25 per million output tokens?"],
    ),
    "per billion": (
        HEAD + block("input_usd_per_mtok = 2500"),
        ["2500 looks like a price per billion input tokens; 2.5 per"],
    ),
    "off by a thousand": (
        HEAD + block("gpu_usd_per_hour = 2490"),
        ["Expected 0, or 0.02 to 50. Off by a factor of 1,000? 2.49 would be plausible."],
    ),
    "no slip explains it": (HEAD + block("gpu_usd_per_hour = 51_000"), ["0.02 to 50.", "Check the unit at the source."]),
    "priced twice": (
        HEAD + block(INPUT) + block("input_usd_per_mtok = 3\noutput_usd_per_mtok = 9"),
        ['line 18, model."a-1.5".price.1.input_usd_per_mtok: another price of this key', 'is in model."a-1.5".price.0. Keep one'],
    ),
    "out of order": (
        HEAD + block(INPUT) + block(INPUT, effective="2026-09-01"),
        [
            'line 16, model."a-1.5".price.1: effective 2026-09-01, recorded 2026-11-20, it stands below model."a-1.5".price.0',
            "Move it up",
        ],
    ),
    "nothing to withdraw": (
        HEAD + block(INPUT) + block("withdrawn = true"),
        ['line 18, model."a-1.5".price.1.withdrawn: no block of the same conditions, effective 2026-10-01, was recorded before'],
    ),
    "back to life by its note": (
        HEAD + block(INPUT, effective="2026-01-01") + block('input_usd_per_mtok = 3\nends = 2026-12-01\nnote = "Retired."'),
        ['line 19, model."a-1.5".price.1.ends: input_usd_per_mtok 2 of 2026-01-01 is in force again from 2026-12-01'],
    ),
    "back to life after its end": (
        HEAD
        + block(INPUT, effective="2026-01-01")
        + block("input_usd_per_mtok = 3\nends = 2026-12-01")
        + '\n[[model."a-1.5".lifecycle]]\nevent = "inference_ends"\ndate = 2026-12-01\n'
        + SOURCE.format(recorded="2026-11-20"),
        ["line 19", "is in force again"],
    ),
    "another's alias": (
        HEAD + item("b", "B", 'aliases = ["a-1.5"]\n'),
        ["line 10, model.b.aliases: alias 'a-1.5' is a-1.5's too. Keep it in one place"],
    ),
    "alike ids": (HEAD + item("A_15", "A_15"), ["line 8, model.A_15: 'A_15' is called as 'a-1.5' of a-1.5 but for case"]),
    "alike names": (
        HEAD + item("b", "A-1.5"),
        ["line 8, model.b: 'A-1.5' is called as", "keep one and give it the other id"],
    ),
    "unknown weights": (
        HEAD + 'weights = "acme/a"',
        ['line 7, model."a-1.5".weights: ', "'acme/a' are not in open_models.toml"],
    ),
    "another file's id": (
        HEAD.replace('"acme"', '"akme"'),
        ["line 1, id: its id is 'akme'. Expected 'acme', as the"],
    ),
}


def test_a_block_tells_all_its_mistakes_at_once(checked):
    wrong = "input_usd_per_mtok = -2\noutput_usd_per_mtok = -3\nends = 2026-09-01"
    told = checked(HEAD + block(wrong).replace('confidence = "primary"\n', ""))
    parts = [
        "line 8", "confidence: the field is missing",
        f"{AT}.input_usd_per_mtok: input_usd_per_mtok = -2 is negative",
        'line 11, model."a-1.5".price.0.output_usd_per_mtok: output_usd_per_mtok = -3 is negative',
        "line 12", "ends 2026-09-01 must be later than effective 2026-10-01",
    ]  # fmt: skip
    assert len(told) == 4
    assert [part for part in parts if part not in "\n".join(told)] == []


def test_a_slip_of_the_unit_is_told_beside_an_unknown_field(checked):
    unknown, slip = checked(HEAD + block("other = 1\ninput_usd_per_mtok = 0.00002"))
    assert "there is no such field" in unknown
    assert "0.00002 looks like a price per thousand" in slip


@pytest.mark.parametrize(("text", "parts"), BROKEN.values(), ids=BROKEN)
def test_what_is_wrong_is_told_with_line_field_and_fix(checked, text: str, parts: list[str]) -> None:
    [message] = checked(text)
    assert message.startswith("acme.toml, line ")
    assert [part for part in parts if part not in message] == [], message


FINE = {
    "a correction": HEAD + block(INPUT) + block("input_usd_per_mtok = 3", recorded="2026-11-21"),
    "a withdrawal": HEAD + block(INPUT) + block("withdrawn = true", recorded="2026-11-21"),
    "other conditions": HEAD + block(INPUT) + block(INPUT + '\nservice = "batch"'),
    "other keys of an earlier day": HEAD + block(INPUT) + block("output_usd_per_mtok = 3", effective="2026-09-01"),
    "recorded later than any release": HEAD + block(INPUT, recorded="2027-06-01"),
    "an announced price": HEAD + block(INPUT) + block("input_usd_per_mtok = 3", effective="2027-01-01"),
    "a free price": HEAD + block("input_usd_per_mtok = 0"),
    "a promotion that ends": HEAD
    + block(INPUT, effective="2026-01-01")
    + block('input_usd_per_mtok = 1\nends = 2026-12-01\nnote = "Promotion."'),
    "a variant by its suffix": HEAD + item("a-1.5:free", "A 1.5 free") + item("a-1.5-2026-11-01", "A 1.5 of November"),
    "alike ids named apart": HEAD + item("A_15", "A 15, the second"),
    "an alias in other letters": HEAD + 'aliases = ["A_15", "a-15"]',
}


@pytest.mark.parametrize("text", FINE.values(), ids=FINE)
def test_what_is_right_is_not_reported(checked, text: str) -> None:
    assert checked(text) == []


def test_every_file_is_read_and_each_problem_told(checked) -> None:
    two = HEAD + block("input_usd_per_mtok = 0.00015") + block("output_usd_per_mtok = 0.00015")
    assumption = "low = 1\nlikely = 3\nhigh = 2\nunit = 'days'\nbasis = 'b'\nrecorded = 2026-11-20\n"
    facts = "name = 'N'\nmemory_gb = 0\n" + SOURCE.format(recorded="2026-11-20")
    rates = "effective = 2026-11-20\nper_usd = 2\npublisher = 'P'\n" + SOURCE.format(recorded="2026-11-20")
    found = checked(
        two,
        assumptions__time="[days]\n" + assumption + "[[weeks]]\n" + assumption.replace("3", "2") + "[[weeks]]\n" + assumption,
        gpus="[x]\n" + facts,
        open_models="[x",
        fx=f"[[EUR]]\n{rates}[[EUR]]\n{rates}",
    )
    starts = [message.partition(": ")[0] for message in found]
    assert starts == [
        'acme.toml, line 10, model."a-1.5".price.0.input_usd_per_mtok',
        'acme.toml, line 18, model."a-1.5".price.1.output_usd_per_mtok',
        "time.toml, line 2, days.low",
        "time.toml, line 16, weeks.1.low",
        "open_models.toml, line 1",
        "gpus.toml, line 3, x.memory_gb",
        "fx.toml, line 9, EUR.1",
    ]


def test_a_currency_nobody_knows(checked) -> None:
    assert "fx.toml, line 1, EUX: there is no such currency. Did you mean EUR" in checked(HEAD, fx="[[EUX]]\n")[-1]


NASTY = '''\
# [[model."x".price]] in a comment
id = "a"  # [not]
"quoted.key".inner = 1

[model."gpt-4.1"]  # head
name = """
[[model."gpt-4.1".price]]
x = 1 "" \\""" still text"""
aliases = [  # [x]
  "a]", 'b#',
]
[[ model . 'gpt-4.1' . price ]]
input_usd_per_mtok = 1
source = 'x = "[["'

[[model."gpt-4.1".price]]
a.b."c d" = { e = 1, f = "}" }
[model."gpt-4.1".price.below]
z=1
[model."\\u0061"]
n = \'\'\'
y = 1
\'\'\'
last=1'''


@pytest.mark.parametrize(
    ("place", "line"),
    [
        (("id",), 2),
        (("quoted.key", "inner"), 3),
        (("model",), 5),
        (("model", "gpt-4.1", "name"), 6),
        (("model", "gpt-4.1", "aliases"), 9),
        (("model", "gpt-4.1", "aliases", 1), 9),
        (("model", "gpt-4.1", "price", 0), 12),
        (("model", "gpt-4.1", "price", 0, "input_usd_per_mtok"), 13),
        (("model", "gpt-4.1", "price", 0, "not_there"), 12),
        (("model", "gpt-4.1", "price", 1), 16),
        (("model", "gpt-4.1", "price", 1, "a", "b", "c d"), 17),
        (("model", "gpt-4.1", "price", 1, "a", "b", "c d", "f"), 17),
        (("model", "gpt-4.1", "price", 1, "below", "z"), 19),
        (("model", "a"), 20),
        (("model", "a", "last"), 24),
        (("nowhere",), None),
    ],
)
def test_where_a_file_states_what(place, line) -> None:
    assert tomllib.loads(NASTY)["model"]["a"]["last"] == 1
    assert line_of(place, lines_of(NASTY)) == line
