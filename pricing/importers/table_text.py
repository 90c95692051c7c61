"""Adding blocks to a table's text, so that everything else in the file (comments too) stays as it was written."""

from __future__ import annotations

import json
import re
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

ITEM_KINDS = ("model", "gpu", "instance", "store", "role")

_HEADER = re.compile(r"^\[\[?.+\]\]?\s*(#.*)?$")
_BARE_KEY = re.compile(r"^[A-Za-z0-9_-]+$")


class Addition(NamedTuple):
    """A table or a block to add.

    ``place`` is where it goes, such as ``("model", "gpt-6-luna", "price")``; ``fields`` are written in their order.
    ``repeated`` tells a block of an array (``[[…]]``) from a table (``[…]``).
    """

    place: tuple[str, ...]
    fields: Mapping[str, Any]
    repeated: bool = True


class _Section(NamedTuple):
    place: tuple[str, ...]
    text: str


def with_additions(text: str, additions: Iterable[Addition]) -> str:
    """The table's text with the additions in it, each after what its item already has and blocks ascending by day.

    A block goes before the first later one (by ``effective`` or ``date``) of the same place, else behind the last one; the
    block of a place that the item does not have yet behind the item's last section; a new item to the end of the file.
    """
    items: dict[tuple[str, ...], list[_Section]] = defaultdict(list)
    for section in _sections(text):
        items[_item(section.place)].append(section)
    for addition in additions:
        sections = items[_item(addition.place)]
        sections.insert(_position(sections, addition), _Section(addition.place, written(addition)))
    return (
        "\n\n".join(section.text.strip("\n") for sections in items.values() for section in sections if section.text.strip())
        + "\n"
    )


def written(addition: Addition) -> str:
    """One addition as TOML."""
    name = ".".join(part if _BARE_KEY.match(part) else json.dumps(part) for part in addition.place)
    header = f"[[{name}]]" if addition.repeated else f"[{name}]"
    return "\n".join([header, *(f"{key} = {_value(value)}" for key, value in addition.fields.items())])


def _value(value: Any) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case Decimal():
            return f"{value.normalize():f}"
        case int() | float() | date():
            return str(value)
        case list() | tuple():
            return f"[{', '.join(_value(one) for one in value)}]"
    return json.dumps(str(value), ensure_ascii=False)


def _sections(text: str) -> list[_Section]:
    """The text cut before each header; comments right above a header belong to it."""
    lines = text.splitlines()
    starts: list[int] = [0]
    places: list[tuple[str, ...]] = [()]
    for number, line in enumerate(lines):
        if _HEADER.match(line) and (place := _place(line)):
            start = number
            while start > starts[-1] and lines[start - 1].startswith("#"):
                start -= 1
            starts.append(start)
            places.append(place)
    ends = [*starts[1:], len(lines)]
    return [_Section(place, "\n".join(lines[start:end])) for place, start, end in zip(places, starts, ends, strict=True)]


def _item(place: tuple[str, ...]) -> tuple[str, ...]:
    """The item a place belongs to; empty for what is the provider's own (its prices, lifecycle, rules and size bands)."""
    return place[:2] if place and place[0] in ITEM_KINDS else ()


def _place(header: str) -> tuple[str, ...]:
    """``[[model."a.b".price]]`` as ("model", "a.b", "price"); empty where the line is no header."""
    try:
        found: Any = tomllib.loads(header)
    except tomllib.TOMLDecodeError:
        return ()
    place = []
    while found:
        found = found[0] if isinstance(found, list) else found
        if not found:
            break
        key, found = next(iter(found.items()))
        place.append(key)
    return tuple(place)


def _position(sections: list[_Section], addition: Addition) -> int:
    alike = [index for index, section in enumerate(sections) if section.place == addition.place]
    if not alike:
        return len(sections)
    day = addition.fields.get("effective", addition.fields.get("date"))
    later = (index for index in alike if day is not None and (_day(sections[index].text) or day) > day)
    return next(later, alike[-1] + 1)


def _day(text: str) -> date | None:
    found = re.search(r"^(?:effective|date) = (\d{4}-\d{2}-\d{2})", text, re.MULTILINE)
    return date.fromisoformat(found[1]) if found else None
