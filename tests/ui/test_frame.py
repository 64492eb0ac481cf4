"""The frame: who is offered which pages, and what strangers see."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from streamlit.testing.v1 import AppTest

from core.access.actors import SYSTEM
from core.access.policy import Role
from core.access.sign_ins import SignedIn
from core.model import User
from core.services import installation, passwords, sign_in
from core.ui import routes, session
from tests.conftest import actor
from tests.factories import NOW, Company

if TYPE_CHECKING:
    from collections.abc import Iterator

    from core.db.work import Database

FRAME = Path(__file__).resolve().parents[2] / "core" / "ui" / "frame.py"
PEOPLE = {
    Role.REP: "eastern rep",
    Role.MANAGER: "eastern manager",
    Role.LEADERSHIP: "leader",
    Role.OPERATIONS: "operations",
    Role.ADMINISTRATOR: "administrator",
}


@pytest.fixture(autouse=True)
def _at_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "address", lambda: "127.0.0.1")


@pytest.fixture
def on(small_company: Company) -> Iterator[Company]:
    """The cast's company, as the pages' database."""
    session.use_database(small_company.database)
    yield small_company
    session.use_database(None)


def _frame(company: Company, role: Role | None = None, **state: object) -> AppTest:
    test = AppTest.from_file(str(FRAME), default_timeout=30)
    test.session_state[session.NOW_KEY] = NOW
    if role is not None:
        test.session_state[session.ACTOR_KEY] = actor(company, PEOPLE[role])
    for name, value in state.items():
        test.session_state[name] = value
    return test


def _address(name: str) -> str:
    return f"../../pages/{name}.py"


def _labels(test: AppTest) -> list[str]:
    return [button.label for button in test.button]


@pytest.mark.parametrize("role", list(PEOPLE))
def test_each_role_is_offered_the_pages_of_its_policy_and_no_other(on: Company, role: Role) -> None:
    test = _frame(on, role, luopan_language="en")
    test.run()
    assert not test.exception
    open_to = {spec.name for spec in routes.pages_for(actor(on, PEOPLE[role]))}
    assert "account" in open_to
    for spec in routes.present_pages():
        if spec.name not in open_to:
            with pytest.raises(ValueError, match="Could not find a navigation page"):
                test.switch_page(_address(spec.name))
    test.switch_page(_address("account")).run()
    assert not test.exception
    assert [title.value for title in test.title] == ["My account"]


def test_a_stranger_sees_the_sign_in_form_whatever_was_asked_for(on: Company) -> None:
    test = _frame(on, luopan_language="en").run()
    assert not test.exception
    assert [field.label for field in test.text_input] == ["Name for signing in", "Password"]
    assert "Sign out" not in _labels(test)
    with pytest.raises(ValueError, match="account"):
        test.switch_page(_address("account"))


def test_nobody_signs_in_by_naming_an_actor_in_the_address(on: Company) -> None:
    test = _frame(on, luopan_language="en")
    test.query_params[session.ACTOR_KEY] = "administrator"
    assert "Sign out" not in _labels(test.run())


def test_a_wrong_password_is_answered_in_the_readers_language(on: Company) -> None:
    test = _frame(on, luopan_language="zh").run()
    test.text_input[0].set_value("leader")
    test.text_input[1].set_value("not the password")
    test.button[0].click().run()
    assert [error.value for error in test.error] == ["登录名或密码不正确。"]


def test_an_empty_database_asks_for_the_first_administrator(sqlite_database: Database) -> None:
    session.use_database(sqlite_database)
    test = AppTest.from_file(str(FRAME), default_timeout=30)
    test.session_state[session.LANGUAGE_KEY] = "en"
    test.run()
    session.use_database(None)
    assert not test.exception
    assert [title.value for title in test.title] == ["Welcome to Luopan"]
    assert "Create the administrator" in _labels(test)


def test_a_browser_on_another_machine_needs_the_consoles_code(
    sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "address", lambda: "192.168.1.7")
    session.use_database(sqlite_database)
    test = AppTest.from_file(str(FRAME), default_timeout=30)
    test.session_state[session.LANGUAGE_KEY] = "en"
    test.run()
    assert [field.label for field in test.text_input] == ["Setup code"]
    test.text_input[0].set_value("00000000")
    test.button[0].click().run()
    assert [error.value for error in test.error] == ["This is not the code that stands in the server's console."]
    test.text_input[0].set_value(installation.setup_code())
    test.button[0].click().run()
    session.use_database(None)
    assert "Create the administrator" in _labels(test)


def test_the_first_administrators_problems_stand_beside_their_fields(sqlite_database: Database) -> None:
    session.use_database(sqlite_database)
    test = AppTest.from_file(str(FRAME), default_timeout=30)
    test.session_state[session.LANGUAGE_KEY] = "en"
    test.run()
    assert passwords.RULES.format(n=10) in [caption.value for caption in test.caption]
    test.text_input("first_password").set_value("short")
    next(button for button in test.button if button.label == "Create the administrator").click()
    test.run()
    session.use_database(None)
    assert [error.value for error in test.error] == [
        "This is needed.", "This is needed.", "Use at least 10 characters.",
    ]  # fmt: skip


def test_a_password_is_changed_on_the_account_page(on: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "COST", 4)
    before, after = "lantern-quartz-river-88", "saffron-osprey-tide-41"
    with on.database.writing(SYSTEM, now=NOW, action="test") as work:
        user = work.session.get_one(User, on.users["leader"])
        user.password_hash = passwords.hash_password(before)
    test = _frame(on, Role.LEADERSHIP, luopan_language="en").run()
    test.switch_page(_address("account")).run()
    assert passwords.RULES.format(n=10) in [caption.value for caption in test.caption]

    def send(present: str) -> list[str]:
        for field, typed in zip(test.text_input, (present, after, after), strict=False):
            field.set_value(typed)
        next(button for button in test.button if button.label == "Change the password").click()
        test.run()
        assert not test.exception
        return [error.value for error in test.error]

    for _try in range(sign_in.TRIES_OF_PAIR):
        assert send("not this one") == ["This is not your present password."]
    assert send(before) == ["Too many tries. Please wait 15 minutes and try again."]
    test.session_state[session.NOW_KEY] = NOW + sign_in.WINDOW
    assert send(before) == []
    with on.database.reading(SYSTEM, now=NOW) as work:
        assert passwords.password_matches(after, work.session.get_one(User, on.users["leader"]).password_hash)


def test_who_must_change_the_password_is_offered_nothing_else(on: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    leader = actor(on, "leader")
    with on.database.writing(SYSTEM, now=NOW, action="test") as work:
        work.session.get_one(User, leader.user_id).must_change_password = True
    here = SignedIn(actor=replace(leader), session_id=None, must_change_password=True)
    monkeypatch.setattr(session, "_look_up", lambda: here)
    test = _frame(on, luopan_language="en").run()
    assert not test.exception
    assert [title.value for title in test.title] == ["My account"]
    for spec in routes.present_pages():
        if spec.name != "account":
            with pytest.raises(ValueError, match=spec.name):
                test.switch_page(_address(spec.name))


def test_a_reset_link_that_does_not_open_says_one_sentence(on: Company) -> None:
    test = _frame(on, luopan_language="en")
    test.query_params["reset"] = "made-up"
    test.run()
    assert [error.value for error in test.error] == [
        "This link does not open anything any more. Please ask your administrator for a new one."
    ]
    assert not test.text_input


def test_the_language_follows_the_switch(on: Company) -> None:
    test = _frame(on, Role.ADMINISTRATOR, luopan_language="en").run()
    assert "Sign out" in _labels(test)
    test.session_state[session.LANGUAGE_KEY] = "zh"
    assert "退出登录" in _labels(test.run())


def test_every_page_has_one_line_in_the_table_and_every_line_a_known_section() -> None:
    names = [spec.name for spec in routes.PAGES]
    assert len(set(names)) == len(names)
    assert {spec.section for spec in routes.PAGES} == set(routes.SECTIONS)
    scripts = {path.stem for path in (routes.PROJECT_ROOT / "pages").glob("*.py")}
    assert scripts <= set(names)


def test_an_address_carries_its_filters() -> None:
    assert routes.page_address("funnel", team=3, source=["web", "fair"], rep=None) == (
        "funnel?team=3&source=web&source=fair"
    )
    assert routes.page_address("deals") == "deals"
