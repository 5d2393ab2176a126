"""Locks, environment and settings file agree with the package."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from catsdogs.settings import Settings

REPOSITORY = Path(__file__).parent.parent
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]


def read(name: str) -> str:
    return (REPOSITORY / name).read_text(encoding="utf-8")


def test_conda_environment_lists_the_packages_of_pyproject() -> None:
    extras = PROJECT["optional-dependencies"]
    wanted = PROJECT["dependencies"] + extras["build"] + extras["lab"] + extras["train"]
    assert re.findall(r"^      - (\S+)$", read("environment.yml"), re.MULTILINE) == wanted
    assert read("binder/environment.yml") == read("environment.yml")


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock", "requirements-rivals.lock"])
def test_lock_file_has_a_hash_for_each_package_and_no_index_address(name: str) -> None:
    text = read(name)
    packages = re.findall(r"^(?=\w)[^\n]*\\\n(?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+", text, re.MULTILINE)
    assert len(packages) == len(re.findall(r"^\w", text, re.MULTILINE)) > 50
    assert not re.search(r"https?://|--index|--find-links", text)


def test_serving_installs_no_tensorflow() -> None:
    assert not re.search(r"^(tensorflow|keras|torch|jupyterlab)==", read("requirements.lock"), re.MULTILINE)


def test_both_locks_agree() -> None:
    pin = re.compile(r"^(\S+==\S+)(.*) \\$", re.MULTILINE)
    serving = {package for package, _ in pin.findall(read("requirements.lock"))}
    everything = {package for package, _ in pin.findall(read("requirements-dev.lock"))}
    assert serving <= everything


def test_every_setting_is_documented_and_no_other() -> None:
    names = {str(field.validation_alias or name).upper() for name, field in Settings.model_fields.items()}
    assert set(re.findall(r"^#?([A-Z0-9_]+)=", read(".env.example"), re.MULTILINE)) == names


def test_env_example_gives_the_defaults() -> None:
    for name, field in Settings.model_fields.items():
        key = str(field.validation_alias or name).upper()
        stated = re.search(rf"^#?{key}=(.*)$", read(".env.example"), re.MULTILINE)
        assert stated
        if field.default is not None:
            assert stated[1] == str(field.default), key


def test_importing_the_package_loads_neither_model_nor_driver() -> None:
    heavy = {"tensorflow", "keras", "onnxruntime", "psycopg2", "sqlalchemy", "numpy", "pandas", "pydantic"}
    code = f"import catsdogs, sys; print(sorted({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
