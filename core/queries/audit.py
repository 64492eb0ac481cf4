"""Searching the audit, telling an entry's difference in words, and checking the chain."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

import pandas as pd
from sqlalchemy import String, func
from sqlalchemy import cast as sql_cast
from sqlmodel import col, or_, select

from core.access.actions import Action
from core.db.audit import Unverified, broken_links, is_cut, last_entry
from core.domain.names import named
from core.gate import query
from core.model import AuditEntry, Channel, LostReason, Pipeline, Product, Rep, Stage, Team, Territory, User
from core.queries.reference import user_names

if TYPE_CHECKING:
    from datetime import datetime

    from sqlmodel.sql.expression import SelectOfScalar

    from core.db.work import Work
    from core.domain.periods import Period

MOST_EXPORTED = 100_000
EXPORTED = ("number", "at", "username", "action", "kind", "record_id", "before", "after", "origin", "hash")
_SHOWN_BREAKS = 20
_NAMED: dict[str, type[Any]] = {
    "rep_id": Rep, "owner_id": Rep, "credited_id": Rep, "user_id": User, "team_id": Team, "parent_id": Team,
    "stage_id": Stage, "pipeline_id": Pipeline, "channel_id": Channel, "lost_reason_id": LostReason,
    "product_id": Product, "territory_id": Territory,
}  # fmt: skip
"""Fields that hold the number of something with a name."""


@dataclass(frozen=True)
class AuditFilter:
    """Which entries are wanted; empty fields want all. `period` counts the company's days."""

    username: str = ""
    action: str = ""
    kind: str = ""
    record_id: int | None = None
    text: str = ""
    period: Period | None = None


@dataclass(frozen=True)
class Difference:
    """One field of a changed record, before and after; None where it was not there."""

    field: str
    before: str | None
    after: str | None


@dataclass(frozen=True)
class Entry:
    """One line of the audit, its changes told in words; `who` is the person's name now, "" for no account."""

    number: int
    at: datetime
    username: str
    who: str
    action: str
    kind: str
    record_id: int | None
    origin: str
    differences: tuple[Difference, ...]


@dataclass(frozen=True)
class Chain:
    """The outcome of checking the chain: how many entries, the first that do not follow, and the last one.

    `end` is number and hash, to be kept outside of the database where nothing is broken. `unverified` are those
    whose key is not here.
    """

    entries: int
    broken: tuple[int, ...]
    end: tuple[int, str]
    unverified: Unverified


@query(Action.AUDIT_VIEW, askable=True)
def audit_count(work: Work, *, wanted: AuditFilter) -> int:
    """Return how many entries are wanted."""
    statement = _narrowed(work, select(AuditEntry.id), wanted)
    return work.session.exec(select(func.count()).select_from(statement.subquery())).one()


@query(Action.AUDIT_VIEW, askable=True)
def audit_entries(work: Work, *, wanted: AuditFilter, limit: int, offset: int = 0) -> list[Entry]:
    """Return the wanted entries, the newest first."""
    statement = _narrowed(work, select(AuditEntry), wanted)
    rows = work.session.exec(statement.order_by(col(AuditEntry.id).desc()).limit(limit).offset(offset)).all()
    names, people = _names(work, rows), user_names(work.session)
    return [
        Entry(row.id, row.at, row.username, people.get(row.user_id, ""), row.action, row.kind, row.record_id,
              row.origin, tuple(_differences(row.before, row.after, names)))
        for row in rows
    ]  # fmt: skip


@query(Action.AUDIT_VIEW)
def audit_export(work: Work, *, wanted: AuditFilter) -> pd.DataFrame:
    """Return the wanted entries as a frame, the newest first, `MOST_EXPORTED` at most.

    Columns: number, at (aware UTC), username, action, kind, record_id, before, after (JSON), origin, hash.
    """
    statement = _narrowed(work, select(AuditEntry), wanted)
    rows = work.session.exec(statement.order_by(col(AuditEntry.id).desc()).limit(MOST_EXPORTED))
    return pd.DataFrame(
        [
            {"number": row.id, "at": row.at, "username": row.username, "action": row.action, "kind": row.kind,
             "record_id": row.record_id, "before": _said(row.before), "after": _said(row.after),
             "origin": row.origin, "hash": row.hash}
            for row in rows
        ],
        columns=list(EXPORTED),
    )  # fmt: skip


@query(Action.AUDIT_VIEW)
def audit_choices(work: Work) -> dict[str, list[str]]:
    """Return the people, actions and kinds that occur in the audit."""
    columns = {"username": AuditEntry.username, "action": AuditEntry.action, "kind": AuditEntry.kind}
    return {name: sorted(work.session.exec(select(column).distinct())) for name, column in columns.items()}


@query(Action.AUDIT_VIEW)
def audit_chain(work: Work, *, kept: tuple[int, str]) -> Chain:
    """Follow the chain from the first entry to the last, which must still hold the entry that was `kept`.

    `kept` is the end of the last check, number and hash, as it stands outside of the database
    (`core.services.installation.audit_end`): a chain cut off at its end is whole in itself.
    """
    entries = work.session.exec(select(func.count()).select_from(AuditEntry)).one()
    unverified = Unverified()
    broken = tuple(islice(broken_links(work.session, unverified), _SHOWN_BREAKS))
    if kept[0] not in broken and is_cut(work.session, *kept):
        broken += (kept[0],)
    return Chain(entries, broken, last_entry(work.session), unverified)


def _narrowed(work: Work, statement: SelectOfScalar[Any], wanted: AuditFilter) -> SelectOfScalar[Any]:
    for column, value in (
        (AuditEntry.username, wanted.username),
        (AuditEntry.action, wanted.action),
        (AuditEntry.kind, wanted.kind),
    ):
        if value:
            statement = statement.where(column == value)
    if wanted.record_id is not None:
        statement = statement.where(AuditEntry.record_id == wanted.record_id)
    if wanted.period is not None:
        start, end = wanted.period.instants(work.zone)
        statement = statement.where(AuditEntry.at >= start, AuditEntry.at < end)
    if wanted.text.strip():
        kept = json.dumps(wanted.text.strip())[1:-1]  # as the database keeps it: letters beyond ASCII escaped
        places = (
            sql_cast(col(AuditEntry.before), String).icontains(kept, autoescape=True),
            sql_cast(col(AuditEntry.after), String).icontains(kept, autoescape=True),
            col(AuditEntry.username).icontains(wanted.text.strip(), autoescape=True),
            col(AuditEntry.origin).icontains(wanted.text.strip(), autoescape=True),
        )
        statement = statement.where(or_(*places))
    return statement


def _differences(
    before: dict[str, Any] | None, after: dict[str, Any] | None, names: dict[tuple[str, int], str]
) -> list[Difference]:
    old, new = before or {}, after or {}
    return [
        Difference(field, _word(names, field, old.get(field)), _word(names, field, new.get(field)))
        for field in dict.fromkeys([*old, *new])
        if field not in {"version", "id"} and old.get(field) != new.get(field)
    ]


def _word(names: dict[tuple[str, int], str], field: str, value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, int) and not isinstance(value, bool) and (field, value) in names:
        return names[field, value]
    return _said(value) if isinstance(value, dict | list | bool) else str(value)


def _names(work: Work, rows: Any) -> dict[tuple[str, int], str]:
    """Return the present names of what the entries mention by number."""
    mentioned: dict[str, set[int]] = {}
    for row in rows:
        for said in (row.before, row.after):
            for field, value in (said or {}).items():
                if field in _NAMED and isinstance(value, int):
                    mentioned.setdefault(field, set()).add(value)
    found: dict[tuple[str, int], str] = {}
    people = user_names(work.session) if "user_id" in mentioned else {}
    for field, numbers in mentioned.items():
        if field == "user_id":
            found |= {(field, number): people[number] for number in numbers & people.keys()}
            continue
        table = _NAMED[field]
        for row in work.session.exec(select(table).where(col(table.id).in_(numbers))):
            found[field, row.id] = named(row)
    return found


def _said(value: Any) -> str:
    return "" if value is None else json.dumps(value, ensure_ascii=False)
