"""What is wrong with something the user gave: where, what was expected, what to do next."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """One thing wrong with an input file.

    ``field`` is the dotted path, ``line`` and ``column`` count from 1; each is None where it does not apply.
    """

    file: str
    wrong: str
    expected: str = ""
    next_step: str = ""
    field: str | None = None
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        place = [self.file]
        place += [f"line {self.line}"] if self.line is not None else []
        place += [f"column {self.column}"] if self.column is not None else []
        place += [self.field] if self.field else []
        said = " ".join(_sentence(text) for text in (self.wrong, self.expected, self.next_step) if text)
        return f"{', '.join(place)}: {said}"


class InputError(Exception):
    """An input cannot be used. The message is meant to be shown; `problems` holds the same, one by one."""

    def __init__(self, *problems: Problem) -> None:
        self.problems = problems
        super().__init__("\n".join(map(str, problems)))


class NotInstalled(Exception):
    """Something was asked for that needs an optional part of tuneworth."""

    def __init__(self, what: str, extra: str) -> None:
        self.extra = extra
        super().__init__(f"{what} needs the '{extra}' extra, which is not installed: pip install 'tuneworth[{extra}]'.")


def _sentence(text: str) -> str:
    return text if text.endswith((".", "?", "!", "…")) else text + "."
