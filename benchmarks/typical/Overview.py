import pandas as pd
import plotly.express as px
import streamlit as st
from filters import sidebar
from load import load_deals, load_quotas

st.set_page_config(page_title="Sales", layout="wide")
st.title("Overview")
deals, start, end = sidebar(load_deals())


def figures(start: pd.Timestamp, end: pd.Timestamp) -> dict[str, float]:
    closed = deals[(deals["closed_at"] >= start) & (deals["closed_at"] < end)]
    won = closed[closed["state"] == "won"]
    booked = won["amount"].sum()
    return {
        "Booked": booked,
        "Won deals": len(won),
        "Win rate": len(won) / max(len(closed), 1),
        "Average deal": booked / max(len(won), 1),
        "Sales cycle": (won["closed_at"] - won["opened_at"]).dt.days.median(),
    }


now, before = figures(start, end), figures(start - (end - start), start)
open_deals = deals[deals["state"] == "open"]
quotas = load_quotas()
quota = quotas[(quotas["month"] >= start) & (quotas["month"] < end)]["quota"].sum()
pipeline = open_deals["amount"].sum()
closing = open_deals[(open_deals["expected_close_on"] >= start) & (open_deals["expected_close_on"] < end)]
columns = st.columns(5) + st.columns(4)
for column, name in zip(columns, now, strict=False):
    column.metric(name, f"{now[name]:,.2f}", f"{now[name] - before[name]:,.2f}")
columns[5].metric("Attainment", f"{now['Booked'] / max(quota, 1):.1%}")
columns[6].metric("Pipeline", f"{pipeline:,.0f}")
columns[7].metric("Weighted pipeline", f"{(open_deals['amount'] * open_deals['probability']).sum():,.0f}")
columns[8].metric("Coverage", f"{closing['amount'].sum() / max(quota - now['Booked'], 1):.2f}")

won = deals[deals["state"] == "won"]
months = won.assign(month=won["closed_at"].dt.to_period("M").dt.to_timestamp())
trend = months[(months["month"] >= end - pd.DateOffset(months=12)) & (months["month"] < end)]
trend = trend.groupby("month", as_index=False)["amount"].sum()
st.plotly_chart(px.bar(trend, x="month", y="amount", title="Booked by month"), key="trend")
with st.expander("Numbers"):
    st.dataframe(trend, hide_index=True)

left, right = st.columns(2)
stages = open_deals.groupby(["position", "stage"], as_index=False)["amount"].agg(["sum", "count"])
left.plotly_chart(px.bar(stages, x="sum", y="stage", orientation="h", title="Pipeline by stage"), key="pipeline")
left.dataframe(stages, hide_index=True)
inside = won[(won["closed_at"] >= start) & (won["closed_at"] < end)]
teams = inside.groupby("team", as_index=False)["amount"].agg(["sum", "count"])
right.plotly_chart(px.bar(teams, x="sum", y="team", orientation="h", title="Booked by team"), key="teams")
right.dataframe(teams, hide_index=True)
