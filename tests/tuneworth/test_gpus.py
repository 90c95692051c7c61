"""``tuneworth gpus``: the recommendation first, tables and the other forms, bad input in one message."""

from __future__ import annotations

import csv
import io
import json

import pytest

DAY = ("--as-of", "2026-11-21")
LLAMA = ("gpus", "--model", "meta/llama-3.1-8b", *DAY)
CHAT = '{"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello!"}]}\n'
TINY_CONFIG = {
    "model_type": "llama", "num_hidden_layers": 16, "hidden_size": 2048, "intermediate_size": 8192, "num_attention_heads": 32,
    "num_key_value_heads": 8, "vocab_size": 128256, "max_position_embeddings": 8192,
}  # fmt: skip


def rows(out: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(out)))


def test_the_recommendation_comes_first_and_the_table_is_by_cost(tuneworth):
    ran = tuneworth(*LLAMA, "--tokens", "3e6", "--epochs", 3, "--method", "qlora", "--deadline", "8h")
    assert ran.code == 0
    first, _, rest = ran.out.partition("\n")
    assert first.startswith("Cheapest within the deadline: tune Llama 3.1 8B on one ")
    assert "9,000,000 tokens, QLoRA" in rest
    assert "dearer ones are left out" in rest


def test_csv_has_every_offer_once_and_whole_instances(tuneworth):
    found = rows(tuneworth(*LLAMA, "--tokens", "3e6", "--format", "csv").out)
    assert len({(row["offer"], row["service"]) for row in found}) == len(found) > 60
    costs = [float(row["usd"]) for row in found]
    assert costs == sorted(costs)
    (instance,) = (row for row in found if row["offer"] == "aws-ec2/p5.48xlarge")
    assert (instance["gpus"], instance["rented"], instance["gpus_each"]) == ("8", "1", "8")
    assert float(instance["usd"]) == pytest.approx(55.04 * float(instance["paid_hours"]))


def test_json_holds_the_sentence_the_interval_and_the_row_of_the_price_book(tuneworth):
    answer = json.loads(tuneworth(*LLAMA, "--tokens", "3e6", "--gpu", "h100", "--format", "json").out)
    assert answer["recommendation"].startswith("Cheapest in the price book")
    assert all(plan["low_hours"] < plan["hours"] < plan["high_hours"] for plan in answer["plans"])
    assert all(plan["price"]["source"] for plan in answer["plans"] if plan["service"] != "bought")


def test_a_deadline_that_nothing_meets_is_said_and_exits_with_3(tuneworth):
    ran = tuneworth(*LLAMA, "--tokens", "3e6", "--deadline", "1m")
    assert ran.code == 3
    assert "No GPUs meet the deadline." in ran.out


def test_a_file_is_counted_by_the_models_tokenizer_and_the_assumed_epochs(tuneworth, tmp_path):
    path = tmp_path / "chat.jsonl"
    path.write_text(CHAT * 1000)
    one, three = (
        json.loads(tuneworth(*LLAMA, "--data", path, *epochs, "--format", "json").out)["tokens"]
        for epochs in (("--epochs", 1), ())
    )
    assert three == 3 * one > 3 * 4000


def test_a_config_json_stands_in_for_a_model_of_the_book(tuneworth, tmp_path):
    path = tmp_path / "config.json"
    path.write_text(json.dumps(TINY_CONFIG))
    ran = tuneworth("gpus", "--model-config", path, "--tokens", "1e6", "--gpu", "l4", *DAY)
    assert ran.code == 0
    assert "on one L4" in ran.out


def test_serving_prints_replicas_and_the_curve_of_the_cost_of_a_token(tuneworth):
    ran = tuneworth(*LLAMA, "--serve", "--volume", "5e6", "--input", 1200, "--output", 300, "--ttft", "1s", "--tpot", "50ms")
    assert ran.code == 0
    assert ran.out.startswith("Cheapest: serve Llama 3.1 8B on ")
    assert "By utilisation" in ran.out
    found = rows(
        tuneworth(*LLAMA, "--serve", "--requests-per-second", 20, "--input", 1200, "--output", 300, "--format", "csv").out
    )
    months = [float(row["usd_per_month"]) for row in found]
    assert months == sorted(months)
    for row in found:
        capacity = int(row["replicas"]) * float(row["requests_per_second"]) * 0.6
        assert capacity >= 20
        assert float(row["low_requests_per_second"]) < float(row["requests_per_second"]) < float(row["high_requests_per_second"])


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (("--tokens", "3e6", "--gpu", "h10"), "Did you mean h100"),
        (("--tokens", "0"), "There are no tokens to train on"),
        (("--tokens", "nan"), "--tokens: nan is no finite number"),
        (("--tokens", "3e6", "--epochs", "inf"), "--epochs: inf is no finite number"),
        (("--tokens", "3e6", "--sequence", "0"), "--sequence: 0 tokens are no sequence"),
        (("--serve", "--volume", "9", "--input", "9", "--output", "9", "--epochs", "3"), "--epochs: it belongs to tuning"),
        (("--tokens", "3e6", "--volume", "100"), "--volume: it belongs to serving"),
        (("--tokens", "3e6", "--as-of", "2001-01-01"), "try a later --as-of"),
        (("--serve", "--requests-per-second", "inf", "--input", "10", "--output", "10"), "inf is no finite number"),
        (("--tokens", "3e6", "--sequence", "200000"), "longer than the 131,072 that Llama 3.1 8B takes"),
        (("--tokens", "3e6", "--method", "lorra"), "Expected one of full, lora, qlora"),
        (("--tokens", "3e6", "--deadline", "soon"), "Write it like 8h"),
        (("--tokens", "3e6", "--service", "cheap"), "Expected one of standard, spot"),
        ((), "Give --data FILE or --tokens N"),
        (("--tokens", "3e6", "--method", "full", "--gpu", "t4", "--provider", "lambda"), "With any GPU and rent it does"),
        (("--serve", "--volume", "0", "--input", "10", "--output", "10"), "There are no requests to serve"),
        (("--serve", "--volume", "1000", "--input", "10"), "Give --input and --output"),
        (("--serve", "--volume", "1000", "--input", "200000", "--output", "10"), "beyond the context of Llama 3.1 8B"),
        (("--serve", "--volume", "1000", "--input", "100", "--output", "10", "--tpot", "1ms"), "out of reach"),
        (("--serve", "--input", "100", "--output", "10"), "Give --volume a month or --requests-per-second"),
    ],
)
def test_bad_input_is_one_message_and_exit_code_1(tuneworth, asked, said):
    ran = tuneworth(*LLAMA, *asked)
    assert (ran.code, ran.out) == (1, "")
    assert said in ran.err


def test_a_model_that_fits_nowhere_says_what_would(tuneworth):
    ran = tuneworth("gpus", "--model", "meta/llama-3-70b", "--tokens", "3e6", "--method", "full", "--gpu", "l4", *DAY)
    assert ran.code == 1
    assert "Llama 3 70B cannot be tuned as asked: l4: needs" in ran.err
    assert "With --method lora it does: on" in ran.err


def test_an_unknown_model_names_near_ones(tuneworth):
    ran = tuneworth("gpus", "--model", "meta/lama-3.1-8b", "--tokens", "3e6", *DAY)
    assert ran.code == 1
    assert "Did you mean meta/llama-3.1-8b" in ran.err


def test_an_impossible_latency_is_held_against_the_gpus_that_come_nearest(tuneworth):
    request = ("--serve", "--volume", "1e6", "--input", "1000", "--output", "200")
    ran = tuneworth(*LLAMA, *request, "--ttft", "0.5ms")
    needed = float(ran.err.partition(" needs ")[2].partition(" ms")[0])
    assert "A time to first token of 0.5 ms is out of reach" in ran.err
    found = rows(tuneworth(*LLAMA, *request, "--ttft", f"{needed + 0.1:.1f}ms", "--format", "csv").out)
    assert found
    assert tuneworth(*LLAMA, *request, "--ttft", f"{needed - 0.1:.1f}ms").code == 1


def test_a_peak_and_the_volume_it_belongs_to_cost_the_same(tuneworth):
    request = ("--serve", "--input", 1200, "--output", 300, "--gpu", "h100", "--format", "csv")
    peak = 20
    volume = peak / 3 * 12 * 3600 * 730 / 24  # peak factor 3, 12 active hours of each day
    by_peak, by_volume = (
        rows(tuneworth(*LLAMA, *request, *demand).out) for demand in (("--requests-per-second", peak), ("--volume", volume))
    )
    for one, other in zip(by_peak, by_volume, strict=True):
        assert float(one["usd_per_mtok"]) == pytest.approx(float(other["usd_per_mtok"]))
        assert float(one["utilisation"]) == pytest.approx(float(other["utilisation"]))


def test_examples_are_packed_to_no_more_than_the_context(tuneworth, tmp_path):
    path = tmp_path / "config.json"
    path.write_text(json.dumps(TINY_CONFIG | {"max_position_embeddings": 1024}))
    ran = tuneworth("gpus", "--model-config", path, "--tokens", "1e6", "--gpu", "l4", "--format", "json", *DAY)
    assert json.loads(ran.out)["sequence_tokens"] == 1024
