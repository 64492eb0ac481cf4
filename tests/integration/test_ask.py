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
