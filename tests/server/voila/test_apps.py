"""The pages of the apps."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.server.client import Client, OpenPage
from tests.waiting import until

OpenPages = Callable[..., OpenPage]
HOSTILE = '"></script><script>alert(1)</script>'


@pytest.mark.parametrize("name", ["theme", "template"])
def test_a_visitor_cannot_choose_a_theme_or_template(open_page: OpenPages, name: str) -> None:
    usual = open_page().html
    for value in (HOSTILE, "dark", "reveal", "python", "latex", "nope"):
        page = open_page(f"/inference?{name}={value}").html
        assert "alert(1)" not in page
        assert abs(len(page) - len(usual)) < 500
        assert page.rstrip().endswith("</html>")


def test_the_page_is_in_the_visitors_language(open_page: OpenPages) -> None:
    assert '<html lang="fr">' in open_page(headers={"Accept-Language": "fr"}).html
    assert '<html lang="en">' in open_page("/inference?lang=en", headers={"Accept-Language": "fr"}).html


def test_a_page_that_is_left_while_it_loads_has_its_kernel_stopped(client: Client) -> None:
    before = client.count_sessions()
    answer = client("GET", "/inference", token=None, preload_content=False)
    assert answer.read(100)
    assert answer.connection
    answer.connection.close()
    until(lambda: client.count_sessions() <= before, "the kernel outlives its page")


def test_pages_load_nothing_from_other_sites(open_page: OpenPages, client: Client) -> None:
    for page in (
        open_page().html,
        client("GET", "/", token=None).data.decode(),
        client("GET", "/info", token=None).data.decode(),
    ):
        assert "https://" not in page.replace("http://www.w3.org", "")
