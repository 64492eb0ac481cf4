"""Pipeline's questions on a real database: today they are Overview's, and on every past day the scopes add up."""

from __future__ import annotations

from datetime import date, timedelta
from math import isclose
from random import Random

import pytest
from sqlalchemy import select
from sqlmodel import select as orm_select

from core.access.actors import SYSTEM, Scope
from core.analytics.as_of import AsOf
from core.analytics.filters import Filters
from core.analytics.selection import Selection
from core.db.mirror import ScopedMirror
from core.domain.periods import Period
from core.domain.stages import DealField
from core.model import Deal, DealChange, StageMove
from core.queries.drill import deals_behind, selection_total
from core.queries.overview import booked_by_month, overview_kpis, pipeline_by_stage
from core.queries.pipeline import pipeline_as_of, pipeline_changes, pipeline_standing, pipeline_trend
from core.queries.pipeline_health import stage_calibration
from tests.factories import NOW
from tests.histories import random_deals

TODAY = date(2026, 7, 15)
YEAR = Period(date(2026, 1, 1), date(2027, 1, 1))
DAYS = [date(2026, 3, 1), date(2026, 5, 20), date(2026, 7, 14)]


@pytest.fixture
def told(company, answer_as):
    random_deals(company, Random(11), 40)
    return lambda query, who="leader", **values: answer_as(who, query, **values)


def near(number):
    return pytest.approx(number, nan_ok=True)


def test_today_it_is_what_overview_shows(told):
    now, then = told(pipeline_by_stage), told(pipeline_as_of)
    for column in ("stage_key", "stage", "count", "value", "weighted", "overdue_count"):
        assert then[column].to_list() == now[column].to_list(), column
    kpis = told(overview_kpis, period=YEAR).iloc[0]
    standing = told(pipeline_standing, period=YEAR).iloc[0]
    for column in (
        "open_count",
        "pipeline",
        "weighted_pipeline",
        "overdue_value",
        "closing_value",
        "booked",
        "won_count",
    ):
        assert isclose(standing[column], kpis[column], abs_tol=1e-6), column
    seen = told(overview_kpis, period=YEAR, as_of=AsOf(TODAY)).iloc[0]
    for column in kpis.index:
        assert seen[column] == (kpis[column] if isinstance(kpis[column], str | date) else near(kpis[column])), column
    months, past = (told(booked_by_month, period=YEAR, **more) for more in ({}, {"as_of": AsOf(TODAY)}))
    assert months["booked"].to_list() == past["booked"].to_list()


@pytest.mark.parametrize("as_of", [None, *(AsOf(on, known) for on in DAYS for known in ("now", "then"))])
@pytest.mark.parametrize("who", ["leader", "eastern manager"])
def test_each_figure_of_a_stage_opens_exactly_its_deals(told, who, as_of):
    stages = told(pipeline_as_of, who, as_of=as_of) if as_of else told(pipeline_by_stage, who)
    assert stages["count"].sum() > 0
    assert as_of is not None or stages["overdue_count"].sum() > 0
    for row in stages.to_dict("records"):
        for measure, count, value in (("stage", "count", "value"), ("weighted", "count", "weighted"),
                                      ("overdue", "overdue_count", None)):  # fmt: skip
            selection = Selection(f"{measure}:{row['stage_key']}", as_of=as_of)
            assert Selection.from_params(selection.to_params()) == selection
            total = told(selection_total, who, selection=selection).iloc[0]
            deals = told(deals_behind, who, selection=selection)
            assert len(deals) == total["count"] == row[count], (measure, row["stage"])
            if value is not None:
                assert isclose(total["value"], row[value], abs_tol=1e-6), (measure, row["stage"])
                assert isclose(deals["value"].sum(), row[value], abs_tol=1e-6)


@pytest.mark.parametrize("since", DAYS)
def test_what_was_won_between_two_days_is_what_was_booked(told, since):
    won = told(pipeline_changes, since=since).set_index("kind").loc["won"]
    after = Period(since + timedelta(days=1), TODAY + timedelta(days=1))
    booked = told(overview_kpis, period=after).iloc[0]
    assert (won["count"], -won["value"]) == (booked["won_count"], pytest.approx(booked["booked"]))


@pytest.mark.parametrize("on", DAYS)
def test_every_number_opens_exactly_its_deals(told, on):
    end, rep = AsOf(on), Filters(rep_ids=(1,))
    for filters in (Filters(), rep):
        bars = told(pipeline_changes, since=date(2026, 1, 31), as_of=end, filters=filters, closing=YEAR)
        for row in bars.to_dict("records"):
            chosen = Selection(f"change:{row['kind']}", YEAR, filters, as_of=end, since=date(2026, 1, 31))
            assert Selection.from_params(chosen.to_params()) == chosen
            total = told(selection_total, selection=chosen).iloc[0]
            deals = told(deals_behind, selection=chosen)
            assert (total["count"], total["value"]) == (row["count"], pytest.approx(row["value"]))
            assert (len(deals), deals["value"].sum()) == (row["count"], pytest.approx(row["value"]))
        for row in told(pipeline_as_of, as_of=end, filters=filters).to_dict("records"):
            total = told(
                selection_total, selection=Selection(f"stage:{row['stage_key']}", None, filters, as_of=end)
            ).iloc[0]
            assert (total["count"], total["value"]) == (row["count"], pytest.approx(row["value"]))


def test_the_trends_last_week_is_the_pipeline_on_its_last_day(told):
    weeks = told(pipeline_trend, weeks=30)
    last = weeks["week_on"].max()
    assert last == date(2026, 7, 12)
    stood = told(pipeline_as_of, as_of=AsOf(last))
    assert weeks[weeks["week_on"] == last]["value"].to_list() == pytest.approx(stood["value"].to_list())


@pytest.mark.parametrize("known", ["now", "then"])
@pytest.mark.parametrize("on", DAYS)
def test_on_every_day_the_scopes_add_up_to_the_company(told, on, known):
    """Whoever had a deal on that day counts it, and nobody else does."""
    as_of = AsOf(on, known)
    whole = told(pipeline_standing, period=YEAR, as_of=as_of).iloc[0]
    parts = [
        told(pipeline_standing, who=who, period=YEAR, as_of=as_of).iloc[0]
        for who in ("eastern manager", "western manager")
    ]
    for column in ("open_count", "pipeline", "booked", "won_count", "lost_count"):
        assert isclose(sum(part[column] for part in parts), whole[column], abs_tol=1e-6), column


def test_a_scope_reads_the_states_of_its_own_people_alone(company):
    random_deals(company, Random(5), 20)
    company.database.mirror.refresh()
    alice = company.reps["alice"]
    scope = Scope.of_reps({alice})
    mine = ScopedMirror(company.database.mirror._connection, scope)
    assert {row.credit_id for row in mine.rows(select(mine.facts.states))} == {alice}
    nobody = ScopedMirror(company.database.mirror._connection, Scope.nothing())
    for table in (nobody.facts.states, nobody.facts.known_deals, nobody.facts.known_customers):
        assert nobody.rows(select(table)) == []


def test_what_is_imported_today_was_not_known_before(company, answer_as):
    """As it is known now the deal was open in May; as it was known then nobody had heard of it."""
    deal = company.deal(path=(("identified", NOW - timedelta(days=60)),), amount=500)
    with company.database.writing(SYSTEM, now=NOW, action="test") as work:
        for move in work.session.exec(orm_select(StageMove).where(StageMove.deal_id == deal.id)):
            move.recorded_at = NOW
    on = date(2026, 6, 1)
    assert answer_as("leader", pipeline_standing, period=YEAR, as_of=AsOf(on)).iloc[0]["pipeline"] == 500.0
    assert answer_as("leader", pipeline_standing, period=YEAR, as_of=AsOf(on, "then")).iloc[0]["pipeline"] == 0.0


def test_what_a_team_lost_before_it_gave_the_deal_away_stays_in_its_past(company, answer_as):
    days = ((40, "identified"), (30, "demo"), (9, "lost"))
    deal = company.deal(owner="alice", path=tuple((code, NOW - timedelta(days=ago)) for ago, code in days), amount=700)
    alice, charlie = company.reps["alice"], company.reps["charlie"]
    with company.database.writing(SYSTEM, now=NOW, action="test") as work:
        work.session.get(Deal, deal.id).owner_id = charlie
        work.session.add(
            DealChange(
                deal_id=deal.id, field=DealField.OWNER, before=str(alice), after=str(charlie),
                effective_at=NOW - timedelta(days=2), recorded_at=NOW - timedelta(days=2),
            )
        )  # fmt: skip
    stage, before = str(company.stages["demo"]), TODAY - timedelta(days=5)
    counted = {("eastern manager", before): 1, ("western manager", before): 0, ("leader", before): 1,
               ("eastern manager", TODAY): 0, ("western manager", TODAY): 1}  # fmt: skip
    for (who, on), count in counted.items():
        for known in ("now", "then"):
            as_of = AsOf(on, known)
            rows = answer_as(who, stage_calibration, period=YEAR, as_of=as_of).set_index("stage_key")
            assert rows.loc[stage, "decided"] == count, (who, on, known)
            opened = answer_as(who, selection_total, selection=Selection(f"stood:{stage}", YEAR, as_of=as_of)).iloc[0]
            assert (opened["count"], opened["value"]) == (count, 700.0 * count)
