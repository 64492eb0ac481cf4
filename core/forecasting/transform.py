"""The scale on which a series is modelled: logarithm, softened logarithm, or as it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Kind = Literal["log", "log1p", "plain"]

ZEROS_FOR_LOG1P = 0.10


@dataclass(frozen=True)
class Transform:
    """z = log(y/scale), log(1 + y/scale) or y/scale; `scale` is in the unit of y and above 0."""

    kind: Kind
    scale: float

    @classmethod
    def suited(cls, y: Floats) -> Transform:
        """Logs for positive values, softened where some are zero, plain below zero.

        Beyond a tenth of zeros a logarithm would forecast a median near zero, so plain.
        """
        if len(y) == 0 or not y.any():
            return cls("plain", 1.0)
        if (y < 0).any():
            return cls("plain", float(np.mean(np.abs(y))))
        zeros = float(np.mean(y == 0))
        if zeros == 0:
            return cls("log", float(np.median(y)))
        if zeros <= ZEROS_FOR_LOG1P:
            return cls("log1p", float(np.median(y[y > 0])))
        return cls.plain(y)

    @classmethod
    def plain(cls, y: Floats) -> Transform:
        """As it is, in units of the mean size."""
        return cls("plain", float(np.mean(np.abs(y))) or 1.0)

    def forward(self, y: Floats) -> Floats:
        """From the unit of the series to the modelled scale."""
        ratio = y / self.scale
        if self.kind == "log":
            return np.asarray(np.log(ratio))
        if self.kind == "log1p":
            return np.asarray(np.log1p(ratio))
        return np.asarray(ratio)

    def inverse(self, z: Floats) -> Floats:
        """Back to the unit of the series."""
        if self.kind == "log":
            return np.asarray(np.exp(z) * self.scale)
        if self.kind == "log1p":
            return np.asarray(np.expm1(z) * self.scale)
        return np.asarray(z * self.scale)
