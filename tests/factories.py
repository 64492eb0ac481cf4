"""Makes records of the cast's small company, straight in the tables."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import TYPE_CHECKING, Any

from sqlmodel import select

from core.access.actors import SYSTEM
from core.access.policy import Role
from core.domain.stages import ActivityKind, DealField, StageKind
from core.model import (
    Activity,
    Channel,
    Customer,
    Deal,
    DealChange,
    DealLine,
    LostReason,
    Product,
    Quota,
    Rep,
    Sku,
    Stage,
    StageMove,
    Team,
    Territory,
    User,
)

if TYPE_CHECKING:
    from core.db.work import Database

NOW = datetime(2026, 7, 15, 4, 0, tzinfo=UTC)  # noon in Shanghai
_numbers = count(1)


class Company:
    """A company of two teams under one head office, with a person for each role.

    East: a manager and two reps; West: a manager and one rep. Products Compass and Sextant,
    territories East China and West China, and the standard process.
    """

    def __init__(self, database: Database) -> None:
        self.database = database
        with database.writing(SYSTEM, now=NOW, action="test") as work:
            session = work.session
            self.stages = {stage.code: stage.id for stage in session.exec(select(Stage).order_by(Stage.position))}
            self.lost_reasons = {row.code: row.id for row in session.exec(select(LostReason))}
            self.channels = {row.code: row.id for row in session.exec(select(Channel))}
            self.pipeline_id = session.exec(select(Stage)).first().pipeline_id
            east = self._add(session, Territory(code="east", name="华东", name_en="East China"))
            west = self._add(session, Territory(code="west", name="西部", name_en="West China"))
            head = self._add(session, Team(name="总部", name_en="Head office"))
            east_team = self._add(session, Team(name="东区", name_en="East", parent_id=head, territory_id=east))
            west_team = self._add(session, Team(name="西区", name_en="West", parent_id=head, territory_id=west))
            self.territories = {"east": east, "west": west}
            self.teams = {"head": head, "east": east_team, "west": west_team}
            self.reps = {
                name: self._add(
                    session,
                    Rep(name=label, name_en=name.title(), team_id=self.teams[team], joined_on=date(2024, 1, 1)),
                )
                for name, label, team in (
                    ("alice", "王爱丽", "east"), ("bob", "李博", "east"), ("charlie", "陈查理", "west"),
                )
            }  # fmt: skip
            self.products = {}
            for code, label, price in (("compass", "罗盘", 1000), ("sextant", "六分仪", 5000)):
                number = self._add(session, Product(code=code, name=label, name_en=code.title(), category="导航"))
                self._add(session, Sku(product_id=number, code=f"{code}-1", list_price=Decimal(price)))
                self.products[code] = number
            people: list[tuple[str, Role, dict[str, Any]]] = [
                ("eastern rep", Role.REP, {"rep_id": self.reps["alice"]}),
                ("second eastern rep", Role.REP, {"rep_id": self.reps["bob"]}),
                ("western rep", Role.REP, {"rep_id": self.reps["charlie"]}),
                ("eastern manager", Role.MANAGER, {"team_id": east_team}),
                ("western manager", Role.MANAGER, {"team_id": west_team}),
                ("leader", Role.LEADERSHIP, {}),
                ("operations", Role.OPERATIONS, {}),
                ("administrator", Role.ADMINISTRATOR, {}),
            ]
            self.users = {
                name: self._add(session, User(username=name, name=name.title(), role=role, **more))
                for name, role, more in people
            }

    @staticmethod
    def _add(session: Any, row: Any) -> int:
        session.add(row)
        session.flush()
        return int(row.id)

    def _write(self, *rows: Any) -> list[Any]:
        with self.database.writing(SYSTEM, now=NOW, action="test") as work:
            work.session.add_all(rows)
            work.session.flush()
        return list(rows)

    def customer(self, *, owner: str = "alice", **values: Any) -> Customer:
        """Make a customer owned by a rep of the cast."""
        values.setdefault("name", f"客户{next(_numbers)}")
        values.setdefault("territory_id", self.territories["west" if owner == "charlie" else "east"])
        return self._write(Customer(owner_id=self.reps[owner], **values))[0]

    def deal(
        self,
        *,
        owner: str = "alice",
        path: tuple[tuple[str, datetime], ...] | None = None,
        amount: int | str = 10_000,
        product: str | None = "compass",
        credited: str | None = None,
        lost_reason: str = "price",
        expected_close_on: date | None = None,
        customer: Customer | None = None,
        channel: str | None = "website",
        **values: Any,
    ) -> Deal:
        """Make a deal that took `path`: pairs of a stage's code and when it was entered."""
        path = path or (("identified", NOW - timedelta(days=10)),)
        customer = customer or self.customer(owner=owner)
        last, entered = path[-1]
        state = {"won": StageKind.WON, "lost": StageKind.LOST}.get(last, StageKind.OPEN)
        money = Decimal(amount)
        deal = Deal(
            name=values.pop("name", f"商机{next(_numbers)}"),
            customer_id=customer.id,
            pipeline_id=self.pipeline_id,
            stage_id=self.stages[last],
            stage_entered_at=entered,
            state=state,
            owner_id=self.reps[owner],
            credited_id=self.reps[credited or owner] if state is StageKind.WON else None,
            channel_id=self.channels[channel] if channel else None,
            amount=money,
            base_amount=values.pop("base_amount", money),
            expected_close_on=expected_close_on or (path[0][1] + timedelta(days=90)).date(),
            opened_at=path[0][1],
            closed_at=None if state is StageKind.OPEN else entered,
            lost_reason_id=self.lost_reasons[lost_reason] if state is StageKind.LOST else None,
            **values,
        )
        self._write(deal)
        before = None
        rows: list[Any] = []
        for code, at in path:
            reason = self.lost_reasons[lost_reason] if code == "lost" else None
            rows.append(
                StageMove(
                    deal_id=deal.id, from_stage_id=before, to_stage_id=self.stages[code], effective_at=at,
                    recorded_at=at, lost_reason_id=reason,
                )
            )  # fmt: skip
            before = self.stages[code]
        for name, value in (
            (DealField.AMOUNT, f"{money:.2f} {deal.currency}"),
            (DealField.OWNER, str(deal.owner_id)),
            (DealField.EXPECTED_CLOSE, deal.expected_close_on.isoformat()),
        ):
            at = path[0][1]
            rows.append(DealChange(deal_id=deal.id, field=name, after=value, effective_at=at, recorded_at=at))
        if product is not None:
            rows.append(DealLine(deal_id=deal.id, product_id=self.products[product], unit_price=money, amount=money))
        self._write(*rows)
        return deal

    def activity(self, *, rep: str = "alice", customer: Customer | None = None, **values: Any) -> Activity:
        """Make an activity done now, unless `due_on` is given."""
        customer = customer or self.customer(owner=rep)
        if "due_on" not in values:
            values.setdefault("done_at", NOW)
        values.setdefault("kind", ActivityKind.VISIT)
        return self._write(Activity(rep_id=self.reps[rep], customer_id=customer.id, **values))[0]

    def quota(self, *, month: date, amount: int, rep: str | None = None, team: str | None = None) -> Quota:
        """Make the quota of a rep or a team in a month."""
        of = {"rep_id": self.reps[rep]} if rep else {"team_id": self.teams[team or "east"]}
        return self._write(Quota(month=month, amount=Decimal(amount), **of))[0]
