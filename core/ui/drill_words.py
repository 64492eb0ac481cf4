"""What a list of deals counts, in words made of its selection: so a copied address says what a click said."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from core.analytics.dimensions import BESIDE, NONE, size_names
from core.analytics.filters import number
from core.analytics.pipeline_health import AGES
from core.analytics.selection import STAGED
from core.analytics.stage_measures import KINDS
from core.analytics.team_parts import DIRECTLY_IN
from core.charts.funnel_flow import KIND_NAMES
from core.i18n import N_, _, format_date
from core.queries.choices import filter_choices
from core.queries.reference import form_choices
from core.ui.filters import narrowed_by

if TYPE_CHECKING:
    from core.analytics.selection import Selection
    from core.ui.page import View

BAR_NAMES: Final[dict[str, str]] = {
    "start": N_("Open at the start"),
    "entered": N_("Entered"),
    "reopened": N_("Reopened"),
    "slipped_in": N_("Moved into the period"),
    "handed_in": N_("Taken over from others"),
    "grew": N_("Grew"),
    "shrank": N_("Shrank"),
    "rates": N_("Exchange rates"),
    "won": N_("Won"),
    "lost": N_("Lost"),
    "slipped_out": N_("Slipped out of the period"),
    "handed_out": N_("Handed to others"),
    "end": N_("Open at the end"),
}
"""What is called what between two days: the bars of the pipeline's change."""
MOVED_NAMES: Final[dict[str, str]] = {
    "advanced": N_("Advanced"),
    "fell_back": N_("Fell back"),
    "put_off": N_("Put off"),
    "brought_forward": N_("Brought forward"),
}
_TOPS: Final = {
    "deals": N_("The ten largest open deals"), "customers": N_("Open deals of the ten largest customers"),
}  # fmt: skip
_OPENED: Final = N_("Opened from {start} to {end}")
_WON: Final = N_("Won from {start} to {end}")
_CLOSED: Final = N_("Won or lost from {start} to {end}")
_ARRIVED: Final = N_("Arrived from {start} to {end}")
_MOVED: Final = N_("Moved from {start} to {end}")
_DUE: Final = N_("Expected to close from {start} to {end}")
NAMES: Final[dict[str, tuple[str, str]]] = {
    "booked": (N_("Booked"), _WON),
    "won": (N_("Deals won"), _WON),
    "lost": (N_("Deals lost"), N_("Lost from {start} to {end}")),
    "decided": (N_("Decided deals"), _CLOSED),
    "pushed": (N_("Decided deals, expected close pushed"), _CLOSED),
    "margin": (N_("Margin of won deals whose costs are known"), _WON),
    "credited": (N_("Booked by credit splits"), _WON),
    "credited_margin": (N_("Margin by credit splits"), _WON),
    "created": (N_("New deals"), _OPENED),
    "closing": (N_("Open deals due in the period"), _DUE),
    "open": (N_("Open deals"), ""),
    "weighted": (N_("Weighted pipeline"), ""),
    "overdue": (N_("Past expected close"), ""),
    "idle": (N_("Open deals without activity"), ""),
    "slow": (N_("Open deals, longer in their stage than expected"), ""),
    "stage": (N_("Open deals in {stage}"), ""),
    "aged": (N_("Open for {age}"), ""),
    "top": ("{top}", ""),
    "change": (N_("Pipeline: {change}"), _DUE),
    "stood": (N_("Decided deals that stood in {stage}"), _CLOSED),
    "reached": (N_("Reached {stage}"), _OPENED),
    "still_open_at": (N_("Still open at {stage}"), _OPENED),
    "lost_at": (N_("Lost at {stage}"), _OPENED),
    "reached_within": (N_("Reached {stage} within {days} days"), _OPENED),
    "open_within": (N_("Still open at {stage} after {days} days"), _OPENED),
    "lost_within": (N_("Lost at {stage} within {days} days"), _OPENED),
    "young": (N_("Not yet followed for {first} days"), _OPENED),
    "cohort_won": (N_("Deals won"), _OPENED),
    "cohort_lost": (N_("Deals lost"), _OPENED),
    "cohort_open": (N_("Open deals"), _OPENED),
    "stayed": (N_("Were in {stage}"), _OPENED),
    "left": (N_("Left {stage}"), _OPENED),
    "inside": (N_("Still in {stage}"), _OPENED),
    "entered": (N_("Reached {stage}"), _ARRIVED),
    "went_on": (N_("Reached {stage} and went on within {days} days"), _ARRIVED),
    "stuck": (N_("Reached {stage} and did not go on within {days} days"), _ARRIVED),
    "moved": (N_("Moved: {stage} → {then}"), _MOVED),
    "flow": (N_("Moves: {flow}"), _MOVED),
    "rotting": (N_("Rotting in {stage}"), ""),
    "rotting_all": (N_("Rotting deals"), ""),
}  # fmt: skip
"""What the deals of each measure are called, and what their days are the days of; "" where it has none."""


def said(view: View, selection: Selection) -> str:
    """Return a title for the deals behind a selection: the measure, and the part that it is narrowed to."""
    kind, *numbers = selection.measure.split(":")
    first, second = [*numbers, "", ""][:2]
    stages = {"0": _("New"), **{str(stage.id): stage.name for stage in view.ask(form_choices).stages}}
    place = number(first)
    title = _(
        NAMES[kind][0], stage=stages.get(first, ""), then=stages.get(second, ""), days=second, first=first,
        age=age_name(place) if kind == "aged" and place is not None else "",
        top=_(_TOPS.get(first, "")) if first in _TOPS else "",
        change=_((BAR_NAMES | MOVED_NAMES).get(first, "")) if kind == "change" else "",
        flow=_(KIND_NAMES[KINDS[place]]) if kind == "flow" and place is not None and place < len(KINDS) else "",
    )  # fmt: skip
    part = _part(view, selection)
    if kind == "lost_at" and second:
        part = ", ".join(filter(None, (_reasons(view, second), part)))
    elif kind in STAGED and first:
        part = ", ".join(filter(None, (stages.get(first), part)))
    return _("{what}: {which}", what=title, which=part) if part else title


def told(view: View, selection: Selection) -> str:
    """Return what stands under the title: the days, what they are days of, the filters, and the day looked from."""
    kind = selection.measure.split(":")[0]
    found = []
    period, as_of, since = selection.period, selection.as_of, selection.since
    if period is not None and NAMES[kind][1]:
        found.append(_(NAMES[kind][1], start=format_date(period.start), end=format_date(period.last_day)))
    if since is not None and as_of is not None:
        days = {"start": format_date(since), "end": format_date(as_of.on)}
        found.append(_("From the end of {start} to the end of {end}", **days))
    elif as_of is not None:
        found.append(_("As of {day}", day=format_date(as_of.on)))
    found += narrowed_by(view, selection.filters)
    return " · ".join(found)


def age_name(age: int) -> str:
    """Return what one of the ages of open deals is called: its days since the opening."""
    if age >= len(AGES):
        return _("over {n} days", n=AGES[-1])
    return _("{start} to {end} days", start=AGES[age - 1] + 1 if age else 0, end=AGES[age])


def _part(view: View, selection: Selection) -> str:
    """Return what the part is called that the selection is narrowed to, "" where it has no name that may be said."""
    by, key = selection.by, selection.key or ""
    if by is None:
        return ""
    if key == NONE:
        name = _("None")
    elif by == "size":
        name = dict(enumerate(size_names())).get(int(key), "") if key.isdecimal() else ""
    elif by == "lost_reason":
        name = _reasons(view, key)
    elif by == "competitor":
        name = key
    else:
        named, (whole, _mark, own) = view.ask(filter_choices).get(by, {}), key.partition(":")
        name = named.get(whole, "")
        name = _(DIRECTLY_IN, team=name) if own and name and by == "team" else name
    return _("all but {part}", part=name) if selection.others and name else name


def _reasons(view: View, key: str) -> str:
    reasons = {str(reason.id): reason.name for reason in view.ask(form_choices).lost_reasons}
    return ", ".join(reasons[one] for one in key.split(BESIDE) if one in reasons)
