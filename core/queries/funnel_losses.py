"""Where deals are lost, why, when and to whom. What the columns mean: docs/queries.md."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from core.access.actions import Action
from core.analytics import funnel_losses as statements
from core.analytics.as_of import AsOf
from core.analytics.filters import NO_FILTERS, Filters
from core.gate import query
from core.queries.drill import tidy
from core.queries.overview import chosen_pipeline
from core.queries.standpoint import looked_at

if TYPE_CHECKING:
    import pandas as pd

    from core.db.work import Work
    from core.domain.periods import Period


@query(Action.FUNNEL_VIEW, mirrored=True, askable=True)
def losses_by_stage(
    work: Work, *, period: Period, filters: Filters = NO_FILTERS, as_of: AsOf | None = None
) -> pd.DataFrame:
    """Return how many of the deals opened in the period were lost, by furthest stage and reason."""
    return tidy(work.mirror.frame(statements.losses(**_asked(work, period, filters, as_of))), money=_MONEY)


@query(Action.FUNNEL_VIEW, mirrored=True, askable=True)
def losses_by_month(
    work: Work, *, period: Period, filters: Filters = NO_FILTERS, as_of: AsOf | None = None
) -> pd.DataFrame:
    """Return how many deals were lost in each month of the period, by reason."""
    frame = work.mirror.frame(statements.lost_by_month(**_asked(work, period, filters, as_of)))
    return tidy(frame, money=_MONEY, days=("month",))


@query(Action.FUNNEL_VIEW, mirrored=True, askable=True)
def losses_by_competitor(
    work: Work, *, period: Period, filters: Filters = NO_FILTERS, as_of: AsOf | None = None
) -> pd.DataFrame:
    """Return how many deals were lost in the period to each competitor, most first; "none" where none is named."""
    asked = _asked(work, period, filters, as_of)
    frame = tidy(work.mirror.frame(statements.lost_by(**asked, by="competitor")), money=_MONEY)
    return frame.sort_values(["count", "value", "key"], ascending=[False, False, True], ignore_index=True)


_MONEY = ("value",)


def _asked(work: Work, period: Period, filters: Filters, as_of: AsOf | None) -> dict[str, Any]:
    facts, today = looked_at(work, as_of)
    pipeline = chosen_pipeline(work.mirror, filters)
    return {"facts": facts, "period": period, "filters": filters, "pipeline_id": pipeline, "today": today}
