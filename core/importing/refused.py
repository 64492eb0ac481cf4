"""The refused rows, given back as they came with the reason beside them; formulas defused."""

from __future__ import annotations

import csv
import io
from collections import defaultdict

from core.i18n import _
from core.importing.batches import Preview
from core.importing.ledger import Outcome
from core.importing.readers import text_of

_RUNS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def refused_rows(preview: Preview, file: int) -> tuple[list[str], list[list[str]]]:
    """Return one file's refused rows with their headings: the file's own columns, every reason, the row number."""
    source = preview.sources[file]
    reasons: dict[int, list[str]] = defaultdict(list)
    for problem in preview.ledger.problems:
        if problem.is_error and problem.file == source.table.file:
            said = problem.message()
            reasons[problem.row].append(f"{problem.column}: {said}" if problem.column else said)
    rows = [
        [*(text_of(cell) for cell in cells), "; ".join(reasons[number]), str(number)]
        for number, cells in zip(source.table.row_numbers, source.table.rows, strict=True)
        if preview.ledger.outcomes.get((file, number)) is Outcome.REFUSED
    ]
    return [*source.table.columns, _("Reason for refusal"), _("Row in the file")], rows


def refused_csv(preview: Preview, file: int) -> bytes:
    """Return one file's refused rows as CSV that opens right in a spreadsheet and runs nothing there.

    Numbers stay as they are, so that the mended file can be imported.
    """
    headings, rows = refused_rows(preview, file)
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow([_defused(text) for text in headings])
    writer.writerows([_defused(text) for text in row] for row in rows)
    return out.getvalue().encode("utf-8-sig")


def _defused(text: str) -> str:
    if not text.startswith(_RUNS):
        return text
    try:
        float(text.replace(",", ""))
    except ValueError:
        return f"'{text}"
    return text
