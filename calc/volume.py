"""How a monthly quantity depends on the monthly volume V, and what a whole approach costs as a function of V.

A cost line's own quantity is one of five shapes: a straight line, whole steps (replicas), whole steps of which the last sleeps
when idle, a plan minimum paid on top of
usage, or the tokens of a cached prompt prefix. Coefficients are arrays whose last axis is months (H); leading axes
(draws) broadcast. `at(volume)` takes volumes of any shape S and returns quantities of shape S + (H,).

A `Curve` adds up quantity x unit price over all lines and months. Because the set of shapes is closed, the sum has a closed
form with very few terms, which is what makes a chart of 10,000 points cheap and a break-even provable:

    total(V) = fixed + slope V
             + sum over steps    of weight max(minimum, ceil(load V))
             + sum over top-ups  of weight max(0, gap - per_request V)
             + sum over prefixes of [V > above] (slope V + (alpha V + beta) (e^(-rate V) - 1))
             + sum over hinges   of weight max(0, inner(V)), inner being a total of this form itself

Two more shapes take a spend, quantities x unit prices of other lines, and lead to hinges: what a commitment bills beyond the
spend, and what a credit pays of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Numbers = float | Array

DAY_SECONDS = 86_400.0
STEP_TOLERANCE = 1e-12
"""A load above a whole number by no more than this share of itself is rounding, not a further step (0.1 x 30 is 3)."""


def whole_steps(load: Numbers) -> Array:
    """Whole steps that carry `load` (any shape): ceil(load (1 - 1e-12)). The step above k falls just after load = k."""
    return np.ceil(np.asarray(load, dtype=float) * (1.0 - STEP_TOLERANCE))


def hit_share(daily_requests: Numbers, active_seconds_per_day: Numbers, ttl_seconds: Numbers) -> Array:
    """Share of requests (any broadcast shape, 0 to 1) that find a prefix in a cache whose time-to-live restarts at each use.

    Poisson arrivals, n a day within T active seconds. A request at time t of the day hits if another came in the last
    min(t, tau) seconds, with probability 1 - e^(-n min(t, tau)/T). Averaged over t, with rho = min(tau, T)/T and x = n rho,

        h = (1 - e^(-x)) - (1 - e^(-x))/n + rho e^(-x) = (1 - e^(-x)) - rho ((1 - e^(-x))/x - e^(-x))

    where the night, 86400 - T seconds, outlasts the cache. Otherwise the first request of a day may hit as any other does:
    h = 1 - e^(-n tau/T). Without requests h = 0. h rises with n, ever more slowly (it is concave), towards 1.
    """
    active = np.asarray(active_seconds_per_day, dtype=float)
    kept, night_share = _kept_and_night_share(active, np.asarray(ttl_seconds, dtype=float))
    x = np.asarray(daily_requests, dtype=float) * kept
    missed = np.expm1(-x)
    return -missed - night_share * _first_of_day(x, missed) if np.any(night_share) else -missed


def _kept_and_night_share(active: Array, ttl: Array) -> tuple[Array, Array]:
    """(tau/T, capped at 1 where the night empties the cache; the same where it does, else 0)."""
    emptied = DAY_SECONDS - active > ttl
    kept = np.where(emptied, np.minimum(ttl, active), ttl) / active
    return kept, np.where(emptied, kept, 0.0)


def _first_of_day(x: Array, missed: Array | None = None) -> Array:
    """(1 - e^(-x))/x - e^(-x), without cancellation: its series, sum of (-1)^k (k-1)/k! x^(k-1) from k = 2, below x = 0.05.

    Args:
        missed: e^(-x) - 1, where it is known already.
    """
    missed = np.expm1(-x) if missed is None else missed
    large = -missed / np.maximum(x, 0.05) - 1 - missed
    is_small = x < 0.05
    if not is_small.any():
        return np.asarray(large)
    small = np.minimum(x, 0.05)
    series = small * (1 / 2 - small * (1 / 3 - small * (1 / 8 - small * (1 / 30 - small * (1 / 144 - small / 840)))))
    return np.where(is_small, series, large)


def hit_share_reached(share: Array, night_share: Array) -> Array:
    """The x = n tau/T at which `hit_share` is `share`: -inf below 0, inf from 1. Shapes broadcast.

    h is concave and at most 1 - e^(-x), so Newton's steps from -ln(1 - share) climb to the root without passing it.
    """
    share, night_share = np.broadcast_arrays(np.asarray(share, dtype=float), np.asarray(night_share, dtype=float))
    inside = (share > 0) & (share < 1)
    goal = np.where(inside, share, 0.5)
    x = -np.log1p(-goal)
    for _ in range(200):
        first_of_day = night_share * _first_of_day(x)
        step = (goal + np.expm1(-x) + first_of_day) / ((1 - night_share) * np.exp(-x) + first_of_day / x)
        x = x + np.maximum(step, 0.0)
        if not (step > 4e-16 * x).any():
            break
    return np.where(inside, x, np.where(share < 0, -np.inf, np.where(share >= 1, np.inf, 0.0)))


def _per_month(volume: Numbers) -> Array:
    """Volumes of shape S as S + (1,), ready to meet coefficients over months."""
    return np.asarray(volume, dtype=float)[..., np.newaxis]


@dataclass(frozen=True, slots=True, eq=False)
class Linear:
    """fixed + per_request V: `fixed` in units a month, `per_request` in units per request of month 0 (growth is inside it)."""

    fixed: Numbers
    per_request: Numbers

    def at(self, volume: Numbers) -> Array:
        """Units a month at `volume` requests in month 0; S -> S + (H,)."""
        fixed, per_request = np.asarray(self.fixed, dtype=float), np.asarray(self.per_request, dtype=float)
        # most lines are one or the other: with draws this spares most of the work
        if per_request.ndim < 2 and not per_request.any():
            everywhere = np.broadcast_shapes(fixed.shape, per_request.shape, (*np.shape(volume), 1))
            return np.broadcast_to(fixed, everywhere)
        used = per_request * _per_month(volume)
        return used if fixed.ndim < 2 and not fixed.any() else np.asarray(fixed + used)


@dataclass(frozen=True, slots=True, eq=False)
class Steps:
    """size max(minimum, ceil(load V)): whole replicas; load in replicas per request of month 0, growth and peak inside it."""

    load_per_request: Numbers
    minimum: Numbers
    size: Numbers = 1.0

    def at(self, volume: Numbers) -> Array:
        """Units a month at `volume` requests in month 0; S -> S + (H,). A step falls just after its breakpoint."""
        steps = whole_steps(np.asarray(self.load_per_request) * _per_month(volume))
        return np.asarray(self.size * np.maximum(self.minimum, steps))


@dataclass(frozen=True, slots=True, eq=False)
class SleepingSteps:
    """steps less size e^(-wakings V): whole replicas of which the last sleeps while no request came within its idle timeout.

    `wakings_per_request` is requests within the timeout, per request of month 0, growth inside it. The minimum of the steps is 1.
    """

    steps: Steps
    wakings_per_request: Numbers

    def at(self, volume: Numbers) -> Array:
        """Units a month at `volume` requests in month 0; S -> S + (H,)."""
        asleep = np.exp(-np.asarray(self.wakings_per_request) * _per_month(volume))
        return np.asarray(self.steps.at(volume) - self.steps.size * asleep)


@dataclass(frozen=True, slots=True, eq=False)
class TopUp:
    """max(0, minimum - (fixed + per_request V)): what a plan minimum adds to a month's usage."""

    minimum: Numbers
    fixed: Numbers
    per_request: Numbers

    def at(self, volume: Numbers) -> Array:
        """Units a month at `volume` requests in month 0; S -> S + (H,)."""
        usage = self.fixed + np.asarray(self.per_request) * _per_month(volume)
        return np.asarray(np.maximum(0.0, self.minimum - usage))


@dataclass(frozen=True, slots=True, eq=False)
class CachedPrefix:
    """Tokens a month of a cacheable prompt prefix that are read from the cache, written to it, or sent past it.

    `tokens_per_request` and `daily_requests_per_request` are per request of month 0 (growth is inside them); the latter turns
    V into the requests a day that share the cache. In a month the cache is used only where the hit share exceeds `pays_above`
    (below 0 where caching is implicit): then V tokens h are read and V tokens (1 - h) written; otherwise all go uncached.
    """

    outcome: Literal["read", "written", "uncached"]
    tokens_per_request: Numbers
    daily_requests_per_request: Numbers
    active_seconds_per_day: Numbers
    ttl_seconds: Numbers
    pays_above: Numbers

    def at(self, volume: Numbers) -> Array:
        """Tokens a month at `volume` requests in month 0; S -> S + (H,)."""
        requests = _per_month(volume)
        hits = hit_share(requests * np.asarray(self.daily_requests_per_request), self.active_seconds_per_day, self.ttl_seconds)
        used = hits > self.pays_above
        share = {"read": used * hits, "written": used * (1 - hits), "uncached": ~used}[self.outcome]
        return np.asarray(requests * np.asarray(self.tokens_per_request) * share)


@dataclass(frozen=True, slots=True, eq=False)
class Shortfall:
    """max(0, commitment - spend): what a month's spend lacks of `commitment` US$; spend is (quantity, US$ a unit) of lines."""

    commitment: Numbers
    spend: tuple[tuple[Shape, Numbers], ...]

    def at(self, volume: Numbers) -> Array:
        """US$ a month at `volume` requests in month 0; S -> S + (H,)."""
        return np.asarray(np.maximum(0.0, self.commitment - spent(self.spend, volume)))


@dataclass(frozen=True, slots=True, eq=False)
class Drawdown:
    """What a credit of `usd` pays of the spend in its `months` (1, else 0, of shape (H,)), until it is used up.

    What the `earlier` credits pay is no longer there to be paid. Spend is never below 0 and no month of it is unpriced.
    """

    usd: float
    months: Array
    spend: tuple[tuple[Shape, Numbers], ...]
    earlier: tuple[Drawdown, ...] = ()

    def at(self, volume: Numbers) -> Array:
        """US$ a month at `volume` requests in month 0; S -> S + (H,)."""
        bill = spent(self.spend, volume) - sum(credit.at(volume) for credit in self.earlier)
        left = np.maximum(0.0, self.usd - np.cumsum(bill * self.months, axis=-1))
        return np.asarray(-np.diff(left, axis=-1, prepend=self.usd))


def spent(spend: Iterable[tuple[Shape, Numbers]], volume: Numbers) -> Array:
    """US$ a month of lines (quantity, US$ a unit); volumes of shape S -> S + (H,)."""
    return np.asarray(sum((shape.at(volume) * price for shape, price in spend), start=np.zeros(1)))


Shape = Linear | Steps | SleepingSteps | TopUp | CachedPrefix | Shortfall | Drawdown


class StepTerms(NamedTuple):
    """Terms weight max(minimum, ceil(load V)); arrays of one length, weight in US$ a step."""

    load: Array
    minimum: Array
    weight: Array

    def counts(self, volumes: Array) -> Array:
        """Steps taken by each term; (N,) -> (N, terms)."""
        return np.maximum(self.minimum, whole_steps(np.multiply.outer(volumes, self.load)))


class TopUpTerms(NamedTuple):
    """Terms weight max(0, gap - per_request V); arrays of one length, weight in US$ a unit."""

    gap: Array
    per_request: Array
    weight: Array

    def missing(self, volumes: Array) -> Array:
        """Units short of each minimum; (N,) -> (N, terms)."""
        return np.maximum(0.0, self.gap - np.multiply.outer(volumes, self.per_request))


class PrefixTerms(NamedTuple):
    """Terms [V > above] (slope V + (alpha V + beta)(e^(-rate V) - 1)); arrays of one length, amounts in US$."""

    rate: Array
    above: Array
    slope: Array
    alpha: Array
    beta: Array

    def used(self, volumes: Array) -> NDArray[np.bool_]:
        """Whether each term's cache is used; (N,) -> (N, terms)."""
        return volumes[:, np.newaxis] > self.above

    def decay(self, volumes: Array) -> Array:
        """e^(-rate V) - 1; (N,) -> (N, terms)."""
        return np.expm1(np.multiply.outer(volumes, -self.rate))


@dataclass(frozen=True, slots=True, eq=False)
class Hinge:
    """A term weight max(0, inner(V)); weight in US$ a unit of `inner`."""

    inner: Curve
    weight: float


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """Total US$ over the horizon as a function of V, with terms of equal breakpoints merged (formula in the module's heading).

    `gross_fixed + gross_slope V` bounds the sum of the absolute amounts: the yardstick of what rounding can do to a total.
    """

    fixed: float
    slope: float
    gross_fixed: float
    gross_slope: float
    steps: StepTerms
    top_ups: TopUpTerms
    prefixes: PrefixTerms
    hinges: tuple[Hinge, ...] = ()

    @classmethod
    def of(cls, pairs: Iterable[tuple[Shape, Numbers]], volume_scale: float = 1.0) -> Curve:
        """The curve of lines (quantity's shape, US$ a unit by month), as if V were V `volume_scale`.

        Coefficients and prices are scalars or arrays over months. Prices below 0 are benefits.
        """
        constants, hinges = np.zeros(4), list[Hinge]()
        steps, top_ups, prefixes = np.zeros((0, 3)), np.zeros((0, 3)), np.zeros((0, 5))
        for shape, unit_price in pairs:
            match shape:
                case Linear():
                    constants += _line_terms(shape, unit_price)
                case Steps():
                    steps = np.vstack([steps, _step_terms(shape, unit_price)])
                case SleepingSteps():
                    steps = np.vstack([steps, _step_terms(shape.steps, unit_price)])
                    always, varying = _sleep_terms(shape, unit_price)
                    constants += always
                    prefixes = np.vstack([prefixes, varying])
                case TopUp():
                    top_ups = np.vstack([top_ups, _top_up_terms(shape, unit_price)])
                case CachedPrefix():
                    always, varying = _prefix_terms(shape, unit_price)
                    constants += always
                    prefixes = np.vstack([prefixes, varying])
                case Shortfall():
                    hinges += _shortfall_hinges(shape, unit_price, volume_scale)
                case Drawdown():
                    granted, left = _drawdown_terms(shape, unit_price, volume_scale)
                    constants += granted
                    hinges += left
        steps, top_ups, prefixes = (_merged(terms, 2) for terms in (steps, top_ups, prefixes))
        return _assemble(constants, steps, top_ups, prefixes, _merged_hinges(hinges), volume_scale)

    def total(self, volume: Numbers) -> Array:
        """US$ over the horizon at volumes of any shape S -> S."""
        volumes = np.asarray(volume, dtype=float)
        line = np.asarray(self.fixed + self.slope * volumes)
        if self.is_straight:
            return line
        return line + self._bent(volumes.ravel()).reshape(volumes.shape)

    @property
    def is_straight(self) -> bool:
        """Whether the total is fixed + slope V for all V."""
        return not (self.steps.load.size or self.top_ups.gap.size or self.prefixes.rate.size or self.hinges)

    @property
    def key(self) -> bytes:
        """The same for curves of the same terms."""
        numbers = [np.array([self.fixed, self.slope]), *self.steps, *self.top_ups, *self.prefixes]
        inside = [hinge.inner.key + np.float64(hinge.weight).tobytes() for hinge in self.hinges]
        return b"|".join([*(column.tobytes() for column in numbers), *inside])

    def _bent(self, volumes: Array) -> Array:
        """What steps, top-ups and cached prefixes add to the straight line; (N,) -> (N,)."""
        prefixes, amount = self.prefixes, np.zeros_like(volumes)
        if self.steps.load.size:
            amount += self.steps.counts(volumes) @ self.steps.weight
        if self.top_ups.gap.size:
            amount += self.top_ups.missing(volumes) @ self.top_ups.weight
        if prefixes.rate.size:
            used = prefixes.used(volumes)
            decay = prefixes.decay(volumes) * used
            amount += volumes * (used @ prefixes.slope + decay @ prefixes.alpha) + decay @ prefixes.beta
        for hinge in self.hinges:
            amount += hinge.weight * np.maximum(0.0, hinge.inner.total(volumes))
        return amount


def _by_month(*numbers: Numbers) -> list[Array]:
    """The numbers as finite or infinite float arrays over the same months."""
    months = [np.asarray(number, dtype=float) for number in np.broadcast_arrays(*numbers, np.zeros(1))[:-1]]
    if months[0].ndim > 1:
        raise ValueError(f"a curve is one total per volume: coefficients must be over months only, not {months[0].shape}")
    return months


def _line_terms(shape: Linear, unit_price: Numbers) -> Array:
    """[fixed, slope, gross fixed, gross slope]."""
    fixed, per_request, price = _by_month(shape.fixed, shape.per_request, unit_price)
    return np.array([fixed @ price, per_request @ price, np.abs(fixed) @ np.abs(price), np.abs(per_request) @ np.abs(price)])


def _step_terms(shape: Steps, unit_price: Numbers) -> Array:
    """Rows (load, minimum, weight)."""
    load, minimum, size, price = _by_month(shape.load_per_request, shape.minimum, shape.size, unit_price)
    return np.column_stack([load, minimum, size * price])


def _sleep_terms(shape: SleepingSteps, unit_price: Numbers) -> tuple[Array, Array]:
    """[fixed, slope, gross fixed, gross slope] as if ever asleep, and rows (rate, above, slope, alpha, beta) of being awake."""
    rate, size, price = _by_month(shape.wakings_per_request, shape.steps.size, unit_price)
    amount, none = size * price, np.zeros_like(rate)
    always = np.array([-amount.sum(), 0.0, np.abs(amount).sum(), 0.0])
    return always, np.column_stack([rate, none, none, none, -amount])


def _top_up_terms(shape: TopUp, unit_price: Numbers) -> Array:
    """Rows (gap, per request, weight)."""
    minimum, fixed, per_request, price = _by_month(shape.minimum, shape.fixed, shape.per_request, unit_price)
    return np.column_stack([minimum - fixed, per_request, price])


def _prefix_terms(shape: CachedPrefix, unit_price: Numbers) -> tuple[Array, Array]:
    """[fixed, slope, gross fixed, gross slope] as if never used, and rows (rate, above, slope, alpha, beta) of what use changes.

    With d = daily requests per request, rho the night share of `hit_share` and rate = d tau/T, multiplying out gives
    V h = rho V + (rho V - V + [rho > 0]/d) (e^(-rate V) - 1).
    """
    tokens, daily, active, ttl, pays_above, price = _by_month(
        shape.tokens_per_request, shape.daily_requests_per_request, shape.active_seconds_per_day, shape.ttl_seconds,
        shape.pays_above, unit_price,
    )  # fmt: skip
    kept, night_share = _kept_and_night_share(active, ttl)
    rate = daily * kept
    with np.errstate(divide="ignore", invalid="ignore"):
        above = np.where(rate > 0, hit_share_reached(pays_above, night_share) / rate, np.where(pays_above < 0, -np.inf, np.inf))
        first = np.where((night_share > 0) & (rate > 0), 1 / daily, 0.0)
    night_share = np.where(rate > 0, night_share, 0.0)
    amount = tokens * price
    if_unused = {"read": 0.0, "written": 0.0, "uncached": 1.0}[shape.outcome]
    if_used = {"read": 0.0, "written": 1.0, "uncached": 0.0}[shape.outcome]
    of_hits = {"read": 1.0, "written": -1.0, "uncached": 0.0}[shape.outcome] * amount
    slope = amount * (if_used - if_unused) + of_hits * night_share
    rows = np.column_stack([rate, np.maximum(above, 0.0), slope, of_hits * (night_share - 1), of_hits * first])
    always = if_unused * np.array([0.0, amount.sum(), 0.0, np.abs(amount).sum()])
    return always, rows[rows[:, 1] < np.inf]


def _shortfall_hinges(shape: Shortfall, unit_price: Numbers, volume_scale: float) -> list[Hinge]:
    """One hinge a month in which something is committed: what is missing to it."""
    committed, price = _by_month(shape.commitment, unit_price)
    found = []
    for month in np.flatnonzero(committed * price):
        only = (np.arange(len(committed)) == month).astype(float)
        found.append(Hinge(_less(committed[month], shape.spend, only, volume_scale), price[month]))
    return found


def _drawdown_terms(shape: Drawdown, unit_price: Numbers, volume_scale: float) -> tuple[Array, list[Hinge]]:
    """[fixed, slope, gross fixed, gross slope] of the credit as granted, and hinges of what is left of it after a month.

    A month takes what was left before it less what is left after it, so with one price throughout all but the last cancel.
    """
    in_force, price = _by_month(shape.months, unit_price)
    bill = (*shape.spend, *((credit, -1.0) for credit in shape.earlier))
    found = []
    for month in np.flatnonzero(np.append(price[1:], 0.0) - price):
        until = in_force * (np.arange(len(in_force)) <= month)
        weight = float((price[month + 1] if month + 1 < len(price) else 0.0) - price[month])
        found.append(Hinge(_less(shape.usd, bill, until, volume_scale), weight))
    granted = shape.usd * price[0]
    return np.array([granted, 0.0, abs(granted), 0.0]), found


def _less(amount: float, spend: Iterable[tuple[Shape, Numbers]], months: Array, volume_scale: float) -> Curve:
    """amount - spend in some months, as a curve."""
    shares = [(Linear(amount * (np.arange(len(months)) == 0), 0.0), np.ones(len(months)))]
    return Curve.of([*shares, *((shape, -np.asarray(price) * months) for shape, price in spend)], volume_scale)


def _merged_hinges(hinges: Iterable[Hinge]) -> tuple[Hinge, ...]:
    """Hinges of equal inner curves added up."""
    weights: dict[bytes, float] = {}
    inner: dict[bytes, Curve] = {}
    for hinge in hinges:
        key = hinge.inner.key
        inner.setdefault(key, hinge.inner)
        weights[key] = weights.get(key, 0.0) + hinge.weight
    return tuple(Hinge(inner[key], weight) for key, weight in weights.items() if weight)


def _merged(rows: Array, keys: int) -> Array:
    """Rows of equal first `keys` columns added up in the others; months alike, and terms of no weight, cost nothing further."""
    rows = rows[(rows[:, keys:] != 0).any(axis=1)]
    if len(rows) < 2:
        return rows
    unique, group = np.unique(rows[:, :keys], axis=0, return_inverse=True)
    sums = [np.bincount(group.reshape(-1), column, len(unique)) for column in rows[:, keys:].T]
    return np.column_stack([unique, *sums])


def _assemble(constants: Array, steps: Array, top_ups: Array, prefixes: Array, hinges: tuple[Hinge, ...], scale: float) -> Curve:
    """The curve of V `scale`, with the gross amounts of its terms; refuses what is not finite."""
    load, minimum, step_weight = steps.T
    gap, per_request, top_up_weight = top_ups.T
    rate, above, slope, alpha, beta = prefixes.T
    fixed = constants[2] + np.abs(step_weight) @ (np.abs(minimum) + 1) + np.abs(top_up_weight) @ np.abs(gap)
    per_volume = constants[3] + np.abs(step_weight) @ load + np.abs(top_up_weight) @ np.abs(per_request)
    per_volume += (np.abs(slope) + np.abs(alpha) + np.abs(beta) * rate).sum()
    if not (np.isfinite([fixed, per_volume, scale]).all() and scale > 0):
        raise ValueError("a curve needs finite quantities and prices, and a volume scale above 0: leave unpriced lines out")
    fixed += sum(abs(hinge.weight) * hinge.inner.gross_fixed for hinge in hinges)
    gross_slope = per_volume * scale + sum(abs(hinge.weight) * hinge.inner.gross_slope for hinge in hinges)
    return Curve(
        float(constants[0]), float(constants[1] * scale), float(fixed), float(gross_slope),
        StepTerms(load * scale, minimum, step_weight),
        TopUpTerms(gap, per_request * scale, top_up_weight),
        PrefixTerms(rate * scale, above / scale, slope * scale, alpha * scale, beta),
        hinges,
    )  # fmt: skip
