"""The sentences about problems of the service: what is wrong, and what to do. Needs no database."""

from __future__ import annotations

import socket

from catsdogs.domain import ServiceProblem
from catsdogs.i18n import N_, Translator

_TITLES = {
    ServiceProblem.DATABASE: N_("The database is away or slow"),
    ServiceProblem.SPOOL: N_("The disk space for waiting records is almost used up"),
    ServiceProblem.SET_ASIDE: N_("Some records could not be stored"),
    ServiceProblem.DISK: N_("The disk is almost full, slow, or cannot be written"),
    ServiceProblem.MODEL: N_("The promoted model cannot be loaded"),
    ServiceProblem.RULES: N_("The alert rules have a mistake"),
}
_SENTENCES = {
    ServiceProblem.DATABASE: N_(
        "The database cannot be reached or written, or is slow: new records wait on disk. Check PostgreSQL and its log."
    ),
    ServiceProblem.SPOOL: N_(
        "The disk space for records that wait for the database (CATSDOGS_SPOOL_MEGABYTES) is almost used up: photos "
        "will soon be answered, but not recorded. Check that PostgreSQL runs."
    ),
    ServiceProblem.SET_ASIDE: N_(
        "Some records could not be stored, and were set aside. The log says why; when the cause is mended, have them "
        "stored: catsdogs db requeue."
    ),
    ServiceProblem.DISK: N_(
        "The disk of the data folder is almost full, slow, or cannot be written: soon photos will be answered, but not "
        "recorded. Make room on it."
    ),
    ServiceProblem.MODEL: N_("The promoted model cannot be loaded: an earlier version answers. The log says why."),
    ServiceProblem.RULES: N_(
        "The file of alert rules has a mistake: its last valid rules stay in force. The log names the mistake."
    ),
}


def sentence(found: ServiceProblem, _: Translator) -> str:
    """Return a sentence on a problem of the service, and what to do."""
    return _(_SENTENCES[found])


def message(found: ServiceProblem, _: Translator, *, is_over: bool) -> tuple[str, str]:
    """Return the title and the text of the message that a problem of the service began, or is over."""
    host, name = _("Host: {host}.", host=socket.gethostname()), _(_TITLES[found])
    if is_over:
        over = _("The problem of the service is over.")
        return _("catsdogs: Resolved: {problem}", problem=name), f"{over}\n{host}"
    return _("catsdogs: Alert: {problem}", problem=name), f"{sentence(found, _)}\n{host}"
