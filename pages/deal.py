import streamlit as st

from core.domain.names import named
from core.domain.periods import day_of
from core.domain.stages import StageKind
from core.i18n import _, format_date, format_days, format_money, format_rate, format_relative_day
from core.queries.deals import deal_record
from core.queries.reference import form_choices, word_list
from core.ui.activities import draw_due
from core.ui.deal_credit import PANEL, draw_parts, draw_split
from core.ui.deal_edit import draw_edit
from core.ui.deal_panels import draw_buttons, draw_panel, draw_stages, offer_drafts, opened_panel
from core.ui.page import open_page, plain
from core.ui.routes import go, page
from core.ui.selling import STATE_COLORS, STATE_NAMES, draw_facts, fact_card, number_in_address
from core.ui.timeline import draw_timeline

view = open_page("deal", heading=False)
number = number_in_address("id")
if number is None:
    st.info(_("Choose a deal from the list."), icon=":material/info:")
    if st.button(_("To the deals"), icon=":material/handshake:"):
        go("deals")
    st.stop()
record, choices = view.ask(deal_record, deal_id=number), view.ask(form_choices)
deal = record.deal

view.heading(record.title)
with st.container(horizontal=True, vertical_alignment="center", gap="small"):
    st.badge(_(STATE_NAMES[deal.state]), color=STATE_COLORS[deal.state])
    st.page_link(
        page("customer").file,
        label=plain(named(record.customer)),
        icon=":material/apartment:",
        query_params={"id": str(deal.customer_id)},
    )
    st.caption(plain(" · ".join(part for part in (record.owner, record.channel) if part)))

stage = choices.stage(deal.stage_id)
days = (view.today - day_of(deal.stage_entered_at, view.zone)).days
with st.grid(4, min_column_width=150, gap="small", key="deal-numbers"):
    base = format_money(deal.base_amount, view.currency)
    foreign = deal.currency != view.currency
    fact_card(_("Amount"), format_money(deal.amount, deal.currency), f"= {base}" if foreign else "")
    if deal.state is StageKind.OPEN:
        late = deal.expected_close_on < view.today
        fact_card(
            _("Expected close"),
            format_date(deal.expected_close_on),
            format_relative_day(deal.expected_close_on, view.today),
            color="red" if late else "gray",
        )
        slow = bool(stage.expected_days) and days > stage.expected_days
        expected = _("expected {days}", days=format_days(stage.expected_days)) if stage.expected_days else ""
        fact_card(_("In this stage for"), format_days(days), expected, color="orange" if slow else "gray")
        fact_card(_("Probability"), format_rate(stage.probability, 0))
    else:
        closed = day_of(deal.closed_at, view.zone) if deal.closed_at else None
        fact_card(_("Closed on"), format_date(closed))
        if record.credited:
            fact_card(_("Credited to"), record.credited)
        else:
            fact_card(_("Lost reason"), record.lost_reason)
        if deal.base_cost is not None and deal.base_amount:
            left_over = deal.base_amount - deal.base_cost
            rate = format_rate(left_over / deal.base_amount)
            fact_card(_("Margin"), format_money(left_over, view.currency), rate)

draw_stages(view, record, choices)
if record.may_edit:
    draw_buttons(view, record)
    offer_drafts(view, record)
    draw_panel(view, record, choices)
    if opened_panel(record) == "edit":
        with st.container(border=True, key="panel-edit"):
            draw_edit(view, record, choices)
    if opened_panel(record) == PANEL and deal.state is not StageKind.LOST:
        with st.container(border=True, key="panel-split"):
            draw_split(view, record)

left, right = st.columns([3, 2], gap="large")
with left:
    st.subheader(_("History"), anchor=False)
    draw_timeline(view, record.timeline, key=f"deal-{deal.id}")
with right:
    st.subheader(_("Next steps"), anchor=False)
    draw_due(view, record.due, empty=_("Nothing is planned. Plan the next step, so that this deal moves on."))
    if record.may_edit and st.button(_("Plan the next step"), icon=":material/event:"):
        go("log_activity", deal=deal.id, when="due")
    if record.lines:
        st.subheader(_("Products"), anchor=False)
        for line in record.lines:
            price = format_money(line.unit_price, deal.currency)
            off = f" − {format_rate(line.discount_rate, 0)}" if line.discount_rate else ""
            total = format_money(line.amount, deal.currency)
            st.markdown(f"**{plain(line.product)}**  \n{plain(f'{line.quantity:,} × {price}{off} = {total}')}")
    draw_parts(view, record)
    facts = {
        _("Contact"): named(record.contact) if record.contact else "",
        _("Sales process"): record.pipeline,
        _("Opened"): format_date(day_of(deal.opened_at, view.zone)),
        _("Competitor"): view.ask(word_list)(deal.competitor),
        _("Number"): str(deal.id),
    }
    st.subheader(_("Details"), anchor=False)
    draw_facts(facts)
    if deal.note:
        st.caption(_("Note"))
        st.text(deal.note)
