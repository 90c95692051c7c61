"""Every colour of the product, for a light and a dark page, in one place.

Approach hues mean approaches only; parts of cost are teal where they grow with the volume and slate where they do not. A
colour never stands alone: a name is written beside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from calc.ledger import Group
from calc.scenario import Family
from reports.words import MemoryPartName

ThemeName = Literal["light", "dark"]
FAINT, FULL = 0.06, 0.41
"""Share of an approach's colour in its ground on a map."""
ON_TINT = 0.5
"""Share of the text's colour in a name on that ground."""


def mixed(colour: str, other: str, share: float) -> str:
    """A colour with a share of another one."""
    pairs = [(int(colour[at : at + 2], 16), int(other[at : at + 2], 16)) for at in (1, 3, 5)]
    return "#" + "".join(f"{round(a + (b - a) * share):02X}" for a, b in pairs)


@dataclass(frozen=True)
class Palette:
    """The colours of one theme."""

    background: str
    text: str
    soft: str
    """Axis labels and captions of charts."""
    border: str
    grid: str
    marker: str
    """Today's vertical line and the drops of crossings."""
    on_colour: str
    """Text on an approach's colour."""
    warning: str
    price: str
    """The line of the price that was asked for; the others of its offer are soft."""
    families: dict[Family, str]
    groups: dict[Group, str]
    on_groups: dict[Group, str]
    """Text on a part of cost."""

    def tints(self, family: Family) -> tuple[str, str]:
        """An approach's ground on a map: where it hardly leads, and where it leads by far."""
        faint, full = (mixed(self.background, self.families[family], share) for share in (FAINT, FULL))
        return faint, full

    def on_tint(self, family: Family) -> str:
        """An approach's name on its ground."""
        return mixed(self.families[family], self.text, ON_TINT)


LIGHT = Palette(
    background="#FFFFFF",
    text="#0F1722",
    soft="#5B6675",
    border="#D5DBE3",
    grid="#E6EAEF",
    marker="#7A8592",
    on_colour="#FFFFFF",
    warning="#B4530A",
    price="#0F766E",
    families={
        "prompting": "#6B7280",
        "few-shot": "#A26800",
        "rag": "#0F6FDE",
        "fine-tuning": "#A3172A",
        "hybrid": "#45257F",
    },
    groups={
        "rejected answers": "#0F766E",
        "tokens": "#63B3AA",
        "gpu rental": "#3F4C5E",
        "staff and evaluation": "#8392A5",
        "data and training": "#B3BDC9",
        "retrieval": "#CDD5DD",
        "commitments and credits": "#E6D9C3",
    },
    on_groups={
        "rejected answers": "#FFFFFF",
        "tokens": "#0F1722",
        "gpu rental": "#FFFFFF",
        "staff and evaluation": "#0F1722",
        "data and training": "#0F1722",
        "retrieval": "#0F1722",
        "commitments and credits": "#0F1722",
    },
)

DARK = Palette(
    background="#10161F",
    text="#E8EDF3",
    soft="#A9B5C3",
    border="#323E4C",
    grid="#27323E",
    marker="#8995A2",
    on_colour="#10161F",
    warning="#F2A56D",
    price="#5FC9BD",
    families={
        "prompting": "#8F98A6",
        "few-shot": "#F3CE6B",
        "rag": "#86C5FA",
        "fine-tuning": "#F2654F",
        "hybrid": "#B068E8",
    },
    groups={
        "rejected answers": "#5FC9BD",
        "tokens": "#2A7C75",
        "gpu rental": "#C9D2DC",
        "staff and evaluation": "#8D9BAB",
        "data and training": "#5E6C7C",
        "retrieval": "#3E4A58",
        "commitments and credits": "#5C5140",
    },
    on_groups={
        "rejected answers": "#10161F",
        "tokens": "#FFFFFF",
        "gpu rental": "#10161F",
        "staff and evaluation": "#10161F",
        "data and training": "#FFFFFF",
        "retrieval": "#FFFFFF",
        "commitments and credits": "#FFFFFF",
    },
)

PALETTES: dict[ThemeName, Palette] = {"light": LIGHT, "dark": DARK}

MEMORY_GROUPS: dict[MemoryPartName, Group] = {
    "weights": "gpu rental",
    "optimizer": "staff and evaluation",
    "gradients": "data and training",
    "overhead": "retrieval",
    "activations": "tokens",
    "logits": "rejected answers",
}
"""Parts of memory take the colours of parts of cost: teal grows with the tokens at work, slate does not."""
