"""``tuneworth gpus``: the recommendation first, tables and the other forms, bad input in one message."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from calc.hardware.training_time import FRAMEWORKS
from reports.hardware_words import FRAMEWORK_LABELS, UNMEASURED_FRAMEWORKS

DAY = ("--as-of", "2026-11-21")
REPOSITORY = Path(__file__).resolve().parents[2]
SERVE = ("--serve", "--volume", "1e6", "--input", "1000", "--output", "200")
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
    assert "No GPUs meet the deadline. The fastest, " in ran.out
    shown = rows(tuneworth(*LLAMA, "--tokens", "3e6", "--deadline", "1m", "--gpu", "h100", "--format", "csv").out)
    assert shown
    assert {row["meets_deadline"] for row in shown} == {"False"}


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


def test_the_curve_falls_as_one_over_the_utilisation(tuneworth):
    asked = (*LLAMA, "--serve", "--volume", "5e6", "--input", 1200, "--output", 300)
    curve = json.loads(tuneworth(*asked, "--format", "json").out)["plans"][0]["usd_per_mtok_at"]
    assert list(curve) == ["0.1", "0.25", "0.5", "0.75", "1"]
    assert all(usd == pytest.approx(curve["1"] / float(used)) for used, usd in curve.items())
    _, _, table = tuneworth(*asked).out.partition("By utilisation")
    assert [line.split()[0] for line in table.splitlines() if "%" in line] == ["10%", "25%", "50%", "75%", "100%"]


def test_adapters_on_one_base_take_memory_and_are_said(tuneworth):
    asked = (*LLAMA, "--serve", "--volume", "5e8", "--input", 1200, "--output", 300, "--gpu", "l4")

    def usd(*more):
        return float(rows(tuneworth(*asked, *more, "--format", "csv").out)[0]["usd_per_month"])

    assert usd() == usd("--adapters", 1)
    assert usd("--adapters", 40, "--rank", 64) > usd("--adapters", 40) > usd()
    out = tuneworth(*asked, "--adapters", 40, "--rank", 64).out
    assert out.startswith("Cheapest: serve Llama 3.1 8B, 40 adapters of rank 64 on one base, on ")


@pytest.mark.parametrize(("market", "label"), [("on-demand", "on demand"), ("spot", "spot"), ("reserved", "reserved")])
def test_a_market_alone(tuneworth, market, label):
    asked = (*LLAMA, "--tokens", "3e6", "--service", market)
    services = {row["service"] for row in rows(tuneworth(*asked, "--format", "csv").out)}
    assert services == {"standard" if market == "on-demand" else market}
    assert f" {label} " in tuneworth(*asked).out


@pytest.mark.parametrize(
    ("framework", "said"),
    [
        ("axolotl", "Axolotl (as Transformers + PEFT: no measured speed of its own)"),
        ("llama-factory", "LLaMA-Factory (as Transformers + PEFT: no measured speed of its own)"),
    ],
)
def test_a_framework_that_was_not_measured_is_what_it_runs_and_says_so(tuneworth, framework, said):
    asked = (*LLAMA, "--tokens", "3e6", "--gpu", "h100")
    own, plain = (json.loads(tuneworth(*asked, *of, "--format", "json").out) for of in (("--framework", framework), ()))
    assert own["framework"] == said
    assert own["plans"] == plain["plans"]
    assert said in tuneworth(*asked, "--framework", framework).out


def test_what_is_not_said_to_be_unmeasured_was_measured():
    with (REPOSITORY / "calibration/rows/training_time.csv").open() as file:
        measured = {row["framework"] for row in csv.DictReader(file)} - {""}
    assert set(FRAMEWORK_LABELS) == set(FRAMEWORKS)
    assert set(FRAMEWORKS) - measured == set(UNMEASURED_FRAMEWORKS)


@pytest.mark.parametrize("volume", ["1e15", "1e12", "1"])
def test_any_volume_is_answered_in_numbers_that_can_be_read(tuneworth, volume):
    ran = tuneworth(*LLAMA, "--serve", "--volume", volume, "--input", 1200, "--output", 300)
    assert ran.code == 0
    assert "e+" not in ran.out


def test_an_id_of_a_gpu_may_be_in_capitals(tuneworth):
    found = rows(tuneworth(*LLAMA, "--tokens", "3e6", "--gpu", "H100", "--format", "csv").out)
    assert {row["gpu"] for row in found} == {"h100"}


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (("--tokens", "3e6", "--gpu", "h10"), "Did you mean h100"),
        (("--tokens", "3e6", "--gpu", "L41"), "Did you mean l4"),
        (("--tokens", "3e6", "--provider", "runpd"), "Did you mean runpod?"),
        (("--tokens", "3e6", "--framework", "axoltl"), "Did you mean axolotl?"),
        (("--tokens", "-1"), "There are no tokens to train on"),
        (("--tokens", "1e16"), "--tokens: it takes 1 to 1,000,000,000,000,000"),
        (("--tokens", "1e-5"), "--tokens: it takes 1 to"),
        (("--tokens", "3e6", "--epochs", "1e300"), "--epochs: it takes 0.001 to 1,000"),
        (("--tokens", "3e6", "--epochs", "-1"), "--epochs: -1 passes train nothing"),
        (("--tokens", "3e6", "--rank", "1e12"), "--rank: it takes 1 to 4,096"),
        (("--tokens", "3e6", "--rank", "0"), "The rank of the adapters"),
        (("--tokens", "3e6", "--rank", "nan"), "--rank: nan is no finite number"),
        (("--tokens", "3e6", "--sequence", "1e300"), "--sequence: it takes 1 to 100,000,000"),
        (("--tokens", "3e6", "--deadline", "9" * 400 + "d"), "is no duration"),
        (("--tokens", "3e6", "--deadline", "0h"), "is no duration above 0"),
        (("--tokens", "3e6", "--data", "a.jsonl"), "--data: --tokens is given, too"),
        (("--tokens", "3e6", "--weights", "fp8"), "--weights: it belongs to serving"),
        (("--tokens", "3e6", "--replicas", "2"), "--replicas: it belongs to serving"),
        (("--tokens", "3e6", "--adapters", "2"), "--adapters: it belongs to serving"),
        ((*SERVE, "--method", "qlora"), "--method: it belongs to tuning"),
        ((*SERVE, "--batch", "4"), "--batch: it belongs to tuning"),
        ((*SERVE, "--framework", "unsloth"), "--framework: it belongs to tuning"),
        ((*SERVE, "--deadline", "2h"), "--deadline: it belongs to tuning"),
        ((*SERVE, "--rank", "8"), "Add --adapters, or leave it out"),
        ((*SERVE, "--adapters", "10", "--rank", "0"), "The rank of the adapters is 0; it must be 1 or more"),
        ((*SERVE, "--adapters", "10", "--rank", "-5"), "The rank of the adapters is -5"),
        ((*SERVE, "--weights", "fp7"), "Expected one of fp16, fp8"),
        ((*SERVE, "--cached", "2000"), "caches no more of its input than there is"),
        ((*SERVE, "--cached", "-1"), "caches no more of its input than there is"),
        ((*SERVE, "--adapters", "1000000", "--rank", "4096"), "cannot be served as asked"),
        (("--serve", "--volume", "1e300", "--input", "10", "--output", "10"), "--volume: it takes 1 to 1,000,000,000,000,000"),
        (("--serve", "--volume", "0.5", "--input", "10", "--output", "10"), "--volume: it takes 1 to"),
        (("--serve", "--volume", "9", "--input", "1e300", "--output", "10"), "--input: it takes 1 to 100,000,000"),
        (("--serve", "--volume", "9", "--input", "10", "--output", "0.1"), "--output: it takes 1 to 100,000,000"),
        (("--serve", "--volume", "9", "--input", "0", "--output", "10"), "A request needs input and output tokens"),
        (("--serve", "--requests-per-second", "1e300", "--input", "10", "--output", "10"), "--requests-per-second: it takes"),
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


@pytest.mark.parametrize(
    "asked",
    [
        ("--tokens", "3e6", "--batch", "0"),
        ("--tokens", "3e6", "--batch", "9" * 22),
        ("--tokens", "abc"),
        ("--tokens", "3e6", "--out", "x"),
        ("--tokens", "3e6", "--format", "yaml"),
        (*SERVE, "--replicas", "0"),
        (*SERVE, "--adapters", "0"),
        (*SERVE, "--adapters", "1.5"),
    ],
)  # fmt: skip
def test_what_is_no_call_of_the_command_exits_with_2(tuneworth, asked):
    ran = tuneworth(*LLAMA, *asked)
    assert (ran.code, ran.out) == (2, "")
    assert "Error: " in ran.err


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "the file is not JSON"),
        ("[]", "the file holds no settings"),
        ('{"model_type": "llama"}', "num_hidden_layers is missing"),
    ],
)
def test_a_config_json_that_cannot_be_read_is_told(tuneworth, tmp_path, content, said):
    path = tmp_path / "config.json"
    path.write_text(content)
    ran = tuneworth("gpus", "--model-config", path, "--tokens", "1e6", *DAY)
    assert (ran.code, ran.out) == (1, "")
    assert said in ran.err


@pytest.mark.parametrize(("name", "said"), [("", "is a folder"), ("none.json", "there is no such file")])
def test_a_config_json_that_is_not_there_is_told(tuneworth, tmp_path, name, said):
    ran = tuneworth("gpus", "--model-config", tmp_path / name, "--tokens", "1e6", *DAY)
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
