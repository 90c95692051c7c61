"""The method is written in the names the code uses: every name in docs/method.md exists."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import calc
import pricing

ROOT = Path(__file__).resolve().parents[2]
NAMES = sorted(set(re.findall(r"`([^`\n]+)`", (ROOT / "docs" / "method.md").read_text(encoding="utf-8"))))
PACKAGES = (calc, pricing)


def modules() -> Iterator[Any]:
    for package in PACKAGES:
        yield package
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            yield importlib.import_module(found.name)


def classes() -> Iterator[type]:
    return (kind for module in modules() for kind in vars(module).values() if isinstance(kind, type))


def has(place: Any, name: str) -> bool:
    """Whether a module or a class holds a name: a function, a class, an attribute or a field."""
    return hasattr(place, name) or name in getattr(place, "__annotations__", {})


def is_at(place: Any, path: list[str]) -> bool:
    """Whether a dotted path leads somewhere from a module or a class."""
    return not path or (has(place, path[0]) and is_at(getattr(place, path[0], None), path[1:]))


def exists(name: str) -> bool:
    """A file, an assumption, a dotted path from a package, a field of a class named by it, or a name anywhere in the model."""
    if name in pricing.PriceBook.bundled().assumptions:
        return True
    if "/" in name:
        return any(ROOT.glob(name))
    first, *rest = name.split(".")
    for package in PACKAGES:
        if first == package.__name__:
            return is_at(package, rest)
    if rest:
        return any(kind.__name__.lower() == first.lower() and is_at(kind, rest) for kind in classes())
    return any(has(place, name) for place in (*modules(), *classes()))


def test_names_are_found():
    assert len(NAMES) > 40


@pytest.mark.parametrize("name", NAMES)
def test_name_exists(name: str):
    assert exists(name), f"docs/method.md names `{name}`, which is nowhere in calc or pricing"


@pytest.mark.parametrize("name", ["calc.setting.peak_share", "Approach.colour", "prefix_words", "calc/nowhere/*.py"])
def test_a_name_that_is_gone_is_noticed(name: str):
    assert not exists(name)
