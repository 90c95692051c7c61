"""Pydantic's validation errors in the words of the person who wrote the file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from calc.estimate import ESTIMATE_KEYS
from ingest.fields import meaning_of
from pricing.problems import Path, Problem, expected_type, fields_beside, models_at, nearest, shown, written_place

PROBLEMS_SHOWN = 20

_NUMBER_TYPES = frozenset({"int_parsing", "float_parsing", "int_type", "float_type", "int_from_float", "int_parsing_size"})
_GROUP_TYPES = frozenset({"dict_type", "model_type", "model_attributes_type"})
_COUNTS = frozenset({"too_short", "too_long", "string_too_short", "string_too_long"})

_MULTIPLES = {"": Decimal(1), "k": Decimal(1_000), "K": Decimal(1_000), "M": Decimal(1_000_000), "%": Decimal("0.01")}
"""What a sign after a number multiplies it by."""

_SHARE_WORDS = frozenset({"share", "accepted", "rate", "decline", "utilisation"})
"""A field with one of these words in its name may be meant where somebody writes per cent."""

_OFFER_EXAMPLES = {
    "store": "pinecone/serverless",
    "embedding": "openai/text-embedding-3-small",
    "reranker": "cohere/rerank-v4.0-pro",
}
"""What an offer id looks like, by the field's name, where it is not a model's."""


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
        path, detail = _located(detail, data, lines, model)
        located.setdefault(path, []).append(detail)
    told = [(path, details) for path, details in located.items() if not _only_inherited(path, located, lines)]
    problems = [_problem(path, details, model, lines, file) for path, details in told]
    problems.sort(key=lambda problem: problem.line or 0)
    if len(problems) > PROBLEMS_SHOWN:
        rest = len(problems) - PROBLEMS_SHOWN
        problems = [*problems[:PROBLEMS_SHOWN], Problem(file, f"… and {rest} more mistakes", next_step="Mend these first")]
    return problems


def stated_field(message: str, lines: Mapping[str, int], fields: Iterable[str]) -> tuple[str, str]:
    """The dotted path a message starts with and the rest of the message; an empty path where it starts with none.

    Args:
        message: such as ``approaches.rag: there is no …`` or ``workload.growth.requests_by_month has 3 months``.
        lines: the paths written in the file: a name of an approach among them may hold dots and blanks.
        fields: the fields a path may begin with.
    """
    top = "|".join(map(re.escape, fields))
    written = [key for key in lines if message.startswith(key) and message[len(key) : len(key) + 1] in (".", ":", " ")]
    found = re.match(rf"approaches\.[^:]+(?=: )|(?:{top})(?:\.[^\s:]+)+|(?:{top})(?=: | ')", message)
    start = max(written, key=len, default="")
    if "." in start:
        path = start + re.match(r"[^\s:]*", message[len(start) :]).group()  # type: ignore[union-attr]
    elif found:
        path = found.group()
    else:
        return "", message
    return path, message[len(path) :].removeprefix(":").strip()


def line_of(path: str, lines: Mapping[str, int]) -> int | None:
    """The line of a dotted path, or of the nearest group above it that is written in the file."""
    while path and path not in lines:
        path = path.rpartition(".")[0]
    return lines.get(path)


def _located(detail: dict[str, Any], data: Any, lines: Mapping[str, int], model: type[BaseModel]) -> tuple[Path, dict[str, Any]]:
    """The field a detail is about, without the names pydantic gives to branches of a union."""
    path = tuple(map(str, written_place(detail, data)))
    if detail["type"] == "value_error":
        message = detail["msg"].removeprefix("Value error, ")
        if not path:
            named, message = stated_field(message, lines, model.model_fields)
            path = _split(named, data)
        detail = detail | {"msg": message}
    return path, detail


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
        wrong = f"{shown(detail['input'])} does not fit"
        expected = "Expected " + " or ".join(dict.fromkeys(expected_type(d) for d in details))
    return Problem(file, wrong, expected, next_step, field=".".join(path) or None, line=line_of(".".join(path), lines))


def _words(detail: dict[str, Any], path: Path, model: type[BaseModel]) -> tuple[str, str, str]:
    kind, value, context = detail["type"], detail["input"], detail.get("ctx", {})
    field = path[-1] if path else ""
    if kind == "extra_forbidden":
        return "there is no such field", nearest(field, fields_beside(path, model)), ""
    if kind == "missing":
        return "the field is missing", "", f"Add '{field}: …'{_meaning(path, model)}"
    if kind in _NUMBER_TYPES and isinstance(value, dict):
        wrong = "this field takes no range" if value and set(value) <= ESTIMATE_KEYS else "this field has none below it"
        return wrong, f"Expected {expected_type(detail)}", f"Write one value, '{field}: …'"
    if kind in _NUMBER_TYPES:
        return f"{shown(value)} is not {expected_type(detail)}", "The unit is in the field's name", _write_number(field, value)
    if kind in _GROUP_TYPES:
        return f"{shown(value)} stands where a group of fields belongs", "", "Write the fields below it, indented"
    if kind in ("greater_than_equal", "greater_than", "less_than_equal", "less_than"):
        return f"{shown(value)} is out of bounds", f"Expected a {_bound(context)}", ""
    if kind == "literal_error":
        return f"{shown(value)} is not a choice", f"Expected {context['expected']}", ""
    if kind == "union_tag_invalid":
        return f"kind {context['tag']!r} is not a choice", f"Expected one of {context['expected_tags']}", ""
    if kind == "union_tag_not_found":
        return "does not say its kind", "", "Add it: " + _choices(path, model)
    if kind == "string_pattern_mismatch":
        return f"{shown(value)} does not have the right form", *_form(field, context["pattern"])
    if kind in _COUNTS:
        return _counted(value, context["actual_length"] if "actual_length" in context else len(value), field, path, model)
    if kind == "value_error":
        message = detail["msg"].replace(f"got {value!r:.60}", f"got {shown(value)}")
        return message, "", _write_number(field, value) if isinstance(value, str) else ""
    return f"{shown(value)} does not fit", f"Expected {expected_type(detail)}", ""


def _form(field: str, pattern: str) -> tuple[str, str]:
    """What a text's pattern wants, and an example."""
    if ":00-" in pattern:
        return "Expected full hours from-to", f"Write '{field}: 08:00-20:00'"
    example = _OFFER_EXAMPLES.get(field)
    return f"Expected provider/{field if example else 'model'}", f"For example {example or 'openai/gpt-4.1-mini'}"


def _counted(value: Any, count: int, field: str, path: Path, model: type[BaseModel]) -> tuple[str, str, str]:
    """A text or list that is too short or too long."""
    info = fields_beside(path, model).get(field)
    bounds = {name: bound for m in (info.metadata if info else ()) for name in _LENGTHS if (bound := getattr(m, name, None))}
    low, high = bounds.get("min_length"), bounds.get("max_length")
    what = "letters" if isinstance(value, str) else "entries" if isinstance(value, dict) else "values"
    if low == high:
        wanted = f"{high} {what}"
    elif high is None:
        wanted = f"{low} or more {what}"
    else:
        wanted = f"{low or 0} to {high} {what}"
    return (f"it has {count} {what}" if count else "it is empty"), f"Expected {wanted}", ""


_LENGTHS = ("min_length", "max_length")


def _bound(context: Mapping[str, Any]) -> str:
    words = {"ge": "number of {} or more", "gt": "number above {}", "le": "number of {} or less", "lt": "number below {}"}
    if not all(isinstance(bound, int | float) for bound in context.values()):
        words = {"ge": "day from {} on", "gt": "day after {}", "le": "day up to {}", "lt": "day before {}"}
    return next(text.format(context[key]) for key, text in words.items() if key in context)


def _write_number(field: str, value: Any) -> str:
    """The number somebody wrote with its unit, written without; nothing where it is not certain which number is meant."""
    found = re.fullmatch(r"\s*([-+]?\d[\d_]*(?:\.\d+)?)\s*(.*?)\s*", value) if isinstance(value, str) else None
    if found is None:
        return ""
    number, unit = Decimal(found[1].replace("_", "")), found[2]
    words = set(field.split("_"))
    if unit not in _MULTIPLES:
        if not re.fullmatch(r"[A-Za-z]+([ /][A-Za-z]+)*", unit):
            return ""
        if any(word not in words and f"{word}s" not in words for word in re.split(r"[ /]", unit.lower())):
            return ""  # years where the field wants months, or no unit at all
        return f"Write '{field}: {found[1]}'"
    if unit == "%" and not words & _SHARE_WORDS:
        return ""
    return f"Write '{field}: {found[1] if not unit else _plain(number * _MULTIPLES[unit])}'"


def _plain(number: Decimal) -> str:
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _meaning(path: Path, model: type[BaseModel]) -> str:
    meanings = (meaning_of(kind, str(path[-1])) for kind in models_at(model, path[:-1]))
    meaning = next((found for found in meanings if found), "")
    return f" ({meaning.splitlines()[0].rstrip('.')})" if meaning else ""


def _choices(path: Path, model: type[BaseModel]) -> str:
    kinds = [info for kind in models_at(model, path) if (info := kind.model_fields.get("kind")) is not None]
    return "kind: " + " | ".join(str(choice) for info in kinds for choice in get_args(info.annotation))
