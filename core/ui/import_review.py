"""The review step: what would come in, every problem, and names to merge; then the result."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from core.i18n import N_, _, _n, format_number
from core.importing.fields import FileKind
from core.importing.ledger import Outcome
from core.importing.refused import refused_csv, refused_rows
from core.importing.samples import sample_deals
from core.reports.tables import Column, xlsx_bytes
from core.ui.import_merge import offer_pairs
from core.ui.import_state import ImportState, settle
from core.ui.page import plain
from core.ui.tables import table

if TYPE_CHECKING:
    from core.importing.batches import Preview
    from core.ui.page import View

OUTCOMES = {
    Outcome.IMPORTED: N_("To import"),
    Outcome.MERGED: N_("Merged"),
    Outcome.PRESENT: N_("There already"),
    Outcome.REFUSED: N_("Refused"),
}


def review(view: View, now: ImportState) -> bool:
    """Draw the step; say whether there is something to import."""
    with st.spinner(_("Checking every row …")):
        reference = settle(view, now)
    preview = now.preview
    assert preview is not None  # noqa: S101 - settle has just made it
    for file, batch in preview.repeated:
        said = _("{file} was imported before (import {batch}).", file=file, batch=batch)
        st.info(plain(said), icon=":material/history:")
    _counts(preview)
    _denominations(preview)
    offer_pairs(now)
    frame = sample_deals(preview, reference)
    if not frame.empty:
        st.subheader(_("The first deals as they will be"), anchor=False)
        codes = frame["currency"].unique()
        amount = Column("amount", _("Amount"), "money", codes[0])
        if len(codes) > 1:
            amount = Column("amount", _("Amount"), "number")
        table(view, frame, [
            Column("name", _("Deal")), Column("customer", _("Customer")), Column("rep", _("Rep")),
            Column("stage", _("Stage")), amount, *([Column("currency", _("Currency"))] if len(codes) > 1 else []),
            Column("opened_on", _("Opening day"), "date"), Column("closed_on", _("Closing day"), "date"),
            Column("expected_on", _("Expected close"), "date"),
        ], name="import-sample", export=False)  # fmt: skip
    _problems(view, preview)
    refused_downloads(view, preview)
    return bool(preview.plan.rows)


def _counts(preview: Preview) -> None:
    with st.container(horizontal=True):
        for end, label in OUTCOMES.items():
            st.metric(_(label), format_number(preview.counts[end]), border=True)
    rows = [
        {
            "file": source.table.file,
            "rows": len(source.table.rows),
            **{end.value: preview.ledger.counts(index)[end] for end in Outcome},
        }
        for index, source in enumerate(preview.sources)
        if source.mapping.kind is not FileKind.NONE
    ]
    left_out = [one.table.file for one in preview.sources if one.mapping.kind is FileKind.NONE]
    st.dataframe(
        pd.DataFrame(rows), hide_index=True,
        column_config={"file": _("File"), "rows": _("Rows"), **{end.value: _(OUTCOMES[end]) for end in Outcome}},
    )  # fmt: skip
    if left_out:
        st.caption(plain(_("Left out: {files}", files=", ".join(left_out))))


def _denominations(preview: Preview) -> None:
    """Say in which currency amounts are taken that no column gives one."""
    files: dict[str, list[str]] = {}
    for file in preview.plan.files:
        if "currency" in file:
            files.setdefault(file["currency"], []).append(file["name"])
    for code, names in files.items():
        said = _("The amounts of {file} are taken in {currency}.", file=", ".join(names), currency=code)
        st.caption(plain(said))


def _problems(view: View, preview: Preview) -> None:
    problems = preview.problems
    st.subheader(_("Problems and notes"), anchor=False)
    if not problems:
        st.success(_("Every row is right."), icon=":material/check:")
        return
    errors = sum(one.is_error for one in problems)
    st.caption(
        _("{errors} refuse their row, {notes} say how a row was taken.",
          errors=_n("{n} problem", "{n} problems", errors), notes=_n("{n} note", "{n} notes", len(problems) - errors))
    )  # fmt: skip
    frame = pd.DataFrame(
        {
            "severity": [_("Refused") if one.is_error else _("Remark") for one in problems],
            "file": [one.file for one in problems],
            "row": [one.row for one in problems],
            "column": [one.column for one in problems],
            "value": [one.value for one in problems],
            "reason": [one.message() for one in problems],
            "kind": [_(one.reason) for one in problems],
        }
    )
    left, middle, right = st.columns(3)
    for place, column, label in ((left, "severity", _("Severity")), (middle, "file", _("File"))):
        chosen = place.multiselect(label, sorted(frame[column].unique()), key=f"import-only-{column}")
        if chosen:
            frame = frame[frame[column].isin(chosen)]
    said = frame["kind"].value_counts()
    reason = right.selectbox(
        _("Reason"), [None, *said.index], key="import-only-reason",
        format_func=lambda kind: _("All reasons") if kind is None else f"{kind} ({format_number(said.get(kind, 0))})",
    )  # fmt: skip
    if reason is not None:
        frame = frame[frame["kind"] == reason]
    table(view, frame, [
        Column("severity", _("Severity")), Column("file", _("File")), Column("row", _("Row"), "count"),
        Column("column", _("Column")), Column("value", _("Cell")), Column("reason", _("Reason"), width="large"),
    ], name="import-problems", height=360)  # fmt: skip


def refused_downloads(view: View, preview: Preview) -> None:
    """Offer each file's refused rows with their reasons, to mend and import again."""
    refused = [i for i in range(len(preview.sources)) if preview.ledger.counts(i)[Outcome.REFUSED]]
    if not refused:
        return
    st.caption(_("Refused rows, with the reason in a column: mend them and import the file again."))
    with st.container(horizontal=True):
        for index in refused:
            stem = preview.sources[index].table.file.rsplit(".", 1)[0]
            st.download_button(
                f"{stem}.csv", partial(refused_csv, preview, index), file_name=f"refused-{stem}.csv",
                mime="text/csv", on_click="ignore", icon=":material/download:", key=f"import-refused-csv-{index}",
            )  # fmt: skip
            st.download_button(
                f"{stem}.xlsx", partial(_refused_xlsx, view, preview, index),
                file_name=f"refused-{stem}.xlsx", on_click="ignore", icon=":material/download:",
                mime="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
                key=f"import-refused-xlsx-{index}",
            )  # fmt: skip


def _refused_xlsx(view: View, preview: Preview, index: int) -> bytes:
    headings, rows = refused_rows(preview, index)
    keys = [f"c{place}" for place in range(len(headings))]
    columns = [Column(key, label) for key, label in zip(keys, headings, strict=True)]
    return xlsx_bytes(pd.DataFrame(rows, columns=keys), columns, view.zone, title=preview.sources[index].table.file)
