"""Who asks, and which rows are theirs to see."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from enum import StrEnum

from core.access.actions import Action
from core.access.policy import POLICY, Role
from core.domain.names import named


class Reach(StrEnum):
    """How far a scope reaches."""

    ALL = "all"
    REPS = "reps"
    NOTHING = "nothing"


@dataclass(frozen=True)
class Scope:
    """The rows open to an actor: all of them, those of some reps, or none.

    `rep_ids` (sorted) are the reps whose deals, customers, activities and quotas are open;
    `team_ids` (sorted) the teams whose quotas are. Both empty unless `reach` is REPS.
    """

    reach: Reach
    rep_ids: tuple[int, ...] = ()
    team_ids: tuple[int, ...] = ()

    @property
    def named(self) -> str:
        """A text of 64 signs that equal scopes share, and no others."""
        said = json.dumps([str(self.reach), list(self.rep_ids), list(self.team_ids)])
        return hashlib.sha256(said.encode()).hexdigest()

    @classmethod
    def everything(cls) -> Scope:
        """Return the scope that holds every row."""
        return cls(Reach.ALL)

    @classmethod
    def nothing(cls) -> Scope:
        """Return the scope that holds no row."""
        return cls(Reach.NOTHING)

    @classmethod
    def of_reps(
        cls,
        rep_ids: set[int] | frozenset[int],
        team_ids: set[int] | frozenset[int] = frozenset(),
    ) -> Scope:
        """Return the scope of some reps and teams; none of either is nothing at all."""
        if not rep_ids and not team_ids:
            return cls.nothing()
        return cls(Reach.REPS, tuple(sorted(rep_ids)), tuple(sorted(team_ids)))

    def allows_rep(self, rep_id: int | None) -> bool:
        """Say whether rows owned by `rep_id` lie inside; rows of nobody only in ALL."""
        return self.reach is Reach.ALL or (self.reach is Reach.REPS and rep_id in self.rep_ids)


@dataclass(frozen=True)
class Actor:
    """A person (or share link, job, command line) in the moment of asking.

    `origin` says from where: an address, `command line`, `share link`.
    """

    user_id: int | None
    username: str
    name: str
    role: Role
    scope: Scope
    rep_id: int | None = None
    team_id: int | None = None
    origin: str = ""
    share_link_id: int | None = None
    extra_actions: frozenset[Action] = frozenset()
    name_en: str = ""

    @property
    def called(self) -> str:
        """What the person is called in the reader's language."""
        return named(self)

    def may(self, action: Action) -> bool:
        """Say whether the policy gives this actor's role the action."""
        return action in POLICY[self.role] or action in self.extra_actions


SYSTEM = Actor(
    user_id=None, username="system", name="Luopan", role=Role.OPERATIONS, scope=Scope.everything(),
    origin="system", extra_actions=frozenset(Action),
)  # fmt: skip
