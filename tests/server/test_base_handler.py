"""All responses: headers, language, and the access log."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.server.client import Client, OpenPage
from tests.serving import RunningServer

OpenPages = Callable[..., OpenPage]


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/inference",
        "/info",
        "/login",
        "/health",
        "/static/style.css",
        "/nothing",
        "/voila/static/voila.js",
    ],
)
def test_every_response_has_the_security_headers(client: Client, open_page: OpenPages, path: str) -> None:
    headers = (open_page() if path == "/inference" else client("GET", path, token=None)).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert "unsafe-eval" not in headers["Content-Security-Policy"]
    assert "Server" not in headers


def test_a_visitor_gets_no_cookie(client: Client, open_page: OpenPages) -> None:
    assert "Set-Cookie" not in open_page().headers
    for path in ("/", "/info", "/health"):
        assert "Set-Cookie" not in client("GET", path, token=None).headers


@pytest.mark.parametrize("path", ["/", "/nowhere", "/api/statistics"])
def test_a_language_that_is_not_utf_8_is_ignored(client: Client, path: str) -> None:
    answer = client("GET", f"{path}?lang=%ff", token=None, headers={"Accept-Language": "fr"})
    usual = client("GET", path, token=None, headers={"Accept-Language": "fr"})
    assert answer.status == usual.status
    assert b'<html lang="fr">' in answer.data or answer.data == usual.data


NOT_UTF_8 = [
    "Cookie",
    "Authorization",
    "User-Agent",
    "X-Forwarded-For",
    "X-Request-ID",
    "Accept-Language",
    "Referer",
    "Range",
]


@pytest.mark.parametrize("name", NOT_UTF_8)
def test_a_header_that_is_not_utf_8_is_no_error(behind_proxy: RunningServer, name: str) -> None:
    proxy = Client(behind_proxy)
    for path in (
        "/",
        "/login",
        "/monitoring",
        "/static/style.css",
        "/health",
        "/api/statistics",
        "/nowhere",
        "/session/a-b-c-d-e",
    ):
        for value in ("\xff\xfe", "catsdogs_operator=\xff; _xsrf=2|\xff", "Bearer \xff"):
            answer = proxy("GET", path, token=None, headers={name: value.encode("latin-1")})
            assert answer.status < 500, path
    assert behind_proxy.traceback == ""


def test_an_app_in_a_language_that_is_not_utf_8_is_in_the_browsers_language(open_page: OpenPages) -> None:
    assert '<html lang="fr">' in open_page("/inference?lang=%ff", headers={"Accept-Language": "fr"}).html


def test_each_request_has_an_identifier_that_a_proxy_may_set(
    behind_proxy: RunningServer, server: RunningServer, client: Client
) -> None:
    proxy = Client(behind_proxy)
    named = {"X-Request-ID": "0123456789abcdef"}
    assert proxy("GET", "/health", headers=named).headers["X-Request-ID"] == "0123456789abcdef"
    hostile = {"X-Request-ID": "jane doe"}
    assert proxy("GET", "/health", headers=hostile).headers["X-Request-ID"] != "jane doe"
    answers = [client("GET", path, headers=named) for path in ("/health", "/", "/nothing", "/api/nothing")]
    identifiers = {answer.headers["X-Request-ID"] for answer in answers}
    assert len(identifiers) == 4
    assert "0123456789abcdef" not in identifiers
    assert "GET /health 200" in server.log.read_text()
    assert answers[0].headers["X-Request-ID"] in server.log.read_text()


def test_the_log_has_no_personal_data(
    server: RunningServer, client: Client, open_page: OpenPages, cat_jpeg: bytes
) -> None:
    client("GET", "/?lang=en&email=jane@example.org", token=None, headers={"X-Forwarded-For": "203.0.113.9"})
    client("GET", "/jane@example.org", token=None)
    client("POST", "/api/predict", fields={"file": ("jane-doe.jpg", cat_jpeg, "image/jpeg"), "rgpd_consent": "true"})
    client("POST", "/api/predict", fields={"file": ("jane-doe.jpg", b"no photo", "image/jpeg")})
    client("GET", "/voila/static/..%2fjane", token=None)
    client("GET", "/static/%00jane", token=None)
    page = open_page("/inference?name=jane")
    log = server.log.read_text()
    assert "POST /api/predict 200" in log
    for private in ("jane", "203.0.113.9", "127.0.0.1 ", page.kernel_id, server.api_token, page.token):
        assert private not in log.replace(f"ready: {server.url}", "")
