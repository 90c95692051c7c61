"""Tidy CSV files of a comparison: one fact a row, the same bytes for the same answer.

Columns that end in _usd are in dollars. Where the scenario names another currency, the same amounts follow in it, with the rate.
Text that a spreadsheet would run as a formula is marked as text by a leading apostrophe.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from calc.compare import Comparison
from calc.export import comparison_dict, number
from reports.words import DIGEST_LETTERS

RISKY = ("=", "+", "-", "@", "\t", "\r")
"""First characters that make a spreadsheet run a text."""

Row = Sequence[Any]

LINES = (
    "approach",
    "status",
    "line",
    "name",
    "group",
    "timing",
    "quantity",
    "unit",
    "unit_price_usd",
    "amount_usd",
    "formula",
    "prices",
    "sources",
    "source_dates",
    "confidence",
    "assumptions",
    "missing",
    "price_book",
)
MONTHS = ("approach", "month", "starts", "requests", "cost_usd", "cumulative_cost_usd")
LIMITS = ("approach", "kind", "severity", "text", "day", "source")
BREAK_EVEN = ("a", "b", "from_requests_per_month", "to_requests_per_month", "cheaper")


def csv_files(comparison: Comparison) -> dict[str, str]:
    """Every CSV file by its name."""
    data = comparison_dict(comparison)
    return {
        "lines.csv": lines_csv(data),
        "months.csv": months_csv(data),
        "break_even.csv": break_even_csv(data),
        "limits.csv": limits_csv(data),
    }


def lines_csv(data: dict[str, Any]) -> str:
    """Every cost line of every approach at today's volume, with the prices and assumptions behind it.

    An approach without lines has one row that says why. Prices and their sources are in the same order, parted by " | ".

    Args:
        data: `calc.export.comparison_dict`.
    """
    rows: list[Row] = []
    own = (f"own prices of {file['name']}, {file['sha256'][:DIGEST_LETTERS]}" for file in data["own_prices"])
    book = "; ".join(filter(None, (_price_book(data["price_book"]), *own))) or None
    for approach in data["approaches"]:
        rows += [(*_line(approach, line), book) for line in approach["lines"]]
        if not approach["lines"]:
            rows.append((approach["name"], approach["status"], *[None] * (len(LINES) - 4), " ".join(approach["why_not"]), book))
    return _csv(LINES, rows, data["currency"])


def _price_book(found: dict[str, Any]) -> str | None:
    """The release with its last day and the start of its digest, or the day that is pinned."""
    if found["release"] is None:
        return f"recorded through {found['recorded_through']}" if found["recorded_through"] else None
    later = " and later records" if found["has_later_records"] else ""
    return f"{found['release']}{later}, recorded through {found['release_recorded_through']}, {found['sha256'][:DIGEST_LETTERS]}"


def _line(approach: dict[str, Any], line: dict[str, Any]) -> Row:
    prices = line["prices"]
    return (
        approach["name"],
        approach["status"],
        line["key"],
        line["name"],
        line["group"],
        line["timing"],
        line["quantity"],
        line["unit"],
        line["unit_price_usd"],
        line["amount_usd"],
        line["formula"],
        _joined(map(_price, prices)),
        _joined(p["source"] for p in prices),
        _joined(p["source_date"] for p in prices),
        _joined(p["confidence"] for p in prices),
        _joined(f"{a['name']} {_text(a['likely'])} ({_text(a['low'])} to {_text(a['high'])})" for a in line["assumptions"]),
        line["missing"],
    )


def _price(price: dict[str, Any]) -> str:
    conditions = f" ({price['conditions']})" if price["conditions"] else ""
    return f"{price['offer']} {price['key']} {_text(price['usd'])}{conditions}{_listed(price)}"


def _listed(price: dict[str, Any]) -> str:
    """What the price is listed as, and the rate, where it is converted."""
    rate = price["exchange_rate"]
    if rate is None:
        return ""
    at = f"{_text(rate['per_usd'])} {rate['code']} per USD of {rate['effective']}, {rate['publisher']}"
    return f" (listed as {_text(price['listed'])} {rate['code']}, at {at})"


def months_csv(data: dict[str, Any]) -> str:
    """What every priced approach costs in every month, and up to its end.

    Args:
        data: `calc.export.comparison_dict`.
    """
    rows: list[Row] = []
    for approach in data["approaches"]:
        for m, month in enumerate(data["months"] if approach["by_month_usd"] else ()):
            costs = (approach["by_month_usd"][m], approach["cumulative_usd"][m])
            rows.append((approach["name"], month["month"], month["starts"], month["requests"], *costs))
    return _csv(MONTHS, rows, data["currency"])


def limits_csv(data: dict[str, Any]) -> str:
    """What limits each approach within the horizon: ends, closed offers, old and unverified prices.

    Args:
        data: `calc.export.comparison_dict`.
    """
    limits = ((approach["name"], limit) for approach in data["approaches"] for limit in approach["limits"])
    return _csv(LIMITS, [(name, *(limit[column] for column in LIMITS[1:])) for name, limit in limits], data["currency"])


def break_even_csv(data: dict[str, Any]) -> str:
    """Who of every two approaches is cheaper in every range of volume; a tie names nobody.

    Args:
        data: `calc.export.comparison_dict`.
    """
    rows = [
        (found["a"], found["b"], interval["first"], interval["last"], interval["winner"])
        for found in data["break_evens"]
        for interval in found["intervals"]
    ]
    return _csv(BREAK_EVEN, rows, data["currency"])


def _joined(texts: Iterable[str]) -> str:
    return " | ".join(texts)


def in_currency(row: Mapping[str, Any], currency: Mapping[str, Any]) -> dict[str, Any]:
    """A row with its dollar amounts repeated in the scenario's currency, and the rate with its day and source.

    As it is where that is the dollar, or where the row holds no amount.

    Args:
        row: values by column; amounts are those whose column ends in _usd.
        currency: as in `calc.export.comparison_dict`.
    """
    code, amounts = currency["code"].lower(), {name: value for name, value in row.items() if name.endswith("_usd")}
    if code == "usd" or not amounts:
        return dict(row)
    shown = {
        f"{name.removesuffix('usd')}{code}": None if value is None else number(value * currency["per_usd"])
        for name, value in amounts.items()
    }
    rate = {
        f"rate_{code}_per_dollar": currency["per_usd"],
        "rate_effective": currency["effective"],
        "rate_source": currency["source"],
    }
    return {**row, **shown, **rate}


def _csv(header: Sequence[str], rows: Iterable[Row], currency: Mapping[str, Any]) -> str:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(in_currency(dict.fromkeys(header), currency))
    for row in rows:
        writer.writerow([safe(value) for value in in_currency(dict(zip(header, row, strict=True)), currency).values()])
    return text.getvalue()


def safe(value: Any) -> str:
    """A cell: a number in full without an exponent, a text that no spreadsheet runs, nothing where there is nothing."""
    if value is None:
        return ""
    if isinstance(value, bool | int | float):
        return _text(value)
    text = str(value)
    return f"'{text}" if text.startswith(RISKY) or text.lstrip().startswith(RISKY) else text


def _text(number: float) -> str:
    """Shortest digits that give the number back, without an exponent."""
    if isinstance(number, int):
        return str(number)
    digits = repr(number)
    if "e" in digits:
        digits = f"{number:.20f}".rstrip("0").rstrip(".") if abs(number) < 1 else f"{number:.0f}"
    return digits.removesuffix(".0")
