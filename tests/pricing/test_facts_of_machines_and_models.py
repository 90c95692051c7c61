"""Shapes of open models and peaks of GPUs: whole or not at all, by precision, and as users see them."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from pydantic import ValidationError

from pricing.book import PriceBook
from pricing.model import OpenModel

RATES = PriceBook.bundled().as_of(date(2026, 11, 21))
DENSE = {
    "name": "Dense",
    "billion_parameters": 8,
    "layers": 32,
    "hidden_size": 4096,
    "feed_forward_size": 14336,
    "attention_heads": 32,
    "kv_heads": 8,
    "head_size": 128,
    "vocabulary": 128256,
    "source": "https://example.org/config.json",
    "source_date": date(2026, 1, 1),
    "recorded": date(2026, 1, 1),
    "confidence": "primary",
}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"vocabulary": None, "head_size": None}, "the shape is stated in part: head_size, vocabulary missing"),
        ({"experts": 8}, "experts and experts_per_token belong together"),
        ({"experts": 8, "experts_per_token": 9}, "experts_per_token 9 of 8 experts"),
        ({"dense_layers": 3}, "dense_layers needs experts and dense_feed_forward_size"),
        ({"windowed_layers": 16}, "windowed_layers needs window_tokens"),
        ({"windowed_layers": 33, "window_tokens": 128}, "windowed_layers 33 of 32 layers"),
        ({"kv_heads": 5}, "attention_heads 32 is no multiple of kv_heads 5"),
    ],
)
def test_a_shape_is_whole_and_agrees_with_itself(change: dict[str, Any], says: str) -> None:
    OpenModel.model_validate(DENSE)
    with pytest.raises(ValidationError, match=says):
        OpenModel.model_validate(DENSE | change)


@pytest.mark.parametrize(("gpu", "power_w"), [("h100", 700), ("h100-pcie", 350), ("v100", 300), ("v100-pcie", 250)])
def test_boards_draw_the_power_of_their_own_data_sheet(gpu: str, power_w: float) -> None:
    assert RATES.gpu(gpu).power_w == power_w


def test_a_disputed_power_is_an_estimate() -> None:
    assert RATES.gpu("b300").confidence == "estimate"


@pytest.mark.parametrize(
    ("gpu", "bf16", "fp8", "fp16", "int8", "fp4"),
    [
        ("h100", 989, 1979, 989, 1979, None),
        ("a100-80gb", 312, None, 312, 624, None),
        ("t4", None, None, 65, 130, None),
        ("v100", None, None, 125, None, None),
        ("a10g", 70, None, 70, 140, None),
        ("rtx-3090", 71, None, 71, 284, None),
        ("rtx-4090", 165.2, 330.3, 165.2, 660.6, None),
        ("rtx-5090", 209.5, 419, 209.5, 838, 1676),
        ("b200", 2250, 4500, 2250, 4500, 9000),
    ],
)
def test_peaks_by_precision(gpu: str, bf16: float, fp8: float, fp16: float, int8: float, fp4: float) -> None:
    facts = RATES.gpu(gpu)
    found = (
        facts.bf16_dense_tflops,
        facts.fp8_dense_tflops,
        facts.fp16_dense_tflops,
        facts.int8_dense_tops,
        facts.fp4_dense_tflops,
    )
    assert found == (bf16, fp8, fp16, int8, fp4)


def test_narrower_numbers_are_never_slower() -> None:
    for gpu, facts in RATES.gpus.items():
        peaks = [peak for peak in (facts.bf16_dense_tflops, facts.fp8_dense_tflops, facts.fp4_dense_tflops) if peak]
        assert peaks == sorted(peaks), gpu


def test_programs_see_nearly_all_of_the_memory() -> None:
    seen = {gpu: facts.driver_memory_gib / facts.memory_gb for gpu, facts in RATES.gpus.items() if facts.driver_memory_gib}
    assert len(seen) >= 25
    assert {gpu: share for gpu, share in seen.items() if not 0.9 < share <= 1.0} == {}


def test_most_gpus_have_every_rate() -> None:
    known = [
        gpu
        for gpu, facts in RATES.gpus.items()
        if facts.memory_bandwidth_gb_per_s and facts.fp16_dense_tflops and facts.power_w and facts.driver_memory_gib
    ]
    assert len(known) >= 25
