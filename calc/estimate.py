"""A number that may be uncertain: stated as a value, a range, an evaluation result or observations.

A field of type `Number` accepts a plain number or any estimate below. The model computes with plain numbers: a
scenario is resolved first (`calc.scenario.Scenario.at_point`), after which every such field holds a float.
Sampling replaces the same fields by arrays, so that no formula needs to know which of the two it is given.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from math import exp, inf, isfinite, log
from statistics import median
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, PlainSerializer, PlainValidator, PrivateAttr, model_validator

Floats = NDArray[np.float64]
Z90 = 1.2815515655446004
"""The 90th percentile of the standard normal distribution."""


class Estimate(BaseModel):
    """A number with a stated uncertainty."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    _bounds: tuple[float, float] = PrivateAttr(default=(-inf, inf))
    _whole: bool = PrivateAttr(default=False)

    @property
    def point(self) -> float:
        """The single value used in a point run; whole where the field is."""
        return round(self._point) if self._whole else self._point

    @property
    def _point(self) -> float:
        raise NotImplementedError

    @property
    def stated(self) -> tuple[float, ...]:
        """The numbers as stated, for bounds checks and for showing the range."""
        raise NotImplementedError

    @property
    def ends(self) -> tuple[float, float]:
        """The lowest and highest value: of a distribution without ends, its 1st and 99th percentile."""
        low, high = self.quantile(np.array([0.01, 0.99]))
        return float(low), float(high)

    @property
    def has_ends(self) -> bool:
        """Whether nothing lies outside `ends`; else 98% of it lies within."""
        return type(self).ends is not Estimate.ends

    @property
    def is_certain(self) -> bool:
        """Whether it holds one value only."""
        return len(set(self.stated)) == 1

    def quantile(self, share: Any) -> Floats:
        """The value that this share of the distribution lies below. Any shape; within the field's bounds, whole where it is.

        A distribution that reaches past the field's bounds is cut there: its quantiles are those of the part within.
        """
        low, high = self._share_within
        return self.taken(self._quantile(low + np.asarray(share, dtype=float) * (high - low)))

    def taken(self, values: Any) -> Floats:
        """Values as the field takes them: rounded where it counts something whole."""
        return np.asarray(np.round(values) if self._whole else values)

    def within(self, low: float, high: float, whole: bool = False) -> Estimate:
        """The same estimate of a field with these bounds."""
        bounded = self.model_copy()
        bounded._bounds, bounded._whole = (low, high), whole
        return bounded

    def _quantile(self, share: Floats) -> Floats:
        raise NotImplementedError

    @property
    def _share_within(self) -> tuple[float, float]:
        """Shares of the distribution below the field's bounds: 0 and 1 of one that does not reach past what is stated."""
        return 0.0, 1.0


_CELLS = 4096
_SOLVED_CELLS = 32


@lru_cache(maxsize=256)
def _beta_table(a: float, b: float) -> tuple[Floats, Floats, Floats]:
    """Shares sin²(πk/2n), densest at both ends, the quantiles of a Beta distribution there, and the slopes between them."""
    from scipy.special import betaincinv  # slow to import, and wanted for draws alone

    shares = np.sin(np.linspace(0, np.pi / 2, _CELLS + 1)) ** 2
    quantiles = np.asarray(betaincinv(a, b, shares))
    return shares, quantiles, np.diff(quantiles) / np.diff(shares)


def _beta_quantile(share: Floats, a: float, b: float) -> Floats:
    """Between the entries of the table, to a few millionths: a hundred times faster than to solve for each draw.

    The few draws close to an end are solved for, as no line follows a thin tail.
    """
    from scipy.special import betaincinv  # slow to import, and wanted for draws alone

    shares, quantiles, slopes = _beta_table(a, b)
    cell = np.minimum((np.arcsin(np.sqrt(share)) * (2 * _CELLS / np.pi)).astype(np.intp), _CELLS - 1)
    found = np.asarray(quantiles[cell] + (share - shares[cell]) * slopes[cell])
    outermost = (cell < _SOLVED_CELLS) | (cell >= _CELLS - _SOLVED_CELLS)
    found[outermost] = betaincinv(a, b, share[outermost])
    return found


def _normal_quantile(share: Floats) -> Floats:
    from scipy.special import ndtri  # slow to import, and wanted for draws alone

    return np.asarray(ndtri(share))


def _normal_share(value: float) -> float:
    from scipy.special import ndtr  # slow to import, and wanted for draws alone

    return float(ndtr(value))


def _log(value: float) -> float:
    return -inf if value <= 0 else inf if value == inf else log(value)


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
    def _point(self) -> float:
        """The mode."""
        return self.likely

    @property
    def stated(self) -> tuple[float, ...]:
        """low, likely, high."""
        return (self.low, self.likely, self.high)

    @property
    def ends(self) -> tuple[float, float]:
        """low, high."""
        return self.low, self.high

    def _quantile(self, share: Floats) -> Floats:
        """low + (high − low)·Beta(1 + 4(likely − low)/(high − low), 1 + 4(high − likely)/(high − low))."""
        width = self.high - self.low
        if width == 0:
            return np.full(share.shape, self.low)
        a, b = 1 + 4 * (self.likely - self.low) / width, 1 + 4 * (self.high - self.likely) / width
        return self.low + width * _beta_quantile(share, a, b)


class Uniform(Estimate):
    """low / high: every value between them alike; its point value is the middle."""

    low: float
    high: float

    @model_validator(mode="after")
    def _ordered(self) -> Uniform:
        if not self.low <= self.high:
            raise ValueError(f"low {self.low:g} must be at most high {self.high:g}")
        return self

    @property
    def _point(self) -> float:
        """The middle."""
        return (self.low + self.high) / 2

    @property
    def stated(self) -> tuple[float, ...]:
        """low, high."""
        return (self.low, self.high)

    @property
    def ends(self) -> tuple[float, float]:
        """low, high."""
        return self.low, self.high

    def _quantile(self, share: Floats) -> Floats:
        return np.asarray(self.low + share * (self.high - self.low))


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
    def _point(self) -> float:
        """The median, exp(½·(ln p10 + ln p90))."""
        return self.p10 if self.is_certain else exp(self._middle)

    @property
    def _middle(self) -> float:
        return (log(self.p10) + log(self.p90)) / 2

    @property
    def stated(self) -> tuple[float, ...]:
        """p10, p90."""
        return (self.p10, self.p90)

    @property
    def spread(self) -> float:
        """Standard deviation of the logarithm, ln(p90/p10)/2.5631."""
        return log(self.p90 / self.p10) / (2 * Z90)

    def _quantile(self, share: Floats) -> Floats:
        if self.is_certain:
            return np.full(share.shape, self.p10)
        return np.exp(self._middle + self.spread * _normal_quantile(share))

    @property
    def _share_within(self) -> tuple[float, float]:
        if self.is_certain:
            return 0.0, 1.0
        low, high = (_normal_share((_log(bound) - self._middle) / self.spread) for bound in self._bounds)
        return low, high


class LogitNormal(Estimate):
    """p10 / p90 of a share: ln(s/(1 − s)) is normal, so that every draw is a share; its point value is the median."""

    p10: float
    p90: float

    @model_validator(mode="after")
    def _ordered(self) -> LogitNormal:
        if not 0 < self.p10 <= self.p90 < 1:
            raise ValueError(
                f"p10 {self.p10:g} and p90 {self.p90:g} of a share must ascend and lie between 0 and 1, ends excluded"
            )
        return self

    @property
    def _middle(self) -> float:
        return (_logit(self.p10) + _logit(self.p90)) / 2

    @property
    def _spread(self) -> float:
        return (_logit(self.p90) - _logit(self.p10)) / (2 * Z90)

    @property
    def _point(self) -> float:
        """The median, where the logit is midway between those of p10 and p90."""
        return self.p10 if self.is_certain else 1 / (1 + exp(-self._middle))

    @property
    def stated(self) -> tuple[float, ...]:
        """p10, p90."""
        return (self.p10, self.p90)

    def _quantile(self, share: Floats) -> Floats:
        if self.is_certain:
            return np.full(share.shape, self.p10)
        return np.asarray(1 / (1 + np.exp(-(self._middle + self._spread * _normal_quantile(share)))))

    @property
    def _share_within(self) -> tuple[float, float]:
        if self.is_certain:
            return 0.0, 1.0
        low, high = (_normal_share((_logit(bound) - self._middle) / self._spread) for bound in self._bounds)
        return low, high


def _logit(share: float) -> float:
    return -inf if share <= 0 else inf if share >= 1 else log(share / (1 - share))


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
    def _point(self) -> float:
        """k/n."""
        return self.successes / self.trials

    @property
    def stated(self) -> tuple[float, ...]:
        """k/n."""
        return (self._point,)

    @property
    def is_certain(self) -> bool:
        """Never: a finite number of trials leaves the share uncertain."""
        return False

    def _quantile(self, share: Floats) -> Floats:
        return _beta_quantile(share, self.successes + 0.5, self.trials - self.successes + 0.5)

    @property
    def _share_within(self) -> tuple[float, float]:
        from scipy.special import betainc  # slow to import, and wanted for draws alone

        low, high = betainc(self.successes + 0.5, self.trials - self.successes + 0.5, np.clip(self._bounds, 0, 1))
        return float(low), float(high)


class Observed(Estimate):
    """Observed values, taken with equal weight; the point value is their median."""

    values: tuple[float, ...]

    @model_validator(mode="after")
    def _not_empty(self) -> Observed:
        if not self.values:
            raise ValueError("values is empty; give at least one observed value")
        return self

    @property
    def _point(self) -> float:
        """The median."""
        return float(median(self.values))

    @property
    def stated(self) -> tuple[float, ...]:
        """The values."""
        return self.values

    @property
    def ends(self) -> tuple[float, float]:
        """The smallest and the largest value."""
        return min(self.values), max(self.values)

    def _quantile(self, share: Floats) -> Floats:
        ordered = np.sort(self.values)
        return np.asarray(ordered[np.minimum((share * len(ordered)).astype(int), len(ordered) - 1)])


_BY_KEYS: tuple[tuple[frozenset[str], type[Estimate]], ...] = (
    (frozenset({"low", "likely", "high"}), Pert),
    (frozenset({"low", "high"}), Uniform),
    (frozenset({"p10", "p90"}), LogNormal),
    (frozenset({"successes", "trials"}), Successes),
    (frozenset({"values"}), Observed),
)
ESTIMATE_KEYS = frozenset().union(*(keys for keys, _ in _BY_KEYS))
_SMALLEST = 1e-12
_LARGEST = 1e12
_FORMS = "a number or one of {low, likely, high}, {low, high}, {p10, p90}, {successes, trials}, {values: [...]}"


@dataclass(frozen=True)
class NumberRule:
    """What a numeric field takes: its bounds, both included, and whether only whole numbers, nothing, or some words."""

    low: float
    high: float
    whole: bool = False
    optional: bool = False
    words: tuple[str, ...] = ()

    def __call__(self, value: Any) -> Any:
        """The number or estimate that is stated.

        Raises:
            ValueError: it is none, or out of bounds.
        """
        if (self.optional and value is None) or (self.words and value in self.words):
            return value
        if isinstance(value, Estimate):
            parsed: float | Estimate = value
        elif isinstance(value, dict):
            parsed = _estimate(value)
        elif isinstance(value, bool) or not isinstance(value, (int, float)):
            or_word = "".join(f" or {word}" for word in self.words)
            raise ValueError(f"expected {_FORMS}{or_word}, got {value!r:.60}; the unit is in the name, so write the number alone")
        else:
            number = _finite(value)
            parsed = int(number) if self.whole and number.is_integer() else number
        for number in parsed.stated if isinstance(parsed, Estimate) else (parsed,):
            _check_bounds(number, self.low, self.high)
        if isinstance(parsed, LogNormal) and self.low >= 0 and self.high <= 1:
            parsed = LogitNormal(p10=parsed.p10, p90=parsed.p90)
        if isinstance(parsed, Estimate):
            parsed = parsed.within(self.low, self.high, self.whole)
        if self.whole and not isinstance(parsed, (int, Estimate)):
            raise ValueError(f"expected a whole number, got {parsed:g}")
        return parsed


def _number(low: float, high: float, *, whole: bool = False, optional: bool = False, words: tuple[str, ...] = ()) -> Any:
    accepted: Any = float | Pert | Uniform | LogNormal | Successes | Observed
    if optional:
        accepted = accepted | None
    if words:
        accepted = accepted | Literal[words]
    return PlainValidator(NumberRule(low, high, whole, optional, words), json_schema_input_type=accepted)


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
HoursOfMonth = Annotated[float, _number(_SMALLEST, 730), _serialise]
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
