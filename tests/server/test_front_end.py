"""The front end of the apps' pages: what is sent is what its source makes, with the licences of what it contains."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

import catsdogs.server

FRONT_END = Path(catsdogs.server.__file__).parent / "front_end"
BUILT = FRONT_END / "built"


@pytest.mark.skipif(not (shutil.which("node") and shutil.which("npm")), reason="no node or npm: install nodejs and npm")
def test_the_committed_output_is_what_the_source_makes(tmp_path: Path) -> None:
    copy = tmp_path / "front_end"
    shutil.copytree(FRONT_END, copy, ignore=shutil.ignore_patterns("node_modules", "built"))
    for command in ("npm ci --ignore-scripts --no-audit --no-fund --prefer-offline", "npm run build"):
        done = subprocess.run(command.split(), cwd=copy, capture_output=True, text=True, timeout=200)
        assert done.returncode == 0, done.stdout + done.stderr
    made, committed = ({path.name: path.read_bytes() for path in at.iterdir()} for at in (copy / "built", BUILT))
    assert made == committed, "run `make frontend` and commit its output"


def test_the_lock_file_has_a_hash_for_each_package_and_no_index_address() -> None:
    packages = json.loads((FRONT_END / "package-lock.json").read_text())["packages"]
    assert len(packages) > 50
    assert [name for name, package in packages.items() if name and not package["integrity"]] == []
    assert [name for name, package in packages.items() if "resolved" in package] == []


def test_the_licence_of_each_package_is_beside_the_output() -> None:
    licences = (BUILT / "front_end.LICENSES.txt").read_text()
    for package in ("@jupyter-widgets/base-manager", "@jupyterlab/services", "anywidget", "solid-js", "cash-dom"):
        assert f"{package} " in licences
    assert licences.count("Redistribution and use") + licences.count("Permission is hereby granted") > 20
    assert (BUILT / "front_end.js").read_text().startswith("/*! Contains packages of others")
