"""What a visitor is asked before anything personal is kept: the purposes and the exact words.

Kept apart from :mod:`catsdogs.privacy`, which carries out the decision, because a visitor's kernel
shows these words and must not load a database driver for it.
"""

from __future__ import annotations

from dataclasses import dataclass

from catsdogs.i18n import N_, Translator

VERSION = "1"
"""Of the words below. Change it whenever one of them changes: a decision is about the words shown."""


@dataclass(frozen=True, slots=True)
class Purpose:
    """One thing a person may agree to, by a box of its own."""

    field: str
    """Its field in :class:`catsdogs.domain.Consent`."""
    label: str
    explanation: str


QUESTION = N_("Would you like to help?")
REASSURANCE = N_("Both boxes are up to you: the answer is the same either way.")
PURPOSES = (
    Purpose(
        "filename_and_comment",
        N_("Keep the file's name and my comment"),
        N_("The people who run this service read them to understand what went wrong."),
    ),
    Purpose(
        "photo",
        N_("Keep my photo to train the model"),
        N_("A small copy (at most 512 pixels), without place or date, becomes an example to learn from."),
    ),
)
NOTICE = (
    N_(
        "Before it leaves, your browser scales the photo down and removes place, date and camera from it. Only what "
        "it cannot read, and animations, go up as they are; nothing of that is kept either."
    ),
    N_("Without a tick, the photo is forgotten as soon as you have the answer, and its name is not kept."),
    N_(
        "For statistics we always keep, without knowing who you are: the answer, its probabilities, the time it took, "
        "the size and brightness of the picture, and whether you were satisfied. No IP address."
    ),
    N_(
        "With a tick you get a receipt code, shown once. With it you can have what was kept about that photo shown, "
        "or erased for good, at any time and without giving a reason."
    ),
)
"""What happens with a person's data, a paragraph each."""


def words(language: str) -> str:
    """Give everything that was shown with the boxes, in `language`, as one text to be hashed."""
    _ = Translator(language)
    purposes = [text for purpose in PURPOSES for text in (purpose.label, purpose.explanation)]
    return "\n".join(_(text) for text in (QUESTION, REASSURANCE, *purposes, *NOTICE))
