"""The demo company's sign-ins: one for each role, and a passphrase made anew for each company."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

import bcrypt

from core.access.policy import Role

_COST = 12
_WORDS = (
    "amber apple autumn bamboo basil birch bridge bronze candle canyon cedar cherry clover cobalt "
    "copper coral cotton crane crystal dahlia desert dolphin ember falcon fern field forest garden "
    "ginger glacier granite harbor hazel heron indigo island ivory jade jasmine juniper kestrel "
    "lagoon lantern lemon lilac linen lotus maple marble meadow mango mint mountain nectar nutmeg "
    "ocean olive orchid osprey paper pearl pepper pine plum pebble poplar prairie quartz quiet raven "
    "reef river robin saffron sail sand sesame shadow silver sparrow spring spruce star stone summit "
    "sunrise swallow tea temple thistle thunder tiger timber tulip valley velvet violet walnut water "
    "willow window winter wren yarrow zephyr "
)


@dataclass(frozen=True)
class DemoUser:
    """A sign-in. `team` is a place in `data.demo.reference.TEAMS`; a rep's own name is the rep's."""

    username: str
    name: str
    name_en: str
    role: Role
    team: int | None = None


DEMO_USERS = (
    DemoUser("leader", "林若云", "Lin Ruoyun", Role.LEADERSHIP),
    DemoUser("operations", "唐思远", "Tang Siyuan", Role.OPERATIONS),
    DemoUser("administrator", "沈志文", "Shen Zhiwen", Role.ADMINISTRATOR),
    DemoUser("east.manager", "袁海宇", "Yuan Haiyu", Role.MANAGER, team=1),
    DemoUser("south.manager", "范晓琳", "Fan Xiaolin", Role.MANAGER, team=5),
    DemoUser("shanghai.rep", "", "", Role.REP, team=2),
)
"""All share the passphrase. The rep is the one with the most business in the Shanghai team."""


def make_passphrase() -> str:
    """Return four words and two digits: over 30 bits, easy to read aloud."""
    return "-".join([*(secrets.choice(_WORDS.split()) for _ in range(4)), f"{secrets.randbelow(100):02d}"])


def hashed(passphrase: str) -> str:
    """Return the bcrypt hash."""
    return bcrypt.hashpw(passphrase.encode(), bcrypt.gensalt(_COST)).decode()
