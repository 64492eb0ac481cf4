"""Share links: what a link opens, for whom, and when it closes."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import Any

import pandas as pd
import pytest
from sqlmodel import select

from core import gate
from core.access.actors import SYSTEM
from core.access.policy import Role
from core.access.sharing import SHAREABLE
from core.analytics.filters import Filters
from core.analytics.selection import Selection
from core.domain.periods import Period
from core.errors import NotAllowed, NotFound
from core.model import AuditEntry, Rep, ShareLink, User
from core.queries.customers import customers_page
from core.queries.deals import deals_page
from core.queries.drill import deals_behind, selection_total
from core.queries.funnel import cohort_funnel
from core.queries.leaderboard import leaderboard
from core.queries.overview import breakdown, overview_kpis
from core.queries.share import my_share_links
from core.queries.today_numbers import attainment_now
from core.reports.frozen import freeze, thaw
from core.services.share import (
    TOKEN_BYTES,
    ExpiryOutOfRange,
    LinkClosed,
    PageNotShareable,
    ShareView,
    hash_of,
    make_share_link,
    open_share_link,
    revoke_share_link,
)
from tests.conftest import actor
from tests.factories import NOW, Company

Q3 = Period(date(2026, 7, 1), date(2026, 10, 1))
HOUR = timedelta(hours=1)
QUESTIONS = {
    "overview": (overview_kpis, {"period": Q3}),
    "funnel": (cohort_funnel, {"period": Q3}),
    "leaderboard": (leaderboard, {"period": Q3}),
}


@pytest.fixture
def share(make: Company):
    """Make a link and return its token."""

    def made(who: str = "eastern manager", page: str = "overview", **values: Any) -> str:
        values = {"title": "", "query": {}, "language": "en", "hours": 24} | values
        return gate.perform(make.database, actor(make, who), make_share_link, NOW, page=page, **values)

    return made


def opened(company: Company, token: str, *, now: Any = NOW, count: bool = False) -> ShareView:
    return open_share_link(company.database, token=token, now=now, origin="10.1.2.3", count=count)


def asked(company: Company, token: str, question: Any, now: Any = NOW, **values: Any) -> Any:
    return gate.answer(company.database, opened(company, token).actor, question, now, **values)


def booked(company: Company, token: str) -> float:
    return float(asked(company, token, overview_kpis, period=Q3)["booked"].iloc[0])


def won(company: Company, owner: str, amount: int) -> None:
    company.deal(owner=owner, amount=amount, path=(("identified", NOW - 9 * HOUR), ("won", NOW - HOUR)))


def changed(company: Company, table: type, number: int, **values: Any) -> None:
    with company.database.writing(SYSTEM, now=NOW, action="test") as work:
        row = work.session.get_one(table, number)
        for name, value in values.items():
            setattr(row, name, value)


def test_a_token_holds_128_random_bits_or_more_and_no_two_are_alike(company, share) -> None:
    assert TOKEN_BYTES * 8 >= 128
    tokens = {share() for _ in range(20)}
    assert len(tokens) == 20
    assert min(map(len, tokens)) >= TOKEN_BYTES * 4 // 3


def test_the_token_is_kept_nowhere_but_as_a_hash(company, share) -> None:
    token = share(title="会议")
    with company.database.reading(SYSTEM, now=NOW) as work:
        (link,) = work.session.exec(select(ShareLink)).all()
        audit = [str(entry.model_dump()) for entry in work.session.exec(select(AuditEntry))]
    assert link.token_hash == hash_of(token)
    assert token not in str(link.model_dump())
    assert not [entry for entry in audit if token in entry]
    assert [entry for entry in audit if "share_link" in entry], "making a link is audited"


def test_wrong_expired_and_revoked_look_the_same(company, share, perform_as) -> None:
    expired, revoked, open_one = share(hours=1), share(), share()
    with company.database.reading(SYSTEM, now=NOW) as work:
        number = work.session.exec(select(ShareLink.id).where(ShareLink.token_hash == hash_of(revoked))).one()
    perform_as("eastern manager", revoke_share_link, link_id=number)
    sentences = set()
    for token in ("", "made up", expired, revoked, open_one[:-1], open_one + "A", hash_of(open_one)):
        with pytest.raises(LinkClosed) as refusal:
            opened(company, token, now=NOW + HOUR)
        sentences.add(refusal.value.message())
    assert len(sentences) == 1
    assert opened(company, open_one, now=NOW + HOUR).link.page == "overview"


def test_a_link_lives_up_to_its_expiry_and_not_an_instant_longer(company, share) -> None:
    token = share(hours=2)
    assert opened(company, token, now=NOW + 2 * HOUR - timedelta(microseconds=1))
    with pytest.raises(LinkClosed):
        opened(company, token, now=NOW + 2 * HOUR)


@pytest.mark.parametrize("hours", [0, -1, 24 * 366 + 1])
def test_an_expiry_lies_between_an_hour_and_a_year(company, share, hours: int) -> None:
    with pytest.raises(ExpiryOutOfRange):
        share(hours=hours)


def test_only_the_analytic_pages_can_be_shared(company, share) -> None:
    assert set(SHAREABLE) == {"overview", "pipeline", "funnel", "leaderboard", "forecast"}
    for page in ("deals", "today", "audit", "shared", ""):
        with pytest.raises(PageNotShareable):
            share(page=page)


@pytest.mark.parametrize("who", ["eastern manager", "leader", "operations"])
def test_managers_leadership_and_operations_may_share(company, share, who: str) -> None:
    assert opened(company, share(who)).actor.name == who.title()


@pytest.mark.parametrize("who", ["eastern rep", "administrator"])
def test_reps_and_administrators_may_not(company, share, answer_as, who: str) -> None:
    with pytest.raises(NotAllowed):
        share(who)
    with pytest.raises(NotAllowed):
        answer_as(who, my_share_links)


def test_a_link_shows_what_its_sharer_may_see_and_no_more(company, share) -> None:
    won(company, "alice", 5_000)
    won(company, "charlie", 70_000)
    assert booked(company, share("eastern manager")) == 5_000
    assert booked(company, share("western manager")) == 70_000
    assert booked(company, share("leader")) == 75_000
    names = asked(company, share(page="leaderboard"), leaderboard, period=Q3)["name"].to_list()
    assert "Charlie" not in names
    assert "Alice" in names
    west = Filters(team_ids=(company.teams["west"],))
    assert asked(company, share(), overview_kpis, period=Q3, filters=west)["booked"].iloc[0] == 0


def test_the_scope_is_the_sharers_when_it_is_looked_at(company, share) -> None:
    won(company, "alice", 5_000)
    won(company, "charlie", 70_000)
    token = share()
    assert booked(company, token) == 5_000
    changed(company, User, company.users["eastern manager"], team_id=company.teams["west"])
    assert booked(company, token) == 70_000
    changed(company, Rep, company.reps["alice"], team_id=company.teams["west"])
    assert booked(company, token) == 75_000
    changed(company, Rep, company.reps["charlie"], team_id=company.teams["east"])
    assert booked(company, token) == 5_000


def test_a_link_dies_with_its_sharers_account_and_permission(company, share) -> None:
    token, of_the_leader = share(), share("leader")
    changed(company, User, company.users["eastern manager"], active=False)
    with pytest.raises(LinkClosed):
        opened(company, token)
    changed(company, User, company.users["leader"], role=Role.REP, rep_id=company.reps["bob"])
    with pytest.raises(LinkClosed):
        opened(company, of_the_leader)


@pytest.mark.parametrize("page", sorted(QUESTIONS))
def test_its_holder_may_ask_that_pages_questions_alone(company, share, page: str) -> None:
    company.deal()
    holder = opened(company, share("leader", page)).actor
    assert (holder.role, holder.user_id) == (Role.SHARED, None)
    for name, (question, values) in QUESTIONS.items():
        if name == page:
            assert not gate.answer(company.database, holder, question, NOW, **values).empty
        else:
            with pytest.raises(NotAllowed):
                gate.answer(company.database, holder, question, NOW, **values)
    selection = Selection("created", Q3)
    for question, values in (
        (deals_behind, {"selection": selection}), (selection_total, {"selection": selection}), (deals_page, {}),
        (customers_page, {}), (attainment_now, {}), (my_share_links, {}),
    ):  # fmt: skip
        with pytest.raises(NotAllowed):
            gate.answer(company.database, holder, question, NOW, **values)
    with pytest.raises(NotAllowed):
        gate.perform(
            company.database, holder, make_share_link, NOW,
            page=page, title="", query={}, language="en", hours=1,
        )  # fmt: skip
    allowed = {entry.name for entry in gate.COMMANDS.values() if holder.may(entry.action)}
    assert allowed == set(), "the holder of a link changes nothing"


def test_a_frozen_link_keeps_its_numbers_whatever_comes_later(company, share) -> None:
    won(company, "alice", 5_000)
    leader = actor(company, "leader")

    def answers() -> dict[str, Any]:
        ask = lambda question, **more: gate.answer(company.database, leader, question, NOW, period=Q3, **more)  # noqa: E731
        company.database.mirror.refresh()
        return {
            "kpis": ask(overview_kpis), "teams": ask(breakdown, by="team"), "board": ask(leaderboard),
            "funnel": ask(cohort_funnel), "since": date(2026, 7, 1), "names": {"team": {"3": "东区"}},
        }  # fmt: skip

    then = answers()
    token = share("leader", frozen=freeze(then))
    won(company, "bob", 80_000)
    assert float(answers()["kpis"]["booked"].iloc[0]) == 85_000
    link = opened(company, token, now=NOW + HOUR).link
    kept = thaw(json.loads(json.dumps(link.frozen)))
    assert link.frozen_at == NOW
    assert set(kept) == set(then)
    for name, value in then.items():
        if isinstance(value, pd.DataFrame):
            pd.testing.assert_frame_equal(kept[name], value, check_exact=True)
        else:
            assert kept[name] == value
    assert float(kept["kpis"]["booked"].iloc[0]) == 5_000


def test_openings_are_counted_and_audited_with_where_from(company, share, answer_as) -> None:
    token = share(page="funnel", title="周会")
    opened(company, token, count=True)
    opened(company, token, now=NOW + HOUR, count=True)
    opened(company, token, now=NOW + HOUR, count=False)
    (row,) = answer_as("eastern manager", my_share_links).to_dict("records")
    assert (row["opened_count"], row["state"], row["title"], row["frozen"]) == (2, "open", "周会", False)
    assert row["last_opened_at"] == NOW + HOUR
    with company.database.reading(SYSTEM, now=NOW) as work:
        entries = work.session.exec(select(AuditEntry).where(AuditEntry.action == "share.open")).all()
    assert len(entries) == 2
    assert {entry.origin for entry in entries} == {"10.1.2.3"}
    assert {entry.username for entry in entries} == {f"link {row['id']}"}


def test_a_link_is_listed_for_its_maker_alone_and_revoked_by_its_maker_alone(
    company, share, answer_as, perform_as
) -> None:
    token = share()
    (number,) = answer_as("eastern manager", my_share_links)["id"]
    for other in ("western manager", "leader", "operations"):
        assert answer_as(other, my_share_links).empty
        with pytest.raises(NotFound):
            perform_as(other, revoke_share_link, link_id=number)
    assert opened(company, token)
    perform_as("eastern manager", revoke_share_link, link_id=number)
    with pytest.raises(LinkClosed):
        opened(company, token)
    assert answer_as("eastern manager", my_share_links)["state"].to_list() == ["revoked"]


def test_revoking_twice_keeps_the_first_time(company, share, answer_as, perform_as) -> None:
    share()
    (number,) = answer_as("eastern manager", my_share_links)["id"]
    perform_as("eastern manager", revoke_share_link, link_id=number)
    gate.perform(company.database, actor(company, "eastern manager"), revoke_share_link, NOW + HOUR, link_id=number)
    with company.database.reading(SYSTEM, now=NOW) as work:
        assert work.session.get_one(ShareLink, number).revoked_at == NOW
