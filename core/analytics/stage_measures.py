"""Which deals the numbers of Funnel count: arrivals at a stage, moves, cohorts followed for some days, rotting ones.

Each measure is a word and the numbers that it takes, as `entered:5:30`. Said once, for the numbers and their drill.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Double,
    Integer,
    and_,
    case,
    cast,
    false,
    func,
    literal,
    literal_column,
    null,
    or_,
    select,
    tuple_,
    union_all,
)

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from sqlalchemy import FromClause, Subquery

    from core.analytics.facts import Facts, Statement
    from core.domain.periods import Period

IN_PERIOD: Final[dict[str, int]] = {
    "entered": 2, "went_on": 2, "stuck": 2, "reached_within": 2, "open_within": 2, "lost_within": 2, "young": 1,
    "cohort_won": 0, "cohort_lost": 0, "cohort_open": 0, "stayed": 1, "left": 1, "inside": 1, "moved": 2, "flow": 1,
}  # fmt: skip
"""How many numbers follow each measure that needs a period."""

NOW: Final[dict[str, int]] = {"rotting": 1, "rotting_all": 0}
"""The same for those that are of now."""

KINDS: Final = ("entered", "forward", "skipped", "back", "lost", "won", "reopened")
"""What a move can be; `flow:` takes the place in here."""

LEAST_STAYS: Final = 10
"""Stays of won deals below which nothing is called rotting in a stage."""

DAY_SECONDS: Final = 86_400

Usual: TypeAlias = "tuple[int, int, float | None]"
"""A stage's number, how many stays of won deals there were in it, and how many days nine in ten took at most."""


def numbers_of(kind: str) -> int | None:
    """Return how many numbers a measure of Funnel takes, None for a measure that is none of them."""
    return IN_PERIOD.get(kind, NOW.get(kind))


def condition(
    facts: Facts, kind: str, numbers: list[int], *, period: Period | None, today: date
) -> ColumnElement[bool]:
    """Return when a deal of `facts.deals` counts in a measure of Funnel; ValueError where it lacks its period."""
    if kind in NOW:
        stage = facts.deals.c.stage_id == numbers[0] if numbers else None
        return is_rotting(facts, today=today) if stage is None else and_(stage, is_rotting(facts, today=today))
    if period is None:
        raise ValueError(f"{kind} needs a period")
    deals = facts.deals.c
    opened = between(deals.opened_on, period)
    match kind:
        case "entered" | "went_on" | "stuck":
            return _arrived(facts, kind, numbers[0], days=numbers[1], period=period, today=today)
        case "reached_within" | "open_within" | "lost_within":
            old = and_(opened, deals.opened_on < today - timedelta(days=numbers[1]))
            return and_(old, _within(facts, kind, *numbers, among=[old]))
        case "young":
            return and_(opened, deals.opened_on >= today - timedelta(days=numbers[0]))
        case "cohort_won" | "cohort_lost" | "cohort_open":
            return and_(opened, deals.state == kind.removeprefix("cohort_"))
        case "inside":
            return and_(opened, deals.state == "open", deals.stage_id == numbers[0])
        case "stayed" | "left":
            spans = facts.spans.c
            stays = select(spans.deal_id).where(spans.stage_id == numbers[0])
            return and_(opened, deals.id.in_(stays.where(facts.ended(facts.spans)) if kind == "left" else stays))
    return _moved(facts, kind, numbers, period)


def between(column: ColumnElement[date], period: Period) -> ColumnElement[bool]:
    """Return the condition that a day lies in the period."""
    return and_(column >= period.start, column < period.end)


def arrives(spans: Any, stages: Any) -> ColumnElement[bool]:
    """Return whether a stay is where its deal got to a stage, or beyond it, for the first time."""
    return and_(spans.furthest_before < stages.position, spans.furthest >= stages.position)


def goes_on(spans: Any, stages: Any, *, days: int) -> ColumnElement[bool]:
    """Return whether a deal that arrives got beyond the stage within `days` days; NULL is no."""
    return func.coalesce(or_(spans.furthest > stages.position, spans.advance_seconds <= days * DAY_SECONDS), False)


def followed(spans: Any, *, days: int, today: date) -> ColumnElement[bool]:
    """Return whether `days` days are over since a stay began, by the start of today."""
    over: ColumnElement[bool] = spans.entered_on < today - timedelta(days=days)
    return over


def _arrived(
    facts: Facts, kind: str, stage: int, *, days: int, period: Period, today: date
) -> ColumnElement[bool]:  # fmt: skip
    spans, stages, deals = facts.spans.c, facts.stages.c, facts.deals.c
    went = goes_on(spans, stages, days=days)
    more = {"entered": [], "went_on": [went], "stuck": [~went]}[kind]
    found = (
        select(spans.deal_id)
        .select_from(facts.spans.join(facts.stages, arrives(spans, stages)))
        .where(
            stages.id == stage, between(spans.entered_on, period), followed(spans, days=days, today=today), *more
        )
    )  # fmt: skip
    pipeline = select(stages.pipeline_id).where(stages.id == stage).scalar_subquery()
    return and_(deals.pipeline_id == pipeline, deals.id.in_(found))


def at_the_end(facts: Facts, *, days: int, among: list[ColumnElement[bool]]) -> Subquery:
    """Return `id`, `furthest` and `state` of the deals `among` as they stood `days` days after they were opened."""
    deals, spans = facts.deals.c, facts.spans.c
    horizon = deals.opened_at + timedelta(days=days)
    standing = or_(spans.left_at.is_(None), spans.left_at > horizon)
    state = func.max(case((standing, spans.kind)))
    return (
        select(
            deals.id,
            func.coalesce(func.max(spans.furthest), 1).label("furthest"),
            func.coalesce(state, literal_column("'open'")).label("state"),
        )
        .select_from(facts.deals.outerjoin(facts.spans, and_(spans.deal_id == deals.id, spans.entered_at <= horizon)))
        .where(*among)
        .group_by(deals.id)
        .subquery("ends")
    )


def _within(
    facts: Facts, kind: str, stage: int, days: int, *, among: list[ColumnElement[bool]]
) -> ColumnElement[bool]:  # fmt: skip
    deals, stages = facts.deals.c, facts.stages.c
    ends = at_the_end(facts, days=days, among=among).c
    chosen = select(stages.position, stages.pipeline_id).where(stages.id == stage).subquery("chosen").c
    wanted = {
        "reached_within": [ends.furthest >= chosen.position],
        "open_within": [ends.furthest == chosen.position, ends.state == "open"],
        "lost_within": [ends.furthest == chosen.position, ends.state == "lost"],
    }[kind]
    pipeline = select(stages.pipeline_id).where(stages.id == stage).scalar_subquery()
    return and_(deals.pipeline_id == pipeline, deals.id.in_(select(ends.id).where(*wanted)))


def ways(facts: Facts) -> Subquery:
    """Return `from_id`, `to_id` and `kind` (one of `KINDS`) of every way between two stages; 0 is from nowhere.

    A retired stage in between is no skip.
    """
    one, two = (facts.stages.alias(name).c for name in ("way_from", "way_to"))
    left, passed, met = (facts.stages.alias(name).c for name in ("left_stage", "passed", "met_stage"))
    over = select(left.id, met.id).where(
        passed.pipeline_id == left.pipeline_id, passed.active,
        passed.position > left.position, passed.position < met.position,
    )  # fmt: skip
    skips = tuple_(one.id, two.id).in_(over)

    def said(kind: str) -> ColumnElement[str]:
        return literal_column(f"'{kind}'")

    kind = case(
        (two.kind == "lost", said("lost")),
        (two.kind == "won", said("won")),
        (one.kind != "open", said("reopened")),
        (two.position < one.position, said("back")),
        (skips, said("skipped")),
        else_=said("forward"),
    )
    between_two = select(one.id.label("from_id"), two.id.label("to_id"), kind.label("kind")).where(one.id != two.id)
    entries = select(literal_column("0"), facts.stages.c.id, said("entered"))
    return between_two.union_all(entries).subquery("ways")


def from_id(moves: Any) -> ColumnElement[int]:
    """Return the number of the stage that a move came from, 0 for a deal's first."""
    return func.coalesce(moves.from_stage_id, literal_column("0"))


def _moved(facts: Facts, kind: str, numbers: list[int], period: Period) -> ColumnElement[bool]:
    moves = facts.moves.c
    found = select(moves.deal_id).where(between(moves.moved_on, period))
    if kind == "flow":
        way = ways(facts)
        found = found.select_from(
            facts.moves.join(way, and_(way.c.from_id == from_id(moves), way.c.to_id == moves.to_stage_id))
        ).where(way.c.kind == KINDS[numbers[0]] if numbers[0] < len(KINDS) else false())
    else:
        found = found.where(from_id(moves) == numbers[0], moves.to_stage_id == numbers[1])
    return facts.deals.c.id.in_(found)


def usual_stays(facts: Facts) -> Statement:
    """Return `stage_id`, `stays` and `days` (the 90th percentile, NULL under `LEAST_STAYS`) of the deals won."""
    stays = facts.stays_of_won()
    spans, count = stays.c, func.count()
    long = func.quantile_cont(spans.seconds / float(DAY_SECONDS), literal_column("0.9"))
    return (
        select(spans.stage_id, count.label("stays"), case((count >= LEAST_STAYS, long)).label("days"))
        .where(spans.kind == "open", facts.ended(stays))
        .group_by(spans.stage_id)
    )


def usual_as_told(rows: Iterable[Usual]) -> Subquery:
    """Return the rows of `usual_stays` that were told before, to be read as the statement itself would be."""
    none: Usual = (0, 0, None)
    each = [
        select(
            literal(stage, Integer).label("stage_id"), cast(literal(stays), BigInteger).label("stays"),
            cast(null() if days is None else literal(days, Double), Double).label("days"),
        )
        for stage, stays, days in [none, *rows]
    ]  # fmt: skip
    return union_all(*each).subquery("usual_as_told")


def is_rotting(facts: Facts, *, today: date) -> ColumnElement[bool]:
    """Return whether an open deal has been in its stage for longer than nine in ten of the won ones were."""
    usual: FromClause = usual_stays(facts).subquery("usual")
    deals = facts.deals.c
    limit = select(usual.c.days).where(usual.c.stage_id == deals.stage_id).scalar_subquery()
    return and_(deals.state == "open", func.coalesce(today - deals.stage_entered_on > limit, False))
