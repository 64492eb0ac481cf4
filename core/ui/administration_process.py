"""The sales process: pipelines, stages, lost reasons, channels and territories."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from core.domain.names import named
from core.domain.stages import StageKind
from core.i18n import _
from core.queries.administration import deal_words, pipelines, stages_of
from core.reports.tables import Column
from core.services.process import (
    StageFields,
    add_pipeline,
    add_stage,
    add_word,
    delete_stage,
    edit_pipeline,
    edit_stage,
    edit_word,
    reorder_stages,
)
from core.ui import session
from core.ui.administration import Fields, confirm, show_what_was_told, tell
from core.ui.page import plain
from core.ui.selling import STATE_NAMES
from core.ui.tables import table

if TYPE_CHECKING:
    from core.model import Pipeline, Stage
    from core.queries.administration import StageLine
    from core.ui.page import View

_FEW = 5


def draw(view: View) -> None:
    """Draw the page."""
    show_what_was_told()
    tabs = st.tabs([_("Stages"), _("Lost reasons"), _("Channels"), _("Territories")])
    with tabs[0]:
        _process(view)
    for tab, kind, about in (
        (tabs[1], "lost_reason", _("Why deals are lost. A retired reason stays on the deals that name it.")),
        (tabs[2], "channel", _("How sales reach us. A retired channel stays on the deals that name it.")),
        (tabs[3], "territory", _("Where reps sell. Customers and teams belong to a territory.")),
    ):
        with tab:
            _words(view, kind, about)


def _process(view: View) -> None:
    found = view.ask(pipelines)
    if not found:
        st.info(_("There is no sales process yet."), icon=":material/inbox:")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.selectbox(_("Sales process"), found, format_func=_pipeline_name, key="pipeline-chosen", width=320)
        if st.button(_("Edit"), icon=":material/edit:", key="pipeline-edit", disabled=chosen is None):
            _pipeline_form(view, chosen)
        if st.button(_("New process"), icon=":material/add:", key="pipeline-new"):
            _pipeline_form(view, None)
    if chosen is None:
        return
    lines = view.ask(stages_of, pipeline_id=chosen.id)
    _stage_table(view, lines)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        line = st.selectbox(
            _("Edit a stage"),
            lines,
            index=None,
            placeholder=_("Choose"),
            key="stage-chosen",
            format_func=lambda one: named(one.stage),
            width=320,
        )
        if st.button(_("Edit"), icon=":material/edit:", key="stage-edit", disabled=line is None) and line:
            _stage_form(view, chosen.id, line)
        _move_button(view, lines, line, -1)
        _move_button(view, lines, line, +1)
        if st.button(_("Delete"), icon=":material/delete:", key="stage-delete", disabled=line is None or line.used):
            _delete(view, line)
        if st.button(_("New stage"), icon=":material/add:", type="primary", key="stage-new"):
            _stage_form(view, chosen.id, None)
    st.caption(
        _(
            "Funnels count by the order of the open stages, past deals too: after a new order "
            "every funnel is told anew. A stage that deals have passed can be retired, never deleted."
        )
    )


def _pipeline_name(pipeline: Pipeline) -> str:
    if pipeline.is_default:
        return _("{name} (default)", name=named(pipeline))
    return named(pipeline) if pipeline.active else _("{name} (retired)", name=named(pipeline))


def _stage_table(view: View, lines: list[StageLine]) -> None:
    frame = pd.DataFrame(
        [
            {
                "order": index,
                "name": line.stage.name,
                "name_en": line.stage.name_en,
                "kind": _(STATE_NAMES[line.stage.kind]),
                "probability": line.stage.probability,
                "observed": line.won / line.decided if line.decided >= _FEW else None,
                "decided": line.decided,
                "days": line.stage.expected_days if line.stage.kind is StageKind.OPEN else None,
                "standing": line.standing,
                "state": _("Active") if line.stage.active else _("Retired"),
            }
            for index, line in enumerate(lines, start=1)
        ]
    )
    observed = _("Of the closed deals that ever entered the stage, the share that was won.")
    columns = [
        Column("order", _("Order"), "count"),
        Column("name", _("Chinese name")),
        Column("name_en", _("English name")),
        Column("kind", _("Kind")),
        Column("probability", _("Probability"), "rate"),
        Column("observed", _("Observed win rate"), "rate", help=observed),
        Column("decided", _("Closed deals"), "count"),
        Column("days", _("Expected days"), "days"),
        Column("standing", _("Deals there now"), "count"),
        Column("state", _("State")),
    ]
    table(view, frame, columns, name="stages")


def _move_button(view: View, lines: list[StageLine], line: StageLine | None, by: int) -> None:
    numbers = [one.stage.id for one in lines if line and one.stage.kind is line.stage.kind]
    place = numbers.index(line.stage.id) if line else -1
    possible = line is not None and 0 <= place + by < len(numbers)
    label = _("Move up") if by < 0 else _("Move down")
    icon = ":material/arrow_upward:" if by < 0 else ":material/arrow_downward:"
    if st.button(label, icon=icon, disabled=not possible, key=f"stage-move-{by}"):
        numbers[place], numbers[place + by] = numbers[place + by], numbers[place]
        rest = [one.stage.id for one in lines if one.stage.id not in numbers]
        done = Fields(view, "stage-order").do(
            reorder_stages, pipeline_id=lines[0].stage.pipeline_id, stage_ids=[*numbers, *rest]
        )
        if done:
            tell(_("The stages have a new order; funnels are told anew."))
            st.rerun()


def _delete(view: View, line: StageLine | None) -> None:
    if line is None:
        return
    stage: Stage = line.stage

    def act(view: View) -> str:
        view.do(delete_stage, stage_id=stage.id, version=stage.version)
        return _("Deleted.")

    confirm(
        view,
        title=_("Delete a stage"),
        label=_("Delete"),
        question=_("Delete the stage “{stage}”? No deal has ever been in it.", stage=named(stage)),
        act=act,
    )


def _pipeline_form(view: View, pipeline: Pipeline | None) -> None:
    @session.dialog(plain(named(pipeline)) if pipeline else _("New process"))
    def form() -> None:
        fields = Fields(view, f"pipeline-{pipeline.id}-{pipeline.version}" if pipeline else "pipeline-add")
        name = fields.text("name", _("Chinese name"), pipeline.name if pipeline else "", max_chars=80)
        name_en = fields.text("name_en", _("English name"), pipeline.name_en if pipeline else "", max_chars=80)
        if pipeline:
            is_default = fields.tick("is_default", _("New deals follow this process"), pipeline.is_default)
            active = fields.tick("active", _("In use"), pipeline.active)
        else:
            st.caption(_("It begins with one open, one won and one lost stage; add and rename them afterwards."))
        if not fields.sent(_("Save")):
            return
        if pipeline:
            done: object = fields.do(
                edit_pipeline,
                pipeline_id=pipeline.id,
                version=pipeline.version,
                name=name,
                name_en=name_en,
                is_default=is_default,
                active=active,
            )
        else:
            done = fields.do(add_pipeline, name=name, name_en=name_en)
        if done:
            tell(_("Saved."))
            st.rerun()

    form()


def _stage_form(view: View, pipeline_id: int, line: StageLine | None) -> None:
    stage = line.stage if line else None

    @session.dialog(plain(named(stage)) if stage else _("New stage"))
    def form() -> None:
        fields = Fields(view, f"stage-{stage.id}-{stage.version}" if stage else "stage-add")
        name = fields.text("name", _("Chinese name"), stage.name if stage else "", max_chars=80)
        name_en = fields.text("name_en", _("English name"), stage.name_en if stage else "", max_chars=80)
        kinds = {kind: _(word) for kind, word in STATE_NAMES.items()}
        kind = fields.choose("kind", _("Kind"), kinds, stage.kind if stage else None, disabled=bool(line and line.used))
        probability, days = 0.0, 0
        if kind is StageKind.OPEN:
            shown = round(stage.probability * 100) if stage else 10
            per_cent = fields.whole("probability", _("Probability of winning, %"), shown, 0, 100)
            probability = stage.probability if stage and per_cent == shown else per_cent / 100
            days = fields.whole("expected_days", _("Expected days"), stage.expected_days if stage else 14, 0, 3650)
        active = fields.tick("active", _("In use"), stage.active) if stage else True
        if line and not active and line.standing:
            st.warning(
                _(
                    "{n} deals stand in this stage now. They stay there until somebody moves them on.",
                    n=line.standing,
                ),
                icon=":material/info:",
            )
        if not fields.sent(_("Save")):
            return
        values = StageFields(name, name_en, kind, probability, days, active)
        done: object = (
            fields.do(edit_stage, stage_id=stage.id, version=stage.version, fields=values)
            if stage
            else fields.do(add_stage, pipeline_id=pipeline_id, fields=values)
        )
        if done:
            tell(_("Saved."))
            st.rerun()

    form()


def _words(view: View, kind: str, about: str) -> None:
    st.caption(about)
    found = view.ask(deal_words, kind=kind)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.selectbox(
            _("Edit an entry"),
            found,
            index=None,
            placeholder=_("Choose"),
            format_func=named,
            width=320,
            key=f"{kind}-chosen",
        )
        if st.button(_("Edit"), icon=":material/edit:", key=f"{kind}-edit", disabled=chosen is None):
            _word_form(view, kind, chosen)
        if st.button(_("New entry"), icon=":material/add:", type="primary", key=f"{kind}-new"):
            _word_form(view, kind, None)
    frame = pd.DataFrame(
        [
            {
                "name": row.name,
                "name_en": row.name_en,
                "state": _("Active") if row.active else _("Retired"),
            }
            for row in found
        ]
    )
    columns = [
        Column("name", _("Chinese name")),
        Column("name_en", _("English name")),
        Column("state", _("State")),
    ]
    table(view, frame, columns, name=f"{kind}s")


def _word_form(view: View, kind: str, word: Any) -> None:
    @session.dialog(plain(named(word)) if word else _("New entry"))
    def form() -> None:
        fields = Fields(view, f"{kind}-{word.id}-{word.version}" if word else f"{kind}-add")
        name = fields.text("name", _("Chinese name"), word.name if word else "", max_chars=80)
        name_en = fields.text("name_en", _("English name"), word.name_en if word else "", max_chars=80)
        active = fields.tick("active", _("In use"), word.active) if word else True
        if not fields.sent(_("Save")):
            return
        done: object = (
            fields.do(
                edit_word,
                kind=kind,
                word_id=word.id,
                version=word.version,
                name=name,
                name_en=name_en,
                active=active,
            )
            if word
            else fields.do(add_word, kind=kind, name=name, name_en=name_en)
        )
        if done:
            tell(_("Saved."))
            st.rerun()

    form()
