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
from core.domain.names import fold_name
from core.domain.stages import STANDARD_CHANNELS, STANDARD_PROCESS
from core.errors import SalesError
from core.i18n import N_
from core.model import Channel, Customer, Deal, LostReason, Product, Rep, Setting, Stage, Team
from core.services.founding import found_company
from data.demo.accounts import DEMO_USERS, DemoUser, hashed, make_passphrase
from data.demo.amounts import SKUS, Rates, make_amounts, make_rates
from data.demo.calendar import DAY, Calendar, day_numbered, instant
from data.demo.cast import NEVER, Cast, industry_of, make_cast
from data.demo.histories import Histories, effects_of, kept, live, openings
from data.demo.parameters import LOST, WON, TrueParameters
from data.demo.quotas import make_quotas, of_teams, quota_months
from data.demo.reference import (
    COMPANY,
    CURRENCIES,
    LOST_REASONS,
    PRODUCTS,
    ROADS,
    SEGMENTS,
    TEAMS,
    TERRITORIES,
    ZONES,
)
from data.demo.rows import Numbers, write_block
from data.demo.writer import BulkWriter, bulk_writing

SEED = 20_260_101
BLOCK = 25_000
_LARGE = 5_000
_STAMP = ("created_at", "updated_at", "version")


class NotEmpty(SalesError):
    """The demo company is founded in an empty database alone."""

    text = N_("This database already holds data; the demo company needs an empty one.")


@dataclass(frozen=True)
class DemoSummary:
    """What was written: rows by table, seconds taken, and the passphrase of `users`, said only here."""

    deals: int
    seed: int
    since: date
    until: date
    rows: dict[str, int]
    seconds: float
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
    grow with the deals: 40 and 1,500 up to 12,000 deals, a rep for 500 and a customer for 8 beyond.
    progress: called with the share done, in [0, 1]. Raises NotEmpty.
    """
    began = time.perf_counter()
    true = parameters or TrueParameters()
    calendar = Calendar.of(until, database.zone, true)
    now = instant(calendar.end)
    _refuse_unless_empty(database, now)
    with database.writing(SYSTEM, now=now, action="found_company") as work:
        found_company(work)
    passphrase = make_passphrase()
    rng = np.random.default_rng(seed)
    cast = make_cast(rng, calendar, reps=max(40, deals // 500), customers=max(1500, deals // 8))
    rates = make_rates(rng, calendar)
    earlier = _underway(rng, calendar, cast, deals)
    opened = openings(rng, calendar, deals - len(earlier))
    with bulk_writing(database.engine, large=deals >= _LARGE) as writer:
        numbers = _write_surroundings(
            writer, calendar, cast, rates, now, hashed(passphrase), database.base_currency
        )
        booked = np.zeros((len(cast.reps), true.months + 1), dtype=np.int64)
        first_deal = writer.first_id("deal")
        written = 0
        for histories, chance in _blocks(calendar, cast, seed, earlier, opened):
            amounts = make_amounts(
                chance, calendar, rates, histories, cast.customers.segment[histories.customer]
            )
            write_block(writer, calendar, cast, numbers, histories, amounts, first_deal=first_deal + written)
            won = np.flatnonzero(histories.stage == WON)
            months = _month_of(calendar, calendar.day_of(histories.closed[won]))
            np.add.at(booked, (histories.owner[won], months), amounts.base[won])
            written += len(histories)
            if progress:
                progress(written / deals)
        _write_quotas(writer, rng, calendar, cast, numbers, booked, now)
        _audit(writer, now, deals=deals, seed=seed, until=until.isoformat())
        rows = dict(writer.rows_of)
    effects = effects_of(cast, calendar)
    return DemoSummary(
        deals=deals, seed=seed, since=calendar.start, until=until, rows=rows, seconds=time.perf_counter() - began,
        passphrase=passphrase, users=DEMO_USERS, parameters=true,
        conversion=true.conversion(effects), win_rate=true.win_rate(effects),
    )  # fmt: skip


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
    calendar: Calendar, cast: Cast, seed: int, earlier: Histories, opened: Any,
) -> Iterator[tuple[Histories, np.random.Generator]]:  # fmt: skip
    """Yield the histories block by block, each with its own source of chance."""
    if len(earlier):
        yield earlier, np.random.default_rng([seed, 0])
    for block, start in enumerate(range(0, len(opened), BLOCK), start=1):
        chance = np.random.default_rng([seed, block])
        yield live(chance, calendar, cast, opened[start : start + BLOCK]), chance


def _month_of(calendar: Calendar, days: Any) -> Any:
    texts = np.array(calendar.day_texts(days), dtype="datetime64[M]")
    return (texts - np.datetime64(calendar.start, "M")).astype(np.int64)


def _write_surroundings(
    writer: BulkWriter, calendar: Calendar, cast: Cast, rates: Rates, now: datetime, password_hash: str, base: str,
) -> Numbers:  # fmt: skip
    """Write everything that deals refer to, and return its numbers."""
    began = calendar.instant_texts(np.array([calendar.at(calendar.first, 9 * 3600)]))[0]
    stamp = (began, began, 1)
    first = {name: writer.first_id(name) for name in (
        "territory", "team", "rep", "customer", "contact", "product", "sku", "app_user")}  # fmt: skip
    writer.insert("territory", (*_STAMP, "id", "code", "name", "name_en", "active"), [
        (*stamp, first["territory"] + i, code, zh, en, 1) for i, (code, zh, en, _cities) in enumerate(TERRITORIES)])  # fmt: skip
    writer.insert("team", (*_STAMP, "id", "name", "name_en", "parent_id", "territory_id", "active"), [
        (*stamp, first["team"] + i, team.name, team.name_en, None if team.parent is None else first["team"] + team.parent,
         first["territory"] + team.territory, 1) for i, team in enumerate(TEAMS)])  # fmt: skip
    _write_reps(writer, cast, stamp, first)
    contacts = _write_customers(writer, calendar, cast, first)
    writer.insert("product", (*_STAMP, "id", "code", "name", "name_en", "category", "active"), [
        (*stamp, first["product"] + i, p.code, p.name, p.name_en, p.category, 1) for i, p in enumerate(PRODUCTS)])  # fmt: skip
    writer.insert("sku", (*_STAMP, "id", "product_id", "code", "specification", "unit", "list_price", "currency", "active"), [
        (*stamp, first["sku"] + i, first["product"] + p, f"{PRODUCTS[p].code}-{s + 1}", PRODUCTS[p].skus[s][0],
         PRODUCTS[p].skus[s][1], PRODUCTS[p].skus[s][2] * 100, base, 1) for i, (p, s) in enumerate(SKUS)])  # fmt: skip
    writer.insert("fx_rate", (*_STAMP, "currency", "on", "rate"), [
        (*stamp, code, day_numbered(int(day)).isoformat(), int(rate))
        for row, code in enumerate(CURRENCIES, start=1) for day, rate in zip(rates.days, rates.rates[row], strict=True)])  # fmt: skip
    if not writer.connection.scalar(
        select(func.count()).select_from(Setting).where(Setting.name == "company_name")
    ):
        writer.insert(
            "setting", (*_STAMP, "name", "value"), [(*stamp, "company_name", f"{COMPANY[0]}（演示）")]
        )
    star = _star(cast)
    said = calendar.instant_texts(np.array([calendar.end]))[0]
    writer.insert("app_user", (
        *_STAMP, "id", "username", "name", "email", "role", "rep_id", "team_id", "language", "password_hash",
        "must_change_password", "active", "is_demo",
    ), [(
        said, said, 1, first["app_user"] + i, user.username, user.name or cast.reps.names[star][0], "", user.role.value,
        None if user.name else first["rep"] + star, None if user.team is None else first["team"] + user.team, "",
        password_hash, 0, 1, 1,
    ) for i, user in enumerate(DEMO_USERS)])  # fmt: skip
    return _numbers(writer, first, contacts, base, star)


def _star(cast: Cast) -> int:
    """Return the rep of the demo's rep account: who stays in that team and whose customers buy most."""
    team = next(user.team for user in DEMO_USERS if not user.name)
    stayers = cast.colleagues[team or 0]
    weights = np.bincount(cast.customers.seat, weights=cast.customers.weight, minlength=len(cast.reps))
    return int(stayers[np.argmax(weights[stayers])])


def _numbers(writer: BulkWriter, first: dict[str, int], contacts: Any, base: str, star: int) -> Numbers:
    read = writer.connection.execute
    pipeline = read(select(Stage.pipeline_id, Stage.code, Stage.id).order_by(Stage.position)).all()
    stages = {row.code: row for row in pipeline}
    channels = {row.code: row.id for row in read(select(Channel.code, Channel.id))}
    reasons = {row.code: row.id for row in read(select(LostReason.code, LostReason.id))}
    user = next(i for i, user in enumerate(DEMO_USERS) if not user.name)
    return Numbers(
        pipeline=stages[STANDARD_PROCESS[0].code].pipeline_id,
        stages=np.array([stages[stage.code].id for stage in STANDARD_PROCESS]),
        channels=np.array([channels[code] for code, _en, _zh in STANDARD_CHANNELS]),
        reasons=np.array([reasons[code] for code in LOST_REASONS]),
        first_rep=first["rep"], first_customer=first["customer"], primary_contacts=contacts,
        first_product=first["product"], first_sku=first["sku"], base_currency=base, user_of_rep={star: first["app_user"] + user},
    )  # fmt: skip


def _write_reps(writer: BulkWriter, cast: Cast, stamp: tuple[str, str, int], first: dict[str, int]) -> None:
    reps, rows, assigned = cast.reps, [], []
    for i, (zh, en) in enumerate(reps.names):
        joined = day_numbered(int(reps.joined[i])).isoformat()
        left = None if reps.left[i] == NEVER else day_numbered(int(reps.left[i])).isoformat()
        mail = f"{en.lower().replace(' ', '.').replace('ü', 'v')}.{i + 1}@hengye.example"
        team = int(reps.team[i])
        rows.append((*stamp, first["rep"] + i, zh, en, mail, first["team"] + team, joined, left))
        assigned.append((*stamp, first["rep"] + i, first["territory"] + TEAMS[team].territory, joined, left))
    writer.insert("rep", (*_STAMP, "id", "name", "name_en", "email", "team_id", "joined_on", "left_on"), rows)
    writer.insert(
        "territory_assignment", (*_STAMP, "rep_id", "territory_id", "from_on", "until_on"), assigned
    )


def _write_customers(writer: BulkWriter, calendar: Calendar, cast: Cast, first: dict[str, int]) -> Any:
    """Write customers and contacts; return the number of each customer's primary contact."""
    known = cast.customers
    owners = (cast.holder[known.seat, -1] + first["rep"]).tolist()
    phones = np.random.default_rng(len(known)).integers(10_000_000, 99_999_999, size=len(known)).tolist()
    rows, contacts, primary, number = [], [], [], first["contact"]
    made = calendar.instant_texts(calendar.at(0, 10 * 3600) + known.since * DAY)
    for i, name in enumerate(known.names):
        rows.append((
            made[i], made[i], 1, first["customer"] + i, name.full, name.english, fold_name(name.full), owners[i],
            first["territory"] + int(known.territory[i]), SEGMENTS[int(known.segment[i])], known.size[i], industry_of(name),
            "中国", known.city[i][0], f"{known.city[i][0]}市{ZONES[phones[i] % len(ZONES)]}{ROADS[i % len(ROADS)]}{1 + phones[i] % 388}号", f"400-{phones[i] % 10**7:07d}", "", "",
        ))  # fmt: skip
        primary.append(number)
        for place, (zh, en, title) in enumerate(known.contacts[i]):
            contacts.append((
                made[i], made[i], 1, number, first["customer"] + i, zh, title, f"19900{(phones[i] + place) % 10**6:06d}",
                f"{en.lower().replace(' ', '.').replace('ü', 'v')}@c{i + 1}.example", int(place == 0), "",
            ))  # fmt: skip
            number += 1
    writer.insert("customer", (
        *_STAMP, "id", "name", "name_en", "name_key", "owner_id", "territory_id", "segment", "size", "industry", "country",
        "city", "address", "phone", "website", "note"), rows)  # fmt: skip
    writer.insert("contact", (
        *_STAMP, "id", "customer_id", "name", "title", "phone", "email", "is_primary", "note"), contacts)  # fmt: skip
    return np.array(primary)


def _write_quotas(
    writer: BulkWriter, rng: np.random.Generator, calendar: Calendar, cast: Cast, numbers: Numbers, booked: Any, now: datetime,
) -> None:  # fmt: skip
    months = [month.isoformat() for month in quota_months(calendar)]
    of_reps = make_quotas(rng, calendar, cast, booked)
    said = calendar.instant_texts(np.array([calendar.at(calendar.first, 9 * 3600)]))[0]
    first_team = int(
        writer.connection.scalar(select(func.min(Team.id)).where(Team.name == TEAMS[0].name)) or 0
    )
    rows: list[tuple[Any, ...]] = [
        (said, said, 1, numbers.first_rep + rep, None, months[at], amount)
        for rep, owed in enumerate(of_reps.tolist()) for at, amount in enumerate(owed) if amount
    ]  # fmt: skip
    rows += [
        (said, said, 1, None, first_team + team, months[at], amount)
        for team, owed in enumerate(of_teams(cast, of_reps).tolist()) for at, amount in enumerate(owed) if amount
    ]  # fmt: skip
    writer.insert("quota", (*_STAMP, "rep_id", "team_id", "month", "amount"), rows)


def _audit(writer: BulkWriter, now: datetime, **said: object) -> None:
    """Append the one entry for the whole company to the audit's chain."""
    with Session(bind=writer.connection) as session:
        session.info.update(changes=[], notes=[audit.Note("load_demo", "demo", None, None, dict(said))])
        audit.write(session, actor=SYSTEM, action="load_demo", now=now)
        session.flush()
