"""What own GPUs serve: bytes by hand, order, limits of memory and latency, replicas by steps, bad input in plain words."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calc.hardware import serving_throughput as model
from calc.hardware.architecture import expert_parameters, shape_of
from calc.hardware.serving_throughput import (
    Deployment,
    LatencyMissed,
    ServingRefused,
    TokenShape,
    capacity,
    replicas,
)
from pricing import PriceBook

RATES = PriceBook.bundled().as_of(date(2026, 11, 21))
FIT = RATES.fit("serving")
LLAMA_8B = shape_of(RATES.open_model("meta/llama-3.1-8b"))
LLAMA_70B = shape_of(RATES.open_model("meta/llama-3.1-70b"))
MIXTRAL = shape_of(RATES.open_model("mistralai/mixtral-8x7b"))
LLAMA_30B = shape_of(RATES.open_model("meta/llama-30b"))
PHI_4 = shape_of(RATES.open_model("microsoft/phi-4"))
H100, A100, L4 = RATES.gpu("h100"), RATES.gpu("a100-80gb"), RATES.gpu("l4")
ONE = Deployment(LLAMA_8B, H100)
CHAT = TokenShape(1000, 250)
UNMEASURED = H100.model_copy(update={"memory_bandwidth_gb_per_s": None})


def test_a_token_of_llama_8b_keeps_128_kib():
    # 2 · 32 layers · 8 heads · 128 numbers · 2 bytes
    assert model.kv_bytes_per_request(ONE, TokenShape(1000, 2)) == 1001 * 131_072
    assert model.kv_bytes_per_request(replace(ONE, kv_bytes_per_number=1.0), TokenShape(1000, 2)) == 1001 * 65_536


@pytest.mark.parametrize(
    ("weights", "gpus", "expected"),
    [
        ("meta/llama-3.1-8b", 8, 32 * 8 * 2 * 128 * 2),  # a head of eight on each
        ("meta/llama-3.1-8b", 16, 32 * 16 * 2 * 128 * 2),  # each head twice
        ("qwen/qwen3-30b-a3b", 8, 48 * 8 * 2 * 128 * 2),  # four heads, each twice
        ("bigcode/starcoder", 4, 40 * 4 * 2 * 128 * 2),  # one head, on every GPU
        ("deepseek-ai/deepseek-v3", 8, 61 * 8 * (512 + 64) * 2),  # compressed, on every GPU
    ],
)
def test_keys_and_values_that_cannot_be_split_are_on_every_gpu(weights, gpus, expected):
    deployment = Deployment(shape_of(RATES.open_model(weights)), H100, gpus)
    assert model.kv_bytes_per_request(deployment, TokenShape(1000, 2)) == 1001 * expected


def test_what_is_repeated_leaves_room_for_fewer_requests():
    deepseek = shape_of(RATES.open_model("deepseek-ai/deepseek-v3"))
    eight = Deployment(deepseek, RATES.gpu("h200"), 8, "fp8")
    free = model.usable_bytes(eight.gpu, 8) - model.weights_bytes(deepseek, "fp8")
    assert model.batch_in_memory(eight, TokenShape(1000, 2)) == pytest.approx(free / (8 * 61 * 576 * 2 * 1001))


@pytest.mark.parametrize(
    ("weights", "tokens", "layer_tokens", "of_a_layer", "width"),
    [
        # 8 of 48 layers attend to all of 8,192, 40 to the last 1,024; 2 · 8 heads · 256 numbers · 2 bytes; 16 heads · 256 wide
        ("google/gemma-3-12b", TokenShape(8000, 384), 8 * 8192 + 40 * 1024, 8192, 4096),
        ("google/gemma-3-12b", TokenShape(800, 200), 48 * 900, 8192, 4096),
        # all 32 layers attend to the last 4,096; 2 · 8 · 128 · 2 bytes; 32 heads · 128 wide
        ("mistralai/mistral-7b-v0.1", TokenShape(9000, 2000), 32 * 4096, 4096, 4096),
    ],
)
def test_a_layer_with_a_window_keeps_reads_and_attends_to_no_more_than_it(weights, tokens, layer_tokens, of_a_layer, width):
    deployment = Deployment(shape_of(RATES.open_model(weights)), H100)
    assert model.kv_bytes_per_request(deployment, tokens) == pytest.approx(layer_tokens * of_a_layer, rel=1e-12)
    some, more = (model.loads(deployment, tokens, batch) for batch in (1.0, 2.0))
    assert more.memory_s - some.memory_s == pytest.approx(layer_tokens * of_a_layer / 3350e9)
    operations = 2 * model.matrix_parameters(deployment.shape) + 4 * width * layer_tokens  # of queries with keys, and values
    assert some.compute_s == pytest.approx(operations / 989e12)


def test_the_cache_grows_with_length():
    assert model.kv_bytes_per_request(ONE, TokenShape(2000, 250)) > model.kv_bytes_per_request(ONE, CHAT)
    assert model.batch_in_memory(ONE, TokenShape(2000, 250)) < model.batch_in_memory(ONE, CHAT)


def test_a_batch_reads_the_experts_that_it_touches():
    read = model.weights_read_bytes(MIXTRAL, "fp16", np.array([1.0, 2.0, 256.0]))
    an_expert = 2 * 32 * expert_parameters(MIXTRAL)
    assert np.diff(read)[0] == pytest.approx(an_expert * 8 * (0.75 - 0.75**2))  # 8·(1 − ¾²) − 8·(1 − ¾) experts more
    assert read[1] - read[0] < 2 * an_expert
    assert read[2] == pytest.approx(model.weights_bytes(MIXTRAL, "fp16") - 2 * 32_000 * 4096, rel=1e-9)


def test_quantised_weights_are_smaller_and_answer_sooner():
    sizes = [model.weights_bytes(LLAMA_8B, weights) for weights in ("fp16", "fp8", "fp4", "int4")]
    assert sizes == sorted(sizes, reverse=True)
    alone = [capacity(replace(ONE, weights=weights, max_batch=1), CHAT, FIT) for weights in ("fp16", "fp8", "int4")]
    assert [found.requests_per_second for found in alone] == sorted(found.requests_per_second for found in alone)


def test_weights_the_gpu_cannot_multiply_are_widened():
    assert model._matrix_peak(Deployment(LLAMA_8B, A100, weights="fp8")) == 312e12
    assert model._matrix_peak(Deployment(LLAMA_8B, H100, weights="fp8")) == 1979e12


RATES_OF_A_GPU = ("memory_gb", "memory_bandwidth_gb_per_s", "bf16_dense_tflops", "link_gb_per_s")
KNOWN = {name: gpu for name, gpu in RATES.gpus.items() if all(getattr(gpu, rate) for rate in RATES_OF_A_GPU)}
PAIRS = [
    (slow, fast)
    for slow in KNOWN
    for fast in KNOWN
    if slow != fast and all(getattr(KNOWN[slow], rate) <= getattr(KNOWN[fast], rate) for rate in RATES_OF_A_GPU)
]


# Blackwell reached less of its peaks than Hopper in the rows; of AMD's GPUs there is no row, and they count as Hopper
SERVED_LESS_BY_FASTER = {("mi300x", "b300"), ("mi300x", "gb300"), ("mi325x", "b300"), ("mi325x", "gb300")}


@pytest.mark.parametrize("weights", ["meta/llama-3.2-1b", "meta/llama-3.1-8b", "qwen/qwen3-30b-a3b"])
@pytest.mark.parametrize("batch", [1, 256])
def test_a_gpu_better_in_everything_serves_no_less(weights, batch):
    shape = shape_of(RATES.open_model(weights))
    served = {
        name: capacity(Deployment(shape, gpu, gpus=8, max_batch=batch), CHAT, FIT).requests_per_second
        for name, gpu in KNOWN.items()
    }
    assert len(PAIRS) > 100
    reversed_pairs = {(slow, fast) for slow, fast in PAIRS if served[slow] > served[fast] * (1 + 1e-9)}
    assert reversed_pairs <= SERVED_LESS_BY_FASTER


def test_a_larger_model_serves_less():
    small, large = (capacity(Deployment(shape, H100, gpus=4), CHAT, FIT) for shape in (LLAMA_8B, LLAMA_70B))
    assert large.requests_per_second < small.requests_per_second


@pytest.mark.parametrize("longer", [TokenShape(2000, 250), TokenShape(1000, 500)])
def test_longer_requests_are_fewer(longer):
    assert capacity(ONE, longer, FIT).requests_per_second < capacity(ONE, CHAT, FIT).requests_per_second


def test_cached_input_is_not_computed_again():
    cached = capacity(ONE, replace(CHAT, cached_input_tokens=800), FIT)
    assert cached.requests_per_second > capacity(ONE, CHAT, FIT).requests_per_second


def test_what_limits_the_batch():
    assert capacity(ONE, CHAT, FIT).limited_by == "engine"
    long = capacity(Deployment(LLAMA_8B, RATES.gpu("a100-40gb")), TokenShape(20_000, 500), FIT)
    assert long.limited_by == "memory"
    assert long.batch < 10
    soon = capacity(ONE, CHAT, FIT, max_time_per_output_token_s=0.012)
    assert (soon.limited_by, soon.time_per_output_token_s <= 0.012) == ("time per output token", True)
    assert soon.requests_per_second < capacity(ONE, CHAT, FIT).requests_per_second
    first = capacity(ONE, CHAT, FIT, max_time_to_first_token_s=0.06)
    assert (first.limited_by, first.time_to_first_token_s <= 0.06) == ("time to first token", True)


def test_tensor_parallel_over_slow_links_pays_less():
    l40s = RATES.gpu("l40s")
    fast_link = l40s.model_copy(update={"link_gb_per_s": 450.0})
    slow, fast = (capacity(Deployment(LLAMA_70B, gpu, 8, "fp8"), CHAT, FIT).requests_per_second for gpu in (l40s, fast_link))
    assert slow < 0.7 * fast


def test_many_adapters_share_one_base():
    alone, many = capacity(ONE, CHAT, FIT), capacity(replace(ONE, adapters=50), CHAT, FIT)
    assert 0.5 * alone.requests_per_second < many.requests_per_second < alone.requests_per_second
    assert many.requests_per_second > capacity(replace(ONE, adapters=50, adapter_rank=64), CHAT, FIT).requests_per_second


def test_published_throughput_of_llama_8b_lies_within_the_interval():
    # TensorRT-LLM, one H100, 8 bits, 1,000 tokens in and out: 15,220 output tokens a second
    found = capacity(
        Deployment(LLAMA_8B, H100, weights="fp8", kv_bytes_per_number=1, engine="tensorrt-llm", max_batch=2048),
        TokenShape(1000, 1000),
        FIT,
    )
    assert abs(np.log(15_220 / found.output_tokens_per_second)) < np.log(model.interval_factor(FIT))


# --- arrays ---------------------------------------------------------------------------------------------------------------

MANY = TokenShape(np.array([[200.0], [1000.0], [3000.0], [1000.0]]), np.array([[50.0], [250.0], [400.0], [900.0]]), 100.0)


@pytest.mark.parametrize("shape", [LLAMA_8B, MIXTRAL])
@pytest.mark.parametrize("latency", [(None, None), (0.5, None), (None, 0.02), (0.5, 0.02)])
@pytest.mark.parametrize("gpu", [A100, H100])
def test_many_token_shapes_give_what_each_gives_alone(shape, latency, gpu):
    deployment = Deployment(shape, gpu, gpus=2)
    together = capacity(deployment, MANY, FIT, *latency)
    for i in range(4):
        one = TokenShape(float(MANY.input_tokens[i, 0]), float(MANY.output_tokens[i, 0]), MANY.cached_input_tokens)
        alone = capacity(deployment, one, FIT, *latency)
        assert isinstance(alone.batch, int)
        assert isinstance(alone.limited_by, str)
        for name in ("requests_per_second", "output_tokens_per_second", "batch", "time_to_first_token_s"):
            assert getattr(together, name).shape == (4, 1)
            assert getattr(together, name)[i, 0] == pytest.approx(getattr(alone, name), rel=1e-12)
        assert together.limited_by[i, 0] == alone.limited_by


@given(
    st.sampled_from([LLAMA_8B, MIXTRAL]),
    st.floats(1, 8000),
    st.floats(1, 2000),
    st.floats(0.02, 2),
    st.floats(0.008, 0.2),
    st.sampled_from([0, 20]),
)
def test_no_larger_batch_keeps_within_the_latency(shape, read, written, first, each, adapters):
    deployment, tokens = Deployment(shape, H100, gpus=2, adapters=adapters), TokenShape(read, written)
    batches = np.arange(1.0, min(int(model.batch_in_memory(deployment, tokens)), deployment.max_batch) + 1)
    to_first, per_token, _ = model._paces(deployment, tokens, FIT, batches)
    within = np.flatnonzero((to_first <= first) & (per_token <= each))
    if len(within) == 0:
        with pytest.raises(LatencyMissed):
            capacity(deployment, tokens, FIT, first, each)
        return
    found = capacity(deployment, tokens, FIT, first, each)
    assert found.batch == within[-1] + 1 == len(within)


def test_of_many_requests_the_one_furthest_from_the_latency_is_named():
    with pytest.raises(LatencyMissed, match=r"first token of 60 ms is out of reach: Llama 3\.1 8B") as missed:
        capacity(ONE, MANY, FIT, max_time_to_first_token_s=0.06)
    with pytest.raises(LatencyMissed) as alone:
        capacity(ONE, TokenShape(3000.0, 400.0, 100.0), FIT, max_time_to_first_token_s=0.06)
    assert str(missed.value) == str(alone.value)


# --- replicas -------------------------------------------------------------------------------------------------------------


def test_replicas_step_up_with_volume():
    peaks = np.array([0.1, 6.9, 7.0, 7.1, 14.0, 14.1, 700.0])
    assert replicas(peaks, 10.0, 0.7).tolist() == [1, 1, 1, 2, 2, 3, 100]
    assert replicas(0.1, 10.0, 0.7, minimum=3) == 3
    assert replicas(0.1, 10.0, 0.7, minimum=0) == 1


def test_replicas_that_are_just_enough_are_so_however_floats_are_rounded():
    # 2.1 ÷ 0.7 is 3.0000000000000004 in floats
    assert replicas(2.1, 1.0, 0.7) == 3
    assert replicas(2.1001, 1.0, 0.7) == 4


@pytest.mark.parametrize(
    ("said", "call"),
    [
        ("no requests to serve", lambda: replicas(0, 10)),
        ("needs a capacity", lambda: replicas(1, 0)),
        ("Take more or larger GPUs", lambda: capacity(Deployment(LLAMA_70B, H100), CHAT, FIT)),
        ("out of reach: Llama 3.1 8B on 1", lambda: capacity(ONE, CHAT, FIT, max_time_per_output_token_s=0.001)),
        ("A time to first token of 1 ms", lambda: capacity(ONE, CHAT, FIT, max_time_to_first_token_s=0.001)),
        ("beyond the context of Llama 3.1 8B", lambda: capacity(ONE, TokenShape(200_000, 10), FIT)),
        ("Did you mean vllm", lambda: capacity(replace(ONE, engine="vlm"), CHAT, FIT)),
        (
            "LLaMA 30B has 52 attention heads and 52 for keys and values, which 8 GPUs cannot share alike. Take 1 or 2 or 4",
            lambda: capacity(Deployment(LLAMA_30B, H100, 8), CHAT, FIT),
        ),
        (
            "Phi-4 has 40 attention heads and 10 for keys and values, which 4 GPUs cannot share alike. Take 1 or 2",
            lambda: capacity(Deployment(PHI_4, H100, 4), CHAT, FIT),
        ),
        (
            "in fp16 with 4,000 adapters takes 352 GB.*Take more or larger GPUs, fewer adapters, or smaller weights",
            lambda: capacity(replace(ONE, adapters=4000), CHAT, FIT),
        ),
        ("The rank of the adapters is 0", lambda: capacity(replace(ONE, adapters=2, adapter_rank=0), CHAT, FIT)),
        ("caches no more", lambda: capacity(ONE, TokenShape(10, 10, 20), FIT)),
        ("needs input and output tokens", lambda: capacity(ONE, TokenShape(10, 0), FIT)),
        (
            "memory bandwidth of",
            lambda: capacity(Deployment(LLAMA_8B, UNMEASURED), CHAT, FIT),
        ),
    ],
)
def test_bad_input_is_told(said, call):
    with pytest.raises(ServingRefused, match=said):
        call()
