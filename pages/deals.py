import streamlit as st

from core.access.actions import Action
from core.i18n import _
from core.ui.deal_board import draw_board, draw_table
from core.ui.deal_list import deal_filter
from core.ui.filters import write_address
from core.ui.page import open_page
from core.ui.routes import go
from core.ui.way_back import follow

view = open_page("deals")
icons = {"table": ":material/table_rows:", "board": ":material/view_kanban:"}
names = {"table": _("Table"), "board": _("Board")}
with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
    known = st.query_params.get("as", "table")
    known = known if known in icons else "table"
    layout = st.segmented_control(
        _("Layout"),
        list(icons),
        default=known,
        required=True,
        format_func=lambda code: f"{icons[code]} {names[code]}",
        label_visibility="collapsed",
        key=follow("deals-layout", known),
    )
    if view.may(Action.DEAL_LOG) and st.button(_("Log a deal"), type="primary", icon=":material/add:"):
        go("log_deal")
write_address(**{"as": "board" if layout == "board" else None})

wanted, sort, descending = deal_filter(view)
if layout == "board":
    draw_board(view, wanted)
else:
    draw_table(view, wanted, sort, descending=descending)
