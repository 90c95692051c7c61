"""Memory of own GPUs: as measured, growing where it must, and refused in words."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calc.hardware.architecture import Shape, shape_of
from calc.hardware.memory import (
    CONTEXT_GIB,
    MemoryNeed,
    MemoryRefused,
    TuningSetup,
    fewest_gpus,
    fewest_of,
    fits,
    interval_factor,
    memory_need,
    memory_phases,
    sharded_needs,
    usable_gib,
)
from pricing.book import PriceBook
from pricing.errors import UnknownOffer

RATES = PriceBook.bundled().as_of(date(2026, 11, 21))
FIT = RATES.fit("memory")
SHAPED = sorted(weights for weights, model in RATES.open_models.items() if model.layers)
A100 = RATES.gpu("a100-80gb")


def shape(weights: str) -> Shape:
    return shape_of(RATES.open_model(weights))


def need(weights: str, **setup: Any) -> MemoryNeed:
    return memory_need(shape(weights), TuningSetup(**setup), FIT)


# --- as published ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("micro_batch", [2, 4])
def test_mistral_7b_in_16_bits_takes_33_7_gib_on_each_of_two_gpus_as_measured(micro_batch: int) -> None:
    found = need(
        "mistralai/mistral-7b-v0.1",
        technique="full",
        sequence_tokens=4096,
        micro_batch=micro_batch,
        gpus=2,
        sharding="zero-3",
    )
    assert found.peak_gib == pytest.approx(33.738, rel=0.005)
    assert found.phase == "step"


@pytest.mark.parametrize("weights", ["meta/llama-7b", "meta/llama-2-7b", "mistralai/mistral-7b"])
def test_a_7b_model_fits_24_gb_with_qlora_and_not_in_full(weights: str) -> None:
    card = RATES.gpu("rtx-4090")
    assert fits(need(weights, technique="qlora", sequence_tokens=1024), card)
    assert not fits(need(weights, technique="full", sequence_tokens=1024), card)


def test_70b_in_full_takes_more_than_a_node_of_8_and_qlora_one_gpu() -> None:
    for master_weights in (False, True):
        full = TuningSetup(technique="full", master_weights=master_weights, sequence_tokens=4096)
        found = fewest_gpus(shape("meta/llama-3-70b"), full, A100, FIT)
        assert found.setup.gpus > 8
        assert f"On each of {found.setup.gpus // 2} GPUs it needs" in found.why_not_fewer
    assert fewest_gpus(shape("meta/llama-3-70b"), TuningSetup(technique="qlora"), A100, FIT).setup.gpus == 1


@pytest.mark.parametrize(
    ("weights", "gib", "setup"),
    [
        ("mistralai/mistral-7b-v0.1", 24.87, {"sequence_tokens": 4096, "micro_batch": 4, "targets": ("q", "k", "v", "o")}),
        (
            "qwen/qwen2.5-7b",
            10.00,
            {"technique": "qlora", "sequence_tokens": 1024, "targets": ("q", "k", "v", "o"), "optimizer": "paged-adamw-8bit"},
        ),
        (
            "mistralai/mixtral-8x7b",
            56.39,
            {"technique": "qlora", "sequence_tokens": 4096, "micro_batch": 8, "targets": ("q", "k", "v", "o")},
        ),
        ("bigcode/santacoder", 10.49, {"technique": "full", "sequence_tokens": 2048, "micro_batch": 4, "loss": "fused"}),
    ],
)
def test_measured_peaks(weights: str, gib: float, setup: dict[str, Any]) -> None:
    assert need(weights, **setup).peak_gib == pytest.approx(gib, rel=0.03)


def test_half_the_memory_of_a_small_model_with_a_large_vocabulary_is_logits() -> None:
    found = need("qwen/qwen2.5-1.5b", technique="qlora", sequence_tokens=4096)
    assert found.phase == "loss"
    assert found.logits > 0.5 * found.peak_gib
    chunked = need("qwen/qwen2.5-1.5b", technique="qlora", sequence_tokens=4096, loss="chunked")
    assert chunked.peak_gib < 0.5 * found.peak_gib


# --- by hand --------------------------------------------------------------------------------------------------------------


def test_full_tuning_in_32_bits_takes_20_bytes_a_parameter_at_the_step() -> None:
    found = need("meta/llama-3-8b", technique="full", master_weights=True, sequence_tokens=512)
    assert found.phase == "step"
    assert found.peak_gib * 2**30 == pytest.approx(20 * 8.03e9, rel=0.001)
    assert [found.weights, found.gradients, found.optimizer, found.overhead] == pytest.approx(
        [4 * 8.03e9 / 2**30, 4 * 8.03e9 / 2**30, 8 * 8.03e9 / 2**30, 4 * 8.03e9 / 2**30], rel=0.001
    )


def test_what_zero_splits_over_four_gpus() -> None:
    whole, states, gradients, weights = (
        need("meta/llama-3-8b", technique="full", sequence_tokens=512, gpus=4, sharding=sharding)
        for sharding in ("none", "zero-1", "zero-2", "zero-3")
    )
    assert states.optimizer == pytest.approx(whole.optimizer / 4)
    assert states.weights == whole.weights
    assert gradients.weights == whole.weights
    assert weights.weights == pytest.approx(whole.weights / 4)
    assert whole.peak_gib > states.peak_gib > gradients.peak_gib > weights.peak_gib


def test_sequences_split_over_gpus_take_their_share() -> None:
    """Eight GPUs that share sequences of 131,072 tokens hold as many each as one with 16,384."""
    setup = {"technique": "full", "gpus": 8, "sharding": "fsdp2"}
    shared = need("meta/llama-3.1-8b", sequence_tokens=131_072, context_parallel=8, **setup)
    assert shared.peak_gib == pytest.approx(need("meta/llama-3.1-8b", sequence_tokens=16_384, **setup).peak_gib)


def test_gradients_that_wait_for_the_step_are_there_while_the_loss_is_taken() -> None:
    setup = {"technique": "full", "sequence_tokens": 4096, "micro_batch": 8}
    once, summed = (need("meta/llama-3.2-3b", accumulates=accumulates, **setup) for accumulates in (False, True))
    assert once.phase == summed.phase == "loss"
    assert summed.peak_gib - once.peak_gib == pytest.approx(2 * 3.213e9 / 2**30, rel=0.001)


def test_meters() -> None:
    found = need("meta/llama-3-8b")
    assert sum(found.breakdown.values()) == pytest.approx(found.peak_gib)
    assert found.driver_gib == pytest.approx(found.peak_gib * FIT.value("reserved_factor") + CONTEXT_GIB)
    assert found.needed_gib == pytest.approx(found.reserved_gib * interval_factor(FIT, 0.9) + CONTEXT_GIB)
    assert need("meta/llama-3-8b", gpus=2, sharding="zero-3").reserved_factor > found.reserved_factor


def test_usable_memory_is_what_the_driver_reports() -> None:
    assert usable_gib(A100) == 79.1
    assert usable_gib(RATES.gpu("b300")) == pytest.approx(288e9 / 2**30)


def test_sizes_may_be_arrays() -> None:
    tokens = np.array([[512], [2048], [8192]])
    gpus = np.array([1, 2, 4])
    setup = TuningSetup(technique="full", sequence_tokens=tokens, gpus=gpus, sharding="zero-3")
    found = memory_need(shape("meta/llama-3-8b"), setup, FIT)
    assert found.peak_gib.shape == found.phase.shape == (3, 3)
    for i, j in np.ndindex(3, 3):
        one = replace(setup, sequence_tokens=int(tokens[i, 0]), gpus=int(gpus[j]))
        alone = memory_need(shape("meta/llama-3-8b"), one, FIT)
        assert found.peak_gib[i, j] == pytest.approx(alone.peak_gib)
        assert found.phase[i, j] == alone.phase
    assert fits(found, A100).shape == (3, 3)


# --- what must hold of all models -----------------------------------------------------------------------------------------

SETUPS = st.builds(
    TuningSetup,
    technique=st.sampled_from(["full", "lora", "qlora"]),
    sequence_tokens=st.integers(1, 1000),
    micro_batch=st.integers(1, 32),
    gpus=st.sampled_from([1, 2, 8, 64]),
    sharding=st.sampled_from(["none", "zero-1", "zero-2", "zero-3", "fsdp2"]),
    recompute=st.sampled_from(["none", "selective", "full", "offloaded"]),
    attention=st.sampled_from(["flash", "eager"]),
    loss=st.sampled_from(["standard", "fused", "chunked"]),
    master_weights=st.booleans(),
    optimizer=st.sampled_from(["adamw", "adamw-8bit"]),
    quantisation=st.sampled_from(["nf4", "nf4-double", "gptq", "int8"]),
    upcast=st.booleans(),
    rank=st.integers(1, 256),
    accumulates=st.booleans(),
)


@given(weights=st.sampled_from(SHAPED), setup=SETUPS)
def test_more_tokens_sequences_or_rank_never_need_less_and_more_gpus_never_more(weights: str, setup: TuningSetup) -> None:
    base = memory_need(shape(weights), setup, FIT)
    assert 0 < base.peak_gib < base.driver_gib < base.needed_gib
    assert all(part >= 0 for part in base.breakdown.values())
    for name in ("sequence_tokens", "micro_batch", "rank"):
        more = memory_need(shape(weights), replace(setup, **{name: 2 * getattr(setup, name)}), FIT)
        assert more.peak_gib >= base.peak_gib * (1 - 1e-12)
    spread = memory_need(shape(weights), replace(setup, gpus=2 * setup.gpus), FIT)
    assert spread.peak_gib <= base.peak_gib * (1 + 1e-12)


@given(
    family=st.sampled_from(
        [
            (
                "qwen/qwen2.5-0.5b",
                "qwen/qwen2.5-1.5b",
                "qwen/qwen2.5-3b",
                "qwen/qwen2.5-7b",
                "qwen/qwen2.5-14b",
                "qwen/qwen2.5-32b",
            ),
            ("meta/llama-3.2-1b", "meta/llama-3.2-3b", "meta/llama-3.1-8b", "meta/llama-3.1-70b", "meta/llama-3.1-405b"),
            ("google/gemma-2-2b", "google/gemma-2-9b", "google/gemma-2-27b"),
        ]
    ),
    setup=SETUPS,
)
def test_a_larger_model_of_a_family_never_needs_less(family: tuple[str, ...], setup: TuningSetup) -> None:
    # eager attention keeps the scores of every head, and a larger model may have fewer: Llama 3.2 1B has 32, the 3B 24
    setup = replace(setup, attention="flash")
    peaks = [memory_need(shape(weights), setup, FIT).peak_gib for weights in family]
    assert peaks == sorted(peaks)


@given(weights=st.sampled_from(SHAPED), setup=SETUPS)
def test_recomputing_and_offloading_never_need_more(weights: str, setup: TuningSetup) -> None:
    peaks = [
        memory_need(shape(weights), replace(setup, recompute=recompute), FIT).peak_gib
        for recompute in ("none", "selective", "full", "offloaded")
    ]
    assert peaks == sorted(peaks, reverse=True)


# --- refused in words -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("setup", "says"),
    [
        ({"sequence_tokens": 8192}, r"Sequences of 8,192 tokens are longer than the 4,096 that Llama 2 7B takes\. Shorten them"),
        ({"sequence_tokens": 0}, "sequence_tokens is 0; it must be 1 or more"),
        ({"micro_batch": -1}, "micro_batch is -1; it must be 1 or more"),
        ({"gpus": 0}, "gpus is 0; it must be 1 or more"),
        ({"gpus": float("nan")}, "gpus is nan; it must be 1 or more"),
        ({"rank": 0}, "rank of the adapters is 0; it must be 1 or more"),
        ({"targets": ()}, "sit on no matrix of the model. Name targets among q, k, v"),
        ({"gpus": 2, "tensor_parallel": 4}, "2 GPUs cannot be split into tensor, pipeline and context parallel sets of 4"),
        ({"gpus": 6, "tensor_parallel": 2, "context_parallel": 2}, "6 GPUs cannot be split into .* sets of 4"),
        ({"gpus": 3, "tensor_parallel": 3}, "Llama 2 7B has 32 attention heads and 32 for keys and values, which 3 GPUs cannot"),
        ({"tensor_parallel": 0}, "tensor_parallel is 0; it must be 1 or more"),
    ],
)
def test_what_cannot_be_is_said_plainly(setup: dict[str, Any], says: str) -> None:
    with pytest.raises(MemoryRefused, match=says):
        need("meta/llama-2-7b", **setup)


def test_a_model_that_fits_nowhere_says_why_and_what_to_do() -> None:
    with pytest.raises(MemoryRefused, match=r"Llama 3\.1 405B does not fit on any.*T4 has 15.*Quantise the base model"):
        fewest_gpus(shape("meta/llama-3.1-405b"), TuningSetup(), RATES.gpu("t4"), FIT, counts=(1, 2, 4, 8))


def test_no_number_of_gpus_is_no_answer() -> None:
    with pytest.raises(MemoryRefused, match="No number of GPUs was tried"):
        fewest_gpus(shape("meta/llama-3.2-1b"), TuningSetup(), A100, FIT, counts=())


def test_needs_are_the_same_for_every_gpu_and_the_answer_is_not() -> None:
    needs = sharded_needs(shape("meta/llama-3.1-8b"), TuningSetup(technique="full"), FIT)
    gpus = [fewest_of(shape("meta/llama-3.1-8b"), needs, RATES.gpu(gpu)).setup.gpus for gpu in ("h200", "a100-80gb", "a100-40gb")]
    assert gpus == sorted(gpus)
    assert gpus[0] == 1 < gpus[-1]


def test_a_frozen_base_in_32_bits_takes_three_times_as_much() -> None:
    """Its 16-bit copies wait for the backward pass too."""
    narrow, wide = (need("meta/llama-2-7b", master_weights=master, sequence_tokens=512) for master in (False, True))
    assert wide.weights - narrow.weights == pytest.approx(4 * 6.738e9 / 2**30, rel=0.001)


def test_one_gpu_that_does_needs_no_reason() -> None:
    assert fewest_gpus(shape("meta/llama-3.2-1b"), TuningSetup(), A100, FIT).why_not_fewer == ""


def test_an_unknown_gpu_names_near_matches() -> None:
    with pytest.raises(UnknownOffer, match="a100-80gb"):
        RATES.gpu("a100-80g")
    with pytest.raises(UnknownOffer, match=r"meta/llama-3\.1-8b"):
        RATES.open_model("meta/lama-3.1-8b")


@pytest.mark.parametrize("technique", ["full", "lora", "qlora"])
def test_the_need_is_the_largest_phase(technique: Any) -> None:
    setup = TuningSetup(technique=technique)
    phases = memory_phases(shape("meta/llama-3.1-8b"), setup, FIT)
    found = memory_need(shape("meta/llama-3.1-8b"), setup, FIT)
    assert phases[found.phase] == found.breakdown
    assert max(sum(parts.values()) for parts in phases.values()) == found.peak_gib


def test_phases_of_a_setup_that_cannot_be_are_refused() -> None:
    with pytest.raises(MemoryRefused, match="longer than"):
        memory_phases(shape("meta/llama-3.1-8b"), TuningSetup(sequence_tokens=10**7), FIT)
