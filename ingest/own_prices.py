"""A user's own prices: negotiated rates, private models, discounts, commitments and credits in one TOML file.

The file has the schema of the bundled tables with the provider's id before every header (docs/own-prices.md). It is taken whole
or not at all.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ingest.errors import InputError, Problem
from ingest.files import is_utf_16, read_text
from pricing import BadTable, OwnFile, OwnPrices, PriceBook
from pricing.book import question
from pricing.check import Finding, located, misfits, own_findings, parsed_toml
from pricing.keys import PRICE_KEYS
from pricing.model import Item, PriceBlock, Provider
from pricing.near import did_you_mean
from pricing.problems import nearest
from pricing.terms import Commitment, Credit, Discount, Term, concurrent, overlapping

SIZE_LIMIT_BYTES = 1_000_000

_ITEM_KINDS = tuple(name for name, info in Provider.model_fields.items() if info.annotation == dict[str, Item])
_TERMS: dict[str, type[Term]] = {"discount": Discount, "commitment": Commitment, "credit": Credit}
_RULES = ("cache", "billing", "store")
_PROVIDER_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_FAR_OFF = 20
"""A price so many times above or below the listed one is more often a slip than a bargain."""
_UNDATED = date(2000, 1, 1)
"""When rules without a day of their own are taken to have been read. They are recorded last of all, so that they win."""

Table = dict[str, Any]


def load_own_prices(source: str | Path | bytes, name: str | None = None, book: PriceBook | None = None) -> OwnPrices:
    """Own prices, checked, as `PriceBook.with_overrides` takes them.

    Args:
        source: the file, or its bytes.
        name: the file's name, for messages and citations; by default that of the file named.
        book: what the prices are to be laid over; by default the bundled book.

    Raises:
        InputError: the file cannot be read or says what own prices cannot; all mistakes at once, each with its line.
    """
    text, data = _content(source, name or "own prices")
    shown = name or (Path(source).name if not isinstance(source, bytes) else "own-prices.toml")
    book = book or PriceBook.bundled()
    stated = parsed_toml(text, shown)
    if isinstance(stated, Problem):
        raise InputError(stated)
    if not stated:
        raise InputError(Problem(shown, "says nothing", "Expected a table, such as [[openai.discount]]"))
    file = OwnFile(shown, hashlib.sha256(data).hexdigest())
    reader = _Reader(book, f"file:{quote(shown)}")
    tables = {str(provider): reader.table(str(provider), table) for provider, table in stated.items()}
    if reader.findings:
        raise InputError(*located(reader.findings, text, shown))
    reader.warn_of_slips(tables)
    own = OwnPrices(tables, file, tuple(str(problem) for problem in located(reader.warnings, text, shown)))
    _check_laid_over(book, own)
    return own


def _content(source: str | Path | bytes, name: str) -> tuple[str, bytes]:
    """The text, and the bytes it was read from."""
    if not isinstance(source, bytes):
        text = read_text(source, SIZE_LIMIT_BYTES)
        return text, Path(source).read_bytes()
    if len(source) > SIZE_LIMIT_BYTES:
        raise InputError(Problem(name, "the file is too large", f"Expected at most {SIZE_LIMIT_BYTES:,} bytes"))
    if not source.strip():
        raise InputError(Problem(name, "the file is empty", "Expected a table, such as [[openai.discount]]"))
    if is_utf_16(source):
        raise InputError(Problem(name, "the file is UTF-16 text", "Expected UTF-8", "Save it as UTF-8"))
    try:
        return source.decode("utf-8-sig"), source
    except UnicodeDecodeError as error:
        line = source.count(b"\n", 0, error.start) + 1
        raise InputError(Problem(name, "the file is not UTF-8 text", "", "Save it as UTF-8", line=line)) from None


def _check_laid_over(book: PriceBook, own: OwnPrices) -> None:
    """What is in order by itself may still contradict the book, as an alias of another item does."""
    merged = book.with_overrides(own)
    try:
        for provider in own:
            merged.provider(provider)
    except BadTable as error:
        raise InputError(Problem(own.file.name, str(error))) from None


class _Reader:
    """Fills in what the file may leave out, and gathers what is wrong."""

    def __init__(self, book: PriceBook, source: str) -> None:
        self.findings: list[Finding] = []
        self.warnings: list[Finding] = []
        self._book = book
        self._sourced: Table = {"source": source, "confidence": "own", "own": True}

    def table(self, provider: str, stated: Any) -> Table:
        """A provider's table, complete."""
        if not isinstance(stated, dict):
            self._wrong((provider,), "is not a provider's table", "", f"Write [{provider}] above its fields")
            return {}
        listed = self._listed(provider, stated)
        table = dict(stated)
        for kind in _ITEM_KINDS:
            if isinstance(table.get(kind), dict):
                table[kind] = {item: self._item((provider, kind, item), fields, listed) for item, fields in table[kind].items()}
        table = self._with_sources(table, at_provider=True)
        if listed is None:
            table = {"name": provider, "price_page": self._sourced["source"]} | table
        self._terms(provider, table, listed)
        self._schema(provider, table)
        return table

    def _wrong(self, place: tuple[str | int, ...], wrong: str, expected: str = "", fix: str = "") -> None:
        self.findings.append(Finding(place, wrong, expected, fix))

    def _listed(self, provider: str, stated: Table) -> Provider | None:
        """The provider as the book has it; None for a private one, which has to name itself and sell something."""
        if provider in self._book.provider_ids:
            return self._book.provider(provider)
        near = _near(provider, self._book.provider_ids)
        if not _PROVIDER_ID.fullmatch(provider):
            self._wrong((provider,), "is not a provider's id", "Expected small letters, digits and hyphens, such as acme-gpu")
        elif "name" not in stated:
            fix = f'If it is a private one, give it a name: name = "…" under [{provider}]'
            self._wrong((provider,), f"there is no provider '{provider}' in the price book", near, fix)
        elif near:
            self._may_be_a_slip((provider,), f"'{provider}' is not in the price book and taken as a private provider", near)
        misspelt = near and "name" not in stated
        if not misspelt and not any(stated.get(kind) for kind in (*_ITEM_KINDS, "price", "band")):
            self._wrong((provider,), "a private provider sells nothing here", "", f"Add a model, such as [{provider}.model.NAME]")
        return None

    def _may_be_a_slip(self, place: tuple[str | int, ...], what: str, near: str) -> None:
        self.warnings.append(Finding(place, what, near))

    def warn_of_slips(self, tables: Mapping[str, Table]) -> None:
        """What the schema allows and is seldom meant: prices far from the listed ones, and entries without effect."""
        for provider, table in tables.items():
            listed = self._book.provider(provider) if provider in self._book.provider_ids else None
            if not table:
                self._may_be_a_slip((provider,), "has no effect: nothing is stated under it", "")
            for kind, items in ((kind, table.get(kind, {})) for kind in _ITEM_KINDS):
                for item, fields in items.items():
                    if not fields:
                        self._may_be_a_slip((provider, kind, item), "has no effect: nothing is stated under it", "")
                    if listed is not None and item in listed.items:
                        self._far_off((provider, kind, item, "price"), f"{provider}/{item}", fields.get("price", ()))
            for index, stated in enumerate(table.get("discount", ())):
                self._odd_discount((provider, "discount", index), Discount.model_validate(stated), listed)

    def _far_off(self, place: tuple[str, ...], offer: str, blocks: Iterable[Table]) -> None:
        rates = self._book.as_of(date.max)
        for index, block in enumerate(map(PriceBlock.model_validate, blocks)):
            for key, stated in block.prices.items():
                history = rates.history(offer, key, **question(block))
                listed = next((step.price for step in history if step.holds(block.effective)), None)
                code = block.currencies.get(key)
                value = stated if code is None else rates.exchange_rate(code).to_usd(stated)
                if listed is None or not value or not listed.value:
                    continue
                times, way = max(value / listed.value, listed.value / value), "above" if value > listed.value else "below"
                if times <= _FAR_OFF:
                    continue
                told = f"{value:.6g} is {times:,.0f} times {way} the listed price, {listed.value.normalize():f} {listed.unit}"
                self._may_be_a_slip((*place, index, key), f"{told} ({listed.source})", "Is the unit right?")

    def _odd_discount(self, place: tuple[str | int, ...], discount: Discount, listed: Provider | None) -> None:
        if discount.percent < 1:
            meant = (discount.percent * 100).normalize()
            self._may_be_a_slip((*place, "percent"), f"is {discount.percent:f} %", f"Did you mean {meant:f}?")
        if listed is None:
            self._may_be_a_slip(place, "has no effect: own prices take no discount", "")
            return
        rates = self._book.as_of(date.max)
        names = [(item_id, *item.aliases) for item_id, item in listed.items.items()]
        taken = [n for n in names if discount.offers is None or not set(n).isdisjoint(discount.offers)]
        keys = {key for first, *_ in taken for key in rates.keys(f"{listed.id}/{first}")}
        keys |= {key for block in listed.price for key in block.prices}
        for key in discount.keys or ():
            if key not in keys:
                self._may_be_a_slip((*place, "keys"), f"has no effect on {key}: {listed.name} lists no such price of it", "")

    def _item(self, place: tuple[str, ...], fields: Any, listed: Provider | None) -> Any:
        if not isinstance(fields, dict):
            return fields
        provider, kind, item = place
        known = listed.items if listed is not None else {}
        dotted = [f"{item}.{key}" for key, value in fields.items() if key not in Item.model_fields and isinstance(value, dict)]
        if dotted:
            fix = f'[{provider}.{kind}."{dotted[0]}"]'
            self._wrong(place, "is split at its dot", "An id with a dot is written in quotes", fix)
            return {"name": item}
        if item in known:
            return self._with_sources(fields)
        owner = next((key for key, one in known.items() if item in one.aliases), None)
        near = _near(item, known)
        if owner is not None:
            self._wrong(place, f"'{item}' is another name of {owner}", "", f"Write [{provider}.{kind}.{owner}]")
        elif not fields.get("price"):
            fix = f"Add [[{provider}.{kind}.{item}.price]] with effective and a price"
            self._wrong(place, f"'{item}' is not in the price book and has no price here", near, fix)
        elif near:
            self._may_be_a_slip(place, f"'{item}' is not in the price book and taken as a private {kind}", near)
        return {"name": item} | self._with_sources(fields)

    def _with_sources(self, fields: Table, *, at_provider: bool = False) -> Table:
        """The fields of a provider or an item, each fact in them with the file as its source unless it states another."""
        full = dict(fields)
        for key, value in fields.items():
            if key in ("price", "lifecycle") and isinstance(value, list):
                full[key] = [self._sourced_fact(fact) for fact in value]
            elif key in _RULES and not (at_provider and key == "store"):
                full[key] = [self._sourced_fact(fact) for fact in (value if isinstance(value, list) else [value])]
            elif key == "band" and isinstance(value, list):
                full[key] = [self._with_sources(band) if isinstance(band, dict) else band for band in value]
        return full

    def _sourced_fact(self, fact: Any) -> Any:
        if not isinstance(fact, dict):
            return fact
        stated = fact.get("effective", fact.get("date"))
        if isinstance(stated, str):
            with suppress(ValueError):
                stated = date.fromisoformat(stated)
        days = (stated, stated) if isinstance(stated, date) else (_UNDATED, date.max)
        return self._sourced | {"source_date": days[0], "recorded": days[1]} | fact | {"own": True}

    def _terms(self, provider: str, table: Table, listed: Provider | None) -> None:
        """Discounts, commitments and credits; two that contradict each other are both named."""
        for kind, model in _TERMS.items():
            stated = table.get(kind, [])
            if not isinstance(stated, list):
                self._wrong((provider, kind), "is a table", "", f"Write its header twice bracketed: [[{provider}.{kind}]]")
                continue
            wrong = [f for i, fields in enumerate(stated) for f in misfits(model, fields, (provider, kind, i))]
            self.findings += wrong
            if wrong:
                continue
            terms = [model.model_validate(fields) for fields in stated]
            pairs: Iterator[tuple[int, int]] = iter(())
            if kind == "discount":
                names = self._names(table, listed)
                discounts = [term for term in terms if isinstance(term, Discount)]
                self._unknown_targets(provider, discounts, names)
                pairs = overlapping(discounts, names)
            elif kind == "commitment":
                pairs = concurrent(terms)
            for first, second in pairs:
                self._overlap(provider, kind, terms, first, second)

    def _overlap(self, provider: str, kind: str, terms: list[Any], first: int, second: int) -> None:
        a, b = (f"{_words(terms[i])} from {terms[i].effective}" for i in (first, second))
        fix = f"End the first before the second starts (ends = {terms[second].effective}), or keep one"
        if kind == "discount":
            fix += "; two that add up are written as the one percent that is paid"
        self._wrong((provider, kind, second), f"{b} overlaps with {provider}.{kind}.{first}, {a}", "", fix)

    def _names(self, table: Table, listed: Provider | None) -> list[tuple[str, ...]]:
        """Each item's id and aliases: the book's, then the file's own."""
        found = {key: (key, *item.aliases) for key, item in (listed.items if listed is not None else {}).items()}
        for kind in _ITEM_KINDS:
            own = table.get(kind)
            for key, fields in own.items() if isinstance(own, dict) else ():
                aliases = fields.get("aliases", ()) if isinstance(fields, dict) else ()
                found[key] = (*found.get(key, (key,)), *(a for a in aliases if isinstance(a, str)))
        return list(found.values())

    def _unknown_targets(self, provider: str, discounts: list[Discount], names: list[tuple[str, ...]]) -> None:
        sold = [name for item in names for name in item]
        for index, discount in enumerate(discounts):
            for offer in discount.offers or ():
                if offer not in sold:
                    fix = "Write the id without its provider" if "/" in offer else ""
                    place = (provider, "discount", index, "offers")
                    self._wrong(place, f"'{offer}' is not sold there", nearest(offer, sold), fix)
            for key in discount.keys or ():
                if key not in PRICE_KEYS:
                    place = (provider, "discount", index, "keys")
                    self._wrong(place, f"'{key}' is not a price key", nearest(key, PRICE_KEYS))

    def _schema(self, provider: str, table: Table) -> None:
        """Everything else against the schema of the tables, the names of listed things filled in."""
        filled: Table = {"id": provider, "name": provider, "price_page": self._sourced["source"]}
        filled |= {key: value for key, value in table.items() if key not in _TERMS}
        for kind in _ITEM_KINDS:
            if isinstance(filled.get(kind), dict):
                filled[kind] = {
                    key: {"name": key} | fields if isinstance(fields, dict) else fields for key, fields in filled[kind].items()
                }
        weights = frozenset(self._book.open_models)
        told = {finding.place for finding in self.findings}
        found = (f._replace(place=(provider, *f.place)) for f in own_findings(filled, weights) if f.place != ("id",))
        self.findings += (finding for finding in found if finding.place not in told)


def _near(wanted: str, known: Mapping[str, Any] | tuple[str, ...]) -> str:
    """The question after what may have been meant; empty where nothing is near."""
    return did_you_mean(wanted, known, most=2, cutoff=0.75)


def _words(term: Any) -> str:
    return str(term) if isinstance(term, Discount) else f"${term.usd_per_month:,f} a month"
