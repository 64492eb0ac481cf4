"""`python -m data.demo` says and keeps what the program's own load does."""

from __future__ import annotations

import json
import stat
from datetime import date
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select

from core.access.actors import SYSTEM
from core.db.migrate import migrate
from core.db.work import Database
from core.model import Activity, Deal, FxRate, Sku
from core.services import installation
from core.settings import settings
from data.demo import load_demo
from data.demo.__main__ import main
from data.demo.amounts import UnknownWorth
from tests.factories import NOW

UNTIL = date(2026, 6, 30)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("LUOPAN_DATA_DIR", str(tmp_path))
    monkeypatch.delenv("LUOPAN_DATABASE_URL", raising=False)
    monkeypatch.setenv("LUOPAN_DEFAULT_LANGUAGE", "en")
    settings.cache_clear()
    yield tmp_path
    settings.cache_clear()


def _loaded(tmp_path, currency: str) -> Database:
    url = f"sqlite:///{tmp_path / 'demo.db'}"
    migrate(url)
    database = Database(url, zone=ZoneInfo("Asia/Shanghai"), base_currency=currency)
    load_demo(database, deals=200, seed=5, until=UNTIL)
    return database


def test_the_command_prints_and_keeps_the_sign_ins(folder, capsys):
    assert main(["--deals", "50", "--until", "2026-06-30"]) == 0

    said = capsys.readouterr().out
    kept = installation.demo_sign_ins()
    assert kept.startswith("Demo sign-ins, all with the passphrase ")
    assert kept in said
    assert stat.S_IMODE((folder / installation.DEMO_SIGN_IN).stat().st_mode) == 0o600
    assert "deals a second" in said


def test_a_data_folder_that_the_command_makes_is_its_users_alone(folder, monkeypatch):
    monkeypatch.setenv("LUOPAN_DATA_DIR", str(folder / "new"))
    settings.cache_clear()
    assert main(["--deals", "0", "--until", "2026-06-30"]) == 0
    assert stat.S_IMODE((folder / "new").stat().st_mode) == 0o700


def test_another_databases_sign_ins_are_said_but_not_kept(folder, capsys):
    assert main(["--deals", "50", "--until", "2026-06-30", "--database", f"sqlite:///{folder / 'other.db'}"]) == 0

    assert "passphrase" in capsys.readouterr().out
    assert installation.demo_sign_ins() == ""


def test_a_second_load_is_refused_in_words(folder, capsys):
    assert main(["--deals", "50", "--until", "2026-06-30"]) == 0
    assert main(["--deals", "50", "--until", "2026-06-30"]) == 1
    assert "already holds data" in capsys.readouterr().err


def test_activities_follow_the_stated_mean(folder, capsys):
    counts = []
    for mean in ("0", "6"):
        url = f"sqlite:///{folder / f'mean{mean}.db'}"
        asked = ["--deals", "400", "--until", "2026-06-30", "--database", url, "--json"]
        assert main([*asked, "--activities-per-deal", mean]) == 0
        counts.append(json.loads(capsys.readouterr().out)["rows"]["activity"])

    assert counts[0] < 400
    assert counts[1] > 3 * 400


@pytest.mark.parametrize(("currency", "others"), [("USD", {"EUR", "CNY"}), ("JPY", {"USD", "EUR"})])
def test_a_company_with_another_base_currency_counts_in_it(tmp_path, currency, others):
    database = _loaded(tmp_path, currency)
    with database.reading(SYSTEM, now=NOW) as work:
        session = work.session
        currencies = dict(session.execute(select(Deal.currency, func.count()).group_by(Deal.currency)).all())
        assert currencies[currency] > 150
        assert currencies.keys() <= others | {currency}
        assert set(session.scalars(select(FxRate.currency).distinct())) == others
        assert set(session.scalars(select(Sku.currency))) == {currency}
        own = session.execute(select(Deal.amount, Deal.base_amount).where(Deal.currency == currency)).all()
        assert all(amount == base for amount, base in own)
        worth = float(session.scalar(select(func.avg(Deal.base_amount))))
        assert session.scalar(select(func.count()).select_from(Activity)) > 0
    database.close()
    yuan = worth / 100 * {"USD": 7.12, "JPY": 0.0474}[currency]
    assert 20_000 < yuan < 500_000


def test_a_currency_without_known_prices_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(UnknownWorth, match="no prices in XAU"):
        _loaded(tmp_path, "XAU")
