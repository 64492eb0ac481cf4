"""What the administration's pages show: people, teams, the process, goods, quotas, currencies, settings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import case, func
from sqlmodel import col, or_, select

from core.access.actions import Action
from core.access.actors import SYSTEM
from core.db.work import SETTING_DEFAULTS
from core.domain.names import named
from core.domain.stages import StageKind
from core.gate import query
from core.model import (
    Channel,
    Currency,
    Deal,
    FxRate,
    LostReason,
    Pipeline,
    Product,
    Quota,
    Rep,
    SignInSession,
    Sku,
    Stage,
    StageMove,
    Team,
    Territory,
    User,
    WordPair,
)
from core.queries.month_amounts import AmountGrid, GridRow, amount_grid, stored_around

if TYPE_CHECKING:
    from datetime import date
    from decimal import Decimal

    from core.db.work import Work
    from core.domain.periods import Period

QuotaOf = Literal["rep", "team"]
_WORDS: dict[str, Any] = {"lost_reason": LostReason, "channel": Channel, "territory": Territory}


# --- people -----------------------------------------------------------------------------------


@query(Action.PEOPLE_VIEW, askable=True)
def user_accounts(work: Work) -> list[User]:
    """Return every account by name, those switched off last."""
    return list(work.session.exec(select(User).order_by(col(User.active).desc(), col(User.name), col(User.id))))


@query(Action.PEOPLE_VIEW)
def last_seen(work: Work) -> dict[int, tuple[Any, int]]:
    """Return for each user when they were last here, and how many of their sign-ins still hold."""
    live = (col(SignInSession.revoked_at).is_(None)) & (col(SignInSession.expires_at) > work.now)
    rows = work.session.exec(
        select(
            SignInSession.user_id,
            func.max(SignInSession.seen_at),
            func.sum(case((live, 1), else_=0)),
        ).group_by(col(SignInSession.user_id))
    )
    return {number: (seen, int(count)) for number, seen, count in rows}


@query(Action.PEOPLE_VIEW)
def rep_records(work: Work) -> list[Rep]:
    """Return every rep, those who left last."""
    return sorted(work.session.exec(select(Rep)), key=lambda rep: (rep.left_on is not None, named(rep), rep.id))


@query(Action.PEOPLE_VIEW)
def open_deal_counts(work: Work) -> dict[int, int]:
    """Return how many open deals each rep owns: the numbers alone, for those who may not see deals."""
    statement = select(Deal.owner_id, func.count()).where(Deal.state == StageKind.OPEN).group_by(col(Deal.owner_id))
    with work.database.reading(SYSTEM, now=work.now) as whole:
        return {number: int(count) for number, count in whole.session.exec(statement)}


@dataclass(frozen=True)
class TeamLine:
    """A team in its tree: how deep it stands, and how many reps are in it now."""

    team: Team
    depth: int
    reps: int


@query(Action.PEOPLE_VIEW, askable=True)
def team_tree(work: Work) -> list[TeamLine]:
    """Return the teams, each followed by those below it."""
    found = sorted(work.session.exec(select(Team)), key=lambda team: (not team.active, named(team)))
    counts: dict[int | None, int] = {}
    for rep in work.session.exec(select(Rep)):
        if rep.left_on is None or rep.left_on > work.today:
            counts[rep.team_id] = counts.get(rep.team_id, 0) + 1
    children: dict[int | None, list[Team]] = {}
    for team in found:
        children.setdefault(team.parent_id, []).append(team)

    def below(parent: int | None, depth: int) -> list[TeamLine]:
        lines = []
        for team in children.get(parent, []):
            lines.append(TeamLine(team, depth, counts.get(team.id, 0)))
            lines.extend(below(team.id, depth + 1))
        return lines

    return below(None, 0)


@query(Action.PEOPLE_VIEW)
def territory_choices(work: Work) -> list[Territory]:
    """Return the territories in use."""
    return list(work.session.exec(select(Territory).where(Territory.active).order_by(col(Territory.id))))


# --- the process -------------------------------------------------------------------------------


@dataclass(frozen=True)
class StageLine:
    """A stage with how many deals stand in it, and how those that entered it and are closed ended."""

    stage: Stage
    used: bool
    standing: int
    decided: int
    won: int


@query(Action.PROCESS_EDIT)
def pipelines(work: Work) -> list[Pipeline]:
    """Return every process: the default first, retired ones last."""
    return sorted(work.session.exec(select(Pipeline)), key=lambda row: (not row.is_default, not row.active, row.id))


@query(Action.PROCESS_EDIT, askable=True)
def stages_of(work: Work, *, pipeline_id: int) -> list[StageLine]:
    """Return the stages of a process in order, each with its deals.

    `decided` counts the closed deals that ever entered the stage, `won` those of them that were won.
    """
    session = work.session
    entered = (
        select(col(StageMove.to_stage_id).label("stage_id"), col(StageMove.deal_id).label("deal_id"))
        .join(Stage, col(Stage.id) == col(StageMove.to_stage_id))
        .where(Stage.pipeline_id == pipeline_id)
        .distinct()
        .subquery()
    )
    outcome = session.execute(
        select(
            entered.c.stage_id,
            func.sum(case((col(Deal.state) != StageKind.OPEN, 1), else_=0)),
            func.sum(case((col(Deal.state) == StageKind.WON, 1), else_=0)),
        )
        .join(Deal, col(Deal.id) == entered.c.deal_id)
        .group_by(entered.c.stage_id)
    )
    decided = {number: (int(count), int(won)) for number, count, won in outcome}
    standing = dict(
        session.exec(
            select(Deal.stage_id, func.count()).where(Deal.pipeline_id == pipeline_id).group_by(col(Deal.stage_id))
        ).all()
    )
    left = set(session.exec(select(StageMove.from_stage_id).distinct()))
    found = session.exec(
        select(Stage).where(Stage.pipeline_id == pipeline_id).order_by(col(Stage.position), col(Stage.id))
    )
    return [
        StageLine(
            stage=stage,
            used=stage.id in decided or stage.id in standing or stage.id in left,
            standing=standing.get(stage.id, 0),
            decided=decided.get(stage.id, (0, 0))[0],
            won=decided.get(stage.id, (0, 0))[1],
        )
        for stage in found
    ]


@query(Action.PROCESS_EDIT)
def deal_words(work: Work, *, kind: str) -> list[Any]:
    """Return the lost reasons, channels or territories, retired ones last."""
    table = _WORDS[kind]
    return sorted(work.session.exec(select(table)), key=lambda row: (not row.active, row.id))


# --- goods ---------------------------------------------------------------------------------------


@query(Action.PRODUCT_EDIT)
def product_page(
    work: Work, *, search: str = "", retired: bool = False, limit: int, offset: int = 0
) -> tuple[int, list[Product]]:
    """Return how many products there are and one page of them, by code."""
    statement = select(Product)
    if not retired:
        statement = statement.where(Product.active)
    if search.strip():
        wanted = search.strip()
        inside = select(Sku.product_id).where(col(Sku.code).icontains(wanted, autoescape=True))
        statement = statement.where(
            or_(
                *(
                    col(column).icontains(wanted, autoescape=True)
                    for column in (Product.code, Product.name, Product.name_en, Product.category)
                ),
                col(Product.id).in_(inside),
            )
        )
    total = work.session.exec(select(func.count()).select_from(statement.subquery())).one()
    page = statement.order_by(col(Product.code)).limit(limit).offset(offset)
    return total, list(work.session.exec(page))


@query(Action.PRODUCT_EDIT)
def specifications(work: Work, *, product_ids: tuple[int, ...], retired: bool = False) -> list[Sku]:
    """Return the specifications of some products, by code."""
    statement = select(Sku).where(col(Sku.product_id).in_(product_ids))
    if not retired:
        statement = statement.where(Sku.active)
    return list(work.session.exec(statement.order_by(col(Sku.code))))


@query(Action.PRODUCT_EDIT)
def product_categories(work: Work) -> list[str]:
    """Return the categories that products have."""
    found = select(Product.category).where(Product.category != "").distinct().order_by(col(Product.category))
    return list(work.session.exec(found))


# --- quotas ----------------------------------------------------------------------------------------


@query(Action.QUOTA_EDIT, askable=True)
def quota_grid(work: Work, *, year: int, of: QuotaOf) -> AmountGrid:
    """Return the reps' or the teams' quotas of a fiscal year, and last year's, a year on.

    Reps who left before the year, or join after it, stand in the grid only where they have a quota there.
    """
    period = work.calendar.year(year)
    column: Any = Quota.rep_id if of == "rep" else Quota.team_id
    rows = work.session.exec(select(Quota).where(column.is_not(None), *stored_around(Quota, period)))
    return amount_grid(
        period, ((getattr(row, column.key), row) for row in rows), lambda owing: _owners(work, of, period, owing)
    )


def _owners(work: Work, of: QuotaOf, period: Period, owing: set[int]) -> list[GridRow]:
    teams = {team.id: team for team in work.session.exec(select(Team))}
    if of == "team":
        found = [team for team in teams.values() if team.active or team.id in owing]
        return [GridRow(t.id, named(t), t.parent_id) for t in sorted(found, key=named)]
    present = [
        rep
        for rep in work.session.exec(select(Rep))
        if rep.id in owing
        or (
            (rep.joined_on is None or rep.joined_on < period.end)
            and (rep.left_on is None or rep.left_on > period.start)
        )
    ]
    lines = [
        GridRow(rep.id, named(rep), rep.team_id, named(teams[rep.team_id]) if rep.team_id in teams else "")
        for rep in present
    ]
    return sorted(lines, key=lambda line: (line.team, line.name, line.id))


@query(Action.QUOTA_EDIT)
def team_parents(work: Work) -> dict[int, int | None]:
    """Return each team's parent."""
    return dict(work.session.exec(select(Team.id, Team.parent_id)).all())


# --- currencies ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class CurrencyLine:
    """A currency, the rate that open deals use today and from which day it is, and how many use it."""

    currency: Currency
    rate: Decimal | None
    rate_on: date | None
    open_deals: int


@query(Action.CURRENCY_EDIT, askable=True)
def currency_lines(work: Work) -> list[CurrencyLine]:
    """Return the currencies: the company's own first, those out of use last."""
    rates: dict[str, FxRate] = {}
    for row in work.session.exec(select(FxRate).where(FxRate.on <= work.today).order_by(col(FxRate.on))):
        rates[row.currency] = row
    statement = select(Deal.currency, func.count()).where(Deal.state == StageKind.OPEN).group_by(col(Deal.currency))
    deals = dict(work.session.exec(statement).all())
    lines = [
        CurrencyLine(row, rates[row.code].rate if row.code in rates else None,
                     rates[row.code].on if row.code in rates else None, deals.get(row.code, 0))
        for row in work.session.exec(select(Currency))
    ]  # fmt: skip
    base = work.base_currency
    return sorted(lines, key=lambda line: (line.currency.code != base, not line.currency.active, line.currency.code))


@query(Action.CURRENCY_EDIT)
def rates_of(work: Work, *, currency: str) -> list[FxRate]:
    """Return the dated rates of a currency, the latest first."""
    return list(work.session.exec(select(FxRate).where(FxRate.currency == currency).order_by(col(FxRate.on).desc())))


# --- settings -----------------------------------------------------------------------------------


@query(Action.SETTING_EDIT, askable=True)
def word_pairs(work: Work) -> list[WordPair]:
    """Return the company's word list, in the order in which it was written."""
    return list(work.session.exec(select(WordPair).order_by(col(WordPair.id))))


@query(Action.SETTING_EDIT, askable=True)
def company_settings(work: Work) -> dict[str, str]:
    """Return the company's settings by name, defaults where nobody changed them."""
    return {name: work.setting(name) for name in SETTING_DEFAULTS}
