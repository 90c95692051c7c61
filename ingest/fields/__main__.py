"""``python -m ingest.fields``: prints docs/scenario-file.md, the fields of a scenario as the models state them."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from datetime import date
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel, PlainValidator
from pydantic.fields import FieldInfo

from calc.estimate import NumberRule
from calc.scenario import MOST_LETTERS, MOST_TURNS, Approach, OfferId, Scenario
from ingest.fields import meaning_of

MINIMAL = """\
name: Support replies
as_of: 2026-11-20
horizon_months: 12
workload:
  requests_per_month: 180_000
  user_tokens: 350
  answer_tokens: 220
task:
  kind: style
  tokens_per_example: 570     # adds few-shot
  corpus_tokens: 1_200_000    # adds RAG
approaches:
  prompting:
    model: openai/gpt-6.1-terra
    instruction_tokens: 2600
"""
"""A whole scenario in fifteen lines."""

CORRELATED = """\
correlations:
  - between: [workload.requests_per_month, workload.user_tokens]
    rank: 0.4
  - between: [approaches.prompting.accepted, approaches.rag.accepted]
    paired: {both: 171, first_only: 10, second_only: 14, neither: 5}
"""
"""Two pairs of ranges that move together."""

INTRODUCTION = f"""\
# How to write a scenario

A scenario is a YAML 1.2 or JSON file that states a workload, a task and the approaches to compare. This is a whole one:

```yaml
{MINIMAL}```

Save it as `my.yaml` and ask `tuneworth compare my.yaml`. Of the five approaches, few-shot and RAG are added here because the
task states what they need; `few-shot: null` would leave one out. Any further approach gets a name of its own and takes over the
parts of another with `extends: NAME`; ready scenarios to copy from are in [scenarios.md](scenarios.md).

**Numbers.** The unit is in the field's name, so write the number alone: `180_000`, not `180k`. Shares are between 0 and 1.
Where a table says "or a range", an uncertain number may be stated as one of

| form | example | computed with |
|---|---|---|
| low, likely, high | `{{low: 2, likely: 3, high: 5}}` | the likely value |
| low and high, all between them alike | `{{low: 2, high: 5}}` | the middle |
| p10 and p90 | `{{p10: 120_000, p90: 270_000}}` | their geometric mean; of a share s, the one whose ln(s/(1 − s)) is midway |
| successes of trials | `{{successes: 181, trials: 200}}` | their ratio |
| observed values | `{{values: [310, 350, 420]}}` | their median |

**Ranges that move together.** Ranges are drawn independently of one another, but for those that an approach inherits and those
named under `correlations`, at the top of the file:

```yaml
{CORRELATED}```

`between` names two fields that hold a range, by their dotted path, or `assumptions.TOPIC.NAME` for one that is left open. State
either `rank`, Spearman's rank correlation, or, of two accepted shares measured on the same questions, `paired`: how many
questions both approaches answered acceptably, the first alone, the second alone, and neither. Where a share is stated as
successes of trials, the counts must add up to it: here to 181 and 185 of 200.

**Models and other offers** are written `provider/name`; `tuneworth prices show openai` lists what the price book has.

**Defaults.** A field whose default is – may be left out; the meaning says what takes its place. What is called an assumption
there is shown with its source beside the result.

The tables below are made from the program: `python -m ingest.fields > docs/scenario-file.md`.
"""

_LARGE = 1e12
_SMALL = 1e-9
_TEXTS = {OfferId: "`provider/name`"}
_PATTERNS = {":00-": "full hours such as `08:00-20:00`"}
"""Words for a text's pattern, by a part of it."""
_CHECKED = {
    "name": f"text of 1 to {MOST_LETTERS} letters",
    "turns_per_conversation": f"whole number 1–{MOST_TURNS:,}, or a list of such",
}
"""Values of fields whose bounds a validator checks, not the type."""
_MEANINGS = {
    "kind": "Chooses these fields.",
    "description": "Free text.",
    "serving": "Where the model runs and how that is billed.",
}
"""Meanings of fields that the models leave without one."""


def document() -> str:
    """The text of docs/scenario-file.md."""
    return "\n".join([INTRODUCTION, *(_section(path, model) for path, model in _models(Scenario, ""))])


def main() -> None:
    """Print it."""
    sys.stdout.write(document())


def _models(model: type[BaseModel], path: str) -> Iterator[tuple[str, type[BaseModel]]]:
    """A model and those below it, each with the dotted path where it stands."""
    yield path, model
    for field, annotation in _types(model).items():
        deeper = f"{path}.{field}".lstrip(".")
        for inner in _models_in(annotation):
            yield from _models(inner, f"{deeper}.NAME" if inner is Approach else deeper)


def _types(model: type[BaseModel]) -> dict[str, Any]:
    """The annotations of a model's fields, the one that chooses the model first."""
    hints = get_type_hints(model, include_extras=True)
    return {field: hints[field] for field in sorted(model.model_fields, key=lambda field: field != "kind")}


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    if _number(annotation) is not None:  # a range is no group of fields to be listed
        return []
    return [model for argument in get_args(annotation) for model in _models_in(argument)]


# --- a section --------------------------------------------------------------------------------------------------------------


def _section(path: str, model: type[BaseModel]) -> str:
    types = _types(model)
    kind = get_args(types["kind"]) if "kind" in types else ()
    title = f"`{path}`" if path else "The file"
    title += f" of kind `{kind[0]}`" if len(kind) == 1 else ""
    head = f"## {title}\n\n{_one_line(inspect.getdoc(model) or '')}\n\n| field | value | default | meaning |\n|---|---|---|---|\n"
    return head + "".join(_row(model, field, annotation) for field, annotation in types.items())


def _row(model: type[BaseModel], field: str, annotation: Any) -> str:
    info = model.model_fields[field]
    inner = _models_in(annotation)
    meaning = meaning_of(model, field) or (inspect.getdoc(inner[0]) if len(inner) == 1 else None) or _MEANINGS[field]
    cells = (f"`{field}`", _CHECKED.get(field) or _value(annotation, info), _default(info), _one_line(meaning))
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |\n"


def _one_line(text: str) -> str:
    return " ".join(text.replace("``", "`").split())


def _default(info: FieldInfo) -> str:
    if info.is_required():
        return "**required**"
    default = info.get_default(call_default_factory=True)
    if isinstance(default, BaseModel):
        kind = getattr(default, "kind", None)
        return f"`kind: {kind}`" if kind else "all defaults"
    if isinstance(default, bool):
        return str(default).lower()
    return "–" if default is None or default in ({}, (), "") else f"`{default}`" if isinstance(default, str) else f"{default:,}"


# --- a type in words --------------------------------------------------------------------------------------------------------


def _value(annotation: Any, info: FieldInfo) -> str:
    bounds = _bounds(info.metadata)
    if get_origin(annotation) is dict and "max_length" in bounds:
        return f"{_words(annotation, {})}, at most {bounds['max_length']}"
    return _words(annotation, bounds)


def _words(annotation: Any, bounds: dict[str, Any]) -> str:
    for known, words in _TEXTS.items():
        if annotation == known:
            return words
    if (number := _number(annotation)) is not None:
        return number
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _words(arguments[0], bounds | _bounds(annotation.__metadata__))
    if origin in (Union, UnionType):
        parts = [argument for argument in arguments if argument is not NoneType]
        if all(_models_in(part) for part in parts) and len(parts) > 1:
            return "fields of one kind, below"
        return " or ".join(_words(part, bounds) for part in parts)
    if origin is Literal:
        return ("one of " if len(arguments) > 1 else "") + ", ".join(f"`{argument}`" for argument in arguments)
    if origin is dict:
        return f"by name: {_words(arguments[1], {})}"
    if origin in (tuple, list):
        exact = bounds.get("min_length") == bounds.get("max_length") is not None
        return f"list{' of ' + str(bounds['max_length']) if exact else ''}, each {_words(arguments[0], {})}"
    return _plain(annotation, bounds)


def _plain(kind: Any, bounds: dict[str, Any]) -> str:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return "fields, below"
    if kind is bool:
        return "true or false"
    if kind is int:
        return "whole number" + _span(bounds.get("ge"), bounds.get("le"))
    if kind is float:
        return f"number above {bounds['gt']:g} and below {bounds['lt']:g}".replace("-", "−")
    if kind is date:
        return "day, as 2026-11-20" + (f", from {bounds['ge']} on" if "ge" in bounds else "")
    if kind is str:
        return next((words for part, words in _PATTERNS.items() if part in bounds.get("pattern", "")), "text")
    raise TypeError(f"{kind} has no words yet: add them to ingest/fields/__main__.py")


def _number(annotation: Any) -> str | None:
    """A number of `calc.estimate` in words; its bounds are those that its validator holds."""
    for part in getattr(annotation, "__metadata__", ()):
        if isinstance(part, PlainValidator) and isinstance(part.func, NumberRule):
            rule = part.func
            name = "whole number" if rule.whole else "share" if (rule.low, rule.high) == (0, 1) else "number"
            words = "".join(f", or `{word}`" for word in rule.words)
            return f"{name}{_span(rule.low, rule.high)} or a range{words}"
        if isinstance(part, FieldInfo):
            return _number(get_args(annotation)[0])
    return None


def _span(low: float | None, high: float | None) -> str:
    above = low is not None and 0 < low < _SMALL
    if low is None:
        return ""
    if high is None or high >= _LARGE:
        return "" if low < -_LARGE else " > 0" if above else f" ≥ {low:g}"
    if above:
        return f" > 0 and ≤ {high:,g}"
    return f" {low:,g}–{high:,g}" if low >= 0 else f" −{-low:,g} to {high:,g}"


def _bounds(metadata: Any) -> dict[str, Any]:
    names = ("ge", "le", "gt", "lt", "min_length", "max_length", "pattern")
    flat = [inner for part in metadata for inner in (part.metadata if isinstance(part, FieldInfo) else (part,))]
    return {name: bound for part in flat for name in names if (bound := getattr(part, name, None)) is not None}


if __name__ == "__main__":
    main()
