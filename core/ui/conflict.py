"""Two people edited one record: field by field, what is mine, what is theirs, and what shall stand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import streamlit as st

from core.i18n import N_, _
from core.ui.page import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

MINE, THEIRS = "mine", "theirs"
CHOICE_NAMES = {MINE: N_("Mine"), THEIRS: N_("Theirs")}


@dataclass(frozen=True)
class Difference:
    """A field that mine and theirs leave different; `clash` where both sides changed it."""

    name: str
    base: Any
    mine: Any
    theirs: Any

    @property
    def clash(self) -> bool:
        """Whether both sides changed the field."""
        return bool(self.base not in (self.mine, self.theirs))

    @property
    def suggestion(self) -> str:
        """The side that changed the field; theirs, which is saved already, where both did."""
        return MINE if self.theirs == self.base else THEIRS


def differences(base: Mapping[str, Any], mine: Mapping[str, Any], theirs: Mapping[str, Any]) -> list[Difference]:
    """Return each field of `mine` that stands otherwise in `theirs`."""
    return [
        Difference(name, base.get(name), value, theirs[name]) for name, value in mine.items() if value != theirs[name]
    ]


def merged(found: list[Difference], chosen: Mapping[str, str]) -> dict[str, Any]:
    """Return the fields to save over theirs: those for which mine was chosen."""
    return {item.name: item.mine for item in found if chosen[item.name] == MINE}


def compare(
    found: list[Difference],
    *,
    labels: Mapping[str, str],
    shown: Callable[[str, Any], str],
    who: str,
    key: str,
) -> dict[str, Any] | None:
    """Draw the comparison; return what to save once the reader has chosen, else None.

    `shown` writes a field's value for a reader; `who` saved in between ("" where unknown).
    """
    said = (
        _("{who} saved this while you were editing.", who=who)
        if who
        else _("This was saved by somebody else meanwhile.")
    )
    st.warning(plain(said + " " + _("Choose for each field what shall stand.")), icon=":material/compare_arrows:")
    chosen: dict[str, str] = {}
    for item in found:
        with st.container(border=True, gap="xsmall", key=f"{key}-{item.name}"):
            mark = " :orange[:material/warning:]" if item.clash else ""
            st.markdown(f"**{plain(labels[item.name])}**{mark}")
            st.caption(plain(_("Before: {value}", value=shown(item.name, item.base))))
            values = {MINE: item.mine, THEIRS: item.theirs}
            names = {
                side: plain(_("{label}: {value}", label=_(CHOICE_NAMES[side]), value=shown(item.name, values[side])))
                for side in values
            }
            picked = st.radio(
                labels[item.name],
                [MINE, THEIRS],
                index=[MINE, THEIRS].index(item.suggestion),
                format_func=names.__getitem__,
                label_visibility="collapsed",
                key=f"{key}-{item.name}-choice",
            )
            chosen[item.name] = picked
    with st.container(horizontal=True):
        if st.button(_("Save what I chose"), type="primary", key=f"{key}-save"):
            return merged(found, chosen)
    return None
