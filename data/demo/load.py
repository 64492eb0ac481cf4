"""Founding the demo company in an empty database."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import numpy as np
from sqlalchemy import func, select
from sqlmodel import Session

from core.access.actors import SYSTEM
from core.db import audit
from core.db.work import Database
from core.errors import SalesError
from core.i18n import N_
from core.model import Customer, Deal, Product, Rep, Team, metadata
from core.services.founding import found_company
from data.demo.accounts import DEMO_USERS, DemoUser, hashed, make_passphrase
from data.demo.amounts import make_amounts, make_rates
from data.demo.calendar import Calendar, instant
from data.demo.cast import Cast, make_cast
from data.demo.costs import make_costs
from data.demo.credit import sku_costs
from data.demo.histories import Histories, effects_of, kept, live, openings
from data.demo.parameters import WON, TrueParameters
from data.demo.plans import make_plans
from data.demo.quotas import make_quotas, of_teams, quota_months
from data.demo.reference import (
    TEAMS,
)
from data.demo.rows import Numbers, Tables
from data.demo.surroundings import write_surroundings
from data.demo.writer import BulkWriter, bulk_writing

SEED = 20_260_101
BLOCK = 25_000
_STAMP = ("created_at", "updated_at", "version")


class NotEmpty(SalesError):
    """The demo company is founded in an empty database alone."""

    text = N_("This database already holds data; the demo company needs an empty one.")


@dataclass(frozen=True)
class DemoSummary:
    """What was written: rows by table, and the passphrase of `users`, said only here.

    `seconds` went by; `processor_seconds` of them all processors were busy with it.
    """

    deals: int
    seed: int
    since: date
    until: date
    rows: dict[str, int]
    seconds: float
    processor_seconds: float
    passphrase: str = field(repr=False)
    users: tuple[DemoUser, ...]
    parameters: TrueParameters
    conversion: tuple[float, ...]
    win_rate: float

    @property
    def deals_a_second(self) -> float:
        """How fast it went."""
        return self.deals / max(self.seconds, 1e-9)


def load_demo(
    database: Database,
    *,
    deals: int = 12_000,
    seed: int = SEED,
    until: date,
    progress: Callable[[float], None] | None = None,
    parameters: TrueParameters | None = None,
) -> DemoSummary:
    """Found the demo company with `deals` deals begun in the three years up to `until`.

    The same deals, seed and day give the same company, but for the passphrase. Reps and customers
    grow with the deals: a rep for each 500, 40 at least; a customer for each 8, 1,500 at least.
    progress: called with the share done, in [0, 1]. Raises NotEmpty, UnknownWorth.
    """
    began, spent = time.perf_counter(), time.process_time()
    true = parameters or TrueParameters()
    calendar = Calendar.of(until, database.zone, true)
    now = instant(calendar.end)
    _refuse_unless_empty(database, now)
    rng = np.random.default_rng(seed)
    rates = make_rates(np.random.default_rng([seed, 2]), calendar, database.base_currency)
    with database.writing(SYSTEM, now=now, action="found") as work:
        found_company(work)
    passphrase = make_passphrase()
    cast = make_cast(rng, calendar, reps=max(40, deals // 500), customers=max(1500, deals // 8))
    earlier = _underway(rng, calendar, cast, deals)
    opened = openings(rng, calendar, deals - len(earlier))
    with bulk_writing(database.engine, deals=deals) as writer:
        numbers = write_surroundings(writer, calendar, cast, rates, hashed(passphrase))
        booked = np.zeros((len(cast.reps), true.months + 1), dtype=np.int64)
        tables = Tables(calendar, cast, numbers, sku_costs(rates, true))
        first_deal = writer.first_id("deal")
        written = 0
        with writer.deals():
            for histories, chance in _blocks(calendar, cast, seed, earlier, opened):
                amounts = make_amounts(chance, calendar, rates, histories, cast.customers.segment[histories.customer])
                for name, block in tables.blocks(histories, amounts, first_deal=first_deal + written):
                    writer.append(name, block)
                won = np.flatnonzero(histories.stage == WON)
                months = _month_of(calendar, calendar.day_of(histories.closed[won]))
                np.add.at(booked, (histories.owner[won], months), amounts.base[won])
                written += len(histories)
                if progress:
                    progress(written / deals)
        _write_quotas(writer, rng, calendar, cast, numbers, booked)
        _write_costs(writer, calendar, numbers, deals)
        _audit(writer, now, deals=deals, seed=seed, until=until.isoformat())
        rows = dict(writer.rows_of)
    rows |= make_plans(database, calendar, cast, booked, now=now)
    effects = effects_of(cast, calendar)
    return DemoSummary(
        deals=deals,
        seed=seed,
        since=calendar.start,
        until=until,
        rows=rows,
        seconds=time.perf_counter() - began,
        processor_seconds=time.process_time() - spent,
        passphrase=passphrase,
        users=DEMO_USERS,
        parameters=true,
        conversion=true.conversion(effects),
        win_rate=true.win_rate(effects),
    )


def _refuse_unless_empty(database: Database, now: datetime) -> None:
    with database.reading(SYSTEM, now=now) as work:
        for table in (Deal, Customer, Rep, Team, Product):
            if work.session.scalar(select(func.count()).select_from(table)):
                raise NotEmpty


def _underway(rng: np.random.Generator, calendar: Calendar, cast: Cast, deals: int) -> Histories:
    """Return the deals that were open when the history began, as if the company had brought them in."""
    ratio = calendar.earlier_weights.sum() / calendar.weights.sum()
    begun = openings(rng, calendar, round(0.93 * deals * ratio), earlier=True)
    histories = live(rng, calendar, cast, begun)
    start = calendar.at(calendar.first, 0)
    return kept(histories, (histories.closed < 0) | (histories.closed >= start))


def _blocks(
    calendar: Calendar,
    cast: Cast,
    seed: int,
    earlier: Histories,
    opened: Any,
) -> Iterator[tuple[Histories, np.random.Generator]]:
    """Yield the histories block by block, each with its own source of chance."""
    if len(earlier):
        yield earlier, np.random.default_rng([seed, 1, 0])
    for block, start in enumerate(range(0, len(opened), BLOCK), start=1):
        chance = np.random.default_rng([seed, 1, block])
        yield live(chance, calendar, cast, opened[start : start + BLOCK]), chance


def _month_of(calendar: Calendar, days: Any) -> Any:
    texts = np.array(calendar.day_texts(days), dtype="datetime64[M]")
    return (texts - np.datetime64(calendar.start, "M")).astype(np.int64)


def _write_quotas(
    writer: BulkWriter,
    rng: np.random.Generator,
    calendar: Calendar,
    cast: Cast,
    numbers: Numbers,
    booked: Any,
) -> None:
    months = [month.isoformat() for month in quota_months(calendar)]
    of_reps = make_quotas(rng, calendar, cast, booked)
    said = calendar.instant_texts(np.array([calendar.at(calendar.first, 9 * 3600)]))[0]
    teams = metadata.tables["team"].c
    first_team = int(writer.connection.scalar(select(func.min(teams.id)).where(teams.name == TEAMS[0].name)) or 0)
    rows: list[tuple[Any, ...]] = [
        (said, said, 1, numbers.first_rep + rep, None, months[at], amount)
        for rep, owed in enumerate(of_reps.tolist())
        for at, amount in enumerate(owed)
        if amount
    ]
    rows += [
        (said, said, 1, None, first_team + team, months[at], amount)
        for team, owed in enumerate(of_teams(cast, of_reps).tolist())
        for at, amount in enumerate(owed)
        if amount
    ]
    writer.insert("quota", (*_STAMP, "rep_id", "team_id", "month", "amount"), rows)


def _write_costs(writer: BulkWriter, calendar: Calendar, numbers: Numbers, deals: int) -> None:
    said = calendar.instant_texts(np.array([calendar.at(calendar.first, 9 * 3600)]))[0]
    rows = [
        (said, said, 1, None if channel is None else int(numbers.channels[channel]), month.isoformat(), 100 * cost)
        for channel, month, cost in make_costs(calendar, deals=deals)
    ]
    writer.insert("acquisition_cost", (*_STAMP, "channel_id", "month", "amount"), rows)


def _audit(writer: BulkWriter, now: datetime, **said: object) -> None:
    """Append the one entry for the whole company to the audit's chain."""
    with Session(bind=writer.connection) as session:
        session.info.update(changes=[], notes=[audit.Note("load_demo", "demo", None, None, dict(said))])
        audit.write(session, actor=SYSTEM, action="load_demo", now=now)
        session.flush()
