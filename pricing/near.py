"""What somebody may have meant by a name that is not known."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def did_you_mean(wanted: str, names: Iterable[str], *, most: int = 3, cutoff: float = 0.5) -> str:
    """The question after the names nearest to one, such as "Did you mean h100 or h200?"; empty where none is near.

    Args:
        most: names in the question, the nearest first.
        cutoff: from 0 to 1, how alike they must be.
    """
    near = difflib.get_close_matches(wanted, list(dict.fromkeys(names)), n=most, cutoff=cutoff)
    return f"Did you mean {' or '.join(near)}?" if near else ""
