"""Ways past the scope, the sign-in and the history that a review found: closed, and kept closed."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import delete
from sqlmodel import col, select
from streamlit.testing.v1 import AppTest

from core import admin
from core.access.actors import SYSTEM
from core.db.private_files import EmptyFile
from core.db.scoping import ScopeLeft
from core.errors import NotAllowed
from core.model import Activity, AuditEntry, Contact, DealChange, ShareLink
from core.queries.overview import overview_kpis
from core.queries.share import my_share_links
from core.services import activities, customers, deals, installation, share, sign_in
from core.settings import settings
from core.ui import first_run, page, session
from tests.conftest import actor
from tests.factories import NOW, Company

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture
def on(small_company: Company) -> Iterator[Company]:
    """The cast's company, as the pages' database."""
    session.use_database(small_company.database)
    yield small_company
    session.use_database(None)


def _held_page() -> None:
    import streamlit as st

    from core.queries.deals import deals_page
    from core.ui.page import open_page

    if "held" not in st.session_state or not st.session_state.pop("use_held", False):
        st.session_state["held"] = open_page("deals", heading=False)
    st.text(", ".join(st.session_state["held"].ask(deals_page).rows["name"]))


def test_a_view_that_a_fragment_holds_asks_in_the_scope_that_its_reader_has_now(on: Company) -> None:
    on.deal(owner="alice", name="Eastern")
    on.deal(owner="charlie", name="Western")
    test = AppTest.from_function(_held_page, default_timeout=30)
    test.session_state[session.NOW_KEY] = NOW
    test.session_state[session.ACTOR_KEY] = actor(on, "eastern manager")
    test.run()
    assert [text.value for text in test.text] == ["Eastern"]
    test.session_state[session.ACTOR_KEY] = actor(on, "western manager")
    test.session_state["use_held"] = True
    test.run()
    assert [text.value for text in test.text] == ["Western"]
    assert not test.exception


def _held_link() -> None:
    import streamlit as st

    from core.queries.choices import filter_choices
    from core.services.share import open_share_link
    from core.ui import session
    from core.ui.page import View

    if "held" not in st.session_state:
        token = st.session_state["token"]
        opened = open_share_link(session.database(), token=token, now=session.now(), origin="127.0.0.1", count=True)
        session.show_link(token, opened.actor)
        st.session_state["held"] = View(
            "overview", opened.actor, session.now(), session.database(), session.calendar(), large=True, query={}
        )
    elif session.link_holder() is None:
        st.text("closed")
        st.stop()
    st.session_state["held"].ask(filter_choices)
    st.text("open")


def test_a_revoked_link_answers_nothing_more_to_a_page_that_is_open(
    on: Company, perform_as: Callable[..., object]
) -> None:
    token = perform_as("leader", share.make_share_link, page="overview", title="", query={}, language="en", hours=4)
    test = AppTest.from_function(_held_link, default_timeout=30)
    test.session_state[session.NOW_KEY] = NOW
    test.session_state["token"] = token
    test.run()
    assert [text.value for text in test.text] == ["open"]
    perform_as("leader", share.revoke_share_link, link_id=1)
    test.run()
    assert [text.value for text in test.text] == ["closed"]
    held = test.session_state["held"]
    assert held.actor.share_link_id == 1


def _handed_over(company: Company) -> int:
    """A deal that Alice won and that Charlie, of the other team, looks after now; its number."""
    won = (("identified", NOW - timedelta(days=30)), ("won", NOW - timedelta(days=2)))
    return company.deal(owner="charlie", credited="alice", path=won).id


def test_what_another_team_noted_on_a_deal_one_won_can_be_seen_but_not_deleted(
    small_company: Company, perform_as: Callable[..., object]
) -> None:
    met = small_company.activity(rep="charlie", deal_id=_handed_over(small_company))
    with pytest.raises(ScopeLeft):
        perform_as("eastern rep", activities.delete_activity, activity_id=met.id, version=1)
    with small_company.database.reading(SYSTEM, now=NOW) as work:
        assert work.session.get(Activity, met.id) is not None
    perform_as("western rep", activities.delete_activity, activity_id=met.id, version=1)


def test_a_manager_does_not_take_over_a_customer_whom_another_team_looks_after(
    small_company: Company, perform_as: Callable[..., object]
) -> None:
    theirs, nobodys = small_company.customer(owner="charlie"), small_company.customer(owner="charlie")
    for customer in (theirs, nobodys):
        small_company.deal(owner="alice", customer=customer)
    with small_company.database.writing(SYSTEM, now=NOW, action="test") as work:
        work.session.merge(nobodys).owner_id = None
    alice = small_company.reps["alice"]
    with pytest.raises(NotAllowed):
        perform_as(
            "eastern manager", customers.edit_customer, customer_id=theirs.id, version=1, fields={}, owner_id=alice
        )
    taken = perform_as(
        "eastern manager", customers.edit_customer, customer_id=nobodys.id, version=2, fields={}, owner_id=alice
    )
    assert taken.owner_id == alice


def test_a_deal_that_goes_to_another_customer_leaves_its_contact_behind(
    small_company: Company, perform_as: Callable[..., object]
) -> None:
    before, after = small_company.customer(), small_company.customer()
    with small_company.database.writing(SYSTEM, now=NOW, action="test") as work:
        contact = Contact(customer_id=before.id, name="Mei")
        work.session.add(contact)
        work.session.flush()
    deal = small_company.deal(customer=before, contact_id=contact.id)
    same = perform_as(
        "eastern rep", deals.edit_deal, deal_id=deal.id, version=1, changes={"customer_id": before.id, "note": "x"}
    )
    assert same.contact_id == contact.id
    moved = perform_as("eastern rep", deals.edit_deal, deal_id=deal.id, version=2, changes={"customer_id": after.id})
    assert (moved.customer_id, moved.contact_id) == (after.id, None)


@pytest.mark.parametrize("amount", ["0.125", "1000.005", "0.135"])
def test_the_history_of_an_amount_says_the_cents_that_the_deal_has(
    small_company: Company, perform_as: Callable[..., object], amount: str
) -> None:
    customer = small_company.customer()
    logged = perform_as(
        "eastern rep", deals.log_deal, key="k", customer_id=customer.id, name="A", amount=Decimal(amount),
        expected_close_on=NOW.date(),
    )  # fmt: skip
    changed = perform_as(
        "eastern rep", deals.change_amount, deal_id=small_company.deal().id, version=1, amount=Decimal(amount)
    )
    with small_company.database.reading(SYSTEM, now=NOW) as work:
        for deal in (logged, changed):
            rows = work.session.exec(
                select(DealChange).where(DealChange.deal_id == deal.id, DealChange.field == "amount")
            ).all()
            assert rows[-1].after == f"{deal.amount} CNY"


def test_changing_an_amount_by_less_than_a_cent_is_no_event(
    small_company: Company, perform_as: Callable[..., object]
) -> None:
    deal = small_company.deal(amount=100)
    perform_as("eastern rep", deals.change_amount, deal_id=deal.id, version=1, amount=Decimal("100.004"))
    with small_company.database.reading(SYSTEM, now=NOW) as work:
        rows = work.session.exec(select(DealChange).where(DealChange.deal_id == deal.id)).all()
    assert len([row for row in rows if row.field == "amount"]) == 1


def test_only_what_the_holder_could_ask_is_frozen_into_a_link(on: Company) -> None:
    view = page.View("overview", actor(on, "leader"), NOW, on.database, SimpleNamespace())  # type: ignore[arg-type]
    view.ask(my_share_links)
    assert view.answers == {}
    quarter = _quarter(on)
    view.ask(overview_kpis, period=quarter)
    assert len(view.answers) == 1


def _quarter(company: Company) -> object:
    from core.domain.periods import Preset

    with company.database.reading(SYSTEM, now=NOW) as work:
        return work.calendar.preset(Preset.THIS_QUARTER, today=work.today)


def test_the_audit_does_not_repeat_what_a_frozen_link_shows(
    small_company: Company, perform_as: Callable[..., object]
) -> None:
    frozen = {"overview_kpis": {"kind": "json", "value": {"booked": 12345}}}
    perform_as(
        "leader", share.make_share_link, page="overview", title="", query={}, language="en", hours=4, frozen=frozen
    )
    with small_company.database.reading(SYSTEM, now=NOW) as work:
        said = work.session.exec(select(AuditEntry).where(AuditEntry.kind == ShareLink.__tablename__)).all()
    assert said[-1].after is not None
    assert "12345" not in str([entry.after for entry in said])


def test_a_setup_code_cannot_be_guessed() -> None:
    code = installation.setup_code()
    assert len(bytes.fromhex(code)) >= 8
    assert installation.setup_code() == code


def test_an_empty_setup_code_opens_nothing() -> None:
    (settings().data_dir / installation.SETUP_CODE).write_text("\n")
    with pytest.raises(EmptyFile):
        installation.setup_code()


def test_a_private_file_is_made_once_and_for_its_owner_alone() -> None:
    first = installation.private_file("some.key", lambda: "one")
    assert installation.private_file("some.key", lambda: "two") == first == "one"
    assert (settings().data_dir / "some.key").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in settings().data_dir.glob("some.key*")] == ["some.key"]


@pytest.mark.parametrize(
    ("headers", "base_url", "open_at_once"),
    [
        ({"Host": "localhost:8501"}, "", True),
        ({"Host": "[::1]:8501"}, "", True),
        ({"Host": "sales.example.com"}, "", False),
        ({"Host": "rebound.example:8501"}, "", False),
        ({"Host": "localhost:8501", "X-Forwarded-For": "203.0.113.7"}, "", False),
        ({"Host": "localhost:8501"}, "https://sales.example.com", False),
    ],
)
def test_the_first_start_opens_without_its_code_to_this_machine_alone(
    monkeypatch: pytest.MonkeyPatch, headers: dict[str, str], base_url: str, open_at_once: bool
) -> None:
    monkeypatch.setenv("LUOPAN_BASE_URL", base_url)
    settings.cache_clear()
    monkeypatch.setattr(first_run.st, "context", SimpleNamespace(headers=headers))
    monkeypatch.setattr(session, "address", lambda: "127.0.0.1")
    assert first_run._is_at_this_machine() is open_at_once


def test_an_audit_cut_off_at_its_end_is_not_whole_any_more(
    small_company: Company, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    database = small_company.database
    monkeypatch.setattr(admin, "open_database", lambda: database)
    monkeypatch.setenv("LUOPAN_DATABASE_URL", database.url)
    settings.cache_clear()
    assert admin.main(["verify-audit"]) == 0
    number, said = installation.audit_end()
    assert f"{number}, {said}" in capsys.readouterr().out
    small_company.deal()
    assert admin.main(["verify-audit"]) == 0
    last, _said = installation.audit_end()
    assert last > number
    with database.engine.begin() as connection:
        connection.execute(delete(AuditEntry).where(col(AuditEntry.id) > number))
    assert admin.main(["verify-audit"]) == 1
    assert str(last) in capsys.readouterr().err


def test_a_line_with_many_ipv6_addresses_is_one_place_to_the_throttle(
    small_company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sign_in, "password_matches", lambda *_given: False)

    def attempt(address: str) -> None:
        sign_in.authenticate(small_company.database, username="leader", password="no", address=address, now=NOW)

    for number in range(sign_in.TRIES_OF_PAIR):
        with pytest.raises(sign_in.WrongSignIn):
            attempt(f"2001:db8:1:2::{number + 1:x}")
    with pytest.raises(sign_in.TooManyTries):
        attempt("2001:db8:1:2:ffff::1")
    with pytest.raises(sign_in.WrongSignIn):
        attempt("2001:db8:1:3::1")
    assert sign_in.place_of("::ffff:203.0.113.7") == "203.0.113.7" == sign_in.place_of("203.0.113.7")
    assert sign_in.place_of("testclient") == "testclient"
