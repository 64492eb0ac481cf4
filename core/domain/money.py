"""Money: exact decimal amounts, two decimals, in a named currency."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

CENT = Decimal("0.01")


def to_minor(amount: Decimal) -> int:
    """Return `amount` as a whole number of hundredths, rounded half up."""
    return int((amount.quantize(CENT, rounding=ROUND_HALF_UP) * 100).to_integral_value())


def from_minor(minor: int) -> Decimal:
    """Return the amount that `minor` hundredths are."""
    return Decimal(minor).scaleb(-2)


def convert(amount: Decimal, *, rate: Decimal) -> Decimal:
    """Return `amount` in the base currency at `rate` base units a unit, to the cent."""
    return (amount * rate).quantize(CENT, rounding=ROUND_HALF_UP)


def allocate(total_minor: int, weights: list[int]) -> list[int]:
    """Split `total_minor` by `weights` so that the parts add up to the whole.

    Largest remainder (Hamilton): the hundredths left over go to the largest remainders,
    the earlier part first. Equal parts where every weight is zero.
    """
    if not weights:
        return []
    weight_sum = sum(weights)
    if weight_sum == 0:
        weights, weight_sum = [1] * len(weights), len(weights)
    shares = [divmod(total_minor * weight, weight_sum) for weight in weights]
    parts = [whole for whole, _rest in shares]
    left = total_minor - sum(parts)
    for index in sorted(range(len(weights)), key=lambda i: -shares[i][1])[:left]:
        parts[index] += 1
    return parts
