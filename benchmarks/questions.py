"""The same questions, asked in four ways, with answers that can be compared.

Luopan's statements over the mirror; SQL by hand over Parquet files of the mirror's own tables; pandas over frames
that are kept in memory; pandas that reads its rows first.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
from sqlalchemy import select

from core.analytics import as_of, facts, funnel, kpis, leaderboard
from core.analytics.filters import NO_FILTERS
from core.analytics.standings import Standings
from core.db.mirror import ScopedMirror
from core.domain.periods import Period, add_months

KEY_FIGURES = "key figures of two quarters"
MONTHS = "booked by month, three years"
FUNNEL = "cohort funnel of a year"
STAYS = "stays by stage, p50 and p90, a year"
RANKING = "leaderboard of a quarter"
PAST = "pipeline by stage, a year ago"
QUESTIONS = (KEY_FIGURES, MONTHS, FUNNEL, STAYS, RANKING, PAST)

Answer = Any
Asked = dict[str, Callable[[], Answer]]


@dataclass(frozen=True)
class Days:
    """What is asked about: everything up to `until`."""

    until: date

    @property
    def halves(self) -> Period:
        """Two quarters."""
        return self._months(6)

    @property
    def quarter(self) -> Period:
        """The last three months."""
        return self._months(3)

    @property
    def year(self) -> Period:
        """The last twelve months."""
        return self._months(12)

    @property
    def past(self) -> date:
        """A day a year ago."""
        return self.until - timedelta(days=365)

    @property
    def quarter_before_past(self) -> Period:
        """The three months up to that day."""
        return Days(self.past).quarter

    def _months(self, count: int) -> Period:
        end = self.until + timedelta(days=1)
        return Period(add_months(end, -count), end)

    @property
    def three_years(self) -> Period:
        """Thirty-six months."""
        return self._months(36)


def ours(mirror: Callable[[], ScopedMirror], days: Days) -> Asked:
    """Return the questions as the pages ask them."""
    today = days.until + timedelta(days=1)
    pipeline = mirror().value(facts.default_pipeline(mirror().facts))

    def key_figures() -> Answer:
        m = mirror()
        (row,) = m.rows(kpis.totals(m.facts, period=days.halves, filters=NO_FILTERS, today=today))
        return row.booked, row.won_count, row.lost_count, row.open_count

    def months() -> Answer:
        m = mirror()
        asked = kpis.booked_by(m.facts, period=days.three_years, filters=NO_FILTERS, today=today)
        return {row.on: row.booked for row in m.rows(asked)}

    def cohort() -> Answer:
        m = mirror()
        asked = funnel.cohort(m.facts, period=days.year, filters=NO_FILTERS, pipeline_id=pipeline, today=today)
        return {(row.furthest, row.state): row.count for row in m.rows(asked)}

    def stays() -> Answer:
        m = mirror()
        spans = m.facts.spans.c
        p50, p90 = (kpis.quantile(spans.seconds, rate, spans.seconds.is_not(None)) for rate in ("0.5", "0.9"))
        asked = (
            select(spans.stage_id, p50.label("p50"), p90.label("p90"))
            .where(spans.entered_on >= days.year.start, spans.entered_on < days.year.end, spans.kind == "open")
            .group_by(spans.stage_id)
        )
        return {row.stage_id: (row.p50, row.p90) for row in m.rows(asked)}

    def ranking() -> Answer:
        m = mirror()
        contest = leaderboard.Contest(days.quarter, "rep", NO_FILTERS, 5, today)
        found = Standings(lambda build: m.columns(build(m.facts)), contest).columns()
        booked = zip(found["id"].tolist(), found["booked"].tolist(), strict=True)
        return {rep: value for rep, value in booked if value}

    def past() -> Answer:
        m = mirror()
        day = as_of.AsOf(days.past)
        asked = as_of.by_stage(m.facts, filters=NO_FILTERS, pipeline_id=pipeline, as_of=day)
        return {int(row.stage_key): row.count for row in m.rows(asked)}

    return dict(zip(QUESTIONS, (key_figures, months, cohort, stays, ranking, past), strict=True))


def by_hand(connection: duckdb.DuckDBPyConnection, folder: Path, days: Days) -> Asked:
    """Return the questions as SQL that answers no more than them, over Parquet files in `folder`."""

    def rows(sql: str, *values: object) -> list[Any]:
        return connection.cursor().execute(sql.format(folder=folder), values).fetchall()

    halves, three, year, quarter = days.halves, days.three_years, days.year, days.quarter
    within = ("closed_on >= ? AND closed_on < ?", "opened_on >= ? AND opened_on < ?")
    deals, spans, states, reps = (f"'{folder}/{name}.parquet'" for name in ("deals", "spans", "states", "reps"))
    activities, quotas = (f"'{folder}/{name}.parquet'" for name in ("activities", "quotas"))
    decided = f"state = 'won' AND {within[0]}"
    return {
        KEY_FIGURES: lambda: rows(
            f"""SELECT sum(amount) FILTER (WHERE state = 'won' AND {within[0]}),
                count(*) FILTER (WHERE state = 'won' AND {within[0]}),
                count(*) FILTER (WHERE state = 'lost' AND {within[0]}), count(*) FILTER (WHERE state = 'open'),
                median(cycle_days) FILTER (WHERE state = 'won' AND {within[0]}),
                sum(amount) FILTER (WHERE state = 'open'), sum(weighted) FILTER (WHERE state = 'open')
                FROM {deals}""",
            *(halves.start, halves.end) * 4,
        )[0][:4],
        MONTHS: lambda: dict(
            rows(
                f"""SELECT CAST(date_trunc('month', closed_on) AS DATE), sum(amount) FROM {deals}
                WHERE {decided} GROUP BY 1""",
                three.start,
                three.end,
            )
        ),
        FUNNEL: lambda: {
            (furthest, state): count
            for furthest, state, count, _value in rows(
                f"SELECT furthest, state, count(*), sum(amount) FROM {deals} WHERE {within[1]} GROUP BY 1, 2",
                year.start,
                year.end,
            )
        },
        STAYS: lambda: {
            stage: tuple(marks)
            for stage, marks in rows(
                f"""SELECT stage_id, quantile_cont(seconds, [0.5, 0.9]) FROM {spans}
                WHERE entered_on >= ? AND entered_on < ? AND kind = 'open' GROUP BY 1""",
                year.start,
                year.end,
            )
        },
        RANKING: lambda: {
            rep: booked
            for rep, booked, *_others in rows(
                f"""WITH d AS (SELECT credit_id AS id, sum(amount) FILTER (WHERE state = 'won') AS booked,
                    count(*) FILTER (WHERE state = 'won') AS won, count(*) AS decided,
                    median(cycle_days) FILTER (WHERE state = 'won') AS cycle
                    FROM {deals} WHERE state <> 'open' AND {within[0]} GROUP BY 1),
                a AS (SELECT rep_id AS id, count(*) AS met FROM {activities}
                    WHERE done_on >= ? AND done_on < ? GROUP BY 1),
                q AS (SELECT rep_id AS id, sum(amount) AS quota FROM {quotas}
                    WHERE month >= ? AND month < ? AND rep_id IS NOT NULL GROUP BY 1)
                SELECT r.id, d.booked, d.won, d.decided, d.cycle, a.met, q.quota FROM {reps} r
                LEFT JOIN d USING (id) LEFT JOIN a USING (id) LEFT JOIN q USING (id) ORDER BY r.id""",
                *(quarter.start, quarter.end) * 3,
            )
            if booked
        },
        PAST: lambda: dict(
            rows(
                f"""SELECT stage_id, count(*) FROM {states}
                WHERE from_on <= ? AND until_on > ? AND known_now AND is_open GROUP BY 1""",
                days.past,
                days.past,
            )
        ),
    }


_NEEDED = {
    KEY_FIGURES: ("deals",), MONTHS: ("deals",), FUNNEL: ("deals", "moves"), STAYS: ("moves",),
    RANKING: ("deals", "activities"), PAST: ("moves",),
}  # fmt: skip
_ROWS = {
    "deals": "SELECT deal.id, state, base_amount AS amount, opened_at, closed_at, "
    "coalesce(credited_id, owner_id) AS rep FROM deal",
    "moves": "SELECT deal_id, to_stage_id AS stage, position, kind, effective_at FROM stage_move "
    "JOIN stage ON stage.id = to_stage_id ORDER BY deal_id, effective_at, stage_move.id",
    "activities": "SELECT rep_id AS rep, done_at FROM activity WHERE done_at IS NOT NULL",
}
_AHEAD = pd.Timedelta(hours=8)


def read_rows(path: Path, name: str) -> pd.DataFrame:
    """Read rows as most dashboards do, with instants in the company's time."""
    connection = sqlite3.connect(path)
    try:
        frame = pd.read_sql_query(_ROWS[name], connection)
    finally:
        connection.close()
    for column in frame.columns:
        if column.endswith("_at"):
            frame[column] = pd.to_datetime(frame[column], format="ISO8601") + _AHEAD
    return frame


def pandas_cached(path: Path, days: Days) -> Asked:
    """Return the questions over frames that are read once."""
    return _over({name: read_rows(path, name) for name in _ROWS}, days)


def pandas_reading(path: Path, days: Days) -> Asked:
    """Return the questions with the rows that each needs read first."""

    def asked(question: str) -> Callable[[], Answer]:
        def ask() -> Answer:
            frames = {name: read_rows(path, name) for name in _NEEDED[question]}
            return _over(frames, days)[question]()

        return ask

    return {question: asked(question) for question in QUESTIONS}


def _over(frames: dict[str, pd.DataFrame], days: Days) -> Asked:
    def inside(column: pd.Series, period: Period) -> pd.Series:
        return (column >= pd.Timestamp(period.start)) & (column < pd.Timestamp(period.end))

    def won(period: Period) -> pd.DataFrame:
        deals = frames["deals"]
        return deals[(deals.state == "won") & inside(deals.closed_at, period)]

    def key_figures() -> Answer:
        deals, mine = frames["deals"], won(days.halves)
        lost = int(((deals.state == "lost") & inside(deals.closed_at, days.halves)).sum())
        return int(mine.amount.sum()), len(mine), lost, int((deals.state == "open").sum())

    def months() -> Answer:
        mine = won(days.three_years)
        summed = mine.groupby(mine.closed_at.dt.to_period("M").dt.start_time.dt.date)["amount"].sum()
        return summed.to_dict()

    def cohort() -> Answer:
        deals, moves = frames["deals"], frames["moves"]
        mine = deals[inside(deals.opened_at, days.year)]
        kept = moves[(moves.kind != "lost") & moves.deal_id.isin(mine.id)]
        furthest = kept.groupby("deal_id")["position"].max()
        return mine.groupby([mine.id.map(furthest), "state"]).size().to_dict()

    def stays() -> Answer:
        moves = frames["moves"]
        left = moves.groupby("deal_id")["effective_at"].shift(-1)
        seconds = (left - moves.effective_at).dt.total_seconds()
        mine = inside(moves.effective_at, days.year) & (moves.kind == "open")
        stayed = seconds[mine].groupby(moves.stage[mine])
        p50, p90 = stayed.quantile(0.5), stayed.quantile(0.9)
        return {stage: (p50[stage], p90[stage]) for stage in p50.index}

    def ranking() -> Answer:
        mine, met = won(days.quarter), frames["activities"]
        board = mine.groupby("rep").agg(booked=("amount", "sum"), won=("id", "size"))
        board = board.join(met[inside(met.done_at, days.quarter)].groupby("rep").size().rename("met"))
        return board.booked.to_dict()

    def past() -> Answer:
        moves = frames["moves"]
        before = moves[moves.effective_at < pd.Timestamp(days.past) + pd.Timedelta(days=1)]
        last = before.groupby("deal_id").tail(1)
        return last[last.kind == "open"].groupby("stage").size().to_dict()

    return dict(zip(QUESTIONS, (key_figures, months, cohort, stays, ranking, past), strict=True))
