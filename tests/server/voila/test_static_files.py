"""Static files."""

from __future__ import annotations

import pytest

from tests.server.client import Client


@pytest.mark.parametrize(
    "path",
    [
        "/static/%00",
        "/static/..%2f..%2fapp.py",
        "/voila/templates/lab/static/%00",
        "/voila/templates/lab/static/",
        "/voila/templates/lab/static/..%2f..%2f..%2fetc%2fpasswd",
        "/voila/static/%00",
    ],
)
def test_a_path_that_no_file_can_have_is_not_found(client: Client, path: str) -> None:
    answer = client("GET", path, token=None)
    assert (answer.status, answer.json()) == (404, {"detail": "There is nothing here."})
