"""Who may do what: bearer tokens, session tokens, the operator's sign-in."""

from __future__ import annotations

import re

import pytest
from jupyter_server.auth.security import passwd

from catsdogs.server.auth import Operator

ROUTES = [
    ("POST", "/api/predict"),
    ("POST", "/api/update-feedback"),
    ("GET", "/api/statistics"),
    ("GET", "/api/recent-predictions"),
]
OPERATOR_DOORS = ["/monitoring", "/voila/render/monitoring.ipynb", "/voila/render/monitoring.ipynb?lang=fr"]


@pytest.mark.parametrize(("method", "path"), ROUTES)
@pytest.mark.parametrize("authorization", ["", "Bearer ", "Bearer wrong", "Basic dDp0", "t" * 24, "Bearer é"])
def test_no_door_opens_without_the_token(client, method, path, authorization):
    headers = {"Authorization": authorization.encode()} if authorization else {}
    answer = client(method, path, token=None, headers=headers)
    assert answer.status == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert answer.json()["detail"]


def test_the_token_does_not_open_the_operators_app(client):
    assert client("GET", "/monitoring").status == 302


def test_a_prediction_session_may_predict_and_nothing_else(client, visit, cat_jpeg):
    token = visit().token
    photo = {"file": ("x.jpg", cat_jpeg, "image/jpeg")}
    assert client("POST", "/api/predict", token=token, fields=photo).status == 200
    assert client("GET", "/api/statistics", token=token).status == 403
    assert client("GET", "/api/recent-predictions", token=token).status == 403


def test_a_monitoring_session_may_read_and_nothing_else(client, visit, operator):
    token = visit("/monitoring", headers=operator).token
    assert client("GET", "/api/statistics", token=token).status == 200
    assert client("GET", "/api/recent-predictions", token=token).status == 200
    assert client("POST", "/api/predict", token=token).status == 403
    assert client("POST", "/api/update-feedback", token=token).status == 403


def test_a_token_ends_with_its_session(client, visit):
    seen = visit()
    token = seen.token
    assert client("POST", "/api/update-feedback", token=token).status == 400
    assert client("POST", f"/voila/api/shutdown/{seen.kernel_id}", token=None).status == 204
    assert client("POST", "/api/update-feedback", token=token).status == 401


def test_a_session_that_asks_too_much_is_told_to_wait(client, visit):
    token = visit().token
    statuses = [client("POST", "/api/update-feedback", token=token).status for _ in range(130)]
    assert statuses[0] == 400
    assert statuses[-1] == 429
    assert int(client("POST", "/api/update-feedback", token=token).headers["Retry-After"]) > 0


def test_a_dashboard_may_ask_as_often_as_it_does(client, visit, operator):
    """While it is live it reads six figures every three seconds: a busy service must not cut it off."""
    token = visit("/monitoring", headers=operator).token
    assert {client("GET", "/api/news", token=token).status for _ in range(240)} == {200}


@pytest.mark.parametrize("door", OPERATOR_DOORS)
@pytest.mark.parametrize(
    "cookie",
    ["", "catsdogs_operator=operator", 'catsdogs_operator="2|1:0|10:1|17:catsdogs_operator|12:b3BlcmF0b3I=|00"'],
)
def test_monitoring_needs_the_sign_in_through_every_door(client, sessions, door, cookie):
    before = sessions()
    answer = client("GET", door, token=None, headers={"Cookie": cookie} if cookie else {})
    assert answer.status == 302
    assert answer.headers["Location"].startswith("/login")
    assert sessions() == before


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
def test_there_is_no_other_way_to_the_monitoring_notebook(client, sessions, path):
    before = sessions()
    answer = client("GET", path, token=None)
    assert answer.status in {302, 404}
    assert sessions() == before


def test_a_monitoring_kernel_is_closed_to_who_knows_its_id(client, visit, operator):
    seen = visit("/monitoring", headers=operator)
    for method, path in [
        ("GET", f"/api/kernels/{seen.kernel_id}"),
        ("GET", f"/api/kernels/{seen.kernel_id}/channels"),
        ("GET", f"/session/{seen.kernel_id}"),
        ("POST", f"/voila/api/shutdown/{seen.kernel_id}"),
    ]:
        assert client(method, path, token=None).status == 404, path
    assert client("GET", f"/session/{seen.kernel_id}", token=None, headers=operator).status == 204
    assert client("POST", f"/voila/api/shutdown/{seen.kernel_id}", token=None, headers=operator).status == 204


@pytest.mark.parametrize(
    ("believes", "headers", "secure"),
    [
        (False, {}, False),
        (False, {"X-Forwarded-Proto": "https"}, False),
        (True, {}, False),
        (True, {"X-Forwarded-Proto": "https"}, True),
        (True, {"X-Forwarded-Proto": "https", "X-Scheme": "http"}, True),
        (True, {"X-Forwarded-Proto": "https, http"}, False),
    ],
)
def test_the_operators_cookie_is_flagged(server, behind_proxy, client_of, believes, headers, secure):
    asked = behind_proxy if believes else server
    client = client_of(asked)
    form = client("GET", "/login", token=None)
    assert "httponly" in form.headers["Set-Cookie"].lower()
    xsrf = re.search(r"_xsrf=([^;]+)", form.headers["Set-Cookie"])[1]
    fields = {"password": asked.operator_password, "_xsrf": xsrf}
    answer = client("POST", "/login", token=None, headers={"Cookie": f"_xsrf={xsrf}", **headers}, fields=fields)
    cookie = answer.headers["Set-Cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert ("secure" in cookie) is secure


def test_a_sign_in_cannot_be_forged_from_another_site(client, server):
    assert client("POST", "/login", token=None, fields={"password": server.operator_password}).status == 403


def test_signing_out_closes_the_door(client, operator):
    answer = client("GET", "/logout", token=None, headers=operator)
    assert answer.status == 302
    assert 'catsdogs_operator=""' in answer.headers["Set-Cookie"]


def test_signing_out_without_having_signed_in_is_no_error(client):
    assert client("GET", "/logout", token=None).status == 302


def test_the_password_is_kept_as_a_hash_and_may_be_given_as_one():
    hashed = passwd("open sesame", "argon2")
    for given in ("open sesame", hashed):
        operator = Operator(given)
        assert operator.is_password("open sesame")
        assert not operator.is_password("open sesam")
        assert not operator.is_password(hashed), "who has stolen the hash is not let in"
        assert not operator.is_password("x" * 10_000)
        assert "open sesame" not in repr(vars(operator))


def test_wrong_passwords_are_limited(small_server, client_of):
    client = client_of(small_server)
    xsrf = re.search(r"_xsrf=([^;]+)", client("GET", "/login", token=None).headers["Set-Cookie"])[1]

    claimed = iter(range(9))

    def attempt(password):
        fields = {"password": password, "_xsrf": xsrf}
        address = f"203.0.113.{next(claimed)}"  # believed only from a proxy of ours
        headers = {"Cookie": f"_xsrf={xsrf}", "X-Real-IP": address, "X-Forwarded-For": address}
        return client("POST", "/login", token=None, headers=headers, fields=fields).status

    assert [attempt("guess") for _ in range(5)] == [401] * 5
    assert attempt("guess") == 429
    assert attempt(small_server.operator_password) == 429, "the limit must not tell a right guess"
