"""What the person who imports decides; every default is a rule that the preview says aloud."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from typing import Any, Literal

from core.domain.stages import StageKind
from core.importing.cleaning import DayOrder

NoCustomer = Literal["placeholder", "refuse"]
Undated = Literal["day", "refuse"]
NoAmount = Literal["list_price", "zero", "refuse"]


@dataclass(frozen=True)
class StageChoice:
    """What a stage word of the files becomes.

    A step of `kind` in a new process, or the stage `code` of the chosen one ("" in a new process;
    None leaves the word out, and its rows are refused).
    """

    word: str
    kind: StageKind = StageKind.OPEN
    code: str | None = ""


@dataclass(frozen=True)
class Choices:
    """The rules of one import.

    `pipeline` is the code of a process there is, "" for a new one named `process_name`; `stages`
    in the order of the process. `merges` maps subject → written name → name to use. `no_customer`,
    `undated` and `no_amount` say what becomes of rows without a customer, a day or a value.
    `undated_on` None is the last day that the files name; `expected_days` None the median
    cycle of the files' closed deals.
    """

    pipeline: str = ""
    process_name: str = ""
    stages: tuple[StageChoice, ...] = ()
    opened_stage: str = ""
    make_default: bool | None = None
    merges: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    no_customer: NoCustomer = "placeholder"
    no_customer_name: str = "(no account)"
    undated: Undated = "day"
    undated_on: date | None = None
    no_amount: NoAmount = "list_price"
    expected_days: int | None = None
    house_rep: str = "Imported"
    day_order: DayOrder = DayOrder.MONTH_FIRST

    def merged(self, subject: str, name: str) -> str:
        """Return the name to use for a written one."""
        return self.merges.get(subject, {}).get(name, name)

    def with_merge(self, subject: str, written: str, known: str) -> Choices:
        """Return the choices with one merge accepted."""
        mine = {**self.merges.get(subject, {}), written: known}
        return replace(self, merges={**self.merges, subject: mine})

    def to_remember(self) -> dict[str, Any]:
        """Return what another import of such files may start from, as JSON."""
        said = asdict(self)
        return {
            "stages": [{"word": one.word, "kind": one.kind.value, "code": one.code} for one in self.stages],
            "pipeline": self.pipeline, "process_name": self.process_name, "opened_stage": self.opened_stage,
            "merges": said["merges"],
        }  # fmt: skip


def from_remembered(said: Mapping[str, Any]) -> Choices:
    """Return the choices that an earlier import of such files was applied with."""
    stages = tuple(StageChoice(one["word"], StageKind(one["kind"]), one["code"]) for one in said.get("stages", ()))
    return Choices(
        pipeline=said.get("pipeline", ""), process_name=said.get("process_name", ""), stages=stages,
        opened_stage=said.get("opened_stage", ""), merges=said.get("merges", {}),
    )  # fmt: skip
