"""Times the ranking of every model x GPU x technique by cost, and of what serves a demand, beside the bare sums of their hours.

Run from the repository's root: python -m benchmarks.hardware
"""

from __future__ import annotations

import timeit
from datetime import date

from calc.hardware.plans import Demand, TokenShape, TuningTask, rents, serving_plans, tuning_plans
from pricing import PriceBook

TECHNIQUES = ("full", "lora", "qlora")
MODELS, GPUS = 40, 15


def best(call, repeat: int = 7) -> float:
    """Milliseconds, the best of several rounds."""
    return min(timeit.repeat(call, number=1, repeat=repeat)) * 1e3


def main() -> None:
    rates = PriceBook.bundled().as_of(date(2026, 11, 21))
    reading = best(lambda: rents(PriceBook.bundled().as_of(date(2026, 11, 21))), 3)
    shaped = [model for model in rates.open_models.values() if model.layers][:MODELS]
    rented = sorted({rent.gpu_id for rent in rents(rates)})[:GPUS]
    tasks = [TuningTask(tokens=9e6, technique=technique, sequence_tokens=1024) for technique in TECHNIQUES]

    def rank() -> int:
        return sum(len(tuning_plans(rates, model, task, gpus=rented).plans) for model in shaped for task in tasks)

    plans = rank()
    one = best(lambda: tuning_plans(rates, shaped[0], tasks[2]), 20)
    serving = best(lambda: serving_plans(rates, shaped[0], TokenShape(1200, 300), Demand(1e6)), 20)
    print(f"rents of the whole price book, read from its files: {reading:.0f} ms")
    print(f"{len(shaped)} models x {len(rented)} GPUs x {len(TECHNIQUES)} techniques, {plans:,} plans: {best(rank):.0f} ms")
    print(f"one model by one technique on every GPU: {one:.2f} ms; serving it: {serving:.2f} ms")


if __name__ == "__main__":
    main()
