"""The one table of pages: file, title, icon, permission and place in the navigation."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import streamlit as st

from core.access.actions import Action
from core.i18n import N_
from core.settings import PROJECT_ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from core.access.actors import Actor

HOME = "today"
BARE = "-"  # the first page lies at the bare address; Streamlit wants a name for it, which is never shown
SELLING = N_("Selling")
ANALYSIS = N_("Analysis")
ADMINISTRATION = N_("Administration")
SECTIONS = (SELLING, ANALYSIS, ADMINISTRATION)


@dataclass(frozen=True)
class PageSpec:
    """One page. `name` is its address and, under `pages/`, its file; `title` and `section` are message ids.

    `action` is the permission that opens it. Where not `visible`, it opens by its address and
    from other pages, but stands in no menu. The menu keeps the order of `PAGES`.
    """

    name: str
    title: str
    icon: str
    action: Action
    section: str
    visible: bool = True

    @property
    def file(self) -> Path:
        """The page's script."""
        return PROJECT_ROOT / "pages" / f"{self.name}.py"


PAGES: tuple[PageSpec, ...] = (
    PageSpec("today", N_("Today"), "today", Action.TODAY_VIEW, SELLING),
    PageSpec("deals", N_("Deals"), "handshake", Action.DEAL_VIEW, SELLING),
    PageSpec("deal", N_("Deal"), "description", Action.DEAL_VIEW, SELLING, visible=False),
    PageSpec("old_deals", N_("Long overdue deals"), "checklist", Action.DEAL_EDIT, SELLING, visible=False),
    PageSpec("customers", N_("Customers"), "apartment", Action.CUSTOMER_VIEW, SELLING),
    PageSpec("customer", N_("Customer"), "domain", Action.CUSTOMER_VIEW, SELLING, visible=False),
    PageSpec("log_deal", N_("Log a deal"), "add_circle", Action.DEAL_LOG, SELLING),
    PageSpec("log_activity", N_("Log an activity"), "edit_calendar", Action.ACTIVITY_LOG, SELLING),
    PageSpec("overview", N_("Overview"), "dashboard", Action.OVERVIEW_VIEW, ANALYSIS),
    PageSpec("pipeline", N_("Pipeline progress"), "stacked_line_chart", Action.OVERVIEW_VIEW, ANALYSIS),
    PageSpec("funnel", N_("Funnel"), "filter_alt", Action.FUNNEL_VIEW, ANALYSIS),
    PageSpec("leaderboard", N_("Leaderboard"), "trophy", Action.LEADERBOARD_VIEW, ANALYSIS),
    PageSpec("contests", N_("Contests and awards"), "emoji_events", Action.LEADERBOARD_VIEW, ANALYSIS),
    PageSpec("board", N_("Sales floor screen"), "tv", Action.LEADERBOARD_VIEW, ANALYSIS, visible=False),
    PageSpec("rep", N_("Rep"), "person", Action.LEADERBOARD_VIEW, ANALYSIS, visible=False),
    PageSpec("forecast", N_("Forecast"), "trending_up", Action.FORECAST_VIEW, ANALYSIS),
    PageSpec("all_series", N_("All series"), "table_chart", Action.FORECAST_VIEW, ANALYSIS),
    PageSpec("plan", N_("Sales plan"), "assignment", Action.PLAN_VIEW, ANALYSIS),
    PageSpec("import_data", N_("Import"), "upload_file", Action.IMPORT, ADMINISTRATION),
    PageSpec("people", N_("People and teams"), "group", Action.PEOPLE_VIEW, ADMINISTRATION),
    PageSpec("process", N_("Sales process"), "account_tree", Action.PROCESS_EDIT, ADMINISTRATION),
    PageSpec("goods", N_("Products"), "inventory_2", Action.PRODUCT_EDIT, ADMINISTRATION),
    PageSpec("quotas", N_("Quotas"), "flag", Action.QUOTA_EDIT, ADMINISTRATION),
    PageSpec("acquisition_costs", N_("Acquisition costs"), "campaign", Action.ACQUISITION_COST_EDIT, ADMINISTRATION),
    PageSpec("currencies", N_("Currencies"), "currency_exchange", Action.CURRENCY_EDIT, ADMINISTRATION),
    PageSpec("settings", N_("Settings"), "tune", Action.SETTING_EDIT, ADMINISTRATION),
    PageSpec("audit", N_("Audit"), "history", Action.AUDIT_VIEW, ADMINISTRATION),
    PageSpec("account", N_("My account"), "account_circle", Action.ACCOUNT, ADMINISTRATION, visible=False),
    PageSpec("shared", N_("Shared view"), "share", Action.SHARED_VIEW, ANALYSIS, visible=False),
)


@cache
def _by_name() -> dict[str, PageSpec]:
    return {spec.name: spec for spec in PAGES}


def page(name: str) -> PageSpec:
    """Return the page's line of the table; a KeyError for a name that is none."""
    return _by_name()[name]


def present_pages() -> tuple[PageSpec, ...]:
    """Return the pages whose scripts exist."""
    return tuple(spec for spec in PAGES if spec.file.is_file())


def pages_for(actor: Actor) -> tuple[PageSpec, ...]:
    """Return the pages that the actor's role may open, in the menu's order."""
    return tuple(spec for spec in present_pages() if actor.may(spec.action))


def home_of(pages: tuple[PageSpec, ...]) -> PageSpec:
    """Return the page that opens first: Today where it is open, else the first in the menu."""
    return next((spec for spec in pages if spec.name == HOME), next(s for s in (*_in_menu(pages), *pages)))


def draws_charts(address: str) -> bool:
    """Say whether the page at this address is one of those that are made of charts."""
    spec = _by_name().get(address)
    return spec is not None and spec.section == ANALYSIS


def page_address(name: str, **params: object) -> str:
    """Return the address of a page below the program's own: `funnel?team=3`. None values are left out."""
    spec = page(name)
    query = urlencode({key: value for key, value in params.items() if value is not None}, doseq=True)
    return f"{spec.name}?{query}" if query else spec.name


def go(name: str, **params: object) -> None:
    """Open a page in this tab, with parameters in its address; None values are left out."""
    query = {key: str(value) for key, value in params.items() if value is not None}
    st.switch_page(page(name).file, query_params=query)


def _in_menu(pages: tuple[PageSpec, ...]) -> tuple[PageSpec, ...]:
    return tuple(spec for spec in pages if spec.visible)
