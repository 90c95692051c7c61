"""The numbers of a scenario by the dotted path of its file: ``approaches.rag.retrieval.chunks_per_request``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ValidationError

from calc.scenario import Scenario

VOLUME = "workload.requests_per_month"


def with_field(scenario: Scenario, path: str, values: NDArray[np.float64]) -> Scenario:
    """The scenario with one number replaced, unchecked, by several: every total becomes an array of their shape.

    Args:
        values: shape (n,).

    Raises:
        ValueError: the scenario has no such field, or it holds no number that can move continuously.
    """
    # the volume meets the months only inside the lines' shapes; every other number meets them at once
    value = values if path == VOLUME else values[:, None]
    changed: Scenario = _replaced(scenario, path.split("."), value, path)
    return changed


def check_bounds(scenario: Scenario, path: str, value: float) -> None:
    """Raise ValueError where the field does not take the value.

    Args:
        scenario: resolved (`Scenario.at_point`).
    """
    with_field(scenario, path, np.array([value]))
    changed: Scenario = _replaced(scenario, path.split("."), value, path)
    try:
        Scenario.model_validate(changed.model_dump(warnings=False))
    except ValidationError as error:
        raise ValueError(f"{path}: {error.errors()[0]['msg'].removeprefix('Value error, ')}") from None


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


def _replaced(at: Any, names: list[str], value: Any, path: str) -> Any:
    if not names:
        if isinstance(at, bool | str | tuple | BaseModel | dict):
            raise ValueError(f"{path} does not hold a number")
        return value
    if isinstance(at, tuple) and names[0].isdigit() and int(names[0]) < len(at):
        index = int(names[0])
        return (*at[:index], _replaced(at[index], names[1:], value, path), *at[index + 1 :])
    # names of approaches may hold dots of their own, so the longest name that fits is taken
    fields = at.__dict__ if isinstance(at, BaseModel) else at if isinstance(at, dict) else {}
    for count in range(len(names), 0, -1):
        name = ".".join(names[:count])
        if name in fields:
            if isinstance(at, BaseModel) and _is_whole(type(at), name):
                raise ValueError(f"{path} counts whole steps; compare scenarios with one value each instead")
            inner = _replaced(fields[name], names[count:], value, path)
            return at.model_copy(update={name: inner}) if isinstance(at, BaseModel) else {**at, name: inner}
    if isinstance(at, dict) and len(names) == 1:  # a role's rate that is not stated yet
        return {**at, names[0]: value}
    raise ValueError(f"there is no field {path}: '{names[0]}' is not one of {', '.join(fields) or 'the parts stated there'}")


def _is_whole(model: type[BaseModel], name: str) -> bool:
    annotation = model.model_fields[name].annotation
    return annotation is int or int in get_args(annotation)
