"""More of everything never costs less: a model with more of every count is not faster, a GPU with more of every rate not slower.

Counts are those that enter the formulas. Where makers, generations or kinds of models were measured to differ, pairs may be the
other way round: they are listed here, each with its reason, and one that is not listed fails.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from itertools import permutations
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calc.hardware import serving_throughput as serving
from calc.hardware import training_time as training
from calc.hardware.architecture import (
    Shape,
    active_parameters,
    embedding_parameters,
    kv_bytes_per_token,
    shape_of,
    total_parameters,
    why_not_split,
)
from calc.hardware.memory import TuningSetup, memory_need
from calc.hardware.plans import Demand, TuningTask, precision_of, serving_plans, tuning_plans
from calc.hardware.serving_throughput import Deployment, ServingRefused, TokenShape, capacity
from calc.hardware.training_time import TrainingRun, tokens_per_second_per_gpu
from pricing import PriceBook
from pricing.model import Gpu

RATES = PriceBook.bundled().as_of(date(2026, 11, 21))
TRAINING, SERVING, MEMORY = RATES.fit("training_time"), RATES.fit("serving"), RATES.fit("memory")
SHAPES = {
    weights: replace(shape_of(model), context_tokens=None)
    for weights, model in RATES.open_models.items()
    if model.layers is not None
}
GPUS = {gpu_id: gpu for gpu_id, gpu in RATES.gpus.items() if gpu.memory_bandwidth_gb_per_s and gpu.link_gb_per_s}
TECHNIQUES = ("full", "lora", "qlora")
ROUNDING = 1 + 1e-9


# --- counts ---------------------------------------------------------------------------------------------------------------


def counts(shape: Shape, gpus: int = 1) -> np.ndarray:
    """Parameters, operations, bytes and sums exchanged between GPUs that follow from a shape."""
    width = shape.heads * (shape.head + shape.rope_head / 2)
    unwindowed = (shape.layers - shape.windowed_layers) / shape.layers
    kept = kv_bytes_per_token(shape, gpus=gpus)
    return np.array([
        total_parameters(shape),
        active_parameters(shape),
        training.matrix_parameters(shape),
        embedding_parameters(shape),
        shape.vocabulary * shape.hidden,
        shape.layers * shape.hidden,
        shape.layers,
        shape.layers * width,
        unwindowed * shape.layers * width,
        kept,
        unwindowed * kept,
    ])  # fmt: skip


def no_more(small: np.ndarray, large: np.ndarray) -> bool:
    return bool(np.all(small <= large))


def kind(shape: Shape) -> tuple[Any, ...]:
    """Models of one kind differ in counts alone: the same width of experts, and the same share of layers with them."""
    return (min(shape.feed_forward, training.WIDE_EXPERT), shape.dense_layers > 0) if shape.experts else ("dense",)


COUNTS = {weights: counts(shape) for weights, shape in SHAPES.items()}
LARGER = [(small, large) for small, large in permutations(SHAPES, 2) if no_more(COUNTS[small], COUNTS[large])]
SERVED = [weights for weights in SHAPES if (RATES.open_model(weights).context_tokens or 1500) >= 1500]
LARGER_SERVED = [pair for pair in LARGER if set(pair) <= set(SERVED)]


def seconds_of_token(shape: Shape, gpu: Gpu, run: TrainingRun) -> float:
    return float(1 / tokens_per_second_per_gpu(shape, gpu, run, TRAINING))


def training_runs(gpu: Gpu) -> list[TrainingRun]:
    return [
        TrainingRun(technique, tokens, step, method=method, precision=precision_of(gpu))
        for technique in TECHNIQUES
        for method in ("sft", "dpo")
        for tokens, step in ((512, 2048), (4096, 16384), (32768, 32768))
    ]


DEPLOYED = [
    (tokens, gpus, weights, batch)
    for tokens in (TokenShape(200, 200), TokenShape(100, 1000), TokenShape(6000, 50))
    for gpus in (1, 8)
    for weights in ("fp16", "int4")
    for batch in (1, 16, 256)
]


def served(shape: Shape, gpu: Gpu, tokens: TokenShape, gpus: int, weights: Any, batch: int) -> float | None:
    """Requests a second; None where it does not fit."""
    try:
        return float(capacity(Deployment(shape, gpu, gpus, weights, max_batch=batch), tokens, SERVING).requests_per_second)
    except ServingRefused:
        return None


def reversed_of(pairs: list[tuple[str, str]], cost: Mapping[str, float | None]) -> set[tuple[str, str]]:
    """Pairs of which the second ought to cost no less and does, or fits where the first does not."""

    def wrong(small: str, large: str) -> bool:
        less, more = cost[small], cost[large]
        return more is not None and (less is None or less > more * ROUNDING)

    return {(small, large) for small, large in pairs if wrong(small, large)}


# --- larger models --------------------------------------------------------------------------------------------------------

CHEAPER_THOUGH_LARGER_TO_TRAIN: dict[tuple[str, str], str] = {}
CHEAPER_THOUGH_LARGER_TO_SERVE = {
    (
        "meta/llama-4-scout",
        "meta/llama-4-maverick",
    ): "half of Maverick's layers have no experts: a batch reads fewer, and such layers keep a GPU busier"
}


def test_there_are_pairs_to_compare():
    assert len(LARGER) > 1000
    assert sum(kind(SHAPES[small]) == kind(SHAPES[large]) for small, large in LARGER) > 1000
    assert sum(SHAPES[small].experts > 0 for small, _ in LARGER) > 20


def test_a_larger_model_never_trains_faster():
    found = set[tuple[str, str]]()
    for gpu in RATES.gpus.values():
        for run in training_runs(gpu):
            found |= reversed_of(LARGER, {weights: seconds_of_token(shape, gpu, run) for weights, shape in SHAPES.items()})
    assert found == set(CHEAPER_THOUGH_LARGER_TO_TRAIN)


def test_a_larger_model_is_never_served_faster():
    found = set[tuple[str, str]]()
    for gpu_id in ("h100", "mi300x", "l40s"):
        for tokens, gpus, weights, batch in DEPLOYED:
            pairs = [
                (small, large)
                for small, large in LARGER
                if no_more(counts(SHAPES[small], gpus), counts(SHAPES[large], gpus)) and not why_not_split(SHAPES[small], gpus)
            ]
            rates = {name: served(shape, GPUS[gpu_id], tokens, gpus, weights, batch) for name, shape in SHAPES.items()}
            found |= reversed_of(pairs, {name: rate and 1 / rate for name, rate in rates.items()})
    assert found == set(CHEAPER_THOUGH_LARGER_TO_SERVE)
    assert not [pair for pair in found if kind(SHAPES[pair[0]]) == kind(SHAPES[pair[1]])]


@pytest.mark.parametrize("technique", TECHNIQUES)
def test_a_larger_model_is_never_cheaper_to_train_on_the_cheapest_rent(technique):
    task = TuningTask(9e6, technique, sequence_tokens=1024)
    plans = {weights: tuning_plans(RATES, RATES.open_model(weights), task).cheapest for weights in SHAPES}
    cost = {weights: plan and plan.usd for weights, plan in plans.items()}
    assert sum(usd is not None for usd in cost.values()) > 60
    assert reversed_of(LARGER, cost) == set()


def test_a_larger_model_is_never_cheaper_to_serve_on_the_cheapest_rent():
    tokens, demand = TokenShape(1200, 300), Demand(5e6)
    plans = {weights: serving_plans(RATES, RATES.open_model(weights), tokens, demand).cheapest for weights in SERVED}
    assert reversed_of(LARGER_SERVED, {weights: plan and plan.usd_per_month for weights, plan in plans.items()}) == set()


# --- faster GPUs ----------------------------------------------------------------------------------------------------------

AMD_TRAINS_SLOWER = "programs were measured to reach four fifths on AMD's GPUs of what they reach on NVIDIA's"
SLOWER_THOUGH_FASTER_TO_TRAIN = dict.fromkeys(
    [
        ("b200", "mi350x"),
        ("b200", "mi355x"),
        ("b300", "mi350x"),
        ("b300", "mi355x"),
        ("gb200", "mi355x"),
        ("gb300", "mi355x"),
    ],
    AMD_TRAINS_SLOWER,
)
NO_ROW_OF_AMD = (
    "Blackwell was measured to reach less of its peaks than Hopper; of AMD's GPUs no row is published, they count as Hopper"
)
SLOWER_THOUGH_FASTER_TO_SERVE = dict.fromkeys(
    [("mi300x", "b300"), ("mi300x", "gb300"), ("mi325x", "b300"), ("mi325x", "gb300")], NO_ROW_OF_AMD
)


def faster_to_train(precision: Any) -> list[tuple[str, str]]:
    """Pairs of GPUs of which the second has no less of peak, bandwidth and memory."""
    sheet = {}
    for gpu_id, gpu in GPUS.items():
        try:
            peaks = [training.peak_flops(gpu, name) for name in {precision, "fp16" if precision == "fp16" else "bf16"}]
        except training.TrainingRefused:
            continue
        sheet[gpu_id] = np.array([min(peaks), max(peaks), gpu.memory_bandwidth_gb_per_s, serving.usable_bytes(gpu, 1)])
    return [(slow, fast) for slow, fast in permutations(sheet, 2) if no_more(sheet[slow], sheet[fast])]


def faster_to_serve(weights: Any, own_format: bool) -> list[tuple[str, str]]:
    """As `faster_to_train`, of GPUs that multiply the weights as they are, or of those that widen them, and with their links."""
    names = {"fp8": "fp8_dense_tflops", "int8": "int8_dense_tops", "fp4": "fp4_dense_tflops"}
    sheet = {
        gpu_id: np.array([
            serving._matrix_peak(Deployment(SHAPES["meta/llama-3.1-8b"], gpu, weights=weights)),
            gpu.bf16_dense_tflops or gpu.fp16_dense_tflops,
            gpu.memory_bandwidth_gb_per_s,
            serving.usable_bytes(gpu, 1),
            gpu.link_gb_per_s,
        ])
        for gpu_id, gpu in GPUS.items()
        if (weights in names and getattr(gpu, names[weights]) is not None) == own_format
    }  # fmt: skip
    return [(slow, fast) for slow, fast in permutations(sheet, 2) if no_more(sheet[slow], sheet[fast])]


def test_a_faster_gpu_never_trains_slower():
    found = set[tuple[str, str]]()
    for precision in ("bf16", "fp16", "fp8"):
        pairs = faster_to_train(precision)
        assert len(pairs) > 50
        for weights in ("meta/llama-3.2-1b", "meta/llama-3.1-70b", "qwen/qwen3-30b-a3b", "deepseek-ai/deepseek-v3"):
            for run in training_runs(RATES.gpu("h100")):
                asked = replace(run, precision=precision)
                gpus = {gpu_id for pair in pairs for gpu_id in pair}
                turned = [(fast, slow) for slow, fast in pairs]  # the faster is the one that costs less
                found |= reversed_of(turned, {gpu: seconds_of_token(SHAPES[weights], GPUS[gpu], asked) for gpu in gpus})
    assert {(slow, fast) for fast, slow in found} == set(SLOWER_THOUGH_FASTER_TO_TRAIN)
    assert not [pair for pair in found if len({training.gpu_class(GPUS[gpu]) for gpu in pair}) == 1]


def test_a_faster_gpu_never_serves_slower():
    found = set[tuple[str, str]]()
    for weights, own_format in (("fp16", False), ("int4", False), ("fp8", True), ("fp8", False), ("int8", True), ("fp4", True)):
        pairs = faster_to_serve(weights, own_format)
        gpus = {gpu_id for pair in pairs for gpu_id in pair}
        for shape in (SHAPES[name] for name in ("meta/llama-3.2-1b", "meta/llama-3.1-70b", "mistralai/mixtral-8x7b")):
            for tokens, count, _, batch in DEPLOYED:
                rates = {gpu: served(shape, GPUS[gpu], tokens, count, weights, batch) for gpu in gpus}
                turned = [(fast, slow) for slow, fast in pairs]  # the faster is the one that costs less
                found |= reversed_of(turned, {gpu: rate and 1 / rate for gpu, rate in rates.items()})
    assert {(slow, fast) for fast, slow in found} == set(SLOWER_THOUGH_FASTER_TO_SERVE)
    assert not [pair for pair in found if len({training.gpu_class(GPUS[gpu]) for gpu in pair}) == 1]


# --- models that are not in the book --------------------------------------------------------------------------------------


def scaled(shape: Shape, what: str, times: int) -> Shape:
    """A shape with so many times the layers, the width, the vocabulary, or the experts, or their width."""
    names = {
        "layers": ("layers", "dense_layers", "windowed_layers"),
        "hidden": ("hidden",),
        "vocabulary": ("vocabulary",),
        "feed_forward": ("feed_forward", "dense_feed_forward"),
        "experts": ("experts",),
        "experts_per_token": ("experts", "experts_per_token"),
        "heads": ("heads", "kv_heads"),
    }
    larger = replace(shape, **{name: times * getattr(shape, name) for name in names[what]})
    return replace(larger, dense_layers=larger.layers) if not shape.experts else larger


GROWN = st.sampled_from(["layers", "hidden", "vocabulary", "feed_forward", "experts", "experts_per_token", "heads"])


@given(
    weights=st.sampled_from(sorted(SHAPES)),
    what=GROWN,
    times=st.integers(2, 6),
    gpu=st.sampled_from(sorted(GPUS)),
    technique=st.sampled_from(TECHNIQUES),
    tokens=st.sampled_from([128, 2048, 32768]),
)
def test_a_shape_grown_in_any_direction_never_trains_faster_nor_in_less_memory(weights, what, times, gpu, technique, tokens):
    small, large = SHAPES[weights], scaled(SHAPES[weights], what, times)
    run = TrainingRun(technique, tokens, 16 * tokens, precision=precision_of(GPUS[gpu]))
    assert seconds_of_token(large, GPUS[gpu], run) * ROUNDING >= seconds_of_token(small, GPUS[gpu], run)
    less, more = (
        memory_need(shape, TuningSetup(technique=technique, sequence_tokens=tokens), MEMORY) for shape in (small, large)
    )
    assert more.needed_gib * ROUNDING >= less.needed_gib


@given(
    weights=st.sampled_from(sorted(SHAPES)),
    what=GROWN,
    times=st.integers(2, 6),
    gpu=st.sampled_from(sorted(GPUS)),
    asked=st.sampled_from(DEPLOYED),
    slowest=st.sampled_from([None, 0.05, 0.5]),
)
def test_a_shape_grown_in_any_direction_is_never_served_faster(weights, what, times, gpu, asked, slowest):
    tokens, gpus, precision, batch = asked
    rates = []
    for shape in (SHAPES[weights], scaled(SHAPES[weights], what, times)):
        try:
            deployment = Deployment(shape, GPUS[gpu], gpus, precision, max_batch=batch)
            rates.append(capacity(deployment, tokens, SERVING, None, slowest).requests_per_second)
        except serving.NotSplit:
            return
        except ServingRefused:
            rates.append(0.0)
    assert rates[1] <= rates[0] * ROUNDING


@pytest.mark.parametrize("width", [256, 1024, 4096, 16384])
def test_narrow_experts_are_slower_for_their_operations_but_never_than_all_experts_at_once(width):
    narrow = replace(SHAPES["qwen/qwen3-30b-a3b"], feed_forward=width)
    exponent = TRAINING.value("narrow_experts")
    slower = training.expert_slowness(narrow, exponent)
    assert 0 <= exponent < 1
    assert slower == pytest.approx(min((4096 / min(width, 4096)) ** exponent, 128 / 8))
    assert 1 <= slower <= 16
    assert training.expert_slowness(SHAPES["meta/llama-3.1-8b"], exponent) == 1


def test_as_many_operations_in_narrow_experts_take_longer_by_hand():
    """Granite 3.0 3B A800M: 8 of 40 experts, 512 wide, so at most 5 times as long for the experts' share of its operations."""
    shape, gpu = SHAPES["ibm-granite/granite-3.0-3b-a800m"], RATES.gpu("h100")
    run = TrainingRun("full", 2048, 8192, recompute=False, framework="torchtune")
    of_experts = 6 * 32 * 8 * 3 * 1536 * 512
    others = float(training.flops_per_token(shape, run)) - of_experts
    slower = min(8 ** TRAINING.value("narrow_experts"), 5)
    reached = 989e12 * np.exp(TRAINING.value("ln_efficiency"))
    assert seconds_of_token(shape, gpu, run) == pytest.approx((others + slower * of_experts) / reached)


def test_the_exponents_keep_wider_experts_from_being_faster():
    for fit in (TRAINING, SERVING):
        assert 0 <= fit.value("narrow_experts") < 1
