"""Finished fits on disk, each named by the order it answers: the same order has the same answer.

An order holds the whole series, so whoever can name a fit has seen the data it was made from.
"""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import suppress
from functools import cache
from importlib.metadata import version
from typing import TYPE_CHECKING, Final

from core.forecasting.result import Fit
from core.forecasting.spread import Spread, company_spread

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from core.forecasting.steps import Frequency
    from core.forecasting.transform import Floats

KEPT: Final = 4_000
SPREADS: Final = "spreads.kept"
CHANGED: Final = 1.1
METHOD_VERSION: Final = 12
"""Raised with every change of method, so that no older answer is read."""


class FitStore:
    """A folder of fits, the oldest removed beyond `kept`."""

    def __init__(self, folder: Path, *, kept: int = KEPT) -> None:
        self._folder = folder
        self._kept = kept
        self._written = 0

    def read(self, order: str) -> Fit | None:
        """Return the fit that answers an order; None where there is none, or it cannot be read."""
        path = self._path(order)
        try:
            fit = Fit.from_json(path.read_text(encoding="utf-8"))
        except (OSError, ValueError, KeyError, TypeError):
            return None
        with suppress(OSError):
            path.touch()
        return fit

    def write(self, order: str, fit: Fit) -> None:
        """Keep a fit; a full or missing disk keeps nothing and harms nothing."""
        path = self._path(order)
        with suppress(OSError):
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            beside = path.with_suffix(f".{os.getpid()}-{id(fit)}")
            beside.write_text(fit.to_json(), encoding="utf-8")
            beside.replace(path)
            self._written += 1
            if self._written % 50 == 1:
                self._shrink()

    def spread(self, frequency: Frequency) -> Spread | None:
        """Return how wide bands are in this company's series, as the last run but one left it; None: not known yet."""
        found = self._spreads().get("now", {}).get(frequency)
        return None if found is None else Spread(*found)

    def begin_run(self) -> None:
        """Let what the last run over many series learned of their bands hold from now on."""
        kept = self._spreads()
        if kept.get("next", {}) != kept.get("now", {}):
            self._write_spreads({"now": kept["next"], "next": kept["next"]})

    def end_run(self, misses: Mapping[Frequency, Sequence[Floats]]) -> None:
        """Keep what a run learned: each series' `relative_misses`, for the next run.

        Within a tenth of what holds nothing changes, so that the fits of one day serve on the next.
        """
        kept = self._spreads()
        following = dict(kept.get("next", {}))
        for frequency, some in misses.items():
            if not any(len(each) for each in some):
                continue
            new = company_spread(some, frequency)
            old = following.get(frequency)
            if old is None or not 1 / CHANGED < new.ratio / old[0] < CHANGED:
                following[frequency] = [round(new.ratio, 3), round(new.weight, 3)]
        if following != kept.get("next", {}):
            self._write_spreads({"now": kept.get("now", {}), "next": following})

    def _spreads(self) -> dict[str, dict[str, list[float]]]:
        try:
            found = json.loads((self._folder / SPREADS).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def _write_spreads(self, spreads: Mapping[str, object]) -> None:
        path = self._folder / SPREADS
        with suppress(OSError):
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            beside = path.with_suffix(f".{os.getpid()}")
            beside.write_text(json.dumps(spreads), encoding="utf-8")
            beside.replace(path)

    def _shrink(self) -> None:
        files = sorted(self._folder.glob("*.json"), key=lambda path: path.stat().st_mtime, reverse=True)
        for old in files[self._kept :]:
            old.unlink(missing_ok=True)

    def _path(self, order: str) -> Path:
        named = json.dumps([METHOD_VERSION, *_versions(), order])
        return self._folder / f"{hashlib.sha256(named.encode()).hexdigest()}.json"


@cache
def _versions() -> tuple[str, ...]:
    return tuple(version(name) for name in ("prophet", "statsforecast", "numpy"))
