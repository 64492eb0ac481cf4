"""What a page shows where there is nothing yet: a sentence, and the ways to change that."""

from __future__ import annotations

import streamlit as st

from core.access.actions import Action
from core.i18n import _
from core.ui.page import View, plain
from core.ui.routes import go, page


def nothing_yet(view: View, told: str, *, icon: str = "inbox", log: bool = True) -> None:
    """Say `told`, and offer the reader's ways to the first deals, or say whose they are; a share link says it alone.

    Where the page has its own button that logs a deal, `log` is false.
    """
    st.info(plain(told), icon=f":material/{icon}:")
    if view.large:
        return
    if not (view.may(Action.DEAL_LOG) or view.may(Action.IMPORT)):
        st.caption(_("Reps log deals, and sales operations import those of the past."))
    log = log and view.may(Action.DEAL_LOG)
    if not (log or view.may(Action.IMPORT)):
        return
    with st.container(horizontal=True, key="first-steps"):
        if log and st.button(_("Log a deal"), icon=":material/add_circle:", key="first-deal"):
            go("log_deal")
        if view.may(Action.IMPORT) and st.button(_("Import deals"), icon=":material/upload_file:", key="first-import"):
            go("import_data")


def begun_elsewhere(view: View, told: str, *, icon: str, where: str) -> None:
    """Say `told`, and lead a reader whom it is open to to the page `where` it begins."""
    st.info(plain(told), icon=f":material/{icon}:")
    begins = page(where)
    if not view.may(begins.action):
        return
    if st.button(_("To the page “{page}”", page=_(begins.title)), icon=":material/arrow_forward:", key="begin-there",
                 type="primary"):  # fmt: skip
        go(where)


def stop_without_reps(view: View) -> None:
    """End the run of a page that needs reps where there are none, saying who adds them."""
    st.info(
        _("There are no reps yet, and every deal and activity is somebody's. An administrator adds reps under "
          "“People and teams”; an import brings the reps that its file names."),
        icon=":material/person_add:",
    )  # fmt: skip
    if view.may(Action.IMPORT) and st.button(_("Import deals"), icon=":material/upload_file:", key="first-import"):
        go("import_data")
    st.stop()
