"""How long tuning takes: operations by hand, order, published runs within the interval, bad input in plain words."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from calc.hardware import training_time as model
from calc.hardware.architecture import shape_of
from calc.hardware.training_time import TrainingRefused, TrainingRun, flops_per_token, tokens_per_second_per_gpu, wall_time
from calibration.training_time import published
from pricing import PriceBook, UnknownOffer

RATES = PriceBook.bundled().as_of(date(2026, 11, 21))
FIT = RATES.fit("training_time")
LLAMA_7B = shape_of(RATES.open_model("meta/llama-2-7b"))
LLAMA_8B = shape_of(RATES.open_model("meta/llama-3.1-8b"))
MIXTRAL = shape_of(RATES.open_model("mistralai/mixtral-8x7b"))
H100, A100 = RATES.gpu("h100"), RATES.gpu("a100-80gb")
FULL = TrainingRun("full", attended_tokens=4096, tokens_per_gpu_step=8192, recompute=False)
MLPERF = [row for row in published() if row.id.startswith("mlperf_lora")]


# Llama 2 7B: a layer has 4·4096² + 3·4096·11008 = 202,375,168 weights; 32 of them and 32,000·4096 of the output are multiplied
LLAMA_7B_MATRICES = 32 * (4 * 4096**2 + 3 * 4096 * 11008) + 32_000 * 4096
# Mixtral: 2·4096·128·(32 + 8) of attention, the router, two of eight experts of 3·4096·14336
MIXTRAL_MATRICES = 32 * (2 * 4096 * 128 * 40 + 4096 * 8 + 2 * 3 * 4096 * 14336) + 32_000 * 4096


@pytest.mark.parametrize(
    ("shape", "run", "expected"),
    [
        (LLAMA_7B, FULL, 6 * LLAMA_7B_MATRICES + 6 * 32 * 4096 * 4096),
        (LLAMA_7B, replace(FULL, recompute=True), 8 * LLAMA_7B_MATRICES + 8 * 32 * 4096 * 4096),
        (LLAMA_7B, replace(FULL, technique="lora"), 4 * LLAMA_7B_MATRICES + 6 * 32 * 4096 * 4096),
        (LLAMA_7B, replace(FULL, technique="qlora", attended_tokens=512), 4 * LLAMA_7B_MATRICES + 6 * 32 * 4096 * 512),
        (LLAMA_7B, replace(FULL, technique="lora", method="dpo"), 6 * LLAMA_7B_MATRICES + 8 * 32 * 4096 * 4096),
        (MIXTRAL, FULL, 6 * MIXTRAL_MATRICES + 6 * 32 * 4096 * 4096),
    ],
)
def test_operations_of_a_token(shape, run, expected):
    assert flops_per_token(shape, run) == pytest.approx(expected, rel=1e-12)


def test_a_token_of_llama_2_7b_takes_forty_billion_operations():
    assert LLAMA_7B_MATRICES == 6_607_077_376
    assert flops_per_token(LLAMA_7B, FULL) == pytest.approx(42.864e9, rel=1e-4)


def test_attention_within_a_window_stops_growing():
    gemma = shape_of(RATES.open_model("google/gemma-2-9b"))
    short, long = (model.attention_flops(gemma, tokens) for tokens in (8192, 16384))
    assert long < 2 * short


def test_arrays_give_what_numbers_give():
    lengths = np.array([512.0, 2048.0, 4096.0])
    together = tokens_per_second_per_gpu(LLAMA_7B, H100, replace(FULL, attended_tokens=lengths), FIT)
    alone = [tokens_per_second_per_gpu(LLAMA_7B, H100, replace(FULL, attended_tokens=float(n)), FIT) for n in lengths]
    assert together == pytest.approx(alone)


DENSE = [
    "meta/llama-3.2-1b",
    "meta/llama-3.2-3b",
    "meta/llama-3.1-8b",
    "qwen/qwen2.5-14b",
    "qwen/qwen2.5-32b",
    "meta/llama-3.1-70b",
]


@pytest.mark.parametrize("technique", ["full", "lora", "qlora"])
@pytest.mark.parametrize("gpu", ["a100-80gb", "h100", "b200", "l40s", "mi300x"])
def test_more_parameters_are_never_faster(technique, gpu):
    run = replace(FULL, technique=technique, attended_tokens=2048)
    speeds = [tokens_per_second_per_gpu(shape_of(RATES.open_model(name)), RATES.gpu(gpu), run, FIT) for name in DENSE]
    assert speeds == sorted(speeds, reverse=True)


@pytest.mark.parametrize("technique", ["full", "lora"])
def test_a_gpu_of_higher_peak_is_never_slower(technique):
    gpus = sorted((gpu for gpu in RATES.gpus.values() if gpu.bf16_dense_tflops), key=lambda gpu: gpu.bf16_dense_tflops)
    run = replace(FULL, technique=technique)
    speeds = {gpu.name: tokens_per_second_per_gpu(LLAMA_8B, gpu, run, FIT) for gpu in gpus}
    slower = [
        (slow.name, fast.name)
        for slow in gpus
        for fast in gpus
        if slow.name.split()[0] == fast.name.split()[0]  # programs reach less of AMD's peaks than of NVIDIA's
        and slow.bf16_dense_tflops < fast.bf16_dense_tflops
        and slow.memory_bandwidth_gb_per_s <= fast.memory_bandwidth_gb_per_s
        and speeds[slow.name] > speeds[fast.name]
    ]
    assert len(gpus) > 20
    assert slower == []


def test_more_tokens_take_longer_and_more_gpus_less():
    tokens = np.array([1e6, 1e7, 1e8])
    assert np.all(np.diff(wall_time(tokens, LLAMA_8B, H100, 1, FULL, FIT).hours) > 0)
    assert wall_time(1e8, LLAMA_8B, H100, 8, FULL, FIT).hours < wall_time(1e8, LLAMA_8B, H100, 4, FULL, FIT).hours


@pytest.mark.parametrize(
    "slower",
    [
        {"recompute": True},
        {"method": "dpo"},
        {"is_padded": True},
        {"framework": "transformers"},
        {"tokens_per_gpu_step": 512},
        {"attended_tokens": 8192, "beyond_context": True},
    ],
)
def test_what_costs_time(slower):
    run = replace(FULL, framework="torchtune")
    assert tokens_per_second_per_gpu(LLAMA_8B, H100, replace(run, **slower), FIT) < tokens_per_second_per_gpu(
        LLAMA_8B, H100, run, FIT
    )


def test_eight_bits_are_faster_where_the_gpu_has_them():
    assert tokens_per_second_per_gpu(LLAMA_8B, H100, replace(FULL, precision="fp8"), FIT) > tokens_per_second_per_gpu(
        LLAMA_8B, H100, FULL, FIT
    )


def test_unsloth_is_faster_than_what_it_was_measured_beside():
    padded = replace(FULL, technique="qlora", is_padded=True)
    assert tokens_per_second_per_gpu(LLAMA_7B, A100, replace(padded, framework="unsloth"), FIT) == pytest.approx(
        1.866 * tokens_per_second_per_gpu(LLAMA_7B, A100, padded, FIT), rel=1e-3
    )


def test_the_interval_is_wider_for_exceptions_and_for_more_coverage():
    hours = wall_time(1e8, LLAMA_8B, H100, 8, FULL, FIT)
    assert hours.low < hours.hours < hours.high
    assert model.interval_factor(FIT, "exception") > model.interval_factor(FIT, "usual")
    assert model.interval_factor(FIT, "usual") > model.interval_factor(FIT, "usual", 0.5)


@pytest.mark.parametrize(
    ("weights", "changed", "kind"),
    [
        ("meta/llama-3.1-8b", {}, "usual"),
        ("mistralai/mixtral-8x7b", {}, "usual"),
        ("mistralai/mixtral-8x7b", {"eager_experts": True}, "exception"),
        ("qwen/qwen3-30b-a3b", {}, "exception"),
        ("meta/llama-3.1-8b", {"is_padded": True}, "exception"),
        ("meta/llama-3.1-8b", {"attended_tokens": 65_536}, "exception"),
    ],
)
def test_runs_whose_speed_hangs_on_kernels_are_exceptions(weights, changed, kind):
    assert model.kind_of(shape_of(RATES.open_model(weights)), replace(FULL, **changed)) == kind


def minutes_predicted(row):
    """Minutes of an MLPerf run: its training tokens, and its evaluations as forward passes."""
    work = row.train_tokens + row.evaluation_tokens * model.evaluation_share(row.shape, row.run)
    return np.array([60 * hours for hours in wall_time(work, row.shape, row.gpu, row.gpus, row.run, FIT)])


def test_mlperf_runs_lie_within_the_interval():
    inside = [low <= row.minutes <= high for row in MLPERF for _, low, high in [minutes_predicted(row)]]
    errors = [abs(np.log(row.minutes / minutes_predicted(row)[0])) for row in MLPERF]
    assert len(MLPERF) == 37
    assert np.mean(inside) >= 0.9
    assert np.median(errors) <= 0.15


@pytest.mark.parametrize(
    ("said", "call"),
    [
        ("Did you mean h100", lambda: RATES.gpu("h1000")),
        ("Did you mean meta/llama-3.1-8b", lambda: RATES.open_model("meta/llama-3.1-8bb")),
    ],
)
def test_unknown_machines_and_models_name_near_ones(said, call):
    with pytest.raises(UnknownOffer, match=said):
        call()


@pytest.mark.parametrize(
    ("said", "shape", "gpu", "tokens", "gpus", "changed"),
    [
        ("no tokens to train on", LLAMA_8B, H100, 0, 1, {}),
        ("at least one GPU", LLAMA_8B, H100, 1e6, 0, {}),
        ("A step of a GPU needs tokens", LLAMA_8B, H100, 1e6, 1, {"tokens_per_gpu_step": 0}),
        ("beyond the context of Llama 2 7B, 4,096 tokens", LLAMA_7B, H100, 1e6, 1, {"attended_tokens": 8192}),
        ("no known peak in fp8; known: bf16, fp16", LLAMA_8B, A100, 1e6, 1, {"precision": "fp8"}),
        ("no known peak in bf16; known: fp16", LLAMA_8B, RATES.gpu("t4"), 1e6, 1, {}),
        ("Did you mean axolotl", LLAMA_8B, H100, 1e6, 1, {"framework": "axolotll"}),
    ],
)
def test_bad_input_is_told(said, shape, gpu, tokens, gpus, changed):
    with pytest.raises(TrainingRefused, match=said):
        wall_time(tokens, shape, gpu, gpus, replace(FULL, **changed), FIT)
