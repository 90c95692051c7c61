"""The answer as Markdown, for a document or a pull request."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from calc.compare import Comparison
from calc.export import price_rows, prices_digest, scenario_digest
from calc.feasibility import feasibility
from reports import advice_words, cash_words, words
from reports.sources import source_words


@words.in_its_currency
def summary_markdown(comparison: Comparison) -> str:
    """Verdict, reasons, approaches, break-evens, rules of thumb and the digests that identify the answer."""
    parts = [
        f"# {escaped(words.verdict(comparison))}",
        escaped(words.reasons(comparison)),
        *([escaped(said)] if (said := words.currency_sentence(comparison)) else []),
        approaches_markdown(comparison),
        *map(escaped, words.accepted_notes(comparison)),
        "## Break-even",
        _bullets(words.break_even_sentences(comparison)),
        *_savings(comparison),
        *_turns(comparison),
        *_rules(comparison),
        *_notes(comparison),
        f"Prices as of {words.day(comparison.as_of)}, {words.price_book(comparison)}. "
        f"Scenario `{scenario_digest(comparison)[: words.DIGEST_LETTERS]}`, "
        f"price rows `{prices_digest(comparison)[: words.DIGEST_LETTERS]}`.",
    ]
    return "\n\n".join(parts) + "\n"


@words.in_its_currency
def approaches_markdown(comparison: Comparison) -> str:
    """Every approach's total, lead, cost per request (per accepted answer too where rejected ones are lost), and status."""
    lost = words.rejected_are_lost(comparison)
    less_value = "Cost less value, " if words.value_is_counted(comparison) else ""
    total = f"{less_value}{words.unit_name()} over {words.months(comparison.months.count)}"
    head = ["Approach", total, "Against the cheapest", "Per request"]
    head += ["Per accepted answer"] * lost + ["Status"]
    rows = [
        [words.label(row.name), row.total, row.lead, row.per_request, *[row.per_accepted] * lost, row.status]
        for row in words.approach_rows(comparison)
    ]
    return _table(head, rows, figures=range(1, len(head) - 1))


@words.in_its_currency
def lines_markdown(comparison: Comparison) -> str:
    """Every cost line of every approach."""
    parts = []
    for result in comparison.results.values():
        rows = [
            [line.name, words.GROUP_LABELS[line.group], words.formula(line), words.line_amount(line, result)]
            for line in result.ledger.lines
        ]
        if rows:
            head = ["Line", "Group", "Formula", words.unit_name()]
            parts.append(f"## {escaped(words.label(result.name))}\n\n{_table(head, rows, (3,))}")
    return "\n\n".join(parts)


def sources_markdown(comparison: Comparison) -> str:
    """Every price used, with its source and the day it was read."""
    rows = [
        [row.offer, words.price(row), source_words(row.source), str(row.source_date), words.CONFIDENCE_LABELS[row.confidence]]
        for row in price_rows(comparison)
    ]
    head = ["Offer", "Price", "Source", "Read on", "Confidence"]
    return "## Prices\n\n" + _table(head, list(map(list, dict.fromkeys(map(tuple, rows)))))


def _rules(comparison: Comparison) -> list[str]:
    rows = [
        [rule.text, words.STATE_LABELS[rule.state], advice_words.finding_with_page(rule)]
        for rule in advice_words.told(comparison)
    ]
    table = _table(["Rule", "", "This workload"], rows)
    return ["## Rules of thumb, checked", table, escaped(advice_words.rules_caption(comparison))] if rows else []


def _savings(comparison: Comparison) -> list[str]:
    """What each approach saves against the reference, with why some have no rate of return."""
    rows = cash_words.savings_rows(comparison)
    if not rows:
        return []
    notes = (cash_words.no_rate_sentence(comparison), cash_words.price_sentence(comparison), cash_words.conventions(comparison))
    table = _table(["Approach", *cash_words.HEAD[1:]], rows, figures=range(1, len(cash_words.HEAD)))
    return [f"## {escaped(cash_words.savings_title(comparison))}", table, escaped(" ".join(filter(None, notes)))]


def _turns(comparison: Comparison) -> list[str]:
    sentences = [*advice_words.turns(comparison), *filter(None, [advice_words.settling_sentence(comparison)])]
    return ["## What would change the answer", _bullets(sentences)] if sentences else []


def _notes(comparison: Comparison) -> list[str]:
    stopping = [note for note in feasibility(comparison) if note.severity != "info" or note.kind == "old price"]
    notes = [f"{words.label(note.approach)}: {words.days_in_words(note.text)}" for note in stopping]
    return ["## What stands in the way", _bullets(notes)] if notes else []


def _bullets(sentences: Iterable[str]) -> str:
    return "\n".join(f"- {escaped(sentence)}" for sentence in sentences)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], figures: Sequence[int] = ()) -> str:
    aligned = ["--:" if i in figures else ":--" for i in range(len(head))]
    body = [[escaped(cell).replace("|", "\\|") for cell in row] for row in rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, aligned, *body))


def escaped(text: str) -> str:
    """Text that Markdown shows as it is."""
    one_line = " ".join(text.split())
    return "".join(f"\\{c}" if c in "\\`*_[]<>#" else c for c in one_line)
