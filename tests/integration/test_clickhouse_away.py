"""A ClickHouse that cannot be used costs the numbers alone: everybody reads why, and the next question tries again."""

from __future__ import annotations

import socket
from datetime import date
from threading import Event
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import func, select

from core import ask, gate
from core.access.actors import SYSTEM
from core.db import clickhouse_server
from core.db.clickhouse_mirror import ClickHouseMirror
from core.db.clickhouse_server import NEEDED, HttpServer
from core.domain.periods import Period
from core.errors import AnalyticsAway, AnalyticsRefused, AnalyticsTooOld
from core.i18n import speaking
from core.jobs import period_awards
from core.model import Deal
from core.queries.deals import deals_page
from core.queries.overview import overview_kpis
from core.serve import make_ready
from core.settings import PROJECT_ROOT
from core.ui import live, page, session
from tests.clickhouse import refusing, served
from tests.conftest import actor
from tests.factories import NOW, Company
from tests.ui.pages import framed, opened, turned

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.clickhouse import InProcess

Q3 = Period(date(2026, 7, 1), date(2026, 10, 1))
SECRET = "sésame/ouvre"
AWAY = "The numbers cannot be computed: the analytics server does not answer."


@pytest.fixture
def free_port() -> int:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])


def pointed(company: Company, address: str) -> Company:
    """Let the company's numbers come from a ClickHouse at an address."""
    company.database._mirror = ClickHouseMirror(company.database, HttpServer(address))
    return company


@pytest.fixture
def cut_off(small_company: Company, free_port: int) -> Company:
    """The cast's company, its ClickHouse unreachable."""
    return pointed(small_company, f"clickhouse://luopan:s%C3%A9same%2Fouvre@127.0.0.1:{free_port}/luopan")


def asked(company: Company) -> Any:
    return gate.answer(company.database, actor(company, "leader"), overview_kpis, NOW, period=Q3)


def test_a_server_that_is_not_there_fails_the_numbers_alone(cut_off: Company) -> None:
    with pytest.raises(AnalyticsAway) as told:
        asked(cut_off)
    assert told.value.message().startswith(AWAY)
    assert told.value.__cause__ is None, "the driver's words are the log's"
    assert told.value.__suppress_context__
    with speaking("zh"):
        assert told.value.message().startswith("暂时无法计算数据")
    deal = cut_off.deal(name="as ever")
    found = gate.answer(cut_off.database, actor(cut_off, "leader"), deals_page, NOW)
    assert found.total == 1
    assert deal.name in str(found.rows)


def test_a_server_that_takes_the_call_and_never_answers_is_given_up(small_company: Company, monkeypatch: Any) -> None:
    monkeypatch.setattr(clickhouse_server, "_ANSWER_SECONDS", 1)
    with socket.create_server(("127.0.0.1", 0)) as mute:
        pointed(small_company, f"clickhouse://luopan:x@127.0.0.1:{mute.getsockname()[1]}/luopan")
        with pytest.raises(AnalyticsAway) as told:
            asked(small_company)
    assert told.value.message().startswith(AWAY)


def test_a_refused_sign_in_is_said_without_the_password(small_company: Company, caplog: Any) -> None:
    with refusing() as port:
        pointed(small_company, f"clickhouse://luopan:s%C3%A9same%2Fouvre@127.0.0.1:{port}/luopan")
        with pytest.raises(AnalyticsRefused, match="does not accept the sign-in"):
            asked(small_company)
    assert "AUTHENTICATION_FAILED" in caplog.text
    assert SECRET not in caplog.text
    assert "s%C3%A9same" not in caplog.text


def test_the_log_never_holds_the_password_even_where_the_server_repeats_it(caplog: Any) -> None:
    server = HttpServer("clickhouse://luopan:s%C3%A9same%2Fouvre@db.example.com/luopan")
    server._say(AnalyticsRefused(), f"wrong: {SECRET}, s%C3%A9same%2Fouvre")
    assert caplog.messages == [f"db.example.com 8123: {AnalyticsRefused()} wrong: …, …"]


def test_an_older_server_is_told_by_its_version(small_company: Company, engine: InProcess, monkeypatch: Any) -> None:
    monkeypatch.setattr(clickhouse_server, "NEEDED", "99.1")
    with served(engine) as url:
        pointed(small_company, url)
        with pytest.raises(AnalyticsTooOld) as told:
            asked(small_company)
    there = str(engine.read("SELECT version() AS v").column(0)[0])
    assert f"is ClickHouse {there}, and 99.1 or later" in told.value.message()
    with speaking("zh"):
        assert f"版本为 {there}，需要 99.1" in told.value.message()


def test_the_manual_names_the_version_that_is_needed() -> None:
    said = (PROJECT_ROOT / "docs" / "hosting.md").read_text(encoding="utf-8")
    assert f"Version {NEEDED} or later" in said
    assert f"clickhouse-server:{NEEDED}" in said


def test_the_next_question_tries_again_and_the_one_after_a_failure_too(
    small_company: Company, engine: InProcess, free_port: int
) -> None:
    engine.start_anew()
    pointed(small_company, f"clickhouse://default@127.0.0.1:{free_port}/{engine.database}")
    mirror = small_company.database.mirror
    count = select(func.count()).select_from(Deal)
    small_company.deal()
    for deals in (1, 2):
        with pytest.raises(AnalyticsAway):
            asked(small_company)
        mirror._server._rests_until = 0.0  # the try was long ago
        with served(engine, port=free_port):
            asked(small_company)
            facts = mirror.scoped(actor(small_company, "leader").scope)
            assert facts.value(select(func.count()).select_from(facts.facts.deals)) == deals
            mirror._server._client.http.clear()
        small_company.deal()
    with small_company.database.reading(SYSTEM, now=NOW) as work:
        assert work.session.scalar(count) == 3


def test_a_statement_that_is_wrong_is_no_matter_of_the_server(engine: InProcess, caplog: Any) -> None:
    from clickhouse_connect.driver.exceptions import DatabaseError

    with served(engine) as url:
        server = HttpServer(url)
        with pytest.raises(DatabaseError):
            server.read("SELECT nothing_there")
        server.close()
    assert caplog.messages == []


def test_the_log_has_a_failure_once_a_minute(cut_off: Company, caplog: Any, monkeypatch: Any) -> None:
    now = 1_000.0
    monkeypatch.setattr(clickhouse_server, "monotonic", lambda: now)
    for later, entries in ((1_000.0, 1), (1_030.0, 1), (1_059.0, 1), (1_060.0, 2)):
        now = later
        with pytest.raises(AnalyticsAway):
            asked(cut_off)
        assert len(caplog.records) == entries, "the driver's own warnings count too"
    assert SECRET not in caplog.text
    assert all(AWAY in said for said in caplog.messages)


def test_readers_that_waited_for_a_vain_try_are_given_its_failure(monkeypatch: Any) -> None:
    now, tries = 0.0, []
    monkeypatch.setattr(clickhouse_server, "monotonic", lambda: now)
    server = HttpServer("clickhouse://nobody")

    def in_vain() -> None:
        nonlocal now
        now += 5
        tries.append(now)
        raise OSError("timed out")

    monkeypatch.setattr(server, "_connect", in_vain)
    for _reader in range(4):
        with pytest.raises(AnalyticsAway):
            server.read("SELECT 1")
    assert tries == [5.0]
    now = 10.0
    with pytest.raises(AnalyticsAway):
        server.read("SELECT 1")
    assert tries == [5.0, 15.0]


def test_the_command_line_prints_the_sentence(cut_off: Company, capsys: Any) -> None:
    assert ask.main(["overview", "--as", "leader"], database=cut_off.database, now=NOW) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith(AWAY)
    assert "Traceback" not in said.err


def test_the_program_starts_and_says_that_the_numbers_are_away(cut_off: Company, capsys: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr("core.serve.people.anybody_there", lambda *_given, **_more: False)
    make_ready(cut_off.database)
    assert capsys.readouterr().err.startswith(AWAY)


def test_the_awards_are_tried_again_in_a_minute(cut_off: Company, monkeypatch: Any) -> None:
    waited: list[float | None] = []

    class Stopping(Event):
        def wait(self, timeout: float | None = None) -> bool:
            waited.append(timeout)
            self.set()
            return True

    period_awards.keep_giving(cut_off.database, stopping=Stopping(), now=lambda: NOW)
    assert waited == [period_awards.MINUTE]


@pytest.fixture
def on_show(cut_off: Company, monkeypatch: Any) -> Iterator[Company]:
    monkeypatch.setattr(session, "address", lambda: "127.0.0.1")
    page._kept.clear()
    session.use_database(cut_off.database)
    yield cut_off
    session.use_database(None)


def test_a_page_of_numbers_says_it_and_a_form_goes_on(on_show: Company) -> None:
    app = opened(on_show, "overview", "leader")
    assert [said.value.replace("\\", "").startswith(AWAY) for said in app.error] == [True]
    assert not app.exception
    form = turned(framed(actor(on_show, "eastern rep")).run(), "log_deal")
    assert not form.error
    assert not form.exception


def test_an_open_page_waits_for_the_numbers_to_come_back() -> None:
    def away() -> int:
        raise AnalyticsAway

    assert live._newest(away, 7) == 7
    assert live._newest(lambda: 8, 7) == 8
