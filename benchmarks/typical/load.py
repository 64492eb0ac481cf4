"""How most Streamlit dashboards read their data: everything, with pandas, once, cached."""

import os
import sqlite3

import pandas as pd
import streamlit as st

DATABASE = os.environ["DASHBOARD_DATABASE"]


@st.cache_data
def load_deals() -> pd.DataFrame:
    with sqlite3.connect(DATABASE) as connection:
        deals = pd.read_sql_query(
            """
            SELECT deal.id, deal.name, deal.state, deal.base_amount / 100.0 AS amount,
                   deal.opened_at, deal.closed_at, deal.expected_close_on,
                   stage.name_en AS stage, stage.position, stage.probability,
                   COALESCE(credited.name_en, owner.name_en) AS rep, team.name_en AS team,
                   territory.name_en AS territory, channel.name_en AS channel, customer.segment
            FROM deal
            JOIN stage ON stage.id = deal.stage_id
            JOIN rep AS owner ON owner.id = deal.owner_id
            LEFT JOIN rep AS credited ON credited.id = deal.credited_id
            LEFT JOIN team ON team.id = COALESCE(credited.team_id, owner.team_id)
            LEFT JOIN territory ON territory.id = team.territory_id
            LEFT JOIN channel ON channel.id = deal.channel_id
            JOIN customer ON customer.id = deal.customer_id
            """,
            connection,
        )
    for column in ("opened_at", "closed_at", "expected_close_on"):
        deals[column] = pd.to_datetime(deals[column], format="ISO8601", utc=True).dt.tz_localize(None)
    return deals


@st.cache_data
def load_moves() -> pd.DataFrame:
    with sqlite3.connect(DATABASE) as connection:
        moves = pd.read_sql_query(
            """
            SELECT stage_move.deal_id, stage.name_en AS stage, stage.position, stage.kind,
                   stage_move.effective_at
            FROM stage_move JOIN stage ON stage.id = stage_move.to_stage_id
            """,
            connection,
        )
    moves["effective_at"] = pd.to_datetime(moves["effective_at"], format="ISO8601", utc=True).dt.tz_localize(None)
    return moves


@st.cache_data
def load_quotas() -> pd.DataFrame:
    with sqlite3.connect(DATABASE) as connection:
        return pd.read_sql_query(
            """
            SELECT rep.name_en AS rep, quota.month, quota.amount / 100.0 AS quota
            FROM quota JOIN rep ON rep.id = quota.rep_id
            """,
            connection,
            parse_dates=["month"],
        )


@st.cache_data
def load_activities() -> pd.DataFrame:
    with sqlite3.connect(DATABASE) as connection:
        activities = pd.read_sql_query(
            """
            SELECT rep.name_en AS rep, activity.done_at
            FROM activity JOIN rep ON rep.id = activity.rep_id
            WHERE activity.done_at IS NOT NULL
            """,
            connection,
        )
    activities["done_at"] = pd.to_datetime(activities["done_at"], format="ISO8601", utc=True).dt.tz_localize(None)
    return activities
