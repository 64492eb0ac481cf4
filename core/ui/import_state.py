"""Where somebody stands in an import: the files, the mapping and the choices, kept while they go to and fro."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from uuid import uuid4

import streamlit as st

from core.importing.batches import (
    Preview,
    deal_numbers,
    offered_pairs,
    prepare,
    suggest_choices,
)
from core.importing.choices import Choices
from core.importing.fields import FileKind
from core.importing.ledger import Source
from core.importing.mapping import FileMapping, suggest, suggest_columns
from core.importing.matching import NearPair
from core.importing.readers import SourceFile, UnreadableFile, read_table
from core.queries.imports import Reference, import_reference, known_deals

if TYPE_CHECKING:
    from core.services.imports import Applied
    from core.ui.page import View

COLLECT, MAP, REVIEW, RESULT = range(4)
_KEY = "luopan_import"


@dataclass
class Upload:
    """One file in the batch, how it is read, and what it is taken for."""

    file: SourceFile
    sheet: str | None = None
    header_row: int | None = None
    encoding: str | None = None
    source: Source | None = None
    refusal: str = ""


@dataclass
class ImportState:
    """One import in one browser tab."""

    step: int = COLLECT
    uploads: list[Upload] = field(default_factory=list)
    choices: Choices | None = None
    pairs: list[NearPair] = field(default_factory=list)
    waiting: dict[int, bool] = field(default_factory=dict)
    preview: Preview | None = None
    applied: Applied | None = None
    key: str = field(default_factory=lambda: uuid4().hex)
    round: int = 0

    @property
    def sources(self) -> list[Source]:
        """The files that can be read."""
        return [upload.source for upload in self.uploads if upload.source is not None]

    def add(self, files: list[SourceFile], reference: Reference) -> None:
        """Put files into the batch; one that is there already is not put in twice."""
        there = {upload.file.hash for upload in self.uploads}
        for file in files:
            if file.hash not in there:
                upload = Upload(file)
                self.uploads.append(upload)
                read(upload, reference)
        self.changed()

    def remove(self, place: int) -> None:
        """Take a file out of the batch."""
        del self.uploads[place]
        self.changed()

    def changed(self) -> None:
        """Forget what followed from the files and mappings as they were."""
        self.choices, self.preview, self.pairs = None, None, []
        self.waiting.clear()
        self.round += 1

    def decide(self, choices: Choices) -> None:
        """Take other choices; the preview is made anew."""
        self.waiting.clear()
        if choices != self.choices:
            self.choices, self.preview = choices, None

    def go(self, step: int) -> None:
        """Show another step."""
        self.step = step


def state() -> ImportState:
    """Return this tab's import, begun where there is none."""
    kept: ImportState = st.session_state.setdefault(_KEY, ImportState())
    return kept


def start_over() -> None:
    """Begin a new import."""
    st.session_state[_KEY] = ImportState()


def read(upload: Upload, reference: Reference) -> None:
    """Read a file with its sheet, heading row and encoding, and suggest what it is."""
    upload.source, upload.refusal = None, ""
    try:
        table = read_table(upload.file, sheet=upload.sheet, header_row=upload.header_row, encoding=upload.encoding)
    except UnreadableFile as error:
        upload.refusal = error.message()
        return
    upload.source = Source(table, suggest(table, reference.mappings), upload.file.hash)


def take_as(source: Source, kind: FileKind) -> None:
    """Take a file for another kind; its columns are suggested anew."""
    columns = suggest_columns(kind, source.table.columns)
    source.mapping = FileMapping(kind, columns, currency=source.mapping.currency)


def settle(view: View, now: ImportState) -> Reference:
    """Work out the choices, offered names and preview where they are missing; return the reference."""
    reference = view.ask(import_reference)
    if now.choices is None:
        now.choices = suggest_choices(now.sources, reference)
        now.pairs = offered_pairs(now.sources, reference)
    if now.preview is None and now.step == REVIEW:
        known = view.ask(known_deals, external_ids=deal_numbers(now.sources))
        now.preview = prepare(now.sources, reference, known, now.choices)
    return reference
