"""Writing what deals refer to: teams, reps, customers, goods, rates, sign-ins."""

from __future__ import annotations

from typing import Any

import numpy as np
from sqlalchemy import func, select

from core.domain.names import fold_name
from core.domain.stages import STANDARD_CHANNELS, STANDARD_PROCESS
from core.model import metadata
from core.services.founding import STANDARD_PIPELINE
from data.demo.accounts import DEMO_USERS
from data.demo.amounts import SKUS, Rates
from data.demo.calendar import DAY, Calendar, day_numbered
from data.demo.cast import NEVER, Cast, industry_of
from data.demo.columns import NULL
from data.demo.credit import sku_costs
from data.demo.reference import (
    COMPANY,
    LOST_REASONS,
    PRODUCTS,
    ROADS,
    SEGMENTS,
    TEAMS,
    TERRITORIES,
    ZONES,
)
from data.demo.rows import Numbers
from data.demo.words import word_pairs
from data.demo.writer import BulkWriter

_STAMP = ("created_at", "updated_at", "version")


def write_surroundings(
    writer: BulkWriter,
    calendar: Calendar,
    cast: Cast,
    rates: Rates,
    password_hash: str,
) -> Numbers:
    """Write everything that deals refer to, and return its numbers."""
    began = calendar.instant_texts(np.array([calendar.at(calendar.first, 9 * 3600)]))[0]
    stamp = (began, began, 1)
    first = {
        name: writer.first_id(name)
        for name in ("territory", "team", "rep", "customer", "contact", "product", "sku", "app_user")
    }
    writer.insert(
        "territory",
        (*_STAMP, "id", "code", "name", "name_en", "active"),
        [(*stamp, first["territory"] + i, code, zh, en, 1) for i, (code, zh, en, _cities) in enumerate(TERRITORIES)],
    )
    writer.insert(
        "team",
        (*_STAMP, "id", "name", "name_en", "parent_id", "territory_id", "active"),
        [
            (
                *stamp,
                first["team"] + i,
                team.name,
                team.name_en,
                None if team.parent is None else first["team"] + team.parent,
                first["territory"] + team.territory,
                1,
            )
            for i, team in enumerate(TEAMS)
        ],
    )
    _write_reps(writer, cast, stamp, first)
    contacts = _write_customers(writer, calendar, cast, first)
    writer.insert(
        "product",
        (*_STAMP, "id", "code", "name", "name_en", "category", "active"),
        [(*stamp, first["product"] + i, p.code, p.name, p.name_en, p.category, 1) for i, p in enumerate(PRODUCTS)],
    )
    writer.insert(
        "sku",
        (*_STAMP, "id", "product_id", "code", "specification", "unit", "list_price", "currency", "active", "cost"),
        [
            (
                *stamp,
                first["sku"] + i,
                first["product"] + p,
                f"{PRODUCTS[p].code}-{s + 1}",
                PRODUCTS[p].skus[s][0],
                PRODUCTS[p].skus[s][1],
                price,
                rates.currencies[0],
                1,
                None if cost == NULL else cost,
            )
            for i, ((p, s), price, cost) in enumerate(
                zip(SKUS, rates.list_prices().tolist(), sku_costs(rates, calendar.true).tolist(), strict=True)
            )
        ],
    )
    writer.insert(
        "fx_rate",
        (*_STAMP, "currency", "on", "rate"),
        [
            (*stamp, code, day_numbered(int(day)).isoformat(), int(rate))
            for row, code in enumerate(rates.currencies[1:], start=1)
            for day, rate in zip(rates.days, rates.rates[row], strict=True)
        ],
    )
    setting = metadata.tables["setting"].c
    named = select(func.count()).select_from(metadata.tables["setting"]).where(setting.name == "company_name")
    if not writer.connection.scalar(named):
        names = (("company_name", f"{COMPANY[0]}（演示）"), ("company_name_en", f"{COMPANY[1]} (demo)"))
        writer.insert("setting", (*_STAMP, "name", "value"), [(*stamp, *pair) for pair in names])
    writer.insert("word_pair", (*_STAMP, "name", "name_en"), [(*stamp, *pair) for pair in word_pairs()])
    star = _star(cast)
    said = calendar.instant_texts(np.array([calendar.end]))[0]
    writer.insert(
        "app_user",
        (
            *_STAMP,
            "id",
            "username",
            "name",
            "name_en",
            "email",
            "role",
            "rep_id",
            "team_id",
            "language",
            "password_hash",
            "must_change_password",
            "active",
            "is_demo",
        ),
        [
            (
                said,
                said,
                1,
                first["app_user"] + i,
                user.username,
                user.name or cast.reps.names[star][0],
                user.name_en or cast.reps.names[star][1],
                "",
                user.role.value,
                None if user.name else first["rep"] + star,
                None if user.team is None else first["team"] + user.team,
                "",
                password_hash,
                0,
                1,
                1,
            )
            for i, user in enumerate(DEMO_USERS)
        ],
    )
    return _numbers(writer, first, contacts, rates, star)


def _star(cast: Cast) -> int:
    """Return the rep of the demo's rep account: who stays in that team and whose customers buy most."""
    team = next(user.team for user in DEMO_USERS if not user.name)
    stayers = cast.colleagues[team or 0]
    weights = np.bincount(cast.customers.seat, weights=cast.customers.weight, minlength=len(cast.reps))
    return int(stayers[np.argmax(weights[stayers])])


def _numbers(writer: BulkWriter, first: dict[str, int], contacts: Any, rates: Rates, star: int) -> Numbers:
    read = writer.connection.execute
    pipeline, stage, channel, reason = (
        metadata.tables[name].c for name in ("pipeline", "stage", "channel", "lost_reason")
    )
    standard = read(select(pipeline.id).where(pipeline.code == STANDARD_PIPELINE)).scalar_one()
    stages = dict(read(select(stage.code, stage.id).where(stage.pipeline_id == standard)).all())
    channels = dict(read(select(channel.code, channel.id)).all())
    reasons = dict(read(select(reason.code, reason.id)).all())
    user = next(i for i, user in enumerate(DEMO_USERS) if not user.name)
    return Numbers(
        pipeline=standard,
        stages=np.array([stages[each.code] for each in STANDARD_PROCESS]),
        channels=np.array([channels[code] for code, _en, _zh in STANDARD_CHANNELS]),
        reasons=np.array([reasons[code] for code in LOST_REASONS]),
        first_rep=first["rep"],
        first_customer=first["customer"],
        primary_contacts=contacts,
        first_product=first["product"],
        first_sku=first["sku"],
        currencies=rates.currencies,
        user_of_rep={star: first["app_user"] + user},
    )


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
    writer.insert("territory_assignment", (*_STAMP, "rep_id", "territory_id", "from_on", "until_on"), assigned)


def _write_customers(writer: BulkWriter, calendar: Calendar, cast: Cast, first: dict[str, int]) -> Any:
    """Write customers and contacts; return the number of each customer's primary contact."""
    known = cast.customers
    owners = (cast.holder[known.seat, -1] + first["rep"]).tolist()
    phones = np.random.default_rng(len(known)).integers(10_000_000, 99_999_999, size=len(known)).tolist()
    rows, contacts, primary, number = [], [], [], first["contact"]
    made = calendar.instant_texts(calendar.at(0, 10 * 3600) + known.since * DAY)
    for i, name in enumerate(known.names):
        rows.append(
            (
                made[i],
                made[i],
                1,
                first["customer"] + i,
                name.full,
                name.english,
                fold_name(name.full),
                owners[i],
                first["territory"] + int(known.territory[i]),
                SEGMENTS[int(known.segment[i])],
                known.size[i],
                industry_of(name),
                "中国",
                known.city[i][0],
                _address(known.city[i][0], i, phones[i]),
                f"400-{phones[i] % 10**7:07d}",
                "",
                "",
            )
        )
        primary.append(number)
        for place, (zh, en, title) in enumerate(known.contacts[i]):
            contacts.append(
                (
                    made[i],
                    made[i],
                    1,
                    number,
                    first["customer"] + i,
                    zh,
                    en,
                    title,
                    f"19900{(phones[i] + place) % 10**6:06d}",
                    f"{en.lower().replace(' ', '.').replace('ü', 'v')}@c{i + 1}.example",
                    int(place == 0),
                    "",
                )
            )
            number += 1
    writer.insert(
        "customer",
        (
            *_STAMP,
            "id",
            "name",
            "name_en",
            "name_key",
            "owner_id",
            "territory_id",
            "segment",
            "size",
            "industry",
            "country",
            "city",
            "address",
            "phone",
            "website",
            "note",
        ),
        rows,
    )
    writer.insert(
        "contact",
        (*_STAMP, "id", "customer_id", "name", "name_en", "title", "phone", "email", "is_primary", "note"),
        contacts,
    )
    return np.array(primary)


def _address(city: str, place: int, phone: int) -> str:
    return f"{city}市{ZONES[phone % len(ZONES)]}{ROADS[place % len(ROADS)]}{1 + phone % 388}号"
