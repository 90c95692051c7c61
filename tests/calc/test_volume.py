"""How quantities depend on volume, and the curve that sums them."""

from __future__ import annotations

import numpy as np
import pytest

from calc.volume import CachedPrefix, Curve, Linear, Steps, TopUp, hit_share, hit_share_reached, whole_steps

MONTHS = 12
GROWTH = 1.03 ** np.arange(MONTHS)
OUTCOMES = ("read", "written", "uncached")


def prefix(outcome="read", pays_above=0.25 / 1.15, **changes):
    stated = {
        "tokens_per_request": 1_200 * GROWTH,
        "daily_requests_per_request": GROWTH / 30.4,
        "active_seconds_per_day": 43_200.0,
        "ttl_seconds": 300.0,
    }
    return CachedPrefix(outcome, **(stated | changes), pays_above=pays_above)


SHAPES = [
    Linear(3.0, 0.5 * GROWTH),
    Steps(GROWTH / 70, np.array([1.0] * 6 + [2.0] * 6), 2.0),
    TopUp(500.0, 20.0, 0.3 * GROWTH),
    *(prefix(outcome) for outcome in OUTCOMES),
]


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: type(shape).__name__)
def test_an_array_of_volumes_gives_what_each_volume_gives(shape):
    volumes = np.array([[0, 1, 69, 70, 71], [500, 1_600, 10_000, 99_999, 1_000_000]])
    together = shape.at(volumes)
    assert together.shape == (2, 5, MONTHS)
    for place, volume in np.ndenumerate(volumes):
        np.testing.assert_array_equal(together[place], shape.at(float(volume)))


def test_leading_axes_of_draws_broadcast():
    draws = np.array([[0.5], [1.0], [2.0]])
    np.testing.assert_allclose(Linear(1.0, draws * GROWTH).at(100)[2], Linear(1.0, 2 * GROWTH).at(100))
    for shape, single in [
        (Steps(draws * GROWTH / 70, 1), Steps(2 * GROWTH / 70, 1)),
        (TopUp(500.0, draws, GROWTH), TopUp(500.0, 2.0, GROWTH)),
        (prefix(ttl_seconds=300 * draws), prefix(ttl_seconds=600.0)),
    ]:
        assert shape.at(100).shape == (3, MONTHS)
        np.testing.assert_array_equal(shape.at(100)[2], single.at(100))


@pytest.mark.parametrize(
    ("load", "volume", "steps"),
    [(0.1, 30, 3), (0.1, 31, 4), (1 / 3, 9, 3), (0.7, 10, 7), (1.1, 100, 110), (1e-7, 3e7, 3), (1e-7, 3e7 + 1, 4), (0.1, 0, 0)],
)
def test_a_step_falls_just_after_a_whole_load_whatever_the_rounding(load, volume, steps):
    assert whole_steps(load * volume) == steps
    assert Steps(load, 0).at(volume) == steps


def test_steps_never_fall_below_the_minimum_and_come_in_the_stated_size():
    np.testing.assert_array_equal(Steps(0.01, 2, 8.0).at(np.array([0, 200, 201, 301]))[:, 0], [16, 16, 24, 32])


def test_a_top_up_ends_where_usage_reaches_the_minimum():
    np.testing.assert_allclose(TopUp(100.0, 10.0, 0.5).at(np.array([0, 100, 180, 500]))[:, 0], [90, 40, 0, 0])


def simulated_hit_share(daily, active, ttl, days, seed=5):
    """Arrivals drawn one by one; the clock runs over nights too."""
    rng = np.random.default_rng(seed)
    arrivals = [day * 86_400 + np.sort(rng.uniform(0, active, count)) for day, count in enumerate(rng.poisson(daily, days))]
    return float(np.mean(np.diff(np.concatenate(arrivals)) < ttl))


@pytest.mark.parametrize(
    ("daily", "active", "ttl"),
    [(21.6, 43_200, 3_600), (3, 43_200, 3_600), (259.2, 43_200, 300), (5, 3_600, 7_200), (40, 86_400, 3_600), (0.2, 28_800, 300)],
)
def test_the_hit_share_is_what_a_simulation_gives(daily, active, ttl):
    days = int(5e5 / max(daily, 1))
    assert hit_share(daily, active, ttl) == pytest.approx(simulated_hit_share(daily, active, ttl, days), abs=4e-3)


def test_the_hit_share_of_the_method_document():
    """1.8 requests per time-to-live of an hour over 12 hours."""
    assert hit_share(1.8 * 12, 43_200.0, 3_600.0) == pytest.approx(0.810, abs=5e-4)
    n, x, rho = 21.6, 1.8, 1 / 12
    assert hit_share(n, 43_200.0, 3_600.0) == pytest.approx((1 - np.exp(-x)) * (1 - 1 / n) + rho * np.exp(-x), rel=1e-14)


def test_limits_of_the_hit_share():
    assert hit_share(0.0, 43_200.0, 300.0) == 0
    assert hit_share(1e12, 43_200.0, 300.0) == pytest.approx(1, abs=1e-11)
    x = 1e-9
    few = hit_share(x * 12, 43_200.0, 3_600.0)
    assert few == pytest.approx(x * (1 - 1 / 24), rel=1e-8), "per request x less the half that falls before the first of the day"
    assert hit_share(10.0, 86_400.0, 3_600.0) == pytest.approx(1 - np.exp(-10 / 24), rel=1e-14), "no night"
    assert hit_share(10.0, 80_000.0, 7_200.0) == pytest.approx(1 - np.exp(-0.9), rel=1e-14), "a night the cache outlives"
    assert hit_share(3.0, 3_600.0, 7_200.0) == pytest.approx(1 - (1 - np.exp(-3)) / 3, rel=1e-14), "all but the day's first"


def test_the_hit_share_rises_and_is_smooth_where_its_series_ends():
    daily = np.concatenate([np.geomspace(1e-6, 1e6, 2_000), 12 * 0.05 * (1 + np.linspace(-1e-6, 1e-6, 9))])
    shares = hit_share(np.sort(daily), 43_200.0, 3_600.0)
    assert (np.diff(shares) >= 0).all()
    assert ((shares >= 0) & (shares <= 1)).all()


def test_the_volume_at_which_a_hit_share_is_reached():
    shares = np.array([1e-9, 0.01, 0.25 / 1.15, 0.5, 0.9, 0.999, 1 - 1e-6])
    for active, ttl in [(43_200.0, 300.0), (43_200.0, 3_600.0), (3_600.0, 7_200.0)]:
        kept = min(ttl, active) / active
        x = hit_share_reached(shares, np.array(kept))
        np.testing.assert_allclose(hit_share(x / kept, active, ttl), shares, rtol=1e-13)
    np.testing.assert_allclose(hit_share_reached(shares, np.array(0.0)), -np.log1p(-shares), rtol=1e-13)
    ends = hit_share_reached(np.array([-np.inf, -0.1, 0.0, 1.0, np.inf]), np.array(0.1))
    np.testing.assert_array_equal(ends, [-np.inf, -np.inf, 0, np.inf, np.inf])


def test_the_three_outcomes_are_all_tokens():
    volumes = np.geomspace(1, 1e7, 50)
    for pays_above in (-np.inf, 0.25 / 1.15, 0.9, np.inf):
        total = sum(prefix(outcome, pays_above).at(volumes) for outcome in OUTCOMES)
        np.testing.assert_allclose(total, np.multiply.outer(volumes, 1_200 * GROWTH), rtol=1e-13)


def test_a_cache_is_used_only_where_it_pays():
    volumes = np.geomspace(1, 1e6, 400)
    hits = hit_share(np.multiply.outer(volumes, GROWTH / 30.4), 43_200.0, 300.0)
    used = prefix("uncached").at(volumes) == 0
    np.testing.assert_array_equal(used, hits > 0.25 / 1.15)
    assert used.any()
    assert not used.all()
    assert not prefix("read", np.inf).at(volumes).any()


def test_prefix_cost_falls_with_volume_over_part_of_its_range():
    """Written at 1.25, read at 0.1 without a night: V (1.25 - 1.15 h) falls from x = 1.33 to 3.25."""
    lines = [(CachedPrefix(o, 1.0, 1 / 30, 86_400.0, 300.0, -1.0), price) for o, price in (("read", 0.1), ("written", 1.25))]
    x = np.array([1.0, 1.32, 1.34, 2.0, 3.24, 3.26, 5.0])
    slope = np.diff(Curve.of(lines).total(np.multiply.outer(x * 30 * 288, [1 - 1e-6, 1 + 1e-6])), axis=1)[:, 0]
    np.testing.assert_array_equal(np.sign(slope), [1, 1, -1, -1, -1, 1, 1])


def random_lines(rng, months=MONTHS):
    price = rng.normal(size=(6, months))
    active, ttl = rng.choice([3_600.0, 43_200.0, 80_000.0, 86_400.0]), rng.choice([300.0, 3_600.0, 50_000.0])
    daily, pays_above = 10 ** rng.uniform(-3, 0) * GROWTH, rng.uniform(-0.2, 1.1, months)
    return [
        (Linear(rng.normal(size=months), GROWTH), price[0]),
        (Steps(GROWTH * 0.01, rng.integers(0, 4), 3.0), price[1]),
        (TopUp(500.0, 3.0, 0.1 * GROWTH), price[2]),
        *((CachedPrefix(o, 1_000 * GROWTH, daily, active, ttl, pays_above), price[3 + i]) for i, o in enumerate(OUTCOMES)),
    ]


@pytest.mark.parametrize("seed", range(50))
def test_a_curve_is_the_sum_of_its_lines(seed):
    rng = np.random.default_rng(seed)
    lines, scale = random_lines(rng), rng.uniform(0.5, 2)
    curve, volumes = Curve.of(lines, scale), np.unique(np.round(np.geomspace(1, 1e7, 300)))
    amounts = [shape.at(volumes * scale) * price for shape, price in lines]
    gross = sum(np.abs(amount).sum(axis=-1) for amount in amounts)
    assert (np.abs(curve.total(volumes) - sum(amount.sum(axis=-1) for amount in amounts)) <= 1e-12 * gross).all()
    assert (gross <= (curve.gross_fixed + curve.gross_slope * volumes) * (1 + 1e-9)).all()


def test_costs_without_benefits_sum_to_twelve_digits_of_the_total():
    lines = [(prefix(outcome), price) for outcome, price in zip(OUTCOMES, (3e-7, 3.75e-6, 3e-6), strict=True)]
    volumes = np.geomspace(1, 1e7, 200)
    together = sum((shape.at(volumes) * price).sum(axis=-1) for shape, price in lines)
    np.testing.assert_allclose(Curve.of(lines).total(volumes), together, rtol=1e-12)


def test_the_shape_of_the_volumes_is_the_shape_of_the_totals():
    curve = Curve.of(random_lines(np.random.default_rng(1)))
    assert curve.total(5.0).shape == ()
    assert curve.total(np.ones((2, 3, 4))).shape == (2, 3, 4)
    assert Curve.of([(Linear(2.0, 3.0), np.full(4, 0.5))]).total(10) == 64
    assert Curve.of([]).total(np.arange(3)).tolist() == [0, 0, 0]


def test_equal_months_cost_no_further_terms():
    lines = [(prefix(o, tokens_per_request=9.0, daily_requests_per_request=np.full(MONTHS, 0.1)), 2.0) for o in OUTCOMES]
    curve = Curve.of([*lines, (Steps(0.1, 1), np.arange(24.0))])
    assert (curve.prefixes.rate.size, curve.steps.load.size) == (1, 1)


def test_a_prefix_that_no_request_shares_is_never_read():
    unshared = [prefix(outcome, -1.0, daily_requests_per_request=0.0) for outcome in OUTCOMES]
    curve = Curve.of([(shape, price) for shape, price in zip(unshared, (0.1, 1.25, 1), strict=True)])
    assert curve.total(1_000) == pytest.approx(1_200 * GROWTH.sum() * 1.25 * 1_000)


@pytest.mark.parametrize("lines", [[(Linear(np.nan, 1.0), 1.0)], [(Steps(np.inf, 1), 1.0)], [(prefix(), np.nan)]])
def test_what_is_not_finite_is_refused(lines):
    with pytest.raises(ValueError, match="finite"):
        Curve.of(lines)


def test_draws_make_no_single_curve():
    with pytest.raises(ValueError, match="months only"):
        Curve.of([(Linear(np.ones((3, 2)), 1.0), 1.0)])
