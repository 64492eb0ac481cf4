"""Where a new deal stands: stage, days, channel, owner, and why it was lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from core.domain.stages import StageKind
from core.i18n import _
from core.ui.forms import names_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.queries.reference import FormChoices, StageChoice
    from core.ui.forms import Form
    from core.ui.page import View


def draw_standing(view: View, form: Form, choices: FormChoices, stages: Sequence[StageChoice]) -> StageKind:
    """Draw the fields; return what the chosen stage means for the deal."""
    st.subheader(_("Where does it stand?"), anchor=False)
    with st.container(horizontal=True, vertical_alignment="top"):
        with st.container(width=260, gap="xxsmall"):
            stage_id = form.choose("stage_id", _("Stage"), names_of(stages))
        kind = choices.stage(stage_id).kind
        if kind is StageKind.OPEN:
            with st.container(width=170, gap="xxsmall"):
                form.day("expected_close_on", _("Expected close"))
        else:
            with st.container(width=170, gap="xxsmall"):
                form.day("closed_on", _("Closed on"))
        with st.container(width=170, gap="xxsmall"):
            form.choose("channel_id", _("Channel"), names_of(choices.channels), optional=True)
        if view.actor.rep_id is None or len(choices.reps) > 1:
            with st.container(width=200, gap="xxsmall"):
                form.choose("owner_id", _("Owner"), names_of(choices.reps), optional=True)
    if kind is StageKind.LOST:
        with st.container(horizontal=True, vertical_alignment="top"):
            with st.container(width=260, gap="xxsmall"):
                form.choose("lost_reason_id", _("Lost reason"), names_of(choices.lost_reasons), optional=True)
            with st.container(width=260, gap="xxsmall"):
                form.text("competitor", _("Competitor"), max_chars=120)
    with st.expander(_("Name, opening day and note"), expanded=bool(form["note"] or form["name"])):
        form.text(
            "name",
            _("Deal name"),
            placeholder=_("Made from customer and product where left empty"),
            max_chars=200,
        )
        form.day("opened_on", _("Opened on"))
        form.area("note", _("Note"), max_chars=4000)
    return kind
