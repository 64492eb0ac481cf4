from uuid import uuid4

import streamlit as st

from core.errors import SalesError
from core.i18n import _, _n, format_number
from core.importing.readers import SourceFile
from core.queries.imports import import_reference
from core.services.imports import apply_import
from core.ui import routes
from core.ui.import_map import map_files
from core.ui.import_merge import take_waiting
from core.ui.import_past import confirm_undo, past_imports, say_undone
from core.ui.import_review import refused_downloads, review
from core.ui.import_state import COLLECT, MAP, RESULT, REVIEW, settle, start_over, state
from core.ui.page import open_page, plain

view = open_page("import_data")
steps = (_("Collect"), _("Map"), _("Review"), _("Result"))
now = state()
say_undone()

with st.container(horizontal=True, gap="small"):
    for place, step in enumerate(steps):
        mark = ":material/check:" if place < now.step else None
        st.badge(f"{place + 1} {step}", color="green" if place == now.step else "gray", icon=mark)


def move(to: int) -> None:
    now.go(to)
    st.rerun()


if now.step == COLLECT:
    st.write(_("Bring deals, customers, products and reps from other systems: CSV or Excel, several files at once."))
    files = st.file_uploader(
        _("Files"), type=["csv", "txt", "tsv", "xlsx", "xls", "xlsm"], accept_multiple_files=True,
        key=f"import-files-{now.key}",
    )  # fmt: skip
    st.caption(_("CSV, TXT, TSV, XLSX, XLS or XLSM, up to {n} MB each.", n=st.get_option("server.maxUploadSize")))
    fresh = [SourceFile(file.name, file.getvalue()) for file in files]
    if {file.hash for file in fresh} - {upload.file.hash for upload in now.uploads}:
        now.add(fresh, view.ask(import_reference))
    for place, upload in enumerate(now.uploads):
        with st.container(horizontal=True, vertical_alignment="center", border=True):
            if upload.source is None:
                st.markdown(f":material/block: {plain(upload.refusal)}")
            else:
                count = _n("{n} row", "{n} rows", len(upload.source.table.rows))
                st.markdown(f":material/description: **{plain(upload.file.name)}** · {count}")
            if st.button(_("Take out"), icon=":material/close:", type="tertiary", key=f"import-out-{upload.file.hash}"):
                now.remove(place)
                now.key = uuid4().hex
                st.rerun()
    if st.button(_("Continue to mapping"), type="primary", disabled=not now.sources, icon=":material/arrow_forward:"):
        move(MAP)
    past_imports(view)

elif now.step == MAP:
    ready = map_files(view, now)
    with st.container(horizontal=True):
        if st.button(_("Back"), icon=":material/arrow_back:"):
            move(COLLECT)
        if st.button(_("Continue to review"), type="primary", disabled=not ready, icon=":material/arrow_forward:"):
            move(REVIEW)

elif now.step == REVIEW:
    something = review(view, now)
    if not something:
        st.info(_("Nothing new to import."), icon=":material/inbox:")
    with st.container(horizontal=True):
        if st.button(_("Back"), icon=":material/arrow_back:"):
            move(MAP)
        go = st.button(_("Import"), type="primary", disabled=not something, icon=":material/upload_file:")
    if go and now.preview is not None:
        try:
            with st.spinner(_("Importing …")):
                take_waiting(now)
                settle(view, now)
                now.applied = view.do(apply_import, plan=now.preview.plan, key=now.key)
        except SalesError as error:
            st.error(plain(error.message()), icon=":material/block:")
        else:
            move(RESULT)

elif now.step == RESULT and now.applied is not None and now.preview is not None:
    plan = now.preview.plan
    st.success(
        _n(
            "Import {number} is done: {imported} row imported, {merged} merged or there already, {refused} refused.",
            "Import {number} is done: {imported} rows imported, {merged} merged or there already, {refused} refused.",
            plan.rows_imported,
            number=now.applied.batch_id,
            imported=format_number(plan.rows_imported),
            merged=format_number(plan.rows_merged),
            refused=format_number(plan.rows_refused),
        ),
        icon=":material/check_circle:",
    )
    refused_downloads(view, now.preview)
    with st.container(horizontal=True):
        if st.button(_("See the deals"), type="primary", icon=":material/handshake:"):
            routes.go("deals")
        if st.button(_("Import more"), icon=":material/add:"):
            start_over()
            st.rerun()
        if st.button(_("Undo …"), icon=":material/undo:", key="import-undo-this"):
            confirm_undo(view, now.applied.batch_id)
    past_imports(view)
