"""The pages without a kernel, their heads, and the addresses around them."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from html.parser import HTMLParser
from urllib.robotparser import RobotFileParser

import pytest
from PIL import Image

from catsdogs.server.api import openapi
from catsdogs.server.pages import ROUTES
from catsdogs.server.voila.apps import APPS
from tests.server.client import Client, OpenPage

OpenPages = Callable[..., OpenPage]

PAGES = ["/", "/info", "/privacy", "/docs"]


class Head(HTMLParser):
    """The title, ``meta`` and ``link`` elements of a page, and the links in its ``noscript`` element."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.title = ""
        self.language: str | None = None
        self.meta: dict[str, str] = {}
        self.links: dict[str, list[dict[str, str | None]]] = {}
        self.without_script: list[str] = []
        self._open: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self._open.append(tag)
        if tag == "html":
            self.language = found["lang"]
        elif tag == "meta" and (name := found.get("name") or found.get("property")):
            self.meta[name] = found["content"] or ""
        elif tag == "link":
            self.links.setdefault(found["rel"] or "", []).append(found)
        elif tag == "a" and "noscript" in self._open:
            self.without_script.append(found["href"] or "")

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] == "title":
            self.title += data


def head_of(client: Client, path: str, **headers: str) -> Head:
    return Head(client("GET", path, token=None, headers=headers).data.decode())


@pytest.mark.parametrize("path", [*(path for path in ROUTES if path != "/"), "/docs", *(app.path for app in APPS)])
def test_a_slash_behind_the_address_of_a_page_leads_to_the_page(client: Client, path: str) -> None:
    for method in ("GET", "HEAD"):
        answer = client(method, f"{path}/?lang=fr&window=7d", token=None)
        assert (answer.status, answer.headers["Location"]) == (301, f"..{path}?lang=fr&window=7d")
    assert client("POST", f"{path}/", token=None).status in {403, 405}


@pytest.mark.parametrize("path", ["//info/", "/info//", "/INFO/", "/nothing/", "//", "//evil.example/", "/static/"])
def test_no_other_address_leads_to_a_page(client: Client, path: str) -> None:
    assert client("GET", path, token=None).status == 404


def test_robots_are_asked_to_read_only_the_pages_without_a_kernel(client: Client) -> None:
    rules = RobotFileParser()
    rules.parse(client("GET", "/robots.txt", token=None).data.decode().splitlines())
    others = {*openapi.ROUTES, *ROUTES, *(app.path for app in APPS), "/session/x", "/voila/render/predict.ipynb"}
    for path in PAGES:
        assert rules.can_fetch("Robot", path), path
    for path in others - set(PAGES):
        assert not rules.can_fetch("Robot", path), path


def test_the_manifest_names_a_page_and_icons_that_exist(client: Client) -> None:
    manifest = client("GET", "/manifest.json", token=None).json()
    assert f"/{manifest['start_url']}" in {app.path for app in APPS}
    for icon in manifest["icons"]:
        answer = client("GET", f"/{icon['src']}", token=None)
        assert (answer.status, answer.headers["Content-Type"]) == (200, icon["type"])
    assert b'rel="manifest" href="/manifest.json"' in client("GET", "/", token=None).data


@pytest.mark.parametrize("path", PAGES)
def test_the_head_of_a_page_describes_it_in_the_readers_language(client: Client, path: str) -> None:
    english, french = (head_of(client, path, **{"Accept-Language": code}) for code in ("en", "fr"))
    for head, locale in ((english, "en_GB"), (french, "fr_FR")):
        assert head.title == f"{head.meta['og:title']} · catsdogs"
        assert 40 < len(head.meta["description"]) < 160
        assert head.meta["og:description"] == head.meta["description"]
        assert head.meta["og:locale"] == locale
        assert "robots" not in head.meta
    assert english.meta["description"] != french.meta["description"]


def test_the_head_of_a_page_names_its_addresses_and_a_picture(client: Client) -> None:
    origin = client.server.url
    head = head_of(client, "/info?lang=fr&utm=1")
    assert head.meta["og:url"] == f"{origin}/info?lang=fr"
    assert [link["href"] for link in head.links["canonical"]] == [f"{origin}/info?lang=fr"]
    assert {link["hreflang"]: link["href"] for link in head.links["alternate"]} == {
        "en": f"{origin}/info?lang=en",
        "fr": f"{origin}/info?lang=fr",
        "x-default": f"{origin}/info",
    }
    assert head.meta["og:image"].startswith(origin)
    picture = client("GET", head.meta["og:image"].removeprefix(origin), token=None)
    assert Image.open(io.BytesIO(picture.data)).size == (512, 512)


def test_a_host_that_is_no_host_gets_into_no_page_and_no_shared_cache(client: Client) -> None:
    for host in ("evil.example;'()", "a$b"):
        answer = client("GET", "/", token=None, headers={"Host": host})
        assert (answer.status, host in answer.data.decode()) == (200, False)
        assert "og:image" not in Head(answer.data.decode()).meta
    for path in (*PAGES, "/login", "/nothing"):
        cache_control = client("GET", path, token=None).headers["Cache-Control"]
        assert "private" in cache_control or "no-store" in cache_control


@pytest.mark.parametrize(
    ("rel", "sizes"), [("icon", {(16, 16), (32, 32), (48, 48)}), ("apple-touch-icon", {(180, 180)})]
)
def test_each_icon_can_be_loaded(client: Client, rel: str, sizes: set[tuple[int, int]]) -> None:
    address = head_of(client, "/").links[rel][0]["href"]
    assert address
    icon = Image.open(io.BytesIO(client("GET", address, token=None).data))
    assert set(icon.info.get("sizes", [icon.size])) == sizes


@pytest.mark.parametrize(("language", "title"), [("en", "Cat or dog? · catsdogs"), ("fr", "Chat ou chien")])
def test_the_page_of_an_app_has_the_same_head_and_leads_to_what_works_without_scripts(
    client: Client, open_page: OpenPages, language: str, title: str
) -> None:
    head = Head(open_page(f"/inference?lang={language}").html)
    assert head.title.startswith(title)
    assert head.language == language
    assert head.meta["og:url"] == f"{client.server.url}/inference?lang={language}"
    assert head.meta["og:image"].startswith(client.server.url)
    assert head.meta["robots"] == "noindex"
    assert len(head.meta["description"]) > 40
    assert head.links["apple-touch-icon"]
    assert head.without_script == [f"{path}?lang={language}" for path in PAGES]
    for path in head.without_script:
        assert client("GET", path, token=None).status == 200


def test_pages_that_nobody_searches_for_are_not_indexed(client: Client) -> None:
    for path in ("/login", "/nothing"):
        head = head_of(client, path)
        assert head.meta["robots"] == "noindex"
        assert "og:title" not in head.meta
    assert head.title == "There is nothing here. · catsdogs"


def test_the_reference_of_the_api_is_marked_as_english(client: Client) -> None:
    english, french = (client("GET", f"/docs?lang={code}", token=None).data.decode() for code in ("en", "fr"))
    assert "Cette référence est en anglais." in french
    before, _, reference = french.partition('<div lang="en">')
    assert "<h1>API REST</h1>" in before
    assert "Schemas" not in before
    assert "Schemas" in reference
    assert "in English" not in english


@pytest.mark.parametrize("path", [*PAGES, "/login", "/nothing"])
def test_links_are_named_for_what_they_open(client: Client, path: str) -> None:
    html = client("GET", path, token=None).data.decode()
    names = [re.sub("<[^>]+>", "", link).strip() for link in re.findall(r"<a\b[^>]*>(.*?)</a>", html, re.DOTALL)]
    assert len(names) > 5
    assert [name for name in names if not re.search("[A-Za-z]{2}", name)] == []


def test_the_privacy_notice_is_a_page_of_its_own(client: Client) -> None:
    french = client("GET", "/privacy?lang=fr", token=None).data.decode()
    assert "Responsable de vos données" in french
    assert "CNIL" in french
    assert '<a href="/privacy?lang=fr">Vie privée</a>' in client("GET", "/?lang=fr", token=None).data.decode()
