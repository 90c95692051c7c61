"""What holds for break-evens of any curves."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calc.break_even import all_break_evens, break_even, lower_envelope
from calc.volume import CachedPrefix, Curve, Linear, Steps, TopUp

HIGH = 20_000
VOLUMES = np.arange(1.0, HIGH + 1)
MONTHS = 6


def numbers(low, high):
    return st.floats(low, high, allow_subnormal=False).map(lambda number: float(f"{number:.6g}"))


growths = st.sampled_from([np.ones(MONTHS), 1.05 ** np.arange(MONTHS), 0.9 ** np.arange(MONTHS)])
signs = st.sampled_from([1.0, 1.0, 1.0, -0.5])
straight = st.builds(lambda fixed, slope, g: [(Linear(fixed, slope * g), 1.0)], numbers(0, 100), numbers(0, 0.1), growths)
stepped = st.builds(
    lambda load, minimum, price, sign, g: [(Steps(load * g, minimum), price * sign)],
    numbers(1e-5, 0.02), st.integers(0, 3), numbers(1, 100), signs, growths,
)  # fmt: skip
topped = st.builds(lambda minimum, slope, g: [(TopUp(minimum, 0.0, slope * g), 1.0)], numbers(1, 500), numbers(0.001, 1), growths)
cached = st.builds(
    lambda tokens, daily, active, ttl, above, write, read, sign, g: [
        (CachedPrefix(outcome, tokens * g, daily * g, active, ttl, above), sign * share * 3e-6)
        for outcome, share in (("read", read), ("written", write), ("uncached", 1.0))
    ],
    numbers(100, 20_000), numbers(1e-3, 0.5), st.sampled_from([3_600.0, 43_200.0, 86_400.0]), st.sampled_from([300.0, 3_600.0]),
    st.sampled_from([-np.inf, 0.0, 0.25 / 1.15, 0.7]), numbers(1, 1.25), numbers(0.05, 0.5), signs, growths,
)  # fmt: skip
approaches = st.builds(
    lambda line, rest: [*line, *(pair for part in rest for pair in part)],
    straight, st.lists(st.one_of(stepped, topped, cached), max_size=4),
)  # fmt: skip


def scaled(lines, price=1.0):
    return [(shape, unit_price * price) for shape, unit_price in lines]


@given(approaches, approaches)
@settings(max_examples=150, deadline=None)
def test_intervals_tile_the_range_and_hold_at_every_whole_volume(first, second):
    a, b = Curve.of(first), Curve.of(second)
    found = break_even("a", a, "b", b, 1, HIGH)
    assert (found.intervals[0].first, found.intervals[-1].last) == (1, HIGH)
    for before, after in zip(found.intervals, found.intervals[1:], strict=False):
        assert before.last + 1 == after.first
        assert before.winner != after.winner
    lead = a.total(VOLUMES) - b.total(VOLUMES)
    tie = 1e-12 * (max(a.gross_fixed, b.gross_fixed) + max(a.gross_slope, b.gross_slope) * VOLUMES)
    for interval in found.intervals:
        held, slack = (part[interval.first - 1 : interval.last] for part in (lead, 0.1 * tie))
        bound = tie[interval.first - 1 : interval.last]
        if interval.winner is None:
            assert (np.abs(held) <= bound + slack).all()
        else:
            assert ((held if interval.winner == "b" else -held) >= bound - slack).all()


@given(approaches, approaches)
@settings(max_examples=60, deadline=None)
def test_where_a_crossing_is_smooth_both_sides_agree(first, second):
    a, b = Curve.of(first), Curve.of(second)
    found = break_even("a", a, "b", b, 1, HIGH)
    for crossing, volume in zip(found.crossings, found.equal_at, strict=True):
        if volume is not None:
            assert crossing - 1 <= volume <= crossing
            assert abs(a.total(volume) - b.total(volume)) <= 1e-9 * max(abs(a.total(volume)), abs(b.total(volume)))


@given(approaches, approaches)
@settings(max_examples=60, deadline=None)
def test_exchanging_the_two_mirrors_the_result(first, second):
    a, b = Curve.of(first), Curve.of(second)
    found, mirrored = break_even("a", a, "b", b, 1, HIGH), break_even("b", b, "a", a, 1, HIGH)
    assert mirrored.intervals == found.intervals
    assert found.mirrored.intervals == mirrored.intervals
    assert found.mirrored.verdict == mirrored.verdict
    assert found.mirrored.mirrored == found


@given(approaches, approaches, st.integers(-20, 20))
@settings(max_examples=60, deadline=None)
def test_all_prices_times_a_power_of_two_change_nothing(first, second, power):
    scale = 2.0**power
    found = break_even("a", Curve.of(first), "b", Curve.of(second), 1, HIGH)
    dearer = break_even("a", Curve.of(scaled(first, scale)), "b", Curve.of(scaled(second, scale)), 1, HIGH)
    assert dearer.intervals == found.intervals


@given(approaches, approaches)
@settings(max_examples=40, deadline=None)
def test_a_currency_changes_nothing_but_ties(first, second):
    found = break_even("a", Curve.of(first), "b", Curve.of(second), 1, HIGH)
    euros = break_even("a", Curve.of(scaled(first, 0.9137)), "b", Curve.of(scaled(second, 0.9137)), 1, HIGH)
    assert euros.verdict.kind == found.verdict.kind
    assert euros.verdict.volumes == found.verdict.volumes


@given(approaches, approaches, st.integers(2, 50))
@settings(max_examples=60, deadline=None)
def test_scaling_the_volume_axis_scales_the_crossings(first, second, factor):
    found = break_even("a", Curve.of(first), "b", Curve.of(second), 1, HIGH)
    stretched = break_even("a", Curve.of(first, 1 / factor), "b", Curve.of(second, 1 / factor), factor, HIGH * factor)
    at_multiples = {interval.winner for interval in stretched.intervals}
    assert {interval.winner for interval in found.intervals} - {None} <= at_multiples
    for interval in found.intervals:
        if interval.winner is not None:
            for volume in (interval.first, interval.last):
                held = next(other for other in stretched.intervals if other.first <= volume * factor <= other.last)
                assert held.winner == interval.winner


@given(approaches, approaches, st.integers(1, HIGH), st.integers(1, HIGH))
@settings(max_examples=60, deadline=None)
def test_a_part_of_the_range_gives_a_part_of_the_result(first, second, one, other):
    low, high = sorted((one, other))
    a, b = Curve.of(first), Curve.of(second)
    whole, part = break_even("a", a, "b", b, 1, HIGH), break_even("a", a, "b", b, low, high)
    assert part.crossings == tuple(first for first in whole.crossings if low < first <= high)


@given(approaches, approaches, approaches)
@settings(max_examples=40, deadline=None)
def test_the_envelope_beats_every_other_curve(first, second, third):
    curves = {name: Curve.of(lines) for name, lines in zip("abc", (first, second, third), strict=True)}
    pairs, envelope = all_break_evens(curves, 1, HIGH)
    assert lower_envelope(curves, 1, HIGH) == envelope
    totals = {name: curve.total(VOLUMES) for name, curve in curves.items()}
    for interval in envelope:
        if interval.winner is not None:
            held = {name: total[interval.first - 1 : interval.last] for name, total in totals.items()}
            assert all((held[interval.winner] <= other).all() for other in held.values())
    assert list(pairs) == [("a", "b"), ("a", "c"), ("b", "c")]


@given(approaches, st.integers(1, HIGH - 1))
@settings(max_examples=60, deadline=None)
def test_a_level_through_a_point_of_the_curve_is_met_there(lines, volume):
    curve = Curve.of(lines)
    level = Curve.of([(Linear(float(curve.total(volume)), 0.0), 1.0)])
    found = break_even("curve", curve, "level", level, 1, HIGH)
    held = next(interval for interval in found.intervals if interval.first <= volume <= interval.last)
    assert held.winner is None or curve.total(volume) == pytest.approx(level.total(volume), rel=1e-12)
    assert held.winner is None
