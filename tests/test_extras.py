from __future__ import annotations

import shlex
import sys
from typing import Any

import pytest

from catsdogs import extras


@pytest.mark.parametrize(
    ("origin", "requirement"),
    [
        pytest.param({}, "'catsdogs[train]'", id="from an index"),
        pytest.param(
            {"url": "file:///home/a%20b/catsdogs", "dir_info": {"editable": True}},
            "-e '/home/a b/catsdogs[train]'",
            id="a checkout, as make installs it",
        ),
        pytest.param({"url": "file:///tmp/catsdogs", "dir_info": {}}, "'/tmp/catsdogs[train]'", id="a checkout"),
        pytest.param(
            {"url": "file:///tmp/catsdogs-1.0-py3-none-any.whl", "archive_info": {}},
            "'/tmp/catsdogs-1.0-py3-none-any.whl[train]'",
            id="a wheel",
        ),
        pytest.param(
            {"url": "https://example.org/catsdogs-1.0-py3-none-any.whl", "archive_info": {}},
            "'catsdogs[train] @ https://example.org/catsdogs-1.0-py3-none-any.whl'",
            id="an address",
        ),
        pytest.param(
            {"url": "https://example.org/catsdogs.git", "vcs_info": {"vcs": "git", "commit_id": "0123abc"}},
            "'catsdogs[train] @ git+https://example.org/catsdogs.git@0123abc'",
            id="a repository",
        ),
    ],
)
def test_the_command_names_where_catsdogs_came_from(
    origin: dict[str, Any], requirement: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(extras, "_origin", lambda: origin)
    assert extras.install_command("train") == f"{shlex.quote(sys.executable)} -m pip install {requirement}"


def test_the_origin_is_that_of_the_installed_package() -> None:
    assert extras._origin()["url"].startswith("file:///")
