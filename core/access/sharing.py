"""Which pages a share link can open."""

from __future__ import annotations

from core.access.actions import Action

SHAREABLE: dict[str, Action] = {
    "overview": Action.OVERVIEW_VIEW,
    "funnel": Action.FUNNEL_VIEW,
    "leaderboard": Action.LEADERBOARD_VIEW,
    "forecast": Action.FORECAST_VIEW,
}
"""Each page with the one action that a link to it gives its holder."""
