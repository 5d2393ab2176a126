"""Both apps under a prefix, behind nginx and behind jupyter-server-proxy; and in a frame of another site."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, Request, expect

from tests.browser.app import READY, choose, wait_for_answer, wait_for_kernel
from tests.jupyter_proxy import PASSWORD, TOKEN, USER, behind_jupyter, needs_jupyter_proxy
from tests.nginx import needs_nginx, nginx
from tests.serving import Launch, RunningServer, free_port
from tests.waiting import until

pytestmark = pytest.mark.browser

README = Path(__file__).parents[2] / "README.md"


@dataclass
class Proxied:
    """A server as a browser sees it."""

    password: str
    """That of its operator."""
    address: str
    """Its address behind the proxy."""

    @property
    def prefix(self) -> str:
        return urlsplit(self.address).path


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of another site, whose page ``?ADDRESS`` shows an address in a frame."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "index.html").write_text(
        "<!DOCTYPE html><iframe style='width: 100%; height: 800px'></iframe>"
        "<script>document.querySelector('iframe').src = decodeURIComponent(location.search.slice(1))</script>"
    )
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(QuietHandler, directory=str(folder)))
    threading.Thread(target=server.serve_forever).start()
    yield f"http://localhost:{server.server_port}"
    server.shutdown()
    server.server_close()


class QuietHandler(SimpleHTTPRequestHandler):
    """Serves files, and logs nothing."""

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def trusting(launch: Launch) -> RunningServer:
    """A server that takes its prefix from its proxy."""
    return launch(CATSDOGS_BEHIND_PROXY="true")


@pytest.fixture(scope="module")
def jupyter() -> Iterator[str]:
    """The address of Jupyter Server with jupyter-server-proxy."""
    with behind_jupyter() as address:
        yield address


@pytest.fixture(scope="module")
def configured(launch: Launch, site: str) -> RunningServer:
    """A server that is set up for its prefix, and for another site that may show its app in a frame."""
    port = free_port()
    return launch(
        PORT=str(port),
        CATSDOGS_BASE_URL=f"{USER}/proxy/absolute/{port}",
        CATSDOGS_FRAME_ANCESTORS=f"https://school.example {site}",
    )


@pytest.fixture(params=["nginx", "binder", "absolute"])
def proxied(request: pytest.FixtureRequest) -> Iterator[Proxied]:
    """A server behind nginx, the one that Binder starts, or one beside it that knows its whole address."""
    kind: str = request.param
    if kind == "nginx":
        server: RunningServer = request.getfixturevalue("trusting")
        [location] = re.findall(r"```nginx\n(.*?)```", README.read_text(), re.DOTALL)
        location = location.replace(
            "127.0.0.1:8866;", urlsplit(server.url).netloc + "/;\nproxy_set_header X-Forwarded-Prefix /pets;"
        )
        with nginx(f"server {{ listen 8080;\n{location} }}") as address:
            yield Proxied(server.operator_password, f"{address}/pets")
        return
    jupyter: str = request.getfixturevalue("jupyter")
    if kind == "binder":
        yield Proxied(PASSWORD, f"{jupyter}/catsdogs")
        return
    server = request.getfixturevalue("configured")
    yield Proxied(server.operator_password, f"{jupyter}/proxy/absolute/{urlsplit(server.url).port}")


@needs_nginx
@needs_jupyter_proxy
def test_both_apps_work_under_a_prefix(page: Page, proxied: Proxied, cat_jpeg: bytes) -> None:
    requested: list[Request] = []
    failed: list[str] = []
    page.on("request", lambda one: requested.append(one))  # noqa: PLW0108 (Playwright takes no method of C)
    page.on("response", lambda answer: failed.append(answer.url) if answer.status >= 400 else None)
    page.on("pageerror", lambda error: failed.append(str(error)))
    page.goto(f"{proxied.address}/?token={TOKEN}")
    page.get_by_role("link", name="Try a photo").click()
    expect(page.locator(".cd-drop")).to_be_visible(timeout=READY)
    wait_for_kernel(page)
    choose(page, cat_jpeg, "cat.jpg")
    wait_for_answer(page)
    expect(page.get_by_role("heading", level=2).first).to_have_text(re.compile("a cat"))
    kernel = page.locator("body").get_attribute("data-kernel")
    page.get_by_role("link", name="FR").or_(page.get_by_role("link", name="Français")).first.click()
    expect(page.locator("html")).to_have_attribute("lang", "fr")
    expect(page.locator("body")).not_to_have_attribute("data-kernel", kernel or "")
    wait_for_kernel(page)
    expect(page.get_by_role("link", name="Le modèle").first).to_have_attribute(
        "href", re.compile(f"^{proxied.prefix}/info")
    )

    page.goto(f"{proxied.address}/monitoring?window=30d")
    page.get_by_label("Password").fill(proxied.password)
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(f"{proxied.address}/monitoring?window=30d")
    expect(page.locator(".js-plotly-plot").first).to_be_visible(timeout=READY)
    page.get_by_role("link", name="Sign out").click()
    expect(page).to_have_url(f"{proxied.address}/")

    paths = {urlsplit(one.url).path for one in requested if one.url.startswith("http")}
    assert [path for path in paths if not path.startswith(f"{proxied.prefix}/")] == []
    assert failed == []
    cookies = [one for one in page.context.cookies() if one["name"].startswith("catsdogs")]
    assert {one["path"] for one in cookies} == {f"{proxied.prefix}/"}


def in_frame(page: Page, site: str, address: str) -> None:
    page.goto(f"{site}/index.html?{address}")


def test_a_site_that_is_listed_shows_the_prediction_app_in_a_frame(
    page: Page, configured: RunningServer, site: str, cat_jpeg: bytes
) -> None:
    """For the browser, "localhost" is another site than "127.0.0.1": it sends no cookies from the frame."""
    in_frame(page, site, f"{configured.url}/inference")
    frame = page.frame_locator("iframe")
    expect(frame.locator(".cd-drop")).to_be_visible(timeout=READY)
    expect(frame.locator("#preload")).to_have_count(0, timeout=READY)
    frame.locator("input[type=file]").set_input_files({"name": "c.jpg", "mimeType": "image/jpeg", "buffer": cat_jpeg})
    expect(frame.get_by_role("heading", level=2).first).to_have_text(re.compile("a cat"), timeout=READY)
    frame.get_by_role("button", name="Yes").click()
    until(lambda: bool(configured.query("SELECT 1 FROM predictions_feedback WHERE user_feedback = 1")))
    with page.context.expect_page() as opened:
        frame.get_by_role("link", name="Privacy").last.click()
    expect(opened.value.get_by_role("heading", level=1)).to_have_text("Privacy")
    assert page.context.cookies() == []


@pytest.mark.parametrize("path", ["/monitoring", "/login", "/", "/info"])
def test_no_other_page_is_shown_in_a_frame(page: Page, configured: RunningServer, site: str, path: str) -> None:
    with page.expect_console_message(lambda message: "frame" in message.text.lower()):
        in_frame(page, site, configured.url + path)


def test_a_site_that_is_not_listed_shows_nothing_in_a_frame(page: Page, configured: RunningServer, site: str) -> None:
    other = site.replace("localhost", "127.0.0.1")
    with page.expect_console_message(lambda message: "frame-ancestors" in message.text):
        in_frame(page, other, f"{configured.url}/inference")
