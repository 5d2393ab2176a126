"""The routes: nothing of Voilà and Jupyter is served but what the pages need."""

from __future__ import annotations

import pytest

from tests.server.client import Client


@pytest.mark.parametrize(
    "path",
    [
        "/voila/tree",
        "/voila/api/contents",
        "/voila/api/contents/predict.ipynb",
        "/voila/files/predict.ipynb",
        "/voila/files/../jobs/report.ipynb",
        "/voila/render/../jobs/report.ipynb",
        "/voila/render/../lab/review.ipynb",
        "/voila/render/%2e%2e/jobs/report.ipynb",
        "/voila/render/predict.py",
        "/voila/render/",
        "/voila/templates/lab/static/../../../../../../../etc/passwd",
        "/voila/templates/lab/static/index.css",
        "/voila/templates/",
        "/voila/static/../../../../../../../../etc/passwd",
        "/voila/labextensions/../../../../etc/passwd",
        "/voila/labextensions/nothing.js",
        "/voila/static/nothing.js",
        "/voila/api/themes/nothing.css",
        "/static/../style.css",
        "/static/%2e%2e/landing.html",
        "/static/../../app.py",
        "/.env",
        "/lab",
        "/tree",
        "/terminals/1",
        "/api/terminals",
        "/api/sessions",
    ],
)
def test_no_other_path_is_served(client: Client, path: str) -> None:
    answer = client("GET", path, token=None)
    assert answer.status in {403, 404}, answer.data[:200]
    assert b"root:" not in answer.data
    assert b"ipynb" not in answer.data
