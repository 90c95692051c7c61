"""What is wrong with something the user gave: where, what was expected, what to do next."""

from __future__ import annotations

from pricing.problems import Problem

__all__ = ["InputError", "NotInstalled", "Problem"]


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
