"""nginx in front of running servers, with the configuration file that is shipped for it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import catsdogs.server
from tests.serving import free_port
from tests.waiting import until

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
needs_nginx = pytest.mark.skipif(NGINX is None, reason="no nginx found: install it (Debian: apt install nginx-light)")

SHIPPED = Path(catsdogs.server.__file__).parent / "deploy" / "nginx.conf"
NGINX_CONF = """
daemon off;
worker_processes 1;
pid nginx.pid;
{user}
events {{}}
http {{
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    {site}
}}
"""


@contextmanager
def behind_nginx(urls: dict[str, str]) -> Iterator[str]:
    """Run nginx for two servers, "a" and "b"; yield its address."""
    site = SHIPPED.read_text()
    for name, shipped in (("a", "8001"), ("b", "8002")):
        site = site.replace(f":{shipped}", f":{urls[name].rpartition(':')[2]}")
    with nginx(site) as address:
        yield address


@contextmanager
def nginx(site: str) -> Iterator[str]:
    """Run nginx with a configuration that says ``listen 8080;``; yield its address."""
    port = free_port()
    site = site.replace("listen 8080;", f"listen 127.0.0.1:{port};")
    with tempfile.TemporaryDirectory(prefix="catsdogs-test-") as folder:
        user = "user root;" if os.geteuid() == 0 else ""
        Path(folder, "nginx.conf").write_text(NGINX_CONF.format(user=user, site=site))
        command = [str(NGINX), "-p", folder, "-c", "nginx.conf", "-e", "error.log"]
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL)

        def listens() -> bool:
            assert process.poll() is None, Path(folder, "error.log").read_text()
            socket.create_connection(("127.0.0.1", port)).close()
            return True

        until(listens, timeout=20, retry_on=ConnectionRefusedError)
        yield f"http://127.0.0.1:{port}"
        process.terminate()
        process.wait(timeout=20)
