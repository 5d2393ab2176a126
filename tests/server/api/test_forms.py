"""Forms: what is understood, and that nothing is ignored without a word."""

from __future__ import annotations

import pytest
from tornado.httputil import HTTPHeaders

from catsdogs.errors import InvalidInput
from catsdogs.server.api.forms import read_form
from tests.server.client import Client

KNOWN = ("file", "rgpd_consent", "feedback_id")
PART = b'--B\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\n%s\r\n'


def multipart(*parts: tuple[bytes, bytes, bytes]) -> bytes:
    return b"".join(PART % part for part in parts) + b"--B--\r\n"


@pytest.mark.parametrize(
    "kind",
    [
        "multipart/form-data; boundary=B",
        "Multipart/Form-Data; Boundary=B",
        "MULTIPART/FORM-DATA;BOUNDARY=B",
        'multipart/form-data; charset=utf-8; boundary="B"',
        "multipart/form-data;  boundary=B ; charset=utf-8",
    ],
)
def test_the_content_type_is_understood_in_any_case(client: Client, cat_jpeg: bytes, kind: str) -> None:
    body = multipart((b"file", b'; filename="cat.jpg"', cat_jpeg))
    assert client("POST", "/api/predict", body=body, headers={"Content-Type": kind}).status == 200


@pytest.mark.parametrize(
    "kind", ["application/x-www-form-urlencoded", "Application/X-WWW-Form-Urlencoded; charset=UTF-8"]
)
def test_an_urlencoded_form_is_understood_in_any_case(kind: str) -> None:
    form = read_form(HTTPHeaders({"Content-Type": kind}), b"feedback_id=1&rgpd_consent=", KNOWN)
    assert form.texts == {"feedback_id": [b"1"], "rgpd_consent": [b""]}


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ([(b"rgpd_consnt", b"", b"true")], "no field rgpd_consnt"),
        ([(b"photo", b'; filename="x"', b"...")], "no field photo"),
        ([(b"file", b'; filename="x"', b"1"), (b"file", b'; filename="y"', b"2")], "file was sent more than once"),
        ([(b"file", b'; filename="x"', b"1"), (b"file", b"", b"2")], "file was sent more than once"),
        ([(b"rgpd_consent", b"", b"true"), (b"rgpd_consent", b"", b"false")], "rgpd_consent was sent more than once"),
        ([(b"rgpd_consent", b'; filename="x"', b"true")], "Send rgpd_consent as text"),
    ],
)
def test_what_would_be_ignored_is_refused(
    client: Client, parts: list[tuple[bytes, bytes, bytes]], message: str
) -> None:
    headers = {"Content-Type": "multipart/form-data; boundary=B"}
    answer = client("POST", "/api/predict", body=multipart(*parts), headers=headers)
    assert answer.status == 400
    assert message in answer.json()["detail"]


@pytest.mark.parametrize(
    ("kind", "body", "message"),
    [
        ("application/json", b"{}", "as a form"),
        ("text/plain", b"feedback_id=1", "as a form"),
        ("", b"feedback_id=1", "as a form"),
        ("multipart/form-data", b"--B--", "boundary"),
        ("multipart/form-data; boundary=A", b"--B--", "boundary"),
        ("multipart/form-data; boundary=B", multipart((b"file", b'; filename="\xff.jpg"', b"")), "UTF-8"),
    ],
)
def test_what_is_no_form_is_refused(kind: str, body: bytes, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        read_form(HTTPHeaders({"Content-Type": kind} if kind else {}), body, KNOWN)


def test_programs_for_v2_may_send_json_and_further_fields() -> None:
    headers = HTTPHeaders({"Content-Type": "application/json"})
    body = b'{"feedback_id": 12, "rgpd_consent": true, "other": "x", "file": null}'
    form = read_form(headers, body, KNOWN, v2_compatible=True)
    assert form.texts == {"feedback_id": [b"12"], "rgpd_consent": [b"true"], "other": [b"x"]}
    for wrong in (b"", b"[]", b"{", b'{"a": {}}', b'{"a": 1.5}', b"\xff"):
        with pytest.raises(InvalidInput, match="JSON"):
            read_form(headers, wrong, KNOWN, v2_compatible=True)
