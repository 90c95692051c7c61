"""The one place where today's date is read."""

from __future__ import annotations

from datetime import UTC, date, datetime

import typer

END = date(2100, 1, 1)
"""No day of prices is as late, as in a scenario's as_of."""


def today() -> date:
    """Today's UTC date."""
    return datetime.now(UTC).date()


def day_or_today(text: str | None) -> date:
    """The day an option names as ``2026-11-20``; today where it is not given.

    Raises:
        typer.BadParameter: it is not a date, or not before `END`.
    """
    if text is None:
        return today()
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"'{text}' is not a date; write it like 2026-11-20", param_hint="--as-of") from None
    if day >= END:
        raise typer.BadParameter(f"'{text}' is too late; expected a day before {END}", param_hint="--as-of")
    return day
