import pandas as pd
import plotly.express as px
import streamlit as st
from filters import sidebar
from load import load_deals, load_moves

st.set_page_config(page_title="Sales", layout="wide")
st.title("Funnel")
deals, start, end = sidebar(load_deals())
moves = load_moves()


def reached(start: pd.Timestamp, end: pd.Timestamp) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    cohort = deals[(deals["opened_at"] >= start) & (deals["opened_at"] < end)]
    steps = moves[moves["deal_id"].isin(cohort["id"]) & (moves["kind"] != "lost")]
    furthest = steps.groupby("deal_id")["position"].max()
    stages = moves[moves["kind"] != "lost"][["position", "stage"]].drop_duplicates().sort_values("position")
    stages["deals"] = [int((furthest >= position).sum()) for position in stages["position"]]
    amounts = cohort.set_index("id")["amount"].reindex(furthest.index)
    stages["amount"] = [float(amounts[furthest >= position].sum()) for position in stages["position"]]
    stages["conversion"] = stages["deals"] / stages["deals"].shift(1)
    return cohort, steps, stages


cohort, steps, stages = reached(start, end)
_, _, before = reached(start - (end - start), start)
stages["previous"] = before["deals"].to_numpy()
st.plotly_chart(px.funnel(stages, x="deals", y="stage", title="Deals that reached each stage"), key="funnel")
with st.expander("Numbers"):
    st.dataframe(stages, hide_index=True)

ordered = moves[moves["deal_id"].isin(cohort["id"])].sort_values(["deal_id", "effective_at"])
left_at = ordered.groupby("deal_id")["effective_at"].shift(-1)
ordered = ordered.assign(days=(left_at - ordered["effective_at"]).dt.total_seconds() / 86400)
stays = ordered.dropna(subset=["days"]).groupby(["position", "stage"])["days"]
stays = pd.DataFrame({"median": stays.median(), "p90": stays.quantile(0.9)}).reset_index()
left, right = st.columns(2)
left.plotly_chart(
    px.bar(stays, x=["median", "p90"], y="stage", barmode="group", orientation="h", title="Time in stage"), key="stays"
)
left.dataframe(stays, hide_index=True)
lost = cohort[cohort["state"] == "lost"]
furthest = steps[steps["deal_id"].isin(lost["id"])].groupby("deal_id")["position"].max()
losses = furthest.map(stages.set_index("position")["stage"]).value_counts().reset_index()
right.plotly_chart(px.bar(losses, x="count", y="position", orientation="h", title="Lost by stage"), key="losses")
right.dataframe(losses, hide_index=True)
