import streamlit as st

from core.access.actions import Action
from core.i18n import _, _n
from core.queries.customers import customers_page, segments_in_use
from core.queries.reference import form_choices
from core.reports.tables import Column
from core.ui.customer_form import draw_new_customer
from core.ui.filters import address, write_address
from core.ui.page import open_page, plain
from core.ui.tables import table

SIZE = 50
SORTS = {
    "name": _("Name"),
    "won_value": _("Won value"),
    "open_value": _("Open value"),
    "last_activity": _("Last activity"),
    "owner": _("Owner"),
}

view = open_page("customers")
params = address(view)
first = {name: (params.get(name) or [""])[0] for name in ("q", "sort", "new")}
choices, segments = view.ask(form_choices), view.ask(segments_in_use)
if view.may(Action.CUSTOMER_EDIT):
    with st.popover(_("New customer"), icon=":material/add:", type="primary", key="new-customer"):
        draw_new_customer(view, choices)
with st.container(horizontal=True, vertical_alignment="bottom", key="customer-filters"):
    search = st.text_input(
        _("Search"),
        value=first["q"],
        type="search",
        live="300ms",
        icon=":material/search:",
        key="customers-search",
        placeholder=_("Name or city"),
        width=240,
    )
    with st.popover(_("Filters"), icon=":material/tune:", key="customers-more"):
        found = {}
        offered = {
            "rep": (_("Owner"), {str(rep.id): rep.name for rep in choices.reps}),
            "territory": (_("Territory"), {str(row.id): row.name for row in choices.territories}),
            "segment": (_("Segment"), {text: text for text in segments}),
        }
        for name, (label, options) in offered.items():
            found[name] = st.multiselect(
                label,
                list(options),
                default=[v for v in params.get(name, []) if v in options],
                format_func=options.__getitem__,
                key=f"customers-{name}",
                placeholder=_("All"),
            )
    sort = st.selectbox(
        _("Sort by"),
        list(SORTS),
        index=list(SORTS).index(first["sort"] if first["sort"] in SORTS else "name"),
        format_func=SORTS.__getitem__,
        key="customers-sort",
        width=180,
    )
write_address(q=(search or "").strip(), sort="" if sort == "name" else sort, **found)

page = int(st.session_state.get("customers-page", 1))
answer = view.ask(
    customers_page,
    search=search or "",
    rep_ids=tuple(int(value) for value in found["rep"]),
    territory_ids=tuple(int(value) for value in found["territory"]),
    segments=tuple(found["segment"]),
    sort=str(sort),
    descending=sort not in ("name", "owner"),
    size=SIZE,
    page=page,
)
pages = max(1, -(-answer.total // SIZE))
if page > pages:
    st.session_state["customers-page"] = pages
    st.rerun()
st.caption(plain(_n("{n} customer", "{n} customers", answer.total)))
columns = [
    Column("name", _("Customer"), width="medium"),
    Column("owner", _("Owner"), width="small"),
    Column("won_value", _("Won value"), "money", currency=view.currency, width="small"),
    Column("open_value", _("Open value"), "money", currency=view.currency, width="small"),
    Column("open_count", _("Open deals"), "count", width="small"),
    Column("last_activity_at", _("Last activity"), "instant", width="small"),
    Column("segment", _("Segment"), width="small"),
    Column("industry", _("Industry"), width="small"),
    Column("territory", _("Territory"), width="small"),
    Column("city", _("City"), width="small"),
]
table(
    view,
    answer.rows,
    columns,
    name="customers",
    opens="customer",
    empty=_("No customers match. Clear the search, or make a new customer."),
)
if pages > 1:
    st.pagination(pages, key="customers-page")
