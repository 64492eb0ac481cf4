"""One piece of work: an actor, an instant, a scoped session, and the mirror in the same scope."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar, cast

from sqlalchemy import event, inspect, select
from sqlalchemy.orm import Session as PlainSession
from sqlmodel import Session, col

from core.db import audit, scoping
from core.db.audit_key import InstallationKey, KeyKeeper
from core.db.engine import WRITING, open_engine
from core.domain.names import Words
from core.domain.periods import FiscalCalendar, day_of
from core.errors import EditedMeanwhile, NotFound
from core.i18n import N_
from core.model import Record, Setting, WordPair
from core.settings import settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date, datetime
    from pathlib import Path
    from zoneinfo import ZoneInfo

    from sqlalchemy import Engine

    from core.access.actors import Actor
    from core.db.clickhouse_mirror import ClickHouseMirror
    from core.db.mirror import Mirror, ScopedMirror

    AnyMirror = Mirror | ClickHouseMirror

AnyRecord = TypeVar("AnyRecord")

SETTING_DEFAULTS: dict[str, str] = {
    "company_name": "",
    "company_name_en": "",
    "fiscal_first_month": "1",
    "idle_days": "14",
    "minimum_decided": "5",
    "board_sight": "hidden",
    "margin_sight": "hidden",
    "yearly_discount": "10",
    "default_language": "",
}
"""The company's own settings (table `setting`) and what they are until somebody changes them."""


@dataclass
class Work:
    """What a query or a command is given: never a clock, never an unscoped session."""

    session: Session
    actor: Actor
    now: datetime
    zone: ZoneInfo
    base_currency: str
    database: Database
    writing: bool = False
    _settings: dict[str, str] | None = field(default=None, repr=False)
    _words: Words | None = field(default=None, repr=False)

    @property
    def today(self) -> date:
        """The company's day."""
        return day_of(self.now, self.zone)

    @property
    def mirror(self) -> ScopedMirror:
        """The columnar mirror, narrowed to the actor's scope."""
        return self.database.mirror.scoped(self.actor.scope)

    def setting(self, name: str) -> str:
        """Return the company's setting `name`; a KeyError for a name that is none."""
        if self._settings is None:
            stored = self.session.execute(select(col(Setting.name), col(Setting.value)))
            self._settings = SETTING_DEFAULTS | dict(tuple(row) for row in stored)
        return self._settings[name]

    @property
    def words(self) -> Words:
        """The company's word list."""
        if self._words is None:
            pairs = self.session.execute(select(col(WordPair.name), col(WordPair.name_en)))
            self._words = Words.of((chinese, english) for chinese, english in pairs)
        return self._words

    @property
    def calendar(self) -> FiscalCalendar:
        """The company's fiscal calendar."""
        return FiscalCalendar(int(self.setting("fiscal_first_month")))

    def note(self, action: str, kind: str, record_id: int | None = None, **said: object) -> None:
        """Put an entry of its own into the audit, besides those of changed rows."""
        self.session.info["notes"].append(audit.Note(action, kind, record_id, None, dict(said) or None))


class Database:
    """The open database: hands out work in an actor's scope."""

    def __init__(
        self,
        url: str,
        *,
        zone: ZoneInfo,
        base_currency: str = "CNY",
        mirror_folder: Path | None = None,
        analytics_url: str = "",
        audit_key: KeyKeeper | None = None,
    ) -> None:
        self.url = url
        self.mirror_folder = mirror_folder
        self.analytics_url = analytics_url
        self.zone = zone
        self.base_currency = base_currency
        self.engine: Engine = open_engine(url)
        if audit_key is not None:
            self.engine.update_execution_options(**{audit.KEEPER: audit_key})
        self._writer = self.engine.execution_options(**{WRITING: True})
        self._mirror: AnyMirror | None = None
        self._opening = Lock()

    @property
    def mirror(self) -> AnyMirror:
        """The mirror, opened at the first use: in the program, or in the ClickHouse that the address names."""
        if self._mirror is None:
            if self.analytics_url:
                from core.db.clickhouse_mirror import ClickHouseMirror
                from core.db.clickhouse_server import HttpServer

                self._mirror = ClickHouseMirror(self, HttpServer(self.analytics_url))
            else:
                from core.db.mirror import Mirror

                self._mirror = Mirror(self)
        return self._mirror

    @contextmanager
    def reading(self, actor: Actor, *, now: datetime) -> Iterator[Work]:
        """Give work that reads; what it read may be kept, whatever it changed is thrown away."""
        with Session(self.engine, expire_on_commit=False) as session:
            work = self._work(session, actor, now, writing=False)
            yield work
            _let_go(session)
            session.rollback()

    @contextmanager
    def writing(self, actor: Actor, *, now: datetime, action: str) -> Iterator[Work]:
        """Give work in one transaction, audited and committed at the end, or undone by an exception."""
        with Session(self._writer, expire_on_commit=False, autoflush=False) as session:
            work = self._work(session, actor, now, writing=True)
            yield work
            session.flush()
            audit.write(session, actor=actor, action=action, now=now)
            session.commit()

    def _work(self, session: Session, actor: Actor, now: datetime, *, writing: bool) -> Work:
        session.info.update(
            actor=actor,
            now=now,
            criteria=scoping.criteria_for(actor),
            changes=[],
            notes=[],
        )
        event.listen(session, "do_orm_execute", scoping.narrow)
        event.listen(session, "before_flush", _stamp)
        event.listen(session, "after_flush", audit.collect)
        return Work(session, actor, now, self.zone, self.base_currency, self, writing)

    def close(self) -> None:
        """Give the connections back."""
        if self._mirror is not None:
            self._mirror.close()
        self.engine.dispose()


def _let_go(session: Session) -> None:
    """Detach what was read from the session and from its criteria, so that a page may keep and copy it."""
    for row in session:
        cast("Any", inspect(row)).load_options = ()
    session.expunge_all()


@cache
def open_database() -> Database:
    """Return the database that the settings name, opened once a process."""
    chosen = settings()
    folder = chosen.data_dir / "mirror"
    return Database(
        chosen.url,
        zone=chosen.zone,
        base_currency=chosen.base_currency,
        mirror_folder=folder,
        analytics_url=chosen.analytics_url,
        audit_key=InstallationKey(),
    )


def _stamp(session: PlainSession, _context: object, _instances: object) -> None:
    now = session.info["now"]
    for row in session.new:
        if isinstance(row, Record):
            row.created_at = row.updated_at = now
            row.version = 1
    for row in session.dirty:
        if isinstance(row, Record) and session.is_modified(row):
            row.updated_at = now
            row.version += 1
    scoping.check_ownership(session)


def get_visible(
    work: Work,
    table: type[AnyRecord],
    number: int | None,
    *,
    version: int | None = None,
) -> AnyRecord:
    """Return the record `number` that the actor may see, locked where the work writes.

    Raises NotFound where there is none or it lies outside the scope (the two look the same),
    EditedMeanwhile where `version` is given and is not the stored one.
    """
    wanted = cast("Any", table)
    statement = select(wanted).where(wanted.id == number)
    if work.writing:
        statement = statement.with_for_update()
    found = work.session.scalars(statement).one_or_none()
    if found is None:
        raise NotFound(
            kind=KIND_NAMES.get(wanted.__tablename__, wanted.__tablename__),
            number=number,
        )
    if version is not None and found.version != version:
        raise EditedMeanwhile
    return cast("AnyRecord", found)


KIND_NAMES: dict[str, str] = {
    "deal": N_("deal"),
    "customer": N_("customer"),
    "contact": N_("contact"),
    "activity": N_("activity"),
    "scenario": N_("scenario"),
    "sales_plan": N_("sales plan"),
}
