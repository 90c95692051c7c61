"""What is wrong with a file somebody wrote: where, what was expected, what to do next; and the words that say it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from pricing.near import did_you_mean

Path = tuple[str, ...]
Place = tuple[str | int, ...]
"""Keys from the top of a file down; an element of a list by its number, from 0."""

_GROUP_TYPES = frozenset({"dict_type", "model_type", "model_attributes_type"})
_LIST_TYPES = frozenset({"list_type", "tuple_type", "set_type"})


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
        return self._said_at(self.file)

    @property
    def in_file(self) -> str:
        """The problem without the file's name, for a list under it."""
        return self._said_at()

    def _said_at(self, *place: str) -> str:
        line = (f"line {self.line}",) if self.line is not None else ()
        column = (f"column {self.column}",) if self.column is not None else ()
        where = ", ".join((*place, *line, *column, *((self.field,) if self.field else ())))
        said = " ".join(_sentence(text) for text in (self.wrong, self.expected, self.next_step) if text)
        return f"{where}: {said}" if where else said


def _sentence(text: str) -> str:
    return text if text.endswith((".", "?", "!", "…")) else text + "."


MOST_DIGITS = 15
"""Numbers with more before or after the point are shown by their exponent."""


def shown(value: Any) -> str:
    """A value as the file writes it, cut short."""
    if isinstance(value, dict):
        return "a group of fields"
    if isinstance(value, (list, tuple)):
        return "a list"
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()
    if isinstance(value, Decimal):
        return f"{value:f}" if abs(value.adjusted()) < MOST_DIGITS else str(value)  # 1e999999999 would be a gigabyte of zeros
    return value.isoformat() if isinstance(value, date) else f"{value!r:.60}"


_MOST_NAMES = 8
"""So many names are listed where none is near."""


def nearest(wanted: str, fields: Iterable[str]) -> str:
    """The question after the fields that may have been meant, or else which there are."""
    names = sorted(fields)
    near = did_you_mean(wanted, names, cutoff=0.6)
    if near:
        return near
    more = f" and {len(names) - _MOST_NAMES:,} more; docs/ describes them all" if len(names) > _MOST_NAMES else ""
    return f"Fields here: {', '.join(names[:_MOST_NAMES])}{more}" if names else ""


def expected_type(detail: Mapping[str, Any]) -> str:
    """What a detail of pydantic's error wanted, in words."""
    kind = detail["type"]
    if kind.startswith("int_"):
        return "a whole number"
    if kind.startswith(("float_", "decimal_")):
        return "a number"
    if kind.startswith("date"):
        return "a date such as 2026-11-20"
    if kind in _LIST_TYPES:
        return "a list"
    if kind == "too_short":
        return "at least one, or leave the field out where it is about all"
    if kind in _GROUP_TYPES:
        return "a group of fields"
    if kind.startswith("string_"):
        return "text"
    if kind.startswith("bool_"):
        return "true or false"
    return str(detail["msg"]).removeprefix("Value error, ").removeprefix("expected ").removeprefix("Input should be ")


def written_place(detail: Mapping[str, Any], data: Any) -> Place:
    """Where in the file a detail of pydantic's error is, without the names pydantic gives to branches of a union."""
    ends_in_field = detail["type"] in ("missing", "extra_forbidden")
    place: Place = ()
    for index, part in enumerate(detail["loc"]):
        found = _holds(data, part)
        if found or (ends_in_field and index == len(detail["loc"]) - 1):
            place = (*place, part)
        if found:
            data = data[part]
    return place


def _holds(data: Any, part: Any) -> bool:
    if isinstance(data, dict):
        return part in data
    return isinstance(data, (list, tuple)) and isinstance(part, int) and part < len(data)


def fields_beside(path: Path, model: type[BaseModel]) -> dict[str, FieldInfo]:
    """The fields that may stand where the last of a path's names stands."""
    return {name: info for kind in models_at(model, path[:-1]) for name, info in kind.model_fields.items()}


def models_at(model: type[BaseModel], path: Path) -> list[type[BaseModel]]:
    """The models whose fields may stand at a path."""
    found: list[Any] = [model]
    for part in path:
        found = [inner for annotation in found for inner in _step(annotation, part)]
    return [kind for annotation in found for kind in _models_in(annotation)]


def _step(annotation: Any, part: str) -> list[Any]:
    """The annotations one field (or one key, or one item) further down."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        info = annotation.model_fields.get(part)
        return [info.annotation] if info is not None else []
    arguments = get_args(annotation)
    origin = getattr(annotation, "__origin__", None)
    if origin is dict:
        return [arguments[1]]
    if origin in (list, tuple):
        return [arguments[0]]
    return [inner for argument in arguments for inner in _step(argument, part)]


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    """The models an annotation names directly, through unions and optionals."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    if getattr(annotation, "__origin__", None) in (dict, list, tuple):
        return []
    return [kind for argument in get_args(annotation) for kind in _models_in(argument)]
