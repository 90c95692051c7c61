"""The Tuning & hosting page: a complete answer at first, and plain words for what cannot be."""

from __future__ import annotations

import json

import pytest

PAGE = "app_pages/tuning_hosting.py"


@pytest.fixture
def opened(dashboard):
    """A function that opens the page as a shared address does."""

    def open_page(**address: str):
        app = dashboard()
        app.switch_page(PAGE)
        for name, value in address.items():
            app.query_params[name] = value
        return checked(app)

    return open_page


def checked(app):
    app.run()
    assert not app.exception
    return app


def title(app) -> str:
    return app.title[0].value.replace("\\", "")


def errors(app) -> list[str]:
    return [error.value.replace("\\", "") for error in app.error]


def told(app) -> str:
    kinds = (app.caption, app.markdown)
    return "\n".join(str(element.value).replace("\\", "") for kind in kinds for element in kind)


def metrics(app) -> dict[str, str]:
    return {metric.label: metric.value.replace("\\", "") for metric in app.metric}


def table(app, column: str):
    return next(frame for frame in app.dataframe if column in frame.value)


def address(app) -> dict[str, str]:
    return {name: value[0] if isinstance(value, list) else value for name, value in app.query_params.items()}


def selected(app, column: str, at: int):
    app.session_state[table(app, column).key] = {"selection": {"rows": [at], "columns": [], "cells": []}}
    return checked(app)


def test_first_a_complete_answer(opened):
    app = opened()
    assert not app.error
    assert not app.warning
    assert title(app).startswith("Llama 3.1 8B is tuned cheapest on ")
    assert "500,000 requests a month are served cheapest " in title(app)
    assert list(metrics(app)) == [
        "Tuning, own GPUs", "Within 8 h", "Tuning, managed", "Hosting a month", "By the token a month",
    ]  # fmt: skip
    assert all(value.startswith("$") for value in metrics(app).values())
    assert address(app) == {}


def test_the_verdict_and_the_cards_are_the_tables_first_rows(opened):
    app = opened()
    runs, months = table(app, "Run").value, table(app, "Month").value
    assert list(runs["Run"]) == sorted(runs["Run"])
    assert list(months["Month"]) == sorted(months["Month"])
    own, managed = (runs[runs["How"].eq("Managed") == is_managed] for is_managed in (False, True))
    assert metrics(app)["Tuning, own GPUs"] == f"${own['Run'].iloc[0]:.2f}"
    assert metrics(app)["Tuning, managed"] == f"${managed['Run'].iloc[0]:.2f}"
    assert f"(${min(runs['Run']):.2f}" in title(app)
    served, by_token = (months[months["How"].eq("API") == is_api] for is_api in (False, True))
    assert metrics(app)["Hosting a month"] == f"${served['Month'].iloc[0]:,.0f}"
    assert metrics(app)["By the token a month"] == f"${by_token['Month'].iloc[0]:,.0f}"


def test_likely_lies_between_low_and_high(opened):
    app = opened()
    runs = table(app, "Run").value.query("How != 'Managed'")
    assert (runs["Low"] < runs["Run"]).all()
    assert (runs["Run"] < runs["High"]).all()
    assert (runs["From, h"] < runs["Hours"]).all()
    assert (runs["Hours"] < runs["To, h"]).all()
    served = table(app, "Month").value.query("How != 'API'")
    assert (served["Low"] < served["Requests/s"]).all()
    assert (served["Requests/s"] < served["High"]).all()


def test_only_services_that_sell_the_weights_and_the_technique(opened):
    app = opened(technique="full")
    managed = table(app, "Run").value.query("How == 'Managed'")
    assert len(managed) > 0
    assert not managed["What"].str.contains("LoRA").any()


def test_a_row_opens_to_formula_price_rows_and_coefficients(opened):
    app = opened()
    runs = table(app, "Run").value
    own = next(i for i, how in enumerate(runs["How"]) if how != "Managed")
    app = selected(app, "Run", own)
    assert any(text.value.startswith("Run = ") and "set-up" in text.value for text in app.markdown)
    assert {"Offer", "Source", "Read on"} <= set(table(app, "Offer").value)
    assert "ln_efficiency" in list(table(app, "Coefficient").value["Coefficient"])
    app = selected(app, "Run", list(runs["How"]).index("Managed"))
    assert any("epochs" in text.value for text in app.markdown if text.value.startswith("Run = "))


def test_a_way_to_serve_opens_to_its_replicas_and_its_curves(opened):
    app = opened()
    months = table(app, "Month").value
    at = max(i for i, how in enumerate(months["How"]) if how != "API")
    before = [heading.value for heading in app.subheader]
    app = selected(app, "Month", at)
    assert any("Replicas = ⌈" in text.value for text in app.markdown)
    assert "ln_bandwidth" in list(table(app, "Coefficient").value["Coefficient"])
    assert [heading.value for heading in app.subheader] != before
    app = selected(app, "Month", list(months["How"]).index("API"))
    assert any(text.value.startswith("Month = ") for text in app.markdown)


@pytest.mark.parametrize("model", ["openai/gpt-oss-20b", "meta/llama-3.3-70b"])
def test_the_curve_is_held_against_the_cheapest_by_the_token(opened, model):
    app = opened(model=model)
    cheapest = table(app, "Month").value.query("How == 'API'")["Where"].iloc[0]
    [heading] = [text.value for text in app.subheader if "utilisation" in text.value]
    assert cheapest in heading


def test_the_examples_that_managed_services_are_billed_for_are_said(opened):
    assert "Managed services are billed for examples of 512 tokens each, which Expert inputs change." in told(opened())
    assert "Managed services are billed for examples of 2,048 tokens each" in told(opened(example="2048"))


@pytest.mark.parametrize(
    ("framework", "said"),
    [("transformers", "Own GPUs train with Transformers + PEFT."), ("axolotl", "no measured speed of its own).")],
)
def test_the_framework_is_said(opened, framework, said):
    assert said in told(opened(framework=framework))


def test_a_framework_with_fused_kernels_is_faster(opened):
    hours = [table(opened(framework=name), "Run").value["Hours"].min() for name in ("torchtune", "transformers")]
    assert hours[0] < hours[1]


def test_adapters_on_one_base_are_said_and_serve_fewer(opened):
    alone, many = opened(gpus="l4"), opened(gpus="l4", adapters="60", rank="64")
    assert "Own GPUs serve 60 adapters of rank 64 on one base." in told(many)
    assert "on one base" not in told(alone)
    full = [table(app, "Month").value["Full use"].min() for app in (alone, many)]
    assert full[0] < full[1]


def test_a_bought_gpu_that_serves_is_paid_in_all_hours_and_its_formula_says_so(opened):
    app = opened(rents="bought", gpus="l4")
    at = list(table(app, "Month").value["How"]).index("Bought")
    said = told(selected(app, "Month", at))
    [hour] = [line for line in said.splitlines() if line.startswith("An hour in use = ")]
    assert hour.endswith("÷ 1 in use")


def test_spares_on_spot_are_in_the_formula(opened):
    app = opened(rents="spot")
    at = list(table(app, "Month").value["How"]).index("Spot")
    assert " for spares of spot ÷ (" in told(selected(app, "Month", at))


def test_gpus_and_renters_are_picked_among_those_there_are(opened):
    app = opened()
    [renters] = [pills for pills in app.pills if pills.label == "Rented from"]
    assert {"RunPod", "Lambda"} <= set(renters.options)
    assert not {"MongoDB Atlas", "NVIDIA"} & set(renters.options)
    renters.set_value(["runpod", "lambda"]).run()
    assert not app.exception
    assert address(app) == {"providers": "runpod,lambda"}
    assert set(table(app, "Run").value.query("How != 'Managed'")["Where"]) == {"RunPod", "Lambda"}


def test_what_is_not_in_a_rent_is_said(opened):
    app = opened()
    own = next(i for i, how in enumerate(table(app, "Run").value["How"]) if how != "Managed")
    assert "Not in it: storage " in told(selected(app, "Run", own))


def test_a_bought_gpu_opens_to_purchase_power_and_space(opened):
    app = selected(opened(rents="bought"), "Run", 0)
    assert any("PUE" in text.value for text in app.markdown)
    assert "hardware.pue" in list(table(app, "Assumption").value["Assumption"]) + [
        name for frame in app.dataframe if "Assumption" in frame.value for name in frame.value["Assumption"]
    ]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"model": "qwen/qwen3.8-27b"}, "The layers of Qwen3.8 27B are not known"),
        ({"sequence": "999999"}, "Sequences of 999,999 tokens are longer than the 131,072 that Llama 3.1 8B takes"),
        ({"technique": "full", "gpus": "t4", "model": "meta/llama-3.1-405b"}, "Llama 3.1 405B does not fit on any number"),
        ({"tpot": "0.5"}, "A time per output token of 0.5 ms is out of reach"),
        ({"in": "200000"}, "Requests of 200,300 tokens are beyond the context of Llama 3.1 8B"),
        ({"requests": "0"}, "There are no requests to serve. State a volume above 0."),
        ({"tokens": "0"}, "There are no tokens to train on. State how many"),
        ({"providers": "coreweave", "gpus": "t4"}, "rents such GPUs that way."),
    ],
    ids=["no shape", "sequence", "fits nowhere", "latency", "context", "no volume", "no tokens", "nobody rents it"],
)  # fmt: skip
def test_what_cannot_be_is_said_in_a_sentence(opened, asked, said):
    app = opened(**asked)
    found = [error for error in errors(app) if said in error]
    assert len(found) == 1
    assert "Traceback" not in found[0]
    assert title(app)


CONFIG = {
    "_name_or_path": "acme/nine", "model_type": "llama", "num_hidden_layers": 36, "hidden_size": 4096, "vocab_size": 64000,
    "intermediate_size": 14336, "num_attention_heads": 32, "num_key_value_heads": 8, "max_position_embeddings": 32768,
}  # fmt: skip


def test_another_model_by_its_config(opened):
    app = opened()
    app.file_uploader(key="tuning config").upload("config.json", json.dumps(CONFIG).encode(), "application/json").run()
    assert not app.exception
    assert not app.error
    assert title(app).startswith("acme/nine is tuned cheapest on ")
    assert metrics(app)["Tuning, managed"] == metrics(app)["By the token a month"] == "—"


@pytest.mark.parametrize(
    "content",
    [b"{", b"[]", b'{"model_type": "llama"}', b"\xff\xfe", b"[" * 100_000],
    ids=["cut", "list", "no shape", "no text", "deep"],
)
def test_a_config_that_cannot_be_read_is_told_and_the_answer_stays(opened, content):
    app = opened()
    before = title(app)
    app.file_uploader(key="tuning config").upload("config.json", content, "application/json").run()
    assert not app.exception
    assert title(app) == before
    [error] = errors(app)
    assert "config.json" in error
    assert "The model picked above is shown." in error


def test_one_half_without_an_answer_leaves_the_other(opened):
    app = opened(requests="0")
    assert metrics(app)["Hosting a month"] == "—"
    assert metrics(app)["Tuning, own GPUs"].startswith("$")
    assert title(app).endswith("nothing serves 0 requests a month as asked")


def test_a_deadline_that_nothing_meets_names_the_fastest(opened):
    app = opened(deadline="0.01")
    assert "Nothing is done within under a minute: the fastest, " in told(app)
    assert metrics(app)["Within under a minute"] == "—"


def test_refused_gpus_are_told_with_their_reason(opened):
    app = opened(technique="full", gpus="t4,h100", model="meta/llama-3.1-405b")
    reasons = table(app, "Why").value["Why"]
    assert reasons.str.contains("GiB").any()


def test_the_address_restores_what_is_shown_and_tells_what_it_ignores(opened):
    wanted = {"model": "qwen/qwen3-8b", "technique": "lora", "tokens": "5000000", "deadline": "none", "rents": "standard,spot"}
    app = opened(**wanted)
    assert address(app) == wanted
    assert title(app).startswith("Qwen3 8B ")
    app = opened(model="nope", foo="1", tokens="-3", epochs="two")
    assert len(app.warning) == 4
    assert title(app).startswith("Llama 3.1 8B ")
    assert address(app) == {}


def test_more_tokens_cost_more_and_show_in_the_address(opened):
    app = opened()
    before = float(metrics(app)["Tuning, own GPUs"].strip("$"))
    app.number_input(key="tuning tokens").set_value(100_000_000).run()
    assert not app.exception
    assert float(metrics(app)["Tuning, own GPUs"].strip("$")) > 5 * before
    assert address(app) == {"tokens": "100000000"}


def test_inputs_are_kept_while_another_page_is_open(opened):
    app = opened(technique="full")
    app.switch_page("app_pages/prices.py").run()
    app.switch_page(PAGE)
    assert checked(app).segmented_control(key="tuning technique").value == "full"


def test_tokens_of_the_training_file_once_it_was_measured(dashboard):
    app = dashboard("app_pages/training_data.py")
    app.switch_page(PAGE)
    app = checked(app)
    app.segmented_control(key="tuning tokens from").set_value("Training file").run()
    assert not app.exception
    assert "The built-in sample" in told(app)
    assert " examples of the training file, as each counts them." in told(app)
    assert "examples of 512 tokens" not in told(app)
    first = next(text.value for text in app.caption if text.value.startswith("A tuning run is "))
    assert "30 million" not in first
    app.segmented_control(key="tuning tokens from").set_value("A number").run()
    assert not app.exception
    assert any("30 million" in text.value for text in app.caption)


def test_own_prices_of_gpus_and_of_services_apply(opened):
    app = opened(providers="runpod")
    before = {name: float(value.strip("$").replace(",", "")) for name, value in metrics(app).items()}
    half = b"".join(b"[[%s.discount]]\npercent = 50\neffective = 2026-11-01\n" % name for name in (b"runpod", b"nebius"))
    app.file_uploader(key="own prices 0").upload("acme.toml", half, "application/toml").run()
    assert not app.exception
    after = {name: float(value.strip("$").replace(",", "")) for name, value in metrics(app).items()}
    for name in ("Tuning, own GPUs", "Tuning, managed", "Hosting a month"):
        assert after[name] == pytest.approx(before[name] / 2, rel=0.01)


def test_amounts_are_in_the_currency_of_the_open_scenario(dashboard):
    app = dashboard()
    app.selectbox(key="support_tone/0/currency").set_value("EUR").run()
    assert "€" in told(app)
    app.switch_page(PAGE)
    app = checked(app)
    assert "€" in title(app)
    assert "$" not in title(app)


def test_how_sure_is_read_from_the_fits(opened):
    from datetime import date

    from pricing import PriceBook

    text = told(opened())
    for name in ("memory", "training_time", "serving"):
        fit = PriceBook.bundled().as_of(date(2026, 11, 21)).fit(name)
        assert f"fitted to {fit.rows:,} published rows of {fit.groups:,} groups from {fit.sources:,} sources" in text
