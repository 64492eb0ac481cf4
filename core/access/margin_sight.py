"""Who sees what deals cost and what is left of them."""

from __future__ import annotations

from enum import StrEnum

from core.access.actions import Action
from core.access.actors import Actor
from core.access.policy import Role


class MarginSight(StrEnum):
    """What reps see of margins. HIDDEN: nothing. SHOWN: theirs, and others' as they see other figures."""

    HIDDEN = "hidden"
    SHOWN = "shown"


def sees_margin(actor: Actor, setting: str) -> bool:
    """Say whether an actor sees margins, by the policy and, for reps, by the company's setting.

    Never through a share link, whoever made it.
    """
    if actor.share_link_id is not None:
        return False
    shown = actor.role is Role.REP and setting == MarginSight.SHOWN
    return actor.may(Action.MARGIN_VIEW) or shown
