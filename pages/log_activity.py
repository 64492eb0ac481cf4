from datetime import timedelta

import streamlit as st

from core.domain.names import named
from core.domain.stages import ActivityKind
from core.i18n import _, format_date
from core.queries.customers import contacts_of
from core.queries.deals import deal_record, open_deals_of
from core.queries.reference import form_choices
from core.services.activities import log_activity
from core.ui.empty import stop_without_reps
from core.ui.forms import Form, names_of
from core.ui.page import open_page
from core.ui.phone import save_bar
from core.ui.picker import CUSTOMER_DEFAULTS, choose, pick_customer
from core.ui.saved import show_saved, was_saved
from core.ui.selling import KIND_ICONS, KIND_NAMES, customer_from_address, number_in_address

view = open_page("log_activity")
if show_saved("log_activity", view):
    st.stop()
choices = view.ask(form_choices)
if not choices.reps:
    stop_without_reps(view)
asked = st.query_params.get("kind", "visit")
form = Form(
    view,
    "log_activity",
    {
        **CUSTOMER_DEFAULTS,
        "kind": asked if asked in set(ActivityKind) else "visit",
        "when": "due" if st.query_params.get("when") == "due" else "done",
        "done_on": view.today,
        "due_on": view.today + timedelta(days=7),
        "deal_id": None,
        "contact_id": None,
        "owner_id": view.actor.rep_id,
        "subject": "",
        "note": "",
    },
)
form.offer_draft()
deal_id, given = number_in_address("deal"), customer_from_address(view)
if form["customer_id"] is None and not form["customer_new"]:
    if deal_id is not None:
        record = view.ask(deal_record, deal_id=deal_id)
        form["customer_id"], form["customer_label"] = record.deal.customer_id, named(record.customer)
        form["deal_id"] = deal_id
        if view.actor.rep_id is None:
            form["owner_id"] = record.deal.owner_id
    elif given is not None:
        choose(form, given)

whens = {"done": _("Took place"), "due": _("Is planned")}
st.segmented_control(
    _("Done or planned"),
    list(whens),
    required=True,
    format_func=whens.__getitem__,
    label_visibility="collapsed",
    **form.widget("when"),
)
st.pills(
    _("Kind"),
    [str(kind) for kind in ActivityKind],
    required=True,
    format_func=lambda kind: f":material/{KIND_ICONS[kind]}: {_(KIND_NAMES[ActivityKind(kind)])}",
    **form.widget("kind"),
)
customer_id, new_customer = pick_customer(form)
with st.container(horizontal=True, vertical_alignment="top"):
    with st.container(width=200, gap="xxsmall"):
        if form["when"] == "due":
            form.day("due_on", _("Due on"))
        else:
            form.day("done_on", _("Happened on"))
    if customer_id is not None:
        deals = dict(view.ask(open_deals_of, customer_id=customer_id))
        if form["deal_id"] is not None:
            deals.setdefault(form["deal_id"], _("This deal"))
        contacts = dict(view.ask(contacts_of, customer_id=customer_id))
        if deals:
            with st.container(width=320, gap="xxsmall"):
                form.choose("deal_id", _("Deal"), deals, optional=True)
        if contacts:
            with st.container(width=220, gap="xxsmall"):
                form.choose("contact_id", _("Contact"), contacts, optional=True)
    if view.actor.rep_id is None or len(choices.reps) > 1:
        with st.container(width=220, gap="xxsmall"):
            form.choose("owner_id", _("Who"), names_of(choices.reps), optional=True)
form.text("subject", _("What about?"), max_chars=200)
form.area("note", _("Note"), max_chars=4000)

with save_bar():
    form.show_refusal()
    save = st.button(_("Save activity"), type="primary", icon=":material/check:", width="stretch", key="save-activity")
if save:
    due = form["when"] == "due"
    activity = form.send(
        log_activity,
        key=form.key,
        kind=ActivityKind(form["kind"]),
        customer_id=customer_id,
        new_customer=new_customer,
        deal_id=form["deal_id"] if customer_id is not None else None,
        contact_id=form["contact_id"] if customer_id is not None else None,
        subject=form["subject"] or "",
        note=form["note"] or "",
        done_on=None if due or form["done_on"] == view.today else form["done_on"],
        due_on=form["due_on"] if due else None,
        rep_id=form["owner_id"],
    )
    if activity is not None:
        st.query_params.clear()
        kind = _(KIND_NAMES[activity.kind])
        said = (
            _("Planned: {kind} on {day}", kind=kind, day=format_date(activity.due_on))
            if due
            else _("Saved: {kind}", kind=kind)
        )
        was_saved("log_activity", said, deal_id=activity.deal_id, customer_id=activity.customer_id, planned=due)
    st.rerun()
form.keep_draft()
