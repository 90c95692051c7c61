"""What own GPUs serve: prefill and decode against the roofline, batch within memory and latency, replicas for a volume.

The seconds a step would take at the data sheet's peaks come from shapes and bytes; how near engines come to them is fitted to
published measurements (`calibration.serving`) and read from the price book as a `Fit`.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np

from calc.hardware.architecture import (
    Shape,
    active_expert_parameters,
    embedding_parameters,
    expert_parameters,
    kv_bytes_per_token,
    lora_parameters,
    total_parameters,
    why_not_split,
)
from calc.hardware.training_time import attention_flops, expert_narrowness, gpu_class, matrix_parameters
from calc.volume import whole_steps
from pricing.errors import PricingError
from pricing.model import Fit, Gpu

Weights = Literal["fp16", "fp8", "int8", "fp4", "int4"]

BYTES_PER_WEIGHT: dict[Weights, float] = {"fp16": 2.0, "fp8": 1.0, "int8": 1.0, "fp4": 0.5625, "int4": 0.53}
"""With the scales that quantised blocks carry. Embeddings and the output matrix stay in 16 bits."""
ENGINES = ("vllm", "tensorrt-llm", "sglang")
USABLE_MEMORY = 0.9
"""Share of a GPU's memory that engines take as they come (vLLM's gpu_memory_utilization, TensorRT-LLM's cache fraction)."""
RESERVED_BYTES = 2e9
"""Activations, graphs and the context of the driver, per GPU: the authors' assumption."""
DEFAULT_MAX_BATCH = 256
"""Sequences that vLLM runs at once as it comes."""


class ServingRefused(PricingError):
    """A deployment that cannot be, or of which too little is known."""


class NotSplit(ServingRefused):
    """A number of GPUs that a model's attention cannot be split over."""


class LatencyMissed(ServingRefused):
    """A deployment that is too slow for the latency wanted even with one request at a time."""

    def __init__(self, words: str, times_too_long: float) -> None:
        super().__init__(words)
        self.times_too_long = times_too_long


@dataclass(frozen=True)
class Deployment:
    """One replica: a model on GPUs that share its weights."""

    shape: Shape
    gpu: Gpu
    gpus: int = 1
    weights: Weights = "fp16"
    kv_bytes_per_number: float = 2.0
    """1 where keys and values are kept in 8 bits."""
    engine: str = "vllm"
    max_batch: int = DEFAULT_MAX_BATCH
    """Sequences the engine may run at once."""
    adapters: int = 0
    """LoRA adapters served on the one base, all kept in memory."""
    adapter_rank: int = 16


@dataclass(frozen=True)
class TokenShape:
    """Tokens of one request. Numbers or arrays."""

    input_tokens: Any
    output_tokens: Any
    cached_input_tokens: Any = 0.0
    """Of the input, tokens whose keys and values are still there from an earlier request."""


class Loads(NamedTuple):
    """What one decode step of a batch, and one request's prefill, would take at the peaks. Numbers or arrays."""

    memory_s: Any
    """Reading weights and the cache, of one step."""
    compute_s: Any
    """Operations of one step, experts' left out."""
    expert_compute_s: Any
    """Those of experts' matrices."""
    prefill_s: Any
    """Operations of one request's uncached input, experts' left out."""
    expert_prefill_s: Any
    """Those of experts' matrices."""
    experts_over_active: Any
    """Experts of a layer over those that one token passes through; 1 without experts."""
    narrowness: Any
    """`expert_narrowness`."""
    link_s_per_token: Any
    """Sums exchanged between the GPUs of a replica, per token."""
    exchanges: Any
    """How often they are, per step."""


class Capacity(NamedTuple):
    """What one replica serves at a token shape, all slots taken. Arrays where the tokens are."""

    requests_per_second: Any
    output_tokens_per_second: Any
    batch: Any
    time_to_first_token_s: Any
    time_per_output_token_s: Any
    limited_by: Any
    """``memory``, ``engine``, ``time to first token`` or ``time per output token``: what keeps the batch from growing."""


# --- bytes ----------------------------------------------------------------------------------------------------------------


def weights_bytes(shape: Shape, weights: Weights) -> float:
    """Bytes of the weights in memory."""
    embeddings = embedding_parameters(shape)
    return (total_parameters(shape) - embeddings) * BYTES_PER_WEIGHT[weights] + 2 * embeddings


def weights_read_bytes(shape: Shape, weights: Weights, batch: Any) -> Any:
    """Bytes of weights that one step of a batch reads: shared + experts · (1 − (1 − k/E)^batch), the looked-up table left out."""
    experts = shape.expert_layers * shape.experts * expert_parameters(shape)
    shared = total_parameters(shape) - shape.other_parameters - embedding_parameters(shape) - experts
    touched = 1 - (1 - shape.experts_per_token / shape.experts) ** np.asarray(batch) if shape.experts else 0.0
    return (shared + experts * touched) * BYTES_PER_WEIGHT[weights] + 2 * shape.vocabulary * shape.hidden


def adapter_bytes(deployment: Deployment) -> float:
    """Bytes of one LoRA adapter in 16 bits; 0 where none is served."""
    return 2 * lora_parameters(deployment.shape, deployment.adapter_rank) if deployment.adapters else 0.0


def kv_bytes_per_request(deployment: Deployment, tokens: TokenShape) -> Any:
    """Bytes of keys and values of one request on all GPUs of a replica, half of its output written."""
    kept = tokens.input_tokens + tokens.output_tokens / 2
    shape = deployment.shape
    windowed = shape.windowed_layers / shape.layers
    tokens_of_a_layer = (1 - windowed) * kept + windowed * np.minimum(kept, shape.window_tokens)
    return kv_bytes_per_token(shape, deployment.kv_bytes_per_number, deployment.gpus) * tokens_of_a_layer


def usable_bytes(gpu: Gpu, gpus: int) -> float:
    """Bytes for weights, adapters, keys and values on the GPUs of a replica."""
    memory = gpu.driver_memory_gib * 2**30 if gpu.driver_memory_gib is not None else gpu.memory_gb * 1e9
    return gpus * (memory * USABLE_MEMORY - RESERVED_BYTES)


def batch_in_memory(deployment: Deployment, tokens: TokenShape) -> Any:
    """Requests whose keys and values fit beside the weights.

    Raises:
        ServingRefused: the weights, or one request beside them, do not fit.
    """
    held = weights_bytes(deployment.shape, deployment.weights) + deployment.adapters * adapter_bytes(deployment)
    free = usable_bytes(deployment.gpu, deployment.gpus) - held
    each = kv_bytes_per_request(deployment, tokens)
    batch = free / each
    if np.any(batch < 1):
        beside = f" with {deployment.adapters:,} adapters" if deployment.adapters else ""
        fewer = "fewer adapters, " if deployment.adapters else ""
        raise ServingRefused(
            f"{deployment.shape.name} in {deployment.weights}{beside} takes {held / 1e9:,.0f} GB and a request "
            f"{np.max(each) / 1e9:,.1f} GB; {deployment.gpus} × {deployment.gpu.name} leaves "
            f"{usable_bytes(deployment.gpu, deployment.gpus) / 1e9:,.0f} GB. Take more or larger GPUs, {fewer}or smaller weights."
        )
    return batch


# --- time -----------------------------------------------------------------------------------------------------------------


def loads(deployment: Deployment, tokens: TokenShape, batch: Any) -> Loads:
    """What a step and a prefill would take at the peaks.

    Raises:
        ServingRefused: a rate of the GPU is not in the book.
    """
    shape, gpu, gpus = deployment.shape, deployment.gpu, deployment.gpus
    bandwidth = _known(gpu.memory_bandwidth_gb_per_s, gpu, "memory bandwidth") * 1e9 * gpus
    sixteen = _known(gpu.bf16_dense_tflops or gpu.fp16_dense_tflops, gpu, "peak in 16 bits") * 1e12 * gpus
    matrices = _matrix_peak(deployment) * gpus
    kept = tokens.input_tokens + tokens.output_tokens / 2
    uncached = tokens.input_tokens - tokens.cached_input_tokens
    read = weights_read_bytes(shape, deployment.weights, batch) + batch * kv_bytes_per_request(deployment, tokens)
    read = read + np.minimum(batch, deployment.adapters) * adapter_bytes(deployment)
    attention_of_step = attention_flops(shape, 2 * kept)  # all that is kept, twice the mean of causal attention
    # causal attention to what comes before: the cached part in full, the uncached half on average
    attention_of_prefill = attention_flops(shape, tokens.input_tokens + tokens.cached_input_tokens)
    of_experts = 2 * active_expert_parameters(shape) / matrices
    of_others = 2 * matrix_parameters(shape) / matrices - of_experts
    active = shape.experts_per_token + shape.shared_experts
    return Loads(
        memory_s=read / bandwidth,
        compute_s=batch * (of_others + attention_of_step / sixteen),
        expert_compute_s=batch * of_experts,
        prefill_s=uncached * (of_others + attention_of_prefill / sixteen),
        expert_prefill_s=uncached * of_experts,
        experts_over_active=(shape.experts + shape.shared_experts) / active if shape.experts else 1.0,
        narrowness=expert_narrowness(shape),
        link_s_per_token=_link_seconds(deployment),
        exchanges=2.0 * shape.layers * (gpus > 1),
    )


def _link_seconds(deployment: Deployment) -> float:
    """A token's share of two all-reduces a layer in 16 bits, of which each GPU sends 2·(n − 1)/n."""
    gpus, shape = deployment.gpus, deployment.shape
    if gpus == 1:
        return 0.0
    link = _known(deployment.gpu.link_gb_per_s, deployment.gpu, "link to other GPUs") * 1e9
    return 2 * shape.layers * 2 * shape.hidden * 2 * (gpus - 1) / gpus / link


def _matrix_peak(deployment: Deployment) -> float:
    """Peak of what the GPU multiplies: in the weights' precision where it can, else weights are widened to 16 bits."""
    gpu = deployment.gpu
    sixteen = _known(gpu.bf16_dense_tflops or gpu.fp16_dense_tflops, gpu, "peak in 16 bits")
    own = {"fp8": gpu.fp8_dense_tflops, "int8": gpu.int8_dense_tops, "fp4": gpu.fp4_dense_tflops}.get(deployment.weights)
    return (own or sixteen) * 1e12


def _known(rate: float | None, gpu: Gpu, what: str) -> float:
    if rate is None:
        raise ServingRefused(f"The {what} of {gpu.name} is not in the price book. Choose another GPU or add its data sheet.")
    return rate


def expert_slowness(at_peak: Loads, fit: Fit) -> Any:
    """How many times longer experts' operations take than as many of a dense model, as `training_time.expert_slowness`."""
    longer = np.exp(fit.value("ln_experts") + fit.value("narrow_experts") * at_peak.narrowness)
    return np.minimum(longer, at_peak.experts_over_active)


def prefill_seconds(at_peak: Loads, input_tokens: Any, fit: Fit, slower: Any = 1.0) -> Any:
    """Seconds of one request's prefill; what the link takes depends on nothing else."""
    operations = at_peak.prefill_s + expert_slowness(at_peak, fit) * at_peak.expert_prefill_s
    compute = slower * operations / np.exp(fit.value("ln_prefill"))
    return compute + at_peak.link_s_per_token * np.exp(fit.value("ln_link")) * input_tokens


def step_seconds(at_peak: Loads, batch: Any, fit: Fit, slower: Any = 1.0) -> Any:
    """Seconds of one decode step of a batch: memory and compute overlap in part (root of the sum of squares), plus the fixed.

    Args:
        slower: what memory's and compute's times are multiplied by (`slowness`).
    """
    memory = slower * at_peak.memory_s / np.exp(fit.value("ln_bandwidth"))
    operations = at_peak.compute_s + expert_slowness(at_peak, fit) * at_peak.expert_compute_s
    compute = slower * operations / np.exp(fit.value("ln_compute"))
    link = at_peak.link_s_per_token * np.exp(fit.value("ln_link")) * batch
    fixed = np.exp(fit.value("ln_step_s")) + at_peak.exchanges * np.exp(fit.value("ln_exchange_s"))
    return np.sqrt(memory**2 + compute**2) + link + fixed


def features(deployment: Deployment) -> dict[str, float]:
    """What multiplies the fitted coefficients of speed, by their names."""
    return {
        "sglang": float(deployment.engine == "sglang"),
        "quantised": float(deployment.weights != "fp16"),
        "blackwell": float(gpu_class(deployment.gpu) == "blackwell"),
    }


def slowness(deployment: Deployment, fit: Fit) -> float:
    """What memory's and compute's times are multiplied by for the engine, the weights and the kind of GPU."""
    return float(np.exp(-sum(fit.value(name) * value for name, value in features(deployment).items())))


def requests_per_second(batch: Any, prefill_s: Any, step_s: Any, output_tokens: Any) -> Any:
    """batch ÷ (batch · prefill + output tokens · step)."""
    return batch / (batch * prefill_s + output_tokens * step_s)


def capacity(
    deployment: Deployment,
    tokens: TokenShape,
    fit: Fit,
    max_time_to_first_token_s: Any = None,
    max_time_per_output_token_s: Any = None,
) -> Capacity:
    """The most one replica serves within its memory and the latency wanted. Tokens and latencies may be arrays.

    Time to first token is the prefill, its wait behind others' prefills (M/D/1), and a step; time per output token is a step and
    the prefills that come between. Both grow with the batch.

    Raises:
        NotSplit: the model's attention cannot be split over so many GPUs.
        LatencyMissed: the latency is out of reach even for one request at a time.
        ServingRefused: it does not fit, the tokens or the adapters cannot be, or an unknown engine.
    """
    check_request(deployment, tokens)
    if reason := why_not_split(deployment.shape, deployment.gpus):
        raise NotSplit(reason)
    most_in_memory = np.floor(batch_in_memory(deployment, tokens))
    most = np.minimum(most_in_memory, deployment.max_batch)
    wanted = {
        "time to first token": max_time_to_first_token_s,
        "time per output token": max_time_per_output_token_s,
    }
    batch, missed = _largest_batch(deployment, tokens, fit, most, {what: at for what, at in wanted.items() if at is not None})
    first, each, served = _paces(deployment, tokens, fit, batch)
    bounded = np.where(most_in_memory < deployment.max_batch, "memory", "engine")
    limited_by = np.where(batch < most, missed, bounded)
    if np.ndim(served) == 0:
        alone = float(served)
        return Capacity(alone, alone * tokens.output_tokens, int(batch), float(first), float(each), str(limited_by))
    return Capacity(served, served * tokens.output_tokens, batch, first, each, limited_by)


def _paces(deployment: Deployment, tokens: TokenShape, fit: Fit, batch: Any) -> tuple[Any, Any, Any]:
    """Time to first token, time per output token and requests a second of a batch."""
    at_peak, slower = loads(deployment, tokens, batch), slowness(deployment, fit)
    prefill = prefill_seconds(at_peak, tokens.input_tokens - tokens.cached_input_tokens, fit, slower)
    step = step_seconds(at_peak, batch, fit, slower)
    first = prefill * (1 + batch * prefill / (2 * tokens.output_tokens * step)) + step
    each = step + batch * prefill / tokens.output_tokens
    return first, each, requests_per_second(batch, prefill, step, tokens.output_tokens)


def _largest_batch(deployment: Deployment, tokens: TokenShape, fit: Fit, most: Any, wanted: dict[str, Any]) -> tuple[Any, Any]:
    """The largest batch, at most ``most``, that keeps within the times wanted, found by halving; and what one more would miss."""
    if not wanted:
        return most, ""

    def times(batch: Any) -> dict[str, Any]:
        first, each, _ = _paces(deployment, tokens, fit, batch)
        return {"time to first token": first, "time per output token": each}

    def within(batch: Any) -> Any:
        found = times(batch)
        return np.logical_and.reduce(np.broadcast_arrays(*(found[what] <= at for what, at in wanted.items())))

    alone = times(1.0)
    for what, at in wanted.items():
        if np.any(alone[what] > at):
            raise _out_of_reach(deployment, what, alone[what] + 0 * at, at + 0 * alone[what])
    high = most + np.zeros(np.shape(within(1.0)))
    low = np.ones_like(high)
    while np.any(low < high):
        middle = np.ceil((low + high) / 2)
        fast = within(middle)
        low, high = np.where(fast, middle, low), np.where(fast, high, middle - 1)
    beyond = times(low + 1)
    what = "time to first token"
    first_missed = beyond[what] > wanted[what] if what in wanted else False
    return low, np.where(first_missed, what, "time per output token")


def _out_of_reach(deployment: Deployment, what: str, alone: Any, at_most: Any) -> LatencyMissed:
    """The refusal that names the request furthest from the time wanted."""
    worst = np.argmax(alone / at_most)
    needed, wanted = float(np.ravel(alone)[worst]), float(np.ravel(at_most)[worst])
    return LatencyMissed(
        f"A {what} of {wanted * 1000:,.6g} ms is out of reach: {deployment.shape.name} on {deployment.gpus} × "
        f"{deployment.gpu.name} needs {needed * 1000:,.1f} ms for one request at a time. Take more or faster GPUs, "
        "quantised weights or a smaller model, or allow more time.",
        needed / wanted,
    )


def check_request(deployment: Deployment, tokens: TokenShape) -> None:
    """Raise `ServingRefused` where the engine is not known, or requests cannot be, whatever the GPUs."""
    if deployment.engine not in ENGINES:
        near = difflib.get_close_matches(deployment.engine, ENGINES, n=1)
        hint = f"Did you mean {near[0]}?" if near else f"Known: {', '.join(ENGINES)}."
        raise ServingRefused(f"There is no engine '{deployment.engine}'. {hint}")
    if deployment.adapters and not deployment.adapter_rank >= 1:
        raise ServingRefused(f"The rank of the adapters is {deployment.adapter_rank:g}; it must be 1 or more.")
    read, written, cached = (np.asarray(n) for n in (tokens.input_tokens, tokens.output_tokens, tokens.cached_input_tokens))
    if not np.all((written > 0) & (read > 0) & (cached >= 0) & (cached <= read)):
        raise ServingRefused("A request needs input and output tokens, and caches no more of its input than there is.")
    length, context = np.max(read + written), deployment.shape.context_tokens
    if context is not None and length > context:
        raise ServingRefused(
            f"Requests of {length:,.0f} tokens are beyond the context of {deployment.shape.name}, {context:,} tokens. "
            "Shorten them, or choose a model of longer context."
        )


def interval_factor(fit: Fit, coverage: float = 0.9) -> float:
    """What to divide and multiply a capacity by so that the interval covers such a share of sources not seen."""
    from scipy.special import stdtrit  # slow to import, and wanted for intervals alone

    return float(np.exp(stdtrit(fit.degrees_of_freedom, (1 + coverage) / 2) * fit.residual_scale["usual"]))


# --- replicas -------------------------------------------------------------------------------------------------------------


def replicas(
    peak_requests_per_second: Any, capacity_requests_per_second: Any, target_utilisation: Any = 0.7, minimum: Any = 1
) -> Any:
    """Whole replicas for a peak: max(minimum, ⌈peak ÷ (capacity · target utilisation)⌉).

    Args:
        peak_requests_per_second: retries, fallbacks and the peak factor inside.
        target_utilisation: share of the capacity to be used at the peak, the rest being headroom.
        minimum: 0 where replicas may scale to zero.

    Raises:
        ServingRefused: there are no requests, or no capacity.
    """
    if np.any(np.asarray(peak_requests_per_second) <= 0):
        raise ServingRefused("There are no requests to serve. State a volume above 0.")
    usable = np.asarray(capacity_requests_per_second) * target_utilisation
    if np.any(usable <= 0):
        raise ServingRefused("A replica needs a capacity and a target utilisation above 0.")
    return np.maximum(minimum, whole_steps(np.asarray(peak_requests_per_second) / usable))
