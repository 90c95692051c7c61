"""``tuneworth bill``: one file, every provider's bill, the four forms, the exit codes."""

from __future__ import annotations

import csv
import io
import json

import pytest

CHAT = '{"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello!"}]}\n'
PAIR = (
    '{"input": {"messages": [{"role": "user", "content": "Hi"}]}, '
    '"preferred_output": [{"role": "assistant", "content": "Hello!"}], '
    '"non_preferred_output": [{"role": "assistant", "content": "What?"}]}\n'
)
NAMED = CHAT.replace('"user"', '"user", "name": "a b"')
DAY = ("--as-of", "2026-11-21")


@pytest.fixture
def chat(tmp_path):
    path = tmp_path / "chat.jsonl"
    path.write_text(CHAT * 1000)
    return path


def bills(out: str) -> dict[tuple[str, str], dict[str, str]]:
    return {(row["offer"], row["technique"]): row for row in csv.DictReader(io.StringIO(out))}


def test_csv_has_a_bill_for_every_offer_counted_by_its_own_tokenizer(tuneworth, chat):
    ran = tuneworth("bill", chat, *DAY, "--organisation", "openai=active", "--format", "csv")
    assert ran.code == 0
    found = bills(ran.out)
    openai = found["openai/gpt-4.1-mini", ""]
    # 14 tokens an example by the cookbook's rule, 3 epochs at $5 a million
    assert (openai["billed_tokens"], openai["job_usd"], openai["last_training_day"]) == ("42000.0", "0.21", "2027-01-05")
    assert (openai["counted_by"], openai["exact"]) == ("o200k_base", "true")
    assert found["together/llama-3.3-70b", "lora"]["counted_by"] == "llama3"
    assert found["together/llama-3.3-70b", "lora"]["job_usd"] == "4.0"  # the minimum
    assert found["bedrock/nova-micro", ""]["exact"] == "false"


def test_the_table_puts_what_is_refused_below_with_the_reason(tuneworth, chat):
    ran = tuneworth("bill", chat, *DAY, "--provider", "openai", "--provider", "mistral")
    assert ran.code == 0
    billed, refused = ran.out.split("Not to be had")
    assert "mistral/classifier-3b" in billed
    assert "at least 4" in billed
    assert "closed tuning to new organisations on 2026-05-07" in refused
    assert "openai/gpt-4.1-mini" not in billed


def test_json_holds_prices_with_their_source(tuneworth, chat):
    ran = tuneworth("bill", chat, *DAY, "--model", "gpt-4.1-mini", "--epochs", 2, "--format", "json")
    answer = json.loads(ran.out)
    (azure,) = [b for b in answer["bills"] if b["offer"] == "azure-openai/gpt-4.1-mini" and b["deployment"] is None]
    assert (answer["method"], answer["examples"], azure["epochs"]) == ("sft", 1000, 2)
    assert (azure["job_usd"], azure["hosting_usd_per_month"]) == (pytest.approx(0.14), pytest.approx(1241))
    assert all(price["source"] and price["source_date"] for price in azure["prices"])
    assert {bill["offer"] for bill in answer["bills"]} == {"azure-openai/gpt-4.1-mini", "openai/gpt-4.1-mini"}


def test_preferences_are_billed_as_dpo(tuneworth, tmp_path):
    path = tmp_path / "pairs.jsonl"
    path.write_text(PAIR * 1000)
    found = bills(tuneworth("bill", path, *DAY, "--provider", "fireworks", "--format", "csv").out)
    llama = found["fireworks/llama-3.1-8b", "lora"]
    assert (llama["method"], llama["usd_per_mtok"]) == ("dpo", "1.0")
    chat = tmp_path / "one.jsonl"
    chat.write_text(CHAT * 1000)
    alone = bills(tuneworth("bill", chat, *DAY, "--provider", "fireworks", "--format", "csv").out)
    assert float(llama["billed_tokens"]) == 2 * float(alone["fireworks/llama-3.1-8b", "lora"]["billed_tokens"])


def test_validation_is_billed_where_the_provider_bills_it(tuneworth, chat, tmp_path):
    held_out = tmp_path / "validation.jsonl"
    held_out.write_text(CHAT * 100)
    found = bills(
        tuneworth("bill", chat, *DAY, "--validation", held_out, "--evaluations", 3, "--format", "csv",
                  "--provider", "together", "--provider", "tinker").out
    )  # fmt: skip
    alone = bills(tuneworth("bill", chat, *DAY, "--format", "csv").out)
    together, tinker = ("together/llama-3.3-70b", "lora"), ("tinker/qwen3-8b", "lora")
    assert float(found[together]["billed_tokens"]) == pytest.approx(1.3 * float(alone[together]["billed_tokens"]))
    assert found[tinker]["billed_tokens"] == alone[tinker]["billed_tokens"]


def test_what_is_left_out_is_said_and_the_answer_partial(tuneworth, tmp_path):
    path = tmp_path / "chat.jsonl"
    path.write_text(CHAT * 10 + "{broken\n")
    ran = tuneworth("bill", path, *DAY, "--provider", "mistral")
    assert ran.code == 3
    assert "1 record was left out" in ran.err
    path.write_text(CHAT.replace('"messages"', '"tools": [{"type": "function"}], "messages"') * 10)
    ran = tuneworth("bill", path, *DAY, "--provider", "mistral")
    assert (ran.code, "tool definitions" in ran.err) == (3, True)


def test_staff_and_teacher_stand_beside_the_bills(tuneworth, chat):
    ran = tuneworth("bill", chat, *DAY, "--provider", "mistral", "--staff", "--teacher", "openai/gpt-6-luna")
    assert "guidelines and checks" in ran.out
    assert "1,250 candidates" in ran.out


def test_own_prices_are_billed(tuneworth, chat, tmp_path):
    own = tmp_path / "own.toml"
    own.write_text("[[mistral.model.classifier-3b.price]]\neffective = 2026-11-01\ntraining_usd_per_mtok = 100\n")
    ran = tuneworth("bill", chat, *DAY, "--provider", "mistral", "--own-prices", own, "--format", "csv")
    assert float(bills(ran.out)["mistral/classifier-3b", ""]["usd_per_mtok"]) == 100


@pytest.mark.parametrize(
    ("line", "examples", "uploads"),
    [
        (CHAT, 9, {"azure-openai/gpt-4.1-mini": "refuses: fewer than 10 examples", "bedrock/nova-micro": "convert the format"}),
        (CHAT, 10, {"azure-openai/gpt-4.1-mini": "takes it", "tinker/qwen3-8b": "not known"}),
        (CHAT, 10, {"mistral/classifier-3b": "refuses: a classifier learns labels, not answers"}),
        (NAMED, 12, {"azure-openai/gpt-4.1-mini": "mend 12 lines: a name with other characters"}),
    ],
    ids=["too few", "enough", "classifier", "bad names"],
)
def test_every_bill_says_what_the_upload_does_with_the_file(tuneworth, tmp_path, line, examples, uploads):
    path = tmp_path / "chat.jsonl"
    path.write_text(line * examples)
    rows = json.loads(tuneworth("bill", path, *DAY, "--format", "json").out)["bills"]
    found = {row["offer"]: row["upload"] for row in rows}
    assert {offer: found[offer] for offer in uploads} == uploads
    plain = csv.DictReader(io.StringIO(tuneworth("bill", path, *DAY, "--format", "csv").out))
    assert {row["offer"]: row["upload"] for row in plain} == found


WRONG = [
    (("--organisation", "openai"), "Write it like openai=active"),
    (("--organisation", "openai=old"), "new, inactive or active"),
    (("--organisation", "openai=maybe"), "'maybe' in 'openai=maybe' is no standing"),
    (("--organisation", "opnai=active"), "Did you mean openai"),
    (("--task", "format"), "--task: it has no effect without --staff"),
    (("--source", "hand"), "--source: it has no effect without --staff"),
    (("--evaluations", "2"), "--evaluations: it has no effect without --validation"),
    (("--provider", "openai"), "No provider bills this job"),
    (("--method", "kto"), "sft, dpo, rft, cpt"),
    (("--staff", "--task", "poetry"), "style"),
    (("--provider", "togther"), "Did you mean together"),
    (("--provider", "anthropic"), "nothing that it names sells sft training"),
    (("--accept-unverified", "openai/nothing"), "has no 'nothing'"),
    (("--teacher", "openai/gpt-6-lona"), "gpt-6-luna"),
]


@pytest.mark.parametrize(("options", "message"), WRONG)
def test_wrong_input_is_told_in_words(tuneworth, chat, options, message):
    ran = tuneworth("bill", chat, *DAY, *options)
    assert ran.code == 1
    assert message in ran.err
    assert "Traceback" not in ran.err


def test_judged_single_answers_are_sold_by_nobody(tuneworth, tmp_path):
    path = tmp_path / "kto.jsonl"
    path.write_text('{"prompt": "Hi", "completion": "Hello!", "label": true}\n' * 10)
    ran = tuneworth("bill", path, *DAY)
    assert (ran.code, "no provider in the price book trains" in ran.err) == (1, True)


def test_kinds_that_no_one_job_trains_on_are_not_billed_together(tuneworth, chat, tmp_path):
    (tmp_path / "graded.jsonl").write_text('{"messages": [{"role": "user", "content": "2+2?"}], "answer": "4"}\n' * 10)
    ran = tuneworth("bill", tmp_path, *DAY)
    assert (ran.code, ran.out) == (1, "")
    assert "no one job trains on: 1,000 × chat, 10 × reinforcement" in ran.err
    assert tuneworth("bill", chat, *DAY, "--validation", tmp_path / "graded.jsonl").code == 1
    (tmp_path / "graded.jsonl").write_text('{"prompt": "Hi", "completion": "Hello!"}\n' * 10)
    assert tuneworth("bill", tmp_path, *DAY).code == 0


def test_hours_of_a_job_have_a_bound(tuneworth, chat):
    ran = tuneworth("bill", chat, *DAY, "--hours", "1e300")
    assert (ran.code, "--hours" in ran.err) == (2, True)
