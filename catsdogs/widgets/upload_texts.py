"""The invitation to bring a photo: what its widgets begin with in a kernel, and our server's page before there is one.

It loads nothing heavy, not even ipywidgets: the server's process imports it.
"""

from __future__ import annotations

from catsdogs.i18n import Translator
from catsdogs.widgets.assets import common_texts

PHOTO_SCRIPTS = (
    "preloaded",
    "photo_file",
    "photo_sources",
    "activation_map",
    "sample_list",
    "photo_list",
    "photo_input",
)

MAX_UPLOAD_BYTES = 10_000_000
"""Largest photo that goes up as it is: with its envelope it fits into one websocket message (10 MiB)."""


def header_texts(_: Translator, title: str, sentence: str) -> dict[str, str]:
    """Say what the head of an app's page says."""
    return {"title": title, "sentence": sentence, "language": _("Language")}


def app_title(_: Translator) -> tuple[str, str]:
    """Say what the prediction app is, and what to do."""
    return _("Cat or dog?"), _("Bring a photo: the answer is there in the blink of an eye.")


def photo_texts(_: Translator) -> dict[str, str]:
    """Say everything that is said where a photo is brought."""
    return common_texts(_) | {
        "choose": _("Choose a photo"),
        "or_drop": _("or drop it here, or paste it"),
        "hint": _("JPEG, PNG, WebP, GIF, BMP or TIFF"),
        "another": _("Choose another photo"),
        "looking": _("Looking at your photo…"),
        "cancel": _("Cancel"),
        "cancelled": _("Cancelled."),
        "done": _("Done."),
        "no_preview": _("Your browser cannot show this picture."),
        "visit": _("Photos of this visit"),
        "waiting": _("Photos that wait: {n}"),
        "samples": _("No photo at hand? Try one of ours:"),
        "cat": _("Cat"),
        "dog": _("Dog"),
        "neither": _("Neither"),
        "both": _("Both?"),
        "unsure": _("Unsure"),
        "map": _("What the model looked at"),
        "for_cat": _("speaks for a cat"),
        "for_dog": _("speaks for a dog"),
        "frame": _("The model sees what is within the frame."),
        "folder": _("This is a folder. Choose a photo in it."),
        "empty": _("This file is empty. Choose another photo."),
        "not_photo": _("This is not a photo. Choose a JPEG, PNG or WebP file."),
        "too_large": _("This file is too large: at most {megabytes} MB.", megabytes=MAX_UPLOAD_BYTES // 10**6),
        "unreadable": _("This file cannot be read. Choose it again, or another one."),
    }
