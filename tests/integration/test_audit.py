"""Every change leaves an entry, and none can be taken out or altered unseen."""

from decimal import Decimal

import pytest
from sqlalchemy import delete, update
from sqlmodel import select

from core.access.actors import SYSTEM
from core.db.audit import broken_links
from core.db.work import get_visible
from core.model import AuditEntry, Deal, User
from tests.conftest import actor
from tests.factories import NOW


def entries(company, **where):
    with company.database.reading(SYSTEM, now=NOW) as work:
        found = work.session.exec(select(AuditEntry).order_by(AuditEntry.id)).all()
    return [e for e in found if all(getattr(e, name) == value for name, value in where.items())]


def test_a_change_says_who_when_what_before_and_after_and_from_where(make, company):
    deal = make.deal(amount=100)
    alice = actor(company, "eastern rep")
    with company.database.writing(alice, now=NOW, action="deal.edit") as work:
        get_visible(work, Deal, deal.id).amount = Decimal("250.50")
    (entry,) = entries(company, action="deal.edit")
    assert (entry.username, entry.kind, entry.record_id, entry.at) == ("eastern rep", "deal", deal.id, NOW)
    assert entry.before["amount"] == "100.00"
    assert entry.after["amount"] == "250.50"
    assert entry.origin == "test"


def test_an_undone_transaction_leaves_no_entry(make, company):
    deal = make.deal()
    before = len(entries(company))

    class Stop(Exception):
        pass

    with pytest.raises(Stop), company.database.writing(SYSTEM, now=NOW, action="deal.edit") as work:  # noqa: PT012 - one transaction
        get_visible(work, Deal, deal.id).note = "x"
        work.session.flush()
        raise Stop
    assert len(entries(company)) == before


def test_no_password_hash_reaches_the_audit(make, company):
    with company.database.writing(SYSTEM, now=NOW, action="people.edit") as work:
        work.session.exec(select(User).where(User.username == "leader")).one().password_hash = "$2b$12$secret"
    (entry,) = entries(company, action="people.edit")
    assert "secret" not in str(entry.after) + str(entry.before)
    assert "password_hash" in entry.after


def test_an_untouched_chain_verifies(make, company):
    make.deal()
    with company.database.reading(SYSTEM, now=NOW) as work:
        assert list(broken_links(work.session)) == []


def test_an_altered_entry_and_a_removed_one_are_found(make, company):
    make.deal()
    numbers = [entry.id for entry in entries(company)]
    with company.database.engine.begin() as connection:
        connection.execute(update(AuditEntry).where(AuditEntry.id == numbers[3]).values(username="nobody"))
        connection.execute(delete(AuditEntry).where(AuditEntry.id == numbers[7]))
    with company.database.reading(SYSTEM, now=NOW) as work:
        assert list(broken_links(work.session)) == [numbers[3], numbers[8]]
