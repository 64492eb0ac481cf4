"""Every page for every role: who may open it does, with and without data; who may not sees nothing of it."""

from __future__ import annotations

import copy
import shutil
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import inspect
from sqlmodel import select
from streamlit.testing.v1 import AppTest

from core.access.actors import SYSTEM, Actor
from core.access.policy import Role
from core.access.sign_ins import SignedIn
from core.db.actors import actor_named
from core.db.work import Database
from core.model import Deal, User
from core.ui import routes, session
from tests.conftest import SHANGHAI
from tests.conftest import actor as actor_of
from tests.factories import NOW, Company
from tests.ui.pages import framed, turned

PEOPLE = {
    Role.REP: "eastern rep",
    Role.MANAGER: "eastern manager",
    Role.LEADERSHIP: "leader",
    Role.OPERATIONS: "operations",
    Role.ADMINISTRATOR: "administrator",
}
NAMES = [spec.name for spec in routes.PAGES]
WORD = "秘密商机"
ELEMENTS = (
    "markdown",
    "text",
    "caption",
    "success",
    "info",
    "warning",
    "error",
    "title",
    "subheader",
    "header",
    "metric",
)


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The pages speak to this machine and fit no forecast in another process."""
    monkeypatch.setattr(session, "address", lambda: "127.0.0.1")
    yield
    session.use_database(None)


def said(app: AppTest) -> str:
    """All that a reader can read, tables included."""
    texts = [str(getattr(element, "value", "")) for kind in ELEMENTS for element in getattr(app, kind)]
    texts += [element.label for kind in ("button", "metric", "selectbox") for element in getattr(app, kind)]
    texts += [frame.value.to_csv() for frame in app.dataframe]
    return "\n".join(texts)


def database_copy(path: Any, tmp: Any) -> Database:
    shutil.copy(path, tmp / "luopan.db")
    return Database(f"sqlite:///{tmp / 'luopan.db'}", zone=SHANGHAI)


@pytest.fixture(scope="module")
def empty(founded_sqlite, tmp_path_factory) -> Iterator[Company]:
    """People and a process, and not one deal."""
    database = database_copy(founded_sqlite, tmp_path_factory.mktemp("empty"))
    yield Company(database)
    database.close()


@pytest.fixture(scope="module")
def selling(founded_sqlite, tmp_path_factory) -> Iterator[tuple[Company, dict[str, int]]]:
    """A company with a deal whose name is looked for."""
    database = database_copy(founded_sqlite, tmp_path_factory.mktemp("selling"))
    company = Company(database)
    customer = company.customer(owner="alice", name=f"{WORD}公司")
    more = {"customer": customer, "owner": "alice"}
    deal = company.deal(name=WORD, expected_close_on=(NOW - timedelta(days=3)).date(), **more)
    company.deal(
        name=f"{WORD}赢", path=(("identified", NOW - timedelta(days=9)), ("won", NOW - timedelta(days=1))), **more
    )
    company.activity(customer=customer, deal_id=deal.id, due_on=NOW.date(), subject=WORD)
    company.quota(rep="alice", month=NOW.date().replace(day=1), amount=50_000)
    yield company, {"deal": deal.id, "customer": customer.id, "rep": company.reps["alice"]}
    database.close()


@pytest.fixture(scope="module")
def demo(founded_sqlite, tmp_path_factory) -> Iterator[tuple[Database, dict[Role, Actor]]]:
    """The demo company with three hundred deals, and one person of each role."""
    from data.demo import load_demo

    folder = tmp_path_factory.mktemp("demo")
    shutil.copy(founded_sqlite, folder / "luopan.db")
    database = Database(f"sqlite:///{folder / 'luopan.db'}", zone=SHANGHAI)
    load_demo(database, deals=300, until=NOW.date())
    with database.reading(SYSTEM, now=NOW) as work:
        users = work.session.exec(select(User).where(User.active).order_by(User.id)).all()
        names = {role: next(user.username for user in users if user.role is role) for role in PEOPLE}
    people = {role: actor_named(database, name, now=NOW, origin="test") for role, name in names.items()}
    yield database, people
    database.close()


def _numbers(name: str, known: dict[str, int]) -> dict[str, int]:
    return {"id": known[name]} if name in known else {}


@pytest.mark.parametrize("role", list(PEOPLE))
def test_on_a_selling_company_each_page_opens_for_whom_the_policy_says(selling, role: Role) -> None:
    company, known = selling
    session.use_database(company.database)
    who = actor_of(company, PEOPLE[role])
    app = framed(who, language="en").run()
    for spec in routes.present_pages():
        if not who.may(spec.action):
            with pytest.raises(ValueError, match="Could not find a navigation page"):
                turned(app, spec.name)
            continue
        turned(app, spec.name, **_numbers(spec.name, known))
        assert not app.exception, spec.name
        assert app.title, f"{spec.name} has a title"
        assert not [error.value for error in app.error], spec.name
        app.query_params.clear()


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("role", list(PEOPLE))
def test_on_an_empty_company_each_page_says_something_and_fails_nowhere(empty, role: Role, language: str) -> None:
    session.use_database(empty.database)
    who = actor_of(empty, PEOPLE[role])
    app = framed(who, language=language).run()
    for spec in routes.pages_for(who):
        turned(app, spec.name, **({"id": 1} if spec.name in {"deal", "customer", "rep"} else {}))
        assert not app.exception, spec.name
        if spec.name in {"today", "deals", "customers", "overview", "funnel", "leaderboard", "forecast"}:
            assert app.info, f"{spec.name} says that there is nothing yet"
        app.query_params.clear()


@pytest.mark.parametrize(
    ("role", "language"), [*((role, "en") for role in PEOPLE), (Role.REP, "zh"), (Role.OPERATIONS, "zh")]
)
def test_on_the_demo_company_every_page_opens(demo, role: Role, language: str) -> None:
    database, people = demo
    session.use_database(database)
    who = people[role]
    app = framed(who, language=language).run()
    for spec in routes.pages_for(who):
        if spec.name in {"deal", "customer"}:
            continue
        turned(app, spec.name)
        assert not app.exception, spec.name
        assert not app.error or spec.name == "rep", spec.name


@pytest.mark.parametrize("name", NAMES)
def test_past_the_frame_a_page_refuses_whom_the_policy_refuses(selling, name: str) -> None:
    """A page's own script is no way round: the guard is its first line."""
    company, known = selling
    session.use_database(company.database)
    spec = routes.page(name)
    for who in (None, *(actor_of(company, person) for person in ("eastern rep", "leader", "administrator"))):
        if who is not None and who.may(spec.action):
            continue
        app = AppTest.from_file(str(spec.file), default_timeout=60)
        app.session_state[session.NOW_KEY] = NOW
        app.session_state[session.LANGUAGE_KEY] = "en"
        if who is not None:
            app.session_state[session.ACTOR_KEY] = who
        for key, value in _numbers(name, known).items():
            app.query_params[key] = str(value)
        app.run()
        assert not app.exception
        polite = app.error or app.info
        assert len(polite) == 1
        assert WORD not in said(app)
        assert not app.button
        assert not app.dataframe


@pytest.mark.parametrize("name", [name for name in NAMES if name != "shared"])
def test_a_stranger_gets_the_sign_in_page_alone(selling, name: str) -> None:
    company, _known = selling
    session.use_database(company.database)
    app = framed(None, language="en").run()
    with pytest.raises(ValueError, match="Could not find"):
        turned(app, name)
    assert WORD not in said(app)


def test_who_must_change_the_password_opens_no_page_with_data(selling, monkeypatch: pytest.MonkeyPatch) -> None:
    company, _known = selling
    session.use_database(company.database)
    for person in PEOPLE.values():
        here = SignedIn(actor=actor_of(company, person), session_id=None, must_change_password=True)
        monkeypatch.setattr(session, "_look_up", lambda here=here: here)
        app = framed(None, language="en").run()
        assert [title.value for title in app.title] == ["My account"]
        for spec in routes.present_pages():
            if spec.name != "account":
                with pytest.raises(ValueError, match="Could not find"):
                    turned(app, spec.name)
        assert WORD not in said(app)


def test_a_person_switched_off_is_nobody(small_company) -> None:
    session.use_database(small_company.database)
    with small_company.database.writing(SYSTEM, now=NOW, action="test") as work:
        work.session.get_one(User, small_company.users["leader"]).active = False
    from core.errors import NotFound

    with pytest.raises(NotFound):
        actor_of(small_company, "leader")


MADE_UP_NUMBERS = ("0", "-1", "99999", "9" * 25, "abc", "", "1; drop table deal", "１")
MADE_UP: tuple[dict[str, str], ...] = (
    {"period": "²026Q3"}, {"from": "0001-01-01", "to": "0002-01-01"}, {"from": "2026-01-01", "to": "9999-12-31"},
    {"team": "99999", "rep": "x"}, {"pipeline": "77"}, {"by": "<script>", "measure": "drop"},
    {"segment": "' or 1=1 --"}, {"period": "custom"}, {"from": "1970-01-01", "to": "2100-12-31"},
)  # fmt: skip


@pytest.mark.parametrize("name", ["deal", "customer", "rep"])
def test_a_made_up_number_in_the_address_is_answered_politely(selling, name: str) -> None:
    company, _known = selling
    session.use_database(company.database)
    app = framed(actor_of(company, "second eastern rep"), language="en").run()
    for number in MADE_UP_NUMBERS:
        turned(app, name, id=number)
        assert not app.exception, number
        assert WORD not in said(app)
        app.query_params.clear()


@pytest.mark.parametrize("name", ["overview", "funnel", "leaderboard", "forecast", "deals", "customers"])
def test_a_made_up_address_opens_the_page_all_the_same(selling, name: str) -> None:
    company, _known = selling
    session.use_database(company.database)
    app = framed(actor_of(company, "leader"), language="en").run()
    for params in MADE_UP:
        turned(app, name, **params)
        assert not app.exception, params
        assert app.title
        app.query_params.clear()


def test_a_record_that_a_page_was_given_can_be_copied_without_the_sessions_criteria(small_company) -> None:
    """Streamlit copies a widget's value in each run; the criteria would drag half the program along."""
    deal = small_company.deal()
    with small_company.database.reading(actor_of(small_company, "eastern rep"), now=NOW) as work:
        read = work.session.get_one(Deal, deal.id)
        assert inspect(read).load_options
    assert not inspect(read).load_options
    assert copy.deepcopy(read).name == deal.name
