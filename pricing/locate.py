"""Where a TOML file states what: tomllib gives values without their lines."""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_left

from pricing.problems import Place

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_KEY = re.compile(r"""[ \t]*("(?:\\.|[^"\\\n])*"|'[^'\n]*'|[A-Za-z0-9_-]+)[ \t]*""")
_VALUE_PART = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}' + r"|'''.*?'{3,5}" + r'|"(?:\\.|[^"\\\n])*"' + r"|'[^'\n]*'" + r"|#[^\n]*|[\[\]{}\n]|.", re.DOTALL
)


def lines_of(text: str) -> dict[Place, int]:
    """The line, counted from 1, of every table, array element and key of a valid TOML text.

    Keys inside a value (an inline table) have no line of their own: `line_of` gives the value's.
    """
    newlines = [found.start() for found in re.finditer("\n", text)]
    lines: dict[Place, int] = {}
    elements: dict[Place, int] = {}
    table: Place = ()
    position = _after_blank(text, 0)
    while position < len(text):
        line = bisect_left(newlines, position) + 1
        brackets = 2 if text.startswith("[[", position) else 1 if text[position] == "[" else 0
        keys, position = _keys(text, position + brackets)
        if brackets:
            table = _table(keys, elements, is_element=brackets == 2)
            position += brackets
        else:
            position = _after_value(text, position + 1)
        stated = table if brackets else (*table, *keys)
        for length in range(1, len(stated) + 1):
            lines.setdefault(stated[:length], line)
        position = _after_blank(text, position)
    return lines


def line_of(place: Place, lines: dict[Place, int]) -> int | None:
    """The line of a place, or of the nearest one above it that has a line."""
    while place and place not in lines:
        place = place[:-1]
    return lines.get(place)


def _table(keys: list[str], elements: dict[Place, int], *, is_element: bool) -> Place:
    """The place a header opens: names of arrays on the way stand for their last element so far."""
    place: Place = ()
    for key in keys[:-1]:
        place = (*place, key)
        place = (*place, elements[place]) if place in elements else place
    place = (*place, keys[-1])
    if is_element:
        elements[place] = elements.get(place, -1) + 1
        return (*place, elements[place])
    return place


def _keys(text: str, position: int) -> tuple[list[str], int]:
    keys: list[str] = []
    while found := _KEY.match(text, position):
        keys.append(_unquoted(found[1]))
        position = found.end()
        if not text.startswith(".", position):
            break
        position += 1
    if not keys:
        raise ValueError(f"no key at character {position}: the text is not TOML")
    return keys, position


def _unquoted(key: str) -> str:
    return str(tomllib.loads(f"k = {key}")["k"]) if key[0] in "\"'" else key


def _after_blank(text: str, position: int) -> int:
    found = _BLANK.match(text, position)
    assert found is not None  # it matches nothing, too
    return found.end()


def _after_value(text: str, position: int) -> int:
    """The end of the line on which a value ends."""
    depth = 0
    while found := _VALUE_PART.match(text, position):
        position = found.end()
        part = found[0]
        depth += (part in ("[", "{")) - (part in ("]", "}"))
        if part == "\n" and depth == 0:
            break
    return position
