"""The people, customers, products and words that rows name: found among those there are, or made once."""

from __future__ import annotations

import hashlib
from datetime import date
from decimal import Decimal
from typing import Any

from core.domain.money import convert
from core.domain.names import fold_name
from core.importing.currencies import rate_for
from core.queries.imports import Known, Reference
from core.services.deal_costs import Piece
from core.services.imports import ImportPlan


class Words:
    """Names and outside numbers of one table, each with the record that they mean."""

    def __init__(self, known: tuple[Known, ...] = ()) -> None:
        self.by_name: dict[str, int] = {}
        self.by_external: dict[str, int] = {}
        self.names: dict[int, str] = {}
        for one in known:
            self.put(one.id, one.name, one.external_id)
            if one.name_en:
                self.by_name.setdefault(one.name_en.strip().casefold(), one.id)

    def put(self, number: int, name: str, external_id: str | None = None) -> None:
        """Remember a record under its name and outside number."""
        self.names[number] = name
        self.by_name.setdefault(name.strip().casefold(), number)
        if external_id:
            self.by_external[external_id] = number

    def find(self, name: str, external_id: str | None = None) -> int | None:
        """Return the record that the outside number means, else the one of that very name."""
        if external_id:
            return self.by_external.get(external_id)
        return self.by_name.get(name.strip().casefold())


class Records:
    """Every table that deals hang on, as it is and as the plan will make it."""

    def __init__(self, reference: Reference, plan: ImportPlan) -> None:
        self.reference, self.plan = reference, plan
        self.customers = Words(reference.customers)
        self.products = Words(reference.products)
        self.reps = Words(reference.reps)
        self.teams = Words(reference.teams)
        self.territories = Words(reference.territories)
        self.channels = Words(reference.channels)
        self.lost_reasons = Words(reference.lost_reasons)
        self.prices: dict[int, tuple[Decimal, str]] = dict(reference.list_prices)
        self._costs: dict[Piece, tuple[Decimal, str]] = dict(reference.costs)
        self.new: dict[int, dict[str, Any]] = {}

    def add_customer(self, name: str, external_id: str | None = None, **facts: Any) -> int:
        """Plan a customer."""
        number = self._add("customer", name=name, name_key=fold_name(name), external_id=external_id or None, **facts)
        self.customers.put(number, name, external_id)
        return number

    def add_product(
        self, name: str, code: str = "", price: Decimal | None = None, *, currency: str = "", **facts: Any
    ) -> int:
        """Plan a product with one SKU; its price is in `currency`, by default the base currency."""
        currency = currency or self.reference.base_currency
        specification, unit, cost = facts.pop("specification", ""), facts.pop("unit", ""), facts.pop("cost", None)
        code = self._free_code(code or name, self.products)
        number = self._add("product", name=name, code=code, active=True, **facts)
        self.products.put(number, name, code)
        sku = self._add(
            "sku", product_id=number, code=code[:80], specification=specification, unit=unit,
            list_price=price or Decimal(0), currency=currency, active=True, cost=cost,
        )  # fmt: skip
        self.new[number]["sku"] = sku
        if cost is not None:
            self._costs |= dict.fromkeys(((number, sku), (number, None)), (cost, currency))
        if price is not None:
            self.prices[number] = (price, currency)
        return number

    def add_rep(self, name: str, external_id: str | None = None, **facts: Any) -> int:
        """Plan a rep."""
        number = self._add("rep", name=name[:80], external_id=external_id or None, **facts)
        self.reps.put(number, name, external_id)
        return number

    def team(self, name: str, territory: int | None) -> int:
        """Return the team of that name, planned where there is none."""
        found = self.teams.find(name)
        if found is None:
            found = self._add("team", name=name[:80], territory_id=territory, active=True)
            self.teams.put(found, name)
        elif found in self.new and self.new[found]["territory_id"] != territory:
            self.new[found]["territory_id"] = None
        return found

    def territory(self, name: str) -> int:
        """Return the territory of that name, planned where there is none."""
        found = self.territories.find(name)
        if found is None:
            found = self._add(
                "territory", name=name[:80], code=self._free_code(name[:40], self.territories), active=True
            )
            self.territories.put(found, name, self.new[found]["code"])
        return found

    def channel(self, name: str) -> int:
        """Return the channel of that name, planned where there is none."""
        found = self.channels.find(name)
        if found is None:
            found = self._add("channel", name=name[:80], code=self._free_code(name[:60], self.channels), active=True)
            self.channels.put(found, name, self.new[found]["code"])
        return found

    def lost_reason(self, name: str) -> int:
        """Return the lost reason of that name; "unknown" for none."""
        found = self.lost_reasons.find(name) if name else self.lost_reasons.by_external.get("unknown")
        if found is None:
            label = name or "unknown"
            found = self._add(
                "lost_reason", name=label[:80], code=self._free_code(label[:60], self.lost_reasons), active=True
            )
            self.lost_reasons.put(found, label, self.new[found]["code"])
        return found

    def sku_of(self, product: int) -> int | None:
        """Return the planned SKU of a planned product."""
        sku = self.new.get(product, {}).get("sku")
        return sku if isinstance(sku, int) else None

    def cost_of(self, product: int, sku: int | None, day: date) -> Decimal | None:
        """Return what a piece costs in the base currency at a day's rate, None where that is not known."""
        cost, currency = self._costs.get((product, sku), (None, ""))
        rate = rate_for(self.reference, currency, day)
        return None if cost is None or rate is None else convert(cost, rate=rate)

    def _add(self, table: str, **values: Any) -> int:
        number = self.plan.add(table, **values)
        self.new[number] = self.plan.rows[table][-1]
        return number

    @staticmethod
    def _free_code(wanted: str, words: Words) -> str:
        code, count = wanted[:40] or "-", 1
        while code in words.by_external:
            count += 1
            code = f"{wanted[:36]}-{count}"
        return code


def fingerprint(parts: list[str]) -> str:
    """Return a number for a row that has none of its own: the same row gives the same number."""
    whole = "\x1f".join(parts)
    return f"row:{hashlib.sha256(whole.encode()).hexdigest()[:24]}"
