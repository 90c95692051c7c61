"""What changed in the price book between two of its states: each price, event, rule and number that one of them has otherwise.

A state is everything recorded through a day. Old and new values are given for the change's own day: what each state says of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel

from pricing.book import PriceBook, Recorded, block_in_force, condition_words, known_through, last_recorded
from pricing.model import Assumption, Fit, FxBlock, LifecycleEvent, PriceBlock
from pricing.releases import facts, places

Kind = Literal["added", "corrected", "withdrawn", "ended"]
"""added: not recorded before; corrected: recorded again, otherwise; withdrawn: retracted; ended: the same, but with an end."""

PROVENANCE = {"source", "source_date", "recorded", "confidence", "note", "basis", "name", "licence", "own", "publisher"}
"""Fields of a record that no figure is computed from."""
TOPICS = {"assumptions": "assumption", "open_models": "open model", "gpus": "gpu", "exchange_rates": "per_usd"}
"""What is not recorded with a provider, by what a change of it is called."""


class Change(NamedTuple):
    """One fact that two states of the book have otherwise. Values are text, None where a state has none."""

    offer: str
    """As in ``openai/gpt-6-luna``; a provider or a size band of it; else the name of the assumption, weights, GPU, currency."""
    fact: str
    """A price key, an event, or the field that differs: ``billing.default_epochs``, ``gpu.memory_gb``, ``assumption``."""
    conditions: str
    effective: date | None
    """The day from which it holds; None where the book dates it by its recording alone."""
    old: str | None
    new: str | None
    kind: Kind
    source: str
    recorded: date

    @property
    def group(self) -> str:
        """What changes are counted by: the provider, or the topic of what no provider lists."""
        topics = {name: topic.replace("_", " ") for topic, name in TOPICS.items()}
        return topics.get(self.fact.partition(".")[0], self.offer.partition("/")[0].partition(" ")[0])


def changes(book: PriceBook, old: date, new: date | None, provider: str | None = None) -> list[Change]:
    """Everything that differs between what was recorded through one day and through another, provider by provider.

    Args:
        new: None: everything recorded.
        provider: only what this provider lists.

    Raises:
        UnknownOffer: there is no such provider; near matches are named.
    """
    found: list[Change] = []
    for provider_id in book.provider_ids if provider is None else [book.provider(provider).id]:
        for place in places(book.provider(provider_id)):
            for kind, records in place.records.items():
                if all(known_through(record, old) for record in records):
                    continue
                found += _of_kind(kind, place.offer, list(records), old, new)
    for topic, named in facts(book).items() if provider is None else ():
        for name, records in named.items():
            if topic == "exchange_rates":
                found += _rate_changes(name, records, old, new)
            else:
                found += _record_changes(name, TOPICS[topic], records, old, new)
    return found


def _of_kind(kind: str, offer: str, records: list[Any], old: date, new: date | None) -> Iterator[Change]:
    if kind == "price":
        return _price_changes(offer, records, old, new)
    if kind == "lifecycle":
        return _lifecycle_changes(offer, records, old, new)
    return _record_changes(offer, kind, records, old, new)


# --- prices ---------------------------------------------------------------------------------------------------------------


def _price_changes(offer: str, blocks: list[PriceBlock], old: date, new: date | None) -> Iterator[Change]:
    alike: dict[tuple[Any, ...], list[PriceBlock]] = {}
    for block in blocks:
        alike.setdefault(_conditions(block), []).append(block)
    for group in alike.values():
        for key in dict.fromkeys(key for block in group for key in block.prices):
            of_key = [block for block in group if key in block.prices or block.withdrawn]
            for effective in sorted({block.effective for block in of_key}):
                change = _price_change(offer, key, effective, of_key, old, new)
                if change is not None:
                    yield change


def _conditions(block: PriceBlock) -> tuple[Any, ...]:
    return (
        *(block.service, block.tuned, block.context_above_tokens, block.deployment, block.method, block.technique),
        *(block.hours_utc, block.weekdays),
    )


def _price_change(offer: str, key: str, effective: date, blocks: list[PriceBlock], old: date, new: date | None) -> Change | None:
    """How a price of one key, set of conditions and effective day changed; None where it did not."""
    views = [[b for b in blocks if known_through(b, day)] for day in (old, new)]
    before, after = (_settled(view, effective) for view in views)
    if after is None or after == before or (after.withdrawn and (before is None or before.withdrawn)):
        return None
    in_force = [block_in_force(view, effective) for view in views]
    old_value, new_value = (None if block is None else _value(block, key) for block in in_force)
    kind: Kind = "corrected"
    if after.withdrawn:
        kind = "withdrawn"
    elif before is None or before.withdrawn:
        kind = "added"
    elif old_value == new_value:
        return None  # recorded again with another source or note
    elif after.ends != before.ends and _value(after, key, ends=False) == _value(before, key, ends=False) and after.ends:
        kind = "ended"
    return Change(offer, key, condition_words(after), effective, old_value, new_value, kind, after.source, after.recorded)


def _settled(blocks: list[PriceBlock], effective: date) -> PriceBlock | None:
    """The record that counts for an effective day: the last one of it."""
    return max((b for b in blocks if b.effective == effective), key=lambda b: b.recorded, default=None)


def _value(block: PriceBlock, key: str, *, ends: bool = True) -> str:
    currency = f" {block.currencies[key]}" if key in block.currencies else ""
    until = f" until {block.ends}" if ends and block.ends else ""
    doubt = ", unverified" if block.confidence == "unverified" else ""
    return f"{_text(block.prices[key])}{currency}{until}{doubt}"


# --- events, rules, numbers -----------------------------------------------------------------------------------------------


def _lifecycle_changes(offer: str, events: list[LifecycleEvent], old: date, new: date | None) -> Iterator[Change]:
    for name in dict.fromkeys(event.event for event in events):
        before, after = ([e for e in events if e.event == name and known_through(e, day)] for day in (old, new))
        is_end = name.endswith("_ends")
        if is_end:  # of an end, a later record replaces the earlier ones
            before, after = (_newest(before), _newest(after))
        for event in after:
            if event in before or (event.date, event.successor) in {(e.date, e.successor) for e in before}:
                continue
            replaced = ", ".join(map(_event, before)) if is_end and before else None
            kind: Kind = "corrected" if replaced else "added"
            yield Change(offer, name, "", event.date, replaced, _event(event), kind, event.source, event.recorded)


def _newest(events: list[LifecycleEvent]) -> list[LifecycleEvent]:
    return [event for event in events if event.recorded == max(e.recorded for e in events)]


def _event(event: LifecycleEvent) -> str:
    return f"{event.date}" + (f", successor {event.successor}" if event.successor else "")


def _rate_changes(code: str, blocks: Iterable[Any], old: date, new: date | None) -> Iterator[Change]:
    by_day: dict[date, list[FxBlock]] = {}
    for block in blocks:
        by_day.setdefault(block.effective, []).append(block)
    for effective, records in by_day.items():
        for change in _record_changes(code, "exchange rate", records, old, new):
            yield change._replace(effective=effective, fact="per_usd")


def _record_changes(name: str, what: str, records: Iterable[Any], old: date, new: date | None) -> Iterator[Change]:
    """Field by field what the last record of each state has otherwise; an assumption's range is one value."""
    before, after = (last_recorded(records, day) for day in (old, new))
    if after is None or after == before:
        return
    old_fields, new_fields = (_fields(record) for record in (before, after))
    for field in dict.fromkeys((*old_fields, *new_fields)):
        values = old_fields.get(field), new_fields.get(field)
        if values[0] != values[1]:
            fact = f"{what}.{field}" if field else what
            kind: Kind = "corrected" if before is not None else "added"
            yield Change(name, fact, "", None, *values, kind, getattr(after, "source", None) or "", after.recorded)


def _fields(record: Recorded | None) -> dict[str, str]:
    """What a record states beyond its source, as text; defaults left out."""
    if record is None:
        return {}
    if isinstance(record, Assumption):
        return {"": f"{record.likely:g} ({record.low:g} to {record.high:g}) {record.unit}"}
    if isinstance(record, Fit):
        return {name: f"{found.value:.6g}" for name, found in record.coefficient.items()}
    assert isinstance(record, BaseModel)
    stated = record.model_dump(exclude=PROVENANCE | {"effective"}, exclude_defaults=True)
    return {field: _text(value) for field, value in stated.items()}


def _text(value: Any) -> str:
    return f"{value.normalize():f}" if isinstance(value, Decimal) else str(value).removesuffix(".0")
