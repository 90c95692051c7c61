"""What would change the answer: the nearest value of each single number at which another approach becomes the cheapest."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from math import ceil, floor, inf, log, log10
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from calc.compare import ApproachResult, Comparison
from calc.estimate import Estimate
from calc.feasibility import everywhere, feasibility
from calc.quality import shares_by_origin
from calc.sensitivity import totals_over
from calc.sentences import day_words, model_name, named
from pricing import PricingError
from pricing.currency import symbol

MOST = 5
"""Numbers that are named."""
FACTOR = 10.0
"""A number without a stated range is moved to a tenth and to ten times."""
STEPS, PARTS, ROUNDS = 32, 16, 4
"""Values tried on each side, and into how many parts the first change is split, how often."""
NOTHING = "No single number, moved to a tenth or to ten times, changes the answer."
NOTHING_IN_RANGE = "No single number, moved over its stated range, else to a tenth or to ten times, changes the answer."
Kind = Literal["count", "usd", "share"]


@dataclass(frozen=True)
class Turn:
    """A value of one number, or a day, from which the answer is another."""

    path: str
    """Dotted path of the scenario's field, ``price of`` an offer, or empty for a day."""
    text: str
    now: float | None = None
    then: float | None = None
    """Unrounded."""
    winner: str = ""
    """Who is cheapest then."""
    day: date | None = None

    @property
    def distance(self) -> float:
        """|ln(then ÷ now)|."""
        return abs(log(self.then / self.now)) if self.now and self.then else inf


class _Number(NamedTuple):
    path: str
    what: str
    """What it counts, after the number."""
    now: float
    low: float
    high: float
    kind: Kind
    ranged: bool = False
    """Whether low and high are stated."""
    also: tuple[str, ...] = ()
    """Fields that hold the same measured number and move with it."""


def what_would_change(comparison: Comparison) -> tuple[Turn, ...]:
    """The nearest turns of single numbers, at most five, the nearest first by ratio; then days on which something ends.

    The volume's are exact; others are looked for at 32 values on each side, within the stated range, else a tenth to ten
    times (shares: 0 to 1), and narrowed down. Where nothing turns there is one entry that says so, without a value. Where
    fewer than two approaches have a total there are only days.
    """
    if len(comparison.available) < 2:
        return tuple(_days(comparison))
    numbers = list(_moved(comparison))
    found = [*_volume(comparison), *_numbers(comparison, numbers), *_prices(comparison)]
    nearest = sorted(found, key=lambda turn: turn.distance)[:MOST]
    nothing = NOTHING_IN_RANGE if any(number.ranged for number in numbers) else NOTHING
    return (*(nearest or [Turn("", nothing)]), *_days(comparison))


# --- the volume and the prices: exact -----------------------------------------------------------------------------------------


def _volume(comparison: Comparison) -> Iterator[Turn]:
    today, path = comparison.requests, "workload.requests_per_month"
    at = next((i for i, held in enumerate(comparison.envelope) if held.first <= today <= held.last), None)
    turns = []
    if at is not None and at > 0 and (below := comparison.envelope[at - 1]).winner is not None:
        turns.append((below.last, below.winner, "Up to"))
    if at is not None and at + 1 < len(comparison.envelope) and (above := comparison.envelope[at + 1]).winner is not None:
        turns.append((above.first, above.winner, "From"))
    for volume, winner, which in turns:
        text = f"{which} {volume:,} requests a month instead of {today:,}, {named(winner)} is cheapest."
        yield Turn(path, text, float(today), float(volume), winner)


def _prices(comparison: Comparison) -> Iterator[Turn]:
    """All prices of one offer times x: totals are straight lines in x, unless agreements or price ties bend them."""
    results = comparison.available
    lines = {name: result.ledger.lines for name, result in results.items()}
    if any(line.group == "commitments and credits" for found in lines.values() for line in found):
        return
    totals = {name: float(result.compared_usd()) for name, result in results.items()}
    winner = comparison.winner()
    for offer in dict.fromkeys(result.offer for result in results.values()):
        spent = {name: _spent_on(result, offer) for name, result in results.items()}
        turns = []
        for name in results:
            steeper = spent[winner] - spent[name]
            if steeper and 1 / FACTOR <= (x := 1 + (totals[name] - totals[winner]) / steeper) <= FACTOR and x != 1:
                turns.append((abs(log(x)), x, name))
        if turns:
            _, x, name = min(turns)
            text = f"With {model_name(offer)}'s prices at {_rounded(x, x > 1)} times what they are, {named(name)} is cheapest."
            yield Turn(f"price of {offer}", text, 1.0, x, name)


def _spent_on(result: ApproachResult, offer: str) -> float:
    """US$ over the horizon on lines whose every price is the offer's, on the basis that approaches are compared on."""
    found = [line for line in result.ledger.lines if line.prices and all(row.offer == offer for row in line.prices)]
    return float(sum(line.total(result.requests * result.volume_scale) for line in found))


# --- other numbers: by the same solver as every total ------------------------------------------------------------------------

_SHARED: tuple[tuple[str, str, Kind], ...] = (
    ("workload.user_tokens", "tokens of a user message", "count"),
    ("workload.answer_tokens", "tokens of an answer", "count"),
    ("workload.reasoning_tokens_per_answer_token", "reasoning tokens per answer token", "count"),
    ("workload.cache_hit_share", "of the requests finding their prompt cached", "share"),
    ("workload.batch_share", "of the requests waiting for batch rates", "share"),
    ("task.examples", "training examples", "count"),
    ("task.tokens_per_example", "tokens of an example", "count"),
    ("task.corpus_tokens", "tokens of documents", "count"),
    ("task.facts_changing_per_month_share", "of the facts changing in a month", "share"),
    ("task.rejected_answer_usd", "for a rejected answer", "usd"),
    ("task.rejected_answer_handling_minutes", "minutes for a rejected answer", "count"),
)
_OF_AN_APPROACH: tuple[tuple[str, str, Kind], ...] = (
    ("instruction_tokens", "tokens of instructions", "count"),
    ("shots", "examples shown", "count"),
    ("tuning.epochs", "epochs", "count"),
    ("tuning.runs", "training runs", "count"),
    ("tuning.examples", "training examples", "count"),
    ("retrieval.chunks_per_request", "chunks in a prompt", "count"),
    ("serving.requests_per_second_per_replica", "requests a second and replica", "count"),
)


def _moved(comparison: Comparison) -> Iterator[_Number]:
    """The numbers that are moved: the workload's and the task's, hourly rates, those of the first two and of the best tuned."""
    for path, what, kind in _SHARED:
        yield from _number(comparison, tuple(path.split(".")), what, kind)
    ranked = comparison.ranked()
    tuned = [name for name in ranked if comparison.available[name].approach.tuning is not None]
    followed = dict.fromkeys((*ranked[:2], *tuned[:1]))
    for name in followed:
        for path, what, kind in _OF_AN_APPROACH:
            yield from _number(comparison, ("approaches", name, *path.split(".")), f"{what} ({named(name)})", kind)
    for names in shares_by_origin(comparison.point).values():
        if followed.keys() & set(names):
            what = f"of the answers accepted ({', '.join(named(name) for name in names)})"
            first, *others = (f"approaches.{name}.accepted" for name in names)
            for number in _number(comparison, ("approaches", names[0], "accepted"), what, "share"):
                yield number._replace(path=first, also=tuple(others))
    for role in dict.fromkeys(comparison.available[name].approach.staffing.role for name in followed):
        what = f"an hour of {role.replace('_', ' ').replace('ml ', 'ML ')}"
        stated = list(_number(comparison, ("staff_usd_per_hour", role), what, "usd"))
        yield from stated or _published_rate(comparison, comparison.available[ranked[0]], role, what)


def _number(comparison: Comparison, path: tuple[str, ...], what: str, kind: Kind) -> Iterator[_Number]:
    """The number at a path, with its range; nothing where none is stated there, or zero, which has no tenth."""
    now, stated = _at(comparison.point, path), _at(comparison.scenario, path)
    if not isinstance(now, int | float) or isinstance(now, bool) or now <= 0:
        return
    low, high = (0.0, 1.0) if kind == "share" else (now / FACTOR, now * FACTOR)
    ranged = isinstance(stated, Estimate) and len(stated.stated) > 1
    if ranged:
        low, high = min(stated.stated), max(stated.stated)
    yield _Number(".".join(path), what, float(now), low, high, kind, ranged)


def _published_rate(comparison: Comparison, result: ApproachResult, role: str, what: str) -> Iterator[_Number]:
    try:
        rate = everywhere(comparison, result).staff_rate(role).price
    except PricingError:
        return
    now = float(rate.usd[0])
    if not rate.missing:
        yield _Number(f"staff_usd_per_hour.{role}", what, now, now / FACTOR, now * FACTOR, "usd")


def _at(scenario: Any, path: tuple[str, ...]) -> Any:
    found = scenario
    for name in path:
        found = found.get(name) if isinstance(found, dict) else getattr(found, name, None)
    return found


def _numbers(comparison: Comparison, numbers: list[_Number]) -> list[Turn]:
    """The nearest turn of each number: all of them are tried in one evaluation, and so are the parts of the cells that turn."""
    sides = [(number, end) for number in numbers for end in (number.low, number.high) if end != number.now]
    moving = [number for number, _ in sides]
    cells = np.array([_between(number.now, end) for number, end in sides])
    names, cheapest = _cheapest(comparison, numbers, moving, cells)
    before = cheapest[:, 0]
    for _ in range(ROUNDS):
        turning = np.flatnonzero((cheapest != before[:, None]).any(axis=1))
        if not turning.size:
            return []
        moving, before = [moving[i] for i in turning], before[turning]
        cells, first = cells[turning], np.argmax(cheapest[turning] != before[:, None], axis=1)
        rows = np.arange(turning.size)
        cells = np.linspace(cells[rows, first - 1], cells[rows, first], PARTS + 1, axis=1)
        names, cheapest = _cheapest(comparison, numbers, moving, cells)
    nearest: dict[str, Turn] = {}
    for number, values, winners, own in zip(moving, cells, cheapest, before, strict=True):
        i = int(np.argmax(winners != own))
        turn = _turn(comparison, number, float(values[i]), names[winners[i]])
        if number.path not in nearest or turn.distance < nearest[number.path].distance:
            nearest[number.path] = turn
    return list(nearest.values())


def _between(now: float, end: float) -> NDArray[np.float64]:
    """Values from the present one to an end of its range, by equal ratios where that is not zero."""
    return np.geomspace(now, end, STEPS + 1) if end > 0 else np.linspace(now, end, STEPS + 1)


def _cheapest(
    comparison: Comparison, numbers: list[_Number], moving: list[_Number], cells: NDArray[np.float64]
) -> tuple[list[str], NDArray[np.intp]]:
    """Who is cheapest where the number of each row takes the row's values, all others staying as they are.

    Of several equal ones the present winner: a tie is no turn.
    """
    fields = {number.path: np.full(cells.shape, number.now) for number in numbers}
    for row, number in enumerate(moving):
        fields[number.path][row] = cells[row]
    flat = {path: fields[number.path].ravel() for number in numbers for path in (number.path, *number.also)}
    totals = totals_over(comparison, flat)
    names = sorted(totals, key=lambda name: name != comparison.winner())
    return names, np.argmin(np.stack([totals[name] for name in names]), axis=0).reshape(cells.shape)


def _turn(comparison: Comparison, number: _Number, then: float, winner: str) -> Turn:
    there = _written(comparison, number.kind, then, up=then > number.now)
    text = f"With {there} {number.what} instead of {_present(comparison, number)}, {named(winner)} is cheapest."
    return Turn(number.path, text, number.now, then, winner)


def _present(comparison: Comparison, number: _Number) -> str:
    if number.kind == "share":
        return f"{number.now:.1%}"
    if number.kind == "usd":
        return f"{symbol(comparison.currency.code)}{comparison.currency.of_usd(number.now):,.2f}"
    return f"{number.now:,.6g}"


def _written(comparison: Comparison, kind: Kind, value: float, up: bool) -> str:
    """A number rounded away from the present one, so that the answer is the new one there."""
    if kind == "share":
        return f"{(ceil if up else floor)(value * 1000) / 1000:.1%}"
    if kind == "usd":
        return symbol(comparison.currency.code) + _rounded(comparison.currency.of_usd(value), up)
    return _rounded(value, up)


def _rounded(value: float, up: bool) -> str:
    """Three significant digits, more where the number is whole."""
    if value == 0:
        return "0"
    digits = min(2 - floor(log10(value)), 12) if value < 1_000 else 0
    scaled = value * 10.0**digits
    whole = (ceil if up else floor)(round(scaled, 6))
    return f"{whole / 10.0**digits:,.{max(digits, 0)}f}".rstrip("0").rstrip(".") if digits > 0 else f"{whole:,.0f}"


# --- days ---------------------------------------------------------------------------------------------------------------------


def _days(comparison: Comparison) -> Iterator[Turn]:
    """Days within the horizon on which a model ends or can no longer be tuned, each once."""
    ends = {"model ends": "is unavailable", "tuning closes": "can no longer be tuned"}
    found: dict[tuple[date, str], list[str]] = {}
    for note in feasibility(comparison):
        if note.kind in ends and note.day is not None:
            what = f"{model_name(comparison.results[note.approach].offer)} {ends[note.kind]}"
            found.setdefault((note.day, what), []).append(named(note.approach))
    for (day, what), names in sorted(found.items()):
        yield Turn("", f"From {day_words(day)} {what} ({', '.join(names)}).", day=day)
