"""A full comparison, a cost curve, and the import of calc: each beside the same work done plainly.

Run ``python benchmarks/comparison.py``; figures belong in benchmarks/README.md as ratios.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np

from calc import Scenario, compare
from calc.ledger import Ledger
from calc.volume import CachedPrefix, Linear, Steps, hit_share
from ingest import load_scenario
from pricing import PriceBook

EXAMPLE = Path(__file__).parent.parent / "examples" / "support_tone.yaml"
FIVE = ("prompting", "few-shot", "rag", "fine-tuning", "hybrid")


def five_approaches_24_months() -> Scenario:
    """The support scenario with its five approaches alone, over two years."""
    stated = load_scenario(EXAMPLE).model_dump(mode="json", exclude_unset=True)
    stated["approaches"] = {name: stated["approaches"][name] for name in FIVE}
    return Scenario.model_validate(stated | {"horizon_months": 24})


def bare_totals(ledger: Ledger, volumes: np.ndarray) -> np.ndarray:
    """The ledger's total at each volume, written out in NumPy line by line and month by month."""
    v, total = volumes[:, None], np.zeros(len(volumes))
    for line in ledger.lines:
        q = line.quantity
        if isinstance(q, Linear):
            amount = (q.fixed + q.per_request * v) * line.unit_price
        elif isinstance(q, Steps):
            amount = q.size * np.maximum(q.minimum, np.ceil(q.load_per_request * v)) * line.unit_price
        elif isinstance(q, CachedPrefix):
            hit = hit_share(v * q.daily_requests_per_request, q.active_seconds_per_day, q.ttl_seconds)
            used = hit > q.pays_above
            share = {"read": hit * used, "written": (1 - hit) * used, "uncached": ~used}[q.outcome]
            amount = v * q.tokens_per_request * share * line.unit_price
        else:
            amount = np.maximum(0, q.minimum - (q.fixed + q.per_request * v)) * line.unit_price
        total = total + amount.sum(axis=1)
    return total


def typical_ms(work: Callable[[], object], runs: int = 15) -> float:
    """Median milliseconds of several runs after a first one."""
    work()
    taken = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        taken.append((time.perf_counter() - start) * 1e3)
    return median(taken)


def full_comparison() -> None:
    """One comparison with all break-evens and the lower envelope, on a book already read."""
    scenario, book = five_approaches_24_months(), PriceBook.bundled()
    cold = time.perf_counter()
    assert compare(scenario, book).envelope
    cold_ms = (time.perf_counter() - cold) * 1e3
    evaluated = typical_ms(lambda: compare(scenario, book))
    everything = typical_ms(lambda: compare(scenario, book).envelope)
    print(f"comparison, 5 approaches × 24 months: {evaluated:.1f} ms; with all break-evens {everything:.1f} ms")
    print(f"  the first one, reading its price tables: {cold_ms:.0f} ms")


def cost_curve() -> None:
    """Totals of five approaches at 10,000 volumes, against the same sums in bare NumPy."""
    comparison = compare(five_approaches_24_months(), PriceBook.bundled())
    volumes = np.geomspace(1_000, 3_000_000, 10_000)
    results = list(comparison.available.values())
    for result in results:
        np.testing.assert_allclose(result.curve.total(volumes), bare_totals(result.ledger, volumes), rtol=1e-9)
    ours = typical_ms(lambda: [result.curve.total(volumes) for result in results], 5)
    bare = typical_ms(lambda: [bare_totals(result.ledger, volumes) for result in results], 5)
    print(f"curve, 10,000 volumes × {len(results)} approaches: {ours:.1f} ms, {ours / bare:.2f} × bare NumPy ({bare:.1f} ms)")


def importing() -> None:
    """Seconds and peak memory of ``import calc`` in a fresh process, beside importing its two libraries alone."""
    probe = (
        "import time; t = time.perf_counter(); {}; s = time.perf_counter() - t; "
        "peak = next(l for l in open('/proc/self/status') if l.startswith('VmHWM')); print(s, int(peak.split()[1]) / 1024)"
    )
    figures = {}
    for what in ("import calc", "import numpy, pydantic"):
        runs = [
            tuple(map(float, subprocess.check_output([sys.executable, "-c", probe.format(what)], text=True).split()))
            for _ in range(7)
        ]
        figures[what] = (median(s for s, _ in runs), median(mb for _, mb in runs))
    (seconds, megabytes), (least, _) = figures["import calc"], figures["import numpy, pydantic"]
    print(f"import calc: {seconds:.2f} s, {megabytes:.0f} MB, {seconds / least:.1f} × NumPy and pydantic alone")


if __name__ == "__main__":
    full_comparison()
    cost_curve()
    importing()
