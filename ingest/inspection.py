"""Checks by provider and findings of quality, both from the one reading that counts a training file.

The Training data page and ``tuneworth tokens`` use it alike::

    inspection = Inspection()
    measured = measure(files, countings, on_record=inspection.add)
    validated = measure(validation, countings, on_record=inspection.add_validation)     # where there is a validation file
    tables = inspection.tables(measured, countings[0], rates)
    tables.checks, tables.findings                                                       # lists of rows by column

Rows of checks have provider, rule, severity, cases, lines, problem, expected, source, source_date and confidence; a provider that
has nothing against the file has one row without a rule. Rows of findings have finding, cases, of, share, lines, words and advice.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from ingest.checks import CASES_SHOWN, PROVIDERS, RULES, Broken, Checks, File, Limits, Rule, truncated
from ingest.counting import Counting
from ingest.dataset import Measured
from ingest.examples import Example
from ingest.findings import Findings, place
from ingest.lengths import LengthCounter, batches
from ingest.records import Record
from pricing import Rates

Row = dict[str, Any]

TAKES, CONVERT, NOT_KNOWN, REFUSES = "takes it", "convert the format", "not known", "refuses: "
"""What a provider does with a file as it is; the last is followed by the reason."""

_LONG_CHARACTERS = 4_000
"""Shorter examples exceed no limit on training."""


class Tables(NamedTuple):
    """What was found, as rows."""

    checks: list[Row]
    findings: list[Row]
    """Empty where they were not asked for."""


class Inspection:
    """Looks at every record of a training file, and of a validation file."""

    def __init__(self, *, findings: bool = True, on_broken: Callable[[Rule, Record], None] | None = None) -> None:
        """
        Args:
            findings: whether to look for duplicates, outliers and the like, which costs more time than the checks.
            on_broken: called with every line that breaks a rule; of those longer than a limit, from `tables`, with the ones it
                names.
        """
        self._checks = Checks(on_broken)
        self._on_broken = on_broken
        self._findings = Findings() if findings else None
        self._validation_examples: int | None = None
        self._long = 0
        self._longest: list[tuple[int, int, Record, Example]] = []

    def add(self, record: Record, example: Example | None) -> None:
        """A record of the training file; the example is None where it is left out. For `ingest.dataset.measure`."""
        self._checks.add(record, example)
        if example is None:
            return
        self._keep_if_long(record, example)
        if self._findings is not None:
            self._findings.add(record.file, record.line, example)

    def _keep_if_long(self, record: Record, example: Example) -> None:
        """Keep the longest few by their characters, so that those a limit cuts can be named."""
        characters = 0
        for message in example.messages:
            for text in message.texts:
                characters += len(text)
        if characters < _LONG_CHARACTERS:
            return
        self._long += 1
        found = (characters, -self._long, record._replace(data=None), example)
        if len(self._longest) < CASES_SHOWN:
            heapq.heappush(self._longest, found)
        elif found > self._longest[0]:
            heapq.heapreplace(self._longest, found)

    def add_validation(self, record: Record, example: Example | None) -> None:
        """A record of the validation file."""
        if example is None:
            return
        self._validation_examples = (self._validation_examples or 0) + 1
        if self._findings is not None:
            self._findings.add(record.file, record.line, example, validation=True)

    def tables(
        self, measured: Measured, counting: Counting | None = None, rates: Rates | None = None, size_bytes: int | None = None
    ) -> Tables:
        """Both tables.

        Args:
            measured: what the reading of the training file gave.
            counting: whose tokens the limits on an example are held against; None leaves them out.
            rates: the price book's limits; None leaves them out.
            size_bytes: of the training file, for limits on its size.
        """
        file = File(
            examples=measured.examples.total(),
            formats=frozenset(found.format for found in measured.formats.values()),
            size_bytes=size_bytes,
            validation_examples=self._validation_examples,
        )
        broken = self._checks.broken(file)
        if counting is not None and rates is not None:
            refused = {found.rule.provider for found in broken if found.rule.id == "format"}
            limits = {provider: found for provider, found in _limits(rates).items() if provider not in refused}
            family = measured.family(counting)
            family = family if counting.factor is None else family.scaled(counting.factor.likely)
            longest = [(_tokens(example, counting), record.file, record.line) for _, _, record, example in self._longest]
            too_long = truncated(family.lengths, longest, limits)
            broken += too_long
            if self._on_broken is not None:
                for found in too_long:
                    for name, line in found.lines:
                        self._on_broken(found.rule, Record(name, line, None))
        several = len(measured.formats) > 1
        checks = [row for provider in PROVIDERS for row in _rows(provider, broken, several)]
        return Tables(checks, self._findings.rows(several) if self._findings is not None else [])


def _tokens(example: Example, counting: Counting) -> int:
    """Of an example's longest sequence."""
    counter = LengthCounter([counting])
    for batch in batches([example]):
        counter.add(batch)
    family = counter.families[counting.family]
    return max((family if counting.factor is None else family.scaled(counting.factor.likely)).lengths)


def checks_by_provider(tables: Tables) -> list[Row]:
    """How much each provider has against the file: rules about the file, lines by what becomes of them."""
    rows = []
    for provider in PROVIDERS:
        found = [row for row in tables.checks if row["provider"] == provider and row["rule"]]
        of_file = [row["problem"] for row in found if row["severity"] == "rejects the file"]
        rows.append(
            {
                "provider": provider,
                "rejects the file": "; ".join(of_file),
                "most lines rejected by a rule": max(
                    (row["cases"] for row in found if row["severity"] == "rejects the line"), default=0
                ),
                "truncated": max((row["cases"] for row in found if row["severity"] == "truncates"), default=0),
                "warnings": sum(row["severity"] == "warns" for row in found),
            }
        )
    return rows


def uploads(tables: Tables) -> dict[str, str]:
    """What each provider that has rules does with the file as it is: `TAKES`, `CONVERT`, refuses, or has lines to be mended."""
    found = {}
    for provider in PROVIDERS:
        rows = [row for row in tables.checks if row["provider"] == provider]
        of_file = [row["problem"] for row in rows if row["severity"] == "rejects the file"]
        of_lines = max((row for row in rows if row["severity"] == "rejects the line"), key=lambda row: row["cases"], default=None)
        if any(row["rule"] == "format" for row in rows):
            found[provider] = CONVERT
        elif of_file:
            found[provider] = f"{REFUSES}{'; '.join(of_file)}"
        elif of_lines is not None:
            found[provider] = f"mend {of_lines['cases']:,} lines: {of_lines['problem']}"
        else:
            found[provider] = TAKES
    return found


def upload_of(offer: str, name: str, by_provider: Mapping[str, str]) -> str:
    """What becomes of the file at one offer.

    Args:
        offer: its id.
        name: its model's.
        by_provider: `uploads`.
    """
    if "classifier" in name.lower():
        return f"{REFUSES}a classifier learns labels, not answers"
    return by_provider.get(offer.partition("/")[0], NOT_KNOWN)


def _limits(rates: Rates) -> Limits:
    """By provider and limit on training in tokens per example, the models it holds for."""
    limits: Limits = {}
    for provider_id in PROVIDERS:
        by_limit: dict[int, list[str]] = defaultdict(list)
        for model_id, item in rates.book.provider(provider_id).model.items():
            limit = item.max_training_tokens_per_example
            if limit is not None and rates.is_listed(item) and not _training_ended(rates, f"{provider_id}/{model_id}"):
                by_limit[limit].append(model_id)
        limits[provider_id] = by_limit
    return limits


def _training_ended(rates: Rates, offer: str) -> bool:
    ends = ("training_ends", "inference_ends")
    return any(event.event in ends and event.date <= rates.as_of for event in rates.lifecycle(offer))


def _rows(provider: str, broken: list[Broken], several: bool) -> list[Row]:
    of_provider = [found for found in broken if found.rule.provider == provider]
    if of_provider:
        return [_row(found, several) for found in of_provider]
    held = sum(rule.provider == provider for rule in RULES)
    nothing = dict.fromkeys(("rule", "severity", "lines", "expected", "source", "source_date", "confidence"), "")
    return [{"provider": provider, **nothing, "cases": 0, "problem": f"none of {held} rules is broken"}]


def _row(found: Broken, several: bool) -> Row:
    rule = found.rule
    return {
        "provider": rule.provider,
        "rule": rule.id,
        "severity": rule.severity,
        "cases": found.cases,
        "lines": ", ".join(place(file, line, several) for file, line in found.lines),
        "problem": found.words,
        "expected": rule.expected,
        "source": rule.source,
        "source_date": rule.source_date,
        "confidence": rule.confidence,
    }
