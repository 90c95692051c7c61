"""Amounts that a scenario file states in another currency: ``staff_eur_per_hour`` is ``staff_usd_per_hour`` in euros.

They are converted when the file is read, at the rate of the day of its prices; mistakes keep the file's own names and numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any, get_args

from pydantic import BaseModel

from calc.scenario import Conversion, Scenario
from ingest.errors import InputError
from pricing import ExchangeRate, PriceBook, PricingError
from pricing.currency import in_dollars
from pricing.problems import Problem

RateOf = Callable[[str], ExchangeRate]
Path = tuple[str, ...]


@dataclass(frozen=True)
class InDollars:
    """The fields of a scenario with all amounts in dollars, and which of them were stated otherwise."""

    data: dict[str, Any]
    conversions: tuple[Conversion, ...]


def in_usd(
    data: Mapping[str, Any], lines: Mapping[str, int], name: str, *, as_of: date | None = None, today: date | None = None
) -> InDollars:
    """The plain fields of a scenario with every amount in dollars.

    Args:
        lines: dotted path → line, for messages.
        name: the file's name.
        as_of: the day of the rates; default the one the fields state, else ``today``.

    Raises:
        InputError: a currency is not known or has no rate on the day, or a field is stated in two currencies.
    """
    found: list[Conversion] = []
    problems: list[Problem] = []
    rate_of = _rates(as_of or _day(data.get("as_of")) or today, data.get("price_release"))
    converted = _fields(data, (), rate_of, found, lambda path, wrong: problems.append(_problem(path, wrong, lines, name)))
    if problems:
        raise InputError(*problems)
    return InDollars(converted, tuple(found))


def _problem(path: Path, wrong: str, lines: Mapping[str, int], name: str) -> Problem:
    field = ".".join(path)
    return Problem(name, wrong, field=field, line=lines.get(field))


@cache
def _book() -> PriceBook:
    return PriceBook.bundled()


def _rates(day: date | None, pinned: Any) -> RateOf:
    def rate_of(code: str) -> ExchangeRate:
        if day is None:
            raise ValueError("it takes a day to convert it: state as_of")
        return _book().as_of(day, _day(pinned) or (pinned if isinstance(pinned, str) else None)).exchange_rate(code)

    return rate_of


def _day(stated: Any) -> date | None:
    """A day as YAML or JSON hold it; what is none is refused later, where the scenario is validated."""
    try:
        return date.fromisoformat(str(stated))
    except ValueError:
        return None


def _fields(
    data: Mapping[str, Any], at: Path, rate_of: RateOf, found: list[Conversion], refuse: Callable[[Path, str], None]
) -> dict[str, Any]:
    """The fields of a group, those in other currencies by the name and value they have in dollars."""
    result: dict[str, Any] = {}
    for key, value in data.items():
        path = (*at, str(key))
        try:
            other = in_dollars(str(key), dollar_fields())
            if other is None:
                result[key] = _inside(value, path, rate_of, found, refuse)
                continue
            field, code = other
            if field in data or field in result:
                raise ValueError(f"states {field} in another currency too; keep the one that is meant")
            rate = rate_of(code)
        except (PricingError, ValueError) as error:
            refuse(path, str(error))
            continue
        result[field] = _amount(value, rate)
        if value is not None:
            found.append(Conversion(path=(*at, field), stated_as=str(key), stated=value, rate=rate))
    return result


def _inside(value: Any, path: Path, rate_of: RateOf, found: list[Conversion], refuse: Callable[[Path, str], None]) -> Any:
    if isinstance(value, dict):
        return _fields(value, path, rate_of, found, refuse)
    if isinstance(value, list):
        return [_inside(item, (*path, str(i)), rate_of, found, refuse) for i, item in enumerate(value)]
    return value


def _amount(value: Any, rate: ExchangeRate) -> Any:
    """A number, or every number of a range or of amounts by name, in dollars; what is no number is left to be refused."""
    if isinstance(value, dict):
        return {key: _amount(item, rate) for key, item in value.items()}
    if isinstance(value, list):
        return [_amount(item, rate) for item in value]
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    exact = Decimal(str(value))
    return float(rate.to_usd(exact)) if exact.is_finite() else value


@cache
def dollar_fields() -> frozenset[str]:
    """Names of the scenario's fields that hold dollars."""
    return frozenset(_dollar_fields(Scenario, set()))


def _dollar_fields(kind: Any, seen: set[type]) -> Iterator[str]:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        if kind in seen:
            return
        seen.add(kind)
        for name, info in kind.model_fields.items():
            if "usd" in name.split("_"):
                yield name
            yield from _dollar_fields(info.annotation, seen)
    for argument in get_args(kind):
        yield from _dollar_fields(argument, seen)


# --- messages -------------------------------------------------------------------------------------------------------------


def written_as(field: str, lines: Mapping[str, int]) -> str:
    """The dotted path by which a file states a field in dollars: its own, or that of another currency."""
    if field in lines:
        return field
    return next((path for path in lines if _dollar_path(path) == field), field)


def _dollar_path(path: str) -> str:
    return ".".join(_dollar_name(part) for part in path.split("."))


def _dollar_name(name: str) -> str:
    try:
        other = in_dollars(name, dollar_fields())
    except PricingError:
        return name
    return name if other is None else other[0]


def with_dollar_paths(lines: Mapping[str, int]) -> dict[str, int]:
    """Lines by the path as written and by the path in dollars."""
    return {_dollar_path(path): line for path, line in lines.items()} | dict(lines)


def in_own_words(problem: Problem, found: InDollars, lines: Mapping[str, int]) -> Problem:
    """A problem with a converted field by the name and the numbers that the file states."""
    for conversion in found.conversions:
        field, parent = ".".join(conversion.path), ".".join(conversion.path[:-1])
        if problem.field is None or not (problem.field == parent or f"{problem.field}.".startswith(f"{field}.")):
            continue
        name, own = conversion.path[-1], conversion.stated_as
        texts = {text: getattr(problem, text).replace(name, own) for text in ("wrong", "expected", "next_step")}
        if problem.field != parent:
            for amount in _numbers(conversion.stated):
                dollars = _amount(amount, conversion.rate)
                texts["wrong"] = texts["wrong"].replace(repr(dollars), repr(amount)).replace(f"{dollars:g}", f"{amount:g}")
            texts["expected"] += " (in dollars)" if any(c.isdigit() for c in texts["expected"]) else ""
        problem = replace(problem, field=written_as(problem.field, lines), **texts)
    return problem


def _numbers(stated: Any) -> Iterator[float]:
    if isinstance(stated, dict | list):
        for item in stated.values() if isinstance(stated, dict) else stated:
            yield from _numbers(item)
    elif isinstance(stated, int | float) and not isinstance(stated, bool):
        yield stated
