"""Making, listing and closing share links."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import streamlit as st

from core.access.actions import Action
from core.errors import SalesError
from core.i18n import N_, _, _n, format_instant, language
from core.queries.share import my_share_links
from core.reports.frozen import freeze
from core.services.share import make_share_link, revoke_share_link
from core.settings import settings
from core.ui import routes, session
from core.ui.drill import DRILL
from core.ui.filters import address
from core.ui.page import ANSWERS_KEY, plain

if TYPE_CHECKING:
    from core.ui.page import View

LIFETIMES: dict[int, str] = {
    4: N_("4 hours"),
    24: N_("1 day"),
    24 * 7: N_("7 days"),
    24 * 30: N_("30 days"),
    24 * 365: N_("1 year"),
}
KIND_NAMES = {"live": N_("Live: as they are when it is opened"), "frozen": N_("Frozen: as they are now")}
STATE_NAMES = {"open": N_("Active"), "expired": N_("Expired"), "revoked": N_("Revoked")}
_MADE = "luopan_made_link"


def share_button(view: View) -> None:
    """Offer to share the page that is being looked at, to those who may."""
    if view.large or not view.may(Action.SHARE):
        return
    if st.button(_("Share"), icon=":material/share:", key="share", help=_("Make a link that opens without an account")):
        st.session_state.pop(_MADE, None)
        _open_dialog(view)


def _open_dialog(view: View) -> None:
    @session.dialog(_("Share this view"), width="large")
    def opened() -> None:
        new, old = st.tabs([_("New link"), _("My links")])
        with new:
            _new_link(view)
        with old:
            _old_links(view)

    opened()


def _new_link(view: View) -> None:
    st.caption(
        _("Whoever has the link sees this page with these filters, and exactly the numbers that you may see. "
          "It is read-only and needs no account.")
    )  # fmt: skip
    title = st.text_input(_("Title"), value=_(routes.page(view.name).title), max_chars=120, key="share-title")
    kind: Literal["live", "frozen"] = st.segmented_control(
        _("Numbers"), ["live", "frozen"], default="live", required=True, key="share-kind", wrap=True,
        format_func=lambda code: _(KIND_NAMES[code]),
    ) or "live"  # fmt: skip
    hours = st.selectbox(
        _("Expires after"), list(LIFETIMES), index=2, format_func=lambda n: _(LIFETIMES[n]), key="share-hours"
    )
    if st.button(_("Make the link"), type="primary", key="share-make"):
        told = st.session_state.get(ANSWERS_KEY, {}) if kind == "frozen" else {}
        try:
            answers = freeze({name: answer() for name, answer in told.items()}) if kind == "frozen" else None
            token = view.do(
                make_share_link,
                page=view.name,
                title=title,
                query={name: values for name, values in address(view).items() if name != DRILL},
                language=language(),
                hours=int(hours),
                frozen=answers,
            )
        except SalesError as error:
            st.error(error.message(), icon=":material/block:")
            return
        st.session_state[_MADE] = token
    made = st.session_state.get(_MADE)
    if made:
        st.success(_("The link is ready. It is shown only this once: copy it now."), icon=":material/check_circle:")
        st.code(link_address(made), language=None, wrap_lines=True)


def _old_links(view: View) -> None:
    links = view.ask(my_share_links)
    if links.empty:
        st.info(_("You have not shared anything yet."), icon=":material/inbox:")
    for link in links.head(50).to_dict("records"):
        with st.container(border=True, horizontal=True, vertical_alignment="center"):
            with st.container(gap="xxsmall"):
                st.text(link["title"] or _(routes.page(link["page"]).title))
                told = [
                    _(STATE_NAMES[link["state"]]),
                    _("frozen") if link["frozen"] else _("live"),
                    _n("opened {n} time", "opened {n} times", link["opened_count"]),
                    _("expires {when}", when=format_instant(link["expires_at"], view.zone)),
                ]
                st.caption(plain(" · ".join(told)))
            if link["state"] == "open" and st.button(
                _("Revoke"), key=f"revoke-{link['id']}", icon=":material/link_off:"
            ):
                view.do(revoke_share_link, link_id=int(link["id"]))
                st.rerun(scope="fragment")


def link_address(token: str) -> str:
    """Return the whole address of a link."""
    base = settings().base_url
    if not base:
        here = st.context.url or ""
        scheme, _mark, rest = here.partition("://")
        base = f"{scheme}://{rest.split('/', 1)[0]}" if rest else ""
    return f"{base}/{routes.page('shared').name}?token={token}"
