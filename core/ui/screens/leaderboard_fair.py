"""The fair side of the leaderboard: its switches, one's own place, and how a row is worked out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pandas as pd
import streamlit as st

from core.access.actors import Reach
from core.analytics.fairness import PEER_DAYS, WEIGHTS
from core.i18n import N_, _, _n, format_money, format_number, format_rate
from core.queries.leaderboard_board import RANGED, Adjustment
from core.queries.leaderboard_fair import ADJUSTMENTS, MASKED, USUAL
from core.reports.tables import records
from core.ui import session
from core.ui.filters import address, write_address
from core.ui.page import plain
from core.ui.way_back import follow

if TYPE_CHECKING:
    from collections.abc import Collection

    from core.ui.page import View

NAMES: dict[Adjustment, tuple[str, str]] = {
    "splits": (
        N_("Credit splits"),
        N_("Money of a deal that several people share counts for each by their share; the deal counts for who won it."),
    ),
    "days": (
        N_("Quota for the days worked"),
        N_("Who joined, left or was on leave in the period owes for the days they worked."),
    ),
    "difficulty": (
        N_("Quotas as hard as each other"),
        N_("The same sum of quotas, shared out by what each usually books, by their own and their territory's year."),
    ),
    "shrinkage": (
        N_("Win rates with small samples drawn in"),
        N_("The fewer deals somebody closed, the nearer their rate is drawn to that of all."),
    ),
    "range": (
        N_("Range of ranks"),
        N_("Where chance alone would put somebody, in four of five rounds of the same luck."),
    ),
}
_NONE = "none"


def switches(view: View, offered: Collection[Adjustment] = ADJUSTMENTS) -> tuple[Adjustment, ...]:
    """Draw a switch for each adjustment offered; return those that are on, as the address has them."""
    said = (address(view).get("fair") or [""])[0]
    known = tuple(one for one in ADJUSTMENTS if one in said.split("-")) if said else USUAL
    if view.query is not None:
        return known
    with st.popover(_("Fair comparison"), icon=":material/balance:"):
        chosen = []
        for one, (label, about) in NAMES.items():
            if one not in offered:
                chosen += [one] if one in known else []
                continue
            if st.toggle(_(label), one in known, key=follow(f"fair-{one}", one in known)):
                chosen.append(one)
            st.caption(_(about))
    write_address(fair=None if tuple(chosen) == USUAL else "-".join(chosen) or _NONE)
    return tuple(chosen)


def rank_range(row: dict[str, Any]) -> str:
    """Return the range of ranks as people say it; "" without one."""
    low, high = row["rank_low"], row["rank_high"]
    if pd.isna(low) or pd.isna(high):
        return ""
    return format_number(low) if low == high else f"{format_number(low)}–{format_number(high)}"


def compared(board: pd.DataFrame) -> bool:
    """Say whether there is anybody else in the comparison; a rank among oneself alone says nothing."""
    return "of" not in board or len(board) > 1 or bool((board["of"] > 1).any())


def own_place(view: View, board: pd.DataFrame) -> None:
    """Say the reader's own rank among all, with its range."""
    mine = board[board["key"] == str(view.actor.rep_id)]
    if view.actor.rep_id is None or mine.empty or pd.isna(mine.iloc[0]["rank"]) or not compared(board):
        return
    (row,) = records(mine)
    change = row["rank_change"]
    moved = None if pd.isna(change) else int(change)
    st.metric(
        _("My place in the company"),
        _("{rank} of {n}", rank=format_number(row["rank"]), n=format_number(row["of"])),
        delta=moved or None,
        delta_description=_("vs prior") if moved else None,
    )
    said = rank_range(row)
    if said and row["rank_low"] != row["rank_high"]:
        st.caption(_("By chance alone anywhere from {range}: see how it is worked out below.", range=said))


def with_names(board: pd.DataFrame) -> pd.DataFrame:
    """Return the board with a word for those whose names are not shown."""
    return board.assign(name=_named(board, N_("Colleague in place {rank}")), range=_ranges(board))


def with_team_names(board: pd.DataFrame) -> pd.DataFrame:
    """Return the board of teams with a word for those whose names are not shown."""
    return board.assign(name=_named(board, N_("Team in place {rank}")))


def _named(board: pd.DataFrame, word: str) -> list[str]:
    pairs = zip(board["name"].tolist(), board["rank"].tolist(), strict=True)
    return [name or _(word, rank=format_number(rank)) for name, rank in pairs]


def _ranges(board: pd.DataFrame) -> list[str]:
    pairs = zip(board["rank_low"].tolist(), board["rank_high"].tolist(), strict=True)
    return [rank_range({"rank_low": low, "rank_high": high}) for low, high in pairs]


def some_masked(board: pd.DataFrame) -> bool:
    """Return whether of somebody on the board the ranked figure alone is shown."""
    return bool(board["key"].str.startswith(MASKED).any())


def none_shown(view: View, board: pd.DataFrame, by: str) -> str:
    """Return why no team at all is shown to a reader who does not see all; "" where some are, or for others."""
    if by != "team" or not board.empty or view.actor.scope.reach is Reach.ALL:
        return ""
    return _("By your company's setting the results of teams are not shown to you here. Your own place is among Reps.")


def arithmetic_button(view: View, board: pd.DataFrame, measure: str, adjust: Collection[Adjustment]) -> None:
    """Offer how a row of the reader's own scope is worked out."""
    inside = board[board["inside"]]
    if inside.empty or view.large:
        return
    if st.button(_("How a row is worked out"), icon=":material/calculate:", key="board-arithmetic"):

        @session.dialog(_("How a row is worked out"), width="large")
        def opened() -> None:
            own = str(view.actor.rep_id)
            names = dict(zip(inside["key"], inside["name"], strict=True))
            keys = list(names)
            key = keys[0] if len(keys) == 1 else st.selectbox(
                _("Rep"), keys, index=keys.index(own) if own in names else 0,
                format_func=lambda one: str(names[one]), key="board-arithmetic-who",
            )  # fmt: skip
            (row,) = records(inside[inside["key"] == key])
            draw_steps(row, measure, adjust, view.currency)

        opened()


def draw_steps(row: dict[str, Any], measure: str, adjust: Collection[Adjustment], currency: str) -> None:
    """Draw how a row is worked out. A dialog's headings are smaller than its text, so titles are bold text here."""
    for title, lines in steps(row, measure, adjust, currency):
        with st.container(gap="xxsmall"):
            st.markdown(f"**{plain(title)}**")
            for line in lines:
                st.markdown(plain(line))


def steps(
    row: dict[str, Any], measure: str, adjust: Collection[Adjustment], currency: str
) -> list[tuple[str, list[str]]]:
    """Return each adjustment's title and its arithmetic for one row, as sentences."""
    found = [(_(NAMES["splits"][0]), _splits(row, currency, on="splits" in adjust))]
    found.append((_(NAMES["days"][0]), _days(row, currency, on="days" in adjust)))
    found.append((_(NAMES["difficulty"][0]), _hardness(row, currency, on="difficulty" in adjust)))
    found.append((_(NAMES["shrinkage"][0]), _rate(row)))
    if measure in RANGED and not pd.isna(row["rank_low"]):
        found.append(
            (
                _(NAMES["range"][0]),
                [
                    _(
                        "Rank {rank} of {n}. Had the same deals come again by luck, each 0, 1, 2 … times and once on "
                        "average, the rank would have been {range} in four of five rounds.",
                        rank=format_number(row["rank"]), n=format_number(row["of"]), range=rank_range(row),
                    )
                ],
            )
        )  # fmt: skip
    return found


def _splits(row: dict[str, Any], currency: str, *, on: bool) -> list[str]:
    if not on:
        return [_("Switched off: every deal counts whole for whoever owned it when it was won.")]
    return [split_said(row, currency) or _("No deal of this row is shared: each counts whole for whoever won it.")]


def split_said(row: dict[str, Any], currency: str) -> str:
    """Return how credit splits make a row's booked value of the whole one; "" where they change nothing."""
    given = row["whole"] + row["received"] - row["booked"]
    if not given and not row["received"]:
        return ""
    return _(
        "Won {whole} as owner − {given} credited to others + {received} credited of deals that others won = {booked}.",
        given=format_money(given, currency),
        **{name: format_money(row[name], currency) for name in ("whole", "received", "booked")},
    )


def _days(row: dict[str, Any], currency: str, *, on: bool) -> list[str]:
    if pd.isna(row["quota"]):
        return [_("No quota in this period.")]
    said = {name: format_money(row[name], currency) for name in ("quota", "quota_by_days", "booked")}
    rate = row["booked"] / (row["quota_by_days"] if on else row["quota"])
    lines = [
        _("Worked {days} of the period's {whole} days: of the quota {quota}, {owed} is owed for those days.",
          days=format_number(row["days_worked"]), whole=format_number(row["period_days"]), quota=said["quota"],
          owed=said["quota_by_days"]),
        _("{booked} ÷ {owed} = {rate}", booked=said["booked"], owed=said["quota_by_days" if on else "quota"],
          rate=format_rate(rate)),
    ]  # fmt: skip
    if row["leave_days"]:
        away = int(row["leave_days"])
        lines.insert(1, _n("{n} day of leave is taken off.", "{n} days of leave are taken off.", away,
                           n=format_number(away)))  # fmt: skip
    return lines if on else [*lines, _("Switched off: the whole quota counts.")]


def _hidden_sums() -> str:
    return _("It rests on what others booked, which the company does not show here: only the rounded result is shown.")


def _hardness(row: dict[str, Any], currency: str, *, on: bool) -> list[str]:
    if pd.isna(row["hardness"]):
        return [_("There is no quota, or no history to compare it with: the quota stays as it is.")]
    money = {name: format_money(row[name], currency) for name in ("usual", "usual_peers", "fair_quota")}
    if pd.isna(row["usual_peer_days"]):
        return [_hidden_sums(), *([] if on else [_("Switched off: the quota stays as it is.")])]
    own = 0.0 if pd.isna(row["usual_own"]) else cast("float", row["usual_own"])
    lines = [
        _(
            "In the twelve months before: own {own} in {own_days} days; the territory's reps {peers} in {peer_days} "
            "days, which count as {weight} days more. In this period that makes {usual} usual.",
            own=format_money(own, currency), own_days=format_number(row["usual_own_days"]),
            peers=money["usual_peers"], peer_days=format_number(row["usual_peer_days"]),
            weight=format_number(PEER_DAYS), usual=money["usual"],
        ),
        _("The quota asks for {rate} of that; all quotas together ask for {mean} of what is usual.",
          rate=format_rate(row["hardness"]), mean=format_rate(row["mean_hardness"])),
    ]  # fmt: skip
    if not on:
        return [*lines, _("Switched off: the quota stays as it is.")]
    made = _(
        "As hard as the others it would be {usual} × {mean} = {quota}; booked ÷ that = {rate}.",
        usual=money["usual"], mean=format_rate(row["mean_hardness"]), quota=money["fair_quota"],
        rate=format_rate(row["fair_attainment"]),
    )  # fmt: skip
    return [*lines, made]


def _rate(row: dict[str, Any]) -> list[str]:
    if pd.isna(row["shrunk_rate"]):
        return [_("No deal was closed in this period.")]
    if pd.isna(row["prior_deals"]):
        return [_hidden_sums()]
    won, decided = (format_number(row[name]) for name in ("won_count", "decided_count"))
    pooled, weight = (
        format_rate(row["pooled_rate"]),
        format_number(row["prior_deals"], 1 if row["prior_deals"] < 100 else 0),
    )
    alike = (
        [_("Across the company, rates differ no more than chance would make them: all count as equals.")]
        if row["prior_deals"] >= WEIGHTS[-1]
        else []
    )
    return [
        *alike,
        _("{won} of {decided} closed deals were won: {rate}. All won {pooled}, which counts as {weight} deals.",
          won=won, decided=decided, rate=format_rate(row["won_count"] / row["decided_count"]), pooled=pooled,
          weight=weight),
        _("({won} + {weight} × {pooled}) ÷ ({decided} + {weight}) = {rate}", won=won, decided=decided, weight=weight,
          pooled=pooled, rate=format_rate(row["shrunk_rate"])),
        _("With 95 % certainty it lies between {low} and {high}.", low=format_rate(row["shrunk_low"]),
          high=format_rate(row["shrunk_high"])),
    ]  # fmt: skip
