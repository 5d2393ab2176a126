"""TLS to an external server, with valid and invalid certificates."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from catsdogs.database import Database, postgres
from catsdogs.database.embedded import USER, EmbeddedServer
from catsdogs.errors import DatabaseUnavailable
from catsdogs.settings import Settings
from tests.serving import own_postgresql

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl to make certificates with")


@dataclass
class Front:
    """Speaks PostgreSQL's TLS in front of the embedded server, whose binaries are built without."""

    port: int
    certificate: Path
    encrypted: list[str | None]
    """TLS versions of the connections so far."""


def certificate(folder: Path, name: str) -> tuple[Path, Path]:
    key, made = folder / f"{name}.key", folder / f"{name}.crt"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += ["-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}", "-days", "2"]
    subprocess.run([*command, "-keyout", str(key), "-out", str(made)], check=True, capture_output=True)
    return key, made


def pump(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedServer]:
    """One server for all tests: none of them changes it."""
    with own_postgresql() as server:
        yield server


@pytest.fixture
def front(server: EmbeddedServer, tmp_path: Path) -> Iterator[Front]:
    key, made = certificate(tmp_path, "localhost")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made, key)
    listening = socket.create_server(("127.0.0.1", 0))
    front = Front(listening.getsockname()[1], made, [])

    def serve() -> None:
        while True:
            try:
                plain, _ = listening.accept()
            except OSError:
                return
            threading.Thread(target=answer, args=[plain], daemon=True).start()

    def answer(plain: socket.socket) -> None:
        request = plain.recv(8)
        behind = socket.socket(socket.AF_UNIX)
        behind.connect(str(server.socket_dir / f".s.PGSQL.{postgres.PORT}"))
        if request == b"\0\0\0\x08\x04\xd2\x16\x2f":  # SSLRequest
            plain.sendall(b"S")
            try:
                near: socket.socket = (encrypted := context.wrap_socket(plain, server_side=True))
            except OSError:  # the client does not trust us
                return
            front.encrypted.append(encrypted.version())
        else:
            behind.sendall(request)
            near = plain
        threading.Thread(target=pump, args=[behind, near], daemon=True).start()
        pump(near, behind)

    threading.Thread(target=serve, daemon=True).start()
    yield front
    listening.close()


def ask(port: int, **settings: Any) -> object:
    database = Database(
        Settings(_env_file=None, db_host="localhost", db_port=port, db_user=USER, db_name="postgres", **settings)
    )
    try:
        return database.run(lambda connection: connection.scalar(sa.text("SELECT 42")))
    finally:
        database.close()


@pytest.mark.parametrize("mode", ["prefer", "require", "verify-ca", "verify-full"])
def test_modes_with_tls_encrypt(front: Front, mode: str) -> None:
    trusted = {"CATSDOGS_DB_SSLROOTCERT": front.certificate} if "verify" in mode else {}
    assert ask(front.port, CATSDOGS_DB_SSLMODE=mode, **trusted) == 42
    assert front.encrypted == ["TLSv1.3"]


def test_keras_in_the_same_process_does_no_harm(front: Front) -> None:
    code = f"""
from catsdogs.model.card import SHIPPED
from catsdogs.model.runtimes import KerasNetwork
KerasNetwork(SHIPPED / "model.keras")
import sqlalchemy
url = "postgresql+psycopg2://{USER}@localhost:{front.port}/postgres?sslmode=require"
print(sqlalchemy.create_engine(url).connect().scalar(sqlalchemy.text("SELECT 42")))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout) == (0, "42\n")
    assert front.encrypted == ["TLSv1.3"]


def test_without_tls_the_connection_is_plain(front: Front) -> None:
    assert ask(front.port, CATSDOGS_DB_SSLMODE="disable") == 42
    assert front.encrypted == []


def test_a_certificate_of_another_authority_is_refused_with_the_reason(front: Front, tmp_path: Path) -> None:
    _, other = certificate(tmp_path, "other")
    with pytest.raises(DatabaseUnavailable, match=r"over TLS: .*certificate verify failed.*CATSDOGS_DB_SSLMODE"):
        ask(front.port, CATSDOGS_DB_SSLMODE="verify-full", CATSDOGS_DB_SSLROOTCERT=other)
    with pytest.raises(DatabaseUnavailable, match="nowhere"):
        ask(front.port, CATSDOGS_DB_SSLMODE="verify-full", CATSDOGS_DB_SSLROOTCERT=tmp_path / "nowhere")


def test_a_server_without_tls_is_refused_where_it_is_required(server: EmbeddedServer) -> None:
    with socket.create_server(("127.0.0.1", 0)) as plain:

        def refuse() -> None:
            connection, _ = plain.accept()
            with connection:
                connection.recv(8)
                connection.sendall(b"N")
                connection.recv(1)

        threading.Thread(target=refuse, daemon=True).start()
        with pytest.raises(DatabaseUnavailable, match=r"over TLS: .*does not support SSL"):
            ask(plain.getsockname()[1], CATSDOGS_DB_SSLMODE="require")
