"""The schemas that editors complete the price book's files by are those of the models, and the files follow them."""

from __future__ import annotations

import json
import os
import tomllib
from datetime import date
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from pricing.keys import PRICE_KEYS
from tuneworth.price_schema import price_schemas

ROOT = Path(__file__).resolve().parents[2]
BOOK = ROOT / "pricing"
SCHEMAS = price_schemas()
OF_FILE = {"open_models": "open-models", "gpus": "gpus", "fx": "exchange-rates"}
FILES = [
    *((path, "price-table") for path in sorted((BOOK / "tables").glob("*.toml"))),
    *((path, "assumptions") for path in sorted((BOOK / "assumptions").glob("*.toml"))),
    *((BOOK / f"{name}.toml", schema) for name, schema in OF_FILE.items()),
]


def as_json(data: Any) -> Any:
    """TOML's values as an editor's checker sees them: days are text."""
    if isinstance(data, dict):
        return {key: as_json(value) for key, value in data.items()}
    if isinstance(data, list):
        return [as_json(value) for value in data]
    return data.isoformat() if isinstance(data, date) else data


def validator(name: str) -> jsonschema.Draft202012Validator:
    found = json.loads(SCHEMAS[f"{name}.schema.json"])
    jsonschema.Draft202012Validator.check_schema(found)
    return jsonschema.Draft202012Validator(found, format_checker=jsonschema.FormatChecker())


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_is_that_of_the_models(name: str) -> None:
    assert (ROOT / "docs" / name).read_text(encoding="utf-8") == SCHEMAS[name], "run: tuneworth prices schema"


@pytest.mark.parametrize("schema", ["price-table", "assumptions", *OF_FILE.values()])
def test_the_files_name_their_schema_and_follow_it(schema: str) -> None:
    held = validator(schema)
    for path in (path for path, named in FILES if named == schema):
        text = path.read_text(encoding="utf-8")
        relative = os.path.relpath(ROOT / "docs" / f"{schema}.schema.json", path.parent)
        assert text.startswith(f"#:schema {relative}\n"), f"{path.name}: begin it with '#:schema {relative}'"
        held.validate(as_json(tomllib.loads(text)))


def block(**fields: Any) -> dict[str, Any]:
    facts = {"effective": "2026-11-01", "source": "https://a.example", "source_date": "2026-11-01", "recorded": "2026-11-20"}
    return {"id": "a", "name": "A", "price_page": "https://a.example", "price": [facts | {"confidence": "primary"} | fields]}


@pytest.mark.parametrize(
    ("fields", "valid"),
    [
        ({"input_usd_per_mtok": 2}, True),
        ({"gpu_eur_per_hour": 2.5}, True),
        ({"input_usd_per_mtok": -2}, False),
        ({"inptu_usd_per_mtok": 2}, False),
        ({"input_usd_per_mtok": "2"}, False),
        ({"prices": {}}, False),
        ({"source": "their page"}, False),
        ({"source_date": "autumn"}, False),
    ],
)
def test_a_block_in_the_editor(fields: dict[str, Any], valid: bool) -> None:
    assert validator("price-table").is_valid(block(**fields)) == valid


def test_every_price_key_is_offered_with_its_unit() -> None:
    offered = json.loads(SCHEMAS["price-table.schema.json"])["$defs"]["PriceBlock"]["properties"]
    units = {key: spec.unit for key, spec in PRICE_KEYS.items()}
    assert {key: offered[key]["description"].partition(";")[0] for key in PRICE_KEYS} == units
