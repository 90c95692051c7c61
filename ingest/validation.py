"""Pydantic's validation errors in the words of the person who wrote the file."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from ingest.errors import Problem
from ingest.fields import meaning_of

PROBLEMS_SHOWN = 20

_NUMBER_TYPES = frozenset({"int_parsing", "float_parsing", "int_type", "float_type", "int_from_float", "int_parsing_size"})
_GROUP_TYPES = frozenset({"dict_type", "model_type", "model_attributes_type"})
_LIST_TYPES = frozenset({"list_type", "tuple_type", "set_type"})

Path = tuple[str, ...]


def problems_of(error: ValidationError, model: type[BaseModel], data: Any, lines: Mapping[str, int], file: str) -> list[Problem]:
    """One problem for each mistake, in the file's order.

    Mistakes that an approach only inherits are told once, where they were written.

    Args:
        error: what validating ``data`` as ``model`` raised.
        model: its fields and their docstrings are what the messages suggest.
        data: the plain fields, with what approaches inherit filled in.
        lines: dotted path → line in the file.
        file: the file's name.
    """
    located: dict[Path, list[dict[str, Any]]] = {}
    for detail in map(dict, error.errors(include_url=False)):
        path, detail = _located(detail, data, lines)
        located.setdefault(path, []).append(detail)
    told = [(path, details) for path, details in located.items() if not _only_inherited(path, located, lines)]
    problems = [_problem(path, details, model, lines, file) for path, details in told]
    problems.sort(key=lambda problem: problem.line or 0)
    if len(problems) > PROBLEMS_SHOWN:
        rest = len(problems) - PROBLEMS_SHOWN
        problems = [*problems[:PROBLEMS_SHOWN], Problem(file, f"… and {rest} more mistakes", next_step="Mend these first")]
    return problems


def _located(detail: dict[str, Any], data: Any, lines: Mapping[str, int]) -> tuple[Path, dict[str, Any]]:
    """The field a detail is about, without the names pydantic gives to branches of a union."""
    path = _written_path(detail["loc"], data, ends_in_field=detail["type"] in ("missing", "extra_forbidden"))
    if detail["type"] == "value_error":
        message = detail["msg"].removeprefix("Value error, ")
        named = max((key for key in lines if message.startswith(f"{key}: ")), key=len, default="")
        if named:
            path, message = _split(named, data), message.removeprefix(f"{named}: ")
        detail = detail | {"msg": message}
    return path, detail


def _written_path(loc: tuple[Any, ...], data: Any, *, ends_in_field: bool) -> Path:
    path: list[str] = []
    for index, part in enumerate(loc):
        found = _holds(data, part)
        if found or (ends_in_field and index == len(loc) - 1):
            path.append(str(part))
        if found:
            data = data[part]
    return tuple(path)


def _holds(data: Any, part: Any) -> bool:
    if isinstance(data, dict):
        return part in data
    return isinstance(data, (list, tuple)) and isinstance(part, int) and part < len(data)


def _only_inherited(path: Path, located: Mapping[Path, Any], lines: Mapping[str, int]) -> bool:
    if path[:1] != ("approaches",) or len(path) < 3 or ".".join(path) in lines:
        return False
    return any(other[2:] == path[2:] and other[1] != path[1] and ".".join(other) in lines for other in located if len(other) > 2)


def _split(dotted: str, data: Any) -> Path:
    """A dotted path's parts, where names in the file may themselves hold dots."""
    if not dotted:
        return ()
    if isinstance(data, dict):
        for key in sorted(map(str, data), key=len, reverse=True):
            if dotted == key or dotted.startswith(f"{key}."):
                return (key, *_split(dotted[len(key) + 1 :], data.get(key)))
    return tuple(dotted.split("."))


def _problem(path: Path, details: list[dict[str, Any]], model: type[BaseModel], lines: Mapping[str, int], file: str) -> Problem:
    # Of a union's branches, the last says most: the plain types come first.
    detail = details[-1]
    wrong, expected, next_step = _words(detail, path, model)
    if len(details) > 1:
        wrong = f"{_shown(detail['input'])} does not fit"
        expected = "Expected " + " or ".join(dict.fromkeys(_expected_type(d) for d in details))
    return Problem(file, wrong, expected, next_step, field=".".join(path) or None, line=_line(path, lines))


def _line(path: Path, lines: Mapping[str, int]) -> int | None:
    for length in range(len(path), 0, -1):
        line = lines.get(".".join(path[:length]))
        if line is not None:
            return line
    return None


def _words(detail: dict[str, Any], path: Path, model: type[BaseModel]) -> tuple[str, str, str]:
    kind, value, context = detail["type"], detail["input"], detail.get("ctx", {})
    field = path[-1] if path else ""
    if kind == "extra_forbidden":
        return "there is no such field", *_nearest(field, _siblings(path, model))
    if kind == "missing":
        return "the field is missing", "", f"Add '{field}: …'{_meaning(path, model)}"
    if kind in _NUMBER_TYPES:
        return f"{_shown(value)} is not {_expected_type(detail)}", "The unit is in the field's name", _write_number(field, value)
    if kind in _GROUP_TYPES:
        return f"{_shown(value)} stands where a group of fields belongs", "", "Write the fields below it, indented"
    if kind in ("greater_than_equal", "greater_than", "less_than_equal", "less_than"):
        return f"{_shown(value)} is out of bounds", f"Expected a number {_bound(context)}", ""
    if kind == "literal_error":
        return f"{_shown(value)} is not a choice", f"Expected {context['expected']}", ""
    if kind == "union_tag_invalid":
        return f"kind {context['tag']!r} is not a choice", f"Expected one of {context['expected_tags']}", ""
    if kind == "union_tag_not_found":
        return "does not say its kind", "", "Add it: " + _choices(path, model)
    if kind == "string_pattern_mismatch":
        return f"{_shown(value)} does not have the right form", "Expected provider/model", "For example openai/gpt-4.1-mini"
    if kind == "value_error":
        message = detail["msg"].removeprefix("Value error, ")
        return message, "", _write_number(field, value) if isinstance(value, str) else ""
    return f"{_shown(value)} does not fit", f"Expected {_expected_type(detail)}", ""


def _expected_type(detail: dict[str, Any]) -> str:
    kind = detail["type"]
    if kind.startswith("int_"):
        return "a whole number"
    if kind.startswith("float_"):
        return "a number"
    if kind.startswith("date"):
        return "a date such as 2026-11-20"
    if kind in _LIST_TYPES:
        return "a list"
    if kind in _GROUP_TYPES:
        return "a group of fields"
    if kind.startswith("string_"):
        return "text"
    return str(detail["msg"]).removeprefix("Input should be ")


def _bound(context: Mapping[str, Any]) -> str:
    words = {"ge": "of {} or more", "gt": "above {}", "le": "of {} or less", "lt": "below {}"}
    return next(text.format(context[key]) for key, text in words.items() if key in context)


def _write_number(field: str, value: Any) -> str:
    number = re.match(r"\s*[-+]?\d[\d_]*(\.\d+)?", value) if isinstance(value, str) else None
    if number is None or re.match(r"\s*[-+]?[\d_.]+\s*[%,:]", value):
        return ""
    return f"Write '{field}: {number.group().strip()}'"


def _nearest(wanted: str, fields: Mapping[str, FieldInfo]) -> tuple[str, str]:
    near = difflib.get_close_matches(wanted, fields, n=3, cutoff=0.6)
    if near:
        return f"Did you mean {' or '.join(near)}?", ""
    return (f"Fields here: {', '.join(sorted(fields))}" if fields else ""), ""


def _siblings(path: Path, model: type[BaseModel]) -> dict[str, FieldInfo]:
    return {name: info for kind in _models_at(model, path[:-1]) for name, info in kind.model_fields.items()}


def _meaning(path: Path, model: type[BaseModel]) -> str:
    meanings = (meaning_of(kind, str(path[-1])) for kind in _models_at(model, path[:-1]))
    meaning = next((found for found in meanings if found), "")
    return f" ({meaning.splitlines()[0].rstrip('.')})" if meaning else ""


def _choices(path: Path, model: type[BaseModel]) -> str:
    kinds = [info for kind in _models_at(model, path) if (info := kind.model_fields.get("kind")) is not None]
    return "kind: " + " | ".join(str(choice) for info in kinds for choice in get_args(info.annotation))


def _models_at(model: type[BaseModel], path: Path) -> list[type[BaseModel]]:
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


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return "a group of fields"
    if isinstance(value, list):
        return "a list"
    return "nothing" if value is None else f"{value!r:.60}"
