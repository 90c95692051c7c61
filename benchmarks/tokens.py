"""What counting a training file costs, beside the same count with orjson and tiktoken's batches on all cores.

Run ``python -m benchmarks.tokens [MEGABYTES]``; figures belong in benchmarks/README.md as ratios. The file is made here: chats of
3 to 9 messages whose words are drawn by Zipf's law from the ASCII words of the o200k vocabulary, in the order of their ranks,
with Chinese sentences, numbers, lines of code and words made up of syllables between them: no two messages are alike, so no cache
of texts helps.
"""

from __future__ import annotations

import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np
import orjson
import splintr
import tiktoken
from tiktoken_ext import openai_public

MEGABYTE = 1_000_000
RUNS = 3
LARGE_MEGABYTES = 500

SYLLABLES = ["ba", "ke", "lo", "mi", "ru", "san", "tor", "vel", "qui", "pra", "ost", "ing", "ent", "alo", "dri", "gra", "hex"]
CODE = ["    return {0}({1})\n", "for {0} in {1}:\n", "if {0} == {1}:\n    pass\n", "print('{0}', {1})\n"]


@cache
def vocabulary() -> dict[bytes, int]:
    """o200k's tokens and their ranks, out of the counting library, so that nothing is downloaded."""
    ours = splintr.Tokenizer.from_pretrained("o200k_base")
    return {ours.decode_token_bytes(rank): rank for rank in range(199_998)}


def tiktoken_encoding() -> tiktoken.Encoding:
    """tiktoken's own o200k_base, given these ranks in place of its download."""
    openai_public.load_tiktoken_bpe = lambda *_, **__: vocabulary()
    return tiktoken.Encoding(**openai_public.o200k_base())


def words() -> tuple[list[str], list[str]]:
    texts = [token.decode("utf-8", "ignore") for token in vocabulary()]
    english = [text[1:] for text in texts if text[:1] == " " and text[1:].isascii() and text[1:].isalpha() and len(text) > 2]
    chinese = [text for text in texts if len(text) > 1 and all("\u4e00" <= letter <= "\u9fff" for letter in text)]
    return english, chinese


def write_chats(path: Path, megabytes: int) -> None:
    """A chat file of a size; the same for the same size."""
    dice, draws = random.Random(1), np.random.default_rng(1)
    english, chinese = words()
    shares = 1 / (np.arange(len(english)) + 2.7)
    cumulated = np.cumsum(shares / shares.sum())
    drawn: Iterator[int] = iter(())

    def word() -> str:
        nonlocal drawn
        rank = next(drawn, None)
        if rank is None:
            drawn = iter(np.minimum(np.searchsorted(cumulated, draws.random(1_000_000)), len(english) - 1).tolist())
            rank = next(drawn)
        return english[rank]

    def sentence() -> str:
        kind = dice.random()
        if kind < 0.03:
            return "".join(dice.choices(chinese, k=12)) + "。"
        if kind < 0.10:
            return dice.choice(CODE).format(word(), dice.randint(0, 99_999))
        said = [word() for _ in range(dice.randint(5, 22))]
        if kind < 0.25:
            said.insert(2, f"{dice.randint(1, 99_999):,}")
        if dice.random() < 0.5:
            said.insert(3, "".join(dice.choices(SYLLABLES, k=3)))
        return " ".join(said).capitalize() + dice.choice([". ", ".\n\n", "? ", "! ", ": "])

    with path.open("wb") as file:
        while file.tell() < megabytes * MEGABYTE:
            turns = dice.randint(1, 4)
            messages = [{"role": "system", "content": sentence()}]
            for _ in range(turns):
                messages.append({"role": "user", "content": "".join(sentence() for _ in range(dice.randint(1, 5)))})
                messages.append({"role": "assistant", "content": "".join(sentence() for _ in range(dice.randint(2, 12)))})
            file.write(json.dumps({"messages": messages}, ensure_ascii=False).encode() + b"\n")


def with_tiktoken(path: Path, encoding: tiktoken.Encoding) -> int:
    """The cookbook's tokens of a chat file, plainly: orjson line by line, tiktoken's batch over the texts of 1,000 lines."""

    def counted(lines: list[bytes]) -> int:
        messages = [message for line in lines for message in orjson.loads(line)["messages"]]
        texts = [text for message in messages for text in message.values()]
        return 3 * len(lines) + 3 * len(messages) + sum(map(len, encoding.encode_ordinary_batch(texts, num_threads=2)))

    with path.open("rb") as file:
        return sum(counted(lines) for lines in _thousands(file))


def _thousands(lines: Iterator[bytes]) -> Iterator[list[bytes]]:
    while chunk := [line for _, line in zip(range(1000), lines, strict=False)]:
        yield chunk


def timed(work: str, path: Path) -> tuple[float, int, float]:
    """Best seconds of some runs in fresh processes, the count, and the most memory in MB."""
    runs = []
    for _ in range(RUNS):
        out = subprocess.check_output([sys.executable, "-m", "benchmarks.tokens", work, str(path)], text=True)
        runs.append(tuple(map(float, out.split())))
    seconds, count, memory = min(runs)
    return seconds, int(count), memory


def work(name: str, path: Path) -> None:
    """One timed count in this process, loading excluded: seconds, tokens, peak memory in MB."""
    if name == "tiktoken":
        encoding = tiktoken_encoding()
        encoding.encode_ordinary("warm")
        start = time.perf_counter()
        count = with_tiktoken(path, encoding)
    else:
        from ingest.counting import counting_for
        from ingest.dataset import measure

        models = {"one": ["gpt-4.1-mini"], "five": ["gpt-4.1-mini", "gpt-4", "llama-3.3-70b", "qwen3-8b", "deepseek-v3"]}[name]
        countings = [counting_for(model) for model in models]
        start = time.perf_counter()
        count = measure(path, countings).family(countings[0]).total_tokens()
    print(time.perf_counter() - start, count, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def compare(megabytes: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "chats.jsonl"
        write_chats(path, megabytes)
        size = path.stat().st_size / MEGABYTE
        theirs, their_count, _ = timed("tiktoken", path)
        ours, our_count, memory = timed("one", path)
        five, _, five_memory = timed("five", path)
        if our_count != their_count:
            raise SystemExit(f"the counts differ: {our_count:,} here, {their_count:,} by tiktoken")
        print(f"{size:.0f} MB, {our_count:,} tokens, equal in both")
        print(f"orjson and tiktoken's batches: {theirs:.2f} s, {size / theirs:.0f} MB/s")
        print(f"tuneworth: {ours:.2f} s, {size / ours:.0f} MB/s, {theirs / ours:.1f} × as fast, {memory:.0f} MB of memory")
        print(f"for five vocabularies at once: {five:.2f} s, {five / ours:.1f} × one, {five_memory:.0f} MB of memory")


def growth(megabytes: int) -> None:
    """Memory of a tenth of a file and of the whole."""
    for size in (megabytes // 10, megabytes):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "chats.jsonl"
            write_chats(path, size)
            out = subprocess.check_output([sys.executable, "-m", "benchmarks.tokens", "one", str(path)], text=True)
            seconds, count, memory = map(float, out.split())
            print(f"{size} MB: {count:,.0f} tokens in {seconds:.1f} s, {memory:.0f} MB of memory")


if __name__ == "__main__":
    if len(sys.argv) == 3:
        work(sys.argv[1], Path(sys.argv[2]))
    else:
        compare(int(sys.argv[1]) if len(sys.argv) == 2 else 50)
        growth(LARGE_MEGABYTES)
