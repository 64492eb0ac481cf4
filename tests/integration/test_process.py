"""The sales process changes without corrupting what deals have been through."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from core.access.actors import SYSTEM
from core.analytics.as_of import AsOf
from core.domain.periods import Period
from core.domain.stages import StageKind
from core.errors import EditedMeanwhile, InvalidFields, NotAllowed
from core.model import Stage
from core.queries.administration import deal_words, pipelines, stages_of
from core.queries.funnel_flow import funnel_flow
from core.services.deal_moves import advance_deal
from core.services.process import (
    DefaultPipelineStays,
    LostStageNeeded,
    OneWonStage,
    OpenStageNeeded,
    OrderChanged,
    StageFields,
    StageInUse,
    StageKindStays,
    add_pipeline,
    add_stage,
    add_word,
    delete_stage,
    edit_pipeline,
    edit_stage,
    edit_word,
    reorder_stages,
)
from tests.factories import NOW

OTHERS = ("eastern rep", "eastern manager", "leader", "administrator")


def lines(answer_as, company):
    return answer_as("operations", stages_of, pipeline_id=company.pipeline_id)


def stage(answer_as, company, code):
    return next(one.stage for one in lines(answer_as, company) if one.stage.code == code)


def said(of, **changes):
    now = StageFields(of.name, of.name_en, of.kind, of.probability, of.expected_days, of.active)
    return replace(now, **changes)


@pytest.mark.parametrize("who", OTHERS)
def test_only_operations_change_the_process(company, perform_as, answer_as, who):
    number = company.stages["demo"]
    fields = StageFields("改名")
    for command, values in (
        (add_pipeline, {"name": "x"}),
        (edit_pipeline, {"pipeline_id": company.pipeline_id, "version": 1, "name": "x"}),
        (add_stage, {"pipeline_id": company.pipeline_id, "fields": fields}),
        (edit_stage, {"stage_id": number, "version": 1, "fields": fields}),
        (reorder_stages, {"pipeline_id": company.pipeline_id, "stage_ids": [number]}),
        (delete_stage, {"stage_id": number, "version": 1}),
        (add_word, {"kind": "channel", "name": "x"}),
        (edit_word, {"kind": "channel", "word_id": 1, "version": 1, "name": "x"}),
    ):
        with pytest.raises(NotAllowed):
            perform_as(who, command, **values)
    for query, values in (
        (pipelines, {}),
        (stages_of, {"pipeline_id": 1}),
        (deal_words, {"kind": "channel"}),
    ):
        with pytest.raises(NotAllowed):
            answer_as(who, query, **values)


def test_a_stage_that_a_deal_passed_is_retired_but_never_deleted(company, make, perform_as, answer_as):
    make.deal(path=(("identified", NOW - timedelta(days=5)), ("demo", NOW - timedelta(days=2))))
    for code in ("identified", "demo"):
        kept = stage(answer_as, company, code)
        with pytest.raises(StageInUse, match="retire it instead"):
            perform_as("operations", delete_stage, stage_id=kept.id, version=kept.version)
    kept = stage(answer_as, company, "demo")
    perform_as("operations", edit_stage, stage_id=kept.id, version=kept.version, fields=said(kept, active=False))
    assert not stage(answer_as, company, "demo").active


def test_a_stage_that_nobody_entered_can_be_deleted(company, perform_as, answer_as):
    needs = stage(answer_as, company, "needs")
    perform_as("operations", delete_stage, stage_id=needs.id, version=needs.version)
    assert "needs" not in {one.stage.code for one in lines(answer_as, company)}


def test_the_kind_of_a_stage_in_use_stays(company, make, perform_as, answer_as):
    make.deal(path=(("identified", NOW - timedelta(days=5)), ("demo", NOW)))
    demo = stage(answer_as, company, "demo")
    with pytest.raises(StageKindStays):
        perform_as(
            "operations", edit_stage, stage_id=demo.id, version=demo.version, fields=said(demo, kind=StageKind.LOST)
        )
    needs = stage(answer_as, company, "needs")
    perform_as(
        "operations", edit_stage, stage_id=needs.id, version=needs.version, fields=said(needs, kind=StageKind.LOST)
    )
    changed = stage(answer_as, company, "needs")
    assert (changed.kind, changed.probability, changed.position) == (StageKind.LOST, 0.0, 6)


def test_a_process_keeps_one_won_a_lost_and_an_open_stage(company, perform_as, answer_as):
    won, lost = stage(answer_as, company, "won"), stage(answer_as, company, "lost")
    with pytest.raises(OneWonStage):
        perform_as("operations", edit_stage, stage_id=won.id, version=won.version, fields=said(won, active=False))
    with pytest.raises(OneWonStage):
        perform_as(
            "operations",
            add_stage,
            pipeline_id=company.pipeline_id,
            fields=StageFields("又赢", "Won too", StageKind.WON),
        )
    with pytest.raises(LostStageNeeded):
        perform_as("operations", delete_stage, stage_id=lost.id, version=lost.version)
    for code in ("identified", "contacted", "needs", "demo"):
        one = stage(answer_as, company, code)
        perform_as("operations", delete_stage, stage_id=one.id, version=one.version)
    last = stage(answer_as, company, "negotiation")
    with pytest.raises(OpenStageNeeded):
        perform_as("operations", delete_stage, stage_id=last.id, version=last.version)


@pytest.fixture
def two_won(company):
    """A process as an import can bring it: two won stages in use, and a deal won in the first."""
    with company.database.writing(SYSTEM, now=NOW, action="test") as work:
        second = Stage(
            pipeline_id=company.pipeline_id, code="delivered", name="已交付", name_en="Delivered", position=8,
            kind=StageKind.WON, probability=1.0,
        )  # fmt: skip
        work.session.add(second)
        work.session.flush()
        company.stages["delivered"] = second.id
    return company.deal(path=(("identified", NOW - timedelta(days=9)), ("won", NOW - timedelta(days=2))))


def test_several_won_stages_of_an_import_are_kept_and_never_get_more(company, two_won, perform_as, answer_as):
    demo, delivered = stage(answer_as, company, "demo"), stage(answer_as, company, "delivered")
    perform_as("operations", edit_stage, stage_id=demo.id, version=demo.version, fields=said(demo, expected_days=3))
    with pytest.raises(OneWonStage):
        perform_as(
            "operations", add_stage, pipeline_id=company.pipeline_id, fields=StageFields("三", "Third", StageKind.WON)
        )
    perform_as(
        "operations", edit_stage, stage_id=delivered.id, version=delivered.version, fields=said(delivered, active=False)
    )
    delivered = stage(answer_as, company, "delivered")
    with pytest.raises(OneWonStage):
        perform_as(
            "operations", edit_stage, stage_id=delivered.id, version=delivered.version,
            fields=said(delivered, active=True),
        )  # fmt: skip


def test_a_won_deal_goes_on_to_another_won_stage_and_stays_won_when_it_was(company, two_won, perform_as):
    deal = perform_as(
        "eastern rep", advance_deal, deal_id=two_won.id, to_stage_id=company.stages["delivered"], version=1
    )
    assert (deal.state, deal.closed_at, deal.credited_id) == (StageKind.WON, two_won.closed_at, two_won.credited_id)
    assert deal.stage_id == company.stages["delivered"]


@pytest.mark.parametrize("known", [None, "now", "then"])
def test_a_move_from_one_won_stage_to_another_is_seen_though_the_deal_had_closed_before(
    company, two_won, perform_as, answer_as, known
):
    perform_as("eastern rep", advance_deal, deal_id=two_won.id, to_stage_id=company.stages["delivered"], version=1)
    today = NOW.astimezone(company.database.zone).date()
    since = Period(today, today + timedelta(days=1))
    moved = answer_as("leader", funnel_flow, period=since, as_of=known and AsOf(today, known))
    assert [(row.to_stage, row.deals, row.moves) for row in moved.itertuples()] == [("Delivered", 1, 1)]


def test_a_new_order_keeps_won_and_lost_at_the_end(company, perform_as, answer_as):
    codes = ["lost", "won", "demo", "identified", "contacted", "needs", "negotiation"]
    perform_as(
        "operations",
        reorder_stages,
        pipeline_id=company.pipeline_id,
        stage_ids=[company.stages[code] for code in codes],
    )
    assert [one.stage.code for one in lines(answer_as, company)] == [
        "demo", "identified", "contacted", "needs", "negotiation", "won", "lost",
    ]  # fmt: skip
    with pytest.raises(OrderChanged):
        perform_as("operations", reorder_stages, pipeline_id=company.pipeline_id, stage_ids=[1, 2])


def test_a_new_stage_stands_after_the_open_ones(company, perform_as, answer_as):
    number = perform_as(
        "operations", add_stage, pipeline_id=company.pipeline_id, fields=StageFields("试用", "Trial", probability=0.6)
    )
    order = [one.stage.id for one in lines(answer_as, company)]
    assert order.index(number) == 5
    assert order[-2:] == [company.stages["won"], company.stages["lost"]]


def test_each_stage_shows_how_the_closed_deals_that_entered_it_ended(company, make, answer_as):
    start = NOW - timedelta(days=20)
    for last in ("won", "won", "lost"):
        make.deal(path=(("identified", start), ("demo", start), (last, NOW - timedelta(days=1))))
    make.deal(path=(("identified", start), ("demo", NOW)))
    found = {one.stage.code: one for one in lines(answer_as, company)}
    assert (found["demo"].decided, found["demo"].won, found["demo"].standing) == (3, 2, 1)
    assert (found["identified"].decided, found["identified"].won) == (3, 2)
    assert (found["needs"].decided, found["needs"].used) == (0, False)


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"name": " "}, "name"), ({"probability": 1.2}, "probability"), ({"expected_days": -1}, "expected_days")],
)
def test_a_stage_with_an_impossible_value_is_refused_beside_its_field(company, perform_as, answer_as, changes, field):
    demo = stage(answer_as, company, "demo")
    with pytest.raises(InvalidFields) as refused:
        perform_as("operations", edit_stage, stage_id=demo.id, version=demo.version, fields=said(demo, **changes))
    assert set(refused.value.problems) == {field}


def test_a_stage_edited_meanwhile_is_not_overwritten(company, perform_as, answer_as):
    demo = stage(answer_as, company, "demo")
    perform_as("operations", edit_stage, stage_id=demo.id, version=demo.version, fields=said(demo, name="演示"))
    with pytest.raises(EditedMeanwhile):
        perform_as("operations", edit_stage, stage_id=demo.id, version=demo.version, fields=said(demo, name="别名"))


def test_there_is_always_one_default_process(company, perform_as, answer_as):
    second = perform_as("operations", add_pipeline, name="续约流程", name_en="Renewals")
    old = answer_as("operations", pipelines)[0]
    with pytest.raises(DefaultPipelineStays):
        perform_as(
            "operations", edit_pipeline, pipeline_id=old.id, version=old.version, name=old.name, is_default=False
        )
    perform_as("operations", edit_pipeline, pipeline_id=second, version=1, name="续约流程", is_default=True)
    assert [(row.id, row.is_default) for row in answer_as("operations", pipelines)] == [
        (second, True),
        (old.id, False),
    ]
    kinds = [one.stage.kind for one in answer_as("operations", stages_of, pipeline_id=second)]
    assert kinds == [StageKind.OPEN, StageKind.WON, StageKind.LOST]


def test_words_are_renamed_and_retired_but_never_doubled(company, perform_as, answer_as):
    number = perform_as("operations", add_word, kind="lost_reason", name="内部调整", name_en="Reorganised")
    with pytest.raises(InvalidFields):
        perform_as("operations", add_word, kind="lost_reason", name="内部调整")
    perform_as("operations", edit_word, kind="lost_reason", word_id=number, version=1, name="组织调整", active=False)
    last = answer_as("operations", deal_words, kind="lost_reason")[-1]
    assert (last.id, last.name, last.active) == (number, "组织调整", False)
