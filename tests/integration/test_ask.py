"""The command line asks the same questions through the same gate."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, date, datetime

import pandas as pd
import pytest

from core.ask import as_csv, main, questions
from core.domain.periods import Period
from core.queries.overview import overview_kpis
from tests.factories import NOW


def ask(company, *given):
    return main(list(given), database=company.database, now=NOW)


def won(company, **values):
    opened = datetime(2026, 7, 1, 2, tzinfo=UTC)
    return company.deal(path=(("identified", opened), ("won", datetime(2026, 7, 10, 2, tzinfo=UTC))), **values)


def test_an_answer_is_the_pages_answer(small_company, answer_as, capsys):
    won(small_company, amount="1234.56")
    assert (
        ask(
            small_company,
            "overview",
            "--as",
            "leader",
            "--from",
            "2026-07-01",
            "--to",
            "2026-10-01",
            "--json",
        )
        == 0
    )
    current = json.loads(capsys.readouterr().out)[0]
    page = answer_as("leader", overview_kpis, period=Period(date(2026, 7, 1), date(2026, 10, 1))).iloc[0]
    assert current["booked"] == page["booked"] == 1234.56
    assert current["win_rate"] == 1.0
    assert current["quota"] is None


def test_filters_and_other_arguments_are_taken(small_company, capsys):
    won(small_company, owner="alice")
    won(small_company, owner="charlie", amount=7)
    east = str(small_company.teams["east"])
    assert ask(small_company, "breakdown", "--as", "leader", "--team", east, "--set", "by=rep", "--csv") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(",")[1] for line in lines] == ["name", "Alice"]


def test_the_scope_of_the_user_holds(small_company, capsys):
    won(small_company, owner="alice")
    assert ask(small_company, "drill", "--as", "western rep", "--selection", "measure=won", "--json") == 0
    assert json.loads(capsys.readouterr().out) == []
    assert ask(small_company, "drill", "--as", "eastern rep", "--selection", "measure=won", "--json") == 0
    assert len(json.loads(capsys.readouterr().out)) == 1


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["breakdown", "--as", "leader"], "breakdown needs --set by"),
        (["breakdown", "--as", "leader", "--set", "by=colour"], "by is one of"),
        (["overview", "--as", "leader", "--from", "2026-01-01"], "come together"),
        (["overview", "--as", "leader", "--set", "speed=9"], "takes no speed"),
        (["drill", "--as", "leader"], "names no measure"),
    ],
)
def test_what_cannot_be_read_is_said(small_company, capsys, given, said):
    assert ask(small_company, *given) == 2
    assert said in capsys.readouterr().err


def test_who_may_not_is_refused(small_company, capsys):
    assert ask(small_company, "overview", "--as", "administrator") == 1
    assert ask(small_company, "overview", "--as", "nobody at all") == 1
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("given", "code", "english", "chinese"),
    [
        (["--as", "nobody"], 1, "Nobody signs in as “nobody”.", "没有登录名为“nobody”的用户。"),
        (["--as", "leader", "--from", "2026-13-01"], 2, "come together: two days", "须同时给出：两个日期"),
        (["--as", "leader", "--from", "2026-13-01", "--to", "x"], 2, "come together: two days", "须同时给出：两个日期"),
    ],
)
def test_a_refusal_is_one_sentence_in_the_language_of_the_console(
    small_company, capsys, monkeypatch, given, code, english, chinese
):
    monkeypatch.delenv("LC_ALL", raising=False)
    for locale, said in (("en_US.UTF-8", english), ("zh_CN.UTF-8", chinese)):
        monkeypatch.setenv("LANG", locale)
        assert ask(small_company, "overview", *given) == code
        told = capsys.readouterr().err
        assert said in told
        assert told.count("\n") == 1


def test_nothing_in_the_csv_is_taken_for_a_formula(small_company, capsys):
    won(small_company, name="=1+1", customer=small_company.customer(name="@SUM(A1)"), amount="1234.56")
    assert ask(small_company, "drill", "--as", "leader", "--selection", "measure=won", "--csv") == 0
    row = next(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert (row["name"], row["customer"], float(row["amount"])) == ("'=1+1", "'@SUM(A1)", 1234.56)
    assert ask(small_company, "drill", "--as", "leader", "--selection", "measure=won", "--json") == 0
    assert json.loads(capsys.readouterr().out)[0]["name"] == "=1+1"


def test_numbers_below_nothing_stay_numbers_in_the_csv():
    frame = pd.DataFrame({"change": [-1.5, None], "said": ["-1", None], "=heading": [1, 2]})
    assert as_csv(frame) == "change,said,'=heading\n-1.5,'-1,1\n,,2\n"


def test_help_names_every_question(capsys):
    with pytest.raises(SystemExit):
        main(["--help"])
    said = capsys.readouterr().out
    for name in questions():
        assert name in said


def test_every_question_stands_in_the_docs():
    from core.settings import PROJECT_ROOT

    documented = (PROJECT_ROOT / "docs/queries.md").read_text()
    assert [name for name in questions() if f"`{name}(" not in documented] == []


def test_lists_and_records_of_the_pages_are_answered_in_the_users_scope(small_company, capsys):
    won(small_company, owner="alice", amount="1234.56")
    won(small_company, owner="charlie", amount="7")
    assert ask(small_company, "deals_page", "--as", "eastern rep", "--set", "state=won") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["total"], [row["owner"] for row in told["rows"]]) == (1, ["Alice"])
    assert ask(small_company, "deals_page", "--as", "leader", "--set", "state=won") == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert len(rows) == 2
    number = next(row["id"] for row in rows if row["owner"] == "Alice")
    assert ask(small_company, "deal_record", "--as", "eastern rep", "--set", f"deal_id={number}") == 0
    assert json.loads(capsys.readouterr().out)["deal"]["amount"] == "1234.56"
    assert ask(small_company, "deal_record", "--as", "western rep", "--set", f"deal_id={number}") == 1


def test_what_a_list_cannot_be_narrowed_by_is_said(small_company, capsys):
    for given, said in (("state=odd", "state is one of open, won, lost"), ("need=odd", "need is one of"),
                        ("closed=odd", "closed cannot be odd"), ("text=odd", "deals_page takes no text")):  # fmt: skip
        assert ask(small_company, "deals_page", "--as", "leader", "--set", given) == 2
        assert said in capsys.readouterr().err


@pytest.mark.parametrize("form", ["--json", "--csv"])
def test_no_answer_holds_a_password_or_a_links_hash(small_company, capsys, form):
    assert ask(small_company, "user_accounts", "--as", "administrator", form) == 0
    told = capsys.readouterr().out
    assert "eastern rep" in told
    assert "hash" not in told
    assert "$2b$" not in told


def test_a_database_that_was_never_started_gets_a_sentence_and_no_file(tmp_path, monkeypatch, capsys):
    from core.db.work import open_database
    from core.settings import settings

    monkeypatch.setenv("LUOPAN_DATA_DIR", str(tmp_path / "none"))
    settings.cache_clear()
    open_database.cache_clear()
    try:
        assert main(["overview", "--as", "leader"]) == 1
    finally:
        settings.cache_clear()
        open_database.cache_clear()
    assert "Start the program once: python -m core.serve" in capsys.readouterr().err
    assert not (tmp_path / "none").exists()
