"""Who is cheaper at which volume: cases with a known answer, and every whole volume counted through."""

from __future__ import annotations

import numpy as np
import pytest

from calc.break_even import (
    BreakEven,
    Interval,
    Kind,
    Verdict,
    all_break_evens,
    break_even,
    lower_envelope,
    smooth_crossing,
)
from calc.volume import CachedPrefix, Curve, Linear, Steps, TopUp

HIGH = 100_000
VOLUMES = np.arange(1.0, HIGH + 1)
OUTCOMES = ("read", "written", "uncached")


def line(fixed, per_request):
    return Curve.of([(Linear(fixed, per_request), 1.0)])


def prefix_lines(tokens=1.0, daily=1 / 30, pays_above=0.25 / 1.15, price=1.0, active=43_200.0, ttl=300.0):
    shapes = (CachedPrefix(outcome, tokens, daily, active, ttl, pays_above) for outcome in OUTCOMES)
    return [(shape, price * share) for shape, share in zip(shapes, (0.1, 1.25, 1.0), strict=True)]


def test_two_lines_cross_once():
    found = break_even("a", line(100, 3), "b", line(1_000, 1), 1, 10_000)
    assert found.intervals == (Interval(1, 449, "a"), Interval(450, 450, None), Interval(451, 10_000, "b"))
    assert found.crossings == (450, 451)
    assert found.equal_at == pytest.approx((450, 450))
    assert found.verdict == Verdict(Kind.A_THEN_B, (451,))


def test_two_lines_that_meet_between_whole_volumes():
    found = break_even("a", line(100, 3), "b", line(1_001, 1))
    assert found.intervals == (Interval(1, 450, "a"), Interval(451, 10_000_000, "b"))
    assert found.equal_at == pytest.approx((450.5,), rel=1e-15)


@pytest.mark.parametrize(
    ("fixed", "per_request", "kind"),
    [(10, 1, Kind.ALWAYS_A), (-10, 1, Kind.ALWAYS_B), (0, 1, Kind.TIE), (-10, 2, Kind.B_THEN_A), (10, 0.5, Kind.A_THEN_B)],
)
def test_verdicts_of_lines(fixed, per_request, kind):
    assert break_even("a", line(100, 1), "b", line(100 + fixed, per_request)).verdict.kind == kind


def test_a_jump_changes_the_winner_without_equality():
    own = Curve.of([(Steps(1 / 1_000, 1), 50.0)])
    api = line(0, 0.06)
    found = break_even("api", api, "own", own, 1, 5_000)
    assert found.intervals == (
        Interval(1, 833, "api"), Interval(834, 1_000, "own"), Interval(1_001, 1_666, "api"), Interval(1_667, 2_000, "own"),
        Interval(2_001, 2_499, "api"), Interval(2_500, 2_500, None), Interval(2_501, 3_000, "own"), Interval(3_001, 3_333, "api"),
        Interval(3_334, 4_000, "own"), Interval(4_001, 4_166, "api"), Interval(4_167, 5_000, "own"),
    )  # fmt: skip
    jumps = [first for first, volume in zip(found.crossings, found.equal_at, strict=True) if volume is None]
    assert jumps == [1_001, 2_001, 3_001, 4_001]
    assert found.verdict.kind == Kind.SEVERAL
    assert smooth_crossing(api, own, 834) == pytest.approx(50 / 0.06, rel=1e-12)
    assert smooth_crossing(api, own, 1_001) is None


def test_a_touch_is_a_tie_at_one_volume():
    floor = Curve.of([(TopUp(100.0, 0.0, 1.0), 1.0), (Linear(0.0, 1.0), 2.0)])
    found = break_even("floor", floor, "line", line(200.0, 0.0), 1, 1_000)
    assert found.intervals == (Interval(1, 99, "floor"), Interval(100, 100, None), Interval(101, 1_000, "line"))
    vee = Curve.of([(TopUp(100.0, 0.0, 1.0), 2.0), (Linear(0.0, 1.0), 1.0)])
    vee = break_even("vee", vee, "flat", line(100.0, 0.0), 1, 1_000)
    assert vee.intervals == (Interval(1, 99, "flat"), Interval(100, 100, None), Interval(101, 1_000, "flat"))
    assert vee.verdict == Verdict(Kind.ALWAYS_B, ())


def test_a_tie_over_part_of_the_range_ends_where_the_curves_part():
    plan = Curve.of([(TopUp(500.0, 0.0, 0.5), 1.0), (Linear(0.0, 0.5), 1.0), *prefix_lines()])
    metered = Curve.of([(Linear(0.0, 0.5), 1.0), *prefix_lines()])
    found = break_even("plan", plan, "metered", metered, 1, 10_000_000)
    assert found.intervals == (Interval(1, 999, "metered"), Interval(1_000, 10_000_000, None))
    assert found.verdict == Verdict(Kind.ALWAYS_B, ())


def test_identical_curves_are_one_tie():
    lines = [(Linear(5.0, 0.1), 1.0), (Steps(0.001, 1), 40.0), (TopUp(900.0, 0.0, 0.2), 1.0), *prefix_lines()]
    found = break_even("a", Curve.of(lines), "b", Curve.of(reversed(lines)), 1, 10_000_000)
    assert found.intervals == (Interval(1, 10_000_000, None),)
    assert found.verdict == Verdict(Kind.TIE, ())
    assert found.equal_at == ()


def test_a_falling_prefix_cost_crosses_a_level_three_times():
    """Without a night V (1.25 - 1.15 h) rises to x = 1.33, falls to 3.25 and rises again; the level lies between."""
    cost = Curve.of(prefix_lines(active=86_400.0, pays_above=-1.0))
    per_x = 30 * 288.0
    low, high = cost.total(3.25 * per_x), cost.total(1.33 * per_x)
    found = break_even("cached", cost, "flat", line(float(low + high) / 2, 0.0), 1, 10_000_000)
    assert [interval.winner for interval in found.intervals] == ["cached", "flat", "cached", "flat"]
    x = np.array(found.equal_at, dtype=float) / per_x
    assert x[0] < 1.33 < x[1] < 3.25 < x[2]


@pytest.mark.parametrize("share", [1 - 1e-3, 1 - 1e-7, 1 + 1e-7, 1 + 1e-3])
def test_a_pair_of_crossings_too_close_for_a_grid_is_found(share):
    """A level just under the hill's top is crossed twice within a few hundred volumes of 10 million; just above, never."""
    cost = Curve.of(prefix_lines(active=86_400.0, pays_above=-1.0))
    volumes = np.arange(9_000.0, 14_000.0)
    top = float(cost.total(volumes).max())
    found = break_even("cached", cost, "flat", line(top * share, 0.0), 1, 20_000)
    assert [interval.winner for interval in found.intervals] == (["cached", "flat", "cached"] if share < 1 else ["cached"])
    assert found.verdict.kind == (Kind.B_BETWEEN if share < 1 else Kind.ALWAYS_A)


def test_caching_that_starts_too_late_is_a_jump():
    cached = Curve.of(prefix_lines(pays_above=0.9))
    found = break_even("cached", cached, "line", line(0.0, 0.9), 1, 1_000_000)
    assert [interval.winner for interval in found.intervals] == ["line", "cached"]
    assert found.equal_at == (None,)


def random_lines(rng, months):
    growth = 1.02 ** (np.arange(months) * rng.integers(0, 2))
    lines = [(Linear(rng.uniform(0, 50) * rng.integers(0, 2), growth * 10 ** rng.uniform(-3, -1)), 1.0)]
    for _ in range(rng.integers(0, 3)):
        weight = 10 ** rng.uniform(0, 2) * rng.choice([1, 1, 1, -1])
        lines.append((Steps(growth * 10 ** rng.uniform(-5, -1), rng.integers(0, 4), rng.choice([1.0, 2.0])), weight))
    for _ in range(rng.integers(0, 2)):
        top_up = TopUp(10 ** rng.uniform(1, 4), rng.uniform(0, 5), growth * 10 ** rng.uniform(-3, 0))
        lines.append((top_up, rng.uniform(0, 0.3)))
    for _ in range(rng.integers(0, 3)):
        lines += prefix_lines(
            tokens=growth * 10 ** rng.uniform(2, 4), daily=growth * 10 ** rng.uniform(-4, -1),
            pays_above=rng.choice([0.25 / 1.15, -np.inf, 0, rng.uniform(0, 1)]),
            price=10 ** rng.uniform(-6, -5) * rng.choice([1, 1, -0.3]),
            active=rng.choice([3_600.0, 43_200.0, 86_400.0]), ttl=rng.choice([300.0, 3_600.0]),
        )  # fmt: skip
    return lines


def random_pair(seed):
    """Two random curves that meet, or nearly, at a random volume; now and then they share a part."""
    rng = np.random.default_rng(seed)
    months = int(rng.choice([1, 3, 12]))
    first, second = random_lines(rng, months), random_lines(rng, months)
    if rng.random() < 0.3:
        second += [pair for pair in first if isinstance(pair[0], CachedPrefix)]
    volume = 10 ** rng.uniform(0, 5)
    gap = float(Curve.of(first).total(volume) - Curve.of(second).total(volume))
    return Curve.of(first), Curve.of([*second, (Linear(gap / months, 0.0), np.ones(months))])


def signs(found: BreakEven, high=HIGH):
    sign = np.full(high, np.nan)
    for interval in found.intervals:
        sign[interval.first - 1 : interval.last] = {found.a: -1, None: 0, found.b: 1}[interval.winner]
    return sign


@pytest.mark.parametrize("seed", range(120))
def test_every_whole_volume_counted_through_gives_the_same(seed):
    a, b = random_pair(seed)
    found = break_even("a", a, "b", b, 1, HIGH)
    lead = a.total(VOLUMES) - b.total(VOLUMES)
    tie = 1e-12 * (max(a.gross_fixed, b.gross_fixed) + max(a.gross_slope, b.gross_slope) * VOLUMES)
    counted, clear = np.sign(lead) * (np.abs(lead) > tie), np.abs(np.abs(lead) - tie) > 0.1 * tie
    np.testing.assert_array_equal(signs(found)[clear], counted[clear])
    assert len(found.equal_at) == len(found.crossings)
    for first, volume in zip(found.crossings, found.equal_at, strict=True):
        if volume is None:
            assert_jump(a, b, first)
        else:
            assert first - 1 <= volume <= first
            assert abs(a.total(volume) - b.total(volume)) <= 1e-9 * max(abs(a.total(volume)), abs(b.total(volume)))


def assert_jump(a, b, first):
    """Among 10,000 volumes just before `first`, none where the curves meet."""
    volumes = np.linspace(first - 1, first, 10_001)
    lead, larger = a.total(volumes) - b.total(volumes), np.maximum(np.abs(a.total(volumes)), np.abs(b.total(volumes)))
    change = np.flatnonzero(np.diff(np.sign(lead)))[0]
    assert np.abs(lead[change : change + 2]).max() > 1e-9 * larger[change]


def test_the_envelope_is_the_cheapest_at_every_volume():
    rng = np.random.default_rng(7)
    curves = {name: Curve.of(random_lines(rng, 12)) for name in "abcde"}
    pairs, envelope = all_break_evens(curves, 1, HIGH)
    totals = np.array([curve.total(VOLUMES) for curve in curves.values()])
    for interval in envelope:
        cheapest = {"abcde"[index] for index in totals[:, interval.first - 1 : interval.last].argmin(axis=0)}
        assert cheapest == {interval.winner}
    assert [interval.first for interval in envelope[1:]] == [interval.last + 1 for interval in envelope[:-1]]
    assert (envelope[0].first, envelope[-1].last) == (1, HIGH)
    assert lower_envelope(curves, 1, HIGH) == envelope
    for (a, b), found in pairs.items():
        assert found == break_even(a, curves[a], b, curves[b], 1, HIGH)


def test_an_envelope_of_one_or_none():
    assert lower_envelope({"only": line(1, 1)}, 1, 9) == (Interval(1, 9, "only"),)
    assert lower_envelope({}, 1, 9) == ()


def test_an_envelope_where_two_tie_below_a_third():
    curves = {"a": line(10, 1), "b": line(10, 1), "c": line(0, 2)}
    assert lower_envelope(curves, 1, 99) == (Interval(1, 9, "c"), Interval(10, 99, None))


def test_a_range_of_one_volume():
    assert break_even("a", line(0, 2), "b", line(1, 1), 1, 1).intervals == (Interval(1, 1, None),)
    assert break_even("a", line(0, 2), "b", line(1, 1), 2, 2).intervals == (Interval(2, 2, "b"),)


@pytest.mark.parametrize(("low", "high"), [(0, 10), (5, 4)])
def test_an_impossible_range_is_refused(low, high):
    with pytest.raises(ValueError, match="range of volumes"):
        break_even("a", line(0, 2), "b", line(1, 1), low, high)


def test_a_million_steps_away_from_the_other_curve_cost_nothing():
    many = Curve.of([(Steps(0.9 * 1.01 ** np.arange(24), 1), 5.0)])
    found = break_even("many", many, "cheap", line(0, 1), 1, 10_000_000)
    assert found.verdict.kind == Kind.ALWAYS_B
