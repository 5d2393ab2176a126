"""The texts of the privacy notice and of the consent form: the only place where they are written.

This module imports no database driver, because a visitor's kernel, which has none, shows these texts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from catsdogs.domain import DataController, PurposeName
from catsdogs.i18n import N_, Translator

VERSION = "5"
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
        _(STATISTICS, kept=kept(_, ALWAYS_KEPT)),
        _(WITH_CONSENT, kept=kept(_, KEPT_WITH_CONSENT)),
        _(PROOF, kept=kept(_, KEPT_AS_PROOF)),
        _.plural(
            "What is kept with your consent is erased {n} day after your latest decision; the anonymous figures stay.",
            "What is kept with your consent is erased {n} days after your latest decision; the anonymous figures stay.",
            controller.retention_days,
        ),
        _(RECEIPT),
        _(COMPLAINT),
    ]


UPLOAD = N_(
    "Before it leaves, your browser removes place, date and camera from the photo, and scales a large one down. "
    "Only a TIFF, a GIF or a damaged file may go up as it is; nothing of that is kept either."
)
WITHOUT_CONSENT = N_("Without a tick, the photo is forgotten when you close the page, and its name is not kept.")
STATISTICS = N_(
    "For statistics we always keep, without knowing who you are: {kept}. No IP address. We need them to run a service "
    "that works (legitimate interest, Article 6(1)(f) GDPR)."
)
ALWAYS_KEPT = {
    N_("the time of the answer, and of its storage"): ("timestamp", "created_at"),
    N_("the answer, its probabilities, and the score for “neither”"): (
        *("prediction_result", "proba_cat", "proba_dog", "neither_score"),
    ),
    N_("the version of the model, and how long it took to answer"): ("model_version", "inference_time_ms"),
    N_("whether the photo could be read, and if not, the kind of error"): ("success", "error_type"),
    N_("width, height, brightness and sharpness of the photo"): ("width", "height", "brightness", "sharpness"),
    N_("the rating (right or wrong), what the photo is said to show (the label), and the time of this feedback"): (
        *("user_feedback", "true_label", "feedback_at"),
    ),
    N_("a random number that stands for the answer, and whether there was consent to the file's name"): (
        *("id", "rgpd_consent"),
    ),
}
"""What is kept of every prediction, in words, with the columns of the table of predictions that hold it.

A column without words fails a test: nothing is kept that the notice does not say.
"""
WITH_CONSENT = N_(
    "Only with your consent (Article 6(1)(a) GDPR), each for the purpose beside its box, we keep: {kept}. We pass it "
    "on to nobody."
)
KEPT_WITH_CONSENT = {
    N_("the file's name, and the comment"): ("filename", "user_comment"),
    N_(
        "a small copy of the photo (at most 512 pixels, without metadata), its width and height, and when it was stored"
    ): (*("photos.jpeg", "photos.width", "photos.height", "photos.created_at"),),
    N_("how a person judged that copy for the training, and when"): ("photos.review", "photos.reviewed_at"),
}
"""What is kept with consent, in words, with its columns of the table of predictions, or of another that is named."""
PROOF = N_("To prove your decision (Article 7(1) GDPR), we keep with it: {kept}.")
KEPT_AS_PROOF = {
    N_("each purpose, and whether it was agreed to"): (
        *("consents.filename_and_comment", "consents.photo", "photos.photo_consent"),
    ),
    N_("the time of the decision, and of its withdrawal"): ("consents.decided_at", "consents.withdrawn_at"),
    N_("version, fingerprint (SHA-256) and language of the text that was shown"): (
        *("consents.text_version", "consents.text_hash", "consents.language"),
    ),
    N_("whether it came from the app, from another program, or from a command"): ("consents.how",),
    N_("the fingerprint of the receipt code, but not the code"): ("consents.receipt_hash",),
    N_("a random number that stands for the decision"): (
        *("consents.id", "consent_id", "photos.consent_id", "photos.prediction_id"),
    ),
}
"""What is kept to prove a consent, in words, with its columns."""


def kept(_: Translator, data: Mapping[str, object]) -> str:
    """Return what is kept, in words, as one list."""
    return _(N_("; ")).join(_(words) for words in data)


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
