"""Who is credited with a deal: shown, and split among several people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from core.errors import EditedMeanwhile
from core.i18n import _, format_money, format_rate
from core.queries.deal_credit import WHOLE, CreditRecord, credit_record
from core.services.deal_credit import MOST_PEOPLE, CreditPart, split_credit
from core.ui.deal_panels import open_panel, say_saved
from core.ui.forms import Form, names_of
from core.ui.page import plain

if TYPE_CHECKING:
    from core.queries.deals import DealRecord
    from core.ui.page import View

PANEL = "split"
_LEAST = 2


def draw_parts(view: View, record: DealRecord) -> None:
    """Say who has which part of the deal, where it is split."""
    kept = view.ask(credit_record, deal_id=record.deal.id)
    if not kept.parts:
        return
    st.subheader(_("Credit splits"), anchor=False)
    for row in kept.parts:
        share = format_rate(row.share / WHOLE, 2 if row.share % 100 else 0)
        st.text(f"{row.name} · {share} · {format_money(row.amount, view.currency)}")
    if record.deal.closed_at is None:
        st.caption(_("Counts once the deal is won."))


def draw_split(view: View, record: DealRecord) -> None:
    """Draw the panel in which the credit is split."""
    deal = record.deal
    kept = view.ask(credit_record, deal_id=deal.id)
    form = Form(view, f"split_credit_{deal.id}", _defaults(record, kept), drafted=False)
    if form["version"] is None:
        form["version"] = deal.version
    st.caption(_("Money of the deal counts for each by their share, to the cent; the deal itself counts once."))
    names = names_of(kept.people)
    for row in form["rows"]:
        with st.container(horizontal=True, vertical_alignment="bottom"):
            with st.container(width=240, gap="xxsmall"):
                form.choose(f"who{row}", _("Person"), names, optional=True)
            st.number_input(
                _("Share in %"), min_value=0.0, max_value=100.0, step=1.0, format="%.2f", width=140,
                **form.widget(f"part{row}"),
            )  # fmt: skip
            if len(form["rows"]) > _LEAST:
                st.button(
                    _("Remove"), icon=":material/delete:", type="tertiary", key=f"split-remove-{row}",
                    on_click=_remove, args=(form, row),
                )  # fmt: skip
    total = sum(_share(form, row) for row in form["rows"])
    st.caption(_("Together {rate}", rate=format_rate(total / WHOLE, 2 if total % 100 else 0)))
    form.problem("parts")
    form.show_refusal()
    with st.container(horizontal=True):
        pressed = st.button(_("Save"), type="primary", icon=":material/check:", key="split-save")
        if len(form["rows"]) < MOST_PEOPLE:
            st.button(_("Add a person"), icon=":material/add:", on_click=_add, args=(form,), key="split-add")
        whole = bool(kept.parts) and st.button(_("Count it whole for whoever won it"), key="split-whole")
        st.button(_("Cancel"), on_click=_cancel, args=(form,), key="split-cancel")
    if pressed or whole:
        _save(form, record, [] if whole else _parts(form))


def _defaults(record: DealRecord, kept: CreditRecord) -> dict[str, Any]:
    shown: list[tuple[int | None, int]] = [(row.rep_id, row.share) for row in kept.parts]
    shown = shown or [(record.deal.credited_id or record.deal.owner_id, WHOLE // 2), (None, WHOLE // 2)]
    found: dict[str, Any] = {"version": None, "rows": list(range(len(shown)))}
    for row, (who, share) in enumerate(shown):
        found |= {f"who{row}": who, f"part{row}": share / 100}
    return found


def _share(form: Form, row: int) -> int:
    """Return a row's share in ten-thousandths."""
    return round(float(form[f"part{row}"] or 0) * 100)


def _parts(form: Form) -> list[CreditPart]:
    return [CreditPart(form[f"who{row}"] or 0, _share(form, row)) for row in form["rows"]]


def _add(form: Form) -> None:
    rows = form["rows"]
    row = max(rows) + 1
    form[f"who{row}"], form[f"part{row}"] = None, max(0.0, 100 - sum(_share(form, one) for one in rows) / 100)
    form["rows"] = [*rows, row]


def _remove(form: Form, row: int) -> None:
    form["rows"] = [one for one in form["rows"] if one != row]


def _cancel(form: Form) -> None:
    form.forget()
    open_panel(None)


def _save(form: Form, record: DealRecord, parts: list[CreditPart]) -> None:
    try:
        deal = form.send(split_credit, deal_id=record.deal.id, version=form["version"], parts=tuple(parts))
    except EditedMeanwhile:
        form.forget()
        st.toast(plain(_("Somebody else has just changed this. It is shown as it stands now; please try again.")))
        deal = None
    if deal is not None:
        say_saved(deal.id, deal.version, _("The credit is split.") if parts else _("The deal counts whole again."))
        open_panel(None)
    st.rerun()
