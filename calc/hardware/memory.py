"""How much memory tuning a model takes on each GPU: the largest of the phases of a step, by what it is made of.

Weights, gradients and optimizer states follow from the shape of the model and the technique; how much the logits and a layer at
work take is fitted to published measurements (`calibration.memory`) and read from the price book as a `Fit`. Sizes that a
setup leaves open (`TuningSetup.sequence_tokens`, `micro_batch`, `gpus`) may be arrays; everything returned is then one too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from scipy.special import stdtrit

from calc.hardware.architecture import (
    ALL_LINEAR,
    Shape,
    Target,
    embedding_parameters,
    largest_layer_parameters,
    lora_parameters,
    total_parameters,
    why_not_split,
)
from pricing.errors import PricingError
from pricing.model import Fit, Gpu

Technique = Literal["full", "lora", "qlora"]
Quantisation = Literal["nf4", "nf4-double", "gptq", "int8"]
Sharding = Literal["none", "zero-1", "zero-2", "zero-3", "fsdp2"]
Recompute = Literal["none", "selective", "full", "offloaded"]
Loss = Literal["standard", "fused", "chunked"]
Optimizer = Literal["adamw", "adamw-8bit", "paged-adamw-8bit"]

GIB = 2.0**30

QUANTISED_BYTES: dict[Quantisation, float] = {"nf4": 0.5625, "nf4-double": 0.516, "gptq": 0.53, "int8": 1.0}
"""Bytes a parameter: 4 bits and one 32-bit scale for 64 (nf4), that scale in 8 bits (double), 16 and 4 bits for 128 (GPTQ)."""

EIGHT_BIT_STATES = 2.0
"""Bytes a parameter of both Adam states in 8 bits."""

CONTEXT_GIB = 0.5
"""What the driver and its libraries take beside PyTorch: 0.14 GiB on a T4, 0.4 to 0.6 on a data-centre GPU."""


class MemoryRefused(PricingError):
    """A setup that cannot be, or of which too little is known."""


@dataclass(frozen=True)
class TuningSetup:
    """How a model is tuned. The defaults are those of Transformers with PEFT on one GPU."""

    technique: Technique = "lora"
    sequence_tokens: Any = 2048
    """Tokens of one sequence as computed: padding counts."""
    micro_batch: Any = 1
    """Sequences that one GPU takes at a time."""
    gpus: Any = 1
    sharding: Sharding = "none"
    """What is split over data-parallel GPUs: nothing, optimizer states (1), gradients too (2), weights too (3, as FSDP does).

    fsdp2: as 3, by PyTorch's second implementation, which wastes less of what it reserves.
    """
    tensor_parallel: int = 1
    pipeline_parallel: int = 1
    context_parallel: int = 1
    recompute: Recompute = "full"
    """Which activations are computed again in the backward pass; offloaded: all, and the layers' inputs wait in host memory."""
    attention: Literal["flash", "eager"] = "flash"
    loss: Loss = "standard"
    """standard: the logits are copied in 32 bits; fused: one kernel over them, or code that keeps them in 16 bits; chunked:
    never all of them at a time."""
    master_weights: bool = False
    """Weights in 32 bits and computed with in 16; in full tuning gradients and optimizer states are in 32 bits too."""
    optimizer: Optimizer = "adamw"
    quantisation: Quantisation = "nf4-double"
    upcast: bool = True
    """QLoRA with everything that is not quantised in 32 bits, as PEFT prepares it; otherwise in 16."""
    rank: float = 16
    targets: tuple[Target, ...] = ALL_LINEAR
    accumulates: bool = False
    """Whether gradients of several micro-batches are summed before a step."""

    @property
    def data_parallel(self) -> Any:
        """GPUs that see different data."""
        return self.gpus / (self.tensor_parallel * self.pipeline_parallel * self.context_parallel)


@dataclass(frozen=True)
class MemoryNeed:
    """Memory of each GPU in GiB as PyTorch counts what it allocated, in the phase of a step that takes most."""

    weights: Any
    optimizer: Any
    gradients: Any
    activations: Any
    logits: Any
    overhead: Any
    """Weights gathered of a sharded layer, or temporary copies of the optimizer."""
    phase: Any
    """Which phase that is: loss, backward begins, backward ends, step (of the optimizer) or load."""
    reserved_factor: float
    """Reserved by PyTorch from the driver over allocated, as published."""
    margin: float
    """What the likely peak is multiplied by for the 90th percentile of the prediction."""

    @property
    def peak_gib(self) -> Any:
        """Allocated at the peak, GiB: the likely value."""
        return self.weights + self.optimizer + self.gradients + self.activations + self.logits + self.overhead

    @property
    def reserved_gib(self) -> Any:
        """Reserved by PyTorch, GiB."""
        return self.peak_gib * self.reserved_factor

    @property
    def driver_gib(self) -> Any:
        """In use as the driver reports it (nvidia-smi), GiB."""
        return self.reserved_gib + CONTEXT_GIB

    @property
    def needed_gib(self) -> Any:
        """What a GPU must have for the setup to fit: in use at the 90th percentile of the prediction."""
        return self.reserved_gib * self.margin + CONTEXT_GIB

    @property
    def breakdown(self) -> dict[str, Any]:
        """The parts of the peak in GiB, by name; they sum to `peak_gib`."""
        names = ("weights", "optimizer", "gradients", "activations", "logits", "overhead")
        return {name: getattr(self, name) for name in names}


# --- parts ----------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Bytes:
    """Bytes a trainable parameter."""

    weights: float
    gradients: float
    optimizer: float
    temporary: float


def trainable_bytes(setup: TuningSetup) -> _Bytes:
    """Bytes of each trainable parameter: 2, 2, 4 and 2 in 16 bits; 4, 4, 8 and 4 with 32-bit weights.

    Adapters are kept in 32 bits.
    """
    width = 4.0 if setup.technique != "full" or setup.master_weights else 2.0
    if setup.optimizer == "adamw":
        return _Bytes(width, width, 2 * width, width)
    return _Bytes(width, width, EIGHT_BIT_STATES, 0.0)


def base_weight_bytes(shape: Shape, setup: TuningSetup) -> float:
    """Bytes of the base model's weights, all GPUs together."""
    total = total_parameters(shape)
    if setup.technique == "full":
        return total * trainable_bytes(setup).weights
    if setup.technique == "lora":
        return total * (
            6.0 if setup.master_weights else 2.0
        )  # frozen weights in 32 bits, and the 16-bit copies that backward needs
    kept = embedding_parameters(shape) + shape.other_parameters
    return (total - kept) * QUANTISED_BYTES[setup.quantisation] + kept * (4.0 if setup.upcast else 2.0)


def attention_activation_bytes(shape: Shape, setup: TuningSetup) -> Any:
    """Bytes that attention and the norms of one layer keep of each token: inputs, queries, keys, values, scores where eager."""
    kept = 12.0 * shape.hidden + 4.0 * shape.head * shape.kv_heads
    return kept + 10.0 * shape.heads * setup.sequence_tokens if setup.attention == "eager" else kept


def feed_forward_activation_bytes(shape: Shape, width: float) -> float:
    """Bytes that feed-forward matrices of one layer keep of each token: gate, its activation, up and product, or only two."""
    return (8.0 if shape.feed_forward_matrices == 3 else 4.0) * width


def _expert_width(shape: Shape) -> float:
    """Width of what one token passes through in a layer with experts; 0 without."""
    return shape.feed_forward * (shape.experts_per_token + shape.shared_experts) if shape.experts else 0.0


def _dense_width(shape: Shape) -> float:
    return shape.dense_feed_forward if shape.dense_layers else 0.0


def kept_activation_bytes(shape: Shape, setup: TuningSetup, fit: Fit) -> Any:
    """Bytes that all layers keep of each token until their backward pass."""
    inputs = shape.hidden * _residual_width(setup)
    mean_width = (shape.dense_layers * _dense_width(shape) + shape.expert_layers * _expert_width(shape)) / shape.layers
    upcast = fit.value("upcast_activations") if _is_upcast(setup) else 1.0
    kept = attention_activation_bytes(shape, setup) + feed_forward_activation_bytes(shape, mean_width)
    layer = kept * fit.value("kept_activations") * upcast
    by_recompute = {"none": layer, "selective": (layer + inputs) / 2, "full": inputs, "offloaded": 0.0}
    return shape.layers * by_recompute[setup.recompute]


def _is_upcast(setup: TuningSetup) -> bool:
    return setup.technique == "qlora" and setup.upcast


def _residual_width(setup: TuningSetup) -> float:
    """Bytes a number between layers."""
    return 4.0 if _is_upcast(setup) else 2.0


def working_set_bytes(shape: Shape, setup: TuningSetup, fit: Fit) -> Any:
    """Bytes of each token while the largest layer is in its backward pass. Experts work one after another."""
    sharded_adapters = setup.technique != "full" and shards_weights(setup)
    factor = fit.value("working_set_sharded_adapters" if sharded_adapters else "working_set")
    experts = feed_forward_activation_bytes(shape, _expert_width(shape)) * fit.value("expert_working_set")
    widest = max(experts, feed_forward_activation_bytes(shape, _dense_width(shape)))
    return factor * (attention_activation_bytes(shape, setup) + widest)


def logits_bytes(shape: Shape, setup: TuningSetup, fit: Fit) -> float:
    """Bytes of each token while its loss is taken: the logits, their copies and gradients."""
    loss = "upcast" if setup.loss == "standard" and _is_upcast(setup) else setup.loss
    return shape.vocabulary * fit.value(f"logits_bytes_{loss}")


def shards_weights(setup: TuningSetup) -> bool:
    """Whether each GPU keeps a part of the weights only."""
    return setup.sharding in ("zero-3", "fsdp2")


# --- the need -------------------------------------------------------------------------------------------------------------


def memory_need(shape: Shape, setup: TuningSetup, fit: Fit) -> MemoryNeed:
    """Memory of each GPU when tuning a model.

    Args:
        fit: `Rates.fit("memory")`.

    Raises:
        MemoryRefused: the setup cannot be, in words.
    """
    refuse(shape, setup)
    peak, phase = _largest(_phases(shape, setup, fit))
    weights, optimizer, gradients, activations, logits, overhead = peak
    return MemoryNeed(
        weights=weights,
        optimizer=optimizer,
        gradients=gradients,
        activations=activations,
        logits=logits,
        overhead=overhead,
        phase=phase,
        reserved_factor=_reserved_factor(setup, fit),
        margin=interval_factor(fit, 0.9),
    )


def memory_phases(shape: Shape, setup: TuningSetup, fit: Fit) -> dict[str, dict[str, Any]]:
    """GiB of each part in every phase of a step, by phase and part; `memory_need` is the largest of them.

    Raises:
        MemoryRefused: the setup cannot be, in words.
    """
    refuse(shape, setup)
    names = ("weights", "optimizer", "gradients", "activations", "logits", "overhead")
    return {phase: dict(zip(names, parts, strict=True)) for phase, parts in _phases(shape, setup, fit).items()}


def _phases(shape: Shape, setup: TuningSetup, fit: Fit) -> dict[str, tuple[Any, ...]]:
    """Weights, optimizer states, gradients, activations, logits and overhead of each phase, GiB of each GPU."""
    replicas = setup.data_parallel
    model_parts = setup.tensor_parallel * setup.pipeline_parallel
    weight_parts = model_parts * (replicas * setup.context_parallel if shards_weights(setup) else 1)
    gradient_parts = model_parts * (replicas * setup.context_parallel if setup.sharding in ("zero-2", "zero-3", "fsdp2") else 1)
    state_parts = model_parts * (replicas * setup.context_parallel if setup.sharding != "none" else 1)

    each = trainable_bytes(setup)
    adapters = 0.0 if setup.technique == "full" else lora_parameters(shape, setup.rank, setup.targets)
    trainable = adapters or total_parameters(shape)
    weights = (base_weight_bytes(shape, setup) + adapters * each.weights) / weight_parts / GIB
    optimizer = trainable * each.optimizer / state_parts / GIB
    gradients = trainable * each.gradients / gradient_parts / GIB
    temporary = trainable * each.temporary / state_parts / GIB

    tokens = setup.sequence_tokens * setup.micro_batch / setup.context_parallel / setup.tensor_parallel
    activations = tokens * kept_activation_bytes(shape, setup, fit) / GIB
    layer = tokens * working_set_bytes(shape, setup, fit) / GIB
    logits = tokens * logits_bytes(shape, setup, fit) / GIB
    gathered = _gathered_bytes(shape, setup) / setup.tensor_parallel / GIB

    none = 0.0 * (weights + activations)
    waiting = gradients if setup.accumulates else none
    return {
        "loss": (weights, optimizer, waiting, activations, logits, gathered),
        "backward begins": (weights, optimizer, waiting, activations + layer, none, gathered),
        "backward ends": (weights, optimizer, gradients, layer, none, gathered),
        "step": (weights, optimizer, gradients, none, none, temporary),
        "load": (weights, none, none, none, none, _load_bytes(shape, setup) / GIB + none),
    }


def interval_factor(fit: Fit, probability: float = 0.95) -> float:
    """What a predicted peak is multiplied by to be exceeded with 1 - probability only."""
    return float(np.exp(stdtrit(fit.degrees_of_freedom, probability) * fit.residual_scale["peak"]))


def _gathered_bytes(shape: Shape, setup: TuningSetup) -> float:
    """Bytes of weights that are whole for a while where each GPU keeps a part: a layer, or the whole stage of a pipeline."""
    if not shards_weights(setup):
        return 0.0
    if setup.pipeline_parallel > 1:
        return total_parameters(shape) / setup.pipeline_parallel * 6.0
    width = QUANTISED_BYTES[setup.quantisation] if setup.technique == "qlora" else 2.0
    return max(largest_layer_parameters(shape) * width, shape.vocabulary * shape.hidden * 2.0)


def _load_bytes(shape: Shape, setup: TuningSetup) -> float:
    """Bytes beside the weights while a model is quantised: its largest matrix in 16 bits."""
    largest = shape.hidden * max(shape.vocabulary, shape.dense_feed_forward, shape.feed_forward)
    return largest * 2.0 if setup.technique == "qlora" else 0.0


def _reserved_factor(setup: TuningSetup, fit: Fit) -> float:
    return fit.value("reserved_factor_sharded" if setup.sharding == "zero-3" else "reserved_factor")


def _choose(condition: Any, yes: Any, no: Any) -> Any:
    return (yes if condition else no) if isinstance(condition, bool | np.bool_) else np.where(condition, yes, no)


def _largest(phases: dict[str, tuple[Any, ...]]) -> tuple[tuple[Any, ...], Any]:
    """The parts of the phase that takes most, and its name, place by place where they are arrays."""
    (phase, peak), *rest = phases.items()
    name: Any = phase
    for other, parts in rest:
        more = sum(parts) > sum(peak)
        peak = tuple(_choose(more, part, kept) for part, kept in zip(parts, peak, strict=True))
        name = _choose(more, other, name)
    return peak, name


# --- what fits ------------------------------------------------------------------------------------------------------------


def refuse(shape: Shape, setup: TuningSetup) -> None:
    """Raise `MemoryRefused` where a setup cannot be."""
    longest = float(np.max(setup.sequence_tokens))
    if shape.context_tokens is not None and longest > shape.context_tokens:
        raise MemoryRefused(
            f"Sequences of {longest:,.0f} tokens are longer than the {shape.context_tokens:,} that {shape.name} takes. "
            "Shorten them, or choose a model with a longer context."
        )
    for name in ("sequence_tokens", "micro_batch", "gpus", "tensor_parallel", "pipeline_parallel", "context_parallel"):
        if not float(np.min(getattr(setup, name))) >= 1:
            raise MemoryRefused(f"{name} is {np.min(getattr(setup, name))}; it must be 1 or more.")
    if reason := why_not_split(shape, setup.tensor_parallel):
        raise MemoryRefused(reason)
    if setup.technique != "full" and not setup.rank >= 1:
        raise MemoryRefused(f"The rank of the adapters is {setup.rank}; it must be 1 or more.")
    if setup.technique != "full" and not lora_parameters(shape, 1, setup.targets):
        raise MemoryRefused("The adapters sit on no matrix of the model. Name targets among q, k, v, o, gate, up, down.")
    if np.any(np.asarray(setup.data_parallel) % 1):
        parts = setup.tensor_parallel * setup.pipeline_parallel * setup.context_parallel
        raise MemoryRefused(f"{setup.gpus} GPUs cannot be split into tensor, pipeline and context parallel sets of {parts}.")


def usable_gib(gpu: Gpu) -> float:
    """GiB of a GPU that programs see, as users report it; where nobody did, the sheet's gigabytes of 10^9 bytes."""
    return gpu.driver_memory_gib or gpu.memory_gb * 1e9 / GIB


def fits(need: MemoryNeed, gpu: Gpu) -> Any:
    """Whether the 90th percentile of the need is no more than what the driver reports of the GPU."""
    return need.needed_gib <= usable_gib(gpu)


@dataclass(frozen=True)
class FewestGpus:
    """The fewest GPUs that a setup fits on, and why not fewer."""

    setup: TuningSetup
    need: MemoryNeed
    why_not_fewer: str
    """In words; empty where one GPU does."""


def sharded_needs(
    shape: Shape, setup: TuningSetup, fit: Fit, counts: Sequence[int] = (1, 2, 4, 8, 16, 32, 64)
) -> tuple[tuple[TuningSetup, MemoryNeed], ...]:
    """What a setup needs on one GPU, and fully sharded over each of these numbers of GPUs, in ascending order."""
    setups = [replace(setup, gpus=count, sharding="none" if count == 1 else "zero-3") for count in sorted(counts)]
    return tuple((each, memory_need(shape, each, fit)) for each in setups)


def fewest_of(shape: Shape, needs: Sequence[tuple[TuningSetup, MemoryNeed]], gpu: Gpu) -> FewestGpus:
    """The first of the needs that fits a GPU, in the order of `sharded_needs`.

    Raises:
        MemoryRefused: none of them does; what takes most is named, and what would help.
    """
    fewer: tuple[TuningSetup, MemoryNeed] | None = None
    for setup, need in needs:
        if fits(need, gpu):
            return FewestGpus(setup, need, "" if fewer is None else _why_not(*fewer, gpu))
        fewer = setup, need
    if fewer is None:
        raise MemoryRefused("No number of GPUs was tried. Name at least one.")
    raise MemoryRefused(f"{shape.name} does not fit on any number of GPUs tried. {_why_not(*fewer, gpu)} {_remedy(fewer[1])}")


def fewest_gpus(
    shape: Shape, setup: TuningSetup, gpu: Gpu, fit: Fit, counts: Sequence[int] = (1, 2, 4, 8, 16, 32, 64)
) -> FewestGpus:
    """The fewest of these numbers of GPUs on which a setup fits, fully sharded where there are several.

    Raises:
        MemoryRefused: as `fewest_of`, or the setup cannot be.
    """
    return fewest_of(shape, sharded_needs(shape, setup, fit, counts), gpu)


def _why_not(setup: TuningSetup, need: MemoryNeed, gpu: Gpu) -> str:
    part, size = max(need.breakdown.items(), key=lambda item: float(item[1]))
    gpus = "one GPU" if setup.gpus == 1 else f"each of {setup.gpus} GPUs"
    return (
        f"On {gpus} it needs {need.needed_gib:.0f} GiB with a margin for error, and {gpu.name} has {usable_gib(gpu):.0f}; "
        f"most of it is {part} ({size:.0f} GiB)."
    )


def _remedy(need: MemoryNeed) -> str:
    part = max(need.breakdown, key=lambda name: float(need.breakdown[name]))
    by_part = {
        "weights": "Quantise the base model (QLoRA), or take GPUs with more memory.",
        "optimizer": "Train adapters, or keep the optimizer's states in 8 bits.",
        "gradients": "Train adapters instead of all weights.",
        "activations": "Shorten the sequences, take fewer at a time, or recompute activations.",
        "logits": "Take a chunked loss, fewer sequences at a time, or shorter ones.",
        "overhead": "Keep the optimizer's states in 8 bits, or train adapters.",
    }
    return by_part[part]
