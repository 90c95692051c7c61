"""Reading a spend log of a million requests, beside DuckDB's bare group-by of the same file.

Run ``python -m benchmarks.usage``; figures belong in benchmarks/README.md. Each reading is a process of its own, for its memory.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
from datetime import datetime, timedelta
from pathlib import Path

ROWS = 1_000_000
MODELS = ("gpt-4.1-mini-2025-04-14", "gpt-5.4-nano", "anthropic/claude-haiku-4-5")

_OURS = """
from datetime import date
from ingest.usage_logs import read_usage
from pricing import PriceBook
found = read_usage({path!r}, PriceBook.bundled().as_of(date(2026, 11, 20)), today=date(2026, 11, 21))
total = sum(usage.input_tokens for usage in found.usage)
"""
_BARE = """
import duckdb
duckdb.sql("set enable_progress_bar = false")
rows = duckdb.sql('''select date_trunc('month', "startTime") m, model, count(*), sum(prompt_tokens), sum(completion_tokens),
    sum(spend), sum(cast(json_extract(metadata, '$.usage_object.prompt_tokens_details.cached_tokens') as bigint))
    from read_csv({path!r}) group by 1, 2''').fetchall()
total = sum(row[3] for row in rows)
"""
_MEASURED = """
import resource, time
start = time.perf_counter()
{work}
print(time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, total)
"""


def write_log(path: Path) -> None:
    chance, start = random.Random(1), datetime(2026, 8, 1)
    with path.open("w", encoding="utf-8") as file:
        file.write(
            "request_id,call_type,spend,total_tokens,prompt_tokens,completion_tokens,startTime,model,metadata,cache_hit,status\n"
        )
        for number in range(ROWS):
            given, answered = chance.randrange(500, 4000), chance.randrange(20, 600)
            details = {"usage_object": {"prompt_tokens": given, "prompt_tokens_details": {"cached_tokens": given // 2}}}
            quoted = json.dumps(details).replace('"', '""')
            at = start + timedelta(seconds=number * 7)
            file.write(f'chatcmpl-{number:09d},acompletion,{given * 4e-7:.7f},{given + answered},{given},{answered},{at},'
                       f'{MODELS[number % 3]},"{quoted}",False,success\n')  # fmt: skip


def measured(work: str, path: Path) -> tuple[float, float, float]:
    """Seconds, peak MiB, and the sum of input tokens."""
    code = _MEASURED.format(work=work.format(path=str(path)))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    seconds, peak, total = done.stdout.split()
    return float(seconds), float(peak), float(total)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "spend.csv"
        write_log(path)
        runs = [(measured(_OURS, path), measured(_BARE, path)) for _ in range(3)]
        ours, bare = (min(each) for each in zip(*runs, strict=True))
        assert ours[2] == bare[2]
        print(f"{ROWS:,} requests, {path.stat().st_size / 1e6:.0f} MB of CSV")
        print(f"read_usage: {ours[0]:.1f} s, {ours[1]:.0f} MB; bare DuckDB: {bare[0]:.1f} s, {bare[1]:.0f} MB")
        print(f"{ours[0] / bare[0]:.1f} × the time, {ours[1] / bare[1]:.1f} × the memory")


if __name__ == "__main__":
    main()
