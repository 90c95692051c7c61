"""What own GPUs serve: bytes by hand, order, limits of memory and latency, replicas by steps, bad input in plain words."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from calc.hardware import serving_throughput as model
from calc.hardware.architecture import expert_parameters, shape_of
from calc.hardware.serving_throughput import Deployment, ServingRefused, TokenShape, capacity, paid_hours_per_month, replicas
from pricing import PriceBook

RATES = PriceBook.bundled().as_of(date(2026, 11, 21))
FIT = RATES.fit("serving")
LLAMA_8B = shape_of(RATES.open_model("meta/llama-3.1-8b"))
LLAMA_70B = shape_of(RATES.open_model("meta/llama-3.1-70b"))
MIXTRAL = shape_of(RATES.open_model("mistralai/mixtral-8x7b"))
H100, A100, L4 = RATES.gpu("h100"), RATES.gpu("a100-80gb"), RATES.gpu("l4")
ONE = Deployment(LLAMA_8B, H100)
CHAT = TokenShape(1000, 250)
UNMEASURED = H100.model_copy(update={"memory_bandwidth_gb_per_s": None})


def test_a_token_of_llama_8b_keeps_128_kib():
    # 2 · 32 layers · 8 heads · 128 numbers · 2 bytes
    assert model.kv_bytes_per_request(ONE, TokenShape(1000, 2)) == 1001 * 131_072
    assert model.kv_bytes_per_request(replace(ONE, kv_bytes_per_number=1.0), TokenShape(1000, 2)) == 1001 * 65_536


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


@pytest.mark.parametrize("weights", ["meta/llama-3.2-1b", "meta/llama-3.1-8b", "qwen/qwen3-30b-a3b"])
@pytest.mark.parametrize("batch", [1, 256])
def test_a_gpu_better_in_everything_serves_no_less(weights, batch):
    shape = shape_of(RATES.open_model(weights))
    served = {
        name: capacity(Deployment(shape, gpu, gpus=8, max_batch=batch), CHAT, FIT).requests_per_second
        for name, gpu in KNOWN.items()
    }
    assert len(PAIRS) > 100
    assert [(slow, fast) for slow, fast in PAIRS if served[slow] > served[fast] * (1 + 1e-9)] == []


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


# --- replicas -------------------------------------------------------------------------------------------------------------


def test_replicas_step_up_with_volume():
    peaks = np.array([0.1, 6.9, 7.0, 7.1, 14.0, 14.1, 700.0])
    assert replicas(peaks, 10.0, 0.7).tolist() == [1, 1, 1, 2, 2, 3, 100]
    assert replicas(0.1, 10.0, 0.7, minimum=3) == 3
    assert replicas(0.1, 10.0, 0.7, minimum=0) == 1


def test_hours_that_are_paid():
    assert paid_hours_per_month(24, 30) == 720
    assert paid_hours_per_month(8, 22) == 176
    # 176 requests in 176 hours, on for a quarter of an hour after each: 1 − e^(−¼)
    assert paid_hours_per_month(8, 22, 176, 0.25) == pytest.approx(176 * 0.2212, rel=1e-3)
    assert paid_hours_per_month(8, 22, 1e6, 0.25) == pytest.approx(176)


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
