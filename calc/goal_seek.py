"""Break-even in any number of a scenario: who is cheapest as one number moves, and every change of the cheapest.

The volume is solved exactly (`calc.break_even`). What moves in whole steps is computed value by value. Everything else is
evaluated at about a thousand values at once and each change narrowed down to neighbouring numbers (`calc.turning_points`, which
says what can be missed).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import pairwise
from math import ceil, floor, isfinite
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from calc.break_even import Interval, all_break_evens, smooth_crossing
from calc.compare import Comparison, NothingToCompare, compare
from calc.fields import VOLUME
from calc.movable import MOST_WHOLE_VALUES, Movable, movable
from calc.scenario import Scenario
from calc.setting import say
from calc.turning_points import SMOOTH, TIE, grid, smallest, turning_points
from pricing import PriceBook, PricingError
from pricing.near import did_you_mean

Floats = NDArray[np.float64]
_HALVINGS = 40
"""Of a range in which an approach gets or loses its total, each with a comparison of its own: to 1e-12 of it."""
_NO_LIMIT = "its cost has no limit there"
_SPLITS = 6
"""How often a range is halved to find within it what its two ends do not show: an approach without a price, a refusal."""


@dataclass(frozen=True)
class Change:
    """From this value on, another approach is the cheapest."""

    value: float
    """Of what counts whole things, the first with the new winner."""
    before: str | None
    """Who was; None: nobody, or a tie."""
    winner: str | None
    smooth: bool
    """Whether the two cost the same there; otherwise one of them jumps, or has no total on one side."""
    totals_usd: Mapping[str, float]
    """What is compared of every approach there, US$ over the horizon; of one without a total there is none."""


@dataclass(frozen=True)
class Stretch:
    """Values between which one approach is the cheapest."""

    low: float
    high: float
    winner: str | None
    """None: nobody has a total, or a tie over whole volumes."""
    low_totals_usd: Mapping[str, float]
    high_totals_usd: Mapping[str, float]


@dataclass(frozen=True)
class Gap:
    """Values at which an approach has no total."""

    approach: str | None
    """None: the model refuses these values."""
    low: float
    high: float
    why: str


@dataclass(frozen=True)
class GoalSeek:
    """Who is cheapest over a range of one number."""

    comparison: Comparison
    """As stated, at the present value."""
    number: Movable
    low: float
    high: float
    range_is: str
    """Where the range comes from: stated, or a default."""
    names: tuple[str, ...]
    """The approaches that are held against each other."""
    stretches: tuple[Stretch, ...]
    changes: tuple[Change, ...]
    gaps: tuple[Gap, ...]
    tied: bool
    """Whether the two cheapest cost the same at every value looked at; the first stated is then named."""

    @property
    def path(self) -> str:
        """The number's path."""
        return self.number.path

    @property
    def present_totals_usd(self) -> Mapping[str, float]:
        """What is compared of the approaches as stated."""
        available = self.comparison.available
        return {name: float(available[name].compared_usd()) for name in self.names if name in available}

    @property
    def present_winner(self) -> str | None:
        """The cheapest as stated."""
        totals = self.present_totals_usd
        return min(totals, key=lambda name: totals[name]) if totals else None

    def verdict(self, label: Callable[[str], str] = str) -> str:
        """The answer in one sentence.

        Args:
            label: how an approach is called.
        """
        ends, is_cheapest = f"{say(self.low)} to {say(self.high)}", [_is_cheapest(found, label) for found in self.stretches]
        at = [say(change.value) for change in self.changes]
        if self.tied:
            return f"never changes in {ends}: the two cheapest cost the same throughout"
        if not at:
            return f"never changes in {ends}: {is_cheapest[0]} {self._throughout}"
        if len(at) == 1:
            return f"{is_cheapest[1]} from {at[0]} on, {is_cheapest[0]} below"
        if len(at) == 2 and is_cheapest[0] == is_cheapest[2]:
            return f"{is_cheapest[1]} between {at[0]} and {at[1]}, {is_cheapest[0]} below and above"
        parts = [f"{what} from {since}" for what, since in zip(is_cheapest, [say(self.low), *at], strict=True)]
        return f"changes {len(at)} times in {ends}: {', '.join(parts)} on"

    @property
    def _throughout(self) -> str:
        """Over what part of the range the only winner of two wins."""
        return "wherever both have a total" if len(self.names) == 2 and self.gaps else "throughout"


def _is_cheapest(stretch: Stretch, label: Callable[[str], str]) -> str:
    if stretch.winner is not None:
        return f"{label(stretch.winner)} is the cheapest"
    return "the cheapest tie" if stretch.low_totals_usd else "no approach has a total"


def goal_seek(
    scenario: Scenario,
    book: PriceBook,
    path: str,
    low: float | None = None,
    high: float | None = None,
    *,
    between: tuple[str, str] | None = None,
    today: date | None = None,
) -> GoalSeek:
    """Who is cheapest at every value of one number from low to high, all others as stated, and where that changes.

    Args:
        path: of the number, see `calc.movable`. A range stated there is replaced; approaches that took the number over from
            another one keep theirs.
        low, high: both included; None takes the usual end (`Movable.usual_range`).
        between: the two approaches to hold against each other; None: all.

    Raises:
        ValueError: there is no such number, it does not take an end of the range, the range is empty, or an approach of `between`
            is unknown or has no total.
        NothingToCompare: no approach has a total in the range.
        UnknownOffer: as of `calc.compare.compare`.
    """
    comparison = compare(scenario, book, today=today)
    number = movable(comparison, path)
    names = _held_together(comparison, between)
    low, high, range_is = _range(comparison, number, low, high)
    if path == VOLUME:
        found = _over_volume(comparison, names, low, high)
    else:
        ask = _Asked(comparison, number, names)
        found = _over_whole(ask, low, high) if number.whole else _over(ask, low, high)
    pieces = _joined(found.pieces)
    _check_answered(names, pieces, found.gaps, between, path)
    changes = tuple(Change(b.low, a.winner, b.winner, b.met, b.low_totals) for a, b in pairwise(pieces))
    stretches = tuple(Stretch(p.low, p.high, p.winner, p.low_totals, p.high_totals) for p in pieces)
    gaps = _gaps_joined(found.gaps, float(number.whole))
    return GoalSeek(comparison, number, low, high, range_is, names, stretches, changes, gaps, found.tied)


def totals_at(found: GoalSeek, values: Floats) -> dict[str, Floats]:
    """What is compared of the approaches at values of the number, US$ over the horizon; not a number where there is no total.

    Args:
        values: within the range that was asked for; whole ones where the number counts whole things.
    """
    ask = _Asked(found.comparison, found.number, found.names)
    usd = np.full((len(found.names), len(values)), np.nan)
    if found.number.moves_in_steps:
        alike = [np.array([index]) for index in range(len(values))]
    else:
        # approaches gain and lose their totals at the ends of gaps: between those, values can be computed together
        ends = np.array([[gap.low <= values, values <= gap.high] for gap in found.gaps]).reshape(-1, len(values))
        kinds = np.unique(ends, axis=1, return_inverse=True)[1].ravel() if len(ends) else np.zeros(len(values), int)
        alike = [np.flatnonzero(kinds == kind) for kind in np.unique(kinds)]
    for where in alike:
        usd[:, where] = ask(values[where]).usd
    usd[~np.isfinite(usd)] = np.nan
    return dict(zip(found.names, usd, strict=True))


# --- what is asked --------------------------------------------------------------------------------------------------------


def _held_together(comparison: Comparison, between: tuple[str, str] | None) -> tuple[str, ...]:
    known = tuple(comparison.results)
    if between is None:
        return known
    for name in between:
        if name not in known:
            near = did_you_mean(name, known) or f"There are {', '.join(known)}."
            raise ValueError(f"between: there is no approach '{name}'. {near}")
    if between[0] == between[1]:
        raise ValueError(f"between: '{between[0]}' cannot be held against itself; name two approaches")
    return between


def _range(comparison: Comparison, number: Movable, low: float | None, high: float | None) -> tuple[float, float, str]:
    range_is = "as asked for"
    if low is None or high is None:
        usual_low, usual_high, range_is = number.usual_range(comparison)
        low, high = usual_low if low is None else low, usual_high if high is None else high
    for end in (low, high):
        if not isfinite(end):
            raise ValueError(f"{number.path}: the ends of the range must be finite numbers, got {end}")
    low, high = float(low), float(high)
    if number.whole and not (low.is_integer() and high.is_integer()):
        kind = "months" if number.unit.endswith(("month", "months")) else "numbers"
        range_is = f"the whole {kind} within the {low:g} to {high:g} asked for"
        low, high = float(ceil(low)), float(floor(high))
    if not low < high:
        raise ValueError(f"the range of {number.path} is empty: {low:g} must be below {high:g}")
    for end in (low, high):
        number.check(comparison, end)
    if number.whole and number.path != VOLUME and high - low >= MOST_WHOLE_VALUES:
        raise ValueError(
            f"{number.path} counts whole things, of which up to {MOST_WHOLE_VALUES:,} are computed one by one; "
            f"{low:,.0f} to {high:,.0f} are more. Narrow the range"
        )
    return low, high, range_is


class _Answer(NamedTuple):
    """What is compared at some values."""

    usd: Floats
    """Shape (approaches, values); infinite where there is no total."""
    left_out: Mapping[str, str]
    """Why an approach has none."""
    refused: str = ""
    """Why the model computes nothing at these values."""
    unpriced: bool = False
    """Whether an approach lacks a price, which it may have at other values."""

    @property
    def status(self) -> tuple[bool, frozenset[str]]:
        """What must be alike for values to be computed together."""
        return bool(self.refused), frozenset(self.left_out)


@dataclass(frozen=True)
class _Asked:
    """The totals of some approaches as a function of one number."""

    comparison: Comparison
    number: Movable
    names: tuple[str, ...]

    def __call__(self, values: Floats) -> _Answer:
        nothing = np.full(len(values), np.inf)
        with np.errstate(all="ignore"):
            try:
                found = self.number.at(self.comparison, values)
            except (ValueError, PricingError) as error:
                refused = str(error).removeprefix(f"{self.number.path}: ")
                return _Answer(np.stack([nothing] * len(self.names)), {}, refused)
            totals = found.compared_totals(len(values))
        left_out = {name: found.results[name] for name in self.names if name not in totals}
        return _Answer(
            np.stack([totals.get(name, nothing) for name in self.names]),
            {name: result.why_not[0] for name, result in left_out.items()},
            unpriced=any(result.status == "unpriced" for result in left_out.values()),
        )

    def totals(self, usd: Floats) -> dict[str, float]:
        """One column by approach."""
        return {name: float(total) for name, total in zip(self.names, usd, strict=True) if np.isfinite(total)}

    def winner(self, index: int) -> str | None:
        return self.names[index] if index >= 0 else None


class _Piece(NamedTuple):
    """A part of the range with one winner."""

    low: float
    high: float
    winner: str | None
    low_totals: Mapping[str, float]
    high_totals: Mapping[str, float]
    met: bool = False
    """Whether the winner costs what the one before it does, at the low end."""


class _Found(NamedTuple):
    pieces: Sequence[_Piece]
    gaps: Sequence[Gap]
    tied: bool


def _joined(pieces: Iterable[_Piece]) -> list[_Piece]:
    """Neighbouring pieces of one winner as one."""
    found: list[_Piece] = []
    for piece in pieces:
        if found and found[-1].winner == piece.winner:
            found[-1] = found[-1]._replace(high=piece.high, high_totals=piece.high_totals)
        else:
            found.append(piece)
    return found


def _gaps_joined(gaps: Iterable[Gap], step: float) -> tuple[Gap, ...]:
    """The gaps of one approach that follow one another as one, in the order in which they begin.

    Args:
        step: from one value to the next; 0: neighbouring numbers.
    """
    found: dict[tuple[str | None, int], Gap] = {}
    latest: dict[str | None, int] = {}
    for gap in gaps:
        number = latest.setdefault(gap.approach, 0)
        before = found.get((gap.approach, number))
        if before is not None and gap.low - before.high <= max(step, 4 * float(np.spacing(abs(gap.low)))):
            found[gap.approach, number] = replace(before, high=gap.high)
        else:
            latest[gap.approach] = number + 1
            found[gap.approach, number + 1] = gap
    return tuple(found.values())


def _check_answered(
    names: Sequence[str], pieces: Sequence[_Piece], gaps: Iterable[Gap], between: tuple[str, str] | None, path: str
) -> None:
    ever = {name for piece in pieces for name in (*piece.low_totals, *piece.high_totals)}
    why = {gap.approach: gap.why for gap in gaps}
    reasons = "\n".join(f"- {name}: {why.get(name, why.get(None, 'no total'))}" for name in names if name not in ever)
    if not ever:
        raise NothingToCompare(f"No approach has a total over this range of {path}.\n{reasons}")
    if between is not None and len(ever) < len(between):
        raise ValueError(f"between: no total in this range of {path}, so nothing breaks even.\n{reasons}")


# --- numbers that move continuously ---------------------------------------------------------------------------------------


class _Part(NamedTuple):
    """Values over which the same approaches have totals."""

    low: float
    high: float
    answer: _Answer
    """Over the grid from low to high."""


def _over(ask: _Asked, low: float, high: float) -> _Found:
    pieces: list[_Piece] = []
    gaps: list[Gap] = []
    tied = True
    for part in _parts(ask, low, high, _SPLITS):
        if part.answer.refused:
            pieces.append(_Piece(part.low, part.high, None, {}, {}))
            gaps.append(Gap(None, part.low, part.high, part.answer.refused))
        else:
            pieces += _pieces(ask, part)
            gaps += [Gap(name, part.low, part.high, why) for name, why in part.answer.left_out.items()]
            gaps += _boundless(ask, grid(part.low, part.high), part.answer)
        tied &= _all_tied(part.answer.usd)
    return _Found(pieces, gaps, tied)


def _parts(ask: _Asked, low: float, high: float, splits: int) -> list[_Part]:
    """The range, split where an approach gets or loses its total, or the model refuses the values."""
    over = ask(grid(low, high))
    if not (over.refused or over.unpriced) or low == high:
        return [_Part(low, high, over)]
    first, last = ask(np.array([low])), ask(np.array([high]))
    if not splits or first.status == last.status == over.status:
        return [_Part(low, high, over)]
    if first.status == last.status:
        left = right = (low + high) / 2
    else:
        left, right = _boundary(ask, low, high, first)
    return [*_parts(ask, low, left, splits - 1), *_parts(ask, right, high, splits - 1)]


def _boundary(ask: _Asked, low: float, high: float, first: _Answer) -> tuple[float, float]:
    """Two values close together, of which the first is as the low end is and the second is not."""
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if ask(np.array([middle])).status == first.status:
            low = middle
        else:
            high = middle
    return low, high


def _pieces(ask: _Asked, part: _Part) -> Iterator[_Piece]:
    first, turns = turning_points(lambda values: ask(values).usd, grid(part.low, part.high, through=ask.number.present))
    ends = ask(np.array([part.low, part.high])).usd
    low, totals, met, winner = part.low, ends[:, 0], False, first
    for turn in turns:
        yield _Piece(low, turn.left, ask.winner(winner), ask.totals(totals), ask.totals(turn.left_usd), met)
        low, totals, met, winner = turn.right, turn.right_usd, turn.smooth, turn.after
    yield _Piece(low, part.high, ask.winner(winner), ask.totals(totals), ask.totals(ends[:, 1]), met)


def _boundless(ask: _Asked, at: Floats, answer: _Answer) -> Iterator[Gap]:
    """Where the total of an approach is no finite number although it has one elsewhere, to neighbouring numbers or so."""
    for row, name in enumerate(ask.names):
        if name in answer.left_out:
            continue
        missing = np.flatnonzero(~np.isfinite(answer.usd[row]))
        for run in np.split(missing, np.flatnonzero(np.diff(missing) > 1) + 1):
            if run.size:
                low, high = int(run[0]), int(run[-1])
                first = at[low] if low == 0 else _last_without(ask, row, at[low], at[low - 1])
                last = at[high] if high == len(at) - 1 else _last_without(ask, row, at[high], at[high + 1])
                yield Gap(name, float(first), float(last), _NO_LIMIT)


def _last_without(ask: _Asked, row: int, without: float, with_total: float) -> float:
    """The value nearest to one with a total, seen from one without, that has none either."""
    for _ in range(_HALVINGS):
        middle = (without + with_total) / 2
        if np.isfinite(ask(np.array([middle])).usd[row, 0]):
            with_total = middle
        else:
            without = middle
    return without


def _all_tied(usd: Floats) -> bool:
    """Whether the two cheapest cost the same at every value."""
    if len(usd) < 2 or not np.isfinite(usd).any():
        return False
    least, second = np.sort(usd, axis=0)[:2]
    with np.errstate(invalid="ignore"):
        return bool(np.all(second - least <= TIE * np.abs(second)))


# --- whole numbers --------------------------------------------------------------------------------------------------------


def _over_whole(ask: _Asked, low: float, high: float) -> _Found:
    values = np.arange(low, high + 1)
    together = None if ask.number.moves_in_steps else ask(values)
    if together is None or together.refused or together.unpriced:
        answers = [ask(values[i : i + 1]) for i in range(len(values))]
        usd = np.hstack([answer.usd for answer in answers])
        gaps = [gap for value, answer in zip(values, answers, strict=True) for gap in _gaps_at(ask.names, float(value), answer)]
    else:
        usd, gaps = together.usd, [gap for at, one in _one_by_one(values, together) for gap in _gaps_at(ask.names, at, one)]
    which = smallest(usd)
    starts = [0, *(np.flatnonzero(which[1:] != which[:-1]) + 1)]
    pieces = []
    for start, end in zip(starts, [*starts[1:], len(values)], strict=True):
        before, winner = int(which[start - 1]), int(which[start])
        met = start > 0 and min(before, winner) >= 0 and _equal(float(usd[before, start]), float(usd[winner, start]))
        ends = (ask.totals(usd[:, start]), ask.totals(usd[:, end - 1]))
        pieces.append(_Piece(float(values[start]), float(values[end - 1]), ask.winner(winner), *ends, met))
    return _Found(pieces, gaps, _all_tied(usd))


def _one_by_one(values: Floats, answer: _Answer) -> Iterator[tuple[float, _Answer]]:
    """What was computed for several values, each for itself."""
    for i, value in enumerate(values):
        yield float(value), answer._replace(usd=answer.usd[:, i : i + 1])


def _gaps_at(names: Sequence[str], value: float, answer: _Answer) -> list[Gap]:
    if answer.refused:
        return [Gap(None, value, value, answer.refused)]
    why = {name: _NO_LIMIT for name, usd in zip(names, answer.usd[:, 0], strict=True) if not isfinite(usd)}
    return [Gap(name, value, value, reason) for name, reason in (why | dict(answer.left_out)).items()]


def _equal(a: float, b: float) -> bool:
    return abs(a - b) <= SMOOTH * max(abs(a), abs(b))


# --- the volume -----------------------------------------------------------------------------------------------------------


def _over_volume(comparison: Comparison, names: Sequence[str], low: float, high: float) -> _Found:
    """As `calc.break_even` proves it."""
    curves = {name: comparison.results[name].curve for name in names if name in comparison.available}
    gaps = [Gap(name, low, high, comparison.results[name].why_not[0]) for name in names if name not in curves]
    if len(curves) > 1:
        intervals = all_break_evens(curves, int(low), int(high))[1]
    else:
        intervals = tuple(Interval(int(low), int(high), name) for name in curves)

    def totals(volume: int) -> dict[str, float]:
        return {name: float(curve.total(volume)) for name, curve in curves.items()}

    pieces = [
        _Piece(float(found.first), float(found.last), found.winner, totals(found.first), totals(found.last))
        for found in intervals
    ]
    for at, (before, after) in enumerate(pairwise(intervals), start=1):
        if before.winner is not None and after.winner is not None:
            met = smooth_crossing(curves[before.winner], curves[after.winner], after.first) is not None
            pieces[at] = pieces[at]._replace(met=met)
    return _Found(pieces or [_Piece(low, high, None, {}, {})], gaps, len(intervals) == 1 and intervals[0].winner is None)
