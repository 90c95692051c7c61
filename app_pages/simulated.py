"""Simulations, each made once for a scenario, a day and a price book."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

import streamlit as st

from app_pages import shared
from calc import Comparison, Scenario, compare
from calc.risk import Risk, assess
from calc.sampling import DRAWS_PER_SCRAMBLE
from calc.uncertainty import SCRAMBLES, band, simulate
from pricing import PriceBook
from reports import risk_words
from reports.charts import VolumeBand, band_volumes
from reports.words import Badge

FEW_SCRAMBLES = 2
"""Of the page Decide; the page Risk makes as many as the command does, so that both say the same."""

_HASHES = {Scenario: lambda s: (s.model_dump_json(), repr(s.conversions))} | shared.BOOK_HASH
_KNOWN = "certainties"


class Certainty(NamedTuple):
    """How sure the cheapest approach is, for the page Decide."""

    badge: Badge | None
    band: VolumeBand


def risk(comparison: Comparison) -> Risk:
    """What the simulations say of a comparison."""
    return _risk(comparison.scenario, comparison.as_of, shared.book())


@st.cache_resource(max_entries=32, show_spinner="Drawing everything uncertain", hash_funcs=_HASHES)
def _risk(scenario: Scenario, day: date, book: PriceBook) -> Risk:
    return assess(compare(scenario, book, today=day), scrambles=SCRAMBLES, complete=False)


def certainty(comparison: Comparison) -> Certainty:
    """How often the cheapest approach is so, and the band of its cost by volume; a second where it is new."""
    found = _certainty(comparison.scenario, comparison.as_of, shared.book())
    st.session_state[_KNOWN] = (*st.session_state.get(_KNOWN, ())[-8:], _key(comparison))
    return found


def is_known(comparison: Comparison) -> bool:
    """Whether `certainty` was asked for in this session before, and costs nothing."""
    return _key(comparison) in st.session_state.get(_KNOWN, ())


def _key(comparison: Comparison) -> str:
    return repr((comparison.scenario.model_dump_json(), comparison.as_of, shared.book().own_files))


@st.cache_resource(max_entries=64, show_spinner=False, hash_funcs=_HASHES)
def _certainty(scenario: Scenario, day: date, book: PriceBook) -> Certainty:
    comparison = compare(scenario, book, today=day)
    simulation = simulate(comparison, scrambles=FEW_SCRAMBLES)
    volumes = band_volumes(comparison)
    low, high = band(simulation, comparison.winner(), volumes)
    found = VolumeBand(tuple(volumes), tuple(low), tuple(high), DRAWS_PER_SCRAMBLE)
    return Certainty(risk_words.badge(simulation), found)
