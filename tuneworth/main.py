"""The command ``tuneworth``: its verbs, and how it ends.

Exit codes: 0 answered, 1 wrong input, 2 wrong usage, 3 answered but partial.
"""

from __future__ import annotations

import errno
import io
import os
import sys
from typing import Annotated

import typer

from calc import NothingToCompare, Unpriced
from calc.invoice import NotMatched
from ingest.errors import InputError, NotInstalled
from pricing.errors import PricingError
from tuneworth.app import app as app_verb
from tuneworth.bill import bill
from tuneworth.break_even import break_even
from tuneworth.compare import compare_verb
from tuneworth.diff import diff
from tuneworth.gpus import gpus
from tuneworth.invoice import invoice
from tuneworth.output import ReaderGone, say
from tuneworth.prices import prices
from tuneworth.report import report
from tuneworth.risk import risk
from tuneworth.tokens import tokens
from tuneworth.version import installed_version

WRONG_INPUT = 1

KNOWN_ERRORS = (InputError, NotInstalled, PricingError, NothingToCompare, Unpriced, NotMatched)
"""Errors whose message is all the user needs."""

cli = typer.Typer(
    help="Prompt, few-shot, RAG or fine-tune: what each costs, from which volume it pays, and until when.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
cli.command("compare")(compare_verb)
cli.command()(report)
cli.command("break-even")(break_even)
cli.command()(risk)
cli.command()(diff)
cli.command()(tokens)
cli.command()(bill)
cli.command()(gpus)
cli.command()(invoice)
cli.add_typer(prices, name="prices")
cli.command("app")(app_verb)


def _print_version(wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"tuneworth {installed_version() or '(not installed)'}\n")
        raise typer.Exit


@cli.callback()
def _options(
    show_version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    """What holds for every verb."""


def main() -> None:
    """Run the command; every known mistake ends in one message on standard error, never in a traceback."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show a sign gets a question mark, never a failure.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        try:
            cli(prog_name="tuneworth")
        finally:
            sys.stdout.flush()
    except KNOWN_ERRORS as error:
        say(str(error))
        sys.exit(WRONG_INPUT)
    except (BrokenPipeError, ReaderGone):
        # The reader of a pipe has seen enough.
        _drop_output()
    except Exception as error:
        if isinstance(error, OSError) and error.errno == errno.ENOSPC:
            _drop_output()
            say("The output cannot be written: no space left. Free some, or write elsewhere.")
            sys.exit(WRONG_INPUT)
        if os.environ.get("TUNEWORTH_DEBUG"):
            raise
        say(f"tuneworth met an error of its own: {type(error).__name__}: {error}")
        say("Please report it with this line and what you ran; TUNEWORTH_DEBUG=1 shows where it happened.")
        sys.exit(WRONG_INPUT)


def _drop_output() -> None:
    """What is still to be written has nowhere to go, and leaving must not fail over it."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    main()
