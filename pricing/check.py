"""Holding the price book's files to their rules: all problems of all files at once, each with its line."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel, ValidationError

from pricing.book import PriceBook, block_in_force
from pricing.currency import CURRENCIES, USD
from pricing.keys import PRICE_KEYS
from pricing.locate import line_of, lines_of
from pricing.model import (
    Assumption,
    Fit,
    FxBlock,
    Gpu,
    Item,
    LifecycleEvent,
    OpenModel,
    PriceBlock,
    Provider,
    Release,
    Sourced,
)
from pricing.problems import Place, Problem, expected_type, fields_beside, models_at, nearest, shown, written_place

BUNDLED = Path(__file__).parent

_ITEM_KINDS = tuple(name for name, info in Provider.model_fields.items() if info.annotation == dict[str, Item])
_NOT_CONDITIONS = {*Sourced.model_fields, "effective", "effective_is", "ends", "withdrawn", "prices", "currencies"} - {"own"}
_CONDITIONS = tuple(name for name in PriceBlock.model_fields if name not in _NOT_CONDITIONS)
"""The fields of a block that say when its prices hold; blocks alike in them are one price's history."""

_EXAMPLES = {
    "effective": "2026-11-20",
    "recorded": "2026-11-20",
    "source_date": "2026-11-20",
    "source": '"https://…"',
    "price_page": '"https://…"',
    "confidence": '"primary"',
}
"""How a required field is written, for those who left it out."""

_OVER = re.compile(r"withdr[ae]wn?|retired?|removed|discontinued|no longer|end of sale", re.IGNORECASE)
"""Words of a note that say that an offer is over, not merely a promotion."""


_MOST_LEVELS = 12
"""How deep tables may be nested; the schema's are half as deep."""


@dataclass(frozen=True)
class Checked:
    """What a check found: the problems in the order of files and lines, and how much was read."""

    problems: tuple[Problem, ...]
    files: int
    facts: int
    """Prices, assumptions and other facts in the files that could be read."""


class Finding(NamedTuple):
    """What is wrong at a place of a file."""

    place: Place
    wrong: str
    expected: str = ""
    fix: str = ""


_Findings = Iterator[Finding]


def check_book(folder: Path = BUNDLED) -> Checked:
    """Check every file of a price book's folder, each to its end, whatever is wrong with the others.

    Args:
        folder: laid out like the bundled one.
    """
    open_models = _parsed(folder / "open_models.toml")
    weights = frozenset(open_models if isinstance(open_models, dict) else ())
    checks: list[tuple[Path, Callable[[Any, Path], tuple[list[Finding], int]]]] = [
        *((path, lambda data, path: _provider(data, path, weights)) for path in sorted((folder / "tables").glob("*.toml"))),
        *((path, lambda data, _: _facts(data, Assumption)) for path in sorted((folder / "assumptions").glob("*.toml"))),
        *((path, lambda data, _: _facts(data, Fit)) for path in sorted((folder / "coefficients").glob("*.toml"))),
        (folder / "open_models.toml", lambda data, _: _facts(data, OpenModel)),
        (folder / "gpus.toml", lambda data, _: _facts(data, Gpu)),
        (folder / "fx.toml", lambda data, _: _exchange_rates(data)),
        (folder / "releases.toml", lambda data, _: _facts(data, Release)),
    ]
    problems = [
        Problem(name, "the folder is missing", "", "Restore it from the repository")
        for name in ("tables", "assumptions")
        if not (folder / name).is_dir()
    ]
    facts = 0
    for path, check in checks:
        data = _parsed(path)
        if isinstance(data, Problem):
            problems.append(data)
            continue
        findings, count = check(data, path)
        problems += _located(findings, path)
        facts += count
    return Checked(tuple(problems), len(checks), facts)


def _parsed(path: Path) -> dict[str, Any] | Problem:
    try:
        return parsed_toml(path.read_text(encoding="utf-8"), path.name)
    except FileNotFoundError:
        return Problem(path.name, "the file is missing", "", "Restore it from the repository")
    except OSError as error:
        return Problem(path.name, f"cannot be read: {error.strerror}", "Expected a file", "Move it away or mend it")
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        return Problem(path.name, "is not UTF-8 text", "", "Save it as UTF-8", line=line)


def parsed_toml(text: str, file: str) -> dict[str, Any] | Problem:
    """The tables of a TOML text, numbers with a point as `Decimal`; or what is wrong with it."""
    try:
        data = tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        return _not_toml(error, text, file)
    except RecursionError:
        return _too_deep(text, file)
    except (ValueError, ArithmeticError):  # what TOML allows and Python's numbers do not hold
        long = re.search(r"[0-9][0-9_]{4000}|[eE][+-]?[0-9]{18}", text)
        line = text.count("\n", 0, long.start()) + 1 if long else None
        return Problem(file, "holds a number with too many digits", "Expected at most 15", "Mend that number", line=line)
    return _too_deep(text, file) if _is_deep(data, _MOST_LEVELS) else data


def _is_deep(value: Any, levels: int) -> bool:
    """Whether tables and lists are nested further than some levels."""
    if not isinstance(value, dict | list):
        return False
    return levels == 0 or any(_is_deep(one, levels - 1) for one in (value.values() if isinstance(value, dict) else value))


def _too_deep(text: str, file: str) -> Problem:
    depths = [len(re.findall(r"[.\[{]", line)) for line in text.splitlines()]
    deepest = max(depths)
    line = depths.index(deepest) + 1 if deepest > _MOST_LEVELS else None
    return Problem(file, "is nested too deeply", "Expected a few levels of tables", line=line)


def _not_toml(error: tomllib.TOMLDecodeError, text: str, file: str) -> Problem:
    """What tomllib says of a text, with the line."""
    wrong, _, where = str(error).rpartition(" (at ")
    at = re.match(r"line (\d+), column (\d+)", where)
    line = int(at[1]) if at else text.count("\n") + 1
    return Problem(file, f"is not valid TOML: {wrong}", "", "Mend that line", line=line, column=int(at[2]) if at else None)


def _located(findings: list[Finding], path: Path) -> list[Problem]:
    return located(findings, path.read_text(encoding="utf-8"), path.name) if findings else []


def located(findings: Iterable[Finding], text: str, file: str) -> list[Problem]:
    """Findings with the lines of the text they are about, in their order."""
    lines = lines_of(text)
    problems = [
        Problem(file, f.wrong, f.expected, f.fix, field=_dotted(f.place) or None, line=line_of(f.place, lines)) for f in findings
    ]
    return sorted(problems, key=lambda problem: problem.line or 0)


def _dotted(place: Place) -> str:
    """A place as a header or key of the file writes it, elements by their number."""
    return ".".join(str(part) if re.fullmatch(r"[\w-]+", str(part)) else f'"{part}"' for part in place)


# --- the schema -------------------------------------------------------------------------------------------------------------


def _facts(data: Mapping[str, Any], kind: type[BaseModel]) -> tuple[list[Finding], int]:
    """A file of facts by name, each a table or, where it has a history, an array of them."""
    records = [
        ((name, *number), fields)
        for name, stated in data.items()
        for number, fields in ([((i,), f) for i, f in enumerate(stated)] if isinstance(stated, list) else [((), stated)])
    ]
    return [finding for place, fields in records for finding in _valid(kind, fields, place)[1]], len(records)


def _exchange_rates(data: Mapping[str, Any]) -> tuple[list[Finding], int]:
    findings, count = _facts(data, FxBlock)
    known = CURRENCIES.keys() - {USD}
    findings += (Finding((code,), "there is no such currency", nearest(code, known)) for code in data.keys() - known)
    stated: dict[tuple[Any, ...], int] = {}
    for code, blocks in data.items() if not findings else ():
        for index, block in enumerate(blocks):
            if stated.setdefault((code, block["effective"], block["recorded"]), index) != index:
                findings.append(Finding((code, index), "the rate of that day stands above, too", "", "Keep one"))
    return findings, count


def _valid(kind: type[BaseModel], fields: Any, place: Place = ()) -> tuple[Any, list[Finding]]:
    try:
        return kind.model_validate(fields), []
    except ValidationError as error:
        found: dict[Place, Finding] = {}
        for detail in error.errors(include_url=False):
            finding = _misfit(detail, kind, fields)
            found[finding.place] = finding._replace(place=(*place, *finding.place))  # of a union's branches the last says most
        return None, list(found.values())


def _misfit(detail: Mapping[str, Any], model: type[BaseModel], data: Any) -> Finding:
    place, kind, value = written_place(detail, data), detail["type"], detail["input"]
    field = str(place[-1]) if place else ""
    if kind == "extra_forbidden":
        return Finding(place, "there is no such field", nearest(field, _fields_beside(place, model)))
    if kind == "missing":
        return Finding(place, "the field is missing", "", f"Add {field} = {_EXAMPLES.get(field, '…')}")
    if kind == "string_pattern_mismatch" and field in ("source", "price_page"):
        return Finding(
            place, f"{shown(value)} is neither a web address nor a package's", "Expected https://… or pkg:type/name@version"
        )
    if kind == "literal_error":
        return Finding(place, f"{shown(value)} is not a choice", f"Expected {detail['ctx']['expected']}")
    if kind == "value_error":
        message = detail["msg"].removeprefix("Value error, ")
        priced = detail["loc"][-1] if detail["loc"] else ""
        if priced in PRICE_KEYS and not isinstance(value, dict):
            return Finding(place, f"{priced} = {message}")
        start = message.partition(" ")[0]
        at_key = isinstance(value, dict) and (start in value or start in value.get("prices", ()))
        return Finding((*place, start) if at_key else place, message)
    return Finding(place, f"{shown(value)} does not fit", f"Expected {expected_type(detail)}")


def _fields_beside(place: Place, model: type[BaseModel]) -> Iterable[str]:
    path = tuple(map(str, place))
    fields = {*fields_beside(path, model)}
    return (fields - {"prices", "own"}) | {*PRICE_KEYS} if PriceBlock in models_at(model, path[:-1]) else fields


def misfits(kind: type[BaseModel], fields: Any, place: Place = ()) -> list[Finding]:
    """What of the fields at a place does not fit the schema of a kind."""
    return _valid(kind, fields, place)[1]


# --- own prices -------------------------------------------------------------------------------------------------------------


def own_findings(table: Mapping[str, Any], weights: frozenset[str]) -> list[Finding]:
    """What is wrong with a provider's table of own prices, with what its file may leave out filled in.

    As with the bundled tables, but that blocks may stand in any order and sources may be the file itself.
    """
    provider, findings = _valid(Provider, table)
    if provider is None:
        return [*findings, *_of_blocks_that_fit(table, findings)]
    for kind in _ITEM_KINDS:
        findings += (f for name, item in getattr(provider, kind).items() for f in _weights(kind, name, item, weights))
    findings += _aliases(provider)
    for place, blocks, _ in _histories(provider):
        alike: dict[tuple[Any, ...], list[_Numbered]] = {}
        for index, block in enumerate(blocks):
            numbered = _Numbered((*place, index), block)
            findings += _implausible(numbered)
            alike.setdefault(tuple(getattr(block, name) for name in _CONDITIONS), []).append(numbered)
        findings += (finding for history in alike.values() for finding in _twice(history))
    return findings


def _of_blocks_that_fit(table: Mapping[str, Any], findings: Iterable[Finding]) -> _Findings:
    """Implausible prices beside what does not fit the schema."""
    told = {finding.place for finding in findings}
    return (f for n in _blocks_that_fit(table) for f in _implausible(n) if f.place not in told)


def _blocks_that_fit(table: Mapping[str, Any], place: Place = ()) -> Iterator[_Numbered]:
    for key, value in table.items():
        if key == "price" and isinstance(value, list):
            known = {*PriceBlock.model_fields, *PRICE_KEYS}
            stated = ({k: v for k, v in fields.items() if k in known} if isinstance(fields, dict) else None for fields in value)
            fitting = ((index, _valid(PriceBlock, fields)[0]) for index, fields in enumerate(stated))
            yield from (_Numbered((*place, key, index), block) for index, block in fitting if block is not None)
        elif isinstance(value, Mapping):
            yield from _blocks_that_fit(value, (*place, key))


# --- a provider's table -----------------------------------------------------------------------------------------------------


def _provider(data: Mapping[str, Any], path: Path, weights: frozenset[str]) -> tuple[list[Finding], int]:
    provider, findings = _valid(Provider, {"id": path.stem} | dict(data))
    if provider is None:
        return [*findings, *_of_blocks_that_fit(data, findings)], 0
    if provider.id != path.stem:
        findings.append(Finding(("id",), f"its id is '{provider.id}'", f"Expected '{path.stem}', as the file is called"))
    for kind in _ITEM_KINDS:
        items: dict[str, Item] = getattr(provider, kind)
        findings += _names(kind, items)
        findings += (finding for name, item in items.items() for finding in _weights(kind, name, item, weights))
    findings += _aliases(provider)
    findings += _of_one_customer(provider)
    places = list(_histories(provider))
    findings += (finding for place, blocks, events in places for finding in _history(place, blocks, events))
    return findings, sum(len(block.prices) for _, blocks, _ in places for block in blocks)


def _histories(provider: Provider) -> Iterator[tuple[Place, tuple[PriceBlock, ...], tuple[LifecycleEvent, ...]]]:
    """Every place that holds price blocks, with the events of what they are prices of."""
    yield ("price",), provider.price, provider.lifecycle
    for index, band in enumerate(provider.band):
        yield ("band", index, "price"), band.price, ()
    for kind in _ITEM_KINDS:
        for name, item in getattr(provider, kind).items():
            yield (kind, name, "price"), item.price, item.lifecycle


def _weights(kind: str, name: str, item: Item, known: frozenset[str]) -> _Findings:
    if item.weights is not None and item.weights not in known:
        yield Finding((kind, name, "weights"), f"weights '{item.weights}' are not in open_models.toml", "", "Add them there")


def _aliases(provider: Provider) -> _Findings:
    owners = {name: name for name in provider.items}
    for kind in _ITEM_KINDS:
        for name, item in getattr(provider, kind).items():
            for alias in item.aliases:
                if owners.setdefault(alias, name) != name:
                    yield Finding(
                        (kind, name, "aliases"), f"alias '{alias}' is {owners[alias]}'s too", "", "Keep it in one place"
                    )


def _of_one_customer(provider: Provider) -> _Findings:
    for kind in ("discount", "commitment", "credit"):
        if getattr(provider, kind):
            yield Finding((kind,), "is agreed with one customer", "", "Keep it in a file of own prices (docs/own-prices.md)")
    for place, blocks, _ in _histories(provider):
        for index, block in enumerate(blocks):
            if block.own:
                yield Finding(
                    (*place, index, "own"), "marks a user's own price", "", "Remove it here; a listed price cites its page"
                )


def _names(kind: str, items: Mapping[str, Item]) -> _Findings:
    """Two items that may be one: equal but for case and punctuation; ids and aliases not, where names tell the items apart."""
    owners: dict[str, tuple[str, str]] = {}
    for name, item in items.items():
        for text in dict.fromkeys((name, *item.aliases, item.name)):
            owner, written = owners.setdefault(_bare(text), (name, text))
            other = items[owner]
            if owner == name or text in (owner, *other.aliases):  # an alias given twice is told by `_aliases`
                continue
            if item.name not in (name, text) and other.name not in (owner, written):
                continue
            yield Finding(
                (kind, name),
                f"'{text}' is called as '{written}' of {owner} but for case and punctuation",
                "",
                "If they are one, keep one and give it the other id as an alias; if not, give each a name of its own",
            )
            break


def _bare(text: str) -> str:
    return re.sub(r"[\W_]", "", text.lower().replace("+", "plus"))


# --- a price's history ------------------------------------------------------------------------------------------------------


class _Numbered(NamedTuple):
    """A block and where it stands."""

    place: Place
    block: PriceBlock

    @property
    def day(self) -> tuple[date, date]:
        return (self.block.effective, self.block.recorded)


def _history(place: Place, blocks: tuple[PriceBlock, ...], events: tuple[LifecycleEvent, ...]) -> _Findings:
    alike: dict[tuple[Any, ...], list[_Numbered]] = {}
    for index, block in enumerate(blocks):
        numbered = _Numbered((*place, index), block)
        yield from _read_late(numbered)
        yield from _implausible(numbered)
        alike.setdefault(tuple(getattr(block, name) for name in _CONDITIONS), []).append(numbered)
    for history in alike.values():
        yield from _unsorted(history)
        yield from _twice(history)
        yield from _nothing_withdrawn(history)
        yield from _come_back(history, events)


def _read_late(numbered: _Numbered) -> _Findings:
    block = numbered.block
    if block.source_date > block.recorded:
        yield Finding(
            (*numbered.place, "source_date"),
            f"read on {block.source_date}, after it was recorded on {block.recorded}",
            "Expected the day of reading, at the latest the day of recording",
        )


def _implausible(numbered: _Numbered) -> _Findings:
    for key, listed in numbered.block.prices.items():
        spec, code = PRICE_KEYS[key], numbered.block.currencies.get(key, USD)
        value = listed / _recent_rates().get(code, 1)
        if code != USD and value and not spec.low <= value <= spec.high:
            yield Finding(
                (*numbered.place, _in_currency(key, code)),
                f"{listed:f} {code}, about {value:.3g} USD, is not plausible in {spec.unit}",
                f"Expected 0, or {spec.low:g} to {spec.high:g} USD",
                "Check the unit at the source",
            )
        elif value and not spec.low <= value <= spec.high:
            yield Finding(
                (*numbered.place, key),
                f"{shown(value)} is not plausible in {spec.unit}",
                f"Expected 0, or {spec.low:g} to {spec.high:g}",
                _slip(key, value) or "Check the unit at the source",
            )


@cache
def _recent_rates() -> dict[str, Decimal]:
    """The latest bundled rate of each currency: near enough for bands that catch slips of a thousand."""
    return {code: max(blocks, key=lambda b: b.effective).per_usd for code, blocks in PriceBook.bundled().exchange_rates.items()}


def _in_currency(key: str, code: str) -> str:
    """The key as a block writes it in a currency."""
    return key.replace(f"{USD.lower()}_", f"{code.lower()}_", 1)


def _slip(key: str, value: Decimal) -> str:
    """The slip of the unit that would explain a value outside its band; empty where none does."""
    spec = PRICE_KEYS[key]
    for factor, per in ((1_000, "thousand"), (1_000_000, "one"), (Decimal("0.001"), "billion")):
        meant = value * factor
        if spec.low <= meant <= spec.high:
            unit = spec.unit.partition(" per ")[2]
            if unit.startswith("million "):
                things = unit.removeprefix("million ")
                what = things.replace("tokens", "token") if per == "one" else f"{per} {things}"
                return f"{value:f} looks like a price per {what}; {meant.normalize():f} per {unit}?"
            return f"Off by a factor of {max(factor, 1 / Decimal(factor)):,.0f}? {meant.normalize():f} would be plausible"
    return ""


def _unsorted(history: list[_Numbered]) -> _Findings:
    latest: dict[str, _Numbered] = {}
    for numbered in history:
        above = [latest[key] for key in numbered.block.prices if key in latest and latest[key].day > numbered.day]
        for other in above[:1]:
            yield Finding(
                numbered.place,
                f"effective {numbered.day[0]}, recorded {numbered.day[1]}, it stands below {_dotted(other.place)} of a later day",
                "Blocks of the same prices and conditions are in the order of effective, then recorded",
                "Move it up",
            )
        latest |= dict.fromkeys(numbered.block.prices, numbered)


def _twice(history: list[_Numbered]) -> _Findings:
    first: dict[tuple[Any, ...], _Numbered] = {}
    for numbered in history:
        for key in numbered.block.prices:
            other = first.setdefault((key, numbered.day), numbered)
            if other is not numbered:
                same = "the same" if other.block.prices[key] == numbered.block.prices[key] else "another"
                yield Finding(
                    (*numbered.place, key),
                    f"{same} price of this key, effective and recorded on the same days, is in {_dotted(other.place)}",
                    "",
                    "Keep one; a correction has a later recorded, other conditions have to be stated",
                )


def _nothing_withdrawn(history: list[_Numbered]) -> _Findings:
    for numbered in history:
        block = numbered.block
        answers = any(h.block.effective == block.effective and h.block.recorded < block.recorded for h in history)
        if block.withdrawn and not answers:
            yield Finding(
                (*numbered.place, "withdrawn"),
                f"no block of the same conditions, effective {block.effective}, was recorded before {block.recorded}",
                "A withdrawal retracts an earlier record",
                "Give it that record's effective and conditions, or remove it",
            )


def _come_back(history: list[_Numbered], events: tuple[LifecycleEvent, ...]) -> _Findings:
    """Another price that is in force again when the newest one ends, though the offer is said to be over by then."""
    newest = {key: numbered for numbered in sorted(history, key=lambda n: n.day) for key in numbered.block.prices}
    for key, (place, block) in newest.items():
        if block.ends is None or not _is_over(block, events):
            continue
        back = block_in_force([h.block for h in history if key in h.block.prices or h.block.withdrawn], block.ends)
        if back is not None and back.prices[key] != block.prices[key]:
            yield Finding(
                (*place, "ends"),
                f"{key} {back.prices[key]:f} of {back.effective} is in force again from {block.ends}, though the offer is over",
                "",
                "Correct the earlier blocks, too: again with a later recorded and the same ends",
            )


def _is_over(block: PriceBlock, events: tuple[LifecycleEvent, ...]) -> bool:
    ended = any(event.event == "inference_ends" and block.ends is not None and event.date <= block.ends for event in events)
    return ended or _OVER.search(block.note) is not None
