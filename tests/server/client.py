"""A client of a running server: sends requests as a program does, opens pages as a browser does, and signs in."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import psutil
import urllib3

from tests import kernel_processes
from tests.serving import RunningServer


class Client:
    """Sends requests to a server; redirects are not followed.

    ``client("GET", "/api/info")`` sends the server's API token, ``client("GET", "/", token=None)`` sends none.
    """

    def __init__(self, server: RunningServer) -> None:
        self.server = server
        self._http = urllib3.PoolManager(timeout=30, retries=False, maxsize=20)

    def __call__(
        self, method: str, path: str, *, token: str | None = "", headers: dict[str, Any] | None = None, **options: Any
    ) -> urllib3.BaseHTTPResponse:
        token = self.server.api_token if token == "" else token
        sent = ({"Authorization": f"Bearer {token}"} if token else {}) | (headers or {})
        return self._http.request(method, self.server.url + path, headers=sent, redirect=False, **options)

    def xsrf(self) -> str:
        """Request the sign-in page, and return the token of its form."""
        answer = self("GET", "/login", token=None)
        found = re.search(r"catsdogs_xsrf=([^;]+)", answer.headers["Set-Cookie"])
        assert found
        return found[1]

    def post_password(self, password: str, xsrf: str, **headers: str) -> urllib3.BaseHTTPResponse:
        """Send the sign-in form."""
        fields = {"password": password, "_xsrf": xsrf}
        return self("POST", "/login", token=None, headers={"Cookie": f"catsdogs_xsrf={xsrf}", **headers}, fields=fields)

    def sign_in(self) -> dict[str, str]:
        """Sign the operator in, and return the headers of further requests."""
        answer = self.post_password(self.server.operator_password, self.xsrf())
        assert answer.status == 303, answer.data
        return {"Cookie": answer.headers["Set-Cookie"].split(";")[0]}

    def open_page(self, path: str = "/inference", **options: Any) -> OpenPage:
        """Load the page of an app, and send the first heartbeat, as its script does."""
        answer = self("GET", path, token=None, **options)
        assert answer.status == 200, answer.data
        html = answer.data.decode()
        found = re.search('data-kernel="(.*?)"', html)
        assert found
        kernel_id = found[1]
        process = kernel_processes.find(self.server, kernel_id)
        assert self.heartbeat(kernel_id, options.get("headers")) == 204
        return OpenPage(kernel_id, process, html, answer.headers)

    def heartbeat(self, kernel_id: str, headers: dict[str, str] | None = None) -> int:
        """Send what an open page sends every few seconds, and return the status of the answer."""
        return self("GET", f"/session/{kernel_id}", token=None, headers=headers).status

    def close_page(self, page: OpenPage, headers: dict[str, str] | None = None) -> int:
        """Send what a page sends when it closes, and return the status of the answer."""
        return self("POST", f"/voila/api/shutdown/{page.kernel_id}", token=None, headers=headers).status

    def metric(self, name: str, **labels: str) -> float:
        """Return the value of a metric, summed over the series that have these labels."""
        lines = self("GET", "/metrics").data.decode().splitlines()
        series = [line for line in lines if re.match(rf"{name}[ {{]", line)]
        wanted = [f'{label}="{value}"' for label, value in labels.items()]
        return sum(float(line.split()[-1]) for line in series if all(label in line for label in wanted))

    def count_sessions(self) -> int:
        """Return the number of sessions."""
        return int(self.metric("catsdogs_sessions"))


@dataclass
class OpenPage:
    """The page of an app that was loaded, and the process of its kernel."""

    kernel_id: str
    process: psutil.Process
    html: str
    headers: urllib3.HTTPHeaderDict

    @property
    def environment(self) -> dict[str, str]:
        """Environment variables of the kernel, as they are now."""
        return kernel_processes.environment(self.process)

    @property
    def token(self) -> str:
        """Bearer token of the session."""
        return self.environment["CATSDOGS_SERVICE_TOKEN"]
