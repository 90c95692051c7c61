"""What follows from the shape of an open-weights model: its parameters, and those of adapters on it.

The shapes are `pricing.model.OpenModel`, from open_models.toml or `ingest.model_config`. Biases, normalisation and learned
positions are left out: together they are less than one in a hundred of the parameters.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pricing.errors import PricingError
from pricing.model import OpenModel

Target = Literal["q", "k", "v", "o", "gate", "up", "down"]
ATTENTION: tuple[Target, ...] = ("q", "k", "v", "o")
FEED_FORWARD: tuple[Target, ...] = ("gate", "up", "down")
ALL_LINEAR: tuple[Target, ...] = (*ATTENTION, *FEED_FORWARD)
"""Every weight matrix of a layer, those of every expert included."""


class UnknownShape(PricingError):
    """The shape of a model is not known, so nothing about its memory or its speed is."""


@dataclass(frozen=True)
class Shape:
    """The shape of a model's text decoder, every number known."""

    name: str
    layers: int
    hidden: int
    """Width of the residual stream."""
    feed_forward: int
    """Width of the feed-forward matrices, of one expert where there are experts."""
    feed_forward_matrices: int
    heads: int
    kv_heads: int
    head: int
    """Numbers in one head's key or value."""
    vocabulary: int
    tied: bool
    experts: int
    """Experts a router chooses from; 0: none."""
    experts_per_token: int
    shared_experts: int
    dense_layers: int
    """Layers without experts."""
    dense_feed_forward: int
    query_rank: int
    kv_rank: int
    """Rank of compressed keys and values; 0: ordinary attention."""
    rope_head: int
    windowed_layers: int
    window_tokens: int
    context_tokens: int | None
    other_parameters: float
    """Parameters outside the text decoder."""

    @property
    def is_latent(self) -> bool:
        """Whether attention keeps keys and values compressed (multi-head latent attention)."""
        return self.kv_rank > 0

    @property
    def expert_layers(self) -> int:
        """Layers with experts."""
        return self.layers - self.dense_layers


def shape_of(model: OpenModel) -> Shape:
    """The shape of a model, of which nothing may be missing.

    Raises:
        UnknownShape: open_models.toml states none.
    """
    sizes = (model.layers, model.hidden_size, model.feed_forward_size, model.attention_heads, model.kv_heads, model.head_size)
    layers, hidden, feed_forward, heads, kv_heads, head = (size or 0 for size in sizes)
    if not layers or model.vocabulary is None:
        raise UnknownShape(
            f"The layers of {model.name} are not known, so its memory and speed are not either. Give its config.json instead."
        )
    return Shape(
        name=model.name,
        layers=layers,
        hidden=hidden,
        feed_forward=feed_forward,
        feed_forward_matrices=model.feed_forward_matrices,
        heads=heads,
        kv_heads=kv_heads,
        head=head,
        vocabulary=model.vocabulary,
        tied=model.tied_embeddings,
        experts=model.experts or 0,
        experts_per_token=model.experts_per_token or 0,
        shared_experts=model.shared_experts,
        dense_layers=model.dense_layers if model.experts else layers,
        dense_feed_forward=model.dense_feed_forward_size or feed_forward,
        query_rank=model.query_rank or 0,
        kv_rank=model.kv_rank or 0,
        rope_head=model.rope_head_size,
        windowed_layers=model.windowed_layers,
        window_tokens=model.window_tokens or 0,
        context_tokens=model.context_tokens,
        other_parameters=model.other_billion_parameters * 1e9,
    )


# --- parameters -----------------------------------------------------------------------------------------------------------


def embedding_parameters(shape: Shape) -> float:
    """Parameters of the embedding matrix, and of the output matrix where it is another."""
    return shape.vocabulary * shape.hidden * (1 if shape.tied else 2)


def attention_parameters(shape: Shape) -> float:
    """Parameters of one layer's attention."""
    if shape.is_latent:
        return sum(rows * columns for rows, columns in _latent_matrices(shape))
    return 2 * shape.hidden * shape.head * (shape.heads + shape.kv_heads)


def expert_parameters(shape: Shape) -> float:
    """Parameters of one expert of one layer."""
    return shape.feed_forward_matrices * shape.hidden * shape.feed_forward


def dense_layer_parameters(shape: Shape) -> float:
    """Parameters of one layer without experts."""
    return attention_parameters(shape) + shape.feed_forward_matrices * shape.hidden * shape.dense_feed_forward


def expert_layer_parameters(shape: Shape, experts: float) -> float:
    """Parameters of one layer with experts, of which so many count beside the shared ones."""
    return (
        attention_parameters(shape) + shape.hidden * shape.experts + (experts + shape.shared_experts) * expert_parameters(shape)
    )


def active_expert_parameters(shape: Shape) -> float:
    """Parameters of the experts that one token passes through, shared ones included, of all layers."""
    return shape.expert_layers * (shape.experts_per_token + shape.shared_experts) * expert_parameters(shape)


def total_parameters(shape: Shape) -> float:
    """Parameters of the checkpoint."""
    return _text_parameters(shape, shape.experts) + shape.other_parameters


def active_parameters(shape: Shape) -> float:
    """Parameters that one token of text passes through, embeddings included as makers count them."""
    return _text_parameters(shape, shape.experts_per_token)


def largest_layer_parameters(shape: Shape) -> float:
    """Parameters of the largest layer: what is gathered at once where weights are sharded."""
    with_experts = expert_layer_parameters(shape, shape.experts) if shape.expert_layers else 0.0
    return max(with_experts, dense_layer_parameters(shape) if shape.dense_layers else 0.0)


def _text_parameters(shape: Shape, experts: float) -> float:
    return (
        embedding_parameters(shape)
        + shape.dense_layers * dense_layer_parameters(shape)
        + shape.expert_layers * expert_layer_parameters(shape, experts)
    )


def _latent_matrices(shape: Shape) -> tuple[tuple[int, int], ...]:
    """Rows and columns of the matrices of multi-head latent attention: queries, keys and values, output."""
    query = shape.heads * (shape.head + shape.rope_head)
    queries = ((shape.hidden, shape.query_rank), (shape.query_rank, query)) if shape.query_rank else ((shape.hidden, query),)
    keys_values = ((shape.hidden, shape.kv_rank + shape.rope_head), (shape.kv_rank, shape.heads * 2 * shape.head))
    return (*queries, *keys_values, (shape.heads * shape.head, shape.hidden))


# --- adapters -------------------------------------------------------------------------------------------------------------


def lora_parameters(shape: Shape, rank: float, targets: tuple[Target, ...] = ALL_LINEAR) -> float:
    """Trainable parameters of LoRA adapters: for each target matrix rank times the sum of its two sides.

    Adapters on feed-forward matrices sit on every expert. Where attention is latent, ``q``, ``k`` and ``v`` mean all of its
    matrices before the output.
    """
    dense = sum(_sides(shape, target, shape.dense_feed_forward) for target in targets)
    copies = {target: shape.experts + shape.shared_experts if target in FEED_FORWARD else 1 for target in targets}
    sparse = sum(copies[target] * _sides(shape, target, shape.feed_forward) for target in targets)
    return rank * (shape.dense_layers * dense + shape.expert_layers * sparse)


def _sides(shape: Shape, target: Target, feed_forward: int) -> float:
    """The sum of the two sides of a target matrix; 0 where the model has none."""
    if target in FEED_FORWARD:
        return 0 if target == "gate" and shape.feed_forward_matrices == 2 else shape.hidden + feed_forward
    if shape.is_latent:
        return _latent_sides(shape, target)
    heads = shape.heads if target in ("q", "o") else shape.kv_heads
    return shape.hidden + heads * shape.head


def _latent_sides(shape: Shape, target: Target) -> float:
    sides = [rows + columns for rows, columns in _latent_matrices(shape)]
    *queries, keys_values, up, output = sides
    return {"q": sum(queries), "k": keys_values, "v": up, "o": output}.get(target, 0)


# --- keys and values ------------------------------------------------------------------------------------------------------


def kv_bytes_per_token(shape: Shape, bytes_per_number: float = 2.0, gpus: int = 1) -> float:
    """Bytes that a token's keys and values take in the cache of all layers, on all GPUs that share the model together.

    Each GPU keeps whole heads, at least one: gpus · ⌈heads ÷ gpus⌉. Compressed keys and values belong to no head, so every GPU
    keeps all of them. Layers with a window keep `window_tokens` at most.
    """
    if shape.is_latent:
        return shape.layers * gpus * (shape.kv_rank + shape.rope_head) * bytes_per_number
    return shape.layers * gpus * -(-shape.kv_heads // gpus) * 2 * shape.head * bytes_per_number


def why_not_split(shape: Shape, gpus: int) -> str:
    """Why attention cannot be split over so many GPUs (tensor parallelism), in words; empty where it can.

    Each takes as many attention heads as the others; key-value heads are split alike, or repeated alike where they are fewer.
    """
    if _splits(shape, gpus):
        return ""
    can = [str(count) for count in (1, 2, 4, 8, 16) if _splits(shape, count)]
    kv = "" if shape.is_latent else f" and {shape.kv_heads} for keys and values"
    return f"{shape.name} has {shape.heads} attention heads{kv}, which {gpus} GPUs cannot share alike. Take {' or '.join(can)}."


def _splits(shape: Shape, gpus: int) -> bool:
    kv_alike = shape.is_latent or shape.kv_heads % gpus == 0 or gpus % shape.kv_heads == 0
    return shape.heads % gpus == 0 and kv_alike
