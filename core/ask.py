"""Ask a question of the program from the command line, through the same gate as its pages.

python -m core.ask cohort_funnel --as USER --from 2026-01-01 --to 2026-04-01 --team 3 --json
python -m core.ask --help
"""

from __future__ import annotations

import argparse
import importlib
import inspect
import json
import pkgutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, get_args, get_origin, get_type_hints
from urllib.parse import parse_qs

import pandas as pd
from pandas.api.types import is_string_dtype
from pydantic import BaseModel

import core.queries
from core.analytics.as_of import AsOf
from core.analytics.attention import Need
from core.analytics.filters import Filters
from core.analytics.selection import Selection
from core.db import migrate
from core.db.actors import actor_named
from core.db.work import Database, open_database
from core.domain.periods import FiscalCalendar, Period, Preset, day_of
from core.domain.stages import StageKind
from core.errors import NotFound, SalesError, console_language
from core.gate import QUERIES, Entry, answer
from core.i18n import LANGUAGES, N_, _, speaking, use_language
from core.queries.audit import AuditFilter
from core.queries.deals import DealFilter
from core.reports.tables import defused

if TYPE_CHECKING:
    from collections.abc import Iterator

SHORT: Final = {
    "overview": "overview_kpis",
    "funnel": "cohort_funnel",
    "compare": "funnel_compare",
    "stays": "time_in_stage",
    "losses": "losses_by_stage",
    "drill": "deals_behind",
    "series": "booked_series",
}
"""Short names that a page goes by."""

FILTERS: Final = ("team", "territory", "product", "channel", "rep", "segment", "pipeline")
_GIVEN: Final = frozenset({"work", "period", "filters", "selection"})
_UNSAID: Final = frozenset({"password_hash", "token_hash"})
"""Columns that nobody reads, whoever asks."""


class Unreadable(ValueError):
    """An argument of the command line that cannot be read; the message says which."""


class NoPeriod(Unreadable):
    """The days given are no period."""

    text: Final = N_("--from and --to come together: two days written as 2026-01-31, the first one earlier.")

    def __str__(self) -> str:
        """Return the sentence in the reader's language."""
        return _(self.text)


class NoSuchUser(SalesError):
    """Nobody active signs in by this name."""

    text = N_("Nobody signs in as “{name}”. --as takes the name for signing in of an active account.")


class NotBegun(SalesError):
    """The database was never started, or is of an older program."""

    text = N_(
        "This database is empty or of an older version of the program. Start the program once: python -m core.serve"
    )


def questions() -> dict[str, Entry]:
    """Return every question that can be asked, by name."""
    for module in pkgutil.iter_modules(core.queries.__path__):
        importlib.import_module(f"{core.queries.__name__}.{module.name}")
    return {name: entry for name, entry in sorted(QUERIES.items()) if entry.askable}


def parser(entries: dict[str, Entry]) -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    made = argparse.ArgumentParser(
        prog="python -m core.ask",
        description="Ask a question of the program, as a user and in that user's scope.",
        epilog=_epilog(entries),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("name", choices=[*entries, *SHORT], metavar="NAME", help="the question (see below)")
    made.add_argument("--as", dest="user", required=True, metavar="USER", help="the user who asks")
    made.add_argument("--from", dest="start", metavar="DAY", help="first day of the period")
    made.add_argument("--to", dest="end", metavar="DAY", help="day after the last one of the period")
    made.add_argument("--preset", choices=list(Preset), help="a named period instead; else this quarter")
    for name in FILTERS:
        made.add_argument(f"--{name}", action="append", default=[], help="narrows; a number (a segment: its text)")
    made.add_argument("--language", choices=LANGUAGES, help="of names in the answer (default: en)")
    form = made.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="answer as JSON, as all is that is no table")
    form.add_argument("--csv", action="store_true", help="answer as CSV")
    made.add_argument(
        "--selection",
        default="",
        help="for drill: measure=…&by=…&key=…; the period and the filters are taken from the options",
    )
    made.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="any other argument of the question"
    )
    return made


def _epilog(entries: dict[str, Entry]) -> str:
    lines = ["questions:"]
    for name, entry in entries.items():
        short = [alias for alias, whole in SHORT.items() if whole == name]
        lines.append(f"  {name}{' (' + ', '.join(short) + ')' if short else ''}")
        doc = inspect.getdoc(entry.function) or ""
        lines.append(f"      {doc.splitlines()[0] if doc else ''}")
        lines.extend(f"      {line}" for line in _arguments_said(entry))
    lines += ["", "What each column means: docs/queries.md"]
    return "\n".join(lines).replace("%", "%%")


def _arguments_said(entry: Entry) -> Iterator[str]:
    taken, others = [], []
    hints = _hints(entry)
    for name, parameter in inspect.signature(entry.function).parameters.items():
        if name == "wanted":
            others += [f"--set {part}=…" for part in _WANTED[entry.name]]
            taken += ["the filters"] if entry.name.startswith("deals") else []
            continue
        if name in _GIVEN:
            options = {"period": "--from --to", "filters": "the filters", "selection": "--selection"}
            taken += [options[name]] if name in options else []
            continue
        choices = "|".join(str(choice) for choice in _choices(hints.get(name)))
        needed = "" if parameter.default is not inspect.Parameter.empty else " (needed)"
        others.append(f"--set {name}={choices or '…'}{needed}")
    if taken or others:
        yield "takes " + ", ".join([*taken, *others])


def _hints(entry: Entry) -> dict[str, Any]:
    """Return the types of a question's own arguments; text where a type is known to checkers alone."""
    function = inspect.unwrap(entry.function)
    found: dict[str, Any] = {}
    for name, annotation in function.__annotations__.items():
        if name not in _GIVEN and name != "return":
            lonely = type("Lonely", (), {"__annotations__": {name: annotation}})
            try:
                found |= get_type_hints(lonely, globalns=function.__globals__)
            except NameError:
                found[name] = str
    return found


def _choices(hint: Any) -> tuple[Any, ...]:
    if get_origin(hint) is Literal:
        return get_args(hint)
    return tuple(choice for part in get_args(hint) for choice in _choices(part))


def arguments(entry: Entry, said: argparse.Namespace, *, today: date, calendar: FiscalCalendar) -> dict[str, Any]:
    """Return the keyword arguments of a question; raises Unreadable."""
    hints = _hints(entry)
    others = dict(_pair(text) for text in said.set)
    period = _period(said, today=today, calendar=calendar)
    filters = Filters.from_params({name: getattr(said, name) for name in FILTERS})
    found: dict[str, Any] = {}
    for name, parameter in inspect.signature(entry.function).parameters.items():
        if name == "work":
            continue
        if name == "period":
            found[name] = period
        elif name == "filters":
            found[name] = filters
        elif name == "selection":
            found[name] = _selection(said.selection, period, filters)
        elif name == "wanted":
            found[name] = _wanted(entry, others, filters)
        elif name in others:
            found[name] = _value(others.pop(name), hints[name], name)
        elif parameter.default is inspect.Parameter.empty:
            raise Unreadable(f"{entry.name} needs --set {name}=…")
    if others:
        raise Unreadable(f"{entry.name} takes no {', '.join(sorted(others))}")
    return found


_DEALS: Final = ("search", "state", "need", "expected", "closed", "opened")
_ENTRIES: Final = ("username", "action", "kind", "record_id", "text", "during")
_WANTED: Final = {"deals_page": _DEALS, "deals_board": _DEALS, "audit_entries": _ENTRIES, "audit_count": _ENTRIES}
"""What a list can be narrowed by with `--set`; days as 2026-01-01..2026-04-01, the last one not counted."""


def _wanted(entry: Entry, others: dict[str, str], filters: Filters) -> DealFilter | AuditFilter:
    """Return which rows a list shall hold; takes what it reads out of `others`."""
    said = {name: others.pop(name) for name in _WANTED[entry.name] if name in others}
    periods = {name: _value(said[name], Period, name) for name in ("expected", "closed", "opened", "during")
               if name in said}  # fmt: skip
    if entry.name.startswith("audit"):
        number = _value(said["record_id"], int, "record_id") if "record_id" in said else None
        texts = {name: said.get(name, "") for name in ("username", "action", "kind", "text")}
        return AuditFilter(**texts, record_id=number, period=periods.get("during"))
    state = said.get("state")
    if state is not None and state not in set(StageKind):
        raise Unreadable(f"state is one of {', '.join(StageKind)}")
    return DealFilter(
        search=said.get("search", ""),
        states=(StageKind(state),) if state else (),
        need=_value(said["need"], Need, "need") if "need" in said else None,
        filters=filters,
        **periods,
    )


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise Unreadable(f"--set wants NAME=VALUE, not {text}")
    return name, value


def _period(said: argparse.Namespace, *, today: date, calendar: FiscalCalendar) -> Period:
    if said.start or said.end:
        try:
            return Period(date.fromisoformat(said.start or ""), date.fromisoformat(said.end or ""))
        except ValueError as error:
            raise NoPeriod from error
    return calendar.preset(Preset(said.preset or Preset.THIS_QUARTER), today=today)


def _selection(text: str, period: Period, filters: Filters) -> Selection:
    params: dict[str, list[str]] = {
        "from": [period.start.isoformat()],
        "to": [period.end.isoformat()],
        **filters.to_params(),
        **parse_qs(text),
    }
    found = Selection.from_params(params)
    if found is None:
        raise Unreadable("--selection names no measure, e.g. measure=won or measure=reached:3")
    return found


def _value(text: str, hint: Any, name: str) -> Any:
    """Return `text` as what the parameter's type wants."""
    choices = _choices(hint)
    if choices:
        if text not in choices:
            raise Unreadable(f"{name} is one of {', '.join(map(str, choices))}")
        return text
    kinds = {hint, *get_args(hint)}
    try:
        if get_origin(hint) is tuple:
            return tuple(int(part) if int in kinds else part for part in text.split(",") if part)
        if bool in kinds:
            return {"true": True, "1": True, "false": False, "0": False}[text.lower()]
        if AsOf in kinds:
            on, _slash, known = text.partition("/")
            return AsOf(date.fromisoformat(on), "then" if known == "then" else "now")
        if Period in kinds:
            start, _dots, end = text.partition("..")
            return Period(date.fromisoformat(start), date.fromisoformat(end))
        if date in kinds:
            return date.fromisoformat(text)
        if int in kinds:
            return int(text)
    except (KeyError, ValueError) as error:
        raise Unreadable(f"{name} cannot be {text}") from error
    return text


def as_frame(answered: Any) -> pd.DataFrame | None:
    """Return an answer as a frame, None for one that is no table."""
    if isinstance(answered, pd.DataFrame):
        return answered
    told = as_tree(answered)
    if isinstance(told, list) and all(isinstance(row, dict) for row in told):
        return pd.DataFrame(told) if all(_is_flat(row) for row in told) else None
    if isinstance(told, dict):
        return pd.DataFrame([told]) if _is_flat(told) else None
    return None if isinstance(told, list) else pd.DataFrame({"answer": [told]})


def _is_flat(row: Mapping[str, Any]) -> bool:
    return not any(isinstance(value, (dict, list)) for value in row.values())


def as_tree(answered: Any) -> Any:
    """Return any answer as lists, dicts by text, and values; what nobody reads is left out."""
    if isinstance(answered, pd.DataFrame):
        return [as_tree(row) for row in answered.to_dict("records")]
    if isinstance(answered, BaseModel):
        return as_tree({name: getattr(answered, name) for name in type(answered).model_fields})
    if is_dataclass(answered) and not isinstance(answered, type):
        return as_tree({field.name: getattr(answered, field.name) for field in fields(answered)})
    if isinstance(answered, tuple) and hasattr(answered, "_asdict"):
        return as_tree(answered._asdict())
    if isinstance(answered, Mapping):
        return {_key(key): as_tree(value) for key, value in answered.items() if key not in _UNSAID}
    if isinstance(answered, (Sequence, set, frozenset)) and not isinstance(answered, (str, bytes)):
        return [as_tree(item) for item in answered]
    return answered


def _key(key: Any) -> str:
    return "/".join(map(str, key)) if isinstance(key, tuple) else str(key)


def as_json(told: Any) -> str:
    """Return a frame or a tree as JSON; missing numbers are null, days and instants ISO, money exact text."""
    return json.dumps(_plain(as_tree(told)), ensure_ascii=False, indent=1, default=str)


def as_csv(frame: pd.DataFrame) -> str:
    """Return a frame as CSV in which no text, heading or group is taken for a formula by a spreadsheet."""
    texts = [name for name in frame.columns if frame[name].dtype == object or is_string_dtype(frame[name].dtype)]
    safe = frame.assign(**{name: frame[name].map(_safe) for name in texts})
    return safe.to_csv(index=False, header=[defused(str(name)) for name in frame.columns])


def _safe(value: Any) -> Any:
    return defused(value) if isinstance(value, str) else value


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, Decimal):
        return str(value)
    if pd.api.types.is_scalar(value) and pd.isna(value):
        return None
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    return value.item() if hasattr(value, "item") else value


def _is_begun(database: Database) -> bool:
    """Say whether there is a database of this version; makes no file where there is none."""
    url = database.engine.url
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
        return False
    return migrate.is_current(database.engine)


def main(given: Sequence[str] | None = None, *, database: Database | None = None, now: datetime | None = None) -> int:
    """Answer one command line; 2 for one that cannot be read, 1 for a refusal."""
    entries = questions()
    said = parser(entries).parse_args(given)
    use_language(said.language or "en")
    reader = said.language or console_language()
    now = now or datetime.now(UTC)
    opened = database or open_database()
    try:
        if database is None and not _is_begun(opened):
            raise NotBegun
        try:
            actor = actor_named(opened, said.user, now=now, origin="command line")
        except NotFound:
            raise NoSuchUser(name=said.user) from None
        with opened.reading(actor, now=now) as work:
            calendar = work.calendar
        entry = entries[SHORT.get(said.name, said.name)]
        values = arguments(entry, said, today=day_of(now, opened.zone), calendar=calendar)
        told = answer(opened, actor, entry.function, now, **values)
    except Unreadable as error:
        with speaking(reader):
            print(error, file=sys.stderr)
        return 2
    except SalesError as error:
        with speaking(reader):
            print(error.message(), file=sys.stderr)
        return 1
    finally:
        if database is None:
            opened.close()
    frame = as_frame(told)
    if said.json or frame is None:
        print(as_json(told if frame is None else frame))
    elif said.csv:
        print(as_csv(frame), end="")
    else:
        print(frame.to_string(index=False))
    return 0


if __name__ == "__main__":
    sys.exit(main())
