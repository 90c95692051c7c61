"""Records of every container, and bad input told in words while the good is still read."""

from __future__ import annotations

import gzip
import io
import json
import os
import tracemalloc
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest import chunks
from ingest import records as reading
from ingest.errors import InputError, NotInstalled
from ingest.records import records

ROWS = [{"text": "a"}, {"text": 'ü\n"b" {[\\'}, {"text": ""}]
LINES = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in ROWS).encode()
LIST = json.dumps(ROWS, ensure_ascii=False, indent=1).encode()


@pytest.fixture
def written(tmp_path):
    """A function that writes bytes to a file and gives its path."""

    def write(content: bytes, name: str = "data.jsonl"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    return write


def zstd(content: bytes) -> bytes:
    try:
        from compression import zstd as library
    except ImportError:
        library = pytest.importorskip("backports.zstd")
    return library.compress(content)


def parquet(rows: list[dict]) -> bytes:
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet as library

    file = io.BytesIO()
    library.write_table(pa.Table.from_pylist(rows), file)
    return file.getvalue()


def data_of(found) -> list:
    return [record.data for record in found if record.problem is None]


def problems_of(found) -> list[tuple[int | None, str]]:
    return [(record.line, record.problem) for record in found if record.problem is not None]


# --- containers --------------------------------------------------------------------------------------------------------------

CONTAINERS = {
    "lines": (LINES, [1, 2, 3]),
    "lines without a last newline": (LINES.rstrip(), [1, 2, 3]),
    "lines ended by CR LF": (LINES.replace(b"\n", b"\r\n"), [1, 2, 3]),
    "lines after a byte order mark": (b"\xef\xbb\xbf" + LINES, [1, 2, 3]),
    "lines in UTF-16": (LINES.decode().encode("utf-16"), [1, 2, 3]),
    "lines in UTF-32": (LINES.decode().encode("utf-32"), [1, 2, 3]),
    "lines with blank ones": (b"\n \n" + LINES.replace(b"\n", b"\n\n"), [3, 5, 7]),
    "a list": (LIST, [2, 5, 8]),
    "a list on one line": (json.dumps(ROWS).encode(), [1, 1, 1]),
    "a list after blank lines": (b"\n\n" + LIST, [4, 7, 10]),
    "a list in an object": (b'{"n": {"m": "["},\n "data": ' + LIST + b', "last": {}}\n', [3, 6, 9]),
    "a list in an object, not indented": (b'{"data": [\n' + LINES.strip().replace(b"\n", b",\n") + b"\n]}", [2, 3, 4]),
    "objects over several lines": ("\n".join(json.dumps(row, indent=2) for row in ROWS).encode(), [1, 4, 7]),
    "CSV": (b'\n \ntext\na\n"\xc3\xbc\n""b"" {[\\"\n""\n', [4, 5, 7]),
}


@pytest.mark.parametrize("compress", [bytes, gzip.compress, zstd], ids=["plain", "gzip", "zstd"])
@pytest.mark.parametrize("name", CONTAINERS)
def test_a_container_gives_its_records(written, name, compress):
    content, numbers = CONTAINERS[name]
    found = list(records(written(compress(content), "misnamed.txt")))
    assert problems_of(found) == []
    assert [record.data for record in found] == (ROWS if name != "CSV" else [{"text": row["text"]} for row in ROWS])
    assert [record.line for record in found] == numbers


@pytest.mark.parametrize("compress", [bytes, gzip.compress, zstd], ids=["plain", "gzip", "zstd"])
def test_parquet_gives_rows(written, compress):
    rows = [{"messages": [{"role": "user", "content": str(n)}], "weight": None if n else 1} for n in range(150)]
    found = list(records(written(compress(parquet(rows)))))
    assert [record.data for record in found] == rows
    assert [record.line for record in found] == list(range(1, 151))


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_csv_by_its_delimiter_and_lists_in_cells(written, delimiter):
    messages = [{"role": "user", "content": "a"}]
    cell = '"' + json.dumps(messages).replace('"', '""') + '"'
    [record] = records(written(f"messages{delimiter} name \n{cell}{delimiter}x\n".encode()))
    assert record.data == {"messages": messages, "name": "x"}


@given(
    rows=st.lists(
        st.recursive(
            st.none() | st.text('"\\{}[],:\n é'),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text('"\\{}[]a'), inner, max_size=3),
            max_leaves=8,
        ).map(lambda value: {"a": value}),
        min_size=1,
    ),
    indent=st.sampled_from([None, 0, 2]),
    size=st.integers(1, 40),
)
def test_a_list_is_cut_at_its_records_wherever_chunks_end(rows, indent, size):
    text = json.dumps(rows, ensure_ascii=False, indent=indent).encode()
    pieces = (text[start : start + size] for start in range(0, len(text), size))
    found = list(reading._values(pieces, 1))
    assert [json.loads(value) for _, value in found] == rows
    starts = [number for number, line in enumerate(text.split(b"\n"), start=1) if line.startswith((b"  {", b"[{"))]
    if indent == 2:
        assert [number for number, _ in found] == starts


@given(lines=st.lists(st.binary().filter(lambda line: b"\n" not in line)), size=st.integers(1, 9))
def test_lines_wherever_chunks_end(lines, size):
    text = b"\n".join(lines)
    pieces = (text[start : start + size] for start in range(0, len(text), size))
    expected = [(number, line) for number, line in enumerate(lines, start=1) if line.strip()]
    assert list(reading.lines(pieces)) == expected


@pytest.mark.parametrize(
    "line",
    [
        b'{"messages": [{"role": "user"}]}',
        b'{"tags": ["a"], "text": "b"}',
        b'{"sources": [{"page": 1}], "messages": [{"role": "user"}]}',
        b'{"tags": [], "text": "b"}',
        b'{"scans": ["' + b"x" * 1_000_000 + b'"], "text": "b"}',
    ],
)
@pytest.mark.parametrize("times", [1, 2])
def test_a_record_with_a_list_is_a_record(written, line, times):
    assert data_of(records(written(b"\n".join([line] * times)))) == [json.loads(line)] * times


def test_of_a_key_given_twice_the_last_counts(written):
    assert data_of(records(written(b'{"a": 1, "a": 2}\n'))) == [{"a": 2}]


def test_a_lone_surrogate_is_read(written):
    assert data_of(records(written(b'{"a": "\\ud800"}\n'))) == [{"a": "\ud800"}]


def test_progress_covers_every_byte(written):
    for content in (LINES * 50_000, gzip.compress(LINES * 1000), parquet(ROWS * 500)):
        path = written(content)
        read: list[int] = []
        list(records(path, read.append))
        assert sum(read) == path.stat().st_size


def test_memory_does_not_grow_with_the_file(written):
    """The peak over a file forty times as long is the same but for noise."""
    peaks = []
    for times in (20_000, 800_000):
        path = written(b"[" + b",".join([b'{"text": "some words of a record"}'] * times) + b"]")
        tracemalloc.start()
        for _ in records(path):
            pass
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 2 * peaks[0]


# --- what to read ------------------------------------------------------------------------------------------------------------


def test_a_folder_is_read_in_order_and_the_rest_reported(written, tmp_path):
    for name in ("b.jsonl", "a/c.json.gz", "a/b/deep.jsonl", "notes.md", ".hidden"):
        written(gzip.compress(LIST) if name.endswith("gz") else LINES, f"folder/{name}")
    found = list(records(tmp_path / "folder"))
    assert [record.file.removeprefix(f"{tmp_path}/folder/") for record in found if record.problem is None] == [
        *["a/c.json.gz"] * 3,
        *["b.jsonl"] * 3,
    ]
    assert {record.file.rsplit("/", 1)[1]: record.problem for record in found if record.problem} == {
        "b": "skipped: a folder two levels down. Name it as well.",
        "notes.md": "skipped: not a training file by its name. Expected names ending in .jsonl, .ndjson, .json, .csv, .tsv, "
        ".parquet, each also with .gz or .zst.",
    }


def test_each_file_is_read_once_whatever_links_and_names_it_has(written, tmp_path):
    path = written(LINES, "folder/sub/a.jsonl")
    folder = tmp_path / "folder"
    (folder / "hard.jsonl").hardlink_to(path)
    (folder / "soft.jsonl").symlink_to(path)
    (folder / "loop").symlink_to(folder)
    (folder / "sub" / "up").symlink_to("..")
    found = list(records([folder, path, str(path)]))
    assert data_of(found) == ROWS
    assert [(record.file.removeprefix(f"{folder}/"), record.problem.split(f" {folder}/")[0]) for record in found[:-3]] == [
        ("loop", "skipped: a link to a folder that is read or that holds this one."),
        ("sub/up", "skipped: a link to a folder that is read or that holds this one."),
        *[(name, "skipped: the same file as") for name in ("soft.jsonl", "sub/a.jsonl", "sub/a.jsonl", "sub/a.jsonl")],
    ]


def test_a_linked_folder_from_elsewhere_is_read(written, tmp_path):
    written(LINES, "elsewhere/a.jsonl")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "link").symlink_to(tmp_path / "elsewhere")
    assert data_of(records(tmp_path / "folder")) == ROWS


def test_a_pattern_and_several_files(written, tmp_path):
    first, second = written(LINES, "1.jsonl"), written(LIST, "2.jsonl")
    both = [str(first)] * 3 + [str(second)] * 3
    assert [record.file for record in records(str(tmp_path / "?.jsonl"))] == both
    assert [record.file for record in records([first, str(second)])] == both


def test_a_name_with_brackets_is_a_name_first(written):
    assert data_of(records(str(written(LINES, "data[1].jsonl")))) == ROWS


def test_an_uploaded_file_is_read_from_its_start_each_time():
    upload = io.BytesIO(gzip.compress(LINES))
    upload.name = "mine.jsonl.gz"
    for _ in range(2):
        found = list(records(upload))
        assert data_of(found) == ROWS
        assert found[0].file == "mine.jsonl.gz"
    assert data_of(records(io.BytesIO(parquet(ROWS)))) == ROWS


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "the file is empty"),
        (b"\n \n", "no line but blank ones"),
        (gzip.compress(b"", mtime=0), "the file is empty"),
        (b"[]", "holds no record"),
        (b"prompt,completion\n", "a header and no row"),
        (b"\n\nprompt,completion\n\n", "a header and no row"),
        (b"prompt,prompt\na,b\n", "two columns have the same name"),
        (bytes(range(256)) * 40, "binary, not text"),
        (b"PK\x03\x04" + b"a" * 99, r"\.zip archive .* not supported; unpack it"),
        (b"PARE" + b"a" * 99, "an encrypted Parquet file"),
        (b"Salted__" + b"a" * 99, "encrypted; decrypt it"),
        (b"PAR1" + b"a" * 99, "the Parquet file cannot be read"),
        (gzip.compress(gzip.compress(LINES, mtime=0), mtime=0), "compressed twice"),
        (gzip.compress(b"a" * 257 + b"ustar", mtime=0), r"\.tar archive"),
        (b"\x1f\x8b" + b"a" * 99, "gzip compression is damaged"),
        (b"\x28\xb5\x2f\xfd" + b"\xff" * 99, "zstd compression is damaged"),
        (b'[{"a": "b', "ends inside the record that begins on line 1: it is cut off"),
        ("x\n".encode("utf-16-le") * 99, "binary, not text"),
    ],
)
def test_a_file_without_a_record_is_refused(written, content, told):
    if content.startswith(b"\x28"):
        zstd(b"")
    path = written(content)
    with pytest.raises(InputError, match=told) as refused:
        list(records(path))
    assert str(path) in str(refused.value)
    good = written(LINES, "good.jsonl")
    both = list(records([path, good]))
    assert data_of(both) == ROWS
    [(line, _)] = problems_of(both)
    assert line is None


@pytest.mark.parametrize(
    ("sources", "told"),
    [
        ("missing.jsonl", "there is no such file"),
        ("missing/*.jsonl", "there is no such file"),
        ("/dev/null", "is a device or pipe"),
        ([], "no file named: there is no training file"),
        ("a\0b", "there is no such file"),
        ("x" * 5000, "there is no such file"),
    ],
)
def test_nothing_to_read(sources, told):
    with pytest.raises(InputError, match=told):
        records(sources)


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.jsonl")
    with pytest.raises(InputError, match="is a device or pipe"):
        records(tmp_path / "pipe.jsonl")
    with pytest.raises(InputError, match="is a device or pipe"):
        records(tmp_path)


def test_a_folder_without_training_files(tmp_path):
    with pytest.raises(InputError, match="there is no training file"):
        records(tmp_path)


def test_what_may_not_be_read(written, tmp_path, monkeypatch):
    path = written(LINES, "folder/a.jsonl")

    def denied(*_):
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr("pathlib.Path.open", denied)
        with pytest.raises(InputError, match=r"cannot be read \(Permission denied\); check its permissions"):
            list(records(path))
    monkeypatch.setattr("pathlib.Path.iterdir", denied)
    with pytest.raises(InputError, match=r"the folder cannot be read \(Permission denied\)"):
        records(path.parent)


@pytest.mark.parametrize(("content", "library"), [(parquet(ROWS), "pyarrow"), (b"\x28\xb5\x2f\xfd", "backports")])
def test_a_missing_library_is_named(written, monkeypatch, content, library):
    monkeypatch.setitem(__import__("sys").modules, library, None)
    monkeypatch.setitem(__import__("sys").modules, "compression", None)
    with pytest.raises(NotInstalled, match="the 'data' extra"):
        list(records(written(content)))


# --- damage ------------------------------------------------------------------------------------------------------------------

GOOD = b'{"text": "a"}\n'


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (b'{"messages": [', "not valid JSON"),
        (b'{"a": "\xff"}', "not UTF-8 text"),
        (b'{"a": "\xed\xa0\x80"}', "not UTF-8 text"),
        (b'{"a": NaN}', "NaN is no JSON value; write null"),
        (b'{"a": -Infinity}', "-Infinity is no JSON value"),
        (b"[" * 100_000 + b"]" * 100_000, "nested too deeply"),
        (b'{"a": ' * 100_000 + b"1" + b"}" * 100_000, "nested too deeply"),
        (b'{"a": "b\x00c"}', "not valid JSON"),
        (b"\x00" * 500, "not valid JSON"),
        (b'{"a": ' + b"1" * 5000 + b"}", ""),
        (b"hello", "not valid JSON"),
    ],
)
@pytest.mark.parametrize("first", [GOOD * 2000, b""])
def test_a_bad_line_is_named_and_the_rest_read(written, line, told, first):
    found = list(records(written(first + line + b"\n" + GOOD * 2000)))
    number = first.count(b"\n") + 1
    bad = [record for record in found if record.data != {"text": "a"}]
    assert [record.line for record in bad] == [number]
    assert told in (bad[0].problem or "")
    assert len(found) == first.count(b"\n") + 2001


def test_a_bad_element_is_named_and_the_rest_read(written):
    found = list(records(written(b'[\n{"a": 1},\n{"a": NaN},\n{"a" 2},\n7,\n{"a": 3}\n]')))
    assert data_of(found) == [{"a": 1}, 7, {"a": 3}]
    assert [number for number, _ in problems_of(found)] == [3, 4]


@pytest.mark.parametrize(
    ("content", "read", "told"),
    [
        (b'[{"a": 1},\n{"a": 2},\n{"a": "3', 2, "ends inside the record that begins on line 3"),
        (b'[{"a": 1},\n{"a": 2}', 2, "the list does not end"),
        (b'[\n{"a": 1}]\n[{"a": 2}]', 1, "the list ends on line 2, and what follows it was not read"),
        (b'{"train": [{"a": 1}],\n"test": [{"a": 2}]}', 1, "the list ends on line 1, and what follows it was not read"),
        (b'{"a": 1}\n}\n{"a": 2}\n', 2, "not valid JSON"),
    ],
)
def test_what_is_not_read_is_told(written, content, read, told):
    found = list(records(written(content)))
    assert len(data_of(found)) == read
    [(_, problem)] = problems_of(found)
    assert told in problem


def test_ragged_rows_of_csv(written):
    found = list(records(written(b'prompt,completion\na,b\na,b,c\na\n\n"x\ny",\xff\nd,"e\n')))
    assert data_of(found) == [{"prompt": "a", "completion": "b"}, {"prompt": "d", "completion": "e\n"}]
    assert [number for number, _ in problems_of(found)] == [3, 4, 6]
    assert "the row has 3 cells and the header 2" in problems_of(found)[0][1]
    assert "not UTF-8" in problems_of(found)[2][1]


@pytest.mark.parametrize("compress", [gzip.compress, zstd], ids=["gzip", "zstd"])
def test_a_cut_compressed_file_gives_its_good_part(written, compress):
    whole = b"".join(b'{"n": "%032x"}\n' % (n * 0x9E3779B97F4A7C15F39CC0605CEDC835 % 2**128) for n in range(40_000))
    squeezed = compress(whole)
    found = list(records(written(squeezed[: len(squeezed) // 2])))
    assert 10_000 < len(data_of(found)) < 30_000
    [(line, problem)] = problems_of(found)
    assert line == found[-2].line
    assert "is cut off; what came before was read" in problem
    damaged = squeezed + b"more"
    assert "compression is damaged" in problems_of(records(written(damaged)))[0][1]
    assert len(data_of(records(written(squeezed + squeezed)))) == 80_000


def test_a_file_that_unpacks_without_end_is_left(written, monkeypatch):
    monkeypatch.setattr(chunks, "EXPANSION_FREE_BYTES", 3_000_000)
    bomb = written(gzip.compress(GOOD * 2_000_000))
    found = list(records(bomb))
    assert len(data_of(found)) < 1_000_000
    assert "unpacks to over 200 times its size" in problems_of(found)[0][1]
    monkeypatch.setattr(chunks, "EXPANDED_LIMIT_BYTES", 2_000_000)
    assert "unpacks to over 2,000,000 bytes" in problems_of(records(bomb))[0][1]


ENDLESS = b'{"text": "' + b"x" * 40_000_000 + b'"}'


@pytest.mark.parametrize(
    ("content", "read"),
    [
        (GOOD + ENDLESS + b"\n" + GOOD, 2),
        (b"[" + GOOD + b"," + ENDLESS + b"," + GOOD + b"]", 2),
        (b"text\na\n" + b"x" * 40_000_000 + b"\nb\n", 2),
        (GOOD + ENDLESS, 1),
    ],
    ids=["line", "element", "row of CSV", "last line"],
)
def test_an_endless_record_costs_bounded_memory(written, monkeypatch, content, read):
    monkeypatch.setattr(reading, "RECORD_LIMIT_BYTES", 1_000_000)
    path = written(content)
    tracemalloc.start()
    found = list(records(path))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [problem for _, problem in problems_of(found)] == ["longer than 1,000,000 bytes; split it"]
    assert len(data_of(found)) == read
    assert peak < 12_000_000


@given(
    st.lists(
        st.sampled_from(
            [
                b"[",
                b"]",
                b"{",
                b"}",
                b'"',
                b"\\",
                b",",
                b"\n",
                b" ",
                b":",
                b"a",
                b"text",
                b"1",
                b"\0",
                b"\r",
                b"\xff",
                b'{"a": 1}',
            ]
        )
        | st.binary(max_size=3),
        max_size=40,
    ).map(b"".join),
    st.sampled_from([b"", b"\x1f\x8b", b"PAR1", b"\xff\xfe", b"\xef\xbb\xbf"]),
)
@settings(max_examples=500)
def test_no_file_whatsoever_does_more_than_be_refused(content, magic):
    with suppress(InputError):
        for record in records(io.BytesIO(magic + content)):
            assert (record.problem is None) or record.data is None


@pytest.mark.parametrize(
    ("text", "line", "told", "read"),
    [
        ("prompt,completion\n" + "a,b\n" * 5 + 'a,"b\n' + "a,b\n" * 300, 7,
         "a quote opened on line 7 is never closed; lines 7 to 307 were not read", 5),
        ('prompt,completion\na,b\na,"b\na,"b",c\na,b\n', 3, "it goes on to line 4: is a quote on line 3 left open?", 2),
        ('prompt,completion\na,b\na,b,c\n', 3, "a cell that holds ',' needs quotes", 1),
    ],
)  # fmt: skip
def test_a_quote_left_open_is_told_with_the_lines_it_swallowed(written, text, line, told, read):
    found = list(records(written(text.encode(), "data.csv")))
    ((where, problem),) = problems_of(found)
    assert (where, len(data_of(found))) == (line, read)
    assert told in problem


def test_a_closed_quote_over_several_lines_at_the_end_is_a_row(written):
    found = list(records(written(b'prompt,completion\na,"b\nc"', "data.csv")))
    assert data_of(found) == [{"prompt": "a", "completion": "b\nc"}]


def test_what_is_no_json_is_told_by_its_column_alone(written):
    found = problems_of(records(written(b'{"text": "a"}\n{"text":\n{"text": 1e400}\n')))
    assert [line for line, _ in found] == [2, 3]
    assert "column 9)" in found[0][1]
    assert "line 1" not in found[0][1]
    assert "1e400 is too large for a number" in found[1][1]
