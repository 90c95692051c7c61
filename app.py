"""The dashboard's entry: page config and navigation, nothing else."""

from pathlib import Path

import streamlit as st

ASSETS = Path(__file__).parent / "app_pages" / "assets"

st.set_page_config(page_title="tuneworth", page_icon=ASSETS / "icon.svg", layout="wide", initial_sidebar_state="auto")
theme = st.context.theme.type or "light"
st.logo(ASSETS / f"logo-{theme}.svg", size="large")
pages = [
    st.Page("app_pages/decide.py", title="Decide", icon=":material/balance:", default=True),
    st.Page("app_pages/training_data.py", title="Training data", icon=":material/dataset:"),
    st.Page("app_pages/tuning_hosting.py", title="Tuning & hosting", icon=":material/memory:"),
    st.Page("app_pages/break_even.py", title="Break-even", icon=":material/grid_on:"),
    st.Page("app_pages/risk.py", title="Risk", icon=":material/casino:"),
    st.Page("app_pages/cash_flow.py", title="Cash flow", icon=":material/calendar_month:"),
    st.Page("app_pages/prices.py", title="Prices", icon=":material/sell:"),
]
st.navigation(pages, position="top").run()
