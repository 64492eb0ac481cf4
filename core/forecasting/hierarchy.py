"""Forecasts of a whole and of its parts, made to add up: minimum trace reconciliation.

The arithmetic is `hierarchicalforecast`'s; here is what it is asked. Source: docs/methods/all-series.md.
`python -m core.forecasting.hierarchy` is the child of `reconciled_apart`.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, TextIO

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from core.forecasting.transform import Floats

ROOT: Final = Path(__file__).resolve().parents[2]
APART_SECONDS: Final = 300
SMALLEST: Final = 1e-4
"""The least error that a series is taken to have, as a share of the largest one's."""


@dataclass(frozen=True)
class Equation:
    """A whole is the sum of its parts; all are places among the series."""

    whole: int
    parts: tuple[int, ...]


def reconciled(base: Floats, spread: Floats, equations: Sequence[Equation], *, signed: bool = False) -> Floats:
    """Return the forecasts nearest to `base` for which every equation holds.

    base: a row a series, a column a step ahead; spread: each series' usual error, 0 or more: what is
    known badly moves most. Parts stay at 0 or above unless `signed`. Source: eq. 1 and 2.
    """
    base = np.asarray(base, dtype="float64")
    made = np.array(base)
    if not equations:
        return made
    spread = np.asarray(spread, dtype="float64")
    errors = np.maximum(spread, SMALLEST * (float(spread.max(initial=0.0)) or 1.0))
    errors = errors / errors.min()  # the library takes errors near zero for a mistake
    least = 1e-9 * (float(np.abs(base).max(initial=0.0)) or 1.0)
    parts = sorted({part for equation in equations for part in equation.parts})
    waiting = np.arange(base.shape[1])
    fixed: dict[int, frozenset[int]] = dict.fromkeys(map(int, waiting), frozenset())
    while len(waiting):
        again = []
        for gone in sorted({fixed[int(step)] for step in waiting}, key=sorted):
            steps = np.array([step for step in waiting if fixed[int(step)] == gone])
            made[:, steps] = _projected(base[:, steps], errors, equations, gone)
            if signed:
                continue
            for step in steps:
                below = {part for part in parts if made[part, step] < -least} - gone
                if below:
                    fixed[int(step)] = gone | below
                    again.append(step)
        waiting = np.array(again, dtype=int)
    return made if signed else np.where(np.abs(made) < least, 0.0, made)


class ReconcilingFailed(Exception):
    """The child process ended without an answer; its last words are the text."""


def reconciled_apart(base: Floats, spread: Floats, equations: Sequence[Equation], *, signed: bool = False) -> Floats:
    """Do what `reconciled` does in a process that ends with it: the library takes 170 MB. Raises ReconcilingFailed."""
    asked = {
        "base": np.asarray(base).tolist(),
        "spread": np.asarray(spread).tolist(),
        "equations": [[equation.whole, list(equation.parts)] for equation in equations],
        "signed": signed,
    }
    child = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "core.forecasting.hierarchy"],
        input=json.dumps(asked), capture_output=True, text=True, cwd=ROOT, timeout=APART_SECONDS, check=False,
    )  # fmt: skip
    if child.returncode:
        raise ReconcilingFailed(child.stderr.strip()[-2_000:])
    return np.array(json.loads(child.stdout), dtype="float64")


def _answer(asked: TextIO, told: TextIO) -> None:
    """Answer one question of `reconciled_apart`."""
    order = json.load(asked)
    equations = [Equation(whole, tuple(parts)) for whole, parts in order["equations"]]
    base, spread = np.array(order["base"], dtype="float64"), np.array(order["spread"], dtype="float64")
    json.dump(reconciled(base, spread, equations, signed=order["signed"]).tolist(), told)


def _projected(base: Floats, errors: Floats, equations: Sequence[Equation], gone: frozenset[int]) -> Floats:
    """Reconcile with the series of `gone` held at zero."""
    from hierarchicalforecast.methods import MinTrace

    rows = _constraints(len(base), equations, gone)
    dependent, free, sums = _solved(rows)
    made = np.zeros_like(base)
    kept = np.array([place for place in free if place not in gone], dtype=int)
    if not len(dependent) or not len(kept):
        made[kept] = base[kept]
        return made
    columns = [place for place, column in enumerate(free) if column not in gone]
    order = np.concatenate([dependent, kept])
    S = np.vstack([sums[:, columns], np.eye(len(kept))])
    told = errors[order][:, None]
    fitted = MinTrace(method="wls_var").fit_predict(
        S=S, y_hat=base[order], y_insample=told, y_hat_insample=np.zeros_like(told)
    )
    made[order] = fitted["mean"]
    return made


def _constraints(count: int, equations: Sequence[Equation], gone: frozenset[int]) -> Floats:
    """A row an equation: whole minus parts, zero where it holds."""
    rows = np.zeros((len(equations), count))
    for row, equation in zip(rows, equations, strict=True):
        row[equation.whole] += 1.0
        row[list(equation.parts)] -= 1.0
    rows[:, sorted(gone)] = 0.0
    return rows


def _solved(rows: Floats) -> tuple[NDArray[np.int64], NDArray[np.int64], Floats]:
    """Return which series the others decide, the others, and how: the former are `sums` times the latter.

    Gauss-Jordan elimination; equations that follow from others drop out.
    """
    rows = np.array(rows)
    pivots: list[int] = []
    for column in range(rows.shape[1]):
        top = len(pivots)
        if top == len(rows):
            break
        best = top + int(np.argmax(np.abs(rows[top:, column])))
        if abs(rows[best, column]) < 1e-9:
            continue
        rows[[top, best]] = rows[[best, top]]
        rows[top] /= rows[top, column]
        others = np.arange(len(rows)) != top
        rows[others] -= np.outer(rows[others, column], rows[top])
        pivots.append(column)
    dependent = np.array(pivots, dtype=np.int64)
    free = np.setdiff1d(np.arange(rows.shape[1]), dependent)
    return dependent, free, -rows[: len(pivots)][:, free]


if __name__ == "__main__":
    _answer(sys.stdin, sys.stdout)
