"""How deals carry the forecast that the Forecast page shows, for the levers that act on them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.forecasting.flow import Flow

if TYPE_CHECKING:
    from core.ui.page import View
    from core.ui.screens.forecast_state import Shown


def flow_of(view: View, shown: Shown) -> Flow:  # noqa: ARG001 - the near term of the chosen part will tell
    """Return what is known of the deals: from today on all that is ahead counts as new business."""
    return Flow.unknown(view.today)
