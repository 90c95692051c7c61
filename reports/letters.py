"""Which letters the report's font has: others are replaced, and the report says so."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

FONT_FOLDER = Path(__file__).parent / "fonts"
REPLACEMENT = "□"
LONGEST_WORD = 12
"""Letters after which a word may be broken."""
BREAK = "\u200b"


def printable(value: Any) -> tuple[Any, int]:
    """Texts in dicts and lists with every character the font lacks replaced, and how many were."""
    if isinstance(value, str):
        return printable_text(value)
    if isinstance(value, dict):
        pairs = {key: printable(item) for key, item in value.items()}
        return {key: item for key, (item, _) in pairs.items()}, sum(count for _, count in pairs.values())
    if isinstance(value, Sequence):
        items = [printable(item) for item in value]
        return [item for item, _ in items], sum(count for _, count in items)
    return value, 0


def printable_text(text: str) -> tuple[str, int]:
    """One text: composed, without control characters, of letters the font has; ceilings are written as roundup( )."""
    text = unicodedata.normalize("NFC", text).replace("⌈", "roundup(").replace("⌉", ")")
    kept = [_letter(character) for character in text]
    return "".join(kept), sum(new == REPLACEMENT != old for old, new in zip(text, kept, strict=True))


def _letter(character: str) -> str:
    if ord(character) in _characters() or character in ("\n", BREAK):
        return character
    if character.isspace() or unicodedata.category(character) in ("Cc", "Cf"):
        return " " if character.isspace() else ""
    return REPLACEMENT


def breakable(text: str) -> str:
    """Long words may be broken, so that none leaves its column."""
    words = text.split(" ")
    return " ".join(BREAK.join(w[i : i + LONGEST_WORD] for i in range(0, len(w), LONGEST_WORD)) for w in words)


@cache
def _characters() -> frozenset[int]:
    """What the bundled font can print."""
    from matplotlib.ft2font import FT2Font

    return frozenset(FT2Font(str(FONT_FOLDER / "TuneworthSans-Regular.ttf")).get_charmap())
