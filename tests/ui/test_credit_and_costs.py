"""Costs in the grid of products, margins on the leaderboard, and credit split on a deal's page, as people see them."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlmodel import select

from core import gate
from core.access.actors import SYSTEM
from core.i18n import use_language
from core.model import CreditShare, Deal, Sku
from core.services.deal_costs import cost_won_deals
from core.services.deal_credit import CreditPart, split_credit
from tests.conftest import actor
from tests.factories import NOW, Company
from tests.ui.pages import opened
from tests.ui.test_selling_pages import said

pytestmark = pytest.mark.usefixtures("on_small_company")

DAY = timedelta(days=1)


@pytest.fixture
def deal(small_company: Company) -> Deal:
    """Alice won 10,000 with one compass, three days ago."""
    make = small_company
    return make.deal(path=(("identified", NOW - 7 * DAY), ("won", NOW - 3 * DAY)), amount=10_000, name="Große Reise")


def shares(make: Company, deal: Deal) -> dict[int, int]:
    with make.database.reading(SYSTEM, now=NOW) as work:
        rows = work.session.exec(select(CreditShare).where(CreditShare.deal_id == deal.id))
        return {row.rep_id: row.share for row in rows if row.until_at is None}


def cost(make: Company, amount: int) -> None:
    with make.database.writing(SYSTEM, now=NOW, action="test") as work:
        work.session.exec(select(Sku).where(Sku.code == "compass-1")).one().cost = Decimal(amount)
    gate.perform(make.database, actor(make, "operations"), cost_won_deals, NOW, since=(NOW - 9 * DAY).date())
    make.database.mirror.refresh()


def test_the_owner_splits_the_credit_and_takes_it_back(small_company, deal):
    make, form = small_company, f"split_credit_{deal.id}"
    app = opened(make, "deal", id=deal.id)
    app.button(key="deal-split").click().run()
    app.selectbox(key=f"{form}.who1").set_value(make.reps["charlie"]).run()
    app.number_input(key=f"{form}.part0").set_value(70.0).run()
    app.button(key="split-save").click().run()
    assert "120%" in said(app), "refused, with what the shares add up to"
    assert shares(make, deal) == {}
    app.number_input(key=f"{form}.part1").set_value(30.0).run()
    app.button(key="split-save").click().run()
    assert not app.exception
    assert shares(make, deal) == {make.reps["alice"]: 7_000, make.reps["charlie"]: 3_000}
    assert "¥3,000.00" in said(app)
    assert "Credit split: Alice 70%, Charlie 30%" in said(app).replace("\\", "")
    app.button(key="deal-split").click().run()
    app.button(key="split-whole").click().run()
    assert shares(make, deal) == {}


def test_a_split_made_meanwhile_is_not_overwritten(small_company, deal):
    make, form = small_company, f"split_credit_{deal.id}"
    app = opened(make, "deal", id=deal.id)
    app.button(key="deal-split").click().run()
    parts = (CreditPart(make.reps["alice"], 5_000), CreditPart(make.reps["bob"], 5_000))
    gate.perform(make.database, actor(make, "operations"), split_credit, NOW, deal_id=deal.id, version=1, parts=parts)
    app.selectbox(key=f"{form}.who1").set_value(make.reps["charlie"]).run()
    app.button(key="split-save").click().run()
    assert not app.exception
    assert set(shares(make, deal)) == {make.reps["alice"], make.reps["bob"]}


@pytest.mark.parametrize("language", ["en", "zh"])
def test_who_may_see_margins_ranks_by_them_and_others_are_not_offered_them(small_company, deal, language):
    use_language(language)
    cost(small_company, 4_000)
    app = opened(small_company, "leaderboard", "leader", language, period="this-quarter", measure="margin")
    board = next(frame.value for frame in app.dataframe if "rank" in frame.value.columns)
    assert board["margin"].dropna().to_list() == [6_000]
    assert "100" in said(app)
    rep = opened(small_company, "leaderboard", "eastern rep", language, period="this-quarter", measure="margin")
    assert rep.selectbox(key="board-measure").value == "booked"
    assert "margin" not in rep.selectbox(key="board-measure").options
    assert all("margin" not in frame.value.columns for frame in rep.dataframe)
    for who, shown in (("eastern manager", True), ("eastern rep", False)):
        page = opened(small_company, "deal", who, language, id=deal.id)
        assert ("¥6,000.00" in said(page).replace("\\", "")) is shown


def test_a_board_of_parts_says_how_a_row_is_worked_out(small_company, deal):
    make = small_company
    parts = (CreditPart(make.reps["alice"], 2_000), CreditPart(make.reps["bob"], 8_000))
    gate.perform(make.database, actor(make, "operations"), split_credit, NOW, deal_id=deal.id, version=1, parts=parts)
    make.database.mirror.refresh()
    app = opened(make, "leaderboard", "leader", period="this-quarter")
    board = next(frame.value for frame in app.dataframe if "rank" in frame.value.columns)
    assert board["booked"].to_list() == [8_000, 2_000, 0]
    app.button(key="board-arithmetic").click().run()
    assert "¥0.00 as owner − ¥0.00 credited to others + ¥8,000.00 credited" in said(app).replace("\\", "")
    whole = opened(make, "leaderboard", "leader", period="this-quarter", fair="days-shrinkage-range")
    board = next(frame.value for frame in whole.dataframe if "rank" in frame.value.columns)
    assert board["booked"].to_list() == [10_000, 0, 0]
    teams = opened(make, "leaderboard", "leader", period="this-quarter", by="team")
    assert [one.label for one in teams.toggle if one.key == "fair-splits"] == ["Credit splits"]
    rep = opened(make, "rep", "leader", id=make.reps["bob"], period="this-quarter")
    assert "= ¥8,000.00" in said(rep).replace("\\", "")
