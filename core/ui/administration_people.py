"""Accounts, reps and teams: the administrator's page about people."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from core.access.policy import Role
from core.domain.names import named
from core.i18n import LANGUAGES, N_, _, _n
from core.queries.administration import last_seen, user_accounts
from core.reports.tables import Column
from core.services.passwords import new_password
from core.services.people import edit_user, make_reset_link, reset_password, revoke_sign_ins
from core.services.teams import create_account
from core.settings import settings
from core.ui import session
from core.ui.administration import Fields, confirm, show_what_was_told, tell
from core.ui.administration_teams import draw_reps, draw_teams, rep_names, team_names
from core.ui.frame_words import LANGUAGE_NAMES, ROLE_NAMES
from core.ui.page import plain
from core.ui.tables import table

if TYPE_CHECKING:
    from core.model import User
    from core.ui.page import View

_HANDED = "administration.handed"
_INDENT = "\u3000"
ROLE_HELP: dict[Role, str] = {
    Role.REP: N_("Sees and edits their own customers and deals."),
    Role.MANAGER: N_("Sees and edits what belongs to their team and every team below it, and hands deals over."),
    Role.LEADERSHIP: N_("Sees everything, changes nothing."),
    Role.OPERATIONS: N_("Sees and edits everything; keeps the process, products, quotas, currencies and imports."),
    Role.ADMINISTRATOR: N_("Keeps people, settings and the audit; sees no deals."),
}


def draw(view: View) -> None:
    """Draw the page."""
    show_what_was_told()
    _handed_over()
    accounts, reps, teams = st.tabs([_("Accounts"), _("Reps"), _("Teams")])
    with accounts:
        _accounts(view)
    with reps:
        draw_reps(view)
    with teams:
        draw_teams(view)


def _accounts(view: View) -> None:
    st.caption(
        _("Who signs in, as what. The role decides what a person sees; an account is switched off, never deleted.")
    )
    people, seen = view.ask(user_accounts), view.ask(last_seen)
    if not any(user.active and user.role is Role.OPERATIONS for user in people):
        st.info(
            _("Next, make an account for sales operations, who import deals and keep products and quotas."),
            icon=":material/arrow_forward:",
        )
    reps, teams = rep_names(view), team_names(view)
    if not reps:
        st.info(
            _("Deals belong to reps, and there are none yet: add teams and reps in their tabs, or let sales "
              "operations import them with the deals."),
            icon=":material/group_add:",
        )  # fmt: skip
    frame = pd.DataFrame(
        [
            {
                "name": _called(user, reps),
                "username": user.username,
                "role": _(ROLE_NAMES[user.role]),
                "place": _place(user, reps, teams),
                "email": user.email,
                "language": LANGUAGE_NAMES.get(user.language, _("As the browser says")),
                "state": _state(user),
                "seen": seen.get(user.id, (None, 0))[0],
                "live": seen.get(user.id, (None, 0))[1],
            }
            for user in people
        ]
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.selectbox(
            _("Edit an account"),
            people,
            index=None,
            placeholder=_("Choose"),
            key="account-chosen",
            format_func=lambda user: f"{_called(user, reps)} ({user.username})",
            width=320,
        )
        if st.button(_("Edit"), icon=":material/edit:", disabled=chosen is None, key="account-edit") and chosen:
            _edit(view, chosen)
        if st.button(_("New account"), icon=":material/person_add:", type="primary", key="account-new"):
            _new(view)
        if st.button(_("Sign everybody out"), icon=":material/logout:", key="sign-all-out"):
            confirm(
                view,
                title=_("Sign everybody out"),
                label=_("Sign everybody out"),
                question=_("Everybody, you too, has to sign in again. What they are typing now is kept as a draft."),
                act=lambda v: _signed_out(v.do(revoke_sign_ins)),
            )
    columns = [
        Column("name", _("Name")),
        Column("username", _("Name for signing in")),
        Column("role", _("Role")),
        Column("place", _("Rep or team")),
        Column("state", _("State")),
        Column("seen", _("Last here"), "instant"),
        Column("live", _("Sign-ins open"), "count"),
        Column("email", _("E-mail")),
        Column("language", _("Language")),
    ]
    table(view, frame, columns, name="accounts")


def _place(user: User, reps: dict[int, str], teams: dict[int, str]) -> str:
    found = [
        reps.get(user.rep_id or 0, ""),
        teams.get(user.team_id or 0, "") if user.role is Role.MANAGER else "",
    ]
    return " · ".join(word.strip(_INDENT) for word in found if word)


def _called(user: User, reps: dict[int, str]) -> str:
    return reps.get(user.rep_id or 0) or named(user)


def _state(user: User) -> str:
    if not user.active:
        return _("Switched off")
    if not user.password_hash:
        return _("Waits for a password")
    return _("Must change the password") if user.must_change_password else _("Active")


def _role_fields(view: View, fields: Fields, user: User | None) -> tuple[Role, int | None, int | None, bool]:
    roles = {role: _(name) for role, name in ROLE_NAMES.items() if role is not Role.SHARED}
    role = fields.choose("role", _("Role"), roles, user.role if user else Role.REP)
    st.caption(_(ROLE_HELP[role]))
    rep_id: int | None = user.rep_id if user else None
    team_id: int | None = None
    makes_rep = False
    if role is Role.REP and user is None:
        makes_rep = fields.tick("makes_rep", _("This person is a new rep"), True)
    if role in {Role.REP, Role.MANAGER} and not makes_rep:
        rep_id = fields.choose(
            "rep_id",
            _("Rep") if role is Role.REP else _("Also sells as (optional)"),
            rep_names(view),
            rep_id,
            optional=True,
        )
    if role is Role.MANAGER or makes_rep:
        team_id = fields.choose("team_id", _("Team"), team_names(view), user.team_id if user else None, optional=True)
    return role, rep_id if role in {Role.REP, Role.MANAGER} else None, team_id, makes_rep


def _new(view: View) -> None:
    @session.dialog(_("New account"))
    def form() -> None:
        fields = Fields(view, "account-new-form")
        name = fields.text("name", _("Name"), max_chars=80)
        name_en = fields.text("name_en", _("English name (optional)"), max_chars=80)
        username = fields.text("username", _("Name for signing in"), max_chars=80)
        email = fields.text("email", _("E-mail"), max_chars=200)
        role, rep_id, team_id, makes_rep = _role_fields(view, fields, None)
        spoken = fields.choose("language", _("Language"), _languages(), "")
        by_link = _way_in()
        if fields.sent(_("Create the account")):
            made = fields.do(
                create_account,
                username=username,
                name=name,
                name_en=name_en,
                email=email,
                role=role,
                rep_id=rep_id,
                team_id=team_id,
                language=spoken,
                makes_rep=makes_rep,
            )
            if made and _hand_out(fields, made[0], name, by_link=by_link):
                tell(_("The account of {name} is made.", name=name.strip()))
                st.rerun()

    form()


def _way_in() -> bool:
    ways = {
        True: _("A link, good once and for a day"),
        False: _("A password to be changed at the first sign-in"),
    }
    return bool(st.radio(_("How they get in"), list(ways), format_func=ways.__getitem__, key="account-way"))


def _hand_out(fields: Fields, user_id: int, name: str, *, by_link: bool) -> bool:
    """Make a link or a password for somebody and keep it for the page to show once."""
    if by_link:
        made = fields.do(make_reset_link, user_id=user_id)
        if made:
            st.session_state[_HANDED] = (name, f"{_base()}/?reset={made[0]}", True)
        return bool(made)
    password = secrets.token_urlsafe(12)
    if fields.do(reset_password, user_id=user_id, new=new_password(password, about=())) is None:
        return False
    st.session_state[_HANDED] = (name, password, False)
    return True


def _handed_over() -> None:
    """Show the link or password that was just made, until it is put away."""
    handed = st.session_state.get(_HANDED)
    if not handed:
        return
    name, secret, is_link = handed
    with st.container(border=True):
        said = (
            _("Give this link to {name}. It opens once, within a day, and is shown only here.", name=name)
            if is_link
            else _(
                "Give this password to {name}. It must be changed at the first sign-in and is shown only here.",
                name=name,
            )
        )
        st.text(said)
        st.code(secret, language=None, wrap_lines=True)
        if st.button(_("Put away"), icon=":material/visibility_off:", key="handed-done"):
            del st.session_state[_HANDED]
            st.rerun()


def _edit(view: View, user: User) -> None:
    reps = rep_names(view)

    @session.dialog(plain(_called(user, reps)))
    def form() -> None:
        fields = Fields(view, f"account-{user.id}-{user.version}")
        name = fields.text("name", _("Name"), user.name, max_chars=80)
        name_en = fields.text("name_en", _("English name (optional)"), user.name_en, max_chars=80)
        if user.rep_id in reps:
            st.caption(plain(_("Shown everywhere as {name}, the name of the rep.", name=reps[user.rep_id])))
        email = fields.text("email", _("E-mail"), user.email, max_chars=200)
        role, rep_id, team_id, _makes = _role_fields(view, fields, user)
        active = fields.tick("active", _("Active: may sign in"), user.active)
        if fields.sent(_("Save")) and fields.do(
            edit_user,
            user_id=user.id,
            version=user.version,
            name=name,
            name_en=name_en,
            role=role,
            email=email,
            rep_id=rep_id,
            team_id=team_id,
            active=active,
        ):
            tell(_("Saved."))
            st.rerun()
        st.divider()
        by_link = _way_in()
        with st.container(horizontal=True):
            if st.button(_("Reset the password"), icon=":material/lock_reset:", key=f"reset-{user.id}") and _hand_out(
                fields, user.id, _called(user, reps), by_link=by_link
            ):
                st.rerun()
            if st.button(_("Sign out everywhere"), icon=":material/logout:", key=f"out-{user.id}"):
                ended = fields.do(revoke_sign_ins, user_id=user.id)
                if ended:
                    tell(_signed_out(ended[0]))
                    st.rerun()

    form()


def _signed_out(count: int) -> str:
    return _n("{n} sign-in ended.", "{n} sign-ins ended.", count)


def _languages() -> dict[str, str]:
    return {"": _("As the browser says"), **{code: LANGUAGE_NAMES[code] for code in LANGUAGES}}


def _base() -> str:
    """Return the address that links begin with."""
    if settings().base_url:
        return settings().base_url
    scheme, _mark, rest = (st.context.url or "").partition("://")
    return f"{scheme}://{rest.split('/', 1)[0]}" if rest else ""
