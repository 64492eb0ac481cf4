"""What a reader has chosen on Funnel, kept in its address; and the pieces that its parts share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import streamlit as st

from core.analytics.selection import Selection
from core.i18n import N_, _, _n, format_number
from core.ui.filters import address, write_address
from core.ui.way_back import follow

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from core.analytics.as_of import AsOf
    from core.analytics.dimensions import Dimension
    from core.analytics.filters import Filters
    from core.domain.periods import Period
    from core.ui.page import View

PART_NAMES: Final[dict[str, str]] = {
    "cohort": N_("Cohort"),
    "steps": N_("Bottleneck"),
    "flow": N_("Flow"),
    "now": N_("Snapshot"),
    "stays": N_("Time in stage"),
    "losses": N_("Losses"),
}
BY_NAMES: Final[dict[str, str]] = {
    "": N_("Whole cohort"),
    "team": N_("Team"),
    "rep": N_("Rep"),
    "channel": N_("Channel"),
    "product": N_("Product"),
    "segment": N_("Segment"),
    "territory": N_("Territory"),
    "size": N_("Deal size"),
    "lost_reason": N_("Lost reason"),
    "competitor": N_("Competitor"),
}
DAYS: Final = (14, 30, 60, 90, 180, 365)
USUAL_DAYS: Final = 30


@dataclass(frozen=True)
class Asked:
    """The page's question: which days, which deals (of one process), as of which day."""

    period: Period
    filters: Filters
    as_of: AsOf | None = None

    def selection(
        self, measure: str, period: Period | None, by: Dimension | None = None, key: str | None = None,
        *, others: bool = False,
    ) -> Selection:  # fmt: skip
        """Return the deals that one of the page's numbers counted."""
        return Selection(measure, period, self.filters, by, key, others=others, as_of=self.as_of)


def chosen(view: View, name: str, options: Sequence[str], default: str = "") -> str:
    """Return what the address says of `name`, where it is one of the options."""
    said = (address(view).get(name) or [default])[0]
    return said if said in options else default


def segments(view: View, name: str, names: Mapping[str, str], *, label: str, default: str) -> str:
    """Offer a few options as buttons in a row and return the one chosen, kept in the address."""
    known = chosen(view, name, list(names), default)
    if view.query is not None:
        return known
    picked = st.segmented_control(
        label, list(names), default=known, format_func=lambda code: _(names[code]), key=follow(f"funnel-{name}", known),
        required=True, label_visibility="collapsed",
    ) or default  # fmt: skip
    write_address(**{name: None if picked == default else picked})
    return picked


def choice(
    view: View, name: str, options: Sequence[str], *, label: str, said: Callable[[str], str], default: str = ""
) -> str:
    """Offer options in a box and return the one chosen, kept in the address."""
    known = chosen(view, name, options, default)
    if view.query is not None:
        return known
    picked = st.selectbox(
        label,
        list(options),
        index=list(options).index(known),
        format_func=said,
        key=follow(f"funnel-{name}", known),
        width=270,
    )
    write_address(**{name: None if picked == default else picked})
    return picked


def days_chosen(view: View, name: str, *, default: int, label: str, to_now: bool = False) -> int:
    """Offer for how many days deals are followed; 0 is to now."""

    def said(code: str) -> str:
        return days_said(int(code)) if int(code) else _("To today")

    return int(choice(view, name, _days(to_now=to_now), label=label, said=said, default=str(default)))


def days_asked(view: View, name: str, *, default: int, to_now: bool = False) -> int:
    """Return for how many days deals are followed, as the address says."""
    return int(chosen(view, name, _days(to_now=to_now), str(default)))


def _days(*, to_now: bool) -> list[str]:
    return [str(days) for days in ((0, *DAYS) if to_now else DAYS)]


def days_said(days: int) -> str:
    """Return a number of days in words."""
    return _n("{n} day", "{n} days", days, n=format_number(days))


def step_days(view: View) -> int:
    """Return for how many days arrivals are followed, as the address says."""
    return days_asked(view, "within", default=USUAL_DAYS)
