import streamlit as st

from core.errors import InvalidFields, SalesError
from core.i18n import LANGUAGES, _, format_instant
from core.services import account
from core.settings import settings
from core.ui import frame_words, session
from core.ui.new_password import new_password_fields
from core.ui.page import open_page, plain

view = open_page("account")
me = view.ask(account.my_profile)
here = session.signed_in()
this_browser = here.session_id if here else None

if me.must_change_password:
    st.warning(_("Your password was set by somebody else. Please choose your own to go on."), icon=":material/key:")
else:
    st.text(f"{me.name} · {me.username} · {_(frame_words.ROLE_NAMES[me.role])}")

st.subheader(_("Password"), anchor=False)
with st.form("password", width=520):
    present = st.text_input(_("Present password"), type="password", autocomplete="current-password")
    no_present = st.empty()
    password, again, places = new_password_fields(_("New password"))
    sent = st.form_submit_button(_("Change the password"), type="primary")
if sent:
    try:
        account.change_own_password(
            view.database, view.actor, present=present, password=password, again=again,
            keep_session=this_browser, now=session.now(),
        )  # fmt: skip
    except InvalidFields as error:
        for field, sentence in error.problems.items():
            {"present": no_present, **places}[field].error(sentence)
    except SalesError as error:
        st.error(error.message())
    else:
        session.forget_run()
        st.toast(_("The password is changed, and your other browsers are signed out."))
        if me.must_change_password:
            st.rerun()

if me.must_change_password:
    st.stop()

st.subheader(_("Language"), anchor=False)
words = {"": _("As the browser says"), **frame_words.LANGUAGE_NAMES}
chosen = st.selectbox(
    _("Language"), ["", *LANGUAGES], index=["", *LANGUAGES].index(me.language),
    format_func=words.__getitem__, label_visibility="collapsed", width=260,
)  # fmt: skip
if chosen != me.language:
    view.do(account.choose_language, language=chosen)
    session.follow_account_language()
    st.rerun()

st.subheader(_("Where you are signed in"), anchor=False)
sign_ins = view.ask(account.my_sign_ins, idle_minutes=settings().session_idle_minutes)
for row in sign_ins:
    with st.container(border=True, horizontal=True, vertical_alignment="center", width=520):
        is_this = row.number == this_browser
        name = plain(f"{frame_words.browser_name(row.browser)} · {row.address or '–'}")
        seen = _("last used {when}", when=format_instant(row.seen_at, view.zone))
        st.markdown(f"{name}  \n:small[{plain(_('this browser') if is_this else seen)}]", width="stretch")
        if not is_this and st.button(_("End"), key=f"end_{row.number}"):
            view.do(account.end_my_sign_in, number=row.number)
            st.rerun()
if len(sign_ins) > 1 and st.button(_("End all others"), icon=":material/logout:"):
    view.do(account.end_my_other_sign_ins, keep_session=this_browser)
    st.rerun()
