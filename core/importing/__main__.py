"""Importing from the command line: `python -m core.importing preview|apply|undo|export-history`."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from core import gate
from core.db.actors import actor_named
from core.db.work import open_database
from core.errors import SalesError
from core.i18n import _, parse_accept, use_language
from core.importing.batches import Preview, deal_numbers, offered_pairs, open_sources, prepare, suggest_choices
from core.importing.company import read_company, write_company
from core.importing.encodings import CHOICES, ENCODINGS
from core.importing.ledger import Outcome
from core.importing.readers import SourceFile
from core.importing.refused import refused_csv
from core.queries.imports import import_reference, known_deals
from core.services.imports import TouchedSince, apply_import, undo_import

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.access.actors import Actor
    from core.db.work import Database
    from core.importing.choices import Choices

_TABLES = frozenset({".csv", ".txt", ".tsv", ".xlsx", ".xls", ".xlsm"})
_SHOWN = 20


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 0 when done, 1 when refused."""
    options = _parser().parse_args(arguments)
    use_language(options.language or parse_accept(_locale()))
    database = open_database()
    now = datetime.now(UTC)
    try:
        actor = actor_named(database, options.user, now=now, origin="command line")
        return int(options.run(options, database, actor, now))
    except SalesError as error:
        print(error.message(), file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m core.importing", description=__doc__)
    commands = parser.add_subparsers(required=True)
    for name, run, about in (
        ("preview", _preview, "say what an import would do, row by row, and write nothing"),
        ("apply", _apply, "import what is right; refused rows go to files beside --refused"),
    ):
        command = commands.add_parser(name, help=about)
        command.add_argument("paths", nargs="+", type=Path, help="files, or a folder of them")
        command.add_argument("--merge", action="append", default=[], metavar="SUBJECT:WRITTEN=KNOWN",
                             help="take one name for another, e.g. product:GTXPro='GTX Pro'")  # fmt: skip
        command.add_argument(
            "--accept-merges", type=float, metavar="SCORE", help="accept every offered pair from this score (0-100)"
        )
        command.add_argument("--pipeline", help="code of the process to use instead of the suggested one")
        command.add_argument("--no-customer", choices=["placeholder", "refuse"])
        command.add_argument("--no-customer-name", metavar="NAME")
        command.add_argument("--undated", choices=["day", "refuse"])
        command.add_argument("--undated-on", type=date.fromisoformat, metavar="DATE")
        command.add_argument("--no-amount", choices=["list_price", "zero", "refuse"])
        command.add_argument("--expected-days", type=int)
        command.add_argument("--house-rep", metavar="NAME", help="who gets deals without a rep")
        command.add_argument("--currency", metavar="CODE", help="of amounts that no column gives one (else the base)")
        command.add_argument("--encoding", choices=CHOICES, help="of text files, where the one found is wrong")
        command.add_argument("--problems", action="store_true", help="print every problem, not counts by reason")
        command.add_argument("--refused", type=Path, metavar="DIR", help="folder for the refused rows")
        command.set_defaults(run=run)
    undo = commands.add_parser("undo", help="take an import back whole")
    undo.add_argument("batch", type=int)
    undo.add_argument("--keep-touched", action="store_true", help="keep what was worked on since")
    undo.set_defaults(run=_undo)
    export = commands.add_parser("export-history", help="write the company's deals with their whole history")
    export.add_argument("--out", type=Path, required=True)
    export.set_defaults(run=_export)
    for command in commands.choices.values():
        command.add_argument("--as", dest="user", required=True, metavar="USER", help="whose permissions count")
        command.add_argument("--language", choices=["zh", "en"])
    return parser


def _files(paths: Sequence[Path]) -> list[SourceFile]:
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            found.extend(sorted(one for one in path.iterdir() if one.suffix.lower() in _TABLES))
        else:
            found.append(path)
    return [SourceFile(path.name, path.read_bytes()) for path in found]


def _planned(options: argparse.Namespace, database: Database, actor: Actor, now: datetime) -> Preview:
    reference = gate.answer(database, actor, import_reference, now)
    sources = open_sources(
        _files(options.paths), reference, encoding=options.encoding, currency=(options.currency or "").upper()
    )
    pairs = offered_pairs(sources, reference)
    choices = suggest_choices(sources, reference)
    said: dict[str, Any] = {
        name: getattr(options, name)
        for name in (
            "pipeline", "no_customer", "no_customer_name", "undated", "undated_on", "no_amount", "expected_days",
            "house_rep",
        )
        if getattr(options, name) is not None
    }  # fmt: skip
    choices = _merged(replace(choices, **said), options)
    for pair in pairs:
        taken = pair.known == choices.merged(pair.subject, pair.written)
        if not taken and options.accept_merges is not None and pair.score >= options.accept_merges:
            choices, taken = choices.with_merge(pair.subject, pair.written, pair.known), True
        print(
            _("{subject}: “{written}” ({written_count}) looks like “{known}” ({known_count}), {score} of 100",
              subject=pair.subject, written=pair.written, written_count=pair.written_count, known=pair.known,
              known_count=pair.known_count, score=pair.score),
            "→", _("merged") if taken else _("left apart"),
        )  # fmt: skip
    known = gate.answer(database, actor, known_deals, now, external_ids=deal_numbers(sources))
    preview = prepare(sources, reference, known, choices)
    _say(preview, all_problems=options.problems)
    if options.refused is not None:
        options.refused.mkdir(parents=True, exist_ok=True)
        for index, source in enumerate(sources):
            if preview.ledger.counts(index)[Outcome.REFUSED]:
                (options.refused / f"refused-{Path(source.table.file).stem}.csv").write_bytes(
                    refused_csv(preview, index)
                )
    return preview


def _merged(choices: Choices, options: argparse.Namespace) -> Choices:
    for said in options.merge:
        subject, _colon, names = said.partition(":")
        written, _equals, known = names.partition("=")
        choices = choices.with_merge(subject, written, known)
    return choices


def _say(preview: Preview, *, all_problems: bool) -> None:
    for index, source in enumerate(preview.sources):
        counts = preview.ledger.counts(index)
        said = [str(source.mapping.kind), str(len(source.table.rows)), ENCODINGS.get(source.table.encoding, "")]
        said.append(", ".join(f"{end} {counts[end]}" for end in Outcome))
        print(f"{source.table.file}: {' · '.join(part for part in said if part)}")
    for said_of in preview.plan.files:
        if "currency" in said_of:
            print(
                _("The amounts of {file} are taken in {currency}.", file=said_of["name"], currency=said_of["currency"]),
                _("No column names another."),
            )
    for file, batch in preview.repeated:
        print(_("{file} was imported before (import {batch}).", file=file, batch=batch))
    problems = preview.problems
    if all_problems:
        for one in problems:
            mark = "✗" if one.is_error else "!"
            print(f"{mark} {one.file}:{one.row} [{one.column}] {one.value!r} {one.message()}")
        return
    for is_error in (True, False):
        counted = Counter(
            (one.file, _(one.reason) if len(one.values) else one.message())
            for one in problems
            if one.is_error is is_error
        )
        for (file, reason), count in counted.most_common(_SHOWN):
            print(f"{'✗' if is_error else '!'} {count:>6} {file}: {reason}")


def _preview(options: argparse.Namespace, database: Database, actor: Actor, now: datetime) -> int:
    _planned(options, database, actor, now)
    return 0


def _apply(options: argparse.Namespace, database: Database, actor: Actor, now: datetime) -> int:
    first = options.paths[0]
    if len(options.paths) == 1 and (first / "luopan.json").is_file():
        reference = gate.answer(database, actor, import_reference, now)
        plan = read_company(first, reference)
    else:
        preview = _planned(options, database, actor, now)
        plan = preview.plan
        if not plan.rows:
            print(_("Nothing new to import."))
            return 0
    done = gate.perform(database, actor, apply_import, now, plan=plan, key=uuid4().hex)
    print(
        _("Import {batch}: {made}", batch=done.batch_id, made=", ".join(f"{n} {name}" for name, n in done.made.items()))
    )
    return 0


def _undo(options: argparse.Namespace, database: Database, actor: Actor, now: datetime) -> int:
    try:
        done = gate.perform(
            database, actor, undo_import, now, batch_id=options.batch, keep_touched=options.keep_touched
        )
    except TouchedSince as error:
        for table, number, name in error.records:
            print(f"{table} {number} {name}")
        raise
    print(_("Removed: {removed}", removed=", ".join(f"{n} {name}" for name, n in done.removed.items())))
    if done.kept:
        print(
            _(
                "Kept, because it is used: {kept}",
                kept=", ".join(f"{t} {n} {label}".strip() for t, n, label in done.kept),
            )
        )
    return 0


def _export(options: argparse.Namespace, database: Database, actor: Actor, now: datetime) -> int:
    from core.queries.history_export import company_history

    tables = gate.answer(database, actor, company_history, now)
    write_company(options.out, tables, at=now)
    print(", ".join(f"{len(rows)} {name}" for name, rows in tables.items()))
    return 0


def _locale() -> str:
    import locale

    return locale.getlocale()[0] or ""


if __name__ == "__main__":
    sys.exit(main())
