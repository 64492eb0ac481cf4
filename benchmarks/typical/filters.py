"""The sidebar of every page: a period, teams."""

import pandas as pd
import streamlit as st

PRESETS = [
    "This month", "Last month", "This quarter", "Last quarter", "This year", "Last year", "Last 12 months", "All time",
]  # fmt: skip


def quarters(today: pd.Timestamp) -> list[str]:
    current = today.to_period("Q")
    return [f"{(current - back).year}-Q{(current - back).quarter}" for back in range(8)]


def bounds(chosen: str, today: pd.Timestamp) -> tuple[pd.Timestamp, pd.Timestamp]:
    month, quarter, year = today.to_period("M"), today.to_period("Q"), today.to_period("Y")
    periods = {
        "This month": month, "Last month": month - 1, "This quarter": quarter, "Last quarter": quarter - 1,
        "This year": year, "Last year": year - 1,
    }  # fmt: skip
    if chosen in periods:
        return periods[chosen].start_time, (periods[chosen] + 1).start_time
    if chosen == "Last 12 months":
        return (month - 11).start_time, (month + 1).start_time
    if chosen == "All time":
        return pd.Timestamp(2000, 1, 1), (month + 1).start_time
    named = pd.Period(chosen.replace("-", ""), "Q")
    return named.start_time, (named + 1).start_time


def sidebar(deals: pd.DataFrame) -> tuple[pd.DataFrame, pd.Timestamp, pd.Timestamp]:
    """Return the deals of the chosen teams, and the period."""
    today = pd.Timestamp.now("Asia/Shanghai").tz_localize(None).normalize()
    st.sidebar.button("Refresh data", key="refresh", on_click=st.cache_data.clear)
    chosen = st.sidebar.selectbox("Period", PRESETS + quarters(today), index=4, key="period")
    teams = st.sidebar.multiselect("Team", sorted(deals["team"].dropna().unique()), key="team")
    if teams:
        deals = deals[deals["team"].isin(teams)]
    return deals, *bounds(chosen, today)
