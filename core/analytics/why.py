"""Why booked value changed between two periods: more deals, other deals, larger deals; adds up to the cent.

Source: docs/methods/volume-mix-price.md. Whole hundredths; every part of the change is in exactly one effect.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Part:
    """What a team, product or channel won before and after: number of deals and hundredths."""

    key: str
    name: str
    count_before: int
    value_before: int
    count_after: int
    value_after: int

    @property
    def change(self) -> int:
        """How much more was booked."""
        return self.value_after - self.value_before


@dataclass(frozen=True)
class Effects:
    """The change taken apart, in hundredths."""

    volume: int
    mix: int
    price: int


def effects(parts: Sequence[Part]) -> Effects:
    """Return the effects of volume, mix and price, which add up to the change (eq. 1 to 3).

    Where nothing was won before, everything is volume; a part that won nothing before has no price to compare with.
    """
    before, after = sum(p.count_before for p in parts), sum(p.count_after for p in parts)
    change = sum(p.change for p in parts)
    if before == 0:
        return Effects(change, 0, 0)
    volume = round(Fraction((after - before) * sum(p.value_before for p in parts), before))
    price = round(
        sum(
            (p.value_after - Fraction(p.count_after * p.value_before, p.count_before) for p in parts if p.count_before),
            Fraction(0),
        )
    )
    return Effects(volume, change - volume - price, price)


def movers(parts: Sequence[Part], *, most: int = 2) -> list[Part]:
    """Return the parts that changed most, largest first; none that did not change."""
    return sorted((p for p in parts if p.change), key=lambda p: (-abs(p.change), p.key))[:most]
