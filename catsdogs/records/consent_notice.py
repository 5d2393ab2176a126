"""The texts of the privacy notice and of the consent form: the only place where they are written.

This module imports no database driver, because a visitor's kernel, which has none, shows these texts.
"""

from __future__ import annotations

from dataclasses import dataclass

from catsdogs.domain import DataController, PurposeName
from catsdogs.i18n import N_, Translator

VERSION = "3"
"""Version of the texts below. Change it whenever a text changes: a consent is recorded with the version shown."""


@dataclass(frozen=True, slots=True)
class ConsentPurpose:
    """One purpose that a person may agree to, with a checkbox of its own."""

    field: PurposeName
    """Name of its field in :class:`catsdogs.domain.Consent`."""
    label: str
    explanation: str


QUESTION = N_("May we keep something of this photo?")
REASSURANCE = N_("Each box is up to you. A tick applies at once, to this photo only, and you can take it back.")
PURPOSES = (
    ConsentPurpose(
        PurposeName.FILENAME_AND_COMMENT,
        N_("Keep the file's name and my comment"),
        N_("The people who run this service read them to understand what went wrong."),
    ),
    ConsentPurpose(
        PurposeName.PHOTO,
        N_("Keep my photo to train the model"),
        N_("A small copy (at most 512 pixels), without place or date, becomes an example to learn from."),
    ),
)


def notice(_: Translator, controller: DataController) -> list[str]:
    """Return the paragraphs of the privacy notice that Article 13 GDPR asks for."""
    return [
        _(
            N_("Responsible for your data: {name}. Contact: {contact}."),
            name=controller.name or _(N_("whoever runs this service")),
            contact=controller.contact or _(N_("where you found this service")),
        ),
        _(UPLOAD),
        _(WITHOUT_CONSENT),
        _(STATISTICS),
        _(WITH_CONSENT),
        _.plural(
            "What is kept with your consent is erased after {n} day at the latest; the anonymous figures stay.",
            "What is kept with your consent is erased after {n} days at the latest; the anonymous figures stay.",
            controller.retention_days,
        ),
        _(RECEIPT),
        _(COMPLAINT),
    ]


UPLOAD = N_(
    "Before it leaves, your browser scales the photo down and removes place, date and camera from it. Only what "
    "it cannot read, and animations, go up as they are; nothing of that is kept either."
)
WITHOUT_CONSENT = N_("Without a tick, the photo is forgotten when you close the page, and its name is not kept.")
STATISTICS = N_(
    "For statistics we always keep, without knowing who you are: the answer, its probabilities, the time it took, "
    "the size and brightness of the picture, and whether you were satisfied. No IP address. We need them to run a "
    "service that works (legitimate interest, Article 6(1)(f) GDPR)."
)
WITH_CONSENT = N_(
    "File name, comment and photo are kept only with your consent (Article 6(1)(a) GDPR), each for the purpose beside "
    "its box, and passed on to nobody."
)
RECEIPT = N_(
    "With a tick you get a receipt code, shown until you close the page. With it you can, at any time and without "
    "giving a reason, have what was kept about that photo given to you, withdraw either consent, or have everything "
    "erased for good. What was done before a withdrawal stays lawful."
)
COMPLAINT = N_(
    "You may complain to the data protection authority of your country; in France this is the CNIL, www.cnil.fr."
)


def full_text(language: str, controller: DataController) -> str:
    """Return everything that the consent form shows, in `language`, as one text to be hashed."""
    _ = Translator(language)
    purposes = [text for purpose in PURPOSES for text in (purpose.label, purpose.explanation)]
    return "\n".join([*(_(text) for text in (QUESTION, REASSURANCE, *purposes)), *notice(_, controller)])
