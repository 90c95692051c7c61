"""What the price book costs to read: one scenario's providers, the whole book, and its check, each beside bare tomllib.

Run ``python -m benchmarks.price_book``; figures belong in benchmarks/README.md as ratios.
"""

from __future__ import annotations

import subprocess
import sys
import tomllib
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from statistics import median

from calc import compare
from ingest import load_scenario
from pricing import PriceBook

ROOT = Path(__file__).parent.parent
EXAMPLES = ("support_tone", "helpfulness_dpo")
RUNS = 9

_TIMED = "import time, {imports}; t = time.perf_counter(); {work}; print((time.perf_counter() - t) * 1e3)"


def cold_ms(imports: str, work: str) -> float:
    """Median milliseconds of some work in processes that have done nothing but import what it needs."""
    code = _TIMED.format(imports=imports, work=work)
    runs = [float(subprocess.check_output([sys.executable, "-c", code], text=True, cwd=ROOT)) for _ in range(RUNS)]
    return median(runs)


def bare_ms(paths: Iterable[Path]) -> float:
    """As `cold_ms`, of parsing files with tomllib alone."""
    names = [str(path) for path in paths]
    work = f"[tomllib.loads(open(n, encoding='utf-8').read(), parse_float=decimal.Decimal) for n in {names}]"
    return cold_ms("tomllib, decimal", work)


def report(what: str, ours: float, bare: float) -> None:
    print(f"{what}: {ours:.0f} ms, {ours / bare:.1f} × bare tomllib ({bare:.0f} ms)")


def rates_of(example: str) -> None:
    """The tables that a comparison of an example asks for, parsed and validated by a fresh process."""
    book = PriceBook.bundled()
    compare(load_scenario(ROOT / "examples" / f"{example}.yaml"), book)
    asked = sorted(book._providers)
    ours = cold_ms("pricing", f"b = pricing.PriceBook.bundled(); [b.provider(p) for p in {asked}]")
    report(f"rates of {example}, {len(asked)} providers", ours, bare_ms(ROOT / f"pricing/tables/{p}.toml" for p in asked))


def whole_book() -> None:
    """Every table of the book, loaded, and then checked."""
    paths = sorted((ROOT / "pricing").rglob("*.toml"))
    tables = [path for path in paths if path.parent.name == "tables"]
    parsed = [tomllib.loads(path.read_text(encoding="utf-8"), parse_float=Decimal) for path in tables]
    items = sum(len(of_kind) for table in parsed for of_kind in table.values() if isinstance(of_kind, dict))
    print(f"the book: {len(tables)} providers, {items:,} items, {sum(path.stat().st_size for path in paths) / 1e6:.1f} MB")
    bare = bare_ms(paths)
    ours = cold_ms(
        "pricing", "b = pricing.PriceBook.bundled(); [b.provider(p) for p in b.provider_ids]; b.assumptions; b.open_models"
    )
    report("whole book", ours, bare)
    report("tuneworth prices check", cold_ms("pricing.check", "pricing.check.check_book()"), bare)
    largest = max(tables, key=lambda path: path.stat().st_size)
    ours = cold_ms("pricing", f"pricing.PriceBook.bundled().provider({largest.stem!r})")
    report(f"the largest table, {largest.stem}", ours, bare_ms([largest]))


if __name__ == "__main__":
    for example in EXAMPLES:
        rates_of(example)
    whole_book()
