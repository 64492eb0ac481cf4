"""The audit: every change of a row, chained by hash so that nothing can be taken out unseen.

Entries are signed with the installation's key (`core.db.audit_key`), and each names its algorithm; those from before
there was a key, or of a database that has none, are hashed alone.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import insert, inspect, select
from sqlalchemy.orm import Session, UOWTransaction

from core.db.audit_key import UNKEYED, AuditKey, KeyKeeper
from core.db.single_writer import queue_up
from core.i18n import _n
from core.model import AuditEntry

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

    from core.access.actors import Actor

FIRST_HASH = "0" * 64
KEEPER = "luopan_audit_key"
"""The execution option of a database's connections that holds its `KeyKeeper`."""
_UNSAID = frozenset({"created_at", "updated_at"})
_MASK = "•••"
_LOCK = 0x4C554F50


@dataclass
class Change:
    """What a flush did to one row."""

    kind: str
    record: object
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    record_id: int | None = None


@dataclass
class Note:
    """An entry that no single row's change says: a sign-in, an export, an import."""

    action: str
    kind: str
    record_id: int | None = None
    before: dict[str, Any] | None = None
    after: dict[str, Any] | None = field(default=None)


def collect(session: Session, _context: UOWTransaction) -> None:
    """Keep, after a flush, what it changed (an `after_flush` listener)."""
    changes: list[Change] = session.info["changes"]
    changes.extend(Change(_kind(row), row, None, _values(row)) for row in session.new if _is_audited(row))
    changes.extend(Change(_kind(row), row, _values(row), None) for row in session.deleted if _is_audited(row))
    for row in session.dirty:
        if _is_audited(row):
            before, after = _difference(row)
            if after:
                changes.append(Change(_kind(row), row, before, after))


def write(session: Session, *, actor: Actor, action: str, now: datetime) -> None:
    """Append an entry for each collected change and note, chained to the last one.

    Writers queue: by SQLite's single writer, or by a PostgreSQL advisory lock held to the commit.
    """
    changes: list[Change] = session.info["changes"]
    notes: list[Note] = session.info["notes"]
    if not changes and not notes:
        return
    connection = session.connection()
    queue_up(connection, _LOCK)
    number, last = _last(connection)
    keeper = _keeper(connection)
    key = keeper.made(number) if keeper is not None else None
    rows = []
    for entry in [*(_of_change(change, action) for change in changes), *notes]:
        row: dict[str, Any] = {
            "at": now, "user_id": actor.user_id, "username": actor.username, "action": entry.action,
            "kind": entry.kind, "record_id": entry.record_id, "before": entry.before, "after": entry.after,
            "origin": actor.origin[:120], "previous_hash": last,
            "algorithm": UNKEYED if key is None else key.algorithm,
        }  # fmt: skip
        row["hash"] = last = chain_hash(row, key)
        rows.append(row)
    connection.execute(insert(cast("Any", AuditEntry).__table__), rows)
    changes.clear()
    notes.clear()


def chain_hash(row: dict[str, Any], key: AuditKey | None = None) -> str:
    """Return the hash of an entry's values with the hash before it: signed with the key, or SHA-256 without one."""
    names = [
        "at", "user_id", "username", "action", "kind", "record_id", "before", "after", "origin", "previous_hash",
    ]  # fmt: skip
    if key is not None:
        names.append("algorithm")
    said = json.dumps(_plain({name: row[name] for name in names}), sort_keys=True, ensure_ascii=False).encode()
    return hashlib.sha256(said).hexdigest() if key is None else key.sign(said)


@dataclass
class Unverified:
    """Entries signed with a key that is not here: how many, the first and the last, and the key's name."""

    count: int = 0
    first: int = 0
    last: int = 0
    algorithm: str = ""

    def add(self, entry: AuditEntry) -> None:
        """Count an entry."""
        self.first = self.first or entry.id
        self.count, self.last, self.algorithm = self.count + 1, entry.id, entry.algorithm


def broken_links(session: Session, unverified: Unverified | None = None) -> Iterator[int]:
    """Yield the number of each entry that does not follow from the one before it.

    An entry without the key's signature from after the key came into use is none of ours. Entries signed with a key
    that is not here are counted in `unverified`; without it they are broken.
    """
    keeper = _keeper(session.connection())
    key = keeper.known() if keeper is not None else None
    last = FIRST_HASH
    entries = session.scalars(select(AuditEntry).order_by(cast("Any", AuditEntry.id)).execution_options(yield_per=1000))
    for entry in entries:
        row = {name: getattr(entry, name) for name in AuditEntry.model_fields}
        if entry.algorithm not in (UNKEYED, key.algorithm if key else UNKEYED) and unverified is not None:
            unverified.add(entry)
            if entry.previous_hash != last:
                yield entry.id
        elif entry.previous_hash != last or not _is_ours(row, key):
            yield entry.id
        last = entry.hash


def said_unverified(unverified: Unverified) -> str:
    """Return the sentence that says which entries cannot be checked, and what would help."""
    return _n(
        "{n} entry ({first} to {last}) is signed with a key that is not here: {name}. Put the file audit.key back into "
        "the data folder from a backup; without it nobody can tell whether the entry was changed.",
        "{n} entries ({first} to {last}) are signed with a key that is not here: {name}. Put the file audit.key back "
        "into the data folder from a backup; without it nobody can tell whether they were changed.",
        unverified.count,
        first=unverified.first,
        last=unverified.last,
        name=unverified.algorithm,
    )


def _is_ours(row: dict[str, Any], key: AuditKey | None) -> bool:
    if row["algorithm"] == UNKEYED:
        return (key is None or int(row["id"]) <= key.since) and chain_hash(row) == str(row["hash"])
    return key is not None and row["algorithm"] == key.algorithm and chain_hash(row, key) == str(row["hash"])


def _keeper(connection: Connection) -> KeyKeeper | None:
    return cast("KeyKeeper | None", connection.get_execution_options().get(KEEPER))


def _last(connection: Connection) -> tuple[int, str]:
    columns = cast("Any", AuditEntry).__table__.c
    found = connection.execute(select(columns.id, columns.hash).order_by(columns.id.desc()).limit(1)).first()
    return (0, FIRST_HASH) if found is None else (int(found[0]), str(found[1]))


def last_entry(session: Session) -> tuple[int, str]:
    """Return number and hash of the newest entry; 0 and the first hash where there is none."""
    return _last(session.connection())


def hash_of(session: Session, number: int) -> str | None:
    """Return the hash of an entry, None where it is not there."""
    columns = cast("Any", AuditEntry)
    return cast("str | None", session.scalar(select(columns.hash).where(columns.id == number)))


def is_cut(session: Session, number: int, seen: str) -> bool:
    """Say whether entry `number`, whose hash was kept elsewhere as `seen`, is gone or another; 0 was never kept."""
    return bool(number) and hash_of(session, number) != seen


def _of_change(change: Change, action: str) -> Note:
    return Note(
        action,
        change.kind,
        getattr(change.record, "id", None),
        change.before,
        change.after,
    )


def _is_audited(row: object) -> bool:
    return bool(getattr(type(row), "audited", False))


def _kind(row: object) -> str:
    return str(cast("Any", type(row)).__tablename__)


def _values(row: object) -> dict[str, Any]:
    secrets = cast("Any", type(row)).secrets
    names = (column.key for column in inspect(type(row)).column_attrs)
    return {
        name: _MASK if name in secrets else _plain(getattr(row, name))
        for name in names
        if name not in _UNSAID and getattr(row, name) not in (None, "")
    }


def _difference(row: object) -> tuple[dict[str, Any], dict[str, Any]]:
    secrets = cast("Any", type(row)).secrets
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}
    state = inspect(row)
    for column in cast("Any", state).mapper.column_attrs:
        name = column.key
        history = cast("Any", state).attrs[name].history
        if name in _UNSAID or not history.has_changes() or not history.deleted:
            if name not in _UNSAID and history.added and not history.deleted:
                after[name] = _MASK if name in secrets else _plain(history.added[0])
            continue
        old, new = history.deleted[0], history.added[0] if history.added else None
        if old != new:
            before[name] = _MASK if name in secrets else _plain(old)
            after[name] = _MASK if name in secrets else _plain(new)
    if set(after) <= {"version"}:
        return {}, {}
    return before, after


def _plain(value: Any) -> Any:
    match value:
        case dict():
            return {str(key): _plain(item) for key, item in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
        case Enum():
            return value.value
        case datetime():
            return value.isoformat()
        case date():
            return value.isoformat()
        case Decimal():
            return format(value, "f")
    return value
