"""Times all break-evens and the envelope of five approaches against evaluating the same curves on a grid with plain NumPy.

Run from the repository's root: python -m benchmarks.break_even
"""

from __future__ import annotations

import timeit

import numpy as np

from calc.break_even import all_break_evens
from calc.volume import CachedPrefix, Curve, Linear, Shape, Steps

MONTHS = 24
GROWTH = 1.03 ** np.arange(MONTHS)
GRID = np.geomspace(1, 1e7, 1_000)

Lines = list[tuple[Shape, np.ndarray]]


def prefix(tokens: float, price: float, ttl: float) -> Lines:
    lines: Lines = []
    for outcome, share in (("read", 0.1), ("written", 1.25), ("uncached", 1.0)):
        shape = CachedPrefix(outcome, tokens * GROWTH, GROWTH / 30.4, 43_200.0, ttl, 0.25 / 1.15)
        lines.append((shape, np.full(MONTHS, price * share * 1e-6)))
    return lines


def approach(fixed: float, per_request: float, *rest: Lines) -> Lines:
    return [(Linear(fixed, per_request * GROWTH), np.ones(MONTHS)), *(pair for lines in rest for pair in lines)]


def replicas(requests: float, price: float) -> Lines:
    return [(Steps(GROWTH / requests, 1), np.full(MONTHS, price))]


def approaches(requests_per_replica: float) -> dict[str, Lines]:
    return {
        "prompting": approach(2_000, 0.0040, prefix(1_200, 3.0, 300)),
        "few-shot": approach(2_500, 0.0041, prefix(4_200, 3.0, 300)),
        "rag": approach(6_000, 0.0035, prefix(2_000, 2.5, 3_600)),
        "fine-tuned": approach(3_000, 0.0001, replicas(requests_per_replica, 1_800)),
        "hybrid": approach(4_000, 0.0006, replicas(0.8 * requests_per_replica, 1_200)),
    }


def best(call, number: int = 20) -> float:
    """Milliseconds a call, the best of nine rounds."""
    return min(timeit.repeat(call, number=number, repeat=9)) / number * 1e3


def main() -> None:
    print("steps in range  crossings  curves ms  break-evens ms  grid of 1,000 ms  ratio")
    for requests_per_replica in (4_000_000.0, 500_000.0, 150_000.0):
        lines = approaches(requests_per_replica)
        curves = {name: Curve.of(pairs) for name, pairs in lines.items()}
        pairs, _ = all_break_evens(curves)
        steps = sum(int(curve.steps.counts(np.array([1e7])).sum()) for curve in curves.values())
        crossings = sum(len(pair.crossings) for pair in pairs.values())
        building = best(lambda lines=lines: [Curve.of(pairs) for pairs in lines.values()])
        solving = best(lambda curves=curves: all_break_evens(curves))
        grid = best(lambda lines=lines: [sum((s.at(GRID) * p).sum(-1) for s, p in own) for own in lines.values()], 5)
        print(f"{steps:14,} {crossings:10,} {building:10.2f} {solving:15.2f} {grid:17.2f} {solving / grid:6.2f}")


if __name__ == "__main__":
    main()
