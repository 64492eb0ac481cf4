"""The figures of `../shared/data/maven_crm`, straight from its CSV files, without a line of the program.

    python tests/golden/maven_crm.py FOLDER          prints them as JSON

`differences` compares them with the program's answers once the files were imported. What is compared are the decided
deals (every one of them has an account, both dates and a value) and the engaged ones; what the importer makes of open
deals without an account or an engage date is its own report's business.
"""

from __future__ import annotations

import csv
import json
import sys
from collections import Counter, defaultdict
from dataclasses import asdict, dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from statistics import median

PRODUCTS = {"GTXPro": "GTX Pro"}
"""The one spelling of the pipeline that no product has; a person confirms this merge on import."""


@dataclass
class Golden:
    """Figures of the whole file; money in its currency, months as `2017-03`."""

    rows: int = 0
    booked: str = "0"
    won: int = 0
    lost: int = 0
    win_rate: float = 0.0
    cycle_days: float = 0.0
    booked_by_month: dict[str, str] = field(default_factory=dict)
    won_by_month: dict[str, int] = field(default_factory=dict)
    booked_by_rep: dict[str, str] = field(default_factory=dict)
    decided_by_rep: dict[str, int] = field(default_factory=dict)
    booked_by_team: dict[str, str] = field(default_factory=dict)
    booked_by_product: dict[str, str] = field(default_factory=dict)
    engaged_by_year: dict[str, int] = field(default_factory=dict)
    won_by_year_engaged: dict[str, int] = field(default_factory=dict)
    lost_by_year_engaged: dict[str, int] = field(default_factory=dict)
    open_by_stage: dict[str, int] = field(default_factory=dict)
    booked_by_day: dict[str, str] = field(default_factory=dict)
    booked_by_week: dict[str, str] = field(default_factory=dict)
    board: dict[str, tuple[int, int, str, float, float]] = field(default_factory=dict)
    """Of each rep: won, decided, booked, average deal, median cycle in days."""


def expected(folder: Path) -> Golden:
    """Return the figures of the files in `folder`."""
    with (folder / "sales_pipeline.csv").open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    with (folder / "sales_teams.csv").open(encoding="utf-8", newline="") as lines:
        team_of = {row["sales_agent"]: row["manager"] for row in csv.DictReader(lines)}
    won = [row for row in rows if row["deal_stage"] == "Won"]
    lost = [row for row in rows if row["deal_stage"] == "Lost"]
    sums: dict[str, defaultdict[str, Decimal]] = {
        name: defaultdict(Decimal) for name in ("month", "rep", "team", "product", "day", "week")
    }
    for row in won:
        value = Decimal(row["close_value"])
        sums["month"][row["close_date"][:7]] += value
        closed = date.fromisoformat(row["close_date"])
        sums["day"][row["close_date"]] += value
        sums["week"][(closed - timedelta(days=closed.weekday())).isoformat()] += value
        sums["rep"][row["sales_agent"]] += value
        sums["team"][team_of[row["sales_agent"]]] += value
        sums["product"][PRODUCTS.get(row["product"], row["product"])] += value
    cycles = [(date.fromisoformat(row["close_date"]) - date.fromisoformat(row["engage_date"])).days for row in won]
    told = {name: {key: str(value) for key, value in sorted(parts.items())} for name, parts in sums.items()}
    return Golden(
        rows=len(rows),
        booked=str(sum((Decimal(row["close_value"]) for row in won), Decimal())),
        won=len(won),
        lost=len(lost),
        win_rate=len(won) / (len(won) + len(lost)),
        cycle_days=float(median(cycles)),
        booked_by_month=told["month"],
        won_by_month=_counts(row["close_date"][:7] for row in won),
        booked_by_rep=told["rep"],
        decided_by_rep=_counts(row["sales_agent"] for row in (*won, *lost)),
        booked_by_team=told["team"],
        booked_by_product=told["product"],
        engaged_by_year=_counts(row["engage_date"][:4] for row in rows if row["engage_date"]),
        won_by_year_engaged=_counts(row["engage_date"][:4] for row in won),
        lost_by_year_engaged=_counts(row["engage_date"][:4] for row in lost),
        open_by_stage=_counts(row["deal_stage"] for row in rows if row["deal_stage"] not in {"Won", "Lost"}),
        booked_by_day=told["day"],
        booked_by_week=told["week"],
        board={name: _row_of([row for row in won if row["sales_agent"] == name],
                             [row for row in lost if row["sales_agent"] == name])
               for name in sorted({row["sales_agent"] for row in (*won, *lost)})},
    )  # fmt: skip


def _row_of(won: list[dict[str, str]], lost: list[dict[str, str]]) -> tuple[int, int, str, float, float]:
    booked = sum((Decimal(row["close_value"]) for row in won), Decimal())
    days = [(date.fromisoformat(row["close_date"]) - date.fromisoformat(row["engage_date"])).days for row in won]
    return len(won), len(won) + len(lost), str(booked), round(float(booked) / len(won), 6), float(median(days))


def _counts(words) -> dict[str, int]:
    return dict(sorted(Counter(words).items()))


def differences(golden: Golden, ask) -> list[str]:
    """Return what the program answers otherwise; `ask(query, **arguments)` asks as somebody who sees everything.

    Names of reps, teams (managers) and products must be those of the files.
    """
    from core.domain.periods import Period
    from core.queries.funnel import cohort_funnel
    from core.queries.leaderboard import leaderboard
    from core.queries.overview import booked_by_month, breakdown, overview_kpis
    from core.queries.series import booked_series

    ever = Period(date(2010, 1, 1), date(2030, 1, 1))
    found: list[str] = []

    def same(what: str, answered: object, wanted: object) -> None:
        if answered != wanted:
            found.append(f"{what}: {answered} instead of {wanted}")

    def money(parts: dict[str, str]) -> dict[str, float]:
        return {key: float(value) for key, value in parts.items()}

    whole = ask(overview_kpis, period=ever).iloc[0]
    same("booked", round(whole["booked"], 2), float(golden.booked))
    same("won", int(whole["won_count"]), golden.won)
    same("lost", int(whole["lost_count"]), golden.lost)
    same("win rate", round(whole["win_rate"], 9), round(golden.win_rate, 9))
    same("cycle", round(whole["cycle_days"], 6), golden.cycle_days)
    months = ask(booked_by_month, period=ever)
    months = months[months["won"] > 0]
    keys = [f"{month:%Y-%m}" for month in months["month"]]
    same(
        "booked by month",
        dict(zip(keys, months["booked"].round(2), strict=True)),
        money(golden.booked_by_month),
    )
    same("won by month", dict(zip(keys, map(int, months["won"]), strict=True)), golden.won_by_month)
    series = ask(booked_series, frequency="month")
    same(
        "series",
        {f"{row.on:%Y-%m}": round(row.value, 2) for row in series.itertuples()},
        money(golden.booked_by_month),
    )
    for by, parts in (
        ("rep", golden.booked_by_rep), ("team", golden.booked_by_team), ("product", golden.booked_by_product),
    ):  # fmt: skip
        rows = ask(breakdown, period=ever, by=by)
        rows = rows[rows["won_count"] > 0]
        answered = {row["name"]: round(row["booked"], 2) for row in rows.to_dict("records")}
        same(f"booked by {by}", dict(sorted(answered.items())), money(parts))
    board = ask(leaderboard, period=ever)
    board = board[board["decided_count"] > 0]
    same(
        "decided by rep",
        dict(sorted((row["name"], int(row["decided_count"])) for row in board.to_dict("records"))),
        golden.decided_by_rep,
    )
    for year, count in golden.won_by_year_engaged.items():
        funnel = ask(cohort_funnel, period=Period(date(int(year), 1, 1), date(int(year) + 1, 1, 1)))
        same(f"won of those engaged in {year}", int(funnel["reached"].iloc[-1]), count)
    return found


def differences_of_all(golden: Golden, ask) -> list[str]:
    """Return what the program answers otherwise of what only a whole import can tell: open deals, every stage.

    The process is the files' own: Prospecting, Engaging, Won, Lost. What has no engage date is opened on the last day
    that the files name, in 2017.
    """
    from core.domain.periods import Period
    from core.queries.funnel import cohort_funnel
    from core.queries.leaderboard import leaderboard
    from core.queries.overview import overview_kpis, pipeline_by_stage
    from core.queries.series import booked_series

    ever = Period(date(2010, 1, 1), date(2030, 1, 1))
    found: list[str] = []

    def same(what: str, answered: object, wanted: object) -> None:
        if answered != wanted:
            found.append(f"{what}: {answered} instead of {wanted}")

    whole = ask(overview_kpis, period=ever).iloc[0]
    same("open", int(whole["open_count"]), sum(golden.open_by_stage.values()))
    same("average deal", round(whole["average_deal"], 6), round(float(golden.booked) / golden.won, 6))
    stages = ask(pipeline_by_stage)
    same("open by stage", dict(zip(stages["stage"], map(int, stages["count"]), strict=True)), golden.open_by_stage)
    for frequency, parts in (("day", golden.booked_by_day), ("week", golden.booked_by_week)):
        series = ask(booked_series, frequency=frequency)
        same(
            f"booked by {frequency}",
            {row.on.isoformat(): round(row.value, 2) for row in series.itertuples()},
            {key: float(value) for key, value in parts.items()},
        )
    board = ask(leaderboard, period=ever, minimum_decided=1)
    board = board[board["decided_count"] > 0]
    same(
        "leaderboard",
        {
            row["name"]: (int(row["won_count"]), int(row["decided_count"]), f"{row['booked']:.0f}",
                          round(row["average_deal"], 6), float(row["cycle_days"]))
            for row in board.to_dict("records")
        },
        golden.board,
    )  # fmt: skip
    same(
        "ranks",
        [row["name"] for row in board.sort_values("rank").to_dict("records")],
        sorted(golden.board, key=lambda name: -int(golden.board[name][2])),
    )
    for year, engaged in golden.engaged_by_year.items():
        funnel = ask(cohort_funnel, period=Period(date(int(year), 1, 1), date(int(year) + 1, 1, 1)))
        reached = dict(zip(funnel["stage"], map(int, funnel["reached"]), strict=True))
        undated = golden.open_by_stage["Prospecting"] if year == "2017" else 0
        same(
            f"funnel of {year}",
            reached,
            {"Prospecting": engaged + undated, "Engaging": engaged, "Won": golden.won_by_year_engaged[year]},
        )
        same(f"lost of {year}", int(funnel["lost_here"].sum()), golden.lost_by_year_engaged[year])
    return found


if __name__ == "__main__":
    print(json.dumps(asdict(expected(Path(sys.argv[1]))), indent=1, ensure_ascii=False))
