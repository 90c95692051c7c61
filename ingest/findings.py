"""What a training file's examples tell of their quality."""

from __future__ import annotations

from typing import Any

from ingest.examples import Example


class Findings:
    """Findings about examples as they come."""

    def add(self, file: str, line: int | None, example: Example, *, validation: bool = False) -> None:
        """One example."""

    def rows(self, several: bool) -> list[dict[str, Any]]:
        """What was found, a row each."""
        return []


def place(file: str, line: int | None, several: bool) -> str:
    """A line as it is shown, with its file where there are several."""
    return f"{file}:{line}" if several else str(line)
