"""What an empty database is given before anybody signs in: the standard process and its words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlmodel import select

from core.domain.stages import STANDARD_CHANNELS, STANDARD_LOST_REASONS, STANDARD_PROCESS
from core.model import Channel, Currency, LostReason, Pipeline, Stage

if TYPE_CHECKING:
    from core.db.work import Work

STANDARD_PIPELINE = "standard"
_CURRENCIES = ("CNY", "USD", "EUR", "HKD", "JPY", "GBP")


def found_company(work: Work) -> Pipeline:
    """Make the standard process, lost reasons, channels and currencies where they are missing."""
    session = work.session
    found = session.exec(select(Pipeline).where(Pipeline.code == STANDARD_PIPELINE)).one_or_none()
    if found is not None:
        return found
    pipeline = Pipeline(code=STANDARD_PIPELINE, name="标准销售流程", name_en="Standard process", is_default=True)
    session.add(pipeline)
    known = set(session.exec(select(Currency.code)))
    codes = dict.fromkeys([*_CURRENCIES, work.base_currency])
    session.add_all(Currency(code=code) for code in codes if code not in known)
    session.flush()
    for position, stage in enumerate(STANDARD_PROCESS, start=1):
        session.add(
            Stage(
                pipeline_id=pipeline.id, code=stage.code, name=stage.name_zh, name_en=stage.name_en,
                position=position, kind=stage.kind, probability=stage.probability, expected_days=stage.expected_days,
            )
        )  # fmt: skip
    session.add_all(LostReason(code=code, name=zh, name_en=en) for code, en, zh in STANDARD_LOST_REASONS)
    session.add_all(Channel(code=code, name=zh, name_en=en) for code, en, zh in STANDARD_CHANNELS)
    session.flush()
    return pipeline
