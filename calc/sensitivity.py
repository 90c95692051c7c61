"""What happens to the answer when one or two other inputs move: totals over a field, its break-evens, who wins where.

A field is addressed by the scenario file's dotted path, ``approaches.rag.retrieval.chunks_per_request``. It is replaced by an
array and every formula runs once over all of its values.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ValidationError

from calc.compare import compare
from calc.ledger import Unpriced
from calc.scenario import Scenario
from pricing import PriceBook

POINTS = 1025
"""Values at which the order of the approaches is compared before each change is narrowed down."""
HALVINGS = 60


def with_field(scenario: Scenario, path: str, values: NDArray[np.float64]) -> Scenario:
    """The scenario with one number replaced, unchecked, by several: every total becomes an array of their shape.

    Args:
        values: shape (n,).

    Raises:
        ValueError: the scenario has no such field, or it holds no number that can move continuously.
    """
    # the volume meets the months only inside the lines' shapes; every other number meets them at once
    value = values if path == "workload.requests_per_month" else values[:, None]
    changed: Scenario = _replaced(scenario, path.split("."), value, path)
    return changed


def _replaced(at: Any, names: list[str], value: Any, path: str) -> Any:
    if not names:
        if isinstance(at, bool | str | tuple | BaseModel | dict):
            raise ValueError(f"{path} does not hold a number")
        return value
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


def _check_bounds(scenario: Scenario, path: str, value: float) -> None:
    """Raise ValueError where the field does not take the value."""
    with_field(scenario, path, np.array([value]))
    changed: Scenario = _replaced(scenario, path.split("."), value, path)
    try:
        Scenario.model_validate(changed.model_dump(warnings=False))
    except ValidationError as error:
        raise ValueError(f"{path}: {error.errors()[0]['msg'].removeprefix('Value error, ')}") from None


def _is_whole(model: type[BaseModel], name: str) -> bool:
    annotation = model.model_fields[name].annotation
    return annotation is int or int in get_args(annotation)


def totals_over(
    scenario: Scenario, book: PriceBook, fields: Mapping[str, NDArray[np.float64]], *, today: date | None = None
) -> dict[str, NDArray[np.float64]]:
    """What is compared, in US$ over the horizon, of every priced and available approach, at each value of the fields.

    Args:
        fields: dotted path → values; all arrays of the same shape (n,).

    Returns:
        Approach → totals of shape (n,), at equal resolved answers.

    Raises:
        ValueError: a field does not exist or holds no number.
    """
    point = scenario.at_point()
    shape = next(iter(fields.values())).shape
    for path, values in fields.items():
        point = with_field(point, path, np.asarray(values, dtype=float))
    totals = {}
    for name, result in compare(point, book, today=today).results.items():
        if result.unavailable is None:
            try:
                totals[name] = np.broadcast_to(np.squeeze(result.compared_usd()), shape)
            except Unpriced:
                continue
    return totals


@dataclass(frozen=True)
class Change:
    """From this value of the field on, another approach is the cheapest."""

    value: float
    winner: str
    smooth: bool
    """Whether the two tie there; otherwise the change is a jump."""


def winners_over(
    scenario: Scenario, book: PriceBook, path: str, low: float, high: float, *, today: date | None = None
) -> tuple[str, tuple[Change, ...]]:
    """Who is cheapest at the low end of a field's range, and every change of the cheapest up to the high end.

    The order is compared at 1,025 values and each change narrowed down by halving. Two changes within a thousandth of the
    range that cancel each other are not seen; for the volume, `Comparison.envelope` is exact.

    Raises:
        ValueError: the field does not exist, the range is empty, or no approach has a total.
    """
    if not low < high:
        raise ValueError(f"the range of {path} is empty: {low:g} must be below {high:g}")
    for end in (low, high):
        _check_bounds(scenario.at_point(), path, end)
    values = np.linspace(low, high, POINTS)

    def cheapest(at: NDArray[np.float64]) -> tuple[NDArray[np.intp], list[str], NDArray[np.float64]]:
        totals = totals_over(scenario, book, {path: at}, today=today)
        if not totals:
            raise ValueError(f"no approach has a total over {path} from {low:g} to {high:g}")
        stacked = np.stack(list(totals.values()))
        return np.argmin(stacked, axis=0), list(totals), stacked

    first, names, _ = cheapest(values)
    cells = np.flatnonzero(first[1:] != first[:-1])
    if not cells.size:
        return names[first[0]], ()
    left, right, before = values[cells], values[cells + 1], first[cells]
    for _ in range(HALVINGS):
        middle = (left + right) / 2
        same = cheapest(middle)[0] == before
        left, right = np.where(same, middle, left), np.where(same, right, middle)
    after, _, totals = cheapest(right)
    gap = np.abs(totals[after, np.arange(len(after))] - totals[before, np.arange(len(after))])
    smooth = gap <= 1e-9 * np.abs(totals[after, np.arange(len(after))])
    return names[first[0]], tuple(Change(float(v), names[w], bool(s)) for v, w, s in zip(right, after, smooth, strict=True))


def winner_map(
    scenario: Scenario,
    book: PriceBook,
    x: tuple[str, NDArray[np.float64]],
    y: tuple[str, NDArray[np.float64]],
    *,
    today: date | None = None,
) -> tuple[tuple[str, ...], NDArray[np.intp]]:
    """Who is cheapest over two fields.

    Args:
        x, y: dotted path and values, of shapes (nx,) and (ny,).

    Returns:
        The names of the approaches with a total, and which of them is cheapest, shape (ny, nx).

    Raises:
        ValueError: a field does not exist or no approach has a total.
    """
    (x_path, x_values), (y_path, y_values) = x, y
    grid_x, grid_y = np.meshgrid(x_values, y_values)
    totals = totals_over(scenario, book, {x_path: grid_x.ravel(), y_path: grid_y.ravel()}, today=today)
    if not totals:
        raise ValueError(f"no approach has a total over {x_path} and {y_path}")
    cheapest = np.argmin(np.stack(list(totals.values())), axis=0)
    return tuple(totals), cheapest.reshape(grid_x.shape)
