"""Own prices: a file the reader lays over the price book, for this session alone and never in the page's address."""

from __future__ import annotations

import logging

import streamlit as st

from app_pages import shared
from ingest.errors import InputError
from ingest.own_prices import SIZE_LIMIT_BYTES, load_own_prices

_ROUND, _PROBLEM, _WARNINGS = "own prices round", "own prices problem", "own prices warnings"


def draw() -> None:
    """Where a file is taken, what is in force, and what is wrong with the last one."""
    in_force = shared.book().own_files
    with st.popover("Own prices", icon=":material/contract:", width="stretch"):
        st.file_uploader(
            "Own prices, TOML", type=["toml"], max_upload_size=1, key=_uploader(), on_change=_take,
            help="Negotiated rates, private models, discounts, commitments and credits (docs/own-prices.md).",
        )  # fmt: skip
        st.caption("They hold in this browser tab until it is reloaded, and are not in the page's address.")
    for file in in_force:
        st.caption(f":material/check: Own prices of {shared.plain(str(file))} are in force.")
    if in_force:
        st.button("Drop own prices", on_click=_drop, icon=":material/delete:", width="stretch", key="drop own prices")
    problem = st.session_state.get(_PROBLEM)
    if problem:
        kept = "The own prices from before stay in force." if in_force else "No own prices are in force."
        st.error(f"{shared.plain(problem)}\n\n{kept}".replace("\n", "  \n"), icon=":material/error:")
    for warning in st.session_state.get(_WARNINGS, ()):
        st.warning(shared.plain(warning), icon=":material/warning:")


def _uploader() -> str:
    return f"own prices {st.session_state.get(_ROUND, 0)}"


def _take() -> None:
    """Lay a file over the book, or say what is wrong with it and keep what was in force."""
    st.session_state.pop(_PROBLEM, None)
    file = st.session_state.get(_uploader())
    if file is None:
        return
    if file.size > SIZE_LIMIT_BYTES:
        st.session_state[_PROBLEM] = f"{file.name} is larger than 1 MB; a file of own prices is a few kilobytes."
        return
    try:
        own = load_own_prices(file.getvalue(), file.name, shared.bundled_book())
        laid_over = shared.bundled_book().with_overrides(own)
    except InputError as error:
        st.session_state[_PROBLEM] = str(error)
        return
    except Exception as error:  # whatever it is, the page and what was in force stay
        logging.getLogger("tuneworth").exception("A file of own prices could not be read")
        said = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        st.session_state[_PROBLEM] = f"{file.name}: tuneworth met an error of its own while reading it: {said:.300}"
        return
    st.session_state[shared.OWN_BOOK] = laid_over
    st.session_state[_WARNINGS] = own.warnings


def _drop() -> None:
    for key in (shared.OWN_BOOK, _PROBLEM, _WARNINGS):
        st.session_state.pop(key, None)
    st.session_state[_ROUND] = st.session_state.get(_ROUND, 0) + 1
