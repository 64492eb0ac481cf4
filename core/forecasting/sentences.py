"""Sentences that a forecast keeps with it, put into words only when somebody reads them."""

from __future__ import annotations

from dataclasses import dataclass, field

from core.i18n import _

Value = str | int | float


@dataclass(frozen=True)
class Sentence:
    """An English msgid with its values, so that one stored fit reads in every language."""

    text: str
    values: dict[str, Value] = field(default_factory=dict)

    def __str__(self) -> str:
        """The sentence in the reader's language."""
        return _(self.text, **self.values)

    def to_dict(self) -> dict[str, object]:
        """Plain JSON values."""
        return {"text": self.text, "values": self.values}

    @classmethod
    def from_dict(cls, stored: dict[str, object]) -> Sentence:
        """The inverse of `to_dict`."""
        values = stored["values"]
        return cls(str(stored["text"]), dict(values) if isinstance(values, dict) else {})
