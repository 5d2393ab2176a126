"""Texts and limits of the photo input, for its widget and for the page that the server preloads.

The server process imports this module: it loads neither ipywidgets nor anything else that is slow to import.
"""

from __future__ import annotations

from catsdogs.i18n import Translator
from catsdogs.model.photo_limits import MAX_BYTES, MAX_JPEG_PIXELS, MAX_MEGABYTES, MAX_PIXELS
from catsdogs.widgets.assets import common_texts

MAX_DROPPED = 100
"""Largest number of photos that are taken from dropped folders at once."""
PHOTO_LIMITS = {
    "bytes": MAX_BYTES,
    "files": MAX_DROPPED,
    "pixels": MAX_PIXELS,
    "jpeg_pixels": MAX_JPEG_PIXELS,
}
"""Limits of photos for the browser, which decodes no larger ones: ``jpeg_pixels`` is that of a JPEG with one scan."""


def header_texts(_: Translator, title: str, sentence: str) -> dict[str, str]:
    """Return the texts of the header of an app's page."""
    return {"title": title, "sentence": sentence, "language": _("Language")}


def app_title(_: Translator) -> tuple[str, str]:
    """Return the title of the prediction app, and the sentence below it."""
    return _("Cat or dog?"), _("Choose a photo, and the model says what it sees.")


def photo_texts(_: Translator) -> dict[str, str]:
    """Return the texts of the photo input."""
    return common_texts(_) | {
        "choose": _("Choose a photo"),
        "take": _("Take a photo"),
        "or_drop": _("or drop it here, or paste it"),
        "hint": _("JPEG, PNG, WebP, HEIC, AVIF, GIF, BMP or TIFF"),
        "another": _("Choose another photo"),
        "enlarge": _("Enlarge"),
        "close": _("Close"),
        "sending": _("Your photo is being sent…"),
        "predicting": _("Looking at your photo…"),
        "cancel": _("Cancel"),
        "cancelled": _("Cancelled."),
        "done": _("Done."),
        "no_preview": _("Your browser cannot show this picture."),
        "photos": _("Photos of this visit"),
        "waiting": _("Photos that wait: {n}"),
        "waits_for_page": _("Your photo waits: the page is still loading…"),
        "waits_for_server": _("Your photo waits: the server cannot be reached…"),
        "session_lost": _("This session has ended. Reload the page, then choose the photo again."),
        "unanswered": _("No answer came for {name}: choose it again."),
        "restored": _("Your visit goes on where it was."),
        "its_receipt": _("keep its receipt code, which cannot be shown again:"),
        "start_over": _("Start over"),
        "start_over_question": _(
            "A receipt is not saved yet. "
            "Without its code, nobody can see or erase what is kept. Start over all the same?"
        ),
        "start_over_no": _("No, go back"),
        "samples": _("No photo at hand? Try one of ours:"),
        "cat": _("Cat"),
        "dog": _("Dog"),
        "neither": _("Neither"),
        "both": _("Both?"),
        "unsure": _("Unsure"),
        "map": _("What the model looked at"),
        "for_cat": _("suggests a cat"),
        "for_dog": _("suggests a dog"),
        "frame": _("The model uses only what is inside the frame."),
        "no_photo_in_folder": _("There is no photo in this folder."),
        "too_many": _("This folder has many photos: the first {n} were taken.", n=MAX_DROPPED),
        "link": _("Only a link arrived, not the picture. Save the picture on your device first, then choose it here."),
        "empty": _("This file is empty. Choose another photo."),
        "not_photo": _(
            "This is not a picture that can be read. Choose a JPEG, PNG, WebP, HEIC, AVIF, GIF, BMP or TIFF file."
        ),
        "too_large": _("This file is too large: at most {megabytes} MB.", megabytes=MAX_MEGABYTES),
        "unreadable": _("This file cannot be read. Choose it again, or another one."),
    }
