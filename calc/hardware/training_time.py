"""How long tuning a model on own GPUs takes: operations, tokens a second, wall hours with their interval.

Operations come from the shape of the model, peak rates from the GPU's data sheet; what share of the peak a run reaches is fitted
to published runs (`calibration.training_time`) and read from the price book as a `Fit`.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np

from calc.hardware.architecture import Shape, active_expert_parameters, active_parameters
from pricing.errors import PricingError
from pricing.model import Fit, Gpu

Technique = Literal["full", "lora", "qlora"]
Method = Literal["sft", "cpt", "dpo"]
Precision = Literal["bf16", "fp16", "fp8"]

REFERENCE_TOKENS_PER_STEP = 8192.0
"""Tokens of one GPU in one optimiser step above which more bring no more speed: an assumption, 2,048 to 32,768 being possible.

docs/method.md says what the error is over that range.
"""
LONG_SEQUENCE_TOKENS = 32768
"""Sequences from here on are split over GPUs, which wait for each other's keys and values."""

FRAMEWORKS = {
    "torchtune": "fused",
    "torchtitan": "fused",
    "megatron": "fused",
    "nemo": "fused",
    "llm-foundry": "fused",
    "unsloth": "fused",
    "liger": "fused",
    "fms-acceleration": "fused",
    "transformers": "plain",
    "peft": "plain",
    "trl": "plain",
    "axolotl": "plain",
    "llama-factory": "plain",
}
"""Whether a framework fuses kernels as it comes. Axolotl and LLaMA-Factory run Transformers and PEFT; with Liger or Unsloth
switched on they count as those. No published run of theirs states its tokens, so they have no factor of their own."""

WIDE_EXPERT = 4096
"""Width of an expert from which its matrices keep a GPU as busy as those of a dense model: an assumption, 2,048 to 14,336 being
possible, the width of Mixtral's, which need no correction. docs/method.md says what the error is over that range."""

_CLASSES = {
    "NVIDIA B": "blackwell",
    "NVIDIA GB": "blackwell",
    "AMD Instinct": "amd",
    "NVIDIA H": "data-centre",
    "NVIDIA A100": "data-centre",
    "NVIDIA V100": "data-centre",
}


class TrainingRefused(PricingError):
    """A run that cannot be, or of which too little is known."""


@dataclass(frozen=True)
class TrainingRun:
    """What decides how fast a run is, beside the model and the GPU. Numbers may be arrays."""

    technique: Technique
    attended_tokens: Any
    """Mean length over which a token attends: the packed sequence, or the document where packed ones are masked."""
    tokens_per_gpu_step: Any
    """Real tokens that one GPU sees in one optimiser step."""
    method: Method = "sft"
    precision: Precision = "bf16"
    recompute: bool = True
    """Whether activations are computed again in the backward pass (gradient checkpointing)."""
    framework: str = "transformers"
    is_padded: bool = False
    """Whether examples are padded to the longest of a small batch rather than packed."""
    eager_experts: bool = False
    """Whether experts run one after the other, as Transformers does without added kernels."""
    beyond_context: bool = False
    """Whether sequences longer than the model's context are meant, its positions being stretched."""


class WallTime(NamedTuple):
    """Hours of a run and the interval that holds nine of ten such runs."""

    hours: Any
    low: Any
    high: Any


# --- operations -----------------------------------------------------------------------------------------------------------


def matrix_parameters(shape: Shape) -> float:
    """Parameters that a token is multiplied with: the active ones without the table its embedding is looked up in."""
    return active_parameters(shape) - (0 if shape.tied else shape.vocabulary * shape.hidden)


def attention_flops(shape: Shape, attended_tokens: Any) -> Any:
    """FLOPs of one token's causal attention in one forward pass: 2·L·h·s, h the heads' width; windows cap s."""
    width = shape.heads * (shape.head + shape.rope_head / 2)
    full = (shape.layers - shape.windowed_layers) * np.asarray(attended_tokens)
    windowed = shape.windowed_layers * np.minimum(attended_tokens, 2 * shape.window_tokens)
    return 2 * width * (full + windowed)


def matrix_passes(technique: Technique, method: Method, recompute: bool) -> float:
    """How many times 2·N a token costs: forward, backward (frozen weights need no gradient of their own), again, reference."""
    return 1 + (2 if technique == "full" else 1) + recompute + (method == "dpo")


def attention_passes(method: Method, recompute: bool) -> float:
    """How many times a forward pass's attention a token costs: forward, backward (twice), again, reference."""
    return 3 + recompute + (method == "dpo")


def flops_per_token(shape: Shape, run: TrainingRun) -> Any:
    """FLOPs of one trained token: 6·N in full tuning and 4·N with adapters, attention, and what is computed again.

    With DPO every token of the chosen and of the rejected answer counts, and the reference model reads it once.
    """
    return _matrix_flops(shape, run) + _attention_flops(shape, run)


def _matrix_flops(shape: Shape, run: TrainingRun) -> float:
    return 2 * matrix_parameters(shape) * matrix_passes(run.technique, run.method, run.recompute)


def _attention_flops(shape: Shape, run: TrainingRun) -> Any:
    return attention_flops(shape, run.attended_tokens) * attention_passes(run.method, run.recompute)


def seconds_at_peak(shape: Shape, gpu: Gpu, run: TrainingRun) -> Any:
    """Seconds of one token were the peaks reached: matrices in the run's precision, attention in 16 bits."""
    sixteen: Precision = "fp16" if run.precision == "fp16" else "bf16"
    return _matrix_flops(shape, run) / peak_flops(gpu, run.precision) + _attention_flops(shape, run) / peak_flops(gpu, sixteen)


def expert_seconds_at_peak(shape: Shape, gpu: Gpu, run: TrainingRun) -> float:
    """Of `seconds_at_peak`, those of the experts' matrices."""
    passes = matrix_passes(run.technique, run.method, run.recompute)
    return 2 * active_expert_parameters(shape) * passes / peak_flops(gpu, run.precision)


def expert_slowness(shape: Shape, narrow_experts: float) -> float:
    """How many times longer the matrices of narrow experts take than wide ones with as many operations.

    (`WIDE_EXPERT` ÷ width)^exponent, and never longer than all experts at once: min(that, experts ÷ experts of a token). So an
    exponent below 1 keeps a model with wider or more experts from being faster, and one without experts from being faster than
    a mixture of as many parameters.
    """
    if not shape.experts:
        return 1.0
    every, of_token = shape.experts + shape.shared_experts, shape.experts_per_token + shape.shared_experts
    return float(min(np.exp(narrow_experts * expert_narrowness(shape)), every / of_token))


def peak_flops(gpu: Gpu, precision: Precision) -> float:
    """Peak FLOP/s of a GPU on dense matrices of a precision.

    Raises:
        TrainingRefused: it cannot, or its data sheet is not in the book.
    """
    peaks = {"bf16": gpu.bf16_dense_tflops, "fp16": gpu.fp16_dense_tflops or gpu.bf16_dense_tflops, "fp8": gpu.fp8_dense_tflops}
    peak = peaks[precision]
    if peak is None:
        can = ", ".join(name for name, known in peaks.items() if known) or "none"
        raise TrainingRefused(f"{gpu.name} has no known peak in {precision}; known: {can}. Choose another precision or GPU.")
    return peak * 1e12


# --- speed ----------------------------------------------------------------------------------------------------------------


def gpu_class(gpu: Gpu) -> str:
    """data-centre, blackwell, amd, or consumer: every card without the makers' fast links counts as one."""
    return next((kind for start, kind in _CLASSES.items() if gpu.name.startswith(start)), "consumer")


def kernels(framework: str) -> str:
    """``fused`` or ``plain``: what a framework's kernels are.

    Raises:
        TrainingRefused: it is not known; near matches are named.
    """
    if framework not in FRAMEWORKS:
        near = difflib.get_close_matches(framework, FRAMEWORKS, n=3, cutoff=0.5)
        hint = f"Did you mean {' or '.join(near)}?" if near else f"Known: {', '.join(sorted(FRAMEWORKS))}."
        raise TrainingRefused(f"There is no framework '{framework}'. {hint}")
    return FRAMEWORKS[framework]


def expert_narrowness(shape: Shape) -> float:
    """ln of how many times narrower than `WIDE_EXPERT` a model's experts are: narrow matrices keep a GPU less busy."""
    return float(np.log(max(1.0, WIDE_EXPERT / shape.feed_forward))) if shape.experts else 0.0


def features(shape: Shape, gpu: Gpu, run: TrainingRun) -> dict[str, Any]:
    """What multiplies the fitted coefficients, by their names; `expert_slowness` alone is no such product."""
    kind = gpu_class(gpu)
    return {
        "consumer_card": float(kind == "consumer"),
        "small_step": np.minimum(0.0, np.log(np.asarray(run.tokens_per_gpu_step) / REFERENCE_TOKENS_PER_STEP)),
        "amd": float(kind == "amd"),
        "blackwell": float(kind == "blackwell"),
        "padded": float(run.is_padded),
        "fp8": float(run.precision == "fp8"),
        "eager_experts": float(run.eager_experts and shape.experts > 0),
        "plain_kernels": float(kernels(run.framework) == "plain"),
        "unsloth_padded": float(run.framework == "unsloth" and run.is_padded),
        "long_sequence": (np.asarray(run.attended_tokens) >= LONG_SEQUENCE_TOKENS) * 1.0,
    }


def tokens_per_second_per_gpu(shape: Shape, gpu: Gpu, run: TrainingRun, fit: Fit) -> Any:
    """Tokens one GPU trains on in a second: the peak's, times the share of it that such runs reach.

    ln(tokens/s) = −ln(seconds of a token at peak, experts' times their slowness) + ln(efficiency) + Σ coefficient · feature

    Raises:
        TrainingRefused: sequence beyond the context, no tokens in a step, an unknown framework, or no peak in the precision.
    """
    if np.any(np.asarray(run.tokens_per_gpu_step) <= 0):
        raise TrainingRefused("A step of a GPU needs tokens: batch × tokens per example ÷ GPUs is 0.")
    _within_context(shape, run)
    coefficients = sum(fit.value(name) * value for name, value in features(shape, gpu, run).items())
    seconds = seconds_at_peak(shape, gpu, run)
    if shape.experts:
        seconds = seconds + (expert_slowness(shape, fit.value("narrow_experts")) - 1) * expert_seconds_at_peak(shape, gpu, run)
    return np.exp(fit.value("ln_efficiency") + coefficients) / seconds


def wall_hours(tokens: Any, tokens_per_second_per_gpu: Any, gpus: Any) -> Any:
    """Hours of a run over so many tokens, padding left out, every epoch counted.

    Raises:
        TrainingRefused: no tokens, or no GPU.
    """
    if np.any(np.asarray(tokens) <= 0):
        raise TrainingRefused("There are no tokens to train on. State how many, or give the training file.")
    if np.any(np.asarray(gpus) < 1):
        raise TrainingRefused("A run needs at least one GPU.")
    return np.asarray(tokens) / (np.asarray(tokens_per_second_per_gpu) * gpus * 3600)


def wall_time(tokens: Any, shape: Shape, gpu: Gpu, gpus: Any, run: TrainingRun, fit: Fit) -> WallTime:
    """Hours of a run with the interval that holds nine of ten."""
    hours = wall_hours(tokens, tokens_per_second_per_gpu(shape, gpu, run, fit), gpus)
    factor = interval_factor(fit, kind_of(shape, run))
    return WallTime(hours, hours / factor, hours * factor)


def evaluation_share(shape: Shape, run: TrainingRun) -> Any:
    """Work of one evaluated token over that of one trained token: a forward pass alone."""
    forward = 2 * matrix_parameters(shape) + attention_flops(shape, run.attended_tokens)
    return forward / flops_per_token(shape, run)


def kind_of(shape: Shape, run: TrainingRun) -> str:
    """``usual``, or ``exception``: runs whose speed hangs on kernels and padding more than on operations."""
    kernels_decide = run.is_padded or run.eager_experts or expert_narrowness(shape) > 0
    return "exception" if kernels_decide or np.any(np.asarray(run.attended_tokens) >= LONG_SEQUENCE_TOKENS) else "usual"


def interval_factor(fit: Fit, kind: str, coverage: float = 0.9) -> float:
    """What to divide and multiply a prediction by so that the interval covers such a share of runs of sources not seen."""
    from scipy.special import stdtrit  # slow to import, and wanted for intervals alone

    return float(np.exp(stdtrit(fit.degrees_of_freedom, (1 + coverage) / 2) * fit.residual_scale[kind]))


def _within_context(shape: Shape, run: TrainingRun) -> None:
    longest = np.max(run.attended_tokens)
    if shape.context_tokens is not None and longest > shape.context_tokens and not run.beyond_context:
        raise TrainingRefused(
            f"Sequences of {longest:,.0f} tokens are beyond the context of {shape.name}, {shape.context_tokens:,} tokens. "
            "Shorten them, choose a model of longer context, or say that its positions are stretched."
        )
