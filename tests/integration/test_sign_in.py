"""Signing in: one answer for every failure, a throttle that lasts, and rows that can be revoked."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import bcrypt
import pytest
from sqlmodel import select

from core.access.actors import SYSTEM
from core.access.sign_ins import SignedIn, fingerprint
from core.db import audit
from core.db.actors import actor_of
from core.db.work import Database
from core.errors import EditedMeanwhile, InvalidFields, NotAllowed, NotFound
from core.model import AuditEntry, PasswordReset, SignInSession, SignInTicket, User
from core.queries.sign_ins import session_of
from core.services import account, passwords, people, sign_in
from tests.factories import NOW, Company

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

PASSWORD = "lantern-quartz-river-88"
NEXT = "saffron-osprey-tide-41"
HERE, THERE = "10.0.0.1", "10.0.0.2"
IDLE = 120


@pytest.fixture(autouse=True)
def _cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "COST", 4)
    passwords.dummy_hash.cache_clear()


@pytest.fixture
def with_password(company: Company) -> Company:
    """The cast, where "leader" and "administrator" have a password."""
    with company.database.writing(SYSTEM, now=NOW, action="test") as work:
        for name in ("leader", "administrator"):
            user = work.session.exec(select(User).where(User.username == name)).one()
            user.password_hash = passwords.hash_password(PASSWORD)
    return company


def _try(company: Company, password: str, *, name: str = "leader", address: str = HERE, now: datetime = NOW) -> int:
    return sign_in.authenticate(company.database, username=name, password=password, address=address, now=now)


def _session(company: Company, name: str = "leader", *, now: datetime = NOW) -> str:
    ticket = sign_in.issue_ticket(
        company.database, user_id=company.users[name], binding="this browser", next_path="/funnel", now=now
    )
    redeemed = _redeem(company, ticket, now=now)
    assert redeemed is not None
    return redeemed.token


def _redeem(company: Company, ticket: str, *, binding: str = "this browser", now: datetime = NOW) -> Any:
    return sign_in.redeem_ticket(
        company.database, ticket=ticket, binding=binding, address=HERE, browser="Firefox", now=now, hours=12
    )


def _who(company: Company, token: str, *, now: datetime = NOW) -> SignedIn | None:
    found = session_of(company.database, token=token, now=now, origin=HERE, idle_minutes=IDLE)
    if found is not None and found.stale and found.session_id is not None:
        sign_in.touch(company.database, found.session_id, now=now)
    return found


def _change(
    company: Company,
    *,
    present: str = PASSWORD,
    password: str = NEXT,
    again: str | None = None,
    keep_session: int | None = None,
    now: datetime = NOW,
) -> None:
    with company.database.reading(SYSTEM, now=now) as work:
        leader = actor_of(work.session, work.session.get_one(User, company.users["leader"]), origin=HERE)
    account.change_own_password(
        company.database, leader, present=present, password=password, again=again or password,
        keep_session=keep_session, now=now,
    )  # fmt: skip


def _audited(database: Database) -> list[str]:
    with database.reading(SYSTEM, now=NOW) as work:
        assert list(audit.broken_links(work.session)) == []
        return [entry.action for entry in work.session.exec(select(AuditEntry).order_by(AuditEntry.id))]


def test_the_right_name_and_password_are_known_whatever_the_case_of_the_name(with_password: Company) -> None:
    assert _try(with_password, PASSWORD, name=" Leader ") == with_password.users["leader"]


@pytest.mark.parametrize("name", ["leader", "nobody at all", "operations", ""])
def test_every_failure_says_the_same_and_computes_one_hash(
    with_password: Company, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    computed: list[bytes] = []
    real = bcrypt.checkpw
    monkeypatch.setattr(bcrypt, "checkpw", lambda said, kept: computed.append(kept) or real(said, kept))
    with pytest.raises(sign_in.WrongSignIn, match=r"The name or the password is not right\."):
        _try(with_password, "not the password", name=name)
    assert len(computed) == 1


def test_somebody_switched_off_is_told_what_a_stranger_is_told(with_password: Company) -> None:
    with with_password.database.writing(SYSTEM, now=NOW, action="test") as work:
        work.session.get_one(User, with_password.users["leader"]).active = False
    with pytest.raises(sign_in.WrongSignIn):
        _try(with_password, PASSWORD)


def test_the_sixth_try_from_one_place_waits_even_with_the_right_password(with_password: Company) -> None:
    for minute in range(sign_in.TRIES_OF_PAIR):
        with pytest.raises(sign_in.WrongSignIn):
            _try(with_password, "wrong", now=NOW + timedelta(minutes=minute))
    with pytest.raises(sign_in.TooManyTries, match="11 minutes"):
        _try(with_password, PASSWORD, now=NOW + timedelta(minutes=4))
    assert _try(with_password, PASSWORD, now=NOW + timedelta(minutes=15)) == with_password.users["leader"]


def test_the_throttle_is_the_same_for_a_name_that_does_not_exist(with_password: Company) -> None:
    for _ in range(sign_in.TRIES_OF_PAIR):
        with pytest.raises(sign_in.WrongSignIn):
            _try(with_password, "wrong", name="ghost")
    with pytest.raises(sign_in.TooManyTries):
        _try(with_password, "wrong", name="ghost")


def test_a_stranger_elsewhere_does_not_lock_the_person_out(with_password: Company) -> None:
    _try(with_password, PASSWORD, address=HERE)
    for number in range(sign_in.TRIES_OF_ACCOUNT):
        with pytest.raises(sign_in.WrongSignIn):
            _try(with_password, "wrong", address=f"10.9.0.{number // sign_in.TRIES_OF_PAIR}")
    with pytest.raises(sign_in.TooManyTries):
        _try(with_password, "wrong", address="10.9.1.1")
    assert _try(with_password, PASSWORD, address=HERE) == with_password.users["leader"]


def test_one_address_may_not_try_every_name(with_password: Company) -> None:
    for number in range(sign_in.TRIES_OF_ADDRESS):
        with pytest.raises(sign_in.WrongSignIn):
            _try(with_password, "wrong", name=f"user{number}")
    with pytest.raises(sign_in.TooManyTries):
        _try(with_password, PASSWORD)
    assert _try(with_password, PASSWORD, address=THERE) == with_password.users["leader"]


def test_tries_at_the_same_moment_do_not_slip_past_the_throttle(with_password: Company) -> None:
    def wrong(_number: int) -> str:
        try:
            _try(with_password, "wrong")
        except sign_in.WrongSignIn:
            return "wrong"
        except sign_in.TooManyTries:
            return "wait"
        return "in"

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(wrong, range(16)))
    assert answers.count("wrong") == sign_in.TRIES_OF_PAIR
    assert answers.count("wait") == 16 - sign_in.TRIES_OF_PAIR


def test_the_throttle_outlives_the_program(with_password: Company) -> None:
    for _ in range(sign_in.TRIES_OF_PAIR):
        with pytest.raises(sign_in.WrongSignIn):
            _try(with_password, "wrong")
    again = Database(with_password.database.url, zone=with_password.database.zone)
    with pytest.raises(sign_in.TooManyTries):
        sign_in.authenticate(again, username="leader", password=PASSWORD, address=HERE, now=NOW)
    again.close()


def test_a_ticket_is_good_once_in_its_own_browser_and_for_a_minute(with_password: Company) -> None:
    def issue() -> str:
        return sign_in.issue_ticket(
            with_password.database, user_id=with_password.users["leader"], binding="this browser",
            next_path="/funnel?team=2", now=NOW,
        )  # fmt: skip

    assert _redeem(with_password, issue(), binding="another browser") is None
    assert _redeem(with_password, issue(), binding="") is None
    assert _redeem(with_password, issue(), now=NOW + timedelta(seconds=61)) is None
    assert _redeem(with_password, "made up") is None
    ticket = issue()
    redeemed = _redeem(with_password, ticket)
    assert redeemed.next_path == "/funnel?team=2"
    assert _redeem(with_password, ticket) is None


def test_only_fingerprints_of_tokens_are_kept(with_password: Company, perform_as: Callable[..., Any]) -> None:
    token = _session(with_password)
    link = perform_as("administrator", people.make_reset_link, user_id=with_password.users["leader"])
    with with_password.database.reading(SYSTEM, now=NOW) as work:
        kept = [work.session.exec(select(table)).one() for table in (SignInSession, SignInTicket, PasswordReset)]
        entries = work.session.exec(select(AuditEntry)).all()
    said = repr(kept) + repr(entries)
    assert fingerprint(token) in said
    assert token not in said
    assert link not in said


def test_a_sign_in_ends_by_signing_out_and_its_cookie_is_refused_afterwards(with_password: Company) -> None:
    token = _session(with_password)
    here = _who(with_password, token)
    assert here is not None
    assert here.actor.username == "leader"
    sign_in.sign_out(with_password.database, here, now=NOW)
    assert _who(with_password, token) is None
    assert _audited(with_password.database)[-2:] == ["sign-in", "sign-out"]


def test_a_sign_in_ends_after_its_hours_and_after_idling(with_password: Company) -> None:
    token = _session(with_password)
    assert _who(with_password, token, now=NOW + timedelta(minutes=IDLE)) is None
    for hour in range(12):
        assert _who(with_password, token, now=NOW + timedelta(hours=hour)) is not None
    assert _who(with_password, token, now=NOW + timedelta(hours=12)) is None


def test_role_and_scope_are_those_of_this_moment(with_password: Company) -> None:
    token = _session(with_password, "western rep")
    before = _who(with_password, token)
    with with_password.database.writing(SYSTEM, now=NOW, action="test") as work:
        user = work.session.get_one(User, with_password.users["western rep"])
        user.rep_id = with_password.reps["bob"]
    after = _who(with_password, token)
    assert before is not None
    assert after is not None
    assert before.actor.scope.rep_ids == (with_password.reps["charlie"],)
    assert after.actor.scope.rep_ids == (with_password.reps["bob"],)


def test_an_administrator_ends_everybodys_sign_ins(with_password: Company, perform_as: Callable[..., Any]) -> None:
    tokens = [_session(with_password, name) for name in ("leader", "operations", "western rep")]
    with pytest.raises(NotAllowed):
        perform_as("leader", people.revoke_sign_ins)
    assert perform_as("administrator", people.revoke_sign_ins) == 3
    assert [_who(with_password, token) for token in tokens] == [None, None, None]


def test_somebody_elses_sign_in_looks_as_if_there_were_none(
    with_password: Company, perform_as: Callable[..., Any]
) -> None:
    here = _who(with_password, _session(with_password, "leader"))
    assert here is not None
    for number in (here.session_id, 999_999):
        with pytest.raises(NotFound, match=f"no sign-in with the number {number}"):
            perform_as("operations", account.end_my_sign_in, number=number)


def test_a_changed_password_ends_the_other_browsers(with_password: Company) -> None:
    this, other = _session(with_password), _session(with_password)
    here = _who(with_password, this)
    assert here is not None
    with pytest.raises(InvalidFields) as refused:
        _change(with_password, present="wrong", keep_session=here.session_id)
    assert refused.value.problems == {"present": "This is not your present password."}
    _change(with_password, keep_session=here.session_id)
    assert _who(with_password, this) is not None
    assert _who(with_password, other) is None
    assert _try(with_password, NEXT) == with_password.users["leader"]


@pytest.mark.parametrize(
    ("password", "again", "field"),
    [(PASSWORD, PASSWORD, "password"), ("short", "short", "password"), (NEXT, "another", "again")],
)
def test_a_changed_password_keeps_the_rules(with_password: Company, password: str, again: str, field: str) -> None:
    with pytest.raises(InvalidFields) as refused:
        _change(with_password, password=password, again=again)
    assert list(refused.value.problems) == [field]
    assert _try(with_password, PASSWORD) == with_password.users["leader"]


def test_guesses_of_the_present_password_are_counted_with_those_of_the_sign_in(with_password: Company) -> None:
    for _number in range(sign_in.TRIES_OF_PAIR):
        with pytest.raises(InvalidFields):
            _change(with_password, present="wrong")
    with pytest.raises(sign_in.TooManyTries):
        _change(with_password)
    with pytest.raises(sign_in.TooManyTries):
        _try(with_password, PASSWORD)
    assert _audited(with_password.database).count("sign-in.failed") == sign_in.TRIES_OF_PAIR
    _change(with_password, now=NOW + sign_in.WINDOW)
    assert _try(with_password, NEXT, now=NOW + sign_in.WINDOW) == with_password.users["leader"]


def test_a_password_is_not_changed_over_one_that_was_set_meanwhile(
    with_password: Company, perform_as: Callable[..., Any]
) -> None:
    with with_password.database.reading(SYSTEM, now=NOW) as work:
        version = work.session.get_one(User, with_password.users["leader"]).version
    new = passwords.new_password(NEXT, about=())
    perform_as("administrator", people.reset_password, user_id=with_password.users["leader"], new=new)
    with pytest.raises(EditedMeanwhile):
        perform_as("leader", account.change_password, version=version, new=new, keep_session=None)


def test_nobody_who_writes_waits_for_a_hash(
    with_password: Company, perform_as: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    database, open_now, hashed = with_password.database, [0], []
    writing = Database.writing

    @contextmanager
    def counted(self: Database, *given: Any, **values: Any) -> Iterator[Any]:
        open_now[0] += 1
        try:
            with writing(self, *given, **values) as work:
                yield work
        finally:
            open_now[0] -= 1

    def watched(real: Callable[..., Any]) -> Callable[..., Any]:
        return lambda *given: hashed.append(open_now[0]) or real(*given)

    monkeypatch.setattr(Database, "writing", counted)
    monkeypatch.setattr(bcrypt, "hashpw", watched(bcrypt.hashpw))
    monkeypatch.setattr(bcrypt, "checkpw", watched(bcrypt.checkpw))
    _change(with_password)
    people.create_with_password(
        database, SYSTEM, username="second", name="Second", role=people.Role.ADMINISTRATOR, password=PASSWORD, now=NOW
    )
    token = perform_as("administrator", people.make_reset_link, user_id=with_password.users["leader"])
    account.use_reset_link(database, token=token, password=PASSWORD, again=PASSWORD, now=NOW, origin=HERE)
    assert hashed == [0, 0, 0, 0]  # the present one and the new one, the second account's, the link's


def test_the_first_administrators_hash_is_made_before_anything_is_written(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[str] = []
    writing, hash_password = Database.writing, passwords.hash_password
    monkeypatch.setattr(
        Database, "writing", lambda self, *given, **values: written.append("write") or writing(self, *given, **values)
    )
    monkeypatch.setattr(passwords, "hash_password", lambda given: written.append("hash") or hash_password(given))
    people.create_first_administrator(
        database, username="root", name="Root", password=PASSWORD, again=PASSWORD, language="", now=NOW, origin=HERE
    )
    assert written == ["hash", "write"]


def test_a_password_set_by_an_administrator_must_be_changed(
    with_password: Company, perform_as: Callable[..., Any]
) -> None:
    old = _session(with_password)
    new = passwords.new_password(NEXT, about=())
    perform_as("administrator", people.reset_password, user_id=with_password.users["leader"], new=new)
    assert _who(with_password, old) is None
    here = _who(with_password, _session(with_password))
    assert here is not None
    assert here.must_change_password
    _change(with_password, present=NEXT, password=PASSWORD, keep_session=here.session_id)
    here = _who(with_password, _session(with_password))
    assert here is not None
    assert not here.must_change_password


def test_a_reset_link_opens_once_and_a_newer_one_closes_it(
    with_password: Company, perform_as: Callable[..., Any]
) -> None:
    def use(token: str, *, password: str = NEXT, now: datetime = NOW) -> int:
        return account.use_reset_link(
            with_password.database, token=token, password=password, again=password, now=now, origin=HERE
        )

    leader = with_password.users["leader"]
    first = perform_as("administrator", people.make_reset_link, user_id=leader)
    second = perform_as("administrator", people.make_reset_link, user_id=leader)
    for token, now in ((first, NOW), ("made up", NOW), (second, NOW + people.RESET_LIFE)):
        with pytest.raises(account.ResetNotOpen):
            use(token, now=now)
    with pytest.raises(InvalidFields):
        use(second, password="password12")
    assert use(second) == leader
    with pytest.raises(account.ResetNotOpen):
        use(second)
    assert _try(with_password, NEXT) == leader


def test_the_last_administrator_stays(with_password: Company, perform_as: Callable[..., Any]) -> None:
    number = with_password.users["administrator"]
    with with_password.database.reading(SYSTEM, now=NOW) as work:
        version = work.session.get_one(User, number).version
    for change in ({"active": False, "role": people.Role.ADMINISTRATOR}, {"role": people.Role.LEADERSHIP}):
        with pytest.raises(people.LastAdministrator):
            perform_as("administrator", people.edit_user, user_id=number, version=version, name="A", **change)


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("a1B!c2D", "Use at least 10 characters."),
        ("罗" * 25, "Use at most 72 bytes; a Chinese character takes three."),
        ("password123", passwords.TOO_EASY),
        ("eastern.manager", passwords.TOO_EASY),
        (PASSWORD, None),
        ("正确的马 电池 订书钉", None),
    ],
)
def test_a_password_is_long_enough_short_enough_and_hard_to_guess(password: str, reason: str | None) -> None:
    assert passwords.problem_with(password, about=("eastern.manager",)) == reason


def test_a_password_longer_than_bcrypt_reads_is_not_cut_to_fit() -> None:
    hashed = passwords.hash_password("x" * 72)
    assert passwords.password_matches("x" * 72, hashed)
    assert not passwords.password_matches("x" * 73, hashed)


def test_of_two_first_administrators_at_once_one_is_made(database: Database) -> None:
    def found(number: int) -> str:
        try:
            people.create_first_administrator(
                database, username=f"root{number}", name="Root", password=PASSWORD, again=PASSWORD,
                language="zh", now=NOW, origin=HERE,
            )  # fmt: skip
        except people.AlreadyFounded:
            return "late"
        return "made"

    with ThreadPoolExecutor(4) as threads:
        answers = sorted(threads.map(found, range(4)))
    assert answers == ["late", "late", "late", "made"]
    with database.reading(SYSTEM, now=NOW) as work:
        assert [user.role for user in work.session.exec(select(User))] == [people.Role.ADMINISTRATOR]


def test_the_first_administrators_form_names_every_wrong_field(database: Database) -> None:
    with pytest.raises(InvalidFields) as refused:
        people.create_first_administrator(
            database,
            username="a b",
            name=" ",
            password=PASSWORD,
            again="other",
            language="",
            now=NOW,
            origin=HERE,
        )
    assert sorted(refused.value.problems) == ["again", "name", "username"]
    assert not people.anybody_there(database, now=NOW)


@pytest.mark.parametrize("path", ["//evil.example", "https://evil.example", "/\\evil.example", "", "/a\nb"])
def test_after_signing_in_nobody_is_sent_elsewhere(path: str) -> None:
    assert sign_in.local_path(path) == "/"
