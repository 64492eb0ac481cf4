"""Random histories of deals on the cast's company: skips, returns, reopenings, hand-overs, deletions."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sqlmodel import select

from core.access.actors import SYSTEM
from core.domain.stages import DealField, StageKind
from core.model import (
    Activity,
    Currency,
    Customer,
    Deal,
    DealChange,
    DealLine,
    FxRate,
    Quota,
    Rep,
    StageMove,
    Team,
)
from tests.factories import NOW

if TYPE_CHECKING:
    from random import Random

    from tests.factories import Company

OPEN = ("identified", "contacted", "needs", "demo", "negotiation")
REPS = ("alice", "bob", "charlie")


def random_path(random: Random) -> tuple[tuple[str, Any], ...]:
    """Return a path of one to six steps in the last 200 days: forward, back, over stages, lost and reopened."""
    at = NOW - timedelta(days=random.randint(1, 200), hours=random.randint(0, 23))
    path = [(random.choice(OPEN[:2]), at)]
    for _step in range(random.randint(0, 5)):
        at += timedelta(hours=random.randint(1, 700))
        if at >= NOW:
            break
        path.append((random.choice((*OPEN, "won", "won", "lost", "lost")), at))
    return tuple(step for i, step in enumerate(path) if i == 0 or step[0] != path[i - 1][0])


def random_deals(make: Company, random: Random, count: int) -> list[Deal]:
    """Make `count` deals of random owners, products, channels, segments and histories."""
    deals = []
    for _deal in range(count):
        owner = random.choice(REPS)
        customer = make.customer(owner=owner, segment=random.choice(("", "SME", "Enterprise")))
        deals.append(
            make.deal(
                owner=owner,
                credited=random.choice(REPS),
                path=random_path(random),
                amount=f"{random.randint(0, 9_999_999) / 100:.2f}",
                product=random.choice((None, "compass", "sextant")),
                channel=random.choice((None, "website", "referral")),
                lost_reason=random.choice(("price", "fit")),
                customer=customer,
                expected_close_on=(NOW + timedelta(days=random.randint(-60, 90))).date(),
            )
        )
    return deals


def random_change(make: Company, random: Random) -> None:  # noqa: C901 - one case a kind of change
    """Change something as the program could: one transaction of one kind."""
    with make.database.writing(SYSTEM, now=NOW, action="test") as work:
        session = work.session
        deals = list(session.exec(select(Deal).order_by(Deal.id)))
        deal = random.choice(deals)
        stages = make.stages
        match random.randint(0, 13):
            case 0 | 1:
                code = random.choice((*OPEN, "won", "lost"))
                at = deal.stage_entered_at + timedelta(hours=random.randint(1, 48))
                session.add(
                    StageMove(
                        deal_id=deal.id, from_stage_id=deal.stage_id, to_stage_id=stages[code], effective_at=at,
                        recorded_at=NOW,
                    )
                )  # fmt: skip
                deal.stage_id, deal.stage_entered_at = stages[code], at
                deal.state = {"won": StageKind.WON, "lost": StageKind.LOST}.get(code, StageKind.OPEN)
                deal.closed_at = None if deal.state is StageKind.OPEN else at
                deal.credited_id = deal.owner_id if deal.state is StageKind.WON else None
                deal.lost_reason_id = make.lost_reasons["price"] if deal.state is StageKind.LOST else None
            case 2:
                deal.owner_id = make.reps[random.choice(REPS)]
            case 3:
                deal.amount = deal.base_amount = Decimal(random.randint(0, 10_000))
            case 4:
                later = deal.expected_close_on + timedelta(days=random.randint(1, 30))
                session.add(
                    DealChange(
                        deal_id=deal.id, field=DealField.EXPECTED_CLOSE, effective_at=NOW, recorded_at=NOW,
                        before=deal.expected_close_on.isoformat(), after=later.isoformat(),
                    )
                )  # fmt: skip
                deal.expected_close_on = later
            case 5:
                customer = session.get(Customer, deal.customer_id)
                customer.segment = random.choice(("SME", "Consumer"))
                customer.territory_id = random.choice((None, *make.territories.values()))
            case 6:
                met = session.exec(select(Activity)).first()
                if met is not None and random.random() < 0.5:
                    met.deal_id, met.done_at = deal.id, NOW - timedelta(days=random.randint(0, 40))
                else:
                    session.add(
                        Activity(
                            kind="call", customer_id=deal.customer_id, deal_id=deal.id, rep_id=deal.owner_id,
                            done_at=NOW - timedelta(days=random.randint(0, 40)),
                        )
                    )  # fmt: skip
            case 7:
                rep = session.get(Rep, make.reps[random.choice(REPS)])
                rep.team_id = random.choice((None, *make.teams.values()))
            case 8:
                owed = session.exec(select(Quota).where(Quota.rep_id == deal.owner_id)).first()
                if owed is not None:
                    session.delete(owed)
                else:
                    session.add(Quota(rep_id=deal.owner_id, month=date(2026, 7, 1), amount=Decimal(500)))
            case 9:
                session.add(
                    DealLine(
                        deal_id=deal.id, product_id=random.choice(list(make.products.values())),
                        unit_price=Decimal(99_999), amount=Decimal(99_999),
                    )
                )  # fmt: skip
            case 11:
                before, after = deal.owner_id, make.reps[random.choice(REPS)]
                session.add(
                    DealChange(
                        deal_id=deal.id, field=DealField.OWNER, effective_at=NOW - timedelta(days=random.randint(0, 9)),
                        recorded_at=NOW, before=str(before), after=str(after),
                    )
                )  # fmt: skip
                deal.owner_id = after
            case 12:
                before, deal.amount = deal.amount, Decimal(random.randint(0, 10_000))
                deal.base_amount = deal.amount
                session.add(
                    DealChange(
                        deal_id=deal.id, field=DealField.AMOUNT, effective_at=NOW, recorded_at=NOW,
                        before=f"{before:.2f} {deal.currency}", after=f"{deal.amount:.2f} {deal.currency}",
                    )
                )  # fmt: skip
            case 13:
                if session.get(Currency, "USD") is None:
                    session.add(Currency(code="USD", name="US dollar"))
                    session.flush()
                on = date(2026, 1, random.randint(1, 28))
                if session.exec(select(FxRate).where(FxRate.currency == "USD", FxRate.on == on)).first() is None:
                    session.add(
                        FxRate(currency="USD", on=on, rate=Decimal("7.1") + random.randint(0, 99) / Decimal(100))
                    )
            case 10:
                team = session.get(Team, make.teams["west"])
                team.parent_id = random.choice((None, make.teams["head"], make.teams["east"]))
