"""Reports in JSON, as `tuneworth compare` and `tuneworth report` write them: what was asked, at which prices, and the answer."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, Field, FiniteFloat, ValidationError

from calc.break_even import BreakEven, Interval
from calc.diff import Answer
from calc.export import SCHEMA
from calc.scenario import FAMILIES, Scenario
from ingest.errors import InputError, Problem
from ingest.files import read_text
from ingest.scenario_file import scenario_from
from ingest.validation import problems_of
from pricing import OwnFile, PriceBook, UnknownRelease

SIZE_LIMIT_BYTES = 50_000_000


@dataclass(frozen=True)
class ReportFile:
    """A report that was read back."""

    name: str
    scenario: Scenario
    """As stated, with `price_release` naming the state of the book that the answer rested on."""
    as_of: date
    own_files: tuple[OwnFile, ...]
    """The own prices it rested on, which the report does not hold."""
    answer: Answer
    notes: tuple[str, ...]
    """What of its prices cannot be restored for certain."""


_Day = Annotated[date, Field(ge=date(2020, 1, 1), lt=date(2100, 1, 1))]


class _Interval(BaseModel):
    first: int
    last: int
    winner: str | None


class _BreakEven(BaseModel):
    a: str
    b: str
    intervals: list[_Interval] = Field(min_length=1)
    equal_at: list[FiniteFloat | None]


class _Recorded(BaseModel):
    recorded: _Day


class _Line(BaseModel):
    prices: list[_Recorded] = []
    assumptions: list[_Recorded] = []


class _Approach(BaseModel):
    name: str
    total_usd: FiniteFloat | None
    why_not: list[str]
    lines: list[_Line] = []


class _PriceBook(BaseModel):
    release: str | None
    sha256: str | None
    recorded_through: _Day | None
    has_later_records: bool


class _OwnFile(BaseModel):
    name: str
    sha256: str


class _Asked(BaseModel):
    stated: dict[str, Any]


class _Report(BaseModel):
    tuneworth: str | None
    as_of: _Day
    price_book: _PriceBook
    own_prices: list[_OwnFile]
    winner: str | None
    approaches: list[_Approach]
    break_evens: list[_BreakEven]
    scenario: _Asked


def load_report(path: str | Path, book: PriceBook) -> ReportFile | None:
    """The report in a JSON file; None where the file is none, and may be a scenario.

    Args:
        book: must know the state of the price book that the report rests on.

    Raises:
        InputError: the file cannot be read, is a report of another kind or of a newer version, is not whole, or rests on a
            release that the book does not know.
    """
    name = str(path)
    data = _parsed(read_text(path, SIZE_LIMIT_BYTES), name)
    if not isinstance(data, dict) or ("schema" not in data and not isinstance(data.get("approaches"), list)):
        return None
    _check_schema(data.get("schema"), name)
    try:
        found = _Report.model_validate(data)
    except ValidationError as error:
        problems = problems_of(error, _Report, data, {}, name)
        raise InputError(*problems, Problem(name, "the report is not whole", "", "Write it again, or name another")) from None
    state, notes = _price_state(found, book, name)
    scenario = scenario_from(_composed(found.scenario.stated), {}, f"{name}, scenario.stated")
    return ReportFile(
        name,
        scenario.model_copy(update={"price_release": state}),
        found.as_of,
        tuple(OwnFile(file.name, file.sha256) for file in found.own_prices),
        _answer(found),
        notes,
    )


def _parsed(text: str, name: str) -> Any:
    """The JSON in a text; None where it is meant to be something else."""
    if not name.lower().endswith(".json") and not text.lstrip().startswith("{"):
        return None
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        if not name.lower().endswith(".json"):
            return None
        place = {"line": error.lineno, "column": error.colno}
        raise InputError(Problem(name, f"is not valid JSON: {error.msg}", "", "Write the report again", **place)) from None
    except ValueError:  # of Python itself, of a number with thousands of digits
        wrong = "holds a number with more digits than can be read"
        raise InputError(Problem(name, wrong, "", "Write the report again")) from None
    except RecursionError:
        raise InputError(Problem(name, "is nested too deeply", "Expected a report or a scenario")) from None


def _check_schema(schema: Any, name: str) -> None:
    found = schema if isinstance(schema, dict) else {}
    if found.get("id") != SCHEMA["id"]:
        what = f"is of the kind {found['id']!r:.60}" if "id" in found else "does not say what it is"
        wanted = f"Expected schema.id '{SCHEMA['id']}'"
        raise InputError(Problem(name, what, wanted, "Write it by 'tuneworth compare FILE --format json'", field="schema.id"))
    version = found.get("version")
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise InputError(Problem(name, f"{version!r:.60} is no version", "Expected a whole number", field="schema.version"))
    if version > int(str(SCHEMA["version"])):
        wanted = f"Expected up to {SCHEMA['version']}"
        wrong = f"version {version} was written by a newer tuneworth"
        raise InputError(Problem(name, wrong, wanted, "Bring tuneworth up to date", field="schema.version"))


def _price_state(found: _Report, book: PriceBook, name: str) -> tuple[date | str | None, tuple[str, ...]]:
    """The state of the book that a report rests on, as `Scenario.price_release` names it, and what is uncertain of it."""
    stated = found.price_book
    if stated.has_later_records:
        last = max(_recorded_days(found), default=found.as_of)
        return last, (f"{name}: it rests on records later than release {stated.release} too, and does not say through which day; "
                      f"those through {last}, the last one it uses, are taken.",)  # fmt: skip
    if stated.release is None:
        return stated.recorded_through, ()
    try:
        known = book.release(stated.release)
    except UnknownRelease as error:
        made_by = f"tuneworth {found.tuneworth}" if found.tuneworth else "the tuneworth that wrote it"
        wrong = f"rests on a state of prices that is not in this price book. {error}"
        next_step = f"Install {made_by}, or a later one, or write the report again"
        raise InputError(Problem(name, wrong, "", next_step, field="price_book.release")) from None
    if known.sha256 == stated.sha256:
        return stated.release, ()
    return stated.release, (f"{name}: release {stated.release} of this price book is not the one the report rests on; what that "
                            "makes counts as calculation.",)  # fmt: skip


def _recorded_days(found: _Report) -> list[date]:
    """When the price rows and assumptions of a report's lines were recorded."""
    lines = [line for approach in found.approaches for line in approach.lines]
    return [row.recorded for line in lines for row in (*line.prices, *line.assumptions)]


def _composed(stated: dict[str, Any]) -> dict[str, Any]:
    """The scenario's fields with nothing to add: a report holds every approach in full, and what each one inherits."""
    approaches = stated.get("approaches")
    if not isinstance(approaches, dict):
        return stated
    return stated | {"approaches": {name: None for name in FAMILIES if name not in approaches} | approaches}


def _answer(found: _Report) -> Answer:
    return Answer(
        found.tuneworth,
        {approach.name: approach.total_usd for approach in found.approaches},
        {approach.name: approach.why_not[0] for approach in found.approaches if approach.why_not},
        found.winner,
        tuple(
            BreakEven(b.a, b.b, tuple(Interval(i.first, i.last, i.winner) for i in b.intervals), tuple(b.equal_at))
            for b in found.break_evens
        ),
    )
