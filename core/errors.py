"""Refusals that people may meet; each is a class of its own with its text."""

from __future__ import annotations

import os
from typing import ClassVar

from core.i18n import N_, _, parse_accept, speaking
from core.settings import WrongSettings


def console_language() -> str:
    """Return the language of whoever reads the console, by its locale."""
    return parse_accept(os.environ.get("LC_ALL") or os.environ.get("LANG"))


def wrong_settings() -> str:
    """Return the line above the settings that cannot be used, in the language of the console."""
    with speaking(console_language()):
        return _("These settings cannot be used (the README lists what each may be):")


WrongSettings.heading = wrong_settings


class SalesError(Exception):
    """Something a person asked for was refused for a reason they can read.

    Subclasses set `text`, an English sentence with named places; `values` fill them.
    `field` names the form's field that the refusal belongs beside, where there is one.
    """

    text: ClassVar[str] = N_("This could not be done.")
    field: ClassVar[str | None] = None

    def __init__(self, **values: object) -> None:
        self.values = values
        super().__init__(self.text.format(**values) if values else self.text)

    def message(self) -> str:
        """Return the sentence in the reader's language."""
        return _(self.text, **self.values)


class NotFound(SalesError):
    """No such record, or none that this actor may see: the two look the same."""

    text = N_("There is no {kind} with the number {number}, or it is not open to you.")

    def message(self) -> str:
        """Return the sentence in the reader's language, the word for the thing too."""
        return _(self.text, **{**self.values, "kind": _(str(self.values.get("kind", "")))})


class NotAllowed(SalesError):
    """The actor's role does not include this action."""

    text = N_("Your role does not allow this.")


class EditedMeanwhile(SalesError):
    """Somebody saved the record after it was opened."""

    text = N_("Somebody else saved this while you were editing. Compare and choose what to keep.")


class InvalidField(SalesError):
    """One field's value breaks a rule; `reason` is a translated sentence."""

    text = N_("{label}: {reason}")

    def __init__(self, *, name: str, label: str, reason: str) -> None:
        self.name = name
        super().__init__(label=label, reason=reason)


class InvalidFields(SalesError):
    """A form with one or more invalid fields; `problems` maps field name to sentence."""

    text = N_("Please check the marked fields.")

    def __init__(self, problems: dict[str, str]) -> None:
        self.problems = problems
        super().__init__()


class AnalyticsAway(SalesError):
    """The server that holds the mirror does not answer; what stands in the database can be read and written."""

    text = N_(
        "The numbers cannot be computed: the analytics server does not answer. Entering data goes on; "
        "please try again in a moment."
    )


class AnalyticsTooOld(AnalyticsAway):
    """It answers, and is older than the questions need."""

    text = N_(
        "The numbers cannot be computed: the analytics server is ClickHouse {version}, and {needed} or later is "
        "needed. Entering data goes on; please tell whoever runs this installation."
    )


class AnalyticsRefused(AnalyticsAway):
    """It answers, and does not let this installation in."""

    text = N_(
        "The numbers cannot be computed: the analytics server does not accept the sign-in or the database of this "
        "installation. Entering data goes on; please tell whoever runs it."
    )
