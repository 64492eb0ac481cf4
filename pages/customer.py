import streamlit as st

from core.access.actions import Action
from core.domain.names import beside_customer, named
from core.domain.periods import day_of
from core.i18n import _, _n, format_date, format_money
from core.queries.customers import customer_record
from core.queries.reference import form_choices, word_list
from core.reports.tables import Column
from core.ui.activities import draw_due
from core.ui.contacts import draw_contacts
from core.ui.customer_form import draw_customer_edit, is_editing, offer_customer_draft, start_editing
from core.ui.page import open_page, plain
from core.ui.phone import PhoneRow, draw_rows, wide
from core.ui.routes import go
from core.ui.selling import KIND_ICONS, KIND_NAMES, draw_facts, fact_card, number_in_address
from core.ui.tables import table

view = open_page("customer", heading=False)
number = number_in_address("id")
if number is None:
    st.info(_("Choose a customer from the list."), icon=":material/info:")
    if st.button(_("To the customers"), icon=":material/apartment:"):
        go("customers")
    st.stop()
record, choices = view.ask(customer_record, customer_id=number), view.ask(form_choices)
customer = record.customer
editing = is_editing(number)

view.heading(named(customer))
words = view.ask(word_list)
kind = (words(customer.segment), words(customer.size), words(customer.industry))
profile = (*kind, record.territory, words(customer.city), record.owner)
st.caption(plain(" · ".join(part for part in profile if part)))
with st.grid(4, min_column_width=150, gap="small", key="customer-numbers"):
    money = {
        _("Won value"): (record.won_value, _n("{n} deal", "{n} deals", record.won_count)),
        _("Open value"): (record.open_value, _n("{n} deal", "{n} deals", record.open_count)),
    }
    for label, (value, count) in money.items():
        fact_card(label, format_money(value, view.currency, compact=True), count)
    fact_card(_("Lost deals"), str(record.lost_count))
    last = day_of(record.last_activity_at, view.zone) if record.last_activity_at else None
    fact_card(_("Last activity"), format_date(last))

with st.container(horizontal=True):
    if view.may(Action.DEAL_LOG) and st.button(_("Log a deal"), type="primary", icon=":material/add:"):
        go("log_deal", customer=number)
    if view.may(Action.ACTIVITY_LOG) and st.button(_("Log an activity"), icon=":material/edit_calendar:"):
        go("log_activity", customer=number)
    if record.may_edit:
        st.button(_("Edit"), icon=":material/edit:", key="edit-customer", on_click=start_editing)
if record.may_edit and editing:
    with st.container(border=True):
        draw_customer_edit(view, record, choices)
elif record.may_edit:
    offer_customer_draft(view, number)

left, right = st.columns([2, 1], gap="medium")
with left:
    st.subheader(_("Deals"), anchor=False)
    columns = [
        Column("name", _("Deal")),
        Column("stage", _("Stage")),
        Column("base_amount", _("Amount"), "money", currency=view.currency),
        Column("expected_close_on", _("Expected close"), "date"),
        Column("owner", _("Owner")),
    ]
    titles = [beside_customer(title, named(customer)) for title in record.deals["name"]]
    deals = record.deals.assign(name=titles)
    empty = _("No deals with this customer yet.")
    with wide("customer-deals"):
        table(view, deals, columns, name="customer-deals", opens="deal", empty=empty, room=690)
    rows = [
        PhoneRow(
            int(row["id"]), row["name"], format_money(row["base_amount"], view.currency, compact=True), row["stage"]
        )
        for row in deals.to_dict("records")
    ]
    draw_rows(rows, name="customer-deals", opens="deal")
    st.subheader(_("Meetings and messages"), anchor=False)
    draw_due(
        view,
        [row.activity for row in record.activities if row.activity.done_at is None],
        empty=_("Nothing is planned."),
    )
    for row in [row for row in record.activities if row.activity.done_at is not None][:30]:
        activity = row.activity
        with st.container(gap="xxsmall"):
            title = words(activity.subject) or _(KIND_NAMES[activity.kind])
            st.markdown(f":material/{KIND_ICONS[activity.kind]}: **{plain(title)}**")
            if activity.note:
                st.text(activity.note)
            day = format_date(day_of(activity.done_at, view.zone)) if activity.done_at else ""
            st.caption(plain(" · ".join(part for part in (day, row.rep, row.deal) if part)))
with right:
    st.subheader(_("Contacts"), anchor=False)
    draw_contacts(view, record)
    st.subheader(_("Profile"), anchor=False)
    facts = {
        _("Owner"): record.owner,
        _("Territory"): record.territory,
        **dict(zip((_("Segment"), _("Size"), _("Industry")), kind, strict=True)),
        _("Address"): " ".join(
            part for part in (words(customer.country), words(customer.city), customer.address) if part
        ),
        _("Phone"): customer.phone,
        _("Website"): customer.website,
    }
    draw_facts(facts)
    if customer.note:
        st.text(customer.note)
