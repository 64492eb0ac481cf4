"""What a list of deals counts, in words: for who opens it from a copied address."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from core.analytics.dimensions import BESIDE, NONE, size_names
from core.i18n import N_, _, format_date
from core.queries.choices import filter_choices
from core.queries.reference import form_choices

if TYPE_CHECKING:
    from core.analytics.selection import Selection
    from core.ui.page import View

_REACHED: Final = N_("Reached {stage}")
_STILL_OPEN: Final = N_("Still open at {stage}")
_LOST_AT: Final = N_("Lost at {stage}")
_SAID: Final[dict[str, str]] = {
    "booked": N_("Booked"), "won": N_("Won deals"), "lost": N_("Lost deals"), "decided": N_("Decided deals"),
    "open": N_("Open deals"), "weighted": N_("Weighted pipeline"), "overdue": N_("Past expected close"),
    "closing": N_("Due in the period"), "created": N_("New deals"), "credited": N_("Booked by credit splits"),
    "margin": N_("Margin"), "credited_margin": N_("Margin"), "stage": N_("Open deals in {stage}"),
    "pushed": N_("Decided in the period, expected close pushed"),
    "reached": _REACHED, "reached_within": _REACHED, "entered": _REACHED, "still_open_at": _STILL_OPEN,
    "open_within": _STILL_OPEN, "lost_at": _LOST_AT, "lost_within": _LOST_AT, "moved": "{stage} → {then}",
    "stuck": N_("Reached {stage} and did not go on within {days} days"), "rotting": N_("Rotting in {stage}"),
    "rotting_all": N_("Rotting deals"), "stood": N_("Decided deals that stood in {stage}"),
}  # fmt: skip


def said(view: View, selection: Selection) -> str:
    """Return a title for the deals behind a selection: measure, part, period and day."""
    kind, *numbers = selection.measure.split(":")
    choices = view.ask(form_choices)
    stages = {"0": _("New"), **{str(stage.id): stage.name for stage in choices.stages}}
    first, second = [*numbers, "", ""][:2]
    told = [
        _(_SAID.get(kind, N_("The deals behind the number")), stage=stages.get(first, ""), days=second,
          then=stages.get(second, "")),
        _part(view, selection),
    ]  # fmt: skip
    if selection.period is not None:
        start, end = selection.period.start, selection.period.last_day
        told.append(_("{start} to {end}", start=format_date(start), end=format_date(end)))
    if selection.as_of is not None:
        told.append(_("As of {day}", day=format_date(selection.as_of.on)))
    return " · ".join(filter(None, told))


def _part(view: View, selection: Selection) -> str:
    """Return what the part is called that the selection is narrowed to, "" where it has no name that may be said."""
    by, key = selection.by, selection.key or ""
    if by is None:
        return ""
    if selection.others:
        return _("The rest")
    if key == NONE:
        return _("None")
    if by == "size":
        return dict(enumerate(size_names())).get(int(key), "") if key.isdecimal() else ""
    if by == "lost_reason":
        reasons = {str(reason.id): reason.name for reason in view.ask(form_choices).lost_reasons}
        return ", ".join(reasons[one] for one in key.split(BESIDE) if one in reasons)
    return view.ask(filter_choices).get(by, {}).get(key, "")
