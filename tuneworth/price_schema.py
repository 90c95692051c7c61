"""JSON Schemas of the price book's files, from which editors complete and check them while somebody writes."""

from __future__ import annotations

import json
from math import inf
from typing import Any

from pydantic import BaseModel, BeforeValidator
from pydantic.json_schema import models_json_schema

from ingest.fields import meaning_of
from pricing.currency import CURRENCIES, USD
from pricing.keys import PRICE_KEYS
from pricing.model import Assumption, FxBlock, Gpu, OpenModel, PriceBlock, Provider
from pricing.problems import models_at

Schema = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_NOT_WRITTEN = ("prices", "currencies", "own")
"""Fields of a price block that the program fills in itself."""


def price_schemas() -> dict[str, str]:
    """The text of every schema by the name of its file."""
    schemas = {
        "price-table": ("A provider's price table", _table()),
        "assumptions": ("Assumptions by name", _by_name(Assumption)),
        "open-models": ("Open weights by maker/model", _by_name(OpenModel)),
        "gpus": ("GPUs by id", _by_name(Gpu)),
        "exchange-rates": ("Exchange rates by currency", _by_name(FxBlock)),
    }
    return {
        f"{name}.schema.json": json.dumps({"$schema": DIALECT, "title": title} | schema, indent=2, ensure_ascii=False) + "\n"
        for name, (title, schema) in schemas.items()
    }


def _table() -> Schema:
    defs = _definitions(Provider)
    block = defs[PriceBlock.__name__]
    for field in _NOT_WRITTEN:
        block["properties"].pop(field)
    block["required"] = [field for field in block["required"] if field not in _NOT_WRITTEN]
    block["properties"] |= {
        key: {"type": "number", "minimum": 0, "description": f"{spec.unit}; plausible: {spec.low:g} to {spec.high:g}"}
        for key, spec in PRICE_KEYS.items()
    }
    codes = "|".join(code.lower() for code in CURRENCIES if code != USD)
    block["patternProperties"] = {
        f"_({codes})_per_": {"type": "number", "minimum": 0, "description": "As the key in USD, listed in another currency."}
    }
    defs[Provider.__name__]["required"].remove("id")  # the file's name stands for it
    return {"$ref": "#/$defs/Provider", "$defs": defs}


def _by_name(kind: type[BaseModel]) -> Schema:
    """A file of facts: each name's a table or, where it has a history, an array of them."""
    record = {"$ref": f"#/$defs/{kind.__name__}"}
    either = {"anyOf": [record, {"type": "array", "items": record}]}
    return {"type": "object", "additionalProperties": either, "$defs": _definitions(kind)}


def _definitions(kind: type[BaseModel]) -> dict[str, Schema]:
    """The schemas of a model and of those it is made of, each field with its meaning."""
    _, found = models_json_schema([(kind, "validation")])
    defs: dict[str, Schema] = found["$defs"]
    for model in _models_of(kind, {}).values():
        for field, described in defs[model.__name__].get("properties", {}).items():
            described.pop("title", None)
            if described.get("default") in (None, inf):  # TOML has no null, JSON no infinity
                described.pop("default", None)
            if meaning := meaning_of(model, field):
                described["description"] = " ".join(meaning.split())
            if any(isinstance(part, BeforeValidator) for part in model.model_fields[field].metadata):  # one record, or several
                described["anyOf"] = [described["items"], {"type": described.pop("type"), "items": described.pop("items")}]
    return {name: defs[name] for name in sorted(defs)}


def _models_of(kind: type[BaseModel], found: dict[str, type[BaseModel]]) -> dict[str, type[BaseModel]]:
    """A model and those its fields hold, by name."""
    found[kind.__name__] = kind
    for field in kind.model_fields:
        for inner in (*models_at(kind, (field,)), *models_at(kind, (field, "0"))):
            if inner.__name__ not in found:
                _models_of(inner, found)
    return found
