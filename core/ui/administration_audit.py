"""Searching the audit: who changed what, when, from where, before and after."""

from __future__ import annotations

from datetime import date, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import pandas as pd
import streamlit as st

from core.access.actions import Action
from core.db.audit import said_unverified
from core.domain.periods import Period
from core.i18n import _, _n, format_instant, format_number, language, speaking
from core.queries.audit import (
    MOST_EXPORTED,
    AuditFilter,
    audit_chain,
    audit_choices,
    audit_count,
    audit_entries,
    audit_export,
)
from core.reports.tables import Column, csv_bytes, xlsx_bytes
from core.services import installation
from core.ui.administration_words import action_name, field_name, kind_name, value_name
from core.ui.page import plain
from core.ui.tables import table

if TYPE_CHECKING:
    from core.queries.audit import Entry
    from core.ui.page import View

_ROWS = 50
_TOLD = 3


def draw(view: View) -> None:
    """Draw the page."""
    wanted = _filters(view)
    count = view.ask(audit_count, wanted=wanted)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(_n("{n} entry", "{n} entries", count))
        _check_chain(view)
        if count:
            _exports(view, wanted, count)
    if not count:
        st.info(_("Nothing matches this search."), icon=":material/search_off:")
        return
    pages = -(-count // _ROWS)
    page = min(st.pagination(pages, key="audit-page"), pages) if pages > 1 else 1
    found = view.ask(audit_entries, wanted=wanted, limit=_ROWS, offset=(page - 1) * _ROWS)
    chosen = _list(view, found)
    if chosen is not None:
        _detail(view, chosen)
    else:
        st.caption(_("Choose a line to see everything that it changed."))


def _filters(view: View) -> AuditFilter:
    choices = view.ask(audit_choices)
    with st.grid(min_column_width=280, gap="small", key="audit-filters"):
        text = st.text_input(_("Text"), placeholder=_("A name, an amount, an address"), key="audit-text")
        who = st.selectbox(_("Person"), choices["username"], index=None, placeholder=_("Anybody"), key="audit-who")
        action = st.selectbox(
            _("Action"),
            choices["action"],
            index=None,
            placeholder=_("Any"),
            format_func=action_name,
            key="audit-action",
        )
        kind = st.selectbox(
            _("Kind of record"),
            choices["kind"],
            index=None,
            placeholder=_("Any"),
            format_func=kind_name,
            key="audit-kind",
        )
        number = st.number_input(
            _("Record's number"), value=None, min_value=1, step=1, placeholder=_("Any"), key="audit-number"
        )
        days = st.date_input(
            _("Days"),
            value=[],
            max_value=view.today,
            format="YYYY-MM-DD",
            key="audit-days",
        )
    return AuditFilter(
        username=who or "",
        action=action or "",
        kind=kind or "",
        record_id=int(number) if number else None,
        text=text or "",
        period=_period(days),
    )


def _period(days: Any) -> Period | None:
    """Return the days chosen, both ends included on screen; None for none, one day while one end is chosen."""
    chosen = [day for day in (days if isinstance(days, tuple | list) else (days,)) if isinstance(day, date)]
    return Period(chosen[0], chosen[-1] + timedelta(days=1)) if chosen else None


def _check_chain(view: View) -> None:
    if not st.button(_("Check the chain"), icon=":material/link:", key="audit-chain"):
        return
    with st.spinner(_("Following the chain from the first entry …")):
        chain = view.ask(audit_chain, kept=installation.audit_end())
    if chain.broken:
        st.error(
            _(
                "{n} entries were read. The chain breaks at: {numbers}. Entries there were changed or taken out.",
                n=format_number(chain.entries),
                numbers=", ".join(map(str, chain.broken)),
            ),
            icon=":material/link_off:",
        )
    if chain.unverified.count:
        st.warning(plain(said_unverified(chain.unverified)), icon=":material/key_off:")
    if not chain.broken and not chain.unverified.count:
        installation.keep_audit_end(*chain.end)
        st.success(
            _n(
                "{n} entry, each follows from the one before: nothing was changed or taken out.",
                "{n} entries, each follows from the one before: nothing was changed or taken out.",
                chain.entries,
            ),
            icon=":material/verified:",
        )


def _exports(view: View, wanted: AuditFilter, count: int) -> None:
    if not view.may(Action.EXPORT):
        return
    columns = [
        Column("number", _("Number"), "count"),
        Column("at", _("When"), "instant"),
        Column("username", _("Person")),
        Column("action", _("Action")),
        Column("kind", _("Kind of record")),
        Column("record_id", _("Record's number"), "count"),
        Column("before", _("Before")),
        Column("after", _("After")),
        Column("origin", _("From where")),
        Column("hash", _("Hash")),
    ]
    code, later, stem = language(), view.later(), f"luopan-audit-{view.today.isoformat()}"

    def file(kind: str) -> bytes:
        with speaking(code):
            frame = later().ask(audit_export, wanted=wanted)
            frame["record_id"] = (
                frame["record_id"].astype("Int64").astype(object).where(frame["record_id"].notna(), None)
            )
            if kind == "csv":
                return csv_bytes(frame, columns, view.zone)
            return xlsx_bytes(frame, columns, view.zone, title="audit")

    if count > MOST_EXPORTED:
        st.caption(_("Files hold the newest {n} at most.", n=format_number(MOST_EXPORTED)))
    for kind, mime in (
        ("csv", "text/csv"),
        ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ):
        st.download_button(
            kind.upper(),
            partial(file, kind),
            file_name=f"{stem}.{kind}",
            mime=mime,
            on_click="ignore",
            type="tertiary",
            icon=":material/download:",
            key=f"{kind}-audit",
        )


def _who(entry: Entry) -> str:
    return f"{entry.who} ({entry.username})" if entry.who else entry.username


def _list(view: View, found: list[Entry]) -> Entry | None:
    frame = pd.DataFrame(
        [
            {
                "at": format_instant(entry.at, view.zone),
                "who": _who(entry),
                "action": action_name(entry.action),
                "record": f"{kind_name(entry.kind)} {entry.record_id or ''}".strip(),
                "changes": _in_short(entry),
            }
            for entry in found
        ]
    )
    event = st.dataframe(
        frame,
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row",
        key="audit-list",
        height=min(36 * (len(frame) + 1) + 3, 560),
        column_config={
            "at": st.column_config.Column(_("When"), width=160),
            "who": st.column_config.Column(_("Person"), width=200),
            "action": st.column_config.Column(_("Action"), width=180),
            "record": st.column_config.Column(_("Record"), width=120),
            "changes": st.column_config.Column(_("What changed"), width=400),
        },
    )
    rows = cast("Any", event).selection.rows
    return found[rows[0]] if rows and rows[0] < len(found) else None


def _in_short(entry: Entry) -> str:
    told = []
    for change in entry.differences[:_TOLD]:
        before, after = (value_name(entry.kind, change.field, said) for said in (change.before, change.after))
        value = after if before is None else f"{before} → {'–' if after is None else after}"
        told.append(_("{label}: {value}", label=field_name(change.field), value=value))
    more = len(entry.differences) - _TOLD
    return "; ".join(told) + (f"; +{more}" if more > 0 else "")


def _detail(view: View, entry: Entry) -> None:
    with st.container(border=True):
        st.subheader(plain(f"{kind_name(entry.kind)} {entry.record_id or ''}".strip()), anchor=False)
        st.caption(
            plain(
                " · ".join(
                    word
                    for word in (
                        _("Entry {n}", n=entry.number),
                        action_name(entry.action),
                        format_instant(entry.at, view.zone),
                        _who(entry),
                        entry.origin,
                    )
                    if word
                )
            )
        )
        frame = pd.DataFrame(
            [
                {
                    "field": field_name(one.field),
                    "before": value_name(entry.kind, one.field, one.before),
                    "after": value_name(entry.kind, one.field, one.after),
                }
                for one in entry.differences
            ]
        )
        columns = [
            Column("field", _("Field")),
            Column("before", _("Before"), width="large"),
            Column("after", _("After"), width="large"),
        ]
        empty = _("This entry says that it happened; no record changed by it.")
        table(view, frame, columns, name="audit-difference", export=False, empty=empty)
