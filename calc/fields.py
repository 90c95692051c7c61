"""The numbers of a scenario by the dotted path of its file: ``approaches.rag.retrieval.chunks_per_request``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, PlainValidator, ValidationError

from calc.estimate import NumberRule
from calc.scenario import Scenario
from pricing.near import did_you_mean

VOLUME = "workload.requests_per_month"


class NumberField(NamedTuple):
    """A field that takes a number."""

    value: float | None
    """What it holds; None where a default takes its place."""
    low: float
    high: float
    """Bounds of the field, both included; infinite where it has none of its own."""
    whole: bool
    """Whether it counts something whole."""
    moves_in_steps: bool
    """Whether it shapes the months or the turns, so that formulas take one value of it at a time."""


def with_field(scenario: Scenario, path: str, values: NDArray[np.float64]) -> Scenario:
    """The scenario with one number replaced, unchecked, by several: every total becomes an array of their shape.

    Args:
        values: shape (n,).

    Raises:
        ValueError: the scenario has no such field, or it holds no number that can move continuously.
    """
    if number_field(scenario, path).moves_in_steps:
        raise ValueError(f"{path} counts whole steps; compare scenarios with one value each instead")
    # the volume meets the months only inside the lines' shapes; every other number meets them at once
    return _replaced(scenario, path, values if path == VOLUME else values[:, None])


def with_value(scenario: Scenario, path: str, value: float) -> Scenario:
    """The scenario with one number replaced by another.

    Args:
        scenario: resolved (`Scenario.at_point`).

    Raises:
        ValueError: the scenario has no such field, it takes no number, or not this one.
    """
    field = number_field(scenario, path)
    changed = _replaced(scenario, path, int(value) if field.whole and float(value).is_integer() else value)
    try:
        Scenario.model_validate(changed.model_dump(warnings=False))
    except ValidationError as error:
        raise ValueError(f"{path}: {error.errors()[0]['msg'].removeprefix('Value error, ')}") from None
    return changed


def number_field(scenario: Scenario, path: str) -> NumberField:
    """The field at a path, and which numbers it takes.

    Args:
        scenario: resolved (`Scenario.at_point`).

    Raises:
        ValueError: the scenario has no such field, or it takes no number; near matches are named.
    """
    part, name = _steps(scenario, path)[-1]
    value = _inside(part).get(name)
    if isinstance(value, tuple):
        raise ValueError(f"{path} does not hold a number but a list; name one of it, such as {path}.0")
    if isinstance(part, BaseModel):
        found = _declared(type(part), name)
        if found is None:
            raise ValueError(f"{path} does not hold a number")
        return found._replace(value=None if isinstance(value, str) else value)
    if isinstance(value, bool | str | BaseModel | dict):
        raise ValueError(f"{path} does not hold a number")
    return NumberField(value, -np.inf, np.inf, isinstance(value, int), isinstance(value, int))


def numbers(at: Any, path: str = "") -> Iterator[tuple[str, float]]:
    """Every number of a resolved scenario, or of a part of it, with its path."""
    if isinstance(at, bool | str):
        return
    if isinstance(at, int | float):
        yield path, float(at)
        return
    inside: Any = at.__dict__.items() if isinstance(at, BaseModel) else at.items() if isinstance(at, dict) else ()
    if isinstance(at, tuple | list):
        inside = enumerate(at)
    for name, value in inside:
        yield from numbers(value, f"{path}.{name}" if path else str(name))


def _declared(model: type[BaseModel], name: str) -> NumberField | None:
    """Which numbers a model's field takes; None where it takes none."""
    field = model.model_fields[name]
    kinds = {field.annotation, *get_args(field.annotation)}
    if not kinds & {int, float}:
        return None
    rules = [found.func for found in field.metadata if isinstance(found, PlainValidator)]
    rule = next((found for found in rules if isinstance(found, NumberRule)), None)
    if rule is not None and int not in kinds:
        return NumberField(None, rule.low, rule.high, rule.whole, moves_in_steps=False)
    low = next((found.ge for found in field.metadata if hasattr(found, "ge")), -np.inf)
    high = next((found.le for found in field.metadata if hasattr(found, "le")), np.inf)
    return NumberField(None, low, high, int in kinds, moves_in_steps=int in kinds)


def _replaced(scenario: Scenario, path: str, value: Any) -> Scenario:
    for part, name in reversed(_steps(scenario, path)):
        if isinstance(part, BaseModel):
            value = part.model_copy(update={name: value})
        elif isinstance(part, tuple):
            value = (*part[: int(name)], value, *part[int(name) + 1 :])
        else:
            value = {**part, name: value}
    changed: Scenario = value
    return changed


def _steps(scenario: Scenario, path: str) -> list[tuple[Any, str]]:
    """The parts that a path leads through, each with the name of the next one inside it."""
    at: Any = scenario
    names, steps = path.split("."), list[tuple[Any, str]]()
    while names:
        inside = _inside(at)
        # names of approaches may hold dots of their own, so the longest name that fits is taken
        count = next((n for n in range(len(names), 0, -1) if ".".join(names[:n]) in inside), 0)
        if not count and len(names) == 1 and at is scenario.staff_usd_per_hour:
            count = 1  # a role's rate that is not stated yet
        if not count:
            raise ValueError(_no_field(scenario, path, names, at))
        name = ".".join(names[:count])
        steps.append((at, name))
        at, names = inside.get(name), names[count:]
    return steps


def _inside(part: Any) -> Mapping[str, Any]:
    if isinstance(part, BaseModel):
        return part.__dict__
    if isinstance(part, tuple):
        return {str(index): value for index, value in enumerate(part)}
    return part if isinstance(part, dict) else {}


def _no_field(scenario: Scenario, path: str, names: list[str], at: Any) -> str:
    before = path.removesuffix(".".join(names)).rstrip(".")
    inside = [f"{before}.{name}".lstrip(".") for name in _inside(at)]
    near = did_you_mean(path, [*inside, *(found for found, _ in numbers(scenario))])
    if at is None:
        return f"there is no field {path}: {before} is not stated. {near}".rstrip()
    return f"there is no field {path}: '{names[0]}' is not one of {', '.join(_inside(at)) or 'the parts there'}. {near}".rstrip()
