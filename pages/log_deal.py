from datetime import timedelta
from decimal import Decimal

import streamlit as st

from core.domain.stages import StageKind
from core.errors import InvalidFields
from core.i18n import _, format_money
from core.queries.deals import deal_record
from core.queries.reference import form_choices
from core.services.deals import log_deal
from core.ui.deal_lines import deal_lines, line_defaults
from core.ui.deal_standing import draw_standing
from core.ui.empty import stop_without_reps
from core.ui.forms import DIGIT_KEYS, Form
from core.ui.page import open_page
from core.ui.phone import save_bar
from core.ui.picker import CUSTOMER_DEFAULTS, choose, pick_customer
from core.ui.saved import show_saved, was_saved
from core.ui.selling import customer_from_address

view = open_page("log_deal")
choices = view.ask(form_choices)
if show_saved("log_deal", view):
    st.stop()
if not choices.reps:
    stop_without_reps(view)

pipeline = choices.pipelines[0] if choices.pipelines else None
stages = choices.stages_of(pipeline.id) if pipeline else []
if not [stage for stage in stages if stage.kind is StageKind.OPEN]:
    st.info(_("The sales process has no open stage yet. Sales operations can set it up."), icon=":material/info:")
    st.stop()
days = sum(stage.expected_days for stage in stages if stage.kind is StageKind.OPEN)
form = Form(
    view,
    "log_deal",
    {
        **CUSTOMER_DEFAULTS,
        **line_defaults(()),
        "name": "",
        "amount": "",
        "currency": choices.currencies[0] if choices.currencies else view.currency,
        "stage_id": stages[0].id,
        "expected_close_on": view.today + timedelta(days=days or 30),
        "channel_id": None,
        "owner_id": view.actor.rep_id,
        "opened_on": view.today,
        "closed_on": view.today,
        "lost_reason_id": None,
        "competitor": "",
        "note": "",
    },
)
form.offer_draft()
given = customer_from_address(view)
if given is not None and form["customer_id"] is None and not form["customer_new"]:
    choose(form, given)

st.subheader(_("Who is it for?"), anchor=False)
customer_id, new_customer = pick_customer(form)

st.subheader(_("What is it worth?"), anchor=False)
currency = str(form["currency"] or view.currency)
lines, lines_whole = deal_lines(form, choices, currency)
total = sum((line.amount for line in lines), Decimal(0))
if lines and not form["amount"]:
    form.problems.pop("amount", None)
with st.container(horizontal=True, vertical_alignment="top"):
    with st.container(width=220, gap="xxsmall"):
        amount = form.money(
            "amount",
            _("Amount"),
            currency=currency,
            **DIGIT_KEYS,
            placeholder=_("{amount} from the products", amount=format_money(total, currency)) if lines else "120000",
        )
    with st.container(width=110, gap="xxsmall"):
        form.choose("currency", _("Currency"), {code: code for code in choices.currencies})

kind = draw_standing(view, form, choices, stages)

with save_bar():
    form.show_refusal()
    save = st.button(_("Save deal"), type="primary", icon=":material/check:", key="save-deal", width="stretch")
if save:
    if form.unread("amount") or not lines_whole:
        marked = _("Please complete or remove the marked product.")
        form.refuse(InvalidFields({"amount": _("This is not an amount.")} if lines_whole else {"lines": marked}))
        st.rerun()
    closed = kind is not StageKind.OPEN
    with st.spinner(_("Saving …")):
        deal = form.send(
            log_deal,
            key=form.key,
            customer_id=customer_id,
            new_customer=new_customer,
            name=form["name"] or "",
            lines=lines,
            amount=amount,
            currency=currency,
            stage_id=form["stage_id"],
            expected_close_on=None if closed else form["expected_close_on"],
            channel_id=form["channel_id"],
            owner_id=form["owner_id"],
            opened_on=None if form["opened_on"] == view.today else form["opened_on"],
            closed_on=form["closed_on"] if closed else None,
            lost_reason_id=form["lost_reason_id"] if kind is StageKind.LOST else None,
            competitor=form["competitor"] or "",
            note=form["note"] or "",
        )
    if deal is not None:
        st.query_params.clear()
        said = _(
            "Saved: {name}, {amount}",
            name=view.ask(deal_record, deal_id=deal.id).title,
            amount=format_money(deal.amount, deal.currency),
        )
        was_saved("log_deal", said, deal_id=deal.id, customer_id=deal.customer_id)
    st.rerun()
form.keep_draft()
