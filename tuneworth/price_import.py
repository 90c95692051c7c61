"""``tuneworth prices import`` and ``tuneworth prices parity``: other collections' prices, taken over and held against ours."""

from __future__ import annotations

from enum import StrEnum
from importlib.resources import files
from pathlib import Path
from typing import Annotated

import typer

import pricing
from ingest.errors import InputError, NotInstalled, Problem
from pricing import PriceBook
from pricing.importers import genai_prices
from tuneworth.clock import today
from tuneworth.output import Format, emit, say
from tuneworth.price_parity import litellm_disagreements, parity


class Importable(StrEnum):
    """Packages whose prices can be taken over."""

    genai_prices = "genai-prices"


class Comparable(StrEnum):
    """Packages that the book can be held against."""

    genai_prices = "genai-prices"
    litellm = "litellm"


def import_prices(
    package: Annotated[Importable, typer.Argument(help="The installed package to read.")],
    folder: Annotated[Path | None, typer.Option(help="The price book's folder to add to. Default: the one in use.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be added, and add nothing.")] = False,
) -> None:
    """Append what the installed package says and the price book does not; nothing in the book is changed or overwritten."""
    folder = folder or Path(str(files(pricing)))
    if not (folder / "tables").is_dir():
        raise InputError(Problem(str(folder), "it has no folder 'tables'", "Expected a folder laid out like pricing/"))
    try:
        found = genai_prices.read(PriceBook(folder), today())
    except ModuleNotFoundError as error:
        raise NotInstalled(f"Importing {package.value}", "prices") from error
    if not dry_run:
        try:
            genai_prices.write(found, folder)
        except OSError as error:
            raise InputError(
                Problem(str(folder), f"it cannot be written to: {error.strerror}", "", "Name another with --folder")
            ) from None
    rows = [
        {
            "provider": provider,
            "new models": sum(len(addition.place) == 2 for addition in additions),
            "new price blocks": sum(addition.place[-1] == "price" for addition in additions),
        }
        for provider, additions in found.additions.items()
    ]
    if rows:
        emit(Format.table, rows)
    for disputed in found.disputed:
        say(
            f"{disputed.offer}, {disputed.key} on {disputed.on}: {disputed.book:f} in the book by the provider's own page, "
            f"{disputed.package:f} in {package.value}; the book's stands. Add a dated block by hand if it changed."
        )
    would = "would be" if dry_run else "were"
    typer.echo(f"{found.models:,} models and {found.blocks:,} price blocks {would} added." if rows else "The book has it all.")


def compare_prices(
    against: Annotated[Comparable, typer.Argument(help="The installed package to compare with.")] = Comparable.genai_prices,
    seed: Annotated[int, typer.Option(help="Seed of the random usages.")] = 0,
) -> None:
    """Price random usages of every model by the book and by a package; exits with 1 where genai-prices differs."""
    try:
        if against is Comparable.litellm:
            _disagreements()
        else:
            _parity(seed)
    except ModuleNotFoundError as error:
        name = error.name or against.value
        raise InputError(Problem("against", f"{name} is not installed", "", f"pip install {name.replace('_', '-')}")) from None


def _parity(seed: int) -> None:
    found = parity(PriceBook.bundled(), today(), seed)
    if found.superseded:
        emit(
            Format.table,
            [
                {"no longer sold": d.offer, "asked for": d.at.date(), "package, USD": f"{d.package_usd:.6g}", "book": d.ours}
                for d in {d.offer: d for d in found.superseded}.values()
            ],
        )
    if found.differences:
        emit(
            Format.table,
            [
                {"offer": d.offer, "at": f"{d.at:%Y-%m-%d %H:%M}", "context": ", ".join(d.context.values()),
                 "usage": ", ".join(f"{counter} {count:,}" for counter, count in d.usage.items()),
                 "package, USD": f"{d.package_usd:.9g}", "book": d.ours}
                for d in found.differences
            ],
        )  # fmt: skip
    typer.echo(
        f"{found.comparisons:,} usages of {found.models:,} models: {len(found.differences):,} differences. "
        f"{found.unpriced:,} models have no price in the package and none in the book."
    )
    if found.differences:
        raise typer.Exit(1)


def _disagreements() -> None:
    found, compared = litellm_disagreements(PriceBook.bundled(), today())
    if found:
        emit(
            Format.table,
            [
                {"offer": d.offer, "key": d.book.key, "conditions": d.book.conditions, "book": d.book.value,
                 "litellm": d.litellm.normalize(), "book's source": d.book.source, "read": d.book.source_date}
                for d in found
            ],
        )  # fmt: skip
    typer.echo(f"{compared:,} prices of LiteLLM's map were held against the book: {len(found):,} disagree.")
