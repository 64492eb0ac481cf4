"""`python -m core.jobs JOB`: what an installation's own clock calls, by cron or a timer."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast, get_args

from core.db import migrate
from core.db.work import open_database
from core.errors import SalesError
from core.forecasting.many import Together
from core.forecasting.runs import open_pool
from core.i18n import _, _n, use_language
from core.jobs.nightly_forecast import Of, forecast_every_scope
from core.jobs.period_awards import give_due_awards
from core.queries.series import Measure
from core.settings import settings

if TYPE_CHECKING:
    from core.access.actors import Actor
    from core.forecasting.many import Progress


def main(arguments: list[str] | None = None) -> int:
    """Do one job; return 0, or 1 where it was refused or a part of it failed."""
    chosen = _parser().parse_args(arguments)
    use_language(settings().default_language or "en")
    settings().data_dir.mkdir(parents=True, exist_ok=True)
    migrate.migrate(settings().url)
    try:
        return int(chosen.run(chosen))
    except SalesError as error:
        print(error.message(), file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m core.jobs", description=__doc__)
    jobs = parser.add_subparsers(required=True, metavar="JOB")
    nightly = jobs.add_parser("nightly-forecast", help="forecast all series, for leadership and every manager")
    nightly.add_argument("--again", action="store_true", help="also where the data have not changed")
    nightly.add_argument(
        "--of", action="append", type=_of, default=[], metavar="MEASURE:STEP",
        help="booked, won or units by month or week, may be given several times "
        "(default: booked:month and what was computed before)",
    )  # fmt: skip
    nightly.add_argument("--quick", action="store_true", help="one fit a series, without past forecasts")
    nightly.set_defaults(run=_nightly_forecast)
    awards = jobs.add_parser("awards", help="give the awards of the months and contests that are over")
    awards.set_defaults(run=_awards)
    return parser


def _of(text: str) -> Of:
    measure, _colon, frequency = text.partition(":")
    if measure not in get_args(Measure) or frequency not in get_args(Together):
        message = f"{text} is not booked, won or units with month or week, as in won:week"
        raise argparse.ArgumentTypeError(message)
    return Of(cast("Measure", measure), cast("Together", frequency))


def _awards(_chosen: argparse.Namespace) -> int:
    database = open_database()
    count = give_due_awards(database, now=datetime.now(UTC))
    database.close()
    print(_n("{n} award is new.", "{n} awards are new.", count))
    return 0


def _nightly_forecast(chosen: argparse.Namespace) -> int:
    database = open_database()
    runs = forecast_every_scope(
        database, now=datetime.now(UTC), open_pool=open_pool, told=_say, again=chosen.again,
        depth="first" if chosen.quick else "full", wanted=chosen.of,
    )  # fmt: skip
    database.close()
    failed = [(run.reader, each) for run in runs for each in run.series if each.failed]
    for run in runs:
        print(
            _("{name}: {n} series forecast ({of}).", name=run.reader.username, n=len(run.series), of=":".join(run.of))
        )
    for reader, each in failed:
        told = {"name": reader.username, "series": ":".join(each.name).rstrip(":"), "reason": str(each.reason)}
        print(_("{name}: {series} failed: {reason}", **told), file=sys.stderr)
    if not runs:
        print(_("Nothing to do: the data have not changed since the last run."))
    return 1 if failed else 0


def _say(reader: Actor, progress: Progress) -> None:
    """Tell how far the run of a reader is, on a console in one line, in a log every tenth of it."""
    step = max(1, progress.total // 10)
    if sys.stdout.isatty() or progress.done % step == 0 or progress.done == progress.total:
        line = _("{name}: {done} of {total} series", name=reader.username, done=progress.done, total=progress.total)
        print(line, end="\r" if sys.stdout.isatty() else "\n", flush=True)


if __name__ == "__main__":
    sys.exit(main())
