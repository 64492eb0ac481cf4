"""Tables on screen: numbers in the reader's format, rows that open, files to take away."""

from __future__ import annotations

from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, cast

import streamlit as st

from core.access.actions import Action
from core.i18n import MISSING, N_, _, format_number
from core.reports.tables import Column, csv_bytes, is_missing, shown, xlsx_bytes
from core.ui import routes
from core.ui.table_widths import LAPTOP, fitting_widths

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pandas as pd

    from core.ui.page import View

NOTHING_HERE = N_("Nothing to show here yet.")
_STYLED_CELLS = 100_000
_MEASURED_ROWS = 200
_WHOLE_ROWS = 14
"""So many rows, a year's months and more, are shown without a scroll bar where nothing else is asked."""
_ROW_PX, _EDGES_PX = 33, 2
"""A row at the theme's size of type, the headings' too; the lines above and below a table."""
_CELL = "luopan_clicked_cell"
"""In the session: key of the table, row and column of the cell that a reader clicked, until it is drawn."""


def table(
    view: View,
    frame: pd.DataFrame,
    columns: Sequence[Column],
    *,
    name: str,
    opens: str | None = None,
    id_column: str = "id",
    height: int | None = None,
    empty: str | None = None,
    export: bool = True,
    room: int = LAPTOP,
    drawn: Mapping[str, Any] = MappingProxyType({}),
    picks: bool = False,
    stays: bool = False,
    most: int | None = None,
    params: Mapping[str, str] = MappingProxyType({}),
    on_cell: Callable[[int, str], None] | None = None,
) -> int | None:
    """Show `frame` with `columns`, and a menu that exports it as CSV and XLSX.

    `name` keys the widgets and names the files. With `opens` (a page's name) a click on a row's
    mark opens that page for the row's `id_column`, with `params`; with `picks` the row's place is returned. `on_cell`
    is called with row and column of a cell that was clicked. Long texts give way
    where `room` pixels are passed; with `stays` the first column, in grey, stays where a narrow screen scrolls
    sideways. `drawn`: columns of lists, small charts by their configuration, not exported. Of more rows than `most`
    the first so many are shown, and all on demand; files hold all.
    """
    if frame.empty:
        st.info(empty or _(NOTHING_HERE), icon=":material/inbox:")
        return None
    first = len(frame) if most is None or is_whole(name) else min(most, len(frame))
    body = frame[[*(column.key for column in columns), *drawn]].head(first).reset_index(drop=True)
    is_styled = body.size <= _STYLED_CELLS
    written = [_written(view, body[column.key].tolist(), column, all_rows=is_styled) for column in columns]
    widths = fitting_widths(
        [column.label for column in columns],
        [cells[:_MEASURED_ROWS] for cells in written],
        texts=[column.kind == "text" for column in columns],
        room=room,
        stays=stays,
    )
    config = {
        column.key: st.column_config.Column(
            column.label,
            width=column.width or width,
            help=column.help,
            pinned=stays and column is columns[0],
            alignment="right" if column.kind == "written" else None,
        )
        for column, width in zip(columns, widths, strict=True)
    } | dict(drawn)
    data = _showing(body, written) if is_styled else body
    key, modes = f"table-{name}", ["single-row"] if opens or picks else []
    options: dict[str, Any] = {"on_select": "rerun", "selection_mode": modes} if modes else {}
    if on_cell is not None:
        options = {"on_select": partial(_keep_cell, key), "selection_mode": [*modes, "single-cell"]}
    options["height"] = height or height_of(len(body), most=_WHOLE_ROWS)
    event = st.dataframe(data, hide_index=True, column_config=config, key=key, placeholder=MISSING, **options)
    if first < len(frame):
        rest_button(len(frame), name=name)
    if export:
        export_menu(view, frame, columns, name=name)
    rows = cast("Any", event).selection.rows if opens or picks else []
    if opens and rows and not is_missing(number := frame.iloc[rows[0]][id_column]):
        routes.go(opens, id=int(number), **params)
    if on_cell is not None and st.session_state.get(_CELL, ("",))[0] == key:
        on_cell(*st.session_state.pop(_CELL)[1:])
    return int(rows[0]) if rows else None


def _keep_cell(key: str) -> None:
    """Keep the cell that was clicked until the table is drawn."""
    picked = st.session_state[key].selection.cells
    if picked:
        st.session_state[_CELL] = (key, *picked[0])


def height_of(rows: int, *, most: int) -> int:
    """Return the height in pixels of a table that shows so many rows without a scroll bar, `most` at the most."""
    return _ROW_PX * (min(rows, most) + 1) + _EDGES_PX


def is_whole(name: str) -> bool:
    """Say whether the reader asked for all rows of the list `name`."""
    return bool(st.session_state.get(f"all_rows_{name}"))


def rest_button(count: int, *, name: str, of: str = "table") -> None:
    """Offer all `count` rows of a list that begins with its first ones."""
    label = _("Show all {n}", n=format_number(count))
    st.button(label, key=f"{name}-{of}-rest", type="tertiary", width="stretch", on_click=_unfold, args=(name,))


def _unfold(name: str) -> None:
    st.session_state[f"all_rows_{name}"] = True


def _written(view: View, values: list[Any], column: Column, *, all_rows: bool) -> list[str]:
    """Return a column's values as they are read, the first rows' alone where not `all_rows`.

    Amounts that are all whole go without cents.
    """
    write = shown(column, view.zone)
    texts = [write(value) for value in (values if all_rows else values[:_MEASURED_ROWS])]
    if column.kind != "money" or any(value % 1 for value in values if not is_missing(value)):
        return texts
    return [text.removesuffix(".00") for text in texts]


def _showing(body: pd.DataFrame, written: Sequence[Sequence[str]]) -> Any:
    """Return `body` as Streamlit shows it with the texts of its first columns in place of their values.

    A Styler that writes nothing itself: pandas makes a page of HTML of each table, of which Streamlit reads the
    texts alone, and that took most of the time in which a table was drawn.
    """
    styler: Any = body.style
    cells = [
        [{"id": f"row{row}_col{place}", "display_value": text} for place, text in enumerate(texts)]
        for row, texts in enumerate(zip(*written, strict=True))
    ]
    styler._compute = lambda: styler  # noqa: SLF001 - what Streamlit calls
    styler._translate = lambda *_sparse: {"body": cells}  # noqa: SLF001
    return styler


def export_menu(view: View, frame: pd.DataFrame, columns: Sequence[Column], *, name: str) -> None:
    """Offer `frame` as CSV and XLSX to those who may export; the files are made on the click."""
    if not view.may(Action.EXPORT):
        return
    stem = f"luopan-{name}-{view.today.isoformat()}"
    with st.container(horizontal=True, horizontal_alignment="right", gap="small"):
        st.download_button(
            "CSV",
            lambda: csv_bytes(frame, columns, view.zone),
            file_name=f"{stem}.csv",
            mime="text/csv",
            on_click="ignore",
            type="tertiary",
            icon=":material/download:",
            key=f"csv-{name}",
            help=_("Download this table as CSV"),
        )
        st.download_button(
            "XLSX",
            lambda: xlsx_bytes(frame, columns, view.zone, title=name),
            file_name=f"{stem}.xlsx",
            mime="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            on_click="ignore",
            type="tertiary",
            icon=":material/download:",
            key=f"xlsx-{name}",
            help=_("Download this table as an Excel workbook"),
        )
