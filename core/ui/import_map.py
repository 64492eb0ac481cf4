"""The mapping step: what each file is, what its columns mean, and the rules of the import."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from core.domain.stages import StageKind
from core.i18n import N_, _, _n
from core.importing.batches import stage_words
from core.importing.choices import Choices, NoAmount, NoCustomer, StageChoice, Undated
from core.importing.encodings import CHOICES, ENCODINGS
from core.importing.fields import FIELDS, KIND_NAMES, FileKind
from core.importing.mapping import FileMapping
from core.importing.readers import sheet_names, text_of
from core.ui.import_state import ImportState, Upload, read, settle, take_as
from core.ui.page import plain
from core.ui.selling import STATE_NAMES

if TYPE_CHECKING:
    from core.importing.ledger import Source
    from core.queries.imports import Reference
    from core.ui.page import View

NOT_READ = N_("– not read –")


def map_files(view: View, now: ImportState) -> bool:
    """Draw the step; say whether every file has what it needs."""
    reference = settle(view, now)
    ready = True
    for place, upload in enumerate(now.uploads):
        ready = _map_file(now, place, upload, reference) and ready
    kinds = {source.mapping.kind for source in now.sources}
    if not kinds - {FileKind.NONE}:
        st.warning(_("Say of at least one file what it holds."), icon=":material/help:")
        return False
    if kinds & {FileKind.DEALS, FileKind.HISTORY, FileKind.ORDERS}:
        reference = settle(view, now)
        assert now.choices is not None  # noqa: S101 - settle has just made them
        st.subheader(_("Stages and rules"), anchor=False)
        choices = _process(now, now.choices, reference)
        now.decide(_rules(now, choices, kinds))
    return ready


def _map_file(now: ImportState, place: int, upload: Upload, reference: Reference) -> bool:
    source = upload.source
    if source is None:
        st.error(plain(upload.refusal), icon=":material/block:")
        return True
    with st.container(border=True):
        left, middle, right = st.columns([2, 2, 1], vertical_alignment="bottom")
        left.markdown(f"**{plain(source.table.file)}**")
        rows = _n("{n} row", "{n} rows", len(source.table.rows))
        left.caption(" · ".join(part for part in (rows, ENCODINGS.get(source.table.encoding, "")) if part))
        kinds = list(KIND_NAMES)
        key = f"{now.round}-{place}"
        chosen = middle.selectbox(
            _("What the rows are"), kinds, index=kinds.index(source.mapping.kind),
            format_func=lambda kind: _(KIND_NAMES[kind]), key=f"import-kind-{key}",
        )  # fmt: skip
        if chosen is not source.mapping.kind:
            take_as(source, chosen)
            now.changed()
            st.rerun()
        _layout(now, upload, right, key, reference)
        if source.table.unreadable:
            st.warning(
                _n(
                    "{n} letter of this file could not be read. Choose another encoding under “Reading the file”.",
                    "{n} letters of this file could not be read. Choose another encoding under “Reading the file”.",
                    source.table.unreadable,
                ),
                icon=":material/translate:",
            )
        if chosen is FileKind.NONE:
            return True
        _columns(now, source, key)
        _denomination(now, source, key, reference)
        labels = {one.name: _(one.label) for one in FIELDS[chosen]}
        missing = source.mapping.missing
        if missing:
            st.error(
                _("Still needed: {fields}", fields=", ".join(labels[name] for name in missing)),
                icon=":material/priority_high:",
            )
        elif source.mapping.remembered:
            st.caption(_("Mapped as the last time such a file was imported."))
        return not missing


def _layout(now: ImportState, upload: Upload, place: Any, key: str, reference: Reference) -> None:
    assert upload.source is not None  # noqa: S101 - the caller looked
    with place.popover(_("Reading the file"), icon=":material/table:", width="stretch"):
        names = sheet_names(upload.file)
        sheet = upload.source.table.sheet
        if len(names) > 1:
            sheet = st.selectbox(_("Sheet"), names, index=names.index(sheet), key=f"import-sheet-{key}")
        header = st.number_input(
            _("Row with the column names"), min_value=1, value=upload.source.table.header_row, key=f"import-head-{key}"
        )
        table = upload.source.table
        encoding = table.encoding
        if encoding:
            codes = list(dict.fromkeys([encoding, *CHOICES]))
            encoding = st.selectbox(
                _("Encoding"), codes, key=f"import-encoding-{key}",
                format_func=lambda code: ENCODINGS.get(code, code),
                help=_("How the file's letters are stored. It was found by itself; change it where names look wrong."),
            )  # fmt: skip
            separator = {"\t": "Tab"}.get(table.separator, table.separator)
            st.caption(_("Separator {separator}", separator=separator))
        if sheet != table.sheet or header != table.header_row or encoding != table.encoding:
            same_rows = sheet == table.sheet and encoding == table.encoding
            upload.sheet, upload.header_row = sheet or None, int(header) if same_rows else None
            upload.encoding = encoding or None
            read(upload, reference)
            now.changed()
            st.rerun()


def _columns(now: ImportState, source: Source, key: str) -> None:
    kind = source.mapping.kind
    labels = {one.name: _(one.label) for one in FIELDS[kind]}
    fields = {label: name for name, label in labels.items()}
    table = source.table
    frame = pd.DataFrame(
        {
            "column": table.columns,
            "field": [labels.get(source.mapping.columns.get(column, ""), _(NOT_READ)) for column in table.columns],
            "example": [_examples(table.rows, index) for index in range(len(table.columns))],
        }
    )
    edited = st.data_editor(
        frame, hide_index=True, disabled=["column", "example"], key=f"import-columns-{key}-{kind}",
        column_config={
            "column": st.column_config.TextColumn(_("Column in the file")),
            "field": st.column_config.SelectboxColumn(
                _("What it means"), options=[_(NOT_READ), *labels.values()], required=True
            ),
            "example": st.column_config.TextColumn(_("For example"), width="large"),
        },
    )  # fmt: skip
    columns = {
        column: fields[label]
        for column, label in zip(edited["column"], edited["field"], strict=True)
        if label in fields
    }
    if columns != dict(source.mapping.columns):
        source.mapping = FileMapping(kind, columns, currency=source.mapping.currency)
        now.choices, now.preview = None, None


def _denomination(now: ImportState, source: Source, key: str, reference: Reference) -> None:
    """Ask in which currency the amounts are, where the file does not say."""
    column = source.mapping.undenominated
    if column is None:
        return
    base = reference.base_currency
    codes = [base, *sorted(reference.currencies - {base})]
    present = source.mapping.currency or base
    left, right = st.columns([1, 2], vertical_alignment="bottom")
    chosen = left.selectbox(
        _("Currency of the amounts"), codes, index=codes.index(present) if present in codes else 0,
        format_func=lambda code: _("{currency} (base currency)", currency=code) if code == base else code,
        key=f"import-currency-{key}-{source.mapping.kind}",
    )  # fmt: skip
    said = _(
        "No column of this file names a currency: every number in “{column}” is taken as {currency}.",
        column=column, currency=chosen,
    )  # fmt: skip
    right.info(plain(said), icon=":material/payments:")
    if chosen != base and not reference.rates.get(chosen):
        st.warning(
            _("There is no exchange rate for {currency} yet: deals in it would be refused. Add one in Settings first.",
              currency=chosen),
            icon=":material/currency_exchange:",
        )  # fmt: skip
    if chosen != source.mapping.currency:
        source.mapping = replace(source.mapping, currency=chosen)
        now.preview = None


def _examples(rows: Any, index: int) -> str:
    found: dict[str, None] = {}
    for row in rows[:200]:
        text = text_of(row[index])
        if text:
            found[text[:40]] = None
        if len(found) == 3:
            break
    return " · ".join(found)


def _process(now: ImportState, choices: Choices, reference: Reference) -> Choices:
    words = stage_words(now.sources)
    if not words:
        return choices
    codes = ["", *(one.external_id or "" for one in reference.pipelines)]
    names = {one.external_id or "": one.name for one in reference.pipelines} | {"": _("A new process")}
    left, right = st.columns(2)
    pipeline = left.selectbox(
        _("Sales process"), codes, index=codes.index(choices.pipeline), format_func=lambda code: names[code],
        key=f"import-process-{now.round}",
        help=_("The stages of the files become a new process, or are matched with one there is."),
    )  # fmt: skip
    if pipeline != choices.pipeline:
        stages = tuple(replace(one, code="" if not pipeline else None) for one in choices.stages)
        choices = replace(choices, pipeline=pipeline, stages=stages)
    if not pipeline:
        name = right.text_input(
            _("Name of the new process"), choices.process_name, max_chars=80, key=f"import-process-name-{now.round}"
        )
        choices = replace(choices, process_name=name)
        return replace(choices, stages=_new_stages(now, choices, words))
    return replace(choices, stages=_matched_stages(now, choices, words, reference))


def _new_stages(now: ImportState, choices: Choices, words: Any) -> tuple[StageChoice, ...]:
    kinds = {_(label): kind for kind, label in STATE_NAMES.items()}
    frame = pd.DataFrame(
        {
            "order": range(1, len(choices.stages) + 1),
            "word": [one.word for one in choices.stages],
            "kind": [_(STATE_NAMES[one.kind]) for one in choices.stages],
            "rows": [words[one.word] for one in choices.stages],
        }
    )
    st.caption(_("Put the stages in the order in which deals pass them, and say which mean won and lost."))
    edited = st.data_editor(
        frame, hide_index=True, disabled=["word", "rows"], key=f"import-stages-new-{now.round}",
        column_config={
            "order": st.column_config.NumberColumn(_("Step"), min_value=1, step=1, required=True),
            "word": st.column_config.TextColumn(_("Stage")),
            "kind": st.column_config.SelectboxColumn(_("Means"), options=list(kinds), required=True),
            "rows": st.column_config.NumberColumn(_("Rows")),
        },
    )  # fmt: skip
    ordered = edited.sort_values("order", kind="stable")
    return tuple(StageChoice(word, kinds[kind]) for word, kind in zip(ordered["word"], ordered["kind"], strict=True))


def _matched_stages(now: ImportState, choices: Choices, words: Any, reference: Reference) -> tuple[StageChoice, ...]:
    pipeline = next(one for one in reference.pipelines if one.external_id == choices.pipeline)
    stages = [stage for stage in reference.stages if stage.pipeline_id == pipeline.id]
    named = {stage.name: stage for stage in stages}
    codes = {stage.code: stage.name for stage in stages}
    frame = pd.DataFrame(
        {
            "word": [one.word for one in choices.stages],
            "stage": [codes.get(one.code or "", _(NOT_READ)) for one in choices.stages],
            "rows": [words[one.word] for one in choices.stages],
        }
    )
    st.caption(_("Rows whose stage is not matched are refused."))
    edited = st.data_editor(
        frame, hide_index=True, disabled=["word", "rows"], key=f"import-stages-{now.round}-{choices.pipeline}",
        column_config={
            "word": st.column_config.TextColumn(_("Stage in the file")),
            "stage": st.column_config.SelectboxColumn(
                _("Stage of the process"), options=[_(NOT_READ), *named], required=True
            ),
            "rows": st.column_config.NumberColumn(_("Rows")),
        },
    )  # fmt: skip
    return tuple(
        StageChoice(word, named[stage].kind, named[stage].code) if stage in named else StageChoice(word, code=None)
        for word, stage in zip(edited["word"], edited["stage"], strict=True)
    )


def _rules(now: ImportState, choices: Choices, kinds: set[FileKind]) -> Choices:
    left, middle, right = st.columns(3)
    key = now.round
    if FileKind.DEALS in kinds:
        customers: dict[NoCustomer, str] = {
            "placeholder": _("Put under one named customer"),
            "refuse": _("Refuse the row"),
        }
        no_customer = left.selectbox(
            _("Rows without a customer"), list(customers), format_func=customers.__getitem__,
            index=list(customers).index(choices.no_customer), key=f"import-no-customer-{key}",
        )  # fmt: skip
        name = choices.no_customer_name
        if no_customer == "placeholder":
            name = left.text_input(
                _("Name of that customer"), name, max_chars=200, key=f"import-no-customer-name-{key}"
            )
        undated_rules: dict[Undated, str] = {"day": _("Open them on one day"), "refuse": _("Refuse the row")}
        undated = middle.selectbox(
            _("Deals without an opening day"), list(undated_rules), format_func=undated_rules.__getitem__,
            index=list(undated_rules).index(choices.undated), key=f"import-undated-{key}",
        )  # fmt: skip
        day = choices.undated_on
        if undated == "day":
            day = middle.date_input(
                _("That day (empty: the last day in the files)"), day, key=f"import-undated-on-{key}"
            )
        amounts: dict[NoAmount, str] = {
            "list_price": _("Take the list price"),
            "zero": _("Take 0"),
            "refuse": _("Refuse the row"),
        }
        no_amount = right.selectbox(
            _("Deals without a value"), list(amounts), format_func=amounts.__getitem__,
            index=list(amounts).index(choices.no_amount), key=f"import-no-amount-{key}",
        )  # fmt: skip
        choices = replace(
            choices, no_customer=no_customer, no_customer_name=name.strip() or choices.no_customer_name,
            undated=undated, undated_on=day, no_amount=no_amount,
        )  # fmt: skip
        opened = [one.word for one in choices.stages if one.kind is StageKind.OPEN]
        if opened:
            first = choices.opened_stage if choices.opened_stage in opened else opened[0]
            stage = right.selectbox(
                _("Stage in which the opening day begins"), opened, index=opened.index(first),
                key=f"import-opened-stage-{key}",
                help=_("Won and lost deals get two steps: into this stage on the opening day, and the close."),
            )  # fmt: skip
            choices = replace(choices, opened_stage=stage)
    house = left.text_input(_("Rep for rows without one"), choices.house_rep, max_chars=80, key=f"import-house-{key}")
    return replace(choices, house_rep=house.strip() or choices.house_rep)
