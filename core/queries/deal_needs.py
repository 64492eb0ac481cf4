"""Which deals of the table need somebody: the rules of `core.analytics.attention`, on the database."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import ColumnElement, and_, false, or_, select

from core.access.actions import Action
from core.analytics.attention import LONG_DEAD_DAYS, Need
from core.domain.periods import day_start
from core.domain.stages import StageKind
from core.gate import query
from core.model import Activity, Deal, Stage

if TYPE_CHECKING:
    from core.db.work import Work


def needing(work: Work, need: Need) -> ColumnElement[bool]:
    """Return the condition under which a deal needs somebody in this way."""
    deal = cast("Any", Deal)
    dead = deal.expected_close_on < work.today - timedelta(days=LONG_DEAD_DAYS)
    if need == "dead":
        return and_(deal.state == StageKind.OPEN, dead)
    reasons = {"overdue": deal.expected_close_on < work.today, "idle": _idle(work), "slow": _slow(work)}
    wanted = or_(*reasons.values()) if need == "attention" else reasons[need]
    return and_(deal.state == StageKind.OPEN, ~dead, wanted)


def _idle(work: Work) -> ColumnElement[bool]:
    deal, activity = cast("Any", Deal), cast("Any", Activity)
    since = day_start(work.today - timedelta(days=int(work.setting("idle_days"))), work.zone)
    met = select(activity.id).where(activity.deal_id == deal.id, activity.done_at >= since).correlate(Deal).exists()
    return and_(deal.opened_at < since, ~met)


def _slow(work: Work) -> ColumnElement[bool]:
    deal, stage = cast("Any", Deal), cast("Any", Stage)
    stages = work.session.execute(select(stage.id, stage.expected_days).where(stage.expected_days > 0)).all()
    late = [
        and_(deal.stage_id == number, deal.stage_entered_at < day_start(work.today - timedelta(days=days), work.zone))
        for number, days in stages
    ]
    return or_(false(), *late)


@query(Action.DEAL_VIEW)
def deal_versions(work: Work, *, deal_ids: tuple[int, ...]) -> dict[int, int]:
    """Return the version of each of these deals that the actor may see."""
    deal = cast("Any", Deal)
    rows = work.session.execute(select(deal.id, deal.version).where(deal.id.in_(deal_ids)))
    return {int(number): int(version) for number, version in rows}
