"""The audit is signed with the installation's key: who can write into the database alone cannot write its history."""

from __future__ import annotations

import stat

import pytest
from sqlalchemy import delete, func, select, update

from core import admin
from core.access.actors import SYSTEM
from core.db.audit import FIRST_HASH, Unverified, broken_links, chain_hash
from core.db.audit_key import AUDIT_KEY, UNKEYED, InstallationKey
from core.db.private_files import place_of
from core.db.work import Database
from core.model import AuditEntry, Channel
from core.services import installation
from tests.conftest import SHANGHAI
from tests.factories import NOW


@pytest.fixture
def keyed(database, company):
    """The company's database, whose entries were hashed alone so far, opened by an installation with a key."""
    opened = Database(database.url, zone=SHANGHAI, audit_key=InstallationKey())
    yield opened
    opened.close()


def change(database, name):
    with database.writing(SYSTEM, now=NOW, action="test") as work:
        work.session.add(Channel(code=name, name=name))


def entries(database):
    with database.reading(SYSTEM, now=NOW) as work:
        return list(work.session.scalars(select(AuditEntry).order_by(AuditEntry.id)))


def broken(database):
    unverified = Unverified()
    with database.reading(SYSTEM, now=NOW) as work:
        return list(broken_links(work.session, unverified)), unverified


def test_entries_are_signed_from_the_key_on_and_the_old_ones_stay_verifiable(keyed):
    old = entries(keyed)
    assert {entry.algorithm for entry in old} == {UNKEYED}
    change(keyed, "one")
    change(keyed, "two")
    new = entries(keyed)[len(old) :]
    key = InstallationKey().known()
    assert {entry.algorithm for entry in new} == {key.algorithm}
    assert key.since == old[-1].id
    assert broken(keyed) == ([], Unverified())


def test_the_key_is_its_users_alone_and_never_shown(keyed):
    change(keyed, "one")
    path = place_of(AUDIT_KEY)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    secret = path.read_text(encoding="utf-8").split()[0]
    assert len(bytes.fromhex(secret)) == 32
    assert secret not in repr(InstallationKey().known())
    assert secret != installation.cookie_key(), "a key of its own"


def forged(database, numbers, algorithm):
    """Give entries another author, and hashes that fit as well as they can without the key."""
    columns = AuditEntry.__table__.c
    with database.engine.begin() as connection:
        last = connection.scalar(select(columns.hash).where(columns.id == numbers[0] - 1)) or FIRST_HASH
        for number in numbers:
            row = dict(connection.execute(select(AuditEntry.__table__).where(columns.id == number)).mappings().one())
            row |= {"username": "nobody", "previous_hash": last, "algorithm": algorithm or row["algorithm"]}
            last = chain_hash(row)
            values = {name: row[name] for name in ("username", "previous_hash", "algorithm")}
            connection.execute(update(AuditEntry).where(columns.id == number).values(**values, hash=last))


@pytest.mark.parametrize("algorithm", [None, UNKEYED])
def test_a_chain_made_anew_in_the_database_does_not_pass(keyed, algorithm):
    """Not under the key's name, nor as entries from before there was one."""
    change(keyed, "one")
    change(keyed, "two")
    numbers = [entry.id for entry in entries(keyed)]
    forged(keyed, numbers[-2:], algorithm)
    assert broken(keyed)[0] == numbers[-2:]


def test_the_old_entries_cannot_be_made_anew_either(keyed):
    change(keyed, "one")
    numbers = [entry.id for entry in entries(keyed)]
    forged(keyed, numbers[:-1], None)
    assert broken(keyed)[0] == numbers[-1:], "the first signed entry holds the end of the old ones"


def test_an_altered_and_a_removed_entry_are_found(keyed):
    for name in ("one", "two", "three"):
        change(keyed, name)
    numbers = [entry.id for entry in entries(keyed)]
    with keyed.engine.begin() as connection:
        connection.execute(update(AuditEntry).where(AuditEntry.id == numbers[-3]).values(origin="elsewhere"))
        connection.execute(delete(AuditEntry).where(AuditEntry.id == numbers[-2]))
    assert broken(keyed)[0] == [numbers[-3], numbers[-1]]


@pytest.mark.parametrize("again", [False, True], ids=["gone", "made anew"])
def test_a_missing_key_is_said_plainly_and_putting_it_back_helps(keyed, monkeypatch, capsys, again):
    change(keyed, "one")
    change(keyed, "two")
    monkeypatch.setattr(admin, "open_database", lambda: keyed)
    assert admin.main(["verify-audit"]) == 0
    signed = [entry.id for entry in entries(keyed) if entry.algorithm != UNKEYED]
    path = place_of(AUDIT_KEY)
    kept = path.read_text(encoding="utf-8")
    path.unlink()
    if again:
        other = Database(keyed.url, zone=SHANGHAI, audit_key=InstallationKey())
        change(other, "three")
        other.close()
    capsys.readouterr()
    assert admin.main(["verify-audit"]) == 1
    said = capsys.readouterr().err
    assert f"{len(signed)} entries ({signed[0]} to {signed[-1]}) are signed with a key that is not here" in said
    assert "audit.key" in said
    if not again:
        path.write_text(kept, encoding="utf-8")
        assert admin.main(["verify-audit"]) == 0


def test_two_processes_sign_with_one_key(keyed):
    other = Database(keyed.url, zone=SHANGHAI, audit_key=InstallationKey())
    change(keyed, "one")
    change(other, "two")
    change(keyed, "three")
    other.close()
    assert len({entry.algorithm for entry in entries(keyed)[-3:]}) == 1
    assert broken(keyed) == ([], Unverified())
    with keyed.reading(SYSTEM, now=NOW) as work:
        assert work.session.scalar(select(func.count()).select_from(AuditEntry)) == len(entries(keyed))
