"""The shape of a model from its own ``config.json``, as published beside open weights."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from calc.hardware.architecture import active_parameters, shape_of, total_parameters
from ingest.errors import InputError, Problem
from ingest.files import read_text
from pricing.model import OpenModel

LARGEST_BYTES = 1_000_000

NAMES = {
    "layers": ("num_hidden_layers", "n_layer", "num_layers", "n_layers"),
    "hidden_size": ("hidden_size", "n_embd", "d_model"),
    "attention_heads": ("num_attention_heads", "n_head", "n_heads"),
    "vocabulary": ("vocab_size",),
    "context_tokens": ("max_position_embeddings", "n_positions", "seq_length", "max_seq_len"),
    "experts": ("num_local_experts", "num_experts", "n_routed_experts"),
    "experts_per_token": ("num_experts_per_tok", "moe_topk"),
    "shared_experts": ("n_shared_experts", "num_shared_experts"),
    "dense_layers": ("first_k_dense_replace",),
    "query_rank": ("q_lora_rank",),
    "kv_rank": ("kv_lora_rank",),
    "rope_head_size": ("qk_rope_head_dim",),
}
"""What each fact is called in a config.json; the first that is there counts."""

UNGATED = {"bloom", "codegen", "falcon", "gpt2", "gpt_bigcode", "gpt_neox", "gptj", "mpt", "opt", "phi", "starcoder2"}
"""Kinds of models whose feed-forward is two matrices."""

TIED = {"bloom", "cohere", "falcon", "gemma", "gemma2", "gemma3", "gemma3_text", "gpt2", "gpt_bigcode", "granite", "mpt", "opt"}
"""Kinds of models that tie their embeddings where their config.json does not say."""

UNKNOWN = {"bamba", "falcon_h1", "granitemoehybrid", "jamba", "mamba", "mamba2", "nemotron_h", "qwen3_5", "qwen3_next", "rwkv"}
"""Kinds of models that mix attention with other layers, whose parameters and memory follow other rules."""

ENCODERS = {"albert", "bert", "camembert", "deberta", "deberta-v2", "distilbert", "electra", "ernie", "eurobert", "layoutlm"} | {
    "modernbert", "mpnet", "nomic_bert", "roberta", "xlm-roberta", "xlm-roberta-xl",
}  # fmt: skip
"""Kinds of models that read a text and write none."""

FULL_EVERY = {"cohere2": 4, "gemma2": 2, "gemma3": 6, "gemma3_text": 6}
"""Kinds of models of which every so-manieth layer has no window, where their config.json does not say."""

NONE_IF_ZERO = {"experts", "experts_per_token", "shared_experts", "dense_layers", "query_rank", "kv_rank", "rope_head_size"}
"""Facts of which 0 means that a model has no such thing; of all others it is a wrong value."""


def read_model_config(path: str | Path, as_of: date) -> OpenModel:
    """Facts of a model from its ``config.json``; its parameters are counted from them.

    Args:
        as_of: the day the file is read.

    Raises:
        InputError: the file cannot be read, or what it says is no shape that is known here.
    """
    return model_from_text(read_text(path, LARGEST_BYTES), str(path), as_of)


def model_from_text(text: str, where: str, as_of: date) -> OpenModel:
    """As `read_model_config`, from the file's text. ``where`` names it in errors."""
    return model_from_config(_parsed(text, where), where, as_of)


def model_from_config(config: Mapping[str, Any], where: str, as_of: date) -> OpenModel:
    """As `read_model_config`, from what the file holds. ``where`` names it in errors."""
    text = config.get("text_config")
    decoder = {**config, **text} if isinstance(text, Mapping) else dict(config)
    if decoder.get("model_type") in UNKNOWN:
        kind = decoder["model_type"]
        raise _refused(where, f"models of type {kind} mix attention with other layers", "Only transformers are known here")
    if reason := _writes_nothing(config) or _writes_nothing(decoder):
        raise _refused(where, reason, "Only models that write text token by token (decoders) are known here")
    facts = _facts(decoder, where)
    name = str(config.get("_name_or_path") or config.get("model_type") or Path(where).parent.name or "a model")
    sourced = {
        "source": f"file:{Path(where).name}".replace(" ", "-"),
        "source_date": as_of,
        "recorded": as_of,
        "confidence": "own",
    }
    try:
        draft = OpenModel(name=name, billion_parameters=1, **facts, **sourced, own=True)
    except ValidationError as error:
        first = error.errors()[0]
        raise _refused(where, ".".join(map(str, first["loc"])) + ": " * bool(first["loc"]) + first["msg"]) from None
    shape = shape_of(draft)
    active = active_parameters(shape) / 1e9 if shape.experts else None
    return draft.model_copy(
        update={"billion_parameters": total_parameters(shape) / 1e9, "active_billion_parameters": active},
    )


def _writes_nothing(config: Mapping[str, Any]) -> str:
    """Why a model is no decoder, in words; empty where it is one."""
    if config.get("is_encoder_decoder") is True:
        return "the model is an encoder with a decoder"
    names = config.get("architectures")
    names = [name for name in names if isinstance(name, str)] if isinstance(names, list) else []
    if (masked := next((name for name in names if name.endswith("ForMaskedLM")), None)) is not None:
        return f"{masked} fills in words and writes no text"
    if config.get("model_type") in ENCODERS and config.get("is_decoder") is not True:
        return f"models of type {config['model_type']} are encoders, which read a text and write none"
    return ""


def _parsed(text: str, where: str) -> Mapping[str, Any]:
    try:
        config = json.loads(text)
    except json.JSONDecodeError as error:
        problem = Problem(where, "the file is not JSON", error.msg, "Name the config.json of the model", line=error.lineno)
        raise InputError(problem) from None
    except (RecursionError, ValueError) as error:  # beyond Python's limits of nesting and of digits
        raise InputError(Problem(where, "the file is not JSON", str(error), "Name the config.json of the model")) from None
    if not isinstance(config, dict):
        raise _refused(where, "the file holds no settings", "Expected an object with num_hidden_layers and the like")
    return config


def _facts(config: Mapping[str, Any], where: str) -> dict[str, Any]:
    found = {fact: _first(config, names, where, zero_is_none=fact in NONE_IF_ZERO) for fact, names in NAMES.items()}
    facts: dict[str, Any] = {fact: value for fact, value in found.items() if value is not None}
    for fact in ("layers", "hidden_size", "attention_heads", "vocabulary"):
        if fact not in facts:
            raise _refused(where, f"{NAMES[fact][0]} is missing", "Expected the config.json beside a model's weights")
    if facts["hidden_size"] % facts["attention_heads"] and not config.get("head_dim"):
        raise _refused(where, "hidden_size is no multiple of num_attention_heads, and head_dim is missing")
    facts["kv_heads"] = _kv_heads(config, facts["attention_heads"], where)
    facts["head_size"] = _first(config, ("v_head_dim", "head_dim"), where) or facts["hidden_size"] // facts["attention_heads"]
    kind = config.get("model_type")
    facts["feed_forward_matrices"] = 2 if kind in UNGATED else 3
    facts["tied_embeddings"] = bool(config.get("tie_word_embeddings", kind in TIED))
    return facts | _feed_forward(config, facts, where) | _windows(config, facts["layers"], where)


def _kv_heads(config: Mapping[str, Any], heads: int, where: str) -> int:
    if config.get("new_decoder_architecture") is False and config.get("multi_query"):
        return 1
    stated = _first(config, ("num_key_value_heads", "num_kv_heads", "n_head_kv"), where)
    return stated or (1 if config.get("multi_query") else heads)


def _feed_forward(config: Mapping[str, Any], facts: dict[str, Any], where: str) -> dict[str, Any]:
    dense = _first(config, ("intermediate_size", "n_inner", "ffn_hidden_size"), where) or 4 * facts["hidden_size"]
    if "experts" not in facts:
        return {"feed_forward_size": dense}
    if "experts_per_token" not in facts:
        raise _refused(where, "num_experts_per_tok is missing", "Expected beside the number of experts")
    expert = _first(config, ("moe_intermediate_size",), where, zero_is_none=True) or dense
    return {"feed_forward_size": expert, "dense_feed_forward_size": dense}


def _windows(config: Mapping[str, Any], layers: int, where: str) -> dict[str, int]:
    window = _first(config, ("sliding_window",), where, zero_is_none=True)
    if window is None or config.get("use_sliding_window") is False:
        return {}
    types = config.get("layer_types")
    if isinstance(types, list):
        windowed = sum(kind == "sliding_attention" for kind in types)
    else:
        every = _first(config, ("sliding_window_pattern",), where) or FULL_EVERY.get(str(config.get("model_type")))
        windowed = layers - layers // every if every else layers
    return {"windowed_layers": windowed, "window_tokens": window} if windowed else {}


def _first(config: Mapping[str, Any], names: tuple[str, ...], where: str, zero_is_none: bool = False) -> int | None:
    """The first of these settings that is there, a whole number above zero."""
    for name in names:
        value = config.get(name)
        if value is None or (zero_is_none and value == 0 and not isinstance(value, bool)):
            continue
        if isinstance(value, bool) or not isinstance(value, int) or value <= 0:
            raise _refused(where, f"{name} is {value!r}", "Expected a whole number above zero")
        return value
    return None


def _refused(where: str, wrong: str, expected: str = "") -> InputError:
    return InputError(Problem(where, wrong, expected, "Name the config.json of the model"))
