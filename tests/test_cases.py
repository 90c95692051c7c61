"""Cases written as data: every ``tests/cases/*.toml`` holds scenarios, or formulas, and what must come out of them.

How a case is written is told at the head of ``tests/cases/_base.toml``.
"""

from __future__ import annotations

import importlib
import math
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date
from functools import cache
from operator import attrgetter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from calc import Comparison, Scenario, compare
from pricing import PriceBook
from pricing.keys import PRICE_KEYS

CASES = Path(__file__).parent / "cases"
BOOK = PriceBook.bundled()
NO_SOURCE = "https://example.org/"
EARLY = date(2020, 1, 1)


# --- reading ------------------------------------------------------------------------------------------------------------


@cache
def _toml(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8"))


def _laid_over(base: Any, over: Any) -> Any:
    """``over`` laid on ``base``: tables merge key by key, except that a part of another kind is taken whole."""
    if not (isinstance(base, dict) and isinstance(over, dict)):
        return over
    if "kind" in base and "kind" in over and base["kind"] != over["kind"]:
        return over
    return base | {key: _laid_over(base.get(key), value) for key, value in over.items()}


def _all_cases() -> Iterator[Any]:
    base = _toml(CASES / "_base.toml")
    for path in sorted(CASES.glob("[!_]*.toml")):
        table = _toml(path)
        own_base = _laid_over(base, table.get("base", {}))
        for case in table["case"]:
            marks = [pytest.mark.xfail(reason=case["known_fault"], strict=True)] if "known_fault" in case else []
            full = case if "formula" in case else _laid_over(own_base, case)
            yield pytest.param(full, id=f"{path.stem}: {case['name']}", marks=marks)


def _sourced(case: Mapping[str, Any]) -> dict[str, Any]:
    """What a price block, rule or event needs beside its figures, taken from the case's own source."""
    stated = next((word for word in str(case["source"]).split() if word.startswith("https://")), NO_SOURCE)
    return {"source": stated.rstrip(",;)"), "source_date": EARLY, "recorded": EARLY, "confidence": "transcribed"}


def provider_tables(case: Mapping[str, Any]) -> dict[str, Any]:
    """The case's short tables of prices, written out in the schema of `pricing.model`."""
    sourced = _sourced(case)

    def blocks(place: Mapping[str, Any], over_listed: bool) -> dict[str, Any]:
        """A provider, size band or item, with its own prices gathered into a first block; of a new provider they are listed."""
        own = {key: value for key, value in place.items() if key in PRICE_KEYS}
        full = {key: value for key, value in place.items() if key not in PRICE_KEYS}
        prices = ([own] if own else []) + list(full.get("price", []))
        if prices:
            full["price"] = [{"effective": EARLY, "own": over_listed} | sourced | block for block in prices]
        if "lifecycle" in full:
            full["lifecycle"] = [sourced | event for event in full["lifecycle"]]
        for rules in ("cache", "billing", "store"):
            if isinstance(full.get(rules), dict) and not (rules == "store" and "kind" not in full[rules]):
                full[rules] = sourced | full[rules]
        return full

    tables = {}
    for name, table in case.get("prices", {}).items():
        over_listed = name in BOOK.provider_ids
        full = {"name": name, "price_page": sourced["source"]} | blocks(table, over_listed)
        for kind in ("model", "gpu", "instance", "store", "role"):
            if kind in full:
                full[kind] = {key: {"name": key} | blocks(item, over_listed) for key, item in full[kind].items()}
        if "band" in full:
            full["band"] = [blocks(band, over_listed) for band in full["band"]]
        tables[name] = full
    return tables


def comparison_of(case: Mapping[str, Any]) -> Comparison:
    scenario = Scenario.model_validate(dict(case["scenario"]))
    return compare(scenario, BOOK.with_overrides(provider_tables(case)))


# --- looking up what is asserted ----------------------------------------------------------------------------------------


def _named(path: str, names: Mapping[str, Any]) -> tuple[Any, str]:
    """The longest name that begins the path, and the rest of the path: names may hold dots."""
    for name in sorted(names, key=len, reverse=True):
        if path == name or path.startswith(f"{name}."):
            return names[name], path[len(name) + 1 :]
    raise KeyError(f"'{path}' begins with none of: {', '.join(names)}")


def _of_line(line: Any, what: str, volume: float) -> Any:
    match what:
        case "":
            return line.total(volume)
        case "quantity":
            return line.quantity_total(volume)
        case "quantity_by_month":
            return line.quantity.at(volume)
        case "by_month":
            return line.by_month(volume)
        case "sources":
            return [price.source for price in line.prices]
        case _:
            return getattr(line, what)


def _of_approach(found: Comparison, name: str, what: str, volume: float) -> Any:
    result, (head, _, rest) = found.results[name], what.partition(".")
    match head:
        case "lines" if rest:
            return _of_line(*_named(rest, {line.key: line for line in result.ledger.lines}), volume)
        case "lines":
            return [line.key for line in result.ledger.lines]
        case "groups":
            return result.ledger.by_group(volume)[rest]
        case "notes":
            return result.ledger.notes
        case "total":
            return result.total(volume)
        case "compared_total":
            return result.curve.total(volume)
        case "by_month":
            return result.ledger.by_month(volume)
        case "per_request" | "per_accepted":
            return getattr(result, head)()
        case "events":
            return [f"{event.month} {event.kind}: {event.text}" for event in result.ledger.events]
        case "unavailable_since":
            return result.unavailable.since if result.unavailable else None
        case "break_even_share" | "value_usd" | "compared_value_usd" | "roi" | "straight_line_usd_by_month":
            return getattr(found, head)(name)
        case "benefits" if rest:
            benefit, of_it = _named(rest, {benefit.key.partition(".")[2]: benefit for benefit in result.benefits})
            figure = getattr(benefit, of_it or "total")
            return figure(volume) if callable(figure) else figure
        case "benefits":
            return [benefit.key for benefit in result.benefits]
        case "savings" | "cash_flow":
            return getattr(getattr(found, head)(name), rest)
        case _:
            return attrgetter(what)(result)


def looked_up(found: Comparison, what: str, volume: int | None = None) -> Any:
    """Any figure of a comparison by its dotted path."""
    at = found.requests if volume is None else volume
    head, _, rest = what.partition(".")
    if head == "approaches":
        _, within = _named(rest, found.results)
        return _of_approach(found, rest[: len(rest) - len(within)].rstrip("."), within, at)
    if head == "envelope":
        return [[interval.first, interval.last, interval.winner] for interval in found.envelope]
    if head == "break_even":
        a, b_and_what = next(
            (name, rest[len(name) + 1 :]) for name in sorted(found.results, key=len, reverse=True) if rest.startswith(f"{name}.")
        )
        b = next(n for n in sorted(found.results, key=len, reverse=True) if b_and_what.startswith(f"{n}."))
        solved, asked = found.break_even(a, b), b_and_what[len(b) + 1 :]
        return solved.verdict.kind.value if asked == "verdict" else list(getattr(solved, asked))
    if head in ("winner", "ranked"):
        return getattr(found, head)(at)
    return getattr(found, what)


# --- asserting ----------------------------------------------------------------------------------------------------------

CHECKS = frozenset({"value", "at_least", "at_most", "contains", "lacks"})
OPTIONS = frozenset({"what", "volume", "month", "relative", "absolute"})


def _close(got: Any, wanted: Any, relative: float, absolute: float) -> bool:
    if isinstance(wanted, list):
        got = list(got)
        return len(got) == len(wanted) and all(_close(g, w, relative, absolute) for g, w in zip(got, wanted, strict=True))
    if isinstance(wanted, bool | str | date) or isinstance(got, str):
        return bool(got == wanted)
    return math.isclose(float(got), float(wanted), rel_tol=relative, abs_tol=absolute)


def check(got: Any, expect: Mapping[str, Any]) -> None:
    """Hold a figure against what a case expects of it."""
    unknown, checks = set(expect) - CHECKS - OPTIONS, CHECKS & set(expect)
    assert not unknown, f"no such words in an expectation: {unknown}"
    assert checks, f"nothing is expected of {expect.get('what', 'the result')}: state one of {', '.join(sorted(CHECKS))}"
    if "month" in expect:
        got = got[expect["month"]]
    wanted_of_it = {key: expect[key] for key in checks}
    told = f"{expect.get('what', 'result')} is {got!r}, expected {wanted_of_it}"
    absolute = expect.get("absolute", 0.0)
    relative = expect.get("relative", 0.0 if absolute else 1e-9)
    if "value" in expect:
        wanted = expect["value"]
        nothing = got is None or (isinstance(got, tuple | list) and not got)
        assert nothing if wanted == "none" else _close(got, wanted, relative, absolute), told
    if "at_least" in expect:
        assert got >= expect["at_least"], told
    if "at_most" in expect:
        assert got <= expect["at_most"], told
    text = "\n".join(map(str, got)) if isinstance(got, tuple | list) else str(got)
    for part in np.atleast_1d(expect.get("contains", [])):
        assert str(part) in text, told
    for part in np.atleast_1d(expect.get("lacks", [])):
        assert str(part) not in text, told


def _result_of_formula(case: Mapping[str, Any]) -> Any:
    module, _, name = case["formula"].rpartition(".")
    args = {key: tuple(value) if isinstance(value, list) else value for key, value in case.get("args", {}).items()}
    result = getattr(importlib.import_module(module), name)(**args)
    return result.tolist() if isinstance(result, np.ndarray) else result


@pytest.mark.parametrize("case", list(_all_cases()))
def test_case(case: dict[str, Any]) -> None:
    if "raises" in case:
        with pytest.raises(Exception) as raised:  # noqa: PT011 - the case names the kind and the text
            _result_of_formula(case) if "formula" in case else comparison_of(case)
        assert case["raises"] in {kind.__name__ for kind in type(raised.value).__mro__}
        for part in np.atleast_1d(case.get("contains", [])):
            assert str(part) in str(raised.value)
        return
    if "formula" in case:
        check(_result_of_formula(case), {key: case[key] for key in (CHECKS | OPTIONS) & set(case)})
        return
    found = comparison_of(case)
    assert case["expect"], "a case expects something"
    for expect in case["expect"]:
        if "raises" in expect:
            with pytest.raises(Exception) as raised:  # noqa: PT011 - the case names the kind
                looked_up(found, expect["what"], expect.get("volume"))
            assert type(raised.value).__name__ == expect["raises"]
        else:
            check(looked_up(found, expect["what"], expect.get("volume")), expect)


# --- the cases as a whole -----------------------------------------------------------------------------------------------


def test_names_are_unique_and_sources_are_given() -> None:
    cases = [parameter.values[0] for parameter in _all_cases()]
    twice = [name for name, count in Counter(case["name"] for case in cases).items() if count > 1]
    assert not twice
    assert all(case.get("source") for case in cases)


def test_every_worked_example_is_a_case_or_says_why_not() -> None:
    coverage = _toml(CASES / "_worked_examples.toml")
    cases = [parameter.values[0] for parameter in _all_cases()]
    covered = {example for case in cases for example in np.atleast_1d(case.get("worked_example", []))}
    assert covered | set(coverage["not_covered"]) == set(coverage["ids"])
    assert not covered & set(coverage["not_covered"])
    assert all(len(reason) > 20 for reason in coverage["not_covered"].values())
