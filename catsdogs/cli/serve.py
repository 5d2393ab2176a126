"""``catsdogs serve``: the apps and the REST API, until Ctrl-C."""

from __future__ import annotations

import contextlib
import errno
import logging
import resource
import signal
import socket
import threading
from pathlib import Path

import typer

from catsdogs.cli.app import app
from catsdogs.errors import SettingsError
from catsdogs.files import is_open_to_others
from catsdogs.settings import Settings, env_file, write_missing_secrets

OPEN_FILES = 65_536
"""Number of files and sockets that the server may open, where the system allows as many."""


@app.command()
def serve(
    host: str = typer.Option("127.0.0.1", help="Address to listen on; 0.0.0.0 for every one of this machine."),
    port: int = typer.Option(8866, min=1, max=65535),
    base_url: str = typer.Option(
        None, help="Path under which a proxy shows catsdogs, such as /pets; by default, CATSDOGS_BASE_URL."
    ),
) -> None:
    """Serve the apps and the REST API until Ctrl-C."""
    stopping = _note_signals()
    given = {} if base_url is None else {"CATSDOGS_BASE_URL": base_url}
    settings = Settings.load(**given)
    settings.create_data_dir()
    sockets = _bind(host, port)
    if _write_secrets(settings):
        settings = Settings.load(**given)
    _quiet_libraries()
    _warn_of_open_files(settings.data_dir)
    _allow_open_files()
    with contextlib.suppress(KeyboardInterrupt):
        _run(settings, sockets, host, port, stopping)


def _note_signals() -> threading.Event:
    """Note a first SIGINT or SIGTERM, so that the start is completed before the stop; a second one interrupts it.

    An exception would be lost, or replaced, if it was raised in a callback or in the import of an extension.
    """
    stopping = threading.Event()

    def note(_number: int, _frame: object) -> None:
        if stopping.is_set():
            raise KeyboardInterrupt
        stopping.set()

    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, note)
    return stopping


def _run(settings: Settings, sockets: list[socket.socket], host: str, port: int, stopping: threading.Event) -> None:
    from catsdogs.alerting.targets import check_targets
    from catsdogs.server.app import Server
    from catsdogs.server.urls import loopback_url, url_for_kernels
    from catsdogs.service.local import Local

    check_targets(settings.alert_targets)
    url_for_kernels(settings, loopback_url(host, port))
    service = Local.open(settings)
    try:
        server = Server.create(service, settings, host=host, port=port)
        server.run(
            sockets,
            stopping=stopping,
            ready=lambda: print(f"catsdogs is ready: {server.service_url}{settings.base_url}", flush=True),
        )
    finally:
        # a second Ctrl-C must not leave PostgreSQL running
        for name in (signal.SIGINT, signal.SIGTERM):
            signal.signal(name, signal.SIG_IGN)
        service.close()


def _write_secrets(settings: Settings) -> bool:
    """Write the secrets that are missing; return whether there were any."""
    written = write_missing_secrets(settings)
    if written:
        print(f"Wrote random values for {' and '.join(written)} to {env_file()}: keep that file to yourself.")
    return bool(written)


def _warn_of_open_files(folder: Path) -> None:
    for path, mode in ((env_file(), "600"), (folder, "700")):
        if is_open_to_others(path):
            logging.getLogger("catsdogs").warning(
                "other users of this machine can read %s, which is to be private: chmod %s %s", path, mode, path
            )


def _bind(host: str, port: int) -> list[socket.socket]:
    from tornado.netutil import bind_sockets

    try:
        return bind_sockets(port, host)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise SettingsError(
                "Port {port} is taken by another program or another catsdogs. Stop it, or choose another port: "
                "--port 9000, or make app PORT=9000.",
                port=port,
            ) from error
        raise SettingsError(
            "catsdogs cannot listen on {host}, port {port}: {reason}.",
            host=host,
            port=port,
            reason=error.strerror or str(error),
        ) from error


def _allow_open_files() -> None:
    """Raise the limit of open files: a page takes a dozen files and sockets, and the usual limit is 1,024."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, OPEN_FILES), most))


def _quiet_libraries() -> None:
    """Keep other packages' messages, except errors, out of the console, and let our own through."""
    logging.getLogger("catsdogs").setLevel(min(logging.INFO, logging.getLogger().level))
    for name in ("tornado", "traitlets", "asyncio", "jupyter_client"):
        logging.getLogger(name).setLevel(logging.ERROR)
