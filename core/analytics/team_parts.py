"""The parts that teams make at the level being looked at: each with its whole subtree, so that they add up."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sqlalchemy import ColumnElement, String, and_, case, false, func, literal, literal_column, select

from core.analytics.filters import number
from core.i18n import N_, _

if TYPE_CHECKING:
    from core.analytics.facts import Facts

OWN: Final = ":own"
"""Behind a team's number: its own reps' part, without the teams below it."""
DIRECTLY_IN: Final = N_("Directly in {team}")


@dataclass(frozen=True)
class TeamPart:
    """One part: `key` as pages and addresses name it, and the teams whose reps' deals it holds."""

    key: str
    team_id: int
    team_ids: tuple[int, ...]

    @property
    def is_own(self) -> bool:
        """Whether the part is what stands in the team itself while its subteams are parts of their own."""
        return self.key.endswith(OWN)


def team_level(teams: Mapping[int, int | None], looked_at: Collection[int] = ()) -> tuple[TeamPart, ...]:
    """Return the parts of what is looked at, by number; `teams` gives each team's parent.

    Several teams are parts themselves. One (or the only root, where none is named) falls into the teams directly
    below it and what is directly in it; without teams below it is the one part. A team below another that is looked
    at is no part of its own.
    """
    below: dict[int, list[int]] = {}
    for team, parent in teams.items():
        if parent is not None:
            below.setdefault(parent, []).append(team)
    chosen = {team for team in looked_at if team in teams}
    if not looked_at:
        chosen = {team for team, parent in teams.items() if parent is None or parent not in teams}
    trees = {team: _tree(below, team) for team in chosen}
    tops = sorted(team for team in chosen if not any(team in trees[other] for other in chosen if other != team))
    if len(tops) != 1 or not below.get(tops[0]):
        return tuple(TeamPart(str(team), team, tuple(sorted(trees[team]))) for team in tops)
    top = tops[0]
    parts = [TeamPart(str(team), team, tuple(sorted(_tree(below, team)))) for team in sorted(below[top])]
    return (*parts, TeamPart(f"{top}{OWN}", top, (top,)))


def whole_teams(parts: Iterable[TeamPart]) -> tuple[TeamPart, ...]:
    """Return the parts that are teams: who is directly in a team whose subteams stand beside it is none."""
    return tuple(part for part in parts if not part.is_own)


def _tree(below: Mapping[int, Iterable[int]], top: int) -> set[int]:
    found: set[int] = set()
    waiting = [top]
    while waiting:
        team = waiting.pop()
        if team not in found:
            found.add(team)
            waiting.extend(below.get(team, ()))
    return found


def part_key(parts: tuple[TeamPart, ...], team_id: ColumnElement[int], none: str) -> ColumnElement[str]:
    """Return the key of the part that a team lies in (no parameter, so that it can be grouped by).

    A team outside every part stands for its own reps; `none` where there is no team.
    """
    own = func.coalesce(team_id.cast(String) + literal_column(f"'{OWN}'", String), literal_column(f"'{none}'", String))
    if not parts:
        return own
    inside = [
        (
            team_id.in_([literal_column(str(int(team))) for team in part.team_ids]),
            literal_column(f"'{part.key}'", String),
        )
        for part in parts
    ]
    return case(*inside, else_=own)


def in_part(facts: Facts, key: str, none: str) -> ColumnElement[bool]:
    """Return the condition under which a deal of `facts.deals` lies in a part."""
    team_id = facts.deals.c.credit_team_id
    if key == none:
        return team_id.is_(None)
    team = number(key.removesuffix(OWN))
    if team is None:
        return false()
    if key.endswith(OWN):
        return and_(team_id == team)
    trees = facts.subtrees.c
    return team_id.in_(select(trees.team_id).where(trees.top_id == team))


def number_in(key: ColumnElement[str]) -> ColumnElement[str]:
    """Return the number of a part's team, as text."""
    return func.split_part(key, literal_column("':'"), literal_column("1"))


def said_part(key: ColumnElement[str], name: ColumnElement[str]) -> ColumnElement[str]:
    """Return a part's name in the reader's language, from its team's."""
    before, after = _(DIRECTLY_IN).split("{team}")
    return case(
        (key.endswith(OWN, autoescape=True), literal(before) + name + literal(after)),
        else_=name,
    )


def part_name(part: TeamPart, name: str) -> str:
    """Return a part's name in the reader's language, from its team's."""
    return _(DIRECTLY_IN, team=name) if part.is_own else name
