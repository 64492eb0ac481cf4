"""The imports there have been, and taking one back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from core.errors import SalesError
from core.i18n import N_, _, _n, format_instant
from core.queries.imports import import_batches
from core.reports.tables import Column
from core.services.imports import TouchedSince, undo_import
from core.ui import session
from core.ui.page import plain
from core.ui.tables import table

if TYPE_CHECKING:
    from core.ui.page import View

STATES = {"applied": N_("Imported"), "undone": N_("Undone"), "preview": N_("Preview")}


def say_undone() -> None:
    """Say what the undo of the run before took away."""
    undone = st.session_state.pop("import-undone", None)
    if undone:
        st.toast(undone, icon=":material/undo:")


def past_imports(view: View) -> None:
    """Draw the list of imports with an undo for those that stand."""
    st.subheader(_("Past imports"), anchor=False)
    batches = view.ask(import_batches)
    if not batches:
        st.caption(_("Nothing has been imported yet."))
        return
    frame = pd.DataFrame(batches)
    frame["state"] = [_(STATES[state]) for state in frame["state"]]
    table(view, frame, [
        Column("id", _("No."), "count"), Column("at", _("Time"), "instant"), Column("by", _("Imported by")),
        Column("file_name", _("Files")), Column("state", _("State")),
        Column("currencies", _("Currency")),
        Column("rows_read", _("Rows"), "count"), Column("rows_imported", _("Imported"), "count"),
        Column("rows_merged", _("Merged or there already"), "count"), Column("rows_refused", _("Refused"), "count"),
    ], name="import-past")  # fmt: skip
    standing = {batch["id"]: batch for batch in batches if batch["state"] == "applied"}
    if not standing:
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        number = st.selectbox(
            _("Import to undo"), list(standing), key="import-undo-which",
            format_func=lambda one: " · ".join(
                (str(one), format_instant(standing[one]["at"], view.zone), standing[one]["file_name"])
            ),
        )  # fmt: skip
        if st.button(_("Undo …"), icon=":material/undo:", key="import-undo"):
            confirm_undo(view, number)


def confirm_undo(view: View, number: int) -> None:
    """Ask before an import is taken back."""
    session.dialog(_("Undo import {number}?", number=number))(_ask)(view, number)


def _ask(view: View, number: int) -> None:
    st.write(_("Everything that this import made is removed. What was worked on since can be kept."))
    kept = st.session_state.get("import-undo-touched")
    if kept and kept[0] == number:
        st.warning(
            _n(
                "{n} of the records has been worked on since:",
                "{n} of the records have been worked on since:",
                len(kept[1]),
            ),
            icon=":material/edit_note:",
        )  # fmt: skip
        st.dataframe(
            pd.DataFrame(kept[1], columns=["table", "id", "name"]), hide_index=True, height=200,
            column_config={"table": _("Record kind"), "id": _("No."), "name": _("Record")},
        )  # fmt: skip
    label = _("Undo and keep these") if kept and kept[0] == number else _("Undo the import")
    if st.button(label, type="primary", key="import-undo-confirm"):
        try:
            done = view.do(undo_import, batch_id=number, keep_touched=bool(kept and kept[0] == number))
        except TouchedSince as error:
            st.session_state["import-undo-touched"] = (number, error.records)
            st.rerun(scope="fragment")
        except SalesError as error:
            st.error(plain(error.message()))
            return
        st.session_state.pop("import-undo-touched", None)
        removed = sum(done.removed.values())
        st.session_state["import-undone"] = _n("{n} record was removed.", "{n} records were removed.", removed)
        st.rerun()
