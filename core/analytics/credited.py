"""The facts with the money of split deals where it is credited, for statements that are written for whole deals.

Source: docs/methods/credit.md. A won deal that nobody split is as it was. In place of one that is split stands a row
for each person credited with it: `amount` and `cost` are that person's part, `credit_id` the person, `share` the part
in ten-thousandths, `whole` what the deal is worth, `received` the part where somebody else won it. What counts deals
instead of money goes on reading the plain facts, where each deal stands once.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Double,
    Integer,
    and_,
    case,
    cast,
    func,
    literal_column,
    null,
    or_,
    select,
)

from core.access.actors import Reach
from core.analytics import tables
from core.analytics.facts import Facts
from core.analytics.filters import deal_conditions, teams_below

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date

    from sqlalchemy import ColumnElement, FromClause, Select, Subquery

    from core.analytics.facts import Statement
    from core.analytics.filters import Filters

WHOLE: Final = 10_000
"""What the shares of a deal add up to."""

CREDITED: Final = {"credited": "booked", "credited_margin": "margin"}
"""The measures of split deals, and what they are of whole ones."""

_KEPT: Final = "_credited"
_OPEN_TO_CREDITED: Final = (
    "state", "closed_on", "pipeline_id", "territory_id", "channel_id", "product_id", "segment",
)  # fmt: skip
"""What somebody credited with a deal outside their scope is told of it: what their row is counted and filtered by."""
_KNOWN: Final = ("id", "amount", "cost", "credited_id", *_OPEN_TO_CREDITED)


class CreditedFacts(Facts):
    """The same facts, but for the split deals. A part lies in a scope when the person credited with it does."""

    def __init__(self, facts: Facts, names: Sequence[str]) -> None:
        self.__dict__.update(facts.__dict__)
        self.deals = _deals(facts, names)


def credited(facts: Facts) -> Facts:
    """Return the facts with split deals where they are credited.

    Kept with the facts, which are kept by scope: to write its many columns takes longer than to ask for them.
    """
    kept: dict[str, Facts] = facts.__dict__
    if _KEPT not in kept:
        kept[_KEPT] = CreditedFacts(facts, tuple(facts.deals.c.keys()))
    return kept[_KEPT]


def shares_of_won(
    facts: Facts, filters: Filters, closed: Callable[[ColumnElement[date]], ColumnElement[bool]]
) -> Statement:
    """Return a row a share of the split deals that were won on the days for which `closed` is so.

    What `core.analytics.credited_parts` works their parts out of: whatever the scope, since a part is worked out of the
    whole deal. `person_counts` and `holder_counts` say what of it counts in the scope under the filters: the person's
    part, and the whole deal of whoever it would be credited to if it were not split.
    """
    everyone, shares, reps = facts.of_everyone(), facts.shares.c, facts.reps.alias("person")
    deals, person = everyone.deals.c, reps.c
    people, holders = (
        _counts(facts, filters, rep_id, team_id)
        for rep_id, team_id in ((shares.rep_id, person.team_id), (deals.credit_id, deals.credit_team_id))
    )
    return (
        select(
            deals.id, deals.closed_on, deals.amount, deals.cost, deals.credit_id.label("holder"),
            deals.credit_team_id.label("holder_team"), deals.credited_id.label("winner"),
            shares.rep_id.label("person"), person.team_id.label("person_team"), shares.share,
            people.label("person_counts"), holders.label("holder_counts"),
        )
        .select_from(
            everyone.deals.join(facts.shares, shares.deal_id == deals.id).outerjoin(reps, person.id == shares.rep_id)
        )
        .where(
            everyone.stands("won"), closed(deals.closed_on),
            *deal_conditions(everyone, replace(filters, team_ids=(), rep_ids=())),
        )
    )  # fmt: skip


def _counts(
    facts: Facts, filters: Filters, rep_id: ColumnElement[int], team_id: ColumnElement[int]
) -> ColumnElement[bool]:  # fmt: skip
    """Return whether what is credited to a rep of a team counts in the scope under the filters."""
    found: list[ColumnElement[bool]] = []
    if facts.scope.reach is not Reach.ALL:
        found.append(rep_id.in_(facts.scope.rep_ids))
    if filters.rep_ids:
        found.append(rep_id.in_(filters.rep_ids))
    if filters.team_ids:
        found.append(team_id.in_(teams_below(facts, filters)))
    return func.coalesce(and_(*found), literal_column("false", Boolean)) if found else literal_column("true", Boolean)


def shares(facts: Facts) -> Statement:
    """Return `deal`, `person` and `share` of every deal that is split."""
    split = facts.shares.c
    return select(split.deal_id.label("deal"), split.rep_id.label("person"), split.share)


def any_share() -> Statement:
    """Return a row where some deal was ever split: where none was, the facts are credited as they stand."""
    return select(tables.SHARES.c.deal_id).limit(1)


def _deals(facts: Facts, names: Sequence[str]) -> Subquery:
    deals, shares = facts.deals.c, facts.shares
    is_split = and_(deals.state == "won", deals.id.in_(select(shares.c.deal_id)))
    nothing: dict[str, ColumnElement[Any]] = {
        "share": cast(null(), Integer), "whole": deals.amount, "received": literal_column("0", BigInteger),
    }  # fmt: skip
    columns = [*(deals[name] for name in names), *(value.label(name) for name, value in nothing.items())]
    alone = select(*columns).where(~is_split)
    return alone.union_all(_parts(facts, names)).subquery("deals_credited")


def _parts(facts: Facts, names: Sequence[str]) -> Select[tuple[Any, ...]]:
    """Return a row for each person of the scope who is credited with a part of a won deal."""
    carried = _carried(facts, names)
    spread = _spread(facts, carried)
    part, reps = spread.c, facts.reps.alias("rep_credited")
    joined: FromClause = spread.outerjoin(reps, reps.c.id == part.credit_id)
    known: Any = part
    if facts.scope.reach is not Reach.ALL:
        seen = facts.deals.alias("seen")
        joined, known = joined.outerjoin(seen, seen.c.id == part.id), seen.c
    made: dict[str, ColumnElement[Any]] = {
        "credit_id": part.credit_id, "credited_id": part.credit_id, "credit_team_id": reps.c.team_id,
        "credited_team_id": reps.c.team_id, "amount": part.part, "cost": part.part_of_cost,
        **{name: part[name] for name in _OPEN_TO_CREDITED},
        "share": part.share, "whole": known.amount, "received": part.received,
    }  # fmt: skip
    chosen = select(
        *((made[name] if name in made else known[name]).label(name) for name in (*names, "share", "whole", "received"))
    ).select_from(joined)
    if facts.scope.reach is not Reach.ALL:
        chosen = chosen.where(part.credit_id.in_(facts.scope.rep_ids))
    return chosen


def _spread(facts: Facts, carried: Sequence[str]) -> Subquery:
    """Return everybody's parts of the won deals that are split, whatever the scope: to the cent, the sum the whole."""
    everyone, shares = facts.of_everyone(), facts.shares.c
    deals = everyone.deals.c
    rests = {name: _divided(deals[name], shares.share) for name in ("amount", "cost")}
    columns: list[ColumnElement[Any]] = [
        *(deals[name] for name in carried),
        shares.rep_id.label("person"),
        shares.share.label("share"),
    ]
    for name, (whole, rest) in rests.items():
        columns += [whole.label(f"{name}_of_it"), rest.label(f"{name}_rest")]
    taken = (
        select(*columns)
        .select_from(everyone.deals.join(facts.shares, shares.deal_id == deals.id))
        .where(everyone.stands("won"))
        .subquery("taken")
    )
    t = taken.c
    found: dict[str, ColumnElement[Any]] = {"credit_id": t.person, "share": t.share}
    deal = (t.id, t.closed_on)  # the day as well, so that who asks for a period has no others' parts worked out
    for name, part in (("amount", "part"), ("cost", "part_of_cost")):
        left = t[name] - func.sum(t[f"{name}_of_it"]).over(partition_by=deal)
        place = func.row_number().over(partition_by=deal, order_by=(t[f"{name}_rest"].desc(), t.person))
        found[part] = cast(t[f"{name}_of_it"] + case((place <= left, 1), else_=0), BigInteger)
    own = [t[name] for name in carried]
    spread = select(*own, *(value.label(name) for name, value in found.items()), t.credited_id.label("winner"))
    inner = spread.subquery("spread_all")
    received = case((or_(inner.c.winner.is_(None), inner.c.winner != inner.c.credit_id), inner.c.part), else_=0)
    return select(*inner.c, cast(received, BigInteger).label("received")).subquery("spread")


def _carried(facts: Facts, names: Sequence[str]) -> list[str]:
    """Return the columns of a whole deal that go with its parts: all but the one replaced, or what all may know."""
    if facts.scope.reach is not Reach.ALL:
        return list(_KNOWN)
    return [name for name in dict.fromkeys((*_KNOWN, *names)) if name != "credit_id"]


def _divided(amount: Any, share: Any) -> tuple[ColumnElement[int], ColumnElement[int]]:
    """Return amount × share ÷ 10,000 as a whole number, and what is left over, without a product past 64 bits."""
    small = func.mod(amount, WHOLE, type_=BigInteger)
    rest = func.mod(small * share, WHOLE, type_=BigInteger)
    tens = cast(cast(amount - small, Double) / literal_column("10000.0"), BigInteger)
    whole = tens * share + cast(cast(small * share - rest, Double) / literal_column("10000.0"), BigInteger)
    return whole, rest
