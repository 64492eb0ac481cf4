import streamlit as st

from core.access.policy import Role
from core.i18n import _, format_date
from core.ui import today, today_needs
from core.ui.page import open_page
from core.ui.today_plan import draw_plan

view = open_page("today", heading=False)
view.heading(_("Hello, {name}", name=view.actor.called), format_date(view.today))
today.draw_quick_buttons(view)

if today.is_empty(view):
    today.draw_welcome(view)
    st.stop()

role = view.actor.role
if role in (Role.LEADERSHIP, Role.OPERATIONS):
    today.draw_six(view)
today.draw_attainment(view)
draw_plan(view)
if role is not Role.REP:
    today.draw_changes(view)
left, right = st.columns([3, 2], gap="large")
with left:
    today_needs.draw_needing(view)
with right:
    if role is Role.OPERATIONS:
        today.draw_quality(view)
    today.draw_due_activities(view)
