"""How much those who do not see the whole company see of others on its leaderboard."""

from __future__ import annotations

from enum import StrEnum

from core.access.actors import Actor, Reach


class BoardSight(StrEnum):
    """What is shown of people outside one's own scope.

    FULL: names and figures. ANONYMOUS: the ranked figure, without a name. HIDDEN: nothing but how many there are.
    """

    FULL = "full"
    ANONYMOUS = "anonymous"
    HIDDEN = "hidden"


def sight_of(actor: Actor, setting: str) -> BoardSight:
    """Return what an actor sees of others, by the company's setting.

    All of them for who sees everything anyway; nothing through a share link, whose reach is its maker's scope.
    """
    if actor.scope.reach is Reach.ALL:
        return BoardSight.FULL
    if actor.share_link_id is not None or actor.scope.reach is Reach.NOTHING:
        return BoardSight.HIDDEN
    return BoardSight(setting)
