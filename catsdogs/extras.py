"""The command that installs further packages (an extra of ``pyproject.toml``), from where catsdogs itself came."""

from __future__ import annotations

import json
import shlex
import sys
from importlib.metadata import PackageNotFoundError, distribution
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname


def install_command(extra: str) -> str:
    """Return the command that installs the packages of `extra` beside this Python's catsdogs.

    Only an index may know catsdogs by its name, so the command names the checkout, the file or the address that this
    one was installed from (https://packaging.python.org/en/latest/specifications/direct-url/).
    """
    return f"{shlex.quote(sys.executable)} -m pip install {_requirement(extra, _origin())}"


def _origin() -> dict[str, Any]:
    try:
        return dict(json.loads(distribution("catsdogs").read_text("direct_url.json") or "{}"))
    except PackageNotFoundError:
        return {}


def _requirement(extra: str, origin: dict[str, Any]) -> str:
    url = str(origin.get("url", ""))
    if not url:
        return shlex.quote(f"catsdogs[{extra}]")
    if url.startswith("file:") and "vcs_info" not in origin:
        option = "-e " if origin.get("dir_info", {}).get("editable") else ""
        return option + shlex.quote(f"{url2pathname(urlsplit(url).path)}[{extra}]")
    vcs = origin.get("vcs_info")
    return shlex.quote(f"catsdogs[{extra}] @ " + (f"{vcs['vcs']}+{url}@{vcs['commit_id']}" if vcs else url))
