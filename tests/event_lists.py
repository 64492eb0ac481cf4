"""A mirror over lists of events, without a database, and the slow answers that it is held to.

`mirror_of` gives the mirror what a source would read; `Oracle` replays the same events in plain Python, deal by deal
and day by day.
"""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import duckdb
import pyarrow as pa
from sqlalchemy import Boolean, Float, Integer
from sqlalchemy.types import TypeDecorator

from core.access.actors import Scope
from core.db.mirror import ScopedMirror
from core.db.mirror_asked import AskedSource
from core.db.mirror_columns import statement_of
from core.db.mirror_definitions import table_definitions
from core.db.mirror_load import Loader

if TYPE_CHECKING:
    from sqlalchemy import Select

ZONE = ZoneInfo("Asia/Shanghai")
FIRST = date(2026, 1, 1)
KINDS = {1: "open", 2: "open", 3: "open", 4: "won", 5: "lost"}
PROBABILITY = {1: 0.1, 2: 0.25, 3: 0.7, 4: 1.0, 5: 0.0}
TEAM_OF = {1: 1, 2: 1, 3: 2}
RATES = [(date(2026, 1, 11), "7.1234"), (date(2026, 2, 1), "6.95"), (date(2026, 3, 10), "7.30015")]


@dataclass(frozen=True)
class Happened:
    """One event of a deal: which fact became what, when it was so and when it was written down."""

    field: str
    value: Any
    at: datetime
    recorded: datetime
    number: int


@dataclass
class History:
    """One deal: what it began with, and everything that happened, in the order in which it was written down."""

    number: int
    owner: int
    amount: int
    currency: str
    expected: date
    events: list[Happened] = field(default_factory=list)


def instant(day: int, hour: int) -> datetime:
    """Return an hour of the `day`-th day of the histories, in the company's time."""
    return datetime(2026, 1, 1, hour, 30, tzinfo=ZONE).astimezone(UTC) + timedelta(days=day)


def day_of(at: datetime) -> date:
    """Return the company's day of an instant."""
    return at.astimezone(ZONE).date()


def _said(amount: int, currency: str) -> str:
    return f"{Decimal(amount).scaleb(-2):.2f} {currency}"


class EventSource(AskedSource):
    """Rows from lists, as a source reads them."""

    def __init__(self, rows: dict[str, list[dict[str, Any]]]) -> None:
        self.lists = rows

    def moved(self) -> bool:
        return False

    def snapshot(self) -> Any:
        return nullcontext()

    def mark(self) -> None: ...

    def changes(self) -> None:
        return None

    def position(self) -> str:
        return ""

    def resume(self, position: str) -> bool:
        return position == "never"

    def extent(self, table: str) -> tuple[int, int]:
        return (1, 1) if self.lists.get(table) else (1, 0)

    def _one(self, sql: str) -> Any:
        raise NotImplementedError(sql)

    def rows(self, subject: str, keys: Any) -> pa.Table:
        return self.read(statement_of(subject, None))

    def read(self, statement: Select[Any], *, whole: bool = False) -> pa.Table:
        (table,) = statement.get_final_froms()
        found = self.lists.get(table.name, [])
        return pa.table({
            column.name: pa.array([row.get(column.name) for row in found], type=_kind(column.type))
            for column in statement.selected_columns
        })  # fmt: skip


def _kind(kind: Any) -> pa.DataType:
    """Return Arrow's type of a column; days and instants come as ISO text."""
    plain = kind.impl_instance if isinstance(kind, TypeDecorator) else kind
    if isinstance(plain, Integer | Boolean):
        return pa.int64()
    return pa.float64() if isinstance(plain, Float) else pa.string()


def _text(at: datetime) -> str:
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(sep=" ")


def rows_of(histories: list[History]) -> dict[str, list[dict[str, Any]]]:
    """Return the tables that hold these histories."""
    rows: dict[str, list[dict[str, Any]]] = {
        "stage": [
            {"id": n, "pipeline_id": 1, "position": n, "expected_days": 0, "name": f"S{n}", "name_en": f"S{n}",
             "kind": kind, "probability": PROBABILITY[n], "active": 1}
            for n, kind in KINDS.items()
        ],
        "pipeline": [{"id": 1, "name": "P", "name_en": "P", "is_default": 1}],
        "team": [{"id": n, "parent_id": None, "name": f"T{n}", "name_en": ""} for n in (1, 2)],
        "rep": [{"id": n, "team_id": team, "name": f"R{n}", "name_en": ""} for n, team in TEAM_OF.items()],
        "customer": [
            {"id": n, "owner_id": 1, "name": f"K{n}", "name_en": "", "segment": "", "industry": ""} for n in (0, 1, 2)
        ],
        "fx_rate": [
            {"id": n, "currency": "USD", "on": on.isoformat(), "rate": int(Decimal(rate) * 10**8)}
            for n, (on, rate) in enumerate(RATES)
        ],
        "deal": [], "stage_move": [], "deal_change": [],
    }  # fmt: skip
    for history in histories:
        oracle = Oracle(histories)
        present = oracle.state(history, day=date(2027, 1, 1), then=False)
        assert present is not None
        moves = sorted((e for e in history.events if e.field == "stage"), key=_order)
        rows["deal"].append({
            "id": history.number, "name": f"D{history.number}", "auto_named": 0, "pipeline_id": 1,
            "stage_id": present.stage, "stage_entered_at": _text(moves[-1].at), "state": present.kind,
            "owner_id": present.owner, "credited_id": present.credit if present.kind == "won" else None,
            "customer_id": history.number % 3, "amount": present.amount, "currency": present.currency,
            "base_amount": present.value(date(2027, 1, 1)), "expected_close_on": present.expected.isoformat(),
            "opened_at": _text(moves[0].at), "closed_at": _text(present.closed_at) if present.closed_at else None,
            "lost_reason_id": None, "competitor": "",
        })  # fmt: skip
        held: dict[str, Any] = {
            "owner": str(history.owner), "amount": _said(history.amount, history.currency),
            "expected_close": history.expected.isoformat(),
        }  # fmt: skip
        for event in history.events:
            common = {
                "id": event.number, "deal_id": history.number, "effective_at": _text(event.at),
                "recorded_at": _text(event.recorded),
            }  # fmt: skip
            if event.field == "stage":
                place = moves.index(event)
                rows["stage_move"].append({
                    **common, "from_stage_id": moves[place - 1].value if place else None, "to_stage_id": event.value,
                    "lost_reason_id": event.number % 3 + 1 if KINDS[event.value] == "lost" else None,
                })  # fmt: skip
                continue
            after = _said(*event.value) if event.field == "amount" else str(event.value)
            rows["deal_change"].append({**common, "field": event.field, "before": held[event.field], "after": after})
            held[event.field] = after
    return rows


def mirror_of(histories: list[History]) -> ScopedMirror:
    """Return the mirror of these histories, seen by one who may see everything."""
    return ScopedMirror(connection_of(histories), Scope.everything())


def connection_of(histories: list[History]) -> Any:
    """Return a loaded mirror's connection."""
    connection = duckdb.connect(":memory:", config={"threads": 1})
    loader = Loader(EventSource(rows_of(histories)), connection, "Asia/Shanghai", "CNY")
    loader.create(table_definitions())
    loader.load_small()
    loader.load_large(lambda _share: None)
    return connection


def _order(event: Happened) -> tuple[datetime, datetime, int]:
    return (event.at, event.recorded, event.number)


@dataclass(frozen=True)
class State:
    """A deal at the end of a day."""

    deal: int
    stage: int
    kind: str
    owner: int
    credit: int
    amount: int
    currency: str
    expected: date
    first_on: date
    since_on: date | None
    closed_at: datetime | None

    @property
    def is_open(self) -> bool:
        """Whether it is open."""
        return self.kind == "open"

    @property
    def closed_on(self) -> date | None:
        """The day on which it really closed."""
        return day_of(self.closed_at) if self.closed_at else None

    def value(self, on: date) -> int:
        """What it is worth in the company's currency, open ones at the rate of `on`."""
        return worth(self.amount, self.currency, on if self.is_open else self.closed_on)


def worth(amount: int, currency: str, on: date | None) -> int:
    """Return hundredths of the company's currency."""
    assert on is not None
    if currency == "CNY":
        return amount
    given = [rate for day, rate in RATES if day <= on] or [RATES[0][1]]
    return int((Decimal(amount) * Decimal(given[-1])).quantize(Decimal(1), rounding=ROUND_HALF_UP))


class Oracle:
    """The slow answers."""

    def __init__(self, histories: list[History]) -> None:
        self.histories = histories

    def state(self, history: History, *, day: date, then: bool) -> State | None:
        """Replay one deal up to the end of a day, event by event as each came to be seen."""
        held: dict[str, Any] = {
            "owner": history.owner, "amount": (history.amount, history.currency), "expected_close": history.expected,
        }  # fmt: skip
        newest: dict[str, tuple[datetime, datetime, int]] = {}
        first_on = since_on = closed_at = None
        credit = 0
        seen = sorted(
            history.events,
            key=lambda e: (max(e.at, e.recorded) if then else e.at, e.at, e.field == "stage", e.recorded, e.number),
        )
        for event in seen:
            known = max(event.at, event.recorded) if then else event.at
            if day_of(known) > day:
                break
            if event.field in newest and _order(event) < newest[event.field]:
                continue
            newest[event.field] = _order(event)
            before = KINDS.get(held.get("stage", 0))
            held[event.field] = event.value
            if event.field == "stage":
                first_on = first_on or day_of(known)
                kind = KINDS[event.value]
                if kind != before:
                    since_on, closed_at = (None, None) if kind == "open" else (day_of(known), event.at)
                    credit = held["owner"] if kind == "won" else 0
        if first_on is None:
            return None
        if then and credit:  # the win that still stands is credited as it is today
            today = self.state(history, day=date(2027, 1, 1), then=False)
            credit = today.credit if today and today.kind == "won" and today.closed_at == closed_at else credit
        amount, currency = held["amount"]
        return State(
            history.number, held["stage"], KINDS[held["stage"]], held["owner"], credit or held["owner"], amount,
            currency, held["expected_close"], first_on, since_on, closed_at,
        )  # fmt: skip

    def states(self, day: date, *, then: bool, reps: frozenset[int] = frozenset(TEAM_OF)) -> dict[int, State]:
        """Return every deal of these reps at the end of a day."""
        found = [self.state(history, day=day, then=then) for history in self.histories]
        return {s.deal: s for s in found if s is not None and s.credit in reps}

    def bars(  # noqa: C901 - one case after the other, as the method page says them
        self, start: date, end: date, *, then: bool, reps: frozenset[int], closing: tuple[date, date] | None
    ) -> dict[str, dict[int, int]]:
        """Return for each bar what each of its deals adds to it."""
        before, after = self.states(start, then=then, reps=reps), self.states(end, then=then, reps=reps)
        found: dict[str, dict[int, int]] = {}

        def put(bar: str, deal: int, part: int) -> None:
            found.setdefault(bar, {})[deal] = part

        def due(state: State) -> bool:
            return closing is None or closing[0] <= state.expected < closing[1]

        for deal in before.keys() | after.keys():
            a, b = before.get(deal), after.get(deal)
            was = a is not None and a.is_open and due(a)
            stays = b is not None and b.is_open and due(b)
            last = b.value(end) if b is not None else 0
            if was and a is not None:
                put("start", deal, a.value(start))
            if stays:
                put("end", deal, last)
            gone = b is not None and not b.is_open
            if was and a is not None and b is not None and (stays or gone):
                rerated = worth(a.amount, a.currency, end if b.is_open else b.closed_on)
                if rerated != a.value(start):
                    put("rates", deal, rerated - a.value(start))
                if last != rerated:
                    put("grew" if last > rerated else "shrank", deal, last - rerated)
            newly = b is not None and gone and b.since_on is not None and b.since_on > start and due(b)
            comes = not was and (stays or newly)
            if comes and b is not None:
                if a is None:
                    put("entered" if b.first_on > start else "handed_in", deal, last)
                else:
                    put("slipped_in" if a.is_open else "reopened", deal, last)
            if b is not None and gone and (was or comes):
                put(b.kind, deal, -last)
            elif was and a is not None and not stays:
                put("handed_out" if b is None else "slipped_out", deal, -a.value(start))
            if was and stays and a is not None and b is not None:
                if b.stage != a.stage:
                    put("advanced" if b.stage > a.stage else "fell_back", deal, last)
                if b.expected != a.expected:
                    put("put_off" if b.expected > a.expected else "brought_forward", deal, last)
        return found
