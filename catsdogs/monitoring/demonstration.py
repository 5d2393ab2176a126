"""What is said where figures contain demonstration data."""

from __future__ import annotations

from catsdogs.i18n import Translator


def demonstration_text(_: Translator) -> str:
    """Return the sentence that marks such figures."""
    return _(
        "Demonstration data: these figures contain made-up predictions. Alerts leave them out where there are "
        "predictions of people, too."
    )
