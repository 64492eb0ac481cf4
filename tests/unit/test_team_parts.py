"""Which parts a company's teams make at a level."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from core.analytics.team_parts import team_level

TREE = {1: None, 2: 1, 3: 1, 4: 2, 5: 4, 9: 77}


def keys(teams, looked_at=()):
    return {part.key: part.team_ids for part in team_level(teams, looked_at)}


def test_one_root_falls_into_the_teams_below_it_and_itself():
    teams = {team: parent for team, parent in TREE.items() if team != 9}
    assert keys(teams) == {"2": (2, 4, 5), "3": (3,), "1:own": (1,)}
    assert keys(teams, [2]) == {"4": (4, 5), "2:own": (2,)}
    assert keys(teams, [5]) == {"5": (5,)}


def test_several_roots_or_chosen_teams_are_the_parts():
    assert keys(TREE) == {"1": (1, 2, 3, 4, 5), "9": (9,)}, "a team whose parent is gone is a root"
    assert keys(TREE, [3, 4]) == {"3": (3,), "4": (4, 5)}
    assert keys(TREE, [4, 2]) == {"4": (4, 5), "2:own": (2,)}, "four lies in two already"


def test_what_is_not_there_makes_no_parts():
    assert keys({}) == {}
    assert keys(TREE, [1234]) == {}


@st.composite
def forests(draw):
    size = draw(st.integers(1, 12))
    return {team: draw(st.none() | st.integers(1, team - 1)) if team > 1 else None for team in range(1, size + 1)}


@settings(deadline=None)
@given(forests(), st.data())
def test_parts_never_overlap_and_hold_every_team_looked_at_with_all_below(teams, data):
    looked_at = data.draw(st.lists(st.sampled_from(sorted(teams)), unique=True))
    parts = team_level(teams, looked_at)
    held = [team for part in parts for team in part.team_ids]
    assert len(held) == len(set(held))
    wanted = set(looked_at) or set(teams)
    while below := {team for team, parent in teams.items() if parent in wanted} - wanted:
        wanted |= below
    assert set(held) == wanted
