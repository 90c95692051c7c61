"""A comparison as plain data."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from calc.estimate import Estimate
from calc.scenario import Scenario


def stated_ranges(scenario: Scenario) -> dict[str, Estimate]:
    """The inputs stated as ranges, by their path in the scenario's file."""
    return dict(_ranges(scenario, ""))


def _ranges(value: Any, path: str) -> list[tuple[str, Estimate]]:
    if isinstance(value, Estimate):
        return [(path, value)]
    inside: list[tuple[Any, Any]] = []
    if isinstance(value, BaseModel):
        inside = list(value.__dict__.items())
    elif isinstance(value, dict):
        inside = list(value.items())
    elif isinstance(value, tuple | list):
        inside = list(enumerate(value))
    return [found for key, item in inside for found in _ranges(item, f"{path}.{key}" if path else str(key))]
