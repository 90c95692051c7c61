"""What own GPUs cost beside their hours, in plans and comparisons alike: spot interruptions, what is stored and sent.

Prices of storage and egress are those of whoever rents the GPUs out; where the book has none, nothing is counted, and that is
said.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from calc.hardware.architecture import Shape, lora_parameters
from calc.hardware.serving_throughput import Weights, weights_bytes

if TYPE_CHECKING:
    from calc.hardware.memory import Technique  # slow to import

GB = 1e9
STORAGE_KEY, EGRESS_KEY = "storage_usd_per_gb_month", "egress_usd_per_gb"


def spot_hours(hours: Any, service: str, interruption_share: Any) -> Any:
    """Hours of training with those repeated after interruptions: hours · (1 + share) on spot, else the hours."""
    return hours * (1 + interruption_share) if service == "spot" else hours


def spot_load(load: Any, service: str, spare_share: Any) -> Any:
    """Load in replicas with the spares that stand in while others are replaced: load · (1 + share) on spot, else the load."""
    return load * (1 + spare_share) if service == "spot" else load


def unmerged(adapters: Any) -> Any:
    """Adapters kept beside the base model: all of several; a single one is merged into it and takes nothing."""
    return np.where(np.asarray(adapters) > 1, adapters, 0)[()]


def served_gb(shape: Shape, weights: Weights, adapters: Any = 1, rank: float = 16) -> Any:
    """GB of what is served: the weights, and each adapter that is not merged into them, in 16 bits."""
    return (weights_bytes(shape, weights) + unmerged(adapters) * 2 * lora_parameters(shape, rank)) / GB


def result_gb(shape: Shape, technique: Technique, rank: float = 16) -> float:
    """GB of what one run makes, in 16 bits: all weights, or an adapter."""
    return (weights_bytes(shape, "fp16") if technique == "full" else 2 * lora_parameters(shape, rank)) / GB


def tuning_gb(
    shape: Shape, technique: Technique, checkpoints: Any, data_tokens: Any, bytes_per_token: Any, rank: float = 16
) -> Any:
    """GB of what tuning stores: the base model's weights in 16 bits, the results that one run keeps, and the data.

    Args:
        data_tokens: of the data set, each example once.
    """
    return (
        weights_bytes(shape, "fp16") / GB
        + checkpoints * result_gb(shape, technique, rank)
        + text_gb(data_tokens, bytes_per_token)
    )


def text_gb(tokens: Any, bytes_per_token: Any) -> Any:
    """GB of text: of a data set, or of answers."""
    return np.asarray(tokens) * bytes_per_token / GB
