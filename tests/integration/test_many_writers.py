"""Many people saving at once, some forms arriving twice: every deal is there, once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from sqlmodel import func, select

from core import gate
from core.access.actors import SYSTEM
from core.db.audit import broken_links
from core.model import AuditEntry, Deal, StageMove
from core.services.customers import CustomerFields, create_customer
from core.services.deals import log_deal
from tests.conftest import actor
from tests.factories import NOW

if TYPE_CHECKING:
    from tests.factories import Company

SOON = date(2026, 9, 30)
WRITERS = 20
EACH = 10


@pytest.fixture
def customer_of_the_east(company: Company) -> int:
    who = actor(company, "eastern rep")
    made = gate.perform(company.database, who, create_customer, NOW, key="c", fields=CustomerFields(name="Acme"))
    assert made.id is not None
    return made.id


def _count(company: Company, model: type) -> int:
    with company.database.reading(SYSTEM, now=NOW) as work:
        return work.session.exec(select(func.count()).select_from(model)).one()


def test_many_writers_whose_forms_arrive_twice_leave_each_deal_once(company, customer_of_the_east):
    """Twenty threads log ten deals each; every form is sent twice, by two threads at the same time."""
    who = actor(company, "eastern rep")
    before, moves = _count(company, Deal), _count(company, StageMove)

    def save(form: int) -> tuple[int, int]:
        deal = gate.perform(
            company.database, who, log_deal, NOW, key=f"form {form}", customer_id=customer_of_the_east,
            name=f"Deal {form}", amount=Decimal(1000 + form), expected_close_on=SOON,
        )  # fmt: skip
        return form, deal.id

    forms = [form for form in range(WRITERS * EACH // 2) for _twice in range(2)]
    with ThreadPoolExecutor(WRITERS) as pool:
        answers = list(pool.map(save, forms))

    distinct = WRITERS * EACH // 2
    assert _count(company, Deal) - before == distinct
    assert _count(company, StageMove) - moves == distinct
    by_form: dict[int, set[int]] = {}
    for form, deal_id in answers:
        by_form.setdefault(form, set()).add(deal_id)
    assert len(by_form) == distinct
    assert all(len(deals) == 1 for deals in by_form.values()), "a form that came twice has one deal"
    with company.database.reading(SYSTEM, now=NOW) as work:
        stored = work.session.exec(select(Deal.name, Deal.amount).where(Deal.name.startswith("Deal "))).all()
    assert sorted(stored) == sorted((f"Deal {form}", Decimal(1000 + form)) for form in range(distinct))


def test_the_audit_has_one_entry_for_each_deal_and_its_chain_holds(company, customer_of_the_east):
    who = actor(company, "eastern rep")

    def save(form: int) -> int:
        deal = gate.perform(
            company.database, who, log_deal, NOW, key=f"form {form}", customer_id=customer_of_the_east,
            name=f"Deal {form}", amount=Decimal(1), expected_close_on=SOON,
        )  # fmt: skip
        return deal.id

    with ThreadPoolExecutor(WRITERS) as pool:
        saved = set(pool.map(save, range(40)))

    assert len(saved) == 40
    with company.database.reading(SYSTEM, now=NOW) as work:
        entries = work.session.exec(select(AuditEntry.record_id).where(AuditEntry.kind == "deal")).all()
        assert list(broken_links(work.session)) == []
    assert saved <= set(entries)
    assert len(entries) == len(set(entries))
