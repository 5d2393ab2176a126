"""What is known of the person before the page: the language their browser asks for."""

from __future__ import annotations

import os
from collections.abc import Mapping
from urllib.parse import parse_qs

from catsdogs.i18n import negotiate


def session_language(environment: Mapping[str, str] = os.environ) -> str:
    """Choose the language of this session.

    Voilà hands the request to the kernel in environment variables, named as in CGI (RFC 3875):
    ``QUERY_STRING``, and ``HTTP_ACCEPT_LANGUAGE`` where ``VoilaConfiguration.http_header_envs`` lists it.

    Returns
    -------
    str
        Of ``?lang=`` in the address, else of the browser, else ``CATSDOGS_LANG``, else English.
    """
    asked = parse_qs(environment.get("QUERY_STRING", "")).get("lang", [None])
    return negotiate(asked[0], environment.get("HTTP_ACCEPT_LANGUAGE"), environment.get("CATSDOGS_LANG"))
