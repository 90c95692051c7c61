"""What was used and billed, read from a usage export: counters and cost by month, model and service.

Kinds of files are told by their fields (`KINDS`; docs/usage-files.md). Rows are grouped and summed by one
expression of Ibis, which any of its backends can run; here DuckDB does, streaming. Nothing leaves the machine.
"""

from __future__ import annotations

import csv
import hashlib
import re
from calendar import monthrange
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from calc.invoice import COUNTERS, MonthUsage, added
from ingest.errors import InputError, NotInstalled, Problem
from ingest.files import is_utf_16, readable_file
from pricing import PricingError, Rates
from pricing.near import did_you_mean

if TYPE_CHECKING:
    import ibis.expr.types as ir

JSON_LIMIT_BYTES = 200_000_000
"""JSON that is one value is read whole; JSON Lines and CSV are not."""
EARLIEST = date(2020, 1, 1)
LARGEST = 1e15
"""A larger figure in a row is a slip."""
_HEADER_BYTES = 1_000_000


class Kind(NamedTuple):
    """A kind of file: how it is told, and where its figures are. Names are lower case; in JSON a dot leads into an object."""

    name: str
    told_by: frozenset[str]
    time: tuple[str, ...]
    """The first of these that the file has."""
    model: tuple[str, ...]
    sums: Mapping[str, tuple[tuple[str, ...], ...]]
    """Of each counter the alternatives; of the first that the file has, the fields are added."""
    end: tuple[str, ...] = ()
    """Where a row is a bucket of time: its end, which it does not hold itself. The first of these that the file has."""
    currency: str | None = None
    service: str | None = None
    cost_per: int = 1
    """Parts of the currency unit that the cost is stated in."""
    is_request: bool = False
    """Whether a row is a request."""
    identity: str | None = None
    """What no two rows share."""
    model_in_text: bool = False
    """Whether the model's name ends at a comma: "gpt-4.1-mini, cached input"."""


def _kind(name: str, told_by: str, time: str, model: str, sums: Mapping[str, str], **more: Any) -> Kind:
    """``|`` parts alternatives, ``+`` what is added."""
    parts = {counter: tuple(tuple(each.split("+")) for each in text.split("|")) for counter, text in sums.items()}
    return Kind(name, frozenset(told_by.split()), tuple(time.split()), tuple(model.split()), parts, **more)


_OPENAI_END, _ANTHROPIC_END = ("end_time", "end_time_iso"), ("ending_at",)
_DETAILS = "metadata.usage_object.prompt_tokens_details"
KINDS = (
    _kind(
        "LiteLLM spend log",
        "spend prompt_tokens completion_tokens starttime",
        "starttime",
        "model",
        {
            "input_tokens": "prompt_tokens",
            "output_tokens": "completion_tokens",
            "cache_read_tokens": f"{_DETAILS}.cached_tokens|metadata.usage_object.cache_read_input_tokens",
            "cache_write_tokens": f"{_DETAILS}.cache_creation_tokens|metadata.usage_object.cache_creation_input_tokens",
            "reasoning_tokens": "metadata.usage_object.completion_tokens_details.reasoning_tokens",
            "cost": "spend",
        },
        is_request=True,
        identity="request_id",
    ),
    _kind(
        "OpenAI usage",
        "num_model_requests input_tokens output_tokens",
        "start_time start_time_iso",
        "model",
        {
            "requests": "num_model_requests",
            "input_tokens": "input_tokens",
            "output_tokens": "output_tokens",
            "cache_read_tokens": "input_cached_tokens",
            "cache_write_tokens": "input_cache_write_tokens",
        },
        end=_OPENAI_END,
        service="batch",
    ),
    _kind(
        "OpenAI costs",
        "amount.value",
        "start_time",
        "line_item",
        {"cost": "amount.value"},
        end=_OPENAI_END,
        currency="amount.currency",
        model_in_text=True,
    ),
    _kind(
        "OpenAI costs",
        "amount_value",
        "start_time start_time_iso",
        "line_item",
        {"cost": "amount_value"},
        end=_OPENAI_END,
        currency="amount_currency",
        model_in_text=True,
    ),
    _kind(
        "Anthropic usage report",
        "uncached_input_tokens output_tokens",
        "starting_at",
        "model",
        {
            "input_tokens": "uncached_input_tokens+cache_read_input_tokens+cache_creation.ephemeral_5m_input_tokens"
            "+cache_creation.ephemeral_1h_input_tokens",
            "output_tokens": "output_tokens",
            "cache_read_tokens": "cache_read_input_tokens",
            "cache_write_tokens": "cache_creation.ephemeral_5m_input_tokens+cache_creation.ephemeral_1h_input_tokens",
            "cache_write_1h_tokens": "cache_creation.ephemeral_1h_input_tokens",
        },
        end=_ANTHROPIC_END,
        service="service_tier",
    ),
    _kind(
        "Anthropic usage export",
        "usage_input_tokens_no_cache usage_output_tokens",
        "usage_date_utc",
        "model_version",
        {
            "input_tokens": "usage_input_tokens_no_cache+usage_input_tokens_cache_read+usage_input_tokens_cache_write_5m"
            "+usage_input_tokens_cache_write_1h",
            "output_tokens": "usage_output_tokens",
            "cache_read_tokens": "usage_input_tokens_cache_read",
            "cache_write_tokens": "usage_input_tokens_cache_write_5m+usage_input_tokens_cache_write_1h",
            "cache_write_1h_tokens": "usage_input_tokens_cache_write_1h",
        },
        service="usage_type",
    ),
    _kind("Anthropic cost export", "usage_date_utc token_type cost_usd", "usage_date_utc", "model", {"cost": "cost_usd"}),
    _kind(
        "Anthropic cost report",
        "starting_at amount cost_type",
        "starting_at",
        "model",
        {"cost": "amount"},
        end=_ANTHROPIC_END,
        currency="currency",
        cost_per=100,
    ),
    _kind(
        "tuneworth usage file",
        "model",
        "month date",
        "model",
        {name: name for name in COUNTERS} | {"cost": "cost_usd|cost"},
        currency="currency",
        service="service",
        identity="request_id",
    ),
)
"""The first whose fields a file has is taken."""

_OWN = KINDS[-1]
_SERVICES = {"default": "standard", "on_demand": "standard", "message": "standard", "false": "standard", "true": "batch"}
"""Other words for the book's services."""
_INSTANT = timedelta(seconds=1)
"""Before the end of a bucket, which it does not hold itself."""
_NO_REQUEST = ("failure", "error")
_ANOTHER_ZONE = r":\d\d(\.\d+)?\s*[+-](0[1-9]|1\d|00:?[1-9]|00:?\d[1-9])"


@dataclass(frozen=True)
class UsageFile:
    """A usage export, summed."""

    name: str
    kind: str
    """Which kind of file it was taken for."""
    usage: tuple[MonthUsage, ...]
    rows: int
    """Rows that are in the sums."""
    notes: tuple[str, ...] = ()
    """What was left out, or may be wrong."""


def read_usage(path: str | Path, rates: Rates, *, today: date) -> UsageFile:
    """A usage export: CSV, JSON or JSON Lines, of any of the `KINDS`.

    Args:
        path: the file; its name's end decides between JSON Lines (``.jsonl``, ``.ndjson``), JSON and, for any other, CSV.
        rates: their exchange rates convert costs in other currencies, at the rate of each month's last day.
        today: no usage is of a later day.

    Raises:
        InputError: the file cannot be read, is none of the kinds, or holds what cannot be; line or column are named.
        NotInstalled: the ``usage`` extra is missing.
    """
    path = readable_file(path)
    backend = _backend()
    table, kind, days = _opened(backend, path)
    rows = _lower(table)
    _check_time(path, kind, rows.columns)
    _check_currency(path, kind, rows.columns)
    lines = _lines(kind, rows)
    try:
        found = _summed(lines).to_pyarrow().to_pylist()
        more = sum(row["named"] - row["different"] for row in found)
        if more:
            found = _summed(_each_once(lines)).to_pyarrow().to_pylist()
        notes = [*_repeated(kind, rows, more), *_more_pages(path)]
    except Exception as error:
        raise _unreadable(path, error) from None
    _refuse_bad(path, kind, found, today)
    covered = _Covered.of(kind, found, rows.columns, days, today)
    return _usage_file(path, kind, found, rates, covered, notes)


def read_usages(paths: Sequence[str | Path], rates: Rates, *, today: date) -> tuple[UsageFile, ...]:
    """Several exports, none of them twice.

    Raises:
        InputError: as `read_usage`, or two files are the same.
    """
    seen: dict[str, str | Path] = {}
    for path in paths:
        with readable_file(path).open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        if digest in seen:
            raise InputError(Problem(str(path), f"holds the same as {seen[digest]}", "", "Name each file once"))
        seen[digest] = path
    return tuple(read_usage(path, rates, today=today) for path in paths)


# --- opening --------------------------------------------------------------------------------------------------------------


def _backend() -> Any:
    try:
        import ibis

        # DuckDB would fetch parts of itself that are missing, of which nothing here needs any, and draw on standard output
        backend = ibis.duckdb.connect(autoinstall_known_extensions=False)
        backend.raw_sql("SET enable_progress_bar = false")
        return backend
    except ImportError:
        raise NotInstalled("Reading a usage export", "usage") from None


def _opened(backend: Any, path: Path) -> tuple[ir.Table, Kind, list[date]]:
    """The file as a table of text, its kind, and the days that it says it covers besides those of its rows."""
    if path.suffix.lower() in (".jsonl", ".ndjson", ".json"):
        return _opened_json(backend, path)
    names, separator = _header(path)
    kind = _told(path, names)
    try:
        # nothing is left to be guessed, or a row with too many fields would pass for the header
        columns = dict.fromkeys(names, "VARCHAR")
        table = backend.read_csv(path, columns=columns, auto_detect=False, header=True, delim=separator, quote='"', escape='"')
    except Exception as error:
        raise _unreadable(path, error) from None
    return table, kind, []


def _header(path: Path) -> tuple[list[str], str]:
    """The names in a CSV's first line, in lower case, and what separates them."""
    with path.open("rb") as file:
        start = file.read(_HEADER_BYTES)
    if is_utf_16(start):
        raise InputError(Problem(str(path), "the file is UTF-16 text", "Expected UTF-8", "Save it as UTF-8"))
    if b"\0" in start:
        raise InputError(Problem(str(path), "the file is binary", "Expected CSV, JSON or JSON Lines", "Name the right file"))
    text = start.decode("utf-8-sig", errors="replace")
    lines = text.splitlines()
    if not text.strip() or not lines:
        raise InputError(Problem(str(path), "the file is empty", "Expected a header and rows"))
    if text.lstrip()[:1] in "[{":
        raise InputError(Problem(str(path), "holds JSON", "Expected CSV by its name", "Rename it to end in .json or .jsonl"))
    separator = max(",;\t", key=lines[0].count)
    names = [name.strip().lower() for name in next(csv.reader([lines[0]], delimiter=separator))]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InputError(Problem(str(path), f"the column '{twice}' is there twice", "", "Keep one", line=1))
    if not any(line.strip() for line in lines[1:]):
        raise InputError(Problem(str(path), "has a header and no rows", "", "Export a period with usage in it", line=1))
    return names, separator


def _told(path: Path, names: Iterable[str]) -> Kind:
    """The kind of file with these fields."""
    found = set(names)
    for kind in KINDS:
        if kind is not _OWN and kind.told_by <= found:
            return kind
    has_figures = found & {*COUNTERS, "cost_usd", "cost"}
    if _OWN.told_by <= found and found & set(_OWN.time) and has_figures:
        return _OWN
    fields = (*_OWN.time, "model", *COUNTERS, "cost_usd")
    near = next(filter(None, (did_you_mean(name, fields, most=1, cutoff=0.8) for name in sorted(found - set(fields)))), "")
    shown = ", ".join(sorted(found)[:12])
    raise InputError(
        Problem(
            str(path),
            f"its fields are those of no usage export that is known: {shown or 'none'}",
            f"Expected month or date, model, and counters such as requests and input_tokens {near}".strip(),
            "See docs/usage-files.md for the kinds that are read",
        )
    )


def _opened_json(backend: Any, path: Path) -> tuple[ir.Table, Kind, list[date]]:
    days: list[date] = []
    first = _first_line(path)
    if isinstance(first, dict) and not _is_page(first) and path.suffix.lower() != ".json":
        kind = _told(path, _flat(first))
        table = _json_lines(backend, path, kind)
        return table, kind, days
    records = [_flat(record) for record in _records(path, days)]
    names = {name for record in records for name in record}
    if not records:
        raise InputError(Problem(str(path), "holds no usage", "Expected rows, or buckets with results", "Export another period"))
    kind = _told(path, names)
    import ibis
    import pyarrow as pa

    columns = {name: pa.array([record.get(name) for record in records], pa.string()) for name in sorted(names)}
    return ibis.memtable(pa.table(columns)), kind, days


def _json_lines(backend: Any, path: Path, kind: Kind) -> ir.Table:
    """Large logs go through DuckDB: of each record only what is asked of it, as text. Fields are those of the first record."""
    asked = {name.partition(".")[0] for name in _asked(kind)} | {"status", "cache_hit"}
    columns = {str(name): "VARCHAR" for name in _first_line(path) if str(name).lower() in asked}
    try:
        return backend.read_json(path, columns=columns, format="newline_delimited")
    except Exception as error:
        raise _unreadable(path, error) from None


def _asked(kind: Kind) -> set[str]:
    names = {name for ways in kind.sums.values() for way in ways for name in way}
    return names | {*kind.time, *kind.end, *kind.model} | {name for name in (kind.currency, kind.service, kind.identity) if name}


def _first_line(path: Path) -> Any:
    with path.open("rb") as file:
        line = file.readline(_HEADER_BYTES).removeprefix(b"\xef\xbb\xbf").strip()
    try:
        return orjson.loads(line)
    except orjson.JSONDecodeError:
        return None


def _is_page(record: Any) -> bool:
    return isinstance(record, dict) and ("results" in record or isinstance(record.get("data"), list))


def _records(path: Path, days: list[date]) -> Iterator[dict[str, Any]]:
    """The rows of JSON: a list, pages of buckets, or one such value a line."""
    if path.stat().st_size > JSON_LIMIT_BYTES:
        wrong = f"is one JSON value of more than {JSON_LIMIT_BYTES:,} bytes"
        raise InputError(Problem(str(path), wrong, "", "Write it as JSON Lines, a record a line, or as CSV"))
    data = path.read_bytes().removeprefix(b"\xef\xbb\xbf")
    try:
        values = [orjson.loads(data)]
    except orjson.JSONDecodeError as error:
        lines = [(number, line) for number, line in enumerate(data.splitlines(), 1) if line.strip()]
        if len(lines) < 2:
            raise _not_json(path, error.lineno, error.msg) from None
        values = []
        for number, line in lines:
            try:
                values.append(orjson.loads(line))
            except orjson.JSONDecodeError as at:
                raise _not_json(path, number, at.msg) from None
    for value in values:
        yield from _rows_in(path, value, days, {})


def _more_pages(path: Path) -> list[str]:
    """What is to be said where the last page of an API's answer says that another follows."""
    if path.suffix.lower() not in (".json", ".jsonl", ".ndjson") or (not _is_page(_first_line(path)) and path.suffix != ".json"):
        return []
    told = re.findall(rb'"has_more"\s*:\s*(true|false)', path.read_bytes())
    said = "the export says that another page follows; if it is not among the files, these figures are too low"
    return [said] if b"true" in told and b"false" not in told else []


def _not_json(path: Path, line: int, wrong: str) -> InputError:
    return InputError(Problem(str(path), f"is not valid JSON: {wrong}", "", "Mend that line, or export it again", line=line))


def _rows_in(path: Path, value: Any, days: list[date], bucket: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    if isinstance(value, list):
        for item in value:
            yield from _rows_in(path, item, days, bucket)
    elif not isinstance(value, dict):
        raise InputError(Problem(str(path), f"holds {str(value)[:40]!r} where a record belongs", "Expected objects"))
    elif isinstance(value.get("data"), list):
        yield from _rows_in(path, value["data"], days, bucket)
    elif isinstance(value.get("results"), list):
        times = {name: value[name] for name in ("start_time", "starting_at", *_OPENAI_END, *_ANTHROPIC_END) if name in value}
        days += _days_of_bucket(times)
        yield from _rows_in(path, value["results"], days, times)
    else:
        yield {**bucket, **value}


def _days_of_bucket(times: Mapping[str, Any]) -> list[date]:
    """The first and the last day of a bucket, as far as it tells them."""
    starts = [_moment(value) for name, value in times.items() if name.startswith("start")]
    ends = [_moment(value) for name, value in times.items() if name.startswith("end")]
    return [at.date() for at in starts if at] + [(at - _INSTANT).date() for at in ends if at]


def _moment(value: Any) -> datetime | None:
    """A time as exports write it, in UTC: seconds since 1970, or ISO; None where it is none."""
    try:
        if re.fullmatch(r"\d{9,11}", str(value)):
            return datetime.fromtimestamp(int(value), UTC)
        at = datetime.fromisoformat(str(value))
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _flat(record: Mapping[str, Any], at: str = "") -> dict[str, str | None]:
    """A record's fields by lower-case dotted name, as text."""
    flat: dict[str, str | None] = {}
    for key, value in record.items():
        name = f"{at}{str(key).lower()}"
        if isinstance(value, dict):
            flat |= _flat(value, f"{name}.")
        elif isinstance(value, bool):
            flat[name] = str(value).lower()
        elif not isinstance(value, list):
            flat[name] = None if value is None else str(value)
    return flat


def _unreadable(path: Path, error: Exception) -> InputError:
    if path.suffix.lower() in (".jsonl", ".ndjson"):
        for number, record in _json_records(path):
            try:
                orjson.loads(record)
            except orjson.JSONDecodeError as at:
                return _not_json(path, number, at.msg)
    text = str(error)
    line = re.search(r"(?:CSV Error on Line:|line) (\d+)", text)
    why = re.sub(r"^[A-Za-z ]*Error:\s*", "", text.strip()).splitlines()[0][:200]
    next_step = "Mend that line, or export the file again"
    return InputError(Problem(str(path), f"cannot be read: {why}", "", next_step, line=int(line[1]) if line else None))


# --- summing --------------------------------------------------------------------------------------------------------------


def _lower(table: ir.Table) -> ir.Table:
    return table.rename({name.strip().lower(): name for name in table.columns})


def _check_time(path: Path, kind: Kind, columns: Iterable[str]) -> None:
    found = set(columns)
    if not found & set(kind.time):
        expected = f"Expected {' or '.join(kind.time)}"
        raise InputError(Problem(str(path), f"taken for {kind.name}, it has no time", expected, "Export it with its days"))


def _check_currency(path: Path, kind: Kind, columns: Iterable[str]) -> None:
    """An amount in another currency is `cost`, with its `currency` beside it."""
    found = set(columns)
    if kind is _OWN and "cost" in found and "cost_usd" not in found and "currency" not in found:
        wrong, next_step = "cost has no currency beside it", "Add a column currency, or call it cost_usd"
        raise InputError(Problem(str(path), wrong, "", next_step, field="cost"))
    if kind is _OWN and {"cost_usd", "currency"} <= found:
        wrong = "cost_usd and currency contradict each other"
        raise InputError(Problem(str(path), wrong, "", "Call the amount cost where it is in other currencies", field="cost_usd"))


def _text(rows: ir.Table, name: str | None) -> ir.StringValue | None:
    """A field as text, from within a column of JSON where the name has dots; None where the file has none such."""
    import ibis

    if name is None:
        return None
    if name in rows.columns:
        return ibis.coalesce(rows[name].strip(), "").nullif("")
    root, *way = name.split(".")
    if not way or root not in rows.columns:
        return None
    value = rows[root].try_cast("json")
    for part in way:
        value = value[part]
    return value.cast("string").nullif("null")


def _time(rows: ir.Table, name: str) -> ir.TimestampValue:
    import ibis

    text = _text(rows, name)
    assert text is not None
    seconds = text.re_search(r"^\d{9,11}$").ifelse(text.try_cast("int64"), ibis.null("int64"))
    whole = text.re_search(r"^\d{4}-\d{2}$").ifelse(text + "-01", text)
    return ibis.coalesce(seconds.as_timestamp("s"), whole.re_search(_ANOTHER_ZONE).ifelse(ibis.null("timestamp"), whole.try_cast(
        "timestamp")))  # fmt: skip


def _ends(rows: ir.Table, kind: Kind, start: ir.TimestampValue) -> dict[str, Any]:
    """The last day of each row's time, and whether it has an end that is no time, is before its start or in another month."""
    import ibis

    day = start.strftime("%Y-%m-%d")
    name = _end_field(kind, rows.columns)
    if name is None:
        return {"last_day": day, "end_bad": ibis.literal(False), "crosses": ibis.literal(False)}
    stated, end = _text(rows, name), _time(rows, name)
    assert stated is not None
    last = ibis.coalesce(ibis.greatest(end - ibis.interval(seconds=_INSTANT.seconds), start), start)
    return {
        "last_day": last.strftime("%Y-%m-%d"),
        "end_bad": ibis.coalesce(stated.notnull() & (end.isnull() | (end < start)), False),
        "crosses": ibis.coalesce(last.strftime("%Y-%m") != start.strftime("%Y-%m"), False),
    }


def _end_field(kind: Kind, columns: Iterable[str]) -> str | None:
    return next((name for name in kind.end if name in columns), None)


def _lines(kind: Kind, rows: ir.Table) -> ir.Table:
    """The rows with their month, model and figures, as numbers."""
    import ibis

    nothing = ibis.null("string")
    model = _text(rows, next((name for name in kind.model if name in rows.columns), None))
    if model is not None and kind.model_in_text:
        model = model.split(",")[0].strip()
    time = _time(rows, next(name for name in kind.time if name in rows.columns))
    status, hit = _text(rows, "status"), _text(rows, "cache_hit")
    kept = ibis.literal(True)
    if kind.is_request:
        failed = ibis.literal(False) if status is None else ibis.coalesce(status.lower().isin(_NO_REQUEST), False)
        from_proxy = ibis.literal(False) if hit is None else ibis.coalesce(hit.lower() == "true", False)
        kept = ~(failed | from_proxy)
    service, currency = _text(rows, kind.service), _text(rows, kind.currency)
    columns: dict[str, Any] = {
        "month": time.strftime("%Y-%m-01"),
        "day": time.strftime("%Y-%m-%d"),
        **_ends(rows, kind, time),
        "model": nothing if model is None else model,
        "service": nothing if service is None else service.lower(),
        "currency": nothing if currency is None else currency.upper(),
        "kept": kept,
    }
    figures = {counter: _figure(rows, ways) for counter, ways in kind.sums.items()}
    figures = {counter: figure for counter, figure in figures.items() if figure is not None}
    for counter, (value, bad) in figures.items():
        columns |= {counter: value, f"{counter}_bad": bad}
    if kind.is_request and "requests" not in figures:
        columns |= {"requests": ibis.literal(1.0), "requests_bad": ibis.literal(False)}
    if kind.is_request and "cache_read_tokens" in figures:
        columns |= _none_told(rows, figures)
    identity = _text(rows, kind.identity)
    columns["identity"] = nothing if identity is None else identity
    return rows.select(**columns)


def _summed(lines: ir.Table) -> ir.Table:
    """Counters by month, model, service and currency, with counts of what is wrong or unknown among them."""
    grouped = lines.group_by(["month", "model", "service", "currency", "kept"])
    sums: dict[str, Any] = {
        "rows": lines.count(),
        "first": lines.day.min(),
        "last": lines.day.max(),
        "covered_through": lines.last_day.max(),
    }
    sums |= {"ends_bad": lines.end_bad.sum(), "crossing": lines.crosses.sum()}
    sums |= {"named": lines.identity.count(), "different": lines.identity.nunique()}
    for counter in (name for name in (*COUNTERS, "cost") if name in lines.columns):
        sums |= {
            counter: lines[counter].sum(),
            f"{counter}_unknown": (lines[counter].isnull() & ~lines[f"{counter}_bad"]).sum(),
            f"{counter}_bad": lines[f"{counter}_bad"].sum(),
            f"{counter}_least": lines[counter].min(),
        }
    for parts, whole in _PARTS:
        if {*parts, whole} <= set(lines.columns):
            held = sum((lines[part].coalesce(0.0) for part in parts[1:]), start=lines[parts[0]])
            sums[f"{'+'.join(parts)}_over"] = (held > lines[whole] * (1 + 1e-9)).sum()
    return grouped.agg(**sums)


def _figure(rows: ir.Table, ways: Sequence[Sequence[str]]) -> tuple[Any, Any] | None:
    """A figure's value and whether what stands there is no number, by the first way of which the file has any field."""
    import ibis

    found = [[text for text in (_text(rows, name) for name in way) if text is not None] for way in ways]
    texts = [each for each, way in zip(found, ways, strict=True) if len(each) == len(way)]
    if not texts:
        return None
    values, bads = [], []
    for way in texts:
        numbers = [text.try_cast("float64") for text in way]
        fits = [ibis.coalesce(number.between(-LARGEST, LARGEST), False) for number in numbers]  # what is no number does not
        bad = [text.notnull() & ~fit for text, fit in zip(way, fits, strict=True)]
        total = numbers[0]
        for number in numbers[1:]:
            total = total + number
        any_bad = bad[0]
        for other in bad[1:]:
            any_bad = any_bad | other
        values.append(any_bad.ifelse(ibis.null("float64"), total))
        bads.append(any_bad)
    any_bad = bads[0]
    for other in bads[1:]:
        any_bad = any_bad | other
    return ibis.coalesce(*values) if len(values) > 1 else values[0], any_bad


def _none_told(rows: ir.Table, figures: Mapping[str, tuple[Any, Any]]) -> dict[str, Any]:
    """A request's usage object that names no cached tokens had none; without such an object they are unknown."""
    import ibis

    has = ibis.literal(False)
    if "metadata" in rows.columns:
        has = rows.metadata.try_cast("json")["usage_object"].cast("string").nullif("null").notnull()
    elif any(name.startswith("metadata.usage_object.") for name in rows.columns):
        has = ibis.literal(True)
    told = ("cache_read_tokens", "cache_write_tokens")
    return {
        name: ibis.coalesce(figures[name][0], (has & ~figures[name][1]).ifelse(0.0, ibis.null("float64")))
        for name in told
        if name in figures
    }


def _each_once(lines: ir.Table) -> ir.Table:
    """Rows of one identity once."""
    named = lines.filter(lines.identity.notnull())
    return named.distinct(on="identity", keep="first").union(lines.filter(lines.identity.isnull()))


# --- judging --------------------------------------------------------------------------------------------------------------

_PARTS = (
    (("cache_read_tokens",), "input_tokens"),
    (("cache_write_tokens", "cache_read_tokens"), "input_tokens"),
    (("cache_write_1h_tokens",), "cache_write_tokens"),
    (("reasoning_tokens",), "output_tokens"),
)
"""Counters that together are a part of another."""


def _refuse_bad(path: Path, kind: Kind, found: Sequence[Mapping[str, Any]], today: date) -> None:
    """Refuse what cannot be: days that are none, figures that are none, negative counts, parts larger than their whole."""
    told = "Expected 2026-10, 2026-10-31, a time in UTC or seconds since 1970"
    if any(row["month"] is None for row in found):
        raise _bad(path, kind, kind.time, _is_no_time, "{} is no month, day or time in UTC", told)
    late = max((row["last"] for row in found), default="")
    if late > today.isoformat():
        raise _bad(path, kind, kind.time, lambda text: text > "", f"the file has usage of {late}, after today, {today}", told)
    early = min((row["first"] for row in found), default="9")
    if early < EARLIEST.isoformat():
        raise _bad(path, kind, kind.time, lambda text: text > "", f"the file has usage of {early}, before {EARLIEST}", told)
    if any(row["ends_bad"] or row["crossing"] for row in found):
        raise _bad_end(path, kind)
    for counter, ways in kind.sums.items():
        names = tuple(name for way in ways for name in way)
        if any(row.get(f"{counter}_bad") for row in found):
            wrong, expected = "{} is no number that can be", f"Expected one like 1234.5, up to {LARGEST:g}, or nothing"
            raise _bad(path, kind, names, lambda text: not _fits(text), wrong, expected)
        if counter != "cost" and any((row.get(f"{counter}_least") or 0) < 0 for row in found):
            wrong = "{} is negative, and a count cannot be"
            raise _bad(path, kind, names, lambda text: _fits(text) and float(text) < 0, wrong, "Expected 0 or more")
    for parts, whole in _PARTS:
        if any(row.get(f"{'+'.join(parts)}_over") for row in found):
            wrong = f"has rows with more {' and '.join(parts)} than {whole}, of which they are a part"
            raise InputError(Problem(str(path), wrong, f"Expected {whole} to include them", "See docs/usage-files.md"))


def _bad(path: Path, kind: Kind, names: Iterable[str], is_bad: Any, wrong: str, expected: str) -> InputError:
    """The problem, with the line and column of the first row that has it."""
    for line, fields in _stated_rows(path):
        for name in names:
            text = fields.get(name)
            if text is not None and text.strip() and is_bad(text.strip()) and "{}" in wrong:
                shown = wrong.format(repr(text.strip()[:40]))
                return InputError(Problem(str(path), shown, expected, "Mend that row", field=name, line=line))
    shown, next_step = wrong.format("a blank"), f"Mend it, or is this not {kind.name}?"
    _, first = next(_stated_rows(path), (None, {}))
    return InputError(Problem(str(path), shown, expected, next_step, field=next((name for name in names if name in first), None)))


def _bad_end(path: Path, kind: Kind) -> InputError:
    """The problem with the first bucket that ends where none can."""
    for line, fields in _stated_rows(path):
        field = _end_field(kind, fields)
        start = next((_moment(fields[name]) for name in kind.time if fields.get(name)), None)
        text = (fields.get(field) or "").strip() if field else ""
        if start is None or not text:
            continue
        end = None if _is_no_time(text) else _moment(text)
        if end is None or end < start:
            wrong = f"{text[:40]!r} is no time in UTC that is after the bucket's start, {start:%Y-%m-%d %H:%M}"
            return InputError(Problem(str(path), wrong, "", "Mend that row, or export it again", field=field, line=line))
        last = end - _INSTANT
        if (last.year, last.month) != (start.year, start.month):
            wrong = (
                f"the bucket from {start:%Y-%m-%d} to {last:%Y-%m-%d} is of more than one month, and what each used is unknown"
            )
            next_step = "Export it in buckets of a day (bucket_width 1d)"
            return InputError(Problem(str(path), wrong, "Expected buckets within a month", next_step, field=field, line=line))
    return InputError(Problem(str(path), "a bucket ends where none can", "Expected ends after starts, in one month"))


def _json_records(path: Path) -> Iterator[tuple[int, bytes]]:
    """The lines of JSON Lines that are not blank, with their numbers."""
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if line.strip():
                yield number, line.removeprefix(b"\xef\xbb\xbf")


def _stated_rows(path: Path) -> Iterator[tuple[int | None, Mapping[str, str | None]]]:
    if path.suffix.lower() == ".json":
        yield from ((None, _flat(record)) for record in _records(path, []))
    elif path.suffix.lower() in (".jsonl", ".ndjson"):
        yield from ((number, _flat(orjson.loads(record))) for number, record in _json_records(path))
    else:
        with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
            separator = max(",;\t", key=file.readline().count)
            file.seek(0)
            reader = csv.reader(file, delimiter=separator)
            names = [name.strip().lower().lstrip("\ufeff") for name in next(reader)]
            for row in reader:
                yield reader.line_num, dict(zip(names, row, strict=False))


def _is_no_time(text: str) -> bool:
    if re.fullmatch(r"\d{9,11}", text):
        return False
    try:
        at = datetime.fromisoformat(f"{text}-01" if re.fullmatch(r"\d{4}-\d{2}", text) else text)
    except ValueError:
        return True
    return at.utcoffset() not in (None, timedelta(0))


def _fits(text: str) -> bool:
    try:
        return abs(float(text)) <= LARGEST
    except ValueError:
        return False


def _usage_file(
    path: Path, kind: Kind, found: Sequence[Mapping[str, Any]], rates: Rates, covered: _Covered, notes: list[str]
) -> UsageFile:
    usage: dict[tuple[date, str, str | None], list[MonthUsage]] = {}
    for row in (row for row in found if row["kept"]):
        month, service = date.fromisoformat(row["month"]), _SERVICES.get(row["service"], row["service"])
        known = {name: _known(row, name) for name in (*COUNTERS, "cost")}
        cost = known.pop("cost")
        one = MonthUsage(
            month=month,
            days=len(covered.days_of(month)),
            first_day=covered.days_of(month)[0],
            model=row["model"] or "",
            service=service,
            billed_usd=None if cost is None else _usd(path, kind, cost, row["currency"], month, rates),
            source=kind.name,
            **known,  # type: ignore[arg-type]
        )
        usage.setdefault((month, one.model, service), []).append(one)
        notes += _unknown(row, one)
    left_out = sum(row["rows"] for row in found if not row["kept"])
    if left_out:
        notes.append(f"requests that failed or were answered from the proxy's own cache are left out: {left_out:,}")
    merged = tuple(added(usage[key]) for key in sorted(usage, key=lambda key: (key[0], key[1], key[2] or "")))
    merged = tuple(one for one in merged if any(getattr(one, name) is not None for name in (*COUNTERS, "billed_usd")))
    if not merged:
        raise InputError(Problem(str(path), "holds no billed usage", "Expected rows with usage in them", "Export another period"))
    rows = sum(row["rows"] for row in found if row["kept"])
    return UsageFile(str(path), kind.name, merged, rows, tuple(notes))


def _unknown(row: Mapping[str, Any], usage: MonthUsage) -> list[str]:
    """Figures that some rows state and others do not."""
    whose = f"{usage.model or 'usage'}, {usage.month:%B %Y}"
    return [
        f"{whose}: {row[f'{name}_unknown']:,} of {row['rows']:,} rows lack {name}, so it is not known"
        for name in (*COUNTERS, "cost")
        if 0 < row.get(f"{name}_unknown", 0) < row["rows"]
    ]


def _known(row: Mapping[str, Any], name: str) -> float | None:
    return None if row.get(f"{name}_unknown") or row.get(name) is None else float(row[name])


def _usd(path: Path, kind: Kind, cost: float, currency: str | None, month: date, rates: Rates) -> float:
    amount = cost / kind.cost_per
    if currency in (None, "USD"):
        return amount
    try:
        rate = rates.exchange_rate(str(currency), _last_day(month))
    except PricingError as error:
        raise InputError(Problem(str(path), str(error), field=kind.currency)) from None
    return float(rate.to_usd(Decimal(repr(amount))))


def _last_day(month: date) -> date:
    return month.replace(day=monthrange(month.year, month.month)[1])


@dataclass(frozen=True)
class _Covered:
    """The days that a file covers: from its first to its last, or the months it states."""

    first: date
    last: date

    @classmethod
    def of(
        cls, kind: Kind, found: Sequence[Mapping[str, Any]], columns: Iterable[str], days: Iterable[date], today: date
    ) -> _Covered:
        """Stated months are whole and buckets reach to their ends, but for what is still to come."""
        told = [*days, *(date.fromisoformat(row[end]) for row in found for end in ("first", "covered_through"))]
        last = max(told)
        if next(name for name in kind.time if name in columns) == "month":
            last = _last_day(last)
        return cls(min(told), min(last, today))

    def days_of(self, month: date) -> range:
        """Days of a month that are covered."""
        return range(max(self.first, month).day, min(self.last, _last_day(month)).day + 1)


def _number(count: ir.IntegerScalar) -> int:
    return int(count.to_pyarrow().as_py())


def _repeated(kind: Kind, rows: ir.Table, more: int) -> list[str]:
    """What is to be said of rows that repeat another: by their identity, or where they have none, in every column."""
    if kind.identity is not None and kind.identity in rows.columns:
        return [f"rows that repeat the {kind.identity} of another are left out: {more:,}"] if more else []
    alike = _number(rows.count()) - _number(rows.distinct().count())
    said = f"rows that are the same as another in every column: {alike:,}; they count, so remove them if they are doubles"
    return [said] if alike else []
