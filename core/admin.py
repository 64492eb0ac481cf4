"""`python -m core.admin`: accounts, sign-ins and the audit, from the server's own command line."""

from __future__ import annotations

import argparse
import getpass
import sys
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlmodel import col, select

from core import gate
from core.access.actors import SYSTEM
from core.access.policy import Role
from core.db import audit, migrate
from core.db.work import open_database
from core.errors import InvalidFields, NotFound, SalesError
from core.i18n import N_, _, use_language
from core.model import SignInSession, User
from core.services import installation, passwords, people
from core.services.people import live_rows
from core.services.sign_in import normal_name
from core.settings import settings

if TYPE_CHECKING:
    from core.db.work import Database

OPERATOR = replace(SYSTEM, origin="command line")


def main(arguments: list[str] | None = None) -> int:
    """Run one command; return 0, or 1 where it was refused or the audit is broken."""
    chosen = _parser().parse_args(arguments)
    use_language(settings().default_language or "en")
    settings().data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    migrate.migrate(settings().url)
    try:
        return int(chosen.run(chosen, open_database(), datetime.now(UTC)))
    except InvalidFields as error:
        for field, sentence in error.problems.items():
            print(f"{field}: {sentence}", file=sys.stderr)
    except SalesError as error:
        print(error.message(), file=sys.stderr)
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m core.admin", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    create = commands.add_parser("create-admin", help="make an administrator, the first one too")
    create.add_argument("username")
    create.add_argument("--name", default="", help="the person's name (default: the sign-in name)")
    create.set_defaults(run=_create_admin)

    reset = commands.add_parser("reset-password", help="set a password that must be changed at the next sign-in")
    reset.add_argument("username")
    reset.add_argument("--link", action="store_true", help="print a one-time link instead of setting a password")
    reset.set_defaults(run=_reset_password)
    for command in (create, reset):
        command.add_argument("--password-stdin", action="store_true", help="read the password from standard input")

    users = commands.add_parser("list-users", help="list the accounts")
    users.set_defaults(run=_list_users)
    sessions = commands.add_parser("sessions", help="list the sign-ins that hold")
    sessions.set_defaults(run=_sessions)
    revoke = commands.add_parser("revoke", help="end the sign-ins of a person, or of everybody")
    who = revoke.add_mutually_exclusive_group(required=True)
    who.add_argument("username", nargs="?")
    who.add_argument("--everybody", action="store_true")
    revoke.set_defaults(run=_revoke)
    verify = commands.add_parser("verify-audit", help="check that no audit entry was changed or taken out")
    verify.set_defaults(run=_verify_audit)
    return parser


def _create_admin(chosen: argparse.Namespace, database: Database, now: datetime) -> int:
    password = _password(stdin=chosen.password_stdin)
    name = chosen.name or chosen.username
    if not people.anybody_there(database, now=now):
        people.create_first_administrator(
            database, username=chosen.username, name=name, password=password, again=password, language="",
            now=now, origin=OPERATOR.origin,
        )  # fmt: skip
        installation.forget_setup_code()
    else:
        people.create_with_password(
            database, OPERATOR, username=chosen.username, name=name, role=Role.ADMINISTRATOR,
            password=password, now=now,
        )  # fmt: skip
    print(_("{name} can sign in now.", name=normal_name(chosen.username)))
    return 0


def _reset_password(chosen: argparse.Namespace, database: Database, now: datetime) -> int:
    user = _user(database, chosen.username, now)
    if chosen.link:
        token = gate.perform(database, OPERATOR, people.make_reset_link, now, user_id=user.id)
        place = settings().base_url or f"http://localhost:{settings().port}"
        print(f"{place}/?reset={token}")
        return 0
    password = _password(stdin=chosen.password_stdin)
    new = passwords.new_password(password, about=(user.username, user.name, user.email))
    gate.perform(database, OPERATOR, people.reset_password, now, user_id=user.id, new=new)
    print(_("The password is set; it must be changed at the next sign-in."))
    return 0


def _list_users(_chosen: argparse.Namespace, database: Database, now: datetime) -> int:
    with database.reading(OPERATOR, now=now) as work:
        for user in work.session.exec(select(User).order_by(User.username)):
            state = "active" if user.active else "off"
            print(f"{user.username}\t{user.name}\t{user.role}\t{state}")
    return 0


def _sessions(_chosen: argparse.Namespace, database: Database, now: datetime) -> int:
    with database.reading(OPERATOR, now=now) as work:
        names = dict(work.session.exec(select(User.id, User.username)).all())
        rows = live_rows(work, settings().session_idle_minutes).order_by(col(SignInSession.seen_at).desc())
        for row in work.session.exec(rows):
            seen, until = (
                row.seen_at.isoformat(timespec="seconds"),
                row.expires_at.isoformat(timespec="seconds"),
            )
            print(f"{names[row.user_id]}\t{seen}\t{until}\t{row.address}\t{row.browser}")
    return 0


def _revoke(chosen: argparse.Namespace, database: Database, now: datetime) -> int:
    user_id = None if chosen.everybody else _user(database, chosen.username, now).id
    ended = gate.perform(database, OPERATOR, people.revoke_sign_ins, now, user_id=user_id)
    print(_("{n} sign-ins ended.", n=ended))
    return 0


def _verify_audit(_chosen: argparse.Namespace, database: Database, now: datetime) -> int:
    with database.reading(OPERATOR, now=now) as work:
        unverified = audit.Unverified()
        broken = next(audit.broken_links(work.session, unverified), None)
        number, seen = installation.audit_end()
        if broken is None and audit.is_cut(work.session, number, seen):
            broken = number
        end = audit.last_entry(work.session)
    if broken is not None:
        print(_("The audit is broken at entry {number}.", number=broken), file=sys.stderr)
        return 1
    if unverified.count:
        print(audit.said_unverified(unverified), file=sys.stderr)
        return 1
    installation.keep_audit_end(*end)
    print(_("The audit is whole."))
    print(_("Its last entry is {number}, {hash}", number=end[0], hash=end[1]))
    return 0


def _user(database: Database, username: str, now: datetime) -> User:
    with database.reading(OPERATOR, now=now) as work:
        found = work.session.exec(select(User).where(User.username == normal_name(username))).first()
    if found is None:
        raise NotFound(kind=_(N_("user")), number=username)
    return found


def _password(*, stdin: bool) -> str:
    if stdin:
        return sys.stdin.readline().rstrip("\n")
    first = getpass.getpass(_("Password: "))
    if getpass.getpass(_("Password once more: ")) != first:
        raise InvalidFields({"password": _(passwords.NOT_THE_SAME)})
    return first


if __name__ == "__main__":
    sys.exit(main())
