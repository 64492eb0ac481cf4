"""The words of the sales process."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class StageKind(StrEnum):
    """What being in a stage means for a deal."""

    OPEN = "open"
    WON = "won"
    LOST = "lost"


class DealField(StrEnum):
    """The facts of a deal that keep a history besides its stage."""

    AMOUNT = "amount"
    OWNER = "owner"
    EXPECTED_CLOSE = "expected_close"


class ActivityKind(StrEnum):
    """How a customer was met."""

    VISIT = "visit"
    CALL = "call"
    EMAIL = "email"
    MESSAGE = "message"
    MEETING = "meeting"


@dataclass(frozen=True)
class StandardStage:
    """One step of the default process."""

    code: str
    name_en: str
    name_zh: str
    kind: StageKind
    probability: float
    expected_days: int


STANDARD_PROCESS = (
    StandardStage("identified", "Lead identified", "线索识别", StageKind.OPEN, 0.05, 10),
    StandardStage("contacted", "First contact", "初次接触", StageKind.OPEN, 0.10, 14),
    StandardStage("needs", "Needs analysis", "需求分析", StageKind.OPEN, 0.25, 21),
    StandardStage("demo", "Demo", "方案演示", StageKind.OPEN, 0.45, 18),
    StandardStage("negotiation", "Quote and negotiation", "报价与谈判", StageKind.OPEN, 0.70, 21),
    StandardStage("won", "Won", "赢单", StageKind.WON, 1.0, 0),
    StandardStage("lost", "Lost", "输单", StageKind.LOST, 0.0, 0),
)

STANDARD_LOST_REASONS = (
    ("price", "Price too high", "价格过高"),
    ("competitor", "Chose a competitor", "选择竞争对手"),
    ("no-budget", "No budget", "预算不足"),
    ("no-decision", "No decision made", "客户未决策"),
    ("fit", "Did not fit the need", "需求不匹配"),
    ("timing", "Bad timing", "时机不合适"),
    ("unreachable", "Contact lost", "失去联系"),
    ("unknown", "Not known", "原因不明"),
)

STANDARD_CHANNELS = (
    ("website", "Website", "官网"),
    ("exhibition", "Exhibition", "展会"),
    ("referral", "Referral", "转介绍"),
    ("cold-call", "Cold call", "电话开发"),
    ("partner", "Partner", "合作伙伴"),
    ("advertising", "Advertising", "广告投放"),
)
