"""The audit is searched by the administrator alone, told in words, and its chain checked."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import delete
from sqlmodel import col, select

from core.access.actors import SYSTEM
from core.domain.periods import Period
from core.errors import NotAllowed
from core.model import AuditEntry
from core.queries.audit import (
    AuditFilter,
    audit_chain,
    audit_choices,
    audit_count,
    audit_entries,
    audit_export,
)
from core.services.teams import edit_rep
from tests.factories import NOW

EVERYTHING = AuditFilter()
NEVER = (0, "")


@pytest.fixture
def renamed(company, perform_as):
    """Bob becomes 李波 and moves to the west."""
    bob, west = company.reps["bob"], company.teams["west"]
    perform_as("administrator", edit_rep, rep_id=bob, version=1, name="李波100%", name_en="Bob", team_id=west)
    return bob


@pytest.mark.parametrize("who", ["eastern rep", "eastern manager", "leader", "operations"])
def test_only_the_administrator_reads_the_audit(company, answer_as, who):
    for query, values in (
        (audit_count, {"wanted": EVERYTHING}),
        (audit_entries, {"wanted": EVERYTHING, "limit": 5}),
        (audit_export, {"wanted": EVERYTHING}),
        (audit_choices, {}),
        (audit_chain, {"kept": NEVER}),
    ):
        with pytest.raises(NotAllowed):
            answer_as(who, query, **values)


def test_a_change_is_told_field_by_field_with_names_for_numbers(company, renamed, answer_as):
    newest = answer_as("administrator", audit_entries, wanted=EVERYTHING, limit=1)[0]
    assert (newest.kind, newest.record_id, newest.username) == ("rep", renamed, "administrator")
    told = {one.field: (one.before, one.after) for one in newest.differences}
    assert told["name"] == ("李博", "李波100%")
    assert told["team_id"] == ("East", "West")
    assert "version" not in told


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (AuditFilter(text="李波"), 1),
        (AuditFilter(text="100%"), 1),
        (AuditFilter(text="0%1"), 0),
        (AuditFilter(username="administrator"), 1),
        (AuditFilter(action="people.edit", kind="rep"), 1),
        (AuditFilter(kind="deal"), 0),
        (AuditFilter(text="李波", period=Period(date(2026, 7, 15), date(2026, 7, 16))), 1),
        (AuditFilter(text="李波", period=Period(date(2026, 7, 16), date(2026, 7, 17))), 0),
    ],
)
def test_the_audit_is_searched_by_text_person_kind_and_day(company, renamed, answer_as, wanted, found):
    assert answer_as("administrator", audit_count, wanted=wanted) == found
    assert len(answer_as("administrator", audit_entries, wanted=wanted, limit=50)) == found
    assert len(answer_as("administrator", audit_export, wanted=wanted)) == found


def test_pages_of_the_audit_add_up_to_the_whole(company, renamed, answer_as):
    total = answer_as("administrator", audit_count, wanted=EVERYTHING)
    numbers = [
        entry.number
        for offset in range(0, total, 7)
        for entry in answer_as("administrator", audit_entries, wanted=EVERYTHING, limit=7, offset=offset)
    ]
    assert len(numbers) == total
    assert numbers == sorted(set(numbers), reverse=True)


def test_an_altered_entry_breaks_the_chain_where_it_stands(company, renamed, answer_as):
    whole = answer_as("administrator", audit_chain, kept=NEVER)
    assert (whole.broken, whole.entries > 10) == ((), True)
    with company.database.writing(SYSTEM, now=NOW, action="test") as work:
        entry = work.session.exec(select(AuditEntry).where(AuditEntry.kind == "rep")).first()
        entry.username = "somebody else"
        number = entry.id
    assert number in answer_as("administrator", audit_chain, kept=NEVER).broken


def test_a_chain_cut_off_at_its_end_is_seen_by_the_end_that_was_kept(company, renamed, answer_as):
    whole = answer_as("administrator", audit_chain, kept=NEVER)
    assert answer_as("administrator", audit_chain, kept=whole.end).broken == ()
    with company.database.engine.begin() as connection:
        connection.execute(delete(AuditEntry).where(col(AuditEntry.id) == whole.end[0]))
    assert answer_as("administrator", audit_chain, kept=NEVER).broken == ()
    assert answer_as("administrator", audit_chain, kept=whole.end).broken == (whole.end[0],)


def test_secrets_never_reach_the_page(company, answer_as):
    shown = answer_as("administrator", audit_export, wanted=AuditFilter(kind="app_user"))
    assert not shown["after"].str.contains(r"\$2b\$").any()
