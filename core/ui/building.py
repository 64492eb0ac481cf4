"""How far the numbers of a large company are, while they are built anew or for the first time."""

from __future__ import annotations

from time import sleep
from typing import TYPE_CHECKING

import streamlit as st

from core.i18n import _

if TYPE_CHECKING:
    from core.db.work import Database

_SHOWN_EVERY = 0.5


def say_being_built(database: Database) -> None:
    """Say that numbers are older ones, where they are being built anew."""
    mirror = database.mirror
    if mirror.version and mirror.built < 1:
        st.progress(mirror.built, text=_("The numbers are being built anew; until then these are the last ones."))


def wait_for_first(database: Database) -> None:
    """Show how far the first building is, until there are numbers to show; nothing where there are."""
    if not _is_first(database):
        return
    place = st.empty()
    while _is_first(database):
        share = database.mirror.built
        place.progress(share, text=_("The numbers are being built for the first time. They come by themselves."))
        sleep(_SHOWN_EVERY)
    place.empty()


def _is_first(database: Database) -> bool:
    return not database.mirror.version and database.mirror.built < 1
