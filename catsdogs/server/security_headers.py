"""Headers of all responses by which browsers protect people: Content-Security-Policy, frames, and others."""

from __future__ import annotations

from tornado.httputil import HTTPHeaders
from tornado.web import OutputTransform

NOBODY = "'none'"
"""Sources of a Content-Security-Policy that allow nothing."""


def page_policy(frame_ancestors: str = NOBODY) -> str:
    """Return the ``Content-Security-Policy`` of a page without a kernel, which these sites may show in a frame."""
    return (
        "default-src 'self'; base-uri 'none'; object-src 'none'; form-action 'self'; "
        f"frame-ancestors {frame_ancestors or NOBODY}"
    )


def app_policy(frame_ancestors: str = NOBODY) -> str:
    """Return the ``Content-Security-Policy`` of a page that Voilà renders, which these sites may show in a frame.

    The page has an inline script, Voilà adds others while a notebook runs for long, and anywidget imports modules from
    blob: addresses: that is what the looser sources are for.
    """
    return (
        "default-src 'self'; script-src 'self' 'unsafe-inline' blob:; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; "
        f"base-uri 'none'; object-src 'none'; form-action 'self'; frame-ancestors {frame_ancestors or NOBODY}"
    )


SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": page_policy(),
}
"""Headers of every response, unless the handler has set its own."""


class SecurityHeaders(OutputTransform):
    """Adds `SECURITY_HEADERS` to every response, also of static files and of Jupyter's own handlers."""

    def transform_first_chunk(
        self,
        status_code: int,
        headers: HTTPHeaders,
        chunk: bytes,
        finishing: bool,  # noqa: ARG002
    ) -> tuple[int, HTTPHeaders, bytes]:
        """Add the headers that the handler has not set; remove ``Server``."""
        for name, value in SECURITY_HEADERS.items():
            if name not in headers:
                headers[name] = value
        if headers["Content-Security-Policy"].endswith(f"frame-ancestors {NOBODY}"):
            headers["X-Frame-Options"] = "DENY"  # for old browsers; it cannot name sites
        del headers["Server"]
        return status_code, headers, chunk
