"""The report as PDF: the answer on the first page, what it rests on after it. The same answer gives the same bytes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any, Literal

from calc.compare import ApproachResult, Comparison
from calc.export import assumptions, price_rows, prices_digest, scenario_digest
from calc.feasibility import feasibility
from calc.ledger import GROUPS, Group
from reports import advice_words, cash_words, words
from reports.cash_charts import savings_chart
from reports.charts import break_even_chart
from reports.letters import FONT_FOLDER, REPLACEMENT, breakable, printable
from reports.print_charts import break_even_svg, savings_svg
from reports.sources import source_words

TEMPLATE = Path(__file__).parent / "report.typ"
STANDARD: Literal["ua-1"] = "ua-1"
"""PDF/UA-1: tagged, readable aloud."""
MOST_CARDS = 4
MOST_COLUMNS = 7

Table = dict[str, Any]


def report_pdf(comparison: Comparison, *, tuneworth: str = "") -> bytes:
    """The report of a comparison.

    Args:
        tuneworth: version of the program, for the footer.
    """
    import typst

    data, replaced = printable(report_data(comparison, tuneworth))
    if replaced:
        data["check"] += (
            f" The report's font lacks {replaced} characters of this scenario's texts; {REPLACEMENT} stands for them."
        )
    made = typst.compile(
        str(TEMPLATE),
        format="pdf",
        font_paths=[str(FONT_FOLDER)],
        ignore_system_fonts=True,
        sys_inputs={"data": json.dumps(data, ensure_ascii=False)},
        pdf_standards=[STANDARD],
        timestamp=int(datetime.combine(comparison.as_of, time(), UTC).timestamp()),
    )
    assert isinstance(made, bytes)
    return made


@words.in_its_currency
def report_data(comparison: Comparison, tuneworth: str = "") -> dict[str, Any]:
    """Every text and number of the report, for the template."""
    drawn = _chart(comparison)
    return {
        "title": words.verdict(comparison),
        "alt": drawn["alt"] if drawn else words.verdict(comparison),
        "day": [comparison.as_of.year, comparison.as_of.month, comparison.as_of.day],
        "subtitle": _subtitle(comparison),
        "reasons": " ".join(filter(None, (words.reasons(comparison), words.currency_sentence(comparison)))),
        "badges": [{"text": badge.text, "warning": badge.is_warning} for badge in words.badges(comparison)],
        "cards": _cards(comparison),
        "chart": drawn,
        "totals": _totals(comparison),
        "missing": _missing(comparison),
        "break_even_title": _break_even_title(comparison),
        "break_evens": words.break_even_sentences(comparison),
        "savings": _savings(comparison),
        "turns": [*advice_words.turns(comparison), *filter(None, [advice_words.settling_sentence(comparison)])],
        "limits": [f"{words.label(note.approach)}: {words.note(note)}" for note in feasibility(comparison)],
        "rules": _rules(comparison),
        "rules_caption": advice_words.rules_caption(comparison),
        "lines_caption": _lines_caption(comparison),
        "lines": [_lines(result) for result in comparison.results.values() if result.ledger.lines],
        "prices_caption": f"In force on {words.day(comparison.as_of)}, or announced for the months after it.",
        "prices": _prices(comparison),
        "assumptions_caption": "Numbers that nobody lists. A scenario may state its own for each of them.",
        "assumptions": _assumptions(comparison),
        "check": _check(comparison),
        "footer": _footer(comparison, tuneworth),
    }


# --- first page -----------------------------------------------------------------------------------------------------------


def _subtitle(comparison: Comparison) -> str:
    rate = words.percent(comparison.discount_rate)
    parts = (
        comparison.scenario.name,
        f"{words.months(comparison.months.count)} from {words.month(comparison.months.starts[0])}",
        f"prices as of {words.day(comparison.as_of)}",
        f"discount rate {rate}",
    )
    return " · ".join(parts)


def _cards(comparison: Comparison) -> list[dict[str, Any]]:
    """Cheapest first: each approach's total, its lead or lag, its cost per request."""
    if not comparison.available:
        return []
    winner = comparison.winner()
    ranked = comparison.ranked()[:MOST_CARDS]
    return [
        {
            "label": breakable(words.label(name)),
            "value": words.money(words.total_usd(comparison, name)),
            "notes": _card_notes(comparison, comparison.available[name]),
            "best": name == winner,
        }
        for name in ranked
    ]


def _card_notes(comparison: Comparison, result: ApproachResult) -> list[str]:
    notes = [words.lead(comparison, result.name), f"{words.money_per(words.per_request_usd(result))} per request"]
    per_accepted = words.per_accepted_usd(result)
    if per_accepted is not None and result.failure_mode == "discard":
        notes.append(f"{words.money_per(per_accepted)} per accepted answer")
    if result.accepted is not None:
        notes.append(words.accepted(comparison, result))
    return notes


def _chart(comparison: Comparison) -> dict[str, Any] | None:
    if not comparison.available:
        return None
    spec = break_even_chart(comparison)
    return {
        "title": spec.title,
        "caption": spec.caption,
        "alt": spec.alt,
        "svg": break_even_svg(spec).decode(),
    }


def _totals(comparison: Comparison) -> Table:
    """Cost by group, an approach with a total a column; the total last."""
    results = list(comparison.available.values())
    sums = {result.name: result.ledger.by_group(words.shown_requests(result)) for result in results}
    groups = [group for group in GROUPS if any(group in found for found in sums.values())]
    horizon, net = words.months(comparison.months.count), words.value_is_counted(comparison)
    value = words.counted_value(comparison).capitalize()
    parts = [results[i : i + MOST_COLUMNS] for i in range(0, len(results), MOST_COLUMNS)]
    return {
        "title": f"Cost over {horizon} at {words.volume(comparison.requests)} {words.per_month(comparison)}, {words.unit_name()}",
        "parts": [
            {
                "head": ["", *(breakable(words.label(r.name)) for r in part)],
                "rows": [
                    *([words.GROUP_LABELS[group], *(_group_cell(sums[r.name], group) for r in part)] for group in groups),
                    *([[value, *(_value_cell(comparison, r) for r in part)]] if net else []),
                    [
                        f"{'Cost less value' if net else 'Total'}, {horizon}",
                        *(words.money(words.total_usd(comparison, r.name)) for r in part),
                    ],
                ],
            }
            for part in parts
        ],
    }


def _total_cell(result: ApproachResult) -> str:
    if result.status != "available":
        return words.status_label(result).lower()
    return words.money(float(result.total(words.shown_requests(result))))


def _value_cell(comparison: Comparison, result: ApproachResult) -> str:
    worth = comparison.compared_value_usd(result.name)
    return words.money(None if worth is None else -worth)


def _group_cell(sums: Mapping[Group, Any], group: Group) -> str:
    return words.money(float(sums[group])) if group in sums else words.MISSING


def _break_even_title(comparison: Comparison) -> str:
    return f"{words.label(comparison.winner())} against each other approach" if comparison.available else "Break-even"


def _missing(comparison: Comparison) -> list[str]:
    """One sentence for every approach without a total and everything that ends within the horizon, sources included."""
    texts = []
    for result in comparison.results.values():
        ends = [] if result.unavailable is not None else [event.text for event in result.ledger.events]
        texts += [f"{words.label(result.name)}: {words.days_in_words(why)}." for why in (*result.why_not, *ends)]
    return texts


def _savings(comparison: Comparison) -> dict[str, Any]:
    """What each approach saves against the reference, and when."""
    drawn = savings_chart(comparison)
    chart = None
    if drawn is not None:
        chart = {"title": drawn.title, "caption": drawn.caption, "alt": drawn.alt, "svg": savings_svg(drawn).decode()}
    notes = (cash_words.no_rate_sentence(comparison), cash_words.price_sentence(comparison), cash_words.conventions(comparison))
    return {
        "title": cash_words.savings_title(comparison),
        "head": list(cash_words.HEAD),
        "rows": [[breakable(name), *cells] for name, *cells in cash_words.savings_rows(comparison)],
        "chart": chart,
        "notes": " ".join(filter(None, notes)),
    }


def _rules(comparison: Comparison) -> Table:
    rows = [
        [rule.text, words.STATE_LABELS[rule.state], advice_words.finding_with_page(rule)]
        for rule in advice_words.told(comparison)
    ]
    return {"head": ["Rule of thumb", "", "This workload"], "rows": rows}


# --- what it rests on -----------------------------------------------------------------------------------------------------


def _lines_caption(comparison: Comparison) -> str:
    return (
        f"{words.unit_name()} over {words.months(comparison.months.count)} at {words.volume(comparison.requests)} "
        f"{words.per_month(comparison)} in the first. Amounts are rounded one by one; totals are sums of unrounded amounts."
    )


def _lines(result: ApproachResult) -> Table:
    rows = [[line.name, words.formula(line), words.line_amount(line, result)] for line in result.ledger.lines]
    rows.append(["Total", "", _total_cell(result)])
    return {
        "title": f"{words.label(result.name)} with {result.offer}",
        "head": ["Cost line", "How it comes about", words.unit_name()],
        "rows": rows,
    }


def _prices(comparison: Comparison) -> Table:
    rows = [
        [row.offer, words.price(row), source_words(row.source), _read(row), words.CONFIDENCE_LABELS[row.confidence]]
        for row in price_rows(comparison)
    ]
    return {"head": ["Offer", "Price", "Source", "Read on", "Confidence"], "rows": list(dict.fromkeys(map(tuple, rows)))}


def _read(row: Any) -> str:
    return words.day_short(row.source_date)


def _assumptions(comparison: Comparison) -> Table:
    rows = [
        [_assumed(name, found.unit), *(words.figure(v) for v in (found.low, found.likely, found.high)), found.basis]
        for name, found in assumptions(comparison).items()
    ]
    return {"head": ["Assumption", "Low", "Used", "High", "Basis"], "rows": rows}


def _assumed(name: str, unit: str) -> str:
    """An assumption's name in words, with its unit where the name does not end in it."""
    topic, _, what = name.replace("_", " ").partition(".")
    named = f"{topic.capitalize()}: {what}"
    return named if unit in what else f"{named}, {unit}"


def _check(comparison: Comparison) -> str:
    return (
        "Put the scenario file and the day of its prices into tuneworth report: the same version and price book give this "
        f"file byte for byte. Here: {words.price_book(comparison)}. SHA-256 of the scenario: "
        f"{scenario_digest(comparison)}; of the price rows and assumptions used: "
        f"{prices_digest(comparison)}."
    )


def _footer(comparison: Comparison, tuneworth: str) -> str:
    parts = (
        f"tuneworth {tuneworth}".rstrip(),
        f"prices as of {words.day_short(comparison.as_of)}, {words.price_book_short(comparison)}",
        f"scenario {scenario_digest(comparison)[: words.DIGEST_LETTERS]}",
        f"price rows {prices_digest(comparison)[: words.DIGEST_LETTERS]}",
    )
    return " · ".join(parts)
