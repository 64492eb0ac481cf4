"""Which pages a share link can open."""

from __future__ import annotations

from core.access.actions import Action
from core.access.policy import POLICY, Role

SHAREABLE: dict[str, Action] = {
    "overview": Action.OVERVIEW_VIEW,
    "pipeline": Action.OVERVIEW_VIEW,
    "funnel": Action.FUNNEL_VIEW,
    "leaderboard": Action.LEADERBOARD_VIEW,
    "forecast": Action.FORECAST_VIEW,
}
"""Each page with the one action that a link to it gives its holder."""


def open_to_holder(page: str) -> frozenset[Action]:
    """Return what the holder of a link to `page` may do: nothing else is frozen into one either."""
    return POLICY[Role.SHARED] | {SHAREABLE[page]} if page in SHAREABLE else frozenset()
