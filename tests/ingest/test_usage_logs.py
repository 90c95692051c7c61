"""Usage exports: which kind each is, what it sums to, and what is refused."""

from __future__ import annotations

import json
import sys
from datetime import date, datetime
from pathlib import Path

import pytest

pytest.importorskip("ibis", reason="the extra for usage logs is not installed")

from calc.invoice import MonthUsage
from ingest.errors import InputError, NotInstalled
from ingest.usage_logs import UsageFile, read_usage, read_usages
from pricing import PriceBook

SAMPLES = Path(__file__).parent / "usage_samples"
RATES = PriceBook.bundled().as_of(date(2026, 11, 20))
TODAY = date(2026, 11, 21)
OCTOBER = date(2026, 10, 1)
HAIKU_OCTOBER = {
    "input_tokens": 130_000,
    "cache_read_tokens": 95_000,
    "cache_write_tokens": 5_000,
    "cache_write_1h_tokens": 0,
    "output_tokens": 20_000,
}
LITELLM = {
    "requests": 2,
    "input_tokens": 6000,
    "cache_read_tokens": 1200,
    "cache_write_tokens": 0,
    "output_tokens": 480,
    "billed_usd": 0.004,
}


def read(path: Path) -> UsageFile:
    return read_usage(path, RATES, today=TODAY)


def known(usage: MonthUsage) -> dict[str, float]:
    """Its figures, without what is unknown."""
    return {name: value for name, value in vars(usage).items()
            if value is not None and (name.endswith("_tokens") or name in ("requests", "billed_usd"))}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "kind", "days", "model", "service", "figures"),
    [
        ("openai_usage.csv", "OpenAI usage", 2, "gpt-4.1-mini-2025-04-14", "standard",
         {"requests": 150, "input_tokens": 450_000, "cache_read_tokens": 180_000, "output_tokens": 36_000}),
        ("openai_costs.csv", "OpenAI costs", 2, "gpt-4.1-mini-2025-04-14", None, {"billed_usd": 0.1222}),
        ("openai_costs.json", "OpenAI costs", 1, "gpt-4.1-mini-2025-04-14", None, {"billed_usd": 0.084 + 0.0384}),
        ("anthropic_usage.json", "Anthropic usage report", 31, "claude-haiku-4-5-20251001", "standard", HAIKU_OCTOBER),
        ("anthropic_cost.csv", "Anthropic cost export", 1, "Claude Haiku 4.5", None, {"billed_usd": 0.13}),
        # its amounts are in cents
        ("anthropic_cost.json", "Anthropic cost report", 1, "claude-haiku-4-5-20251001", None, {"billed_usd": 0.13}),
        ("litellm.csv", "LiteLLM spend log", 31, "gpt-4.1-mini-2025-04-14", None, LITELLM),
        ("litellm.jsonl", "LiteLLM spend log", 31, "gpt-4.1-mini-2025-04-14", None, LITELLM),
    ],
)  # fmt: skip
def test_kinds_of_files(name: str, kind: str, days: int, model: str, service: str | None, figures: dict[str, float]) -> None:
    found = read(SAMPLES / name)
    (usage,) = (usage for usage in found.usage if usage.model == model)
    assert (found.kind, usage.month, usage.days, usage.service) == (kind, OCTOBER, days, service)
    assert known(usage) == pytest.approx(figures)


def test_openai_usage_by_model_and_service() -> None:
    """Empty buckets count as covered days: the last one is 31 October."""
    found = {(usage.model, usage.service): usage for usage in read(SAMPLES / "openai_usage.json").usage}
    assert {key: (usage.requests, usage.input_tokens, usage.days) for key, usage in found.items()} == {
        ("gpt-4.1-mini-2025-04-14", "standard"): (100, 300_000, 31),
        ("gpt-4.1-mini-2025-04-14", "batch"): (20, 60_000, 31),
        ("ft:gpt-4.1-mini-2025-04-14:acme::Bx1", "standard"): (60, 50_000, 31),
    }


def test_anthropic_export_by_service() -> None:
    found = {usage.service: usage for usage in read(SAMPLES / "anthropic_usage.csv").usage}
    assert known(found["standard"]) == HAIKU_OCTOBER
    assert found["batch"].input_tokens == 1000
    assert found["batch"].requests is None  # the export does not count them


def test_own_file_with_its_mark_and_line_ends() -> None:
    """The sample has a byte-order mark, CRLF, capitals in its header and a blank cost."""
    found = {(usage.month, usage.model): usage for usage in read(SAMPLES / "own.csv").usage}
    nano = found[date(2026, 9, 1), "gpt-5.4-nano"]
    assert (nano.requests, nano.reasoning_tokens, nano.billed_usd, nano.days) == (150_000, 6e6, 1190.25, 30)
    assert found[OCTOBER, "gpt-5.4-nano"].billed_usd is None
    assert found[OCTOBER, "openai/o-unknown"].reasoning_tokens is None


def test_what_a_log_leaves_out_is_said() -> None:
    notes = " ".join(read(SAMPLES / "litellm.csv").notes)
    assert "repeat the request_id of another are left out: 1" in notes
    assert "answered from the proxy's own cache are left out: 2" in notes


def own(tmp_path: Path, text: str, name: str = "usage.csv") -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_separators_and_line_ends(tmp_path: Path, end: str, separator: str) -> None:
    rows = ["date,model,requests,output_tokens", "2026-10-01,m,2,10", "2026-10-03T23:59:59Z,m,3,"]
    (usage,) = read(own(tmp_path, end.join(rows).replace(",", separator) + end)).usage
    assert (usage.requests, usage.days, usage.output_tokens) == (5, 3, None)


@pytest.mark.parametrize(
    "value", ["2026-10-05", "2026-10-05 10:00:00", "2026-10-05T10:00:00.5Z", "2026-10-05T10:00:00+00:00", "1791158400"]
)
def test_forms_of_a_time(tmp_path: Path, value: str) -> None:
    (usage,) = read(own(tmp_path, f"date,model,requests\n2026-10-01,m,1\n{value},m,1\n")).usage
    assert (usage.month, usage.days) == (OCTOBER, 5)


def test_a_figure_that_some_rows_lack_is_unknown_and_said(tmp_path: Path) -> None:
    found = read(own(tmp_path, "date,model,requests,cost_usd\n2026-10-01,m,1,5\n2026-10-02,m,1,\n"))
    assert found.usage[0].billed_usd is None
    assert found.usage[0].requests == 2
    assert found.notes == ("m, October 2026: 1 of 2 rows lack cost, so it is not known",)


def test_the_running_month_is_not_whole(tmp_path: Path) -> None:
    (october, november) = read(own(tmp_path, "month,model,requests\n2026-10,m,1\n2026-11,m,1\n")).usage
    assert (october.is_whole, november.is_whole, november.days) == (True, False, 21)


def test_rows_alike_are_counted_and_said(tmp_path: Path) -> None:
    found = read(own(tmp_path, "date,model,requests\n2026-10-01,m,1\n2026-10-01,m,1\n"))
    assert found.usage[0].requests == 2
    assert "same as another in every column: 1" in found.notes[0]


def test_other_currencies_are_converted_at_the_rate_of_the_months_last_day(tmp_path: Path) -> None:
    found = read(own(tmp_path, "month,model,requests,cost,currency\n2026-10,m,1,100,EUR\n2026-10,m,1,7,usd\n"))
    rate = RATES.exchange_rate("EUR", date(2026, 10, 31))
    assert found.usage[0].billed_usd == pytest.approx(100 / float(rate.per_usd) + 7)


def test_json_of_our_own(tmp_path: Path) -> None:
    rows = '{"month": "2026-10", "model": "m", "requests": 4, "cost_usd": null}'
    for name, text in (("a.json", f"[{rows}]"), ("a.jsonl", rows + "\n" + rows.replace("4", "6") + "\n")):
        (usage,) = read(own(tmp_path, text, name)).usage
        assert usage.requests == (4 if name == "a.json" else 10)
        assert usage.billed_usd is None


HEAD = "month,model,requests,input_tokens,cache_read_tokens,cost_usd\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the file is empty"),
        ("\n\n", "the file is empty"),
        (HEAD, "has a header and no rows"),
        ("a,b\n1,2\n", "its fields are those of no usage export that is known: a, b"),
        ("month,model,reqests\n2026-10,m,1\n", "Did you mean requests"),
        ("month,model,requests,Requests\n2026-10,m,1,2\n", "the column 'requests' is there twice"),
        (HEAD + "2026-10,m,1,10,,\n2026-10,m,-5,10,,\n", "line 3, requests: '-5' is negative"),
        (HEAD + "2026-10,m,1,10,11,\n", "more cache_read_tokens than input_tokens"),
        (HEAD + "2026-10,m,many,10,1,\n", "line 2, requests: 'many' is no number"),
        ('month;model;cost_usd\n2026-10;m;"3,5"\n', "line 2, cost_usd: '3,5' is no number"),
        (HEAD + "2026-10,m,NaN,10,1,\n", "line 2, requests: 'NaN' is no number"),
        (HEAD + "2026-10,m,1,10,1,inf\n", "line 2, cost_usd: 'inf' is no number"),
        (HEAD + "2026-13,m,1,10,1,1\n", "line 2, month: '2026-13' is no month, day or time in UTC"),
        ("date,model,requests\n2026-10-01T10:00:00+02:00,m,1\n", "'2026-10-01T10:00:00+02:00' is no month, day or time in UTC"),
        ("date,model,requests\n,m,1\n", "a blank is no month, day or time in UTC"),
        (
            HEAD + "2026-10,m,1e300,10,1,1\n",
            "line 2, requests: '1e300' is no number that can be. Expected one like 1234.5, up to 1e+15",
        ),
        (
            "month,model,input_tokens,cache_read_tokens,cache_write_tokens\n2026-10,m,100,60,60\n",
            "more cache_write_tokens and cache_read_tokens than input_tokens",
        ),
        (
            "month,model,cache_write_tokens,cache_write_1h_tokens\n2026-10,m,5,6\n",
            "more cache_write_1h_tokens than cache_write_tokens",
        ),
        ("date,model,requests\n1900-01-01,m,1\n", "usage.csv, date: the file has usage of 1900-01-01"),
        (HEAD + "2027-10,m,1,10,1,1\n", "usage of 2027-10-01, after today, 2026-11-21"),
        (HEAD + "1999-10,m,1,10,1,1\n", "usage of 1999-10-01, before 2020-01-01"),
        ("month,model,cost\n2026-10,m,1\n", "cost has no currency beside it"),
        ("month,model,cost,currency\n2026-10,m,1,XQZ\n", "XQZ"),
        ("month,model,cost_usd,currency\n2026-10,m,1,EUR\n", "contradict each other"),
        (
            "spend,prompt_tokens,completion_tokens,startTime,status\n0,0,0,2026-10-01,failure\n",
            "holds no billed usage",
        ),
        ('[{"a": 1}]', "holds JSON"),
        (HEAD + "2026-10,m,1,10,1,1,9,9\n", "cannot be read"),
        ("\0\0", "binary"),
    ],
)
def test_what_is_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(InputError) as error:
        read(own(tmp_path, text))
    assert said in str(error.value)
    assert "usage.csv" in str(error.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"data": []}', "holds no usage"),
        ('{"data": [', "is not valid JSON"),
        ('{"month": "2026-10", "model": "m", "requests": 1}\n{"month": \n', "line 2: is not valid JSON"),
        ('["x"]', "'x' where a record belongs"),
        ('[{"month": "2026-10", "model": "m", "requests": -1}]', "requests: '-1' is negative"),
    ],
)
def test_what_is_refused_of_json(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(InputError) as error:
        read(own(tmp_path, text, "usage.json"))
    assert said in str(error.value)


def test_broken_json_lines_are_refused(tmp_path: Path) -> None:
    text = '{"month": "2026-10", "model": "m", "requests": 1}\n{"month": \n'
    with pytest.raises(InputError, match="line 2: is not valid JSON"):
        read(own(tmp_path, text, "usage.jsonl"))


def test_a_page_that_is_not_the_last_is_told(tmp_path: Path) -> None:
    text = (SAMPLES / "openai_usage.json").read_text(encoding="utf-8")
    assert read(own(tmp_path, text, "last.json")).notes == ()
    assert (
        "another page follows"
        in read(own(tmp_path, text.replace('"has_more": false', '"has_more": true'), "first.json")).notes[0]
    )


def test_without_the_extra_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ibis", None)
    with pytest.raises(NotInstalled, match=r"tuneworth\[usage\]"):
        read(SAMPLES / "own.csv")


def test_a_file_named_twice_is_refused(tmp_path: Path) -> None:
    one = own(tmp_path, HEAD + "2026-10,m,1,10,1,1\n")
    two = own(tmp_path, one.read_text(encoding="utf-8"), "copy.csv")
    with pytest.raises(InputError, match="holds the same as"):
        read_usages([one, two], RATES, today=TODAY)


def test_the_sum_is_an_expression_for_any_backend() -> None:
    """It compiles for others than DuckDB."""
    import ibis

    from ingest.usage_logs import KINDS, _lines, _summed

    for kind in KINDS:
        names = {name.partition(".")[0] for ways in kind.sums.values() for way in ways for name in way} | {
            *kind.time,
            *kind.end,
            "model",
        }
        rows = ibis.table(dict.fromkeys(sorted(names), "string"), name="log")
        assert "GROUP BY" in ibis.to_sql(_summed(_lines(kind, rows)), dialect="snowflake").upper()


def test_the_days_of_a_month_that_a_file_covers_are_told(tmp_path: Path) -> None:
    rows = "date,model,requests\n2026-09-20,m,1\n2026-10-16,m,1\n2026-10-18,m,1\n"
    assert [(u.first_day, u.days) for u in read(own(tmp_path, rows)).usage] == [(20, 11), (1, 18)]
    assert [(u.first_day, u.days) for u in read(own(tmp_path, rows.replace("09-20", "10-15"))).usage] == [(15, 4)]


def openai_page(*buckets: tuple[str, str]) -> str:
    """A page of OpenAI's usage: a request of gpt-5.4-nano in each bucket from a time to another."""
    result = {"num_model_requests": 1, "input_tokens": 10, "output_tokens": 1, "model": "m"}
    seconds = [[int(datetime.fromisoformat(f"{at}+00:00").timestamp()) for at in bucket] for bucket in buckets]
    return json.dumps({"data": [{"start_time": start, "end_time": end, "results": [result]} for start, end in seconds]})


def anthropic_page(*buckets: tuple[str, str]) -> str:
    """The same of Anthropic's."""
    result = {"uncached_input_tokens": 10, "output_tokens": 1, "model": "m"}
    data = [{"starting_at": f"{start}Z", "ending_at": f"{end}Z", "results": [result]} for start, end in buckets]
    return json.dumps({"data": data, "has_more": False})


def openai_csv(*buckets: tuple[str, str]) -> str:
    """The same as the dashboard writes it."""
    rows = [f"{start}+00:00,{end}+00:00,1,10,1,m" for start, end in buckets]
    return "\n".join(["start_time_iso,end_time_iso,num_model_requests,input_tokens,output_tokens,model", *rows]) + "\n"


PAGES = [(openai_page, "u.json"), (anthropic_page, "u.json"), (openai_csv, "u.csv")]


@pytest.mark.parametrize(("page", "name"), PAGES)
@pytest.mark.parametrize(
    ("buckets", "first_day", "days"),
    [
        ([("2026-10-01T00:00:00", "2026-11-01T00:00:00")], 1, 31),
        ([("2026-10-05T00:00:00", "2026-10-12T00:00:00")], 5, 7),
        ([("2026-10-05T00:00:00", "2026-10-06T00:00:00"), ("2026-10-06T00:00:00", "2026-10-07T00:00:00")], 5, 2),
        ([("2026-10-05T22:00:00", "2026-10-05T23:00:00"), ("2026-10-05T23:00:00", "2026-10-06T00:00:00")], 5, 1),
        ([("2026-10-05T23:58:00", "2026-10-05T23:59:00"), ("2026-10-05T23:59:00", "2026-10-06T00:00:00")], 5, 1),
        # of the running month only what has been
        ([("2026-11-01T00:00:00", "2026-12-01T00:00:00")], 1, 21),
    ],
)
def test_a_bucket_covers_the_days_from_its_start_to_its_end(tmp_path: Path, page, name, buckets, first_day, days) -> None:
    (usage,) = read(own(tmp_path, page(*buckets), name)).usage
    assert (usage.first_day, usage.days, usage.output_tokens) == (first_day, days, len(buckets))


@pytest.mark.parametrize(("page", "name"), PAGES)
@pytest.mark.parametrize(
    ("bucket", "said"),
    [
        (("2026-09-20T00:00:00", "2026-10-20T00:00:00"), "from 2026-09-20 to 2026-10-19 is of more than one month"),
        (("2026-10-20T00:00:00", "2026-10-19T00:00:00"), "after the bucket's start, 2026-10-20 00:00"),
    ],
)
def test_buckets_that_end_where_none_can_are_refused(tmp_path: Path, page, name, bucket, said) -> None:
    with pytest.raises(InputError) as error:
        read(own(tmp_path, page(("2026-10-01T00:00:00", "2026-10-02T00:00:00"), bucket), name))
    assert said in str(error.value)
    assert "bucket" in str(error.value)


def test_an_empty_bucket_covers_its_days(tmp_path: Path) -> None:
    page = json.loads(openai_page(("2026-10-01T00:00:00", "2026-10-02T00:00:00"), ("2026-10-02T00:00:00", "2026-11-01T00:00:00")))
    page["data"][1]["results"] = []
    assert read(own(tmp_path, json.dumps(page), "u.json")).usage[0].days == 31
