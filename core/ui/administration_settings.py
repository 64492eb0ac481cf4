"""The company's own settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st
from babel.dates import get_month_names

from core.access.board_sight import BoardSight
from core.access.margin_sight import MarginSight
from core.domain.periods import FiscalCalendar
from core.i18n import LANGUAGES, N_, _, format_date, language
from core.queries.administration import company_settings
from core.services.company import WHOLE_NUMBERS, change_settings
from core.settings import settings
from core.ui.administration import Fields, show_what_was_told, tell
from core.ui.administration_word_list import draw_word_list
from core.ui.frame_words import LANGUAGE_NAMES

if TYPE_CHECKING:
    from core.ui.page import View


SIGHTS = {
    BoardSight.HIDDEN: N_("Their own row and rank alone"),
    BoardSight.ANONYMOUS: N_("Everyone's rank and result, without names"),
    BoardSight.FULL: N_("Everyone's names and figures"),
}
MARGIN_SIGHTS = {
    MarginSight.HIDDEN: N_("Managers, leadership and sales operations alone"),
    MarginSight.SHOWN: N_("Reps too, as they see other figures"),
}


def draw(view: View) -> None:
    """Draw the page."""
    show_what_was_told()
    rules, words = st.tabs([_("Company and rules"), _("Word list")])
    with rules:
        _settings(view)
    with words:
        draw_word_list(view)


def _settings(view: View) -> None:
    now = view.ask(company_settings)
    version = "-".join(now.values())
    fields = Fields(view, f"settings-{version}")
    values: dict[str, str] = {}
    with st.container(border=True, width=640):
        st.subheader(_("Company"), anchor=False)
        values["company_name"] = fields.text("company_name", _("Company's name"), now["company_name"], max_chars=80)
        english = _("Company's name in English (optional)")
        values["company_name_en"] = fields.text("company_name_en", english, now["company_name_en"], max_chars=80)
        words = {"": _("As the browser says"), **{code: LANGUAGE_NAMES[code] for code in LANGUAGES}}
        values["default_language"] = fields.choose(
            "default_language",
            _("Language"),
            words,
            now["default_language"],
            help=_("For those who have not chosen one of their own."),
        )
    with st.container(border=True, width=640):
        st.subheader(_("Calendar"), anchor=False)
        months = {str(n): name for n, name in get_month_names(locale=language()).items()}
        first = fields.choose("fiscal_first_month", _("The fiscal year begins in"), months, now["fiscal_first_month"])
        values["fiscal_first_month"] = first
        calendar = FiscalCalendar(int(first))
        number = calendar.year_of(view.today)
        year = calendar.year(number)
        st.caption(
            _(
                "Fiscal year {year} is then {first} to {last}. Quarters, presets and quotas by year follow at once.",
                year=number,
                first=format_date(year.start),
                last=format_date(year.last_day),
            )
        )
    with st.container(border=True, width=640):
        st.subheader(_("Rules of the numbers"), anchor=False)
        for name, label, about in (
            (
                "idle_days",
                _("Days without an activity until a deal counts as idle"),
                _("Today lists such deals."),
            ),
            (
                "minimum_decided",
                _("Closed deals that a rate needs"),
                _("With fewer, rankings by rate say “too few” instead of a rank."),
            ),
            (
                "yearly_discount",
                _("Yearly discount, %"),
                _("By how much less a year's wait makes what customers will book; for their lifetime value."),
            ),
        ):
            least, most = WHOLE_NUMBERS[name]
            values[name] = str(fields.whole(name, label, int(now[name]), least, most, help=about))
    with st.container(border=True, width=640):
        st.subheader(_("Leaderboard"), anchor=False)
        values["board_sight"] = fields.choose(
            "board_sight",
            _("What reps see of others"),
            {sight.value: _(label) for sight, label in SIGHTS.items()},
            now["board_sight"],
            help=_("Managers see their own team in any case; of other teams they see what reps see."),
        )
        values["margin_sight"] = fields.choose(
            "margin_sight",
            _("Costs and margins"),
            {sight.value: _(label) for sight, label in MARGIN_SIGHTS.items()},
            now["margin_sight"],
            help=_("Who holds a share link never sees them; costs themselves stand on the page of products alone."),
        )
    if fields.sent(_("Save"), icon=":material/save:"):
        done = fields.do(change_settings, values=values)
        if done:
            tell(_("Saved."))
            st.rerun()
    st.caption(
        _(
            "Time zone {zone} and currency {currency} are set where the program is installed.",
            zone=settings().time_zone,
            currency=view.currency,
        )
    )
