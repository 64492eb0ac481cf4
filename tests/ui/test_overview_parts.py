"""Overview's newer parts and a rep's page: last week's range, the customers, the team's median, leave."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal

import pytest

from core import gate
from core.model import AcquisitionCost
from core.services.leaves import record_leave
from core.ui import page
from core.ui.ahead import Ahead
from tests.conftest import actor
from tests.factories import NOW, Company
from tests.ui.test_analysis_pages import captions, opened

pytestmark = pytest.mark.usefixtures("reading_small_company")

WEEKS = 90


@pytest.fixture
def steady(small_company: Company) -> Company:
    """Four deals opened and two of four won in each of ninety weeks; none in the last."""
    monday = NOW - timedelta(days=NOW.weekday())
    for week in range(2, WEEKS):
        at = monday - timedelta(weeks=week)
        for end in ("won", "lost"):
            small_company.deal(path=(("identified", at), (end, at + timedelta(days=2))), amount=10_000)
    return small_company


def texts(app: object) -> str:
    return " ".join(one.value.replace("\\", "") for one in (*app.markdown, *app.text))


def test_a_week_without_anything_is_called_unusual(steady: Company) -> None:
    app = opened(steady, "overview", period="this-year")
    assert not app.error
    said = texts(app)
    assert re.search(r"\*\*Booked: ¥0, less than the ¥10K to ¥10K to be expected", said)
    assert re.search(r"\*\*New deals: 0, less than the 2 to 2 to be expected", said)
    assert "Win rate: this week is not judged" in said
    chinese = opened(steady, "overview", period="this-year", language="zh")
    assert "低于预期" in texts(chinese)


def test_what_changed_is_written_with_the_signs_of_the_readers_script(steady: Company) -> None:
    app = opened(steady, "overview", period="this-quarter", language="zh")
    assert re.search(r"变化 \S+（\S+）。", texts(app))
    moved = [one.label for one in app.button if str(one.key).startswith("why-")]
    assert moved
    assert all(re.search(r"：\d+ 个商机$", label) for label in moved)


def test_without_history_the_range_waits(small_company: Company) -> None:
    small_company.deal(path=(("identified", NOW - timedelta(days=30)), ("won", NOW - timedelta(days=20))))
    app = opened(small_company, "overview", period="this-year")
    assert "A range rests on 62 whole weeks of history" in captions(app).replace("\\", "")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_customers_open_by_their_kind_from_the_address(steady: Company, language: str) -> None:
    app = opened(steady, "overview", period="this-year", customers="buyers", language=language)
    assert not app.error
    (behind,) = [frame.value for frame in app.dataframe if "last_on" in frame.value.columns]
    assert len(behind) > 10
    labels = {one.label: one.value for one in app.metric}
    assert labels["成交客户" if language == "zh" else "Buying customers"] == str(len(behind))
    app.button(key="customers-active").click().run()
    (behind,) = [frame.value for frame in app.dataframe if "last_on" in frame.value.columns]
    assert labels["活跃客户" if language == "zh" else "Active customers"] == str(len(behind))
    assert app.query_params["customers"] in ("active", ["active"])
    (dialog,) = app.get("dialog")
    assert dialog.proto.dialog.title == ("活跃客户" if language == "zh" else "Active customers")


def test_a_reps_page_shows_a_past_day_and_says_so(steady: Company) -> None:
    rep, day = str(steady.reps["alice"]), (NOW - timedelta(days=60)).date()
    now = opened(steady, "rep", "eastern manager", id=rep, period="this-year")
    then = opened(steady, "rep", "eastern manager", id=rep, period="this-year", **{"as-of": day.isoformat()})
    assert not then.exception
    assert any("How things stood at the end of" in info.value for info in then.info)
    booked = {name: int(re.sub(r"\D", "", metrics(app)["Booked"])) for name, app in (("now", now), ("then", then))}
    assert 0 < booked["then"] < booked["now"]
    assert not [button for button in then.button if button.key == "rep-pushed"]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_managers_page_of_a_rep_offers_leave_and_says_how_they_forecast(steady: Company, language: str) -> None:
    rep = str(steady.reps["alice"])
    app = opened(steady, "rep", "eastern manager", id=rep, period="this-year", language=language)
    assert not app.error
    assert app.button(key="leave-add")
    assert language == "en" or re.search(r"实际比最初预计[早晚] \d+ 天决出", texts(app))
    assert ("“Own”" if language == "en" else "“本人”") in captions(app)
    assert ("up to the same day" if language == "en" else "往期均统计到相同的天数") in captions(app)
    assert ("Of the deals decided" if language == "en" else "在已决出的商机中") in texts(app)
    app.button(key="leave-add").click().run()
    assert [one.label for one in app.button if one.label in ("Save", "保存")]
    days = {"from_on": date(2026, 7, 15), "until_on": date(2026, 7, 19)}
    gate.perform(
        steady.database, actor(steady, "eastern manager"), record_leave, NOW, key="k", rep_id=int(rep), **days
    )  # fmt: skip
    mine = opened(steady, "rep", "eastern rep", id=rep, period="this-year", language=language)
    assert not [one for one in mine.button if one.key == "leave-add"]
    (shown,) = [frame.value for frame in mine.dataframe if "until_on" in frame.value.columns]
    assert shown["days"].to_list() == [5]


def metrics(app: object) -> dict[str, str]:
    return {one.label: one.value for one in app.metric}


@pytest.fixture
def costly(steady: Company) -> Company:
    """What winning customers cost: 9,000 in June, nothing else."""
    website = steady.channels["website"]
    steady._write(AcquisitionCost(channel_id=website, month=date(2026, 6, 1), amount=Decimal(9_000)))
    return steady


@pytest.mark.parametrize("language", ["en", "zh"])
def test_what_a_new_customer_cost_opens_by_channel_with_exactly_those_customers(costly: Company, language: str) -> None:
    days = {"from": "2026-06-01", "to": "2026-07-01"}
    app = opened(costly, "overview", **days, customers="new", worth="cac", language=language)
    assert not app.error
    (channels,) = [frame.value for frame in app.dataframe if "cac" in frame.value.columns]
    (who,) = [frame.value for frame in app.dataframe if "channel" in frame.value.columns]
    new = metrics(app)["新客户" if language == "zh" else "New customers"]
    assert channels["customers"].to_list() == [len(who)] == [int(new)]
    assert metrics(app)["单客获客成本" if language == "zh" else "Cost of a new customer"] != "–"
    assert channels["cac"].to_list() == [9_000 / len(who)]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_number_of_a_channel_opens_the_customers_that_it_won(costly: Company, language: str) -> None:
    days = {"from": "2026-06-01", "to": "2026-07-01"}
    app = opened(costly, "overview", **days, customers="shown", worth="cac", language=language)
    (channels,) = [frame.value for frame in app.dataframe if "cac" in frame.value.columns]
    app.session_state["luopan_clicked_cell"] = ("table-cac-by-channel", 0, "customers")
    app.run()
    kind = f"acquired:{costly.channels['website']}"
    assert app.query_params["customers"] in (kind, [kind])
    count = int(channels["customers"].iloc[0])
    counted = f"{count} 家客户" if language == "zh" else f"{count} customer" + ("s" if count > 1 else "")
    assert f"{counted}, ¥{count * 10_000:,}.00" in [one.value for one in app.text]
    copied = opened(costly, "overview", **days, customers=kind, language=language)
    (dialog,) = copied.get("dialog")
    assert dialog.proto.dialog.title.endswith("官网" if language == "zh" else "Website")


def test_who_may_not_see_costs_finds_nothing_behind_a_copied_channel(costly: Company) -> None:
    kind = f"acquired:{costly.channels['website']}"
    app = opened(costly, "overview", "eastern manager", period="this-year", customers=kind)
    assert not app.exception
    assert not app.get("dialog")


def test_each_card_of_what_customers_are_worth_opens_what_it_is_made_of_and_closes_it(costly: Company) -> None:
    days = {"from": "2026-06-01", "to": "2026-07-01"}
    app = opened(costly, "overview", **days, customers="shown")
    offered = {one.key.removeprefix("open-customer-worth-") for one in app.button if "customer-worth" in str(one.key)}
    assert offered == {"cac", "clv"}
    app = app.button(key="open-customer-worth-cac").click().run()
    assert [frame.value for frame in app.dataframe if "cac" in frame.value.columns]
    app = app.button(key="open-customer-worth-cac").click().run()
    assert not [frame.value for frame in app.dataframe if "cac" in frame.value.columns]


def test_under_a_filter_that_costs_do_not_know_the_card_says_why(costly: Company) -> None:
    days = {"from": "2026-06-01", "to": "2026-07-01"}
    app = opened(costly, "overview", **days, customers="new", team=str(costly.teams["east"]))
    assert metrics(app)["Cost of a new customer"] == "–"
    assert "Costs are not split by team" in captions(app)
    named = opened(costly, "overview", **days, customers="new", channel=str(costly.channels["website"]))
    assert metrics(named)["Cost of a new customer"] != "–"


@pytest.mark.parametrize(("who", "offered"), [("leader", False), ("operations", True), ("eastern manager", None)])
def test_without_costs_those_who_may_enter_them_are_led_there(steady: Company, who: str, offered: bool | None) -> None:
    app = opened(steady, "overview", who, period="this-year", customers="new")
    assert ("Cost of a new customer" in metrics(app)) is (offered is not None)
    assert ("No costs are entered for these days." in captions(app)) is (offered is not None)
    assert bool([one for one in app.button if one.key == "worth-enter"]) is bool(offered)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_lifetime_value_says_how_it_comes_about(steady: Company, language: str) -> None:
    app = opened(steady, "overview", period="this-year", customers="new", worth="clv", language=language)
    assert not app.error
    assert metrics(app)["客户终身价值" if language == "zh" else "Lifetime value"] not in ("", "–")
    assert "× (1 + 10%) ÷ (1 + 10% − 0.0%) = " in texts(app)


def test_whose_list_lies_below_the_lifetime_value_stands_in_the_address(steady: Company) -> None:
    asked = {"period": "this-year", "customers": "shown", "worth": "clv"}
    app = opened(steady, "overview", **asked)
    assert "whose" not in app.query_params
    app.button_group(key="worth-list").set_value("active").run()
    assert app.query_params["whose"] in ("active", ["active"])
    copied = opened(steady, "overview", **asked, whose="active")
    shown = [[frame.value for frame in one.dataframe if "last_on" in frame.value.columns] for one in (app, copied)]
    assert len(shown[0]) == len(shown[1]) == 1
    assert shown[0][0].equals(shown[1][0])
    assert opened(steady, "overview", **asked, whose="nobody").button_group(key="worth-list").value == "held"


def test_a_period_to_come_is_compared_with_nothing(steady: Company) -> None:
    app = opened(steady, "overview", period="2026Q4")
    assert metrics(app)["Booked"] == "¥0"
    assert not any(metric.delta for metric in app.metric)
    assert "vs last year" not in captions(app)


def test_a_reps_page_says_of_a_past_day_how_they_forecast(steady: Company) -> None:
    rep, day = str(steady.reps["alice"]), (NOW - timedelta(days=60)).date().isoformat()
    app = opened(steady, "rep", "eastern manager", id=rep, period="this-year", **{"as-of": day})
    assert any(text.value.startswith("Of the deals decided, 0.0%") for text in app.text)


def test_a_number_of_an_rfm_segment_opens_its_customers(small_company: Company) -> None:
    small_company.deal(amount=10_000, path=(("identified", NOW - timedelta(days=7)), ("won", NOW - timedelta(days=3))))
    app = opened(small_company, "overview", "leader", customers="shown")
    app.session_state["luopan_clicked_cell"] = ("table-rfm", 0, "customers")
    app.run()
    assert "rfm:" in str(app.query_params["customers"])
    assert len(app.get("dialog")) == 1
    assert "1 customer, ¥10,000.00" in [one.value for one in app.text]


@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("overview", {}), ("overview", {"by": "product", "period": "last-quarter"}),
        ("overview", {"as-of": "2026-06-30"}), ("pipeline", {}), ("pipeline", {"as-of": "2026-06-30", "due": "1"}),
        ("funnel", {}), ("funnel", {"followed": "30"}), ("funnel", {"by": "team", "as-of": "2026-06-30"}),
    ],
)  # fmt: skip
def test_whatever_is_begun_ahead_is_asked_in_the_same_words(
    steady: Company, name: str, more: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, ahead = list[str](), Ahead()
    monkeypatch.setattr(page, "_ahead", ahead)
    begin = ahead.begin

    def noting(key: str, answer: Callable[[], object]) -> bool:
        begun.append(key)
        return begin(key, answer)

    monkeypatch.setattr(ahead, "begin", noting)
    app = opened(steady, name, **more)
    assert not app.error
    assert len(begun) >= 2
    assert [key for key in begun if key not in ahead._known] == []


def test_a_page_that_ended_early_leaves_nothing_under_way(
    small_company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    ahead = Ahead()
    monkeypatch.setattr(page, "_ahead", ahead)
    app = opened(small_company, "overview")
    left = {*ahead._begun}
    assert left, "Overview of a company without deals ends before it asks for all"
    small_company.deal(path=(("identified", NOW),))
    app.run()
    assert not app.error
    assert left.isdisjoint(ahead._begun)
    assert not ahead._begun
