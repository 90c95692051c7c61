"""Parameters that follow from a model's shape are those its maker publishes."""

from __future__ import annotations

from datetime import date

import pytest

from calc.hardware.architecture import (
    ALL_LINEAR,
    ATTENTION,
    UnknownShape,
    active_parameters,
    embedding_parameters,
    kv_bytes_per_token,
    lora_parameters,
    shape_of,
    total_parameters,
)
from pricing.book import PriceBook

RATES = PriceBook.bundled().as_of(date(2026, 11, 21))
SHAPED = [weights for weights, model in RATES.open_models.items() if model.layers]


def test_most_open_models_have_a_shape() -> None:
    assert len(SHAPED) >= 70


@pytest.mark.parametrize("weights", SHAPED)
def test_parameters_from_the_shape_are_the_published_ones(weights: str) -> None:
    model = RATES.open_model(weights)
    assert total_parameters(shape_of(model)) / 1e9 == pytest.approx(model.billion_parameters, rel=0.01)


@pytest.mark.parametrize("weights", [w for w in SHAPED if RATES.open_model(w).active_billion_parameters])
def test_active_parameters_are_the_published_ones(weights: str) -> None:
    """Makers round them, and some leave the embeddings out."""
    model = RATES.open_model(weights)
    shape = shape_of(model)
    published = model.active_billion_parameters
    assert published is not None
    assert (active_parameters(shape) - embedding_parameters(shape)) / 1e9 <= published * 1.04
    assert active_parameters(shape) / 1e9 >= published * 0.96


@pytest.mark.parametrize(
    ("weights", "rank", "targets", "published"),
    [
        ("meta/llama-2-7b", 8, ("q", "v"), 4_194_304),
        ("meta/llama-2-7b", 16, ALL_LINEAR, 39_976_960),
        ("meta/llama-3.1-8b", 16, ALL_LINEAR, 41_943_040),
        ("mistralai/mistral-7b", 16, ("q", "v"), 6_815_744),
        ("meta/llama-2-70b", 16, ATTENTION, 65_536_000),
        ("meta/llama-3.2-3b", 32, ("q", "v"), 9_175_040),
    ],
)
def test_trainable_parameters_of_adapters(weights: str, rank: int, targets: tuple[str, ...], published: int) -> None:
    assert lora_parameters(shape_of(RATES.open_model(weights)), rank, targets) == published  # type: ignore[arg-type]


def test_keys_and_values_of_a_token() -> None:
    """Llama 3 8B keeps 128 KiB a token in 16 bits; DeepSeek V3's compressed ones 68.6 KiB."""
    assert kv_bytes_per_token(shape_of(RATES.open_model("meta/llama-3-8b"))) == 128 * 1024
    assert kv_bytes_per_token(shape_of(RATES.open_model("deepseek-ai/deepseek-v3"))) == 61 * 576 * 2


def test_a_model_without_a_shape_is_said_to_have_none() -> None:
    with pytest.raises(UnknownShape, match=r"layers of Qwen3\.8 27B are not known.*config\.json"):
        shape_of(RATES.open_model("qwen/qwen3.8-27b"))
