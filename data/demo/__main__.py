"""Load the demo company: `python -m data.demo --deals 12000 --until 2026-06-30`."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict, replace
from datetime import UTC, date, datetime, timedelta

from core.db.audit_key import InstallationKey
from core.db.migrate import migrate
from core.db.work import Database
from core.domain.periods import day_of
from core.i18n import parse_accept, use_language
from core.services import installation
from core.settings import settings
from data.demo.amounts import UnknownWorth
from data.demo.load import SEED, DemoSummary, NotEmpty, load_demo
from data.demo.parameters import TrueParameters


def main(arguments: list[str] | None = None) -> int:
    """Migrate the database, load the company, print what was written and the true parameters."""
    chosen = settings()
    yesterday = day_of(datetime.now(UTC), chosen.zone) - timedelta(days=1)
    parser = argparse.ArgumentParser(
        prog="python -m data.demo", description="Load the demo company into an empty database."
    )
    parser.add_argument("--deals", type=_count, default=12_000, help="how many deals (default: %(default)s)")
    parser.add_argument(
        "--seed", type=int, default=SEED, help="the same seed makes the same company (default: %(default)s)"
    )
    parser.add_argument(
        "--until",
        type=date.fromisoformat,
        default=yesterday,
        help="the last day, YYYY-MM-DD (default: yesterday)",
    )
    parser.add_argument(
        "--activities-per-deal",
        type=_mean,
        default=TrueParameters.activities_a_deal,
        help="how many activities a deal has in the mean, before those planned (default: %(default)s)",
    )
    parser.add_argument("--database", default=chosen.url, help="SQLAlchemy address (default: as the settings say)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    asked = parser.parse_args(arguments)
    use_language(chosen.default_language or parse_accept(""))
    chosen.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    migrate(asked.database)
    database = Database(
        asked.database,
        zone=chosen.zone,
        base_currency=chosen.base_currency,
        audit_key=InstallationKey() if asked.database == chosen.url else None,
    )
    true = replace(TrueParameters(), activities_a_deal=asked.activities_per_deal)
    try:
        summary = load_demo(database, deals=asked.deals, seed=asked.seed, until=asked.until, parameters=true)
    except (NotEmpty, UnknownWorth) as refusal:
        print(refusal.message(), file=sys.stderr)
        return 1
    finally:
        database.close()
    if asked.database == chosen.url:
        installation.keep_demo_sign_ins(summary)
    print(json.dumps(_plain(summary), ensure_ascii=False, indent=2) if asked.json else _readable(summary))
    return 0


def _count(text: str) -> int:
    count = int(text)
    if count < 0:
        raise argparse.ArgumentTypeError("must not be negative")
    return count


def _mean(text: str) -> float:
    mean = float(text)
    if not 0 <= mean <= 100:
        raise argparse.ArgumentTypeError("must lie between 0 and 100")
    return mean


def _plain(summary: DemoSummary) -> dict[str, object]:
    return {
        "deals": summary.deals,
        "seed": summary.seed,
        "since": summary.since.isoformat(),
        "until": summary.until.isoformat(),
        "rows": summary.rows,
        "seconds": round(summary.seconds, 3),
        "processor_seconds": round(summary.processor_seconds, 3),
        "deals_a_second": round(summary.deals_a_second),
        "passphrase": summary.passphrase,
        "users": [{"username": user.username, "role": user.role.value, "name": user.name} for user in summary.users],
        "parameters": asdict(summary.parameters),
        "conversion": summary.conversion,
        "win_rate": summary.win_rate,
    }


def _readable(summary: DemoSummary) -> str:
    lines = [
        f"Demo company: {summary.deals:,} deals from {summary.since} to {summary.until}, seed {summary.seed}",
        "",
        "True parameters",
    ]
    lines += [f"  {name:26} {_said(value)}" for name, value in asdict(summary.parameters).items()]
    lines += [
        f"  {'(implied) conversion':26} {_said(summary.conversion)}",
        f"  {'(implied) win rate':26} {summary.win_rate:.3f}",
    ]
    lines += ["", "Rows written", *(f"  {name:26} {count:>12,}" for name, count in summary.rows.items())]
    pace = f"{summary.seconds:.1f} seconds, {summary.deals_a_second:,.0f} deals a second"
    lines += [
        "",
        f"{pace} ({summary.processor_seconds:.1f} seconds of processor time)",
        "",
        installation.said_sign_ins(summary),
    ]
    return "\n".join(lines)


def _said(value: object) -> str:
    if isinstance(value, tuple):
        return "  ".join(_said(item) for item in value)
    return f"{value:.3f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)


if __name__ == "__main__":
    sys.exit(main())
