"""Corrections written down: a scenario file with some fields changed, all else as it stands, and own prices that were billed."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import orjson
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.constructor import RoundTripConstructor
from ruamel.yaml.representer import RoundTripRepresenter

from calc.corrections import Correction
from calc.evaluate import token_terms
from calc.invoice import InvoiceCheck, setting_of, token_lines
from calc.scenario import PRESETS
from ingest.errors import InputError, Problem
from ingest.files import read_text
from ingest.scenario_file import SIZE_LIMIT_BYTES, read_scenario
from pricing import PriceMissing

_NULL = "tag:yaml.org,2002:null"
_TOKEN_KEYS = ("input", "cache_read", "cache_write", "cache_write_1h", "output")


def corrected_scenario(source: Path, corrections: Iterable[Correction]) -> str:
    """The text of a scenario file with corrected fields; comments, order and everything else stay.

    An approach that the file leaves to the presets is written out as far as it has to be.

    Args:
        source: the file: YAML, or JSON by its name.

    Raises:
        InputError: the file is no scenario.
    """
    text = read_text(source, SIZE_LIMIT_BYTES)
    read_scenario(text, str(source))
    if source.suffix.lower() == ".json":
        fields = orjson.loads(text)
        for correction in corrections:
            _set(fields, correction)
        return orjson.dumps(fields, option=orjson.OPT_INDENT_2).decode() + "\n"
    yaml = _as_written(text)
    fields = yaml.load(text)
    for correction in corrections:
        _set(fields, correction)
    written = io.StringIO()
    yaml.dump(fields, written)
    return written.getvalue()


class _Null(str):
    """A null as it is written: null, ~ or nothing."""


def _as_written(text: str) -> YAML:
    """A reader and writer that keep quotes, nulls and how far mappings and lists of a text are indented."""

    class Constructor(RoundTripConstructor):
        pass

    class Representer(RoundTripRepresenter):
        pass

    yaml = YAML()
    yaml.Constructor, yaml.Representer = Constructor, Representer
    yaml.preserve_quotes, yaml.width = True, 4096
    Constructor.add_constructor(_NULL, lambda _, node: _Null(node.value))
    Representer.add_representer(_Null, lambda to, null: to.represent_scalar(_NULL, str(null)))
    nested = re.search(r"^[^\s#][^\n]*:[^\S\n]*(?:#[^\n]*)?\n(?:\s*#[^\n]*\n)*( +)[^\s#-]", text, re.MULTILINE)
    listed = re.search(r"^( *)[^\s#-][^\n]*:[^\S\n]*(?:#[^\n]*)?\n(?:\s*#[^\n]*\n)*( *)-( +)", text, re.MULTILINE)
    offset = max(len(listed[2]) - len(listed[1]), 0) if listed else 0
    yaml.indent(len(nested[1]) if nested else 2, offset + 1 + (len(listed[3]) if listed else 1), offset)
    return yaml


def _set(fields: Any, correction: Correction) -> None:
    *way, last = correction.path.split(".") if not correction.path.startswith("approaches.") else _approach_path(correction.path)
    at = fields
    for part in way:
        if at.get(part) is None or isinstance(at[part], _Null):
            at[part] = dict(PRESETS.get(part, {})) if at is fields.get("approaches") else {}
        at = at[part]
    value = _written(correction.suggested)
    if isinstance(at, CommentedMap):
        if isinstance(value, dict):
            value = CommentedMap(value)
            value.fa.set_flow_style()
        at[last] = value
        _comment(at, last, correction)
    else:
        at[last] = value


def _written(value: Any) -> Any:
    """Whole numbers without a point."""
    if isinstance(value, dict):
        return {key: _written(each) for key, each in value.items()}
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _approach_path(path: str) -> list[str]:
    """An approach's name may hold dots; what is corrected of it is one of its own fields."""
    _, _, rest = path.partition(".")
    name, _, field = rest.rpartition(".")
    return ["approaches", name, field]


def _comment(at: CommentedMap, key: str, correction: Correction) -> None:
    """Say beside the field what it was; what stood there spoke of the old value."""
    if at.fa.flow_style():
        return
    held = at.ca.items.get(key)
    old, rest = "", ""
    if held and len(held) > 2 and held[2] is not None:
        first, _, rest = held[2].value.partition("\n")
        old = first.lstrip("# ").strip()
        held[2] = None
    said = f"from usage; was {_plain(correction.stated)}" + (f" ({old})" if old else "")
    at.yaml_add_eol_comment(said, key, column=0)
    token = at.ca.items[key][2]
    token.value = f"{token.value.rstrip()}\n{rest}"


def _plain(stated: Any) -> str:
    if hasattr(stated, "model_dump"):
        stated = stated.model_dump()
    if isinstance(stated, Mapping):
        return ", ".join(f"{key} {_plain(value)}" for key, value in stated.items())
    return f"{stated:,}" if isinstance(stated, int) else f"{stated:g}" if isinstance(stated, float) else str(stated)


def billed_prices(check: InvoiceCheck, ratio: float) -> str:
    """The text of a file of own prices: the list prices of the approach's model times what was billed over them.

    They hold from the first month of the log on. docs/own-prices.md says how they are laid over the book.
    """
    rates, result = check.comparison.rates, check.result
    provider, item_id, _ = rates.item(result.offer)
    start, last = check.months[0].usage.month, check.months[-1].usage.month
    when = f"in {start:%B %Y}" if start == last else f"from {start:%B %Y} to {last:%B %Y}"
    text = [f"# {provider.id}/{item_id}: {ratio:.4g} of list price was billed {when}."]
    for conditions, prices in _priced(check).items():
        text += ["", f'[[{provider.id}.model."{item_id}".price]]', f"effective = {start}", *conditions]
        text += [f"{key} = {float(f'{value * ratio:.8g}'):.12f}".rstrip("0").rstrip(".") for key, value in prices.items()]
    return "\n".join(text) + "\n"


def _priced(check: InvoiceCheck) -> dict[tuple[str, ...], dict[str, float]]:
    """List prices by the conditions that the approach's lines are billed under, as a price table states them."""
    rates, result = check.comparison.rates, check.result
    terms = token_terms(setting_of(check.comparison, result), result.offer)
    services = [terms["service"]] + (["batch"] if any("batch_" in line.key for line in token_lines(result)) else [])
    found: dict[tuple[str, ...], dict[str, float]] = {}
    for service in dict.fromkeys(services):
        for start in (0, *rates.context_tiers(result.offer)):
            conditions = [f'service = "{service}"'] if service != "standard" else []
            conditions += ["tuned = true"] if terms["tuned"] else []
            conditions += [f'deployment = "{terms["deployment"]}"'] if terms["deployment"] else []
            conditions += [f"context_above_tokens = {start}"] if start else []
            asked = {**terms, "service": service, "context_tokens": start + 1 if start else 0}
            for key in (f"{name}_usd_per_mtok" for name in _TOKEN_KEYS):
                if key in rates.keys(result.offer):
                    try:
                        price = rates.price(result.offer, key, **asked)
                    except PriceMissing:
                        continue
                    found.setdefault(tuple(conditions), {})[key] = price.usd
    return found


def check_new(path: Path, *, force: bool = False) -> None:
    """See that a file is not there yet.

    Raises:
        InputError: it is there, unless ``force``.
    """
    if path.exists() and not force:
        raise InputError(Problem(str(path), "is there already", "", "Choose another name, or overwrite it by --force"))


def write_new(path: Path, text: str, *, force: bool = False) -> None:
    """Write a file that is not there yet.

    Raises:
        InputError: it is there, unless ``force``; or it cannot be written.
    """
    check_new(path, force=force)
    try:
        path.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        wrong = f"cannot be written ({error.strerror})"
        raise InputError(Problem(str(path), wrong, "", "Check the folder and its permissions")) from None
