"""The record of processing activities that Article 30 GDPR asks of the data controller."""

from __future__ import annotations

from catsdogs.domain import DataController
from catsdogs.i18n import N_, Translator
from catsdogs.records import consent_notice
from catsdogs.records.consent_notice import kept

_WHY_AND_WHO = (
    (
        N_("Purposes and legal basis"),
        (
            N_("Find out whether a photo shows a cat or a dog: at the person's request, the photo is not kept."),
            N_("Statistics on a service that works: legitimate interest, Article 6(1)(f) GDPR."),
            N_("Understand what went wrong, from file name and comment: consent, Article 6(1)(a) GDPR."),
            N_(
                "Train the model, with a small copy of the photo that the operator reviews first: "
                "consent, Article 6(1)(a) GDPR."
            ),
        ),
    ),
    (N_("People concerned"), (N_("Visitors who send a photo, and whoever is seen or named in it."),)),
)
_SECURITY = (
    N_("The database itself refuses a file name, a comment or a photo without consent (CHECK and foreign keys)."),
    N_("Records that wait for the database are in a private folder (mode 700), under the same rules."),
    N_("Bearer tokens and an operator's password, with limited tries; kernels hold no credentials."),
    N_("Receipt codes of 140 random bits, stored as hashes alone; no personal data in logs."),
    N_("Export, withdrawal and erasure by receipt code reach tables, photos and spool at once."),
    N_("A training holds photos in memory only; the next one does not use what was erased or withdrawn."),
)


def write_register(_: Translator, controller: DataController) -> str:
    """Write the record of processing activities as Markdown."""
    retention = _.plural(
        "Personal fields: {n} day from the person's latest decision, then purged.",
        "Personal fields: {n} days from the person's latest decision, then purged.",
        controller.retention_days,
    )
    named = [
        _(N_("Name: {name}"), name=controller.name or _(N_("(not set: CATSDOGS_CONTROLLER)"))),
        _(N_("Contact: {contact}"), contact=controller.contact or _(N_("(not set: CATSDOGS_CONTACT)"))),
    ]
    data = [
        _(N_("Without consent, anonymous: {kept}."), kept=kept(_, consent_notice.ALWAYS_KEPT)),
        _(N_("With consent: {kept}."), kept=kept(_, consent_notice.KEPT_WITH_CONSENT)),
        _(N_("Proof of consent: {kept}."), kept=kept(_, consent_notice.KEPT_AS_PROOF)),
        _(N_("Not kept: IP addresses, EXIF data, accounts.")),
    ]
    sections = [
        (_(N_("Controller")), named),
        *((_(title), [_(item) for item in items]) for title, items in _WHY_AND_WHO),
        (_(N_("Kinds of data")), data),
        (
            _(N_("Recipients")),
            [_(N_("Only the operator of this service. No processor, no transfer to a third country."))],
        ),
        (_(N_("Retention")), [retention, _(N_("Anonymous figures: as long as the service runs."))]),
        (_(N_("Security measures")), [_(item) for item in _SECURITY]),
        (
            _(N_("Consent text")),
            [_(N_("Version {version}; print it with `catsdogs privacy notice`."), version=consent_notice.VERSION)],
        ),
    ]
    title = _(N_("Record of processing activities (Article 30 GDPR)"))
    return "\n\n".join(
        [f"# {title}", *(f"## {heading}\n\n" + "\n".join(f"- {item}" for item in items) for heading, items in sections)]
    )
