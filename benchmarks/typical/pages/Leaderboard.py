import pandas as pd
import plotly.express as px
import streamlit as st
from filters import sidebar
from load import load_activities, load_deals, load_quotas

st.set_page_config(page_title="Sales", layout="wide")
st.title("Leaderboard")
deals, start, end = sidebar(load_deals())


def board(start: pd.Timestamp, end: pd.Timestamp) -> pd.DataFrame:
    closed = deals[(deals["closed_at"] >= start) & (deals["closed_at"] < end)]
    closed = closed.assign(
        won=closed["state"] == "won", days=(closed["closed_at"] - closed["opened_at"]).dt.days.astype(float)
    )
    won = closed[closed["won"]]
    rows = pd.DataFrame(
        {
            "booked": won.groupby("rep")["amount"].sum(),
            "won": won.groupby("rep").size(),
            "win rate": closed.groupby("rep")["won"].mean(),
            "average deal": won.groupby("rep")["amount"].mean(),
            "cycle": won.groupby("rep")["days"].median(),
        }
    )
    quotas = load_quotas()
    quotas = quotas[(quotas["month"] >= start) & (quotas["month"] < end)]
    rows["quota"] = quotas.groupby("rep")["quota"].sum()
    rows["attainment"] = rows["booked"] / rows["quota"]
    activities = load_activities()
    inside = activities[(activities["done_at"] >= start) & (activities["done_at"] < end)]
    rows["activities"] = inside.groupby("rep").size()
    rows["rank"] = rows["booked"].rank(ascending=False)
    return rows


rows = board(start, end)
rows["rank change"] = board(start - (end - start), start)["rank"] - rows["rank"]
rows = rows.sort_values("booked", ascending=False).reset_index()
for column, (_, row) in zip(st.columns(3), rows.head(3).iterrows(), strict=False):
    column.metric(row["rep"], f"{row['booked']:,.0f}")
st.plotly_chart(
    px.bar(rows.head(20), x=["booked", "quota"], y="rep", barmode="overlay", orientation="h", title="Booked and quota"),
    key="board",
)
st.dataframe(rows, hide_index=True)
