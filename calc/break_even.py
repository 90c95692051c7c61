"""Which of two approaches is cheaper at which monthly volume: every change over whole volumes, proved rather than sampled.

Write D(V) = A(V) - B(V). On a cell [l, r] of whole volumes D lies between its chord plus `below` and its chord plus `above`:

- a smooth part with second derivative in [m, M] leaves its chord by -max(M, 0) w^2/8 to max(-m, 0) w^2/8, w = r - l. Only
  V e^(-k V) and e^(-k V) bend; e^(-k V) falls and their other factors rise, so the cell's two ends bound both derivatives;
- whole steps leave it by less than one step each way, ceil(x) being in [x, x + 1), and not at all where no step falls;
- a kink (a plan minimum) is convex, so it sags below its chord by no more than its larger end;
- a hinge max(0, inner) leaves its chord as its inner total does, and where that changes sign, below by the kink's sag more.

A cell where these bounds leave one sign is settled. Elsewhere the chord itself tells where the sign is in doubt; only that
core is split, at its steps where they are few, else evenly, and the bounds shrink with w^2, so a handful of rounds ends in
neighbouring volumes. All cells of all pairs are treated in the same array operations. Terms two curves share cancel exactly.

A tie is |A - B| <= 1e-12 of the gross amounts behind the larger total (for costs without benefits: of the total, but for a
small factor). Identical curves are one tie.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from calc.volume import STEP_TOLERANCE, Array, Curve, PrefixTerms, StepTerms, TopUpTerms

Whole = NDArray[np.intp]

TIE = 1e-12
ROUNDING = 16 * float(np.finfo(float).eps)
SMOOTH = 1e-9
POINTS_PER_OCTAVE = 2
PIECES = 4
FEW_STEPS = 8
BATCH = 4096


@dataclass(frozen=True, slots=True)
class Interval:
    """Whole volumes `first` to `last`, both included, and who is strictly cheapest at all of them (None: a tie)."""

    first: int
    last: int
    winner: str | None


class Kind(StrEnum):
    """How the cheaper of a and b depends on the volume, ties left aside ("always a": b is never cheaper)."""

    TIE = "tie"
    ALWAYS_A = "always a"
    ALWAYS_B = "always b"
    A_THEN_B = "a then b"
    B_THEN_A = "b then a"
    A_BETWEEN = "a between"
    B_BETWEEN = "b between"
    SEVERAL = "several"


@dataclass(frozen=True, slots=True)
class Verdict:
    """A kind, and the first volume of each change of the strictly cheaper one (one for "a then b", two for "a between")."""

    kind: Kind
    volumes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class BreakEven:
    """Intervals that tile the range asked for; `equal_at` has, for each crossing, the real volume of equality (None: a jump)."""

    a: str
    b: str
    intervals: tuple[Interval, ...]
    equal_at: tuple[float | None, ...] = ()

    @property
    def crossings(self) -> tuple[int, ...]:
        """First volume of every interval after the first."""
        return tuple(interval.first for interval in self.intervals[1:])

    @property
    def verdict(self) -> Verdict:
        """The intervals in one word, with the volumes it needs."""
        changes: list[Interval] = []
        for interval in self.intervals:
            if interval.winner is not None and (not changes or changes[-1].winner != interval.winner):
                changes.append(interval)
        return Verdict(self._kind(changes), tuple(interval.first for interval in changes[1:]))

    @property
    def mirrored(self) -> BreakEven:
        """The same with a and b exchanged."""
        return BreakEven(self.b, self.a, self.intervals, self.equal_at)

    def _kind(self, changes: list[Interval]) -> Kind:
        a_first = bool(changes) and changes[0].winner == self.a
        match len(changes):
            case 0:
                return Kind.TIE
            case 1:
                return Kind.ALWAYS_A if a_first else Kind.ALWAYS_B
            case 2:
                return Kind.A_THEN_B if a_first else Kind.B_THEN_A
            case 3:
                return Kind.B_BETWEEN if a_first else Kind.A_BETWEEN
            case _:
                return Kind.SEVERAL


def break_even(a: str, curve_a: Curve, b: str, curve_b: Curve, low: int = 1, high: int = 10_000_000) -> BreakEven:
    """Every change of the cheaper one of two over whole volumes from `low` to `high`."""
    return _break_evens([a, b], [curve_a, curve_b], low, high)[0]


def lower_envelope(curves: Mapping[str, Curve], low: int = 1, high: int = 10_000_000) -> tuple[Interval, ...]:
    """Who is cheapest of all, over whole volumes from `low` to `high`."""
    return all_break_evens(curves, low, high)[1]


def all_break_evens(
    curves: Mapping[str, Curve], low: int = 1, high: int = 10_000_000
) -> tuple[dict[tuple[str, str], BreakEven], tuple[Interval, ...]]:
    """The break-evens of all pairs, in the order of `curves`, and the lower envelope, found together."""
    names = list(curves)
    pairs = _break_evens(names, list(curves.values()), low, high)
    return {(pair.a, pair.b): pair for pair in pairs}, _envelope(names, pairs, low, high)


def smooth_crossing(curve_a: Curve, curve_b: Curve, first: int) -> float | None:
    """The real volume in [first - 1, first] where the curves meet to 1e-9 of the larger; None where a jump changes the winner."""
    differences = _differences([curve_a, curve_b])
    found = _equal_at(differences, [curve_a, curve_b], np.zeros(1, np.intp), np.array([float(first)]))
    return None if np.isnan(found[0]) else float(found[0])


# --- Differences of all pairs, over the terms they share -------------------------------------------------------------------


class _HingeLevel(NamedTuple):
    """Hinges whose inner totals rest on those of earlier levels alone: their columns, and their weights (hinges, columns)."""

    columns: Whole
    weight: Array


class _Differences(NamedTuple):
    """D of each pair (last axis P): coefficients of a less those of b, over the breakpoints and rates of all curves.

    The inner totals of hinges are further columns after those of the pairs; `first` and `second` name pairs alone.
    """

    first: Whole
    second: Whole
    fixed: Array
    slope: Array
    gross_fixed: Array
    gross_slope: Array
    steps: StepTerms
    top_ups: TopUpTerms
    prefixes: PrefixTerms
    hinges: tuple[_HingeLevel, ...] = ()

    def tie(self, pair: Whole, volumes: Array) -> Array:
        """The largest |D| (US$) that is a tie."""
        return TIE * (self.gross_fixed[pair] + self.gross_slope[pair] * volumes)


class _Points(NamedTuple):
    """D (N, P) at volumes (N,), and what each term (N, terms) does there: `scaled` is rate V, `decay` e^(-rate V) - 1."""

    volumes: Array
    lead: Array
    stepped: Array
    counts: Array
    missing: Array
    used: Array
    scaled: Array
    decay: Array

    def take(self, rows: Whole | slice) -> _Points:
        return _Points(*(column[rows] for column in self))


def _differences(curves: Sequence[Curve]) -> _Differences:
    """The pairs of `curves` in the order of `combinations`."""
    first, second = np.triu_indices(len(curves), 1)
    count, inner = len(curves), _inner_curves(curves)
    curves = [*curves, *(curve for level in inner for curve in level.values())]

    def of_pairs(numbers: Array) -> Array:
        pairs = numbers[..., first] - numbers[..., second]
        return np.ascontiguousarray(np.concatenate([pairs, numbers[..., count:]], axis=-1))

    steps = _shared([np.column_stack(curve.steps) for curve in curves])
    top_ups = _shared([np.column_stack(curve.top_ups) for curve in curves])
    prefixes = _shared([np.column_stack(curve.prefixes) for curve in curves])
    gross = np.array([[curve.gross_fixed, curve.gross_slope] for curve in curves]).T
    fixed, slope = np.array([[curve.fixed, curve.slope] for curve in curves]).T
    gross_fixed, gross_slope = np.hstack([np.maximum(gross[:, first], gross[:, second]), gross[:, count:]])
    return _Differences(
        first, second, of_pairs(fixed), of_pairs(slope), gross_fixed, gross_slope,
        StepTerms._make([*steps[0], of_pairs(steps[1][0])]),
        TopUpTerms._make([*top_ups[0], of_pairs(top_ups[1][0])]),
        PrefixTerms._make([*prefixes[0], *(of_pairs(numbers) for numbers in prefixes[1])]),
        _hinge_levels(inner, curves, of_pairs, len(first)),
    )  # fmt: skip


def _inner_curves(curves: Sequence[Curve]) -> list[dict[bytes, Curve]]:
    """The inner totals of all hinges, each once, by level: those of the first have no hinges of their own."""
    levels: list[dict[bytes, Curve]] = []

    def note(curve: Curve) -> int:
        depth = 0
        for hinge in curve.hinges:
            level = note(hinge.inner)
            levels.extend({} for _ in range(level + 1 - len(levels)))
            levels[level].setdefault(hinge.inner.key, hinge.inner)
            depth = max(depth, level + 1)
        return depth

    for curve in curves:
        note(curve)
    return levels


def _hinge_levels(
    inner: Sequence[Mapping[bytes, Curve]], curves: Sequence[Curve], of_pairs: Callable[[Array], Array], pairs: int
) -> tuple[_HingeLevel, ...]:
    """The hinges' columns, which follow those of the pairs, and what each adds to every column."""
    found, start = [], pairs
    for level in inner:
        place = {key: index for index, key in enumerate(level)}
        weight = np.zeros((len(level), len(curves)))
        for column, curve in enumerate(curves):
            for hinge in curve.hinges:
                if hinge.inner.key in place:
                    weight[place[hinge.inner.key], column] += hinge.weight
        found.append(_HingeLevel(np.arange(start, start + len(level)), of_pairs(weight)))
        start += len(level)
    return tuple(found)


def _shared(rows: Sequence[Array]) -> tuple[Array, Array]:
    """Rows (two keys, then coefficients) of each curve as keys (2, terms) and coefficients (columns, terms, curves)."""
    owner = np.repeat(np.arange(len(rows)), [len(of_curve) for of_curve in rows])
    together = np.vstack(rows)
    keys, term = np.unique(together[:, :2], axis=0, return_inverse=True)
    shape = len(keys), len(rows)
    place = np.ravel_multi_index((term.reshape(-1), owner), shape)
    sums = [np.bincount(place, column, len(keys) * len(rows)).reshape(shape) for column in together[:, 2:].T]
    return keys.T, np.array(sums)


def _evaluate(differences: _Differences, volumes: Array) -> _Points:
    """D of every pair at every volume."""
    steps, top_ups, prefixes = differences.steps, differences.top_ups, differences.prefixes
    counts, missing = steps.counts(volumes), top_ups.missing(volumes)
    used, scaled = prefixes.used(volumes).astype(float), np.multiply.outer(volumes, prefixes.rate)
    decay = np.expm1(-scaled)
    faded = decay * used
    per_request = differences.slope + used @ prefixes.slope + faded @ prefixes.alpha
    stepped = counts @ steps.weight
    lead = differences.fixed + stepped + missing @ top_ups.weight + faded @ prefixes.beta
    lead = lead + volumes[:, np.newaxis] * per_request
    for level in differences.hinges:
        lead = lead + np.maximum(0.0, lead[:, level.columns]) @ level.weight
    return _Points(volumes, lead, stepped, counts, missing, used, scaled, decay)


# --- Certified bounds on cells ---------------------------------------------------------------------------------------------


class _Bounds(NamedTuple):
    """Where D may be on a cell: within [below, above] of its chord, and within [least, most]; each (cells, P)."""

    below: Array
    above: Array
    least: Array
    most: Array


def _bounds(differences: _Differences, left: _Points, right: _Points) -> _Bounds:
    """Bounds over the volumes between each `left` and `right`; steps count twice: by their chord, and by rising only."""
    width = (right.volumes - left.volumes)[:, np.newaxis]
    bend_low, bend_high = _second_derivative(differences.prefixes, left, right)
    kink_low, kink_high = _off_chord_kinks(differences.top_ups, left, right)
    switch = _off_chord_switches(differences.prefixes, left, right)
    below = kink_low - switch - np.maximum(bend_high, 0.0) * width**2 / 8
    above = kink_high + switch + np.maximum(-bend_low, 0.0) * width**2 / 8
    rise = right.counts - left.counts
    step_low, step_high = _off_chord_steps(differences.steps, left, rise)
    rise_high, risen = rise @ np.maximum(differences.steps.weight, 0.0), right.stepped - left.stepped
    other = left.lead, right.lead - risen
    least, most = np.minimum(*other) + below + (risen - rise_high), np.maximum(*other) + above + rise_high
    bounds = _Bounds(below + step_low, above + step_high, least, most)
    for level in differences.hinges:
        low, high = _off_chord_hinges(level, left, right, bounds)
        bounds = _Bounds(*(bound + off for bound, off in zip(bounds, (low, high, low, high), strict=True)))
    return bounds


def _weighed(weight: Array, low: Array, high: Array) -> tuple[Array, Array]:
    """Bounds (cells, P) on a weighted sum of terms that lie in [low, high] (cells, terms), for weights of either sign."""
    positive, negative = np.maximum(weight, 0.0), np.minimum(weight, 0.0)
    return low @ positive + high @ negative, high @ positive + low @ negative


def _second_derivative(prefixes: PrefixTerms, left: _Points, right: _Points) -> tuple[Array, Array]:
    """Bounds (cells, P) on D'': (V e^(-k V))'' = k (k V - 2) e^(-k V) and (e^(-k V))'' = k^2 e^(-k V), 0 where all have faded."""
    rate, most = prefixes.rate, (left.decay + 1) * left.used
    bent = np.flatnonzero(most.any(axis=1))
    most, least = most[bent], (right.decay[bent] + 1) * left.used[bent]
    at_left, at_right = rate * (left.scaled[bent] - 2), rate * (right.scaled[bent] - 2)
    low = np.where(at_left < 0, most, least) * at_left
    high = np.where(at_right > 0, most, least) * at_right
    weight = np.concatenate([prefixes.alpha, prefixes.beta])
    bounds = np.zeros((2, len(left.volumes), weight.shape[1]))
    bounds[:, bent] = _weighed(weight, np.hstack([low, rate**2 * least]), np.hstack([high, rate**2 * most]))
    return bounds[0], bounds[1]


def _off_chord_steps(steps: StepTerms, left: _Points, rise: Array) -> tuple[Array, Array]:
    """max(minimum, ceil(x)) leaves its chord by less than one step; below it by up to the whole rise where the minimum binds."""
    one = np.minimum(rise, 1.0)
    return _weighed(steps.weight, -np.where(left.counts <= steps.minimum, rise, one), one)


def _off_chord_kinks(top_ups: TopUpTerms, left: _Points, right: _Points) -> tuple[Array, Array]:
    """Convex and at least 0: nowhere above its chord, and straight where both ends are 0 or neither is."""
    kinked = (left.missing > 0) != (right.missing > 0)
    sag = np.maximum(left.missing, right.missing) * kinked
    return -sag @ np.maximum(top_ups.weight, 0.0), -sag @ np.minimum(top_ups.weight, 0.0)


def _off_chord_hinges(level: _HingeLevel, left: _Points, right: _Points, bounds: _Bounds) -> tuple[Array, Array]:
    """Bounds (cells, columns) on how far the hinges' weighted sum leaves its chord.

    Where the inner total keeps its sign, max(0, inner) is it or 0. Elsewhere max(0, .) shrinks what inner leaves its chord by,
    and max(0, chord) is convex: it sags below its own chord most at the chord's zero.
    """
    below, above, least, most = (bound[:, level.columns] for bound in bounds)
    at_left, at_right = left.lead[:, level.columns], right.lead[:, level.columns]
    least = np.maximum(least, np.minimum(at_left, at_right) + below)
    most = np.minimum(most, np.maximum(at_left, at_right) + above)
    up, down = np.maximum(at_left, at_right), -np.minimum(at_left, at_right)
    crossed = (up > 0) & (down > 0)
    sag = np.divide(up * down, up + down, out=np.zeros_like(up), where=crossed)
    low = np.where(least >= 0, below, np.where(most <= 0, 0.0, np.minimum(below, 0.0) - sag))
    high = np.where(least >= 0, above, np.where(most <= 0, 0.0, np.maximum(above, 0.0)))
    return _weighed(level.weight, low, high)


def _off_chord_switches(prefixes: PrefixTerms, left: _Points, right: _Points) -> Array:
    """Half-width where a cache comes into use inside the cell: the term and its chord are each within its largest amount."""
    switched = right.used - left.used
    per_request = switched @ (np.abs(prefixes.slope) + np.abs(prefixes.alpha))
    largest: Array = right.volumes[:, np.newaxis] * per_request + switched @ np.abs(prefixes.beta)
    return 2 * largest


# --- The search ------------------------------------------------------------------------------------------------------------


class _Cells(NamedTuple):
    """Cells [low, high] of whole volumes, each with the pair it is in doubt for; arrays of one length."""

    pair: Whole
    low: Array
    high: Array

    def take(self, rows: slice) -> _Cells:
        return _Cells(self.pair[rows], self.low[rows], self.high[rows])


class _Changes(NamedTuple):
    """First volumes of new signs of D, by pair, in rising order; `sign` is -1 (a is cheaper), 0 (tie) or 1."""

    pair: Whole
    first: Array
    sign: Array


def _changes(differences: _Differences, low: int, high: int) -> tuple[Array, _Changes]:
    """Sign of D at `low` by pair, and every change of sign up to `high`."""
    volumes = _first_grid(differences, low, high)
    points = _evaluate(differences, volumes)
    pairs = np.arange(len(differences.first))
    at_low = _sign(differences, pairs, volumes[:1], points.lead[0, pairs])
    left = np.repeat(np.arange(len(volumes) - 1), len(pairs))
    found, doubtful = _settle(differences, points, left, np.tile(pairs, len(volumes) - 1), shared=True)
    changes, stack = [found], [doubtful]
    while stack:
        cells = stack.pop()
        if len(cells.pair) > BATCH:
            stack.append(cells.take(slice(BATCH, None)))
            cells = cells.take(slice(BATCH))
        if len(cells.pair):
            chain, pair, volumes = _split(differences, cells)
            points = _evaluate(differences, volumes)
            left = np.flatnonzero(chain[1:] == chain[:-1])
            found, doubtful = _settle(differences, points, left, pair[left])
            changes.append(found)
            stack.append(doubtful)
    pair, first, sign = (np.concatenate(columns) for columns in zip(*changes, strict=True))
    order = np.lexsort((first, pair))
    return at_low, _Changes(pair[order], first[order], sign[order])


def _first_grid(differences: _Differences, low: int, high: int) -> Array:
    """Whole volumes to start from: rising geometrically where anything bends or steps, and both sides of kinks and switches."""
    gap, per_request, _ = differences.top_ups
    kinks = np.divide(gap, per_request, out=np.zeros_like(gap), where=per_request != 0)
    inner_fixed, inner_slope = (numbers[len(differences.first) :] for numbers in (differences.fixed, differences.slope))
    zeros = np.divide(-inner_fixed, inner_slope, out=np.zeros_like(inner_fixed), where=inner_slope != 0)
    sides = np.floor(np.concatenate([kinks, zeros, differences.prefixes.above]))
    sides = np.concatenate([sides, sides + 1])
    count = 2
    if differences.steps.load.size or differences.prefixes.rate.size or differences.hinges:
        count += int(np.ceil(POINTS_PER_OCTAVE * np.log2(high / low)))
    grid = np.round(np.geomspace(low, high, count))
    return np.unique(np.concatenate([grid, sides[(sides >= low) & (sides <= high)]]))


def _sign(differences: _Differences, pair: Whole, volumes: Array, lead: Array) -> Array:
    return np.sign(lead) * (np.abs(lead) > differences.tie(pair, volumes))


def _settle(
    differences: _Differences, points: _Points, left: Whole, pair: Whole, shared: bool = False
) -> tuple[_Changes, _Cells]:
    """Changes between neighbouring volumes, and the cores in doubt of wider cells, among cells from `left` to the next point.

    `shared`: the cells are those between all consecutive points, for every pair.
    """
    low, high = points.volumes[left], points.volumes[left + 1]
    lead_low, lead_high = points.lead[left, pair], points.lead[left + 1, pair]
    sign_low, sign_high = _sign(differences, pair, low, lead_low), _sign(differences, pair, high, lead_high)
    changed = np.flatnonzero((high - low == 1) & (sign_low != sign_high))
    changes = _Changes(pair[changed], high[changed], sign_high[changed])

    wide = np.flatnonzero(high - low > 1)
    if shared:
        bounds, rows = _bounds(differences, points.take(slice(None, -1)), points.take(slice(1, None))), left[wide]
    else:
        bounds, rows = _bounds(differences, points.take(left[wide]), points.take(left[wide] + 1)), np.arange(len(wide))
    cells = _Cells(pair[wide], low[wide], high[wide])
    own_bounds = _Bounds(*(bound[rows, cells.pair] for bound in bounds))
    return changes, _cores(differences, cells, lead_low[wide], lead_high[wide], own_bounds)


def _cores(differences: _Differences, cells: _Cells, lead_low: Array, lead_high: Array, bounds: _Bounds) -> _Cells:
    """What is left in doubt of cells with D and its bounds given, one each: nothing, or a smaller cell."""
    pair, low, high = cells
    tie_low, tie_high = differences.tie(pair, low), differences.tie(pair, high)
    rounding = ROUNDING / TIE * tie_high
    below, above = bounds.below - rounding, bounds.above + rounding
    least = np.maximum(np.minimum(lead_low, lead_high) + below, bounds.least - rounding)
    most = np.minimum(np.maximum(lead_low, lead_high) + above, bounds.most + rounding)
    doubtful = ~((least > tie_high) | (most < -tie_high) | ((least >= -tie_low) & (most <= tie_low)))

    rise = lead_high - lead_low
    slope = np.where(rise == 0, 1.0, rise) / (high - low)
    ends = low + (-tie_high - above - lead_low) / slope, low + (tie_high - below - lead_low) / slope
    core_low = np.where(rise == 0, low, np.clip(np.floor(np.minimum(*ends)), low, high))
    core_high = np.where(rise == 0, high, np.clip(np.ceil(np.maximum(*ends)), low, high))
    kept = doubtful & (core_high > core_low)
    return _Cells(pair[kept], core_low[kept], core_high[kept])


def _split(differences: _Differences, cells: _Cells) -> tuple[Whole, Whole, Array]:
    """(cell, pair, whole volume) of the points that split each cell, both its ends included, in order and each once."""
    chain, at_steps = _beside_steps(differences, cells)
    even = np.flatnonzero(np.bincount(chain, minlength=len(cells.pair)) == 0)
    shares = np.arange(1, PIECES) / PIECES
    evenly = np.round(cells.low[even, np.newaxis] + (cells.high - cells.low)[even, np.newaxis] * shares)
    all_cells = np.arange(len(cells.pair))
    chains = np.concatenate([all_cells, all_cells, chain, np.repeat(even, PIECES - 1)])
    volumes = np.concatenate([cells.low, cells.high, at_steps, evenly.ravel()])
    order = np.lexsort((volumes, chains))
    chains, volumes = chains[order], volumes[order]
    fresh = np.concatenate([[True], (np.diff(chains) > 0) | (np.diff(volumes) > 0)])
    return chains[fresh], cells.pair[chains[fresh]], volumes[fresh]


def _beside_steps(differences: _Differences, cells: _Cells) -> tuple[Whole, Array]:
    """(cell, whole volume) on both sides of each step of cells with few of them; where they fall is a hint, not relied upon."""
    steps = differences.steps
    first, last = np.floor(steps.counts(cells.low)), np.ceil(steps.counts(cells.high))
    number = np.where((steps.weight.T[cells.pair] != 0) & (last > first), last - first, 0.0)
    number[number.sum(axis=1) > FEW_STEPS] = 0.0
    cell, term = np.nonzero(number)
    repeats = number[cell, term].astype(np.intp)
    before = np.concatenate([[0], np.cumsum(repeats)[:-1]]) if len(repeats) else repeats
    level = np.repeat(first[cell, term] - before, repeats) + np.arange(repeats.sum())
    cell, term = np.repeat(cell, repeats), np.repeat(term, repeats)
    last_before = np.floor(level / (steps.load[term] * (1 - STEP_TOLERANCE)))
    last_before = np.clip(last_before, cells.low[cell], cells.high[cell] - 1)
    return np.concatenate([cell, cell]), np.concatenate([last_before, last_before + 1])


# --- Results ---------------------------------------------------------------------------------------------------------------


def _break_evens(names: Sequence[str], curves: Sequence[Curve], low: int, high: int) -> list[BreakEven]:
    """Of all pairs, in the order of `combinations`."""
    if not 1 <= low <= high:
        raise ValueError(f"a range of volumes is 1 <= low <= high, not {low} to {high}")
    if len(curves) < 2:
        return []
    differences = _differences(curves)
    at_low, changes = _changes(differences, low, high)
    equal_at = _equal_at(differences, curves, changes.pair, changes.first)
    bounds = np.searchsorted(changes.pair, np.arange(len(at_low) + 1))
    found = []
    for index, (a, b) in enumerate(combinations(names, 2)):
        own = slice(bounds[index], bounds[index + 1])
        firsts = [low, *changes.first[own].astype(int).tolist()]
        winners = [(a, None, b)[int(sign) + 1] for sign in (at_low[index], *changes.sign[own])]
        real = tuple(None if np.isnan(volume) else volume for volume in equal_at[own].tolist())
        found.append(BreakEven(a, b, tuple(_tiles(firsts, winners, high)), real))
    return found


def _tiles(firsts: Sequence[int], winners: Sequence[str | None], high: int) -> Iterator[Interval]:
    """Intervals from each first volume to just before the next."""
    for first, after, winner in zip(firsts, [*firsts[1:], high + 1], winners, strict=True):
        yield Interval(first, after - 1, winner)


def _envelope(names: Sequence[str], pairs: Sequence[BreakEven], low: int, high: int) -> tuple[Interval, ...]:
    """The one strictly cheaper than all others, from who is cheaper in each pair."""
    if len(names) < 2:
        return tuple(Interval(low, high, name) for name in names)
    firsts = np.unique([low, *(first for pair in pairs for first in pair.crossings)])
    wins = np.zeros((len(names), len(firsts)), dtype=int)
    place = {name: index for index, name in enumerate(names)}
    for pair in pairs:
        starts = np.searchsorted(firsts, [*(interval.first for interval in pair.intervals), high + 1])
        for interval, start, stop in zip(pair.intervals, starts[:-1], starts[1:], strict=True):
            if interval.winner is not None:
                wins[place[interval.winner], start:stop] += 1
    cheapest = np.where(wins.max(axis=0) == len(names) - 1, wins.argmax(axis=0), -1)
    new = np.flatnonzero(np.concatenate([[True], cheapest[1:] != cheapest[:-1]]))
    winners = [names[index] if index >= 0 else None for index in cheapest[new].tolist()]
    return tuple(_tiles(firsts[new].tolist(), winners, high))


def _equal_at(differences: _Differences, curves: Sequence[Curve], pair: Whole, first: Array) -> Array:
    """Real volumes in [first - 1, first] where D changes sign with both sides within 1e-9 of the larger total; nan at a jump.

    Each round narrows every bracket to its first change of sign among a few telling volumes, its middle being one of them.
    """
    low, high, found = first - 1, first.copy(), np.full(len(first), np.nan)
    lead_low, lead_high = _lead(differences, pair, np.column_stack([low, high])).T.copy()
    larger = _larger(curves, differences, pair, high)
    still = np.arange(len(first))
    while len(still):
        chord = _on_chord(low[still], high[still], lead_low[still], lead_high[still])
        grid = _telling_volumes(differences, pair[still], low[still], high[still], chord)
        lead = _lead(differences, pair[still], grid)
        sign = _sign(differences, pair[still, np.newaxis], grid, lead)
        rows, after = np.arange(len(still)), np.argmax(sign != sign[:, :1], axis=1)
        low[still], lead_low[still] = grid[rows, after - 1], lead[rows, after - 1]
        high[still], lead_high[still] = grid[rows, after], lead[rows, after]
        met = np.maximum(np.abs(lead_low), np.abs(lead_high))[still] <= SMOOTH * larger[still]
        smooth = still[met]
        found[smooth] = _on_chord(low[smooth], high[smooth], lead_low[smooth], lead_high[smooth])
        still = still[~met & (high - low > 4 * np.spacing(high))[still]]
    return found


def _on_chord(low: Array, high: Array, lead_low: Array, lead_high: Array) -> Array:
    """Where the chord of D is 0, kept within [low, high]; `low` where it is level."""
    fall = lead_low - lead_high
    share = np.divide(lead_low, fall, out=np.zeros_like(fall), where=fall != 0)
    return low + np.clip(share, 0.0, 1.0) * (high - low)


def _telling_volumes(differences: _Differences, pair: Whole, low: Array, high: Array, chord: Array) -> Array:
    """Ends, middle, both sides of `chord` and both sides of one step in each bracket, in order; (brackets,) -> (brackets, 7)."""
    near = 1e-10 * high
    grid = [low, high, (low + high) / 2, chord - near, chord + near]
    steps = differences.steps
    if steps.load.size:
        counts = steps.counts(low)
        stepped = (steps.counts(high) > counts) & (steps.weight.T[pair] != 0)
        term = np.argmax(stepped, axis=1)
        at = np.floor(counts[np.arange(len(pair)), term]) / np.where(steps.load > 0, steps.load, 1.0)[term] / (1 - STEP_TOLERANCE)
        at = np.where(stepped.any(axis=1), at, low)
        grid += [at - 2 * np.spacing(at), at + 2 * np.spacing(at)]
    return np.sort(np.clip(np.column_stack(grid), low[:, np.newaxis], high[:, np.newaxis]), axis=1)


def _lead(differences: _Differences, pair: Whole, grid: Array) -> Array:
    """D of pair i at row i of `grid`; (crossings, points) -> same."""
    lead = _evaluate(differences, grid.ravel()).lead
    return lead[np.arange(grid.size), np.repeat(pair, grid.shape[1])].reshape(grid.shape)


def _larger(curves: Sequence[Curve], differences: _Differences, pair: Whole, volumes: Array) -> Array:
    """max(|A|, |B|) in US$ at one volume for each pair given."""
    totals, rows = np.abs(np.array([curve.total(volumes) for curve in curves])), np.arange(len(volumes))
    larger: Array = np.maximum(totals[differences.first[pair], rows], totals[differences.second[pair], rows])
    return larger
