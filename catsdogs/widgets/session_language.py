"""The language of a session, from the request that started it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from urllib.parse import parse_qs

from catsdogs.i18n import negotiate


def session_language(environment: Mapping[str, str] = os.environ) -> str:
    """Choose the language of this session.

    Voilà passes the request to the kernel in environment variables, named as in CGI (RFC 3875):
    ``QUERY_STRING``, and ``HTTP_ACCEPT_LANGUAGE`` where ``VoilaConfiguration.http_header_envs`` lists it.

    Returns
    -------
    str
        Language of ``?lang=`` in the address, else the browser's, else that of ``CATSDOGS_LANG``, else English.
    """
    chosen = parse_qs(environment.get("QUERY_STRING", "")).get("lang", [None])
    return negotiate(chosen[0], environment.get("HTTP_ACCEPT_LANGUAGE"), environment.get("CATSDOGS_LANG"))
