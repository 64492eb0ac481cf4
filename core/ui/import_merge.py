"""Names that almost match, offered pair by pair: radio buttons that a keyboard reaches, a page at a time."""

from __future__ import annotations

from dataclasses import replace
from math import ceil
from typing import TYPE_CHECKING

import streamlit as st

from core.i18n import N_, _, _n, format_number, format_rate
from core.ui.page import plain

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from core.importing.choices import Choices
    from core.importing.matching import NearPair
    from core.ui.import_state import ImportState

SUBJECTS = {
    "product": N_("Product"), "customer": N_("Customer"), "rep": N_("Rep"), "industry": N_("Industry"),
    "country": N_("Country"),
}  # fmt: skip
AT_ONCE = 6


def offer_pairs(now: ImportState) -> None:
    """Draw the pairs with what was decided of each; nothing is merged unless it is chosen."""
    if not now.pairs or now.choices is None:
        return
    st.subheader(_("Names that almost match"), anchor=False)
    merged = sum(_is_merged(now.choices, pair) for pair in now.pairs)
    st.caption(
        _("Nothing is merged unless you choose it. The numbers say in how many rows a name stands.")
        + " "
        + _n("{merged} of {n} pair is merged.", "{merged} of {n} pairs are merged.", len(now.pairs), merged=merged)
    )
    last = ceil(len(now.pairs) / AT_ONCE)
    page = 1
    if last > 1:
        page = st.pagination(last, key=f"import-pairs-page-{now.round}")
    shown = list(enumerate(now.pairs))[(page - 1) * AT_ONCE : page * AT_ONCE]
    for place, pair in shown:
        merged_now = _is_merged(now.choices, pair)
        said = _ask(now, place, pair, now.waiting.get(place, merged_now))
        if said == merged_now:
            now.waiting.pop(place, None)
        else:
            now.waiting[place] = said
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button(_("Apply these choices"), icon=":material/merge:", key="import-merge"):
            take_waiting(now)
            st.rerun()
        if now.waiting:
            st.caption(
                _n(
                    "{n} choice is not applied yet: apply it to see what it does, or import: that applies it.",
                    "{n} choices are not applied yet: apply them to see what they do, or import: that applies them.",
                    len(now.waiting),
                )
            )


def take_waiting(now: ImportState) -> None:
    """Take the choices that stand on the screen and were not applied yet."""
    if now.waiting and now.choices is not None:
        now.decide(decided(now.choices, now.pairs, now.waiting))


def decided(choices: Choices, pairs: Sequence[NearPair], said: Mapping[int, bool]) -> Choices:
    """Return the choices with the pairs of `said` (by place) merged or left apart, the others as they were."""
    merges = {subject: dict(names) for subject, names in choices.merges.items()}
    for place, is_one in said.items():
        pair = pairs[place]
        if is_one:
            merges.setdefault(pair.subject, {})[pair.written] = pair.known
        elif _is_merged(choices, pair):
            del merges[pair.subject][pair.written]
    return replace(choices, merges={subject: names for subject, names in merges.items() if names})


def _ask(now: ImportState, place: int, pair: NearPair, chosen: bool) -> bool:
    written = f"{plain(pair.written)} ({format_number(pair.written_count)})"
    known = f"{plain(pair.known)} ({format_number(pair.known_count)})"
    likeness = _("{rate} alike", rate=format_rate(pair.score / 100, 0))
    return bool(
        st.radio(
            f"{_(SUBJECTS[pair.subject])}: **{written}** · **{known}** — {likeness}",
            [False, True],
            index=int(chosen),
            format_func=lambda is_one: (
                _("Take it for {known}", known=plain(pair.known)) if is_one else _("Leave apart")
            ),
            horizontal=True,
            key=f"import-pair-{now.round}-{place}",
        )
    )


def _is_merged(choices: Choices, pair: NearPair) -> bool:
    return choices.merges.get(pair.subject, {}).get(pair.written) == pair.known
