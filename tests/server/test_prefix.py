"""The server under a prefix: every address that it writes begins with it, and leads to something."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from urllib.parse import urljoin, urlsplit

import pytest

from catsdogs.server.urls import PREFIX_HEADER
from tests.server.client import Client
from tests.serving import Launch, RunningServer

PREFIX = "/pets"
SITE = "https://school.example"
PAGES = ("/", "/info", "/privacy", "/docs", "/login", "/nothing/at/all", "/inference")


@pytest.fixture(scope="module")
def prefixed(launch: Launch) -> Client:
    """A client of a server that is set up for a prefix."""
    return Client(launch(CATSDOGS_BASE_URL=f"{PREFIX}/", CATSDOGS_FRAME_ANCESTORS=SITE, CATSDOGS_MAX_SESSIONS="1"))


@pytest.fixture(autouse=True)
def closed_pages(prefixed: Client) -> Iterator[None]:
    """Close the page of the app after the test: there is one session slot."""
    yield
    for kernel_id in opened:
        prefixed("POST", f"{PREFIX}/voila/api/shutdown/{kernel_id}", token=None)
    opened.clear()


opened: list[str] = []


def html_of(client: Client, path: str, **headers: str) -> str:
    html = client("GET", path, token=None, headers=headers).data.decode()
    opened.extend(re.findall('data-kernel="(.*?)"', html))
    return html


def paths_in(html: str, page: str) -> set[str]:
    """Return the paths of this server in a page: links, scripts, styles and pictures."""
    found = re.findall(r'(?:href|src|content|data-scripts)="((?:/|\?|https?:)[^"]*)"', html)
    samples = re.findall(r'"(?:address|small)": "([^"]+)"', html)
    return {urlsplit(urljoin(page, address)).path for address in [*found, *samples]}


@pytest.mark.parametrize("page", PAGES)
def test_the_addresses_in_a_page_begin_with_the_prefix_and_exist(prefixed: Client, page: str) -> None:
    paths = paths_in(html_of(prefixed, PREFIX + page), PREFIX + page)
    assert len(paths) > 5
    for path in paths - {PREFIX + page}:
        assert path.startswith(f"{PREFIX}/"), path
        assert prefixed("HEAD", path, token=None).status in {200, 302, 503}, path


def test_a_proxy_may_take_the_prefix_away(prefixed: Client) -> None:
    assert html_of(prefixed, f"{PREFIX}/info") == html_of(prefixed, "/info")
    assert prefixed("GET", f"{PREFIX}/api/info").json() == prefixed("GET", "/api/info").json()
    assert prefixed("GET", PREFIX, token=None).status == 200
    assert prefixed("GET", f"{PREFIX}info", token=None).status == 404


def test_a_trusted_proxy_may_name_the_prefix(behind_proxy: RunningServer, server: RunningServer) -> None:
    for one, expected in ((behind_proxy, "/cats"), (server, "")):
        html = html_of(Client(one), "/info", **{PREFIX_HEADER: "/cats"})
        assert f'href="{expected}/privacy"' in html


def test_redirects_and_cookies_stay_under_the_prefix(prefixed: Client) -> None:
    def follow(path: str) -> str:
        return urljoin(PREFIX + path, prefixed("GET", PREFIX + path, token=None).headers["Location"])

    assert follow("/monitoring?window=7d") == f"{PREFIX}/login?window=7d"
    assert follow("/info/?lang=fr") == f"{PREFIX}/info?lang=fr"
    assert follow("/logout") == f"{PREFIX}/"
    form = prefixed("GET", f"{PREFIX}/login", token=None)
    assert f"Path={PREFIX}/;" in form.headers["Set-Cookie"]
    signed_in = prefixed.post_password(prefixed.server.operator_password, prefixed.xsrf())
    assert signed_in.status == 303
    assert f"Path={PREFIX}/;" in signed_in.headers["Set-Cookie"]


def test_descriptions_for_programs_name_the_prefix(prefixed: Client) -> None:
    assert prefixed("GET", f"{PREFIX}/openapi.json").json()["servers"][0]["url"] == PREFIX
    assert f"{prefixed.server.url}{PREFIX}/api/predict" in html_of(prefixed, f"{PREFIX}/docs")
    robots = prefixed("GET", f"{PREFIX}/robots.txt", token=None).data.decode()
    assert f"Disallow: {PREFIX}/inference\n" in robots
    assert "Disallow: /inference" not in robots
    manifest = json.loads(prefixed("GET", f"{PREFIX}/manifest.json", token=None).data)
    assert urljoin(f"{PREFIX}/manifest.json", manifest["start_url"]) == f"{PREFIX}/inference"


def test_the_page_when_all_sessions_are_in_use_is_one_of_the_app(prefixed: Client) -> None:
    assert "data-kernel" in html_of(prefixed, f"{PREFIX}/inference")
    full = prefixed("GET", f"{PREFIX}/inference", token=None)
    assert full.status == 503
    assert f'href="{PREFIX}/inference"' in full.data.decode()
    assert f'src="{PREFIX}/static/retry.js' in full.data.decode()
    assert full.headers["Content-Security-Policy"].endswith(f"frame-ancestors {SITE}")


def test_only_the_prediction_app_may_be_shown_in_a_frame(prefixed: Client) -> None:
    for path in (*PAGES, "/monitoring", "/api/info", "/health"):
        headers = prefixed("GET", PREFIX + path, token=None).headers
        allowed = SITE if path == "/inference" else "'none'"
        assert headers["Content-Security-Policy"].endswith(f"frame-ancestors {allowed}"), path
        assert headers.get("X-Frame-Options") == (None if path == "/inference" else "DENY"), path
    signed_in = prefixed("GET", "/monitoring", token=None, headers=prefixed.sign_in())
    assert signed_in.status == 200
    assert signed_in.headers["Content-Security-Policy"].endswith("frame-ancestors 'none'")


def test_the_app_works_in_no_frame_by_default(client: Client) -> None:
    headers = client("HEAD", "/inference", token=None).headers
    assert headers["Content-Security-Policy"].endswith("frame-ancestors 'none'")
    assert headers["X-Frame-Options"] == "DENY"
