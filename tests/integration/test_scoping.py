"""Nobody sees past their scope, by whatever road the statement goes."""

from decimal import Decimal

import pytest
from sqlalchemy import func, text
from sqlmodel import SQLModel, select

from core.access.actors import Scope
from core.db.scoping import COMMON, PERSONAL, SCOPED, ScopeLeft, UnscopedStatement
from core.db.work import get_visible
from core.domain.plans import PlanSpread
from core.errors import EditedMeanwhile, NotFound
from core.model import (
    Activity,
    Award,
    Contact,
    CreditShare,
    Customer,
    Deal,
    DealChange,
    DealLine,
    ForecastRun,
    PlanLine,
    Quota,
    RepLeave,
    SalesPlan,
    StageMove,
)
from tests.factories import NOW


def all_tables():
    found = {mapper.class_ for mapper in SQLModel._sa_registry.mappers}
    return {table for table in found if table.__module__.startswith("core.")}


def test_every_table_is_scoped_personal_or_common():
    assert all_tables() == set(SCOPED) | set(PERSONAL) | COMMON
    assert not set(SCOPED) & COMMON


@pytest.mark.parametrize("table", sorted(SCOPED, key=lambda t: t.__name__))
def test_a_rep_of_the_east_sees_nothing_of_the_west(make, work_as, company, table):
    from datetime import date

    deal = make.deal(owner="charlie")
    make.activity(rep="charlie")
    make.quota(rep="charlie", month=date(2026, 7, 1), amount=1)
    make._write(Contact(customer_id=deal.customer_id, name="周"))
    make._write(
        Award(
            kind="best_seller", rep_id=make.reps["charlie"], start_on=date(2026, 6, 1), end_on=date(2026, 7, 1), value=1
        )
    )
    months = {"first_month": date(2026, 7, 1), "until_month": date(2026, 8, 1)}
    plan = make._write(SalesPlan(name="计划", levers={}, spread=PlanSpread.SHARE, **months))[0]
    make._write(PlanLine(plan_id=plan.id, rep_id=make.reps["charlie"], month=date(2026, 7, 1), amount=Decimal(1)))
    make._write(
        RepLeave(rep_id=make.reps["charlie"], from_on=date(2026, 7, 1), until_on=date(2026, 7, 2))
    )  # fmt: skip
    shared = {"rep_id": make.reps["alice"], "share": 10_000, "effective_at": NOW, "recorded_at": NOW}
    make._write(CreditShare(deal_id=deal.id, **shared))
    western = _actor(make, "western rep").scope.named
    make._write(ForecastRun(scope_key=western, made_at=NOW, depth="full", data_version="1", series=[]))
    assert work_as("western rep").session.scalar(select(func.count()).select_from(table)) > 0
    eastern = work_as("eastern rep").session
    assert eastern.scalar(select(func.count()).select_from(table)) == 0
    assert eastern.exec(select(table)).all() == []
    assert eastern.get(table, 1) is None


def test_a_deal_of_another_team_looks_like_one_that_never_was(make, work_as, company):
    western = make.deal(owner="charlie")
    for number in (western.id, 999_999):
        with pytest.raises(NotFound, match=f"no deal with the number {number}"):
            get_visible(work_as("eastern rep"), Deal, number)


def test_a_manager_sees_the_whole_team_and_no_other(make, work_as, company):
    east, west = make.deal(owner="bob"), make.deal(owner="charlie")
    found = {deal.id for deal in work_as("eastern manager").session.exec(select(Deal))}
    assert found == {east.id}
    assert {deal.id for deal in work_as("leader").session.exec(select(Deal))} == {east.id, west.id}
    assert work_as("administrator").session.exec(select(Deal)).all() == []


def test_who_won_a_deal_still_sees_it_after_it_was_handed_over(make, work_as, company):
    deal = make.deal(owner="bob", credited="alice", path=(("won", NOW),))
    assert get_visible(work_as("eastern rep"), Deal, deal.id).id == deal.id


def test_a_statement_that_is_no_orm_statement_is_refused_in_a_scoped_session(make, work_as, small_company):
    with pytest.raises(UnscopedStatement):
        work_as("eastern rep").session.execute(text("SELECT * FROM deal"))
    with pytest.raises(UnscopedStatement):
        work_as("eastern rep").session.execute(Deal.__table__.select())


def test_a_new_row_for_somebody_outside_the_scope_is_refused(make, company, perform_as):
    western = make.customer(owner="charlie")
    with (
        pytest.raises(ScopeLeft),
        make.database.writing(_actor(make, "eastern rep"), now=NOW, action="t") as work,
    ):
        work.session.add(Activity(kind="visit", customer_id=western.id, rep_id=make.reps["alice"], done_at=NOW))
    with (
        pytest.raises(ScopeLeft),
        make.database.writing(_actor(make, "eastern rep"), now=NOW, action="t") as work,
    ):
        work.session.add(Customer(name="别家", owner_id=make.reps["charlie"]))


def test_a_stale_version_is_refused(make, work_as, company):
    deal = make.deal()
    with pytest.raises(EditedMeanwhile):
        get_visible(work_as("eastern rep"), Deal, deal.id, version=deal.version + 1)


def test_a_scope_of_no_reps_and_no_teams_is_nothing():
    assert Scope.of_reps(set()) == Scope.nothing()


def _actor(make, who):
    from tests.conftest import actor

    return actor(make, who)


assert {DealLine, StageMove, DealChange, Quota} <= set(SCOPED)
