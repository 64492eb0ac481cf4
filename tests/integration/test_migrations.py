"""The migrations make exactly the tables that the model describes, and can take them away again."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, select
from sqlalchemy.exc import IntegrityError

from core.db import migrate
from core.db.change_log import LOGGED
from core.db.engine import open_engine
from core.model import ChangeLog, metadata


def test_the_migrated_schema_is_the_model(database):
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_down_and_up_again_leaves_the_same_schema(database):
    migrate.downgrade(database.engine, "base")
    left = set(inspect(database.engine).get_table_names())
    assert left <= {"alembic_version"}
    migrate.upgrade(database.engine)
    assert set(metadata.tables) <= set(inspect(database.engine).get_table_names())
    assert migrate.is_current(database.engine)


def test_every_logged_table_writes_the_change_log_after_a_migration(make, company):
    migrate.upgrade(company.database.engine)
    with company.database.engine.connect() as connection:
        connection.execute(select(ChangeLog.id))
    deal = make.deal()
    with company.database.engine.connect() as connection:
        logged = connection.execute(select(ChangeLog.subject, ChangeLog.key)).all()
    assert ("deal", deal.id) in [tuple(row) for row in logged]
    assert ("customer", deal.customer_id) in [tuple(row) for row in logged]
    assert set(LOGGED) <= set(metadata.tables)


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ({"amount": -1}, "amount_not_negative"),
        ({"credited": None, "state": "won"}, "a_won_deal_is_credited"),
        ({"name": ""}, "has_a_name"),
    ],
)
def test_checks_refuse_what_no_deal_can_be(make, company, change, constraint):
    if "state" in change:
        deal = make.deal()
        with pytest.raises(IntegrityError, match=constraint), company.database.engine.connect() as connection:
            connection.exec_driver_sql(f"UPDATE deal SET state = 'won', closed_at = opened_at WHERE id = {deal.id}")
        return
    with pytest.raises(IntegrityError, match=constraint):
        make.deal(**change)


def test_sqlite_refuses_a_text_where_a_number_belongs(small_company, make):
    deal = make.deal()
    engine = open_engine(small_company.database.url)
    with pytest.raises(IntegrityError, match="cannot store TEXT"), engine.connect() as connection:
        connection.exec_driver_sql(f"UPDATE deal SET amount = 'much' WHERE id = {deal.id}")
    engine.dispose()
