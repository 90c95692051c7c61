"""The palette: readable as text, as ground for text, and apart for every common colour vision."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from reports.palette import PALETTES

READABLE = 4.5
"""Contrast that WCAG 2 asks of text."""
APART = 0.06
"""Least difference in Oklab between two approaches' colours, as seen by each colour vision."""

# Machado, Oliveira and Fernandes (2009), severity 1, on linear RGB.
VISIONS = {
    "full": np.eye(3),
    "protanopia": np.array([[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]),
    "deuteranopia": np.array([[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]),
    "tritanopia": np.array([[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]),
}


def linear(colour: str) -> np.ndarray:
    encoded = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    return np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)


def contrast(a: str, b: str) -> float:
    dark, light = sorted(float(linear(c) @ [0.2126, 0.7152, 0.0722]) for c in (a, b))
    return (light + 0.05) / (dark + 0.05)


def oklab(rgb: np.ndarray) -> np.ndarray:
    cone = np.array([[0.4122214708, 0.5363325363, 0.0514459929], [0.2119034982, 0.6806995451, 0.1073969566],
                     [0.0883024619, 0.2817188376, 0.6299787005]])  # fmt: skip
    lab = np.array([[0.2104542553, 0.7936177850, -0.0040720468], [1.9779984951, -2.4285922050, 0.4505937099],
                    [0.0259040371, 0.7827717662, -0.8086757660]])  # fmt: skip
    return lab @ np.cbrt(cone @ np.clip(rgb, 0, 1))


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_approach_colours_are_readable_both_ways(theme):
    palette = PALETTES[theme]
    for family, colour in palette.families.items():
        assert contrast(colour, palette.background) >= READABLE, family
        assert contrast(colour, palette.on_colour) >= READABLE, family


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_names_and_borders_on_the_map_are_readable(theme):
    palette = PALETTES[theme]
    for family in palette.families:
        for ground in palette.tints(family):
            assert contrast(palette.on_tint(family), ground) >= READABLE, family
            assert contrast(palette.text, ground) >= READABLE, family


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_on_parts_of_cost_is_readable(theme):
    palette = PALETTES[theme]
    for group, colour in palette.groups.items():
        assert contrast(colour, palette.on_groups[group]) >= READABLE, group
    for text in (palette.text, palette.soft, palette.warning):
        assert contrast(text, palette.background) >= READABLE


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("vision", VISIONS)
def test_approaches_stay_apart_for_every_colour_vision(theme, vision):
    seen = {family: oklab(VISIONS[vision] @ linear(colour)) for family, colour in PALETTES[theme].families.items()}
    for a, b in combinations(seen, 2):
        assert np.linalg.norm(seen[a] - seen[b]) >= APART, (a, b)
