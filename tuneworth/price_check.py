"""Holding the price book's files to their rules, all problems at once."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator
from decimal import Decimal
from importlib.resources import files as package_files
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

import pricing
from ingest.errors import Problem
from ingest.validation import problems_of
from pricing.keys import PRICE_KEYS
from pricing.model import Assumption, Gpu, Item, OpenModel, PriceBlock, Provider

Found = tuple[list[Problem], int]
"""Problems of one file, and how many prices or facts it holds."""


def check_prices(folder: Path | None = None) -> tuple[list[Problem], int, int]:
    """Check every table, assumption and fact of a price book's folder; default the bundled one.

    Returns:
        The problems in the order of the files, the number of files, and the number of prices and facts in them.
    """
    folder = folder or Path(str(package_files(pricing)))
    open_models = _toml(folder / "open_models.toml")
    known_weights = set(open_models) if isinstance(open_models, dict) else set()
    checks: list[tuple[Path, Callable[[Path], Found]]] = [
        *((path, lambda p: _provider(p, known_weights)) for path in sorted((folder / "tables").glob("*.toml"))),
        *((path, lambda p: _facts(p, Assumption)) for path in sorted((folder / "assumptions").glob("*.toml"))),
        (folder / "open_models.toml", lambda p: _facts(p, OpenModel)),
        (folder / "gpus.toml", lambda p: _facts(p, Gpu)),
    ]
    found = [check(path) for path, check in checks]
    return [problem for problems, _ in found for problem in problems], len(found), sum(count for _, count in found)


def _toml(path: Path) -> dict[str, Any] | Problem:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
    except FileNotFoundError:
        return Problem(path.name, "the file is missing", "", "Restore it from the repository")
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        return Problem(path.name, f"is not valid TOML: {error}", "", "Mend that line")


def _facts(path: Path, kind: type[BaseModel]) -> Found:
    data = _toml(path)
    if isinstance(data, Problem):
        return [data], 0
    problems = [p for name, fields in data.items() for p in _invalid(kind, fields, path, name)]
    if kind is Assumption:
        problems += [
            Problem(path.name, f"low {f['low']}, likely {f['likely']}, high {f['high']} are not in ascending order", field=name)
            for name, f in data.items()
            if not problems and not f["low"] <= f["likely"] <= f["high"]
        ]
    return problems, len(data)


def _invalid(kind: type[BaseModel], fields: Any, path: Path, name: str) -> Iterator[Problem]:
    try:
        kind.model_validate(fields)
    except ValidationError as error:
        for problem in problems_of(error, kind, fields, {}, path.name):
            where = ".".join(filter(None, (name, problem.field)))
            yield Problem(problem.file, problem.wrong, problem.expected, problem.next_step, field=where)


def _provider(path: Path, known_weights: set[str]) -> Found:
    data = _toml(path)
    if isinstance(data, Problem):
        return [data], 0
    problems = list(_invalid(Provider, {"id": path.stem} | data, path, ""))
    if problems:
        return problems, 0
    provider = Provider.model_validate({"id": path.stem} | data)
    if provider.id != path.stem:
        problems.append(Problem(path.name, f"its id is '{provider.id}'", f"Expected '{path.stem}', as the file is called"))
    blocks = list(_blocks(provider))
    problems += [problem for where, block in blocks for problem in _implausible(path, where, block)]
    problems += [problem for name, item in provider.items.items() for problem in _unknown(path, name, item, known_weights)]
    problems += _ambiguous(path, provider)
    return problems, sum(len(block.prices) for _, block in blocks)


def _blocks(provider: Provider) -> Iterator[tuple[str, PriceBlock]]:
    places = {"price": provider.price}
    places |= {f"band.{index}.price": band.price for index, band in enumerate(provider.band)}
    places |= {f"{name}.price": item.price for name, item in provider.items.items()}
    for place, blocks in places.items():
        yield from ((f"{place}.{index}", block) for index, block in enumerate(blocks))


def _implausible(path: Path, where: str, block: PriceBlock) -> Iterator[Problem]:
    for key, value in block.prices.items():
        spec = PRICE_KEYS[key]
        if value and not spec.low <= value <= spec.high:
            yield Problem(
                path.name,
                f"{value:f} is not plausible in {spec.unit}",
                f"Expected 0, or {spec.low:g} to {spec.high:g}",
                "Check the unit at the source",
                field=f"{where}.{key}",
            )
    if block.source_date > block.recorded:
        yield Problem(path.name, f"read on {block.source_date}, after it was recorded on {block.recorded}", field=where)


def _unknown(path: Path, name: str, item: Item, known_weights: set[str]) -> Iterator[Problem]:
    if item.weights is not None and item.weights not in known_weights:
        yield Problem(
            path.name, f"weights '{item.weights}' are not in open_models.toml", "", "Add them there", field=f"{name}.weights"
        )


def _ambiguous(path: Path, provider: Provider) -> Iterator[Problem]:
    seen: dict[str, str] = {name: name for name in provider.items}
    for name, item in provider.items.items():
        for alias in item.aliases:
            if seen.setdefault(alias, name) != name:
                yield Problem(
                    path.name, f"alias '{alias}' is {seen[alias]}'s too", "", "Keep it in one place", field=f"{name}.aliases"
                )
