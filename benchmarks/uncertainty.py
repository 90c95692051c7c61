"""131,072 draws of five approaches over 24 months beside the same sums in bare NumPy, and everything else that rests on draws.

Run ``python -m benchmarks.uncertainty`` (``OPENBLAS_NUM_THREADS=1`` keeps the comparison fair); figures belong in
benchmarks/README.md as ratios.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Callable

import numpy as np

from benchmarks.comparison import bare_totals, five_approaches_24_months
from calc import Comparison, compare
from calc.drivers import tornado, variance_shares
from calc.ledger import Ledger
from calc.sampling import compared_at, shares, uncertain_inputs, values_at
from calc.uncertainty import SCRAMBLES, Simulation, break_even_draws, simulate
from pricing import PriceBook


def timed(what: str, work: Callable[[], object], runs: int = 3) -> float:
    """Best of several runs, printed in seconds of the clock and of the processors."""
    best = (np.inf, np.inf)
    for _ in range(runs):
        wall, processor = time.perf_counter(), time.process_time()
        work()
        best = min(best, (time.perf_counter() - wall, time.process_time() - processor))
    print(f"{what:58} {best[0]:6.2f} s, {best[1]:6.2f} s of processor")
    return best[0]


def summary(simulation: Simulation) -> object:
    """Percentiles of every approach and line, probabilities and regret."""
    lines = [[simulation.line(name, key) for key in simulation.lines[name]] for name in simulation.names]
    totals = [simulation.total(name) for name in simulation.names]
    return lines, totals, simulation.probability_cheapest, simulation.regret_usd


def bare(blocks: list[tuple[np.ndarray, list[Ledger]]]) -> object:
    """The same sums, line by line, on arrays that are at hand already; percentiles, probabilities and regret of the totals."""
    totals = np.concatenate([np.stack([bare_totals(ledger, v) for ledger in ledgers]) for v, ledgers in blocks], axis=1)
    best = totals.min(axis=0)
    cheapest = np.bincount(np.argmin(totals, axis=0), minlength=len(totals)) / totals.shape[1]
    return np.quantile(totals, (0.1, 0.5, 0.9), axis=1), cheapest, (totals - best).mean(axis=1)


def others(simulation: Simulation) -> None:
    """Everything but the indices, given the draws."""
    reference = simulation.comparison.point.reference
    for name in simulation.names:
        if name != reference:
            break_even_draws(simulation, name, reference)
            simulation.probability_of_payback(name)
    for one in simulation.inputs:
        simulation.information_usd(one)
    tornado(simulation.comparison)


def everything(comparison: Comparison) -> None:
    """All of it from the start."""
    simulation = simulate(comparison)
    summary(simulation)
    others(simulation)


def main() -> None:
    book = PriceBook.bundled()
    comparison = compare(five_approaches_24_months(), book)
    inputs = uncertain_inputs(comparison)
    blocks = []
    for scramble in range(SCRAMBLES):
        drawn = compared_at(comparison, inputs, values_at(inputs, shares(inputs, (), 0, (scramble,))))
        requests = np.broadcast_to(drawn.results["prompting"].requests, 8192)
        blocks.append((requests, [result.ledger for result in drawn.available.values()]))
    print(
        f"{len(comparison.available)} approaches, {comparison.months.count} months, {len(inputs)} uncertain inputs, 131,072 draws"
    )
    alone = timed("bare NumPy: totals, percentiles, probabilities, regret", lambda: bare(blocks))
    blocks.clear()
    ours = timed("the model: the same and every line's percentiles", lambda: summary(simulate(comparison)))
    print(f"{'ratio':58} {ours / alone:6.2f}")
    timed("with break-evens, payback, information and tornado", lambda: everything(comparison))
    timed(f"Sobol indices of {len(inputs)} inputs", lambda: variance_shares(comparison))
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB, the blocks of bare NumPy included")


if __name__ == "__main__":
    main()
