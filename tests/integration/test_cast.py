"""Alice owns, Charlie must be refused: every query and every command, by role and by scope."""

from __future__ import annotations

import importlib
import pkgutil
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, is_dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

import pandas as pd
import pytest
from sqlalchemy import func, select
from sqlmodel import SQLModel

import core.importing
import core.queries
import core.services
from core import gate
from core.access.actors import SYSTEM, Actor, Scope
from core.access.policy import POLICY, Role
from core.analytics.as_of import AsOf
from core.analytics.filters import Filters
from core.analytics.selection import Selection
from core.db.work import Database
from core.domain.periods import Period, add_months
from core.domain.plans import PlanSpread
from core.domain.stages import ActivityKind
from core.errors import NotAllowed, NotFound, SalesError
from core.forecasting.levers import Levers
from core.model import (
    AuditEntry,
    Contact,
    CreditShare,
    Customer,
    Deal,
    PlanLine,
    RepLeave,
    SalesPlan,
    Scenario,
    ShareLink,
    SignInSession,
)
from core.queries.deals import DealFilter
from core.services.deal_bulk import DealAt
from core.services.deal_credit import CreditPart
from core.services.plans import NotYourPlan, PlanChange
from core.services.scenarios import save_scenario, share_scenario
from core.services.share import make_share_link
from tests.conftest import SHANGHAI, actor
from tests.databases import drop_database, fresh_database
from tests.factories import NOW, Company

for package in (core.queries, core.services, core.importing):
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)

Q3 = Period(date(2026, 7, 1), date(2026, 10, 1))
MONTH = date(2026, 7, 1)
NOBODY = 999_999
SECRET = "秘密西域"
EVERY = {**gate.QUERIES, **gate.COMMANDS}
assert len(EVERY) == len(gate.QUERIES) + len(gate.COMMANDS)


class West(NamedTuple):
    """The western rep's records, which the east must not learn of."""

    deal: int
    won: int
    customer: int
    contact: int
    activity: int
    rep: int
    team: int
    scenario: int
    link: int
    sign_in: int
    leave: int = NOBODY
    plan: int = NOBODY

    def absent(self) -> West:
        """Return records that never were."""
        return self._replace(**dict.fromkeys(self._fields, NOBODY))


# --- by role: whoever lacks the permission is refused before an argument is looked at ----------


@pytest.mark.parametrize("name", sorted(EVERY))
def test_a_role_without_the_permission_is_refused_whatever_it_says(roles: dict[Role, Company], name: str) -> None:
    entry = EVERY[name]
    allowed = {role for role in Role if entry.action in POLICY[role]}
    assert allowed, f"nobody may {name}"
    company = roles[Role.REP]
    run = gate.answer if name in gate.QUERIES else gate.perform
    for role in Role:
        who = Actor(1, "x", "x", role, Scope.everything(), rep_id=1, team_id=1)
        nonsense = {"no_such_argument": object()}
        expected: type[Exception] = TypeError if role in allowed else NotAllowed
        with pytest.raises(expected):
            run(company.database, who, entry.function, NOW, **nonsense)


@pytest.fixture(scope="module")
def roles(founded_sqlite, tmp_path_factory) -> Iterator[dict[Role, Company]]:
    path = tmp_path_factory.mktemp("roles") / "luopan.db"
    shutil.copy(founded_sqlite, path)
    database = Database(f"sqlite:///{path}", zone=SHANGHAI)
    company = Company(database)
    yield dict.fromkeys(Role, company)
    database.close()


# --- by scope: what the west does changes nothing of what the east is told -----------------------


@dataclass(frozen=True)
class Ask:
    """One way to ask a question: as whom, and with which arguments."""

    who: str
    values: Callable[[Company, West], dict[str, Any]] = lambda _c, _w: {}


def _in_period(**more: Any) -> Callable[[Company, West], dict[str, Any]]:
    return lambda _c, _w: {"period": Q3, **more}


def _of_the_west(**more: Any) -> Callable[[Company, West], dict[str, Any]]:
    return lambda _c, west: {**more, "filters": Filters(rep_ids=(west.rep,), team_ids=(west.team,))}


REP, MANAGER = "eastern rep", "eastern manager"


def _both(*ways: Callable[[Company, West], dict[str, Any]]) -> tuple[Ask, ...]:
    return tuple(Ask(who, way) for who in (REP, MANAGER) for way in ways)


def _plain(_company: Company, _west: West) -> dict[str, Any]:
    return {}


PERIOD = _both(_in_period(), _of_the_west(period=Q3))
PAST_DAYS = (None, AsOf(date(2026, 7, 14)), AsOf(date(2026, 7, 14), "then"))
ANY_DAY = (*_both(*(_in_period(as_of=day) for day in PAST_DAYS)), *_both(_of_the_west(period=Q3)))
BUSINESS: dict[str, tuple[Ask, ...]] = {
    "due_activities": _both(lambda _c, _w: {"until": date(2027, 1, 1)}),
    "customers_page": _both(_plain, lambda _c, w: {"rep_ids": (w.rep,)}, lambda _c, _w: {"search": SECRET}),
    "customers_found": _both(_plain, lambda _c, _w: {"search": SECRET}),
    "similar_customers": _both(lambda _c, _w: {"name": f"{SECRET}科技"}),
    "segments_in_use": _both(_plain),
    "words_in_use": _both(_plain),
    "customer_gaps": _both(_plain),
    "deals_page": _both(
        _plain,
        lambda _c, _w: {"wanted": DealFilter(search=SECRET)},
        lambda _c, w: {"wanted": DealFilter(customer_id=w.customer)},
        lambda _c, _w: {"wanted": DealFilter(need="attention")},
        lambda _c, w: {"wanted": DealFilter(filters=Filters(team_ids=(w.team,)))},
    ),
    "deals_board": _both(_plain),
    "shared_scenarios": _both(_plain),
    "plan_by_month": _both(
        lambda _c, _w: {"period": Q3},
        lambda _c, w: {"period": Q3, "filters": Filters(team_ids=(w.team,))},
        lambda _c, w: {"period": Q3, "filters": Filters(rep_ids=(w.rep,))},
    ),
    "plan_now": _both(_plain),
    "plan_grid": _both(lambda _c, _w: {"plan_id": 1}, lambda _c, w: {"plan_id": w.plan}),
    "sales_plans": _both(_plain),
    "filter_choices": _both(_plain),
    "first_deal_on": _both(_plain),
    "newest_deal_on": _both(_plain),
    "deals_behind": _both(
        *(
            lambda _c, w, m=measure: {"selection": Selection(m, Q3, Filters(rep_ids=(w.rep,)))}
            for measure in ("booked", "lost", "open")
        ),
        lambda _c, w: {"selection": Selection("booked", Q3, by="rep", key=str(w.rep))},
        lambda _c, w: {"selection": Selection("credited", Q3, by="rep", key=str(w.rep))},
        lambda _c, _w: {"selection": Selection("credited", Q3)},
        lambda _c, _w: {"selection": Selection("credited", Q3, as_of=AsOf(date(2026, 7, 14), "then"))},
        lambda _c, w: {"selection": Selection("created", Q3, by="segment", key=SECRET)},
        lambda _c, _w: {"selection": Selection("created", Q3)},
        lambda _c, w: {"selection": Selection("open", None, Filters(rep_ids=(w.rep,)), as_of=AsOf(date(2026, 7, 14)))},
        *(
            lambda _c, w, m=measure: {
                "selection": Selection(m, Q3, by="rep", key=str(w.rep), as_of=AsOf(date(2026, 7, 14), "then"))
            }
            for measure in ("booked", "created", "flow:0")
        ),
        lambda _c, _w: {"selection": Selection("change:won", as_of=AsOf(date(2026, 7, 15)), since=date(2026, 5, 1))},
    ),
    "selection_total": _both(
        lambda _c, w: {"selection": Selection("booked", Q3, by="team", key=str(w.team))},
        lambda _c, _w: {"selection": Selection("open")},
    ),
    "cohort_funnel": ANY_DAY,
    "funnel_compare": _both(
        _in_period(by="rep"), _in_period(by="segment"), lambda _c, w: {"period": Q3, "by": "rep", "keys": (str(w.rep),)}
    ),
    "cohorts_by_month": ANY_DAY,
    "time_in_stage": ANY_DAY,
    "stay_curves": ANY_DAY,
    "losses_by_stage": ANY_DAY,
    "losses_by_month": ANY_DAY,
    "losses_by_competitor": ANY_DAY,
    "funnel_flow": ANY_DAY,
    "flow_kinds": ANY_DAY,
    "funnel_snapshot": _both(*(lambda _c, _w, d=day: {"as_of": d} for day in PAST_DAYS), _of_the_west()),
    "step_changes": _both(
        *(_in_period(days=1, as_of=day) for day in PAST_DAYS),
        lambda _c, w: {"period": Q3, "days": 1, "by": "rep", "key": str(w.rep)},
        lambda _c, _w: {"period": Q3, "days": 1, "by": "competitor", "key": SECRET},
    ),
    "step_trend": _both(*(_in_period(days=1, as_of=day) for day in PAST_DAYS), _of_the_west(period=Q3, days=1)),
    "leaderboard": (
        *_both(*(_in_period(by=by, measure=measure) for by in ("rep", "team") for measure in ("booked", "activities"))),
        *_both(*(_in_period(by=by, as_of=day) for by in ("rep", "team") for day in PAST_DAYS)),
        *_both(*(_in_period(by=by, splits=True, as_of=day) for by in ("rep", "team") for day in (None, *PAST_DAYS))),
        *_both(_of_the_west(period=Q3), _of_the_west(period=Q3, splits=True)),
    ),
    "overview_kpis": ANY_DAY,
    "booked_why": ANY_DAY,
    "expected_weeks": _both(*(lambda _c, _w, d=day: {"as_of": d} for day in PAST_DAYS), _of_the_west()),
    "customer_kpis": ANY_DAY,
    "customer_lifetime_value": ANY_DAY,
    "rfm_segments": ANY_DAY,
    "customers_behind": _both(
        *(_in_period(kind=kind, as_of=day) for kind in ("buyers", "active", "rfm:champions") for day in PAST_DAYS),
        _of_the_west(kind="buyers", period=Q3),
    ),
    "coverage_needed": _both(*(lambda _c, _w, d=day: {"as_of": d} for day in PAST_DAYS), _of_the_west()),
    "booked_by_month": ANY_DAY,
    "breakdown": _both(*(_in_period(by=by) for by in ("team", "rep", "territory", "product", "channel", "segment"))),
    "pipeline_by_stage": _both(_plain, _of_the_west()),
    "pipeline_standing": _both(*(_in_period(as_of=day, since=MONTH) for day in PAST_DAYS), _of_the_west(period=Q3)),
    "pipeline_as_of": _both(*(lambda _c, _w, d=day: {"as_of": d} for day in PAST_DAYS), _of_the_west()),
    "pipeline_ages": _both(*(lambda _c, _w, d=day: {"as_of": d} for day in PAST_DAYS), _of_the_west()),
    "pipeline_concentration": _both(*(lambda _c, _w, d=day: {"as_of": d} for day in PAST_DAYS), _of_the_west()),
    "stage_calibration": _both(*(_in_period(as_of=day) for day in PAST_DAYS), _of_the_west(period=Q3)),
    "pipeline_trend": _both(*(lambda _c, _w, d=day: {"as_of": d} for day in PAST_DAYS), _of_the_west()),
    "pipeline_changes": _both(
        *(lambda _c, _w, d=day: {"since": date(2026, 6, 1), "as_of": d} for day in PAST_DAYS),
        lambda _c, _w: {"since": MONTH, "closing": Q3},
        _of_the_west(since=MONTH),
    ),
    "monthly_quotas": _both(
        _in_period(),
        lambda _c, w: {"period": Q3, "dimension": "team", "key": str(w.team)},
        lambda _c, w: {"period": Q3, "dimension": "rep", "key": str(w.rep)},
    ),
    "booked_series": _both(
        _plain,
        lambda _c, w: {"dimension": "team", "key": str(w.team)},
        lambda _c, w: {"dimension": "rep", "key": str(w.rep)},
    ),
    "all_series": _both(_plain),
    "series_quotas": _both(_in_period()),
    "deal_spans": _both(
        lambda _c, _w: {"since": date(2026, 1, 1)},
        lambda _c, w: {"since": date(2026, 1, 1), "dimension": "team", "key": str(w.team)},
        lambda _c, w: {"since": date(2026, 1, 1), "dimension": "rep", "key": str(w.rep)},
    ),
    "near_outlook": _both(
        _plain,
        lambda _c, w: {"dimension": "team", "key": str(w.team)},
        lambda _c, w: {"dimension": "rep", "key": str(w.rep)},
    ),
    "carrying_deals": _both(_plain, lambda _c, w: {"dimension": "team", "key": str(w.team), "count": 3}),
    "attainment_now": _both(_plain),
    "six_numbers": _both(_plain),
    "deals_needing_attention": _both(_plain),
    "attention_counts": _both(_plain),
    "deal_versions": _both(lambda _c, w: {"deal_ids": (w.deal, w.won)}),
    "changes_since": _both(lambda _c, _w: {"since": MONTH}),
    "events_since": _both(lambda _c, _w: {"since": MONTH}),
}
"""Queries that tell of rows of business: asked as two of the east, before and after the west's business."""

BY_NUMBER: dict[str, Callable[[West], dict[str, Any]]] = {
    "activities_of": lambda w: {"customer_id": w.customer},
    "customer_record": lambda w: {"customer_id": w.customer},
    "customer_hit": lambda w: {"customer_id": w.customer},
    "contacts_of": lambda w: {"customer_id": w.customer},
    "open_deals_of": lambda w: {"customer_id": w.customer},
    "deal_record": lambda w: {"deal_id": w.deal},
    "credit_record": lambda w: {"deal_id": w.won},
    "rep_card": lambda w: {"rep_id": w.rep},
    "rep_trend": lambda w: {"rep_id": w.rep},
    "rep_against_team": lambda w: {"rep_id": w.rep, "period": Q3},
    "leaves_of": lambda w: {"rep_id": w.rep},
}
"""Queries that name a record: the west's looks like one that never was."""

OWN: dict[str, str] = {
    **dict.fromkeys(("kept_draft", "kept_drafts"), "the asker's own drafts"),
    "my_scenarios": "the asker's own scenarios",
    "my_share_links": "the asker's own links",
    "my_profile": "the asker's own account",
    "my_sign_ins": "the asker's own sign-ins",
    "forecast_run": "the run of the asker's own scope; tests/integration/test_all_series.py",
    "kept_forecasts": "which runs the asker's own scope has; tests/integration/test_all_series.py",
}
"""Queries that tell of the asker alone; a test asks them as somebody else."""

_PEOPLE = "accounts, reps and teams, for administrators alone; nothing of the business"
_PROCESS = "the process, for sales operations alone, who see every deal"
_GOODS = "products, for sales operations alone"
_MONEY = "currencies and rates, for sales operations alone"
_IMPORT = "imports, for sales operations alone, who see every row"
_AUDIT = "the audit, for administrators alone"
TOO_SMALL = ("near_outlook", "carrying_deals")
"""What says nothing of a cast that has sold for less than half a year: tests/integration/test_near_term.py."""

COMMON: dict[str, str] = {
    **dict.fromkeys(("user_accounts", "last_seen", "rep_records", "team_tree", "territory_choices"), _PEOPLE),
    "open_deal_counts": "how many open deals each rep has, the numbers alone, for administrators alone",
    **dict.fromkeys(("pipelines", "stages_of", "deal_words"), _PROCESS),
    **dict.fromkeys(("product_page", "specifications", "product_categories"), _GOODS),
    **dict.fromkeys(("quota_grid", "team_parents"), "quotas of all, for sales operations alone"),
    **dict.fromkeys(
        ("acquisition_cost", "acquired_customers"),
        "what customers cost the company, for leadership and sales operations, who see every deal",
    ),
    "acquisition_cost_grid": "what winning customers cost the company, for sales operations alone",
    **dict.fromkeys(("currency_lines", "rates_of"), _MONEY),
    "scenario_audiences": "names of the teams that one may share with",
    "company_settings": "settings, for administrators alone",
    "margins_seen": "whether the asker may see costs at all; tests/integration/test_margin.py",
    "word_pairs": "the word list, for administrators alone",
    "word_list": "the company's words in both languages, kept by its administrators",
    **dict.fromkeys(("audit_count", "audit_entries", "audit_export", "audit_choices", "audit_chain"), _AUDIT),
    "process_shown": "the number of a process",
    "default_process": "the number of the sales process that is shown where none is chosen",
    "form_choices": "stages, products, channels and the colleagues whom one may choose",
    **dict.fromkeys(("company_history", "import_reference", "known_deals", "import_batches", "import_batch"), _IMPORT),
    "fair_leaderboard": "one's place among all, by the company's setting; tests/integration/test_leaderboard_fair.py",
    "team_leaderboard": "the teams, by the company's setting; tests/integration/test_leaderboard_teams.py",
    "contests": "races that are announced to everybody; nobody's figures",
    "awards": "what people of the scope were honoured for; tests/integration/test_contests.py",
    "own_rank": "the asker's place among all: by design it moves with the others' results, and names nobody",
}
"""Queries that tell nothing of one rep's business, or belong to roles whose scope is everything; with the reason."""


def test_every_query_stands_in_one_table() -> None:
    tables = (BUSINESS, BY_NUMBER, OWN, COMMON)
    listed = [name for table in tables for name in table]
    assert sorted(listed) == sorted(set(listed)), "a query stands in two tables"
    assert set(gate.QUERIES) - set(listed) == set(), "new queries: say here what another team must not learn of them"
    assert set(listed) - set(gate.QUERIES) == set(), "no such query any more"


def test_what_is_for_one_role_alone_is_for_roles_that_see_everything_or_no_deal() -> None:
    for name, reason in COMMON.items():
        if "alone" in reason and "numbers alone" not in reason:
            allowed = {role for role in Role if gate.QUERIES[name].action in POLICY[role]}
            assert allowed <= {Role.OPERATIONS, Role.ADMINISTRATOR}, name


class Told(NamedTuple):
    """What was told before and after the west's business, by question."""

    company: Company
    west: West
    before: dict[tuple[str, int], Any]
    after: dict[tuple[str, int], Any]
    leader_before: dict[str, Any]
    leader_after: dict[str, Any]


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def told(request: pytest.FixtureRequest, tmp_path_factory) -> Iterator[Told]:
    """A company in which the east has its business, then the west gets its own."""
    if request.param == "sqlite":
        path = tmp_path_factory.mktemp("cast") / "luopan.db"
        shutil.copy(request.getfixturevalue("founded_sqlite"), path)
        url = f"sqlite:///{path}"
    else:
        url = fresh_database(request.getfixturevalue("founded_postgres"))
    database = Database(url, zone=SHANGHAI)
    company = Company(database)
    _business(company, "alice", "东方")
    _business(company, "bob", "东海")
    west = West(*[NOBODY] * 10)._replace(rep=company.reps["charlie"], team=company.teams["west"])
    before, leader_before = _told(company, west)
    west = _business(company, "charlie", SECRET)
    after, leader_after = _told(company, west)
    yield Told(company, west, before, after, leader_before, leader_after)
    database.close()
    if request.param == "postgres":
        drop_database(url)


def _business(make: Company, rep: str, word: str) -> West:
    customer = make.customer(owner=rep, name=f"{word}科技", segment=word, city=word)
    day = timedelta(days=1)
    more = {"owner": rep, "customer": customer}
    start = NOW - 12 * day
    deal = make.deal(
        path=(("identified", start), ("contacted", start + day)), amount=77_000, name=f"{word}项目",
        expected_close_on=(NOW - 2 * day).date(), **more,
    )  # fmt: skip
    won = make.deal(
        path=(("identified", start), ("demo", start + day), ("won", start + 3 * day)), amount=55_000, **more
    )
    when = {"effective_at": start + 3 * day, "recorded_at": start + 4 * day}
    make._write(CreditShare(deal_id=won.id, rep_id=make.reps[rep], share=10_000, **when))
    make.deal(path=(("identified", start), ("needs", start + day), ("lost", start + 4 * day)), amount=33_000, **more)
    make.deal(path=(("identified", start),), amount=11_000, expected_close_on=(NOW + 20 * day).date(), **more)
    make.activity(rep=rep, customer=customer, deal_id=won.id)
    due = make.activity(rep=rep, customer=customer, deal_id=deal.id, due_on=NOW.date(), subject=word)
    make.quota(rep=rep, month=MONTH, amount=200_000)
    if rep == "charlie":
        make.deal(path=(("identified", NOW - 90 * day),), amount=1, **more)
        make.deal(path=(("identified", NOW - day),), amount=3, **more)
        nobodys = make._write(Customer(name=f"{word}无主"))[0]
        make.deal(path=(("identified", start),), amount=2, owner=rep, customer=nobodys)
    if rep == "alice":
        months = {"first_month": MONTH, "until_month": add_months(MONTH, 1)}
        make._write(SalesPlan(name="计划", levers={}, spread=PlanSpread.SHARE, **months))
    make._write(PlanLine(plan_id=1, rep_id=make.reps[rep], month=MONTH, amount=Decimal(123)))
    if rep != "bob":
        make.quota(team="west" if rep == "charlie" else "east", month=MONTH, amount=900_000)
    contact = make._write(Contact(customer_id=customer.id, name=f"{word}先生"))[0]
    scenario = link = sign_in = plan = None
    if rep == "charlie":
        months = {"first_month": MONTH, "until_month": add_months(MONTH, 1), "team_id": make.teams["west"]}
        plan = make._write(SalesPlan(name=SECRET, levers={}, spread=PlanSpread.SHARE, **months))[0].id
        make._write(PlanLine(plan_id=plan, rep_id=make.reps[rep], month=MONTH, amount=Decimal(456)))
        owner, boss = (actor(make, f"western {role}") for role in ("rep", "manager"))
        kept = gate.perform(
            make.database, owner, save_scenario, NOW, key="west", name=SECRET, series={}, levers=Levers().to_dict()
        )
        gate.perform(
            make.database, owner, share_scenario, NOW, scenario_id=kept.id, version=1, team_id=make.teams["west"]
        )
        gate.perform(
            make.database, boss, make_share_link, NOW, page="funnel", title=SECRET, query={}, language="zh", hours=1
        )
        with make.database.reading(SYSTEM, now=NOW) as work:
            scenario, link = kept.id, work.session.scalar(select(func.max(ShareLink.id)))
        sign_in = make._write(
            SignInSession(
                user_id=make.users["western rep"], token_hash="0" * 64, created_at=NOW, seen_at=NOW,
                expires_at=NOW + day, address="10.0.0.9",
            )
        )[0].id  # fmt: skip
    leave = make._write(RepLeave(rep_id=make.reps[rep], from_on=MONTH, until_on=MONTH))[0].id
    return West(
        deal.id, won.id, customer.id, contact.id, due.id, make.reps[rep],
        make.teams["west" if rep == "charlie" else "east"], scenario or 0, link or 0, sign_in or 0, leave,
        plan or NOBODY,
    )  # fmt: skip


def _told(company: Company, west: West) -> tuple[dict[tuple[str, int], Any], dict[str, Any]]:
    company.database.mirror.refresh()
    found = {}
    leader = {}
    for name, asks in BUSINESS.items():
        for index, ask in _asked(company, name):
            found[name, index] = _ask(company, ask.who, name, ask.values(company, west))
        leader[name] = _ask(company, "leader", name, asks[0].values(company, west))
    return found, leader


def _asked(company: Company, name: str) -> list[tuple[int, Ask]]:
    """Every way; on PostgreSQL the first alone where the mirror answers, which is the same for both."""
    whole = company.database.url.startswith("sqlite") or not gate.QUERIES[name].mirrored
    asks = list(enumerate(BUSINESS[name]))
    return asks if whole else asks[:1]


def _ask(company: Company, who: str, name: str, values: dict[str, Any]) -> Any:
    try:
        return letters(gate.answer(company.database, actor(company, who), gate.QUERIES[name].function, NOW, **values))
    except NotFound as error:
        return re.sub(r"\d+", "N", error.message())


def letters(answer: Any) -> str:
    """Return an answer of any shape as text, letter by letter."""
    match answer:
        case pd.DataFrame():
            return answer.to_json(orient="split", date_format="iso", force_ascii=False, default_handler=str)
        case SQLModel():
            return str(answer.model_dump())
        case dict():
            return "{" + ", ".join(f"{key}: {letters(value)}" for key, value in answer.items()) + "}"
        case list() | tuple():
            return "[" + ", ".join(map(letters, answer)) + "]"
    if is_dataclass(answer) and not isinstance(answer, type):
        return letters(vars(answer))
    return repr(answer)


@pytest.mark.parametrize("name", sorted(BUSINESS))
def test_the_east_is_told_the_same_whatever_the_west_does(told: Told, name: str) -> None:
    for index, ask in _asked(told.company, name):
        before, after = told.before[name, index], told.after[name, index]
        assert before == after, f"{name} told {ask.who} of the west"
        assert SECRET not in after
    if name not in TOO_SMALL:
        assert told.leader_before[name] != told.leader_after[name], f"the west did nothing that {name} could tell"


@pytest.mark.parametrize("who", [REP, "second eastern rep", MANAGER])
@pytest.mark.parametrize("name", sorted(BY_NUMBER))
def test_a_record_of_another_team_looks_like_one_that_never_was(told: Told, name: str, who: str) -> None:
    values = BY_NUMBER[name]
    foreign = _ask(told.company, who, name, values(told.west))
    assert foreign == _ask(told.company, who, name, values(told.west.absent()))
    assert SECRET not in foreign
    own = _ask(told.company, "western rep", name, values(told.west))
    assert own != foreign, "its owner is told something"


@pytest.mark.parametrize("name", ["my_scenarios", "my_share_links"])
def test_what_is_ones_own_nobody_else_is_told(told: Told, name: str) -> None:
    owner = {"my_scenarios": "western rep", "my_share_links": "western manager"}[name]
    assert SECRET in _ask(told.company, owner, name, {})
    for who in ("eastern manager", "leader", "operations"):
        assert SECRET not in _ask(told.company, who, name, {})


def test_ones_account_tells_of_oneself_alone(told: Told) -> None:
    for who in (REP, MANAGER, "leader", "administrator"):
        assert who in _ask(told.company, who, "my_profile", {})
        assert "10.0.0.9" not in _ask(told.company, who, "my_sign_ins", {"idle_minutes": 60})
        assert _ask(told.company, who, "kept_draft", {"form": "log_deal"}) == "None"
        assert _ask(told.company, who, "kept_drafts", {"forms": ("log_deal",)}) == "{}"
    assert "10.0.0.9" in _ask(told.company, "western rep", "my_sign_ins", {"idle_minutes": 60})


def test_a_draft_is_its_authors_alone(told: Told) -> None:
    save = gate.COMMANDS["save_draft"].function
    gate.perform(
        told.company.database, actor(told.company, "western rep"), save, NOW, form="log_deal", values={"a": SECRET}
    )
    assert SECRET in _ask(told.company, "western rep", "kept_draft", {"form": "log_deal"})
    for who in (REP, "western manager", "operations", "leader"):
        assert _ask(told.company, who, "kept_draft", {"form": "log_deal"}) == "None"
        assert _ask(told.company, who, "kept_drafts", {"forms": ("log_deal",)}) == "{}"


def test_ones_rank_is_numbers_alone(told: Told) -> None:
    rank = gate.answer(
        told.company.database, actor(told.company, REP), gate.QUERIES["own_rank"].function, NOW, period=Q3
    )
    assert all(number is None or isinstance(number, int) for number in rank)


def test_the_forms_offer_no_colleague_outside_the_scope(told: Told) -> None:
    names = ("陈查理", "Charlie")
    for who in (REP, MANAGER):
        offered = _ask(told.company, who, "form_choices", {})
        assert not any(name in offered for name in names)
        assert SECRET not in offered
    assert any(name in _ask(told.company, "leader", "form_choices", {}) for name in names)


# --- commands ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Change:
    """A command as somebody of the east, on what is the west's."""

    values: Callable[[West], dict[str, Any]]
    who: str = REP
    refusal: type[SalesError] = NotFound


def _edit(field: str, number: str, **more: Any) -> Callable[[West], dict[str, Any]]:
    return lambda w: {field: getattr(w, number), "version": 1, **more}


CHANGES: dict[str, tuple[Change, ...]] = {
    "log_activity": (
        Change(lambda w: {"key": "x", "kind": ActivityKind.CALL, "customer_id": w.customer}),
        Change(lambda w: {"key": "x", "kind": ActivityKind.CALL, "deal_id": w.deal}),
    ),
    "complete_activity": (Change(_edit("activity_id", "activity")),),
    "reopen_activity": (Change(_edit("activity_id", "activity")),),
    "reschedule_activity": (Change(_edit("activity_id", "activity", due_on=date(2026, 8, 1))),),
    "delete_activity": (Change(_edit("activity_id", "activity")),),
    "restore_activity": (
        Change(lambda w: {"key": "x", "snapshot": {
            "kind": ActivityKind.CALL, "subject": "", "note": "", "customer_id": w.customer, "contact_id": None,
            "deal_id": w.deal, "rep_id": w.rep, "due_on": None, "done_at": NOW,
        }}),
    ),
    "create_customer": (
        Change(lambda w: {"key": "x", "fields": {"name": "新"}, "owner_id": w.rep}, refusal=SalesError),
        Change(lambda w: {"key": "x", "fields": {"name": "新"}, "owner_id": w.rep}, MANAGER, SalesError),
    ),
    "edit_customer": (Change(_edit("customer_id", "customer", fields={"name": "别名"})),),
    "add_contact": (Change(lambda w: {"key": "x", "customer_id": w.customer, "fields": {"name": "某"}}),),
    "edit_contact": (Change(_edit("contact_id", "contact", fields={"name": "某"})),),
    "remove_contact": (Change(_edit("contact_id", "contact")),),
    "log_deal": (
        Change(lambda w: {"key": "x", "customer_id": w.customer, "amount": Decimal(1),
                          "expected_close_on": date(2026, 9, 1)}, refusal=SalesError),
        Change(lambda w: {"key": "x", "new_customer": {"name": "新"}, "amount": Decimal(1),
                          "expected_close_on": date(2026, 9, 1), "owner_id": w.rep}, MANAGER, SalesError),
    ),
    "edit_deal": (Change(_edit("deal_id", "deal", changes={"name": "别名"})),),
    "adopt_plan": (
        Change(lambda w: {"key": "x", "name": "别名", "months": {MONTH: Decimal(1)}, "spread_by": PlanSpread.SHARE,
                          "levers": {}, "team_id": w.team}, MANAGER, NotYourPlan),
    ),
    "withdraw_plan": (Change(_edit("plan_id", "plan"), MANAGER),),
    "restore_plan": (Change(lambda w: {"plan_id": w.plan}, MANAGER),),
    "change_plan": (
        Change(lambda w: {"plan_id": w.plan, "changes": [PlanChange(w.rep, MONTH, Decimal(1), 1)]}, MANAGER),
    ),
    "spread_plan": (
        Change(_edit("plan_id", "plan", month=MONTH, amount=Decimal(1), team_id=None, seen=Decimal(0)), MANAGER),
    ),
    "advance_deal": (Change(_edit("deal_id", "deal", to_stage_id=3)),),
    "lose_deal": (Change(_edit("deal_id", "deal", lost_reason_id=1)),),
    "reopen_deal": (Change(_edit("deal_id", "won", to_stage_id=3)),),
    "undo_last_move": (Change(_edit("deal_id", "deal")),),
    "undo_hand_over": (Change(_edit("deal_id", "deal"), MANAGER),),
    "expect_deals": (Change(lambda w: {"deals": (DealAt(w.deal, 1, date(2026, 9, 1)),)}),),
    "lose_deals": (Change(lambda w: {"deals": (DealAt(w.deal, 1),), "lost_reason_id": 1}),),
    "undo_last_moves": (Change(lambda w: {"deals": (DealAt(w.deal, 1),)}),),
    "record_leave": (
        Change(lambda w: {"key": "x", "rep_id": w.rep, "from_on": MONTH, "until_on": date(2026, 7, 2)}, MANAGER),
    ),
    "take_back_leave": (Change(_edit("leave_id", "leave"), MANAGER),),
    "reassign_deal": (Change(_edit("deal_id", "deal", owner_id=1), MANAGER),),
    "split_credit": (Change(_edit("deal_id", "won", parts=(CreditPart(1, 5_000), CreditPart(2, 5_000)))),),
    "change_amount": (Change(_edit("deal_id", "deal", amount=Decimal(1))),),
    "rename_scenario": (Change(_edit("scenario_id", "scenario", name="别名")),),
    "delete_scenario": (Change(lambda w: {"scenario_id": w.scenario}),),
    "duplicate_scenario": (Change(lambda w: {"key": "x", "scenario_id": w.scenario}),),
    "share_scenario": (Change(_edit("scenario_id", "scenario", team_id=None)),),
    "stop_sharing_scenario": (Change(_edit("scenario_id", "scenario")),),
    "revoke_share_link": tuple(Change(lambda w: {"link_id": w.link}, who) for who in (MANAGER, "leader")),
    "end_my_sign_in": (Change(lambda w: {"number": w.sign_in}),),
}  # fmt: skip
"""Commands that change somebody's rows, tried by the east on the west's."""

COMMON_CHANGES: dict[str, str] = {
    **dict.fromkeys(
        ("change_password", "choose_language", "end_my_other_sign_ins", "save_draft", "clear_draft", "save_scenario",
         "restore_scenario", "make_share_link", "keep_forecast_run"),
        "makes or changes the actor's own rows alone, and names no other",
    ),
    **dict.fromkeys(
        ("create_user", "edit_user", "make_reset_link", "reset_password", "revoke_sign_ins", "add_team", "edit_team",
         "add_rep", "create_account", "edit_rep"),
        _PEOPLE,
    ),
    "change_settings": "settings, for administrators alone",
    "save_words": "the word list, for administrators alone",
    **dict.fromkeys(("add_currency", "edit_currency", "set_rate", "delete_rate"), _MONEY),
    **dict.fromkeys(("save_products", "save_skus", "cost_won_deals"), _GOODS),
    **dict.fromkeys(("apply_import", "undo_import"), _IMPORT),
    **dict.fromkeys(
        ("add_pipeline", "edit_pipeline", "add_stage", "edit_stage", "reorder_stages", "delete_stage", "add_word",
         "edit_word", "set_probabilities"),
        _PROCESS,
    ),
    "save_quotas": "quotas of all, for sales operations alone",
    "save_acquisition_costs": "what winning customers cost the company, for sales operations alone",
    **dict.fromkeys(
        ("hold_contest", "call_off_contest", "give_awards"), "contests and awards, for sales operations alone"
    ),
}  # fmt: skip


def test_every_command_stands_in_one_table() -> None:
    assert not set(CHANGES) & set(COMMON_CHANGES)
    listed = set(CHANGES) | set(COMMON_CHANGES)
    assert set(gate.COMMANDS) - listed == set(), "new commands: say here what another team must not do with them"
    assert listed - set(gate.COMMANDS) == set(), "no such command any more"
    for name, reason in COMMON_CHANGES.items():
        if "alone;" in reason or reason.endswith("alone"):
            allowed = {role for role in Role if gate.COMMANDS[name].action in POLICY[role]}
            assert allowed <= {Role.OPERATIONS, Role.ADMINISTRATOR}, name


@pytest.mark.parametrize("name", sorted(CHANGES))
def test_the_east_changes_nothing_of_the_west(told: Told, name: str) -> None:
    for change in CHANGES[name]:
        stood = _stands(told.company)
        foreign = _refused(told.company, name, change, told.west)
        assert foreign == _refused(told.company, name, change, told.west.absent()), "the refusal tells that it exists"
        assert _stands(told.company) == stood


def _refused(company: Company, name: str, change: Change, west: West) -> str:
    with pytest.raises(change.refusal) as refusal:
        gate.perform(
            company.database, actor(company, change.who), gate.COMMANDS[name].function, NOW, **change.values(west)
        )
    assert not isinstance(refusal.value, NotAllowed), "the policy lets this role do it, the scope must refuse"
    return re.sub(r"\d+", "N", refusal.value.message()) + str(getattr(refusal.value, "problems", ""))


def _stands(company: Company) -> tuple[int, ...]:
    with company.database.reading(SYSTEM, now=NOW) as work:
        return tuple(
            int(work.session.scalar(select(func.count()).select_from(table)) or 0)
            for table in (AuditEntry, Deal, Customer, Scenario)
        )
