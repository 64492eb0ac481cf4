"""How deals carry the forecast that the Forecast page shows, for the levers that act on them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.forecasting.flow import Flow
from core.queries.near_term import near_outlook
from core.ui.screens.forecast_fit import LOOKS_AT

if TYPE_CHECKING:
    from core.ui.page import View
    from core.ui.screens.forecast_state import Shown


def flow_of(view: View, shown: Shown) -> Flow:
    """Return what the near term learned of the chosen part's deals; from today on all is new where it knows nothing."""
    if shown.measure != "booked" or shown.dimension not in LOOKS_AT:
        return Flow.unknown(view.today)
    told = view.ask(near_outlook, dimension=shown.dimension, key=shown.key)  # type: ignore[arg-type]
    return Flow.from_dict(told["flow"]) if told else Flow.unknown(view.today)
