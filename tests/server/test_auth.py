"""Authentication: the API token, the tokens of sessions, the operator's sign-in."""

from __future__ import annotations

import json
import re
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from jupyter_server.auth.security import passwd

from catsdogs.server.auth import Operator
from catsdogs.server.signed_out import SignedOut
from tests.server.client import Client, OpenPage
from tests.serving import RunningServer

OpenPages = Callable[..., OpenPage]

ROUTES = [
    ("POST", "/api/predict"),
    ("POST", "/api/update-feedback"),
    ("GET", "/api/statistics"),
    ("GET", "/api/recent-predictions"),
]
OPERATOR_PATHS = ["/monitoring", "/voila/render/monitoring.ipynb", "/voila/render/monitoring.ipynb?lang=fr"]


@pytest.mark.parametrize(("method", "path"), ROUTES)
@pytest.mark.parametrize("authorization", ["", "Bearer ", "Bearer wrong", "Basic dDp0", "t" * 24, "Bearer é"])
def test_a_route_needs_the_token(client: Client, method: str, path: str, authorization: str) -> None:
    headers = {"Authorization": authorization.encode()} if authorization else {}
    answer = client(method, path, token=None, headers=headers)
    assert answer.status == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert answer.json()["detail"]


def test_the_api_token_does_not_open_the_operators_app(client: Client) -> None:
    assert client("GET", "/monitoring").status == 302


def test_a_prediction_session_may_predict_and_nothing_else(
    client: Client, open_page: OpenPages, cat_jpeg: bytes
) -> None:
    token = open_page().token
    photo = {"file": ("x.jpg", cat_jpeg, "image/jpeg")}
    assert client("POST", "/api/predict", token=token, fields=photo).status == 200
    assert client("GET", "/api/statistics", token=token).status == 403
    assert client("GET", "/api/recent-predictions", token=token).status == 403


def test_a_monitoring_session_may_read_and_nothing_else(
    client: Client, open_page: OpenPages, operator: dict[str, str]
) -> None:
    token = open_page("/monitoring", headers=operator).token
    assert client("GET", "/api/statistics", token=token).status == 200
    assert client("GET", "/api/recent-predictions", token=token).status == 200
    assert client("POST", "/api/predict", token=token).status == 403
    assert client("POST", "/api/update-feedback", token=token).status == 403


def test_a_token_ends_with_its_session(client: Client, open_page: OpenPages) -> None:
    page = open_page()
    token = page.token
    assert client("POST", "/api/update-feedback", token=token).status == 400
    assert client.close_page(page) == 204
    assert client("POST", "/api/update-feedback", token=token).status == 401


def test_the_requests_of_a_session_are_limited(client: Client, open_page: OpenPages) -> None:
    token = open_page().token
    statuses = [client("POST", "/api/update-feedback", token=token).status for _ in range(130)]
    assert statuses[0] == 400
    assert statuses[-1] == 429
    assert int(client("POST", "/api/update-feedback", token=token).headers["Retry-After"]) > 0


def test_the_limit_allows_for_a_live_dashboard(client: Client, open_page: OpenPages, operator: dict[str, str]) -> None:
    """It requests six figures every three seconds, also where others use the service a lot."""
    token = open_page("/monitoring", headers=operator).token
    assert {client("GET", "/api/change-token", token=token).status for _ in range(240)} == {200}


@pytest.mark.parametrize("path", OPERATOR_PATHS)
@pytest.mark.parametrize(
    "cookie",
    ["", "catsdogs_operator=operator", 'catsdogs_operator="2|1:0|10:1|17:catsdogs_operator|12:b3BlcmF0b3I=|00"'],
)
def test_every_path_of_monitoring_needs_the_sign_in(client: Client, path: str, cookie: str) -> None:
    before = client.count_sessions()
    answer = client("GET", path, token=None, headers={"Cookie": cookie} if cookie else {})
    assert answer.status == 302
    assert re.match(r"(\./|(\.\./)+)login", answer.headers["Location"])
    assert client.count_sessions() == before


@pytest.mark.parametrize(
    "path",
    [
        "/voila/render/./monitoring.ipynb",
        "/voila/render//monitoring.ipynb",
        "/voila/render/%6donitoring.ipynb",
        "/voila/render/monitoring.ipynb/",
        "/voila/render/../apps/monitoring.ipynb",
        "/voila/render/MONITORING.ipynb",
        "/voila/files/monitoring.ipynb",
        "/monitoring/",
    ],
)
def test_no_other_path_opens_the_monitoring_notebook(client: Client, path: str) -> None:
    before = client.count_sessions()
    answer = client("GET", path, token=None)
    assert answer.status in {301, 302, 404}  # to the page that asks for the password
    assert client.count_sessions() == before


def test_the_id_of_a_monitoring_kernel_gives_no_access_to_it(
    client: Client, open_page: OpenPages, operator: dict[str, str]
) -> None:
    page = open_page("/monitoring", headers=operator)
    for method, path in [
        ("GET", f"/api/kernels/{page.kernel_id}"),
        ("GET", f"/api/kernels/{page.kernel_id}/channels"),
        ("GET", f"/session/{page.kernel_id}"),
        ("POST", f"/voila/api/shutdown/{page.kernel_id}"),
    ]:
        assert client(method, path, token=None).status == 404, path
    assert client("GET", f"/session/{page.kernel_id}", token=None, headers=operator).status == 204
    assert client.close_page(page, operator) == 204


@pytest.mark.parametrize(
    ("trusts_proxy", "headers", "secure"),
    [
        (False, {}, False),
        (False, {"X-Forwarded-Proto": "https"}, False),
        (True, {}, False),
        (True, {"X-Forwarded-Proto": "https"}, True),
        (True, {"X-Forwarded-Proto": "https", "X-Scheme": "http"}, True),
        (True, {"X-Forwarded-Proto": "https, http"}, False),
    ],
)
def test_the_attributes_of_the_operators_cookie(
    server: RunningServer, behind_proxy: RunningServer, trusts_proxy: bool, headers: dict[str, str], secure: bool
) -> None:
    client = Client(behind_proxy if trusts_proxy else server)
    assert "httponly" in client("GET", "/login", token=None).headers["Set-Cookie"].lower()
    answer = client.post_password(client.server.operator_password, client.xsrf(), **headers)
    cookie = answer.headers["Set-Cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert ("secure" in cookie) is secure


def test_a_sign_in_cannot_be_forged_from_another_site(client: Client, server: RunningServer) -> None:
    assert client("POST", "/login", token=None, fields={"password": server.operator_password}).status == 403


def test_signing_out_ends_the_sign_in_also_for_copies_of_its_cookie(client: Client, operator: dict[str, str]) -> None:
    copied = client.sign_in()
    assert client("HEAD", "/monitoring", token=None, headers=copied).status == 200
    answer = client("GET", "/logout", token=None, headers=copied)
    assert answer.status == 302
    assert 'catsdogs_operator=""' in answer.headers["Set-Cookie"]
    assert client("HEAD", "/monitoring", token=None, headers=copied).status == 302
    assert client("HEAD", "/monitoring", token=None, headers=operator).status == 200, "another sign-in goes on"


def test_a_sign_out_outlives_a_restart_and_the_cookie(tmp_path: Path) -> None:
    path = tmp_path / "signed_out.json"
    SignedOut(path, 3600).add("one")
    SignedOut(path, 3600).add("two")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    again = SignedOut(path, -1)
    assert "one" in again
    assert "two" in again
    assert "three" not in again
    again.add("three")
    SignedOut(path, 3600).add("four")
    assert set(json.loads(path.read_text())) == {"one", "two", "four"}, "what has expired is forgotten"


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"one": "x"}', b"\xff"])
def test_a_damaged_file_of_sign_outs_stops_nothing(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "signed_out.json"
    path.write_bytes(content)
    known = SignedOut(path, 3600)
    known.add("two")
    assert "two" in SignedOut(path, 3600)


def test_a_sign_out_that_cannot_be_written_counts_until_the_restart(tmp_path: Path) -> None:
    known = SignedOut(tmp_path / "absent" / "signed_out.json", 3600)
    known.add("one")
    assert "one" in known


def test_signing_out_without_having_signed_in_is_no_error(client: Client) -> None:
    assert client("GET", "/logout", token=None).status == 302


def test_the_password_is_kept_as_a_hash_and_may_be_given_as_one(tmp_path: Path) -> None:
    hashed = passwd("open sesame", "argon2")  # type: ignore[no-untyped-call]
    for given in ("open sesame", hashed):
        operator = Operator(given, tmp_path / "signed_out.json")
        assert operator.is_password("open sesame")
        assert not operator.is_password("open sesam")
        assert not operator.is_password(hashed), "a stolen hash must not be a password"
        assert not operator.is_password("x" * 10_000)
        assert "open sesame" not in repr(vars(operator))


def test_wrong_passwords_are_limited(small_server: RunningServer) -> None:
    client = Client(small_server)
    xsrf = client.xsrf()

    def status(password: str, number: int) -> int:
        address = f"203.0.113.{number}"  # a header that is trusted only from our own proxy
        return client.post_password(password, xsrf, **{"X-Real-IP": address, "X-Forwarded-For": address}).status

    assert [status("guess", number) for number in range(5)] == [401] * 5
    assert status("guess", 5) == 429
    assert status(small_server.operator_password, 6) == 429, "the limit must not reveal the right password"
