"""``tuneworth break-even``: who is cheapest as one number of the scenario moves, and where that changes."""

from __future__ import annotations

from typing import Annotated

import typer

from calc.goal_seek import winners_over
from ingest.errors import InputError, Problem
from ingest.scenario_file import located
from reports import words
from tuneworth.clock import day_or_today
from tuneworth.compare import ABOUT_THE_SCENARIO, AsOf, ScenarioFile, stated
from tuneworth.output import Figure, Format, emit
from tuneworth.own_prices import OwnPricesFile, book_with


def break_even(
    file: ScenarioFile,
    over: Annotated[str, typer.Option("--over", help="Field by its dotted path, like task.examples.")],
    low: Annotated[float, typer.Option("--from", help="Low end of its range.")],
    high: Annotated[float, typer.Option("--to", help="High end of its range.")],
    as_of: AsOf = None,
    form: Annotated[Format, typer.Option("--format", help="How to print.")] = Format.table,
    own_prices: OwnPricesFile = None,
) -> None:
    """Show who is cheapest as one number moves, all others as stated; for the volume, compare is exact."""
    book = book_with(own_prices)
    scenario, lines = stated(file, as_of)
    try:
        first, changes = winners_over(scenario, book, over, low, high, today=day_or_today(None))
    except ABOUT_THE_SCENARIO as error:
        if str(error).startswith(over):  # the option is at fault, not the file
            raise InputError(Problem(str(file), str(error))) from None
        raise located(error, lines, str(file)) from None
    rows = [{"from": Figure(f"{low:,.6g}"), "cheapest": words.label(first), "change": "start of the range"}]
    rows += [
        {
            "from": Figure(f"{change.value:,.6g}"),
            "cheapest": words.label(change.winner),
            "change": "tie" if change.smooth else "jump",
        }
        for change in changes
    ]
    emit(form, rows, title=f"By {over}")
