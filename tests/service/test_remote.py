"""The client of the REST API: its imports, its retries, and its errors."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from uuid import uuid4

import pytest

from catsdogs import errors
from catsdogs.domain import Consent
from catsdogs.service.remote import Remote

AGREED = Consent(filename_and_comment=True)


class Scripted(HTTPServer):
    """A server that sends prepared responses in turn, and records the requests."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, bytes]] = []
        self.asked: list[tuple[str, str, str | None]] = []
        script = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                script.asked.append((self.command, self.path, self.headers.get("Accept-Language")))
                status, body = script.answers.pop(0) if len(script.answers) > 1 else script.answers[0]
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_POST = do_GET  # noqa: N815

            def log_message(self, *arguments: object) -> None:
                pass

        super().__init__(("127.0.0.1", 0), Handler)


@pytest.fixture
def scripted() -> Iterator[Scripted]:
    server = Scripted()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def remote(scripted: Scripted) -> Remote:
    return Remote(f"http://127.0.0.1:{scripted.server_port}", "token", "fr")


def test_a_server_that_cannot_be_reached() -> None:
    remote = Remote("http://127.0.0.1:1", "token")
    with pytest.raises(errors.ServiceUnavailable, match="cannot be reached"):
        remote.predict(b"...")
    assert remote.health()["status"] == "unavailable"
    assert remote.health()["model_loaded"] is False


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, errors.InvalidInput),
        (401, errors.NotAuthorised),
        (403, errors.ConsentRequired),
        (404, errors.NotFound),
        (409, errors.Conflict),
        (413, errors.InvalidImage),
        (429, errors.ServiceUnavailable),
        (500, errors.ServiceError),
        (503, errors.ServiceUnavailable),
    ],
)
def test_the_status_alone_determines_the_error(
    scripted: Scripted, remote: Remote, status: int, kind: type[Exception]
) -> None:
    scripted.answers = [(status, b'{"detail": "Une phrase."}')]
    with pytest.raises(kind, match=r"Une phrase\.") as raised:
        remote.predict(b"...")
    assert type(raised.value) is kind


@pytest.mark.parametrize("body", [b"<html>502 Bad Gateway</html>", b"", b"[]", b'"text"', b"\xff"])
@pytest.mark.parametrize("status", [200, 502])
def test_a_response_that_is_not_the_servers(scripted: Scripted, remote: Remote, status: int, body: bytes) -> None:
    scripted.answers = [(status, body)]
    with pytest.raises(errors.ServiceError):
        remote.predict(b"...")


def test_a_prediction_without_its_fields(scripted: Scripted, remote: Remote) -> None:
    scripted.answers = [(200, b'{"prediction": "Cat"}')]
    with pytest.raises(errors.ServiceError):
        remote.predict(b"...")


@pytest.mark.parametrize(
    "call",
    [
        lambda remote: remote.give_feedback(uuid4(), user_feedback=1),
        lambda remote: remote.recent_predictions(),
        lambda remote: remote.change_token(),
        lambda remote: remote.alerts(),
        lambda remote: remote.withdraw("RECEIPT"),
        lambda remote: remote.erase("RECEIPT"),
    ],
    ids=["give_feedback", "recent_predictions", "change_token", "alerts", "withdraw", "erase"],
)
def test_a_response_without_its_fields(scripted: Scripted, remote: Remote, call: Callable[[Remote], object]) -> None:
    scripted.answers = [(200, b"{}")]
    with pytest.raises(errors.ServiceError, match="did not answer as it should"):
        call(remote)


def test_a_gateway_that_recovers(scripted: Scripted, remote: Remote) -> None:
    scripted.answers = [(502, b""), (504, b""), (200, b'{"predictions": [], "count": 0}')]
    assert remote.recent_predictions() == []
    assert len(scripted.asked) == 3


def test_feedback_may_arrive_twice_but_a_photo_may_not(scripted: Scripted, remote: Remote) -> None:
    scripted.answers = [(502, b""), (200, b'{"success": true, "stored": true}')]
    assert remote.give_feedback(uuid4(), user_feedback=1) is True
    scripted.answers, scripted.asked = [(502, b""), (200, b"{}")], []
    with pytest.raises(errors.ServiceError):
        remote.predict(b"...")
    assert len(scripted.asked) == 1


def test_what_has_a_receipt_code_may_arrive_twice(scripted: Scripted, remote: Remote) -> None:
    for first, later in (("A", None), (None, "A")):
        scripted.answers = [(502, b""), (200, b'{"receipt": "A", "stored": true}')]
        assert remote.change_consent(uuid4(), AGREED, receipt=later, new_receipt=first).receipt == "A"
    scripted.answers, scripted.asked = [(502, b""), (400, b"{}")], []
    with pytest.raises(errors.InvalidInput):
        remote.predict(b"...", consent=AGREED, new_receipt="A")
    assert len(scripted.asked) == 2
    for call in (
        lambda: remote.change_consent(uuid4(), AGREED),
        lambda: remote.predict(b"...", consent=AGREED),
        lambda: remote.predict(b"...", new_receipt="A"),
    ):
        scripted.answers, scripted.asked = [(502, b""), (200, b"{}")], []
        with pytest.raises(errors.ServiceError):
            call()
        assert len(scripted.asked) == 1


def test_the_visitors_language_is_passed_on(scripted: Scripted, remote: Remote) -> None:
    scripted.answers = [(200, b'{"predictions": []}')]
    remote.recent_predictions(limit=7)
    assert scripted.asked == [("GET", "/api/recent-predictions?limit=7&list=latest", "fr")]


def test_the_client_loads_no_heavy_package() -> None:
    heavy = {"numpy", "pydantic", "sqlalchemy", "psycopg2", "onnxruntime", "PIL", "tornado", "pandas", "tensorflow"}
    code = "import sys, catsdogs.service.connection; print(*{name.partition('.')[0] for name in sys.modules})"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not heavy & set(loaded)
