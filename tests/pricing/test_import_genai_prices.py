"""Importing base prices from the genai-prices package: said once, dated, never overwriting."""

from __future__ import annotations

from datetime import UTC, date, time
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace

import pytest
from genai_prices import data_snapshot
from genai_prices.types import (
    ClauseEquals,
    ConditionalPrice,
    ModelInfo,
    ModelPrice,
    PriceVariant,
    Provider,
    StartDateConstraint,
    Tier,
    TieredPrices,
    TimeOfDateConstraint,
)

from pricing import BadTable, PriceBook, PriceMissing
from pricing.importers import genai_prices as importer

TODAY = date(2026, 11, 21)
DATA_DAY = date(2026, 11, 9)
IN, OUT = "input_usd_per_mtok", "output_usd_per_mtok"


def model(id_: str, prices, variants=None, window=None) -> ModelInfo:
    return ModelInfo(
        id=id_, match=ClauseEquals(id_), name=id_.title(), prices=prices, price_variants=variants, context_window=window
    )


def usd(**prices) -> ModelPrice:
    return ModelPrice(**{key: value if isinstance(value, TieredPrices) else Decimal(str(value)) for key, value in prices.items()})


def tiered(base, *tiers) -> TieredPrices:
    return TieredPrices(base=Decimal(str(base)), tiers=[Tier(start, Decimal(str(price))) for start, price in tiers])


def from_day(year, month, day) -> StartDateConstraint:
    return StartDateConstraint(date(year, month, day))


@pytest.fixture
def package(monkeypatch: pytest.MonkeyPatch):
    """A function that stands its models in for the package's, of provider acme_ai."""

    def offering(*models: ModelInfo, version: str = "0.9.0") -> None:
        dated = model(
            "dated",
            [ConditionalPrice(prices=usd(input_mtok=3)), ConditionalPrice(from_day(2026, 11, 9), prices=usd(input_mtok=2))],
        )
        provider = Provider(
            "acme_ai", "Acme AI", "https://api.acme.example", ["https://acme.example/prices"], models=[dated, *models]
        )
        monkeypatch.setattr(data_snapshot, "get_snapshot", lambda: SimpleNamespace(providers=[provider]))
        monkeypatch.setattr(importer, "version", lambda _: version)

    return offering


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "tables").mkdir()
    return tmp_path


def import_into(folder: Path, today: date = TODAY) -> importer.Imported:
    found = importer.read(PriceBook(folder), today)
    importer.write(found, folder)
    return found


def value(folder: Path, offer: str, key: str, day: date, **conditions) -> Decimal:
    return PriceBook(folder).as_of(day).price(f"acme-ai/{offer}", key, **conditions).value


def test_a_price_without_a_start_was_seen_on_the_day_of_the_data(folder, package):
    package(model("plain", usd(input_mtok="0.5", output_mtok=2), window=8000))
    import_into(folder)
    price = PriceBook(folder).as_of(TODAY).price("acme-ai/plain", IN)
    assert (price.value, price.effective, price.effective_is) == (Decimal("0.5"), DATA_DAY, "seen")
    assert (price.source, price.source_date, price.recorded, price.confidence) == (
        "pkg:pypi/genai-prices@0.9.0", DATA_DAY, TODAY, "package",
    )  # fmt: skip
    assert PriceBook(folder).provider("acme-ai").model["plain"].context_tokens == 8000
    with pytest.raises(PriceMissing, match="takes effect on 2026-11-09"):
        value(folder, "plain", IN, date(2026, 11, 8))


def test_both_sides_of_a_start_and_a_price_to_come(folder, package):
    to_come = [
        ConditionalPrice(prices=usd(input_mtok=4)),
        ConditionalPrice(from_day(2026, 3, 1), prices=usd(input_mtok=3)),
        ConditionalPrice(from_day(2027, 1, 1), prices=usd(input_mtok=1)),
    ]
    package(model("falling", to_come))
    import_into(folder)
    asked = (date(2026, 2, 28), date(2026, 3, 1), date(2026, 12, 31), date(2027, 1, 1))
    assert [value(folder, "falling", IN, day) for day in asked] == [4, 3, 3, 1]


def test_a_tier_prices_everything_beyond_its_start(folder, package):
    package(
        model("long", usd(input_mtok=tiered(1, (1000, 2), (5000, 3)), output_mtok=tiered(5, (1000, 6)), web_searches_kcount=10))
    )
    import_into(folder)
    asked = [(IN, 1000), (IN, 1001), (IN, 5001), (OUT, 5001), ("web_search_usd_per_ksearch", 5001)]
    assert [value(folder, "long", key, TODAY, context_tokens=n) for key, n in asked] == [1, 2, 3, 6, 10]


def test_a_daily_window_begins_with_the_dated_price_before_it(folder, package):
    window = TimeOfDateConstraint(time(0, 30, tzinfo=UTC), time(16, 30, tzinfo=UTC))
    night = [
        ConditionalPrice(prices=usd(input_mtok=9)),
        ConditionalPrice(from_day(2026, 6, 1), prices=usd(input_mtok=1)),
        ConditionalPrice(window, prices=usd(input_mtok=2)),
    ]
    package(model("night", night))
    import_into(folder)
    at = [0.25, 0.5, 16.25, 16.5]
    assert [value(folder, "night", IN, TODAY, at_hour=(3, hour)) for hour in at] == [1, 2, 2, 1]
    assert value(folder, "night", IN, date(2026, 5, 31), at_hour=(3, 12)) == 9


def test_request_contexts_are_services_and_deployments(folder, package):
    variants = [
        PriceVariant({"processing": "batch"}, usd(input_mtok="0.5"), from_day(2026, 10, 1)),
        PriceVariant({"service_tier": "default"}, usd(input_mtok=1)),
        PriceVariant({"route": "eu"}, usd(input_mtok="1.1")),
    ]
    package(model("many", usd(input_mtok=1, output_mtok=4), variants))
    import_into(folder)
    assert value(folder, "many", IN, TODAY, service="batch") == Decimal("0.5")
    assert value(folder, "many", IN, TODAY, deployment="eu") == Decimal("1.1")
    with pytest.raises(PriceMissing):  # the package names no output price of a batch
        value(folder, "many", OUT, TODAY, service="batch")


def test_embedding_and_rerank_models_are_priced_as_such(folder, package):
    package(model("acme-embed-1", usd(input_mtok="0.02")), model("acme-rerank-1", usd(input_mtok="0.05")))
    import_into(folder)
    assert value(folder, "acme-embed-1", "embedding_usd_per_mtok", TODAY) == Decimal("0.02")
    assert value(folder, "acme-rerank-1", "rerank_usd_per_mtok", TODAY) == Decimal("0.05")


def test_a_second_run_adds_nothing_and_a_newer_version_only_what_changed(folder, package):
    package(model("plain", usd(input_mtok="0.5", output_mtok=2)))
    assert import_into(folder).blocks == 3
    table = folder / "tables" / "acme-ai.toml"
    first = table.read_text(encoding="utf-8")
    assert import_into(folder, date(2026, 11, 25)).blocks == 0
    assert table.read_text(encoding="utf-8") == first

    cut = [ConditionalPrice(prices=usd(input_mtok="0.5")), ConditionalPrice(from_day(2026, 12, 1), prices=usd(input_mtok="0.4"))]
    package(model("plain", usd(input_mtok="0.5", output_mtok=1)), model("new", cut), version="1.0.0")
    found = import_into(folder, date(2026, 12, 2))
    assert [(a.place[1:], a.fields.get(IN), a.fields.get(OUT)) for a in found.additions["acme-ai"] if a.place[-1] == "price"] == [
        (("plain", "price"), None, 1),
        (("new", "price"), Decimal("0.5"), None),
        (("new", "price"), Decimal("0.4"), None),
    ]
    assert value(folder, "plain", OUT, date(2026, 12, 2)) == 1
    assert value(folder, "plain", OUT, date(2026, 11, 30)) == 2
    assert value(folder, "plain", IN, date(2026, 12, 2)) == Decimal("0.5")


WRITTEN_BY_HAND = """# Acme, by hand
name = "Acme AI"
price_page = "https://acme.example/prices"

[model.known]
name = "Known"
aliases = ["known-2026"]

# read twice
[[model.known.price]]
effective = 2026-05-01
input_usd_per_mtok = 7
source = "https://acme.example/prices"
source_date = 2026-05-01
recorded = 2026-05-01
confidence = "{confidence}"

[[model.known.lifecycle]]
event = "released"
date = 2026-05-01
source = "https://acme.example/prices"
source_date = 2026-05-01
recorded = 2026-05-01
confidence = "primary"
"""


def by_hand(folder: Path, confidence: str) -> Path:
    table = folder / "tables" / "acme-ai.toml"
    table.write_text(WRITTEN_BY_HAND.replace("{confidence}", confidence), encoding="utf-8")
    return table


def test_nothing_that_was_written_is_lost(folder, package):
    table = by_hand(folder, "package")
    package(model("known-2026", usd(input_mtok=8)))
    import_into(folder)
    lines = iter(table.read_text(encoding="utf-8").splitlines())
    assert all(line in lines for line in WRITTEN_BY_HAND.replace("{confidence}", "package").splitlines() if line)
    assert value(folder, "known", IN, TODAY) == 8
    assert value(folder, "known", IN, date(2026, 6, 1)) == 7


def test_the_providers_own_page_is_not_overruled(folder, package):
    by_hand(folder, "primary")
    package(model("known", usd(input_mtok=8)))
    [disputed] = import_into(folder).disputed
    assert (disputed.offer, disputed.book, disputed.package) == ("acme-ai/known", 7, 8)
    assert value(folder, "known", IN, TODAY) == 7


def test_what_is_no_longer_sold_does_not_come_back(folder, package):
    table = by_hand(folder, "primary")
    text = table.read_text(encoding="utf-8").replace("input_usd_per_mtok = 7", "ends = 2026-10-01\ninput_usd_per_mtok = 7")
    table.write_text(text, encoding="utf-8")
    package(model("known", usd(input_mtok=8, output_mtok=30)))
    import_into(folder)
    for key in (IN, OUT):
        with pytest.raises(PriceMissing, match="no longer sold"):
            value(folder, "known", key, TODAY)
    assert value(folder, "known", IN, date(2026, 9, 30)) == 7
    assert value(folder, "known", OUT, date(2026, 9, 30)) == 30


def test_an_unknown_price_or_context_stops_the_import_whole(folder, package):
    package(
        model("fine", usd(input_mtok=1)), model("odd", usd(input_mtok=1), [PriceVariant({"a": "1", "b": "2"}, usd(input_mtok=2))])
    )
    with pytest.raises(BadTable, match="request context"):
        import_into(folder)
    assert not list((folder / "tables").iterdir())


def test_starts_out_of_order_are_for_a_person(folder, package):
    crossed = [
        ConditionalPrice(prices=usd(input_mtok=1)),
        ConditionalPrice(from_day(2026, 9, 1), prices=usd(input_mtok=2)),
        ConditionalPrice(from_day(2026, 8, 1), prices=usd(input_mtok=3)),
    ]
    package(model("crossed", crossed))
    with pytest.raises(BadTable, match="crossed are not in ascending order"):
        import_into(folder)


def test_a_start_in_the_future_is_not_the_day_of_the_data():
    providers = data_snapshot.get_snapshot().providers
    day = importer.published(providers, TODAY)
    assert day <= TODAY
    assert importer.published(providers, date(2026, 6, 30)) <= date(2026, 6, 30)
