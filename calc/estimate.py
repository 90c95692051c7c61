"""A number that may be uncertain: stated as a value, a range, an evaluation result or observations.

A field of type `Number` accepts a plain number or any estimate below. The model computes with plain numbers: a
scenario is resolved first (`calc.scenario.Scenario.at_point`), after which every such field holds a float.
Sampling replaces the same fields by arrays, so that no formula needs to know which of the two it is given.
"""

from __future__ import annotations

from collections.abc import Callable
from math import exp, inf, isfinite, log
from statistics import median
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, PlainSerializer, PlainValidator, model_validator


class Estimate(BaseModel):
    """A number with a stated uncertainty."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    @property
    def point(self) -> float:
        """The single value used in a point run."""
        raise NotImplementedError

    @property
    def stated(self) -> tuple[float, ...]:
        """The numbers as stated, for bounds checks and for showing the range."""
        raise NotImplementedError


class Pert(Estimate):
    """low / likely / high: a PERT distribution; its point value is the mode."""

    low: float
    likely: float
    high: float

    @model_validator(mode="after")
    def _ordered(self) -> Pert:
        if not self.low <= self.likely <= self.high:
            raise ValueError(f"low {self.low:g}, likely {self.likely:g}, high {self.high:g} must be in ascending order")
        return self

    @property
    def point(self) -> float:
        """The mode."""
        return self.likely

    @property
    def stated(self) -> tuple[float, ...]:
        """low, likely, high."""
        return (self.low, self.likely, self.high)


class LogNormal(Estimate):
    """p10 / p90: a lognormal distribution; its point value is the median, the geometric mean of the two."""

    p10: float
    p90: float

    @model_validator(mode="after")
    def _ordered(self) -> LogNormal:
        if not 0 < self.p10 <= self.p90:
            raise ValueError(f"p10 {self.p10:g} must be above zero and at most p90 {self.p90:g}")
        return self

    @property
    def point(self) -> float:
        """The median, exp(½·(ln p10 + ln p90))."""
        return exp((log(self.p10) + log(self.p90)) / 2)

    @property
    def stated(self) -> tuple[float, ...]:
        """p10, p90."""
        return (self.p10, self.p90)


class Successes(Estimate):
    """k successes of n trials: a share with a Jeffreys Beta(k + ½, n − k + ½); its point value is k/n."""

    successes: int
    trials: int

    @model_validator(mode="after")
    def _possible(self) -> Successes:
        if self.trials < 1:
            raise ValueError(f"trials is {self.trials}; at least one evaluated answer is needed")
        if not 0 <= self.successes <= self.trials:
            raise ValueError(f"successes {self.successes} must be between 0 and trials {self.trials}")
        return self

    @property
    def point(self) -> float:
        """k/n."""
        return self.successes / self.trials

    @property
    def stated(self) -> tuple[float, ...]:
        """k/n."""
        return (self.point,)


class Observed(Estimate):
    """Observed values, taken with equal weight; the point value is their median."""

    values: tuple[float, ...]

    @model_validator(mode="after")
    def _not_empty(self) -> Observed:
        if not self.values:
            raise ValueError("values is empty; give at least one observed value")
        return self

    @property
    def point(self) -> float:
        """The median."""
        return float(median(self.values))

    @property
    def stated(self) -> tuple[float, ...]:
        """The values."""
        return self.values


_BY_KEYS: tuple[tuple[frozenset[str], type[Estimate]], ...] = (
    (frozenset({"low", "likely", "high"}), Pert),
    (frozenset({"p10", "p90"}), LogNormal),
    (frozenset({"successes", "trials"}), Successes),
    (frozenset({"values"}), Observed),
)
ESTIMATE_KEYS = frozenset().union(*(keys for keys, _ in _BY_KEYS))
_SMALLEST = 1e-12
_LARGEST = 1e12
_FORMS = "a number or one of {low, likely, high}, {p10, p90}, {successes, trials}, {values: [...]}"


def _number(low: float, high: float, *, whole: bool = False, optional: bool = False, words: tuple[str, ...] = ()) -> Any:
    def parse(value: Any) -> Any:
        if (optional and value is None) or (words and value in words):
            return value
        if isinstance(value, Estimate):
            parsed: float | Estimate = value
        elif isinstance(value, dict):
            parsed = _estimate(value)
        elif isinstance(value, bool) or not isinstance(value, (int, float)):
            or_word = "".join(f" or {word}" for word in words)
            raise ValueError(f"expected {_FORMS}{or_word}, got {value!r:.60}; the unit is in the name, so write the number alone")
        else:
            number = _finite(value)
            parsed = int(number) if whole and number.is_integer() else number
        for number in parsed.stated if isinstance(parsed, Estimate) else (parsed,):
            _check_bounds(number, low, high)
        if whole and not isinstance(parsed, (int, Estimate)):
            raise ValueError(f"expected a whole number, got {parsed:g}")
        return parsed

    accepted: Any = float | Pert | LogNormal | Successes | Observed
    if optional:
        accepted = accepted | None
    if words:
        accepted = accepted | Literal[words]
    return PlainValidator(parse, json_schema_input_type=accepted)


def _estimate(value: dict[str, Any]) -> Estimate:
    for keys, kind in _BY_KEYS:
        if keys == set(value):
            return kind.model_validate(value)
    raise ValueError(f"expected {_FORMS}, got the keys {', '.join(map(str, value)) or '(none)'}")


def _finite(value: float) -> float:
    try:
        number = float(value)
    except OverflowError:
        number = inf
    if not isfinite(number):
        raise ValueError(f"expected a finite number, got {value}"[:80])
    return number


def _check_bounds(number: float, low: float, high: float) -> None:
    _finite(number)
    if not low <= number <= high:
        lowest = "above 0" if low == _SMALLEST else f"{low:g} or more"
        if high < _LARGEST:
            bound = f"above 0, at most {high:g}" if low == _SMALLEST else f"between {low:g} and {high:g}"
        else:
            bound = f"of at most {high:g}" if number > high else lowest
        raise ValueError(f"expected a number {bound}, got {number:g}")


def _dump(value: Any) -> Any:
    return value.model_dump() if isinstance(value, Estimate) else value


_serialise = PlainSerializer(_dump)

# At check time these are floats, which is what every formula sees; a scenario not yet resolved may hold an Estimate.
Number = Annotated[float, _number(-inf, inf), _serialise]
NonNegative = Annotated[float, _number(0, 1e15), _serialise]
Positive = Annotated[float, _number(_SMALLEST, 1e15), _serialise]
Share = Annotated[float, _number(0, 1), _serialise]
GrowthShare = Annotated[float, _number(-0.99, 1), _serialise]
WholePositive = Annotated[float, _number(1, 1e12, whole=True), _serialise]
OptionalNonNegative = Annotated[float | None, _number(0, 1e15, optional=True), _serialise]
OptionalPositive = Annotated[float | None, _number(_SMALLEST, 1e15, optional=True), _serialise]
OptionalShareAboveZero = Annotated[float | None, _number(_SMALLEST, 1, optional=True), _serialise]
OptionalShareBelowOne = Annotated[float | None, _number(0, 0.99, optional=True), _serialise]
OptionalHours = Annotated[float | None, _number(_SMALLEST, 24, optional=True), _serialise]
OptionalDays = Annotated[float | None, _number(_SMALLEST, 31, optional=True), _serialise]
HourlyRate = Annotated[float, _number(0, 10_000), _serialise]
Multiple = Annotated[float, _number(0.001, 1000), _serialise]
Months = Annotated[float, _number(0.1, 120), _serialise]
OptionalShare = Annotated[float | None, _number(0, 1, optional=True), _serialise]
ShareFromTraffic = Annotated[float | Literal["from_traffic"], _number(0, 1, words=("from_traffic",)), _serialise]


def resolve(model: Any, value_of: Callable[[Estimate], Any] = lambda estimate: estimate.point) -> Any:
    """A copy of a model, container or value in which every `Estimate` is replaced by ``value_of(estimate)``.

    Args:
        model: a pydantic model, mapping, sequence, estimate or plain value.
        value_of: default the point value; sampling passes a function that draws.
    """
    if isinstance(model, Estimate):
        return value_of(model)
    if isinstance(model, BaseModel):
        changed = _changed(model.__dict__, value_of)
        return model.model_copy(update=changed) if changed else model
    if isinstance(model, dict):
        return model | _changed(model, value_of)
    if isinstance(model, tuple | list):
        return type(model)(resolve(value, value_of) for value in model)
    return model


def _changed(fields: dict[str, Any], value_of: Callable[[Estimate], Any]) -> dict[str, Any]:
    resolved = {name: resolve(value, value_of) for name, value in fields.items() if isinstance(value, _HOLDERS)}
    return {name: value for name, value in resolved.items() if value is not fields[name]}


_HOLDERS = (BaseModel, dict, tuple, list)
