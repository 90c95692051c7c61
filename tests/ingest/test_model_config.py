"""A model's config.json becomes the shape of it; what cannot be read is said plainly."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from ingest.errors import InputError
from ingest.model_config import model_from_config, read_model_config
from pricing.book import PriceBook

DAY = date(2026, 11, 21)
RATES = PriceBook.bundled().as_of(DAY)
LLAMA = {
    "model_type": "llama",
    "num_hidden_layers": 32,
    "hidden_size": 4096,
    "intermediate_size": 14336,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "vocab_size": 128256,
    "max_position_embeddings": 131072,
    "tie_word_embeddings": False,
}
SHAPE = (
    "layers",
    "hidden_size",
    "feed_forward_size",
    "feed_forward_matrices",
    "attention_heads",
    "kv_heads",
    "head_size",
    "vocabulary",
    "tied_embeddings",
    "experts",
    "experts_per_token",
    "shared_experts",
    "dense_layers",
    "query_rank",
    "kv_rank",
    "rope_head_size",
    "windowed_layers",
)


@pytest.mark.parametrize(
    ("weights", "config"),
    [
        ("meta/llama-3.1-8b", LLAMA),
        (
            "mistralai/mixtral-8x7b",
            LLAMA | {"model_type": "mixtral", "vocab_size": 32000, "num_local_experts": 8, "num_experts_per_tok": 2},
        ),
        (
            "tiiuae/falcon-7b",
            {
                "model_type": "falcon",
                "num_hidden_layers": 32,
                "hidden_size": 4544,
                "num_attention_heads": 71,
                "multi_query": True,
                "new_decoder_architecture": False,
                "vocab_size": 65024,
            },
        ),
        (
            "eleutherai/gpt-j-6b",
            {"model_type": "gptj", "n_layer": 28, "n_embd": 4096, "n_head": 16, "vocab_size": 50400, "n_inner": None}
            | {"tie_word_embeddings": False},
        ),
        (
            "deepseek-ai/deepseek-v3",
            {
                "model_type": "deepseek_v3",
                "num_hidden_layers": 61,
                "hidden_size": 7168,
                "intermediate_size": 18432,
                "moe_intermediate_size": 2048,
                "num_attention_heads": 128,
                "num_key_value_heads": 128,
                "vocab_size": 129280,
                "n_routed_experts": 256,
                "num_experts_per_tok": 8,
                "n_shared_experts": 1,
                "first_k_dense_replace": 3,
                "q_lora_rank": 1536,
                "kv_lora_rank": 512,
                "qk_rope_head_dim": 64,
                "qk_nope_head_dim": 128,
                "v_head_dim": 128,
                "tie_word_embeddings": False,
            },
        ),
        (
            "google/gemma-3-27b",
            {
                "model_type": "gemma3",
                "text_config": {
                    "model_type": "gemma3_text",
                    "num_hidden_layers": 62,
                    "hidden_size": 5376,
                    "intermediate_size": 21504,
                    "num_attention_heads": 32,
                    "num_key_value_heads": 16,
                    "head_dim": 128,
                    "vocab_size": 262208,
                    "sliding_window": 1024,
                    "layer_types": [*(["sliding_attention"] * 52), *(["full_attention"] * 10)],
                },
            },
        ),
    ],
)
def test_a_published_configuration_gives_the_shape_in_the_book(weights: str, config: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text(json.dumps(config))
    found, known = read_model_config(path, DAY), RATES.open_model(weights)
    assert [getattr(found, name) for name in SHAPE] == [getattr(known, name) for name in SHAPE]
    assert found.billion_parameters == pytest.approx(known.billion_parameters - known.other_billion_parameters, rel=0.01)
    assert (found.active_billion_parameters is None) == (known.active_billion_parameters is None)
    assert (found.source, found.recorded, found.own) == ("file:config.json", DAY, True)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"num_hidden_layers": None}, "config.json: num_hidden_layers is missing"),
        ({"hidden_size": "4096"}, "hidden_size is '4096'"),
        ({"vocab_size": -1}, "vocab_size is -1"),
        ({"num_attention_heads": True}, "num_attention_heads is True"),
        ({"hidden_size": 4097}, "no multiple of num_attention_heads"),
        ({"num_key_value_heads": 5}, "attention_heads 32 is no multiple of kv_heads 5"),
        ({"num_experts": 8}, "num_experts_per_tok is missing"),
        ({"num_experts": 8, "num_experts_per_tok": 9}, "experts_per_token 9 of 8 experts"),
        ({"num_attention_heads": 0}, "num_attention_heads is 0.*Expected a whole number above zero"),
        ({"num_hidden_layers": 0}, "num_hidden_layers is 0"),
        ({"hidden_size": -4096}, "hidden_size is -4096"),
        ({"vocab_size": 0}, "vocab_size is 0"),
        ({"num_key_value_heads": 0}, "num_key_value_heads is 0"),
        ({"intermediate_size": 0}, "intermediate_size is 0"),
        ({"head_dim": 0}, "head_dim is 0"),
        ({"max_position_embeddings": 0}, "max_position_embeddings is 0"),
        ({"sliding_window": -1}, "sliding_window is -1"),
        ({"num_hidden_layers": 32.5}, "num_hidden_layers is 32.5"),
        ({"is_encoder_decoder": True}, "is an encoder with a decoder.*Only models that write text token by token"),
        ({"architectures": ["BertForMaskedLM"]}, "BertForMaskedLM fills in words and writes no text.*decoders"),
        ({"model_type": "xlm-roberta"}, "models of type xlm-roberta are encoders"),
        ({"text_config": {"model_type": "bert"}}, "models of type bert are encoders"),
        ({"model_type": "mamba2"}, "models of type mamba2 mix attention with other layers"),
    ],
)
def test_what_is_no_shape_is_said_plainly(change: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError, match=says):
        model_from_config(LLAMA | change, "config.json", DAY)


@pytest.mark.parametrize(
    "change",
    [
        {
            "num_local_experts": 0,
            "num_experts_per_tok": 0,
            "n_shared_experts": 0,
            "moe_intermediate_size": 0,
            "sliding_window": 0,
        },
        {"q_lora_rank": 0, "kv_lora_rank": 0, "qk_rope_head_dim": 0, "first_k_dense_replace": 0},
        {"architectures": ["LlamaForCausalLM"], "is_encoder_decoder": False},
        {"architectures": [None], "is_encoder_decoder": None},
    ],
)
def test_what_a_model_has_none_of_may_be_zero(change: dict[str, Any]) -> None:
    plain = model_from_config(LLAMA, "config.json", DAY)
    assert model_from_config(LLAMA | change, "config.json", DAY) == plain


@pytest.mark.parametrize(
    ("change", "windowed"),
    [
        ({"model_type": "mistral"}, 32),
        ({"model_type": "gemma2"}, 16),  # every other layer
        ({"model_type": "gemma3_text", "num_hidden_layers": 48}, 40),  # five of six
        ({"sliding_window_pattern": 4}, 24),
        ({"use_sliding_window": False}, 0),
    ],
)
def test_layers_with_a_window(change: dict[str, Any], windowed: int) -> None:
    found = model_from_config(LLAMA | {"sliding_window": 4096} | change, "config.json", DAY)
    assert found.windowed_layers == windowed


@pytest.mark.parametrize(
    ("text", "says"),
    [("{", "line 1.*the file is not JSON"), ("[]", "holds no settings"), ("", "the file is empty")],
)
def test_a_file_that_is_no_configuration_is_said_plainly(text: str, says: str, tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text(text)
    with pytest.raises(InputError, match=says):
        read_model_config(path, DAY)
