"""What can be moved in a comparison, by its path: a field of the scenario, a listed price, an assumption.

``task.examples`` is the scenario file's dotted path. ``prices.openai/gpt-6.1-terra.output_usd_per_mtok`` is a price: its value is
that on the day of the comparison, and what else the book has under that key (other months, context tiers, batch or tuned rates)
moves by the same factor. ``assumptions.staff.overhead_share`` is a number nobody lists.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calc.compare import Comparison, compare_at, roles_used
from calc.estimate import Estimate
from calc.export import assumptions, price_rows, stated_ranges
from calc.fields import VOLUME, NumberField, number_field, numbers, with_field, with_value
from calc.setting import role_rate, say
from pricing import Price, PricingError
from pricing.keys import PRICE_KEYS
from pricing.near import did_you_mean

Floats = NDArray[np.float64]
PRICES = "prices."
ASSUMPTIONS = "assumptions."
STAFF = "staff_usd_per_hour."
MOST_WHOLE_VALUES = 2000
"""Values of a number that moves in steps which are computed one by one."""


@dataclass(frozen=True)
class Movable:
    """A number of a comparison that can be given other values."""

    path: str
    present: float | None
    """Its value in the comparison; None where it is not stated and no one number takes its place."""
    unit: str
    low: float
    high: float
    """Its bounds, both included."""
    whole: bool = False
    moves_in_steps: bool = False
    """Whether it is computed one value at a time."""
    stated: Estimate | None = None
    """Its range, where the scenario states one."""

    def usual_range(self, comparison: Comparison) -> tuple[float, float, str]:
        """The values to look at where nobody says which, and where they come from.

        Raises:
            ValueError: it is not stated, or 0, so that nothing says how large it may be.
        """
        if self.path == VOLUME:
            return 1.0, float(comparison.largest_volume), "the volumes at which break-evens are sought"
        if self.stated is not None and not self.stated.is_certain:
            low, high = self.stated.ends
            return low, high, "the stated range" if self.stated.has_ends else "the middle 98% of the stated distribution"
        if self.moves_in_steps and self.high - self.low < MOST_WHOLE_VALUES:
            within = comparison.months.count - 1 if self.path.endswith(".go_live_month") else self.high
            return self.low, float(within), "every value the field takes"
        if self.low >= 0 and self.high <= 1:
            return 0.01 if 0 < self.low < 0.01 else self.low, self.high, "every share"
        if not self.present:
            what = "0" if self.present == 0 else "not stated"
            raise ValueError(f"{self.path} is {what}, which gives no range to look at: say from and to")
        ends = sorted((self.present / 10, self.present * 10))
        return max(ends[0], self.low), min(ends[1], self.high), "a tenth to ten times the present value"

    def check(self, comparison: Comparison, value: float) -> None:
        """Raise ValueError where it cannot take the value; what is wrong in some scenarios only is for `at` to find."""
        if self.whole and not float(value).is_integer():
            raise ValueError(f"{self.path} takes whole numbers, got {value:g}")
        if not self.path.startswith((PRICES, ASSUMPTIONS)) and not self.moves_in_steps:
            with_value(comparison.point, self.path, value)
        elif not self.low <= value <= self.high:
            bound = f"between {say(self.low)} and {say(self.high)}" if self.high < np.inf else f"{say(self.low)} or more"
            raise ValueError(f"{self.path}: expected a number {bound}, got {value:g}")

    def at(self, comparison: Comparison, values: Floats) -> Comparison:
        """The comparison with the number replaced by several values, shape (n,); by one where it moves in steps.

        Raises:
            ValueError, PricingError: the model refuses one of the values.
        """
        if self.moves_in_steps:
            return compare_at(with_value(comparison.point, self.path, float(values[0])), comparison.rates)
        return moved(comparison, [(self, values)])


def moved(comparison: Comparison, numbers: Iterable[tuple[Movable, Floats]]) -> Comparison:
    """The comparison with several numbers replaced at once, each by values of the same shape (n,).

    Raises:
        ValueError: one of them moves in steps, or the model refuses one of the values.
        PricingError: the model refuses one of the values.
    """
    point = comparison.point
    assuming, pricing = dict[str, Floats](), dict[tuple[str, str], Floats]()
    for number, values in numbers:
        if number.path.startswith(PRICES):
            row = price_in_force(comparison, number.path)
            pricing[row.offer, row.key] = values[:, np.newaxis] / row.usd
        elif number.path.startswith(ASSUMPTIONS):
            assuming[number.path.removeprefix(ASSUMPTIONS)] = values[:, np.newaxis]
        else:
            point = with_field(point, number.path, values)
    return compare_at(point, comparison.rates.assuming(assuming).pricing(pricing))


def movable(comparison: Comparison, path: str) -> Movable:
    """The number at a path.

    Raises:
        ValueError: there is none, or nothing that is compared hangs on it; the path and near matches are named.
    """
    if path.startswith(PRICES):
        return _price(price_in_force(comparison, path), path)
    if path.startswith(ASSUMPTIONS):
        return _assumption(comparison, path)
    field = number_field(comparison.point, path)
    if path.startswith(STAFF):
        return _rate(comparison, path, field)
    leaf = path.rpartition(".")[2]
    named = path.split(".")[-2] if leaf.isdigit() else leaf
    unit = "share" if field.low >= 0 and field.high <= 1 else named.replace("_", " ").replace("usd", "US$")
    stated = stated_ranges(comparison.scenario).get(path)
    return Movable(path, field.value, unit, field.low, field.high, field.whole, field.moves_in_steps, stated)


def movables(comparison: Comparison) -> tuple[Movable, ...]:
    """Every number with a value: the scenario's fields, the rates of its roles, the assumptions and the prices it uses."""
    return tuple(movable(comparison, path) for path in dict.fromkeys(_paths(comparison)))


def _paths(comparison: Comparison) -> Iterator[str]:
    yield from (path for path, _ in numbers(comparison.point) if not path.startswith(STAFF))
    yield from (f"{STAFF}{role}" for role in dict.fromkeys(roles_used(comparison.point).values()))
    yield from (f"{ASSUMPTIONS}{name}" for name in assumptions(comparison))
    paid = price_rows(comparison)
    for offer, key in dict.fromkeys((row.offer, row.key) for row in paid):
        if _standing_for(comparison, [row for row in paid if (row.offer, row.key) == (offer, key)]).usd:
            yield f"{PRICES}{offer}.{key}"


def price_in_force(comparison: Comparison, path: str) -> Price:
    """The row that a price's path stands for: of those paid, the one in force on the day, the standard one first.

    Raises:
        ValueError: there is no such price, nothing is billed at it, or it is 0, which no factor moves.
    """
    offer, _, key = path.removeprefix(PRICES).rpartition(".")
    rates, paid = comparison.rates, price_rows(comparison)
    if key not in PRICE_KEYS:
        raise ValueError(f"{path}: there is no price '{key}'. {did_you_mean(key, PRICE_KEYS)}".rstrip())
    if "/" in offer or offer not in {row.offer for row in paid}:
        try:
            provider, item_id, _ = rates.item(offer)
        except PricingError as error:
            raise ValueError(f"{path}: {error}") from None
        offer = f"{provider.id}/{item_id}"
    rows = [row for row in paid if (row.offer, row.key) == (offer, key)]
    if not rows:
        known = dict.fromkeys(f"{PRICES}{row.offer}.{row.key}" for row in paid)
        raise ValueError(f"{path}: nothing here is billed at this price. {did_you_mean(path, known)}".rstrip())
    found = _standing_for(comparison, rows)
    if not found.usd:
        raise ValueError(f"{path}: it is $0 in the price book, and a multiple of that moves nothing; state a price of your own")
    return found


def _standing_for(comparison: Comparison, rows: Iterable[Price]) -> Price:
    """Of the rows of one price the one in force on the day, the standard one first."""
    return min(rows, key=lambda row: (row.effective > comparison.as_of, bool(row.conditions), -row.effective.toordinal()))


def _price(row: Price, path: str) -> Movable:
    return Movable(path, row.usd, row.unit + (f", {row.conditions}" if row.conditions else ""), 0.0, np.inf)


def _assumption(comparison: Comparison, path: str) -> Movable:
    used, name = assumptions(comparison), path.removeprefix(ASSUMPTIONS)
    if name not in used:
        known = comparison.rates.assumptions
        wrong = "nothing here rests on this assumption" if name in known else f"there is no assumption '{name}'"
        raise ValueError(f"{path}: {wrong}. {did_you_mean(name, used) or 'Used are ' + ', '.join(used)}")
    found = used[name]
    low = 0.0 if found.low >= 0 else -np.inf
    return Movable(path, found.likely, found.unit, low, 1.0 if found.unit.startswith("share of") and found.high <= 1 else np.inf)


def _rate(comparison: Comparison, path: str, field: NumberField) -> Movable:
    role, used = path.removeprefix(STAFF), dict.fromkeys(roles_used(comparison.point).values())
    if role not in used:
        raise ValueError(f"{path}: no hours of '{role}' are counted here. {did_you_mean(role, used) or ', '.join(used) + ' are'}")
    present: Any = field.value
    if present is None:
        try:
            present = float(role_rate(comparison.rates, role)[0])
        except PricingError:
            present = None
    stated = stated_ranges(comparison.scenario).get(path)
    return Movable(path, present, "US$ per hour", 0.0, 10_000.0, stated=stated)
