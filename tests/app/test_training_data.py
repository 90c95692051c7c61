"""The Training data page: the sample at first, then files put in by a reader, good, bad and hostile."""

from __future__ import annotations

import gzip
import io
import json
import re
from datetime import date
from itertools import count
from types import SimpleNamespace

import pytest
from streamlit.runtime.uploaded_file_manager import DeletedFile

from app_pages import training_file
from ingest.dataset import measure_training_file
from ingest.errors import Problem
from pricing import PriceBook
from tuneworth import tokens

PAGE = "app_pages/training_data.py"


def chat(question: str, answer: str, system: str = "Answer politely and briefly.") -> str:
    said = (("system", system), ("user", question), ("assistant", answer))
    return json.dumps({"messages": [{"role": role, "content": content} for role, content in said]})


GOOD = "\n".join(chat(f"Where is parcel {n}?", f"Parcel {n} is on its way.") for n in range(12)).encode()
TWO_BAD = b"\n".join([b"{", GOOD, b'{"messages": []}'])
PREFERENCES = "\n".join(
    json.dumps({"prompt": f"Question {n}", "chosen": "Yes, gladly.", "rejected": "No."}) for n in range(10)
).encode()


@pytest.fixture
def page(dashboard):
    return dashboard(PAGE)


def uploaded(app, content: bytes, name: str = "mine.jsonl", round_: int = 0):
    app.file_uploader(key=f"training file {round_}").upload(name, content, "application/octet-stream").run()
    assert not app.exception
    return app


def title(app) -> str:
    return app.title[0].value.replace("\\", "")


def told(app) -> str:
    return "\n".join(str(element.value) for kind in ("caption", "error", "warning", "markdown") for element in getattr(app, kind))


def metrics(app) -> dict[str, tuple[str, str]]:
    return {metric.label: (metric.value, metric.delta) for metric in app.metric}


def bills(app):
    return next(frame.value for frame in app.dataframe if "Billed tokens" in frame.value)


def subheaders(app) -> list[str]:
    return [element.value.replace("\\", "") for element in app.subheader]


def test_the_sample_is_a_complete_answer_at_first(page):
    assert not page.exception
    assert not page.error
    assert "A tuning run on the sample costs $" in title(page)
    assert title(page).endswith("; 2 lines left out")
    assert "Built-in sample, not your file" in told(page)
    assert metrics(page)["Usable examples"] == ("60", "2 left out")
    assert metrics(page)["Prompt tokens saved"][0] == "329"
    assert "2 lines left out of every figure" in subheaders(page)
    assert any(text.startswith("Staff time for such a file: $") for text in subheaders(page))


def test_bills_are_sorted_and_agree_with_the_verdict(page):
    runs = list(bills(page)["Run"])
    assert runs == sorted(runs)
    assert all(run > 0 for run in runs)
    assert f"${max(runs):.2f};" in title(page)


def test_a_file_replaces_the_sample_and_can_be_left_again(page):
    app = uploaded(page, GOOD)
    assert "mine.jsonl" in title(app)
    assert "left out" not in title(app)
    assert metrics(app)["Usable examples"][0] == "12"
    assert "Every line can be trained on" in subheaders(app)
    app.button(key="back to the sample").click().run()
    assert "the sample" in title(app)


def test_the_second_file_replaces_the_first(page):
    app = uploaded(page, GOOD)
    app = uploaded(app, GOOD.splitlines()[0], "one.jsonl", round_=1)
    assert "one.jsonl" in title(app)
    assert metrics(app)["Usable examples"][0] == "1"


def test_lines_left_out_are_counted_by_kind_and_shown_with_their_line(page):
    app = uploaded(page, TWO_BAD)
    assert "2 lines left out" in title(app)
    cases = next(frame.value for frame in app.dataframe if "First cases" in frame.value)
    assert list(cases["Line"]) == [1, 14]
    kinds = next(frame.value for frame in app.dataframe if "Problem" in frame.value)
    assert kinds["Lines"].sum() == 2


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"),
        (b"\x00\x01\x02\x03" * 1000, "hostile.jsonl"),
        (b"PK\x03\x04" + b"\0" * 100, "zip"),
        (b"[" * 100_000, "hostile.jsonl"),
        (b'{"a": 1}\n{"a": 2}', "hostile.jsonl"),
        (b"\xff\xfe\xff\xff" * 50, "hostile.jsonl"),
        (b'{"prompt": "a", "completion": "b", "label": true}\n' * 9, "no provider in the price book trains"),
    ],
    ids=["empty", "binary", "zip", "deep", "unknown format", "no text", "nobody trains on it"],
)
def test_a_hostile_file_is_one_message_and_the_answer_before_stays(page, content, said):
    app = uploaded(page, GOOD)
    before = title(app)
    uploaded(app, content, "hostile.jsonl", round_=1)
    assert len(app.error) == 1
    assert said in app.error[0].value.replace("\\", "")
    assert "Traceback" not in told(app)
    if "usable" not in app.error[0].value:
        assert "The answer below is mine.jsonl's, as before." in app.error[0].value.replace("\\", "")
    assert title(app) == before


def test_what_is_good_in_a_file_cut_short_is_counted(page):
    lines = [chat(f"Question {n} {n**7}", f"Answer {n**9}") for n in range(2000)]
    app = uploaded(page, gzip.compress("\n".join(lines).encode())[:-500], "cut.jsonl.gz")
    assert not app.error
    assert "1 line left out" in title(app)
    assert 1000 < int(metrics(app)["Usable examples"][0].replace(",", "")) < 2000


def test_the_message_goes_with_the_next_good_file(page):
    app = uploaded(page, b"")
    assert "built-in sample" in app.error[0].value
    uploaded(app, GOOD, round_=1)
    assert not app.error


def test_stated_epochs_are_those_of_every_bill_by_the_token(page):
    once = bills(page).set_index(["Provider", "Model", "Method"])["Billed tokens"]
    page.number_input(key="training epochs").set_value(6).run()
    table = bills(page)
    assert set(table["Epochs"]) == {6}
    again = table.set_index(["Provider", "Model", "Method"])["Billed tokens"]
    assert again.sum() > once.sum()


def test_standing_opens_what_is_closed_to_new_organisations(page):
    assert "OpenAI" not in set(bills(page)["Provider"])
    page.selectbox(key="training standing openai").select("active").run()
    assert "OpenAI" in set(bills(page)["Provider"])


def test_the_method_follows_the_examples_and_can_be_overridden(page):
    app = uploaded(page, PREFERENCES)
    assert all(method.startswith("DPO") for method in bills(app)["Method"])
    app.selectbox(key="training method").select("sft").run()
    assert all(method.startswith("SFT") for method in bills(app)["Method"])


def test_a_format_that_does_not_fit_leaves_the_answer(page):
    app = uploaded(page, GOOD)
    before = title(app)
    app.selectbox(key="training format 1 Detected").select("Alpaca").run()
    assert not app.exception
    assert "no usable" in app.error[0].value or "usable example" in app.error[0].value
    assert title(app) == before


def test_a_validation_file_is_counted_beside(page):
    app = uploaded(page, GOOD)
    app.file_uploader(key="validation file 1").upload("held-out.jsonl", TWO_BAD, "application/json").run()
    assert not app.exception
    assert "2 lines left out" in title(app)
    assert "held-out.jsonl" in told(app)
    app.button(key="drop validation").click().run()
    assert "left out" not in title(app)


def test_who_refuses_the_file_is_billed_but_in_no_headline(page):
    enough = uploaded(page, GOOD)
    azure = bills(enough).set_index("Provider").loc[["Azure OpenAI"], "Upload"]
    assert set(azure) == {"takes it"}
    few = uploaded(enough, b"\n".join(GOOD.splitlines()[:9]), "few.jsonl", round_=1)
    table = bills(few)
    refusing = table["Upload"].str.startswith("refuses: ")
    assert set(table.loc[table["Provider"] == "Azure OpenAI", "Upload"]) == {"refuses: fewer than 10 examples"}
    assert f"as the upload refuses the file: {refusing.sum()} offers" in told(few).replace("\\", "")
    assert f"{len(table) - refusing.sum()} offers of " in " ".join(subheaders(few))


def test_training_tokens_are_those_of_the_command_and_say_by_what_they_are_counted(page, tmp_path):
    app = uploaded(page, GOOD)
    path = tmp_path / "mine.jsonl"
    path.write_bytes(GOOD)
    counted = measure_training_file(path, tokens.DEFAULT_MODEL)
    assert metrics(app)["Training tokens, one pass"][0] == f"{counted.total_tokens:,}"
    assert metrics(app)["Longest, tokens"][0] == f"{counted.longest_tokens:,}"
    assert "counted by o200k_base with OpenAI's rule" in told(app).replace("\\", "")
    ways = app.selectbox(key="training counted by")
    assert ways.value == "o200k_base with OpenAI's rule"
    assert "o200k_base with the harmony chat template" in ways.options


def test_a_limit_that_only_a_closed_offer_has_cuts_nothing_in_the_chart(page):
    longer = chat("Where is it? " * 20_000, "On its way.")  # beyond the 65,536 tokens of offers closed to new organisations
    app = uploaded(page, b"\n".join([GOOD, longer.encode()]))
    for way in app.selectbox(key="training counted by").options:
        app.selectbox(key="training counted by").select(way).run()
        limits = set(re.findall(r"[Ll]imit[^.]*cuts", told(app)))
        assert not limits or metrics(app)["Truncated examples"][0] != "0"


def test_own_prices_apply(page):
    own = b'[acme]\nname = "Acme"\n[[acme.model.acme-1.price]]\neffective = 2026-11-01\ntraining_usd_per_mtok = 0.02\n'
    page.file_uploader(key="own prices 0").upload("acme.toml", own, "application/toml").run()
    assert not page.exception
    assert bills(page)["Provider"][0] == "Acme"


def test_the_figures_go_to_the_decide_page(page):
    app = uploaded(page, GOOD)
    app.number_input(key="training volume").set_value(54_321).run()
    app.button(key="use in scenario").click().run()
    assert not app.exception
    assert not app.error
    assert app.selectbox(key="picked").value == "loaded"
    assert any(widget.value == 54_321 for widget in app.number_input)
    assert "54,300 requests" in told(app) + title(app)


def test_staff_time_follows_the_kind_of_task(page):
    before = subheaders(page)[-1]
    page.selectbox(key="training kind").select("reasoning").run()
    assert subheaders(page)[-1] != before


def test_providers_rules_and_findings_are_shown(page):
    repeated = b"\n".join([GOOD, GOOD.splitlines()[0]])
    app = uploaded(page, repeated)
    rules = next(frame.value for frame in app.dataframe if "Expected" in frame.value).set_index("Provider")
    assert rules.loc[["Google Vertex AI"], "It"].str.contains("rejects").any()
    assert any(text.endswith("providers take the file as it is") for text in subheaders(app))
    findings = next(frame.value for frame in app.dataframe if "Finding" in frame.value)
    assert findings["Finding"].str.contains("uplicate").any()


def test_large_files_are_counted_without_findings(page, monkeypatch):
    monkeypatch.setattr(training_file, "FINDINGS_UP_TO_BYTES", 100)
    app = uploaded(page, GOOD)
    assert not any("Finding" in frame.value for frame in app.dataframe)
    assert "Quality is not looked at in a file this large" in subheaders(app)


def test_nothing_of_a_file_is_in_the_address(page):
    app = uploaded(page, GOOD, "secret-customer.jsonl")
    assert "secret" not in str(dict(app.query_params))


def test_no_other_session_sees_a_file(dashboard):
    uploaded(dashboard(PAGE), GOOD)
    assert "mine.jsonl" not in title(dashboard(PAGE))


def test_another_page_and_back_keeps_the_file(page):
    app = uploaded(page, GOOD)
    app.switch_page("app_pages/prices.py").run()
    app.switch_page(PAGE).run()
    assert not app.exception
    assert "mine.jsonl" in title(app)


# --- keeping and counting -----------------------------------------------------------------------------------------------------


def test_a_kept_file_has_its_digest_and_no_name_on_disk():
    kept = training_file.kept(io.BytesIO(b"abc"), "a.jsonl")
    assert (kept.name, kept.size, kept.file.read()) == ("a.jsonl", 3, b"abc")
    assert kept.digest == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert kept.file.name == "a.jsonl"


def test_cancelling_goes_back_to_what_was_shown_even_where_the_counting_has_ended(monkeypatch):
    monkeypatch.setattr(training_file.st, "session_state", {})
    desk = training_file.desk()
    drawn = {}
    monkeypatch.setattr(training_file.st, "button", lambda label, **how: drawn.update(how))
    monkeypatch.setattr(training_file, "_read", lambda *_: "what is read")
    rates, sample = PriceBook.bundled().as_of(date(2026, 11, 21)), desk.question
    desk.question = training_file.Question(training_file.kept(io.BytesIO(GOOD), "mine.jsonl"))
    training_file.read(desk.question, rates, {})
    desk.shown = SimpleNamespace(question=desk.question)
    drawn["on_click"](*drawn.get("args", ()))
    assert desk.question == sample


def test_an_upload_that_was_taken_is_not_taken_again(monkeypatch):
    monkeypatch.setattr(training_file.st, "session_state", {"training file 0": DeletedFile("1")})
    assert training_file.taken("training file 0") is None


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("a/b\\..\\c.jsonl", "c.jsonl"),
        ("x\n\x1b[31m.jsonl", "x[31m.jsonl"),
        ("", "the uploaded file"),
        ("y" * 500, "y" * 120),
        ("%22q%22%0Aof%0d May, 100%25.jsonl", '"q" of  May, 100%25.jsonl'),
    ],
)
def test_names_of_uploads(name, shown):
    assert training_file.shown_name(name) == shown


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("not valid JSON (Expecting ',' delimiter: line 1 column 9 (char 8)); mend it", "not valid JSON (x); mend it"),
        ("message 3 has the unrecognised role 'a'", "message 17 has the unrecognised role 'b'"),
        ("longer than 16,000,000 bytes", "longer than 8 bytes"),
    ],
)
def test_problems_of_one_kind(one, other):
    assert training_file.kind_of(one) == training_file.kind_of(other)


def test_the_list_of_problems_is_safe_to_open_in_a_spreadsheet():
    problems = training_file.Problems()
    problems.add(Problem("f.jsonl", "=HYPERLINK(1)", line=7))
    header, row = problems.as_csv().decode().splitlines()
    assert header == "file,line,problem"
    assert row.startswith("f.jsonl,7,")
    assert ",=HYPERLINK" not in row


def test_kinds_of_problems_are_bounded(monkeypatch):
    monkeypatch.setattr(training_file, "KINDS_LISTED", 2)
    problems = training_file.Problems()
    for word in ("one", "two", "three", "four"):
        problems.add(Problem("f", word))
    assert problems.kinds == {"one": 1, "two": 1, "other": 2}


def test_the_time_left_follows_from_the_speed_so_far():
    assert training_file.progress_words(45_000_000, 200_000_000, 9.0) == "45 of 200 MB, 31 s left"
    assert training_file.progress_words(1_000_000, 1_000_000_000, 1.0) == "1 of 1,000 MB, 17 min left"
    assert training_file.progress_words(0, 0, 1.0) == "0 of 0 MB, 0 s left"
    assert training_file.progress_words(300_000, 300_000, 1.0) == "all of 0.3 MB read, the rest of it is being counted"


def test_progress_goes_on_while_one_read_of_a_compressed_file_is_counted(monkeypatch):
    lines = "\n".join(chat(f"Question {n}", "Yes.") for n in range(5)).encode()
    question = training_file.Question(training_file.kept(io.BytesIO(gzip.compress(lines)), "five.jsonl.gz"))
    seconds = count()
    monkeypatch.setattr(training_file.time, "monotonic", lambda: float(next(seconds)))
    rates, shown = PriceBook.bundled().as_of(date(2026, 11, 21)), []
    training_file._read(question, rates, {}, lambda share, text: shown.append(text))
    assert [text.rpartition("; ")[2] for text in shown] == [f"{n} records" for n in range(6)]
