"""Scenario files: YAML 1.2 or JSON in, a `Scenario` out, every mistake named with its line and field."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any, NoReturn

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from calc.export import SCHEMA as REPORT
from calc.scenario import Scenario, compose_approaches
from ingest.currency import in_own_words, in_usd, with_dollar_paths, written_as
from ingest.errors import InputError, Problem
from ingest.files import read_text
from ingest.validation import line_of, problems_of, stated_field
from pricing.problems import shown

SIZE_LIMIT_BYTES = 1_000_000

_STANDARD = "tag:yaml.org,2002:"
_READ_TAGS = frozenset({"map", "seq", "str", "int", "float", "bool", "null", "timestamp", "value", "merge"})
"""YAML's own kinds of values; any other tag asks for an object of some program."""

Lines = dict[str, int]
"""Dotted path of a field → the line it is written on, counted from 1."""


def load_scenario(path: str | Path, *, as_of: date | None = None, today: date | None = None) -> Scenario:
    """The scenario in a YAML or JSON file.

    Args:
        path: a file ending in ``.json`` is read as JSON, any other as YAML 1.2.
        as_of: the day whose exchange rates convert amounts in other currencies; default the file's as_of, else ``today``.

    Raises:
        InputError: the file cannot be read, is not YAML or JSON, or states something a scenario cannot hold;
            the message has a line for each mistake.
    """
    return load_with_lines(path, as_of=as_of, today=today)[0]


def load_with_lines(path: str | Path, *, as_of: date | None = None, today: date | None = None) -> tuple[Scenario, Lines]:
    """As `load_scenario`, and where each field is written: `located` tells by it where a later mistake lies.

    Raises:
        InputError: as `load_scenario`.
    """
    data, lines = read_scenario(read_text(path, SIZE_LIMIT_BYTES), str(path))
    return scenario_from(data, lines, str(path), as_of=as_of, today=today), lines


def located(error: Exception, lines: Mapping[str, int], name: str) -> InputError:
    """What computing a scenario raised, as a mistake in its file.

    Args:
        error: its message may start with the dotted path of the field at fault, ``approaches.rag: …``.
        lines: as `read_scenario` gives them; empty where there is no file.
        name: the file's name.
    """
    field, wrong = stated_field(str(error), with_dollar_paths(lines), Scenario.model_fields)
    field = written_as(field, lines)
    return InputError(Problem(name, wrong, field=field or None, line=line_of(field, lines)))


def scenario_from(
    data: Mapping[str, Any],
    lines: Mapping[str, int],
    name: str,
    *,
    as_of: date | None = None,
    today: date | None = None,
) -> Scenario:
    """The scenario stated by plain fields, with mistakes located by ``lines`` in the file called ``name``.

    Args:
        as_of: the day of the exchange rates for amounts in other currencies; default the fields' as_of, else ``today``.

    Raises:
        InputError: the fields do not make a scenario.
    """
    misshapen = [Problem(name, wrong, field=field, line=lines.get(field)) for field, wrong in _misshapen(data)]
    if misshapen:
        raise InputError(*misshapen)
    found = in_usd(data, lines, name, as_of=as_of, today=today)
    try:
        return Scenario.model_validate(found.data).noting(found.conversions)
    except ValidationError as error:
        problems = problems_of(error, Scenario, _composed(found.data), with_dollar_paths(lines), name)
        raise InputError(*(in_own_words(problem, found, lines) for problem in problems)) from None


def _misshapen(data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Fields whose shape would stop approaches from being composed at all, and what is wrong with each."""
    approaches = data.get("approaches")
    parts = {f"approaches.{name}": fields for name, fields in approaches.items()} if isinstance(approaches, dict) else {}
    retrievals = {f"{path}.retrieval": fields.get("retrieval") for path, fields in parts.items() if isinstance(fields, dict)}
    groups = {"task": data.get("task")} | parts | retrievals
    for path, value in groups.items():
        if value is not None and not isinstance(value, dict):
            yield path, f"{shown(value)} stands where a group of fields belongs; write the fields below it, indented"
            continue
        for key in ("extends", "same_as"):
            named = (value or {}).get(key)
            if named is not None and not isinstance(named, str):
                yield f"{path}.{key}", f"{shown(named)} is not the name of an approach"


def _composed(data: Mapping[str, Any]) -> Mapping[str, Any]:
    """The fields with each approach's inherited parts filled in, where they can be."""
    try:
        return {**data, "approaches": compose_approaches(data["approaches"], data.get("task") or {})}
    except (ValueError, KeyError, TypeError, AttributeError):
        return data


def read_scenario(text: str, name: str) -> tuple[dict[str, Any], Lines]:
    """The plain fields of a scenario's text, not yet validated, and where each is written.

    Whole numbers may hold underscores (``180_000``); ``no`` and ``12:30`` stay text; dates are `datetime.date` in YAML
    and text in JSON.

    Args:
        text: the file's content.
        name: the file's name, for messages; ``.json`` at its end means JSON.

    Raises:
        InputError: it is neither, holds a key twice, or is not a mapping at its top.
    """
    try:
        data, lines = _read_json(text, name) if name.lower().endswith(".json") else _read_yaml(text, name)
    except RecursionError:
        _refuse(name, "is nested too deeply", "Expected a few levels of fields")
    if not isinstance(data, dict):
        kind = "a list" if isinstance(data, list) else "nothing" if data is None else "a single value"
        example = "name: Support replies"
        _refuse(name, f"holds {kind} at its top level", f"Expected fields, such as '{example}'", "Start from a file in examples/")
    _refuse_answers(data, name, lines)
    return data, lines


def _refuse_answers(data: Mapping[str, Any], name: str, lines: Lines) -> None:
    """Refuse what a command wrote: an answer, which says its kind, and no scenario."""
    schema = data.get("schema")
    kind = schema.get("id") if isinstance(schema, dict) else None
    if not isinstance(kind, str) or not kind.startswith("tuneworth."):
        return
    where = {"line": lines.get("schema"), "field": "schema.id"}
    if kind == REPORT["id"]:
        next_step = f"Use 'tuneworth diff {name}', or save what it holds at scenario.stated as a scenario of its own"
        _refuse(name, "is a report, which 'compare' or 'report' wrote", "Expected a scenario", next_step, **where)
    _refuse(name, f"is the answer of a command ({kind[:60]})", "Expected a scenario", "Name the one it was made from", **where)


def _read_yaml(text: str, name: str) -> tuple[Any, Lines]:
    yaml = YAML(typ="safe", pure=True)
    try:
        root = yaml.compose(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = {"line": mark.line + 1, "column": mark.column + 1} if mark else {}
        _refuse(name, f"is not valid YAML: {error.problem or error.context}", next_step="Mend that line", **where)
    except YAMLError as error:
        _refuse(name, f"is not valid YAML: {str(error).splitlines()[0]}", next_step="Save it as plain UTF-8 text")
    reader = _YamlReader(yaml, name)
    return (reader.plain(root, ()) if root is not None else None), reader.lines


class _YamlReader:
    """Turns composed YAML nodes into plain Python values and notes their lines."""

    def __init__(self, yaml: YAML, name: str) -> None:
        self.lines: Lines = {}
        self._yaml = yaml
        self._name = name
        self._seen: set[int] = set()

    def plain(self, node: Node, path: tuple[str, ...]) -> Any:
        self._refuse_alias(node, path)
        self._refuse_tag(node, path)
        if isinstance(node, MappingNode):
            return {key: self.plain(value, (*path, key)) for key, value in self._pairs(node, path)}
        if isinstance(node, SequenceNode):
            return [self._item(item, (*path, str(index))) for index, item in enumerate(node.value)]
        return self._scalar(node, path)

    def _pairs(self, node: MappingNode, path: tuple[str, ...]) -> Iterator[tuple[str, Node]]:
        found: set[str] = set()
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, ScalarNode):
                _refuse(self._name, "a field's name is a list or a mapping", "Expected text", line=line)
            key = str(key_node.value)
            dotted = ".".join((*path, key))
            if key in found:
                _refuse(self._name, "is stated twice", f"First on line {self.lines[dotted]}", "Keep one", line=line, field=dotted)
            found.add(key)
            self.lines[dotted] = line
            yield key, value_node

    def _item(self, node: Node, path: tuple[str, ...]) -> Any:
        self.lines[".".join(path)] = node.start_mark.line + 1
        return self.plain(node, path)

    def _scalar(self, node: Node, path: tuple[str, ...]) -> Any:
        try:
            return self._yaml.constructor.construct_object(node, deep=True)
        except (YAMLError, ValueError, OverflowError) as error:
            why = getattr(error, "problem", None) or _reason(error)
            _refuse(
                self._name,
                f"{str(node.value)[:60]!r} cannot be read: {why}",
                next_step="Put it in quotes if it is meant as text",
                line=node.start_mark.line + 1,
                field=".".join(path),
            )

    def _refuse_tag(self, node: Node, path: tuple[str, ...]) -> None:
        tag = str(node.tag).replace(_STANDARD, "!!")
        if tag.removeprefix("!!") not in _READ_TAGS:
            _refuse(
                self._name,
                f"carries the YAML tag {tag[:60]}, which is not read here",
                next_step="Write the plain value without it",
                line=node.start_mark.line + 1,
                field=".".join(path) or None,
            )

    def _refuse_alias(self, node: Node, path: tuple[str, ...]) -> None:
        if id(node) in self._seen:
            _refuse(
                self._name,
                "repeats a part by a YAML alias (*), which is not read here",
                next_step="Write it out; an approach takes over another's parts with 'extends: NAME'",
                line=self.lines.get(".".join(path)),
                field=".".join(path),
            )
        self._seen.add(id(node))


def _read_json(text: str, name: str) -> tuple[Any, Lines]:
    lines = _json_lines(text, name)
    try:
        data = json.loads(text, object_pairs_hook=_without_duplicates, parse_constant=_not_json)
    except json.JSONDecodeError as error:
        _refuse(name, f"is not valid JSON: {error.msg}", next_step="Mend that line", line=error.lineno, column=error.colno)
    except ValueError as error:
        _refuse(name, f"is not valid JSON: {_reason(error)}", next_step="Keep one value, a plain number, text, list or object")
    return data, lines


def _json_lines(text: str, name: str) -> Lines:
    """Lines of a JSON text's fields, read as the YAML it nearly is; none where that fails."""
    try:
        return _read_yaml(text.replace("\t", " "), name)[1]
    except InputError:
        return {}


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"'{next(key for key in keys if keys.count(key) > 1)}' is stated twice")
    return fields


def _reason(error: Exception) -> str:
    text = str(error)
    return "the number has too many digits" if "set_int_max_str_digits" in text else text


def _not_json(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not a number")


def _refuse(
    name: str,
    wrong: str,
    expected: str = "",
    next_step: str = "",
    *,
    line: int | None = None,
    column: int | None = None,
    field: str | None = None,
) -> NoReturn:
    raise InputError(Problem(name, wrong, expected, next_step, field=field, line=line, column=column)) from None
