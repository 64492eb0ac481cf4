"""Contests and awards, in words."""

from __future__ import annotations

from enum import StrEnum


class AwardKind(StrEnum):
    """What an award is for."""

    BEST_SELLER = "best_seller"
    BEST_TEAM = "best_team"
    MOST_IMPROVED = "most_improved"
    FIRST_DEAL = "first_deal"
    CONTEST = "contest"


class ContestBy(StrEnum):
    """Who competes in a contest."""

    REP = "rep"
    TEAM = "team"


class ContestMeasure(StrEnum):
    """What a contest is decided by; named as the leaderboard's measures."""

    BOOKED = "booked"
    ATTAINMENT = "attainment"
    WON_COUNT = "won_count"
    WIN_RATE = "win_rate"
    ACTIVITIES = "activities"
